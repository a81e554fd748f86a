//! From where players were in: an address from which somebody was is not slowed down by what others try under his name. In
//! memory and on disk. Shared by the threads of the handler; pure.

use hashbrown::HashMap;
use ssmglobal_ipc::Time;
use ssmglobal_store::{Network, PlayerId, Row};
use std::net::IpAddr;

/// Networks of one player. The one that he has not been in from for longest makes room.
const EACH: usize = 16;

/// Milliseconds of a day.
const DAY: i64 = 24 * 3600 * 1000;

/// For so long a network is remembered.
const KEPT: i64 = 30 * DAY;

/// So many of anybody's that are too old go with each that is noted: more than come.
pub const ALONG: u32 = 2;

/// What was not seen since this time is too old.
pub fn oldest(now: Time) -> Time {
    Time(now.0.saturating_sub(KEPT))
}

fn is_old(seen: Network, now: Time) -> bool {
    seen.at < oldest(now)
}

/// Of all players. Some 100 bytes for each who was in within the last month.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    by_player: HashMap<PlayerId, Vec<Network>>,
}

impl Networks {
    /// A player was in from there.
    pub fn see(&mut self, player: PlayerId, seen: Network) {
        let all = self.by_player.entry(player).or_insert_with(|| Vec::with_capacity(1));
        match all.iter_mut().find(|known| known.network == seen.network) {
            Some(known) => known.at = seen.at,
            None => all.push(seen),
        }
    }

    /// That is forgotten.
    pub fn forget(&mut self, player: PlayerId, network: IpAddr) {
        let Some(all) = self.by_player.get_mut(&player) else { return };
        all.retain(|known| known.network != network);
        if all.is_empty() {
            self.by_player.remove(&player);
        }
    }

    /// From where a player was in.
    pub fn of(&self, player: PlayerId) -> &[Network] {
        self.by_player.get(&player).map_or(&[], Vec::as_slice)
    }

    /// Whether a player was in from there of late.
    pub fn knows(&self, player: PlayerId, network: IpAddr, now: Time) -> bool {
        self.of(player).iter().any(|known| known.network == network && !is_old(*known, now))
    }
}

/// The rows that a login from a network leaves, where these are `known`: none when it was noted today.
pub fn seen(player: PlayerId, known: &[Network], network: IpAddr, now: Time) -> Vec<Row> {
    let mut others: Vec<Network> = known.iter().copied().filter(|other| other.network != network).collect();
    let noted = known.iter().find(|other| other.network == network).map(|noted| now.0.saturating_sub(noted.at.0));
    if noted.is_some_and(|age| (0..DAY).contains(&age)) {
        return Vec::new();
    }
    others.sort_unstable_by_key(|other| (other.at, other.network));
    let many = others.len().saturating_sub(EACH - 1);
    let gone = others.iter().enumerate().filter(|(place, other)| *place < many || is_old(**other, now));
    let gone = gone.map(|(_, other)| Row::PlayerUnseen { player, network: other.network });
    gone.chain([Row::PlayerSeen { player, network: Network { network, at: now } }]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: PlayerId = PlayerId(1);

    fn from(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    fn at(number: u8, at: i64) -> Network {
        Network { network: from(number), at: Time(at) }
    }

    #[test]
    fn where_somebody_was_is_known_for_a_month() {
        let mut networks = Networks::default();
        networks.see(ALICE, at(1, 5));
        assert!(networks.knows(ALICE, from(1), Time(5 + KEPT)));
        assert!(!networks.knows(ALICE, from(1), Time(6 + KEPT)));
        assert!(!networks.knows(ALICE, from(2), Time(5)) && !networks.knows(PlayerId(2), from(1), Time(5)));
        networks.see(ALICE, at(1, 9));
        assert!(networks.knows(ALICE, from(1), Time(9 + KEPT)));
        networks.forget(ALICE, from(1));
        assert!(networks.by_player.is_empty());
    }

    #[test]
    fn a_login_is_noted_once_a_day_and_what_is_old_goes() {
        let now = Time(100 * DAY);
        let noted = Row::PlayerSeen { player: ALICE, network: Network { network: from(1), at: now } };
        let gone = |number| Row::PlayerUnseen { player: ALICE, network: from(number) };
        assert_eq!(seen(ALICE, &[], from(1), now), std::slice::from_ref(&noted));
        assert_eq!(seen(ALICE, &[at(1, now.0 - DAY + 1), at(2, 0)], from(1), now), []);
        assert_eq!(seen(ALICE, &[at(1, now.0 - DAY), at(2, 0)], from(1), now), [gone(2), noted.clone()]);
        // A clock that was put back.
        assert_eq!(seen(ALICE, &[at(1, now.0 + DAY)], from(1), now), [noted]);
    }

    #[test]
    fn the_one_that_was_not_used_for_longest_makes_room() {
        let now = Time(10 * DAY);
        let mut known: Vec<Network> = (1..=EACH as u8).map(|number| at(number, 100 - i64::from(number))).collect();
        let rows = seen(ALICE, &known, from(200), now);
        let noted = Row::PlayerSeen { player: ALICE, network: Network { network: from(200), at: now } };
        assert_eq!(rows, [Row::PlayerUnseen { player: ALICE, network: from(EACH as u8) }, noted]);
        known.pop();
        assert_eq!(seen(ALICE, &known, from(200), now).len(), 1);
    }
}
