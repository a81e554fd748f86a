//! One world that is played through us: at which of its addresses it is used, whether it is there, who waits for it and when each is
//! called back. Lives in the event loop; pure, the clock comes from outside.

mod turns;

use super::WorldKey;
use super::ends::Ends;
use ssmglobal_config::play::{FailBack, Terms, WorldAddress};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often an address is tried that has just gone …
const SOON: Duration = Duration::from_millis(25);

/// … for so long …
const LATELY: Duration = Duration::from_secs(10);

/// … and after that.
const LATER: Duration = Duration::from_secs(1);

/// Something that the event loop is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Try to connect to the address at this place.
    Probe(usize),
    /// Tell this session that it is its turn.
    Call(u64),
    /// Tell this one to give its connection up and ask for another.
    Renew(u64),
    /// The world is down.
    Down {
        /// Where it was.
        address: WorldAddress,
    },
    /// It is there again, after so long.
    Up {
        /// Where.
        address: WorldAddress,
        /// How long it was down.
        after: Duration,
        /// Who has waited.
        waiting: usize,
    },
    /// Another address is used from now on.
    Failover {
        /// In place of this one.
        from: WorldAddress,
        /// This one.
        to: WorldAddress,
        /// The operator has said so.
        by_hand: bool,
    },
}

/// An address, and what is known of it.
#[derive(Clone, Debug)]
struct Place {
    address: WorldAddress,
    /// Since when it has not answered.
    failing: Option<Instant>,
    /// Since when it has.
    healthy: Option<Instant>,
    /// When it last has.
    last_good: Option<Instant>,
    /// A connection is being tried.
    is_tried: bool,
    /// When that is to be done next.
    next: Instant,
    /// It has accepted a connection and ended it at once: it has to show more than that.
    is_doubtful: bool,
    /// The last connections of players that have ended.
    ends: Ends,
}

impl Place {
    fn new(address: WorldAddress, now: Instant) -> Place {
        let (failing, healthy, last_good) = (None, None, None);
        let ends = Ends::default();
        Place { address, failing, healthy, last_good, is_tried: false, next: now, is_doubtful: false, ends }
    }

    fn pause(&self, now: Instant) -> Duration {
        let lately = self.failing.is_some_and(|since| now.saturating_duration_since(since) < LATELY);
        if lately { SOON } else { LATER }
    }
}

/// Whether a world is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nobody has tried yet.
    Unknown,
    /// It is, since then.
    Up(Instant),
    /// It is not, since then.
    Down(Instant),
    /// It listens again since then, and nobody knows yet whether it stays. It was down since the other moment.
    Trial {
        /// Since when it listens.
        since: Instant,
        /// Since when it was down.
        down: Instant,
    },
}

/// A world.
#[derive(Clone, Debug)]
pub struct World {
    /// Its name, folded.
    pub key: WorldKey,
    /// As it is written.
    pub name: Arc<str>,
    /// How it is played.
    pub terms: Arc<Terms>,
    places: Vec<Place>,
    in_use: usize,
    by_hand: bool,
    health: Health,
    /// Who waits; who has typed last stands first.
    waiting: BTreeSet<(Reverse<Instant>, u64)>,
    /// When each of them has last typed.
    typed: HashMap<u64, Instant>,
    /// Who was called, until when he is expected, …
    called: HashMap<u64, Instant>,
    /// … in that order.
    expected: VecDeque<(Instant, u64)>,
    /// Who is to ask for another connection.
    renewing: VecDeque<u64>,
    /// When the next one may be called.
    next_call: Instant,
    /// Somebody wants to know when it is there again, and waits for nothing else.
    is_watched: bool,
    counts: Counts,
    acts: Vec<Act>,
}

/// What was counted of a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How often it went down.
    pub downs: u64,
    /// How often a player was connected with it again after it was down.
    pub returns: u64,
}

impl World {
    /// One that nobody has played yet.
    pub fn new(key: WorldKey, name: Arc<str>, terms: Arc<Terms>, now: Instant) -> World {
        let places = terms.play.iter().cloned().map(|address| Place::new(address, now)).collect();
        World {
            key,
            name,
            terms,
            places,
            in_use: 0,
            by_hand: false,
            health: Health::Unknown,
            waiting: BTreeSet::new(),
            typed: HashMap::new(),
            called: HashMap::new(),
            expected: VecDeque::new(),
            renewing: VecDeque::new(),
            next_call: now,
            is_watched: false,
            counts: Counts::default(),
            acts: Vec::new(),
        }
    }

    /// It is played in this way from now on. What is known of addresses that stay is kept.
    pub fn set_terms(&mut self, name: Arc<str>, terms: Arc<Terms>, now: Instant) {
        self.name = name;
        if *self.terms == *terms {
            return;
        }
        let addresses = self.places.iter().map(|place| &place.address);
        if !addresses.eq(terms.play.iter()) {
            let used = self.address().cloned();
            let known = |address: &WorldAddress| self.places.iter().find(|place| place.address == *address).cloned();
            self.places =
                terms.play.iter().map(|at| known(at).unwrap_or_else(|| Place::new(at.clone(), now))).collect();
            let still = used.and_then(|used| self.places.iter().position(|place| place.address == used));
            self.by_hand &= still.is_some();
            self.in_use = still.filter(|_| self.by_hand).unwrap_or(0);
        }
        self.terms = terms;
    }

    /// The address that is used.
    pub fn address(&self) -> Option<&WorldAddress> {
        self.address_at(self.in_use)
    }

    /// The address at a place.
    pub fn address_at(&self, place: usize) -> Option<&WorldAddress> {
        self.places.get(place).map(|place| &place.address)
    }

    /// Where the used one stands.
    pub fn in_use(&self) -> usize {
        self.in_use
    }

    /// Whether the operator has chosen it.
    pub fn is_by_hand(&self) -> bool {
        self.by_hand
    }

    /// What was counted of it.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// A player is connected with it again, who was so before it went down.
    pub fn has_returned(&mut self) {
        self.counts.returns += 1;
    }

    /// Whether it is there.
    pub fn health(&self) -> Health {
        self.health
    }

    /// Whether an address has accepted connections and ended them at once.
    pub fn is_doubtful(&self, place: usize) -> bool {
        self.places.get(place).is_some_and(|place| place.is_doubtful)
    }

    /// Whether it is tried again and again until it is there: whoever comes meanwhile waits with the others.
    pub fn is_awaited(&self) -> bool {
        matches!(self.health, Health::Down(_)) && !(self.waiting.is_empty() && self.called.is_empty())
    }

    /// How many wait, those that were called with them.
    pub fn count_waiting(&self) -> usize {
        self.waiting.len() + self.called.len()
    }

    /// Whether a session waits, or was called and is expected.
    pub fn is_waiting(&self, session: u64) -> bool {
        self.typed.contains_key(&session)
    }

    /// A session waits, which has last typed at this time.
    pub fn wait(&mut self, session: u64, typed: Instant, now: Instant) {
        self.leave(session);
        self.typed.insert(session, typed);
        self.waiting.insert((Reverse(typed), session));
        if self.health == Health::Unknown {
            self.is_down(now);
        }
    }

    /// A session waits no longer; gives whether it was its turn.
    pub fn leave(&mut self, session: u64) -> bool {
        if let Some(typed) = self.typed.remove(&session) {
            self.waiting.remove(&(Reverse(typed), session));
        }
        self.called.remove(&session).is_some()
    }

    fn is_down(&mut self, now: Instant) {
        let before = match self.health {
            Health::Down(_) => return,
            Health::Trial { down, .. } => Some(down),
            Health::Unknown | Health::Up(_) => None,
        };
        self.health = Health::Down(before.unwrap_or(now));
        if let Some(place) = self.places.get_mut(self.in_use) {
            place.failing.get_or_insert(now);
            place.next = now + SOON;
        }
        if before.is_none() {
            self.counts.downs += 1;
            self.acts.extend(self.address().cloned().map(|address| Act::Down { address }));
        }
    }

    fn is_up(&mut self, now: Instant) {
        let down = match self.health {
            Health::Up(_) => return,
            Health::Unknown => None,
            Health::Down(since) | Health::Trial { down: since, .. } => Some(since),
        };
        self.health = Health::Up(now);
        self.next_call = now;
        if let Some((since, address)) = down.zip(self.address().cloned()) {
            let (after, waiting) = (now.saturating_duration_since(since), self.count_waiting());
            self.acts.push(Act::Up { address, after, waiting });
        }
    }

    /// A connection that was begun at `began` could not be made, or was ended before the world has said anything.
    pub fn failed(&mut self, place: usize, began: Instant, now: Instant) {
        let in_use = place == self.in_use;
        let Some(it) = self.places.get_mut(place) else { return };
        // Others have come through meanwhile.
        if it.last_good.is_some_and(|good| good >= began) {
            return;
        }
        it.failing.get_or_insert(now);
        it.healthy = None;
        if in_use {
            self.is_down(now);
        }
    }

    /// What was kept to an address has ended; `is_watched`: it is to be known when it is there again, also where nobody waits.
    pub fn gone(&mut self, place: usize, is_watched: bool, now: Instant) {
        self.is_watched = is_watched;
        if let Some(it) = self.places.get_mut(place) {
            it.last_good = None;
        }
        self.failed(place, now, now);
    }

    /// All connections to it have ended, the first of them at this time, and it listens. Where it is known to have come back since,
    /// that is all of it.
    pub fn restarted(&mut self, place: usize, first: Instant, now: Instant) {
        let is_back = matches!(self.health, Health::Up(since) | Health::Trial { since, .. } if since > first);
        if !(is_back && place == self.in_use) {
            self.gone(place, false, now);
        }
    }

    /// The last ends of players' connections at an address.
    pub(super) fn last_ends(&self, place: usize) -> Option<&Ends> {
        self.places.get(place).map(|place| &place.ends)
    }

    /// As [`World::last_ends`].
    pub(super) fn ends_at(&mut self, place: usize) -> Option<&mut Ends> {
        self.places.get_mut(place).map(|place| &mut place.ends)
    }

    /// It accepts connections and ends them at once.
    pub fn vanished(&mut self, place: usize, now: Instant) {
        let Some(it) = self.places.get_mut(place) else { return };
        (it.is_doubtful, it.last_good) = (true, None);
        self.failed(place, now, now);
    }

    /// A connection was accepted; `proved`: the world has said something, or has let the connection be for long enough.
    pub fn accepted(&mut self, place: usize, proved: bool, now: Instant) {
        let Some(it) = self.places.get_mut(place) else { return };
        if it.is_doubtful && !proved {
            return;
        }
        it.is_doubtful &= !proved;
        it.failing = None;
        it.healthy.get_or_insert(now);
        it.last_good = Some(now);
        if place == self.in_use {
            match self.health {
                Health::Down(down) if !proved => {
                    self.health = Health::Trial { since: now, down };
                    self.next_call = now;
                    // The first of them.
                    self.call(1, now);
                }
                Health::Trial { .. } | Health::Up(_) if !proved => {}
                _ => self.is_up(now),
            }
        } else if self.may_fail_over(now) {
            self.use_place(place, false, now);
            self.accepted(place, proved, now);
        }
        self.fail_back(now);
    }

    /// Whether the address that is used has not answered for so long that others are tried.
    fn may_fail_over(&self, now: Instant) -> bool {
        let Health::Down(_) = self.health else { return false };
        let failing = self.places.get(self.in_use).and_then(|place| place.failing);
        let long = Duration::from_secs(self.terms.failover_seconds);
        !self.by_hand && failing.is_some_and(|since| now.saturating_duration_since(since) >= long)
    }

    fn use_place(&mut self, place: usize, by_hand: bool, now: Instant) {
        let (from, to) = (self.address().cloned(), self.address_at(place).cloned());
        let Some((from, to)) = from.zip(to) else { return };
        self.in_use = place;
        if from != to {
            self.acts.push(Act::Failover { from, to, by_hand });
        }
        if let Some(it) = self.places.get_mut(place) {
            it.next = it.next.min(now);
        }
    }

    /// A better address is used again when it was there for long enough.
    fn fail_back(&mut self, now: Instant) {
        if self.by_hand || self.terms.failback == FailBack::Never {
            return;
        }
        let long = Duration::from_secs(self.terms.healthy_seconds);
        let is_well = |place: &Place| place.healthy.is_some_and(|since| now.saturating_duration_since(since) >= long);
        let better = self.places.iter().take(self.in_use).position(is_well);
        if let Some(place) = better {
            self.use_place(place, false, now);
            self.is_up(now);
        }
    }

    /// The operator has chosen an address, or the next one; the first one is as if nobody had chosen. False: there is none like that.
    pub fn choose(&mut self, address: Option<&WorldAddress>, now: Instant) -> bool {
        let chosen = match address {
            Some(address) => self.places.iter().position(|place| place.address == *address),
            None => (self.in_use + 1).checked_rem(self.places.len()),
        };
        let Some(place) = chosen else { return false };
        self.by_hand = place != 0;
        if place != self.in_use {
            self.use_place(place, true, now);
            // Whether it is there is found out by who comes; who waits is told by the prober.
            self.health = match self.health {
                Health::Down(since) | Health::Trial { down: since, .. } => Health::Down(since),
                Health::Up(_) | Health::Unknown => Health::Unknown,
            };
        }
        true
    }
}
