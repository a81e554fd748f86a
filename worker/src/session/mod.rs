//! One client's session: lines in, actions, answers out in order, and the time that may pass meanwhile. Runs in a
//! worker.

mod answers;
mod channels;
mod failures;
mod lines;
mod lists;
mod moving;
mod resume;
mod silence;
mod vanished;

use crate::client::{Client, Sent};
use crate::commands::{Parsed, masked_answer, no_mode, without_passes};
use crate::given::{Given, title};
use crate::input::{Input, Reader};
use crate::link::Link;
use crate::queue::Queue;
use crate::render::{self, human, json};
use crate::sent::Unanswered;
use crate::strangers::{Beginning, Protocol};
use crate::subscriptions::{FIRST_RING, Subscriptions};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::sys::signal::Signal;
use ssmglobal_config::{Door, DoorMode, Level, Settings};
use ssmglobal_ipc::{Code, Event, Failure, List, LogLine, Mode, Notice, Request, State, Ticket};
use ssmglobal_sys::Signals;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};
use vanished::Contact;
use zeroize::Zeroize;

const CLIENT: Token = Token(0);
const SIGNALS: Token = Token(1);
const LINK: Token = Token(2);
const DESK: Token = Token(3);
const MOVES: Token = Token(4);
const LIFELINE: Token = Token(5);

/// What a client is told that waits for long.
const DELAYED: &str = "This takes longer than usual. Nothing is lost; the answer will come.";

/// The session.
pub struct Session<'a> {
    door: &'a Door,
    settings: &'a Settings,
    desk: BorrowedFd<'a>,
    moves: BorrowedFd<'a>,
    address: IpAddr,
    poll: Poll,
    signals: &'a Signals,
    client: Client,
    reader: Reader,
    /// Read and not looked at yet, while the client has to wait.
    rest: Vec<u8>,
    mode: Mode,
    state: State,
    who: String,
    link: Option<Link>,
    /// The link is one that another worker has made: the handler may not know whose it is now.
    inherited: bool,
    desk_watched: bool,
    /// There was no room to hand the client over.
    moves_watched: bool,
    /// A worker of another program is to go on with the client, as soon as nothing is on its way.
    moving: bool,
    session: u64,
    /// Asked and not answered; asked again on the next link.
    sent: Unanswered,
    ticket: Option<Ticket>,
    /// The number of the last push.
    heard: u64,
    /// How this session speaks as far as the handler has confirmed it.
    mode_there: Mode,
    /// What the client listens to.
    subscriptions: Subscriptions,
    /// The channel of each RELAY JOIN that the client knows nothing of, by its number: to go on after a link was lost.
    rejoins: Vec<(u64, String)>,
    /// Lists whose rings were asked for.
    rings: Vec<(u64, List)>,
    /// Since when there is no handler.
    lost: Option<Instant>,
    /// When the client was told that it takes long.
    delayed: Option<Instant>,
    queue: Queue,
    /// A request after whose answer this session may be somebody else: what comes behind it waits.
    barrier: Option<u64>,
    /// The channel of each fetch that is open, by its number.
    fetches: Vec<(u64, String)>,
    /// A command whose secrets a person is being asked for.
    asking: Option<Parsed<'static>>,
    /// The last thing that went out is a prompt.
    prompted: bool,
    /// Logins that have failed on this connection.
    failures: u32,
    /// What the client began with, at a door where that is not to be a mode; until its first line is known.
    beginning: Option<Beginning>,
    /// It speaks something else altogether, and is sent away.
    stranger: Option<Protocol>,
    last_line: Instant,
    /// When it last had time given: by a sign of life, or a question for one. Who has to choose a mode, or to prove who he is,
    /// has it from the beginning of that on.
    alive: Instant,
    /// It has said STAY.
    stays: bool,
    /// When it was last told that its silence is about to end the connection.
    told: Option<Instant>,
    contact: Contact,
    /// Goes when everything asked before was answered.
    quitting: bool,
    /// Goes when what waits is written.
    ending: bool,
}

impl<'a> Session<'a> {
    /// Takes over the client, which was accepted at `begun`; gives back the room for events.
    ///
    /// # Errors
    /// The kernel's.
    pub fn start(given: Given<'a>, begun: Instant) -> (io::Result<Session<'a>>, &'a mut Events) {
        let (mut session, events) = Session::prepare(given, begun);
        if let Ok(session) = &mut session
            && session.mode == Mode::Human
        {
            session.reader.offer(&mut session.client.out);
            session.welcome();
        }
        (session, events)
    }

    /// Gets everything ready, and says nothing yet.
    fn prepare(given: Given<'a>, begun: Instant) -> (io::Result<Session<'a>>, &'a mut Events) {
        let Given {
            client,
            address,
            session,
            rendezvous: desk,
            moves,
            lifeline,
            signals,
            mode,
            moved: _,
            door,
            settings,
            events,
        } = given;
        let registered = || -> io::Result<(Poll, Client)> {
            let poll = Poll::new()?;
            let mut client = Client::new(client, settings.limits.queue);
            poll.registry().register(&mut client.stream, CLIENT, Interest::READABLE)?;
            poll.registry().register(&mut SourceFd(&signals.as_raw_fd()), SIGNALS, Interest::READABLE)?;
            poll.registry().register(&mut SourceFd(&lifeline.as_raw_fd()), LIFELINE, Interest::READABLE)?;
            Ok((poll, client))
        };
        let (poll, client) = match registered() {
            Ok(registered) => registered,
            Err(error) => return (Err(error), events),
        };
        let session = Session {
            door,
            settings,
            desk,
            moves,
            address: address.ip().to_canonical(),
            poll,
            signals,
            client,
            reader: Reader::new(mode, door.line),
            rest: Vec::new(),
            mode,
            state: state_of(mode),
            who: String::new(),
            link: None,
            inherited: false,
            desk_watched: false,
            moves_watched: false,
            moving: false,
            session,
            sent: Unanswered::default(),
            ticket: None,
            heard: 0,
            mode_there: mode,
            subscriptions: Subscriptions::default(),
            rejoins: Vec::new(),
            rings: Vec::new(),
            lost: None,
            delayed: None,
            queue: Queue::default(),
            barrier: None,
            fetches: Vec::new(),
            asking: None,
            prompted: false,
            failures: 0,
            beginning: (door.mode != DoorMode::Ask).then(Beginning::default),
            stranger: None,
            last_line: begun,
            alive: begun,
            stays: false,
            told: None,
            contact: Contact::default(),
            quitting: false,
            ending: false,
        };
        (Ok(session), events)
    }

    /// Serves until the client goes.
    ///
    /// # Errors
    /// The kernel's, from waiting for events.
    pub fn serve(&mut self, events: &mut Events) -> io::Result<()> {
        loop {
            self.take_input();
            self.log_output();
            self.flush_link();
            let sent = self.client.flush(self.poll.registry(), CLIENT);
            if std::mem::take(&mut self.client.wrote) {
                self.has_written();
            }
            match sent {
                Sent::All if self.ending || (self.quitting && self.queue.is_empty()) => {
                    self.client.pass_over_rest();
                    return Ok(());
                }
                Sent::All if self.subscriptions.waits => {
                    self.read_rings();
                    continue;
                }
                // What was too much is gone: further lines may be taken.
                Sent::All if self.may_take() && (self.client.readable || !self.rest.is_empty()) => continue,
                Sent::All | Sent::Some => {}
                Sent::TooMuch => {
                    self.log(Level::Warn, " is dropped: it does not read what it gets.");
                    self.flush_link();
                    return Ok(());
                }
                Sent::Gone => return Ok(()),
            }
            if self.client.closed && self.rest.is_empty() && self.queue.is_empty() {
                return Ok(());
            }
            if self.move_on() {
                return Ok(());
            }
            let timeout = self.deadline().map(|at| at.saturating_duration_since(Instant::now()));
            match self.poll.poll(events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            if events.is_empty() && self.out_of_time() {
                continue;
            }
            for event in &*events {
                if !self.heard_of(event)? {
                    return Ok(());
                }
            }
        }
    }

    /// Something has happened; gives whether the client may still be there.
    fn heard_of(&mut self, event: &mio::event::Event) -> io::Result<bool> {
        match event.token() {
            CLIENT => {
                self.client.readable |= event.is_readable();
                self.client.ended |= event.is_read_closed();
                // Seen by reading to the end; a reset has nothing left to read.
                return Ok(!event.is_error());
            }
            SIGNALS => {
                // SIGINT and SIGHUP go to the whole terminal; the listener decides what they mean.
                while let Some(signal) = self.signals.next_signal()? {
                    match signal {
                        Signal::SIGTERM => self.goodbye(),
                        // The handler has something to say to this client.
                        Signal::SIGUSR1 => self.woken(),
                        // Another program goes on with its clients.
                        Signal::SIGUSR2 => self.moving = true,
                        _ => {}
                    }
                }
            }
            MOVES => self.leave_moves(),
            LINK => self.read_link(event.is_read_closed()),
            DESK => self.hand_over(),
            // Said once: the events are of changes.
            LIFELINE => self.left_alone(),
            token if token.0 >= FIRST_RING => self.read_ring(token),
            _ => {}
        }
        Ok(true)
    }

    fn may_take(&self) -> bool {
        !(self.ending || self.quitting)
            && self.barrier.is_none()
            && self.queue.len() < self.settings.limits.ahead
            && !self.client.is_slow()
            && !self.link.as_ref().is_some_and(Link::is_slow)
    }

    /// Reads and works on lines, as long as the client may ask for more.
    fn take_input(&mut self) {
        let mut line = String::new();
        while self.may_take() {
            if self.rest.is_empty() {
                if !self.client.readable {
                    break;
                }
                let mut buffer = self.client.take_buffer();
                let count = self.client.read(&mut buffer);
                self.look_at_beginning(buffer.get(..count).unwrap_or_default());
                let used = self.work_on(buffer.get(..count).unwrap_or_default(), &mut line);
                self.rest.extend_from_slice(buffer.get(used..count).unwrap_or_default());
                self.client.put_back(buffer);
            } else {
                let rest = std::mem::take(&mut self.rest);
                let used = self.work_on(&rest, &mut line);
                self.rest.extend_from_slice(rest.get(used..).unwrap_or_default());
            }
        }
        line.zeroize();
    }

    /// Works on lines; gives how many bytes were used.
    fn work_on(&mut self, bytes: &[u8], line: &mut String) -> usize {
        let mut left = bytes;
        while self.may_take() {
            let Some(input) = self.reader.next_input(&mut left, line, &mut self.client.out) else { break };
            self.count_as_life(input);
            match input {
                Input::Line => self.on_line(line),
                Input::TooLong => {
                    let msg = format!("That line was too long: at most {} bytes.", self.line_limit());
                    self.on_unread_line(&Failure::new(Code::TooLong, msg));
                }
                Input::NotUtf8 => self.on_unread_line(&Failure::new(Code::Invalid, "That line was not UTF-8.")),
                Input::Alive => {}
            }
        }
        bytes.len() - left.len()
    }

    /// Something has come: what it means for the time that the client has.
    fn count_as_life(&mut self, input: Input) {
        let now = Instant::now();
        if input != Input::Alive {
            self.last_line = now;
        }
        if !matches!(self.state, State::New | State::Unproved) {
            self.alive = now;
        }
    }

    fn line_limit(&self) -> usize {
        if self.state == State::Server { self.door.server_line } else { self.door.line }
    }

    fn become_nobody(&mut self) {
        self.state = state_of(self.mode);
        self.alive = Instant::now();
        self.who.clear();
        self.subscriptions.lose_identity(self.poll.registry());
        self.reader.set_limit(self.door.line);
        self.show_title();
    }

    fn show_title(&self) {
        title(self.address, self.mode, &self.who).show();
    }

    fn goodbye(&mut self) {
        // Both the supervisor and the listener may say so.
        if std::mem::replace(&mut self.ending, true) {
            return;
        }
        self.show_event(&Event::Close(Notice { msg: self.settings.texts.goodbye.clone() }));
    }

    /// A line for the handler's log.
    fn log(&mut self, level: Level, text: &str) {
        let level = level as u8 + 1;
        let text = render::clean(text).into_owned();
        if self.linked().is_ok() {
            self.tell(&Request::Log(LogLine { level, text }));
        }
    }

    /// What the client gets, for a log that is to have everything. Answers hold no secrets but those that a client has mistyped.
    fn log_output(&mut self) {
        if self.settings.log.level < Level::Debug {
            return;
        }
        let text = self.client.not_logged();
        for line in text.lines().filter(|line| !line.is_empty()) {
            self.log(Level::Debug, &format!(" <- {}", without_passes(&masked_answer(line))));
        }
    }

    /// When something is due although nothing happens.
    fn deadline(&self) -> Option<Instant> {
        self.silence_ends().into_iter().chain(self.delay_ends()).chain(self.contact_at()).min()
    }

    /// When the client is to be told that it takes long.
    fn delay_ends(&self) -> Option<Instant> {
        let seconds = self.settings.limits.delay_notice_seconds;
        let waits = self.sent.since().into_iter().chain(self.lost).min()?;
        (seconds > 0 && self.delayed.is_none() && !self.ending).then(|| waits + Duration::from_secs(seconds))
    }

    /// When the client has said nothing for too long.
    fn silence_ends(&self) -> Option<Instant> {
        let after = |from: Instant, seconds: u64| (seconds > 0).then(|| from + Duration::from_secs(seconds));
        let limits = &self.settings.limits;
        let owed = !self.queue.is_empty();
        match self.state {
            State::New => after(self.alive, limits.first_mode_seconds),
            // What it has said is being looked at.
            State::Unproved | State::Anonymous | State::Player if owed => None,
            State::Unproved => after(self.alive, limits.first_mode_seconds),
            State::Anonymous | State::Player => {
                self.short_silence_ends().or_else(|| after(self.alive, self.door.idle_seconds))
            }
            State::Server => {
                let ping = after(self.alive, limits.server_ping_seconds);
                ping.into_iter().chain(after(self.last_line, limits.server_drop_seconds)).min()
            }
        }
    }

    /// Does what is due; gives whether anything was.
    fn out_of_time(&mut self) -> bool {
        let now = Instant::now();
        if self.deadline().is_none_or(|at| at > now) {
            return false;
        }
        if self.look_after(now) {
            return true;
        }
        if self.delay_ends().is_some_and(|at| at <= now) {
            self.delayed = Some(now);
            self.show_event(&Event::Notice(Notice { msg: DELAYED.to_owned() }));
            return true;
        }
        let seconds_since = |from: Instant| now.saturating_duration_since(from).as_secs();
        if self.state == State::Server && seconds_since(self.last_line) < self.settings.limits.server_drop_seconds {
            self.alive = now;
            self.client.out.extend_from_slice(b"{\"event\": \"ping\"}\r\n");
            return true;
        }
        if self.tell_of_end(now) {
            return true;
        }
        self.ending = true;
        let msg = match self.state {
            State::New => {
                json::failure(&mut self.client.out, None, &no_mode());
                return true;
            }
            State::Unproved => format!("AUTH did not succeed within {} seconds", seconds_since(self.alive)),
            State::Anonymous | State::Player => format!("No whole line came for {} seconds", seconds_since(self.alive)),
            State::Server => format!("No whole line came for {} seconds", seconds_since(self.last_line)),
        };
        self.show_event(&Event::Notice(Notice { msg: format!("{msg}; the connection is closed.") }));
        true
    }
}

fn state_of(mode: Mode) -> State {
    match mode {
        Mode::Ask => State::New,
        Mode::Human | Mode::Client => State::Anonymous,
        Mode::Server => State::Unproved,
    }
}

fn prompt(out: &mut Vec<u8>, reader: &Reader) {
    out.extend_from_slice(human::PROMPT.as_bytes());
    reader.prompt_end(out);
}
