//! Bytes that one process leaves to the next: in memory without a name, which nobody can change any more.

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};

fn all() -> SealFlag {
    SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE
}

/// Makes such memory with these bytes in it, which nobody can change any more. `name` is for `/proc`.
///
/// # Errors
/// The kernel's, without a free descriptor or memory.
pub fn sealed(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(name, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?);
    file.write_all(bytes)?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(all()))?;
    Ok(file.into())
}

/// Reads what [`sealed`] has put away.
///
/// # Errors
/// `InvalidData` when it could still be changed or has more than `most` bytes; the kernel's.
pub fn read_sealed(fd: impl AsFd, most: usize) -> io::Result<Vec<u8>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let seals = fcntl(fd.as_fd(), FcntlArg::F_GET_SEALS)?;
    if !SealFlag::from_bits_truncate(seals).contains(all()) {
        return Err(wrong("it is not sealed"));
    }
    let mut file = File::from(fd.as_fd().try_clone_to_owned()?);
    // Without a look at its attributes, which a worker may not take.
    let length = usize::try_from(file.seek(SeekFrom::End(0))?).unwrap_or(usize::MAX);
    if length > most {
        return Err(wrong("it is too long"));
    }
    file.rewind()?;
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_away_is_read_as_often_as_one_likes_and_not_changed() {
        let fd = sealed("test", b"some state").unwrap();
        for _ in 0..2 {
            assert_eq!(read_sealed(&fd, 10).unwrap(), b"some state");
        }
        assert!(read_sealed(&fd, 9).is_err());
        assert!(File::from(fd.try_clone().unwrap()).write_all(b"other").is_err());
    }

    #[test]
    fn what_could_still_be_changed_is_refused() {
        let open = memfd_create(c"test", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).unwrap();
        assert!(read_sealed(&open, 100).is_err());
        assert!(read_sealed(File::open("/dev/null").unwrap(), 100).is_err());
    }
}
