//! The worker's links, one after the other: when the handler dies, the session goes on with the next one where it was.
//! Runs in a worker.

use super::link::{Link, is_deserted};
use super::playing::Playing;
use super::{LINK, RENDEZVOUS, Worker};
use mio::unix::SourceFd;
use ssmglobal_ipc::{Open, Request};
use std::os::fd::AsRawFd;
use std::time::Instant;

/// What a client is told whose request has outlived too many handlers.
const UNKNOWN: &str = "The backend was restarted before it answered. Look whether it was done, then try again.";

/// Why there is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unlinked {
    /// The kernel has no room for one at the moment.
    Busy,
    /// The listener is gone, and the handler: nobody will ever take a link again.
    Deserted,
}

impl Worker<'_> {
    /// Makes a link if there is none.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn linked(&mut self) -> Result<(), Unlinked> {
        if self.link.is_some() {
            return Ok(());
        }
        match Link::open(self.rendezvous, self.poll.registry(), LINK) {
            Ok(link) => self.link = Some(link),
            Err(error) if is_deserted(&error) => return Err(Unlinked::Deserted),
            Err(_) => return Err(Unlinked::Busy),
        }
        self.watch_rendezvous();
        self.begin();
        Ok(())
    }

    /// The handler has something to say to this client, and knows no link. If there is one that another worker has made, the
    /// listener has died before it could tell of this one: a link of its own says whose it is.
    pub(super) fn woken(&mut self) {
        if self.inherited && self.session.asked().is_quiet() {
            // What has come on it was said once.
            self.read_all();
            self.link_lost();
        }
        // What cannot be heard now is said to the next link.
        let _ = self.linked();
    }

    /// There was no room to hand the link over: waits for it.
    fn watch_rendezvous(&mut self) {
        if !self.rendezvous_watched && self.link.as_ref().is_some_and(Link::is_held_back) {
            self.rendezvous_watched = ssmglobal_sys::watch_in_turn(&self.poll, self.rendezvous, RENDEZVOUS.0).is_ok();
        }
    }

    /// The link is handed over: what others do at the rendezvous does not wake this process any more.
    pub(super) fn leave_rendezvous(&mut self) {
        if self.rendezvous_watched && !self.link.as_ref().is_some_and(Link::is_held_back) {
            let mut source = SourceFd(&self.rendezvous.as_raw_fd());
            self.rendezvous_watched = self.poll.registry().deregister(&mut source).is_err();
        }
    }

    /// Says whose link this is, and asks everything again that was not answered.
    fn begin(&mut self) {
        if !self.client.stack().is_slow() {
            // What is in the rings need not be asked for.
            self.read_rings();
        }
        let open = Open {
            session: self.session.number(),
            mode: self.session.confirmed_mode(),
            next: self.session.asked().next(),
            ticket: self.session.ticket().cloned(),
            last_push: self.session.last_push(),
            idle: self.client.last_line().elapsed().as_secs(),
            subscriptions: self.subscriptions.iter().cloned().collect(),
        };
        self.tell(&Request::Open(open));
        self.rejoin();
        self.say_where_it_plays();
        let Some(link) = &mut self.link else { return };
        let asked = self.session.asked();
        let acked = asked.acked();
        for open in asked.iter() {
            link.ask(open.number, &open.request, acked, open.key.as_deref());
        }
    }

    /// The handler is gone. The next one is told where this session was.
    pub(super) fn link_lost(&mut self) {
        let Some(link) = self.link.take() else { return };
        self.inherited = false;
        // Over which request it died is not known; over none of those that it went on after.
        let fatal = link.welcome && !link.answered;
        link.close(self.poll.registry());
        self.errands.clear();
        self.lost.get_or_insert_with(Instant::now);
        if fatal {
            let given_up = self.session.asked().died();
            self.session.give_up(self.client.stack(), &given_up, UNKNOWN);
        }
        if !self.session.is_ending() && self.linked().is_err() {
            self.deserted();
        }
    }

    /// Neither a listener nor a handler is left. Who has a link hears what came on it first, and then of its end.
    pub(super) fn left_alone(&mut self) {
        if self.link.is_none() && self.linked().is_err() {
            self.deserted();
        }
    }

    /// Nobody is left who could serve this session. Who plays goes on with that, as long as there is a world.
    pub(super) fn deserted(&mut self) {
        self.lost = None;
        let plays = self.playing.as_ref().is_some_and(Playing::has_world);
        let stack = self.client.stack();
        if plays { self.session.forsaken(stack) } else { self.session.deserted(stack) }
    }
}
