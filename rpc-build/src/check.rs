//! What can only be checked over all services of the crate.

use rpc_schema::names::{fnv1a64, number_of_a_name};
use rpc_schema::resolve::{Origin, Problem, Schema, ServiceDef};
use std::collections::BTreeMap;

/// Two methods with one number would be one method on the wire; so would one with the number of another's name, for
/// clients made from the `.proto`.
pub(crate) fn method_numbers(schema: &Schema) -> Vec<Problem> {
    let mut problems = Vec::new();
    let services = schema.files.iter().flat_map(|file| &file.services);
    let by_name: BTreeMap<u64, &str> = services
        .flat_map(|service| &service.methods)
        .map(|method| (fnv1a64(&method.full_name), method.full_name.as_str()))
        .collect();
    let mut owners: BTreeMap<u64, (&ServiceDef, &str)> = BTreeMap::new();
    for service in schema.files.iter().flat_map(|file| &file.services) {
        for method in &service.methods {
            let number = method
                .options
                .number
                .unwrap_or_else(|| fnv1a64(&method.full_name));
            if number == 0 {
                problems.push(Problem {
                    key: key(service, &method.name),
                    message: format!(
                        "the number of `{}` comes out as 0, which is reserved; give it its own with {}",
                        method.full_name,
                        remedy(service)
                    ),
                });
                continue;
            }
            let named = by_name.get(&number).filter(|&&named| named != method.full_name);
            if let (Some(number), Some(named)) = (method.options.number, named) {
                // Within one service the macro sees it, and reports it better.
                if !same_service(named, &method.full_name) {
                    problems.push(Problem {
                        key: key(service, &method.name),
                        message: number_of_a_name(&method.full_name, number, named),
                    });
                }
                continue;
            }
            let Some((_, first)) = owners.insert(number, (service, &method.full_name)) else {
                continue;
            };
            // As above.
            if first != method.full_name && !same_service(first, &method.full_name) {
                problems.push(Problem {
                    key: key(service, &method.name),
                    message: format!(
                        "`{first}` and `{}` have the same method number {number:#018x}; give one its own with {}",
                        method.full_name,
                        remedy(service)
                    ),
                });
            }
        }
    }
    problems
}

fn same_service(left: &str, right: &str) -> bool {
    left.split('/').next() == right.split('/').next()
}

/// Where the macro can show it.
fn key(service: &ServiceDef, method: &str) -> String {
    match &service.origin {
        Origin::Crud(crud) => crud.contract.clone(),
        Origin::Trait | Origin::Gateway => format!("{}.{method}", service.full_name),
    }
}

fn remedy(service: &ServiceDef) -> &'static str {
    match service.origin {
        Origin::Crud(_) => "another `controller`, or `#[message(number = …)]` on the other method",
        Origin::Trait | Origin::Gateway => "`#[message(number = …)]`",
    }
}
