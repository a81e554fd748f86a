//! What a worker sends to the rendezvous. That is a socket pair which the listener makes before all else: every worker holds
//! the end to send to, every handler the end to receive from, so that a worker can hand over its link whichever handler
//! lives. The first byte of a message says what it is. Used in worker and handler.

/// One end of a link comes along.
pub const LINK: u8 = b'L';

/// The worker has panicked; the rest is where, as `file:line:column`.
pub const PANICKED: u8 = b'P';

/// The worker of the metrics' door wants the numbers: one end of a stream comes along, on which an
/// [`Answer`](crate::ctl::Answer) is written, as a control frame. Nothing else is read or written there.
pub const NUMBERS: u8 = b'N';

/// Bytes of a message, at the most; the rest of a longer one is lost.
pub const LONGEST: usize = 200;
