//! How a turn of the event loop ends: what other threads and this one have left, written in the order that a death at any
//! instruction allows. Part of the event loop.

use super::EventLoop;
use crate::state::session::SessionRef;
use crate::work::{Asker, ToLoop, Write};
use mio::unix::SourceFd;
use std::os::fd::AsRawFd;

impl EventLoop {
    /// Does what other threads have left to do.
    pub(super) fn take_from_threads(&mut self) {
        loop {
            let (to_loop, quiet) = self.shared.take_for_loop();
            if to_loop.is_empty() && quiet.is_empty() {
                return;
            }
            for one in to_loop {
                self.do_for_thread(one);
            }
            for slot in quiet {
                self.resume(slot);
            }
        }
    }

    fn do_for_thread(&mut self, job: ToLoop) {
        match job {
            ToLoop::Proved { at, to, proof, reply } => self.proved(at, &to, proof, &reply),
            ToLoop::Tried(tried, good) => self.has_tried(&tried, good),
            ToLoop::Denied(at, command) => self.has_denied(at, command),
            ToLoop::News(row, news) => self.deliver_news(row, news),
            ToLoop::Volatile(at, to, volatile, key) => self.finish_volatile(at, &to, volatile, key),
            ToLoop::UnknownKey(at, to, request, key) => self.do_keyed(at, &to, request, key),
            ToLoop::Keyed(owner, key) => self.pending.is_saved(owner, key),
            ToLoop::RelayMark(mark) => self.mark_moved(mark),
            ToLoop::NotCounted(session, since) => self.login_not_counted(session, since),
            ToLoop::NotDeleted(who) => drop(self.not_deleted.insert(who)),
            ToLoop::Probed(operator) => self.probed(operator),
            ToLoop::Operator(operator, answer) => self.answer_operator(operator, &answer),
        }
    }

    /// What the turn has left: what other threads have, replies, wake-ups, sessions that ended.
    pub(super) fn finish_turn(&mut self) {
        self.take_from_threads();
        self.push_lists();
        self.state.bus.wake_readers();
        // Before the writer gets something to do: if this process dies after a change, the session must have the answers to
        // what it had asked before, since they cannot be given again as they were.
        for slot in self.batch.flush() {
            self.resume(slot);
        }
        self.hand_over_writes();
        self.end_recovery();
        while let Some(slot) = self.dead.pop() {
            self.end_session(slot);
        }
        // Ending and resuming may have answered or begun something, and changed lists.
        self.push_lists();
        loop {
            // Also of what was resumed only now.
            self.tell_resumed();
            self.keep_stopped();
            let quiet = self.batch.flush();
            for slot in &quiet {
                self.resume(*slot);
            }
            let writes = self.writes.len();
            self.hand_over_writes();
            if quiet.is_empty() && writes == 0 {
                break;
            }
        }
        // What was resumed may have sent something as well.
        self.state.bus.wake_readers();
        self.forget_absent();
        self.tell_log();
        self.turn += 1;
        self.journal.flushed();
        self.compact_journal();
    }

    fn hand_over_writes(&mut self) {
        self.move_mark();
        if self.writes.is_empty() {
            return;
        }
        if let Err(failure) = self.shared.write(&mut self.writes) {
            let reply = failure.into();
            for job in std::mem::take(&mut self.writes) {
                match &job {
                    Write::Change { asker: Asker::Session(_, to), .. } => self.batch.finish(to, &reply),
                    Write::Change { asker: Asker::Login(session, since), .. } => {
                        self.login_not_counted(*session, *since);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Nobody asks again for the answers of a session. All that it has asked stands before this.
    pub(super) fn forget_answers(&mut self, session: u64) {
        if self.answered.forget(session) {
            self.writes.push(Write::Gone(session));
        }
    }

    /// A session that has no link is over.
    pub(super) fn session_over(&mut self, session: u64) {
        let who = self.state.logins.get(session).map(|login| login.who);
        self.login_ends(session);
        self.forget_answers(session);
        self.hosts_leave(session);
        self.was_closed(session, who);
        self.visitor_leaves(session);
        self.play_ends(session);
    }

    fn end_session(&mut self, slot: usize) {
        let who = self.session(slot).and_then(|session| session.who());
        self.forget_identity(slot);
        let Some(session) = self.state.take(slot) else { return };
        let at = SessionRef { slot, id: session.id };
        for topic in &session.subscriptions {
            self.state.online.unsubscribe(*topic, at);
        }
        if self.workers.by_pid.get(&session.pid) == Some(&slot) {
            self.workers.by_pid.remove(&session.pid);
        }
        if self.workers.by_session.get(&session.number) == Some(&slot) {
            self.workers.by_session.remove(&session.number);
            // Its worker may come back with another link, and ask again, as who it was.
            self.may_be_over(session.number, who);
            if self.workers.session_of(session.pid) != session.number {
                self.session_over(session.number);
            }
        }
        let _ = self.poll.registry().deregister(&mut SourceFd(&session.link.as_raw_fd()));
        session.link.close();
        if session.link.is_overrun() {
            log::warn!("{}: the session ends: its worker does not read what it gets", session.peer());
        }
        self.state.release(slot);
        self.write_journal();
    }
}
