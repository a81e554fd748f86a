//! Descriptors that travel: over sockets with `SCM_RIGHTS`, through exec by clearing close-on-exec, and into
//! nothing after a fork.

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, getsockname, getsockopt, listen,
    recv, send, sendmsg, setsockopt, socketpair, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// The most descriptors that the kernel lets one message carry.
pub const MOST_DESCRIPTORS: usize = 253;

/// Bytes for what may come beside the bytes of one message.
const ROOM: usize = {
    // SAFETY: it only computes.
    unsafe {
        (libc::CMSG_SPACE((MOST_DESCRIPTORS * size_of::<RawFd>()) as u32)
            + libc::CMSG_SPACE(size_of::<libc::ucred>() as u32)) as usize
    }
};

/// Aligned as the kernel's headers want it.
#[repr(C, align(8))]
struct Space([u8; ROOM]);

/// Bytes of one descriptor, as it travels.
const LENGTH: u32 = size_of::<RawFd>() as u32;

/// Bytes for one descriptor beside the bytes of one message.
// SAFETY: it only computes.
const ONE: usize = unsafe { libc::CMSG_SPACE(LENGTH) } as usize;

/// Aligned as the kernel's headers want it.
#[repr(C, align(8))]
struct One([u8; ONE]);

/// A message of these bytes, with this room beside them: it points to both.
#[inline(always)]
fn message(bytes: &mut libc::iovec, beside: &mut [u8]) -> libc::msghdr {
    // SAFETY: plain data, for which zero is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = bytes;
    message.msg_iovlen = 1;
    message.msg_control = beside.as_mut_ptr().cast();
    message.msg_controllen = beside.len() as _;
    message
}

/// What [`receive`] got.
#[derive(Debug)]
pub struct Received {
    /// Bytes; 0 when the other end has closed.
    pub count: usize,
    /// Descriptors that came along, close-on-exec.
    pub fds: Vec<OwnedFd>,
    /// There were more, for which this process had no room: the kernel has closed them.
    pub truncated: bool,
    /// The sender's process id as the kernel knows it, where asked for.
    pub pid: Option<i32>,
}

/// Sends bytes together with descriptors, which stay open here. Never waits. Gives how many bytes went.
///
/// # Errors
/// The kernel's; `WouldBlock` on a full socket, and then nothing was sent.
pub fn send_with(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let raw: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control: &[ControlMessage<'_>] = if raw.is_empty() { &[] } else { &rights };
    let fd = socket.as_fd().as_raw_fd();
    Ok(sendmsg::<()>(fd, &[IoSlice::new(bytes)], control, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT, None)?)
}

/// Sends bytes and one descriptor, which stays open here. Never waits, and allocates nothing.
///
/// # Errors
/// As [`send_with`].
pub fn send_descriptor(socket: impl AsFd, bytes: &[u8], fd: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = One([0; ONE]);
    let mut buffer = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let message = message(&mut buffer, &mut space.0);
    // SAFETY: the room is as long as the header and the number behind it, and aligned for them; nothing else refers to it.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(LENGTH) as _;
        libc::CMSG_DATA(header).cast::<RawFd>().write_unaligned(fd.as_raw_fd());
    }
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    // SAFETY: all that the message points to lives until the call returns, with the lengths that are told.
    let sent = unsafe { libc::sendmsg(socket.as_fd().as_raw_fd(), &raw const message, flags) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Waits for what [`send_descriptor`] has sent, which is as long as there is room for, and allocates nothing. Nothing when the other
/// end has closed, or where this process has no room for a descriptor.
///
/// # Errors
/// The kernel's; `WouldBlock` from a socket that does not wait.
#[inline(always)]
pub fn receive_descriptor(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<Option<OwnedFd>> {
    receive_one(socket, bytes, 0)
}

/// As [`receive_descriptor`], but that it stays there for the next one who looks, and never waits.
///
/// # Errors
/// The kernel's; `WouldBlock` when there is nothing.
pub fn peek_descriptor(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<Option<OwnedFd>> {
    receive_one(socket, bytes, libc::MSG_PEEK | libc::MSG_DONTWAIT)
}

#[inline(always)]
fn receive_one(socket: impl AsFd, bytes: &mut [u8], flags: libc::c_int) -> io::Result<Option<OwnedFd>> {
    let mut space = One([0; ONE]);
    let mut buffer = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let mut message = message(&mut buffer, &mut space.0);
    // SAFETY: all that the message points to lives until the call returns, with the lengths that are told.
    let count = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, flags | libc::MSG_CMSG_CLOEXEC) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel has filled in the message; the macro stays inside of what it says.
    let control = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    if control.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, so it is a whole header inside of `space`, with its data behind it.
    let (header, data) = unsafe { (control.read_unaligned(), libc::CMSG_DATA(control)) };
    if (header.cmsg_level, header.cmsg_type) != (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
        return Ok(None);
    }
    // SAFETY: there is room for one, and that is inside of the data. The kernel has just made the descriptor for this process, and
    // nobody else knows it.
    let fd = unsafe { OwnedFd::from_raw_fd(data.cast::<RawFd>().read_unaligned()) };
    Ok(Some(fd).filter(|_| count == bytes.len()))
}

/// Reads bytes and the descriptors that came with them. Never waits. Of more than the sender may send in one message, or
/// than this process may have, the kernel closes the rest.
///
/// # Errors
/// The kernel's; `WouldBlock` when there is nothing.
pub fn receive(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<Received> {
    let mut space = Space([0; ROOM]);
    let mut buffer = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let mut message = message(&mut buffer, &mut space.0);
    let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT;
    // SAFETY: all that the message points to lives until the call returns, with the lengths that are told.
    let count = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, flags) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    let truncated = message.msg_flags & libc::MSG_CTRUNC != 0;
    let mut received = Received { count, fds: Vec::new(), truncated, pid: None };
    // SAFETY: the kernel has filled in the message; the macros stay inside of what it says.
    let mut control = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !control.is_null() {
        // SAFETY: not null, so it is a whole header inside of `space`, with its data behind it.
        let (header, data) = unsafe { (control.read_unaligned(), libc::CMSG_DATA(control)) };
        let length = header.cmsg_len - data.addr().wrapping_sub(control.addr());
        match (header.cmsg_level, header.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                for at in 0..length / size_of::<RawFd>() {
                    // SAFETY: inside of the data. The kernel has just made the descriptor for this process, and nobody
                    // else knows it: also when it had to leave others out.
                    let fd = unsafe { OwnedFd::from_raw_fd(data.cast::<RawFd>().add(at).read_unaligned()) };
                    received.fds.push(fd);
                }
            }
            (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if length >= size_of::<libc::ucred>() => {
                // SAFETY: the data is as long as what is read.
                received.pid = Some(unsafe { data.cast::<libc::ucred>().read_unaligned() }.pid);
            }
            _ => {}
        }
        // SAFETY: as for the first one.
        control = unsafe { libc::CMSG_NXTHDR(&raw const message, control) };
    }
    Ok(received)
}

/// Reads bytes; descriptors that come along are closed. Never waits, whatever the other owners of the socket have set.
///
/// # Errors
/// The kernel's; `WouldBlock` when there is nothing.
pub fn read_now(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<usize> {
    Ok(recv(socket.as_fd().as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT)?)
}

/// Whether the other side has said something that was not read yet; not when it has closed its end behind that.
#[inline(always)]
pub fn has_said(socket: impl AsFd) -> bool {
    let mut byte = 0_u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: the kernel writes one byte, for which there is room.
    unsafe { libc::recv(socket.as_fd().as_raw_fd(), (&raw mut byte).cast(), 1, flags) > 0 }
}

/// Writes bytes; never waits, as [`read_now`].
///
/// # Errors
/// The kernel's; `WouldBlock` when there is no room.
pub fn write_now(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(socket.as_fd().as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)?)
}

/// Whether this is a stream between processes of this machine.
pub fn is_unix_stream(socket: impl AsFd) -> bool {
    let family = getsockname::<UnixAddr>(socket.as_fd().as_raw_fd());
    family.is_ok() && getsockopt(&socket, sockopt::SockType) == Ok(SockType::Stream)
}

/// As [`receive`], for a socket with [`pass_credentials`]: refuses a message without a sender.
///
/// # Errors
/// As [`receive`]; `UnexpectedEof` when nobody is left who could send; `InvalidData` when the kernel did not say who sent it.
pub fn receive_with_peer(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<(Received, i32)> {
    let received = receive(socket, bytes)?;
    match received.pid {
        Some(pid) => Ok((received, pid)),
        None if received.count == 0 => Err(io::ErrorKind::UnexpectedEof.into()),
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

/// Moves a descriptor to a high number. When a process dies, the kernel lets go of what has the highest numbers first: so
/// whoever waits for the other end, or for a lock, need not wait for thousands of sockets. Where there is no room, it stays.
pub fn let_go_first(fd: OwnedFd) -> OwnedFd {
    const TOP: u64 = 1 << 16;
    let most = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft.min(TOP));
    let from = RawFd::try_from(most.saturating_sub(16)).unwrap_or(0);
    match fcntl(&fd, FcntlArg::F_DUPFD_CLOEXEC(from)) {
        // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
        Ok(moved) => unsafe { OwnedFd::from_raw_fd(moved) },
        Err(_) => fd,
    }
}

/// Makes room for thousands of messages in a socket, as far as this process may.
pub fn widen(socket: impl AsFd) {
    const ROOM: usize = 4 << 20;
    if setsockopt(&socket, sockopt::SndBufForce, &ROOM).is_err() {
        // Less is enough to work.
        let _ = setsockopt(&socket, sockopt::SndBuf, &ROOM);
    }
}

/// Two ends of a Unix socket that keeps messages apart, non-blocking.
///
/// # Errors
/// The kernel's, when there is no descriptor left.
pub fn seqpacket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?)
}

/// Two ends of a Unix stream that wait: the one for ever, the other so long.
///
/// # Errors
/// The kernel's, when there is no descriptor left.
pub fn waiting_pair(patience: Duration) -> io::Result<(OwnedFd, OwnedFd)> {
    let (patient, other) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
    let seconds = i64::try_from(patience.as_secs()).unwrap_or(i64::MAX);
    setsockopt(&other, sockopt::ReceiveTimeout, &TimeVal::seconds(seconds))?;
    Ok((patient, other))
}

/// Waits for bytes, as long as this end of a [`waiting_pair`] does.
///
/// # Errors
/// The kernel's; `WouldBlock` when that was too long.
pub fn read_waiting(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<usize> {
    Ok(recv(socket.as_fd().as_raw_fd(), bytes, MsgFlags::empty())?)
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
#[inline(always)]
pub fn close_others(keep: &[RawFd]) {
    let mut from: u32 = 3;
    for &fd in keep {
        let Ok(fd) = u32::try_from(fd) else { continue };
        close_range(from, fd.saturating_sub(1));
        from = fd + 1;
    }
    close_range(from, u32::MAX);
}

#[inline(always)]
fn close_range(from: u32, to: u32) {
    if from > to {
        return;
    }
    // SAFETY: only descriptors that the caller has given up are closed; whoever owned them is never dropped.
    unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) };
}
