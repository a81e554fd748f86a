//! Addresses that have to wait: what the listener takes nothing from, and what is slowed down here; shown, and let in again. Part
//! of the event loop. The listener is asked first, and what is known here comes to its answer.

use super::super::EventLoop;
use crate::state::memory::Memory;
use crate::state::throttle::Slowed;
use ssmglobal_config::Settings;
use ssmglobal_ipc::control::{Blocked, ToListener};
use ssmglobal_ipc::ctl::{Answer, PenaltyRow, PlayerLogins, Stops};
use ssmglobal_ipc::{Code, Failure, Time, WorkerEnd};
use ssmglobal_store::PlayerId;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Rows of one answer; those that wait for longest.
const ROWS: usize = 2000;

/// What waits for the listener's answer, by the number of the operator's connection.
pub type Clearing = HashMap<u64, Option<IpAddr>>;

fn until(wait: Duration) -> Time {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    Time(Time::now().0.saturating_add(wait))
}

/// After how many failures one is slowed down, and for how long they count.
fn bounds(settings: &Settings) -> (u32, Duration) {
    (settings.players.failures, Duration::from_secs(settings.players.failure_window_seconds))
}

/// The player of a name as it was tried. What nobody is called is not shown: it may be a password in the wrong place.
fn player(memory: &Memory, name: Option<&str>) -> Option<String> {
    memory.player_named(name?).ok().map(|(_, name)| name)
}

fn slowed(memory: &Memory, slowed: &Slowed<'_>) -> PenaltyRow {
    let address = slowed.address.map_or_else(|| "new addresses".to_owned(), |address| address.to_string());
    let why = match slowed.address {
        Some(_) => format!("{} failed logins", slowed.failures),
        None => format!("{} tries within a minute", slowed.failures),
    };
    let player = player(memory, slowed.name);
    PenaltyRow { address, stops: Stops::Logins, player, why, until: until(slowed.wait) }
}

impl EventLoop {
    fn listener_is_gone(&self) -> Result<(), Failure> {
        let msg = "The listener has died and was not started again yet; it keeps the penalties.";
        if self.listener.pid == 0 { Err(Failure::new(Code::Unavailable, msg)) } else { Ok(()) }
    }

    /// Which addresses have to wait.
    pub(super) fn penalty_list(&mut self, operator: u64) -> Result<(), Failure> {
        self.listener_is_gone()?;
        self.listener.tell(&ToListener::WhoIsBlocked { asker: operator });
        Ok(())
    }

    /// The listener has said from where it takes nothing.
    pub(in super::super) fn tell_penalties(&mut self, operator: u64, blocked: Vec<Blocked>) {
        let (settings, now, memory) = (self.shared.settings(), Instant::now(), &self.shared.memory);
        let (failures, window) = bounds(&settings);
        let connections = blocked.into_iter().map(|blocked| PenaltyRow {
            address: blocked.network.to_string(),
            stops: Stops::Connections,
            player: None,
            why: WorkerEnd(blocked.status).to_string(),
            until: until(Duration::from_secs(blocked.seconds)),
        });
        let logins = self.state.throttle.slowed(now, failures, window).map(|slow| slowed(memory, &slow));
        let registrations = self.state.registrations.slowed(&settings, now).map(|(from, why, wait)| PenaltyRow {
            address: from.to_string(),
            stops: Stops::Registrations,
            player: None,
            why: why.trim_end_matches('.').to_owned(),
            until: until(wait),
        });
        let mut rows: Vec<PenaltyRow> = connections.chain(logins).chain(registrations).collect();
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.until));
        rows.truncate(ROWS);
        rows.sort_unstable();
        self.answer_operator(operator, &Answer::Penalties(rows));
    }

    /// An address waits no longer, or none does.
    pub(super) fn penalty_clear(&mut self, operator: u64, address: Option<IpAddr>) -> Result<(), Failure> {
        self.listener_is_gone()?;
        let address = address.map(|address| address.to_canonical());
        self.operators.clearing.insert(operator, address);
        self.listener.tell(&ToListener::LetIn { asker: operator, address });
        Ok(())
    }

    /// The listener has done its part.
    pub(in super::super) fn penalties_cleared(&mut self, operator: u64, count: u32) {
        let Some(address) = self.operators.clearing.remove(&operator) else { return };
        let (settings, now) = (self.shared.settings(), Instant::now());
        let (failures, window) = bounds(&settings);
        let logins = self.state.throttle.forgive(address, now, failures, window);
        let registrations = self.state.registrations.forgive(address, &settings, now);
        let all = count.saturating_add(logins).saturating_add(registrations);
        self.answer_operator(operator, &Answer::PenaltiesCleared(all));
    }

    /// How a player's logins went.
    pub(super) fn logins_of(&self, id: PlayerId) -> PlayerLogins {
        let (settings, now) = (self.shared.settings(), Instant::now());
        let (failures, window) = bounds(&settings);
        let name = self.shared.memory.name(id.into());
        let his = |slow: &Slowed<'_>| slow.name.is_some() && player(&self.shared.memory, slow.name) == name;
        let longest = self.state.throttle.slowed(now, failures, window).filter(his).max_by_key(|slow| slow.wait);
        let attempt = self.state.attempts.get(id);
        let failure = attempt.and_then(|attempt| attempt.last_failure);
        let seen = crate::lock::read(&self.shared.memory.networks);
        let newest = seen.of(id).iter().max_by_key(|seen| seen.at).map(|seen| seen.network);
        let last_address = attempt.and_then(|attempt| attempt.last_address).or(newest);
        PlayerLogins {
            failures: attempt.map_or(0, |attempt| attempt.failures),
            last_failure: failure.map(|(at, _)| at),
            failed_from: failure.and_then(|(_, from)| from).map(|from| from.to_string()),
            slowed_until: longest.as_ref().map(|slow| until(slow.wait)),
            slowed_from: longest.and_then(|slow| slow.address).map(|address| address.to_string()),
            last_address: last_address.map(|address| address.to_string()),
        }
    }
}
