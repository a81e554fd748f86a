//! The handler as the listener sees it: a child that is started by exec and started again when it dies, and a stream to
//! it. Messages that it is too slow for are replaced by one snapshot, so that the listener's memory stays small.

use super::children::Children;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::unistd::Pid;
use ssmglobal_config::Settings;
use ssmglobal_ipc::control::{ToHandler, ToListener};
use ssmglobal_ipc::frame::{FrameReader, put_control};
use ssmglobal_sys::{Ids, Writable};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Bytes of messages that may wait for the handler.
const OUTBOX: usize = 256 << 10;

/// The longest time between two starts of a handler that dies on its first job.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the handler has said.
pub enum Said {
    /// It serves.
    Ready,
    /// Let this worker link up.
    Wake(Pid),
    /// A further start is of no use.
    Fatal(String),
}

/// The handler, living or dead.
pub struct Handler {
    /// Whom it becomes; what the listener is, if nobody.
    user: Option<Ids>,
    /// Workers send their links in here …
    desk: OwnedFd,
    /// … and every handler takes them out here.
    desk_end: OwnedFd,
    /// What a handler leaves to the next one; never looked at here.
    journal: OwnedFd,
    pid: Option<Pid>,
    stream: Option<UnixStream>,
    writable: Writable,
    reader: FrameReader,
    out: Vec<u8>,
    /// Something had to be left out; a snapshot follows when there is room.
    behind: bool,
    /// Whether this one has come as far as to serve.
    served: bool,
    failures: u32,
    start_at: Option<Instant>,
}

impl Handler {
    /// Nothing is started yet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(user: Option<Ids>) -> io::Result<Handler> {
        let (desk, desk_end) = ssmglobal_sys::seqpacket_pair()?;
        ssmglobal_sys::pass_credentials(&desk_end)?;
        Ok(Handler {
            user,
            desk,
            desk_end,
            journal: ssmglobal_sys::memory::make("journal")?,
            pid: None,
            stream: None,
            writable: Writable::default(),
            reader: FrameReader::new(),
            out: Vec::new(),
            behind: false,
            served: false,
            failures: 0,
            start_at: None,
        })
    }

    /// Where workers send their links.
    pub fn desk(&self) -> BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.desk.as_fd()
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
    pub fn start(
        &mut self,
        settings: &Settings,
        children: &Children,
        registry: &Registry,
        token: Token,
    ) -> io::Result<()> {
        self.start_at = None;
        let (ours, theirs) = ssmglobal_sys::link_pair()?;
        for fd in [&theirs, &self.desk_end, &self.journal] {
            ssmglobal_sys::clear_cloexec(fd)?;
        }
        let ids = self.user.map(|Ids { user, group }| [format!("--user={user}"), format!("--group={group}")]);
        let spawned = Command::new("/proc/self/exe")
            .arg0("ssmglobal")
            .args(["handler", "--desk", &self.desk_end.as_raw_fd().to_string()])
            .args(["--control", &theirs.as_raw_fd().to_string()])
            .args(["--journal", &self.journal.as_raw_fd().to_string()])
            .args(ids.iter().flatten())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        for fd in [&self.desk_end, &self.journal] {
            ssmglobal_sys::set_cloexec(fd)?;
        }
        let child = spawned?;
        self.pid = Some(Pid::from_raw(child.id().cast_signed()));
        let stream = UnixStream::from(ours);
        registry.register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE | Interest::WRITABLE)?;
        self.stream = Some(stream);
        self.writable = Writable::default();
        self.reader = FrameReader::new();
        self.out.clear();
        self.served = false;
        self.behind = false;
        self.reload(settings);
        self.tell(&ToHandler::Run { run: children.run() });
        let max = settings.limits.clients;
        self.tell(&clients(children, max));
        self.flush(children, max, registry, token);
        Ok(())
    }

    /// It has ended: the next one starts at once, or after a pause that grows as long as none comes to serve.
    pub fn died(&mut self, now: Instant) {
        self.failures = if self.served { 0 } else { self.failures + 1 };
        let pause = match self.failures {
            0 => Duration::ZERO,
            failures => LONGEST_PAUSE.min(Duration::from_millis(250) * 2u32.pow(failures.min(10) - 1)),
        };
        self.pid = None;
        self.stream = None;
        self.out.clear();
        self.start_at = Some(now + pause);
    }

    /// Queues a message.
    pub fn tell(&mut self, message: &ToHandler) {
        if self.stream.is_none() || self.behind {
            return;
        }
        if self.out.len() > OUTBOX {
            self.behind = true;
            return;
        }
        put_control(&mut self.out, message);
    }

    /// Queues a line for the log; without a handler it goes to standard error.
    pub fn log(&mut self, level: u8, text: String) {
        match self.stream {
            Some(_) => self.tell(&ToHandler::Log { level, text }),
            None => crate::print::note(&format!("ssmglobal: {}", crate::print::clean(&text))),
        }
    }

    /// Tells it the settings.
    pub fn reload(&mut self, settings: &Settings) {
        match settings_bytes(settings) {
            Some(settings) => self.tell(&ToHandler::Reload { settings }),
            None => crate::print::note("ssmglobal: the settings cannot be handed to the handler"),
        }
    }

    /// Writes what waits, as far as there is room.
    pub fn flush(&mut self, children: &Children, max: u32, registry: &Registry, token: Token) {
        let Some(stream) = &mut self.stream else { return };
        // Gone: its end is seen by waiting for it.
        let _ = ssmglobal_sys::write_out(stream, &mut self.out);
        // Without being told it goes on with the next message.
        let _ = self.writable.watch(!self.out.is_empty(), registry, &mut SourceFd(&stream.as_raw_fd()), token);
        if self.behind && self.out.is_empty() {
            self.behind = false;
            self.tell(&clients(children, max));
            self.flush(children, max, registry, token);
        }
    }

    /// What it has said meanwhile.
    pub fn read(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        let Some(stream) = &mut self.stream else { return said };
        loop {
            match self.reader.fill(|buffer| stream.read(buffer)) {
                Ok((0, _)) => break,
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

fn clients(children: &Children, max: u32) -> ToHandler {
    ToHandler::Clients { clients: children.snapshot(), max }
}

fn settings_bytes(settings: &Settings) -> Option<Vec<u8>> {
    postcard::to_stdvec(settings).ok()
}
