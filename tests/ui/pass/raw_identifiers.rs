//! Names that are keywords of Rust are plain names in protobuf.
#![deny(warnings)]
#![allow(non_camel_case_types)]

use rpc_runtime::{Contract, ContractEnum, Status, contract};

#[contract(package = "raw", controller = "Raw", detached)]
pub struct r#struct {
    #[field(id)]
    pub r#type: String,
    pub r#fn: Option<Box<r#struct>>,
    pub r#match: r#enum,
}

#[contract(package = "raw", detached)]
pub enum r#enum {
    r#unsafe,
    r#Self_,
}

#[contract(package = "raw", detached)]
pub enum Either {
    #[default]
    r#Unset,
    r#Type(String),
}

#[contract(package = "raw", detached)]
pub trait Raw {
    async fn r#move(&self, r#in: r#struct) -> Result<r#struct, Status>;
}

fn main() {
    let names: Vec<_> = r#struct::descriptor().fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["type", "fn", "match"]);
    assert_eq!(r#struct::FULL_NAME, "raw.Raw");
    assert_eq!(r#struct::descriptor().rust_name, "struct");
    assert_eq!(r#enum::descriptor().values[0].name, "ENUM_UNSAFE");
    assert_eq!(Either::descriptor().fields[0].name, "type");
}
