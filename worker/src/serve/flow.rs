//! What goes between a client and the world that it plays: bytes from one side to the other, with no handler in the way, and what is
//! ours between them. Runs in a worker.

use super::Worker;
use super::playing::Playing;
use crate::peer::WorldPeer;
use crate::play::{Heard, Typed};
use crate::session::Ask;
use ssmglobal_config::Level;
use std::time::Instant;

impl Worker<'_> {
    /// Works on what the world says, and on what is due for it.
    pub(super) fn play_on(&mut self) {
        // Most clients play nothing, and are not to pay for looking at the clock.
        if self.playing.is_none() {
            return;
        }
        let now = Instant::now();
        loop {
            let Some(playing) = &mut self.playing else { return };
            let stack = self.client.stack();
            if playing.has_to_wait(stack.is_slow()) {
                return;
            }
            let Some(world) = &mut playing.world else { return };
            if !world.read() {
                if world.take_damage() {
                    self.world_is_damaged();
                } else if world.is_over() {
                    self.world_is_over();
                }
                return;
            }
            let (mut said, out) = world.parts();
            let heard = playing.play.said(&mut said, stack, out, now);
            let left = said.len();
            world.leaves(left);
            self.has_heard(heard);
            self.flush_shares();
        }
    }

    fn has_heard(&mut self, heard: Vec<Heard>) {
        for heard in heard {
            match heard {
                Heard::LineEnded => self.session.line_of_world_has_ended(self.client.stack()),
                Heard::Says(msg) => self.say(msg),
                Heard::Mssp => self.tell_of_world(),
                Heard::Compressed => {
                    self.playing.iter_mut().flat_map(|it| &mut it.world).for_each(WorldPeer::begin_inflating)
                }
            }
        }
    }

    /// What is due while a world is played; gives whether anything was.
    pub(super) fn on_play_due(&mut self, now: Instant) -> bool {
        let Some(playing) = &mut self.playing else { return false };
        if playing.due_at(&self.settings.limits).is_none_or(|at| at > now) {
            return false;
        }
        if playing.from.as_ref().is_some_and(|from| from.due_at() <= now) {
            self.not_taken_over();
            return true;
        }
        if self.give_up_slow(now) {
            return true;
        }
        let Some(playing) = &mut self.playing else { return false };
        if let Some(world) = &mut playing.world {
            world.look_after(now, &self.settings.limits);
        }
        let mut nowhere = Vec::new();
        let (play, out) = playing.parts(&mut nowhere);
        let heard = play.on_due(now, self.client.stack(), out);
        let over = play.is_over(now);
        self.has_heard(heard);
        if over {
            self.leave_world();
        }
        true
    }

    /// Works on what somebody types who plays.
    pub(super) fn take_played(&mut self) {
        loop {
            while self.may_take() {
                let ours = self.session.wants_line();
                let Some(playing) = self.playing.as_mut().filter(|playing| playing.play.is_settled()) else { break };
                let mut nowhere = Vec::new();
                let (play, out) = playing.parts(&mut nowhere);
                match play.next_typed(ours, self.client.stack(), out, Instant::now()) {
                    None => break,
                    Some(Typed::Passed) => {}
                    Some(Typed::Says(msg)) => self.say(msg),
                    Some(Typed::Ours(line)) => self.on_our_line(&line),
                }
            }
            let Some(playing) = &mut self.playing else { return };
            if !playing.takes_more() {
                return;
            }
            let mut nowhere = Vec::new();
            let (play, out) = playing.parts(&mut nowhere);
            let more = self.client.take_played(|telnet, event, to| play.heard(telnet, event, to, out));
            if let Some(plain) = play.take_crawler() {
                self.ask(Ask::Mssp { plain });
            }
            if !more {
                return;
            }
        }
    }

    fn on_our_line(&mut self, line: &str) {
        let around = self.around();
        let stack = self.client.stack();
        // Who wants to see nothing of ours between the game's lines sees it when he asks for something.
        self.session.line_of_world_has_ended(stack);
        let ask = self.session.on_input(crate::peer::Input::Line, line, stack, around);
        self.settle();
        if let Some(ask) = ask {
            self.ask(ask);
        }
    }

    /// All that is of ours in this turn was said: the world's prompt is shown again.
    pub(super) fn end_ours(&mut self) {
        if self.is_alone() {
            // Nobody reads it.
            return self.client.stack().out().clear();
        }
        if self.playing.as_ref().is_some_and(Playing::has_world) && !self.session.wants_line() && !self.session.owes() {
            self.client.stack().end_ours();
        }
    }

    /// Writes to the world what waits.
    pub(super) fn flush_world(&mut self) {
        if let Some(world) = self.playing.as_mut().and_then(|playing| playing.world.as_mut()) {
            world.flush(self.poll.registry(), &self.settings.limits);
        }
    }

    /// The client's own connection has ended. Whether the one to its world is kept for it.
    pub(super) fn plays_alone(&mut self) -> bool {
        let known = !self.session.who().is_empty();
        let Some(playing) = &mut self.playing else { return false };
        if playing.play.is_alone() {
            return true;
        }
        let lost = ssmglobal_sys::unacknowledged(self.client.descriptor()).unwrap_or_default();
        if self.session.is_over() || !playing.play.stays_alone(known, lost, self.client.stack()) {
            return false;
        }
        let place = playing.play.world().to_owned();
        self.log(Level::Info, &format!("the connection is broken; his place in {place} is kept"));
        self.tell_where_it_plays();
        true
    }
}
