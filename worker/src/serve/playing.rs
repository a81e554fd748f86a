//! What a worker has of the world that its client plays: all that is pure, the connection, and those who share it. Runs in a worker.

use super::handing;
use super::sharing::Shares;
use crate::peer::WorldPeer;
use crate::play::Play;
use mio::Registry;
use ssmglobal_config::Limits;
use std::time::Instant;

/// The world that the client plays, waits for, or has asked for.
pub struct Playing {
    /// All of it that is pure.
    pub play: Play,
    /// The connection, as long as there is one.
    pub world: Option<WorldPeer>,
    /// The player's other connections that see the game, as `play` knows them.
    pub shares: Shares,
    /// Another worker is about to leave its connection to this one.
    pub from: Option<handing::From>,
}

impl Playing {
    /// Nothing but what is to be played.
    pub fn new(play: Play) -> Playing {
        Playing { play, world: None, shares: Shares::default(), from: None }
    }

    /// Whether nothing was begun that only this process can go on with.
    pub fn is_quiet(&self) -> bool {
        let Playing { play, world, shares: _, from } = self;
        from.is_none() && play.is_quiet() && world.as_ref().is_none_or(WorldPeer::is_quiet)
    }

    /// Whether there is a connection.
    pub fn has_world(&self) -> bool {
        self.world.is_some()
    }

    /// The game, and where what is said to the world goes: `nowhere`, as long as there is no connection.
    pub fn parts<'a>(&'a mut self, nowhere: &'a mut Vec<u8>) -> (&'a mut Play, &'a mut Vec<u8>) {
        (&mut self.play, self.world.as_mut().map_or(nowhere, |world| world.out().bytes()))
    }

    /// Gives the connection up.
    pub fn close_world(&mut self, registry: &Registry) {
        self.world.take().into_iter().for_each(|world| world.close(registry));
    }

    /// Whether there is room for more of what is typed.
    pub fn takes_more(&self) -> bool {
        !self.play.has_typed() && !self.world.as_ref().is_some_and(WorldPeer::is_slow)
    }

    /// Whether the world may have said something that was not looked at.
    pub fn may_have_said(&self) -> bool {
        self.world.as_ref().is_some_and(WorldPeer::may_have_said)
    }

    /// Whether the world has to wait: for the client, which may be slow, or for one who shares the game.
    pub fn has_to_wait(&mut self, is_slow: bool) -> bool {
        is_slow && self.waits_for_client() || self.waits_for_sharers()
    }

    /// When something is due although nothing happens.
    pub fn due_at(&self, limits: &Limits) -> Option<Instant> {
        let world = self.world.as_ref().and_then(|world| world.due_at(limits));
        world
            .into_iter()
            .chain(self.play.due_at())
            .chain(self.from.as_ref().map(handing::From::due_at))
            .chain(self.shares.due_at())
            .min()
    }
}
