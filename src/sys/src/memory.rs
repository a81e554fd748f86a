//! Memory without a name that one process hands to the next: what is in it outlives the death of whoever wrote it, as long
//! as somebody holds the descriptor.

use nix::sys::memfd::{MFdFlags, memfd_create};
use std::io;
use std::os::fd::OwnedFd;

/// Makes such memory, empty. `name` is for `/proc`.
///
/// # Errors
/// The kernel's, when there is no memory or no descriptor left.
pub fn make(name: &str) -> io::Result<OwnedFd> {
    Ok(memfd_create(name, MFdFlags::MFD_CLOEXEC)?)
}
