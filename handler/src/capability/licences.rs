//! Licences of worlds: what the operator grants, and what the owner of a world changes of it.
//!
//! What is kept of a world belongs to its number. Where a licence is deleted or has ended, the next one of its name that comes in
//! time has the same number, and so all of it.

use super::players::check_email;
use super::properties::Reading;
use super::rights::{OPERATOR, holds};
use super::{Access, By, Plan, check_length};
use crate::lock::read;
use crate::state::memory::world_name;
use crate::state::names::{self, Name};
use crate::state::pages::next_page;
use crate::state::terms::terms_of;
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use crate::work::passwords;
use ssmglobal_ipc::{
    Code, Done, Expires, Failure, Licence, Licences, Page, Rating, Reply, Secret, Time, Version, WorldAdd, WorldDelete,
    WorldDisable, WorldKey, WorldName, WorldShown, WorldStatus, WorldTerms,
};
use ssmglobal_store::{KeptLicence, PlayerId, Principal, Row, Sequence, WorldId};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Characters of a name.
const NAME: RangeInclusive<usize> = 2..=16;

/// Users of one world.
const USERS: RangeInclusive<u32> = 1..=1024;

/// How large a world may be.
const SIZE: RangeInclusive<u32> = 1..=3275;

/// Bytes of a comment, of a reason.
const COMMENT: usize = 1024;
const REASON: usize = 1024;

/// What a licence has that is not told otherwise.
const USUAL: (u32, u32) = (50, 100);

/// Licences at once.
const MOST: usize = 100_000;

/// How long what is kept of a world waits for its next licence, milliseconds.
pub const WAITS: i64 = 60 * 24 * 3600 * 1000;

/// Of how many worlds what was kept goes along with one change.
const ALONG: u32 = 16;

changes! {
    /// Changes of licences.
    LicenceChange: Add, Change, Disable, Delete, Purge, SetPassword
}

/// A hosting password, and what is kept of it.
#[derive(Clone, Debug)]
pub struct NewPassword(Secret);

impl NewPassword {
    fn made() -> Result<NewPassword, Failure> {
        let made = passwords::new_key().map(NewPassword);
        made.map_err(|error| Failure::new(Code::Unavailable, error.to_string()))
    }
}

#[cfg(test)]
impl NewPassword {
    /// A password that a test has chosen.
    pub fn of(password: &str) -> NewPassword {
        NewPassword(Secret::new(password))
    }
}

/// The answer that is kept: without the password.
fn keyed(rows: Vec<Row>, world: &str) -> Decided {
    Decided::new(rows, Reply::WorldKey(WorldKey { world: world.to_owned(), password: None }))
}

fn exists(name: &Name, other: &KeptLicence) -> Failure {
    let (shown, there) = (&name.shown, &other.name);
    let msg = match name.folded == other.folded {
        true => format!("There is a licence of the world {there} already. WORLD CHANGE changes it."),
        false => format!("The name {shown} looks like that of the world {there}. Choose another."),
    };
    Failure::new(Code::Exists, msg)
}

/// A licence as this transaction has it, unless it is gone.
pub fn licence(facts: &dyn Facts, world: WorldId) -> Result<KeptLicence, Refusal> {
    match facts.licence(world)?.filter(|licence| licence.gone.is_none()) {
        Some(licence) => Ok(licence),
        None => refuse(Code::NotFound, "This world's licence is gone."),
    }
}

/// With what was left of worlds whose licences are long gone.
fn with_old(facts: &dyn Facts, stamp: Stamp, mut rows: Vec<Row>) -> Result<Vec<Row>, Refusal> {
    let old = facts.licences_gone(Time(stamp.now.0.saturating_sub(WAITS)), ALONG)?;
    rows.extend(old.into_iter().map(|world| Row::WorldPurged { world }));
    Ok(rows)
}

/// Whether what is wanted of a licence may be.
fn check(terms: &WorldTerms, now: Time) -> Result<(), Failure> {
    let refuse = |code, msg: String| Err(Failure::new(code, msg));
    if terms.users.is_some_and(|users| !USERS.contains(&users)) {
        return refuse(Code::Invalid, format!("A world has {} to {} users.", USERS.start(), USERS.end()));
    }
    if terms.size.is_some_and(|size| !SIZE.contains(&size)) {
        return refuse(Code::Invalid, format!("A world's size is {} to {}.", SIZE.start(), SIZE.end()));
    }
    terms.email.as_deref().map_or(Ok(()), check_email)?;
    check_length("A comment", terms.comment.as_ref().map_or(0, String::len), COMMENT)?;
    if terms.expires.and_then(Expires::at).is_some_and(|end| end <= now) {
        return refuse(Code::Invalid, "That moment is over already. WORLD DISABLE ends a licence at once.".to_owned());
    }
    Ok(())
}

/// What is said of a licence, taken over.
fn apply(licence: &mut KeptLicence, terms: &WorldTerms) {
    fn set<T: Clone>(field: &mut T, value: &Option<T>) {
        if let Some(value) = value {
            *field = value.clone();
        }
    }
    let WorldTerms { users, size, email, comment, expires, listed, visitors, voice, plugins, client, check_address } =
        terms;
    set(&mut licence.users, users);
    set(&mut licence.size, size);
    if let Some(email) = email {
        licence.email = (!email.is_empty()).then(|| email.clone());
    }
    set(&mut licence.comment, comment);
    if let Some(expires) = expires {
        licence.expires = expires.at();
    }
    set(&mut licence.listed, listed);
    set(&mut licence.visitors, visitors);
    set(&mut licence.voice, voice);
    set(&mut licence.plugins, plugins);
    set(&mut licence.client, client);
    set(&mut licence.check_address, check_address);
}

/// A new licence.
#[derive(Clone, Debug)]
pub struct Add {
    /// The name in its forms.
    pub name: Name,
    /// The hosting password.
    pub password: NewPassword,
    /// Whose world it is.
    pub owner: PlayerId,
    /// All else, checked.
    pub terms: WorldTerms,
}

impl Decide for Add {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let Name { shown, folded, skeleton } = self.name.clone();
        let like = facts.licences_like(&self.name)?;
        let is_over =
            |other: &KeptLicence| other.gone.is_some() || other.has_expired(stamp.now) && other.folded == folded;
        if let Some(other) = like.iter().find(|other| !is_over(other)) {
            return Err(exists(&self.name, other).into());
        }
        let before = like.into_iter().find(|other| other.folded == folded);
        let ended = before.as_ref().and_then(|before| before.gone.or(before.expires));
        let in_time = ended.is_some_and(|ended| stamp.now.0.saturating_sub(ended.0) < WAITS);
        let mut rows = Vec::new();
        let id = match before {
            Some(before) if in_time => before.id,
            before => {
                if let Some(before) = before.filter(|before| before.gone.is_none()) {
                    rows.push(Row::LicenceGone { world: before.id, at: stamp.now });
                    rows.push(Row::WorldPurged { world: before.id });
                }
                let many = |_| Failure::new(Code::Limit, "There are too many worlds.");
                WorldId(u32::try_from(facts.next_number(Sequence::World)?).map_err(many)?)
            }
        };
        let (users, size) = USUAL;
        let mut new = KeptLicence {
            id,
            name: shown.clone(),
            folded,
            skeleton,
            password: passwords::key_hash(&self.password.0),
            owner: self.owner,
            users,
            size,
            email: None,
            comment: String::new(),
            created: stamp.now,
            expires: None,
            disabled: None,
            last_started: None,
            last_address: None,
            stopped: None,
            listed: true,
            visitors: true,
            voice: false,
            plugins: false,
            check_address: false,
            client: Version::default(),
            gone: None,
        };
        apply(&mut new, &self.terms);
        rows.push(Row::Licence(Box::new(new)));
        Ok(keyed(with_old(facts, stamp, rows)?, &shown))
    }

    fn shown_once(&self) -> Option<Secret> {
        Some(self.password.0.clone())
    }
}

/// `WORLD ADD`.
pub fn add(access: Access<'_>, request: WorldAdd) -> Plan<LicenceChange> {
    let add = || {
        let name = names::check(&request.name, *NAME.start(), *NAME.end())?;
        name.refuse_reserved(&access.settings.players.reserved_names)?;
        check(&request.terms, Time::now())?;
        let (owner, _) = access.memory.player_named(&request.owner)?;
        if read(&access.memory.licences).len() >= MOST {
            return Err(Failure::new(Code::Limit, format!("There are {MOST} worlds already.")));
        }
        Ok(Add { name, password: NewPassword::made()?, owner, terms: request.terms.clone() })
    };
    add().map_or_else(Plan::from, Plan::change)
}

/// Who changes a licence, as far as that decides what he may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The operator, at his own socket.
    Operator,
    /// A player: one who may what the operator may, or whose world it must be.
    Player(PlayerId),
}

impl Keeper {
    /// Nothing for who is neither.
    pub fn of(access: &Access<'_>) -> Option<Keeper> {
        match &access.by {
            By::Operator => Some(Keeper::Operator),
            By::Player(me) => Some(Keeper::Player(me.id)),
            By::Server | By::Other => None,
        }
    }

    /// When his change is decided: his rights may be others than when he asked.
    pub fn is_operator(self, facts: &dyn Facts) -> Result<bool, Refusal> {
        match self {
            Keeper::Operator => Ok(true),
            Keeper::Player(player) => holds(facts, player, OPERATOR),
        }
    }

    /// Whether it is his world.
    pub fn owns(self, licence: &KeptLicence) -> bool {
        self == Keeper::Player(licence.owner)
    }
}

/// The answer to who is neither.
pub fn not_yours() -> Failure {
    Failure::new(Code::Denied, "That is not your world. Its owner and the operator may do that.")
}

/// A licence is another one from now on.
#[derive(Clone, Debug)]
pub struct Change {
    /// Of which world.
    pub world: WorldId,
    /// Who wants it.
    pub by: Keeper,
    /// The new owner; nothing: he stays.
    pub owner: Option<PlayerId>,
    /// All else, checked.
    pub terms: WorldTerms,
}

impl Decide for Change {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let mut licence = licence(facts, self.world)?;
        may_change(&licence, self.by, self.by.is_operator(facts)?, is_owners(self.owner.is_some(), &self.terms))?;
        apply(&mut licence, &self.terms);
        licence.owner = self.owner.unwrap_or(licence.owner);
        Ok(Decided::done(Row::Licence(Box::new(licence))))
    }
}

/// Whether somebody may change a licence; `is_owners`: in what its owner may.
fn may_change(licence: &KeptLicence, by: Keeper, is_operator: bool, is_owners: bool) -> Result<(), Failure> {
    if is_operator {
        return Ok(());
    }
    if !by.owns(licence) {
        return Err(not_yours());
    }
    if !is_owners {
        let msg = "Of your world you change comment, listed and visitors; the rest is the operator's.";
        return Err(Failure::new(Code::Denied, msg));
    }
    Ok(())
}

/// Whether there is nothing that only an operator may change.
fn is_owners(another_owner: bool, terms: &WorldTerms) -> bool {
    let WorldTerms { users, size, email, comment, expires, listed, visitors, voice, plugins, client, check_address } =
        terms;
    // These are the owner's.
    let _ = (comment, listed, visitors);
    let numbers = users.is_none() && size.is_none() && expires.is_none() && client.is_none();
    let flags = voice.is_none() && plugins.is_none() && check_address.is_none();
    !another_owner && email.is_none() && numbers && flags
}

/// `WORLD CHANGE`.
pub fn change(access: Access<'_>, request: ssmglobal_ipc::WorldChange) -> Plan<LicenceChange> {
    let change = || {
        let licence = access.memory.licence_named(&request.name)?;
        let by = Keeper::of(&access).ok_or_else(not_yours)?;
        may_change(&licence, by, access.is_operator(), is_owners(request.owner.is_some(), &request.terms))?;
        if request.owner.is_none() && request.terms == WorldTerms::default() {
            return Err(Failure::new(
                Code::Usage,
                "Nothing is said that should be changed. HELP WORLD CHANGE lists it.",
            ));
        }
        check(&request.terms, Time::now())?;
        let owner = request.owner.as_deref().map(|owner| access.memory.player_named(owner)).transpose()?;
        Ok(Change { world: licence.id, by, owner: owner.map(|(owner, _)| owner), terms: request.terms.clone() })
    };
    change().map_or_else(Plan::from, Plan::change)
}

/// A licence is refused from now on, or taken again.
#[derive(Clone, Debug)]
pub struct Disable {
    /// Of which world.
    pub world: WorldId,
    /// Why; nothing: it is taken.
    pub reason: Option<String>,
}

impl Decide for Disable {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let mut licence = licence(facts, self.world)?;
        licence.disabled = self.reason.clone();
        Ok(Decided::done(Row::Licence(Box::new(licence))))
    }
}

/// `WORLD DISABLE`.
pub fn disable(access: Access<'_>, request: WorldDisable) -> Plan<LicenceChange> {
    let said = request.reason.filter(|reason| !reason.trim().is_empty());
    let reason = said.unwrap_or_else(|| "The operator has disabled this world.".to_owned());
    let licence =
        check_length("A reason", reason.len(), REASON).and_then(|()| access.memory.licence_named(&request.name));
    match licence {
        Ok(licence) => Plan::change(Disable { world: licence.id, reason: Some(reason) }),
        Err(failure) => failure.into(),
    }
}

/// `WORLD ENABLE`.
pub fn enable(access: Access<'_>, request: WorldName) -> Plan<LicenceChange> {
    match access.memory.licence_named(&request.name) {
        Ok(licence) => Plan::change(Disable { world: licence.id, reason: None }),
        Err(failure) => failure.into(),
    }
}

/// A licence is gone.
#[derive(Clone, Debug)]
pub struct Delete {
    /// Of which world.
    pub world: WorldId,
    /// With all that is kept of it.
    pub purge: bool,
}

impl Decide for Delete {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let world = licence(facts, self.world)?.id;
        let purged = self.purge.then_some(Row::WorldPurged { world });
        let rows = [Row::LicenceGone { world, at: stamp.now }].into_iter().chain(purged).collect();
        Ok(Decided::new(with_old(facts, stamp, rows)?, Reply::Done(Done {})))
    }
}

/// What waits for the next licence of a name goes.
#[derive(Clone, Debug)]
pub struct Purge {
    /// The name in its forms.
    pub name: Name,
}

impl Decide for Purge {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let like = facts.licences_like(&self.name)?.into_iter();
        let waits = like.filter(|other| other.folded == self.name.folded && other.gone.is_some());
        let purged: Vec<Row> = waits.map(|other| Row::WorldPurged { world: other.id }).collect();
        if purged.is_empty() {
            let msg = format!("There is no world {}, and nothing waits for its next licence.", self.name.shown);
            return refuse(Code::NotFound, msg);
        }
        Ok(Decided::new(with_old(facts, stamp, purged)?, Reply::Done(Done {})))
    }
}

/// `WORLD DELETE`.
pub fn delete(access: Access<'_>, request: WorldDelete) -> Plan<LicenceChange> {
    let failure = match access.memory.licence_named(&request.name) {
        Ok(licence) => return Plan::change(Delete { world: licence.id, purge: request.purge }),
        Err(failure) => failure,
    };
    // Whoever has deleted it may want it gone for good after all.
    match names::check(&world_name(&request.name), *NAME.start(), *NAME.end()) {
        Ok(name) if request.purge => Plan::change(Purge { name }),
        _ => failure.into(),
    }
}

/// A world has another hosting password.
#[derive(Clone, Debug)]
pub struct SetPassword {
    /// The world that gets it.
    pub world: WorldId,
    /// Who wants it.
    pub by: Keeper,
    /// The password.
    pub password: NewPassword,
}

impl Decide for SetPassword {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let mut licence = licence(facts, self.world)?;
        may_change(&licence, self.by, self.by.is_operator(facts)?, true)?;
        licence.password = passwords::key_hash(&self.password.0);
        let name = licence.name.clone();
        Ok(keyed(vec![Row::Licence(Box::new(licence))], &name))
    }

    fn shown_once(&self) -> Option<Secret> {
        Some(self.password.0.clone())
    }
}

/// `WORLD PASSWORD`.
pub fn password(access: Access<'_>, request: WorldName) -> Plan<LicenceChange> {
    let set = || -> Result<SetPassword, Failure> {
        let licence = access.memory.licence_named(&request.name)?;
        let by = Keeper::of(&access).ok_or_else(not_yours)?;
        may_change(&licence, by, access.is_operator(), true)?;
        Ok(SetPassword { world: licence.id, by, password: NewPassword::made()? })
    };
    set().map_or_else(Plan::from, Plan::change)
}

impl Access<'_> {
    /// How a world is, and which game server hosts it.
    fn world_status(&self, world: WorldId) -> (WorldStatus, Option<String>) {
        match self.state.hosted.get(world) {
            None => (WorldStatus::Stopped, None),
            Some(hosting) => (hosting.status(), self.memory.name(hosting.host.server.into())),
        }
    }

    fn shown_licence(&self, licence: &KeptLicence) -> Licence {
        let (status, host) = self.world_status(licence.id);
        let kept = licence.clone();
        Licence {
            name: kept.name,
            number: kept.id.0,
            owner: self.memory.name(kept.owner.into()).unwrap_or_default(),
            users: kept.users,
            size: kept.size,
            email: kept.email,
            comment: kept.comment,
            created: kept.created,
            expires: kept.expires,
            disabled: kept.disabled,
            last_started: kept.last_started,
            last_address: kept.last_address,
            listed: kept.listed,
            visitors: kept.visitors,
            voice: kept.voice,
            plugins: kept.plugins,
            client: kept.client,
            check_address: kept.check_address,
            status,
            host,
        }
    }
}

/// `WORLD SHOW`.
pub fn show(access: Access<'_>, request: WorldName) -> Plan {
    let licence = match access.memory.licence_named(&request.name) {
        Ok(licence) => licence,
        Err(failure) => return failure.into(),
    };
    let is_his = access.is_operator() || Keeper::of(&access).is_some_and(|by| by.owns(&licence));
    let hosting = access.state.hosted.get(licence.id);
    let text = hosting.map(|hosting| hosting.text.clone()).filter(|text| !text.is_empty());
    let played = terms_of(access.memory, access.settings, &licence.name);
    let played = played.map(|(_, terms)| terms.play.iter().map(ToString::to_string).collect::<Vec<_>>());
    let shown = WorldShown {
        name: licence.name.clone(),
        description: text.unwrap_or_else(|| licence.comment.clone()),
        status: access.world_status(licence.id).0,
        users: hosting.map_or(0, |hosting| hosting.users),
        max: licence.users,
        rating: hosting.map_or(Rating::default(), |hosting| hosting.rating),
        licence: is_his.then(|| Box::new(access.shown_licence(&licence))),
        properties: Vec::new(),
        played: played.is_some(),
        play: played.filter(|_| access.is_operator()).unwrap_or_default(),
    };
    let holder = Principal::from(licence.id);
    let reading = Reading::of(&access, holder);
    Plan::read(move |reader| {
        let properties = reading.for_finger(reader.properties_for_finger(holder)?);
        Ok(Reply::WorldShown(WorldShown { properties, ..shown }))
    })
}

/// `WORLD LIST`.
pub fn list(access: Access<'_>, page: Page) -> Plan {
    let limit = access.page_limit(page.limit);
    let licences = read(&access.memory.licences);
    let after = page.after.as_deref();
    let (found, total): (Vec<Arc<KeptLicence>>, usize) = match Keeper::of(&access) {
        _ if access.is_operator() => (licences.after(after).take(limit + 1).cloned().collect(), licences.len()),
        Some(Keeper::Player(player)) => {
            let his = licences.of_after(player, after).take(limit + 1).cloned().collect();
            (his, licences.count_of(player) as usize)
        }
        Some(Keeper::Operator) | None => (Vec::new(), 0),
    };
    drop(licences);
    let mut licences: Vec<Licence> = found.iter().map(|licence| access.shown_licence(licence)).collect();
    let next = next_page(&mut licences, limit, |licence| licence.name.clone());
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    Plan::Reply(Reply::Licences(Licences { licences, total, next }))
}
