//! What a worker sends over the front desk: the first byte of a message says what it is.

/// One end of a link comes along.
pub const LINK: u8 = b'L';

/// The worker has panicked; the rest is where, as `file:line:column`.
pub const PANICKED: u8 = b'P';

/// Bytes of a message, at the most; the rest of a longer one is lost.
pub const LONGEST: usize = 200;
