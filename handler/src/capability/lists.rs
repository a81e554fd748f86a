//! Lists that clients mirror: read page by page, and watched. What is in them is known in `state/mirrored.rs`; here it is shown
//! as whoever looks may see it.

use super::rights::OPERATOR;
use super::universe::may_see_where;
use super::{Call, Plan};
use crate::lock::read;
use crate::state::State;
use crate::state::memory::Memory;
use crate::state::mirror::{Mirror, Page, Scope, View, Weigh};
use crate::state::mirror_rows::{UserRow, WorldRow};
use crate::state::mirrored::Mirrors;
use crate::state::session::{ListProgress, Reading, Session, SessionRef};
use crate::state::shared_ring::{ListRing as Shared, SharedRing};
use hashbrown::HashMap;
use ssmglobal_ipc::{
    Failure, FullUser, List, ListRead, ListRing, ListRinged, ListRows, ListUnwatch, ListWatch, ListWatched, Listed,
    ListedUser, ListedWorld, Position, Reply, UserMore, UserState,
};
use ssmglobal_store::{PlayerId, Principal};
use std::collections::BTreeSet;

/// Rows of a page, where nobody says how many.
const ROWS: usize = 100;

/// Rows of a page at the most, and those that are told to watchers at once.
pub const PAGE: usize = 1000;

/// Rights by player.
type Rights = HashMap<PlayerId, BTreeSet<String>>;

fn may_see(call: &Call<'_>, list: List) -> Result<(), Failure> {
    match list {
        List::Users => may_see_where(call),
        List::Worlds => Ok(()),
    }
}

/// How somebody sees a list.
pub fn view(mirrors: &Mirrors, rights: &Rights, list: List, who: Option<Principal>) -> View {
    match who.and_then(Principal::as_player) {
        Some(player) if rights.get(&player).is_some_and(|his| his.contains(OPERATOR)) => View::Operator,
        Some(player) if list == List::Worlds => mirrors.worlds.view_of(player),
        _ => View::Everybody,
    }
}

/// No rows of a list.
pub fn none(list: List) -> ListRows {
    match list {
        List::Worlds => ListRows::Worlds(Vec::new()),
        List::Users => ListRows::Users(Vec::new()),
    }
}

/// A page as it goes over the wire.
pub struct Shown {
    /// By their last change, the oldest first.
    pub rows: ListRows,
    /// Keys that are there no longer.
    pub gone: Vec<String>,
    /// Up to which serial.
    pub upto: u64,
    /// There is more.
    pub more: bool,
}

/// From where lists are read.
pub struct Source<'a> {
    /// All that there is.
    pub state: &'a State,
    /// What is kept and in memory as well.
    pub memory: &'a Memory,
    /// The session that asks, which is out of its slot meanwhile.
    pub asks: Option<(usize, &'a Session)>,
}

fn shown<R: Clone + PartialEq + Weigh>(
    page: Page<'_, R>,
    rows: impl FnOnce(Vec<(&str, Scope, &R)>) -> ListRows,
) -> Shown {
    let gone = page.gone.into_iter().map(str::to_owned).collect();
    Shown { rows: rows(page.rows), gone, upto: page.upto, more: page.more }
}

impl Source<'_> {
    fn mirror<T>(
        &self,
        list: List,
        worlds: impl FnOnce(&Mirror<WorldRow>) -> T,
        users: impl FnOnce(&Mirror<UserRow>) -> T,
    ) -> T {
        match list {
            List::Worlds => worlds(&self.state.mirrors.worlds),
            List::Users => users(&self.state.mirrors.users),
        }
    }

    /// Where a list is now.
    pub fn position(&self, list: List, view: View) -> Position {
        self.mirror(list, |worlds| worlds.position(view), |users| users.position(view))
    }

    /// Whether all is known that has changed since a serial.
    pub fn knows(&self, list: List, serial: u64) -> bool {
        self.mirror(list, |worlds| worlds.knows(serial), |users| users.knows(serial))
    }

    /// A page, see [`Mirror::page`].
    pub fn page(&self, list: List, view: View, after: u64, gone_after: u64, most: usize) -> Shown {
        let mirrors = &self.state.mirrors;
        match list {
            List::Worlds => shown(mirrors.worlds.page(view, after, gone_after, most), |rows| {
                ListRows::Worlds(rows.into_iter().map(|(name, scope, row)| world(name, scope, row)).collect())
            }),
            List::Users => shown(mirrors.users.page(view, after, gone_after, most), |rows| {
                let rows = rows.into_iter().map(|(name, _, row)| (name, row));
                match view {
                    View::Operator => ListRows::UsersInFull(rows.map(|(name, row)| self.in_full(name, row)).collect()),
                    View::Everybody | View::Owner(_) => ListRows::Users(
                        rows.map(|(name, row)| self.user(name, row, |place| self.memory.listed_name(place))).collect(),
                    ),
                }
            }),
        }
    }

    fn user(&self, name: &str, row: &UserRow, of_place: impl Fn(Principal) -> Option<String>) -> ListedUser {
        let (name, number, state) = (name.to_owned(), row.who.id, UserState::On);
        ListedUser { name, number, world: row.place.and_then(of_place), state, more: None }
    }

    fn in_full(&self, name: &str, row: &UserRow) -> FullUser {
        let user = self.user(name, row, |place| self.memory.name(place));
        let email = row.who.as_player().and_then(|player| self.memory.email_of(player));
        FullUser { user: ListedUser { more: Some(self.more_of(row.who)), ..user }, email }
    }

    fn more_of(&self, who: Principal) -> UserMore {
        let session = self.state.online.sessions(who).first().and_then(|at| self.session(*at));
        let address = session.and_then(|session| session.address);
        UserMore {
            address: address.map(|address| address.ip().to_canonical().to_string()),
            rights: who.as_player().map_or_else(Vec::new, |player| self.memory.rights_of(player)),
        }
    }

    fn session(&self, at: SessionRef) -> Option<&Session> {
        match self.asks {
            Some((slot, session)) if slot == at.slot => Some(session),
            _ => self.state.live(at),
        }
    }
}

fn world(name: &str, scope: Scope, row: &WorldRow) -> ListedWorld {
    let WorldRow { status, users, max, rating, description, .. } = row.clone();
    ListedWorld { name: name.to_owned(), status, users, max, rating, description, listed: scope == Scope::All }
}

impl Call<'_> {
    fn lists(&self) -> Source<'_> {
        Source { state: self.state, memory: self.memory, asks: Some((self.at.slot, self.session)) }
    }

    fn view(&self, list: List) -> View {
        view(&self.state.mirrors, &read(&self.memory.rights), list, self.session.who())
    }
}

/// `LIST WORLDS`.
pub fn worlds(call: Call<'_>, request: ListRead) -> Plan {
    list(call, List::Worlds, &request)
}

/// `LIST USERS`.
pub fn users(call: Call<'_>, request: ListRead) -> Plan {
    list(call, List::Users, &request)
}

fn list(call: Call<'_>, list: List, request: &ListRead) -> Plan {
    if let Err(failure) = may_see(&call, list) {
        return failure.into();
    }
    let (view, source) = (call.view(list), call.lists());
    let now = source.position(list, view);
    let after = request.after.filter(|after| after.epoch == now.epoch);
    // Who reads it from the beginning has missed nothing that was gone before he began.
    let reading = call.session.reading.of(list).filter(|reading| after == Some(reading.next));
    let after = after.filter(|after| source.knows(list, reading.map_or(after.number, |reading| reading.began)));
    let began = match after {
        None => Some(now.number),
        Some(_) => reading.map(|reading| reading.began),
    };
    let most = request.limit.map_or(ROWS, |limit| limit as usize).clamp(1, PAGE);
    let Shown { rows, gone, upto, more } =
        source.page(list, view, after.map_or(0, |after| after.number), began.unwrap_or(0), most);
    let at = Position { number: upto, ..now };
    *call.session.reading.of_mut(list) = began.filter(|_| more).map(|began| Reading { next: at, began });
    if !more && call.session.subscriptions.contains(&list.into()) {
        // It has all that its watch would tell.
        *call.session.list_progress.of_mut(list) = ListProgress::upto(at);
    }
    Plan::Reply(Reply::Listed(Listed { at, more, whole: after.is_none(), rows, gone }))
}

/// `LIST WATCH`.
pub fn watch(call: Call<'_>, request: ListWatch) -> Plan {
    let list = request.list;
    if let Err(failure) = may_see(&call, list) {
        return failure.into();
    }
    let (view, source) = (call.view(list), call.lists());
    let now = source.position(list, view);
    // What is more than a page is to be asked for.
    let near = |after: &Position| {
        after.epoch == now.epoch
            && source.knows(list, after.number)
            && !source.page(list, view, after.number, 0, PAGE).more
    };
    let at = request.after.filter(near).unwrap_or(now);
    call.state.subscribe(call.session, call.at, list.into());
    *call.session.list_progress.of_mut(list) = ListProgress::upto(at);
    *call.session.by_ring.of_mut(list) = false;
    if at != now {
        call.state.mirrors.look_again(list);
    }
    Plan::Reply(Reply::ListWatched(ListWatched { list, at }))
}

/// `LIST UNWATCH`.
pub fn unwatch(call: Call<'_>, request: ListUnwatch) -> Plan {
    call.state.unsubscribe(call.session, call.at, request.list.into());
    *call.session.by_ring.of_mut(request.list) = false;
    Plan::done()
}

/// A worker wants to hear of a list by its ring.
pub fn ring(call: Call<'_>, request: ListRing) -> Plan {
    let ListRing { list, after } = request;
    // Its client may have stopped watching meanwhile, and may not see what everybody sees.
    let by_link = || Plan::Reply(Reply::ListRinged(ListRinged { list, position: 0 }));
    if !call.session.subscriptions.contains(&list.into()) {
        return by_link();
    }
    let (view, source) = (call.view(list), call.lists());
    let now = source.position(list, view);
    if after.epoch == now.epoch && source.knows(list, after.number) {
        // What it has not heard is told again; what was on its way meanwhile it has twice.
        *call.session.list_progress.of_mut(list) = ListProgress::upto(after);
        if after != now {
            call.state.mirrors.look_again(list);
        }
    }
    if view != View::Everybody {
        return by_link();
    }
    let progress = *call.session.list_progress.of(list);
    let ring = call.state.rings.of_mut(list);
    let taken = match ring {
        Some(ring) => Ok(ring),
        None => SharedRing::new().map(|shared| ring.insert(Shared { shared, progress })),
    };
    let taken = taken.and_then(|ring| Ok((ring.shared.position(), ring.shared.descriptors()?)));
    match taken {
        Ok((position, descriptors)) => {
            *call.session.by_ring.of_mut(list) = true;
            Plan::WithDescriptors(Reply::ListRinged(ListRinged { list, position }), descriptors)
        }
        Err(error) => {
            log::error!("the ring of a list cannot be handed over: {error}");
            by_link()
        }
    }
}
