//! Lines for the log that anybody could cause as often as he likes: one for each address in a minute. Part of the event loop;
//! pure, the clock comes from outside.

use ssmglobal_config::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Addresses remembered at once; beyond that nothing is told of further ones until the minute of some is over.
const MOST: usize = 4096;

/// How long nothing further is told of an address.
const PAUSE: Duration = Duration::from_secs(60);

/// Addresses of which something was told of late.
#[derive(Debug, Default)]
pub struct Seldom {
    told: HashMap<IpAddr, Instant>,
}

impl Seldom {
    /// Whether something may be told of this address now; then it counts as told.
    pub fn may_tell(&mut self, address: IpAddr, now: Instant) -> bool {
        let key = network(address);
        let is_late = |at: &Instant| now.saturating_duration_since(*at) < PAUSE;
        if self.told.get(&key).is_some_and(is_late) {
            return false;
        }
        if self.told.len() >= MOST {
            self.told.retain(|_, at| is_late(at));
        }
        let room = self.told.len() < MOST;
        if room {
            self.told.insert(key, now);
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_told_of_once_a_minute() {
        let (mut seldom, now) = (Seldom::default(), Instant::now());
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        assert!(seldom.may_tell(one, now));
        assert!(seldom.may_tell(other, now));
        let later = now + PAUSE - Duration::from_millis(1);
        assert!(!seldom.may_tell(one, later));
        assert!(seldom.may_tell(one, now + PAUSE));
        assert!(!seldom.may_tell(one, now + PAUSE + Duration::from_secs(59)));
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let (mut seldom, now) = (Seldom::default(), Instant::now());
        assert!(seldom.may_tell("2001:db8::1".parse().unwrap(), now));
        assert!(!seldom.may_tell("2001:db8::2".parse().unwrap(), now));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (mut seldom, now) = (Seldom::default(), Instant::now());
        let told = (0..2 * MOST as u32).filter(|index| seldom.may_tell(IpAddr::V4((*index).into()), now)).count();
        assert_eq!((told, seldom.told.len()), (MOST, MOST));
        assert!(seldom.may_tell("192.0.2.1".parse().unwrap(), now + PAUSE));
        assert_eq!(seldom.told.len(), 1);
    }
}
