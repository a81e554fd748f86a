//! A player is logged in to his world again, when that is back. Runs in a worker; pure.

use super::charset::Converter;
use super::login::{Again, Login, LoginTerms, Step};
use super::{MOST_BROKEN, Play, words};
use crate::peer::stack::Voice;
use ssmglobal_config::play::{Charset, Terms};
use ssmglobal_ipc::Secret;
use ssmglobal_sys::LockedPage;
use std::time::Instant;

/// How a world is logged in to.
fn login_terms(terms: &Terms) -> LoginTerms {
    let Terms { login, prompts, success, failure, hide, .. } = terms.clone();
    LoginTerms { login, success, failure, hide, prompts }
}

impl Play {
    /// How the world is logged in to may have changed. What was typed to log in is kept where this process may lock a page of
    /// memory, and nowhere else.
    pub(super) fn expect_login(&mut self) {
        let terms = login_terms(&self.terms);
        if self.login.page().is_some() {
            return self.login.set_terms(&terms);
        }
        let logs_in = terms.login.is_some() || terms.prompts;
        self.login = Login::new(&terms, if logs_in { LockedPage::new().ok() } else { None });
    }

    /// It goes on in another process, to which the page was left.
    pub fn take_login(&mut self, page: Option<LockedPage>) {
        self.login = Login::new(&login_terms(&self.terms), page);
    }

    /// There is a fresh connection to the world. Who had one before is told that it is back, at once or when he is in it. With a
    /// ticket he is let in on the first one too, and sees nothing of that.
    pub(super) fn begin_login(&mut self, to: &mut Voice<'_>, to_world: &mut Vec<u8>, now: Instant) {
        let ticket = self.ticket.take();
        self.returns = self.again;
        let may = self.again && self.broken < MOST_BROKEN || ticket.is_some();
        self.logs_in = if may { Again::begin(&self.login, ticket, now) } else { None };
        self.was_asked = false;
        if self.logs_in.is_some() {
            return;
        }
        self.watch.begin(&mut self.login);
        if self.again {
            to.announce(&words::back(&self.world));
        }
        self.send_kept_where_nobody_logs_in(to_world);
    }

    /// Where nothing shows that he is in, what waits does not wait for that.
    fn send_kept_where_nobody_logs_in(&mut self, to_world: &mut Vec<u8>) {
        if !self.has_login() {
            self.send_kept(to_world);
        }
    }

    /// Whether the world is one that is logged in to, as far as it is known.
    pub(super) fn has_login(&self) -> bool {
        self.terms.login.is_some() || self.terms.prompts
    }

    /// What was typed while the world was down waits until he is in it, however he has come in.
    pub(super) fn send_kept_when_inside(&mut self, to_world: &mut Vec<u8>) {
        if self.kept.count() > 0 && self.watch.is_inside() {
            self.send_kept(to_world);
        }
    }

    fn send_kept(&mut self, to_world: &mut Vec<u8>) {
        for line in self.kept.take() {
            self.say_line(&line, to_world);
        }
    }

    /// A line goes to the world, as his typing does.
    fn say_line(&mut self, line: &[u8], to_world: &mut Vec<u8>) {
        let from = to_world.len();
        self.outward.convert(line, to_world);
        self.end_line(to_world, from);
    }

    /// A line of ours goes to the world, whatever his terminal speaks.
    fn say_ticket(&mut self, line: &Secret, to_world: &mut Vec<u8>) {
        let from = to_world.len();
        let mut converter = Converter::new(Charset::Utf8, self.outward.to());
        converter.convert(line.expose().as_bytes(), to_world);
        self.end_line(to_world, from);
    }

    fn end_line(&mut self, to_world: &mut Vec<u8>, from: usize) {
        to_world.extend_from_slice(b"\r\n");
        self.bridge.seal_to_world(to_world, from);
    }

    /// The world has said something while he is being logged in.
    pub(super) fn hears(
        &mut self,
        hear: impl FnOnce(&mut Again, &Login) -> Step,
        to: &mut Voice<'_>,
        to_world: &mut Vec<u8>,
    ) {
        let Some(again) = &mut self.logs_in else { return };
        match hear(again, &self.login) {
            Step::Wait => {}
            Step::Say(line) => self.say_line(&line, to_world),
            Step::Show(ticket) => self.say_ticket(&ticket, to_world),
            Step::Done { rest } => {
                let is_as_before = !again.is_by_ticket();
                self.logs_in = None;
                self.broken = 0;
                self.gate.set_hidden(self.hidden);
                self.watch.begin_inside(&mut self.login);
                self.watch.hides(self.hidden);
                if self.returns {
                    to.announce(&words::back_in(&self.world, is_as_before, self.kept.count()));
                }
                self.show(&rest, to);
                self.send_kept(to_world);
            }
            Step::Failed { reason, text } => self.not_logged_in(&reason, true, &text, to, to_world),
            Step::AsksMore { text } => self.not_logged_in(words::ASKS_MORE, false, &text, to, to_world),
            Step::TimedOut { text } => self.not_logged_in(words::NO_ANSWER, false, &text, to, to_world),
        }
    }

    /// He has to log in by himself, or to go on with it: the world has `refused` what was said last, or not.
    fn not_logged_in(&mut self, why: &str, refused: bool, text: &[u8], to: &mut Voice<'_>, to_world: &mut Vec<u8>) {
        let said = self.logs_in.take().map_or(0, |again| again.said_lines());
        self.gate.set_hidden(self.hidden);
        self.watch.begin_behind(&mut self.login, said, refused);
        self.watch.hides(self.hidden);
        to.announce(&words::not_in(&self.world, self.returns, why, self.kept.count()));
        self.show(text, to);
        self.send_kept_where_nobody_logs_in(to_world);
    }
}
