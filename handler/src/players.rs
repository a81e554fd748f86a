//! Players: registering, logging in and out, who is on. Runs in the event loop; what takes time goes to other threads.

use crate::core::{Effect, Hash, Identity, SessionRef, read, refuse};
use crate::dispatch::Plan;
use crate::names;
use crate::server::{Server, behind};
use crate::throttle::Tried;
use ssmglobal_ipc::*;
use std::time::{Duration, Instant};

/// Boards that FINGER shows.
const FINGER_BOARDS: usize = 10;

/// Characters of a worker's line for the log.
const LOG_LINE: usize = 16 << 10;

/// Bytes of an e-mail address.
const EMAIL: usize = 254;

/// The client chose another mode.
pub fn set_mode(server: &mut Server, slot: usize, _: u64, mode: SetMode) -> Plan {
    if server.set_mode(slot, mode.mode) {
        server.give_ticket(slot);
    }
    Plan::Now(Reply::Done(Done {}))
}

/// A line for the log, in the original's manner.
pub fn log_line(server: &mut Server, slot: usize, _: u64, line: LogLine) -> Plan {
    let peer = server.session(slot).map(|session| session.peer()).unwrap_or_default();
    let level = crate::logging::level(line.level);
    let text: String = line.text.chars().take(LOG_LINE).collect();
    // What follows the address must not read as a part of it.
    let between = if text.starts_with([' ', ':']) { "" } else { " " };
    log::log!(target: "worker", level, "{peer}{between}{}", ssmglobal_ipc::clean(&text));
    Plan::Silent
}

/// `slow_down` when this address, or this name, has failed too often of late.
/// Otherwise who tries, for the outcome.
pub fn throttled(server: &mut Server, slot: usize, name: String) -> Result<Tried, Failure> {
    let settings = server.core.settings();
    let address = server.session(slot).and_then(|session| session.address).map(|address| address.ip());
    let tried = Tried::new(address, name);
    let (failures, window) = (settings.players.failures, settings.players.failure_window_seconds);
    let window = Duration::from_secs(window);
    let Some(wait) = server.throttle.may_try(&tried, Instant::now(), failures, window) else { return Ok(tried) };
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    Err(Failure {
        code: Code::SlowDown,
        msg: format!("Too many failed tries. Try again in {seconds} seconds."),
        version: None,
        retry_after: Some(seconds),
    })
}

/// Whether a password is long enough, and not too long.
pub fn check_password(password: &Secret, settings: &ssmglobal_config::Settings) -> Result<(), Failure> {
    let (min, max) = (settings.players.password_min, settings.players.password_max);
    let length = password.expose().chars().count();
    if (min..=max).contains(&length) {
        return Ok(());
    }
    Err(Failure::new(Code::Invalid, format!("A password has {min} to {max} characters; this one has {length}.")))
}

/// `REGISTER`.
pub fn register(server: &mut Server, slot: usize, number: u64, request: Register) -> Plan {
    let settings = server.core.settings();
    if !settings.players.registration {
        return Failure::new(Code::Denied, "New players are not taken here. Ask the operator.").into();
    }
    let name = match names::check(&request.name, settings.players.name_min, settings.players.name_max) {
        Ok(name) => name,
        Err(failure) => return failure.into(),
    };
    if let Err(failure) = check_password(&request.password, &settings) {
        return failure.into();
    }
    if request.email.as_ref().is_some_and(|email| email.len() > EMAIL) {
        return Failure::new(Code::TooLong, format!("An e-mail address has at most {EMAIL} bytes.")).into();
    }
    if read(&server.core.directory).find(&name.shown).is_some() {
        return Failure::new(Code::Exists, format!("The name {} is taken. Choose another, or LOGIN.", name.shown))
            .into();
    }
    let Some((to, session)) = server.reply_to(slot, number) else { return Plan::Silent };
    Plan::Hash(Hash::Register { to, session, name, password: request.password, email: request.email })
}

/// `LOGIN`.
pub fn login(server: &mut Server, slot: usize, number: u64, request: Login) -> Plan {
    let tried = match throttled(server, slot, names::fold(&request.name)) {
        Ok(tried) => tried,
        Err(failure) => return failure.into(),
    };
    let player = read(&server.core.directory).find(&request.name);
    let Some((to, session)) = server.reply_to(slot, number) else { return Plan::Silent };
    Plan::Hash(Hash::Login { to, session, player, tried, password: request.password })
}

/// `LOGOUT`.
pub fn logout(server: &mut Server, slot: usize, _: u64) -> Plan {
    server.revoke(slot);
    server.forget_identity(slot);
    if let Some(session) = server.session_mut(slot) {
        session.state = State::Anonymous;
    }
    server.give_ticket(slot);
    Plan::Now(Reply::Done(Done {}))
}

/// `PASSWORD`.
pub fn password(server: &mut Server, slot: usize, number: u64, request: Password) -> Plan {
    let settings = server.core.settings();
    if let Err(failure) = check_password(&request.new, &settings) {
        return failure.into();
    }
    let Some((player, name)) =
        server.session(slot).and_then(|session| Some((session.player()?, session.name()?.to_owned())))
    else {
        return Plan::Silent;
    };
    let tried = match throttled(server, slot, names::fold(&name)) {
        Ok(tried) => tried,
        Err(failure) => return failure.into(),
    };
    let Some((to, _)) = server.reply_to(slot, number) else { return Plan::Silent };
    Plan::Hash(Hash::Change { to, player, tried, old: request.old, new: request.new })
}

/// `WHOAMI`.
pub fn whoami(server: &mut Server, slot: usize, _: u64) -> Plan {
    let Some(session) = server.session(slot) else { return Plan::Silent };
    let player = session.player();
    let (is_player, name) = (player.is_some(), session.name().map(str::to_owned));
    let mut answer = Whoami {
        session: session.number,
        player: name.clone().filter(|_| is_player),
        server: name.filter(|_| !is_player),
        address: session.peer(),
        mode: session.mode,
        since: session.since,
        unread: 0,
    };
    let Some(player) = player else { return Plan::Now(Reply::Whoami(answer)) };
    Plan::read(move |reader| {
        answer.unread = reader.mailbox(player)?.1;
        Ok(Reply::Whoami(answer))
    })
}

/// `WHO`.
pub fn who(server: &mut Server, _: usize, _: u64, page: Page) -> Plan {
    let limit = server.page_limit(page.limit);
    let now = Instant::now();
    let after = page.after.as_deref().map(names::fold);
    let mut players = Vec::new();
    let mut next = None;
    let names = server.hub.names.range::<str, _>(behind(after.as_deref()));
    for (taken, (_, id)) in names.enumerate() {
        if taken == limit {
            next = players.last().map(|row: &WhoRow| row.player.clone());
            break;
        }
        for session in server.hub.players.get(id).into_iter().flatten() {
            let Some(session) = server.sessions.get(session.slot).and_then(Option::as_ref) else { continue };
            players.push(WhoRow {
                player: session.name().unwrap_or_default().to_owned(),
                place: if session.mode == Mode::Human { "terminal" } else { "client" }.to_owned(),
                idle: now.saturating_duration_since(session.last).as_secs(),
                since: session.proved,
            });
        }
    }
    let total = u32::try_from(server.hub.players.len()).unwrap_or(u32::MAX);
    Plan::Now(Reply::Who(Who { players, total, next }))
}

/// `FINGER`.
pub fn finger(server: &mut Server, _: usize, _: u64, request: Finger) -> Plan {
    let Some(id) = read(&server.core.directory).find(&request.player) else {
        return no_such_player(&request.player).into();
    };
    let now = Instant::now();
    let sessions = server.hub.players.get(&id);
    let idle = sessions.and_then(|sessions| {
        let sessions = sessions.iter().filter_map(|session| server.sessions.get(session.slot)?.as_ref());
        sessions.map(|session| now.saturating_duration_since(session.last).as_secs()).min()
    });
    let boards = read(&server.core.boards);
    let mut records: Vec<FingerRecord> = boards
        .iter_after(None)
        .filter_map(|ranking| {
            let standing = ranking.standing(id)?;
            Some(FingerRecord {
                board: ranking.board.name.clone(),
                score: standing.score,
                unit: ranking.board.unit.clone(),
                rank: ranking.rank(standing.score, standing.order),
            })
        })
        .collect();
    records.sort_by_key(|record| record.rank);
    records.truncate(FINGER_BOARDS);
    let online = idle.is_some();
    Plan::read(move |reader| {
        let Some(player) = reader.player(id)? else { return refuse(Code::NotFound, "There is no such player.") };
        Ok(Reply::Fingered(Fingered {
            player: player.name,
            registered: player.registered,
            last_login: player.last_login,
            online,
            idle,
            records,
        }))
    })
}

/// Nobody has that name.
pub fn no_such_player(name: &str) -> Failure {
    let name: String = name.chars().take(64).collect();
    Failure::new(Code::NotFound, format!("There is no player {name}."))
}

/// What the event loop does when a session has proved who it is.
pub fn proved(server: &mut Server, effect: Effect) {
    let Effect::Proved { session: at, to, identity, reply } = effect else { return };
    if server.live(at).is_none() {
        return server.batch_finish(&to, &reply);
    }
    server.forget_identity(at.slot);
    enter(server, at, identity, Time::now());
    server.give_ticket(at.slot);
    if let Some(session) = server.session(at.slot) {
        log::info!("{}: {} logged in.", session.peer(), session.name().unwrap_or_default());
    }
    server.batch_finish(&to, &reply);
}

/// A session is somebody from now on, who proved it at `proved`.
pub fn enter(server: &mut Server, at: SessionRef, identity: Identity, proved: Time) {
    let proved = server.after_revoked(at, proved);
    let hub = &mut server.hub;
    let state = match &identity {
        Identity::Player(id, name) => {
            hub.players.entry(*id).or_default().push(at);
            hub.names.insert(names::fold(name), *id);
            State::Player
        }
        Identity::Server(_, name) => {
            hub.servers.entry(name.to_ascii_lowercase()).or_default().push(at);
            State::Server
        }
    };
    if let Some(session) = server.session_mut(at.slot) {
        session.state = state;
        session.identity = Some(identity);
        session.proved = proved;
        session.logged_out = false;
    }
}
