//! What the world says, on its way to the player. Runs in a worker; pure.

use super::{Heard, PROMPT, Play};
use crate::peer::Stack;
use crate::peer::stack::Voice;
use ssmglobal_telnet::FromWorld;
use std::time::Instant;

/// How much of what was shown is kept, bytes, as long as the player is there: it may still be on its way when his connection breaks.
const ON_ITS_WAY: usize = 16 << 10;

impl Play {
    /// The world has said this. What it is answered is appended to `to_world`. All of it is used, but what stands behind
    /// [`Heard::Compressed`].
    pub fn said(&mut self, said: &mut &[u8], to: &mut Stack, to_world: &mut Vec<u8>, now: Instant) -> Vec<Heard> {
        let mut heard = Vec::new();
        let mut characters = false;
        to.relay(|to| {
            while let Some(found) = self.bridge.from_world(to.telnet, said, to.out, to_world) {
                match found {
                    FromWorld::Data(text) => self.has_said(text, to, to_world, now),
                    FromWorld::HideInput(hidden) => self.hides(hidden, to, to_world, now),
                    FromWorld::PromptEnd => self.has_prompted(to, to_world, now),
                    FromWorld::Charset => characters = true,
                    FromWorld::Mssp if !std::mem::replace(&mut self.told_mssp, true) => heard.push(Heard::Mssp),
                    FromWorld::Mssp | FromWorld::Alive => {}
                    FromWorld::Compressed => {
                        heard.push(Heard::Compressed);
                        break;
                    }
                }
            }
            if let Some(again) = &mut self.logs_in
                && self.bridge.world_offers()
            {
                again.has_offered();
            }
            let in_line = to.between.is_in_line();
            self.in_line_since = in_line.then_some(now);
            if !in_line {
                heard.push(Heard::LineEnded);
            }
        });
        if characters {
            self.choose_characters(to);
        }
        heard
    }

    fn has_said(&mut self, text: &[u8], to: &mut Voice<'_>, to_world: &mut Vec<u8>, now: Instant) {
        if self.logs_in.is_some() {
            // Seen only if it does not work.
            return self.hears(|again, login| again.said(login, text, now), to, to_world);
        }
        self.watch.said(&mut self.login, text, now);
        self.show(text, to);
        self.send_kept_when_inside(to_world);
    }

    /// Shows the player what the world has said; who is away sees it later.
    pub(super) fn show(&mut self, text: &[u8], to: &mut Voice<'_>) {
        self.unmarked = false;
        let from = to.out.len();
        to.between.end_ours(to.out);
        let begins = to.out.len();
        self.inward.convert(text, to.out);
        self.sharers.shows(text, self.inward.from());
        let shown = to.out.get(begins..).unwrap_or_default();
        to.between.world_said(shown);
        self.shown += shown.len() as u64;
        if self.alone.is_some() {
            self.scrollback.said(shown);
            return to.out.truncate(from);
        }
        // What he may not have got, should his connection break.
        self.scrollback.said_within(shown, ON_ITS_WAY);
        to.telnet.seal(to.out, from);
    }

    fn has_prompted(&mut self, to: &mut Voice<'_>, to_world: &mut Vec<u8>, now: Instant) {
        if self.logs_in.is_some() {
            return self.hears(|again, login| again.prompt_end(login, now), to, to_world);
        }
        self.watch.prompt_end(&mut self.login);
        self.send_kept_when_inside(to_world);
        to.between.is_prompt();
        self.sharers.prompts();
        if self.alone.is_none() {
            let from = to.out.len();
            to.telnet.prompt_end(to.out);
            self.unmarked = to.out.len() == from;
        }
    }

    fn hides(&mut self, hidden: bool, to: &mut Voice<'_>, to_world: &mut Vec<u8>, now: Instant) {
        self.hidden = hidden;
        self.sharers.hides(hidden);
        if self.logs_in.is_some() {
            // What he types meanwhile is no answer to what we are asked.
            return self.hears(|again, login| again.hides(login, hidden, now), to, to_world);
        }
        self.gate.set_hidden(hidden);
        self.watch.hides(hidden);
    }

    /// The world's last word is over, whether its line was or not.
    pub(super) fn end_text(&mut self, to: &mut Voice<'_>) {
        // What is said to one who is being logged in is noise: he is logged in once more, or sees it then.
        self.logs_in = None;
        let from = to.out.len();
        self.inward.finish(to.out);
        to.telnet.seal(to.out, from);
        to.between.is_prompt();
    }

    /// Does what is due.
    pub fn on_due(&mut self, now: Instant, to: &mut Stack, to_world: &mut Vec<u8>) -> Vec<Heard> {
        let mut heard = Vec::new();
        if self.in_line_since.is_some_and(|since| since + PROMPT <= now) {
            self.in_line_since = None;
            to.between().into_iter().for_each(|between| between.is_prompt());
            heard.push(Heard::LineEnded);
        }
        let gives_up = self.undecided_until.is_some_and(|at| at <= now);
        if gives_up {
            self.undecided_until = None;
        }
        to.relay(|to| {
            if gives_up {
                self.bridge.give_up_waiting(to.telnet, to.out, to_world);
            }
            match &self.logs_in {
                Some(again) if again.deadline(&self.login) <= now => {
                    self.hears(|again, login| again.quiet(login, now), to, to_world);
                }
                Some(_) => {}
                None => {
                    self.watch.tick(&mut self.login, now);
                    self.send_kept_when_inside(to_world);
                }
            }
        });
        heard
    }
}
