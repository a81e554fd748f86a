//! The handler as the listener sees it: a child that is started by exec and started again when it dies, and a stream to
//! it. Messages that it is too slow for are replaced by one snapshot, so that the listener's memory stays small.

use super::children::Children;
use super::doors::Doors;
use super::handover::{HeldHandler, MOST_DOORS, lasting};
use super::lifeline::Lifeline;
use super::moves::Moves;
use super::pending::PendingAccept;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ssmglobal_config::Settings;
use ssmglobal_ipc::control::{Client, ToHandler, ToListener};
use ssmglobal_ipc::frame::{FrameReader, control_within, put_control};
use ssmglobal_sys::{Ids, Process, Unforked, UnforkedVec, Writable};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Bytes of messages that may wait for the handler.
const OUTBOX: usize = 256 << 10;

/// Bytes that most messages are shorter than.
const SHORT: usize = 256;

/// Bytes of what people read first.
const WELCOME: usize = 8 << 10;

/// The longest time between two starts of a handler that dies on its first job.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Time for a handler that was told to end to write what waits.
pub const DRAIN: Duration = Duration::from_secs(60);

/// What the handler has said.
pub enum Said {
    /// It has opened the database and serves.
    Ready,
    /// Let this worker link up.
    Wake(Pid),
    /// A further start is of no use.
    Fatal(String),
    /// What people read first from now on, if not what the settings say.
    Welcome(Option<String>),
    /// A worker that is not a child of this process has ended.
    Gone(Pid),
    /// A worker that another listener has forked, and when that was.
    Found(Client, u64),
    /// The operator, by the number of his connection, wants the settings read again.
    Reload(u64),
    /// The operator wants everything to end.
    Stop,
    /// The operator wants this program to take over, or the one that is there; and waits for an answer.
    Upgrade(Option<PathBuf>, Option<OwnedFd>),
    /// The operator with this number wants to know which addresses have to wait.
    WhoIsBlocked(u64),
    /// The operator with this number wants this address, or all, to wait no longer.
    LetIn(u64, Option<IpAddr>),
}

/// What the handler is told of.
pub struct Briefing<'a> {
    /// All clients with their workers.
    pub children: &'a Children,
    /// The listening sockets, which it keeps for the next listener.
    pub doors: &'a Doors,
    /// Where connections lie that have no worker yet; kept too.
    pub pending_accept: &'a PendingAccept,
    /// Where workers hand over their clients; kept too.
    pub moves: &'a Moves,
    /// Where workers see that nobody is left; kept too.
    pub lifeline: &'a Lifeline,
    /// The settings that hold now.
    pub settings: &'a Settings,
}

/// The handler, living or dead.
pub struct Handler {
    /// Whom it becomes; what the listener is, if nobody.
    user: Option<Ids>,
    /// Workers send their links in here …
    rendezvous_sender: OwnedFd,
    /// … and every handler takes them out here.
    rendezvous_receiver: OwnedFd,
    /// What a handler leaves to the next one; never looked at here.
    journal: OwnedFd,
    pid: Option<Pid>,
    /// One that another listener has started: its end is told by this.
    process: Option<Process>,
    /// And when it was started.
    started: Option<u64>,
    stream: Option<UnixStream>,
    writable: Writable,
    reader: FrameReader,
    /// Descriptors that have come and were not spoken of yet.
    fds: VecDeque<OwnedFd>,
    out: UnforkedVec<u8>,
    /// Something had to be left out; a snapshot follows when there is room.
    behind: bool,
    /// What it keeps for the next listener is to be sent (again), when nothing else waits.
    keep_due: bool,
    /// It was told to end, and is killed when it has not by then.
    ends_by: Option<Instant>,
    /// Its end of the stream is closed: it is dying.
    closed: bool,
    /// One that was dying when the next one was started, and is still to be waited for.
    before: Option<Pid>,
    /// Whether this one has come as far as to serve.
    served: bool,
    failures: u32,
    /// How many have died.
    deaths: u64,
    start_at: Option<Instant>,
}

impl Handler {
    /// Nothing is started yet, and no worker was made.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(user: Option<Ids>) -> io::Result<Handler> {
        let (rendezvous_sender, rendezvous_receiver) = ssmglobal_sys::seqpacket_pair()?;
        ssmglobal_sys::pass_credentials(&rendezvous_receiver)?;
        ssmglobal_sys::widen(&rendezvous_sender);
        Ok(Handler::at((rendezvous_sender, rendezvous_receiver), ssmglobal_sys::memory::make("journal")?, user))
    }

    /// Nothing is started yet, and workers hold the end to send to of this rendezvous.
    pub fn at(
        (rendezvous_sender, rendezvous_receiver): (OwnedFd, OwnedFd),
        journal: OwnedFd,
        user: Option<Ids>,
    ) -> Handler {
        Handler {
            user,
            rendezvous_sender,
            rendezvous_receiver,
            journal,
            pid: None,
            process: None,
            started: None,
            stream: None,
            writable: Writable::default(),
            reader: FrameReader::new(),
            fds: VecDeque::new(),
            out: UnforkedVec::with_capacity_in(OUTBOX, Unforked),
            behind: false,
            keep_due: false,
            ends_by: None,
            closed: false,
            before: None,
            served: false,
            failures: 0,
            deaths: 0,
            start_at: None,
        }
    }

    /// Where workers send their links.
    pub fn rendezvous(&self) -> BorrowedFd<'_> {
        self.rendezvous_sender.as_fd()
    }

    /// What outlives it: where workers send their links, where handlers receive them, what each leaves to the next.
    pub fn lasting(&self) -> [BorrowedFd<'_>; 3] {
        [self.rendezvous_sender.as_fd(), self.rendezvous_receiver.as_fd(), self.journal.as_fd()]
    }

    /// Its process id.
    pub fn pid(&self) -> Option<Pid> {
        self.pid
    }

    /// Whether this is it.
    pub fn is(&self, pid: Pid) -> bool {
        self.pid == Some(pid)
    }

    /// How many in a row have ended before they served.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// When to start the next one, if none is there.
    pub fn start_at(&self) -> Option<Instant> {
        self.start_at
    }

    /// Starts one and tells it the settings and who is there.
    ///
    /// # Errors
    /// The kernel's; nothing was started then.
    pub fn start(&mut self, briefing: &Briefing<'_>, registry: &Registry, token: Token) -> io::Result<()> {
        self.start_at = None;
        let (ours, theirs) = ssmglobal_sys::link_pair()?;
        for fd in [&theirs, &self.rendezvous_receiver, &self.journal] {
            ssmglobal_sys::clear_cloexec(fd)?;
        }
        let ids = self.user.map(|Ids { user, group }| [format!("--user={user}"), format!("--group={group}")]);
        let spawned = Command::new("/proc/self/exe")
            .arg0("ssmglobal")
            .args(["handler", "--rendezvous", &self.rendezvous_receiver.as_raw_fd().to_string()])
            .args(["--control", &theirs.as_raw_fd().to_string()])
            .args(["--journal", &self.journal.as_raw_fd().to_string()])
            .args(ids.iter().flatten())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        for fd in [&self.rendezvous_receiver, &self.journal] {
            ssmglobal_sys::set_cloexec(fd)?;
        }
        let pid = Pid::from_raw(spawned?.id().cast_signed());
        self.join(pid, UnixStream::from(ours), registry, token)?;
        self.served = false;
        self.greet(briefing, registry, token);
        Ok(())
    }

    /// Takes over one that another listener has started, or another program in this process, and that serves.
    ///
    /// # Errors
    /// The kernel's.
    #[inline(never)]
    pub fn adopt(&mut self, held: HeldHandler, registry: &Registry, [token, end]: [Token; 2]) -> io::Result<()> {
        let HeldHandler { pid, started, stream, out, unread } = held;
        let process = started.map(|started| Process::open_started(pid, started)).transpose()?;
        if let Some(process) = &process {
            registry.register(&mut SourceFd(&process.as_raw_fd()), end, Interest::READABLE)?;
        }
        self.join(Pid::from_raw(pid), UnixStream::from(stream), registry, token)?;
        self.process = process;
        self.started = started;
        self.served = true;
        self.out.extend_from_slice(&out);
        let mut unread = &unread[..];
        while !unread.is_empty() {
            self.reader.fill(|buffer| unread.read(buffer))?;
        }
        Ok(())
    }

    /// Everything that another program needs to go on with it.
    pub fn held(&self) -> Option<HeldHandler<BorrowedFd<'_>>> {
        let stream = self.stream.as_ref()?.as_fd();
        let (out, unread) = (self.out.to_vec(), self.reader.rest().to_vec());
        Some(HeldHandler { pid: self.pid?.as_raw(), started: self.started, stream, out, unread })
    }

    fn join(&mut self, pid: Pid, stream: UnixStream, registry: &Registry, token: Token) -> io::Result<()> {
        self.pid = Some(pid);
        self.process = None;
        self.started = None;
        // For room to write only while something waits: it would be woken each time the handler has read.
        registry.register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE)?;
        self.stream = Some(stream);
        self.writable = Writable::default();
        self.reader = FrameReader::new();
        self.fds.clear();
        self.out.clear();
        self.behind = false;
        self.closed = false;
        self.ends_by = None;
        Ok(())
    }

    /// Tells it everything that a handler needs to know first.
    pub fn greet(&mut self, briefing: &Briefing<'_>, registry: &Registry, token: Token) {
        self.reload(briefing.settings);
        self.tell(&ToHandler::Run { run: briefing.children.run() });
        self.tell(&ToHandler::Deaths { count: self.deaths });
        // Before the long list: from then on it can do without this process.
        self.flush(briefing, registry, token);
        let (versions, others) = (briefing.children.versions().to_vec(), briefing.children.others());
        self.tell(&ToHandler::Versions { versions, others });
        self.tell(&clients(briefing));
        let workers = briefing.children.adopted();
        if !workers.is_empty() {
            self.tell(&ToHandler::Watch { workers });
        }
        self.flush(briefing, registry, token);
    }

    /// Tells it to write what waits and to end; it hears nothing further.
    #[inline(never)]
    pub fn drain(&mut self, briefing: &Briefing<'_>, registry: &Registry, token: Token) {
        self.tell(&ToHandler::Stop);
        self.keep_due = false;
        self.ends_by = Some(Instant::now() + DRAIN);
        self.flush(briefing, registry, token);
    }

    /// Until when it may take to end, if it was told to.
    pub fn ends_by(&self) -> Option<Instant> {
        self.ends_by
    }

    /// Ends it at once. What was acknowledged is saved.
    pub fn kill(&self) {
        let Some(pid) = self.pid else { return };
        // One that has ended is about to be noticed.
        let _ = match &self.process {
            Some(process) => process.signal(Signal::SIGKILL),
            // A child that was not waited for: its id is nobody else's.
            None => kill(pid, Signal::SIGKILL).map_err(Into::into),
        };
    }

    /// Whether one that is not this process's child has ended.
    pub fn has_ended(&self) -> bool {
        self.process.as_ref().is_some_and(Process::has_ended)
    }

    /// Whether a child that served is dying, and was not asked to. It may take a while: it has thousands of links to close.
    pub fn is_dying(&self) -> bool {
        self.closed && self.served && self.pid.is_some() && self.process.is_none() && self.ends_by.is_none()
    }

    /// The next one need not wait until this one is dead. Should it not be dying at all, it is killed.
    pub fn give_up(&mut self) {
        self.kill();
        self.before = self.pid;
        self.died(Instant::now());
    }

    /// The one that was dying when this one was started.
    pub fn before(&self) -> Option<Pid> {
        self.before
    }

    /// That one is dead.
    pub fn forget_before(&mut self) {
        self.before = None;
    }

    /// It has ended: the next one starts at once, or after a pause that grows as long as none comes to serve.
    pub fn died(&mut self, now: Instant) {
        self.deaths += u64::from(self.ends_by.is_none());
        self.failures = if self.served { 0 } else { self.failures + 1 };
        let pause = match self.failures {
            0 => Duration::ZERO,
            failures => LONGEST_PAUSE.min(Duration::from_millis(250) * 2u32.pow(failures.min(10) - 1)),
        };
        self.pid = None;
        self.process = None;
        self.started = None;
        self.ends_by = None;
        self.stream = None;
        self.out.clear();
        self.start_at = Some(now + pause);
    }

    /// Queues a message.
    pub fn tell(&mut self, message: &ToHandler) {
        if self.stream.is_none() || self.behind || self.ends_by.is_some() {
            return;
        }
        if self.out.len() > OUTBOX {
            self.behind = true;
            return;
        }
        match control_within(&mut [0; SHORT], message) {
            Some(frame) => self.out.extend_from_slice(frame),
            None => {
                let mut frame = Vec::new();
                put_control(&mut frame, message);
                self.out.extend_from_slice(&frame);
            }
        }
    }

    /// Queues a line for the log; without a handler it goes to standard error.
    pub fn log(&mut self, level: u8, text: String) {
        match self.stream {
            Some(_) if self.ends_by.is_none() => self.tell(&ToHandler::Log { level, text }),
            _ => crate::print::note(&format!("ssmglobal: {}", crate::print::clean(&text))),
        }
    }

    /// Tells it the settings, and what it is to keep: doors may have come and gone.
    pub fn reload(&mut self, settings: &Settings) {
        match settings_bytes(settings) {
            Some(settings) => self.tell(&ToHandler::Reload { settings }),
            None => crate::print::note("ssmglobal: the settings cannot be handed to the handler"),
        }
        self.keep_due = true;
    }

    /// Writes what waits, as far as there is room.
    pub fn flush(&mut self, briefing: &Briefing<'_>, registry: &Registry, token: Token) {
        let Some(stream) = &mut self.stream else { return };
        // Gone: its end is seen by waiting for it.
        let (sent, _) = ssmglobal_sys::write_some(stream, &self.out);
        self.out.drain(..sent);
        if self.keep_due && self.out.is_empty() {
            self.send_keep(briefing);
        }
        let Some(stream) = &self.stream else { return };
        let waits = self.keep_due || !self.out.is_empty();
        // Without being told it goes on with the next message.
        let _ = self.writable.watch(waits, registry, &mut SourceFd(&stream.as_raw_fd()), token);
        if self.behind && self.out.is_empty() {
            self.behind = false;
            self.tell(&clients(briefing));
            self.flush(briefing, registry, token);
        }
    }

    /// Sends what it is to keep for the next listener, and where the log goes.
    #[inline(never)]
    fn send_keep(&mut self, briefing: &Briefing<'_>) {
        let Some(stream) = &self.stream else { return };
        let (state, mut fds) = lasting(
            self.lasting(),
            (briefing.children, briefing.doors, briefing.pending_accept, briefing.moves, briefing.lifeline),
            MOST_DOORS,
        );
        let descriptors = u32::try_from(fds.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        put_control(&mut bytes, &ToHandler::Keep { state: state.into_bytes(), descriptors });
        let stderr = io::stderr();
        fds.push(stderr.as_fd());
        match ssmglobal_sys::send_with(stream, &bytes, &fds) {
            Ok(count) => {
                self.keep_due = false;
                self.out.extend_from_slice(bytes.get(count..).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Gone: its end is seen by waiting for it.
            Err(_) => self.keep_due = false,
        }
    }

    /// What it has said meanwhile.
    pub fn read(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        let Some(stream) = &self.stream else { return said };
        loop {
            let fds = &mut self.fds;
            let filled = self.reader.fill(|buffer| {
                let received = ssmglobal_sys::receive(&*stream, buffer)?;
                fds.extend(received.fds);
                Ok(received.count)
            });
            match filled {
                Ok((0, _)) => {
                    self.closed = true;
                    break;
                }
                Ok(_) => {
                    while let Ok(Some(frame)) = self.reader.next_frame() {
                        match frame.control() {
                            Ok(ToListener::Ready) => {
                                self.served = true;
                                self.failures = 0;
                                said.push(Said::Ready);
                            }
                            Ok(ToListener::Wake { pid }) => said.push(Said::Wake(Pid::from_raw(pid))),
                            Ok(ToListener::Fatal { msg }) => said.push(Said::Fatal(msg)),
                            // Every worker begins with a copy of it, so it has a bound here as well.
                            Ok(ToListener::Welcome { text }) => {
                                said.push(Said::Welcome(text.filter(|text| text.len() <= WELCOME)));
                            }
                            Ok(ToListener::Found { client, started }) => said.push(Said::Found(client, started)),
                            Ok(ToListener::Reload { operator }) => said.push(Said::Reload(operator)),
                            Ok(ToListener::Stop) => said.push(Said::Stop),
                            Ok(ToListener::Gone { pid }) => said.push(Said::Gone(Pid::from_raw(pid))),
                            Ok(ToListener::Upgrade { program }) => {
                                said.push(Said::Upgrade(program.map(PathBuf::from), self.fds.pop_front()));
                            }
                            Ok(ToListener::WhoIsBlocked { asker }) => said.push(Said::WhoIsBlocked(asker)),
                            Ok(ToListener::LetIn { asker, address }) => said.push(Said::LetIn(asker, address)),
                            Err(_) => {}
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        said
    }
}

fn clients(briefing: &Briefing<'_>) -> ToHandler {
    let (children, max) = (briefing.children, briefing.settings.limits.clients);
    ToHandler::Clients { clients: children.snapshot(), max }
}

fn settings_bytes(settings: &Settings) -> Option<Vec<u8>> {
    postcard::to_stdvec(settings).ok()
}
