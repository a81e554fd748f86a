//! Waiting times of addresses whose worker crashed or saw too many failed logins: somebody who tries to break in there has
//! to wait longer each time. Runs in the listener; pure, the clock comes from outside.

use super::children::Table;
use ssmglobal_config::network;
use ssmglobal_ipc::WorkerEnd;
use ssmglobal_ipc::control::Blocked;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Addresses at once; beyond that those are forgotten that have waited, and then no further ones are noted.
const MOST: usize = 4096;

/// Of which so many are told to the operator.
const SHOWN: usize = 1000;

/// The bounds, as they are set.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The first waiting time; none when zero.
    pub first: Duration,
    /// The longest that an address has to wait.
    pub longest: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Penalty {
    /// How long it had to wait the last time.
    wait: Duration,
    /// It is let in again from then on …
    until: Instant,
    /// What it is for.
    end: WorkerEnd,
}

impl Penalty {
    /// … and forgiven when it was quiet for as long as the longest waiting time after that.
    fn is_over(&self, now: Instant, rule: Rule) -> bool {
        now >= self.until + rule.longest
    }
}

/// Addresses that have to wait, or had to of late.
#[derive(Debug, Default)]
pub struct Penalties {
    addresses: Table<IpAddr, Penalty>,
}

impl Penalties {
    /// How long this address still has to wait, if so.
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        // Nearly always: without a look at the address.
        if self.addresses.is_empty() {
            return None;
        }
        let penalty = self.addresses.get(&network(address))?;
        Some(penalty.until.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// A worker for this address has ended so. Gives how long the address has to wait, if that is more than before.
    pub fn ended(&mut self, address: IpAddr, end: WorkerEnd, now: Instant, rule: Rule) -> Option<Duration> {
        if !(end.is_crash() || end == WorkerEnd::FAILED_LOGINS) || rule.first.is_zero() {
            return None;
        }
        if self.addresses.len() >= MOST {
            self.addresses.retain(|_, penalty| !penalty.is_over(now, rule));
        }
        let key = network(address);
        let before = self.addresses.get(&key).filter(|penalty| !penalty.is_over(now, rule));
        let wait = match before {
            // Several connections that were open together are one try.
            Some(penalty) if penalty.until > now => return None,
            Some(penalty) => (penalty.wait * 2).min(rule.longest),
            None if self.addresses.len() >= MOST => return None,
            None => rule.first.min(rule.longest),
        };
        self.addresses.insert(key, Penalty { wait, until: now + wait, end });
        Some(wait)
    }

    /// Those that have to wait now; the longest waits where there are too many to tell.
    pub fn waiting(&self, now: Instant) -> Vec<Blocked> {
        let left = |penalty: &Penalty| penalty.until.saturating_duration_since(now).as_secs_f64().ceil() as u64;
        let all = self.addresses.iter().filter(|(_, penalty)| penalty.until > now);
        let mut all: Vec<Blocked> = all
            .map(|(network, penalty)| Blocked { network: *network, seconds: left(penalty), status: penalty.end.0 })
            .collect();
        all.sort_unstable_by_key(|blocked| (std::cmp::Reverse(blocked.seconds), blocked.network));
        all.truncate(SHOWN);
        all
    }

    /// This address waits no longer, and what was before is forgotten; so are all when none is named. Gives how many have waited.
    pub fn forgive(&mut self, address: Option<IpAddr>, now: Instant) -> u32 {
        let key = address.map(network);
        let mut waited = 0;
        self.addresses.retain(|network, penalty| {
            let is_meant = key.is_none_or(|key| key == *network);
            waited += u32::from(is_meant && penalty.until > now);
            !is_meant
        });
        waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { first: Duration::from_secs(10), longest: Duration::from_secs(60) };

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn seconds(count: u64) -> Option<Duration> {
        Some(Duration::from_secs(count))
    }

    #[test]
    fn the_waiting_time_doubles_and_is_forgotten_after_calm() {
        let (mut penalties, one, mut now) = (Penalties::default(), address("192.0.2.1"), Instant::now());
        for wait in [10, 20, 40, 60, 60] {
            assert_eq!(penalties.ended(one, WorkerEnd::PANICKED, now, RULE), seconds(wait));
            assert_eq!(penalties.wait(one, now), seconds(wait));
            assert_eq!(penalties.ended(one, WorkerEnd::FAILED_LOGINS, now, RULE), None);
            now += Duration::from_secs(wait);
            assert_eq!(penalties.wait(one, now), None);
        }
        now += RULE.longest;
        assert_eq!(penalties.ended(one, WorkerEnd::FAILED_LOGINS, now, RULE), seconds(10));
    }

    #[test]
    fn only_a_mistake_costs_and_only_its_network() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        for end in [WorkerEnd::GOOD, WorkerEnd::REFUSED, WorkerEnd(-9), WorkerEnd(-15)] {
            assert_eq!(penalties.ended(address("192.0.2.1"), end, now, RULE), None);
        }
        assert!(penalties.ended(address("2001:db8::1"), WorkerEnd(-11), now, RULE).is_some());
        assert!(penalties.wait(address("2001:db8::2"), now).is_some());
        assert!(penalties.wait(address("2001:db8:0:1::1"), now).is_none());
        let off = Rule { first: Duration::ZERO, ..RULE };
        assert_eq!(penalties.ended(address("192.0.2.1"), WorkerEnd::PANICKED, now, off), None);
    }

    #[test]
    fn the_operator_sees_who_waits_and_lets_them_in() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        let [one, other] = ["192.0.2.1", "2001:db8::1"].map(address);
        penalties.ended(one, WorkerEnd::FAILED_LOGINS, now, RULE);
        penalties.ended(other, WorkerEnd(-11), now + Duration::from_secs(5), RULE);
        let shown: Vec<(String, u64, i32)> = penalties
            .waiting(now + Duration::from_millis(5500))
            .into_iter()
            .map(|blocked| (blocked.network.to_string(), blocked.seconds, blocked.status))
            .collect();
        assert_eq!(shown, [("2001:db8::".to_owned(), 10, -11), ("192.0.2.1".to_owned(), 5, 3)]);
        assert_eq!(penalties.forgive(Some(address("2001:db8::77")), now), 1);
        assert_eq!(penalties.wait(other, now), None);
        assert_eq!(penalties.forgive(None, now + RULE.longest), 0);
        // It is as if nothing had been.
        assert_eq!(penalties.ended(one, WorkerEnd::PANICKED, now, RULE), seconds(10));
    }

    #[test]
    fn the_table_has_a_bound() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        for index in 0..2 * MOST as u32 {
            penalties.ended(IpAddr::V4(index.into()), WorkerEnd::PANICKED, now, RULE);
        }
        assert_eq!(penalties.addresses.len(), MOST);
        let later = now + RULE.first + RULE.longest;
        assert_eq!(penalties.ended(address("192.0.2.1"), WorkerEnd::PANICKED, later, RULE), seconds(10));
        assert_eq!(penalties.addresses.len(), 1);
    }
}
