//! Settings: versioned text of one player or one game server. Writes compare and set inside a transaction.

use crate::core::{Answer, Refusal, Work, read, refuse};
use crate::dispatch::Plan;
use crate::players::no_such_player;
use crate::server::{Server, next_page};
use ssmglobal_ipc::*;
use ssmglobal_store::{KeptSetting, Owner};

/// Bytes of a setting's name.
const KEY: usize = 64;

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
pub fn get(server: &mut Server, slot: usize, _: u64, request: SettingGet) -> Plan {
    let own = server.session(slot).and_then(|session| Some((session.owner()?, session.name()?.to_owned())));
    let (owner, party) = match (request.of, own.clone()) {
        (None, None) => {
            return Failure::new(Code::NotLoggedIn, "Log in first, or say whose setting: SETTING GET key player.")
                .into();
        }
        (None, Some((owner @ Owner::Player(_), name))) => (owner, Party::Player(name)),
        (None, Some((owner @ Owner::Server(_), name))) => (owner, Party::Server(name)),
        (Some(Party::Player(name)), _) => {
            let directory = read(&server.core.directory);
            let Some(id) = directory.find(&name) else { return no_such_player(&name).into() };
            (Owner::Player(id), Party::Player(directory.name(id).to_owned()))
        }
        (Some(Party::Server(name)), _) => match server.core.server_named(&name) {
            Ok((id, name)) => (Owner::Server(id), Party::Server(name)),
            Err(failure) => return failure.into(),
        },
    };
    let mine = own.is_some_and(|(own, _)| own == owner);
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
                0 => "There is no such setting any more.".to_owned(),
                version => {
                    format!("Another wrote in between: the setting has version {version} now. Read it again first.")
                }
            };
            Err(Refusal::Failure(Failure { code: Code::Conflict, msg, version: Some(present), retry_after: None }))
        }
        _ => Ok(()),
    }
}

/// `SETTING SET`.
pub fn set(server: &mut Server, slot: usize, _: u64, request: SettingSet) -> Plan {
    let settings = server.core.settings();
    if let Err(failure) = check_key(&request.key) {
        return failure.into();
    }
    let (value_max, keys_max) = (settings.settings.value, settings.settings.keys_per_owner);
    if request.value.len() > value_max {
        return Failure::new(Code::TooLong, format!("A value has at most {value_max} bytes.")).into();
    }
    let Some(owner) = server.session(slot).and_then(|session| session.owner()) else { return Plan::Silent };
    Plan::Write(Box::new(move |work| {
        let found = work.tx.setting(owner, &request.key)?;
        check_version(request.version, found.as_ref())?;
        let exists = found.as_ref().is_some_and(|setting| setting.value.is_some());
        if !exists && work.tx.setting_count(owner)? >= keys_max {
            return refuse(Code::Limit, format!("You have {keys_max} settings already. SETTING DELETE one first."));
        }
        let version = found.as_ref().map_or(0, |setting| setting.version) + 1;
        let was_public = exists && found.is_some_and(|setting| setting.public);
        let public = request.public.unwrap_or(was_public);
        let kept = KeptSetting { value: Some(request.value.clone()), version, public, at: work.now };
        work.tx.setting_put(owner, &request.key, &kept)?;
        Ok(Answer::Reply(Reply::SettingVersion(SettingVersion { key: request.key.clone(), version, public })))
    }))
}

/// `SETTING DELETE`.
pub fn delete(server: &mut Server, slot: usize, _: u64, request: SettingDelete) -> Plan {
    let Some(owner) = server.session(slot).and_then(|session| session.owner()) else { return Plan::Silent };
    Plan::Write(Box::new(move |work: &mut Work<'_>| {
        let found = work.tx.setting(owner, &request.key)?;
        check_version(request.version, found.as_ref())?;
        let Some(found) = found.filter(|setting| setting.value.is_some()) else {
            return Err(not_set(&request.key).into());
        };
        let gone = KeptSetting { value: None, version: found.version + 1, public: false, at: work.now };
        work.tx.setting_put(owner, &request.key, &gone)?;
        Ok(Answer::Reply(Reply::Done(Done {})))
    }))
}

/// `SETTING LIST`.
pub fn list(server: &mut Server, slot: usize, _: u64, page: Page) -> Plan {
    let limit = server.page_limit(page.limit);
    let Some(owner) = server.session(slot).and_then(|session| session.owner()) else { return Plan::Silent };
    Plan::read(move |reader| {
        let most = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        let mut settings = reader.settings(owner, page.after.as_deref(), most)?;
        let next = next_page(&mut settings, limit, |row| row.key.clone());
        Ok(Reply::Settings(Settings { settings, next }))
    })
}
