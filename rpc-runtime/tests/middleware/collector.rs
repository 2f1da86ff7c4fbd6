//! A subscriber that keeps spans and events for a test to look at.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, OnceLock},
};

use tracing::{
    Dispatch, Level, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};
use tracing_subscriber::{Layer, filter::LevelFilter, layer::Context, prelude::*, registry::LookupSpan};

/// A span that is over, or an event.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `<target> <name>` of a span; the text of an event.
    pub name: String,
    pub fields: BTreeMap<String, String>,
    /// The names of the spans around it, from the inside out.
    pub inside: Vec<String>,
}

impl Seen {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Collector {
    spans: Arc<Mutex<Vec<Seen>>>,
    events: Arc<Mutex<Vec<Seen>>>,
}

impl Collector {
    /// Collects what this thread does until the guard is dropped.
    pub fn install(level: Level) -> (Self, DefaultGuard) {
        // While there is only one, tracing asks the thread that comes by a span first, which may be another test's.
        static SECOND: OnceLock<Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| Dispatch::new(tracing_subscriber::registry().with(LevelFilter::TRACE)));
        let collector = Self::default();
        let subscriber = tracing_subscriber::registry()
            .with(collector.clone().with_filter(LevelFilter::from_level(level)));
        (collector, tracing::subscriber::set_default(subscriber))
    }

    /// The spans of calls on one side, in the order in which they were closed.
    pub fn spans(&self, name: &str) -> Vec<Seen> {
        let spans = self.spans.lock().unwrap();
        spans.iter().filter(|span| span.name == name).cloned().collect()
    }

    pub fn event(&self, text: &str) -> Option<Seen> {
        let events = self.events.lock().unwrap();
        events.iter().find(|event| event.name == text).cloned()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collector {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, cx: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        cx.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, cx: Context<'_, S>) {
        let span = cx.span(id).unwrap();
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, cx: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.events.lock().unwrap().push(Seen {
            name: fields.0.remove("message").unwrap_or_default(),
            fields: fields.0,
            inside: cx
                .event_scope(event)
                .into_iter()
                .flatten()
                .map(|span| span.name().to_owned())
                .collect(),
        });
    }

    fn on_close(&self, id: span::Id, cx: Context<'_, S>) {
        let span = cx.span(&id).unwrap();
        let fields = span.extensions_mut().remove::<Fields>().unwrap_or_default();
        self.spans.lock().unwrap().push(Seen {
            name: format!("{} {}", span.metadata().target(), span.name()),
            fields: fields.0,
            inside: span.scope().skip(1).map(|span| span.name().to_owned()).collect(),
        });
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}
