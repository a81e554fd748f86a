//! A world to play in that costs next to nothing: this executable started anew, with one thread, so that it can be killed as a game
//! server is. It lets everybody in, answers `say TEXT` with `said TEXT`, and prints without end after `flood`.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use nix::sys::signal::Signal;

use crate::guard::{Guarded, Result};
use crate::net::Client;
use crate::protocol::find_byte;
use crate::telnet::Skipper;

const LISTENER: Token = Token(usize::MAX);
/// What is printed without end, in one piece: as many whole lines as a write takes at once.
const PIECE: usize = 256 * 1024;
const LINE: &[u8] = b"The quick brown fox jumps over the lazy dog and the world goes on without end.\r\n";
/// Ends the first page, so that a player knows where it ends.
pub const WELCOME: &[u8] = b"connect <name> <password>\r\n";
/// What one who is let in reads; a MUSH of the family of TinyMUX says so.
pub const LET_IN: &[u8] = b"Last connect was from 127.0.0.1 on Mon Jan 05 10:00:00 2026.\r\n\r\nLimbo\r\n";

/// A world that runs.
pub struct World {
    process: Option<Guarded>,
    /// Its port on the loopback.
    pub port: u16,
}

impl World {
    /// Starts one at a free port, and waits until it listens.
    pub fn start() -> Result<Self> {
        let mut world = Self { process: None, port: 0 };
        world.start_again()?;
        Ok(world)
    }

    /// Starts it again where it was, and waits until it listens.
    pub fn start_again(&mut self) -> Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--world").arg(self.port.to_string()).stdout(Stdio::piped());
        // As a game server dies: without a word.
        let mut process = Guarded::piped(&mut command, Signal::SIGKILL)?;
        let output = process.child().stdout.take().ok_or("no pipe from the world")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        self.port = line.trim().parse().map_err(|_| "the world did not tell its port")?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it with SIGKILL, and waits for its end.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// How many play in it.
    pub fn players(&self) -> Result<usize> {
        let mut client = Client::open(self.port, 0)?;
        client.send(b"players\r\n")?;
        loop {
            if let Some(count) = client.line()?.strip_prefix("players ") {
                return Ok(count.parse()?);
            }
        }
    }
}

/// Runs the world in this process; returns only with an error.
pub fn serve(port: u16) -> Result<()> {
    crate::guard::raise_open_files()?;
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    println!("{}", listener.local_addr()?.port());
    serve_at(listener)
}

fn serve_at(mut listener: TcpListener) -> Result<()> {
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let piece = LINE.repeat(PIECE / LINE.len());
    let (mut events, mut players) = (Events::with_capacity(1024), HashMap::new());
    let (mut next, mut inside, mut scratch) = (0, 0, vec![0; 64 * 1024]);
    loop {
        match poll.poll(&mut events, None) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    poll.registry().register(&mut stream, Token(next), Interest::READABLE | Interest::WRITABLE)?;
                    let mut player = Player::new(stream);
                    if player.flush(&piece).is_ok() {
                        players.insert(next, player);
                    }
                    next += 1;
                }
                continue;
            }
            let Some(player) = players.get_mut(&event.token().0) else { continue };
            let stands = player.read(&mut scratch, &mut inside).and_then(|()| player.flush(&piece));
            if stands.is_err() {
                inside -= usize::from(player.inside);
                players.remove(&event.token().0);
            }
        }
    }
}

/// One connection.
struct Player {
    stream: TcpStream,
    skipper: Skipper,
    input: Vec<u8>,
    output: Vec<u8>,
    inside: bool,
    /// Whether it is printed to without end, and how much of the piece is written.
    flood: Option<usize>,
}

impl Player {
    fn new(stream: TcpStream) -> Self {
        let output = WELCOME.to_vec();
        Self { stream, skipper: Skipper::default(), input: Vec::new(), output, inside: false, flood: None }
    }

    fn read(&mut self, scratch: &mut [u8], inside: &mut usize) -> io::Result<()> {
        loop {
            match self.stream.read(scratch) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => self.skipper.take(&scratch[..n], &mut self.input),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        let input = std::mem::take(&mut self.input);
        let mut rest = &input[..];
        while let Some(end) = find_byte(rest, b'\n') {
            self.line(rest[..end].trim_ascii_end(), inside);
            rest = &rest[end + 1..];
        }
        self.input.extend_from_slice(rest);
        Ok(())
    }

    fn line(&mut self, line: &[u8], inside: &mut usize) {
        if let Some(text) = line.strip_prefix(b"say ").filter(|_| self.inside) {
            self.output.extend_from_slice(b"said ");
            self.output.extend_from_slice(text);
            self.output.extend_from_slice(b"\r\n");
        } else if line.starts_with(b"connect ") && !self.inside {
            self.inside = true;
            *inside += 1;
            self.output.extend_from_slice(LET_IN);
        } else if line == b"flood" {
            self.flood = Some(0);
        } else if line == b"players" {
            self.output.extend_from_slice(format!("players {inside}\r\n").as_bytes());
        } else {
            self.output.extend_from_slice(b"Huh?\r\n");
        }
    }

    /// Writes as much as the socket takes.
    fn flush(&mut self, piece: &[u8]) -> io::Result<()> {
        loop {
            let written = match self.flood {
                _ if !self.output.is_empty() => self.stream.write(&self.output).map(|n| drop(self.output.drain(..n))),
                Some(at) => self.stream.write(&piece[at..]).map(|n| self.flood = Some((at + n) % piece.len())),
                None => return Ok(()),
            };
            match written {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                other => other?,
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A world on a thread of its own; its port.
    pub fn world() -> u16 {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || serve_at(listener));
        port
    }

    #[test]
    fn it_lets_in_answers_counts_and_floods() {
        let world = World { process: None, port: world() };
        let mut client = Client::open(world.port, 0).unwrap();
        let mut say = |line: &str, answer: &str| {
            client.send(format!("{line}\r\n").as_bytes()).unwrap();
            while client.line().unwrap() != answer {}
        };
        say("say 1", "Huh?");
        say("connect bob secret", "Limbo");
        say("say 2", "said 2");
        assert_eq!(world.players().unwrap(), 1);
        client.send(b"flood\r\n").unwrap();
        assert_eq!(client.exactly(8 * PIECE).unwrap().len(), 8 * PIECE);
        drop(client);
        crate::guard::until("nobody", std::time::Duration::from_secs(20), || Ok(world.players()? == 0)).unwrap();
    }
}
