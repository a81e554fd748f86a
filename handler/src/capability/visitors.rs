//! Visitors: who is on under a name and has not registered. He may look, look worlds up and be let into them, and talk where that is
//! allowed; nothing of his is kept.

use super::{Call, Plan};
use crate::lock::read;
use crate::state::names::{self, Name};
use crate::state::visitors::principal;
use ssmglobal_ipc::{Code, Failure, Time, VisitorName};

/// `VISITOR`.
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
        return Err(Failure::new(Code::NoVisitors, "Visitors are not let in here. REGISTER makes you a player."));
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
    if read(&call.memory.directory).is_like(&name) || servers.values().any(|it| Name::of_server(it).is_like(&name)) {
        return Err(taken());
    }
    let Some((_, other)) = call.state.visitors.like(&name) else { return Ok(name) };
    // He himself, on a connection before this one that nobody has noticed the end of.
    let network = call.network();
    let is_his = network.is_some() && other.address == network && other.folded == name.folded;
    if is_his || !is_anothers(call, &name) { Ok(name) } else { Err(taken()) }
}

/// Whether a visitor who is not the one that asks has this name, or one that looks like it.
pub fn is_anothers(call: &Call<'_>, name: &Name) -> bool {
    let Some((id, other)) = call.state.visitors.like(name) else { return false };
    let Some(session) = other.session else {
        // Who has just lost his connection may come back, by another one from the same place.
        let is_gone = other.until <= Time::now() && call.state.online.stays(principal(id)).is_empty();
        let network = call.network();
        return !(is_gone || network.is_some() && other.address == network);
    };
    session != call.session.number
}
