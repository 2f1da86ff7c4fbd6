//! What there is to call and what it takes: asked of the server, or read from a descriptor set.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use prost_reflect::{DescriptorPool, MessageDescriptor};
use rpc_runtime::contract::{MethodDescriptor, MethodKind};
use rpc_runtime::services::reflection::{
    self, GetFilesRequest, ListNamespacesRequest, ListServicesRequest, NamespaceDetails, ReflectionClient,
    ServiceDetails,
};
use rpc_runtime::{Client, Code, Contract};

use crate::cli::ServerArgs;
use crate::failure::{Exit, Failure};
use crate::names;

/// What a server is asked about itself is answered within this, where the command line says nothing else.
const ASKING: Duration = Duration::from_secs(30);

/// Where it is known from.
pub(crate) enum Schema {
    /// From the server, which is asked for the files of what is needed.
    Asked {
        client: Client,
        services: Vec<Service>,
        authentication_required: bool,
        /// What is asked of it is answered within this, or not at all.
        patience: Duration,
    },
    /// From a file, which has everything.
    Given {
        pool: DescriptorPool,
        services: Vec<Service>,
    },
}

/// A service.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) full_name: String,
    pub(crate) docs: String,
    pub(crate) methods: Vec<Method>,
}

/// A method, as much as is known.
#[derive(Debug, Clone)]
pub(crate) struct Method {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) number: u64,
    pub(crate) kind: MethodKind,
    pub(crate) request_type: String,
    pub(crate) response_type: String,
    pub(crate) docs: String,
    pub(crate) auth: bool,
    pub(crate) guards: Vec<String>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) idempotent: bool,
    pub(crate) one_way: bool,
}

impl Method {
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.service, self.name)
    }

    /// What the client is told. It stays until the program ends, which makes one call.
    pub(crate) fn descriptor(&self) -> &'static MethodDescriptor {
        let mut descriptor = MethodDescriptor::new(
            String::leak(self.name.clone()),
            String::leak(self.full_name()),
            self.number,
            self.kind,
            <() as Contract>::descriptor,
            <() as Contract>::descriptor,
        );
        if self.idempotent {
            descriptor = descriptor.idempotent();
        }
        if self.one_way {
            descriptor = descriptor.one_way();
        }
        if let Some(deadline) = self.deadline {
            descriptor = descriptor.deadline(deadline);
        }
        Box::leak(Box::new(descriptor))
    }

    /// Whether the client streams.
    pub(crate) fn takes_stream(&self) -> bool {
        matches!(self.kind, MethodKind::ClientStreaming | MethodKind::Bidirectional)
    }
}

/// What people call a kind.
pub(crate) fn kind_name(kind: MethodKind) -> &'static str {
    match kind {
        MethodKind::Unary => "unary",
        MethodKind::ServerStreaming => "server streaming",
        MethodKind::ClientStreaming => "client streaming",
        MethodKind::Bidirectional => "bidirectional streaming",
    }
}

impl Schema {
    /// From the file that was named, else from the server.
    pub(crate) async fn find(args: &ServerArgs) -> Result<Self, Failure> {
        match &args.descriptor_set {
            Some(path) => Self::read(path),
            None => Self::ask(crate::connect::client(args).await?, args).await,
        }
    }

    /// From the file that was named, else from the server that a client is connected to.
    pub(crate) async fn find_over(args: &ServerArgs, client: &Client) -> Result<Self, Failure> {
        match &args.descriptor_set {
            Some(path) => Self::read(path),
            None => Self::ask(client.clone(), args).await,
        }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(|error| Failure::unreadable(path, &error))?;
        let pool = DescriptorPool::decode(bytes.as_slice()).map_err(|error| {
            let text = format!("{} is no descriptor set: {error}", path.display());
            Failure::new(Exit::BadData, text).hint(
                "`protoc --include_imports -o FILE` and `buf build -o FILE` write one, as does rpc-build",
            )
        })?;
        let services = pool.services().map(|service| of_descriptor(&service)).collect();
        Ok(Self::Given { pool, services })
    }

    async fn ask(client: Client, args: &ServerArgs) -> Result<Self, Failure> {
        let patience = args.deadline.unwrap_or(ASKING);
        let asked = ReflectionClient::new(client.clone())
            .list_services(ListServicesRequest {})
            .timeout(patience)
            .await;
        let listed = asked.map_err(|error| unreflected(error.into()))?;
        let mut services: Vec<Service> = listed.services.into_iter().map(of_details).collect();
        services.sort_by(|one, other| one.full_name.cmp(&other.full_name));
        Ok(Self::Asked {
            client,
            services,
            authentication_required: listed.authentication_required,
            patience,
        })
    }

    pub(crate) fn services(&self) -> &[Service] {
        match self {
            Self::Asked { services, .. } | Self::Given { services, .. } => services,
        }
    }

    /// The method of a name, or of as much of its end as is unambiguous. `task.TaskService.AddTask` is understood as well.
    pub(crate) fn method(&self, name: &str) -> Result<&Method, Failure> {
        let methods = || self.services().iter().flat_map(|service| &service.methods);
        let wanted = match (name.contains('/'), name.rsplit_once('.')) {
            (false, Some((service, method))) => format!("{service}/{method}"),
            _ => name.to_owned(),
        };
        let known = methods().map(|method| (method.full_name(), method));
        names::meant(&wanted, known)?
            .ok_or_else(|| names::no_such("method", name, methods().map(Method::full_name)))
    }

    /// The descriptors of what is needed for some symbols.
    pub(crate) async fn pool(&self, symbols: &[&str]) -> Result<DescriptorPool, Failure> {
        let (client, patience) = match self {
            Self::Given { pool, .. } => return Ok(pool.clone()),
            Self::Asked { client, patience, .. } => (client.clone(), *patience),
        };
        let request = GetFilesRequest {
            symbols: symbols.iter().map(|&symbol| symbol.to_owned()).collect(),
        };
        let mut files = ReflectionClient::new(client)
            .get_files(request)
            .timeout(patience)
            .await?;
        let mut pool = DescriptorPool::new();
        while let Some(file) = files.message().await? {
            pool.decode_file_descriptor_proto(file.descriptor)
                .map_err(|error| {
                    let text = format!("the server's schema file {:?} is broken: {error}", file.name);
                    Failure::new(Exit::BadData, text)
                })?;
        }
        Ok(pool)
    }

    /// The descriptors of what is needed for one symbol, if there is such a one.
    pub(crate) async fn pool_of(&self, symbol: &str) -> Result<Option<DescriptorPool>, Failure> {
        match self.pool(&[symbol]).await {
            Ok(pool) => Ok(Some(pool)),
            Err(failure) if failure.is(Code::NotFound) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The namespaces of channels; none where a file is what is known.
    pub(crate) async fn namespaces(&self) -> Result<Vec<NamespaceDetails>, Failure> {
        let Self::Asked { client, patience, .. } = self else {
            return Ok(Vec::new());
        };
        let listed = ReflectionClient::new(client.clone())
            .list_namespaces(ListNamespacesRequest {})
            .timeout(*patience)
            .await?;
        Ok(listed.namespaces)
    }

    /// The types of events of all namespaces, as far as those name them.
    pub(crate) async fn events(&self) -> Result<BTreeSet<String>, Failure> {
        let namespaces = self.namespaces().await?.into_iter();
        Ok(namespaces.flat_map(|namespace| namespace.events).collect())
    }

    /// What a method takes, and what it answers with.
    pub(crate) async fn messages_of(
        &self,
        method: &Method,
    ) -> Result<(MessageDescriptor, MessageDescriptor), Failure> {
        let pool = self.pool(&[method.service.as_str()]).await.map_err(|failure| {
            match failure.is(Code::NotFound) {
                true => failure
                    .hint("its contract was read by no build script; name a --descriptor-set that has it"),
                false => failure,
            }
        })?;
        let message = |name: &str| {
            pool.get_message_by_name(name).ok_or_else(|| {
                Failure::new(
                    Exit::BadData,
                    format!("the schema of {} lacks `{name}`", method.service),
                )
            })
        };
        Ok((message(&method.request_type)?, message(&method.response_type)?))
    }
}

/// The full names of the messages of a pool. What stands for the entries of maps is nobody's to see.
pub(crate) fn messages_in(pool: &DescriptorPool) -> impl Iterator<Item = String> {
    let messages = pool.all_messages().filter(|message| !message.is_map_entry());
    messages.map(|message| message.full_name().to_owned())
}

/// Why a server does not tell of itself.
fn unreflected(failure: Failure) -> Failure {
    if failure.is(Code::Unimplemented) {
        return failure.hint(
            "the server serves no reflection: a release build does where its builder says `.reflection(true)`; else name a \
             --descriptor-set",
        );
    }
    if failure.is(Code::PermissionDenied) {
        return failure
            .hint("reflection is not for this client: show a --token that may, or name a --descriptor-set");
    }
    failure
}

fn of_details(details: ServiceDetails) -> Service {
    let methods = details.methods.into_iter().map(|method| Method {
        service: details.full_name.clone(),
        name: method.name,
        number: method.number,
        kind: match method.kind {
            reflection::MethodKind::ServerStreaming => MethodKind::ServerStreaming,
            reflection::MethodKind::ClientStreaming => MethodKind::ClientStreaming,
            reflection::MethodKind::Bidirectional => MethodKind::Bidirectional,
            // One that is not known here has at least one message each way.
            reflection::MethodKind::Unary | reflection::MethodKind::Other(_) => MethodKind::Unary,
        },
        request_type: method.request_type,
        response_type: method.response_type,
        docs: method.docs,
        auth: method.auth,
        guards: method.guards,
        deadline: method.deadline,
        idempotent: method.idempotent,
        one_way: method.one_way,
    });
    Service {
        methods: methods.collect(),
        full_name: details.full_name.clone(),
        docs: details.docs,
    }
}

fn of_descriptor(service: &prost_reflect::ServiceDescriptor) -> Service {
    use prost_reflect::prost_types::method_options::IdempotencyLevel;
    let file = service.parent_file();
    let methods = service.methods().map(|method| {
        let options = &method.method_descriptor_proto().options;
        let level = options
            .as_ref()
            .map_or(IdempotencyLevel::IdempotencyUnknown, |options| {
                options.idempotency_level()
            });
        Method {
            service: service.full_name().to_owned(),
            name: method.name().to_owned(),
            number: rpc_schema::names::fnv1a64(&format!("{}/{}", service.full_name(), method.name())),
            kind: match (method.is_client_streaming(), method.is_server_streaming()) {
                (false, false) => MethodKind::Unary,
                (false, true) => MethodKind::ServerStreaming,
                (true, false) => MethodKind::ClientStreaming,
                (true, true) => MethodKind::Bidirectional,
            },
            request_type: method.input().full_name().to_owned(),
            response_type: method.output().full_name().to_owned(),
            docs: crate::describe::comments(&file, method.path()),
            auth: false,
            guards: Vec::new(),
            deadline: None,
            idempotent: level != IdempotencyLevel::IdempotencyUnknown,
            one_way: false,
        }
    });
    Service {
        methods: methods.collect(),
        full_name: service.full_name().to_owned(),
        docs: crate::describe::comments(&file, service.path()),
    }
}
