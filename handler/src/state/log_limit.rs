//! Lines for the log that anybody could cause as often as he likes: one for each address in a minute. Part of the event loop;
//! pure, the clock comes from outside.

use ssmglobal_config::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Addresses remembered at once; beyond that nothing is logged of further ones until the minute of some is over.
const MOST: usize = 4096;

/// How long nothing further is logged of an address.
const PAUSE: Duration = Duration::from_secs(60);

/// Addresses of which something was logged lately, and when.
#[derive(Debug, Default)]
pub struct LogLimit {
    logged: HashMap<IpAddr, Instant>,
}

impl LogLimit {
    /// Whether something may be logged of this address now; then it counts as logged.
    pub fn may_log(&mut self, address: IpAddr, now: Instant) -> bool {
        let key = network(address);
        let is_recent = |at: &Instant| now.saturating_duration_since(*at) < PAUSE;
        if self.logged.get(&key).is_some_and(is_recent) {
            return false;
        }
        if self.logged.len() >= MOST {
            self.logged.retain(|_, at| is_recent(at));
        }
        let room = self.logged.len() < MOST;
        if room {
            self.logged.insert(key, now);
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_logged_once_a_minute() {
        let (mut limit, now) = (LogLimit::default(), Instant::now());
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        assert!(limit.may_log(one, now));
        assert!(limit.may_log(other, now));
        let later = now + PAUSE - Duration::from_millis(1);
        assert!(!limit.may_log(one, later));
        assert!(limit.may_log(one, now + PAUSE));
        assert!(!limit.may_log(one, now + PAUSE + Duration::from_secs(59)));
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let (mut limit, now) = (LogLimit::default(), Instant::now());
        assert!(limit.may_log("2001:db8::1".parse().unwrap(), now));
        assert!(!limit.may_log("2001:db8::2".parse().unwrap(), now));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (mut limit, now) = (LogLimit::default(), Instant::now());
        let logged = (0..2 * MOST as u32).filter(|index| limit.may_log(IpAddr::V4((*index).into()), now)).count();
        assert_eq!((logged, limit.logged.len()), (MOST, MOST));
        assert!(limit.may_log("192.0.2.1".parse().unwrap(), now + PAUSE));
        assert_eq!(limit.logged.len(), 1);
    }
}
