//! What a worker leaves to one of another program that goes on with its client, and how the two settle whose the client is.
//!
//! The old one, when it is quiet, sends the listener its client's socket, this state in sealed memory, one end of a socket
//! pair between the two, and what else belongs to the state: its link if it has one, and what belongs to a world. The
//! new one says over the pair that it [could](COULD), the old one that the client [is the other's](YOURS) from then on,
//! which is its last act, or that it [keeps](MINE) it. Until then the new one neither reads from the client nor writes to
//! it. An old one that ends without a word has died: nobody else is left.
//!
//! A state is a control frame that names its format, and one JSON object: what each layer is, as the layer itself has it.
//! JSON knows the names of fields, so that one more is one line in its layer's struct: a state of an older program has the
//! default in its place, and an older program passes over it. Programs before this format put away [items](before).

mod before;
#[cfg(test)]
mod tests;

use super::handing::Handed;
use super::subscriptions::Subscriptions;
use crate::peer::Kept;
use crate::play::sharing;
use crate::session::Session;
use before::Item;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::frame::{HEADER, put_control};
use ssmglobal_sys::sealed::{read_sealed, sealed};
use std::borrow::Borrow;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// Raised when a state changes in a way that another field cannot express.
const FORMAT: u32 = 3;

/// The same, of a client in the middle of a compressed stream. Programs before it would speak plainly there: they are to
/// refuse it, so that the old worker goes on.
const COMPRESSED: u32 = 4;

/// The longest state that is read, bytes.
pub const MOST: usize = 1 << 20;

/// The most descriptors that go with a state, beside the client's: the state, the way to the old worker, its
/// link, and what belongs to a world that it plays: the connection, a page that holds a login, and the ways to
/// those who share it.
pub const MOST_DESCRIPTORS: usize = 2 + 1 + 2 + sharing::MOST;

/// The new one could go on.
pub const COULD: u8 = b'C';

/// The client is the new one's.
pub const YOURS: u8 = b'Y';

/// The old one keeps the client.
pub const MINE: u8 = b'M';

/// What the listener passes on without a look at it.
#[derive(Debug)]
pub struct Moved {
    /// The state.
    pub memory: OwnedFd,
    /// The way to the old worker.
    pub other: OwnedFd,
    /// What belongs to the state, in the order in which that names it.
    pub rest: Vec<OwnedFd>,
}

impl Moved {
    /// Of what was received behind the client's socket; nothing if that is no state.
    pub fn of(fds: Vec<OwnedFd>) -> Option<Moved> {
        if fds.len() > MOST_DESCRIPTORS {
            return None;
        }
        let mut fds = fds.into_iter();
        Some(Moved { memory: fds.next()?, other: fds.next()?, rest: fds.collect() })
    }

    /// All of them.
    pub fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        [&self.memory, &self.other].into_iter().chain(&self.rest).map(AsRawFd::as_raw_fd)
    }
}

/// All that the new worker has to know: the layers, from the session down.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Left<S = Session, L = Subscriptions, P = Kept, H = Handed> {
    /// Who the client is, and where its conversation with the handler is.
    pub session: S,
    /// What the client listens to, and how far it has heard.
    pub subscriptions: L,
    /// The client. A list, as there could be others once.
    pub peers: Vec<P>,
    /// The link is there too.
    pub link: bool,
    /// The world that the client plays; what belongs to it are the last descriptors.
    pub play: Option<H>,
}

impl<S: Serialize, L: Serialize, P: Serialize + Borrow<Kept>, H: Serialize> Left<S, L, P, H> {
    /// A state as it is written.
    ///
    /// # Errors
    /// It is too long to be read.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        // It never says what could not be written.
        let compressing = self.peers.iter().any(|kept| kept.borrow().is_compressing());
        let json = serde_json::to_vec(self).map_err(|_| wrong("it cannot be written"))?;
        let bytes = written_as(if compressing { COMPRESSED } else { FORMAT }, &json);
        if bytes.len() > MOST { Err(wrong("it is too long")) } else { Ok(bytes) }
    }

    /// Puts a state away.
    ///
    /// # Errors
    /// The kernel's, without a free descriptor or memory; as of [`Left::bytes`].
    pub fn put_away(&self) -> io::Result<OwnedFd> {
        sealed("session", &self.bytes()?)
    }
}

impl Left {
    /// Reads a state.
    ///
    /// # Errors
    /// `InvalidData` for one that this program does not know, that could still be changed, or is no state at all.
    pub fn read(memory: impl AsFd) -> io::Result<Left> {
        read(&read_sealed(memory, MOST)?)
    }
}

/// A state of the format that most have, with this JSON.
pub fn written(json: &[u8]) -> Vec<u8> {
    written_as(FORMAT, json)
}

fn written_as(format: u32, json: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2 * HEADER + json.len());
    put_control(&mut bytes, &Item::<()>::Format { format });
    bytes.extend_from_slice(json);
    bytes
}

/// What is in a state.
///
/// # Errors
/// As of [`Left::read`].
pub fn read(bytes: &[u8]) -> io::Result<Left> {
    let (format, rest) = before::format(bytes)?;
    match format {
        // Nor does it say what could not be read.
        FORMAT | COMPRESSED => serde_json::from_slice(rest).map_err(|_| wrong("it is damaged")),
        before::FORMAT => before::read(rest),
        _ => Err(wrong("it is of another format")),
    }
}

/// What is wrong with a state.
pub fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}
