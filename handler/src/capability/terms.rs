//! How worlds are played through us: what operators and owners set beside a licence, and what of that counts.
//!
//! Addresses say where this machine connects to, from behind its own walls: they are the operator's alone. All else an owner sets
//! for his world himself.

use super::licences::{Keeper, licence, not_yours};
use super::{Access, Plan};
use crate::lock::read;
use crate::state::names::fold;
use crate::state::terms::{PlayKeys, Said, said_of};
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use ssmglobal_config::{Key, Unfit, WORLD_KEYS, WorldSettings};
use ssmglobal_ipc::{Code, Failure, PlayTerm, Reply, SaidBy, Secret, WorldPlay, WorldPlayed, nearest};
use ssmglobal_store::{Row, WorldId};

changes! {
    /// Changes of how worlds are played.
    TermsChange: Play
}

/// The key that says where a world is.
const WHERE: &str = "play";

/// The key that may hold a password.
const SECRET: &str = "heartbeat";

/// How that is shown.
const NOT_SHOWN: &str = "(not shown)";

/// A key of how a world is played is another one.
#[derive(Clone, Debug)]
pub struct Play {
    /// Which world.
    pub world: WorldId,
    /// Who wants it.
    pub by: Keeper,
    /// Which key.
    pub key: &'static str,
    /// To what, as it is kept; nothing: it is as the file or the kind says.
    pub value: Option<Secret>,
    /// What the config file says of the world.
    pub file: WorldSettings,
    /// Which of its addresses is used, for who may see that.
    pub in_use: Option<String>,
}

impl Decide for Play {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let licence = licence(facts, self.world)?;
        let is_operator = self.by.is_operator(facts)?;
        may_set(is_operator, self.by.owns(&licence), self.key)?;
        let kept = facts.played(self.world)?;
        let before = kept.iter().find(|(key, _)| key == self.key).map(|(_, value)| value.clone());
        let mut keys = PlayKeys::of(kept);
        keys.put(self.key.to_owned(), self.value.clone());
        let said = Said {
            name: licence.name,
            file: self.file.clone(),
            world: Some(self.world),
            licence: keys.settings().clone(),
        };
        if let Err(Unfit { key, wrong, allowed }) = said.together().judge() {
            return refuse(Code::Invalid, format!("{key}: {wrong}; {allowed}."));
        }
        let row = Row::WorldPlayed { world: self.world, key: self.key.to_owned(), value: self.value.clone() };
        let rows = (before != self.value).then_some(row);
        Ok(Decided::new(rows.into_iter().collect(), shown(&said, is_operator, self.in_use.clone())))
    }
}

/// Whether somebody may set a key of how a world is played.
fn may_set(is_operator: bool, owns: bool, key: &str) -> Result<(), Failure> {
    match (is_operator, owns) {
        (true, _) => Ok(()),
        (false, false) => Err(not_yours()),
        (false, true) if key == WHERE => {
            Err(Failure::new(Code::Denied, "Where your world is, the operator says; the rest you set yourself."))
        }
        (false, true) => Ok(()),
    }
}

/// How a world is played, for whoever may see that; `all`: also where it is.
fn shown(said: &Said, all: bool, in_use: Option<String>) -> Reply {
    let resolved = said.together().resolved();
    let term = |key: &Key<WorldSettings>| {
        let said_by = match (key.text(&said.file), key.text(&said.licence)) {
            (Some(_), _) => SaidBy::File,
            (None, Some(_)) => SaidBy::Licence,
            (None, None) => SaidBy::Kind,
        };
        let value = key.text(&resolved).unwrap_or_default();
        let value = if key.name() == SECRET && !value.is_empty() { NOT_SHOWN.to_owned() } else { value };
        PlayTerm { key: key.name().to_owned(), value, said_by }
    };
    let terms = WORLD_KEYS.iter().filter(|key| all || key.name() != WHERE).map(term).collect();
    Reply::WorldPlayed(WorldPlayed { world: said.name.clone(), terms, in_use: in_use.filter(|_| all) })
}

fn named(name: &str) -> Result<&'static Key<WorldSettings>, Failure> {
    let small = name.to_ascii_lowercase();
    WORLD_KEYS.iter().find(|key| key.name() == small).ok_or_else(|| {
        let names = || WORLD_KEYS.iter().map(Key::name);
        let meant = match nearest(name, names()) {
            Some(meant) => format!("Did you mean {meant}?"),
            None => format!("There are {}.", names().collect::<Vec<_>>().join(", ")),
        };
        Failure::new(Code::NotFound, format!("There is no such key. {meant}"))
    })
}

/// `WORLD PLAY`.
pub fn play(access: Access<'_>, request: WorldPlay) -> Plan<TermsChange> {
    let play = || -> Result<Plan<TermsChange>, Failure> {
        let Some(said) = said_of(access.memory, access.settings, &request.name) else {
            return Err(access.memory.licence_named(&request.name).err().unwrap_or_else(not_yours));
        };
        let by = Keeper::of(&access).ok_or_else(not_yours)?;
        let licence = said.world.and_then(|world| read(&access.memory.licences).get(world).cloned());
        let (is_operator, owns) = (access.is_operator(), licence.is_some_and(|licence| by.owns(&licence)));
        let known = access.state.plays.known(&fold(&said.name));
        let in_use = known.and_then(|world| world.address()).map(ToString::to_string).filter(|_| is_operator);
        let Some(key) = &request.key else {
            // As for the one key that nobody may be kept from who may anything.
            may_set(is_operator, owns, "kind")?;
            return Ok(Plan::Reply(shown(&said, is_operator, in_use)));
        };
        let key = named(key)?;
        may_set(is_operator, owns, key.name())?;
        let world = said.world.ok_or_else(|| {
            let msg = format!("{} has no licence: how it is played is set in the config file.", said.name);
            Failure::new(Code::NotFound, msg)
        })?;
        let mut set = WorldSettings::default();
        let value = request.value.as_ref().filter(|value| !value.expose().is_empty());
        if let Some(value) = value {
            let invalid = |why| Failure::new(Code::Invalid, format!("{}: {why}.", key.name()));
            key.set_to(&mut set, value.expose()).map_err(invalid)?;
        }
        let value = key.text(&set).map(Secret::new);
        // Where it is from now on, it is used when the next one comes.
        let in_use = in_use.filter(|_| key.name() != WHERE);
        Ok(Plan::change(Play { world, by, key: key.name(), value, file: said.file, in_use }))
    };
    play().unwrap_or_else(Plan::from)
}
