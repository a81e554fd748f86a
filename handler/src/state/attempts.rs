//! How each player's logins went since this handler has started: for the operator who is asked why somebody cannot log in. Part
//! of the event loop; pure, the clock comes from outside.

use super::throttle::forget;
use ssmglobal_ipc::Time;
use ssmglobal_store::PlayerId;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// For so long somebody is remembered where there are too many to remember all.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// How one player's logins went.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Wrong passwords since the last login, from anywhere.
    pub failures: u32,
    /// When the last of them came, and from where.
    pub last_failure: Option<(Time, Option<IpAddr>)>,
    /// From where the last login came.
    pub last_address: Option<IpAddr>,
    last: Instant,
}

/// Of all players, as many as are remembered of the throttle too.
#[derive(Debug, Default)]
pub struct Attempts {
    players: HashMap<PlayerId, Attempt>,
}

impl Attempts {
    fn of(&mut self, player: PlayerId, now: Instant) -> &mut Attempt {
        forget(&mut self.players, |attempt| attempt.last, now, KEPT);
        let new = Attempt { failures: 0, last_failure: None, last_address: None, last: now };
        let attempt = self.players.entry(player).or_insert(new);
        attempt.last = now;
        attempt
    }

    /// A password was wrong. Gives how many were since the last login.
    pub fn failed(&mut self, player: PlayerId, from: Option<IpAddr>, at: Time, now: Instant) -> u32 {
        let attempt = self.of(player, now);
        attempt.failures = attempt.failures.saturating_add(1);
        attempt.last_failure = Some((at, from));
        attempt.failures
    }

    /// A player has logged in. Gives how many passwords were wrong before.
    pub fn came_in(&mut self, player: PlayerId, from: Option<IpAddr>, now: Instant) -> u32 {
        let attempt = self.of(player, now);
        attempt.last_address = from;
        std::mem::take(&mut attempt.failures)
    }

    /// What is known of one.
    pub fn get(&self, player: PlayerId) -> Option<&Attempt> {
        self.players.get(&player)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_count_up_to_the_next_login_and_where_it_came_from_is_known() {
        let (mut attempts, now, alice) = (Attempts::default(), Instant::now(), PlayerId(1));
        let from = |text: &str| Some(text.parse().unwrap());
        assert_eq!(attempts.failed(alice, from("192.0.2.1"), Time(1), now), 1);
        assert_eq!(attempts.failed(alice, from("192.0.2.2"), Time(2), now), 2);
        assert_eq!(attempts.get(alice).unwrap().last_failure, Some((Time(2), from("192.0.2.2"))));
        assert_eq!(attempts.came_in(alice, from("192.0.2.3"), now), 2);
        assert_eq!(attempts.came_in(alice, from("192.0.2.3"), now), 0);
        assert_eq!(attempts.get(alice).unwrap().last_address, from("192.0.2.3"));
        assert!(attempts.get(PlayerId(2)).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for player in 0..50_000 {
            attempts.failed(PlayerId(player), None, Time(0), now + Duration::from_micros(player.into()));
        }
        assert!(attempts.players.len() <= 20_001);
    }
}
