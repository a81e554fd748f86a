//! A session moves from a worker of an older program to one of this, with its client and its link: how the old one lets go
//! and how the new one goes on. See [`crate::moved`]. Runs in both workers.

use super::vanished::Contact;
use super::{LINK, MOVES, Session};
use crate::given::Given;
use crate::link::Link;
use crate::moved::{COULD, Item, MINE, Moved, Since, YOURS, put_away, read, wrong};
use crate::strangers::Beginning;
use mio::Events;
use mio::unix::SourceFd;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::socket::{MsgFlags, recv, send};
use ssmglobal_telnet::Telnet;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

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

impl Session<'_> {
    /// Hands client and session over to a worker of the program that there is now, if it was asked to and nothing is on its
    /// way from anybody to anybody. Gives whether the client is that one's, so that this process has to end.
    pub(super) fn move_on(&mut self) -> bool {
        if !self.moving || !self.is_idle() {
            return false;
        }
        let Ok((ours, theirs)) = ssmglobal_sys::seqpacket_pair() else { return false };
        let sent = put_away(&self.left()).and_then(|memory| self.hand_client_over(memory.as_fd(), &theirs));
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

    fn hand_client_over(&self, memory: BorrowedFd<'_>, theirs: &OwnedFd) -> io::Result<()> {
        let link = self.link.as_ref().map(Link::as_fd);
        let fds = [Some(self.client.stream.as_fd()), Some(memory), Some(theirs.as_fd()), link];
        let fds: Vec<BorrowedFd<'_>> = fds.into_iter().flatten().collect();
        ssmglobal_sys::send_with(self.moves, b"M", &fds).map(drop)
    }

    /// There is room to hand over: tried again at the end of the turn.
    pub(super) fn leave_moves(&mut self) {
        if self.moves_watched {
            self.moves_watched = self.poll.registry().deregister(&mut SourceFd(&self.moves.as_raw_fd())).is_err();
        }
    }

    /// Nothing was begun and not ended, by the client, by this worker or by the handler.
    fn is_idle(&self) -> bool {
        let client = self.client.out.is_empty() && self.rest.is_empty() && !self.client.closed;
        let asked = self.queue.is_empty() && self.sent.since().is_none() && self.barrier.is_none();
        let joining = self.fetches.is_empty()
            && self.rejoins.is_empty()
            && self.rings.is_empty()
            && self.subscriptions.is_settled();
        let leaving = self.ending || self.quitting || self.moves_watched;
        let typing = self.asking.is_some() || self.reader.is_partial();
        let link = self.lost.is_none() && self.link.as_ref().is_none_or(Link::is_quiet);
        client && asked && joining && link && !leaving && !typing
    }

    /// All that the one who goes on must know.
    fn left(&self) -> Vec<Item<&Telnet>> {
        let mut items = vec![
            Item::Session {
                session: self.session,
                mode: self.mode,
                mode_there: self.mode_there,
                state: self.state,
                who: self.who.clone(),
            },
            Item::Numbers { next: self.sent.next(), heard: self.heard },
            Item::Silence(milliseconds(self.last_line), milliseconds(self.alive)),
            Item::Manners {
                after_return: self.reader.after_return(),
                prompted: self.prompted,
                failures: self.failures,
                since: Since { stays: self.stays, told: self.told.map(milliseconds) },
            },
        ];
        items.extend(self.ticket.clone().map(Item::Ticket));
        items.extend(self.subscriptions.iter().cloned().map(Item::Subscription));
        items.extend(self.reader.telnet().map(Item::Telnet));
        items.extend(self.beginning.as_ref().map(|beginning| Item::Beginning(beginning.seen().to_vec())));
        items
    }
}

impl<'a> Session<'a> {
    /// Goes on with another worker's client, when that one has let go of it; gives back the room for events.
    ///
    /// # Errors
    /// What that one has left cannot be used, or it keeps its client: this process has to end, and has not touched it.
    pub fn follow(given: Given<'a>, moved: Moved) -> (io::Result<Session<'a>>, &'a mut Events) {
        let Moved { memory, other, link } = moved;
        let (session, events) = Session::prepare(given, Instant::now());
        let session = session.and_then(|mut session| {
            session.restore(read(memory)?)?;
            // Whether it is heard or not, an answer tells.
            say(&other, COULD);
            match hear(&other, PollTimeout::NONE)? {
                Some(YOURS) | None => {}
                Some(_) => return Err(wrong("the other worker keeps its client")),
            }
            session.take_link(link)?;
            Ok(session)
        });
        (session, events)
    }

    fn restore(&mut self, items: Vec<Item>) -> io::Result<()> {
        let (mut mine, mut telnet, mut was_after_return, now) = (false, None, false, Instant::now());
        self.beginning = None;
        let ago = |milliseconds| now.checked_sub(Duration::from_millis(milliseconds)).unwrap_or(now);
        for item in items {
            match item {
                Item::Session { session, mode, mode_there, state, who } => {
                    mine = session == self.session;
                    (self.mode, self.mode_there, self.state, self.who) = (mode, mode_there, state, who);
                }
                Item::Numbers { next, heard } => {
                    self.sent.go_on(next);
                    self.heard = heard;
                }
                Item::Silence(silent, unasked) => (self.last_line, self.alive) = (ago(silent), ago(unasked)),
                Item::Manners { after_return, prompted, failures, since } => {
                    was_after_return = after_return;
                    (self.prompted, self.failures) = (prompted, failures);
                    (self.stays, self.told) = (since.stays, since.told.map(ago));
                }
                Item::Ticket(ticket) => self.ticket = Some(ticket),
                Item::Subscription(subscription) => self.subscriptions.add(subscription),
                Item::Telnet(machine) => telnet = Some(machine),
                Item::Beginning(seen) => self.beginning = Some(Beginning::after(seen)),
                Item::Format { .. } => {}
            }
        }
        if !mine {
            return Err(wrong("it is another session's"));
        }
        self.reader.go_on(self.mode, self.line_limit(), was_after_return, telnet);
        self.contact = Contact::taken();
        self.show_title();
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

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The kernel counts what all workers' user has sent and nobody has taken yet.
fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(Errno::ETOOMANYREFS as i32)
}
