//! The queue against the simplest that does the same.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Put { channel: u64, size: usize },
    Pop,
    Forget(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4u64, 1..40usize).prop_map(|(channel, size)| Step::Put { channel, size }),
        2 => Just(Step::Pop),
        1 => (0..4u64).prop_map(Step::Forget),
    ]
}

/// The policy of each channel.
fn policy(channel: u64) -> SlowConsumer {
    [
        SlowConsumer::Disconnect,
        SlowConsumer::DropOldest,
        SlowConsumer::KeepLatest,
        SlowConsumer::DropOldest,
    ][channel as usize]
}

/// What waits in a channel: an event of a size, or the mark of so many that are missing.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Waits {
    Event(usize),
    Mark(u64),
}

/// The same, in the simplest way.
#[derive(Default)]
struct Model(Vec<(u64, Waits)>);

impl Model {
    fn bytes(&self) -> usize {
        let size = |waits: &Waits| match waits {
            Waits::Event(size) => size + PLACE,
            Waits::Mark(_) => 0,
        };
        self.0.iter().map(|(_, waits)| size(waits)).sum()
    }

    fn len(&self) -> usize {
        let events = self
            .0
            .iter()
            .filter(|(_, waits)| matches!(waits, Waits::Event(_)));
        events.count()
    }

    fn find(&self, channel: u64, is_one: impl Fn(&Waits) -> bool) -> Option<usize> {
        let found = |(other, waits): &(u64, Waits)| *other == channel && is_one(waits);
        self.0.iter().position(found)
    }

    /// Drops the oldest event of a channel, or the one that was to come. Whether the former.
    fn drop_one(&mut self, channel: u64) -> bool {
        let oldest = self.find(channel, |waits| matches!(waits, Waits::Event(_)));
        match (
            self.find(channel, |waits| matches!(waits, Waits::Mark(_))),
            oldest,
        ) {
            (Some(mark), oldest) => {
                let Waits::Mark(missing) = &mut self.0[mark].1 else {
                    unreachable!("it is a mark");
                };
                *missing += 1;
                oldest.map(|oldest| self.0.remove(oldest));
            }
            (None, Some(oldest)) => self.0[oldest].1 = Waits::Mark(1),
            (None, None) => self.0.push((channel, Waits::Mark(1))),
        }
        oldest.is_some()
    }

    fn put(&mut self, channel: u64, size: usize, most: usize) {
        let fits = |model: &Self, most: usize| model.bytes() + size + PLACE <= most || model.len() == 0;
        match policy(channel) {
            SlowConsumer::Disconnect if !fits(self, most) => return,
            SlowConsumer::DropOldest => {
                while !fits(self, most) {
                    if !self.drop_one(channel) {
                        return;
                    }
                }
            }
            SlowConsumer::KeepLatest => {
                if let Some(place) = self.find(channel, |_| true) {
                    let Waits::Event(before) = self.0[place].1 else {
                        unreachable!("it drops none");
                    };
                    if self.bytes() - before + size <= 2 * most {
                        self.0[place].1 = Waits::Event(size);
                    }
                    return;
                }
                if !fits(self, 2 * most) {
                    return;
                }
            }
            _ => {}
        }
        self.0.push((channel, Waits::Event(size)));
    }
}

fn popped(queue: &EventQueue) -> Option<(u64, Waits)> {
    let event = queue.pop()?;
    let is_event = event
        .message()
        .iter()
        .all(|byte| u64::from(*byte) == event.channel());
    let waits = match is_event {
        true => Waits::Event(event.message().len()),
        false => Waits::Mark(missing(&event).expect("a mark, where it is no event")),
    };
    Some((event.channel(), waits))
}

proptest! {
    #[test]
    fn whatever_is_put_in_and_taken_out_the_queue_is_as_a_simple_model_has_it(
        steps in proptest::collection::vec(step(), 1..400),
        most in 1..20usize,
    ) {
        let (queue, mut model) = (EventQueue::default(), Model::default());
        let most = most * EACH;
        for step in steps {
            match step {
                Step::Put { channel, size } => {
                    queue.put(event(channel, size), policy(channel), most);
                    model.put(channel, size, most);
                }
                Step::Pop => {
                    let expected = (!model.0.is_empty()).then(|| model.0.remove(0));
                    prop_assert_eq!(popped(&queue), expected);
                }
                Step::Forget(channel) => {
                    queue.forget(channel);
                    model.0.retain(|(other, _)| *other != channel);
                }
            }
            prop_assert_eq!((queue.bytes(), queue.len()), (model.bytes(), model.len()));
        }
        let left: Vec<_> = std::iter::from_fn(|| popped(&queue)).collect();
        prop_assert_eq!(left, model.0);
    }
}
