//! What the world says, on its way to the player. Runs in a worker; pure.

use super::bridge::FromWorld;
use super::{Heard, Play};
use crate::peer::Stack;
use crate::peer::between::Between;
use ssmglobal_telnet::Telnet;
use std::time::Instant;

impl Play {
    /// The world has said this. What it is answered is appended to `to_world`.
    pub fn said(&mut self, said: &[u8], to: &mut Stack, to_world: &mut Vec<u8>, now: Instant) -> Vec<Heard> {
        let mut input = said;
        let mut heard = Vec::new();
        to.relay(|telnet, out, between| {
            while let Some(found) = self.bridge.from_world(telnet, &mut input, out, to_world) {
                match found {
                    FromWorld::Data(text) => self.has_said(text, telnet, out, between),
                    FromWorld::HideInput(hidden) => self.hides(hidden),
                    FromWorld::PromptEnd => self.has_prompted(telnet, out, between),
                    FromWorld::Charset => {}
                    FromWorld::Alive => {}
                }
            }
            self.in_line_since = between.is_in_line().then_some(now);
            if !between.is_in_line() {
                heard.push(Heard::LineEnded);
            }
        });
        heard
    }

    fn has_said(&mut self, text: &[u8], telnet: &Telnet, out: &mut Vec<u8>, between: &mut Between) {
        self.show(text, telnet, out, between);
    }

    /// Shows the player what the world has said; who is away sees it later.
    pub(super) fn show(&mut self, text: &[u8], telnet: &Telnet, out: &mut Vec<u8>, between: &mut Between) {
        let from = out.len();
        between.end_ours(out);
        let begins = out.len();
        self.inward.convert(text, out);
        let shown = out.get(begins..).unwrap_or_default();
        between.world_said(shown);
        if self.alone.is_some() {
            self.scrollback.said(shown);
            return out.truncate(from);
        }
        telnet.seal(out, from);
    }

    fn has_prompted(&mut self, telnet: &mut Telnet, out: &mut Vec<u8>, between: &mut Between) {
        between.is_prompt();
        if self.alone.is_none() {
            telnet.prompt_end(out);
        }
    }

    fn hides(&mut self, hidden: bool) {
        self.hidden = hidden;
        self.gate.set_hidden(hidden);
    }

    /// The world's last word is over, whether its line was or not.
    pub(super) fn end_text(&mut self, to: &mut Stack) {
        to.relay(|telnet, out, between| {
            let from = out.len();
            self.inward.finish(out);
            telnet.seal(out, from);
            between.is_prompt();
        });
    }

    /// Does what is due.
    pub fn on_due(&mut self, now: Instant, to: &mut Stack, to_world: &mut Vec<u8>) -> Vec<Heard> {
        let mut heard = Vec::new();
        if self.in_line_since.is_some_and(|since| since + super::PROMPT <= now) {
            self.in_line_since = None;
            if let Some(between) = to.between() {
                between.is_prompt();
            }
            heard.push(Heard::LineEnded);
        }
        if self.undecided_until.is_some_and(|at| at <= now) {
            self.undecided_until = None;
            let bridge = &mut self.bridge;
            to.relay(|telnet, out, _| bridge.give_up_waiting(telnet, out, to_world));
        }
        heard
    }
}
