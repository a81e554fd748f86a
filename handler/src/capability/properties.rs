//! Properties: small values of players and worlds, which we keep for the worlds that use them. Who may read and write one stands in
//! it.

use super::rights::{OPERATOR, PROPERTY, holds};
use super::{Access, By, Call, Plan, check_length};
use crate::lock::read;
use crate::state::State;
use crate::state::memory::Memory;
use crate::state::properties::Standing;
use crate::state::topic::Topic;
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use ssmglobal_ipc::{
    Code, Done, Failure, FingerProperty, Party, Properties, Property, PropertyAccess, PropertyDelete, PropertyGet,
    PropertySet, PropertyTerms, PropertyValue, PropertyVersion, PropertyWatch, Reply,
};
use ssmglobal_store::{KeptProperty, PlayerId, Principal, PrincipalKind, Row, WorldId};

/// Rights by which a player reads and writes all of them.
const KEEPERS: &[&str] = &[PROPERTY, OPERATOR];

/// Bytes of a name.
const NAME: usize = 64;

/// Bytes of a value.
const VALUE: usize = 4096;

/// Properties of one holder.
const MOST: u32 = 256;

/// Bytes of values in one answer, beyond which there is another page.
const PAGE: usize = 128 << 10;

/// Bytes of values that FINGER and WORLD SHOW show. PROPERTY GET has all of them.
const FINGER: usize = 16 << 10;

changes! {
    /// Changes of properties.
    PropertyChange: Set, Delete, Forget
}

/// The number that a property is called by, from 1 to 255; of `+5` and `05` none.
fn number(name: &str) -> Option<u8> {
    name.parse::<u8>().ok().filter(|_| !name.starts_with(['0', '+']))
}

fn check_name(name: &str) -> Result<(), Failure> {
    let is_word = (1..=NAME).contains(&name.len()) && !name.chars().any(|c| c.is_control() || c.is_whitespace());
    let is_digits = name.bytes().all(|byte| byte.is_ascii_digit());
    if is_word && (!is_digits || number(name).is_some()) {
        return Ok(());
    }
    let msg = format!("A property is a number from 1 to 255, or a name of 1 to {NAME} bytes without blanks.");
    Err(Failure::new(Code::Invalid, msg))
}

/// Numbers first, in their order, and then names.
fn order(name: &str) -> (u16, &str) {
    (number(name).map_or(u16::MAX, u16::from), name)
}

/// Who is meant.
fn holder(memory: &Memory, of: &Party) -> Result<Principal, Failure> {
    match of {
        Party::Player(_) | Party::World(_) => memory.named(of),
        Party::Server(_) | Party::Visitor(_) | Party::Backend => {
            let msg = "Properties are on players and worlds: give a player, or world:NAME.";
            Err(Failure::new(Code::Invalid, msg))
        }
    }
}

fn none_like(name: &str) -> Failure {
    let name: String = name.chars().take(NAME).collect();
    Failure::new(Code::NotFound, format!("There is no property {name}, or it is not for you to read."))
}

/// The player himself, or whose world it is.
pub fn owner_of(memory: &Memory, holder: Principal) -> Option<PlayerId> {
    match holder.kind {
        PrincipalKind::World => read(&memory.licences).get(WorldId(holder.id)).map(|licence| licence.owner),
        _ => holder.as_player(),
    }
}

/// The same, as the transaction has it.
fn owner(facts: &dyn Facts, holder: Principal) -> Result<PlayerId, Refusal> {
    let owner = match holder.kind {
        PrincipalKind::World => {
            let licence = facts.licence(WorldId(holder.id))?.filter(|licence| licence.gone.is_none());
            licence.map(|licence| licence.owner)
        }
        _ => holder.as_player(),
    };
    match owner {
        Some(owner) => Ok(owner),
        None => refuse(Code::NotFound, "This world's licence is gone."),
    }
}

/// What somebody is to a holder.
pub fn standing(state: &State, memory: &Memory, holder: Principal, by: &By, session: Option<u64>) -> Standing {
    let player = match by {
        By::Player(me) => Some(me.id),
        By::Operator | By::Server | By::Other => None,
    };
    let keeps = |player| KEEPERS.iter().any(|right| memory.has_right(player, right));
    let is_server = matches!(by, By::Server);
    Standing {
        player,
        is_server,
        is_world: is_server && session.is_some_and(|session| state.hosts_of(holder).contains(&session)),
        is_keeper: matches!(by, By::Operator) || player.is_some_and(keeps),
    }
}

/// What whoever asked is when his change is decided: his rights may be others since.
fn now(by: Standing, facts: &dyn Facts) -> Result<Standing, Refusal> {
    let Some(player) = by.player else { return Ok(by) };
    let mut is_keeper = false;
    for right in KEEPERS {
        is_keeper |= holds(facts, player, right)?;
    }
    Ok(Standing { is_keeper, ..by })
}

impl Access<'_> {
    fn standing(&self, holder: Principal) -> Standing {
        standing(self.state, self.memory, holder, &self.by, self.session)
    }
}

/// Who reads whose properties.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    by: Standing,
    owner: Option<PlayerId>,
    is_there: bool,
}

impl Reading {
    /// Of whoever asks.
    pub fn of(access: &Access<'_>, holder: Principal) -> Reading {
        let (by, owner) = (access.standing(holder), owner_of(access.memory, holder));
        Reading { by, owner, is_there: access.state.is_there(holder) }
    }

    /// What is there for him. Of somebody who has left, what goes with that may not be deleted yet.
    fn sees(self, property: &KeptProperty) -> bool {
        (property.kept || self.is_there) && self.by.may_read(property.read, self.owner)
    }

    /// Those that he may read, in their order.
    fn seen(self, mut found: Vec<(String, KeptProperty)>) -> Vec<(String, KeptProperty)> {
        found.retain(|(_, property)| self.sees(property));
        found.sort_by(|(one, _), (other, _)| order(one).cmp(&order(other)));
        found
    }

    /// What FINGER and WORLD SHOW show him, the first of them as far as there is room.
    pub fn for_finger(self, found: Vec<(String, KeptProperty)>) -> Vec<FingerProperty> {
        let mut room = FINGER;
        let shown = self.seen(found).into_iter().filter_map(|(name, property)| Some((name, property.value?)));
        let shown = shown.take_while(|(_, value)| {
            let fits = value.size() <= room;
            room = room.saturating_sub(value.size());
            fits
        });
        shown
            .map(|(name, value)| {
                let (value, base64) = value.shown();
                FingerProperty { name, value, base64 }
            })
            .collect()
    }
}

fn shown(name: String, property: KeptProperty) -> Property {
    let KeptProperty { value, version, finger, push, kept, write, read, at } = property;
    let (value, base64) = value.map_or((None, None), PropertyValue::shown);
    Property { name, value, base64, version, finger, push, kept, write, read, at }
}

/// So many of them as one answer holds, and behind which one it goes on.
fn page(found: Vec<(String, KeptProperty)>, limit: usize) -> (Vec<Property>, Option<String>) {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    let mut rest = found.into_iter().peekable();
    while let Some((name, property)) = rest.next_if(|_| rows.len() < limit && bytes < PAGE) {
        bytes += property.value.as_ref().map_or(0, PropertyValue::size);
        rows.push(shown(name, property));
    }
    let next = rest.peek().and_then(|_| rows.last()).map(|last: &Property| last.name.clone());
    (rows, next)
}

/// `PROPERTY GET`.
pub fn get(access: Access<'_>, request: PropertyGet) -> Plan<PropertyChange> {
    let PropertyGet { of, names, limit, after } = request;
    let holder = match holder(access.memory, &of) {
        Ok(holder) => holder,
        Err(failure) => return failure.into(),
    };
    let (of, reading) = (access.memory.party(holder), Reading::of(&access, holder));
    let limit = limit.unwrap_or(MOST).clamp(1, MOST) as usize;
    Plan::read(move |reader| {
        let mut found = reading.seen(reader.properties(holder)?);
        found.retain(|(name, _)| names.is_empty() || names.contains(name));
        if let (true, [first, ..]) = (found.is_empty(), &names[..]) {
            return Err(none_like(first).into());
        }
        if let Some(after) = &after {
            found.retain(|(name, _)| order(name) > order(after));
        }
        let (properties, next) = page(found, limit);
        Ok(Reply::Properties(Properties { of, properties, next }))
    })
}

/// Refuses when `expected` is given and not what is there; 0 stands for nothing there. `was_there`: some time.
fn check_version(expected: Option<u64>, found: Option<&KeptProperty>, was_there: bool) -> Result<(), Refusal> {
    let present = found.map_or(0, |property| property.version);
    match expected {
        Some(expected) if expected != present => {
            let msg = match present {
                0 if was_there => "There is no such property any more.".to_owned(),
                0 => "There is no such property.".to_owned(),
                version => {
                    format!("Another wrote in between: the property has version {version} now. Read it again first.")
                }
            };
            Err(Refusal::Failure(Failure { code: Code::Conflict, msg, version: Some(present), retry_after: None }))
        }
        _ => Ok(()),
    }
}

/// Why somebody may not write.
fn not_yours(write: PropertyAccess) -> Failure {
    let who = match write {
        PropertyAccess::Everyone => "whoever is logged in",
        PropertyAccess::Owner => "its owner",
        PropertyAccess::World => "the world",
        PropertyAccess::Property => "who has the right property",
    };
    Failure::new(Code::Denied, format!("Only {who} may write this property."))
}

/// A property is written.
#[derive(Clone, Debug)]
pub struct Set {
    /// The player or world that has it.
    pub holder: Principal,
    /// The same, as it is answered.
    pub of: Party,
    /// Its name, checked.
    pub name: String,
    /// What it is to say, checked.
    pub value: PropertyValue,
    /// Only if this is the present version; 0: only if there is none yet.
    pub version: Option<u64>,
    /// How it is to be used.
    pub terms: PropertyTerms,
    /// Who wants it.
    pub by: Standing,
    /// The session that does.
    pub session: Option<u64>,
    /// Whether the player is on, or the world is hosted.
    pub is_there: bool,
}

impl Set {
    /// As it is from now on.
    fn applied(&self, before: Option<&KeptProperty>, version: u64, stamp: Stamp) -> KeptProperty {
        let PropertyTerms { finger, push, kept, write, read } = self.terms;
        KeptProperty {
            value: Some(self.value.clone()),
            version,
            finger: finger.unwrap_or_else(|| before.is_some_and(|before| before.finger)),
            push: push.unwrap_or_else(|| before.is_some_and(|before| before.push)),
            kept: kept.unwrap_or_else(|| before.is_none_or(|before| before.kept)),
            write: write.unwrap_or_else(|| before.map_or(PropertyAccess::Owner, |before| before.write)),
            read: read.unwrap_or_else(|| before.map_or(PropertyAccess::Everyone, |before| before.read)),
            at: stamp.now,
        }
    }
}

/// Whether both are used in the same way.
fn is_used_alike(one: &KeptProperty, other: &KeptProperty) -> bool {
    let used = |it: &KeptProperty| (it.finger, it.push, it.kept, it.write, it.read);
    used(one) == used(other)
}

impl Decide for Set {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let (by, owner) = (now(self.by, facts)?, Some(owner(facts, self.holder)?));
        let found = facts.property(self.holder, &self.name)?;
        let (was_there, version) = (found.is_some(), found.as_ref().map_or(0, |property| property.version) + 1);
        let before = found.filter(|property| property.value.is_some() && (property.kept || self.is_there));
        let property = self.applied(before.as_ref(), version, stamp);
        match &before {
            Some(before) if !by.may_write(before.write, owner) => return Err(not_yours(before.write).into()),
            Some(before) if !is_used_alike(before, &property) && !by.is_involved(owner) => {
                return refuse(Code::Denied, "You may change what this property says, and not how it is used.");
            }
            None if !by.is_involved(owner) => {
                return refuse(Code::Denied, "Only the owner and the world may make a property here.");
            }
            Some(_) | None => {}
        }
        check_version(self.version, before.as_ref(), was_there)?;
        if before.is_none() && facts.property_count(self.holder)? >= MOST {
            return refuse(Code::Limit, format!("There are {MOST} properties already. PROPERTY DELETE one first."));
        }
        if !property.kept && !self.is_there {
            let msg = format!("{} is not on: only what is KEPT can be written.", self.of);
            return refuse(Code::Invalid, msg);
        }
        let reply = PropertyVersion { of: self.of.clone(), name: self.name.clone(), version };
        let row = Row::Property { holder: self.holder, name: self.name.clone(), property, by: self.session };
        Ok(Decided::new(vec![row], Reply::PropertyVersion(reply)))
    }
}

/// `PROPERTY SET`.
pub fn set(access: Access<'_>, request: PropertySet) -> Plan<PropertyChange> {
    let PropertySet { of, name, value, version, terms } = request;
    let checked = check_name(&name).and_then(|()| holder(access.memory, &of));
    let holder = match checked {
        Ok(holder) => holder,
        Err(failure) => return failure.into(),
    };
    if let Err(failure) = check_length("A value", value.size(), VALUE) {
        return failure.into();
    }
    let (by, of) = (access.standing(holder), access.memory.party(holder));
    let (session, is_there) = (access.session, access.state.is_there(holder));
    Plan::change(Set { holder, of, name, value, version, terms, by, session, is_there })
}

/// What is left of a property that is deleted: all but what it has said.
fn deleted(property: KeptProperty, stamp: Stamp) -> KeptProperty {
    KeptProperty { value: None, version: property.version + 1, at: stamp.now, ..property }
}

/// A property goes; its version is remembered.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The player or world that has it.
    pub holder: Principal,
    /// Its name.
    pub name: String,
    /// Only if this is the present version.
    pub version: Option<u64>,
    /// Who wants it.
    pub by: Standing,
    /// The session that does.
    pub session: Option<u64>,
}

impl Decide for Delete {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let (by, owner) = (now(self.by, facts)?, Some(owner(facts, self.holder)?));
        let found = facts.property(self.holder, &self.name)?;
        let was_there = found.is_some();
        let found = found.filter(|property| property.value.is_some());
        if let Some(found) = found.as_ref().filter(|found| !by.may_delete(found.write, owner)) {
            return Err(not_yours(found.write).into());
        }
        check_version(self.version, found.as_ref(), was_there)?;
        let Some(found) = found else { return Err(none_like(&self.name).into()) };
        let (name, property) = (self.name.clone(), deleted(found, stamp));
        Ok(Decided::done(Row::Property { holder: self.holder, name, property, by: self.session }))
    }
}

/// `PROPERTY DELETE`.
pub fn delete(access: Access<'_>, request: PropertyDelete) -> Plan<PropertyChange> {
    let PropertyDelete { of, name, version } = request;
    match holder(access.memory, &of) {
        Ok(holder) => {
            let (by, session) = (access.standing(holder), access.session);
            Plan::change(Delete { holder, name, version, by, session })
        }
        Err(failure) => failure.into(),
    }
}

/// Somebody is not on any more: what is kept only as long as that goes.
#[derive(Clone, Debug)]
pub struct Forget {
    /// Who is not on any more.
    pub holder: Principal,
}

impl Decide for Forget {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let holder = self.holder;
        let his = facts.properties(holder)?.into_iter().filter(|(_, property)| !property.kept);
        let gone =
            his.map(|(name, property)| Row::Property { holder, name, property: deleted(property, stamp), by: None });
        Ok(Decided::new(gone.collect(), Reply::Done(Done {})))
    }
}

/// `PROPERTY WATCH`.
pub fn watch(call: Call<'_>, request: PropertyWatch) -> Plan<PropertyChange> {
    let topic = match holder(call.memory, &request.of) {
        Ok(holder) => Topic::Properties(holder),
        Err(failure) => return failure.into(),
    };
    if let Some(count) = call.session.is_listening_enough(topic, call.settings) {
        let msg = format!("You watch the properties of {count} already. PROPERTY UNWATCH one of them first.");
        return Failure::new(Code::Limit, msg).into();
    }
    call.state.subscribe(call.session, call.at, topic);
    Plan::done()
}

/// `PROPERTY UNWATCH`.
pub fn unwatch(call: Call<'_>, request: PropertyWatch) -> Plan<PropertyChange> {
    match holder(call.memory, &request.of) {
        Ok(holder) => {
            call.state.unsubscribe(call.session, call.at, Topic::Properties(holder));
            Plan::done()
        }
        Err(failure) => failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_as_a_number_is_sorted_among_the_numbers() {
        let mut names = ["b", "12", "+5", "7", "a", "255"];
        names.sort_by(|one, other| order(one).cmp(&order(other)));
        assert_eq!(names, ["7", "12", "255", "+5", "a", "b"]);
        for (name, fits) in [("1", true), ("255", true), ("+5", true), ("0", false), ("05", false), ("256", false)] {
            assert_eq!(check_name(name).is_ok(), fits, "{name}");
        }
    }
}
