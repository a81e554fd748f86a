//! What a capability gets: the session that asks, and the state that it may see and change. Runs in the event loop.

use crate::state::State;
use crate::state::memory::Memory;
use crate::state::session::{Session, SessionRef};
use crate::state::throttle::Tried;
use ssmglobal_config::Settings;
use ssmglobal_ipc::{Code, Failure, Party};
use ssmglobal_store::{PlayerId, Principal, ServerId};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One request of one session.
pub struct Call<'a> {
    /// Who asks. It is out of its slot meanwhile.
    pub session: &'a mut Session,
    /// Its slot.
    pub at: SessionRef,
    /// All else.
    pub state: &'a mut State,
    /// What is kept and in memory as well.
    pub memory: &'a Arc<Memory>,
    /// As last read.
    pub settings: &'a Settings,
}

/// Who asks, proved.
#[derive(Clone, Debug)]
pub struct Me<T> {
    /// Who.
    pub id: T,
    /// The name as registered.
    pub name: Arc<str>,
}

impl Call<'_> {
    /// Who asks, if he has proved to be anybody.
    pub fn principal(&self) -> Option<Me<Principal>> {
        self.session.identity.as_ref().map(|identity| Me { id: identity.who, name: identity.name.clone() })
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
        let most = self.settings.records.page_max;
        asked.unwrap_or(most.min(20)).clamp(1, most) as usize
    }

    /// `slow_down` when this address, or this name, has failed too often of late.
    /// Otherwise who tries, for the outcome.
    pub fn may_try(&mut self, name: String) -> Result<Box<Tried>, Failure> {
        let settings = self.settings;
        let tried = Tried::new(self.session.address.map(|address| address.ip()), name);
        let (failures, window) = (settings.players.failures, settings.players.failure_window_seconds);
        let window = Duration::from_secs(window);
        let Some(wait) = self.state.throttle.may_try(&tried, Instant::now(), failures, window) else {
            return Ok(Box::new(tried));
        };
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Err(Failure {
            code: Code::SlowDown,
            msg: format!("Too many failed tries. Try again in {seconds} seconds."),
            version: None,
            retry_after: Some(seconds),
        })
    }
}

impl<T: Into<Principal> + Copy> Me<T> {
    /// As others see him.
    pub fn party(&self) -> Party {
        match self.id.into().as_server() {
            Some(_) => Party::Server(self.name.to_string()),
            None => Party::Player(self.name.to_string()),
        }
    }
}
