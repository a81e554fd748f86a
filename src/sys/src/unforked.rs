//! Memory that a forked child does not get: whatever the listener changes while it makes workers. A child has no use for it,
//! and the kernel would have to copy every page that the parent changes while children live.

use allocator_api2::alloc::{AllocError, Allocator};
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous, munmap};
use std::alloc::Layout;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

/// Gives every block pages of its own, which are not there in a forked child. For few, large, long-lived blocks: the
/// smallest is a page. A child that touches one is ended by the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unforked;

const PAGE: usize = 4096;

/// A value that children do not get.
pub type UnforkedBox<T> = allocator_api2::boxed::Box<T, Unforked>;

/// A list that children do not get. It is to have its room from the beginning: where it grows, it moves.
pub type UnforkedVec<T> = allocator_api2::vec::Vec<T, Unforked>;

fn rounded(layout: Layout) -> Option<NonZeroUsize> {
    NonZeroUsize::new(layout.size().checked_next_multiple_of(PAGE)?)
}

// SAFETY: every block is a mapping of its own, at least as long as asked for, aligned to a page, and stays where it is
// until `deallocate`; the allocator has no state, so copies of it are the same allocator.
unsafe impl Allocator for Unforked {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if layout.align() > PAGE {
            return Err(AllocError);
        }
        let Some(length) = rounded(layout) else {
            return Ok(NonNull::slice_from_raw_parts(NonNull::<u64>::dangling().cast(), 0));
        };
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists.
        let start =
            unsafe { mmap_anonymous(None, length, protection, MapFlags::MAP_PRIVATE) }.map_err(|_| AllocError)?;
        // SAFETY: the range is the mapping just made. Without the advice all works as well, only more is copied.
        let _ = unsafe { madvise(start, length.get(), MmapAdvise::MADV_DONTFORK) };
        Ok(NonNull::slice_from_raw_parts(start.cast(), length.get()))
    }

    unsafe fn deallocate(&self, start: NonNull<u8>, layout: Layout) {
        if let Some(length) = rounded(layout) {
            // SAFETY: the caller gives back what `allocate` has mapped with this length. An error would mean that it is
            // not mapped any more.
            let _ = unsafe { munmap(start.cast(), length.get()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hashbrown::HashMap;

    #[test]
    fn a_table_grows_and_shrinks_in_it() {
        let mut table: HashMap<u32, u64, hashbrown::DefaultHashBuilder, Unforked> = HashMap::new_in(Unforked);
        for i in 0..10_000 {
            table.insert(i, u64::from(i) * 2);
        }
        for i in 0..10_000 {
            assert_eq!(table.remove(&i), Some(u64::from(i) * 2));
        }
        table.shrink_to_fit();
        assert!(table.is_empty());
    }
}
