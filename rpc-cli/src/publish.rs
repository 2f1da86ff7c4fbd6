//! `rpc publish`: events to a channel, and their receipts.

use bytes::Bytes;
use prost_reflect::MessageDescriptor;
use rpc_runtime::hub::Position;
use rpc_runtime::services::hub::{HubClient, PublishRequest, PublishResponse, TypedMessage};
use serde_json::{Map, Value, json};

use crate::cli::PublishArgs;
use crate::event::{epoch_json, offset_json};
use crate::failure::{Exit, Failure};
use crate::input::{self, Lines};
use crate::output::{self, NAME, QUIET, one_line};
use crate::progress::Progress;
use crate::schema::Schema;
use crate::{connect, dynamic, types};

/// What stands in a key for the number of its event.
const NUMBER: &str = "{}";

/// `rpc publish`
pub(crate) async fn run(args: &PublishArgs) -> Result<(), Failure> {
    let client = connect::client(&args.server).await?;
    let schema = Schema::find_over(&args.server, &client).await?;
    let message = types::find(&schema, &args.event).await?;
    let mut publisher = Publisher {
        args,
        hub: HubClient::new(client.clone()),
        message,
        number: 0,
        progress: Progress::new("events"),
    };
    publisher.publish_all().await?;
    connect::close(&client).await;
    Ok(())
}

struct Publisher<'a> {
    args: &'a PublishArgs,
    hub: HubClient,
    message: MessageDescriptor,
    /// Of the event that was published last.
    number: u64,
    progress: Progress,
}

impl Publisher<'_> {
    async fn publish_all(&mut self) -> Result<(), Failure> {
        if self.args.data != "-" {
            let text = input::whole(&self.args.data).await?;
            // Nothing is published where one of them is wrong, or where they would share a key.
            let message = self.message.clone();
            let bodies = || dynamic::each(&message, &text.text, &text.source);
            let mut count = 0_u64;
            for body in bodies()? {
                body?;
                count += 1;
            }
            if count > 1 {
                self.has_a_key_for_each()?;
            }
            // Made again rather than kept: together they take far more memory than their text.
            for body in bodies()? {
                self.publish(body?).await?;
            }
            return Ok(());
        }
        let mut lines = Lines::open("-").await?;
        while let Some(line) = lines.next().await? {
            let body = dynamic::encode(&self.message, &line, &lines.source, lines.number)?;
            self.publish(body).await?;
        }
        Ok(())
    }

    async fn publish(&mut self, body: Bytes) -> Result<(), Failure> {
        self.number += 1;
        if self.number > 1 {
            self.has_a_key_for_each()?;
        }
        let key = self.args.key.as_ref();
        let request = PublishRequest {
            channel: self.args.channel.clone(),
            event: TypedMessage {
                type_name: self.message.full_name().to_owned(),
                body,
            },
            key: key.map_or_else(String::new, |key| key.replace(NUMBER, &self.number.to_string())),
            ..PublishRequest::default()
        };
        let published = self.hub.publish(request).await;
        let published = published.map_err(|error| Failure::from(error).about(&self.args.channel))?;
        output::line(&match self.args.output.json {
            true => output::compact(&receipt_json(&published)),
            false => receipt_text(&published),
        })?;
        self.progress.one_more();
        Ok(())
    }

    fn has_a_key_for_each(&self) -> Result<(), Failure> {
        match &self.args.key {
            Some(key) if !key.contains(NUMBER) => {
                let text = "each event has to have a key of its own, and there is more than one";
                let hint = format!("write the number into it: --key '{key}-{NUMBER}'");
                Err(Failure::new(Exit::Usage, text).hint(hint))
            }
            _ => Ok(()),
        }
    }
}

fn position(published: &PublishResponse) -> Option<Position> {
    published.position.as_ref().map(|position| Position {
        epoch: position.epoch,
        offset: position.offset,
    })
}

fn receipt_text(published: &PublishResponse) -> String {
    let id = format!("{NAME}{}{NAME:#}", one_line(&published.id));
    let mut facts = Vec::new();
    facts.extend(position(published).map(|position| format!("offset {}", position.offset)));
    facts.extend(published.reached.map(|reached| format!("reached {reached}")));
    facts.extend(published.duplicate.then(|| "was there before".to_owned()));
    match facts.is_empty() {
        true => id,
        false => format!("{id}  {QUIET}{}{QUIET:#}", facts.join(", ")),
    }
}

fn receipt_json(published: &PublishResponse) -> Value {
    let mut fields = Map::new();
    fields.insert("id".to_owned(), json!(published.id));
    if let Some(position) = position(published) {
        fields.insert("offset".to_owned(), offset_json(position));
        fields.insert("epoch".to_owned(), epoch_json(position));
    }
    if let Some(reached) = published.reached {
        fields.insert("reached".to_owned(), json!(reached.to_string()));
    }
    fields.insert("duplicate".to_owned(), json!(published.duplicate));
    Value::Object(fields)
}
