//! Settings of the universe: what everybody sees, what operators set, and who is told.

use super::rights::OPERATOR;
use super::{Access, Call, Plan};
use crate::lock::read;
use crate::state::memory::Memory;
use crate::state::session::Session;
use crate::state::topic::Topic;
use crate::state::universe::{Key, Universe};
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes};
use ssmglobal_ipc::{Code, Done, Failure, Reply, State, UniverseReset, UniverseSet};
use ssmglobal_store::{PlayerId, Principal, Row, WorldId};

changes! {
    /// Changes of the universe's settings.
    UniverseChange: Set
}

/// A setting is another one.
#[derive(Clone, Debug)]
pub struct Set {
    /// The setting to change.
    pub key: Key,
    /// What it is set to, checked; nothing: it is as the config file says.
    pub value: Option<String>,
}

impl Decide for Set {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        if facts.universe(self.key.name()) == self.value {
            return Ok(Decided::new(Vec::new(), Reply::Done(Done {})));
        }
        Ok(Decided::done(Row::Universe { key: self.key.name().to_owned(), value: self.value.clone() }))
    }
}

/// As it is shown. No wildcard: what is added to one of the two is decided here.
pub fn shown(universe: &Universe) -> ssmglobal_ipc::Universe {
    let Universe { name, welcome, visitors, talk, registration, client, host, start, users, renames, licence, set } =
        universe.clone();
    let set = set.into_iter().map(|key| key.name().to_owned()).collect();
    ssmglobal_ipc::Universe {
        name,
        welcome,
        visitors,
        talk,
        registration,
        client,
        host,
        start,
        users,
        renames,
        licence,
        set,
    }
}

fn named(key: &str) -> Result<Key, Failure> {
    Key::named(key).ok_or_else(|| {
        let names: Vec<&str> = Key::ALL.iter().map(|key| key.name()).collect();
        Failure::new(Code::NotFound, format!("There is no such setting. There are {}.", names.join(", ")))
    })
}

/// Whether somebody may see who is on and where: everybody, unless the user list is off.
///
/// # Errors
/// `denied` to somebody who may not.
pub fn may_see_where(call: &Call<'_>) -> Result<(), Failure> {
    if sees_where(call.memory, call.session) {
        return Ok(());
    }
    Err(Failure::new(Code::Denied, "Who is on is not shown here. FINGER tells of one player."))
}

/// The same of a session that does not ask.
pub fn sees_where(memory: &Memory, session: &Session) -> bool {
    let player = session.who().and_then(Principal::as_player);
    memory.universe().users
        || session.state == State::Server
        || player.is_some_and(|player| memory.has_right(player, OPERATOR))
}

/// The name of the place where somebody is, for whoever asks: that of a hidden world is for himself, its owner, operators and game
/// servers.
pub fn place_of(call: &Call<'_>, who: Principal, place: Principal) -> Option<String> {
    let me = call.session.who();
    let player = me.and_then(Principal::as_player);
    let is_his = |player: PlayerId| {
        let licences = read(&call.memory.licences);
        licences.get(WorldId(place.id)).is_some_and(|licence| licence.owner == player)
    };
    let sees_hidden = me == Some(who)
        || call.session.state == State::Server
        || player.is_some_and(|player| call.memory.has_right(player, OPERATOR) || is_his(player));
    if sees_hidden { call.memory.name(place) } else { call.memory.listed_name(place) }
}

/// `UNIVERSE SHOW`.
pub fn show(access: Access<'_>) -> Plan {
    Plan::Reply(Reply::Universe(shown(&access.memory.universe())))
}

/// `UNIVERSE SET`.
pub fn set(access: Access<'_>, request: UniverseSet) -> Plan<UniverseChange> {
    let set = || -> Result<Set, Failure> {
        let key = named(&request.key)?;
        let checked = read(&access.memory.universe).checked(key, &request.value);
        let value = checked.map_err(|why| Failure::new(Code::Invalid, format!("{}: {why}.", key.name())))?;
        // As it is written in its licence, and there at all.
        let value = match key {
            Key::Start if !value.is_empty() => access.memory.licence_named(&value)?.name.clone(),
            _ => value,
        };
        Ok(Set { key, value: Some(value) })
    };
    set().map_or_else(Plan::from, Plan::change)
}

/// `UNIVERSE RESET`.
pub fn reset(_: Access<'_>, request: UniverseReset) -> Plan<UniverseChange> {
    named(&request.key).map_or_else(Plan::from, |key| Plan::change(Set { key, value: None }))
}

/// `UNIVERSE WATCH`.
pub fn watch(call: Call<'_>) -> Plan {
    call.state.subscribe(call.session, call.at, Topic::Universe);
    Plan::done()
}

/// `UNIVERSE UNWATCH`.
pub fn unwatch(call: Call<'_>) -> Plan {
    call.state.unsubscribe(call.session, call.at, Topic::Universe);
    Plan::done()
}
