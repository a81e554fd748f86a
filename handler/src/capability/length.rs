//! How long a login may last, and what those that have ended have lasted. When its time is over, and whose has ended, is known in
//! the event loop.

use super::{Access, Plan};
use crate::state::logins::Ended;
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use ssmglobal_ipc::{Code, Done, Failure, PlayerLimit, Reply};
use ssmglobal_store::{PlayerId, Row};
use std::ops::RangeInclusive;

/// Minutes that a bound may have: up to a week.
const MINUTES: RangeInclusive<u32> = 1..=10_080;

changes! {
    /// Changes of it.
    LengthChange: Limit, Lasted
}

/// One login of a player may last so long from now on.
#[derive(Clone, Debug)]
pub struct Limit {
    /// The player whose logins it bounds.
    pub player: PlayerId,
    /// Minutes, checked; nothing: any number.
    pub minutes: Option<u32>,
}

impl Decide for Limit {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Limit { player, minutes } = *self;
        if facts.player(player)?.is_none() {
            return refuse(Code::NotFound, "There is no such player.");
        }
        Ok(Decided::done(Row::PlayerLimit { player, minutes }))
    }
}

/// `PLAYER LIMIT`.
pub fn limit(access: Access<'_>, request: PlayerLimit) -> Plan<LengthChange> {
    let limit = || {
        let (player, _) = access.memory.player_named(&request.player)?;
        if request.minutes.is_some_and(|minutes| !MINUTES.contains(&minutes)) {
            let msg =
                format!("A login lasts {} to {} minutes; leave them out for no bound.", MINUTES.start(), MINUTES.end());
            return Err(Failure::new(Code::Invalid, msg));
        }
        Ok(Limit { player, minutes: request.minutes })
    };
    limit().map_or_else(Plan::from, Plan::change)
}

/// A login has ended. Nobody waits for an answer.
#[derive(Clone, Debug)]
pub struct Lasted(pub Ended);

impl Decide for Lasted {
    fn decide(&self, _: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Ended { session, player, since, lasted } = self.0;
        Ok(Decided::new(vec![Row::PlayerLasted { player, lasted, session, since }], Reply::Done(Done {})))
    }
}
