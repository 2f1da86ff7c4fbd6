//! Which method a request means.
//!
//! Methods stand in one dense table; a map from their numbers, which are hashes already, gives the place. The router
//! owns the gateways too: a call reaches its own through the session, so that no counter shared between connections
//! is touched.

use std::{
    any::Any,
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use rpc_protocol::method_number;

use crate::{
    contract::{MethodDescriptor, ServiceDescriptor},
    dispatch::{Gateway, MethodEntry, MethodTable, Protection, Unknown},
    middleware::{Fallback, Middleware},
};

/// Why a server does not start.
///
/// Its `Debug` is its sentence, because that is what a `main` prints which returns it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The hub has a server already.
    #[error("the hub was given to another server before: a hub reaches the clients of one server")]
    HubOfAnother,
    /// The hub's service is served, and there is no hub.
    #[error(
        "`rpc.hub.v1.HubService` is served, and the server has no hub: nobody could subscribe to anything. Declare channels by \
         `Hub::builder().namespace(…)`, and give the hub to the server by `.hub(hub)`"
    )]
    NoHub,
    /// Two methods were given one number.
    #[error(
        "the methods `{first}` and `{second}` share the number {number:#018x}; give one of them another: \
         `#[message(number = …)]`"
    )]
    NumberTaken {
        /// The method that was registered first.
        first: &'static str,
        /// The one that came after it.
        second: &'static str,
        /// Their number.
        number: u64,
    },
    /// A method has the number that another's name comes out as.
    #[error(
        "the number {number:#018x} of the method `{method}` is what the name of `{other}` comes out as: clients that are \
         made from a `.proto` call `{other}` by that, and would run `{method}`. Give `{method}` another number, \
         `#[message(number = …)]`, or `{other}` another name; where both names come out as it, only another name helps"
    )]
    NumberOfAName {
        /// The method that has the number.
        method: &'static str,
        /// The one whose name comes out as it.
        other: &'static str,
        /// The number.
        number: u64,
    },
    /// A method was registered twice.
    #[error("the method `{method}` is registered twice: add its service once")]
    MethodTwice {
        /// The method's full name.
        method: &'static str,
    },
    /// A method's number is 0, which is reserved.
    #[error(
        "the method `{method}` has the number 0, which is reserved; give it another: `#[message(number = …)]`"
    )]
    NumberZero {
        /// The method's full name.
        method: &'static str,
    },
    /// A method names a guard that is not registered.
    #[error(
        "the method `{method}` names the guard `{guard}`, which is not registered{}: say what it does with \
         `.guard(\"{guard}\", …)` or, for `{request}`, this method's type of request, with \
         `.request_guard(\"{guard}\", …)`",
        if *has_others { " but for other types of requests" } else { "" }
    )]
    GuardMissing {
        /// The method's full name.
        method: &'static str,
        /// The guard's name.
        guard: &'static str,
        /// The Rust type of the method's requests.
        request: &'static str,
        /// Whether the guard is registered for requests of other types.
        has_others: bool,
    },
    /// A method asks for authentication, and nothing is registered that could authenticate anybody.
    #[error(
        "the method `{method}` asks for authentication, and there is no authenticator: add one with \
         `.authenticator(…)`"
    )]
    NoAuthenticator {
        /// The method's full name.
        method: &'static str,
    },
    /// An endpoint requires authentication, and nothing is registered that could authenticate anybody.
    #[error(
        "an endpoint requires authentication, and there is no authenticator, so that it would refuse everybody: add one \
         with `.authenticator(…)`"
    )]
    NobodyAuthenticates,
    /// A rate that cannot be kept.
    #[error("the rate {problem}")]
    Rate {
        /// The rate, and what is wrong with it.
        problem: String,
    },
    /// A rate of a method that is not served.
    #[error(
        "there is a rate of the method `{method}`, which is not served here: add its service, or mend the name"
    )]
    RateOfUnknownMethod {
        /// The method's full name, as it was given.
        method: String,
    },
    /// A path cannot be served, or two cannot be told apart.
    #[error("the path `{path}` cannot be served: {problem}")]
    Path {
        /// The path as it was given.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A contract cannot be offered to clients of CMMV.
    #[cfg(feature = "cmmv")]
    #[error("`{contract}` cannot be offered to clients of CMMV: it {problem}")]
    Cmmv {
        /// The full name of the contract's message.
        contract: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The program is compiled with `panic = "abort"`.
    #[error(
        "this program is compiled with panic = \"abort\": one handler's panic would end all connections. Remove it \
         from the profile in Cargo.toml"
    )]
    PanicAborts,
    /// A limit has a value with which nothing works.
    #[error("the limit `{limit}` {problem}")]
    Limit {
        /// The field of [`Limits`](crate::Limits) or [`ServerLimits`](crate::ServerLimits).
        limit: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// The server's certificate, its key, or its clients' authority cannot be used.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(crate::TlsError),
    /// What should be a proxy's network is none.
    #[error(
        "`{network}` is neither a network such as 10.0.0.0/8 nor an address: correct it in `.trusted_proxies(…)`"
    )]
    TrustedProxy {
        /// The text as it was given.
        network: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address as it was given.
        address: String,
        /// What the operating system says.
        source: std::io::Error,
    },
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// WebSocket, as `transports(…)` names it.
const WEBSOCKET: &str = "ws";

/// All methods of a server.
#[derive(Default)]
pub(crate) struct Router {
    methods: Vec<MethodEntry>,
    /// By their own numbers, and by those of their names.
    by_number: HashMap<u64, u32, BuildHasherDefault<Identity>>,
    by_name: HashMap<&'static str, u32>,
    gateways: Vec<Box<dyn Any + Send + Sync>>,
    /// What the gateways serve, in their order.
    services: Vec<&'static ServiceDescriptor>,
    /// Who takes calls of other methods.
    unknown: Option<Box<Unknown>>,
}

impl Router {
    /// Adds a gateway with all its methods that are offered here. The others are as good as unknown.
    pub(crate) fn add<G: Gateway>(&mut self, gateway: G) -> Result<(), StartError> {
        let mut table = MethodTable::new(self.gateways.len());
        G::methods(&mut table);
        self.gateways.push(Box::new(gateway));
        self.services.push(G::descriptor());
        for mut entry in table.into_entries() {
            if !is_offered(entry.descriptor) {
                continue;
            }
            let (name, number) = (entry.descriptor.full_name, entry.descriptor.number);
            if number == 0 {
                return Err(StartError::NumberZero { method: name });
            }
            // Fewer than 2^32 methods fit into memory.
            let index = self.methods.len() as u32;
            if self.by_name.insert(name, index).is_some() {
                return Err(StartError::MethodTwice { method: name });
            }
            // A method with a number of its own is also found by its name's, for clients that were made from its schema,
            // which does not tell of it.
            for number in [number, method_number(name)] {
                if let Some(first) = self.by_number.insert(number, index)
                    && first != index
                {
                    return Err(clash(
                        self.methods[first as usize].descriptor,
                        entry.descriptor,
                        number,
                    ));
                }
            }
            entry.index = self.methods.len();
            self.methods.push(entry);
        }
        Ok(())
    }

    /// What is served. Of a service, those methods are that have a number here.
    pub(crate) fn services(&self) -> &[&'static ServiceDescriptor] {
        &self.services
    }

    /// Whether it has a service.
    pub(crate) fn has<G: Gateway>(&self) -> bool {
        let method = G::descriptor().methods.first();
        method.is_some_and(|method| self.by_number.contains_key(&method.number))
    }

    /// Says who takes calls of methods that nobody has.
    pub(crate) fn fall_back(&mut self, fallback: impl Fallback) {
        self.unknown = Some(Box::new(Unknown::new(Arc::new(fallback))));
    }

    /// Who takes calls of methods that nobody has.
    pub(crate) fn unknown(&self) -> Option<&Unknown> {
        self.unknown.as_deref()
    }

    /// Puts middleware in front of all methods.
    pub(crate) fn put_behind(&mut self, middleware: &Arc<Middleware>) {
        for entry in &mut self.methods {
            entry.put_behind(middleware.clone());
        }
        if let Some(unknown) = &mut self.unknown {
            unknown.put_behind(middleware);
        }
    }

    /// Puts in front of every method what it asks for, and what its endpoint does.
    ///
    /// `authenticates` says whether anybody can become known.
    pub(crate) fn protect(
        &mut self,
        protection: &Protection<'_>,
        authenticates: bool,
    ) -> Result<(), StartError> {
        if protection.auth_required && !authenticates {
            return Err(StartError::NobodyAuthenticates);
        }
        let mut limited = protection.rates.iter().flat_map(|rates| rates.methods());
        if let Some(unknown) = limited.find(|method| self.by_name(method).is_none()) {
            return Err(StartError::RateOfUnknownMethod {
                method: unknown.to_owned(),
            });
        }
        for entry in &mut self.methods {
            let method = entry.descriptor;
            if method.auth && !authenticates {
                return Err(StartError::NoAuthenticator {
                    method: method.full_name,
                });
            }
            entry.protect(protection)?;
        }
        if let Some(unknown) = &mut self.unknown {
            unknown.protect(protection)?;
        }
        Ok(())
    }

    /// The method with a number.
    #[inline]
    pub(crate) fn by_number(&self, number: u64) -> Option<&MethodEntry> {
        self.by_number
            .get(&number)
            .map(|&index| &self.methods[index as usize])
    }

    /// The method with a full name.
    pub(crate) fn by_name(&self, name: &str) -> Option<&MethodEntry> {
        self.by_name.get(name).map(|&index| &self.methods[index as usize])
    }

    /// The full names of all methods, by their places.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.methods.iter().map(|entry| entry.descriptor.full_name)
    }

    /// The gateway that was added as number `index`.
    #[inline]
    pub(crate) fn gateway<G: Gateway>(&self, index: usize) -> Option<&G> {
        self.gateways.get(index)?.downcast_ref()
    }
}

/// Why two methods that would both be found by `number` cannot be served together.
fn clash(first: &'static MethodDescriptor, second: &'static MethodDescriptor, number: u64) -> StartError {
    let of_a_name =
        |method: &'static MethodDescriptor, other: &'static MethodDescriptor| StartError::NumberOfAName {
            method: method.full_name,
            other: other.full_name,
            number,
        };
    if method_number(first.full_name) == number {
        of_a_name(second, first)
    } else if method_number(second.full_name) == number {
        of_a_name(first, second)
    } else {
        StartError::NumberTaken {
            first: first.full_name,
            second: second.full_name,
            number,
        }
    }
}

/// Whether a method may be called over WebSocket, the one transport that is served.
fn is_offered(method: &MethodDescriptor) -> bool {
    method.transports.is_empty() || method.transports.contains(&WEBSOCKET)
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("methods", &self.by_name.keys())
            .finish_non_exhaustive()
    }
}

/// Takes a number as its own hash: method numbers are FNV-1a hashes of names that the program's author chose, and a
/// peer's unknown number only looks, it is never inserted.
#[derive(Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Not reached with u64 keys; still a hash.
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
