//! A player who comes to his world by another connection: the worker that has the connection to the world leaves it to the new one, or
//! shares it. The two are brought together by a pair of sockets, and do the rest themselves. Part of the event loop.

use super::{Asker, EventLoop};
use crate::capability::slow_down;
use crate::state::plays::{Played, SHARERS, Stay, World, WorldKey};
use crate::state::session::SessionRef;
use ssmglobal_config::play::Sessions;
use ssmglobal_ipc::frame::put_event;
use ssmglobal_ipc::{Code, Event, Failure, PlayDo, PlayHow, PlayOrder, PlayReady, PlayReturn, PlayState};
use ssmglobal_store::PlayerId;
use std::os::fd::OwnedFd;

impl EventLoop {
    /// Where a player is at a world by another session already, it is as the world's session mode says. Gives the asker back where
    /// that is nothing to him.
    pub(super) fn play_with_another(&mut self, asker: Asker, world: &Played, again: bool) -> Option<Asker> {
        // Who has shared a connection, or waits to, does not get one of his own when the world is back.
        let own = self.state.plays.get(asker.session, &world.key);
        let again = again && own.is_none_or(|stay| stay.shares.is_none());
        let Some(player) = self.play_player(asker.at).filter(|_| !again) else { return Some(asker) };
        let his = self.state.plays.of_player(player, &world.key);
        let others: Vec<(u64, PlayState, bool)> = his
            .filter(|(session, _)| *session != asker.session && self.play_live(*session).is_some())
            .map(|(session, stay)| (session, stay.state, stay.shares.is_some()))
            .collect();
        // The one that is not used by anybody goes before the others.
        let alone = others.iter().find(|(_, state, _)| *state == PlayState::Alone);
        let mut own = others.iter().filter(|(_, _, is_shared)| !is_shared);
        // Others may be unknown to share it: this handler has not heard that yet.
        let own = own.clone().find(|(_, state, _)| *state == PlayState::Plays).or(own.next());
        match (alone, own, world.terms.sessions) {
            (Some((session, ..)), ..) => self.play_take_over(asker, world, *session),
            (None, None, _) | (None, _, Sessions::Many) => return Some(asker),
            (None, Some((session, ..)), Sessions::One) => {
                let wait = self.state.play_takeovers.wait(player, self.now);
                if !wait.is_zero() {
                    let failure = slow_down("Two programs take this game over from each other.", wait);
                    self.batch.reply(&asker.to, &failure.into());
                    return None;
                }
                self.state.play_takeovers.add(player, self.now);
                self.play_take_over(asker, world, *session);
            }
            (None, Some((session, PlayState::Waits, _)), Sessions::Shared) => {
                self.play_waits_with(&asker, world, *session);
            }
            (None, Some((session, ..)), Sessions::Shared) => self.play_share(&asker, world, player, *session),
        }
        None
    }

    /// A session goes on with what another one plays, which leaves it.
    pub(super) fn play_take_over(&mut self, asker: Asker, world: &Played, from: u64) {
        // Messages are to stay apart, as they carry descriptors.
        let there = self.play_live(from).zip(ssmglobal_sys::seqpacket_pair().ok());
        let Some((other, (ours, theirs))) = there else { return self.play_unreached(&asker) };
        let waits = self.state.plays.known(&world.key).is_some_and(|world| world.is_waiting(from));
        self.state.plays.share_with(from, Some(asker.session), &world.key);
        let before = self.state.plays.leave(from, &world.key);
        self.play_order(other, &world.name, PlayDo::HandOver, theirs);
        let place = before.as_ref().and_then(|stay| stay.place);
        self.play_started(&asker, world, (PlayHow::TakenOver, place), Some(ours));
        // It is still his who began it, also where whoever goes on has not logged in.
        if let (Some(before), Some(stay)) = (before, self.state.plays.get(asker.session, &world.key).cloned()) {
            let typed = before.typed;
            let stay = Stay { player: stay.player.or(before.player), typed, shares: before.shares, ..stay };
            self.state.plays.put(asker.session, &world.key, stay);
            if waits {
                self.state.plays.world(world, self.now).wait(asker.session, typed, self.now);
            }
        }
        self.play_touch(&world.key);
    }

    /// The other session waits for the world: so does this one, for that to get a connection that can be shared.
    fn play_waits_with(&mut self, asker: &Asker, world: &Played, with: u64) {
        self.play_started(asker, world, (PlayHow::Waits, None), None);
        if let Some(stay) = self.state.plays.get(asker.session, &world.key).cloned() {
            self.state.plays.put(asker.session, &world.key, Stay { shares: Some(with), ..stay });
            self.state.plays.world(world, self.now).leave(asker.session);
        }
        self.play_touch(&world.key);
    }

    /// A session has a connection to its world: who has waited to share that is called.
    pub(super) fn play_call_sharers(&mut self, session: u64, world: &Played) {
        if world.terms.sessions != Sessions::Shared {
            return;
        }
        for (other, _) in self.state.plays.waiting_for(session, &world.key) {
            if let Some(at) = self.play_live(other) {
                self.tell(at, 0, &Event::PlayReady(PlayReady { world: world.name.to_string() }));
            }
        }
    }

    /// A session is at a world no longer: who has waited to share its connection waits for the world itself.
    pub(super) fn play_orphans(&mut self, session: u64, key: &str) {
        let is_shared = |world: &World| world.terms.sessions == Sessions::Shared;
        if !self.state.plays.known(key).is_some_and(is_shared) {
            return;
        }
        let waiting = self.state.plays.waiting_for(session, key);
        self.state.plays.share_with(session, None, key);
        if let Some(world) = self.state.plays.known_mut(key) {
            waiting.into_iter().for_each(|(other, typed)| world.wait(other, typed, self.now));
        }
        self.play_touch(key);
    }

    fn play_share(&mut self, asker: &Asker, world: &Played, player: PlayerId, with: u64) {
        if self.state.plays.sharers(player, &world.key, with) >= SHARERS {
            let msg = format!("{SHARERS} connections share this game already. Leave it by one of them first.");
            return self.batch.reply(&asker.to, &Failure::new(Code::Limit, msg).into());
        }
        let there = self.play_live(with).zip(ssmglobal_sys::link_pair().ok());
        let Some((other, (ours, theirs))) = there else { return self.play_unreached(asker) };
        self.play_order(other, &world.name, PlayDo::Share, theirs);
        let place = self.state.plays.get(with, &world.key).and_then(|stay| stay.place);
        self.play_started(asker, world, (PlayHow::Shared, place), Some(ours));
        if let Some(stay) = self.state.plays.get(asker.session, &world.key).cloned() {
            self.state.plays.put(asker.session, &world.key, Stay { shares: Some(with), ..stay });
        }
        self.play_touch(&world.key);
    }

    fn play_unreached(&mut self, asker: &Asker) {
        let msg = "Your other connection cannot be reached at the moment. Try again in a moment.";
        self.batch.reply(&asker.to, &Failure::new(Code::Busy, msg).into());
    }

    /// Tells a worker what to do with its connection, and hands it the way to the other one. The next handler does not say it again:
    /// whoever has waited for it asks again.
    fn play_order(&mut self, at: SessionRef, world: &str, what: PlayDo, fd: OwnedFd) {
        let Some(link) = self.state.live(at).map(|session| session.link.clone()) else { return };
        let order = Event::PlayOrder(PlayOrder { world: world.to_owned(), what });
        link.put_with_fds(|out| put_event(out, 0, &order), vec![fd]);
        self.batch.mark(&link);
    }

    /// A player has logged in: what is kept for him he is told of.
    pub(in crate::event_loop) fn play_returns(&mut self, at: SessionRef, player: PlayerId) {
        let own = self.state.live(at).map(|session| session.number);
        for (session, key) in self.state.plays.alone(player) {
            let name = self.state.plays.known(&key).map(|world| world.name.to_string());
            if let Some(world) = name.filter(|_| Some(session) != own) {
                // The next handler hears of it from the worker that keeps it, and says it again.
                self.tell(at, 0, &Event::PlayReturn(PlayReturn { world }));
            }
        }
    }

    /// The connection of a player is broken, and his game is kept: he may be back already, by one that is nowhere.
    pub(super) fn play_is_kept(&mut self, player: PlayerId, key: &WorldKey, name: &str) {
        let is_free = |at: &&SessionRef| {
            let number = self.state.live(**at).map_or(0, |session| session.number);
            self.state.plays.get(number, key).is_none() && !self.state.plays.is_alone(number)
        };
        let newest = self.state.online.sessions(player.into()).iter().rev().find(is_free).copied();
        if let Some(at) = newest {
            self.tell(at, 0, &Event::PlayReturn(PlayReturn { world: name.to_owned() }));
        }
    }
}
