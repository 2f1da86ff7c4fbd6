//! What has happened in some runs, so that nobody takes runs in which nothing happens for a proof, nor what is allowed because it
//! happens once in a long time for what is always right.

/// What is rare may happen twice in few runs, since those that have found something have each of it once, and besides once in so many.
/// In 1,600,000 runs it happened two to four times, so that the margin is eightfold.
const FEW: u64 = 2;
const RARE: u64 = 50_000;

macro_rules! seen {
    (often: $($(#[doc = $what:literal])+ $name:ident,)+ rarely: $($(#[doc = $rare:literal])+ $rarely:ident,)+) => {
        #[derive(Debug, Default)]
        pub struct Seen {
            $($(#[doc = $what])+ pub $name: u64,)+
            $($(#[doc = $rare])+ pub $rarely: u64,)+
        }

        impl Seen {
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
                $(self.$rarely += other.$rarely;)+
            }

            /// All of it happens at least once in a hundred runs, and most of it in each.
            pub fn check_that_everything_happened(&self, runs: u64) {
                let least = runs / 100;
                $(assert!(self.$name >= least, "{} of{}, in {runs} runs", self.$name, concat!($($what),+));)+
            }

            /// What the looser rules allow stays as rare as it is.
            pub fn check_that_what_is_rare_is(&self, runs: u64) {
                let most = FEW + runs / RARE;
                $(assert!(self.$rarely <= most, "{} of{}, in {runs} runs", self.$rarely, concat!($($rare),+));)+
            }
        }
    };
}

seen! {
    often:
    /// events that were delivered
    events,
    /// snapshots that were delivered
    snapshots,
    /// snapshots of the history before
    overtaken,
    /// gaps because history did not have everything
    gaps,
    /// gaps because there was no history
    cuts,
    /// gaps because a program did not read
    unread,
    /// events that were let go of for slow consumers without history
    let_go,
    /// times that a client came back
    reconnects,
    /// sessions that were resumed
    resumed,
    /// subscriptions that were refused
    refused,
    /// subscriptions that were ended
    ended,
    /// subscriptions that lost their right by a change of user
    lost_rights,
    /// subscriptions that were refused when their clients came back, because their right had been taken
    rights_taken,
    /// subscriptions in channels whose right had been taken so, and was given again
    rights_given,
    /// publishers that had no right to publish
    not_published,
    /// the same while they publish until it is certain
    not_retried,
    /// clients that had no right to read a history
    history_not_read,
    /// clients that had no right to see who is there
    presence_not_seen,
    /// lists of who is there that clients were given
    presences,
    /// questions whose right changed before they were answered
    in_flight,
    /// questions right behind a change of user who has another right
    asked_as_another,
    /// subscriptions that the server made
    granted,
    /// subscriptions of clients that named a channel in their addresses
    named,
    /// subscriptions that the server ended
    kicked,
    /// subscriptions behind a position that a program knew
    since,
    /// events that were sent to clients, users, all and the anonymous
    sent,
    /// events that were sent to sessions which went on
    replayed,
    /// publishers that were left out
    excepted,
    /// servers that were replaced
    restarts,
    /// brokers that lost their memory
    lost_memories,
    /// keys that were used twice
    duplicates,
    /// events that clients published until it was certain
    retried,
    /// pages of histories that clients read
    pages,
    /// histories that were held against the model
    histories,
    /// histories that did not have everything
    not_covered,
    /// members that were seen
    members,
    /// members with something to say of themselves
    moods,
    /// channels whose members were looked at 40 s after crashes
    crashed,
    /// clients that were closed
    closed,
    /// programs that did not read
    not_read,
    /// lines on which nothing came
    stalls,
    /// publishers that waited for slow consumers
    blocked,

    rarely:
    /// grants that a client was not told of, which had just left the channel
    crossed,
    /// subscriptions of the server's whose right was taken before their clients, which were away, were told of them
    told_late,
    /// subscriptions that were given what was published before they were asked for
    given_before,
}
