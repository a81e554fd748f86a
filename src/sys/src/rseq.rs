//! Restartable sequences: an area of each thread's memory into which the kernel writes on which core the thread runs, whenever that may
//! have changed. Nothing here asks for it, and for a process that is forked for every client it would be a page more to copy each
//! time, in the parent and in the child. Runs in the listener.

/// Asks the kernel not to write there any more, in this process and in what is forked from it. For a process with one thread. Does
/// nothing where it is not known how, or where the C library has not asked for it.
#[cfg(rseq)]
pub fn leave_rseq() {
    use nix::libc;
    unsafe extern "C" {
        static __rseq_offset: isize;
        static __rseq_size: u32;
    }
    const UNREGISTER: libc::c_int = 1;
    #[cfg(target_arch = "x86_64")]
    const SIGNATURE: u32 = 0x5305_3053;
    #[cfg(target_arch = "aarch64")]
    const SIGNATURE: u32 = 0xd428_bc00;
    let thread: usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the first word of a thread's own memory is its address.
    unsafe {
        std::arch::asm!("mov {}, fs:0", out(reg) thread, options(nostack, preserves_flags, readonly));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: it reads a register.
    unsafe {
        std::arch::asm!("mrs {}, tpidr_el0", out(reg) thread, options(nostack, preserves_flags, nomem));
    }
    // SAFETY: the C library has written both before `main`, and never again.
    let (offset, size) = unsafe { (__rseq_offset, __rseq_size) };
    if size == 0 {
        return;
    }
    // What it was registered with: the first that there was, or its length as it is now.
    for length in [32, size.next_multiple_of(32)] {
        let area = thread.wrapping_add_signed(offset);
        // SAFETY: the kernel compares these with what was registered, and forgets that or refuses. Nothing in this program
        // looks at the area; the C library asks the kernel itself where it finds no core there.
        let done = unsafe { libc::syscall(libc::SYS_rseq, area, length, UNREGISTER, SIGNATURE) };
        if done == 0 {
            return;
        }
    }
}

/// Does nothing here.
#[cfg(not(rseq))]
pub fn leave_rseq() {}
