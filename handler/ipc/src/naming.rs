//! What a worker at a door behind a proxy says to the listener, where workers also hand over their clients: who its client is,
//! as the proxy's header has told. It says so once, before it does anything else, and the listener answers on the descriptor
//! that comes with it. Used in worker and listener.

use crate::Time;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What the message begins with.
const NAME: u8 = b'N';

/// Bytes of a message or an answer, at the most; the rest of a longer one is lost.
pub const LONGEST: usize = 512;

/// Who its client is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// Where the client comes from.
    pub address: SocketAddr,
    /// The number of the door, …
    pub door: u32,
    /// … the time at which it was accepted, …
    pub at: Time,
    /// … and the version of the program: for a listener that has not made this worker itself.
    pub version: String,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Named {
    /// It is let in.
    In {
        /// The number of its session.
        session: u64,
    },
    /// It is not.
    Refused {
        /// What it is told.
        line: String,
    },
}

impl Name {
    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        encoded(vec![NAME], self)
    }

    /// Reads it; nothing where it is something else.
    pub fn of(bytes: &[u8]) -> Option<Name> {
        postcard::from_bytes(bytes.strip_prefix(&[NAME])?).ok()
    }
}

impl Named {
    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        encoded(Vec::new(), self)
    }

    /// Reads it; nothing where it is something else.
    pub fn of(bytes: &[u8]) -> Option<Named> {
        postcard::from_bytes(bytes).ok()
    }
}

fn encoded(front: Vec<u8>, message: &impl Serialize) -> Vec<u8> {
    // Into memory it always works.
    postcard::to_extend(message, front).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood_by_every_program_that_follows() {
        let name = Name {
            address: "[2001:db8::7]:35712".parse().unwrap(),
            door: 1,
            at: Time(1_769_890_500_000),
            version: "1.2.3".to_owned(),
        };
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(&name.bytes()), "4e0120010db800000000000000000000000780970201c0b68edb826705312e322e33");
        assert_eq!(Name::of(&name.bytes()), Some(name));
        assert_eq!((Name::of(b"M"), Name::of(b"N"), Name::of(b"")), (None, None, None));
        for (answer, bytes) in [
            (Named::In { session: 300 }, "00ac02"),
            (Named::Refused { line: "ERROR\r\n".to_owned() }, "01074552524f520d0a"),
        ] {
            assert_eq!(hex(&answer.bytes()), bytes);
            assert_eq!(Named::of(&answer.bytes()), Some(answer));
        }
        assert_eq!(Named::of(b""), None);
    }
}
