//! Who is connected, and how the operator ends connections: by a session's number, by who it is, or by its address. Part of the
//! event loop.

use super::super::EventLoop;
use crate::state::names;
use crate::state::session::{Session, SessionRef};
use crate::state::visitors::principal;
use ssmglobal_config::shown;
use ssmglobal_ipc::control::Client;
use ssmglobal_ipc::ctl::{Answer, SessionRow};
use ssmglobal_ipc::{Code, Event, Failure, Notice, Party};
use ssmglobal_store::Principal;
use std::net::IpAddr;
use std::time::Instant;

/// Sessions of one answer; a frame holds them with their addresses.
const SESSIONS: usize = 8000;

impl EventLoop {
    pub(super) fn sessions_list(&self) -> Answer {
        Answer::Sessions(self.rows_of(self.workers.clients()))
    }

    fn rows_of<'a>(&'a self, clients: impl Iterator<Item = &'a Client>) -> Vec<SessionRow> {
        let now = Instant::now();
        let row = |child: &Client| {
            let session = self.workers.by_pid.get(&child.pid).and_then(|slot| self.session(*slot));
            SessionRow {
                pid: child.pid,
                session: Some(child.session),
                address: shown(child.address),
                mode: session.map(|session| session.mode),
                who: session.and_then(Session::shown_name),
                since: child.at,
                idle: session.map(|session| session.idle(now)),
                version: self.workers.versions.of(child.pid).to_owned(),
            }
        };
        let mut rows: Vec<SessionRow> = clients.map(row).collect();
        rows.sort_by_key(|row| (row.since, row.session));
        rows.truncate(SESSIONS);
        rows
    }

    /// What an older `ctl` asks.
    pub(super) fn sessions_kick(&mut self, pid: i32, reason: String) -> Result<Answer, Failure> {
        if !self.workers.children.contains_key(&pid) {
            return Err(Failure::new(
                Code::NotFound,
                format!("There is no worker {pid}. ctl sessions list shows them."),
            ));
        }
        self.kick(pid, reason);
        Ok(Answer::Done)
    }

    /// Ends all connections that are meant.
    pub(super) fn sessions_end(&mut self, target: &str, reason: &str) -> Result<Answer, Failure> {
        let rows = self.rows_of(self.meant(target)?.into_iter());
        for row in &rows {
            self.kick(row.pid, reason.to_owned());
        }
        Ok(Answer::Ended(rows))
    }

    /// Whose connections are meant; there is at least one.
    fn meant(&self, target: &str) -> Result<Vec<&Client>, Failure> {
        let children = || self.workers.clients();
        let not_found = |msg: String| Failure::new(Code::NotFound, msg);
        let (found, none): (Vec<&Client>, _) = if let Ok(number) = target.parse::<u64>() {
            let found = children().filter(|child| child.session == number).collect();
            (found, format!("There is no session {number}. ctl sessions list shows them."))
        } else if let Ok(address) = target.trim_matches(['[', ']']).parse::<IpAddr>() {
            let from = address.to_canonical();
            let found = children().filter(|child| child.address.ip().to_canonical() == from).collect();
            (found, format!("Nobody is connected from {address}."))
        } else if target.parse::<std::net::SocketAddr>().is_ok() {
            let found = children().filter(|child| shown(child.address) == target).collect();
            (found, format!("Nobody is connected from {target}."))
        } else {
            let who = self.somebody_named(target)?;
            let sessions = self.state.online.sessions(who).iter();
            let pids = sessions.filter_map(|at| self.state.live(*at).map(|session| session.pid));
            let found = pids.filter_map(|pid| self.workers.children.get(&pid)).collect();
            (found, format!("{} has no connection.", self.state.party(&self.shared.memory, who).for_people()))
        };
        if found.is_empty() { Err(not_found(none)) } else { Ok(found) }
    }

    /// A player, a game server, or a visitor, in this order where it is not said which.
    pub(super) fn somebody_named(&self, name: &str) -> Result<Principal, Failure> {
        let visitor = |name: &str| self.state.visitors.named(&names::fold(name)).map(principal);
        match Party::parse(name) {
            Party::Visitor(name) => {
                visitor(&name).ok_or_else(|| Failure::new(Code::NotFound, format!("There is no visitor {name}.")))
            }
            Party::Player(name) => {
                let memory = &self.shared.memory;
                let player = memory.player_id(&name).map(Principal::from);
                player.or_else(|failure| {
                    let server = memory.server_named(&name).ok().map(|(id, _)| Principal::from(id));
                    server.or_else(|| visitor(&name)).ok_or(failure)
                })
            }
            party => self.shared.memory.named(&party),
        }
    }

    /// The operator ends a worker's session.
    pub(crate) fn kick(&mut self, pid: i32, reason: String) {
        self.has_kicked(pid, &reason);
        self.end_worker(pid, reason);
    }

    /// Ends a worker's session; one without a link is let make one first.
    pub(crate) fn end_worker(&mut self, pid: i32, reason: String) {
        match self.workers.by_pid.get(&pid).and_then(|slot| Some((*slot, self.session(*slot)?.id))) {
            Some((slot, id)) => self.push(SessionRef { slot, id }, &Event::Close(Notice { msg: reason })),
            None => {
                self.workers.kicks.insert(pid, reason);
                self.wake(pid);
            }
        }
    }
}
