//! How long logins and visits last: a login is counted once when it ends, whatever becomes of this handler, and what has lasted its
//! time is ended. Part of the event loop.
//!
//! That a login has ended is in the journal before the writer hears of it, and that it is counted is news of the transaction that
//! has counted it: so the next handler knows of each whether that is still to be done.

use super::{End, EventLoop};
use crate::capability::length::Lasted;
use crate::changes::Change;
use crate::state::audit::Happened;
use crate::state::journal::Entry;
use crate::state::logins::{Due, Ended, Gone, Login};
use crate::state::session::SessionRef;
use crate::work::{Asker, Write};
use ssmglobal_ipc::{Event, Notice, Time};
use ssmglobal_store::{PlayerId, Principal, PrincipalKind};
use std::collections::HashSet;
use std::time::Duration;

/// What a session is told before its time is over.
fn soon(ends: Time, now: Time) -> String {
    let left = ends.0.saturating_sub(now.0).max(0).unsigned_abs().div_ceil(1000);
    match left {
        60.. => "Your time here ends in one minute.".to_owned(),
        1 => "Your time here ends in one second.".to_owned(),
        _ => format!("Your time here ends in {left} seconds."),
    }
}

/// What it is told then.
fn over(kind: PrincipalKind, minutes: u32) -> String {
    let what = if kind == PrincipalKind::Visitor { "a visit" } else { "a login of yours" };
    let lasts = if minutes == 1 { "one minute".to_owned() } else { format!("{minutes} minutes") };
    format!("Your time is over for now: {what} lasts {lasts}. Goodbye, and see you again.")
}

/// What has the writer count a login.
fn job(ended: Ended) -> Write<Change> {
    let asker = Asker::Login(ended.session, ended.since);
    Write::Change { asker, change: Lasted(ended).into(), key: None, tried: None }
}

impl EventLoop {
    /// Takes over what the handler before this one knew, before anybody comes back.
    pub(super) fn take_over_logins(&mut self) {
        for (session, login) in self.recovery.take_logins() {
            self.state.logins.put(session, login, self.permitted(login.who));
        }
        for ended in self.recovery.take_ended() {
            self.state.logins.wait(ended);
        }
    }

    /// Has the writer count what the handler before this one has not, as far as its news say: they were heard before this.
    pub(super) fn count_left(&mut self, left: Vec<(u64, Time)>) {
        let left = left.into_iter().filter_map(|(session, since)| self.state.logins.waiting(session, since));
        self.writes.extend(left.copied().map(job));
    }

    /// How many minutes somebody may be on; nothing: any number.
    fn permitted(&self, who: Principal) -> Option<u32> {
        match who.as_player() {
            Some(player) => self.shared.memory.limit_of(player),
            None => self.a_visit(),
        }
    }

    /// How many minutes a visit lasts; nothing: any number.
    fn a_visit(&self) -> Option<u32> {
        Some(self.shared.settings().worlds.visit_minutes).filter(|minutes| *minutes > 0)
    }

    /// A session is a player's or a visitor's since then: anew, or back with the login that it had.
    pub(super) fn login_begins(&mut self, session: u64, who: Principal, since: Time) {
        let minutes = self.permitted(who);
        match self.state.logins.get(session).copied() {
            Some(login) if login.who == who && login.since == since => {
                return self.state.logins.put(session, login, minutes);
            }
            Some(_) => self.login_ends(session),
            None => {}
        }
        let login = Login { who, since, warned_of: None };
        self.journal.append(&Entry::login(session, &login));
        self.state.logins.put(session, login, minutes);
    }

    /// The login of a session has ended, if it had one.
    pub(super) fn login_ends(&mut self, session: u64) {
        match self.state.logins.end(session, Time::now()) {
            Some(Gone::Login(ended)) => {
                self.journal.append(&ended.into());
                self.writes.push(job(ended));
            }
            Some(Gone::Visit) => _ = self.journal.append(&Entry::VisitEnded { session }),
            None => {}
        }
    }

    /// Logins of sessions that are none of these have ended; gives those sessions, and whose they were.
    pub(super) fn end_logins_but(&mut self, living: &HashSet<u64>) -> Vec<(u64, Principal)> {
        let gone = self.state.logins.sessions().filter(|session| !living.contains(session));
        let gone = gone.filter_map(|session| Some((session, self.state.logins.get(session)?.who)));
        let gone: Vec<(u64, Principal)> = gone.collect();
        gone.iter().for_each(|(session, _)| self.login_ends(*session));
        gone
    }

    /// Another number of minutes is permitted to a player.
    pub(super) fn limit_changed(&mut self, player: PlayerId) {
        self.state.logins.limit(player.into(), self.shared.memory.limit_of(player));
    }

    /// The settings were read again: a visit may last another time.
    pub(super) fn visits_changed(&mut self) {
        self.state.logins.limit_visits(self.a_visit());
    }

    /// A login is counted, and that is on disk.
    pub(super) fn login_counted(&mut self, session: u64, since: Time) -> Option<Ended> {
        self.journal.append(&Entry::LoginCounted { session, since });
        self.state.logins.settled(session, since)
    }

    /// A login cannot be counted.
    pub(super) fn login_not_counted(&mut self, session: u64, since: Time) {
        if let Some(Ended { player, lasted, .. }) = self.login_counted(session, since) {
            let name = self.shared.memory.name(player.into()).unwrap_or_default();
            log::warn!("{} s of {name} could not be counted, as nothing can be saved", lasted / 1000);
        }
    }

    /// How long to wait at the most before something is to be done about a login.
    pub(super) fn length_due(&self) -> Option<Duration> {
        self.wait_until(self.state.logins.next_due())
    }

    /// Tells those whose time is almost over, and ends the sessions of those for whom it is.
    pub(super) fn end_overdue(&mut self) {
        let now = Time::now();
        while !self.recovery.is_on()
            && let Some((session, due)) = self.state.logins.take_due(now)
        {
            let slot = self.workers.by_session.get(&session).copied();
            let linked = slot.and_then(|slot| Some(SessionRef { slot, id: self.session(slot)?.id }));
            match (linked, due) {
                (Some(at), Due::Soon(ends)) => {
                    self.journal.hold();
                    self.push(at, &Event::Notice(Notice { msg: soon(ends, now) }));
                    if let Some(login) = self.state.logins.was_warned(session, ends) {
                        self.journal.append(&Entry::login(session, &login));
                    }
                    self.journal.publish();
                }
                (Some(at), Due::Over(kind, minutes)) => self.end_overdue_session(at, kind, minutes),
                (None, _) => self.call_back(session),
            }
        }
    }

    /// The time of a session is over.
    fn end_overdue_session(&mut self, at: SessionRef, kind: PrincipalKind, minutes: u32) {
        self.note_of(at, &Happened::Logout { reason: "time-over" });
        if let Some(session) = self.state.live(at) {
            self.workers.told.insert(session.number, "time-over");
        }
        // A worker that was taken over would not close: so its session is nobody from now on.
        self.put_out(at, &Event::Close(Notice { msg: over(kind, minutes) }));
    }

    /// Lets the worker of a session make a link.
    fn call_back(&mut self, session: u64) {
        let worker = self.workers.children.values().find(|client| client.session == session);
        if let Some(pid) = worker.map(|client| client.pid) {
            self.wake(pid);
        }
    }

    /// The handler ends: what is to be counted goes to the writer, which ends when it has done it.
    pub fn count_at_end(&mut self, end: End) {
        // Where there is a listener, those whose workers live go on with the next handler.
        let alone = end == End::ListenerGone || self.listener.pid == 0;
        let living: HashSet<u64> =
            self.workers.children.values().filter(|_| !alone).map(|client| client.session).collect();
        self.end_logins_but(&living);
        if living.is_empty() {
            self.all_stop();
        }
        self.keep_stopped();
        // What sessions have asked for is left to the next handler, whom they ask again.
        let own = |job: &Write<Change>| matches!(job, Write::Change { asker: Asker::Login(..) | Asker::Stopped, .. });
        let mut own: Vec<Write<Change>> = std::mem::take(&mut self.writes).into_iter().filter(own).collect();
        if let Err(failure) = self.shared.write(&mut own) {
            log::warn!("how long {} logins and worlds were on could not be kept: {}", own.len(), failure.msg);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_time_that_is_left_is_true() {
        for (left, said) in [
            (60_000, "one minute."),
            (59_001, "one minute."),
            (59_000, "59 seconds."),
            (1001, "2 seconds."),
            (1, "one second."),
        ] {
            assert!(soon(Time(1_000_000 + left), Time(1_000_000)).ends_with(&format!("ends in {said}")), "{left}");
        }
        assert!(over(PrincipalKind::Player, 1).contains("a login of yours lasts one minute."));
        assert!(over(PrincipalKind::Visitor, 90).contains("a visit lasts 90 minutes."));
    }
}
