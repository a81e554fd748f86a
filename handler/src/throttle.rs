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
    last: Instant,
}

/// Failed logins of late.
#[derive(Debug, Default)]
pub struct Throttle {
    counts: HashMap<Who, Count>,
}

impl Throttle {
    fn keys(address: Option<IpAddr>, name: &str) -> impl Iterator<Item = Who> {
        address.map(|address| Who::Address(network(address))).into_iter().chain([Who::Name(name.to_owned())])
    }

    /// How long this address or this (folded) name has to wait before a try; nothing when it may go on. The try is
    /// counted as failed until [`succeeded`](Throttle::succeeded) says otherwise, so that many at once do not slip through.
    pub fn try_login(
        &mut self,
        address: Option<IpAddr>,
        name: &str,
        now: Instant,
        failures: u32,
        window: Duration,
    ) -> Option<Duration> {
        let mut wait = Duration::ZERO;
        for key in Self::keys(address, name) {
            if let Some(count) = self.counts.get(&key) {
                let age = now.saturating_duration_since(count.last);
                if age < window && count.failures >= failures {
                    let exponent = (count.failures - failures).min(8);
                    let pause = LONGEST.min(Duration::from_secs(2) * 2u32.pow(exponent));
                    wait = wait.max(pause.saturating_sub(age));
                }
            }
        }
        if !wait.is_zero() {
            return Some(wait);
        }
        for key in Self::keys(address, name) {
            let count = self.counts.entry(key).or_insert(Count { failures: 0, last: now });
            if now.saturating_duration_since(count.last) >= window {
                count.failures = 0;
            }
            count.failures = count.failures.saturating_add(1);
            count.last = now;
        }
        if self.counts.len() > MOST {
            self.forget(now, window);
        }
        None
    }

    /// A counted try was a good one. The name's count begins anew; an address may still be trying other names.
    pub fn succeeded(&mut self, address: Option<IpAddr>, name: &str) {
        self.counts.remove(&Who::Name(name.to_owned()));
        if let Some(address) = address
            && let Some(count) = self.counts.get_mut(&Who::Address(network(address)))
        {
            count.failures = count.failures.saturating_sub(1);
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

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn ten_failures_then_a_wait_that_grows_and_ends() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..10 {
            assert_eq!(throttle.try_login(address("192.0.2.1"), "bob", now, 10, WINDOW), None);
        }
        let wait = throttle.try_login(address("192.0.2.1"), "bob", now, 10, WINDOW).unwrap();
        assert_eq!(wait, Duration::from_secs(2));
        assert_eq!(throttle.try_login(address("192.0.2.1"), "bob", now + wait, 10, WINDOW), None);
        let longer = throttle.try_login(address("192.0.2.1"), "bob", now + wait, 10, WINDOW).unwrap();
        assert!(longer > wait);
        assert_eq!(throttle.try_login(address("192.0.2.1"), "bob", now + wait + WINDOW, 10, WINDOW), None);
    }

    #[test]
    fn a_name_is_guarded_against_many_addresses_and_an_address_against_many_names() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        for i in 0..10 {
            assert_eq!(throttle.try_login(address(&format!("192.0.2.{i}")), "bob", now, 10, WINDOW), None);
            assert_eq!(throttle.try_login(address("198.51.100.1"), &format!("name{i}"), now, 10, WINDOW), None);
        }
        assert!(throttle.try_login(address("192.0.2.99"), "bob", now, 10, WINDOW).is_some());
        assert!(throttle.try_login(address("198.51.100.1"), "carol", now, 10, WINDOW).is_some());
        assert_eq!(throttle.try_login(address("192.0.2.99"), "carol", now, 10, WINDOW), None);
    }

    #[test]
    fn who_succeeds_is_free_again() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..50 {
            assert_eq!(throttle.try_login(address("192.0.2.1"), "bob", now, 10, WINDOW), None);
            throttle.succeeded(address("192.0.2.1"), "bob");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        for i in 0..50_000u32 {
            throttle.try_login(
                Some(IpAddr::V4(i.into())),
                "x",
                now + Duration::from_micros(i.into()),
                10_000_000,
                WINDOW,
            );
        }
        assert!(throttle.counts.len() <= MOST + 2);
    }
}
