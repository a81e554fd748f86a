//! The heap of a process that is forked for every client: what is free in it is used up, so that a child's first blocks lie side by
//! side on new pages, and not here and there on pages that it would then have for itself. Runs in the listener.

/// Uses up what is free between the blocks that are in use; nothing of it is given back. Does nothing with a C library that is
/// not known to gain by it.
#[cfg(target_env = "gnu")]
pub fn settle_heap() {
    use nix::libc;
    /// The longest block that the library keeps ready, bytes, and the step between two lengths.
    const LONGEST: usize = 1024;
    const STEP: usize = 16;
    /// Blocks that are taken at the most: a heap that has more free is no listener's.
    const MOST: usize = 1 << 14;
    // SAFETY: it sets a number of the allocator's: no lists of small free blocks, which it would go through, all over the heap,
    // for any long one.
    unsafe { libc::mallopt(libc::M_MXFAST, 0) };
    // SAFETY: both only look; one where the heap ends, the other how much is free there.
    let end = unsafe { libc::sbrk(0).addr().saturating_sub(libc::mallinfo2().keepcost) };
    let mut left = MOST;
    // The longest first: so each hole is filled by what fits best.
    for length in (1..=LONGEST / STEP).rev().map(|steps| steps * STEP - STEP / 2) {
        while left > 0 {
            left -= 1;
            // SAFETY: the block is nobody else's, and stays taken for ever.
            let block = unsafe { libc::malloc(length) };
            if block.is_null() || block.addr() >= end {
                break;
            }
        }
    }
}

/// Does nothing with this C library.
#[cfg(not(target_env = "gnu"))]
pub fn settle_heap() {}
