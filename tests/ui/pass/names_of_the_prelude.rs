//! Generated code names everything by its full path, so a module may call its types what it likes.
#![allow(dead_code)]

mod contracts {
    use rpc_runtime::contract;

    type Option<T> = std::option::Option<T>;
    struct Default;
    struct Clone;
    struct PartialEq;
    struct Debug;
    struct Some;
    struct Result;
    struct Send;
    struct From;

    #[contract(package = "shadow", detached)]
    pub struct Ok {
        pub label: String,
        #[field(default = 3, range = 1..=5)]
        pub count: Option<i32>,
    }

    #[contract(package = "shadow", detached)]
    pub enum Err {
        #[default]
        None,
        Held(Ok),
    }

    #[contract(package = "shadow", detached)]
    pub enum Vec {
        Empty,
        Full,
    }

    #[contract(package = "shadow", detached)]
    pub trait Shadow {
        async fn call(&self, request: Ok) -> std::result::Result<Err, rpc_runtime::Status>;
    }
}

fn main() {
    let _ = (contracts::Ok::default(), contracts::Err::default(), contracts::Vec::default());
}
