//! Memory without a name that one process hands to the next: what is in it outlives the death of whoever wrote it, as long
//! as somebody holds the descriptor.

use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, munmap};
use nix::sys::stat::fstat;
use nix::unistd::ftruncate;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// Makes such memory, empty. `name` is for `/proc`.
///
/// # Errors
/// The kernel's, when there is no memory or no descriptor left.
pub fn make(name: &str) -> io::Result<OwnedFd> {
    Ok(memfd_create(name, MFdFlags::MFD_CLOEXEC)?)
}

/// Such memory, mapped for one process that reads and writes it alone. Bytes that were never written are zero, and take no
/// room.
#[derive(Debug)]
pub struct Memory {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: whoever has the value has the mapping; it refers to no thread.
unsafe impl Send for Memory {}

impl Memory {
    /// Maps it; shorter memory is made as long as `length`, which is a multiple of a page.
    ///
    /// # Errors
    /// The kernel's; `InvalidInput` for an empty length.
    pub fn map(fd: impl AsFd, length: usize) -> io::Result<Memory> {
        let bytes = NonZeroUsize::new(length).ok_or(io::ErrorKind::InvalidInput)?;
        let wanted = libc::off_t::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
        if fstat(&fd)?.st_size < wanted {
            ftruncate(&fd, wanted)?;
        }
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists. Nobody makes the file shorter:
        // whoever has its descriptor is a handler, or a listener that only passes it on.
        let start = unsafe { mmap(None, bytes, protection, MapFlags::MAP_SHARED, fd, 0) }?;
        Ok(Memory { start: start.cast(), length })
    }

    /// Its length, bytes.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The place of `count` bytes, if they are inside.
    fn place(&self, offset: usize, count: usize) -> Option<*mut u8> {
        let end = offset.checked_add(count)?;
        // SAFETY: `offset` is inside the mapping, or at its end.
        (end <= self.length).then(|| unsafe { self.start.as_ptr().add(offset) })
    }

    /// A counter at an offset that is a multiple of 8. Stored last (with `Release`), it tells of everything written before.
    pub fn word(&self, offset: usize) -> Option<&AtomicU64> {
        let place = self.place(offset, 8).filter(|_| offset.is_multiple_of(8))?;
        // SAFETY: inside the mapping, aligned, and only ever used as an atomic or copied by `read` and `write` of the one
        // process that has it.
        Some(unsafe { AtomicU64::from_ptr(place.cast()) })
    }

    /// Copies bytes out; false when they are not all inside.
    pub fn read(&self, offset: usize, bytes: &mut [u8]) -> bool {
        let Some(place) = self.place(offset, bytes.len()) else { return false };
        // SAFETY: the source is inside the mapping, and `bytes` is no part of it.
        unsafe { std::ptr::copy_nonoverlapping(place, bytes.as_mut_ptr(), bytes.len()) };
        true
    }

    /// Copies bytes in; false when there is no room, and then nothing is written.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> bool {
        let Some(place) = self.place(offset, bytes.len()) else { return false };
        // SAFETY: the destination is inside the mapping, and `bytes` is no part of it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
        true
    }

    /// Gives whole pages back; they are zero afterwards. Where the kernel cannot, they stay as they are.
    pub fn give_back(&mut self, offset: usize, count: usize) {
        let Some(place) = self.place(offset, count).and_then(|place| NonNull::new(place.cast())) else { return };
        // SAFETY: the range is inside the mapping, and what was in it is not needed any more.
        let _ = unsafe { madvise(place, count, MmapAdvise::MADV_REMOVE) };
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` with this length, and nothing that points into it outlives `self`.
        let _ = unsafe { munmap(self.start.cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    const PAGE: usize = 4096;

    #[test]
    fn what_one_mapping_has_written_the_next_one_reads() {
        let fd = make("test").unwrap();
        let mut first = Memory::map(&fd, 4 * PAGE).unwrap();
        assert!(first.write(PAGE, b"kept") && !first.write(4 * PAGE - 3, b"kept"));
        first.word(8).unwrap().store(7, Ordering::Release);
        assert!(first.word(4).is_none() && first.word(4 * PAGE).is_none());
        drop(first);
        let mut second = Memory::map(&fd, 8 * PAGE).unwrap();
        let mut bytes = [0; 4];
        assert!(second.read(PAGE, &mut bytes) && !second.read(8 * PAGE, &mut bytes));
        assert_eq!((&bytes, second.word(8).unwrap().load(Ordering::Acquire)), (b"kept", 7));
        second.give_back(PAGE, PAGE);
        assert!(second.read(PAGE, &mut bytes));
        assert_eq!((bytes, second.word(8).unwrap().load(Ordering::Acquire)), ([0; 4], 7));
    }
}
