//! One page of memory for a secret that must not reach a disk: never swapped out, in no core file, wiped before it is given
//! back. A worker keeps there what its client has typed to log in to a game.
//!
//! The page is shared by its descriptor: a worker that moves to a new program hands that over, and the new one locks a mapping of
//! its own while the old one still has its. So it is locked at every moment.
//!
//! Layout: a word with the number of bytes, then the bytes.

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mlock, mmap, munmap};
use nix::unistd::{Whence, ftruncate, lseek};
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering, compiler_fence};

/// Where the bytes begin.
const HEADER: usize = 8;

/// The smallest page that a machine has.
const SMALLEST: usize = 4096;

/// The seals that a page has: nobody can make it shorter under whoever has mapped it, or longer than what is locked.
fn seals() -> SealFlag {
    SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL
}

/// The length of this machine's pages, bytes: what the limit on locked memory is counted in.
pub fn page_size() -> usize {
    // SAFETY: it looks a number up and touches no memory of ours.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).map_or(SMALLEST, |size| size.max(SMALLEST))
}

/// A locked page. Wiped when dropped, in all processes that share it: see [`LockedPage::leave`].
pub struct LockedPage {
    mapping: Mapping,
    fd: OwnedFd,
    /// Another process has it now.
    left: bool,
}

/// What is given back to the kernel when dropped, and with that no longer locked.
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: whoever has the value has the mapping; it refers to no thread.
unsafe impl Send for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `LockedPage::map` with this length, and nothing that points into it outlives its owner.
        let _ = unsafe { munmap(self.start.cast(), self.length) };
    }
}

impl LockedPage {
    /// How many bytes there is room for.
    pub const MOST: usize = SMALLEST - HEADER;

    /// A new page, empty.
    ///
    /// # Errors
    /// The kernel's: without a descriptor or memory, or where this process may lock none (`RLIMIT_MEMLOCK`). Then there is no
    /// safe place, and nothing should be kept.
    pub fn new() -> io::Result<LockedPage> {
        let fd = memfd_create(c"locked", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        let length = page_size();
        ftruncate(&fd, libc::off_t::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?)?;
        fcntl(&fd, FcntlArg::F_ADD_SEALS(seals()))?;
        LockedPage::map(fd, length)
    }

    /// The page of another process, with what is in it. That process keeps its own mapping until this has returned.
    ///
    /// # Errors
    /// `InvalidData` for what is no such page; the kernel's, as for a new one.
    pub fn from_descriptor(fd: OwnedFd) -> io::Result<LockedPage> {
        let found = fcntl(&fd, FcntlArg::F_GET_SEALS)?;
        // Not `fstat`: some C libraries make a call of it that takes paths as well, which no worker may make.
        let length = usize::try_from(lseek(&fd, 0, Whence::SeekEnd)?).unwrap_or(0);
        if !SealFlag::from_bits_truncate(found).contains(seals()) || length != page_size() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no locked page"));
        }
        LockedPage::map(fd, length)
    }

    fn map(fd: OwnedFd, length: usize) -> io::Result<LockedPage> {
        let bytes = NonZeroUsize::new(length).ok_or(io::ErrorKind::InvalidInput)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists. The file cannot shrink under it:
        // it is sealed.
        let start = unsafe { mmap(None, bytes, protection, MapFlags::MAP_SHARED, &fd, 0) }?;
        // Unmapped again whatever happens, without a look at what is in it.
        let mapping = Mapping { start: start.cast(), length };
        // SAFETY: just mapped, with this length; it is advice about core files and changes no byte.
        unsafe { madvise(start, length, MmapAdvise::MADV_DONTDUMP) }?;
        // SAFETY: just mapped, with this length.
        unsafe { mlock(start, length) }?;
        Ok(LockedPage { mapping, fd, left: false })
    }

    fn count(&self) -> &AtomicU64 {
        // SAFETY: the page is mapped as long as `self`, aligned, and its first word is only used as an atomic or wiped by
        // whoever has `self` alone.
        unsafe { AtomicU64::from_ptr(self.mapping.start.as_ptr().cast()) }
    }

    /// Puts these bytes in the place of what was there; false when they are more than [`LockedPage::MOST`], and then nothing is
    /// changed.
    pub fn put(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > LockedPage::MOST {
            return false;
        }
        self.wipe();
        // SAFETY: `bytes` has room between the header and the end of the page, and is no part of it: what is lent out of
        // it is not lent while `self` is changed.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.mapping.start.as_ptr().add(HEADER), bytes.len()) };
        self.count().store(bytes.len() as u64, Ordering::Release);
        true
    }

    /// What is there.
    pub fn bytes(&self) -> &[u8] {
        let count = usize::try_from(self.count().load(Ordering::Acquire)).unwrap_or(usize::MAX).min(LockedPage::MOST);
        // SAFETY: `count` bytes lie between the header and the end of the page, which is mapped as long as `self`. Another
        // process that has the page is one that hands it over, or was handed it: only one of the two writes, and not while
        // the other one reads.
        unsafe { std::slice::from_raw_parts(self.mapping.start.as_ptr().add(HEADER), count) }
    }

    /// Forgets what is there, for all processes that share it.
    pub fn wipe(&mut self) {
        self.count().store(0, Ordering::Relaxed);
        for at in 0..self.mapping.length {
            // SAFETY: inside the mapping. Volatile: it has to be written though nobody reads it.
            unsafe { self.mapping.start.as_ptr().add(at).write_volatile(0) };
        }
        compiler_fence(Ordering::SeqCst);
    }

    /// For handing it over to another process.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Gives it up without wiping it: it is another process's now, which has said that it has it.
    pub fn leave(mut self) {
        self.left = true;
    }
}

impl Drop for LockedPage {
    fn drop(&mut self) {
        if !self.left {
            self.wipe();
        }
    }
}

/// Shows nothing of what is there.
impl fmt::Debug for LockedPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockedPage").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read;
    use std::io::Seek;

    /// All that is in the memory, as another process would see it.
    fn memory(fd: &OwnedFd) -> Vec<u8> {
        let mut file = File::from(fd.try_clone().unwrap());
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn shared(page: &LockedPage) -> OwnedFd {
        page.descriptor().try_clone_to_owned().unwrap()
    }

    #[test]
    fn what_is_put_there_is_there_and_what_was_there_is_gone() {
        let mut page = LockedPage::new().unwrap();
        assert_eq!(page.bytes(), b"");
        assert!(page.put(b"connect bob hunter2"));
        assert_eq!(page.bytes(), b"connect bob hunter2");
        assert!(page.put(b"short"));
        assert_eq!(page.bytes(), b"short");
        assert!(!memory(&shared(&page)).windows(7).any(|bytes| bytes == b"hunter2"));
        assert!(page.put(&[7; LockedPage::MOST]) && !page.put(&[8; LockedPage::MOST + 1]));
        assert_eq!(page.bytes(), [7; LockedPage::MOST]);
        page.wipe();
        assert_eq!((page.bytes(), memory(&shared(&page)).iter().all(|byte| *byte == 0)), (&b""[..], true));
    }

    #[test]
    fn it_is_locked_and_no_part_of_a_core_file() {
        let page = LockedPage::new().unwrap();
        let start = format!("{:x}-", page.mapping.start.as_ptr() as usize);
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let own = maps.split_once(&start).unwrap().1;
        let flags = own.lines().find(|line| line.starts_with("VmFlags:")).unwrap();
        for flag in [" lo", " dd", " sh"] {
            assert!(flags.contains(flag), "{flag} in {flags}");
        }
    }

    #[test]
    fn who_it_is_handed_over_to_has_what_is_in_it() {
        let mut first = LockedPage::new().unwrap();
        first.put(b"connect bob hunter2");
        let second = LockedPage::from_descriptor(shared(&first)).unwrap();
        first.leave();
        assert_eq!(second.bytes(), b"connect bob hunter2");
        let looked_at = shared(&second);
        drop(second);
        assert!(memory(&looked_at).iter().all(|byte| *byte == 0), "wiped with the last owner");
    }

    #[test]
    fn what_is_no_such_page_is_refused() {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let of_length = |length: usize, sealed: SealFlag| {
            let fd = memfd_create(c"test", flags).unwrap();
            ftruncate(&fd, length as libc::off_t).unwrap();
            fcntl(&fd, FcntlArg::F_ADD_SEALS(sealed)).unwrap();
            LockedPage::from_descriptor(fd).is_ok()
        };
        assert!(of_length(page_size(), seals()));
        assert!(!of_length(page_size(), SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL));
        assert!(!of_length(2 * page_size(), seals()));
        assert!(!of_length(0, seals()));
        assert!(LockedPage::from_descriptor(File::open("/dev/null").unwrap().into()).is_err());
    }

    #[test]
    fn a_count_that_somebody_else_has_changed_leads_nowhere_outside() {
        let page = LockedPage::new().unwrap();
        page.count().store(u64::MAX, Ordering::Relaxed);
        assert_eq!(page.bytes().len(), LockedPage::MOST);
    }

    #[test]
    fn debug_shows_nothing() {
        let mut page = LockedPage::new().unwrap();
        page.put(b"hunter2");
        assert_eq!(format!("{page:?}"), "LockedPage { .. }");
    }
}
