//! Workers that send what a test likes: as many of them as it likes, each a process of its own.

use super::Running;
use super::link::{Link, wait_for};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;
use ssmglobal_ipc::{Mode, Open, Register, Request, Secret};
use ssmglobal_sys::{send_with, seqpacket_pair};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

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
            wait_for(rendezvous_sender.as_fd(), PollFlags::POLLOUT);
        }
        send_with(&commands, b"sent", &[]).expect("the test waits");
    }
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
    /// A process that has no client yet, and sends to this rendezvous.
    pub fn start(rendezvous: &OwnedFd) -> Hostile {
        let (commands, theirs) = seqpacket_pair().expect("a pair");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["hostile::a_process_that_hands_links_over", "--exact", "--nocapture"]).env(HELPER, "1");
        command.stdin(rendezvous.try_clone().expect("a descriptor")).stdout(Stdio::null()).stderr(theirs);
        let process = Running::on_terminal(&mut command);
        drop(command);
        Hostile { process, commands, session: 0, address: SocketAddr::from(([0; 4], 0)) }
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.process.pid()
    }

    /// Sends this to the rendezvous, and waits until it is there.
    pub fn hand_over(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) {
        send_with(&self.commands, &[b"!", bytes].concat(), fds).expect("the process lives");
        wait_for(self.commands.as_fd(), PollFlags::POLLIN);
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
        self.opened_with(self.open(mode))
    }

    /// A link that has begun with this, and was let in.
    pub fn opened_with(&self, open: Open) -> Link {
        let mut link = self.link();
        link.done(&Request::Open(open));
        link
    }

    /// A link whose session is a new player.
    pub fn registered(&self, name: &str) -> Link {
        let mut link = self.opened(Mode::Client);
        let (name, password) = (name.to_owned(), Secret::new("long enough"));
        link.done(&Request::Register(Register { name, password, email: None }));
        link
    }
}
