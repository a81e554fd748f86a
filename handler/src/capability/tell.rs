//! TELL: a word to somebody who is on, and BROADCAST, a word to everyone. Nothing of it is kept.

use super::{Access, By, Call, Me, Plan, visitors};
use crate::state::news::{Audience, News};
use crate::state::visitors::principal;
use crate::work::change::refuse;
use crate::work::{ReadOutcome, Volatile};
use ssmglobal_ipc::{
    Broadcast, Broadcasted, Code, Event, Failure, Party, Reply, Tell, TellArrived, TellDelivered, Time,
};
use ssmglobal_store::Principal;

/// Bytes of a TELL, of a BROADCAST.
const LONGEST: usize = 2048;

/// What is said: something is in it.
fn check(body: &str, what: &str, longer: &str) -> Result<(), Failure> {
    if body.len() > LONGEST {
        return Err(Failure::new(Code::TooLong, format!("A {what} has at most {LONGEST} bytes.{longer}")));
    }
    if body.trim().is_empty() {
        return Err(Failure::new(Code::Invalid, "There is nothing said in it."));
    }
    if body.contains('\r') {
        return Err(Failure::new(Code::Invalid, "Between two lines stands a line feed alone."));
    }
    Ok(())
}

/// Who talks: a player, or a visitor where they may.
fn talker(call: &Call<'_>) -> Result<Me<Principal>, Failure> {
    let me = call.somebody()?;
    if me.id.as_player().is_none() && !call.memory.universe().talk {
        let msg = format!("Visitors do not talk here. {}", visitors::way_out(&call.memory.universe()));
        return Err(Failure::new(Code::Denied, msg));
    }
    Ok(me)
}

/// Why somebody cannot be told anything who is in a world, if its host has just lost its connection.
fn away(call: &Call<'_>, who: Principal, party: &Party) -> Option<Failure> {
    call.state.waits_for_host(who)?;
    let msg = format!(
        "{} cannot be reached at the moment: the world has lost its connection. Try again.",
        party.for_people()
    );
    Some(Failure::new(Code::Unavailable, msg))
}

/// Who is meant, who must be on, and his name.
fn listener(call: &Call<'_>, to: &str) -> Result<(Principal, Party), Failure> {
    if let Party::Visitor(name) = Party::parse(to) {
        let id = call.state.visitors.named(&crate::state::names::fold(&name));
        let gone = || Failure::new(Code::NotFound, "There is no such visitor.");
        let who = principal(id.ok_or_else(gone)?);
        let party = call.state.party(call.memory, who);
        let is_there = call.state.online.is_on(who) || call.state.reachable(who).is_some();
        return if is_there { Ok((who, party)) } else { Err(away(call, who, &party).unwrap_or_else(gone)) };
    }
    let found = call.memory.player_named(to);
    let (id, name) = found.map_err(|failure| visitors::or_a_visitor(call.state, to, failure))?;
    let who = Principal::from(id);
    if call.memory.is_barred(who) {
        return Err(Failure::new(Code::Denied, format!("{name} is disabled, and is not on.")));
    }
    if !call.state.online.is_on(who) && call.state.reachable(who).is_none() {
        let gone = || Failure::new(Code::NotFound, format!("{name} is not on. MAIL SEND {name} leaves a letter."));
        return Err(away(call, who, &Party::Player(name.clone())).unwrap_or_else(gone));
    }
    Ok((who, Party::Player(name)))
}

/// `TELL`: a line to somebody who is on now, kept nowhere.
pub fn tell(call: Call<'_>, request: Tell) -> Plan {
    if let Err(failure) = check(&request.body, "tell", " MAIL SEND takes more.") {
        return failure.into();
    }
    let found = talker(&call).and_then(|me| Ok((me, listener(&call, &request.to)?)));
    let (me, (receiver, to)) = match found {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    Plan::Look(Box::new(move |reader| {
        if let Some(player) = receiver.as_player()
            && reader.blocks(player, me.id)?
        {
            return refuse(Code::Denied, format!("{} does not listen to you.", to.for_people()));
        }
        let event = Event::Tell(TellArrived { from: me.party(), body: request.body, at: Time::now() });
        let news = vec![News::Tell { to: Audience::Principal(receiver), event }];
        let reply = Reply::TellDelivered(TellDelivered { to: to.to_string() });
        Ok(ReadOutcome::Volatile(Volatile { reply, news, entries: Vec::new() }))
    }))
}

/// `BROADCAST`: a line to everybody who is connected now.
pub fn broadcast(access: Access<'_>, request: Broadcast) -> Plan {
    if let Err(failure) = check(&request.body, "broadcast", "") {
        return failure.into();
    }
    let from = match &access.by {
        By::Player(me) => me.party(),
        By::Operator | By::Server | By::Other => Party::Backend,
    };
    let event = Event::Broadcast(TellArrived { from, body: request.body, at: Time::now() });
    let news = vec![News::Tell { to: Audience::Everyone, event }];
    // Who asks hears it as well, and is not in the lists while he does.
    let himself = usize::from(matches!(access.by, By::Player(_)));
    let receivers = access.state.everyone().len() + himself + access.state.hosts_of_guests().len();
    let receivers = u32::try_from(receivers);
    let reply = Reply::Broadcasted(Broadcasted { receivers: receivers.unwrap_or(u32::MAX) });
    Plan::Volatile(Volatile { reply, news, entries: Vec::new() })
}
