//! Slows down who guesses passwords and keys. Failures count by address, and by address and name, so that nobody closes
//! another's name by failing under it; addresses that are new to a name share some tries for it. Runs in the event loop;
//! pure, the clock comes from outside.

use super::audit::Whose;
use super::window::Window;
use ssmglobal_config::network;
use ssmglobal_ipc::Kind;
use ssmglobal_store::{Principal, ServerId};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Addresses, and names at addresses, remembered at once, and names besides; beyond that the oldest are forgotten.
const MOST: usize = 20_000;

/// The longest wait for who has failed himself.
const LONGEST: Duration = Duration::from_secs(60);

/// Tries for one name in a minute, of all addresses together that are new to it.
const STRANGERS: u32 = 20;

/// Wrong passwords in a minute that one game server may ask about.
const BUDGET: u32 = 600;

/// The time in which [`STRANGERS`] are counted.
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Address(IpAddr),
    NameAt(IpAddr, String),
}

#[derive(Clone, Copy, Debug)]
struct Count {
    failures: u32,
    /// Tries whose outcome is not known yet.
    running: u32,
    last: Instant,
}

impl Count {
    /// How long a further try has to wait for what has failed.
    fn pause(&self, now: Instant, failures: u32, window: Duration) -> Duration {
        let age = now.saturating_duration_since(self.last);
        if age >= window || self.failures < failures {
            return Duration::ZERO;
        }
        let exponent = (self.failures - failures).min(8);
        LONGEST.min(Duration::from_secs(2) * 2u32.pow(exponent)).saturating_sub(age)
    }
}

/// Tries that may run at once from one address: everybody behind it may come back at the same moment.
const RUNNING_ADDRESS: u32 = 512;

/// Tries for one name from one address that may run at once.
const RUNNING_NAME: u32 = 16;

/// A try that has not been answered for so long never will be.
const LOST: Duration = Duration::from_secs(60);

/// Who tries, as it is counted; to be handed back with the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    address: Option<IpAddr>,
    /// Nothing where only the address counts.
    name: Option<String>,
    /// Whoever has this name was in from there before.
    known: bool,
    /// The game server that asks for somebody who has come to it.
    by: Option<ServerId>,
    /// For the log: nothing where nobody wants to know.
    trying: Option<Trying>,
}

/// What a line of the log tells of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trying {
    /// Who tries, on which connection.
    pub whose: Whose,
    /// By which command.
    pub command: Kind,
    /// Whose password or key it is said to be; nothing where nobody has such a name. What was typed is not known here: it may
    /// have been a password.
    pub about: Option<Principal>,
}

/// Tries that are refused for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slowed<'a> {
    /// From where they come; nothing: from wherever the name was not in from before.
    pub address: Option<IpAddr>,
    /// For this folded name; nothing: for any.
    pub name: Option<&'a str>,
    /// How many have failed, or come from new addresses.
    pub failures: u32,
    /// For so long.
    pub wait: Duration,
}

impl Tried {
    /// A player's password. `name` is folded; `known` says whether he was in from there before.
    pub fn password(address: Option<IpAddr>, name: String, known: bool) -> Tried {
        Tried { address: address.map(network), name: Some(name), known, by: None, trying: None }
    }

    /// A game server's key: long and random, so that nobody need be kept from guessing it, and nobody can keep its
    /// game server out.
    pub fn key(address: Option<IpAddr>) -> Tried {
        Tried { address: address.map(network), name: None, known: false, by: None, trying: None }
    }

    /// A game server asks, for somebody who has come to it.
    pub fn by(self, server: ServerId) -> Tried {
        Tried { by: Some(server), ..self }
    }

    /// With what the log tells of it.
    pub fn told(self, trying: Trying) -> Tried {
        Tried { trying: Some(trying), ..self }
    }

    /// What the log tells of it.
    pub fn trying(&self) -> Option<&Trying> {
        self.trying.as_ref()
    }

    /// From where it came.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The game server that has asked, and for whom, by his folded name.
    pub fn at_server(&self) -> Option<(ServerId, &str)> {
        self.by.zip(self.name.as_deref())
    }

    fn keys(&self) -> impl Iterator<Item = Who> {
        let named = self.address.zip(self.name.clone()).map(|(address, name)| Who::NameAt(address, name));
        self.address.map(Who::Address).into_iter().chain(named)
    }

    /// The name, where the address is new to it.
    fn strange(&self) -> Option<&String> {
        self.name.as_ref().filter(|_| !self.known)
    }
}

/// Failed logins of late.
#[derive(Debug, Default)]
pub struct Throttle {
    counts: HashMap<Who, Count>,
    /// Tries by addresses that are new to a name.
    strangers: HashMap<String, Window>,
    /// What game servers have asked that was wrong.
    wrong: HashMap<ServerId, Window>,
}

impl Throttle {
    /// How long this one has to wait before a try; nothing when it may go on. Then [`Throttle::tried`] is to be told the
    /// outcome.
    pub fn may_try(&mut self, tried: &Tried, now: Instant, failures: u32, window: Duration) -> Option<Duration> {
        let mut wait = Duration::ZERO;
        for key in tried.keys() {
            let is_address = matches!(key, Who::Address(_));
            let most = if is_address { RUNNING_ADDRESS } else { RUNNING_NAME };
            let Some(count) = self.counts.get(&key) else { continue };
            let age = now.saturating_duration_since(count.last);
            // What others fail there is nothing to who was in from there.
            let counts = !(is_address && tried.known);
            if counts {
                wait = wait.max(count.pause(now, failures, window));
            }
            if age < LOST && count.running >= most {
                wait = wait.max(Duration::from_secs(1));
            }
        }
        if let Some(tries) = tried.strange().and_then(|name| self.strangers.get(name)) {
            wait = wait.max(tries.wait(now, STRANGERS, MINUTE));
        }
        if let Some(wrong) = tried.by.and_then(|server| self.wrong.get(&server)) {
            wait = wait.max(wrong.wait(now, BUDGET, MINUTE));
        }
        if !wait.is_zero() {
            return Some(wait);
        }
        self.begin(tried, now, window);
        None
    }

    fn begin(&mut self, tried: &Tried, now: Instant, window: Duration) {
        for key in tried.keys() {
            let count = self.counts.entry(key).or_insert(Count { failures: 0, running: 0, last: now });
            let age = now.saturating_duration_since(count.last);
            if age >= window {
                count.failures = 0;
            }
            if age >= LOST {
                count.running = 0;
            }
            count.running = count.running.saturating_add(1);
            count.last = now;
        }
        if let Some(name) = tried.strange() {
            self.strangers.entry(name.clone()).or_insert_with(|| Window::new(now)).add(now, MINUTE);
        }
        forget(&mut self.counts, |count| count.last, now, window);
        forget(&mut self.strangers, Window::began, now, MINUTE);
    }

    /// The outcome of a try. A good one forgets what failed before for the name there; an address may still be trying
    /// others.
    pub fn tried(&mut self, tried: &Tried, good: bool, now: Instant) {
        for key in tried.keys() {
            let is_name = matches!(key, Who::NameAt(..));
            let Some(count) = self.counts.get_mut(&key) else { continue };
            count.running = count.running.saturating_sub(1);
            if !good {
                count.failures = count.failures.saturating_add(1);
                count.last = now;
            } else if is_name {
                count.failures = 0;
            }
            if count.failures == 0 && count.running == 0 {
                self.counts.remove(&key);
            }
        }
        if let Some(server) = tried.by.filter(|_| !good) {
            self.wrong.entry(server).or_insert_with(|| Window::new(now)).add(now, MINUTE);
        }
        // From now on the address is not new to it.
        let name = tried.strange().filter(|_| good);
        if let Some((name, tries)) = name.and_then(|name| Some((name, self.strangers.get_mut(name)?)))
            && tries.give_back()
        {
            self.strangers.remove(name);
        }
    }
}

impl Throttle {
    /// What is refused at the moment.
    pub fn slowed(&self, now: Instant, failures: u32, window: Duration) -> impl Iterator<Item = Slowed<'_>> {
        let counts = self.counts.iter().map(move |(who, count)| {
            let (address, name) = match who {
                Who::Address(address) => (*address, None),
                Who::NameAt(address, name) => (*address, Some(name.as_str())),
            };
            let wait = count.pause(now, failures, window);
            Slowed { address: Some(address), name, failures: count.failures, wait }
        });
        let strangers = self.strangers.iter().map(move |(name, tries)| {
            let wait = tries.wait(now, STRANGERS, MINUTE);
            Slowed { address: None, name: Some(name), failures: STRANGERS, wait }
        });
        counts.chain(strangers).filter(|slowed| !slowed.wait.is_zero())
    }

    /// What this address, or everybody, has failed is forgotten. Gives how many waits ended by that.
    pub fn forgive(&mut self, address: Option<IpAddr>, now: Instant, failures: u32, window: Duration) -> u32 {
        let key = address.map(network);
        let is_meant = |from: Option<IpAddr>| key.is_none() || from == key;
        let waited = self.slowed(now, failures, window).filter(|slowed| is_meant(slowed.address)).count();
        self.counts.retain(|who, _| match who {
            Who::Address(from) | Who::NameAt(from, _) => !is_meant(Some(*from)),
        });
        if key.is_none() {
            self.strangers.clear();
        }
        u32::try_from(waited).unwrap_or(u32::MAX)
    }
}

/// Makes room where there is too much: what is older than `window` goes, then the older half.
pub(super) fn forget<K: Eq + Hash, V>(
    map: &mut HashMap<K, V>,
    last: impl Fn(&V) -> Instant,
    now: Instant,
    window: Duration,
) {
    if map.len() <= MOST {
        return;
    }
    map.retain(|_, value| now.saturating_duration_since(last(value)) < window);
    if map.len() > MOST {
        let mut times: Vec<Instant> = map.values().map(&last).collect();
        let middle = times.len() / 2;
        let (_, &mut cut, _) = times.select_nth_unstable(middle);
        map.retain(|_, value| last(value) > cut);
    }
}

#[cfg(test)]
mod tests;
