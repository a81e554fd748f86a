//! The session's links, one after the other: when the handler dies, the session goes on with the next one where it was.
//! Runs in a worker.

use super::{DESK, LINK, Session};
use crate::link::{Link, is_deserted};
use mio::unix::SourceFd;
use ssmglobal_ipc::{Code, Event, Notice, Open, Reply, Request};
use std::os::fd::AsRawFd;
use std::time::Instant;

/// What a client is told whose request has outlived too many handlers.
const UNKNOWN: &str = "The backend was restarted before it answered. Look whether it was done, then try again.";

/// What a client is told when no handler can be had any more.
pub(super) const GONE: &str = "The backend is gone. What it has answered is saved; connect again to go on.";

/// Why there is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unlinked {
    /// The kernel has no room for one at the moment.
    Busy,
    /// The listener is gone, and the handler: nobody will ever take a link again.
    Deserted,
}

impl Session<'_> {
    /// Makes a link if there is none.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn linked(&mut self) -> Result<(), Unlinked> {
        if self.link.is_some() {
            return Ok(());
        }
        match Link::open(self.desk, self.poll.registry(), LINK) {
            Ok(link) => self.link = Some(link),
            Err(error) if is_deserted(&error) => return Err(Unlinked::Deserted),
            Err(_) => return Err(Unlinked::Busy),
        }
        self.watch_desk();
        self.begin();
        Ok(())
    }

    /// The handler has something to say to this client, and knows no link. If there is one that another worker has made, the
    /// listener has died before it could tell of this one: a link of its own says whose it is.
    pub(super) fn woken(&mut self) {
        if self.inherited && self.sent.since().is_none() {
            // What has come on it was said once.
            self.read_all();
            self.link_lost();
        }
        // What cannot be heard now is said to the next link.
        let _ = self.linked();
    }

    /// The front desk had no room: waits for it.
    fn watch_desk(&mut self) {
        if !self.desk_watched && self.link.as_ref().is_some_and(Link::waits_for_desk) {
            self.desk_watched = ssmglobal_sys::watch_in_turn(&self.poll, self.desk, DESK.0).is_ok();
        }
    }

    /// The link is handed over: what others do at the front desk does not wake this process any more.
    pub(super) fn leave_desk(&mut self) {
        if self.desk_watched && !self.link.as_ref().is_some_and(Link::waits_for_desk) {
            self.desk_watched = self.poll.registry().deregister(&mut SourceFd(&self.desk.as_raw_fd())).is_err();
        }
    }

    /// Says whose link this is, and asks everything again that was not answered.
    fn begin(&mut self) {
        if !self.client.is_slow() {
            // What is in the rings need not be asked for.
            self.read_rings();
        }
        let open = Open {
            session: self.session,
            mode: self.mode_there,
            next: self.sent.next(),
            ticket: self.ticket.clone(),
            last_push: self.heard,
            idle: self.last_line.elapsed().as_secs(),
            subscriptions: self.subscriptions.iter().cloned().collect(),
        };
        self.tell(&Request::Open(open));
        self.rejoin();
        let Some(link) = &mut self.link else { return };
        let acked = self.sent.acked();
        for sent in self.sent.iter() {
            link.ask(sent.number, &sent.request, acked, sent.key.as_deref());
        }
    }

    /// Asks something that is not asked again as it is; gives its number.
    pub(super) fn tell(&mut self, request: &Request) -> u64 {
        let number = self.sent.number();
        if let Some(link) = &mut self.link {
            link.ask(number, request, 0, None);
        }
        number
    }

    /// The handler is gone. The next one is told where this session was.
    pub(super) fn link_lost(&mut self) {
        let Some(link) = self.link.take() else { return };
        self.inherited = false;
        // Over which request it died is not known; over none of those that it went on after.
        let fatal = link.welcome && !link.answered;
        link.close(self.poll.registry());
        self.rejoins.clear();
        self.rings.clear();
        self.fetches.clear();
        self.lost.get_or_insert_with(Instant::now);
        if fatal {
            let given_up = self.sent.died();
            self.give_up(&given_up, UNKNOWN);
        }
        if !self.ending && self.linked().is_err() {
            self.deserted();
        }
    }

    /// Neither a listener nor a handler is left. Who has a link hears what came on it first, and then of its end.
    pub(super) fn left_alone(&mut self) {
        if self.link.is_none() && self.linked().is_err() {
            self.deserted();
        }
    }

    /// Nobody is left who could serve this session, and whoever comes next knows nothing of it.
    pub(super) fn deserted(&mut self) {
        if std::mem::replace(&mut self.ending, true) {
            return;
        }
        self.lost = None;
        let given_up = self.sent.lost();
        self.give_up(&given_up, GONE);
        self.show_event(&Event::Close(Notice { msg: GONE.to_owned() }));
    }

    fn give_up(&mut self, numbers: &[u64], msg: &str) {
        for number in numbers {
            self.answer(*number, &Reply::fail(Code::Unavailable, msg));
        }
        if self.barrier.is_some_and(|barrier| numbers.contains(&barrier)) {
            self.barrier = None;
        }
    }
}
