//- src/contracts.rs
pub mod a {
    #[rpc_runtime::contract(package = "a")]
    pub struct A {
        pub b: Option<Box<super::b::B>>,
    }
}

pub mod b {
    #[rpc_runtime::contract(package = "b")]
    pub struct B {
        pub a: Option<Box<super::a::A>>,
    }
}
