//! Making a process out of this one: a worker out of the listener, above all.
//!
//! A child begins on a stack of its own, and gets none of what its parent has taken out of the memory that children share
//! ([`Unforked`](crate::Unforked), [`keep_stack`]). What is left over is memory that the parent does not write to between two
//! forks. That is the point: the kernel copies a page that one of two processes changes, and what the other one holds from then on
//! is a page that nobody needs.

use crate::page_size;
use nix::errno::Errno;
use nix::libc::{self, c_int, c_void};
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous, mprotect, munmap};
use nix::unistd::Pid;
use std::hint::black_box;
use std::io;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::AtomicI32;

/// The length of a child's stack, bytes: of which it takes what it touches. A thread has twice as much.
const STACK: NonZeroUsize = NonZeroUsize::MIN.saturating_add((1 << 20) - 1);

/// The smallest page that a machine has.
const PAGE: usize = 4096;

/// How the parent hears of the child's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitSignal {
    /// `SIGCHLD`: several may come as one.
    Usual,
    /// A real-time signal: each is queued with the child's id, so that a parent of thousands need not ask the kernel to
    /// look through all of them; see [`Signals::catch_with_children`](crate::Signals::catch_with_children). Such a child
    /// is waited for with `__WALL`.
    Queued,
}

/// The memory that children run on. The process that forks them writes what it gives them to its upper end, and nothing else.
#[derive(Debug)]
pub struct ChildStack {
    start: NonNull<c_void>,
}

impl ChildStack {
    /// Maps it. Below it is a page that ends whoever comes there.
    ///
    /// # Errors
    /// The kernel's, when there is no room for it.
    pub fn new() -> io::Result<ChildStack> {
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE | MapFlags::MAP_STACK;
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists.
        let start = unsafe { mmap_anonymous(None, STACK, protection, flags) }?;
        let stack = ChildStack { start };
        // SAFETY: the lowest part of the mapping just made, which nobody uses yet.
        unsafe { mprotect(stack.start, page_size(), ProtFlags::PROT_NONE) }?;
        Ok(stack)
    }

    /// Where something lies that a child is to begin with.
    fn place<T>(&self) -> NonNull<T> {
        const { assert!(size_of::<T>() < PAGE && align_of::<T>() <= 64) };
        let down = size_of::<T>().next_multiple_of(64);
        // SAFETY: less than two pages below the end of the mapping, which is far longer. Aligned, since the end is a page's.
        unsafe { self.start.byte_add(STACK.get() - down) }.cast()
    }
}

impl Drop for ChildStack {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, and no child of this process looks at this mapping: each has its own.
        let _ = unsafe { munmap(self.start, STACK.get()) };
    }
}

/// What a child begins with, and what it does.
pub trait Child {
    /// Runs in the child, and ends it.
    fn begin(self) -> !;
}

extern "C" fn begin<T: Child>(given: *mut c_void) -> c_int {
    // SAFETY: `fork` has put it there, and each child reads its own copy, once.
    unsafe { given.cast::<T>().read() }.begin()
}

/// Forks. The child begins with what is given, on that stack; the parent has it as well, whatever came of it. For processes with
/// one thread. What the child may not look at is what the parent keeps to itself.
///
/// # Errors
/// The kernel's, when no further process can be made (`EAGAIN`, `ENOMEM`); then nothing has changed.
pub fn fork<T: Child>(stack: &mut ChildStack, exit_signal: ExitSignal, given: T) -> (nix::Result<Pid>, T) {
    let signal = match exit_signal {
        ExitSignal::Usual => libc::SIGCHLD,
        ExitSignal::Queued => crate::signals::child_signal(),
    };
    clone_onto(stack, signal, std::ptr::null_mut(), given)
}

/// Forks a process whose parent is this one's: it is a sibling, and the parent hears of its end as of this one's. Its number stands
/// there before it begins, whatever becomes of this process.
///
/// # Errors
/// As [`fork`].
#[inline(always)]
pub fn fork_sibling<T: Child>(stack: &mut ChildStack, number: &AtomicI32, given: T) -> (nix::Result<Pid>, T) {
    clone_onto(stack, libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID, number.as_ptr(), given)
}

#[inline(always)]
fn clone_onto<T: Child>(stack: &mut ChildStack, flags: c_int, number: *mut c_int, given: T) -> (nix::Result<Pid>, T) {
    let place = stack.place::<T>();
    // SAFETY: the place is inside of the mapping, as long as the value and aligned for it, and `stack` is borrowed.
    unsafe { place.write(given) };
    let top = place.as_ptr().cast::<c_void>();
    // SAFETY: without CLONE_VM this is fork(2), but that the child begins with a call of `begin`, below `top`, in its own copy of
    // a mapping that nothing else refers to. Of the C library's fork it leaves out what renews locks and lists of threads in
    // the child: the callers have one thread (a test lists /proc/PID/task), whose locks are free, and it would touch seven
    // pages for that, which every idle worker would hold for itself. Where the flags want the child's number somewhere, it is
    // memory of the caller's.
    let pid = Errno::result(unsafe { libc::clone(begin::<T>, top, flags, top, number) });
    // SAFETY: written above; the child has taken a copy of the page.
    let given = unsafe { place.read() };
    (pid.map(Pid::from_raw), given)
}

/// A child that is made once.
struct Once<T> {
    given: T,
    child: fn(T) -> !,
}

impl<T> Child for Once<T> {
    fn begin(self) -> ! {
        (self.child)(self.given)
    }
}

/// Forks as [`fork`] does, where it is done once: the stack is made for it.
///
/// # Errors
/// As [`fork`]; no room for a stack.
pub fn fork_once<T>(given: T, child: fn(T) -> !) -> io::Result<(Pid, T)> {
    let mut stack = ChildStack::new()?;
    let (pid, Once { given, .. }) = fork(&mut stack, ExitSignal::Usual, Once { given, child });
    Ok((pid?, given))
}

/// Does something further down on this thread's stack, on pages that children do not get: neither then nor later. What is
/// higher up they do get: the memory of the command line, for one, which is their title.
#[inline(never)]
pub fn keep_stack<R>(what: impl FnOnce() -> R) -> R {
    // A page begins in it: below that is what is called from here, above it whoever has called this.
    let between = [0_u8; 2 * PAGE];
    let range = black_box(&between).as_ptr_range();
    let end = range.start.addr().next_multiple_of(page_size());
    // Where pages are longer, children get all.
    let start = stack_start(end).filter(|_| end <= range.end.addr());
    if let Some(start) = start.and_then(|start| NonNull::new(std::ptr::without_provenance_mut::<c_void>(start))) {
        // SAFETY: from the lowest page of the stack to one that begins in `between`; the advice changes nothing in this
        // process. Without it all works as well, only more is copied.
        let _ = unsafe { madvise(start, end.saturating_sub(start.addr().get()), MmapAdvise::MADV_DONTFORK) };
    }
    keep_signal_stack();
    let result = what();
    black_box(&between);
    result
}

/// Keeps the stack that this process has begun on, as a child, from its own children: they get one of their own, and nothing of what
/// is on this one. For a child of [`fork`] or [`fork_once`].
pub fn keep_own_stack() {
    let here = 0_u8;
    let start = stack_start((&raw const here).addr()).map(|start| start.saturating_sub(page_size()));
    if let Some(start) = start.and_then(|start| NonNull::new(std::ptr::without_provenance_mut::<c_void>(start))) {
        // SAFETY: the mapping of a ChildStack, with the page below it; the advice changes nothing in this process. Without it all
        // works as well, only more is copied.
        let _ = unsafe { madvise(start, STACK.get(), MmapAdvise::MADV_DONTFORK) };
    }
}

/// Keeps the memory that signals are handled on, of which the standard library says that a stack was too small, to this process: a
/// child is ended by the signal itself.
fn keep_signal_stack() {
    // SAFETY: plain data, for which zero is a value.
    let mut stack: libc::stack_t = unsafe { std::mem::zeroed() };
    // SAFETY: it only asks, and writes the answer.
    let asked = unsafe { libc::sigaltstack(std::ptr::null(), &raw mut stack) };
    if asked != 0 || stack.ss_flags & libc::SS_DISABLE != 0 {
        return;
    }
    if let Some(start) = NonNull::new(stack.ss_sp).filter(|start| start.addr().get().is_multiple_of(page_size())) {
        // SAFETY: the memory is there as long as this thread is, and the advice changes nothing in this process.
        let _ = unsafe { madvise(start, stack.ss_size, MmapAdvise::MADV_DONTFORK) };
    }
}

/// The lower end of the mapping that an address is in.
fn stack_start(address: usize) -> Option<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let number = |text: &str| usize::from_str_radix(text, 16).ok();
    let ranges = maps.lines().filter_map(|line| line.split(' ').next()?.split_once('-'));
    let ranges = ranges.filter_map(|(from, to)| Some((number(from)?, number(to)?)));
    ranges.into_iter().find(|(from, to)| (*from..*to).contains(&address)).map(|(from, _)| from)
}

/// Ends this process at once, without the exit handlers that the parent has registered and that are not the child's
/// to run.
#[inline(always)]
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` only ends the process; what it leaves to the kernel are this process's own descriptors and memory.
    unsafe { libc::_exit(code) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::wait::{WaitStatus, waitpid};

    struct Ends(i32);

    impl Child for Ends {
        fn begin(self) -> ! {
            exit_now(self.0)
        }
    }

    fn ended(pid: Pid) -> WaitStatus {
        waitpid(pid, None).unwrap()
    }

    #[test]
    fn a_child_begins_with_what_it_is_given_and_the_parent_has_it_still() {
        let (pid, given) = fork_once((7, [1_u64; 40]), |(code, rest)| {
            exit_now(code + i32::try_from(rest.iter().sum::<u64>()).unwrap_or(0))
        })
        .unwrap();
        assert_eq!(ended(pid), WaitStatus::Exited(pid, 47));
        assert_eq!(given, (7, [1; 40]));
    }

    #[test]
    fn one_stack_serves_any_number_of_children() {
        let mut stack = ChildStack::new().unwrap();
        let pids: Vec<Pid> = (0..20).map(|code| fork(&mut stack, ExitSignal::Usual, Ends(code)).0.unwrap()).collect();
        for (pid, code) in pids.into_iter().zip(0..) {
            assert_eq!(ended(pid), WaitStatus::Exited(pid, code));
        }
    }

    #[test]
    fn a_child_that_comes_to_the_end_of_its_stack_is_ended() {
        fn deeper(depth: u64) -> u64 {
            let here = black_box([depth; 64]);
            if depth == u64::MAX { 0 } else { deeper(depth + 1) + here[7] }
        }
        let (pid, ()) = fork_once((), |()| exit_now(i32::from(deeper(0) == 1))).unwrap();
        assert!(matches!(ended(pid), WaitStatus::Signaled(_, nix::sys::signal::Signal::SIGSEGV, _)));
    }
}
