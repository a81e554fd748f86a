//! How a session begins at this handler: anew, or where the handler before this one has left it. Part of the event loop.

use crate::core::{Identity, SessionRef, read};
use crate::dispatch::Plan;
use crate::journal::Entry;
use crate::players;
use crate::server::Server;
use crate::tickets::Sealed;
use ssmglobal_ipc::*;
use ssmglobal_store::Owner;
use std::time::{Duration, Instant};

/// The first request on a link.
pub fn open(server: &mut Server, slot: usize, number: u64, open: Open) -> Plan {
    let Some(session) = server.session_mut(slot) else { return Plan::Silent };
    let pid = session.pid;
    if !server.children.contains_key(&pid) {
        server.find_untold(pid, open.session);
    }
    match server.children.get(&pid).map(|client| (client.session, client.address, client.at)) {
        Some((there, address, at)) if there == open.session => {
            if let Some(session) = server.session_mut(slot) {
                session.address = Some(address);
                session.since = at;
            }
        }
        Some((there, ..)) if there > open.session => return Plan::Banish("it claims another's session".into()),
        // The listener's word of this worker is still on its way; what is known of the process id is of one before.
        _ => {
            if let Some(session) = server.session_mut(slot) {
                session.held = Some((number, open));
            }
            return Plan::Silent;
        }
    }
    if server.banished.contains(&open.session) {
        return Plan::Banish("it was ended before".into());
    }
    let sealed = match open.ticket.as_ref().map(|ticket| server.tickets.open(ticket, open.session)) {
        None => Sealed { who: None, proved: Time::default() },
        Some(Some(sealed)) => sealed,
        Some(None) => return Plan::Banish("its ticket is not one of its session".into()),
    };
    begin(server, slot, &open, sealed);
    Plan::Now(Reply::Welcome(Welcome { session: open.session }))
}

fn begin(server: &mut Server, slot: usize, open: &Open, sealed: Sealed) {
    let Some(session) = server.session_mut(slot) else { return };
    let at = SessionRef { slot, id: session.id };
    session.number = open.session;
    if let Some(before) = server.by_session.insert(open.session, slot) {
        server.replaced(before);
    }
    let Some(session) = server.session_mut(slot) else { return };
    session.link.belongs_to(open.session);
    session.fresh = open.next;
    let now = Instant::now();
    session.last = now.checked_sub(Duration::from_secs(open.idle)).unwrap_or(now);
    server.set_mode(slot, open.mode);
    let identity = sealed.who.and_then(|owner| named(server, owner));
    let revoked = server.revoked.get(&open.session).is_some_and(|upto| sealed.proved <= *upto);
    let barred = sealed.who.is_some_and(|owner| server.barred.contains(&owner));
    match identity {
        Some(_) if revoked || barred => {
            // Whoever was logged out before: the word of that is on its way to the worker, or is asked for again.
            if !revoked {
                let msg = "You were logged out by the operator.".to_owned();
                server.push(at, &Event::LoggedOut(Notice { msg }));
            }
            server.give_ticket(slot);
            if let Some(session) = server.session_mut(slot) {
                session.logged_out = true;
            }
        }
        Some(identity) => {
            restore_world(server, at, open.session, &identity);
            players::enter(server, at, identity, sealed.proved);
        }
        None => {}
    }
    if open.ticket.is_none() {
        server.give_ticket(slot);
    }
    server.journal.append(&Entry::Linked { session: open.session });
    server.expected.remove(&open.session);
    for (number, event) in server.found.pushes.remove(&open.session).into_iter().flatten() {
        if number > open.heard {
            server.tell(at, number, &event);
        }
    }
    for subscription in open.subscriptions.iter().take(crate::records::WATCHES) {
        let Topic::Board(board) = &subscription.topic else { continue };
        let found = read(&server.core.boards).find(board).map(|ranking| ranking.board.id);
        if let Some(board) = found {
            crate::records::subscribe(server, at, board);
        }
    }
}

/// What a game server says of itself is still true.
fn restore_world(server: &mut Server, at: SessionRef, session: u64, identity: &Identity) {
    if let (Identity::Server(_, name), Some(world)) = (identity, server.found.worlds.remove(&session))
        && world.name == *name
    {
        server.hub.worlds.insert(name.to_ascii_lowercase(), (at, world));
    }
}

fn named(server: &Server, owner: Owner) -> Option<Identity> {
    match owner {
        Owner::Player(id) => {
            let name = read(&server.core.directory).name(id).to_owned();
            (!name.is_empty()).then_some(Identity::Player(id, name))
        }
        Owner::Server(id) => {
            let name = read(&server.core.servers).get(&id).cloned()?;
            Some(Identity::Server(id, name))
        }
    }
}

impl Server {
    /// A session goes on in another slot.
    fn replaced(&mut self, slot: usize) {
        if let Some(before) = self.session_mut(slot) {
            before.number = 0;
            self.end_soon(slot);
        }
    }

    /// What tickets have said so far of who a session is holds no longer, for this handler and those after it.
    pub fn revoke(&mut self, slot: usize) {
        let Some(session) = self.session(slot).filter(|session| session.identity.is_some()) else { return };
        let (session, upto) = (session.number, session.proved);
        self.revoked.insert(session, upto);
        self.journal.append(&Entry::Revoked { session, upto });
    }

    /// A time that a ticket may say which is to hold.
    pub fn after_revoked(&self, at: SessionRef, proved: Time) -> Time {
        let revoked = self.live(at).and_then(|session| self.revoked.get(&session.number));
        revoked.map_or(proved, |upto| proved.max(Time(upto.0 + 1)))
    }

    /// Gives a session's worker a ticket that says who it is now.
    pub fn give_ticket(&mut self, slot: usize) {
        let Some(session) = self.session(slot).filter(|session| session.number != 0) else { return };
        let ticket = self.tickets.seal(session.number, session.identity.as_ref(), session.proved);
        let at = SessionRef { slot, id: session.id };
        self.tell(at, 0, &Event::Ticket(ticket));
    }

    /// Answers a request that a handler before this one has done; false when none has.
    pub fn repeat(&mut self, slot: usize, number: u64) -> bool {
        let Some((to, at)) = self.reply_to(slot, number) else { return true };
        let (session, _) = to.link.asked();
        let stored = crate::link::lock(&self.core.results).find(session, number).cloned();
        let Some(outcome) = stored.or_else(|| self.found.done.get(&(session, number)).cloned()) else { return false };
        let (reply, identity) = outcome.told(&self.core, &read(&self.core.boards));
        if let Some(identity) = identity {
            self.forget_identity(slot);
            players::enter(self, at, identity, Time::now());
            self.give_ticket(slot);
        }
        self.batch_reply(&to, &reply);
        true
    }
}
