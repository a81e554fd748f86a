//! The list of worlds: what game servers that opted in say of themselves. In memory only, gone with the connection.

use crate::dispatch::Plan;
use crate::journal::Entry;
use crate::server::{Server, behind, next_page};
use ssmglobal_ipc::*;

/// Bytes of a map's name, of an address, of the free text.
const MAP: usize = 128;
const ADDRESS: usize = 255;
const TEXT: usize = 1024;

/// `STATUS SET`.
pub fn set(server: &mut Server, slot: usize, number: u64, request: StatusSet) -> Plan {
    let text = request.text.unwrap_or_default();
    if request.map.len() > MAP || text.len() > TEXT || request.address.as_ref().is_some_and(|it| it.len() > ADDRESS) {
        let msg = format!("A map has at most {MAP} bytes, an address {ADDRESS}, the text {TEXT}.");
        return Failure::new(Code::TooLong, msg).into();
    }
    let Some((_, at)) = server.reply_to(slot, number) else { return Plan::Silent };
    let Some(session) = server.session(slot) else { return Plan::Silent };
    let Some(name) = session.name().map(str::to_owned) else { return Plan::Silent };
    // The port that the connection comes from is nobody's to connect to.
    let own = || session.address.map_or_else(String::new, |address| address.ip().to_canonical().to_string());
    let address = request.address.unwrap_or_else(own);
    let (map, players, max) = (request.map, request.players, request.max);
    let world = World { name: name.clone(), address, map, players, max, text, at: Time::now() };
    let session = session.number;
    server.journal.append(&Entry::World { session, world: world.clone() });
    server.hub.worlds.insert(name.to_ascii_lowercase(), (at, world));
    Plan::Now(Reply::Done(Done {}))
}

/// `STATUS CLEAR`.
pub fn clear(server: &mut Server, slot: usize, _: u64) -> Plan {
    let Some(name) = server.session(slot).and_then(|session| session.name()) else { return Plan::Silent };
    let name = name.to_owned();
    server.forget_world(&name);
    Plan::Now(Reply::Done(Done {}))
}

/// `WORLDS`.
pub fn worlds(server: &mut Server, _: usize, _: u64, page: Page) -> Plan {
    let limit = server.page_limit(page.limit);
    let after = page.after.map(|after| after.to_ascii_lowercase());
    let range = server.hub.worlds.range::<str, _>(behind(after.as_deref()));
    let mut worlds: Vec<World> = range.take(limit + 1).map(|(_, (_, world))| world.clone()).collect();
    let next = next_page(&mut worlds, limit, |world| world.name.clone());
    let total = u32::try_from(server.hub.worlds.len()).unwrap_or(u32::MAX);
    Plan::Now(Reply::Worlds(Worlds { worlds, total, next }))
}

impl Server {
    /// A game server says nothing of itself any more.
    pub fn forget_world(&mut self, name: &str) {
        if self.hub.worlds.remove(&name.to_ascii_lowercase()).is_some() {
            self.journal.append(&Entry::NoWorld { name: name.to_owned() });
        }
    }
}
