//! MCCP2 and MCCP3, as streams that go out: what is behind `IAC SB 86 IAC SE` from a server, and behind `IAC SB 87 IAC SE` from a
//! client, is one zlib stream (RFC 1950) until that ends. Runs in the worker.
//!
//! A [`Deflater`] is not put away: its stream is [finished](Deflater::finish), and another one begun, with
//! [`Telnet::begin_compressing`](crate::Telnet::begin_compressing), whenever the owner likes.

use std::fmt;

use miniz_oxide::DataFormat;
use miniz_oxide::deflate::CompressionLevel;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, compress_to_output};

/// Bytes of one block. Of the library's buffers only as much is ever touched as a block needs, and an end of a block has five
/// bytes.
const BLOCK: usize = 8 * 1024;

/// Compresses what is sent. Takes up to 265 KiB: the library's
/// fastest level needs the least.
pub struct Deflater {
    compressor: Box<CompressorOxide>,
}

impl Deflater {
    /// The beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        let compressor = CompressorOxide::with_format_and_level(DataFormat::Zlib, CompressionLevel::BestSpeed);
        Self { compressor: Box::new(compressor) }
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
    }

    fn compress(&mut self, text: &[u8], flush: TDEFLFlush, out: &mut Vec<u8>) {
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

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").finish_non_exhaustive()
    }
}
