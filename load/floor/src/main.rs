//! What a machine can do at best, as two bare loops: accept and greet; accept, greet and fork. A program of its own, so that it
//! can be linked in both ways, and its memory is as small as such a loop's can be. The load generator builds and runs it.
//!
//! `floor greet` or `floor fork`: tells its port on standard output, and serves until it is ended.

use std::collections::VecDeque;
use std::io::{Error, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{Backlog, listen};
use nix::unistd::{ForkResult, fork};

/// The line that a client gets first.
const GREETING: &[u8] = b"{\"state\": \"OK\", \"msg\": \"CONNECTED serversquaredGlobal\"}\r\n";

/// How many greeted connections the loop without a fork keeps, so that the client is the one who closes.
const KEPT: usize = 64;

fn main() -> ExitCode {
    let which = std::env::args().nth(1);
    let result = match which.as_deref() {
        Some("greet") => bound().and_then(|listener| greet(&listener)),
        Some("fork") => bound().and_then(|listener| fork_each(&listener)),
        _ => Err(Error::other("it takes `greet` or `fork`")),
    };
    if let Err(error) = result {
        eprintln!("floor: {error}");
    }
    ExitCode::FAILURE
}

fn bound() -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    // The standard library's backlog is short; a second listen replaces it.
    listen(&listener, Backlog::new(4095)?)?;
    println!("{}", listener.local_addr()?.port());
    Ok(listener)
}

fn greet(listener: &TcpListener) -> Result<(), Error> {
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
fn fork_each(listener: &TcpListener) -> Result<(), Error> {
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
