//! The listener's part, played by a test: it starts a handler of its own, says which workers there are, and is as many of
//! them as it likes. What they send is the test's affair.

use super::{PATIENCE, Process, Running, program, run};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use serde_json::Value;
use ssmglobal_config::Settings;
use ssmglobal_ipc::control::{Client, ToHandler, ToListener};
use ssmglobal_ipc::frame::{Class, FrameReader, put_change, put_control, put_request};
use ssmglobal_ipc::{Carried, Event, Mode, Open, Register, Reply, ReplyKind, Request, Secret, Ticket, Time, WorldKey};
use ssmglobal_sys::{memory, send_with, seqpacket_pair};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A listener without doors.
pub struct Listener {
    _dir: TempDir,
    settings: Settings,
    rendezvous_sender: OwnedFd,
    rendezvous_receiver: OwnedFd,
    journal: OwnedFd,
    control: UnixStream,
    /// The handler.
    pub handler: Running,
    clients: Vec<Client>,
    sessions: u64,
}

impl Listener {
    /// Starts a handler and waits until it serves.
    pub fn start() -> Listener {
        Listener::start_with(|_| {})
    }

    /// As [`Listener::start`], with other settings.
    pub fn start_with(change: impl FnOnce(&mut Settings)) -> Listener {
        let dir = TempDir::new().expect("a temporary directory");
        let mut settings = Settings { data: dir.path().join("data"), ..Settings::default() };
        (settings.players.hash_memory_kib, settings.players.hash_passes) = (64, 1);
        let players = &mut settings.players;
        (players.registrations_per_address, players.registrations_per_network) = (0, 0);
        players.registrations_altogether = 0;
        players.identity = ssmglobal_config::Identity::Many;
        change(&mut settings);
        let (rendezvous_sender, rendezvous_receiver) = seqpacket_pair().expect("a pair");
        ssmglobal_sys::pass_credentials(&rendezvous_receiver).expect("a socket");
        let journal = memory::make("journal").expect("memory");
        let (handler, control) = start_handler(&rendezvous_receiver, &journal, &settings, &[]);
        Listener {
            _dir: dir,
            settings,
            rendezvous_sender,
            rendezvous_receiver,
            journal,
            control,
            handler,
            clients: Vec::new(),
            sessions: 0,
        }
    }

    /// Kills the handler and starts the next one.
    pub fn next_handler(&mut self) {
        self.kill_handler();
        self.start_handler();
    }

    /// Kills the handler.
    pub fn kill_handler(&mut self) {
        self.handler.signal(Signal::SIGKILL);
        self.handler.wait();
    }

    /// Holds the handler: it does nothing any more, and is not dead.
    pub fn hold_handler(&self) {
        self.handler.signal(Signal::SIGSTOP);
        waitpid(self.handler.pid(), Some(WaitPidFlag::WUNTRACED)).expect("it stops");
    }

    /// Starts the next handler beside the one that is held, as where a process takes long to die; gives that one. The next one's
    /// patience with those who are not back begins when it is dead.
    pub fn next_handler_beside(&mut self) -> Running {
        // Of a process that dies the database is free before the process is gone.
        std::fs::remove_file(self.settings.data.join("ssmglobal.db.lock")).expect("the lock");
        let (next, control) = start_handler(&self.rendezvous_receiver, &self.journal, &self.settings, &self.clients);
        self.control = control;
        std::mem::replace(&mut self.handler, next)
    }

    /// All that the handlers have left in the journal so far; none lives that writes to it.
    pub fn left(&self) -> Left {
        let memory = memory::Memory::map(&self.journal, JOURNAL_PAGE + JOURNAL_READ).expect("memory");
        let mut bytes = vec![0; JOURNAL_PAGE + JOURNAL_READ];
        assert!(memory.read(0, &mut bytes));
        Left(bytes)
    }

    /// Leaves the next handler a journal that ends here, as if the one before it had died at that moment.
    pub fn leave(&self, left: &Left, end: u64) {
        let mut bytes = left.0.clone();
        for counter in [JOURNAL_HEAD, JOURNAL_FLUSHED] {
            let value = left.word(counter).min(end);
            bytes[counter..counter + 8].copy_from_slice(&value.to_ne_bytes());
        }
        let mut memory = memory::Memory::map(&self.journal, bytes.len()).expect("memory");
        assert!(memory.write(0, &bytes));
    }

    /// Ends the handler as it is ended with the backend.
    pub fn stop_handler(&mut self) {
        self.tell(&ToHandler::Stop);
        let status = self.handler.wait().expect("its end");
        assert!(status.success(), "{status}");
    }

    /// Starts the next handler, where the one before it has ended, and waits until it serves.
    pub fn start_handler(&mut self) {
        (self.handler, self.control) =
            start_handler(&self.rendezvous_receiver, &self.journal, &self.settings, &self.clients);
    }

    /// The settings are others from now on.
    pub fn set(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        let settings = postcard::to_stdvec(&self.settings).expect("settings");
        self.tell(&ToHandler::Reload { settings });
    }

    /// A game server is added; gives its key.
    pub fn game_server(&self, name: &str) -> Secret {
        Secret::new(self.ctl(&["server", "add", name])["key"].as_str().expect("a key"))
    }

    /// Says something to the handler.
    pub fn tell(&mut self, message: &ToHandler) {
        tell(&mut self.control, message);
    }

    /// A worker in a process of its own.
    pub fn worker(&mut self) -> Hostile {
        let (commands, theirs) = seqpacket_pair().expect("a pair");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["hostile::a_process_that_hands_links_over", "--exact", "--nocapture"]).env(HELPER, "1");
        command.stdin(self.rendezvous_sender.try_clone().expect("a descriptor")).stdout(Stdio::null()).stderr(theirs);
        let process = Running::on_terminal(&mut command);
        drop(command);
        let mut worker = Hostile { process, commands, session: 0, address: SocketAddr::from(([0; 4], 0)) };
        self.join(&mut worker);
        worker
    }

    /// A worker has a new client, as if it were another process.
    pub fn join(&mut self, worker: &mut Hostile) {
        self.end(worker);
        self.sessions += 1;
        worker.session = self.sessions;
        // Addresses of documentation; each session has its own.
        let [.., high, low] = worker.session.to_be_bytes();
        worker.address = SocketAddr::from(([198, 51, 100, low], 2000 + u16::from(high)));
        let pid = worker.process.pid().as_raw();
        let client = Client { pid, session: worker.session, door: 0, address: worker.address, at: Time::now() };
        self.clients.push(client.clone());
        let count = self.clients.len() as u32;
        self.tell(&ToHandler::Joined { client, count, max: 1000 });
        self.handler.stderr.wait(&format!("{}: Connected", worker.address));
    }

    /// Says that a worker has ended.
    pub fn end(&mut self, worker: &Hostile) {
        if worker.session == 0 {
            return;
        }
        self.clients.retain(|client| client.session != worker.session);
        let (pid, count) = (worker.process.pid().as_raw(), self.clients.len() as u32);
        self.tell(&ToHandler::Exited { pid, status: 0, count, max: 1000 });
        self.handler.stderr.wait(&format!("{}: Disconnected", worker.address));
    }

    /// `ssmglobal ctl WORDS --json`.
    pub fn ctl(&self, words: &[&str]) -> Value {
        let output = run(program().arg("--data").arg(&self.settings.data).arg("ctl").args(words).arg("--json"), b"");
        assert_eq!(output.code, 0, "ctl {words:?}: {output:?}");
        serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// The operator gives a player this password.
    pub fn set_password(&self, name: &str, password: &str) {
        let mut command = program();
        command.arg("--data").arg(&self.settings.data).args(["ctl", "player", "set-password", name]);
        let output = run(&mut command, format!("{password}\n").as_bytes());
        assert_eq!(output.code, 0, "{output:?}");
    }

    /// The handler as the kernel sees it.
    pub fn process(&self) -> Process {
        Process(self.handler.pid())
    }

    /// Waits until the log says why this worker's session has ended.
    pub fn ended(&self, worker: &Hostile, why: &str) {
        self.handler.stderr.wait(&format!("{}: the session ends: {why}", worker.address));
    }
}

/// Where the journal has what (`handler/src/state/journal/mod.rs`), and how much of it is looked at: tests are short.
const JOURNAL_PAGE: usize = 4096;
const JOURNAL_READ: usize = 1 << 20;
const JOURNAL_HEAD: usize = 8;
const JOURNAL_FLUSHED: usize = 24;

/// A journal as it was at some time.
pub struct Left(Vec<u8>);

impl Left {
    fn word(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.0[at..at + 8].try_into().expect("8 bytes"))
    }

    /// Where it ends.
    pub fn end(&self) -> u64 {
        self.word(JOURNAL_HEAD)
    }

    /// Where it has ended meanwhile, since this end: there, and behind every entry that came.
    pub fn ends_since(&self, from: u64) -> Vec<u64> {
        let behind = |end: &u64| {
            let length = self.word(JOURNAL_PAGE + usize::try_from(*end).expect("a short journal"));
            (*end < self.end()).then(|| end + 8 + length.next_multiple_of(8))
        };
        std::iter::successors(Some(from), behind).collect()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the handler wrote:\n{}---", self.handler.stderr.text());
        }
    }
}

fn tell(control: &mut UnixStream, message: &ToHandler) {
    let mut bytes = Vec::new();
    put_control(&mut bytes, message);
    control.write_all(&bytes).expect("the handler reads");
}

/// Starts a handler as the listener does, and waits until it serves.
fn start_handler(
    rendezvous_receiver: &OwnedFd,
    journal: &OwnedFd,
    settings: &Settings,
    clients: &[Client],
) -> (Running, UnixStream) {
    let (mut ours, theirs) = UnixStream::pair().expect("a pair");
    theirs.set_nonblocking(true).expect("a socket");
    // Through a shell: a descriptor that is left open for it would be open in what other tests start meanwhile as well.
    let script = "exec \"$0\" handler --rendezvous 3 --control 4 --journal 5 3<&0 4<&1 5<>\"$1\" </dev/null >/dev/null";
    let journal = format!("/proc/{}/fd/{}", std::process::id(), journal.as_raw_fd());
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(program().get_program()).arg(journal).env_remove("JOURNAL_STREAM");
    command
        .stdin(rendezvous_receiver.try_clone().expect("a descriptor"))
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::piped());
    let handler = Running::on_terminal(&mut command);
    drop(command);
    let settings = postcard::to_stdvec(settings).expect("settings");
    tell(&mut ours, &ToHandler::Reload { settings });
    tell(&mut ours, &ToHandler::Run { run: 1 });
    tell(&mut ours, &ToHandler::Clients { clients: clients.to_vec(), max: 1000 });
    ours.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut reader = FrameReader::new();
    loop {
        while let Some(frame) = reader.next_frame().expect("a frame") {
            match frame.control() {
                Ok(ToListener::Ready) => return (handler, ours),
                // What people read first comes before it.
                Ok(ToListener::Welcome { .. }) => {}
                other => panic!("{other:?}: {}", handler.stderr.text()),
            }
        }
        let came = reader.fill(|buffer| ours.read(buffer));
        assert!(matches!(came, Ok((1.., _))), "{came:?}: {}", handler.stderr.text());
    }
}

/// Tells the process that it is a worker's, and not to run tests.
const HELPER: &str = "SSMGLOBAL_TEST_HANDS_OVER";

/// The process of a hostile worker: whatever it is given it sends to the rendezvous, so that the kernel adds this process's
/// id. Its standard input is the rendezvous, its standard error the socket that it is given things over.
pub fn rendezvous_process() {
    if std::env::var_os(HELPER).is_none() {
        return;
    }
    let (rendezvous_sender, commands) = (std::io::stdin(), std::io::stderr());
    let mut bytes = [0; 4096];
    loop {
        // The end of the test is the end of this.
        let mut next = [PollFd::new(commands.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut next, PollTimeout::NONE), Ok(1));
        let received = ssmglobal_sys::receive(&commands, &mut bytes).expect("a command");
        // A command is never empty: its first byte is not passed on.
        let Some(bytes) = bytes.get(1..received.count) else { return };
        let fds: Vec<BorrowedFd<'_>> = received.fds.iter().map(AsFd::as_fd).collect();
        while let Err(error) = send_with(&rendezvous_sender, bytes, &fds) {
            assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
            wait(rendezvous_sender.as_fd(), PollFlags::POLLOUT);
        }
        send_with(&commands, b"sent", &[]).expect("the test waits");
    }
}

/// Waits until there is something to read.
pub fn wait_readable(of: impl AsFd) {
    wait(of.as_fd(), PollFlags::POLLIN);
}

fn wait(fd: BorrowedFd<'_>, flags: PollFlags) {
    let mut fds = [PollFd::new(fd, flags)];
    assert_eq!(poll(&mut fds, patience()), Ok(1), "it takes too long");
}

fn patience() -> PollTimeout {
    PollTimeout::from(u16::try_from(PATIENCE.as_millis()).expect("some seconds"))
}

/// A worker that sends what the test likes.
pub struct Hostile {
    process: Running,
    commands: OwnedFd,
    /// The session that the listener has given it.
    pub session: u64,
    /// Its client.
    pub address: SocketAddr,
}

impl Hostile {
    /// Sends this to the rendezvous, and waits until it is there.
    pub fn hand_over(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) {
        send_with(&self.commands, &[b"!", bytes].concat(), fds).expect("the process lives");
        wait(self.commands.as_fd(), PollFlags::POLLIN);
        ssmglobal_sys::receive(&self.commands, &mut [0; 8]).expect("the process lives");
    }

    /// A link that has said nothing yet.
    pub fn link(&self) -> Link {
        self.link_and_other_end().0
    }

    /// A link that has said nothing yet, and a hand on the handler's end of it.
    pub fn link_and_other_end(&self) -> (Link, UnixStream) {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        self.hand_over(b"L", &[theirs.as_fd()]);
        (Link::over(ours), theirs)
    }

    /// What it says first.
    pub fn open(&self, mode: Mode) -> Open {
        let (session, subscriptions) = (self.session, Vec::new());
        Open { session, mode, next: 1, ticket: None, last_push: 0, idle: 0, subscriptions }
    }

    /// A link that has begun as it should.
    pub fn opened(&self, mode: Mode) -> Link {
        let mut link = self.link();
        let welcome = link.ask(&Request::Open(self.open(mode)));
        assert!(matches!(welcome, Some(Reply::Welcome(_))), "{welcome:?}");
        link
    }

    /// A link whose session is a new player.
    pub fn registered(&self, name: &str) -> Link {
        let mut link = self.opened(Mode::Client);
        let (name, password) = (name.to_owned(), Secret::new("long enough"));
        let reply = link.ask(&Request::Register(Register { name, password, email: None }));
        assert!(matches!(reply, Some(Reply::LoggedIn(_))), "{reply:?}");
        link
    }
}

/// An answer, letter for letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request's number.
    pub number: u64,
    /// Its kind.
    pub kind: ReplyKind,
    /// postcard.
    pub payload: Vec<u8>,
}

impl Answer {
    /// As it is given again: without what is shown once.
    fn without_what_is_shown_once(self) -> Answer {
        let Reply::WorldKey(key) = self.reply() else { return self };
        let mut payload = Vec::new();
        Reply::WorldKey(WorldKey { password: None, ..key }).put(&mut payload);
        Answer { payload, ..self }
    }

    /// What it says.
    pub fn reply(&self) -> Reply {
        Reply::decode(self.kind, &self.payload).expect("a reply")
    }
}

/// The worker's end of a link.
pub struct Link {
    /// The socket.
    pub stream: UnixStream,
    reader: FrameReader,
    answers: VecDeque<Answer>,
    /// The number of the next request.
    pub next: u64,
    /// The last ticket that has come.
    pub ticket: Option<Ticket>,
    /// The handler has said that the session ends.
    pub closed: bool,
    /// What was pushed for the client, with the pushes' numbers.
    pub pushes: VecDeque<(u64, Event)>,
    /// Descriptors that frames have brought.
    pub descriptors: VecDeque<OwnedFd>,
    /// Those whose frame is not whole.
    coming: VecDeque<OwnedFd>,
}

impl Link {
    /// Over this socket.
    pub fn over(stream: UnixStream) -> Link {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        let (answers, pushes) = (VecDeque::new(), VecDeque::new());
        let (descriptors, coming) = (VecDeque::new(), VecDeque::new());
        let (reader, next, ticket, closed) = (FrameReader::new(), 1, None, false);
        Link { stream, reader, answers, next, ticket, closed, pushes, descriptors, coming }
    }

    /// Sends bytes, as far as the handler takes them.
    pub fn send(&mut self, bytes: &[u8]) {
        // Whoever has ended the session reads no more.
        let _ = self.stream.write_all(bytes);
    }

    /// A request's frame, with the next number and everything acknowledged.
    pub fn frame(&mut self, request: &Request) -> Vec<u8> {
        let number = self.next;
        self.next += 1;
        request_frame(number, &Carried { acked: number - 1, key: None }, request)
    }

    /// Asks; gives the answer, or nothing when the link has ended.
    pub fn ask(&mut self, request: &Request) -> Option<Reply> {
        let frame = self.frame(request);
        self.send(&frame);
        self.reply()
    }

    /// The next answer; nothing when the link has ended.
    pub fn reply(&mut self) -> Option<Reply> {
        self.answer().map(|answer| answer.reply())
    }

    /// The next answer as it came; nothing when the link has ended.
    pub fn answer(&mut self) -> Option<Answer> {
        while self.answers.is_empty() && self.read() {}
        self.answers.pop_front()
    }

    /// Reads once, and takes what has come apart; false when the link has ended.
    pub fn read(&mut self) -> bool {
        let (stream, coming) = (&self.stream, &mut self.coming);
        let read = |buffer: &mut [u8]| {
            wait_readable(stream);
            let received = ssmglobal_sys::receive(stream, buffer)?;
            coming.extend(received.fds);
            Ok(received.count)
        };
        match self.reader.fill(read) {
            Ok((0, _)) => return false,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return false,
            Err(error) => panic!("nothing comes, and not the end: {error}"),
        }
        while let Some(frame) = self.reader.next_frame().expect("a frame") {
            assert!(frame.descriptors <= self.coming.len(), "descriptors come with their announcement");
            self.descriptors.extend(self.coming.drain(..frame.descriptors));
            if frame.class == Class::Reply {
                let kind = ReplyKind::from_number(frame.kind).expect("a kind");
                let answer = Answer { number: frame.number, kind, payload: frame.payload.to_vec() };
                self.answers.push_back(answer.without_what_is_shown_once());
                continue;
            }
            match frame.event().expect("an event") {
                Event::Close(_) => self.closed = true,
                Event::Ticket(ticket) => self.ticket = Some(ticket),
                event => self.pushes.push_back((frame.number, event)),
            }
        }
        assert!(self.coming.is_empty() || !self.reader.rest().is_empty(), "what comes is announced");
        true
    }

    /// Waits until something has come that was not read.
    pub fn wait(&self) {
        wait_readable(&self.stream);
    }

    /// As [`Link::wait`], on any of them.
    pub fn wait_for_one(links: &[&Link]) {
        let mut fds: Vec<PollFd<'_>> =
            links.iter().map(|link| PollFd::new(link.stream.as_fd(), PollFlags::POLLIN)).collect();
        assert_ne!(poll(&mut fds, patience()), Ok(0), "it takes too long");
    }

    /// Whether nothing has come that nobody has asked for.
    pub fn is_silent(&self) -> bool {
        let mut fds = [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
        self.answers.is_empty() && self.pushes.is_empty() && poll(&mut fds, PollTimeout::ZERO) == Ok(0)
    }

    /// Reads to the end, which must come; gives how many answers came before.
    pub fn end(mut self) -> usize {
        std::iter::from_fn(|| self.reply()).count()
    }
}

/// The frame of a request, with what is carried in it if it changes something.
pub fn request_frame(number: u64, carried: &Carried, request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    match request.kind().describe().is_kept() {
        true => put_change(&mut bytes, number, carried, request),
        false => put_request(&mut bytes, number, request),
    }
    bytes
}
