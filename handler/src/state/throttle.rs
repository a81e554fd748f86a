//! Slows down who guesses passwords: counts failed logins for each address and each name. Runs in the event loop;
//! pure, the clock comes from outside.

use ssmglobal_config::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Addresses and names remembered at once; beyond that the oldest are forgotten.
const MOST: usize = 20_000;

/// The longest wait, so that nobody can lock another out of his name for long.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Address(IpAddr),
    Name(String),
}

#[derive(Clone, Copy, Debug)]
struct Count {
    failures: u32,
    /// Tries whose outcome is not known yet.
    running: u32,
    last: Instant,
}

/// Tries that may run at once from one address: everybody behind it may come back at the same moment.
const RUNNING_ADDRESS: u32 = 512;

/// Tries for one name that may run at once.
const RUNNING_NAME: u32 = 16;

/// A try that has not been answered for so long never will be.
const LOST: Duration = Duration::from_secs(60);

/// Who tries, as it is counted; to be handed back with the outcome.
#[derive(Clone, Debug)]
pub struct Tried {
    address: Option<IpAddr>,
    name: String,
}

impl Tried {
    /// `name` is folded.
    pub fn new(address: Option<IpAddr>, name: String) -> Tried {
        Tried { address: address.map(network), name }
    }

    fn keys(&self) -> impl Iterator<Item = Who> {
        self.address.map(Who::Address).into_iter().chain([Who::Name(self.name.clone())])
    }
}

/// Failed logins of late.
#[derive(Debug, Default)]
pub struct Throttle {
    counts: HashMap<Who, Count>,
}

impl Throttle {
    /// How long this one has to wait before a try; nothing when it may go on. Then [`Throttle::tried`] is to be told the
    /// outcome.
    pub fn may_try(&mut self, tried: &Tried, now: Instant, failures: u32, window: Duration) -> Option<Duration> {
        let mut wait = Duration::ZERO;
        for key in tried.keys() {
            let most = if matches!(key, Who::Address(_)) { RUNNING_ADDRESS } else { RUNNING_NAME };
            let Some(count) = self.counts.get(&key) else { continue };
            let age = now.saturating_duration_since(count.last);
            if age < window && count.failures >= failures {
                let exponent = (count.failures - failures).min(8);
                let pause = LONGEST.min(Duration::from_secs(2) * 2u32.pow(exponent));
                wait = wait.max(pause.saturating_sub(age));
            }
            if age < LOST && count.running >= most {
                wait = wait.max(Duration::from_secs(1));
            }
        }
        if !wait.is_zero() {
            return Some(wait);
        }
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
        if self.counts.len() > MOST {
            self.forget(now, window);
        }
        None
    }

    /// The outcome of a try. A good one forgets what failed before for the name; an address may still be trying others.
    pub fn tried(&mut self, tried: &Tried, good: bool, now: Instant) {
        for key in tried.keys() {
            let is_name = matches!(key, Who::Name(_));
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
    }

    fn forget(&mut self, now: Instant, window: Duration) {
        self.counts.retain(|_, count| now.saturating_duration_since(count.last) < window);
        if self.counts.len() > MOST {
            let mut times: Vec<Instant> = self.counts.values().map(|count| count.last).collect();
            let middle = times.len() / 2;
            let (_, &mut cut, _) = times.select_nth_unstable(middle);
            self.counts.retain(|_, count| count.last > cut);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    fn who(address: &str, name: &str) -> Tried {
        Tried::new(Some(address.parse().unwrap()), name.to_owned())
    }

    fn fail(throttle: &mut Throttle, tried: &Tried, now: Instant) -> Option<Duration> {
        let wait = throttle.may_try(tried, now, 10, WINDOW);
        if wait.is_none() {
            throttle.tried(tried, false, now);
        }
        wait
    }

    #[test]
    fn ten_failures_then_a_wait_that_grows_and_ends() {
        let (mut throttle, now, bob) = (Throttle::default(), Instant::now(), who("192.0.2.1", "bob"));
        for _ in 0..10 {
            assert_eq!(fail(&mut throttle, &bob, now), None);
        }
        let wait = fail(&mut throttle, &bob, now).unwrap();
        assert_eq!(wait, Duration::from_secs(2));
        assert_eq!(fail(&mut throttle, &bob, now + wait), None);
        assert!(fail(&mut throttle, &bob, now + wait).unwrap() > wait);
        assert_eq!(fail(&mut throttle, &bob, now + wait + WINDOW), None);
    }

    #[test]
    fn a_name_is_guarded_against_many_addresses_and_an_address_against_many_names() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for i in 0..10 {
            assert_eq!(fail(&mut throttle, &who(&format!("192.0.2.{i}"), "bob"), now), None);
            assert_eq!(fail(&mut throttle, &who("198.51.100.1", &format!("name{i}")), now), None);
        }
        assert!(fail(&mut throttle, &who("192.0.2.99", "bob"), now).is_some());
        assert!(fail(&mut throttle, &who("198.51.100.1", "carol"), now).is_some());
        assert_eq!(fail(&mut throttle, &who("192.0.2.99", "carol"), now), None);
    }

    #[test]
    fn tries_that_run_are_no_failures_but_bounded() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for i in 0..RUNNING_ADDRESS {
            assert_eq!(throttle.may_try(&who("192.0.2.1", &i.to_string()), now, 10, WINDOW), None);
        }
        assert!(throttle.may_try(&who("192.0.2.1", "one more"), now, 10, WINDOW).is_some());
        throttle.tried(&who("192.0.2.1", "0"), true, now);
        assert_eq!(throttle.may_try(&who("192.0.2.1", "one more"), now, 10, WINDOW), None);
        assert_eq!(throttle.may_try(&who("192.0.2.1", "later"), now + LOST, 10, WINDOW), None);
    }

    #[test]
    fn who_succeeds_is_free_again() {
        let (mut throttle, now, bob) = (Throttle::default(), Instant::now(), who("192.0.2.1", "bob"));
        for _ in 0..50 {
            assert_eq!(throttle.may_try(&bob, now, 10, WINDOW), None);
            throttle.tried(&bob, true, now);
        }
        assert!(throttle.counts.is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for i in 0..50_000u32 {
            let tried = Tried::new(Some(IpAddr::V4(i.into())), i.to_string());
            fail(&mut throttle, &tried, now + Duration::from_micros(i.into()));
        }
        assert!(throttle.counts.len() <= MOST + 2);
    }
}
