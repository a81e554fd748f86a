//! MCCP2 and MCCP3, as streams that go out: what is behind `IAC SB 86 IAC SE` from a server, and behind `IAC SB 87 IAC SE` from a
//! client, is one zlib stream (RFC 1950) until that ends. Runs in the worker.
//!
//! A [`Deflater`] is put away behind each of its writes, with a check sum and nothing else: what comes next refers to nothing
//! before it. So its reader sees no end of the stream where another process goes on; there are programs that lose what comes
//! together with an end.

use std::fmt;

use adler2::Adler32;
use miniz_oxide::DataFormat;
use miniz_oxide::deflate::CompressionLevel;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, compress_to_output};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    /// The beginning of a stream. Not part of any caller: who never compresses is not to have the room for it on his stack.
    #[must_use]
    #[inline(never)]
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
