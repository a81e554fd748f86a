//! What a capability gets: the session that asks, and the state that it may see and change. Runs in the event loop.

use crate::lock::read;
use crate::state::State;
use crate::state::memory::{Memory, party};
use crate::state::session::{Session, SessionRef};
use crate::state::throttle::{Tried, Trying};
use ssmglobal_config::{Settings, network};
use ssmglobal_ipc::{Code, Failure, Kind, Party, Time};
use ssmglobal_store::{PlayerId, Principal, ServerId};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One request of one session.
pub struct Call<'a> {
    /// Who asks. It is out of its slot meanwhile.
    pub session: &'a mut Session,
    /// Where the session is in the table of sessions.
    pub at: SessionRef,
    /// What the event loop knows of all sessions.
    pub state: &'a mut State,
    /// What is kept and in memory as well.
    pub memory: &'a Arc<Memory>,
    /// As last read.
    pub settings: &'a Settings,
}

/// Who asks, proved.
#[derive(Clone, Debug)]
pub struct Me<T> {
    /// The asker's number.
    pub id: T,
    /// The name as registered.
    pub name: Arc<str>,
}

impl Call<'_> {
    /// Who asks, if he has proved to be anybody.
    pub fn principal(&self) -> Option<Me<Principal>> {
        self.session.identity.as_ref().map(|identity| Me { id: identity.who, name: identity.name.clone() })
    }

    /// Who asks, where he has to be somebody, if only a visitor.
    ///
    /// # Errors
    /// `not_logged_in` when the session is nobody yet.
    pub fn somebody(&self) -> Result<Me<Principal>, Failure> {
        let msg = "Say who you are first: LOGIN name, REGISTER name, or VISITOR name.";
        self.principal().ok_or_else(|| Failure::new(Code::NotLoggedIn, msg))
    }

    /// The player who asks.
    pub fn player(&self) -> Option<Me<PlayerId>> {
        let Me { id, name } = self.principal()?;
        id.as_player().map(|id| Me { id, name })
    }

    /// The game server that asks.
    pub fn server(&self) -> Option<Me<ServerId>> {
        let Me { id, name } = self.principal()?;
        id.as_server().map(|id| Me { id, name })
    }

    /// The session in a slot, also the one that asks.
    pub fn session_in(&self, slot: usize) -> Option<&Session> {
        if slot == self.at.slot { Some(self.session) } else { self.state.session(slot) }
    }

    /// How many rows a page has.
    pub fn page_limit(&self, asked: Option<u32>) -> usize {
        page_limit(self.settings, asked)
    }

    /// What counts as its client's address.
    pub fn network(&self) -> Option<IpAddr> {
        self.session.address.map(|address| network(address.ip()))
    }

    /// Whether a player was in before from there.
    pub fn was_in_from(&self, player: PlayerId, network: Option<IpAddr>) -> bool {
        let networks = read(&self.memory.networks);
        network.is_some_and(|network| networks.knows(player, network, Time::now()))
    }

    /// `slow_down` when too much has failed of late. Otherwise who tries, for the outcome. It is tried by `command`, and about
    /// whoever has the name that was said.
    pub fn may_try(&mut self, tried: Tried, command: Kind, about: Option<Principal>) -> Result<Box<Tried>, Failure> {
        let tried = tried.told(Trying { whose: self.session.whose(), command, about });
        let settings = &self.settings.players;
        let (failures, window) = (settings.failures, Duration::from_secs(settings.failure_window_seconds));
        match self.state.throttle.may_try(&tried, Instant::now(), failures, window) {
            None => Ok(Box::new(tried)),
            Some(wait) => Err(slow_down("Too many failed tries.", wait)),
        }
    }

    /// `slow_down` when there were too many new players of late.
    pub fn may_register(&mut self) -> Result<(), Failure> {
        let address = self.session.address.map(|address| address.ip());
        let outcome = self.state.registrations.add(address, self.settings, Instant::now());
        outcome.map_err(|(why, wait)| slow_down(why, wait))
    }
}

/// How many rows a page has.
pub(super) fn page_limit(settings: &Settings, asked: Option<u32>) -> usize {
    let most = settings.records.page_max;
    asked.unwrap_or(most.min(20)).clamp(1, most) as usize
}

/// Too much of something; it may be tried again after so many seconds.
pub(super) fn try_again_in(why: &str, seconds: u32) -> Failure {
    let msg = format!("{why} Try again in {seconds} seconds.");
    Failure { code: Code::SlowDown, msg, version: None, retry_after: Some(seconds) }
}

/// Too much of something; it may be tried again after this time.
pub fn slow_down(why: &str, wait: Duration) -> Failure {
    try_again_in(why, u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1))
}

impl<T: Into<Principal> + Copy> Me<T> {
    /// As others see him.
    pub fn party(&self) -> Party {
        party(self.id.into(), self.name.to_string())
    }
}
