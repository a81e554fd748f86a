//! Visitors: who is on under a name and has not registered. He may look, look worlds up and be let into them, and talk where that is
//! allowed; nothing of his is kept.

use super::{Call, Plan};
use crate::lock::read;
use crate::state::State;
use crate::state::names::{self, Name};
use crate::state::universe::Universe;
use crate::state::visitors::{Visitor, principal};
use ssmglobal_ipc::{Code, Failure, Time, VisitorName};

/// `VISITOR`: a session is somebody without a password.
pub fn visit(call: Call<'_>, request: VisitorName) -> Plan {
    match free(&call, &request.name) {
        Ok(name) => Plan::Visit(name),
        Err(failure) => failure.into(),
    }
}

/// A name that nobody has who is registered, and no visitor who is on.
fn free(call: &Call<'_>, text: &str) -> Result<Name, Failure> {
    let settings = call.settings;
    if !call.memory.universe().visitors {
        return Err(not_let_in(&call.memory.universe()));
    }
    let name = names::check(text, settings.players.name_min, settings.players.name_max)?;
    name.refuse_reserved(&settings.players.reserved_names)?;
    let taken = || {
        Failure::new(
            Code::Exists,
            format!("The name {} is taken, or looks like one that is. Choose another.", name.shown),
        )
    };
    let servers = read(&call.memory.servers);
    let is_server = servers.values().any(|it| Name::of_server(it).is_like(&name));
    // Who registers under it now was first.
    if is_server || read(&call.memory.directory).is_like(&name) || call.state.visitors.is_promised(&name) {
        return Err(taken());
    }
    let Some(other) = present(call.state, &name) else { return Ok(name) };
    // He himself, also on a connection before this one that nobody has noticed the end of. By another name, if only by a letter that
    // looks the same, he is somebody else.
    let is_his = other.session == Some(call.session.number) || is_from_here(call, other);
    if is_his && other.folded == name.folded { Ok(name) } else { Err(taken()) }
}

/// No visitor is let in anywhere here.
pub fn not_let_in(universe: &Universe) -> Failure {
    Failure::new(Code::NoVisitors, format!("Visitors are not let in here. {}", way_out(universe)))
}

/// What somebody may do about it that he is only a visitor.
pub fn way_out(universe: &Universe) -> &'static str {
    match universe.registration {
        true => "REGISTER makes you a player.",
        false => "New players are not taken at the moment. Ask the operator.",
    }
}

/// Why there is no such player, with the visitor who has that name.
pub fn or_a_visitor(state: &State, name: &str, failure: Failure) -> Failure {
    let Some(visitor) = state.visitors.named(&names::fold(name)).and_then(|id| state.visitors.get(id)) else {
        return failure;
    };
    let msg = format!("{} There is a visitor of that name: visitor:{}.", failure.msg, visitor.name);
    Failure { msg, ..failure }
}

/// The visitor who has this name, or one that looks like it: he is on, or his name is kept for him.
pub fn present<'a>(state: &'a State, name: &Name) -> Option<&'a Visitor> {
    let (id, visitor) = state.visitors.like(name)?;
    let is_gone = visitor.session.is_none() && visitor.until <= Time::now();
    (!is_gone || !state.online.stays(principal(id)).is_empty()).then_some(visitor)
}

fn is_from_here(call: &Call<'_>, visitor: &Visitor) -> bool {
    let network = call.network();
    network.is_some() && visitor.address == network
}

/// Whether a visitor who is not the one that asks has this name, or one that looks like it.
pub fn is_anothers(call: &Call<'_>, name: &Name) -> bool {
    present(call.state, name).is_some_and(|other| match other.session {
        Some(session) => session != call.session.number,
        // Who has just lost his connection may come back, by another one from the same place.
        None => !is_from_here(call, other) || other.folded != name.folded,
    })
}
