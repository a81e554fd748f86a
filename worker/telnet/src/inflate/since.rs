//! What has come of a stream since its last block has ended, so that it can be read once more from there. Runs in the worker.

use miniz_oxide::inflate::core::BlockBoundaryState;

use super::{PIECE, WINDOW};

/// Bytes of input that are kept.
pub(super) const INPUT: usize = 64 * 1024;

/// Bytes that may have come of them: somebody makes them once more, and waits for that.
pub(super) const OUTPUT: usize = 1024 * 1024;

/// One block that has begun, or the beginning of a stream.
#[derive(Default)]
pub(super) struct Since {
    /// How the machine was when the block before had ended. None at the beginning of the stream.
    pub(super) boundary: Option<BlockBoundaryState>,
    /// The window had been filled once.
    pub(super) full: bool,
    /// What has come of the block.
    pub(super) input: Vec<u8>,
    /// How many bytes were made of that.
    pub(super) passed: usize,
    /// What stood in the window where these stand now, in the same order.
    covered: Vec<u8>,
    /// Bytes of `covered` that may yet stand there.
    ahead: usize,
    /// It is more than is kept.
    lost: bool,
}

impl Since {
    /// Whether all that is needed is there.
    pub(super) fn is_kept(&self) -> bool {
        !self.lost
    }

    /// At most these bytes of the window are about to be written over.
    pub(super) fn covers(&mut self, window: &[u8]) {
        let room = if self.lost { 0 } else { WINDOW - self.covered.len().min(WINDOW) };
        self.ahead = window.len().min(room);
        self.covered.extend_from_slice(window.get(..self.ahead).unwrap_or_default());
    }

    /// This has come, the block has not ended, and so many bytes were made.
    pub(super) fn goes_on(&mut self, input: &[u8], count: usize) {
        let unused = self.ahead.saturating_sub(count);
        self.covered.truncate(self.covered.len() - unused);
        self.ahead = 0;
        self.passed = self.passed.saturating_add(count);
        if self.lost || self.input.len() + input.len() > INPUT || self.passed > OUTPUT {
            (self.input, self.covered, self.lost) = (Vec::new(), Vec::new(), true);
            return;
        }
        self.input.extend_from_slice(input);
    }

    /// A block has ended: the next one begins here.
    pub(super) fn begins_at(&mut self, boundary: Option<BlockBoundaryState>, full: bool) {
        // Without a boundary there is nothing to go back to.
        (self.lost, self.boundary, self.full) = (boundary.is_none(), boundary, full);
        (self.passed, self.ahead) = (0, 0);
        for bytes in [&mut self.input, &mut self.covered] {
            bytes.clear();
            if bytes.capacity() > 2 * PIECE {
                *bytes = Vec::new();
            }
        }
    }

    /// The window as it was when the block began, the oldest byte first; `at` is where the next byte would go now.
    pub(super) fn window_before(&self, window: &[u8], at: usize) -> Vec<u8> {
        let mut before = window.to_vec();
        let begin = (at + self.passed.div_ceil(WINDOW) * WINDOW).saturating_sub(self.passed) % WINDOW;
        let (behind, around) = self.covered.split_at(self.covered.len().min(WINDOW - begin));
        for (from, bytes) in [(begin, behind), (0, around)] {
            if let Some(place) = before.get_mut(from..from + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
        let (head, tail) = before.split_at_checked(begin).unwrap_or_default();
        [if self.full { tail } else { &[] }, head].concat()
    }
}
