//! What the player types, on its way to the world. Runs in a worker; pure.

use super::gate::{Mode, Passed};
use super::kept::Became;
use super::{Play, Stage, Typed, words};
use crate::peer::Stack;
use ssmglobal_telnet::{Event, Telnet};
use std::time::Instant;
use zeroize::Zeroize;

impl Play {
    /// The player's terminal has said something. What is answered is appended to `out` and `to_world`.
    pub fn heard(&mut self, telnet: &mut Telnet, event: Event<'_>, out: &mut Vec<u8>, to_world: &mut Vec<u8>) {
        match event {
            Event::Data(text) => {
                if self.bridge.wants_keys() {
                    self.first.give_up(&mut self.typed);
                }
                if self.first.take(text, &mut self.typed) {
                    self.crawler = Some(true);
                }
            }
            Event::WantsMssp => self.crawler = Some(false),
            event => {
                self.bridge.from_player(telnet, event, out, to_world);
                self.mark_prompt(telnet, out);
            }
        }
    }

    /// A world may ask before the player's terminal has said that it speaks telnet: some show no prompt without a mark.
    fn mark_prompt(&mut self, telnet: &Telnet, out: &mut Vec<u8>) {
        if self.unmarked && self.typed.is_empty() {
            let from = out.len();
            telnet.prompt_end(out);
            self.unmarked = out.len() == from;
        }
    }

    /// Whether there is something that was typed and not looked at.
    pub fn has_typed(&self) -> bool {
        !self.typed.is_empty()
    }

    /// The next thing that was typed: whole lines, but where the world wants every key. With `ours` it is for us whatever it begins
    /// with. What goes to the world is appended to `to_world`.
    pub fn next_typed(&mut self, ours: bool, to: &mut Stack, to_world: &mut Vec<u8>, now: Instant) -> Option<Typed> {
        self.choose_characters(to);
        let wants_keys = self.bridge.wants_keys();
        self.gate.set_ours(ours);
        self.gate.set_mode(if wants_keys { Mode::Character } else { Mode::Line });
        let plays = self.stage == Stage::Plays && self.logs_in.is_none();
        let typed = self.typed.get(self.used..).unwrap_or_default();
        let mut rest = typed;
        let passed = self.gate.next(&mut rest);
        self.used += typed.len() - rest.len();
        let from = to_world.len();
        let result = match passed {
            None => None,
            Some(Passed::ForUs(line)) => {
                to.between().into_iter().for_each(|between| between.has_typed(true));
                Some(Typed::Ours(line))
            }
            Some(Passed::TooLong) => Some(Typed::Says(words::TOO_LONG.to_owned())),
            Some(Passed::ToWorld(piece)) => {
                if plays {
                    self.outward.convert(piece, to_world);
                }
                Some(Typed::Passed)
            }
            Some(Passed::Line { rest, line, hidden }) if plays => {
                to.between().into_iter().for_each(|between| between.has_typed(false));
                if let Some(line) = line {
                    self.watch.typed(&mut self.login, line, hidden, now);
                }
                self.outward.convert(rest, to_world);
                Some(Typed::Passed)
            }
            Some(Passed::Line { line, hidden, .. }) => {
                let hidden = std::mem::take(&mut self.was_asked) || hidden;
                let became = self.kept.keep(line.unwrap_or_default(), hidden, &self.login);
                Some(Typed::Says(match became {
                    Became::Kept => words::kept(self.kept.count(), &self.world),
                    Became::Full => words::not_kept(&self.world, &self.escape),
                    Became::Secret => words::NOT_KEPT_SECRET.to_owned(),
                }))
            }
        };
        self.bridge.seal_to_world(to_world, from);
        if self.used == self.typed.len() {
            self.typed.zeroize();
            self.used = 0;
        }
        result
    }
}
