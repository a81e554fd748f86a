//! Descriptors that travel: over sockets with `SCM_RIGHTS`, through exec by clearing close-on-exec, and into
//! nothing after a fork.

use nix::cmsg_space;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixCredentials,
    getsockopt, listen, recvmsg, sendmsg, setsockopt, socketpair, sockopt,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The most descriptors that one message between worker and handler carries …
const FEW: usize = 4;

/// … and one between listener and handler: the kernel's own bound.
pub const MOST_DESCRIPTORS: usize = 253;

/// What [`receive`] got.
#[derive(Debug)]
pub struct Received {
    /// Bytes; 0 when the other end has closed.
    pub count: usize,
    /// Descriptors that came along, close-on-exec.
    pub fds: Vec<OwnedFd>,
    /// The sender's process id as the kernel knows it, where asked for.
    pub pid: Option<i32>,
}

/// Sends bytes together with descriptors, which stay open here. Gives how many bytes went.
///
/// # Errors
/// The kernel's; `WouldBlock` on a full non-blocking socket, and then nothing was sent.
pub fn send_with(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let raw: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control: &[ControlMessage<'_>] = if raw.is_empty() { &[] } else { &rights };
    let fd = socket.as_fd().as_raw_fd();
    Ok(sendmsg::<()>(fd, &[IoSlice::new(bytes)], control, MsgFlags::MSG_NOSIGNAL, None)?)
}

/// Reads bytes and the descriptors that came with them, up to four.
///
/// # Errors
/// The kernel's; `WouldBlock` when there is nothing.
pub fn receive(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<Received> {
    receive_into(socket, bytes, cmsg_space!([RawFd; FEW], UnixCredentials))
}

/// As [`receive`], with room for [`MOST_DESCRIPTORS`].
///
/// # Errors
/// As [`receive`].
pub fn receive_many(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<Received> {
    receive_into(socket, bytes, cmsg_space!([RawFd; MOST_DESCRIPTORS], UnixCredentials))
}

fn receive_into(socket: impl AsFd, bytes: &mut [u8], mut space: Vec<u8>) -> io::Result<Received> {
    let fd = socket.as_fd().as_raw_fd();
    let mut buffers = [IoSliceMut::new(bytes)];
    let message = recvmsg::<()>(fd, &mut buffers, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let mut received = Received { count: message.bytes, fds: Vec::new(), pid: None };
    for control in message.cmsgs()? {
        match control {
            ControlMessageOwned::ScmRights(fds) => {
                // SAFETY: the kernel has just made these descriptors for this process, and nobody else knows them.
                received.fds.extend(fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
            }
            ControlMessageOwned::ScmCredentials(credentials) => received.pid = Some(credentials.pid()),
            _ => {}
        }
    }
    Ok(received)
}

/// As [`receive`], for a socket with [`pass_credentials`]: refuses a message without a sender.
///
/// # Errors
/// As [`receive`]; `InvalidData` when the kernel did not say who sent it.
pub fn receive_with_peer(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<(Received, i32)> {
    let received = receive(socket, bytes)?;
    match received.pid {
        Some(pid) => Ok((received, pid)),
        None if received.count == 0 => Ok((received, 0)),
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "a message without a sender")),
    }
}

/// Asks the kernel to say with every message who sent it.
///
/// # Errors
/// The kernel's.
pub fn pass_credentials(socket: impl AsFd) -> io::Result<()> {
    Ok(setsockopt(&socket, sockopt::PassCred, &true)?)
}

/// Process, user and group id of whoever is at the other end of a Unix stream.
///
/// # Errors
/// The kernel's.
pub fn peer_of(socket: impl AsFd) -> io::Result<(i32, u32, u32)> {
    let credentials = getsockopt(&socket, sockopt::PeerCredentials)?;
    Ok((credentials.pid(), credentials.uid(), credentials.gid()))
}

/// Two ends of a Unix stream, non-blocking.
///
/// # Errors
/// The kernel's, when there is no descriptor left.
pub fn link_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    Ok(socketpair(AddressFamily::Unix, SockType::Stream, None, flags)?)
}

/// Two ends of a Unix socket that keeps messages apart, non-blocking.
///
/// # Errors
/// The kernel's, when there is no descriptor left.
pub fn seqpacket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?)
}

/// Lets a listening socket hold as many connections that wait as the kernel allows.
///
/// # Errors
/// The kernel's.
pub fn listen_backlog(socket: impl AsFd) -> io::Result<()> {
    Ok(listen(&socket, Backlog::MAXALLOWABLE)?)
}

/// Lets a descriptor live through exec.
///
/// # Errors
/// The kernel's.
pub fn clear_cloexec(fd: impl AsFd) -> io::Result<()> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(())
}

/// Closes a descriptor at exec again.
///
/// # Errors
/// The kernel's.
pub fn set_cloexec(fd: impl AsFd) -> io::Result<()> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(())
}

/// Takes over a descriptor that was handed through exec by its number.
///
/// # Errors
/// `EBADF` when nothing is open there.
pub fn take(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the number is only looked at; a closed one gives EBADF.
    let open = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    if open < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, the program that started this one has handed it over, and the command line names it once.
    let owned = unsafe { OwnedFd::from_raw_fd(fd) };
    set_cloexec(&owned)?;
    Ok(owned)
}

/// Closes every descriptor from 3 on that is not in `keep` (ascending). For a forked child that will leave by
/// `exit` and never drops what owned them.
pub fn close_others(keep: &[RawFd]) {
    let mut from: u32 = 3;
    for &fd in keep {
        let Ok(fd) = u32::try_from(fd) else { continue };
        close_range(from, fd.saturating_sub(1));
        from = fd + 1;
    }
    close_range(from, u32::MAX);
}

fn close_range(from: u32, to: u32) {
    if from > to {
        return;
    }
    // SAFETY: only descriptors that the caller has given up are closed; whoever owned them is never dropped.
    unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) };
}
