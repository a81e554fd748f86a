//! MCCP2 and MCCP3, as streams that come in. Runs in the worker.
//!
//! An [`Inflater`] is put away as it was at the last end of a block, with the 32 KiB to which the next block may refer, and with
//! what has come of that one. Whoever sends ends a block with each of his writes, so that this is nearly always nothing. The one
//! who goes on reads it again, and passes over what was made of it before.

mod kept;
mod since;

use std::fmt;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress_with_limit};
use since::Since;

/// How far back a block may refer.
const WINDOW: usize = 32 * 1024;

/// Bytes that are made at once. So many of the window are copied before, whether they are needed or not.
const PIECE: usize = 2 * 1024;

/// Why [`Inflater::next`] has come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inflated {
    /// The input is used up.
    Used,
    /// As much has come of it as was allowed: there is more, though perhaps of no more input.
    More,
    /// The stream has ended. What is left of the input is not compressed, and telnet as before.
    Ended,
}

/// What came is no zlib stream, or one that is damaged. There is no way back: the connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was to be compressed cannot be read")
    }
}

impl std::error::Error for Damaged {}

/// Where in a stream an [`Inflater`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between two blocks, or before the first one.
    Between,
    Within,
    Ended,
    Damaged,
}

/// Reads what is compressed. Takes 45 KiB, and up to 96 more within a block that does not end.
pub struct Inflater {
    machine: Box<DecompressorOxide>,
    /// What was read last, as a ring. Empty until something comes.
    window: Vec<u8>,
    /// Where in the ring the next byte goes.
    at: usize,
    /// The ring has been filled once.
    full: bool,
    place: Place,
    /// Something of the stream has come.
    begun: bool,
    /// What has come of the block that has begun.
    since: Since,
    /// Input that another one has had, and that is to be read again.
    again: Vec<u8>,
}

impl Inflater {
    /// The beginning of a stream. Not part of any caller: who never inflates is not to have the room for it on his stack.
    #[must_use]
    #[inline(never)]
    pub fn new() -> Self {
        Self {
            machine: Box::default(),
            window: Vec::new(),
            at: 0,
            full: false,
            place: Place::Between,
            begun: false,
            since: Since::default(),
            again: Vec::new(),
        }
    }

    /// Appends to `out` what the input holds, at most `most` bytes more, and takes from the input what it used.
    ///
    /// # Errors
    /// [`Damaged`] if this is no zlib stream, now and at every later call.
    pub fn next(&mut self, input: &mut &[u8], out: &mut Vec<u8>, most: usize) -> Result<Inflated, Damaged> {
        let before = out.len();
        if !self.again.is_empty() {
            let again = std::mem::take(&mut self.again);
            let mut left = again.as_slice();
            let inflated = self.inflate(&mut left, out, most);
            self.again = left.to_vec();
            if inflated != Ok(Inflated::Used) {
                return inflated;
            }
        }
        self.inflate(input, out, most.saturating_sub(out.len() - before))
    }

    /// Whether it can be put away: not within a block of which more has come than is kept, 64 KiB that have become 1 MiB. What is
    /// put away there is [`Damaged`] when it is gone on with.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.place != Place::Within || self.since.is_kept()
    }

    fn inflate(&mut self, input: &mut &[u8], out: &mut Vec<u8>, most: usize) -> Result<Inflated, Damaged> {
        let mut left = most;
        loop {
            match self.place {
                Place::Ended => return Ok(Inflated::Ended),
                Place::Damaged => return Err(Damaged),
                Place::Between if input.is_empty() => return Ok(Inflated::Used),
                Place::Between | Place::Within if left == 0 => return Ok(Inflated::More),
                Place::Between | Place::Within => {}
            }
            let (status, count) = self.read(input, left.min(PIECE), out);
            left = left.saturating_sub(count);
            if status == TINFLStatus::NeedsMoreInput {
                return Ok(Inflated::Used);
            }
        }
    }

    /// Reads up to the end of a block, of the window, or of what is allowed. Returns how many bytes came of it.
    fn read(&mut self, input: &mut &[u8], most: usize, out: &mut Vec<u8>) -> (TINFLStatus, usize) {
        const FLAGS: u32 = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
        if self.window.is_empty() {
            // Zeroes of the kernel: what is never written takes no memory.
            self.window = vec![0; WINDOW];
        }
        self.begun = true;
        let most = most.min(WINDOW - self.at);
        self.since.covers(self.window.get(self.at..self.at + most).unwrap_or_default());
        let (status, used, count) =
            decompress_with_limit(&mut self.machine, input, &mut self.window, self.at, most, FLAGS);
        let (taken, rest) = input.split_at_checked(used).unwrap_or((input, &[]));
        *input = rest;
        let end = self.at + count;
        out.extend_from_slice(self.window.get(self.at..end).unwrap_or_default());
        self.full |= end == WINDOW;
        self.at = end % WINDOW;
        self.place = match status {
            TINFLStatus::Done => Place::Ended,
            TINFLStatus::BlockBoundary => Place::Between,
            TINFLStatus::HasMoreOutput | TINFLStatus::NeedsMoreInput => Place::Within,
            _ => Place::Damaged,
        };
        match self.place {
            Place::Within => self.since.goes_on(taken, count),
            Place::Between => self.since.begins_at(self.machine.block_boundary_state(), self.full),
            Place::Ended | Place::Damaged => self.since = Since::default(),
        }
        (status, count)
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows nothing of what was read.
impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("place", &self.place).finish_non_exhaustive()
    }
}
