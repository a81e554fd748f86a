//! How a worker begins a link, and how it proves to a further handler whose session it has.

use crate::Mode;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The first request on a link. The answer is [`Welcome`](crate::Welcome); what comes behind it is worked on when the
/// listener has confirmed the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The session's number, as the listener gave it.
    pub session: u64,
    /// How the client spoke before the first request that follows.
    pub mode: Mode,
    /// Requests that change something and have smaller numbers may have been done already.
    pub next: u64,
    /// The last one that came; none when no link of this session has come so far.
    pub ticket: Option<Ticket>,
    /// The number of the last push that came; 0 for none.
    pub heard: u64,
    /// Seconds since the client's last request.
    pub idle: u64,
    /// Boards that the client watches.
    pub watches: Vec<String>,
}

/// What only the handler can make and read: who a session is. Given at the session's beginning and whenever that
/// changes, it is worth something only together with the session's own worker. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Ticket(Vec<u8>);

impl Ticket {
    /// Takes over what the handler has sealed.
    pub fn new(sealed: Vec<u8>) -> Ticket {
        Ticket(sealed)
    }

    /// For the handler.
    pub fn sealed(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// What precedes the payload of a request that changes something, in its frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// The answers to all requests up to this number have come: nobody will ask for them again.
    pub acked: u64,
    /// By which the client may repeat the request on another connection.
    pub key: Option<String>,
}
