//! Derives that the user writes are kept, and only what is missing is added.
#![deny(warnings)]

use rpc_runtime::contract;
use std::collections::HashSet;

#[contract(package = "derives", detached)]
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Point {
    pub x: i32,
    pub y: i32,
    pub label: Option<String>,
}

#[contract(package = "derives", detached)]
#[derive(std::fmt::Debug)]
#[derive(Hash, Eq)]
pub struct Named {
    pub name: String,
}

#[contract(package = "derives", detached)]
#[derive(Default, Hash, PartialOrd, Ord)]
pub enum Level {
    #[default]
    Low,
    High,
}

#[contract(package = "derives", detached)]
#[derive(Hash)]
pub enum Open {
    Low,
    #[field(other)]
    Other(i32),
}

#[contract(package = "derives", detached)]
#[derive(Default, Eq, Hash)]
pub enum Member {
    #[default]
    Unset,
    Point(Point),
}

fn main() {
    let points: HashSet<Point> = [Point::default()].into();
    assert!(points.contains(&Point::default()));
    let _: HashSet<Member> = [Member::default()].into();
    let _: HashSet<(Level, Open, Named)> = HashSet::new();
    assert!(Level::Low < Level::High);
}
