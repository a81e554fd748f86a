//! What the handler says: answers in the order of their questions, and pushes. Runs in a worker; pure.

use super::{Around, Session};
use crate::peer::Stack;
use ssmglobal_ipc::{Event, ListChanged, Reply, Request, State, WorkerEnd};

impl Session {
    /// An answer has come; gives the request that it answers.
    pub fn on_reply(&mut self, number: u64, reply: &Reply, to: &mut Stack, around: Around<'_>) -> Option<Request> {
        self.has_answer(number);
        let request = self.asked.answered(number).map(|open| open.request);
        // What was asked later has not waited so long yet.
        self.delayed = self.delayed.filter(|delayed| self.asked.since().is_some_and(|since| since < *delayed));
        self.take_effect(reply, request.as_ref(), to);
        let hint =
            if matches!(reply, Reply::Failed(_)) { self.draft.not_taken(number) } else { self.draft.taken(number) };
        self.presenter.answer(to, number, reply, hint);
        self.count_failure(reply, to, around.settings);
        request
    }

    /// Something was answered; what has waited for that goes on.
    pub(super) fn has_answer(&mut self, number: u64) {
        if self.barrier == Some(number) {
            self.barrier = None;
        }
    }

    /// What an answer changes before the client sees it.
    fn take_effect(&mut self, reply: &Reply, request: Option<&Request>, to: &mut Stack) {
        match (reply, request) {
            (Reply::LoggedIn(login), _) => {
                to.prefer(|preferred| match request {
                    Some(Request::Register(_)) => preferred.registered(),
                    _ => preferred.logged_in(&login.preferences),
                });
                self.become_somebody(State::Player, &login.player);
            }
            (Reply::PreferenceIs(is), _) => {
                to.prefer(|preferred| preferred.set(&is.name, is.value.as_deref(), is.kept));
            }
            (Reply::Authed(authed), _) => self.become_somebody(State::Server, &authed.server),
            (Reply::Visiting(visiting), _) => self.become_somebody(State::Anonymous, &visiting.visitor.to_string()),
            (Reply::Done(_), Some(Request::Logout)) => self.become_nobody(to),
            (_, Some(Request::SetMode(set))) => self.confirmed_mode = set.mode,
            _ => {}
        }
    }

    /// The handler has something to tell. Gives a change of a list, of which the worker has to find out first what is news.
    pub fn on_event(&mut self, number: u64, event: Event, to: &mut Stack) -> Option<ListChanged> {
        // One handler had it on its way, and the next one says it again.
        if number != 0 && number <= self.last_push {
            return None;
        }
        self.last_push = self.last_push.max(number);
        match event {
            Event::Ticket(ticket) => {
                self.ticket = Some(ticket);
                return None;
            }
            Event::List(changed) => return Some(changed),
            // Before it is said: the next page is another's.
            Event::LoggedOut(_) | Event::TakenOver(_) => {
                self.presenter.forget();
                self.tell(to, &event);
            }
            _ => self.tell(to, &event),
        }
        match event {
            Event::Close(_) => self.end(WorkerEnd::TOLD),
            Event::LoggedOut(_) | Event::TakenOver(_) => self.become_nobody(to),
            _ => {}
        }
        None
    }
}
