//! One contract as CMMV announces it: its messages by their indexes, and the methods behind them.

use super::{Cmmv, announce::TAKEN, answers::Operation};
use crate::{
    contract::{CrudDescriptor, MessageDescriptor},
    router::{Router, StartError},
};

/// A contract with the names that CMMV has for it.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// As clients name it: the controller in lower case.
    pub(super) name: String,
    /// What its messages are called after.
    pub(super) controller: &'static str,
    pub(super) item: &'static MessageDescriptor,
    pub(super) crud: Option<CrudDescriptor>,
}

impl View {
    pub(super) fn of(item: &'static MessageDescriptor) -> Self {
        let service = item.crud.map_or(item.full_name, |crud| crud.service);
        let simple = service.rsplit('.').next().unwrap_or(service);
        let controller = simple.strip_suffix("Service").unwrap_or(simple);
        Self {
            name: controller.to_lowercase(),
            controller,
            item,
            crud: item.crud,
        }
    }

    /// The item's message, in its package.
    pub(super) fn item_name(&self) -> &'static str {
        simple_name(self.item.full_name)
    }

    /// `TaskList`.
    pub(super) fn list_name(&self) -> String {
        format!("{}List", self.controller)
    }

    /// `AddTaskRequest`.
    pub(super) fn request_name(&self, operation: Operation) -> String {
        format!("{}{}Request", operation.name(), self.controller)
    }

    /// `AddTaskResponse`.
    pub(super) fn response_name(&self, operation: Operation) -> String {
        format!("{}{}Response", operation.name(), self.controller)
    }

    /// The names of its messages, by their indexes: the item, the list, then request and response of each operation, also of those
    /// that the contract leaves out.
    pub(super) fn message_names(&self) -> Vec<String> {
        let mut names = vec![self.item_name().to_owned(), self.list_name()];
        for operation in Operation::ALL {
            names.extend([self.request_name(operation), self.response_name(operation)]);
        }
        names
    }
}

/// The last part of a full name.
pub(super) fn simple_name(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// The index of the first request; its response has the next.
const FIRST_REQUEST: i32 = 2;

/// What the messages of an endpoint's contracts lead to.
#[derive(Debug)]
pub(crate) struct Table {
    contracts: Box<[Entry]>,
    /// Upgrades that name no endpoint's path come here.
    pub(crate) on_any_path: bool,
}

#[derive(Debug)]
struct Entry {
    item: &'static MessageDescriptor,
    /// By `Operation::ALL`: the method's number and the name of its request.
    methods: [Option<(u64, Box<str>)>; 4],
}

/// What a client asks for.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) contract: u32,
    pub(super) operation: Operation,
    pub(super) item: &'static MessageDescriptor,
    /// Of the method.
    pub(super) number: u64,
    /// Of the message.
    pub(super) name: &'a str,
}

impl Asked<'_> {
    /// The index of the answer.
    pub(super) fn response(&self) -> u32 {
        FIRST_REQUEST as u32 + 2 * self.operation as u32 + 1
    }
}

impl Table {
    /// Finds the methods of all contracts.
    pub(crate) fn build(cmmv: &Cmmv, router: &Router) -> Result<Self, StartError> {
        let mistake = |view: &View, problem: String| StartError::Cmmv {
            contract: view.item.full_name,
            problem,
        };
        let mut contracts = Vec::new();
        for (index, view) in cmmv.views.iter().enumerate() {
            let Some(crud) = view.crud else {
                let remedy =
                    "has no service that CMMV's clients could call: its contract needs `controller = \"…\"`";
                return Err(mistake(view, remedy.to_owned()));
            };
            if let Some(first) = cmmv.views[..index].iter().find(|first| first.name == view.name) {
                let taken = format!(
                    "is called `{}` by CMMV, as is `{}`: leave one of them out",
                    view.name, first.item.full_name
                );
                return Err(mistake(view, taken));
            }
            if TAKEN.contains(&&*view.name) {
                let taken =
                    "has a name that CMMV's wire has for something else: give it another `controller`";
                return Err(mistake(view, taken.to_owned()));
            }
            // All other names are those of the service's messages, of which there are no two.
            if view.item_name() == view.list_name() {
                let taken = "is called what CMMV calls a list of it: give it another `message`";
                return Err(mistake(view, taken.to_owned()));
            }
            let methods = Operation::ALL.map(|operation| {
                let method = format!("{}/{}{}", crud.service, operation.name(), view.controller);
                let entry = router.by_name(&method)?;
                Some((entry.descriptor.number, view.request_name(operation).into()))
            });
            if methods.iter().all(Option::is_none) {
                let missing = format!(
                    "is served by `{}`, which this endpoint does not have: add its gateway by `.service(…)`",
                    crud.service
                );
                return Err(mistake(view, missing));
            }
            contracts.push(Entry {
                item: view.item,
                methods,
            });
        }
        Ok(Self {
            contracts: contracts.into(),
            on_any_path: cmmv.on_any_path,
        })
    }

    /// What a message asks for; `None` where it is not a request that is served.
    pub(super) fn find(&self, contract: i32, message: i32) -> Option<Asked<'_>> {
        let index = u32::try_from(contract).ok()?;
        let entry = self.contracts.get(usize::try_from(index).ok()?)?;
        let offset = usize::try_from(message.checked_sub(FIRST_REQUEST)?).ok()?;
        if offset % 2 != 0 {
            return None;
        }
        let operation = *Operation::ALL.get(offset / 2)?;
        let (number, name) = entry.methods.get(offset / 2)?.as_ref()?;
        Some(Asked {
            contract: index,
            operation,
            item: entry.item,
            number: *number,
            name,
        })
    }

    /// The index of CMMV's own contract for errors: behind those of the program, and behind that of `WsCall`.
    pub(super) fn errors(&self) -> u32 {
        self.contracts.len() as u32 + 1
    }
}
