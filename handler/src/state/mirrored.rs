//! The lists that clients mirror: what stands in each, and what changes it. They follow what the lists of worlds and of who is
//! on follow (`lists.rs`), and licences besides. Pure; lives in the event loop.
//!
//! The journal has the last word on every row, with its serial. A handler that takes over has the lists as they were, compares
//! them with the truth when all sessions are back ([`Mirrors::begin`]), and changes what differs. So serials go on, and what
//! somebody was told is not told again.

use super::hosting::{Hosting, Hostings, Listing};
use super::journal::Entry;
use super::licences::Licences;
use super::mirror::{Mirror, Note, Scope};
use super::mirror_rows::{KeptMirror, UserRow, WorldRow};
use super::online::Online;
use super::per_list::PerList;
use super::worlds::{World, Worlds};
use hashbrown::HashMap;
use ssmglobal_ipc::{List, Rating, Time, WorldStatus};
use ssmglobal_store::{KeptLicence, Principal, PrincipalKind, WorldId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So long a world that was stopped stays in the list.
const STOPPED: i64 = 24 * 60 * 60 * 1000;

/// What changes within this time after something was told is told together.
pub const TOGETHER: Duration = Duration::from_millis(250);

/// The name by which somebody is in the list of users; nothing for those who are not. Whoever is added to the list is added here.
fn key_of(who: Principal, name: &str) -> Option<String> {
    match who.kind {
        PrincipalKind::Player => Some(name.to_owned()),
        PrincipalKind::Visitor => Some(format!("visitor:{name}")),
        PrincipalKind::Server
        | PrincipalKind::World
        | PrincipalKind::Bot
        | PrincipalKind::Channel
        | PrincipalKind::Backend => None,
    }
}

/// What the watchers of a list were told last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Announced {
    upto: u64,
    at: Option<Instant>,
    look_again: bool,
}

/// All of them.
#[derive(Debug)]
pub struct Mirrors {
    /// The list of worlds that are open, or were within the last day.
    pub worlds: Mirror<WorldRow>,
    /// Who is on.
    pub users: Mirror<UserRow>,
    /// Who is somewhere, and his name.
    names: HashMap<Principal, Arc<str>>,
    /// Names of worlds that have a licence.
    by_licence: HashMap<WorldId, Arc<str>>,
    /// Worlds that are stopped, by when they go.
    stopped: BTreeSet<(Time, Arc<str>)>,
    /// What game servers say of worlds without a licence is shown.
    unlicensed: bool,
    /// All who were there are back, and the lists follow.
    follows: bool,
    announced: PerList<Announced>,
    notes: Vec<Note<WorldRow>>,
    user_notes: Vec<Note<UserRow>>,
}

fn of_licence(hosting: &Hosting, id: WorldId, listing: &Listing) -> WorldRow {
    WorldRow {
        licence: Some(id),
        status: hosting.status(),
        users: hosting.users,
        max: listing.max,
        rating: hosting.rating,
        description: if hosting.text.is_empty() { listing.comment.clone() } else { hosting.text.clone() },
        stopped: None,
    }
}

fn of_word(said: &World) -> WorldRow {
    WorldRow {
        licence: None,
        status: WorldStatus::Public,
        users: said.players,
        max: said.max,
        rating: Rating::default(),
        description: said.text.clone(),
        stopped: None,
    }
}

impl Mirrors {
    /// Empty ones, which begin now.
    pub fn new(began: u64) -> Mirrors {
        Mirrors {
            worlds: Mirror::new(began),
            users: Mirror::new(began),
            names: HashMap::new(),
            by_licence: HashMap::new(),
            stopped: BTreeSet::new(),
            unlicensed: true,
            follows: false,
            announced: PerList::default(),
            notes: Vec::new(),
            user_notes: Vec::new(),
        }
    }

    /// What the handler before this one has left, if that is all there.
    pub fn restore(&mut self, worlds: Option<KeptMirror<WorldRow>>, users: Option<KeptMirror<UserRow>>) {
        if let Some(KeptMirror { epoch, notes }) = worlds {
            self.worlds = Mirror::restored(epoch, notes);
        }
        if let Some(KeptMirror { epoch, notes }) = users {
            self.users = Mirror::restored(epoch, notes);
        }
        for (name, row) in self.worlds.iter() {
            self.by_licence.extend(row.licence.map(|id| (id, name.clone())));
            self.stopped.extend(row.stopped.map(|at| (goes(at), name.clone())));
        }
        for list in List::ALL {
            self.announced.of_mut(list).upto = self.last(list);
        }
    }

    /// The entries that tell the next handler which lists these are.
    pub fn begun(&self) -> [Entry; 2] {
        let entry = |list, epoch, upto| Entry::RowsForgotten { list, epoch, upto };
        [
            entry(List::Worlds, self.worlds.epoch(), self.worlds.forgotten()),
            entry(List::Users, self.users.epoch(), self.users.forgotten()),
        ]
    }

    /// The serial of the last change of a list.
    pub fn last(&self, list: List) -> u64 {
        match list {
            List::Worlds => self.worlds.last(),
            List::Users => self.users.last(),
        }
    }

    /// What the journal is to know.
    pub fn take_notes(&mut self, entries: &mut Vec<Entry>) {
        let (worlds, users) = (self.worlds.epoch(), self.users.epoch());
        entries.extend(self.notes.drain(..).map(|note| Entry::of_note(List::Worlds, worlds, note)));
        entries.extend(self.user_notes.drain(..).map(|note| Entry::of_note(List::Users, users, note)));
    }

    /// Whether an entry of the journal is still needed.
    pub fn keeps(&self, list: List, epoch: u64, key: &str, serial: u64) -> bool {
        match list {
            List::Worlds => self.worlds.epoch() == epoch && self.worlds.keeps(key, serial),
            List::Users => self.users.epoch() == epoch && self.users.keeps(key, serial),
        }
    }

    /// A world that has a licence is hosted, and this is said of it.
    pub fn hosted(&mut self, id: WorldId, hosting: &Hosting, listing: &Listing) {
        if self.follows {
            self.put(&listing.name, listing.scope(), of_licence(hosting, id, listing));
        }
    }

    /// It is hosted no longer.
    pub fn stopped(&mut self, id: WorldId, listing: &Listing, now: Time) {
        let Some((_, row)) = self.row_of(id).filter(|_| self.follows) else { return };
        let (status, description) = (WorldStatus::Stopped, listing.comment.clone());
        let row = WorldRow { status, description, users: 0, max: listing.max, stopped: Some(now), ..row.clone() };
        self.put(&listing.name, listing.scope(), row);
    }

    /// It was hosted until then, by what is kept.
    fn was_there(&mut self, licence: &KeptLicence, at: Time) {
        let row = WorldRow {
            licence: Some(licence.id),
            status: WorldStatus::Stopped,
            users: 0,
            max: licence.users,
            rating: Rating::default(),
            description: licence.comment.clone(),
            stopped: Some(at),
        };
        self.put(&licence.name, Listing::from(licence).scope(), row);
    }

    /// A licence is another one. Of a world that is hosted its host is spoken of.
    pub fn licence_changed(&mut self, licence: &KeptLicence) {
        let Some((_, row)) = self.row_of(licence.id).filter(|_| self.follows) else { return };
        if row.status == WorldStatus::Stopped {
            let row = WorldRow { max: licence.users, description: licence.comment.clone(), ..row.clone() };
            self.put(&licence.name, Listing::from(licence).scope(), row);
        }
    }

    /// A licence is gone.
    pub fn licence_gone(&mut self, id: WorldId, now: Time) {
        let Some((name, _)) = self.row_of(id).filter(|_| self.follows) else { return };
        self.take_out(&name, now);
    }

    fn row_of(&self, id: WorldId) -> Option<(Arc<str>, &WorldRow)> {
        let name = self.by_licence.get(&id)?;
        let (_, row) = self.worlds.get(name).filter(|(_, row)| row.licence == Some(id))?;
        Some((name.clone(), row))
    }

    /// What game servers say of the world of this name, as it is shown now.
    pub fn said(&mut self, name: &str, shown: Option<&World>, now: Time) {
        if !self.follows {
            return;
        }
        let shown = shown.filter(|_| self.unlicensed);
        // The one that is shown may write its name in another way.
        let is_word = self.worlds.get(name).is_some_and(|(_, row)| row.licence.is_none());
        if is_word && shown.is_none_or(|shown| shown.name != name) {
            self.take_out(name, now);
        }
        if let Some(shown) = shown {
            self.put(&shown.name, Scope::All, of_word(shown));
        }
    }

    fn put(&mut self, name: &str, scope: Scope, row: WorldRow) {
        self.forget_stop(name);
        let (id, stopped) = (row.licence, row.stopped);
        self.worlds.put(name, scope, row, Time::now(), &mut self.notes);
        let name: Arc<str> = name.into();
        self.by_licence.extend(id.map(|id| (id, name.clone())));
        self.stopped.extend(stopped.map(|at| (goes(at), name)));
    }

    fn take_out(&mut self, name: &str, now: Time) {
        self.forget_stop(name);
        if let Some(id) = self.worlds.get(name).and_then(|(_, row)| row.licence) {
            self.by_licence.remove(&id);
        }
        self.worlds.remove(name, now, &mut self.notes);
    }

    fn forget_stop(&mut self, name: &str) {
        if let Some(at) = self.worlds.get(name).and_then(|(_, row)| row.stopped) {
            self.stopped.remove(&(goes(at), name.into()));
        }
    }

    /// When the next stopped world goes.
    pub fn next_due(&self) -> Option<Time> {
        self.stopped.first().map(|(at, _)| *at).filter(|_| self.follows)
    }

    /// Worlds that have been stopped for long enough go.
    pub fn forget_stopped(&mut self, now: Time) {
        while let Some((_, name)) = self.stopped.first().filter(|(at, _)| self.follows && *at <= now).cloned() {
            self.take_out(&name, now);
        }
    }

    /// Somebody has come, gone, or is elsewhere. `name` is his, where it is at hand; `moved`: what only operators see is another
    /// thing.
    pub fn came_or_went(&mut self, online: &Online, who: Principal, name: Option<&Arc<str>>, moved: bool) {
        if let Some(name) = name {
            self.names.insert(who, name.clone());
        }
        let is_there = online.is_on(who) || !online.stays(who).is_empty();
        let name = if is_there { self.names.get(&who).cloned() } else { self.names.remove(&who) };
        let Some(key) = name.and_then(|name| key_of(who, &name)).filter(|_| self.follows) else { return };
        let (now, before) = (Time::now(), self.users.last());
        match is_there {
            true => self.users.put(&key, Scope::All, row_of(online, who), now, &mut self.user_notes),
            false => self.users.remove(&key, now, &mut self.user_notes),
        }
        if moved && self.users.last() == before {
            self.users.touch(&key, &mut self.user_notes);
        }
    }

    /// What only operators see of somebody is another thing.
    pub fn touch_user(&mut self, who: Principal) {
        let key = self.names.get(&who).and_then(|name| key_of(who, name)).filter(|_| self.follows);
        if let Some(key) = key {
            self.users.touch(&key, &mut self.user_notes);
        }
    }

    /// Whether what game servers say of worlds without a licence is shown, from now on.
    pub fn show_unlicensed(&mut self, shown: bool, worlds: &Worlds) {
        if std::mem::replace(&mut self.unlicensed, shown) == shown {
            return;
        }
        for (_, world) in worlds.iter_after(None) {
            self.said(&world.name, Some(world), Time::now());
        }
    }

    /// All who were there are back: what is so is compared with what the lists say, and they follow from now on.
    pub fn begin(&mut self, hosted: &Hostings, worlds: &Worlds, online: &Online, licences: &Licences, now: Time) {
        if std::mem::replace(&mut self.follows, true) {
            return;
        }
        self.begin_worlds(hosted, worlds, licences, now);
        let there: Vec<(Principal, Arc<str>)> = self.names.iter().map(|(who, name)| (*who, name.clone())).collect();
        let gone: Vec<Arc<str>> = self
            .users
            .iter()
            .filter(|(_, row)| !self.names.contains_key(&row.who))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.users.remove(&key, now, &mut self.user_notes);
        }
        for (who, name) in there {
            self.came_or_went(online, who, Some(&name), false);
        }
    }

    fn begin_worlds(&mut self, hosted: &Hostings, worlds: &Worlds, licences: &Licences, now: Time) {
        let rows: Vec<(Arc<str>, WorldRow)> =
            self.worlds.iter().map(|(name, row)| (name.clone(), row.clone())).collect();
        for (name, row) in rows {
            let Some(id) = row.licence else {
                self.said(&name, worlds.named(&name), now);
                continue;
            };
            match licences.get(id) {
                Some(licence) if *licence.name == *name && hosted.get(id).is_none() => {
                    self.stopped_or_changed(licence, &row, now);
                }
                Some(licence) if *licence.name == *name => {}
                _ => self.take_out(&name, now),
            }
        }
        // After everything was stopped the list begins with the worlds that were there a moment ago.
        for licence in licences.after(None) {
            let stopped = licence.last_seen().filter(|at| goes(*at) > now && hosted.get(licence.id).is_none());
            if let Some(at) = stopped.filter(|_| self.row_of(licence.id).is_none()) {
                self.was_there(licence, at);
            }
        }
        for (id, hosting, listing) in hosted.iter() {
            self.hosted(id, hosting, listing);
        }
        for (_, world) in worlds.iter_after(None) {
            self.said(&world.name, Some(world), now);
        }
    }

    fn stopped_or_changed(&mut self, licence: &KeptLicence, row: &WorldRow, now: Time) {
        match row.status {
            WorldStatus::Stopped => self.licence_changed(licence),
            WorldStatus::Public | WorldStatus::Restricted => self.stopped(licence.id, &Listing::from(licence), now),
        }
    }

    /// Watchers of a list are to be looked at, although it may not have changed.
    pub fn look_again(&mut self, list: List) {
        self.announced.of_mut(list).look_again = true;
    }

    /// How long to wait before its watchers are told; nothing when there is nothing to tell.
    pub fn wait(&self, list: List, now: Instant) -> Option<Duration> {
        let announced = self.announced.of(list);
        let is_due = self.follows && (announced.look_again || announced.upto != self.last(list));
        let since = announced.at.map(|at| now.saturating_duration_since(at));
        is_due.then(|| since.map_or(Duration::ZERO, |since| TOGETHER.saturating_sub(since)))
    }

    /// Its watchers are told now; `anybody`: there are any.
    pub fn telling(&mut self, list: List, now: Instant, anybody: bool) {
        let upto = self.last(list);
        *self.announced.of_mut(list) = Announced { upto, at: anybody.then_some(now), look_again: false };
    }
}

/// When a world goes that was stopped.
fn goes(stopped: Time) -> Time {
    Time(stopped.0.saturating_add(STOPPED))
}

fn row_of(online: &Online, who: Principal) -> UserRow {
    UserRow { who, place: online.stays(who).last().map(|stay| stay.place) }
}

#[cfg(test)]
mod tests;
