//! One client's session: lines in, actions, answers out in order, and the time that may pass meanwhile. Runs in a
//! worker.

use crate::Given;
use crate::client::{Client, Sent};
use crate::commands::{self, Action, Command, Local, ModeChoice, Parsed, State, permitted};
use crate::input::{Input, Reader};
use crate::link::{Came, Link};
use crate::queue::{Queue, Waiting};
use crate::relay::{FIRST_RING, Relay};
use crate::render::{self, human, json};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::sys::signal::Signal;
use ssmglobal_config::{Door, Level, Settings};
use ssmglobal_ipc::frame::Class;
use ssmglobal_ipc::{Code, Event, Failure, LogLine, Mode, Notice, Reply, Request, SetMode};
use ssmglobal_sys::{Signals, Title};
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};
use zeroize::Zeroize;

const CLIENT: Token = Token(0);
const SIGNALS: Token = Token(1);
const LINK: Token = Token(2);
const DESK: Token = Token(3);

/// The session.
pub struct Session<'a> {
    door: &'a Door,
    settings: &'a Settings,
    desk: BorrowedFd<'a>,
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
    desk_watched: bool,
    session: u64,
    queue: Queue,
    /// A request after whose answer this session may be somebody else: what comes behind it waits.
    barrier: Option<u64>,
    /// Since when each RELAY JOIN that is open wants its messages.
    joins: VecDeque<Option<u64>>,
    /// The channel of each fetch that is open, by its number.
    fetches: Vec<(u64, String)>,
    relay: Relay,
    /// A command whose secrets a person is being asked for.
    asking: Option<Parsed<'static>>,
    /// The last thing that went out is a prompt.
    prompted: bool,
    last_line: Instant,
    pinged: Instant,
    ending: bool,
}

impl<'a> Session<'a> {
    /// Takes over the client, which was accepted at `begun`; gives back the room for events.
    ///
    /// # Errors
    /// The kernel's.
    pub fn start(given: Given<'a>, begun: Instant) -> (io::Result<Session<'a>>, &'a mut Events) {
        let Given { client, address, desk, signals, mode, door, settings, events } = given;
        let registered = || -> io::Result<(Poll, Client)> {
            let poll = Poll::new()?;
            let mut client = Client::new(client, settings.limits.queue);
            poll.registry().register(&mut client.stream, CLIENT, Interest::READABLE)?;
            poll.registry().register(&mut SourceFd(&signals.as_raw_fd()), SIGNALS, Interest::READABLE)?;
            Ok((poll, client))
        };
        let (poll, client) = match registered() {
            Ok(registered) => registered,
            Err(error) => return (Err(error), events),
        };
        let mut session = Session {
            door,
            settings,
            desk,
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
            desk_watched: false,
            session: 0,
            queue: Queue::default(),
            barrier: None,
            joins: VecDeque::new(),
            fetches: Vec::new(),
            relay: Relay::default(),
            asking: None,
            prompted: false,
            last_line: begun,
            pinged: begun,
            ending: false,
        };
        if mode == Mode::Human {
            session.reader.offer(&mut session.client.out);
            session.welcome();
        }
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
            match self.client.flush(self.poll.registry(), CLIENT) {
                Sent::All if self.ending => return Ok(()),
                Sent::All if self.relay.waits => {
                    self.relay.read_all(self.session, &mut self.client.out);
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
            let timeout = self.deadline().map(|at| at.saturating_duration_since(Instant::now()));
            match self.poll.poll(events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            if events.is_empty() && self.out_of_time() {
                continue;
            }
            for event in &*events {
                match event.token() {
                    CLIENT => {
                        self.client.readable |= event.is_readable();
                        // Seen by reading to the end; a reset has nothing left to read.
                        if event.is_error() {
                            return Ok(());
                        }
                    }
                    SIGNALS => {
                        // SIGINT and SIGHUP go to the whole terminal; the listener decides what they mean.
                        while let Some(signal) = self.signals.next_signal()? {
                            if signal == Signal::SIGTERM {
                                self.goodbye();
                            }
                        }
                    }
                    LINK => self.read_link(),
                    DESK => self.hand_over(),
                    token if token.0 >= FIRST_RING => self.read_ring(token),
                    _ => {}
                }
            }
        }
    }

    fn may_take(&self) -> bool {
        !self.ending
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
            self.last_line = Instant::now();
            self.pinged = self.last_line;
            match input {
                Input::Line => self.on_line(line),
                Input::TooLong => {
                    let msg = format!("That line was too long: at most {} bytes.", self.line_limit());
                    self.refuse(None, &Failure::new(Code::TooLong, msg));
                }
                Input::NotUtf8 => self.refuse(None, &Failure::new(Code::Invalid, "That line was not UTF-8.")),
            }
        }
        bytes.len() - left.len()
    }

    fn line_limit(&self) -> usize {
        if self.state == State::Server { self.door.server_line } else { self.door.line }
    }

    fn on_line(&mut self, line: &str) {
        if self.asking.is_some() {
            return self.on_secret(line);
        }
        self.prompted = false;
        if self.settings.log.level >= Level::Debug {
            let shown = commands::masked(line).into_owned();
            self.log(Level::Debug, &format!(" -> {shown}"));
        }
        if line.trim().is_empty() {
            if self.mode == Mode::Human {
                self.prompt_in_turn();
            }
            return;
        }
        match self.mode {
            Mode::Ask => {
                let read = commands::parse_first(line);
                let parsed = read.parsed.and_then(Parsed::action);
                match parsed {
                    Ok(Action::Local(local)) => self.do_local(&local, read.id),
                    Ok(Action::Request(_)) => self.refuse(read.id, &commands::no_mode()),
                    Err(failure) => {
                        self.refuse(read.id, &failure);
                        self.ending = true;
                    }
                }
            }
            Mode::Human => match commands::parse_words(line, self.state) {
                Ok(parsed) => self.go_on(parsed, None),
                Err(failure) => self.refuse(None, &failure),
            },
            Mode::Client | Mode::Server => {
                let read = commands::parse_json(line);
                match read.parsed {
                    Ok(parsed) => self.go_on(parsed, read.id),
                    Err(failure) => self.refuse(read.id, &failure),
                }
            }
        }
    }

    /// A command is known: may it be, is anything missing that a person is asked for, and do it.
    fn go_on(&mut self, parsed: Parsed<'_>, id: Option<&str>) {
        if let Err(failure) = permitted(parsed.command, self.state) {
            return self.refuse(id, &failure);
        }
        if self.mode == Mode::Human && parsed.prompt().is_some() {
            self.reader.hide_input(true, &mut self.client.out);
            self.asking = Some(parsed.into_owned());
            return self.ask_secret();
        }
        self.perform(parsed, id);
    }

    fn perform(&mut self, parsed: Parsed<'_>, id: Option<&str>) {
        let command = parsed.command;
        match parsed.action() {
            Ok(Action::Local(local)) => self.do_local(&local, id),
            Ok(Action::Request(request)) => self.ask(command, &request, id),
            Err(failure) => self.refuse(id, &failure),
        }
    }

    fn ask_secret(&mut self) {
        let text = self.asking.as_ref().and_then(Parsed::prompt).unwrap_or_default();
        self.client.out.extend_from_slice(text.as_bytes());
        self.reader.prompt_end(&mut self.client.out);
    }

    /// A person has typed a password.
    fn on_secret(&mut self, line: &str) {
        let Some(mut parsed) = self.asking.take() else { return };
        self.client.out.extend_from_slice(b"\r\n");
        let answered = parsed.answer(line.to_owned());
        if answered.is_ok() && parsed.prompt().is_some() {
            self.asking = Some(parsed);
            return self.ask_secret();
        }
        self.reader.hide_input(false, &mut self.client.out);
        match answered {
            Ok(()) => self.perform(parsed, None),
            Err(failure) => self.refuse(None, &failure),
        }
    }

    /// Answers with an error, in its turn.
    fn refuse(&mut self, id: Option<&str>, failure: &Failure) {
        let (people, look, reader) = (self.mode == Mode::Human, self.reader.look(), &self.reader);
        self.queue.answer_now(&mut self.client.out, |out| {
            if people {
                human::failure(out, failure, look);
                prompt(out, reader);
            } else {
                json::failure(out, id, failure);
            }
        });
        self.prompted = people;
    }

    fn prompt_in_turn(&mut self) {
        let reader = &self.reader;
        self.queue.answer_now(&mut self.client.out, |out| prompt(out, reader));
        self.prompted = true;
    }

    fn do_local(&mut self, local: &Local, id: Option<&str>) {
        match local {
            Local::Quit => {
                self.ending = true;
                return;
            }
            Local::Mode(ModeChoice::Set(mode)) => return self.set_mode(*mode, id),
            _ => {}
        }
        let (people, state, look) = (self.mode == Mode::Human, self.state, self.reader.look());
        let reader = &self.reader;
        self.queue.answer_now(&mut self.client.out, |out| {
            if people {
                human::local(out, local, state, look);
                prompt(out, reader);
            } else {
                json::local(out, id, local, state);
            }
        });
        self.prompted = people;
    }

    fn welcome(&mut self) {
        human::text(&mut self.client.out, &self.door.welcome, self.reader.look());
        prompt(&mut self.client.out, &self.reader);
        self.prompted = true;
    }

    fn set_mode(&mut self, mode: Mode, id: Option<&str>) {
        let was_server = self.mode == Mode::Server;
        let is_server = mode == Mode::Server;
        self.mode = mode;
        if self.state == State::NoMode || was_server != is_server {
            self.become_nobody();
        }
        self.reader.set_mode(mode);
        self.show_title();
        if let Some(link) = &mut self.link {
            let number = link.ask(&Request::SetMode(SetMode { mode }));
            self.barrier = Some(number);
        }
        if mode == Mode::Human {
            let (welcome, look, reader) = (&self.door.welcome, self.reader.look(), &self.reader);
            self.queue.answer_now(&mut self.client.out, |out| {
                human::text(out, welcome, look);
                prompt(out, reader);
            });
            self.prompted = true;
        } else {
            let local = Local::Mode(ModeChoice::Set(mode));
            let state = self.state;
            self.queue.answer_now(&mut self.client.out, |out| json::local(out, id, &local, state));
        }
    }

    fn become_nobody(&mut self) {
        self.state = state_of(self.mode);
        self.who.clear();
        self.relay.leave_all(self.poll.registry());
        self.reader.set_limit(self.door.line);
        self.show_title();
    }

    fn show_title(&self) {
        show_title(self.address, self.mode, &self.who);
    }

    /// Asks the handler.
    fn ask(&mut self, command: &'static Command, request: &Request, id: Option<&str>) {
        let Some(link) = self.linked() else {
            let failure =
                Failure::new(Code::Unavailable, "The backend cannot be reached at the moment. Try again later.");
            return self.refuse(id, &failure);
        };
        let number = link.ask(request);
        match request {
            Request::RelayJoin(join) => self.joins.push_back(join.since),
            Request::Register(_) | Request::Login(_) | Request::Logout | Request::Auth(_) => {
                self.barrier = Some(number)
            }
            Request::RelayLeave(leave) => self.relay.leave(&leave.channel, self.poll.registry()),
            _ => {}
        }
        self.queue.ask(Waiting { number, command, id: id.map(Into::into) });
    }

    /// The link, made now if there was none.
    fn linked(&mut self) -> Option<&mut Link> {
        if self.link.is_none() {
            self.link = Link::open(self.desk, self.mode, self.poll.registry(), LINK).ok();
            self.watch_desk();
        }
        self.link.as_mut()
    }

    /// The front desk had no room: waits for it.
    fn watch_desk(&mut self) {
        if !self.desk_watched && self.link.as_ref().is_some_and(Link::waits_for_desk) {
            let mut desk = SourceFd(&self.desk.as_raw_fd());
            self.desk_watched = self.poll.registry().register(&mut desk, DESK, Interest::WRITABLE).is_ok();
        }
    }

    fn hand_over(&mut self) {
        if let Some(link) = &mut self.link
            && link.hand_over(self.desk).is_err()
        {
            self.link_lost();
        }
    }

    fn flush_link(&mut self) {
        if let Some(link) = &mut self.link
            && link.flush(self.poll.registry(), LINK).is_err()
        {
            self.link_lost();
        }
    }

    /// The handler is gone. What it has not answered is not known to be done.
    fn link_lost(&mut self) {
        let Some(link) = self.link.take() else { return };
        link.close(self.poll.registry());
        let msg = "The backend was restarted before it answered. Look whether it was done, then try again.";
        for number in self.queue.numbers() {
            self.answer(number, &Reply::fail(Code::Unavailable, msg));
        }
        self.barrier = None;
        self.joins.clear();
        self.fetches.clear();
        if matches!(self.state, State::Player | State::Server) {
            self.become_nobody();
            let again = if self.mode == Mode::Server { "AUTH" } else { "LOGIN" };
            let msg = format!("The backend was restarted; everything is saved. Please {again} again.");
            self.show_event(&Event::Notice(Notice { msg }));
        }
    }

    fn read_link(&mut self) {
        loop {
            let Some(link) = &mut self.link else { return };
            let came = link.fill();
            if self.frames().is_err() || came == Came::Gone {
                return self.link_lost();
            }
            if came == Came::Nothing {
                return;
            }
        }
    }

    fn frames(&mut self) -> Result<(), ssmglobal_ipc::frame::DecodeError> {
        loop {
            let Some(link) = &mut self.link else { return Ok(()) };
            let Some(frame) = link.reader.next_frame()? else { return Ok(()) };
            match frame.class {
                Class::Reply => {
                    let (number, reply) = (frame.number, frame.reply()?);
                    self.on_reply(number, &reply);
                }
                Class::Event => {
                    let event = frame.event()?;
                    self.on_event(&event);
                }
                Class::Request | Class::Control => {}
            }
        }
    }

    fn on_reply(&mut self, number: u64, reply: &Reply) {
        if self.barrier == Some(number) {
            self.barrier = None;
        }
        match reply {
            Reply::Welcome(welcome) => self.session = welcome.session,
            Reply::LoggedIn(login) => self.become_somebody(State::Player, &login.player),
            Reply::Authed(authed) => {
                self.become_somebody(State::Server, &authed.server);
                self.reader.set_limit(self.door.server_line);
            }
            Reply::Done(_) if self.queue.find(number).is_some_and(|waiting| waiting.command.name == "LOGOUT") => {
                self.become_nobody();
            }
            Reply::RelayFetched(fetched) => return self.on_fetched(number, fetched),
            _ => {}
        }
        let join = self.queue.find(number).is_some_and(|waiting| waiting.command.name == "RELAY JOIN");
        self.answer(number, reply);
        if join {
            self.on_joined(reply);
        }
    }

    fn become_somebody(&mut self, state: State, name: &str) {
        self.state = state;
        name.clone_into(&mut self.who);
        self.show_title();
    }

    /// Shows the answer to a question, in its turn.
    fn answer(&mut self, number: u64, reply: &Reply) {
        let (people, look, reader) = (self.mode == Mode::Human, self.reader.look(), &self.reader);
        self.queue.answer(number, &mut self.client.out, |out, waiting| {
            if people {
                human::reply(out, Some(waiting.command), reply, look);
                prompt(out, reader);
            } else {
                json::reply(out, waiting.id.as_deref(), Some(waiting.command), reply);
            }
        });
        self.prompted = people;
    }

    fn on_joined(&mut self, reply: &Reply) {
        let since = self.joins.pop_front().flatten();
        let Some(link) = &mut self.link else { return };
        link.joins = link.joins.saturating_sub(1);
        let Reply::RelayJoined(joined) = reply else { return };
        let fds = link.fds.pop_front().zip(link.fds.pop_front());
        let fetch = match fds.map(|fds| self.relay.join(joined, since, fds, self.poll.registry())) {
            Some(Ok(fetch)) => fetch,
            _ => {
                let msg = format!("Messages on {} cannot be received; RELAY LEAVE it and try again.", joined.channel);
                return self.show_event(&Event::Notice(Notice { msg }));
            }
        };
        self.fetch(fetch);
        self.relay.read_all(self.session, &mut self.client.out);
    }

    fn fetch(&mut self, fetch: Option<ssmglobal_ipc::RelayFetch>) {
        if let Some((link, fetch)) = self.link.as_mut().zip(fetch) {
            let channel = fetch.channel.clone();
            let number = link.ask(&Request::RelayFetch(fetch));
            self.fetches.push((number, channel));
        }
    }

    fn on_fetched(&mut self, number: u64, fetched: &ssmglobal_ipc::RelayFetched) {
        let Some(index) = self.fetches.iter().position(|(other, _)| *other == number) else { return };
        let (_, channel) = self.fetches.swap_remove(index);
        let next = self.relay.fetched(&channel, fetched, &mut self.client.out);
        let done = next.is_none();
        self.fetch(next);
        if done {
            self.relay.read_all(self.session, &mut self.client.out);
        }
    }

    fn read_ring(&mut self, token: Token) {
        if self.client.is_slow() {
            self.relay.waits = true;
        } else {
            self.relay.read(token, self.session, &mut self.client.out);
        }
    }

    fn on_event(&mut self, event: &Event) {
        self.show_event(event);
        match event {
            Event::Close(_) => self.ending = true,
            Event::LoggedOut(_) => self.become_nobody(),
            _ => {}
        }
    }

    /// Shows a push; a person's prompt comes again behind it.
    fn show_event(&mut self, event: &Event) {
        let out = &mut self.client.out;
        match self.mode {
            Mode::Human => {
                if self.prompted || self.asking.is_some() {
                    out.extend_from_slice(b"\r\n");
                }
                human::event(out, event, self.reader.look());
                match &self.asking {
                    Some(_) => self.ask_secret(),
                    None if self.queue.is_empty() => {
                        prompt(out, &self.reader);
                        self.prompted = true;
                    }
                    None => {}
                }
            }
            Mode::Ask => {}
            Mode::Client | Mode::Server => json::event(out, event),
        }
    }

    fn goodbye(&mut self) {
        self.ending = true;
        let notice = Event::Notice(Notice { msg: self.settings.texts.goodbye.clone() });
        match self.mode {
            Mode::Ask => json::event(&mut self.client.out, &notice),
            _ => self.show_event(&notice),
        }
    }

    /// A line for the handler's log.
    fn log(&mut self, level: Level, text: &str) {
        let level = level as u8 + 1;
        let text = render::clean(text).into_owned();
        if let Some(link) = self.linked() {
            link.ask(&Request::Log(LogLine { level, text }));
        }
    }

    /// What the client gets, for a log that is to have everything. No answer ever holds a secret.
    fn log_output(&mut self) {
        if self.settings.log.level < Level::Debug {
            return;
        }
        let text = self.client.not_logged();
        for line in text.lines().filter(|line| !line.is_empty()) {
            self.log(Level::Debug, &format!(" <- {line}"));
        }
    }

    /// When something is due although nothing happens.
    fn deadline(&self) -> Option<Instant> {
        let after = |from: Instant, seconds: u64| (seconds > 0).then(|| from + Duration::from_secs(seconds));
        let limits = &self.settings.limits;
        match self.state {
            State::NoMode | State::ServerUnproved => after(self.last_line, limits.first_mode_seconds),
            State::Anonymous | State::Player if self.queue.is_empty() => after(self.last_line, self.door.idle_seconds),
            State::Anonymous | State::Player => None,
            State::Server => {
                let ping = after(self.pinged, limits.server_ping_seconds);
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
        let silent = now.saturating_duration_since(self.last_line);
        if self.state == State::Server && silent < Duration::from_secs(self.settings.limits.server_drop_seconds) {
            self.pinged = now;
            self.client.out.extend_from_slice(b"{\"event\": \"ping\"}\r\n");
            return true;
        }
        self.ending = true;
        let msg = format!("Nothing came for {} seconds; the connection is closed.", silent.as_secs());
        match self.mode {
            Mode::Ask => json::failure(&mut self.client.out, None, &Failure::new(Code::NoMode, "No mode set.")),
            _ => self.show_event(&Event::Notice(Notice { msg })),
        }
        true
    }
}

/// What `ps` shows of this worker.
pub fn show_title(address: IpAddr, mode: Mode, who: &str) {
    let blank = if who.is_empty() { "" } else { " " };
    Title::set(format_args!("ssmglobal: worker {address} {}{blank}{who}", mode.as_str()));
}

fn state_of(mode: Mode) -> State {
    match mode {
        Mode::Ask => State::NoMode,
        Mode::Human | Mode::Client => State::Anonymous,
        Mode::Server => State::ServerUnproved,
    }
}

fn prompt(out: &mut Vec<u8>, reader: &Reader) {
    out.extend_from_slice(human::PROMPT.as_bytes());
    reader.prompt_end(out);
}
