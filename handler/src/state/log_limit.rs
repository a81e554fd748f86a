//! Lines for the log that anybody could cause as often as he likes: so many for each address in a minute. Part of the event
//! loop; pure, the clock comes from outside.

use ssmglobal_config::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Addresses remembered at once; beyond that nothing is logged of further ones until the minute of some is over.
const MOST: usize = 4096;

/// In which lines are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// Lines of one address.
#[derive(Clone, Copy, Debug)]
struct Lines {
    /// When its minute has begun.
    since: Instant,
    written: u32,
    left_out: u32,
}

/// Addresses of which something was logged lately.
#[derive(Debug)]
pub struct LogLimit {
    /// Lines of one address in a minute.
    most: u32,
    logged: HashMap<IpAddr, Lines>,
}

impl LogLimit {
    /// So many lines of one address (IPv6: network) in a minute.
    pub fn new(most: u32) -> LogLimit {
        LogLimit { most, logged: HashMap::new() }
    }

    /// Whether something may be logged of this address now; then it counts as logged, and this tells how many were left out since
    /// the last minute in which something was.
    pub fn may_log(&mut self, address: IpAddr, now: Instant) -> Option<u32> {
        let (key, most) = (network(address), self.most);
        let is_recent = |lines: &Lines| now.saturating_duration_since(lines.since) < MINUTE;
        if let Some(lines) = self.logged.get_mut(&key) {
            if !is_recent(lines) {
                *lines = Lines { since: now, written: 0, left_out: lines.left_out };
            }
            if lines.written >= most {
                lines.left_out = lines.left_out.saturating_add(1);
                return None;
            }
            lines.written += 1;
            return Some(std::mem::take(&mut lines.left_out));
        }
        if self.logged.len() >= MOST {
            self.logged.retain(|_, lines| is_recent(lines));
        }
        if self.logged.len() >= MOST || most == 0 {
            return None;
        }
        self.logged.insert(key, Lines { since: now, written: 1, left_out: 0 });
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_lines_in_a_minute_and_what_was_left_out_is_told() {
        let (mut limit, now) = (LogLimit::new(2), Instant::now());
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        assert_eq!([(); 4].map(|()| limit.may_log(one, now)), [Some(0), Some(0), None, None]);
        assert_eq!(limit.may_log(other, now), Some(0));
        let later = now + MINUTE - Duration::from_millis(1);
        assert_eq!(limit.may_log(one, later), None);
        assert_eq!([(); 3].map(|()| limit.may_log(one, now + MINUTE)), [Some(3), Some(0), None]);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let (mut limit, now) = (LogLimit::new(1), Instant::now());
        assert_eq!(limit.may_log("2001:db8::1".parse().unwrap(), now), Some(0));
        assert_eq!(limit.may_log("2001:db8::2".parse().unwrap(), now), None);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (mut limit, now) = (LogLimit::new(1), Instant::now());
        let logged = (0..2 * MOST as u32).filter(|index| limit.may_log(IpAddr::V4((*index).into()), now).is_some());
        assert_eq!(logged.count(), MOST);
        assert_eq!(limit.logged.len(), MOST);
        assert_eq!(limit.may_log("192.0.2.1".parse().unwrap(), now + MINUTE), Some(0));
        assert_eq!(limit.logged.len(), 1);
    }
}
