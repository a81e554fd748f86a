//! Memory that a process and its children both see, as it is and as it becomes: for what two processes of one program tell each
//! other beside a socket.

use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous, munmap};
use std::io;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::ptr::NonNull;

/// The smallest page that a machine has; of a longer one the rest is nobody's.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);

/// A page. What is in it is read and written as by several threads: it is a thing of atomics.
pub struct SharedPage<T: Sync> {
    start: NonNull<T>,
}

impl<T: Sync> SharedPage<T> {
    /// A new one.
    ///
    /// # Errors
    /// The kernel's, when there is no room for it.
    pub fn new(value: T) -> io::Result<SharedPage<T>> {
        const { assert!(size_of::<T>() <= PAGE.get() && align_of::<T>() <= PAGE.get() && !std::mem::needs_drop::<T>()) };
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists.
        let start = unsafe { mmap_anonymous(None, PAGE, protection, MapFlags::MAP_SHARED) }?.cast::<T>();
        // SAFETY: long enough and aligned, as was asserted, and nobody else knows it yet.
        unsafe { start.write(value) };
        Ok(SharedPage { start })
    }

    /// Children that are forked from now on do not see it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn keep(&self) -> io::Result<()> {
        // SAFETY: the mapping that `new` has made; the advice changes nothing in this process.
        Ok(unsafe { madvise(self.start.cast(), PAGE.get(), MmapAdvise::MADV_DONTFORK) }?)
    }
}

impl<T: Sync> Deref for SharedPage<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: mapped and filled by `new`, and mapped as long as `self` is. Another process changes it as another thread would.
        unsafe { self.start.as_ref() }
    }
}

impl<T: Sync> Drop for SharedPage<T> {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, and nothing refers to it without `self`. Others keep theirs.
        let _ = unsafe { munmap(self.start.cast(), PAGE.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::wait::{WaitStatus, waitpid};
    use std::sync::atomic::{AtomicI32, Ordering};

    #[test]
    fn a_child_sees_what_is_written_and_says_something_back() {
        let page = SharedPage::new(AtomicI32::new(1)).unwrap();
        page.store(7, Ordering::SeqCst);
        let (child, _) = crate::fork_once(&page, |page| crate::exit_now(page.swap(8, Ordering::SeqCst))).unwrap();
        assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 7));
        assert_eq!(page.load(Ordering::SeqCst), 8);
    }
}
