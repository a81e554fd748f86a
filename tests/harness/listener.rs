//! The listener's part, played by a test: it starts a handler of its own, and says which workers there are.

use super::Hostile;
use super::{PATIENCE, Process, Running, ctl_data, event, program, run};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use serde_json::Value;
use ssmglobal_config::Settings;
use ssmglobal_ipc::control::{Client, ToHandler, ToListener};
use ssmglobal_ipc::frame::{FrameReader, put_control};
use ssmglobal_ipc::{Secret, Time};
use ssmglobal_sys::{memory, seqpacket_pair};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
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
    /// The door that clients come in by.
    pub door: u32,
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
        let (handler, control) = start_handler(&rendezvous_receiver, &journal, &settings, &[], &[]);
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
            door: 0,
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
        let (next, control) =
            start_handler(&self.rendezvous_receiver, &self.journal, &self.settings, &self.clients, &[]);
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
        self.start_handler_with(&self.clients.clone(), &[]);
    }

    /// Kills the handler and starts the next one, which finds in one piece that this worker is there, and that it was killed.
    pub fn next_handler_with_the_end_of(&mut self, worker: &Hostile) {
        self.kill_handler();
        let before = self.clients.clone();
        let exited = self.exited(worker, -(Signal::SIGKILL as i32));
        self.start_handler_with(&before, &[exited]);
        self.handler.stderr.wait(&event("disconnect", worker.address));
    }

    fn start_handler_with(&mut self, clients: &[Client], then: &[ToHandler]) {
        (self.handler, self.control) =
            start_handler(&self.rendezvous_receiver, &self.journal, &self.settings, clients, then);
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
        let mut worker = Hostile::start(&self.rendezvous_sender);
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
        let pid = worker.pid().as_raw();
        let client = Client { pid, session: worker.session, door: self.door, address: worker.address, at: Time::now() };
        self.clients.push(client.clone());
        let count = self.clients.len() as u32;
        self.tell(&ToHandler::Joined { client, count, max: 1000 });
        self.handler.stderr.wait(&event("connect", worker.address));
    }

    /// Says that a worker has ended.
    pub fn end(&mut self, worker: &Hostile) {
        self.end_with(worker, 0);
    }

    /// Says that a worker has ended with this exit code.
    pub fn end_with(&mut self, worker: &Hostile, status: i32) {
        if worker.session == 0 {
            return;
        }
        let exited = self.exited(worker, status);
        self.tell(&exited);
        self.handler.stderr.wait(&event("disconnect", worker.address));
    }

    fn exited(&mut self, worker: &Hostile, status: i32) -> ToHandler {
        self.clients.retain(|client| client.session != worker.session);
        let (pid, count) = (worker.pid().as_raw(), self.clients.len() as u32);
        ToHandler::Exited { pid, status, count, max: 1000 }
    }

    /// `ssmglobal ctl WORDS --json`.
    pub fn ctl(&self, words: &[&str]) -> Value {
        let output = run(program().arg("--data").arg(&self.settings.data).arg("ctl").args(words).arg("--json"), b"");
        ctl_data(&output)
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
    then: &[ToHandler],
) -> (Running, UnixStream) {
    let (mut ours, theirs) = UnixStream::pair().expect("a pair");
    theirs.set_nonblocking(true).expect("a socket");
    // It is there before the handler is, which reads it at once.
    let settings = postcard::to_stdvec(settings).expect("settings");
    tell(&mut ours, &ToHandler::Reload { settings });
    tell(&mut ours, &ToHandler::Run { run: 1 });
    tell(&mut ours, &ToHandler::Clients { clients: clients.to_vec(), max: 1000 });
    then.iter().for_each(|message| tell(&mut ours, message));
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
