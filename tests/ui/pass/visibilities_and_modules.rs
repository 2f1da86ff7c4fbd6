//! Contracts of every visibility, in modules and in functions.
#![deny(warnings)]
#![warn(unreachable_pub, private_interfaces, private_bounds)]

mod outer {
    use rpc_runtime::contract;

    #[contract(package = "outer", detached)]
    pub(crate) struct Wide {
        pub(super) inner: inner::Narrow,
        pub(in crate::outer) list: Vec<self::inner::Narrow>,
        private: super::Root,
    }

    pub(crate) mod inner {
        #[rpc_runtime::contract(package = "outer.inner", detached)]
        pub(crate) struct Narrow {
            pub(crate) up: Option<Box<super::Wide>>,
        }
    }

    impl Wide {
        pub(crate) fn touch(&self) -> (usize, &super::Root) {
            (self.list.len(), &self.private)
        }
    }
}

#[rpc_runtime::contract(package = "root", detached)]
struct Root {
    label: String,
}

fn main() {
    #[rpc_runtime::contract(package = "local", detached)]
    struct Local {
        label: String,
    }
    assert!(Local::default().label.is_empty());
    let wide = outer::Wide::default();
    assert!(wide.touch().1.label.is_empty() && wide.inner.up.is_none());
}
