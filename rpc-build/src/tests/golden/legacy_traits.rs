 {
    Record = "legacy" "legacy.Record" {
        r#type: 1 => ::rpc_runtime::codegen::Singular<::rpc_runtime::codegen::Utf8>,
        count: 2 => ::rpc_runtime::codegen::Optional<::rpc_runtime::codegen::Uint32>,
        parts: 3 => ::rpc_runtime::codegen::Repeated<::rpc_runtime::codegen::Named<record::Part>>,
        named: 4 => ::rpc_runtime::codegen::Map<::rpc_runtime::codegen::Utf8, ::rpc_runtime::codegen::Named<record::Part>>,
        kind: 5 => ::rpc_runtime::codegen::Singular<::rpc_runtime::codegen::Int32>,
        at: 6 => ::rpc_runtime::codegen::Optional<::rpc_runtime::codegen::Named<::rpc_runtime::codegen::prost_types::Timestamp>>,
        inner: 7 => ::rpc_runtime::codegen::Optional<::rpc_runtime::codegen::Boxed<::rpc_runtime::codegen::Named<Record>>>,
        raw: 10 => ::rpc_runtime::codegen::Singular<::rpc_runtime::codegen::ByteVec>,
        oneof source: record::Source {
            Url: url = 8 => ::rpc_runtime::codegen::Utf8,
            Copy: copy = 9 => ::rpc_runtime::codegen::Boxed<::rpc_runtime::codegen::Named<Record>>,
        },
    }
}

::rpc_runtime::codegen::prost_contract! {
    record::Part = "legacy" "legacy.Record.Part" {
        name: 1 => ::rpc_runtime::codegen::Singular<::rpc_runtime::codegen::Utf8>,
        next: 2 => ::rpc_runtime::codegen::Optional<::rpc_runtime::codegen::Boxed<::rpc_runtime::codegen::Named<record::Part>>>,
    }
}
