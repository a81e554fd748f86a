//! What a listener needs to know in order to go on where another one has stopped: after an upgrade in place, or after
//! the death of the one before it. Written by listener and handler, read by the next listener, and by the next program
//! while it is only asked whether it could take over.
//!
//! A state is a sequence of control frames with one [`Item`] each, the first of which is [`Item::Format`]. It lies in
//! sealed memory, so that its length has no bound of its own, and names descriptors by their places in a list that goes
//! with it.

use crate::control::Client;
use crate::frame::{FrameReader, put_control};
use serde::{Deserialize, Serialize};

/// Raised when a state changes in a way that appending an item cannot express.
pub const FORMAT: u32 = 2;

/// The longest state that is read, bytes: a hundred for each client of the largest bound there is.
pub const MOST: usize = 64 << 20;

/// One thing that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// What wrote this.
    Format {
        /// [`FORMAT`] of the program that wrote it.
        format: u32,
        /// The program's version.
        version: String,
    },
    /// A listening socket.
    Door {
        /// The door's number, under which its clients are counted.
        number: u32,
        /// Where it listens, as the settings say it.
        listen: String,
        /// The descriptor.
        socket: u32,
    },
    /// The number that the next new door gets.
    NextDoor {
        /// Never used before.
        number: u32,
    },
    /// Where workers hand over their links to the handler, see [`rendezvous`](crate::rendezvous).
    Rendezvous {
        /// The descriptor that workers send to.
        sends: u32,
        /// The descriptor that handlers receive from.
        receives: u32,
    },
    /// The handler's memory that outlives it.
    Journal {
        /// The descriptor.
        memory: u32,
    },
    /// How clients are numbered.
    Run {
        /// Which sequence of numbers this is.
        run: u64,
        /// The number that the next client gets.
        next: u64,
    },
    /// A version of the program that workers were forked from.
    Version {
        /// In the order of their numbers, from 0 on.
        version: String,
    },
    /// A worker with its client.
    Worker(Worker),
    /// The handler.
    Handler {
        /// Its process id.
        pid: i32,
        /// Of one that is not the listener's child: when its process was started, in ticks since the machine was.
        started: Option<u64>,
        /// The descriptor of the stream to it.
        stream: u32,
        /// What was to be written to it.
        out: Vec<u8>,
        /// What was read from it and is not whole yet.
        unread: Vec<u8>,
    },
    /// This was asked for.
    Upgrade {
        /// The version of the program that has handed over.
        from: String,
        /// The file that is to be started from now on, as bytes.
        program: Vec<u8>,
        /// The descriptor of the stream to whoever asked, if somebody waits for an answer.
        asker: Option<u32>,
    },
    /// The socket pair with the connection that was accepted and has no worker yet, if there is one.
    PendingAccept {
        /// The descriptor that takes it in.
        puts: u32,
        /// The descriptor that it is taken out of.
        takes: u32,
    },
    /// Where workers hand over their clients, to be followed by workers of another program.
    Moves {
        /// The descriptor that workers send to.
        sends: u32,
        /// The descriptor that the listener receives from.
        receives: u32,
    },
    /// A worker that is to follow another one and was not yet given its client.
    Successor {
        /// The process id of the one that it follows.
        of: i32,
        /// Its own process id.
        pid: i32,
        /// The number of the version that it was forked from.
        version: u32,
    },
    /// Where workers see that neither a listener nor a handler is left.
    Lifeline {
        /// The descriptor that these two hold.
        holds: u32,
        /// The descriptor that workers watch.
        ends: u32,
    },
}

/// A worker with its client, and what it takes to watch it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Whom it serves.
    pub client: Client,
    /// The number of the version that it was forked from.
    pub version: u32,
    /// Of one that is not the listener's child: when its process was started, in ticks since the machine was.
    pub started: Option<u64>,
}

/// Why a state cannot be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandoverError {
    /// It has another format.
    Format(u32),
    /// It is damaged, or holds what only a newer program knows.
    Unknown,
}

impl std::fmt::Display for HandoverError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HandoverError::Format(found) => {
                write!(f, "the running backend hands over its state in format {found}, this program knows {FORMAT}")
            }
            HandoverError::Unknown => f.write_str("the running backend hands over what this program does not know"),
        }
    }
}

impl std::error::Error for HandoverError {}

/// A state to be written.
#[derive(Clone, Debug, Default)]
pub struct State {
    bytes: Vec<u8>,
}

impl State {
    /// One that says which program wrote it.
    pub fn new(version: &str) -> State {
        let mut state = State::default();
        state.put(&Item::Format { format: FORMAT, version: version.to_owned() });
        state
    }

    /// Appends an item.
    pub fn put(&mut self, item: &Item) {
        put_control(&mut self.bytes, item);
    }

    /// What is to be sealed.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl From<Vec<u8>> for State {
    /// To be added to.
    fn from(bytes: Vec<u8>) -> State {
        State { bytes }
    }
}

/// Reads a state; the format is checked and left out.
///
/// # Errors
/// It was written by a program that does this in another way.
pub fn items(mut bytes: &[u8]) -> Result<Vec<Item>, HandoverError> {
    let mut reader = FrameReader::new();
    let mut items = Vec::new();
    let mut format = None;
    while !bytes.is_empty() {
        // Reading from memory does not fail.
        let _ = reader.fill(|buffer| std::io::Read::read(&mut bytes, buffer));
        while let Some(frame) = reader.next_frame().map_err(|_| HandoverError::Unknown)? {
            match frame.control::<Item>().map_err(|_| HandoverError::Unknown)? {
                Item::Format { format: found, .. } if found != FORMAT => return Err(HandoverError::Format(found)),
                Item::Format { format: found, .. } => format = Some(found),
                _ if format.is_none() => return Err(HandoverError::Unknown),
                item => items.push(item),
            }
        }
    }
    match reader.rest().is_empty() && format.is_some() {
        true => Ok(items),
        false => Err(HandoverError::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(pid: i32) -> Item {
        let address = "192.0.2.1:5000".parse().unwrap();
        let client = Client { pid, session: 7, door: 0, address, at: crate::Time(5) };
        Item::Worker(Worker { client, version: 0, started: None })
    }

    #[test]
    fn many_items_come_out_as_they_went_in() {
        let mut state = State::new("1.2.3");
        let written: Vec<Item> = (0..50_000).map(worker).collect();
        written.iter().for_each(|item| state.put(item));
        let bytes = state.into_bytes();
        assert!(bytes.len() < MOST / 20);
        assert!(items(&bytes).unwrap() == written);
    }

    #[test]
    fn another_format_damage_and_nothing_are_refused() {
        let mut bytes = Vec::new();
        put_control(&mut bytes, &Item::Format { format: FORMAT + 1, version: "9".into() });
        assert_eq!(items(&bytes), Err(HandoverError::Format(FORMAT + 1)));
        assert_eq!(items(&[]), Err(HandoverError::Unknown));
        let mut state = State::new("1");
        state.put(&worker(1));
        let bytes = state.into_bytes();
        for cut in 1..bytes.len() {
            // Cut between two items it is a shorter state.
            assert!(items(&bytes[..cut]).is_err() || items(&bytes[..cut]).is_ok_and(|items| items.is_empty()));
        }
        let mut unknown = State::new("1").into_bytes();
        put_control(&mut unknown, &200u8);
        assert_eq!(items(&unknown), Err(HandoverError::Unknown));
    }
}
