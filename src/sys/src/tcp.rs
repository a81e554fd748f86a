//! What the kernel knows of a TCP connection.

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// The longest time that the kernel takes for either.
const MOST_SECONDS: u32 = 32_767;

/// Whether anything was ever written to it.
///
/// # Errors
/// The kernel's; a kernel before 4.6 does not know.
pub fn has_sent(socket: impl AsFd) -> io::Result<bool> {
    let (info, length) = info(socket)?;
    match length > std::mem::offset_of!(libc::tcp_info, tcpi_data_segs_out) {
        true => Ok(info.tcpi_data_segs_out > 0),
        false => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// How what was written gets to the other machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// It has not got everything.
    pub waits: bool,
    /// It has no room for more, and is asked again and again whether it has now.
    pub held_up: bool,
    /// How often it was asked and has not answered.
    pub unanswered: u8,
    /// How long ago it has last answered anything.
    pub silent: Duration,
}

/// As it is now.
///
/// # Errors
/// The kernel's; a kernel before 4.6 does not know.
pub fn flow(socket: impl AsFd) -> io::Result<Flow> {
    let (info, length) = info(socket)?;
    if length <= std::mem::offset_of!(libc::tcp_info, tcpi_notsent_bytes) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let (on_the_way, unsent) = (info.tcpi_unacked > 0, info.tcpi_notsent_bytes > 0);
    Ok(Flow {
        waits: on_the_way || unsent,
        held_up: unsent && !on_the_way,
        unanswered: info.tcpi_probes,
        silent: Duration::from_millis(info.tcpi_last_ack_recv.into()),
    })
}

/// How many bytes of what was written the other machine has not said to have, also when the connection is broken; one more
/// than there are, perhaps.
///
/// # Errors
/// The kernel's; a kernel before 4.19 does not know.
pub fn unacknowledged(socket: impl AsFd) -> io::Result<u64> {
    let (info, length) = info(socket)?;
    if length <= std::mem::offset_of!(libc::tcp_info, tcpi_bytes_retrans) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let sent = info.tcpi_bytes_sent.saturating_sub(info.tcpi_bytes_retrans);
    Ok(sent.saturating_sub(info.tcpi_bytes_acked) + u64::from(info.tcpi_notsent_bytes))
}

/// What the kernel says of it, and how many bytes of that are filled in.
fn info(socket: impl AsFd) -> io::Result<(libc::tcp_info, usize)> {
    // SAFETY: all zeros is a valid tcp_info, which is plain data.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).map_err(|_| Errno::EINVAL)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most `length` bytes to `info`; both live across the call.
    let result =
        unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &raw mut length) };
    Errno::result(result)?;
    Ok((info, length as usize))
}

/// After this time the other machine is taken for gone when it does not answer: it is asked when a quarter of the time has passed
/// in silence, and then every twelfth. `ZERO` leaves it to the kernel, whose time is hours. Sockets that a listening one accepts
/// inherit it.
///
/// # Errors
/// The kernel's.
pub fn gone_after(socket: &impl AsFd, time: Duration) -> io::Result<()> {
    setsockopt(socket, sockopt::KeepAlive, &!time.is_zero())?;
    if !time.is_zero() {
        let seconds = |part: u32| u32::try_from((time / part).as_secs()).unwrap_or(u32::MAX).clamp(1, MOST_SECONDS);
        setsockopt(socket, sockopt::TcpKeepIdle, &seconds(4))?;
        setsockopt(socket, sockopt::TcpKeepInterval, &seconds(12))?;
    }
    answer_within(socket, time)
}

/// The part of [`gone_after`] that holds for what was written and is not answered. `ZERO` leaves it to the kernel, which then
/// waits for ever for a machine that answers and has no room for more.
///
/// # Errors
/// The kernel's.
pub fn answer_within(socket: &impl AsFd, time: Duration) -> io::Result<()> {
    let time = u32::try_from((time * 3 / 4).as_millis()).unwrap_or(u32::MAX);
    Ok(setsockopt(socket, sockopt::TcpUserTimeout, &time)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::getsockopt;
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

    #[test]
    fn it_is_known_whether_the_other_side_takes_what_was_written() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut socket = listener.accept().unwrap().0;
        assert!(!flow(&socket).unwrap().waits);
        socket.set_nonblocking(true).unwrap();
        while socket.write(&[0; 65536]).is_ok() {}
        let held_up = || flow(&socket).unwrap().held_up;
        while !held_up() {
            std::thread::yield_now();
        }
        let mut taken = vec![0; 1 << 20];
        while flow(&socket).unwrap().waits {
            let _ = std::io::Read::read(&mut client, &mut taken).unwrap();
        }
        assert!(!held_up());
    }

    #[test]
    fn an_accepted_socket_has_what_the_listening_one_was_told() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        for (seconds, told) in [(120, (true, 30, 10, 90_000)), (2, (true, 1, 1, 1_500))] {
            gone_after(&listener, Duration::from_secs(seconds)).unwrap();
            let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let socket = listener.accept().unwrap().0;
            let has = (
                getsockopt(&socket, sockopt::KeepAlive).unwrap(),
                getsockopt(&socket, sockopt::TcpKeepIdle).unwrap(),
                getsockopt(&socket, sockopt::TcpKeepInterval).unwrap(),
                getsockopt(&socket, sockopt::TcpUserTimeout).unwrap(),
            );
            assert_eq!(has, told);
        }
        gone_after(&listener, Duration::ZERO).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = listener.accept().unwrap().0;
        assert!(!getsockopt(&socket, sockopt::KeepAlive).unwrap());
        assert_eq!(getsockopt(&socket, sockopt::TcpUserTimeout).unwrap(), 0);
    }
}
