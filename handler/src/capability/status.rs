//! The list of worlds: what game servers that opted in say of themselves. In memory only, gone with the connection.

use super::{Call, Me, Plan};
use crate::state::pages::next_page;
use crate::state::worlds::World as Said;
use ssmglobal_ipc::*;
use ssmglobal_store::ServerId;

/// Bytes of a map's name, of an address, of the free text.
const MAP: usize = 128;
const ADDRESS: usize = 255;
const TEXT: usize = 1024;

/// `STATUS SET`.
pub fn set(call: Call<'_>, me: Me<ServerId>, request: StatusSet) -> Plan {
    let text = request.text.unwrap_or_default();
    if request.map.len() > MAP || text.len() > TEXT || request.address.as_ref().is_some_and(|it| it.len() > ADDRESS) {
        let msg = format!("A map has at most {MAP} bytes, an address {ADDRESS}, the text {TEXT}.");
        return Failure::new(Code::TooLong, msg).into();
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

/// `WORLDS`.
pub fn worlds(call: Call<'_>, page: Page) -> Plan {
    let limit = call.page_limit(page.limit);
    let all = &call.state.worlds;
    let shown = |said: &Said| {
        let Said { host: _, name, address, map, players, max, text, at } = said.clone();
        World { name, address, map, players, max, text, at }
    };
    let mut worlds: Vec<World> = all.iter_after(page.after.as_deref()).take(limit + 1).map(shown).collect();
    let next = next_page(&mut worlds, limit, |world| world.name.clone());
    let total = u32::try_from(all.len()).unwrap_or(u32::MAX);
    Plan::Reply(Reply::Worlds(Worlds { worlds, total, next }))
}
