//! A session moves from a worker of an older program to one of this, with its client and its link: how the old one lets go
//! and how the new one goes on. See [`super::moved`]. Runs in both workers.

use super::handing::{self, Handed};
use super::link::Link;
use super::moved::{COULD, Left, MINE, Moved, YOURS, wrong};
use super::playing::Playing;
use super::{LINK, MOVES, Worker};
use crate::given::Given;
use crate::peer::compression::Compression;
use crate::peer::outbox::Outbox;
use crate::play::Play;
use mio::unix::SourceFd;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::socket::{MsgFlags, recv, send};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// How long the new worker may take, milliseconds; the client waits meanwhile.
const PATIENCE: u16 = 2000;

/// A byte to the other worker; gives whether it is there to read it.
fn say(other: &OwnedFd, word: u8) -> bool {
    send(other.as_raw_fd(), &[word], MsgFlags::MSG_NOSIGNAL).is_ok()
}

/// The other worker's word; none when it has ended.
fn hear(other: &OwnedFd, patience: PollTimeout) -> io::Result<Option<u8>> {
    let mut waits = [PollFd::new(other.as_fd(), PollFlags::POLLIN)];
    let mut word = [0];
    match nix::poll::poll(&mut waits, patience)? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok((recv(other.as_raw_fd(), &mut word, MsgFlags::empty())? > 0).then_some(word[0])),
    }
}

impl Worker<'_> {
    /// Hands client and session over to a worker of the program that there is now, if it was asked to and nothing is on its
    /// way from anybody to anybody. Gives whether the client is that one's, so that this process has to end.
    pub(super) fn move_on(&mut self) -> bool {
        if !self.moving || !self.is_quiet() {
            return false;
        }
        self.client.stack().let_go();
        let gone = self.hand_on();
        if !gone {
            self.client.flush(self.poll.registry(), &self.settings.limits);
        }
        gone
    }

    fn hand_on(&mut self) -> bool {
        let Ok((ours, theirs)) = ssmglobal_sys::seqpacket_pair() else { return false };
        let sent = self.left().put_away().and_then(|memory| self.hand_client_over(memory.as_fd(), &theirs));
        match sent {
            Ok(()) => {}
            // Others are first: each one that is taken out there lets one more in.
            Err(error) if is_full(&error) => {
                self.moving = ssmglobal_sys::watch_in_turn(&self.poll, self.moves, MOVES.0).is_ok();
                self.moves_watched = self.moving;
                return false;
            }
            Err(_) => {
                self.moving = false;
                return false;
            }
        }
        drop(theirs);
        self.moving = false;
        // From here on until the other has ended or was told so, this process keeps its hands off the client.
        let could = matches!(hear(&ours, PollTimeout::from(PATIENCE)), Ok(Some(COULD)));
        if could && say(&ours, YOURS) {
            return true;
        }
        say(&ours, MINE);
        false
    }

    /// All that the one who goes on must know.
    fn left(
        &self,
    ) -> Left<&crate::session::Session, &super::Subscriptions, &crate::peer::Kept, Handed<&Play, &Outbox, &Compression>>
    {
        Left {
            session: &self.session,
            subscriptions: &self.subscriptions,
            peers: vec![self.client.kept()],
            link: self.link.is_some(),
            play: self.playing.as_ref().map(handing::handed),
        }
    }

    fn hand_client_over(&self, memory: BorrowedFd<'_>, theirs: &OwnedFd) -> io::Result<()> {
        let mut fds = vec![self.client.descriptor(), memory, theirs.as_fd()];
        let played = self.playing.iter().flat_map(handing::descriptors);
        fds.extend(self.link.as_ref().map(Link::as_fd).into_iter().chain(played));
        ssmglobal_sys::send_with(self.moves, b"M", &fds).map(drop)
    }

    /// There is room to hand over: tried again at the end of the turn.
    pub(super) fn leave_moves(&mut self) {
        if self.moves_watched {
            self.moves_watched = self.poll.registry().deregister(&mut SourceFd(&self.moves.as_raw_fd())).is_err();
        }
    }

    /// Nothing was begun and not ended: by the client, by this worker or by the handler.
    fn is_quiet(&self) -> bool {
        // A field more does not compile until it is decided whether it is quiet, moves, or is made anew.
        let Worker {
            door: _,
            settings: _,
            rendezvous: _,
            moves: _,
            address: _,
            poll: _,
            signals: _,
            client,
            session,
            subscriptions,
            playing,
            link,
            inherited: _,
            rendezvous_watched: _,
            moves_watched,
            moving: _,
            errands,
            lost,
        } = self;
        // One whose connection is broken has nothing on its way.
        let alone = playing.as_ref().is_some_and(|playing| playing.play.is_alone());
        let layers = (client.is_quiet() || alone) && session.is_quiet() && subscriptions.is_quiet();
        let played = playing.as_ref().is_none_or(Playing::is_quiet);
        layers
            && played
            && errands.is_empty()
            && lost.is_none()
            && link.as_ref().is_none_or(Link::is_quiet)
            && !moves_watched
    }
}

impl<'a> Worker<'a> {
    /// Goes on with another worker's client, when that one has let go of it.
    ///
    /// # Errors
    /// What that one has left cannot be used, or it keeps its client: this process has to end, and has not touched it.
    pub fn follow(given: Given<'a>, moved: Moved) -> io::Result<Box<Worker<'a>>> {
        let Moved { memory, other, rest } = moved;
        let number = given.session;
        let Left { session, subscriptions, peers, link, play } = Left::read(memory)?;
        if session.number() != number {
            return Err(wrong("it is another session's"));
        }
        let mut peers = peers.into_iter();
        let (Some(client), None) = (peers.next(), peers.next()) else {
            return Err(wrong("it is not one client's"));
        };
        let mut worker = Worker::prepare(given, client, session, subscriptions)?;
        worker.listen();
        worker.show_title();
        // Whether it is heard or not, an answer tells.
        say(&other, COULD);
        match hear(&other, PollTimeout::NONE)? {
            Some(YOURS) | None => {}
            Some(_) => return Err(wrong("the other worker keeps its client")),
        }
        let mut rest = rest.into_iter();
        let link = if link { rest.next() } else { None };
        worker.take_play(play, &mut rest)?;
        worker.take_link(link)?;
        Ok(worker)
    }

    /// The world that it plays goes on too.
    fn take_play(&mut self, handed: Option<Handed>, fds: &mut impl Iterator<Item = OwnedFd>) -> io::Result<()> {
        let Some(handed) = handed else { return Ok(()) };
        self.playing = Some(handing::take(handed, fds, &self.settings.limits, self.poll.registry())?);
        Ok(())
    }

    /// The link goes on too. Rings of relay channels are asked for again: they do not move.
    fn take_link(&mut self, link: Option<OwnedFd>) -> io::Result<()> {
        // Without one nobody is on a channel; the first command makes it.
        if let Some(link) = link {
            self.link = Some(Link::taken(link, self.poll.registry(), LINK)?);
            self.inherited = true;
            self.rejoin();
        }
        Ok(())
    }
}

/// The kernel counts what all workers' user has sent and nobody has taken yet.
fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(Errno::ETOOMANYREFS as i32)
}
