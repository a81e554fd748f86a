//! A game goes on in another worker of the same player: his connection has broken, or he has come by another one. The handler
//! gives each of the two one end of a socket pair. Over that the old one sends the connection to the world and all that it
//! knows of it, in sealed memory, and the page that holds a login. Runs in both workers.

#[cfg(test)]
mod tests;

use super::Worker;
use super::moved::MOST;
use super::playing::Playing;
use crate::peer::WorldPeer;
use crate::peer::compression::Compression;
use crate::peer::outbox::Outbox;
use crate::play::{Play, words};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use serde::{Deserialize, Serialize};
use ssmglobal_config::Limits;
use ssmglobal_ipc::{Code, Failure, WorkerEnd};
use ssmglobal_sys::LockedPage;
use ssmglobal_sys::sealed::{read_sealed, sealed};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// The way to the worker that leaves its connection.
pub const HANDING: Token = Token(6);

/// How long that one may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The connection to a world, which has a descriptor if it is there.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub enum Wire<C = Compression> {
    /// Whether there is one, on which nothing is compressed.
    Plain(bool),
    /// There is one, on which the world compresses. A program that knows nothing of that expects a word, and goes on with none of
    /// it: it would show what is compressed.
    Compressed(C),
}

impl<C> Default for Wire<C> {
    fn default() -> Self {
        Wire::Plain(false)
    }
}

/// What a worker knows of the world that its client plays, for another one. Each that is said to be there has a descriptor.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Handed<P = Play, O = Outbox, C = Compression> {
    /// All of it that is pure.
    pub play: P,
    /// The connection.
    pub world: Wire<C>,
    /// What waits to be written to it.
    pub to_world: Option<O>,
    /// There is a page that holds a login.
    pub page: bool,
    /// How many other connections share the game.
    pub sharers: usize,
}

/// The descriptors that belong to it, in their order.
pub fn descriptors(playing: &Playing) -> impl Iterator<Item = std::os::fd::BorrowedFd<'_>> {
    let world = playing.world.as_ref().map(WorldPeer::descriptor);
    world.into_iter().chain(playing.play.page()).chain(playing.shares.descriptors())
}

/// What is said to who goes on.
pub fn handed(playing: &Playing) -> Handed<&Play, &Outbox, &Compression> {
    let compression = playing.world.as_ref().and_then(WorldPeer::compression);
    let world = compression.map_or(Wire::Plain(playing.world.is_some()), Wire::Compressed);
    let (to_world, page) = (playing.world.as_ref().map(WorldPeer::kept), playing.play.page().is_some());
    Handed { play: &playing.play, world, to_world, page, sharers: playing.shares.count() }
}

impl Wire {
    fn with_descriptor(
        self,
        fds: &mut impl Iterator<Item = OwnedFd>,
    ) -> io::Result<Option<(OwnedFd, Option<Compression>)>> {
        match self {
            Wire::Plain(false) => Ok(None),
            Wire::Plain(true) => Ok(Some((next(fds)?, None))),
            Wire::Compressed(compression) => Ok(Some((next(fds)?, Some(compression)))),
        }
    }
}

fn next(fds: &mut impl Iterator<Item = OwnedFd>) -> io::Result<OwnedFd> {
    fds.next().ok_or(io::ErrorKind::InvalidData.into())
}

/// Puts away what is said to who goes on.
///
/// # Errors
/// The kernel's; `FileTooLarge` for more than that one reads.
fn put_away(handed: &Handed<&Play, &Outbox, &Compression>) -> io::Result<OwnedFd> {
    let json = serde_json::to_vec(handed).map_err(|_| io::ErrorKind::InvalidData)?;
    if json.len() > MOST { Err(io::ErrorKind::FileTooLarge.into()) } else { sealed("play", &json) }
}

/// Puts together what was handed over.
///
/// # Errors
/// A descriptor is missing, or is not what it is said to be.
pub fn take(
    handed: Handed,
    fds: &mut impl Iterator<Item = OwnedFd>,
    limits: &Limits,
    registry: &Registry,
) -> io::Result<Playing> {
    let Handed { mut play, world, to_world, page, sharers } = handed;
    let world = world.with_descriptor(fds)?;
    if page {
        // Without it he logs in himself the next time.
        play.take_login(LockedPage::from_descriptor(next(fds)?).ok());
    }
    let peer = |(fd, compression)| -> io::Result<WorldPeer> {
        Ok(WorldPeer::new(fd, limits, registry)?.with_kept(to_world.unwrap_or_default(), compression))
    };
    let world = world.map(peer).transpose()?;
    let mut playing = Playing { world, ..Playing::new(play) };
    playing.take_shares(fds.take(sharers).collect(), registry);
    Ok(playing)
}

/// The end of the pair from which a connection is to come.
pub struct From {
    stream: OwnedFd,
    until: Instant,
}

impl From {
    /// When it has taken too long.
    pub fn due_at(&self) -> Instant {
        self.until
    }
}

impl Worker<'_> {
    /// The client's game goes on in another worker.
    pub(super) fn leave_to(&mut self, to: &OwnedFd) {
        let Some(playing) = &self.playing else { return };
        let sent = put_away(&handed(playing)).and_then(|memory| {
            let fds: Vec<_> = std::iter::once(memory.as_fd()).chain(descriptors(playing)).collect();
            ssmglobal_sys::send_with(to, b"P", &fds)
        });
        if sent.is_err() {
            // It stays here, which the handler does not know. The other worker tells its client to try again.
            return self.tell_where_it_plays();
        }
        let world = playing.play.world().to_owned();
        let alone = playing.play.is_alone();
        if let Some(mut playing) = self.playing.take() {
            // It is the other one's now, and this event loop's no more.
            playing.play.leave_page();
            playing.shares.close(self.poll.registry());
            playing.close_world(self.poll.registry());
        }
        self.client.stack().play(None);
        if alone {
            return self.session.end(WorkerEnd::QUIT);
        }
        self.session.is_back(self.client.stack(), words::gone_on(&world));
        if self.door.world.is_some() && self.door.quit_closes {
            self.session.end(WorkerEnd::QUIT);
        }
    }

    /// Another worker is about to leave its connection to this one.
    pub(super) fn take_over_from(&mut self, stream: OwnedFd) {
        let mut source = SourceFd(&stream.as_raw_fd());
        let watched = self.poll.registry().register(&mut source, HANDING, Interest::READABLE);
        let Some(playing) = &mut self.playing else { return };
        playing.from = Some(From { stream, until: Instant::now() + PATIENCE });
        match watched {
            Ok(()) => self.is_handed(),
            Err(_) => self.not_taken_over(),
        }
    }

    /// It may have come.
    pub(super) fn is_handed(&mut self) {
        let Some(from) = self.playing.as_ref().and_then(|playing| playing.from.as_ref()) else { return };
        let mut word = [0; 1];
        match ssmglobal_sys::receive(&from.stream, &mut word) {
            Ok(received) if received.count > 0 && !received.truncated => {
                if self.goes_on_with(received.fds).is_err() {
                    self.not_taken_over();
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => self.not_taken_over(),
        }
    }

    fn goes_on_with(&mut self, fds: Vec<OwnedFd>) -> io::Result<()> {
        let mut fds = fds.into_iter();
        let memory = fds.next().ok_or(io::ErrorKind::InvalidData)?;
        let handed: Handed = serde_json::from_slice(&read_sealed(memory, MOST)?)?;
        let mut playing = take(handed, &mut fds, &self.settings.limits, self.poll.registry())?;
        let Some(before) = self.playing.take() else { return Ok(()) };
        let mut nowhere = Vec::new();
        let (play, out) = playing.parts(&mut nowhere);
        play.goes_on_here(&before.play, self.client.stack(), out, Instant::now());
        self.playing = Some(playing);
        self.tell_where_it_plays();
        Ok(())
    }

    /// The other one has not left it in time: a connection of its own will do.
    pub(super) fn not_taken_over(&mut self) {
        let Some(playing) = &mut self.playing else { return };
        playing.from = None;
        let failure = Failure::new(Code::Unavailable, words::NOT_TAKEN_OVER);
        self.cannot_play(&failure);
    }
}
