//! A worker at its work: the event loop, and everything in it that is not pure. It brings together what the client says, the
//! session, the link to the handler, what the client listens to, and the world that it plays. Runs in a worker.

mod channels;
mod flow;
mod handing;
mod link;
mod lists;
pub mod moved;
mod moving;
mod mssp;
mod play;
mod playing;
mod resume;
mod sharing;
mod subscriptions;
mod upward;

use crate::commands::masked_answer;
use crate::given::{Given, title};
use crate::peer::contact::Contact;
use crate::peer::speech::Speech;
use crate::peer::transport::Transport;
use crate::peer::{CLIENT, FIRST_SHARER, Flushed, Kept, Peer, Stack, WORLD};
use crate::render;
use crate::session::{Around, Effects, Session};
use link::Link;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::sys::signal::Signal;
use playing::Playing;
use ssmglobal_config::{Door, DoorMode, Level, Settings};
use ssmglobal_ipc::{LogLine, Mode, Request, WorkerEnd};
use ssmglobal_sys::Signals;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Instant;
use subscriptions::{FIRST_RING, Subscriptions};
use upward::Errands;
use zeroize::Zeroize;

const SIGNALS: Token = Token(1);
const LINK: Token = Token(2);
const RENDEZVOUS: Token = Token(3);
const MOVES: Token = Token(4);
const LIFELINE: Token = Token(5);

/// The worker.
pub struct Worker<'a> {
    door: &'a Door,
    settings: &'a Settings,
    rendezvous: BorrowedFd<'a>,
    moves: BorrowedFd<'a>,
    address: IpAddr,
    poll: Poll,
    signals: &'a Signals,
    client: Peer,
    session: Session,
    subscriptions: Subscriptions,
    /// The world that the client plays.
    playing: Option<Playing>,
    link: Option<Link>,
    /// The link is one that another worker has made: the handler may not know whose it is now.
    inherited: bool,
    rendezvous_watched: bool,
    /// There was no room to hand the client over.
    moves_watched: bool,
    /// A worker of another program is to go on with the client, as soon as nothing is on its way.
    moving: bool,
    errands: Errands,
    /// Since when there is no handler.
    lost: Option<Instant>,
}

impl<'a> Worker<'a> {
    /// Takes over the client. Where another program is to go on with it as soon as that can be, it is `to_move`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn start(given: Given<'a>, to_move: bool) -> io::Result<Box<Worker<'a>>> {
        let (mode, door, session, begun) = (given.mode, given.door, given.session, given.begun);
        let speech = Speech::new(mode, door.line, door.mode != DoorMode::Ask);
        let kept = Kept { stack: Stack::new(Transport::Plain, speech), contact: Contact::since(begun) };
        let session = Session::new(session, mode, begun);
        let mut worker = Worker::prepare(given, kept, session, Subscriptions::default())?;
        worker.moving = to_move;
        if mode == Mode::Human {
            let (around, found) = (worker.around(), worker.is_to_be_found());
            let stack = worker.client.stack();
            if found {
                stack.signal(|speech, out| speech.offer_now(out));
            } else {
                stack.speech().offer_soon();
            }
            if worker.door.world.is_some() {
                worker.enter_world();
            } else {
                worker.session.greet(stack, around);
            }
        }
        Ok(worker)
    }

    /// Gets everything ready, and says nothing yet.
    fn prepare(
        given: Given<'a>,
        kept: Kept,
        session: Session,
        subscriptions: Subscriptions,
    ) -> io::Result<Box<Worker<'a>>> {
        let Given { client, address, rendezvous, moves, lifeline, signals, door, settings, .. } = given;
        let poll = Poll::new()?;
        let mut client = Peer::new(client, kept, &settings.limits, poll.registry())?;
        poll.registry().register(&mut SourceFd(&signals.as_raw_fd()), SIGNALS, Interest::READABLE)?;
        poll.registry().register(&mut SourceFd(&lifeline.as_raw_fd()), LIFELINE, Interest::READABLE)?;
        client.stack().set_compressing(settings.limits.telnet_compression);
        if settings.log.level >= Level::Debug {
            client.stack().keep_copy();
        }
        let worker = Box::new(Worker {
            door,
            settings,
            rendezvous,
            moves,
            address: address.ip().to_canonical(),
            poll,
            signals,
            client,
            session,
            subscriptions,
            playing: None,
            link: None,
            inherited: false,
            rendezvous_watched: false,
            moves_watched: false,
            moving: false,
            errands: Errands::default(),
            lost: None,
        });
        Ok(worker)
    }

    /// What the session has to know.
    fn around(&self) -> Around<'a> {
        Around {
            door: self.door,
            settings: self.settings,
            linked: self.link.is_some(),
            lost: self.lost,
            listens: !self.subscriptions.is_empty(),
            plays: self.playing.is_some(),
            last_line: self.client.last_line(),
            last_input: self.client.last_input(),
        }
    }

    /// Serves until the client goes.
    ///
    /// # Errors
    /// The kernel's, from waiting for events.
    pub fn serve(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(16);
        loop {
            self.take_input();
            self.take_shared();
            self.note_damage();
            self.play_on();
            self.tell_word();
            self.end_ours();
            self.log_output();
            self.flush_link();
            if self.session.is_over() {
                self.client.stack().close();
            }
            self.flush_world();
            self.client.flush(self.poll.registry(), &self.settings.limits);
            self.flush_shares();
            match self.client.flushed() {
                _ if self.is_alone() => {
                    if self.session.is_over() {
                        return Ok(());
                    }
                    if self.goes_on_for_sharers() {
                        continue;
                    }
                }
                Flushed::All if self.session.is_over() => {
                    self.client.pass_over_rest();
                    return Ok(());
                }
                Flushed::All if self.subscriptions.waits => {
                    self.read_rings();
                    continue;
                }
                // What was too much is gone: further lines may be taken.
                Flushed::All if self.may_take() && self.client.may_have_said() && self.takes_more() => continue,
                Flushed::All if self.world_may_have_said() => continue,
                Flushed::All | Flushed::Part if self.goes_on_for_sharers() => continue,
                Flushed::All | Flushed::Part => {}
                Flushed::TooMuch if self.leaves_to_sharers(false) => continue,
                Flushed::TooMuch => {
                    self.session.ends_by(WorkerEnd::SLOW);
                    return Ok(());
                }
                Flushed::Gone if self.plays_alone() => continue,
                Flushed::Gone => {
                    self.session.ends_by(WorkerEnd::LOST);
                    return Ok(());
                }
            }
            let typed_ahead = self.playing.as_ref().is_some_and(|playing| playing.play.has_typed());
            if !self.is_alone() && self.client.is_over() && !self.session.owes() && !typed_ahead {
                if self.plays_alone() {
                    continue;
                }
                self.client.stack().close();
                self.client.flush(self.poll.registry(), &self.settings.limits);
                return Ok(());
            }
            if self.move_on() {
                return Ok(());
            }
            let timeout = self.due_at().map(|at| at.saturating_duration_since(Instant::now()));
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            if events.is_empty() && self.on_due() {
                continue;
            }
            for event in &events {
                if !self.on_io(event)? {
                    return Ok(());
                }
            }
        }
    }

    /// Something has happened; gives whether the client may still be there.
    fn on_io(&mut self, event: &mio::event::Event) -> io::Result<bool> {
        match event.token() {
            SIGNALS => self.take_signals()?,
            MOVES => self.leave_moves(),
            LINK => self.read_link(event.is_read_closed()),
            RENDEZVOUS => self.hand_over(),
            // Said once: the events are of changes.
            LIFELINE => self.left_alone(),
            handing::HANDING => self.is_handed(),
            WORLD => {
                if let Some(world) = self.playing.as_mut().and_then(|playing| playing.world.as_mut()) {
                    world.has_event(event);
                }
            }
            token if token.0 >= FIRST_SHARER && token.0 < FIRST_RING => self.share_has_event(event),
            token if token.0 >= FIRST_RING => self.read_ring(token),
            CLIENT => {
                self.client.has_event(event);
                // The end is seen by reading to it; a reset has nothing left to read.
                if event.is_error() && !self.plays_alone() {
                    self.session.ends_by(WorkerEnd::LOST);
                    return Ok(false);
                }
            }
            _ => {}
        }
        Ok(true)
    }

    fn take_signals(&mut self) -> io::Result<()> {
        // SIGINT and SIGHUP go to the whole terminal; the listener decides what they mean.
        while let Some(signal) = self.signals.next_signal()? {
            match signal {
                Signal::SIGTERM => self.session.goodbye(self.client.stack(), self.settings),
                // The handler has something to say to this client.
                Signal::SIGUSR1 => self.woken(),
                // Another program goes on with its clients.
                Signal::SIGUSR2 => self.moving = true,
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the client's own connection is gone, and that to its world is kept.
    fn is_alone(&self) -> bool {
        self.playing.as_ref().is_some_and(|playing| playing.play.is_alone())
    }

    /// Whether the world has room for more of what is typed.
    fn takes_more(&self) -> bool {
        self.playing.as_ref().is_none_or(Playing::takes_more)
    }

    /// Whether the world may have said something, and there is room for it.
    fn world_may_have_said(&mut self) -> bool {
        let is_slow = self.client.stack().is_slow();
        self.playing.as_mut().is_some_and(|playing| playing.may_have_said() && !playing.has_to_wait(is_slow))
    }

    fn may_take(&mut self) -> bool {
        self.session.may_take(self.settings)
            && !self.client.stack().is_slow()
            && !self.link.as_ref().is_some_and(Link::is_slow)
    }

    /// Works on what the client says, as long as it may ask for more.
    fn take_input(&mut self) {
        if self.playing.is_some() {
            return self.take_played();
        }
        // Most turns are of something else.
        if !self.client.may_have_said() {
            return;
        }
        let mut line = String::new();
        while self.may_take()
            && let Some(input) = self.client.next_input(&mut line)
        {
            let around = self.around();
            let ask = self.session.on_input(input, &line, self.client.stack(), around);
            self.settle();
            if let Some(ask) = ask {
                self.ask(ask);
            }
            if self.playing.is_some() {
                line.zeroize();
                return self.take_played();
            }
        }
        line.zeroize();
    }

    /// What the client has sent cannot be read any further: it has to come again. Its world is kept for it as if the connection
    /// had broken.
    fn note_damage(&mut self) {
        if !self.client.take_damage() {
            return;
        }
        if self.plays_alone() {
            self.client.shut();
            self.log(Level::Info, "What the client has sent compressed could not be read: its connection is closed.");
        } else {
            self.session.end(WorkerEnd::DAMAGED);
        }
    }

    /// Does what has become due in the session for those around it.
    fn settle(&mut self) {
        let Effects { renamed, lost_identity, notes } = self.session.take_effects();
        if lost_identity {
            self.subscriptions.lose_identity(self.poll.registry());
        }
        if renamed {
            self.show_title();
            self.listen();
        }
        for (level, text) in notes {
            self.log(level, &text);
        }
    }

    /// Lines are read as the session wants them now.
    fn listen(&mut self) {
        let (mode, limit) = (self.session.mode(), self.session.line_limit(self.door));
        self.client.stack().speech().listen(mode, limit);
    }

    fn show_title(&self) {
        title(self.address, self.session.mode(), self.session.who()).show();
    }

    /// A line for the handler's log.
    fn log(&mut self, level: Level, text: &str) {
        let level = level as u8 + 1;
        let text = render::clean(text).into_owned();
        if self.linked().is_ok() {
            self.tell(&Request::Log(LogLine { level, text }));
        }
    }

    /// That the client gets something, for a log that is to have everything.
    fn log_output(&mut self) {
        if self.settings.log.level < Level::Debug {
            return;
        }
        let said = self.client.stack().take_copy();
        let said = String::from_utf8_lossy(&said);
        if self.session.mode() == Mode::Human {
            // A screen is one answer, whatever its lines.
            if !said.is_empty() {
                self.log(Level::Debug, &format!(" <- {}", masked_answer(&said, true)));
            }
            return;
        }
        for line in said.lines().filter(|line| !line.is_empty()) {
            self.log(Level::Debug, &format!(" <- {}", masked_answer(line, false)));
        }
    }

    /// When something is due although nothing happens.
    fn due_at(&self) -> Option<Instant> {
        let playing = self.playing.as_ref().and_then(|playing| playing.due_at(&self.settings.limits));
        let session = self.session.due_at(self.around());
        session.into_iter().chain(self.client.due_at(&self.settings.limits)).chain(playing).min()
    }

    /// Does what is due; gives whether anything was.
    fn on_due(&mut self) -> bool {
        let now = Instant::now();
        if self.due_at().is_none_or(|at| at > now) {
            return false;
        }
        if self.on_play_due(now) {
            return true;
        }
        if self.client.look_after(now, &self.settings.limits) {
            if self.client.has_vanished() && !self.plays_alone() {
                self.session.end(WorkerEnd::LOST);
            }
            return true;
        }
        let around = self.around();
        self.session.on_due(now, self.client.stack(), around);
        true
    }

    /// How the session has ended, when it has.
    pub fn how_ended(&self) -> WorkerEnd {
        self.session.how_ended(self.settings)
    }
}
