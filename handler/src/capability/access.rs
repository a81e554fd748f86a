//! What a capability gets for what the operator may ask at his own socket as well: who asks, with or without a session. Runs in
//! the event loop.

use super::call::{Call, Me, page_limit};
use super::rights::OPERATOR;
use crate::state::State;
use crate::state::memory::Memory;
use ssmglobal_config::Settings;
use ssmglobal_store::PlayerId;
use std::sync::Arc;

/// Who asks for something that sessions and the operator may ask alike.
#[derive(Clone, Debug)]
pub enum By {
    /// The operator, at his own socket.
    Operator,
    /// A player.
    Player(Me<PlayerId>),
    /// A game server.
    Server,
    /// A visitor, or somebody who has not said who he is.
    Other,
}

/// One request, of a session or of the operator.
pub struct Access<'a> {
    /// Who asks.
    pub by: By,
    /// The number of the session that asks; the operator has none.
    pub session: Option<u64>,
    /// All that there is.
    pub state: &'a State,
    /// What is kept and in memory as well.
    pub memory: &'a Arc<Memory>,
    /// As last read.
    pub settings: &'a Settings,
}

impl Access<'_> {
    /// Whether who asks may do what the operator may.
    pub fn is_operator(&self) -> bool {
        match &self.by {
            By::Operator => true,
            By::Player(me) => self.memory.has_right(me.id, OPERATOR),
            By::Server | By::Other => false,
        }
    }

    /// How many rows a page has.
    pub fn page_limit(&self, asked: Option<u32>) -> usize {
        page_limit(self.settings, asked)
    }
}

impl Call<'_> {
    /// The same, without the session.
    pub fn access(&self) -> Access<'_> {
        let by = match (self.player(), self.server()) {
            (Some(player), _) => By::Player(player),
            (None, Some(_)) => By::Server,
            (None, None) => By::Other,
        };
        let session = Some(self.session.number);
        Access { by, session, state: self.state, memory: self.memory, settings: self.settings }
    }
}
