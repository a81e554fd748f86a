//! One worker's session as the event loop keeps it: who it is, what it may ask, what waits.

use super::audit::Whose;
use super::per_list::PerList;
use super::topic::Topic;
use crate::link::Link;
use ssmglobal_config::{Settings, shown};
use ssmglobal_ipc::frame::FrameReader;
use ssmglobal_ipc::{Lane, Mode, Open, Party, Position, Request, State, Time};
use ssmglobal_store::{Principal, PrincipalKind};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// Bytes of requests that may wait for others of their session before it is read on.
const WAITING: usize = 1 << 20;

/// By how much a request's number may be ahead of what its session has acknowledged. A sound worker has at most
/// `limits.ahead` requests open, and few numbers between them that are none.
const GAP: u64 = 1 << 16;

/// One session of the event loop, told apart from a later one in the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRef {
    /// Where the event loop keeps it.
    pub slot: usize,
    /// Its number here.
    pub id: u64,
}

/// What somebody has proved: it holds as long as his epoch has not grown since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Who he is.
    pub who: Principal,
    /// His epoch then.
    pub epoch: u32,
}

/// Who a session has proved to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The player, visitor or game server.
    pub who: Principal,
    /// Under which epoch.
    pub epoch: u32,
    /// The name as registered.
    pub name: Arc<str>,
}

/// A request as it has come.
#[derive(Debug)]
pub struct Asked {
    /// The request's number, which grows over all links of the session.
    pub number: u64,
    /// What is asked.
    pub request: Request,
    /// The client's own key for it, and the digest of what is asked.
    pub key: Option<Box<(String, [u8; 32])>>,
    /// Bytes of it.
    pub size: usize,
    /// When it came.
    pub since: Instant,
}

/// What a link has asked so far, as far as that tells a liar.
#[derive(Debug, Default)]
pub struct Order {
    /// The last request that changes something.
    last: u64,
}

impl Order {
    /// A request that changes something; everything up to `acked` has been answered and heard.
    ///
    /// # Errors
    /// Why no sound worker asks so.
    pub fn change(&mut self, number: u64, acked: u64) -> Result<(), String> {
        if number <= self.last {
            return Err("it asks again what it has asked before, or in another order".into());
        }
        if number.saturating_sub(acked) > GAP {
            return Err("it takes no note of its answers".into());
        }
        self.last = number;
        Ok(())
    }
}

/// How far somebody who watches a list has come in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ListProgress {
    /// The position that its client has.
    pub at: Position,
    /// The serial of the last change that was looked at for it: up to there is nothing left to tell.
    pub checked: u64,
}

impl ListProgress {
    /// All up to a position.
    pub fn upto(at: Position) -> ListProgress {
        ListProgress { at, checked: at.number }
    }
}

/// A list is read from the beginning, page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Where the next page begins.
    pub next: Position,
    /// The last serial when that began: what was gone by then its client never had.
    pub began: u64,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    /// Told apart from every other of this handler.
    pub id: u64,
    /// As the listener has numbered it; 0 while its word is on its way.
    pub number: u64,
    /// The number of its first request that no handler before this one can have done.
    pub first_new: u64,
    /// Its first request, which waits for the listener's word.
    pub held: Option<(u64, Open)>,
    /// Its worker's link.
    pub link: Arc<Link>,
    /// Bytes from it.
    pub reader: FrameReader,
    /// Its worker, as the kernel says.
    pub pid: i32,
    /// Its client, as the listener says; nothing while the listener's word is on its way.
    pub address: Option<SocketAddr>,
    /// The door that it came in by, as the listener says.
    pub door: Option<u32>,
    /// When the client was accepted.
    pub since: Time,
    /// What it may ask.
    pub state: State,
    /// How it speaks.
    pub mode: Mode,
    /// Who it is.
    pub identity: Option<Identity>,
    /// When it has proved that.
    pub proved: Time,
    /// Its login was taken back: what it asks is on its way since before it heard of that.
    pub logged_out: bool,
    /// Its last request.
    pub last: Instant,
    /// Where its requests are.
    pub lane: Lane,
    /// The turn in which it was last answered what could not be given again as it was.
    pub read_in: u64,
    /// Requests that wait for the lane to be empty.
    pub waiting: VecDeque<Asked>,
    /// Bytes of them.
    pub waiting_bytes: usize,
    /// It has broken the rules: nothing more is taken from it.
    pub over: bool,
    /// Whether its requests come as those of a sound worker do.
    pub order: Order,
    /// What it listens to.
    pub subscriptions: Vec<Topic>,
    /// Of lists that it watches: how far it has come.
    pub list_progress: PerList<ListProgress>,
    /// Of lists that it reads from the beginning: how far that is.
    pub reading: PerList<Option<Reading>>,
    /// Of lists that it watches: whether its worker hears by the list's ring what everybody sees.
    pub by_ring: PerList<bool>,
}

impl Session {
    /// A session that has just linked up.
    pub fn new(id: u64, link: Arc<Link>, pid: i32) -> Session {
        Session {
            id,
            number: 0,
            first_new: 0,
            held: None,
            link,
            reader: FrameReader::new(),
            pid,
            address: None,
            door: None,
            since: Time::default(),
            state: State::New,
            mode: Mode::Ask,
            identity: None,
            proved: Time::default(),
            logged_out: false,
            last: Instant::now(),
            lane: Lane::Inline,
            read_in: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            over: false,
            order: Order::default(),
            subscriptions: Vec::new(),
            list_progress: PerList::default(),
            reading: PerList::default(),
            by_ring: PerList::default(),
        }
    }

    /// So much waits that nothing further is read.
    pub fn is_full(&self) -> bool {
        self.waiting_bytes > WAITING
    }

    /// Who it is.
    pub fn who(&self) -> Option<Principal> {
        self.identity.as_ref().map(|identity| identity.who)
    }

    /// What it has proved.
    pub fn proof(&self) -> Option<Proof> {
        self.identity.as_ref().map(|identity| Proof { who: identity.who, epoch: identity.epoch })
    }

    /// The player's or game server's name.
    pub fn name(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| &*identity.name)
    }

    /// The name as lists show it: of a visitor `visitor:NAME`, so that nobody takes him for who has that name.
    pub fn shown_name(&self) -> Option<String> {
        let name = self.name()?.to_owned();
        Some(match self.who()?.kind {
            PrincipalKind::Visitor => Party::Visitor(name).to_string(),
            _ => name,
        })
    }

    /// Whose lines in the log are.
    pub fn whose(&self) -> Whose {
        let at = self.address.map_or_else(Whose::default, Whose::at);
        Whose { session: self.number, door: self.door, who: self.shown_name(), ..at }
    }

    /// To how many topics of a kind it listens, when that is all it may and this one is none of them.
    pub fn is_listening_enough(&self, topic: Topic, settings: &Settings) -> Option<usize> {
        let count = self.subscriptions.iter().filter(|other| topic.is_like(**other)).count();
        (count >= topic.most(settings) && !self.subscriptions.contains(&topic)).then_some(count)
    }

    /// Seconds since its last request.
    pub fn idle(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.last).as_secs()
    }

    /// Whether its client shows that it lives: one that is dead and not closed must not lock its owner out. `silence`: seconds after
    /// which it is taken for dead; 0: never.
    pub fn lives(&self, silence: u64, now: Instant) -> bool {
        silence == 0 || self.idle(now) < silence
    }

    /// The client's address for the log.
    pub fn peer(&self) -> String {
        self.address.map_or_else(|| format!("pid {}", self.pid), shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_and_answers_are_noted() {
        let mut order = Order::default();
        // Asked again after a link was lost, in the order of their numbers.
        for (number, acked) in [(3, 2), (4, 2), (9, 2), (10, 9), (GAP + 9, 9)] {
            assert_eq!(order.change(number, acked), Ok(()));
        }
        assert!(order.change(GAP + 9, GAP + 8).is_err() && order.change(1, 0).is_err());
        assert!(order.change(2 * GAP + 11, GAP + 10).is_err());
        assert!(order.change(u64::MAX, 0).is_err());
        assert_eq!(order.change(u64::MAX, u64::MAX), Ok(()));
        assert!(Order::default().change(0, 0).is_err());
    }
}
