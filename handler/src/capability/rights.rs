//! Rights of players: granted and revoked by operators, in force at once.

use super::{Access, By, Plan};
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use ssmglobal_ipc::{Code, Done, Failure, Reply, RightOf, Rights, RightsOf};
use ssmglobal_store::{PlayerId, Row};

/// By it a player may do what the operator may.
pub const OPERATOR: &str = "operator";

/// By it a player may say something to everyone.
pub const BROADCAST: &str = "broadcast";

/// By it a player may read and write all properties.
pub const PROPERTY: &str = "property";

/// Rights that mean something to the backend itself.
const KNOWN: &[&str] = &["build", BROADCAST, PROPERTY, "moderate", OPERATOR, "vip", "guest-of-honour"];

/// What rights begin with that are a game's own.
const FREE: &str = "game.";

/// Bytes of a right.
const LONGEST: usize = 32;

/// Rights of one player.
const MOST: usize = 64;

/// Why somebody may not do what needs a right.
pub fn denied(right: &str) -> Failure {
    let msg = match right {
        OPERATOR => "Only an operator may do that.".to_owned(),
        right => format!("Only who has the right {right} may do that."),
    };
    Failure::new(Code::Denied, msg)
}

/// Whether a right does something for a player when a change of his is decided: he has it, and may be on.
///
/// # Errors
/// The database's.
pub fn holds(facts: &dyn Facts, player: PlayerId, right: &str) -> Result<bool, Refusal> {
    Ok(facts.has_right(player, right) && !facts.is_disabled(player)?)
}

/// A player who asks what needs a right.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// The player who asks.
    pub player: PlayerId,
    /// The right.
    pub right: &'static str,
}

impl Asking {
    /// Whether he has it when his change is decided.
    ///
    /// # Errors
    /// `denied` when he has not; or the database's.
    pub fn check(self, facts: &dyn Facts) -> Result<(), Refusal> {
        match holds(facts, self.player, self.right)? {
            true => Ok(()),
            false => Err(denied(self.right).into()),
        }
    }
}

changes! {
    /// Changes of rights.
    RightChange: Grant, Revoke
}

/// A player has a right from now on.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The player who gets it.
    pub player: PlayerId,
    /// The right, checked.
    pub right: String,
}

impl Decide for Grant {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        if facts.player(self.player)?.is_none() {
            return refuse(Code::NotFound, "There is no such player.");
        }
        let rights = facts.rights(self.player);
        if rights.contains(&self.right) {
            return Ok(Decided::new(Vec::new(), Reply::Done(Done {})));
        }
        if rights.len() >= MOST {
            return refuse(Code::Limit, format!("A player has at most {MOST} rights."));
        }
        Ok(Decided::done(Row::Granted { player: self.player, right: self.right.clone() }))
    }
}

/// A player has a right no longer.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// The player who loses it.
    pub player: PlayerId,
    /// The right.
    pub right: String,
}

impl Decide for Revoke {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let (player, right) = (self.player, self.right.clone());
        if !facts.has_right(player, &right) {
            return refuse(Code::NotFound, format!("{} does not have this right.", facts.name(player.into())));
        }
        Ok(Decided::done(Row::Revoked { player, right }))
    }
}

/// A right as it is kept.
fn checked(right: &str) -> Result<String, Failure> {
    let right = right.to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let free = right.strip_prefix(FREE).is_some_and(|rest| !rest.is_empty() && right.bytes().all(plain));
    if right.len() <= LONGEST && (free || KNOWN.contains(&right.as_str())) {
        return Ok(right);
    }
    let msg = format!(
        "There is no such right. There are {}, and for games what begins with {FREE} and has at most {LONGEST} letters, \
         digits, . - _.",
        KNOWN.join(", ")
    );
    Err(Failure::new(Code::Invalid, msg))
}

/// `RIGHT GRANT`.
pub fn grant(access: Access<'_>, request: RightOf) -> Plan<RightChange> {
    let grant = || -> Result<Grant, Failure> {
        let (player, _) = access.memory.player_named(&request.player)?;
        Ok(Grant { player, right: checked(&request.right)? })
    };
    grant().map_or_else(Plan::from, Plan::change)
}

/// `RIGHT REVOKE`.
pub fn revoke(access: Access<'_>, request: RightOf) -> Plan<RightChange> {
    match access.memory.player_id(&request.player) {
        Ok(player) => Plan::change(Revoke { player, right: request.right.to_ascii_lowercase() }),
        Err(failure) => failure.into(),
    }
}

/// `RIGHT LIST`.
pub fn list(access: Access<'_>, request: RightsOf) -> Plan {
    let own = match &access.by {
        By::Player(me) => Some((me.id, me.name.to_string())),
        By::Operator | By::Server | By::Other => None,
    };
    let found = match request.player {
        Some(name) => access.memory.player_named(&name),
        None => own.clone().ok_or_else(|| Failure::new(Code::Usage, "Say whose: RIGHT LIST player.")),
    };
    let (player, name) = match found {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    if !access.is_operator() && own.is_none_or(|(own, _)| own != player) {
        return Failure::new(Code::Denied, "Only an operator sees the rights of others.").into();
    }
    let rights = access.memory.rights_of(player);
    Plan::Reply(Reply::Rights(Rights { player: name, rights }))
}
