//! How many new players come from one address, from its network, and altogether: each costs a hash, and a name for ever.
//! Runs in the event loop; pure, the clock comes from outside.

use super::throttle::forget;
use super::window::Window;
use ssmglobal_config::{Settings, network, wide_network};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Within this time.
pub const LENGTH: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Group {
    Address(IpAddr),
    Network(IpAddr),
    All,
}

impl Group {
    /// How many may come from it; 0 for any number.
    fn most(self, settings: &Settings) -> u32 {
        let players = &settings.players;
        match self {
            Group::Address(_) => players.registrations_per_address,
            Group::Network(_) => players.registrations_per_network,
            Group::All => players.registrations_altogether,
        }
    }

    /// Why somebody has to wait.
    fn why(self) -> &'static str {
        match self {
            Group::Address(_) => "Too many new players from your address.",
            Group::Network(_) => "Too many new players from your network.",
            Group::All => "Too many new players at the moment.",
        }
    }
}

/// Registrations of late. Some 60 bytes for each address and network.
#[derive(Debug, Default)]
pub struct Registrations {
    windows: HashMap<Group, Window>,
}

impl Registrations {
    /// One more, from this address.
    ///
    /// # Errors
    /// It has to wait: why, and how long.
    pub fn add(
        &mut self,
        address: Option<IpAddr>,
        settings: &Settings,
        now: Instant,
    ) -> Result<(), (&'static str, Duration)> {
        let of_address = |address| [Group::Address(network(address)), Group::Network(wide_network(address))];
        let groups = address.map(of_address).into_iter().flatten().chain([Group::All]);
        let groups: Vec<Group> = groups.filter(|group| group.most(settings) > 0).collect();
        for group in &groups {
            let wait = self.windows.get(group).map(|window| window.wait(now, group.most(settings), LENGTH));
            if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
                return Err((group.why(), wait));
            }
        }
        for group in groups {
            self.windows.entry(group).or_insert_with(|| Window::new(now)).add(now, LENGTH);
        }
        forget(&mut self.windows, Window::began, now, LENGTH);
        Ok(())
    }

    /// From where nobody may register at the moment, why, and for how long.
    pub fn slowed(&self, settings: &Settings, now: Instant) -> impl Iterator<Item = (IpAddr, &'static str, Duration)> {
        self.windows.iter().filter_map(move |(group, window)| {
            let (Group::Address(from) | Group::Network(from)) = group else { return None };
            let most = Some(group.most(settings)).filter(|most| *most > 0)?;
            let wait = window.wait(now, most, LENGTH);
            (!wait.is_zero()).then_some((*from, group.why(), wait))
        })
    }

    /// Who has registered from this address and its network, or from anywhere, is forgotten. Gives how many waits ended by that.
    pub fn forgive(&mut self, address: Option<IpAddr>, settings: &Settings, now: Instant) -> u32 {
        let meant = address.map(|address| [network(address), wide_network(address)]);
        let is_meant = |from: &IpAddr| meant.is_none_or(|meant| meant.contains(from));
        let waited = self.slowed(settings, now).filter(|(from, ..)| is_meant(from)).count();
        self.windows.retain(|group, _| match group {
            Group::Address(from) | Group::Network(from) => !is_meant(from),
            Group::All => meant.is_some(),
        });
        u32::try_from(waited).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(per_address: u32, per_network: u32, altogether: u32) -> Settings {
        let mut settings = Settings::default();
        let players = &mut settings.players;
        (players.registrations_per_address, players.registrations_per_network) = (per_address, per_network);
        players.registrations_altogether = altogether;
        settings
    }

    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn so_many_an_address_in_ten_minutes() {
        let (mut registrations, now, settings) = (Registrations::default(), Instant::now(), settings(5, 0, 0));
        for _ in 0..5 {
            assert_eq!(registrations.add(from("2001:db8::1"), &settings, now), Ok(()));
        }
        let (why, wait) = registrations.add(from("2001:db8::2"), &settings, now + Duration::from_secs(9)).unwrap_err();
        assert_eq!((why, wait), ("Too many new players from your address.", Duration::from_secs(591)));
        assert_eq!(registrations.add(from("2001:db8:0:1::1"), &settings, now), Ok(()));
        assert_eq!(registrations.add(from("2001:db8::1"), &settings, now + LENGTH), Ok(()));
    }

    #[test]
    fn so_many_a_network_and_so_many_altogether() {
        let (mut registrations, now, settings) = (Registrations::default(), Instant::now(), settings(2, 4, 7));
        for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] {
            assert_eq!(registrations.add(from(address), &settings, now), Ok(()));
        }
        let why = |outcome: Result<(), (&'static str, Duration)>| outcome.unwrap_err().0;
        let network = "Too many new players from your network.";
        assert_eq!(why(registrations.add(from("192.0.2.5"), &settings, now)), network);
        for address in ["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"] {
            assert_eq!(registrations.add(from(address), &settings, now), Ok(()));
        }
        let all = "Too many new players at the moment.";
        assert_eq!(why(registrations.add(from("203.0.113.1"), &settings, now)), all);
        assert_eq!(why(registrations.add(None, &settings, now)), all);
        // What was refused does not count.
        assert_eq!(registrations.add(from("192.0.2.5"), &settings, now + LENGTH), Ok(()));
    }

    #[test]
    fn the_operator_sees_from_where_nobody_may_register_and_may_forgive_it() {
        let (mut registrations, now, settings) = (Registrations::default(), Instant::now(), settings(1, 2, 0));
        for address in ["192.0.2.1", "192.0.2.2"] {
            registrations.add(from(address), &settings, now).unwrap();
        }
        let shown = |registrations: &Registrations| {
            let mut all: Vec<String> = registrations
                .slowed(&settings, now)
                .map(|(from, _, wait)| format!("{from} {}", wait.as_secs()))
                .collect();
            all.sort();
            all
        };
        assert_eq!(shown(&registrations), ["192.0.2.0 600", "192.0.2.1 600", "192.0.2.2 600"]);
        assert_eq!(registrations.forgive(from("192.0.2.1"), &settings, now), 2);
        assert_eq!(shown(&registrations), ["192.0.2.2 600"]);
        assert_eq!(registrations.add(from("192.0.2.1"), &settings, now), Ok(()));
        assert_eq!(registrations.forgive(None, &settings, now), 2);
        assert!(registrations.windows.is_empty());
    }

    #[test]
    fn nothing_is_counted_where_any_number_is_fine() {
        let (mut registrations, now, settings) = (Registrations::default(), Instant::now(), settings(0, 0, 0));
        for _ in 0..1000 {
            assert_eq!(registrations.add(from("192.0.2.1"), &settings, now), Ok(()));
        }
        assert!(registrations.windows.is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let (mut registrations, now, settings) = (Registrations::default(), Instant::now(), settings(1, 0, 0));
        for i in 0..50_000u32 {
            let now = now + Duration::from_micros(i.into());
            assert_eq!(registrations.add(Some(IpAddr::V4(i.into())), &settings, now), Ok(()));
        }
        assert!(registrations.windows.len() <= 20_001);
    }
}
