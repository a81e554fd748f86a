//! The list of worlds: what game servers that opted in say of themselves. In memory only, gone with the connection.

use super::{Call, Me, Plan, check_length};
use crate::lock::read;
use crate::state::hosting::Hosting;
use crate::state::names::Name;
use crate::state::pages::next_page;
use crate::state::worlds::World as Said;
use ssmglobal_ipc::*;
use ssmglobal_store::{KeptLicence, ServerId};

/// Bytes of a map's name, of an address, of the free text.
const MAP: usize = 128;
const ADDRESS: usize = 255;
const TEXT: usize = 1024;

/// `STATUS SET`.
pub fn set(call: Call<'_>, me: Me<ServerId>, request: StatusSet) -> Plan {
    let text = request.text.unwrap_or_default();
    let address = request.address.as_ref().map_or(0, String::len);
    let lengths = [("A map", request.map.len(), MAP), ("An address", address, ADDRESS), ("A text", text.len(), TEXT)];
    if let Err(failure) = lengths.into_iter().try_for_each(|(what, length, most)| check_length(what, length, most)) {
        return failure.into();
    }
    if call.memory.universe().licence {
        let msg = "Worlds need a licence here: HOST START name password port. Ask the operator for one.";
        return Failure::new(Code::Denied, msg).into();
    }
    let licensed = read(&call.memory.licences).like(&Name::of_server(&me.name)).map(|licence| licence.name.clone());
    if let Some(licensed) = licensed {
        let msg = format!("The name of the world {licensed} is licensed: HOST START {licensed} password port.");
        return Failure::new(Code::Denied, msg).into();
    }
    let session = call.session;
    // The port that the connection comes from is nobody's to connect to.
    let own = || session.address.map_or_else(String::new, |address| address.ip().to_canonical().to_string());
    let address = request.address.unwrap_or_else(own);
    let (map, players, max) = (request.map, request.players, request.max);
    let (host, name) = (session.number, me.name.to_string());
    let id = call.state.worlds.id_for(host, &name);
    let at = call.state.worlds.time_for(&name, Time::now());
    call.state.say_world(id, Said { host, name, address, map, players, max, text, at });
    Plan::done()
}

/// `STATUS CLEAR`.
pub fn clear(call: Call<'_>, me: Me<ServerId>) -> Plan {
    if let Some(id) = call.state.worlds.word_of(call.session.number, &me.name) {
        call.state.forget_world(id);
    }
    Plan::done()
}

/// What is shown of a world, and what a row has gained since.
type Shown = (World, WorldMore);

fn of_server(said: &Said) -> Shown {
    let Said { host: _, name, address, map, players, max, text, at } = said.clone();
    (World { name, address, map, players, max, text, at }, WorldMore::default())
}

/// Where it is, one learns by asking to be let in.
fn of_licence(licence: &KeptLicence, hosting: &Hosting) -> Shown {
    let (name, address, map) = (licence.name.clone(), String::new(), hosting.map.clone());
    let text = if hosting.text.is_empty() { licence.comment.clone() } else { hosting.text.clone() };
    let world = World { name, address, map, players: hosting.users, max: licence.users, text, at: hosting.at };
    (world, WorldMore { status: hosting.status(), rating: hosting.rating, licensed: true })
}

/// How many worlds WORLDS tells of.
pub fn count(call: &Call<'_>) -> usize {
    // Those without a licence are kept for the day on which they are shown again.
    let of_servers = if call.memory.universe().licence { 0 } else { call.state.worlds.len() };
    of_servers + call.state.hosted.listed()
}

/// `WORLDS`: a page of the worlds that are open now.
pub fn worlds(call: Call<'_>, page: Page) -> Plan {
    let limit = call.page_limit(page.limit);
    let after = page.after.as_deref().map(crate::state::names::fold);
    let licences = read(&call.memory.licences);
    let unlicensed = !call.memory.universe().licence;
    let mut of_servers = call.state.worlds.iter_after(after.as_deref()).filter(|_| unlicensed).peekable();
    let mut of_licences = call.state.hosted.listed_after(after.as_deref()).peekable();
    let mut shown: Vec<Shown> = Vec::new();
    while shown.len() <= limit {
        let licensed_first = match (of_servers.peek(), of_licences.peek()) {
            (None, None) => break,
            (Some((one, _)), Some((other, ..))) => other < one,
            (server, _) => server.is_none(),
        };
        match licensed_first {
            true => shown.extend(
                of_licences.next().and_then(|(_, world, hosting)| Some(of_licence(licences.get(world)?, hosting))),
            ),
            false => shown.extend(of_servers.next().map(|(_, said)| of_server(said))),
        }
    }
    let next = next_page(&mut shown, limit, |(world, _)| world.name.clone());
    let total = u32::try_from(count(&call)).unwrap_or(u32::MAX);
    let (worlds, more): (Vec<World>, Vec<WorldMore>) = shown.into_iter().unzip();
    Plan::Reply(Reply::Worlds(Worlds { worlds, total, next, more }))
}
