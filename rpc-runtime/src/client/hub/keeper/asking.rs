//! What to ask of the server, in how few calls, and what its answers mean. No IO.

use std::{sync::Arc, task::Waker};

use tokio::time::Instant;

use super::{
    super::{
        feed::{Failed, Next},
        received::Raw,
        routing::State,
        sub::Answer,
        wire::{position_of, status_of, told_position},
    },
    Answers, Asked, Asks, Batch, MOST_IN_A_CALL, Outcome,
};
use crate::{
    CallError, Status,
    services::hub::{SubscribeAnswer, SubscribeChannel, SubscribeRequest, UnsubscribeRequest},
};

impl State {
    /// What is to be asked now, and when something else is.
    pub(super) fn asks(&mut self, now: Instant) -> (Vec<Batch>, Option<Instant>) {
        let (mut subscribes, mut unsubscribes) = (Vec::new(), Vec::new());
        let mut due: Option<Instant> = None;
        for place in std::mem::take(&mut self.todo) {
            let Some(feed) = self.feeds.get_mut(&place) else {
                continue;
            };
            match feed.next(now) {
                Next::Nothing => {}
                Next::Gone => self.remove(place),
                Next::Later(when) => {
                    due = Some(due.map_or(when, |due| due.min(when)));
                    self.todo.insert(place);
                }
                Next::Subscribe(since) => {
                    let says = feed.to_be_said();
                    let entry = SubscribeChannel {
                        channel: feed.name.as_ref().to_owned(),
                        since: since.map(told_position),
                        presence: says.clone(),
                    };
                    let asked = Asked {
                        feed: place,
                        since,
                        says,
                    };
                    subscribes.push((asked, entry));
                }
                Next::Unsubscribe => {
                    let asked = Asked {
                        feed: place,
                        since: None,
                        says: None,
                    };
                    unsubscribes.push((asked, feed.name.as_ref().to_owned()));
                }
            }
        }
        let mut batches = Vec::new();
        while !subscribes.is_empty() {
            let rest = subscribes.split_off(subscribes.len().min(MOST_IN_A_CALL));
            let (asked, channels) = std::mem::replace(&mut subscribes, rest).into_iter().unzip();
            batches.push(self.batch(asked, Asks::Subscribe(SubscribeRequest { channels })));
        }
        while !unsubscribes.is_empty() {
            let rest = unsubscribes.split_off(unsubscribes.len().min(MOST_IN_A_CALL));
            let (asked, channels) = std::mem::replace(&mut unsubscribes, rest).into_iter().unzip();
            batches.push(self.batch(asked, Asks::Unsubscribe(UnsubscribeRequest { channels })));
        }
        (batches, due)
    }

    fn batch(&mut self, asked: Vec<Asked>, asks: Asks) -> Batch {
        let serial = self.new_id();
        for Asked { feed, .. } in &asked {
            if let Some(feed) = self.feeds.get_mut(feed) {
                feed.asking = Some(serial);
            }
        }
        Batch { serial, asked, asks }
    }

    /// Without a connection: what nobody needs any more, and no server knows of, goes.
    pub(super) fn tidy(&mut self) {
        let gone = |feed: &&u64| {
            let feed = self.feeds.get(feed);
            feed.is_some_and(|feed| feed.next(Instant::now()) == Next::Gone)
        };
        let gone: Vec<_> = self.todo.iter().filter(gone).copied().collect();
        for place in gone {
            self.todo.remove(&place);
            self.remove(place);
        }
    }

    pub(super) fn finish(&mut self, outcome: Outcome, counts: bool, now: Instant, woken: &mut Vec<Waker>) {
        let Outcome {
            serial,
            link,
            asked,
            leaves,
            answers,
        } = outcome;
        let counts = counts && link == self.link && !matches!(answers, Ok(Answers::Lost));
        let unanswered = if leaves {
            Failed::NotLeft
        } else {
            Failed::Unanswered
        };
        let mut answers = match answers {
            Ok(Answers::Subscribed(answers)) if answers.len() != asked.len() => {
                let text = "the server has answered for another number of channels";
                Err(CallError::Status(Status::internal(text)))
            }
            Ok(Answers::Subscribed(answers)) => Ok(Some(answers.into_iter())),
            Ok(Answers::Unsubscribed | Answers::Lost) => Ok(None),
            Err(error) => Err(error),
        };
        for Asked {
            feed: place,
            since,
            says,
        } in asked
        {
            let answer = match &mut answers {
                Ok(Some(answers)) => answers.next().map(told).transpose(),
                Ok(None) => Ok(None),
                Err(error) => Err((error.clone(), unanswered)),
            };
            let Some(feed) = self.feeds.get_mut(&place) else {
                continue;
            };
            if feed.asking != Some(serial) {
                // It was asked on a connection that is gone.
                continue;
            }
            feed.asking = None;
            self.todo.insert(place);
            if !counts {
                feed.was_lost();
                continue;
            }
            match answer {
                Ok(Some(answer)) => {
                    let before = feed.number;
                    let (early, lost) = self.name(place, before, answer.number);
                    // Frames of a number that is known are held elsewhere.
                    let lost = lost && before.is_none();
                    if let Some(feed) = self.feeds.get_mut(&place) {
                        feed.answered(since, says, &answer, early, lost, woken);
                    }
                }
                Ok(None) => {
                    let number = feed.number;
                    feed.has_left();
                    self.unname(number);
                }
                Err((error, failed)) => feed.refused(&error, failed, says.as_ref(), now, woken),
            }
        }
        self.settle();
    }
}

/// What the server has answered for one channel; why not, and what is known then.
fn told(answer: SubscribeAnswer) -> Result<Answer, (CallError, Failed)> {
    if let Some(refused) = answer.refused {
        let failed = match answer.number {
            0 => Failed::Refused,
            _ => Failed::AsBefore,
        };
        return Err((CallError::Status(status_of(refused)), failed));
    }
    if answer.number == 0 {
        let text = "the server has given no number for the channel";
        return Err((CallError::Status(Status::internal(text)), Failed::Unanswered));
    }
    Ok(Answer {
        number: answer.number,
        position: answer.position.map(position_of),
        recovered: answer.recovered == Some(true),
        snapshot: answer.snapshot.map(|record| Arc::new(Raw::of_record(record))),
        events: answer
            .events
            .into_iter()
            .map(|record| Arc::new(Raw::of_record(record)))
            .collect(),
        types: answer.types,
        frames_epoch: answer.frames_epoch,
    })
}
