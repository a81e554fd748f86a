//! Settings: versioned text of one player or one game server. Writes compare and set inside a transaction.

use super::{Call, Me, Plan, check_length};
use crate::state::pages::{next_page, one_more};
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use ssmglobal_ipc::*;
use ssmglobal_store::{KeptSetting, Principal, Row};

/// Bytes of a setting's name.
const KEY: usize = 64;

changes! {
    /// Changes of settings.
    SettingChange: Set, Delete
}

fn check_key(key: &str) -> Result<(), Failure> {
    if (1..=KEY).contains(&key.len()) && !key.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Ok(());
    }
    Err(Failure::new(Code::Invalid, format!("The name of a setting is 1 to {KEY} bytes without blanks.")))
}

fn not_set(key: &str) -> Failure {
    let key: String = key.chars().take(KEY).collect();
    Failure::new(Code::NotFound, format!("There is no setting {key}, or it is not public."))
}

/// `SETTING GET`.
pub fn get(call: Call<'_>, request: SettingGet) -> Plan<SettingChange> {
    let me = call.principal();
    let memory = &call.memory;
    let owner = match (&request.of, &me) {
        (None, None) => {
            return Failure::new(Code::NotLoggedIn, "Log in first, or say whose setting: SETTING GET key player.")
                .into();
        }
        (None, Some(me)) => me.id,
        (Some(party), _) => match memory.named(party) {
            Ok(owner) => owner,
            Err(failure) => return failure.into(),
        },
    };
    let party = memory.party(owner);
    let mine = me.is_some_and(|me| me.id == owner);
    let key = request.key;
    Plan::read(move |reader| match reader.setting(owner, &key)? {
        Some(KeptSetting { value: Some(value), version, public, at }) if mine || public => {
            Ok(Reply::Setting(Setting { of: party, key, value, version, public, at }))
        }
        _ => Err(not_set(&key).into()),
    })
}

/// Refuses when `expected` is given and not what is there; 0 stands for nothing there.
fn check_version(expected: Option<u64>, found: Option<&KeptSetting>) -> Result<(), Refusal> {
    let present = found.filter(|setting| setting.value.is_some()).map_or(0, |setting| setting.version);
    match expected {
        Some(expected) if expected != present => {
            let msg = match present {
                0 if found.is_some() => "There is no such setting any more.".to_owned(),
                0 => "There is no such setting.".to_owned(),
                version => {
                    format!("Another wrote in between: the setting has version {version} now. Read it again first.")
                }
            };
            Err(Refusal::Failure(Failure { code: Code::Conflict, msg, version: Some(present), retry_after: None }))
        }
        _ => Ok(()),
    }
}

/// A setting is written.
#[derive(Clone, Debug)]
pub struct Set {
    /// The player or game server that has it.
    pub owner: Principal,
    /// Its name, checked.
    pub key: String,
    /// The text, checked.
    pub value: String,
    /// Only if this is the present version; 0: only if there is none yet.
    pub version: Option<u64>,
    /// Whether others may read it; left out, it stays as it is.
    pub public: Option<bool>,
    /// How many settings an owner may have.
    pub most: u32,
}

impl Decide for Set {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let Set { owner, most, .. } = *self;
        let found = facts.setting(owner, &self.key)?;
        check_version(self.version, found.as_ref())?;
        let exists = found.as_ref().is_some_and(|setting| setting.value.is_some());
        if !exists && facts.setting_count(owner)? >= most {
            return refuse(Code::Limit, format!("You have {most} settings already. SETTING DELETE one first."));
        }
        let version = found.as_ref().map_or(0, |setting| setting.version) + 1;
        let was_public = exists && found.is_some_and(|setting| setting.public);
        let public = self.public.unwrap_or(was_public);
        let setting = KeptSetting { value: Some(self.value.clone()), version, public, at: stamp.now };
        let row = Row::Setting { owner, key: self.key.clone(), setting };
        let reply = Reply::SettingVersion(SettingVersion { key: self.key.clone(), version, public });
        Ok(Decided::new(vec![row], reply))
    }
}

/// `SETTING SET`.
pub fn set(call: Call<'_>, me: Me<Principal>, request: SettingSet) -> Plan<SettingChange> {
    let settings = call.settings;
    if let Err(failure) = check_key(&request.key) {
        return failure.into();
    }
    let (value_max, most) = (settings.settings.value, settings.settings.keys_per_owner);
    if let Err(failure) = check_length("A value", request.value.len(), value_max) {
        return failure.into();
    }
    let SettingSet { key, value, version, public } = request;
    Plan::change(Set { owner: me.id, key, value, version, public, most })
}

/// A setting goes; its version is remembered.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The player or game server that has it.
    pub owner: Principal,
    /// Its name.
    pub key: String,
    /// Only if this is the present version.
    pub version: Option<u64>,
}

impl Decide for Delete {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let found = facts.setting(self.owner, &self.key)?;
        check_version(self.version, found.as_ref())?;
        let Some(found) = found.filter(|setting| setting.value.is_some()) else {
            return Err(not_set(&self.key).into());
        };
        let setting = KeptSetting { value: None, version: found.version + 1, public: false, at: stamp.now };
        Ok(Decided::done(Row::Setting { owner: self.owner, key: self.key.clone(), setting }))
    }
}

/// `SETTING DELETE`.
pub fn delete(_: Call<'_>, me: Me<Principal>, request: SettingDelete) -> Plan<SettingChange> {
    Plan::change(Delete { owner: me.id, key: request.key, version: request.version })
}

/// `SETTING LIST`.
pub fn list(call: Call<'_>, me: Me<Principal>, page: Page) -> Plan<SettingChange> {
    let limit = call.page_limit(page.limit);
    Plan::read(move |reader| {
        let mut rows = reader.settings(me.id, page.after.as_deref(), one_more(limit))?;
        let next = next_page(&mut rows, limit, |row| row.key.clone());
        let shown = |row: ssmglobal_store::SettingRow| {
            let ssmglobal_store::SettingRow { key, version, public, bytes, at } = row;
            SettingRow { key, version, public, bytes, at }
        };
        // There are few: an owner may have so many.
        let total = Some(reader.setting_count(me.id)?);
        Ok(Reply::Settings(Settings { settings: rows.into_iter().map(shown).collect(), next, total }))
    })
}
