//! What the kernel knows of a TCP connection.

use nix::errno::Errno;
use nix::libc;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Whether anything was ever written to it.
///
/// # Errors
/// The kernel's; a kernel before 4.6 does not know.
pub fn has_sent(socket: impl AsFd) -> io::Result<bool> {
    // SAFETY: all zeros is a valid tcp_info, which is plain data.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).map_err(|_| Errno::EINVAL)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most `length` bytes to `info`; both live across the call.
    let result =
        unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &raw mut length) };
    Errno::result(result)?;
    match length as usize > std::mem::offset_of!(libc::tcp_info, tcpi_data_segs_out) {
        true => Ok(info.tcpi_data_segs_out > 0),
        false => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn it_is_known_whether_something_was_written() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut socket = listener.accept().unwrap().0;
        assert!(!has_sent(&socket).unwrap());
        socket.write_all(b"x").unwrap();
        assert!(has_sent(&socket).unwrap());
    }
}
