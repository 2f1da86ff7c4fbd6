//! `rpc list`: what there is.

use rpc_runtime::services::reflection::NamespaceDetails;
use serde_json::{Value, json};

use crate::cli::ListArgs;
use crate::describe::{access_text, service_json};
use crate::failure::Failure;
use crate::names;
use crate::output::{self, HEAD, NAME, QUIET, one_line};
use crate::schema::{Schema, Service, kind_name};

/// `rpc list`
pub(crate) async fn run(args: &ListArgs) -> Result<(), Failure> {
    let schema = Schema::find(&args.server).await?;
    let only = args.only.as_deref();
    let is_wanted = |service: &&Service| {
        only.is_none_or(|only| {
            let rest = service.full_name.strip_prefix(only);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let services: Vec<&Service> = schema.services().iter().filter(is_wanted).collect();
    if let (Some(only), []) = (only, services.as_slice()) {
        let known = schema.services().iter().map(|service| service.full_name.clone());
        return Err(names::no_such("service or package", only, known));
    }
    for service in services {
        match args.output.json {
            true => output::line(&output::compact(&service_json(service)))?,
            false => output::line(&service_text(service))?,
        }
    }
    let Schema::Asked {
        client,
        authentication_required,
        ..
    } = &schema
    else {
        return Ok(());
    };
    if only.is_none() {
        for namespace in &schema.namespaces().await? {
            match args.output.json {
                true => output::line(&output::compact(&namespace_json(namespace)))?,
                false => output::line(&namespace_text(namespace))?,
            }
        }
    }
    if *authentication_required && !args.output.json {
        output::line(&format!(
            "{QUIET}Anonymous clients may call nothing here.{QUIET:#}"
        ))?;
    }
    crate::connect::close(client).await;
    Ok(())
}

fn service_text(service: &Service) -> String {
    let mut text = format!("{HEAD}{}{HEAD:#}", one_line(&service.full_name));
    let widest = service.methods.iter().map(|method| method.name.len()).max();
    let widest = widest.unwrap_or_default();
    for method in &service.methods {
        let (name, kind) = (one_line(&method.name), kind_name(method.kind));
        let kind = if method.one_way { "one way" } else { kind };
        let docs = one_line(&first_sentence(&method.docs));
        let access = access_text(method).map_or_else(String::new, |access| format!(" [{access}]"));
        text.push_str(&format!(
            "\n  {NAME}{name:widest$}{NAME:#}  {kind}{access}  {QUIET}{docs}{QUIET:#}"
        ));
    }
    text
}

/// The first sentence of docs, however many lines it has; of a paragraph without an end of one, all.
fn first_sentence(docs: &str) -> String {
    let paragraph: Vec<&str> = docs
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let text = paragraph.join(" ");
    let end = text
        .match_indices(['.', '!', '?'])
        .map(|(at, mark)| at + mark.len());
    let end = end.into_iter().find(|&end| text[end..].starts_with(' '));
    text[..end.unwrap_or(text.len())].to_owned()
}

fn namespace_text(namespace: &NamespaceDetails) -> String {
    let mut facts = Vec::new();
    if namespace.kept_events > 0 {
        facts.push(format!("keeps {} events", namespace.kept_events));
    }
    let has = [
        (namespace.presence, "presence"),
        (namespace.tells_joins, "tells joins"),
        (namespace.tells_publisher, "tells publishers"),
        (namespace.snapshot, "snapshot"),
    ];
    facts.extend(
        has.iter()
            .filter(|(has, _)| *has)
            .map(|(_, name)| (*name).to_owned()),
    );
    let mut events = namespace.events.clone();
    if namespace.any_event {
        events.push("any event".to_owned());
    }
    format!(
        "{HEAD}channels {}{HEAD:#}\n  {}  {QUIET}{}{QUIET:#}",
        one_line(&namespace.pattern),
        one_line(&events.join(", ")),
        facts.join(", ")
    )
}

fn namespace_json(namespace: &NamespaceDetails) -> Value {
    json!({
        "channels": namespace.pattern,
        "events": namespace.events,
        "anyEvent": namespace.any_event,
        "keptEvents": namespace.kept_events,
        "keptForSeconds": namespace.kept_for.map(|time| time.as_secs_f64()),
        "presence": namespace.presence,
        "tellsJoins": namespace.tells_joins,
        "tellsPublisher": namespace.tells_publisher,
        "snapshot": namespace.snapshot,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_in_a_list_end_with_a_sentence_and_not_with_a_line() {
        for (docs, shown) in [
            ("", ""),
            ("Adds a task.", "Adds a task."),
            ("Adds a task", "Adds a task"),
            (
                "Events come as frames of the\nconnection. Others do not.",
                "Events come as frames of the connection.",
            ),
            ("Waits for 1.5 s. Or not.", "Waits for 1.5 s."),
            ("A heading\n\nAnd more. And more.", "A heading"),
            ("Is it so?  It is.", "Is it so?"),
        ] {
            assert_eq!(first_sentence(docs), shown, "{docs:?}");
        }
    }
}
