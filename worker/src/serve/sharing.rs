//! Several connections of a player see one game: the worker that has the connection to the world shows each of the others what
//! the world says, and passes on what they type. The handler gives each of the two workers one end of a socket pair; to the other
//! one it is a world. Runs in the worker that has the connection.

use super::Worker;
use super::playing::Playing;
use crate::peer::outbox::Outbox;
use crate::peer::{FIRST_SHARER, Flushed, SharerPeer};
use crate::play::sharing::{MOST, SLOW, Waited};
use crate::play::words;
use mio::{Registry, Token};
use ssmglobal_config::Level;
use ssmglobal_ipc::WorkerEnd;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Instant;

/// Lines of each that are taken in one turn, so that others have theirs.
const LINES: usize = 32;

/// Bytes that may wait for the world while theirs are taken. The player's own may be more: he need not wait for them.
const ROOM: usize = 4 << 10;

/// One of them.
struct Share {
    peer: SharerPeer,
    waited: Waited,
    /// More waits for it than may at all.
    too_much: bool,
}

impl Share {
    fn flush(&mut self, out: &mut Outbox, registry: &Registry, now: Instant) {
        self.too_much |= self.peer.flush(out, registry) == Flushed::TooMuch;
        self.waited.has_written(out, SLOW, now);
    }

    fn is_given_up(&self) -> bool {
        self.too_much || self.waited.is_given_up()
    }
}

/// All of them, in the order in which the game has them.
#[derive(Default)]
pub struct Shares {
    all: Vec<Share>,
    /// The player's own client, for which they wait as well.
    client: Waited,
}

impl Shares {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Their descriptors.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.all.iter().map(|share| share.peer.descriptor())
    }

    /// When one of them, or the client, is not waited for any more.
    pub fn due_at(&self) -> Option<Instant> {
        self.all.iter().map(|share| &share.waited).chain([&self.client]).filter_map(Waited::due_at).min()
    }

    fn add(&mut self, fd: OwnedFd, registry: &Registry) -> std::io::Result<()> {
        let tokens = (FIRST_SHARER..FIRST_SHARER + MOST).map(Token);
        let mut free = tokens.filter(|token| self.all.iter().all(|share| share.peer.token() != *token));
        let token = free.next().ok_or(std::io::ErrorKind::QuotaExceeded)?;
        let peer = SharerPeer::new(fd, token, registry)?;
        self.all.push(Share { peer, waited: Waited::default(), too_much: false });
        Ok(())
    }

    /// Takes all of them out of the event loop.
    pub fn close(&mut self, registry: &Registry) {
        self.all.drain(..).for_each(|share| share.peer.close(registry));
    }
}

impl Playing {
    /// Goes on with those that another worker has had.
    pub fn take_shares(&mut self, fds: Vec<OwnedFd>, registry: &Registry) {
        for fd in fds {
            if self.shares.add(fd, registry).is_err() {
                break;
            }
        }
        // Those that are left out see that it ends.
        self.play.sharers().truncate(self.shares.count());
    }

    /// Whether what one of them types has room.
    fn takes_lines(&mut self) -> bool {
        self.play.takes_shared() && self.world.as_mut().is_some_and(|world| world.out().rest().len() <= ROOM)
    }

    /// Reads a bit from each of them, and passes a line of each on; gives whether there was anything.
    fn take_round(&mut self, now: Instant) -> bool {
        let mut any = false;
        for number in 0..self.shares.count() {
            let takes_lines = self.takes_lines();
            let Some(share) = self.shares.all.get_mut(number) else { return any };
            if !self.play.has_shared(number)
                && let Some(said) = share.peer.read()
            {
                self.play.sharers().heard(number, said);
                any = true;
            }
            if let Some(world) = self.world.as_mut().filter(|_| takes_lines && self.play.has_shared(number)) {
                self.play.take_shared(number, world.out().bytes(), now);
                any = true;
            }
        }
        any
    }

    /// Whether one of them may have said something for which there is room.
    fn has_lines(&mut self) -> bool {
        let takes_lines = self.takes_lines();
        let goes_on = |(number, share): (usize, &Share)| match self.play.has_shared(number) {
            true => takes_lines,
            false => share.peer.may_have_said(),
        };
        self.shares.all.iter().enumerate().any(goes_on)
    }

    /// Writes what waits for each of them.
    fn flush_shares(&mut self, registry: &Registry, now: Instant) {
        for (number, share) in self.shares.all.iter_mut().enumerate() {
            if let Some(out) = self.play.sharers().out(number) {
                share.flush(out, registry, now);
            }
        }
    }

    /// Whether the world has to wait for one of them.
    pub fn waits_for_sharers(&mut self) -> bool {
        let sharers = self.play.sharers();
        (0..self.shares.all.len()).any(|number| sharers.out(number).is_some_and(|out| out.rest().len() > SLOW))
    }

    /// Whether the world has to wait for a client that is slow: not for ever, where others see the game.
    pub fn waits_for_client(&self) -> bool {
        !(self.play.is_alone() || self.play.is_shared() && self.shares.client.is_given_up())
    }
}

impl Worker<'_> {
    /// Another connection of the player sees the game from now on.
    pub(super) fn share_with(&mut self, fd: OwnedFd) {
        let registry = self.poll.registry();
        let Some(playing) = &mut self.playing else { return };
        // Who is let go of here is told by the handler why, as by the end of any connection.
        if playing.play.share(self.client.stack()) && playing.shares.add(fd, registry).is_err() {
            let count = playing.shares.count();
            playing.play.sharers().truncate(count);
        }
    }

    /// The event loop has told of one of them.
    pub(super) fn share_has_event(&mut self, event: &mio::event::Event) {
        let shares = self.playing.iter_mut().flat_map(|playing| &mut playing.shares.all);
        shares.filter(|share| share.peer.token() == event.token()).for_each(|share| share.peer.has_event(event));
    }

    /// Works on what they type: one line of each in turn, so that nobody waits for what another has typed ahead.
    pub(super) fn take_shared(&mut self) {
        let now = Instant::now();
        let Some(playing) = self.playing.as_mut().filter(|playing| playing.play.is_shared()) else { return };
        for _ in 0..LINES {
            if !playing.take_round(now) {
                break;
            }
        }
        self.end_shares();
    }

    /// Writes what waits for them; those that are over, or do not read, are let go of.
    pub(super) fn flush_shares(&mut self) {
        let now = Instant::now();
        let Some(playing) = self.playing.as_mut().filter(|playing| playing.play.is_shared()) else { return };
        playing.flush_shares(self.poll.registry(), now);
        let out = self.client.stack().out();
        playing.shares.client.has_written(out, Outbox::SLOW, now);
        self.end_shares();
    }

    /// Whether something goes on for those who share the game without an event.
    pub(super) fn goes_on_for_sharers(&mut self) -> bool {
        let Some(playing) = self.playing.as_mut().filter(|playing| playing.play.is_shared()) else { return false };
        playing.has_lines() || self.world_may_have_said()
    }

    /// Somebody does not read, and is not waited for any more; gives whether there is one.
    pub(super) fn give_up_slow(&mut self, now: Instant) -> bool {
        let Some(playing) = &mut self.playing else { return false };
        let all = playing.shares.all.iter_mut().map(|share| &mut share.waited);
        let found = all.chain([&mut playing.shares.client]).fold(false, |found, waited| waited.look(now) | found);
        if found {
            self.end_shares();
        }
        found
    }

    fn end_shares(&mut self) {
        let registry = self.poll.registry();
        let Some(playing) = &mut self.playing else { return };
        let mut given_up = 0;
        for number in (0..playing.shares.count()).rev() {
            let is_done = |share: &Share| share.peer.is_over() && !playing.play.has_shared(number);
            let Some(share) = playing.shares.all.get(number) else { continue };
            let slow = share.is_given_up();
            if slow || is_done(share) {
                given_up += usize::from(slow);
                playing.play.unshare(number);
                playing.shares.all.remove(number).peer.close(registry);
            }
        }
        let world = playing.play.world().to_owned();
        for _ in 0..given_up {
            self.log(
                Level::Info,
                &format!("another connection of this player does not read; it shares {world} no more"),
            );
        }
    }

    /// The world is gone: so is it for each of them, once all was said.
    pub(super) fn end_all_shares(&mut self) {
        let registry = self.poll.registry();
        let Some(playing) = self.playing.as_mut().filter(|playing| playing.play.is_shared()) else { return };
        playing.flush_shares(registry, Instant::now());
        playing.shares.close(registry);
        playing.play.unshare_all();
    }

    /// The client leaves the game, or does not read, and others go on with it: its connection ends, and this process stays. Gives
    /// whether there are others.
    pub(super) fn leaves_to_sharers(&mut self, says: bool) -> bool {
        let known = !self.session.who().is_empty();
        let registry = self.poll.registry();
        let Some(playing) = self.playing.as_mut().filter(|playing| playing.play.is_shared()) else { return false };
        if self.session.is_over() || !playing.play.is_settled() {
            return false;
        }
        if says {
            let msg = words::left_to_others(playing.play.world());
            let stack = self.client.stack();
            self.session.is_back(stack, msg);
            stack.close();
            self.client.flush(registry, &self.settings.limits);
        }
        playing.play.leaves_to_sharers(known);
        let world = playing.play.world().to_owned();
        if self.client.hang_up(registry).is_err() {
            // Without a descriptor to put in its place this process can only end.
            self.session.end(WorkerEnd::QUIT);
            return false;
        }
        self.log(Level::Info, &format!("the connection is over; his others go on in {world}"));
        self.tell_where_it_plays();
        true
    }
}
