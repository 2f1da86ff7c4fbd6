//! One run: a server, some clients, and what happens to them. What is done, and what must come of it at once, is told by topic; what
//! must have come of all of it at last, in `ending` and `judging`.

mod ending;
mod faults;
mod identity;
mod judging;
mod presence;
mod publishing;
mod reading;
mod rights;
mod sending;
mod server_side;
mod subscribing;

use std::time::Duration;

use tokio::{task::JoinSet, time::Instant};

use crate::{
    house::{CHANNELS, Channel, House, USERS},
    line::Line,
    program::{Program, Tick},
    random::Random,
    rights::{Act, Deed, Rights},
    seen::Seen,
    truth::Truth,
};

/// So many of the channels are used in one run, so that much happens in each.
const USED: usize = 5;

struct World {
    random: Random,
    house: House,
    rights: Rights,
    /// All rights change, and not only those to subscribe.
    all_rights: bool,
    programs: Vec<Program>,
    channels: Vec<&'static Channel>,
    truth: Truth,
    /// Publishers that go on by themselves.
    publishing: JoinSet<()>,
    /// Clients that publish until they are certain: the channel, and the event, and how often they were refused.
    retrying: JoinSet<(Option<(&'static str, u64)>, u64)>,
    next: u64,
    /// What was sent to a session that was there, or was to come back: the program's place, the session, and the event.
    owed: Vec<(usize, String, u64)>,
    seen: Seen,
    /// Since when it runs, where it is to say what it does.
    tells: Option<Instant>,
}

/// One run. `all_rights` has others change than those to subscribe, `tells` has it say what is done, and when.
pub fn run(seed: u64, all_rights: bool, tells: bool) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut world = World::new(seed, all_rights, tells).await;
        let steps = 10 + world.random.below(30);
        for _ in 0..steps {
            world.step().await;
            world.truth.check();
        }
        world.end().await;
        world.truth.check();
        world.seen
    })
}

/// What is asked for whoever subscribes.
fn subscribing(user: Option<&'static str>, channel: &'static str) -> Deed {
    Deed {
        user,
        act: Act::Subscribe,
        channel,
    }
}

/// Long enough for everything that was begun to be done, and short enough for nobody to notice that a peer is gone.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(900)).await;
}

impl World {
    async fn new(seed: u64, all_rights: bool, tells: bool) -> Self {
        let mut random = Random(seed);
        let rights = Rights::new();
        let truth = Truth::default();
        let slow = all_rights.then(|| random.next());
        let house = House::new(&rights, &truth, random.next(), slow);
        let mut channels: Vec<_> = CHANNELS.iter().collect();
        while channels.len() > USED {
            channels.swap_remove(random.below(channels.len()));
        }
        let count = 2 + random.below(3);
        let mut world = Self {
            random,
            house,
            rights,
            all_rights,
            programs: Vec::new(),
            channels,
            truth,
            publishing: JoinSet::new(),
            retrying: JoinSet::new(),
            next: 0,
            owed: Vec::new(),
            seen: Seen::default(),
            tells: tells.then(Instant::now),
        };
        world.publish_everywhere().await;
        for _ in 0..count {
            world.add_program();
        }
        for program in &mut world.programs {
            program.client.ready().await.unwrap();
            program.note_id();
        }
        world
    }

    fn add_program(&mut self) {
        let user = (!self.random.one_in(4)).then(|| *self.random.pick(&USERS));
        let may_name = self.channels.iter().any(|channel| channel.name == "query:a");
        let named = (may_name && self.random.one_in(2)).then_some("query:a");
        let named_in = named.map_or_else(String::new, |name| format!("&channel_id={name}"));
        let query = format!("?program={}{named_in}", self.programs.len());
        let line = Line::new(&self.house.server, query);
        self.programs.push(Program::new(line, user, named, &self.truth));
    }

    /// A program that goes on.
    fn pick(&mut self) -> usize {
        loop {
            let index = self.random.below(self.programs.len());
            if !self.programs[index].is_closed {
                return index;
            }
        }
    }

    async fn step(&mut self) {
        if self.random.one_in(3) {
            settle().await;
        }
        let index = self.pick();
        let channel = *self.random.pick(&self.channels);
        let step = self.random.below(if self.all_rights { 54 } else { 48 });
        self.tell(|| format!("step {step}: program {index}, {}", channel.name));
        match step {
            0..=6 => self.subscribe(index, channel).await,
            7 => self.come_back(index).await,
            8 | 9 => self.leave(index),
            10 => self.unsubscribe(index).await,
            11..=15 => {
                for _ in 0..1 + self.random.below(12) {
                    self.publish(channel).await;
                }
            }
            16 => self.publish_by(index, channel).await,
            17 | 18 => self.publish_beside(channel),
            19 => self.publish_until_certain(index, channel),
            20 => self.publish_twice(channel).await,
            21 | 22 => self.flood(index, channel).await,
            23 => self.programs[index].line.cut(),
            24 => self.programs[index].line.go_dead(),
            25 => {
                self.programs[index].line.set_up(false);
                self.programs[index].line.cut();
            }
            26 => self.programs[index].line.set_up(true),
            27 => self.stall(index),
            28 => self.programs[index].line.set_stalled(false),
            29 => self.send(index).await,
            30..=32 => self.send_in_passing(index).await,
            33 | 34 => self.change_user(index).await,
            35 => self.change_policy(channel),
            36 => self.read_nothing(index).await,
            37 => self.programs[index].set_reads(true),
            38 => self.grant(index, channel).await,
            39 => self.kick(index, channel).await,
            40 | 41 => self.read_history(index, channel).await,
            42 => self.quit(index).await,
            43 if self.random.one_in(3) => self.check_presence_after_crashes().await,
            44 if self.random.one_in(4) => self.replace_server().await,
            45 if self.random.one_in(2) => self.lose_memory().await,
            48 => self.publish_by_again(index, channel).await,
            49 => self.read_history_again(index, channel).await,
            50 => self.read_presence(index, channel).await,
            51 => self.ask_as_another(index, channel).await,
            52 => self.lose_a_right(index).await,
            53 => self.come_back_by_right(index).await,
            _ => {
                let time = Duration::from_millis(1 << self.random.below(16));
                tokio::time::sleep(time).await;
            }
        }
        for program in &mut self.programs {
            program.note_id();
        }
        while self.publishing.try_join_next().is_some() {}
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if let Some(since) = self.tells {
            println!("{:?} {}", since.elapsed(), what());
        }
    }

    fn tick(&mut self) -> Tick {
        let padding = match self.random.below(8) {
            0 => self.random.below(12_000),
            _ => self.random.below(60),
        };
        self.tick_of(padding)
    }

    fn tick_of(&mut self, padding: usize) -> Tick {
        self.next += 1;
        Tick {
            number: self.next,
            padding: vec![7; padding],
        }
    }

    fn is_denied(&self, index: usize, channel: &Channel) -> bool {
        self.rights
            .deny(subscribing(self.programs[index].user, channel.name))
    }

    /// Whether the server knows the connection that a client has, and nobody will find it dead.
    fn is_here(&mut self, index: usize) -> bool {
        let program = &mut self.programs[index];
        let Some(id) = program.note_id() else { return false };
        !program.is_closed
            && program.line.is_connected()
            && self.house.server.session(id.parse().unwrap()).is_some()
    }

    /// The channels that a program hears, by its own word.
    fn heard(&self, index: usize) -> Vec<&'static Channel> {
        let program = &self.programs[index];
        let all = self.channels.iter().copied();
        all.filter(|channel| program.hears(channel.name)).collect()
    }

    /// One of the channels that a program hears, of some kind.
    fn pick_heard(&mut self, index: usize, is_it: impl Fn(&Channel) -> bool) -> Option<&'static Channel> {
        let mut heard = self.heard(index);
        heard.retain(|channel| is_it(channel));
        (!heard.is_empty()).then(|| *self.random.pick(&heard))
    }

    /// How a program is called where it knows itself.
    fn id(&self, index: usize) -> Option<String> {
        self.programs[index].ids.last().cloned()
    }
}
