//! How game servers host worlds that have a licence.
//!
//! A host is a game server and one of its programs, the instance. Whoever is the same may go on with a world on another
//! connection; anybody else is refused as long as it is hosted, also within the grace in which the host may come back.

use super::call::slow_down;
use super::{Call, Me, Plan, check_length};
use crate::lock::read;
use crate::state::hosting::{Host, Hosting};
use crate::state::licences::host_terms;
use crate::state::pages::next_page;
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use crate::work::passwords;
use ssmglobal_ipc::{
    Code, Failure, HostSay, HostStart, HostStop, Hosted, HostedList, HostedRow, Page, Reply, Secret, Time,
};
use ssmglobal_store::{KeptLicence, Row, ServerId, StartedBy, WorldId};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

/// Worlds on one connection.
const MOST: usize = 10_000;

/// Bytes of an instance, an address, a map, the free text.
const INSTANCE: usize = 32;
const ADDRESS: usize = 255;
const MAP: usize = 128;
const TEXT: usize = 1024;

changes! {
    /// Changes by those who host.
    HostingChange: Start, Stopped
}

/// A world is started.
#[derive(Clone, Debug)]
pub struct Start {
    /// The world to start.
    pub world: WorldId,
    /// The hosting password, as the host says.
    pub password: Secret,
    /// Where the host is.
    pub from: String,
    /// The session that starts it, and where clients find the world.
    pub by: StartedBy,
}

/// A world is not hosted any more. Nobody waits for an answer.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// The world that has stopped.
    pub world: WorldId,
    /// The moment of the stop.
    pub at: Time,
}

impl Decide for Stopped {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Stopped { world, at } = *self;
        // It may have been started since, or its licence may be gone for good.
        let licence = facts.licence(world)?.filter(|licence| licence.last_started.is_some_and(|started| started <= at));
        let rows = licence.map(|_| Row::WorldStopped { world, at }).into_iter().collect();
        Ok(Decided::new(rows, Reply::Done(ssmglobal_ipc::Done {})))
    }
}

/// Whether a licence lets somebody with this password host its world.
fn may_host(licence: &KeptLicence, password: &Secret, now: Time) -> Result<(), Failure> {
    if !passwords::key_matches(password, &licence.password) {
        let msg = "That is not the hosting password of this world. The owner makes another: WORLD PASSWORD.";
        return Err(Failure::new(Code::BadLogin, msg));
    }
    if let Some(reason) = &licence.disabled {
        return Err(Failure::new(Code::Disabled, format!("This world is disabled: {reason}")));
    }
    if licence.has_expired(now) {
        return Err(Failure::new(Code::Expired, "The licence of this world has ended. Ask the operator."));
    }
    Ok(())
}

fn hosted(licence: &KeptLicence, hosting: &Hosting, resumed: bool) -> Reply {
    let (address, since) = (hosting.place(), hosting.since);
    Reply::Hosted(Hosted { terms: host_terms(licence), address, since, resumed })
}

impl Decide for Start {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let Some(licence) = facts.licence(self.world)?.filter(|licence| licence.gone.is_none()) else {
            return refuse(Code::NotFound, "This world's licence is gone.");
        };
        may_host(&licence, &self.password, stamp.now)?;
        let reply = hosted(&licence, &Hosting::new(self.by.clone(), stamp.now), false);
        let (world, at, address, by) = (self.world, stamp.now, self.from.clone(), Box::new(self.by.clone()));
        Ok(Decided::new(vec![Row::WorldStarted { world, at, address, by }], reply))
    }
}

/// An address as clients are told it, if they can connect there: a host's name, or an address without brackets.
fn connectable(text: &str) -> Option<String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if bare.is_some() || text.contains(':') {
        let address: Ipv6Addr = bare.unwrap_or(text).parse().ok()?;
        return (!address.is_unspecified()).then(|| address.to_string());
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return (!address.is_unspecified()).then(|| text.to_owned());
    }
    let mut labels = text.strip_suffix('.').unwrap_or(text).split('.');
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    // What ends in a number is meant for an address, and is none.
    let ends_in_number = labels.clone().next_back().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    (labels.all(is_label) && !ends_in_number).then(|| text.to_owned())
}

/// What is said of who hosts, checked.
fn started_by(call: &Call<'_>, server: ServerId, request: &HostStart) -> Result<(StartedBy, String), Failure> {
    let instance = request.instance.clone().unwrap_or_default();
    check_length("An instance", instance.len(), INSTANCE)?;
    if instance.chars().any(char::is_control) {
        return Err(Failure::new(Code::Invalid, "An instance holds no control characters."));
    }
    if request.port == 0 {
        return Err(Failure::new(Code::Invalid, "Clients need a port to connect to, from 1 to 65535."));
    }
    let from = call.session.address.map_or_else(String::new, |address| address.ip().to_canonical().to_string());
    let address = request.address.clone().unwrap_or_else(|| from.clone());
    check_length("An address", address.len(), ADDRESS)?;
    let address = connectable(&address).ok_or_else(|| {
        let msg = "Clients need a place to connect to: a name as play.example.org, or 192.0.2.7, or 2001:db8::7. The port \
                   is an argument of its own.";
        Failure::new(Code::Invalid, msg)
    })?;
    let by = StartedBy { session: call.session.number, server, instance, address, port: request.port };
    Ok((by, from))
}

fn elsewhere(hosting: &Hosting, me: ServerId, now: Time) -> Failure {
    let msg = match hosting.away {
        None if hosting.host.server == me => "Another instance of this game server hosts this world.".to_owned(),
        None => "Another game server hosts this world.".to_owned(),
        Some(until) => format!(
            "This world is hosted elsewhere: its host was here until a moment ago, and may come back within {} seconds.",
            now.seconds_until(until) + 1
        ),
    };
    Failure::new(Code::Elsewhere, msg)
}

/// `HOST START`.
pub fn start(call: Call<'_>, me: Me<ServerId>, request: HostStart) -> Plan<HostingChange> {
    try_start(call, &me, &request).unwrap_or_else(Plan::from)
}

fn try_start(call: Call<'_>, me: &Me<ServerId>, request: &HostStart) -> Result<Plan<HostingChange>, Failure> {
    let (now, session) = (Time::now(), call.session.number);
    let licence = call.memory.licence_named(&request.world)?;
    may_host(&licence, &request.password, now)?;
    let least = call.memory.universe().host;
    if request.version.unwrap_or_default().0 < least.0 {
        let msg = format!("Hosts are let in from version {} on. Say yours as version, or update.", least);
        return Err(Failure::new(Code::TooOld, msg));
    }
    let (by, from) = started_by(&call, me.id, request)?;
    let world = licence.id;
    match call.state.hosted.get(world) {
        Some(hosting) if !hosting.host.is(by.server, &by.instance) => return Err(elsewhere(hosting, me.id, now)),
        // The same host: on the same connection, back within the grace, or on another one before the end of the first was noticed.
        Some(hosting) => {
            let hosting = hosting.clone();
            if hosting.host.session != session && hosting.away.is_none() {
                let wait = call.state.hosted.takeovers.wait(world, Instant::now());
                if !wait.is_zero() {
                    let why = "Two programs take this world over from each other: they have the same key and instance.";
                    return Err(slow_down(why, wait));
                }
                call.state.hosted.takeovers.add(world, Instant::now());
                call.state.replaced_hosts.push((hosting.host.session, world));
            }
            let StartedBy { server, instance, address, port, .. } = by;
            let host = Host { session, server, instance };
            let hosting = Hosting { host, address, port, away: None, ..hosting };
            let reply = hosted(&licence, &hosting, true);
            call.state.host_world(&licence, hosting);
            call.state.resumed.insert(world);
            return Ok(Plan::Reply(reply));
        }
        None => {
            let other = call.state.hosted.claimed(world, Instant::now()).filter(|host| host.session != session);
            if other.is_some_and(|host| !host.is(by.server, &by.instance)) {
                return Err(Failure::new(Code::Elsewhere, "Another host has just asked for this world."));
            }
        }
    }
    if call.state.hosted.count_of(session) >= MOST {
        return Err(Failure::new(Code::Limit, format!("One connection hosts at most {MOST} worlds.")));
    }
    let host = Host { session, server: by.server, instance: by.instance.clone() };
    call.state.hosted.claim(world, host, Instant::now());
    Ok(Plan::change(Start { world, password: request.password.clone(), from, by }))
}

/// A world that this connection hosts, and its licence.
fn own(call: &Call<'_>, name: &str) -> Result<(Arc<KeptLicence>, Hosting), Failure> {
    let licence = call.memory.licence_named(name)?;
    let hosting = call.state.hosted.get(licence.id).filter(|hosting| hosting.host.session == call.session.number);
    let not_here = || {
        let msg = format!("This connection does not host {}. HOST START begins.", licence.name);
        Failure::new(Code::Denied, msg)
    };
    let hosting = hosting.cloned().ok_or_else(not_here)?;
    Ok((licence, hosting))
}

/// `HOST SAY`.
pub fn say(call: Call<'_>, _: Me<ServerId>, request: HostSay) -> Plan {
    let HostSay { world, users, restricted, rating, map, text, closings } = request;
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let fits = check_length("A map", length(&map), MAP).and_then(|()| check_length("A text", length(&text), TEXT));
    if let Err(failure) = fits {
        return failure.into();
    }
    let (licence, was) = match own(&call, &world) {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    let hosting = Hosting {
        users: users.unwrap_or(was.users),
        restricted: restricted.unwrap_or(was.restricted),
        rating: rating.unwrap_or(was.rating),
        map: map.unwrap_or_else(|| was.map.clone()),
        text: text.unwrap_or_else(|| was.text.clone()),
        closings: closings.unwrap_or(was.closings),
        at: Time::now(),
        ..was
    };
    call.state.host_world(&licence, hosting);
    Plan::done()
}

/// `HOST STOP`.
pub fn stop(call: Call<'_>, _: Me<ServerId>, request: HostStop) -> Plan {
    let licence = match call.memory.licence_named(&request.world) {
        Ok(licence) => licence,
        Err(failure) => return failure.into(),
    };
    // Whoever asks again has stopped it already.
    if call.state.hosted.get(licence.id).is_none() {
        return Plan::done();
    }
    if let Err(failure) = own(&call, &request.world) {
        return failure.into();
    }
    call.state.stop_world(licence.id);
    Plan::done()
}

/// `HOST LIST`.
pub fn list(call: Call<'_>, _: Me<ServerId>, page: Page) -> Plan {
    let limit = call.page_limit(page.limit);
    let licences = read(&call.memory.licences);
    let his = call.state.hosted.of(call.session.number);
    let total = u32::try_from(his.len()).unwrap_or(u32::MAX);
    let after = page.after.map(|after| crate::state::names::fold(&after));
    let mut his: Vec<(&Arc<KeptLicence>, &Hosting)> = his
        .into_iter()
        .filter_map(|world| Some((licences.get(world)?, call.state.hosted.get(world)?)))
        .filter(|(licence, _)| after.as_ref().is_none_or(|after| licence.folded > *after))
        .collect();
    his.sort_unstable_by_key(|(licence, _)| &licence.folded);
    let mut worlds: Vec<HostedRow> = his
        .into_iter()
        .take(limit + 1)
        .map(|(licence, hosting)| HostedRow {
            world: licence.name.clone(),
            status: hosting.status(),
            users: hosting.users,
            max: licence.users,
            address: hosting.place(),
            since: hosting.since,
        })
        .collect();
    let next = next_page(&mut worlds, limit, |row| row.world.clone());
    Plan::Reply(Reply::HostedList(HostedList { worlds, total, next }))
}
