//! When something happens that the log tells of in a line of its own: who came and went, who has proved himself, who was refused.
//! How such a line reads is in `state/audit`. Part of the event loop.

use super::EventLoop;
use crate::link::ReplyTo;
use crate::state::audit::{Happened, Whose};
use crate::state::session::{Proof, SessionRef};
use crate::state::throttle::{Tried, Trying};
use ssmglobal_ipc::control::{Blocked, Client, METRICS_DOOR, NotLetIn};
use ssmglobal_ipc::{Code, Failure, Kind, Party, ReplyKind, Request, Right, Time, WorkerEnd};
use ssmglobal_store::{Principal, PrincipalKind};
use std::net::SocketAddr;
use std::time::Instant;

/// A client, as the listener tells of it.
fn client(child: &Client) -> Whose {
    Whose { session: child.session, door: Some(child.door), ..Whose::at(child.address) }
}

impl EventLoop {
    pub(super) fn note(&mut self, whose: &Whose, event: &Happened) {
        self.state.audit.note(whose, event, Instant::now());
    }

    /// The same of a session that is there.
    pub(super) fn note_of(&mut self, at: SessionRef, event: &Happened) {
        if let Some(whose) = self.state.live(at).map(|session| session.whose()) {
            self.note(&whose, event);
        }
    }

    /// A connection was accepted.
    pub(super) fn has_connected(&mut self, child: &Client, clients: u32, most: u32) {
        if child.door != METRICS_DOOR {
            self.note(&client(child), &Happened::Connect { clients, most });
        }
    }

    /// A worker's client, and who he is or was.
    pub(super) fn whose(&self, child: &Client) -> Whose {
        let session = self.workers.by_session.get(&child.session).and_then(|slot| self.session(*slot));
        let who = session.and_then(|session| session.shown_name()).or_else(|| {
            let login = self.state.logins.get(child.session).map(|login| login.who);
            let who = self.leaving.get(&child.session).copied().or(login)?;
            let name = self.state.name(&self.shared.memory, who)?;
            Some(if who.kind == PrincipalKind::Visitor { Party::Visitor(name).to_string() } else { name })
        });
        Whose { who, ..client(child) }
    }

    /// A connection has ended; `whose` is from before its session was over.
    pub(super) fn has_disconnected(
        &mut self,
        whose: &Whose,
        child: &Client,
        end: WorkerEnd,
        (clients, most): (u32, u32),
    ) {
        let told =
            self.workers.told.remove(&child.session).filter(|_| end == WorkerEnd::TOLD || end == WorkerEnd::UNSEEN);
        let reason = told.unwrap_or(end.reason());
        if child.door == METRICS_DOOR {
            return;
        }
        let seconds = Time::now().0.saturating_sub(child.at.0).max(0).unsigned_abs() / 1000;
        self.note(whose, &Happened::Disconnect { reason, seconds, clients, most });
        if let Some(protocol) = end.spoken() {
            self.note(whose, &Happened::SentAway { protocol });
        }
    }

    /// The listener has let nobody in.
    pub(super) fn was_refused(&mut self, address: SocketAddr, door: u32, why: NotLetIn) {
        let (reason, seconds) = match why {
            NotLetIn::Full => ("full", None),
            NotLetIn::Address => ("address", None),
            NotLetIn::Blocked(seconds) => ("blocked", Some(seconds)),
            NotLetIn::NoProxy => ("no-proxy", None),
            NotLetIn::NoHeader => ("no-header", None),
        };
        if door == METRICS_DOOR {
            return;
        }
        let whose = Whose { door: Some(door), ..Whose::at(address) };
        self.note(&whose, &Happened::Refused { reason, seconds });
    }

    /// The listener takes nothing from an address for a while.
    pub(super) fn is_blocked(&mut self, blocked: Blocked) {
        let Blocked { network, seconds, status } = blocked;
        let whose = Whose { address: Some(network), ..Whose::default() };
        self.note(&whose, &Happened::Blocked { seconds, reason: WorkerEnd(status).to_string() });
    }

    /// A password or key was tried.
    pub(super) fn has_tried(&mut self, tried: &Tried, good: bool) {
        self.state.throttle.tried(tried, good, Instant::now());
        self.counts.tried(good);
        if good && let Some((server, name)) = tried.at_server() {
            self.identified_at(server, name);
        }
        let Some(Trying { whose, command, about }) = tried.trying() else { return };
        let name = about.and_then(|about| self.shared.memory.name(about));
        let is_barred = about.is_some_and(|about| self.shared.memory.is_barred(about));
        let event = match (command, good, name) {
            (_, true, _) if !is_barred => return,
            (Kind::Auth, true, server) => Happened::KeyRefused { server, reason: "disabled" },
            (Kind::PlayStart, ..) => Happened::WordFailed {},
            (Kind::Auth, false, server) => Happened::KeyRefused { server, reason: "key" },
            (_, true, Some(player)) => Happened::LoginRefused { player, reason: "disabled" },
            (_, true, None) => return,
            (_, false, player) => {
                let player_id = about.and_then(Principal::as_player);
                let now = (Time::now(), Instant::now());
                let failures = player_id.map(|id| self.state.attempts.failed(id, tried.address(), now.0, now.1));
                match command {
                    Kind::LoginCheck => Happened::CheckFailed { player, from: tried.address() },
                    _ => Happened::LoginFailed { command: *command, player, failures: failures.unwrap_or(0) },
                }
            }
        };
        self.note(whose, &event);
    }

    /// A session has proved who it is, by what it has asked.
    pub(super) fn has_proved(&mut self, at: SessionRef, asked: &ReplyTo, proof: Proof, reply: ReplyKind) {
        let Some(session) = self.state.live(at).filter(|session| session.who() == Some(proof.who)) else { return };
        let from = session.address.map(|address| address.ip().to_canonical());
        let player = proof.who.as_player().filter(|_| reply == ReplyKind::LoggedIn);
        let failures = player.map_or(0, |player| self.state.attempts.came_in(player, from, Instant::now()));
        if let Some(asked) = asked.kind {
            self.note_of(at, &Happened::proved(asked, failures));
        }
    }

    /// The player whose login a request is.
    pub(super) fn logs_in(&self, request: &Request) -> Option<String> {
        let name = match request {
            Request::Login(login) => &login.name,
            Request::LoginCheck(check) => &check.name,
            _ => return None,
        };
        self.shared.memory.player_named(name).ok().map(|(_, name)| name)
    }

    /// A request is refused before it has begun. Of most reasons the log says nothing: they are between the two.
    pub(super) fn has_refused(&mut self, at: SessionRef, asked: &ReplyTo, player: Option<String>, failure: &Failure) {
        let Some(command) = asked.kind else { return };
        let event = match (failure.code, player) {
            (Code::Denied, _) => return self.has_denied(at, command),
            (Code::SlowDown, player) => {
                Happened::SlowDown { command, player, seconds: failure.retry_after.unwrap_or(0).into() }
            }
            (Code::AlreadyOn, Some(player)) => Happened::LoginRefused { player, reason: "already-on" },
            _ => return,
        };
        self.note_of(at, &event);
    }

    /// A session may not do what it has asked: for want of a right, or since it is neither the operator's nor the owner's. Other
    /// reasons are between the two.
    pub(super) fn has_denied(&mut self, at: SessionRef, command: Kind) {
        let described = command.describe();
        let right = match described.right {
            Right::None if !described.states.has_operator() => return,
            Right::Registration => "registration",
            Right::None | Right::Operator => "operator",
            Right::Broadcast => "broadcast",
        };
        self.note_of(at, &Happened::Denied { command, right });
    }
}
