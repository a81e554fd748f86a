//! Lists that clients mirror: their watchers told of what has changed, at once, and then together. Part of the event loop.
//!
//! What everybody sees goes into a ring in shared memory, which the workers of most watchers read: telling a thousand costs this
//! process what telling one does. Who sees something else, or has not come as far as the ring, is told by his link: that is made
//! once for all who see the same and have come as far. Nothing of it is in the journal: each worker says how far its client has
//! come, and the next handler goes on from there.

use super::EventLoop;
use crate::capability::lists;
use crate::capability::universe::sees_where;
use crate::lock::read;
use crate::state::licences::Licences;
use crate::state::mirror::View;
use crate::state::online::Seat;
use crate::state::session::{ListProgress, Session, SessionRef};
use crate::state::topic::Topic;
use ssmglobal_ipc::frame::put_event;
use ssmglobal_ipc::{Event, List, ListChanged, Position, Time};
use ssmglobal_store::{PlayerId, WorldId};
use ssmglobal_sys::ring;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Who sees the same of a list, and has come as far.
type Groups = HashMap<(View, ListProgress), Vec<SessionRef>>;

impl EventLoop {
    /// All who were there are back: lists follow what changes from now on.
    pub(super) fn begin_lists(&mut self) {
        let memory = self.shared.memory.clone();
        let shown = !self.shared.memory.universe().licence;
        let state = &mut self.state;
        state.mirrors.show_unlicensed(shown, &state.worlds);
        let licences: &Licences = &read(&memory.licences);
        state.mirrors.begin(&state.hosted, &state.worlds, &state.online, licences, Time::now());
        state.mirrors.take_notes(&mut state.unwritten);
        self.write_journal();
    }

    /// Settings of the universe are others: what is in the lists, and who sees them.
    pub(super) fn lists_follow_universe(&mut self) {
        let shown = !self.shared.memory.universe().licence;
        self.state.mirrors.show_unlicensed(shown, &self.state.worlds);
        self.state.mirrors.look_again(List::Users);
        self.list_changed();
    }

    fn list_changed(&mut self) {
        self.state.mirrors.take_notes(&mut self.state.unwritten);
        self.write_journal();
    }

    /// A licence is another one, or gone.
    pub(super) fn licence_listed(&mut self, world: WorldId) {
        match read(&self.shared.memory.licences).get(world) {
            Some(licence) => self.state.mirrors.licence_changed(licence),
            None => self.state.mirrors.licence_gone(world, Time::now()),
        }
        self.list_changed();
    }

    /// A world is hidden, or is so no longer: whether others may know who is there is another thing now.
    pub(super) fn guests_listed(&mut self, world: WorldId) {
        for who in self.state.online.guests(Seat::World(world)).collect::<Vec<_>>() {
            self.state.mirrors.touch_user(who);
        }
        self.list_changed();
    }

    /// A player has other rights: operators see them, and he may be one.
    pub(super) fn rights_changed(&mut self, player: PlayerId) {
        self.state.mirrors.touch_user(player.into());
        self.list_changed();
        List::ALL.into_iter().for_each(|list| self.state.mirrors.look_again(list));
    }

    /// What a session sees of lists may be another thing.
    pub(super) fn look_at_watches(&mut self, slot: usize) {
        let topics = self.session(slot).map(|session| session.subscriptions.clone()).unwrap_or_default();
        topics.into_iter().filter_map(Topic::list).for_each(|list| self.state.mirrors.look_again(list));
    }

    /// A session has watched a list before this handler was there, and its client has come to a position.
    pub(super) fn watch_again(&mut self, session: &mut Session, topic: Topic, at: Position) {
        if let Some(list) = topic.list() {
            *session.list_progress.of_mut(list) = ListProgress::upto(at);
            self.state.mirrors.look_again(list);
        }
    }

    /// How long to wait at the most before something is to be told, or a world that is stopped goes.
    pub(super) fn list_due(&self) -> Option<Duration> {
        if self.recovery.is_on() {
            return None;
        }
        let now = Instant::now();
        let is_watched = |list: &List| !self.state.online.subscribers((*list).into()).is_empty();
        let lists = List::ALL.into_iter().filter(is_watched).filter_map(|list| self.state.mirrors.wait(list, now));
        // Not a moment too early: a wait is cut to whole milliseconds.
        let lists = lists.map(|wait| wait.saturating_add(Duration::from_millis(1)));
        lists.chain(self.wait_until(self.state.mirrors.next_due())).min()
    }

    /// Tells watchers of lists what is due.
    pub(super) fn push_lists(&mut self) {
        if self.recovery.is_on() {
            return;
        }
        self.state.mirrors.forget_stopped(Time::now());
        self.list_changed();
        let now = Instant::now();
        for list in List::ALL {
            if self.state.mirrors.wait(list, now) == Some(Duration::ZERO) {
                let (groups, readers) = self.groups(list);
                self.state.mirrors.telling(list, now, !groups.is_empty() || !readers.is_empty());
                groups
                    .into_iter()
                    .for_each(|((view, progress), watchers)| self.push_to_all(list, view, progress, &watchers));
                self.push_to_ring(list, &readers);
            }
        }
    }

    fn source(&self) -> lists::Source<'_> {
        lists::Source { state: &self.state, memory: &self.shared.memory, asks: None }
    }

    /// How far a list's ring was written, if those who have come as far can be told the rest by it.
    fn ring_goes_on(&self, list: List) -> Option<ListProgress> {
        let source = self.source();
        let progress = self.state.rings.of(list).as_ref()?.progress;
        let fits =
            progress.at.epoch == source.position(list, View::Everybody).epoch && source.knows(list, progress.checked);
        fits.then_some(progress)
    }

    /// Who is to be told by links, and who by the ring.
    fn groups(&self, list: List) -> (Groups, Vec<SessionRef>) {
        let rights = read(&self.shared.memory.rights);
        let (mut groups, mut readers) = (Groups::new(), Vec::new());
        let all_see = list != List::Users || self.shared.memory.universe().users;
        // Where not all may see it, nothing of it is where all could read it.
        let ring = self.ring_goes_on(list).filter(|_| all_see);
        for at in self.state.online.subscribers(list.into()) {
            let Some(session) = self.state.live(*at) else { continue };
            // Who may not see it now goes on where he was when he may again.
            if !all_see && !sees_where(&self.shared.memory, session) {
                continue;
            }
            let view = lists::view(&self.state.mirrors, &rights, list, session.who());
            let progress = *session.list_progress.of(list);
            let as_far =
                |ring: ListProgress| ring.at.epoch == progress.at.epoch && ring.at.number <= progress.at.number;
            if view == View::Everybody && *session.by_ring.of(list) && ring.is_some_and(as_far) {
                readers.push(*at);
            } else {
                groups.entry((view, progress)).or_default().push(*at);
            }
        }
        (groups, readers)
    }

    /// Writes what is new for everybody where these read it. What the ring has no room for goes to their links.
    fn push_to_ring(&mut self, list: List, readers: &[SessionRef]) {
        let Some(before) = self.state.rings.of(list).as_ref().map(|ring| ring.progress) else { return };
        if readers.is_empty() {
            // What is told from now on is for those who have come as far by their links.
            let source = self.source();
            let now = ListProgress::upto(source.position(list, View::Everybody));
            self.state.rings.of_mut(list).iter_mut().for_each(|ring| ring.progress = now);
            return;
        }
        let (events, progress) = self.events(list, View::Everybody, before);
        let texts: Vec<(u64, Vec<u8>)> = events.iter().map(|event| (event.at.number, event.packed())).collect();
        let fits = texts.iter().all(|(_, text)| text.len() <= ring::MAX_TEXT);
        let Some(ring) = self.state.rings.of_mut(list) else { return };
        ring.progress = progress;
        if fits {
            texts.iter().for_each(|(number, text)| _ = ring.shared.push(0, *number, text));
            if !texts.is_empty() {
                ring.shared.wake();
            }
        }
        let mut bytes = Vec::new();
        if !fits {
            events.into_iter().for_each(|event| put_event(&mut bytes, 0, &Event::List(event)));
        }
        for at in readers {
            let Some(session) = self.session_mut(at.slot) else { continue };
            let before = session.list_progress.of_mut(list);
            // Some have asked for the rest before it was told.
            let at = if progress.at.number > before.at.number { progress.at } else { before.at };
            *before = ListProgress { at, ..progress };
            let link = session.link.clone();
            if !bytes.is_empty() {
                self.batch.event_bytes(&link, &bytes);
            }
        }
    }

    fn push_to_all(&mut self, list: List, view: View, progress: ListProgress, watchers: &[SessionRef]) {
        let (events, progress) = self.events(list, view, progress);
        let mut bytes = Vec::new();
        events.into_iter().for_each(|event| put_event(&mut bytes, 0, &Event::List(event)));
        for at in watchers {
            let Some(session) = self.session_mut(at.slot) else { continue };
            let before = std::mem::replace(session.list_progress.of_mut(list), progress);
            if before.at.epoch != progress.at.epoch {
                // He sees another list, and what its ring holds is another thing.
                *session.by_ring.of_mut(list) = false;
            }
            let link = session.link.clone();
            if !bytes.is_empty() {
                self.batch.event_bytes(&link, &bytes);
            }
        }
    }

    /// What somebody is told who has come so far, and how far he has come then.
    fn events(&self, list: List, view: View, mut progress: ListProgress) -> (Vec<ListChanged>, ListProgress) {
        let source = self.source();
        let now = source.position(list, view);
        if progress.at.epoch != now.epoch || !source.knows(list, progress.checked) {
            // He sees something else than before, or too much is gone: he asks again.
            let event = ListChanged { from: now.number, at: now, rows: lists::none(list), gone: Vec::new() };
            return (vec![event], ListProgress::upto(now));
        }
        let mut events = Vec::new();
        loop {
            let page = source.page(list, view, progress.checked, 0, lists::PAGE);
            progress.checked = page.upto;
            if !page.rows.is_empty() || !page.gone.is_empty() {
                let (from, at) = (progress.at.number, Position { number: page.upto, ..now });
                events.push(ListChanged { from, at, rows: page.rows, gone: page.gone });
                progress.at = at;
            }
            if !page.more {
                return (events, progress);
            }
        }
    }
}
