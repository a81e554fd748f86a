//! What a worker never does: each of it ends the worker.

use crate::Ends::{By, Well};
use crate::{Attempt, Ends};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, FcntlArg, OFlag, fcntl, open};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal::{SIGKILL, SIGSYS};
use nix::sys::signal::kill;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, UnixAddr, accept, bind, connect, listen, setsockopt,
    socket, socketpair, sockopt,
};
use nix::sys::stat::{Mode, fstatat, mkdirat};
use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::unistd::{Pid, Uid, chdir, chroot, execve, getppid, setuid, unlink};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::AsRawFd;

const TCP: (AddressFamily, SockType) = (AddressFamily::Inet, SockType::Stream);

static PLACE: u32 = 4;

/// Where something of the program may lie, which is at the same place in all workers.
fn somewhere() -> [RemoteIoVec; 1] {
    [RemoteIoVec { base: (&raw const PLACE).addr(), len: 4 }]
}

fn own_socket(domain: AddressFamily, kind: SockType) -> bool {
    socket(domain, kind, SockFlag::empty(), None).is_ok()
}

#[rustfmt::skip]
pub const ALL: &[(&str, Ends, Attempt)] = &[
    // Files.
    ("read the database", By(SIGSYS), |world| std::fs::read(&world.database).is_ok()),
    ("write to the database", By(SIGSYS), |world| std::fs::write(&world.database, "worse").is_ok()),
    ("open a file", By(SIGSYS), |_| open(c"/etc/passwd", OFlag::O_RDONLY, Mode::empty()).is_ok()),
    ("make a file", By(SIGSYS), |_| open(c"/tmp/mine", OFlag::O_CREAT | OFlag::O_WRONLY, Mode::S_IRWXU).is_ok()),
    ("make a directory", By(SIGSYS), |_| mkdirat(nix::fcntl::AT_FDCWD, c"/tmp/mine", Mode::S_IRWXU).is_ok()),
    ("remove a file", By(SIGSYS), |world| unlink(&world.database).is_ok()),
    ("see whether there is a file", By(SIGSYS), |_| fstatat(nix::fcntl::AT_FDCWD, c"/etc/passwd", AtFlags::empty()).is_ok()),
    ("list a directory", By(SIGSYS), |_| std::fs::read_dir("/").is_ok()),
    ("go to a directory", By(SIGSYS), |_| chdir(c"/").is_ok()),
    ("have another root directory", By(SIGSYS), |_| chroot(c"/").is_ok()),
    // The network.
    ("make a TCP socket", By(SIGSYS), |_| own_socket(TCP.0, TCP.1)),
    ("make a UDP socket", By(SIGSYS), |_| own_socket(AddressFamily::Inet6, SockType::Datagram)),
    ("make a raw socket", By(SIGSYS), |_| own_socket(AddressFamily::Inet, SockType::Raw)),
    ("make a Unix socket", By(SIGSYS), |_| own_socket(AddressFamily::Unix, SockType::Stream)),
    ("make a netlink socket", By(SIGSYS), |_| own_socket(AddressFamily::Netlink, SockType::Raw)),
    ("make sockets that can be sent from to an address", By(SIGSYS),
        |_| socketpair(AddressFamily::Unix, SockType::Datagram, None, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK).is_ok()),
    ("connect", By(SIGSYS), |world| connect(world.client.0.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 80)).is_ok()),
    ("connect to the operator's socket", By(SIGSYS),
        |world| connect(world.client.0.as_raw_fd(), &UnixAddr::new("run/ctl.sock").unwrap()).is_ok()),
    ("take an address", By(SIGSYS), |world| bind(world.client.0.as_raw_fd(), &SockaddrIn::new(0, 0, 0, 0, 8080)).is_ok()),
    ("listen", By(SIGSYS), |world| listen(&world.client.0, Backlog::MAXCONN).is_ok()),
    ("accept", By(SIGSYS), |world| accept(world.client.0.as_raw_fd()).is_ok()),
    ("change a socket", By(SIGSYS), |world| setsockopt(&world.client.0, sockopt::KeepAlive, &true).is_ok()),
    ("change a connection", By(SIGSYS), |world| setsockopt(&world.client.0, sockopt::TcpNoDelay, &true).is_ok()),
    // Other processes.
    ("run a program", By(SIGSYS), |_| execve(c"/bin/sh", &[c"sh"], &[c"A=b"]).is_ok()),
    ("fork", By(SIGSYS), |_| ssmglobal_sys::fork_once((), |()| ssmglobal_sys::exit_now(0)).is_ok()),
    ("start a thread", By(SIGSYS), |_| std::thread::Builder::new().spawn(|| ()).is_ok()),
    ("kill another worker", By(SIGSYS), |world| kill(world.victim, SIGKILL).is_ok()),
    ("kill the listener", By(SIGSYS), |_| kill(getppid(), SIGKILL).is_ok()),
    ("see whether there is a process", By(SIGSYS), |_| kill(Pid::from_raw(1), None) != Err(Errno::ESRCH)),
    ("trace another worker", By(SIGSYS), |world| nix::sys::ptrace::seize(world.victim, nix::sys::ptrace::Options::empty()).is_ok()),
    ("be traced", By(SIGSYS), |_| nix::sys::ptrace::traceme().is_ok()),
    ("read another worker's memory", By(SIGSYS),
        |world| process_vm_readv(world.victim, &mut [IoSliceMut::new(&mut [0; 4])], &somewhere()).is_ok()),
    ("write to another worker's memory", By(SIGSYS),
        |world| process_vm_writev(world.victim, &[IoSlice::new(&[0; 4])], &somewhere()).is_ok()),
    ("open another worker's memory", By(SIGSYS), |world| std::fs::File::open(format!("/proc/{}/mem", world.victim)).is_ok()),
    // Itself.
    ("become root", By(SIGSYS), |_| setuid(Uid::from_raw(0)).is_ok()),
    ("raise a limit", By(SIGSYS), |_| setrlimit(Resource::RLIMIT_NOFILE, 20_000, 20_000).is_ok()),
    ("be looked into again", By(SIGSYS), |_| nix::sys::prctl::set_dumpable(true).is_ok()),
    ("take the place of a standard stream", By(SIGSYS), |world| nix::unistd::dup2_stdout(&world.client.0).is_ok()),
    ("make memory that can be run", By(SIGSYS), |_| memfd_create("x", MFdFlags::from_bits_retain(nix::libc::MFD_EXEC)).is_ok()),
    ("be told when its client can be read, by a signal", By(SIGSYS),
        |world| fcntl(&world.client.0, FcntlArg::F_SETFL(OFlag::O_ASYNC)).is_ok()),
    ("sleep", By(SIGSYS), |_| { std::thread::sleep(std::time::Duration::from_millis(1)); true }),
];

struct Nothing;

impl ssmglobal_sys::Child for Nothing {
    fn begin(self) -> ! {
        ssmglobal_sys::exit_now(0)
    }
}

/// As a zygote forks.
fn fork_sibling() -> nix::Result<Pid> {
    let mut stack = ssmglobal_sys::ChildStack::new().expect("memory");
    let number = std::sync::atomic::AtomicI32::new(0);
    ssmglobal_sys::fork_sibling(&mut stack, &number, Nothing).0
}

/// What differs: of one that has locked itself in.
#[rustfmt::skip]
pub const LOCKED_BY_ITSELF: &[(&str, Ends, Attempt)] = &[
    ("fork as a zygote does", By(SIGSYS), |_| fork_sibling().is_ok()),
];

/// The same of one that a zygote has forked.
#[rustfmt::skip]
pub const OF_A_ZYGOTE: &[(&str, Ends, Attempt)] = &[
    ("fork as a zygote does", Well, |_| fork_sibling() == Err(Errno::EAGAIN)),
    ("have the right to fork again", Well, |_| setrlimit(Resource::RLIMIT_NPROC, 1, 1) == Err(Errno::EPERM)),
];
