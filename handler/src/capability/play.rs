//! Playing a world: whether somebody may, and what a worker says of it. The connection is the event loop's.

use super::entry::VIP;
use super::{Call, Plan, visitors};
use crate::lock::read;
use crate::state::memory::{Memory, no_such_world, world_name};
use crate::state::names::fold;
use crate::state::plays::{Played, Wish};
use crate::state::terms::{terms_of, worlds_played};
use crate::state::throttle::Tried;
use ssmglobal_config::Settings;
use ssmglobal_ipc::{
    Code, Failure, Kind, PlayAt, PlayEnd, PlayEnded, PlayLeft, PlayStart, PlayVerdict, Reply, Time, nearest,
};
use ssmglobal_store::KeptLicence;
use std::sync::Arc;

/// Characters of a world's name that are looked at.
const NAME: usize = 64;

/// How the world of this name is played, if it is.
pub fn played(memory: &Memory, settings: &Settings, name: &str) -> Option<Played> {
    let (name, terms) = terms_of(memory, settings, name)?;
    Some(Played { key: fold(&name).into(), name: name.into(), terms: Arc::new(terms) })
}

/// The world of this name.
fn world_meant(call: &Call<'_>, name: &str) -> Result<Played, Failure> {
    let name: String = world_name(name).chars().take(NAME).collect();
    played(call.memory, call.settings, &name).ok_or_else(|| match call.memory.licence_named(&name) {
        Ok(licence) => {
            let msg = format!("{} cannot be played from here. WORLD ENTER {0} says where it is.", licence.name);
            Failure::new(Code::NotRunning, msg)
        }
        Err(_) => call.memory.guesses.guess(no_such_world(&name), || {
            let worlds = worlds_played(call.memory, call.settings);
            nearest(&name, worlds.iter().map(String::as_str)).map(str::to_owned)
        }),
    })
}

/// Whether a session came in by a door that leads to this world.
fn came_by_its_door(call: &Call<'_>, world: &Played) -> bool {
    let door = call.session.door.and_then(|door| call.settings.doors().into_iter().nth(door as usize));
    door.and_then(|door| door.world).is_some_and(|leads_to| fold(&leads_to) == *world.key)
}

/// Whether whoever asks is let into a world, in the order in which he is told why not.
fn may_play(call: &Call<'_>, world: &Played, there: bool) -> Result<(), Failure> {
    let name = &world.name;
    let licence = read(&call.memory.licences).named(name).cloned();
    if let Some(licence) = &licence {
        if let Some(reason) = &licence.disabled {
            return Err(Failure::new(Code::Denied, format!("{name} is closed: {reason}")));
        }
        if licence.has_expired(Time::now()) {
            return Err(Failure::new(Code::NotRunning, format!("{name} is not open any more. Ask the operator.")));
        }
    }
    if there || came_by_its_door(call, world) {
        return Ok(());
    }
    call.somebody()?;
    licence.map_or(Ok(()), |licence| is_let_in(call, &licence))
}

/// What the licence of a world asks of who did not come by a door of it.
fn is_let_in(call: &Call<'_>, licence: &KeptLicence) -> Result<(), Failure> {
    let name = &licence.name;
    let player = call.player().map(|me| me.id);
    let universe = call.memory.universe();
    if player.is_none() && !universe.visitors {
        return Err(visitors::not_let_in(&universe));
    }
    if player.is_none() && !licence.visitors {
        let msg = format!("{name} lets no visitors in. {}", visitors::way_out(&universe));
        return Err(Failure::new(Code::NoVisitors, msg));
    }
    let hosting = call.state.hosted.get(licence.id);
    let users = hosting.map_or(0, |hosting| hosting.users);
    let is_vip = player.is_some_and(|player| call.memory.has_right(player, VIP));
    if users >= licence.users && !is_vip {
        return Err(Failure::new(Code::Full, format!("{name} is full: {users} are there. Try again later.")));
    }
    let limit = player.and_then(|player| call.memory.rating_of(player));
    let rated = hosting.zip(limit).filter(|(hosting, limit)| hosting.rating > *limit);
    if let Some((hosting, limit)) = rated {
        let (rating, limit) = (hosting.rating.as_str(), limit.as_str());
        let msg = format!("{name} is rated {rating}, and you want worlds up to {limit}: RATING changes that.");
        return Err(Failure::new(Code::Rated, msg));
    }
    Ok(())
}

/// A worker wants a connection to a world for its client.
pub fn start(mut call: Call<'_>, request: PlayStart) -> Plan {
    let world = match world_meant(&call, &request.world) {
        Ok(world) => world,
        Err(failure) => return failure.into(),
    };
    let PlayStart { world: _, since, word, again } = request;
    let own = call.session.number;
    let (mut from, mut tried) = (None, None);
    if let Some(word) = word {
        let shown = match call.may_try(Tried::key(call.network()), Kind::PlayStart, None) {
            Ok(shown) => shown,
            Err(failure) => return failure.into(),
        };
        let found = call.state.plays.by_word(&word).filter(|(_, key)| **key == world.key);
        let found = found.map(|(session, _)| session);
        from = found.filter(|session| *session != own);
        tried = Some((shown, found.is_some()));
    }
    let there = from.is_some() || call.state.plays.get(own, &world.key).is_some();
    let wrong = tried.as_ref().is_some_and(|(_, good)| !good);
    match may_play(&call, &world, there) {
        // That the word is wrong is said first.
        Err(failure) if !wrong => failure.into(),
        _ => Plan::Play(Wish::Start { world, since, from, tried, again }),
    }
}

/// Its connection has ended. Of a session that is not known to be there, as the handler before this one has known it, nothing is
/// looked at: it waits, and has to say that it does, with its word.
pub fn ended(call: Call<'_>, request: PlayEnded) -> Plan {
    let world = match world_meant(&call, &request.world) {
        Ok(world) => world,
        Err(failure) => return failure.into(),
    };
    match call.state.plays.get(call.session.number, &world.key) {
        Some(_) => Plan::Play(Wish::Ended { world }),
        None => Plan::Reply(Reply::PlayVerdict(PlayVerdict { world: world.name.to_string(), end: PlayEnd::Down })),
    }
}

/// How a session is at a world.
pub fn at(call: Call<'_>, request: PlayAt) -> Plan {
    let world = match world_meant(&call, &request.world) {
        Ok(world) => world,
        Err(failure) => return failure.into(),
    };
    let PlayAt { world: _, state, word, idle } = request;
    Plan::Play(Wish::At { world, state, word, idle })
}

/// A session is at a world no longer.
pub fn left(_: Call<'_>, request: PlayLeft) -> Plan {
    let key = fold(&world_name(&request.world));
    Plan::Play(Wish::Left { key: key.into() })
}
