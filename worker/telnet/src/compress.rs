//! MCCP2 and MCCP3, as streams: what is behind `IAC SB 86 IAC SE` from a server, and behind `IAC SB 87 IAC SE` from a client,
//! is one zlib stream (RFC 1950) until that ends. Runs in the worker.
//!
//! An [`Inflater`] is put away between two blocks of its stream, with the 32 KiB to which the next block may refer. Whoever
//! sends ends a block with each of its writes, so that this is nearly always.
//!
//! A [`Deflater`] is put away behind each of its writes, with a check sum and nothing else: what comes next refers to nothing
//! before it. So its reader sees no end of the stream where another process goes on; there are programs that lose what comes
//! together with an end.

use std::fmt;

use adler2::Adler32;
use miniz_oxide::DataFormat;
use miniz_oxide::deflate::CompressionLevel;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, compress_to_output};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY,
};
use miniz_oxide::inflate::core::{BlockBoundaryState, DecompressorOxide, decompress_with_limit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How far back a block may refer.
const WINDOW: usize = 32 * 1024;

/// Bytes of one block. Of the library's buffers only as much is ever touched as a block needs, and an end of a block has five
/// bytes.
const BLOCK: usize = 8 * 1024;

/// What a stream begins with: a window of 32 KiB, and the fastest level.
const HEADER: [u8; 2] = [0x78, 0x01];

/// Compresses what is sent. Takes up to 265 KiB: the library's
/// fastest level needs the least.
pub struct Deflater {
    /// It writes blocks alone, as it has no way to begin with the check sum of another one.
    compressor: Box<CompressorOxide>,
    /// The check sum of all that was compressed, also before it was put away.
    sum: Adler32,
    /// The stream has its header.
    begun: bool,
}

impl Deflater {
    /// The beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        let compressor = CompressorOxide::with_format_and_level(DataFormat::Raw, CompressionLevel::BestSpeed);
        Self { compressor: Box::new(compressor), sum: Adler32::new(), begun: false }
    }

    /// Compresses all of `text`, and what the peer needs to read it at once.
    pub fn write(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for block in text.chunks(BLOCK) {
            self.compress(block, TDEFLFlush::Sync, out);
        }
    }

    /// Compresses what stands in `out` from `from` on, in its place.
    pub fn seal(&mut self, out: &mut Vec<u8>, from: usize) {
        if from < out.len() {
            let text = out.split_off(from);
            self.write(&text, out);
        }
    }

    /// Ends the stream: what is written behind it is not compressed.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.compress(&[], TDEFLFlush::Finish, out);
        out.extend_from_slice(&self.sum.checksum().to_be_bytes());
    }

    fn compress(&mut self, text: &[u8], flush: TDEFLFlush, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(&HEADER);
        }
        self.sum.write_slice(text);
        compress_to_output(&mut self.compressor, text, flush, |bytes| {
            out.extend_from_slice(bytes);
            true
        });
    }
}

impl Default for Deflater {
    fn default() -> Self {
        Self::new()
    }
}

/// What a [`Deflater`] is put away as.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptDeflater {
    /// The check sum so far; nothing before the stream has its header.
    sum: Option<u32>,
}

impl From<KeptDeflater> for Deflater {
    fn from(KeptDeflater { sum }: KeptDeflater) -> Self {
        let new = Self::new();
        match sum {
            Some(sum) => Self { sum: Adler32::from_checksum(sum), begun: true, ..new },
            None => new,
        }
    }
}

impl Serialize for Deflater {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        KeptDeflater { sum: self.begun.then(|| self.sum.checksum()) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Deflater {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(KeptDeflater::deserialize(deserializer)?.into())
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").finish_non_exhaustive()
    }
}

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

/// Reads what is compressed. Takes 43 KiB.
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
}

impl Inflater {
    /// The beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self { machine: Box::default(), window: Vec::new(), at: 0, full: false, place: Place::Between, begun: false }
    }

    /// Appends to `out` what the input holds, at most `most` bytes more, and takes from the input what it used.
    ///
    /// # Errors
    /// [`Damaged`] if this is no zlib stream, now and at every later call.
    pub fn next(&mut self, input: &mut &[u8], out: &mut Vec<u8>, most: usize) -> Result<Inflated, Damaged> {
        let mut left = most;
        loop {
            match self.place {
                Place::Ended => return Ok(Inflated::Ended),
                Place::Damaged => return Err(Damaged),
                Place::Between if input.is_empty() => return Ok(Inflated::Used),
                Place::Between | Place::Within if left == 0 => return Ok(Inflated::More),
                Place::Between | Place::Within => {}
            }
            let (status, count) = self.read(input, left, out);
            left = left.saturating_sub(count);
            self.place = match status {
                TINFLStatus::Done => Place::Ended,
                TINFLStatus::BlockBoundary => Place::Between,
                TINFLStatus::HasMoreOutput | TINFLStatus::NeedsMoreInput => Place::Within,
                _ => Place::Damaged,
            };
            if status == TINFLStatus::NeedsMoreInput {
                return Ok(Inflated::Used);
            }
        }
    }

    /// Whether it can be put away: between two blocks. What is put away elsewhere is [`Damaged`] when it is gone on with.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.place != Place::Within
    }

    /// Reads up to the end of a block, of the window, or of what is allowed. Returns how many bytes came of it.
    fn read(&mut self, input: &mut &[u8], most: usize, out: &mut Vec<u8>) -> (TINFLStatus, usize) {
        const FLAGS: u32 = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
        if self.window.is_empty() {
            // Zeroes of the kernel: what is never written takes no memory.
            self.window = vec![0; WINDOW];
        }
        self.begun = true;
        let (status, used, count) =
            decompress_with_limit(&mut self.machine, input, &mut self.window, self.at, most, FLAGS);
        *input = input.get(used..).unwrap_or_default();
        let end = self.at + count;
        out.extend_from_slice(self.window.get(self.at..end).unwrap_or_default());
        self.full |= end == WINDOW;
        self.at = end % WINDOW;
        (status, count)
    }

    fn put_away(&self) -> Kept {
        let place = match self.place {
            Place::Between if !self.begun => KeptPlace::Begin,
            Place::Between => match self.machine.block_boundary_state() {
                Some(boundary) => KeptPlace::Between {
                    bits: boundary.num_bits,
                    buffer: boundary.bit_buf,
                    header: [boundary.z_header0, boundary.z_header1],
                    sum: boundary.check_adler32,
                },
                None => KeptPlace::Damaged,
            },
            Place::Ended => KeptPlace::Ended,
            Place::Within | Place::Damaged => KeptPlace::Damaged,
        };
        let window = match self.place {
            Place::Between => {
                let (head, tail) = self.window.split_at_checked(self.at).unwrap_or_default();
                [if self.full { tail } else { &[] }, head].concat()
            }
            Place::Within | Place::Ended | Place::Damaged => Vec::new(),
        };
        Kept { place, window }
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

/// What an [`Inflater`] is put away as: what RFC 1950 and 1951 speak of, and nothing of the library, which may be another one
/// in the program that goes on.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    place: KeptPlace,
    /// The last bytes that were read, at most 32 KiB.
    window: Vec<u8>,
}

#[derive(Default, Serialize, Deserialize)]
enum KeptPlace {
    #[default]
    Begin,
    Between {
        /// Bits of the last byte that belong to the next block.
        bits: u8,
        buffer: u8,
        /// The two bytes that the stream has begun with.
        header: [u32; 2],
        /// The check sum so far.
        sum: u32,
    },
    Ended,
    Damaged,
}

impl From<Kept> for Inflater {
    fn from(Kept { place, mut window }: Kept) -> Self {
        let mut inflater = Self::new();
        match place {
            KeptPlace::Begin => return inflater,
            KeptPlace::Between { bits, buffer, header: [z_header0, z_header1], sum }
                if bits < 8 && window.len() <= WINDOW =>
            {
                let boundary =
                    BlockBoundaryState { num_bits: bits, bit_buf: buffer, z_header0, z_header1, check_adler32: sum };
                *inflater.machine = DecompressorOxide::from_block_boundary_state(&boundary);
                inflater.full = window.len() == WINDOW;
                inflater.at = window.len() % WINDOW;
                window.resize(WINDOW, 0);
                inflater.window = window;
            }
            KeptPlace::Between { .. } | KeptPlace::Damaged => inflater.place = Place::Damaged,
            KeptPlace::Ended => inflater.place = Place::Ended,
        }
        inflater.begun = true;
        inflater
    }
}

impl Serialize for Inflater {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.put_away().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Inflater {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Kept::deserialize(deserializer)?.into())
    }
}
