//! What the machine can do at best, as two bare programs: accept and greet; accept, greet and fork. Each runs in a
//! process of its own, this executable started anew, so that its memory is as small as a listener's.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use clap::ValueEnum;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{ForkResult, fork};

use crate::guard::{Guarded, Result};

/// The line that a client gets first, from us and from the floors.
pub const GREETING: &[u8] = b"{\"state\": \"OK\", \"msg\": \"CONNECTED serversquaredGlobal\"}\r\n";

/// How many greeted connections the floor without a fork keeps, so that the client is the one who closes.
const KEPT: usize = 64;

/// Which floor.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Floor {
    /// Accepts and greets.
    Greet,
    /// Accepts, greets and forks; the child waits for the end of its connection.
    Fork,
}

impl Floor {
    /// Starts the floor as a child process; also its port.
    pub fn start(self) -> Result<(Guarded, u16)> {
        let name = self.to_possible_value().expect("none is hidden");
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--floor").arg(name.get_name()).stdout(Stdio::piped());
        let mut process = Guarded::piped(&mut command, Signal::SIGTERM)?;
        let output = process.child().stdout.take().ok_or("no pipe from the floor")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse().map_err(|_| "the floor did not tell its port")?;
        Ok((process, port))
    }

    /// Runs the floor in this process; returns only with an error.
    pub fn serve(self) -> Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        // The standard library's backlog is short; a second listen replaces it.
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(4095)?)?;
        println!("{}", listener.local_addr()?.port());
        match self {
            Self::Greet => greet(&listener),
            Self::Fork => fork_each(&listener),
        }
    }
}

fn greet(listener: &TcpListener) -> Result<()> {
    let mut kept = VecDeque::with_capacity(KEPT);
    loop {
        let (mut stream, _) = listener.accept()?;
        let _ = stream.write_all(GREETING);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(stream);
    }
}

#[allow(unsafe_code)]
fn fork_each(listener: &TcpListener) -> Result<()> {
    // SAFETY: ignoring a signal installs no handler; the kernel then reaps the children.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }?;
    loop {
        let (mut stream, _) = listener.accept()?;
        let _ = stream.write_all(GREETING);
        // SAFETY: this process has one thread, so the child may do whatever the parent may.
        match unsafe { fork() }? {
            ForkResult::Parent { .. } => drop(stream),
            ForkResult::Child => wait_for_end(stream),
        }
    }
}

#[allow(unsafe_code)]
fn wait_for_end(mut stream: TcpStream) -> ! {
    let mut buffer = [0; 512];
    while stream.read(&mut buffer).is_ok_and(|n| n > 0) {}
    // SAFETY: nothing of the parent's is to be cleaned up here.
    unsafe { nix::libc::_exit(0) }
}
