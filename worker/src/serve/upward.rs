//! What goes up to the handler, and what comes from there. Runs in a worker.

use super::link::Came;
use super::resume::Unlinked;
use super::{LINK, Worker};
use crate::session::{Ask, GONE};
use ssmglobal_ipc::frame::Class;
use ssmglobal_ipc::{
    DecodeError, Event, List, ListWatched, Mssp, Position, PreferenceSet, Reply, Request, SetMode, Subscription, Topic,
};
use std::os::fd::OwnedFd;

/// What a client is told when there is no room for a link.
pub(super) const BUSY: &str = "The backend cannot be reached at the moment. Try again later.";

/// What the worker asks the handler by itself, for what its client listens to.
pub enum Errand {
    /// A channel's ring, to go on after a link was lost.
    Rejoin(String),
    /// A list's ring.
    Ring(List),
    /// Messages of a channel that were kept.
    Fetch(String),
    /// A connection to this world, which the client wants to play.
    PlayStart(String),
    /// Why that to this world has ended.
    PlayEnded(String),
    /// Where the client plays, which is only told.
    PlayTold,
}

/// Those that are open, by the numbers of their requests. As many as the client listens to things, at the most.
#[derive(Default)]
pub struct Errands(Vec<(u64, Errand)>);

impl Errands {
    /// One was sent under this number.
    pub fn add(&mut self, number: u64, errand: Errand) {
        self.0.push((number, errand));
    }

    /// The one that this number's answer is for.
    fn take(&mut self, number: u64) -> Option<Errand> {
        let index = self.0.iter().position(|(other, _)| *other == number)?;
        Some(self.0.swap_remove(index).1)
    }

    /// Whether a list's ring was asked for.
    pub fn has_ring(&self, list: List) -> bool {
        self.0.iter().any(|(_, errand)| matches!(errand, Errand::Ring(other) if *other == list))
    }

    /// No answer comes any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Worker<'_> {
    /// Asks the handler for what the session wants.
    pub(super) fn ask(&mut self, ask: Ask) {
        match ask {
            Ask::Play(wish) => return self.on_wish(wish),
            Ask::Leave => return self.leave_world(),
            Ask::Command { .. } | Ask::Mode(_) | Ask::Mssp { .. } => {}
        }
        match self.linked() {
            Ok(()) => {}
            Err(Unlinked::Deserted) => {
                self.session.cannot_ask(self.client.stack(), &ask, GONE);
                return self.deserted();
            }
            Err(Unlinked::Busy) => return self.session.cannot_ask(self.client.stack(), &ask, BUSY),
        }
        match ask {
            Ask::Command { command, request, id, key } => {
                let number = self.next_number();
                self.session.waits_for(number, command, &request, id);
                self.send(number, request, key.as_deref());
            }
            Ask::Play(_) | Ask::Leave => {}
            Ask::Mssp { plain } => {
                let number = self.next_number();
                self.send(number, Request::Mssp(Mssp { plain }), None);
            }
            Ask::Mode(mode) => {
                let number = self.next_number();
                self.session.waits_for_mode(number);
                self.send(number, Request::SetMode(SetMode { mode }), None);
            }
        }
    }

    fn next_number(&mut self) -> u64 {
        self.session.asked().number()
    }

    /// Sends a request that is asked again should the handler die over it.
    fn send(&mut self, number: u64, request: Request, key: Option<&str>) {
        let at = self.client.last_line();
        let asked = self.session.asked();
        let first = asked.since().is_none();
        if let Some(link) = &mut self.link {
            link.answered &= !first;
            link.ask(number, &request, asked.acked().min(number.saturating_sub(1)), key);
        }
        asked.add(number, request, key, at);
    }

    /// Asks something that is not asked again as it is; gives its number.
    pub(super) fn tell(&mut self, request: &Request) -> u64 {
        let number = self.next_number();
        if let Some(link) = &mut self.link {
            link.ask(number, request, 0, None);
        }
        number
    }

    pub(super) fn hand_over(&mut self) {
        if let Some(link) = &mut self.link
            && link.hand_over(self.rendezvous).is_err()
        {
            self.link_lost();
        }
        self.leave_rendezvous();
    }

    pub(super) fn flush_link(&mut self) {
        // Again over the next link: nothing else would wake this process to send what is asked once more.
        while let Some(link) = &mut self.link
            && link.flush(self.poll.registry(), LINK).is_err()
        {
            // What it has said before its end is still there.
            self.read_all();
            self.link_lost();
        }
    }

    pub(super) fn read_link(&mut self, ended: bool) {
        if let Some(link) = &mut self.link {
            link.ended |= ended;
        }
        if self.read_all() == Came::Gone {
            self.link_lost();
        }
    }

    /// Reads what the handler has said; gives whether it is gone.
    pub(super) fn read_all(&mut self) -> Came {
        loop {
            let Some(link) = &mut self.link else { return Came::Nothing };
            let came = link.fill();
            if self.frames().is_err() {
                return Came::Gone;
            }
            if came != Came::More {
                return came;
            }
        }
    }

    fn frames(&mut self) -> Result<(), DecodeError> {
        loop {
            let Some(link) = &mut self.link else { return Ok(()) };
            let Some((frame, fds)) = link.next_frame()? else { return Ok(()) };
            match frame.class {
                Class::Reply => {
                    let (number, reply) = (frame.number, frame.reply()?);
                    self.on_reply(number, &reply, fds);
                }
                Class::Event => {
                    let (number, event) = (frame.number, frame.event()?);
                    self.on_event(number, event, fds);
                }
                Class::Request | Class::Change | Class::Control => {}
            }
        }
    }

    fn on_reply(&mut self, number: u64, reply: &Reply, fds: Vec<OwnedFd>) {
        match self.errands.take(number) {
            Some(Errand::Rejoin(channel)) => return self.on_rejoined(channel, reply, fds),
            Some(Errand::Ring(list)) => return self.on_ring(list, reply, fds),
            Some(Errand::Fetch(channel)) => return self.on_fetched(&channel, reply),
            Some(Errand::PlayStart(world)) => return self.on_play_started(&world, reply, fds),
            Some(Errand::PlayEnded(world)) => return self.on_play_verdict(&world, reply),
            Some(Errand::PlayTold) => return,
            None => {}
        }
        if let (Reply::Welcome(_), Some(link)) = (reply, &mut self.link) {
            self.lost = None;
            link.welcome = true;
        }
        let around = self.around();
        let request = self.session.on_reply(number, reply, self.client.stack(), around);
        self.settle();
        if let Some(request) = request {
            if let Some(link) = &mut self.link {
                link.answered = true;
            }
            self.on_answered(request, reply, fds);
        }
    }

    /// What an answer changes in what the client listens to.
    fn on_answered(&mut self, request: Request, reply: &Reply, fds: Vec<OwnedFd>) {
        let (done, registry) = (!matches!(reply, Reply::Failed(_)), self.poll.registry());
        let mut listen = |topic| self.subscriptions.add(Subscription { topic, cursor: Position::default() });
        match request {
            Request::Register(_) if done => self.keep_preferences(),
            Request::RelayJoin(join) => self.on_joined(reply, join.since, fds),
            Request::RecordWatch(watch) if done => listen(Topic::Board(watch.board)),
            Request::UniverseWatch if done => listen(Topic::Universe),
            Request::PropertyWatch(watch) if done => listen(Topic::Properties(watch.of)),
            Request::RecordUnwatch(watch) if done => {
                _ = self.subscriptions.remove(&Topic::Board(watch.board), registry)
            }
            Request::UniverseUnwatch if done => _ = self.subscriptions.remove(&Topic::Universe, registry),
            Request::PropertyUnwatch(watch) if done => {
                _ = self.subscriptions.remove(&Topic::Properties(watch.of), registry)
            }
            Request::ListUnwatch(unwatch) if done => _ = self.subscriptions.remove(&unwatch.list.into(), registry),
            Request::RelayLeave(leave) if done => {
                _ = self.subscriptions.remove(&Topic::Channel(leave.channel), registry)
            }
            Request::ListWatch(_) => {
                if let Reply::ListWatched(ListWatched { list, at }) = *reply {
                    self.subscriptions.add(Subscription { topic: list.into(), cursor: at });
                    self.subscriptions.came_to(list, at);
                    self.ask_ring(list);
                }
            }
            Request::Mssp(Mssp { plain }) => self.tell_crawler(plain, reply),
            // Its watch goes on from there.
            Request::ListWorlds(_) | Request::ListUsers(_) => {
                if let Reply::Listed(listed) = reply
                    && !listed.more
                {
                    self.subscriptions.came_to(listed.rows.list(), listed.at);
                }
            }
            _ => {}
        }
    }

    /// What a new player has set before he was one is to be kept.
    fn keep_preferences(&mut self) {
        for set in self.client.stack().preferred().kept() {
            let number = self.next_number();
            let (name, value) = (set.name.clone(), Some(set.value.clone()));
            self.send(number, Request::PreferenceSet(PreferenceSet { name, value }), None);
        }
    }

    fn on_event(&mut self, number: u64, event: Event, fds: Vec<OwnedFd>) {
        match &event {
            Event::PlayReady(ready) => return self.on_play_ready(&ready.world),
            Event::PlayOrder(order) => return self.on_play_order(order, fds),
            Event::PlayReturn(back) => return self.on_play_return(&back.world),
            _ => {}
        }
        let changed = self.session.on_event(number, event, self.client.stack());
        self.settle();
        if let Some(changed) = changed {
            self.on_list(changed);
        }
    }
}
