//! What a worker sends to the rendezvous. That is a socket pair which the listener makes before all else: every worker holds
//! the end to send to, every handler the end to receive from, so that a worker can hand over its link whichever handler
//! lives. The first byte of a message says what it is. Used in worker and handler.

/// One end of a link comes along.
pub const LINK: u8 = b'L';

/// The worker has panicked; the rest is where, as `file:line:column`.
pub const PANICKED: u8 = b'P';

/// The worker of the metrics' door wants the numbers; see [`numbers`].
const NUMBERS: u8 = b'N';

/// What asks for the numbers: one end of a stream comes along, on which an [`Answer`](crate::ctl::Answer) is written, as a control
/// frame. Nothing else is read or written there. `session` is the number that the listener has given the asker: process ids are
/// used again.
pub fn numbers(session: u64) -> [u8; 9] {
    let mut message = [NUMBERS; 9];
    message[1..].copy_from_slice(&session.to_le_bytes());
    message
}

/// The session that asks for the numbers, if this message does.
pub fn asks_for_numbers(message: &[u8]) -> Option<u64> {
    let (&NUMBERS, session) = message.split_first()? else { return None };
    session.try_into().ok().map(u64::from_le_bytes)
}

/// Bytes of a message, at the most; the rest of a longer one is lost.
pub const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_numbers_says_which_session_it_is() {
        assert_eq!(asks_for_numbers(&numbers(0x0102_0304_0506_0708)), Some(0x0102_0304_0506_0708));
        for other in [&b""[..], b"L", b"N", b"N1234567", b"N123456789", b"P12345678"] {
            assert_eq!(asks_for_numbers(other), None);
        }
    }
}
