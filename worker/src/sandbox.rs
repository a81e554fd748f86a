//! The lock that a worker is behind before it reads its client's first byte: what a worker does not need, it cannot do,
//! so that whoever takes one over gains nothing.
//!
//! Prepared in the listener, once, before any fork: the child only makes the system calls, and so touches no memory that
//! it would then have for itself. Parts that the kernel or the rights of whoever started the program do not allow are
//! found out by a first child that ends at once ([`Sandbox::try_out`]), and left out; the log says which.

use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError, Scope};
use nix::libc;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, chroot, close, fchdir, geteuid, getppid};
use ssmglobal_config::Settings;
use ssmglobal_sys::{Allowed, Filter, Ids, Test, exit_now, fork_once};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// The system calls of a worker; any other one ends it (SIGSYS). What is not here and why not: `open` and whatever else
/// takes a path, since it has no business with files; `socket`, `connect`, `bind`, `accept`, since it is given all the
/// sockets that it needs; `execve`, `clone`, `kill`, `ptrace`, since no other process is its business; `ioctl`, `prctl`,
/// `dup2`, since nothing needs them. How these are for one that a zygote has forked, [`Sandbox::zygote_filter`] says.
#[rustfmt::skip]
const CALLS: &[Allowed] = &[
    // Its client, its link, the rendezvous. Only its own sockets are there to be named.
    any(libc::SYS_recvfrom), any(libc::SYS_sendto),
    any(libc::SYS_recvmsg), any(libc::SYS_sendmsg),
    any(libc::SYS_close),
    // Both ends of a link, of which the handler gets one. No datagrams: those could be sent to an address.
    Allowed { call: libc::SYS_socketpair, tests: &[
        Test::OneOf(0, &[bits(libc::AF_UNIX)]),
        Test::OneOf(1, &[
            bits(libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK),
            bits(libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK),
        ]),
    ] },
    // Whether its client's machine still answers, and how long the kernel waits for that.
    Allowed { call: libc::SYS_getsockopt, tests: &[
        Test::OneOf(1, &[bits(libc::IPPROTO_TCP)]), Test::OneOf(2, &[bits(libc::TCP_INFO)]),
    ] },
    Allowed { call: libc::SYS_setsockopt, tests: &[
        Test::OneOf(1, &[bits(libc::IPPROTO_TCP)]), Test::OneOf(2, &[bits(libc::TCP_USER_TIMEOUT)]),
    ] },
    // Waiting: before the first word, then in the event loop; and which signal has come.
    #[cfg(target_arch = "x86_64")] any(libc::SYS_poll),
    any(libc::SYS_ppoll),
    any(libc::SYS_epoll_create1), any(libc::SYS_epoll_ctl),
    #[cfg(target_arch = "x86_64")] any(libc::SYS_epoll_wait),
    any(libc::SYS_epoll_pwait),
    any(libc::SYS_rt_sigtimedwait),
    // Continues what a stop (SIGSTOP, SIGCONT) has interrupted.
    any(libc::SYS_restart_syscall),
    // The allocator, and the rings of relay channels. Nothing that can be executed.
    any(libc::SYS_brk), any(libc::SYS_munmap), any(libc::SYS_mremap), any(libc::SYS_madvise),
    Allowed { call: libc::SYS_mmap, tests: &[Test::Without(2, bits(libc::PROT_EXEC))] },
    Allowed { call: libc::SYS_mprotect, tests: &[Test::Without(2, bits(libc::PROT_EXEC))] },
    // The page for what its client logs in to a world with; the limit on locked memory is that one page.
    any(libc::SYS_mlock),
    // Is a ring sealed, and how long is it. In debug builds the standard library asks F_GETFD before it closes.
    Allowed { call: libc::SYS_fcntl, tests: &[Test::OneOf(1, &[
        bits(libc::F_GETFD), bits(libc::F_DUPFD_CLOEXEC), bits(libc::F_GET_SEALS), bits(libc::F_ADD_SEALS),
    ])] },
    any(libc::SYS_lseek),
    // A sealed piece of memory, in which a session is handed to a successor.
    Allowed { call: libc::SYS_memfd_create, tests: &[
        Test::Without(1, !(libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING | libc::MFD_NOEXEC_SEAL)),
    ] },
    any(libc::SYS_ftruncate),
    any(libc::SYS_read), any(libc::SYS_write), any(libc::SYS_pread64), any(libc::SYS_pwrite64),
    // Where the C library cannot do without the kernel: time on some machines, numbers for hashing, locks.
    any(libc::SYS_clock_gettime), any(libc::SYS_getrandom), any(libc::SYS_futex),
    // Its end, in order or not: `abort` sends a signal, to itself alone, and looks at how signals are handled before.
    any(libc::SYS_exit_group), any(libc::SYS_exit),
    any(libc::SYS_getpid), any(libc::SYS_gettid),
    Allowed { call: libc::SYS_tgkill, tests: &[Test::OwnPid(0), Test::OneOf(2, &[bits(libc::SIGABRT)])] },
    any(libc::SYS_rt_sigaction), any(libc::SYS_rt_sigprocmask), any(libc::SYS_rt_sigreturn),
];

/// The call that [`CALLS`] lets a worker make with its own number alone. Who is forked behind the filter has another one.
const OWN_SIGNAL: libc::c_long = libc::SYS_tgkill;

/// What a zygote may do besides, and so all that it forks. To fork: a sibling, and nothing that shares memory or descriptors. That
/// its children do not, is a limit's work, which each of them sets first of all, for itself.
const ZYGOTE_CALLS: [Allowed; 3] = [
    Allowed {
        call: libc::SYS_clone,
        tests: &[Test::OneOf(0, &[bits(libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID)])],
    },
    // Without a process in the first argument: the caller's own limit, which only becomes lower.
    Allowed { call: libc::SYS_prlimit64, tests: &[Test::OneOf(0, &[0]), Test::OneOf(1, &[libc::RLIMIT_NPROC])] },
    // What the zygote has, and its children do not need.
    any(libc::SYS_close_range),
];

const fn any(call: libc::c_long) -> Allowed {
    Allowed { call, tests: &[] }
}

const fn bits(flags: i32) -> u32 {
    flags.cast_unsigned()
}

/// The newest landlock of which this knows what it can take away; older kernels take away less.
const LANDLOCK: ABI = ABI::V6;

/// The parts of the lock, in the order in which they close: each needs what a later one takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Standard input, output and error lead nowhere: they may be a terminal, or the log.
    Streams,
    /// The root directory is one that is empty and was removed: nobody can put anything into it.
    Root,
    /// A user and group of its own, and no others.
    User,
    /// No capabilities, and no way to new privileges.
    Privileges,
    /// Bounds on memory, descriptors, files, processes.
    Limits,
    /// Others of the same user cannot look into it.
    Opaque,
    /// No file and no TCP, whatever the filter lets through; no signals and no abstract sockets outside.
    Landlock,
    /// Only the system calls above.
    Filter,
}

impl Part {
    const ALL: [Part; 8] = [
        Part::Streams,
        Part::Root,
        Part::User,
        Part::Privileges,
        Part::Limits,
        Part::Opaque,
        Part::Landlock,
        Part::Filter,
    ];

    fn bit(self) -> i32 {
        1 << self as u32
    }

    /// What it means that this part is not there, for the log.
    fn missing(self) -> &'static str {
        match self {
            Part::Streams => "/dev/null for standard input and output",
            Part::Root => "an empty root directory",
            Part::User => "a user of their own",
            Part::Privileges => "no new privileges",
            Part::Limits => "resource limits",
            Part::Opaque => "not dumpable",
            Part::Landlock => "landlock",
            Part::Filter => "the filter of system calls",
        }
    }
}

/// Everything that a worker needs to lock itself in.
#[derive(Debug)]
pub struct Sandbox {
    /// The parts that work here, by their bits.
    parts: i32,
    /// Those that ought to.
    wanted: i32,
    user: Option<Ids>,
    null: Option<OwnedFd>,
    root: Option<OwnedFd>,
    ruleset: Option<OwnedFd>,
    filter: Option<Filter>,
    zygote_filter: Option<Filter>,
    limits: [(Resource, rlim_t); 8],
    /// What this kernel's landlock does not know.
    landlock_lacks: Vec<&'static str>,
}

impl Sandbox {
    /// Prepares it. `user` is whom workers run as, where the program was started by root; `root` an empty directory that
    /// is theirs where that is allowed.
    pub fn prepare(settings: &Settings, user: Option<Ids>, root: Option<OwnedFd>) -> Sandbox {
        let (mut ruleset, mut filter, mut zygote_filter, mut landlock_lacks) = (None, None, None, Vec::new());
        if settings.processes.sandbox {
            (ruleset, landlock_lacks) = landlock();
            // A machine whose calls are not known.
            filter = Filter::new(CALLS, &[]).ok();
            zygote_filter = Sandbox::zygote_filter().ok();
        }
        let null = File::options().read(true).write(true).open("/dev/null").ok().map(OwnedFd::from);
        let limits = limits(settings);
        let (parts, wanted) = (0, 0);
        let mut sandbox =
            Sandbox { parts, wanted, user, null, root, ruleset, filter, zygote_filter, limits, landlock_lacks };
        let wanted = |part: &&Part| match part {
            Part::User => sandbox.user.is_some(),
            // Both take root's rights, and the one is of no use without the other.
            Part::Root => settings.processes.sandbox && sandbox.user.is_some(),
            _ => settings.processes.sandbox,
        };
        let there = |part: &&Part| match part {
            Part::Streams => sandbox.null.is_some(),
            Part::Root => sandbox.root.is_some(),
            Part::Landlock => sandbox.ruleset.is_some(),
            Part::Filter => sandbox.filter.is_some(),
            Part::User | Part::Privileges | Part::Limits | Part::Opaque => true,
        };
        let bits = |parts: &mut dyn Iterator<Item = &Part>| parts.map(|part| part.bit()).sum();
        let (all, ready) =
            (bits(&mut Part::ALL.iter().filter(wanted)), bits(&mut Part::ALL.iter().filter(wanted).filter(there)));
        (sandbox.wanted, sandbox.parts) = (all, ready);
        sandbox
    }

    /// The filter that a zygote is behind, and all that it forks. Who gives up (`abort`) is refused the signal that says so, and then
    /// ends by another one (SIGSEGV).
    fn zygote_filter() -> io::Result<Filter> {
        let workers = CALLS.iter().filter(|allowed| allowed.call != OWN_SIGNAL).copied();
        Filter::new(&workers.chain(ZYGOTE_CALLS).collect::<Vec<_>>(), &[OWN_SIGNAL])
    }

    /// As the settings are now: only the limits follow from them.
    pub fn reload(&mut self, settings: &Settings) {
        self.limits = limits(settings);
    }

    /// Closes every part in a child that ends at once. What does not work there is left out from now on, and named.
    ///
    /// # Errors
    /// The kernel's, when there is no process for it.
    pub fn try_out(&mut self) -> io::Result<Vec<String>> {
        let (child, _) = fork_once(&*self, |sandbox| {
            let failed = Part::ALL.iter().filter(|part| sandbox.close(**part).is_err());
            exit_now(failed.map(|part| part.bit()).sum())
        })?;
        let failed = loop {
            match waitpid(child, None) {
                Err(nix::errno::Errno::EINTR) => {}
                Ok(WaitStatus::Exited(_, failed)) => break failed,
                // The filter is the one that can kill.
                Ok(_) => break Part::Filter.bit(),
                Err(error) => return Err(error.into()),
            }
        };
        self.parts &= !failed;
        let lacks = |part: &&Part| self.wanted & !self.parts & part.bit() != 0;
        let mut missing: Vec<String> = Part::ALL.iter().filter(lacks).map(|part| part.missing().to_owned()).collect();
        missing.extend(self.landlock_lacks.iter().map(|what| format!("landlock for {what}")));
        Ok(missing)
    }

    /// Descriptors that [`Sandbox::enter`] needs and closes; -1 for those that are not there.
    #[inline(always)]
    pub fn descriptors(&self) -> [RawFd; 3] {
        [&self.null, &self.root, &self.ruleset].map(|fd| fd.as_ref().map_or(-1, AsRawFd::as_raw_fd))
    }

    /// Locks this process in, for ever.
    ///
    /// # Errors
    /// The kernel's, when a part does not close that did when it was tried out; the process is not to go on then.
    #[inline(always)]
    pub fn enter(&self) -> io::Result<()> {
        Part::ALL.iter().try_for_each(|part| self.close(*part))
    }

    /// Locks this process in, for ever, but that it may fork workers; see [`Sandbox::enter_behind`]. It ends with `parent`.
    ///
    /// # Errors
    /// As [`Sandbox::enter`]; that is no parent of this process any more.
    pub fn enter_as_zygote(&self, parent: Pid) -> io::Result<()> {
        // All workers of a user count; where this may not be raised, the listener has the same bound.
        let _ = ssmglobal_sys::limit(Resource::RLIMIT_NPROC, RLIM_INFINITY);
        Part::ALL.iter().filter(|part| **part != Part::Filter).try_for_each(|part| match part {
            Part::Limits => self.limit_all_but(Resource::RLIMIT_NPROC),
            part => self.close(*part),
        })?;
        ssmglobal_sys::end_with_parent()?;
        if getppid() != parent {
            return Err(io::ErrorKind::NotFound.into());
        }
        if self.parts & Part::Filter.bit() == 0 {
            return Ok(());
        }
        // Where its user could not be changed: the limit that keeps a worker from forking is none for root.
        if geteuid().is_root() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.zygote_filter.as_ref().map_or(Err(io::ErrorKind::Unsupported.into()), Filter::install)
    }

    fn limit_all_but(&self, other: Resource) -> io::Result<()> {
        if self.parts & Part::Limits.bit() == 0 {
            return Ok(());
        }
        let mut limits = self.limits.iter().filter(|(what, _)| *what != other);
        limits.try_for_each(|(what, most)| ssmglobal_sys::limit(*what, *most))
    }

    /// Locks a process in that a zygote has forked: what was still open to that is not to this.
    ///
    /// # Errors
    /// As [`Sandbox::enter`].
    #[inline(always)]
    pub fn enter_behind(&self) -> io::Result<()> {
        if self.parts & Part::Limits.bit() == 0 { Ok(()) } else { ssmglobal_sys::limit(Resource::RLIMIT_NPROC, 0) }
    }

    #[inline(always)]
    fn close(&self, part: Part) -> io::Result<()> {
        if self.parts & part.bit() == 0 {
            return Ok(());
        }
        match part {
            Part::Streams => with(&self.null, |null| ssmglobal_sys::no_standard_streams(null.as_fd())),
            Part::Root => with(&self.root, |root| {
                fchdir(root)?;
                Ok(chroot(".")?)
            }),
            Part::User => self.user.map_or(Ok(()), ssmglobal_sys::become_user),
            Part::Privileges => {
                nix::sys::prctl::set_no_new_privs()?;
                ssmglobal_sys::drop_capabilities()
            }
            Part::Limits => self.limits.iter().try_for_each(|(what, most)| ssmglobal_sys::limit(*what, *most)),
            Part::Opaque => ssmglobal_sys::become_opaque(),
            Part::Landlock => with(&self.ruleset, |ruleset| ssmglobal_sys::restrict_self(ruleset.as_fd())),
            Part::Filter => self.filter.as_ref().map_or(Ok(()), Filter::install),
        }
    }
}

/// Does something with a descriptor, and closes it in this process. What owns it is never dropped here.
fn with(fd: &Option<OwnedFd>, what: impl FnOnce(&OwnedFd) -> io::Result<()>) -> io::Result<()> {
    let Some(fd) = fd else { return Ok(()) };
    what(fd)?;
    Ok(close(fd.as_raw_fd())?)
}

/// A ruleset without a rule: all that it handles is forbidden. And what this kernel cannot forbid.
fn landlock() -> (Option<OwnedFd>, Vec<&'static str>) {
    let handled = |level: CompatLevel| {
        let with = move || Ruleset::default().set_compatibility(level);
        [
            ("files", with().handle_access(AccessFs::from_all(LANDLOCK))),
            ("TCP", with().handle_access(AccessNet::from_all(LANDLOCK))),
            ("signals and abstract sockets", with().scope(Scope::from_all(LANDLOCK))),
        ]
    };
    let all = || -> Result<Option<OwnedFd>, RulesetError> {
        let ruleset = Ruleset::default().handle_access(AccessFs::from_all(LANDLOCK))?;
        let ruleset = ruleset.handle_access(AccessNet::from_all(LANDLOCK))?.scope(Scope::from_all(LANDLOCK))?;
        Ok(ruleset.create()?.into())
    };
    match all() {
        Ok(Some(fd)) => {
            let lacks = handled(CompatLevel::HardRequirement).into_iter().filter(|(_, result)| result.is_err());
            (Some(fd), lacks.map(|(what, _)| what).collect())
        }
        // Not in this kernel, or not switched on.
        _ => (None, Vec::new()),
    }
}

/// What a worker may take of the machine, generously: it is the bounds on lines and queues that hold a sound one.
fn limits(settings: &Settings) -> [(Resource, rlim_t); 8] {
    const MIB: u64 = 1 << 20;
    let [queue, line] = [settings.limits.queue, settings.limits.server_line].map(|size| size as u64);
    let channels = settings.relay.joined_per_server as u64;
    let data = 256 * MIB + 8 * queue + 8 * line;
    let wanted = [
        // Two for each channel, which is the descriptor of a ring only until that is mapped; and the kernel compares with
        // it the links that all workers of this user have on their way, as many as the rendezvous has room for.
        (Resource::RLIMIT_NOFILE, 4096 + 2 * channels),
        // A session in memory that is handed to a successor.
        (Resource::RLIMIT_FSIZE, 16 * MIB + 2 * queue + 2 * line),
        (Resource::RLIMIT_DATA, data),
        // The rings come to that, and what it has of the program.
        (Resource::RLIMIT_AS, 1024 * MIB + data + 2 * MIB * channels),
        (Resource::RLIMIT_NPROC, 0),
        (Resource::RLIMIT_CORE, 0),
        // What its client logs in to a world with.
        (Resource::RLIMIT_MEMLOCK, ssmglobal_sys::page_size() as u64),
        (Resource::RLIMIT_MSGQUEUE, 0),
    ];
    // What is lower already cannot be raised.
    wanted.map(|(what, most)| (what, getrlimit(what).map_or(most, |(_, hard)| most.min(hard))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;
    use nix::fcntl::{OFlag, open};
    use nix::sys::signal::kill;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, connect, socket};
    use nix::sys::stat::Mode;
    use nix::unistd::{Uid, setuid};

    #[test]
    fn the_list_of_calls_makes_a_filter() {
        Filter::new(CALLS, &[]).unwrap();
        Sandbox::zygote_filter().unwrap();
    }

    #[test]
    fn limits_are_never_above_those_there_are() {
        for (what, most) in limits(&Settings::default()) {
            assert!(getrlimit(what).unwrap().1 >= most, "{what:?}");
        }
    }

    type Attempt = fn() -> Result<(), Errno>;

    /// What comes of something in a child behind the lock, but for the filter; an error's number, 0 when it was done.
    fn without_the_filter(what: Attempt) -> i32 {
        let user = geteuid().is_root().then_some(Ids { user: 65534, group: 65534 });
        let mut sandbox = Sandbox::prepare(&Settings::default(), user, None);
        let missing = sandbox.try_out().unwrap();
        if missing.iter().any(|part| part.contains("landlock")) {
            println!("skipped: {missing:?}");
            return Errno::EACCES as i32;
        }
        sandbox.parts &= !Part::Filter.bit();
        let (child, _) = fork_once((&sandbox, what), |(sandbox, what)| {
            // Nothing that allocates: other threads of the parent may have held a lock.
            let code = match sandbox.enter() {
                Ok(()) => what().map_or_else(|error| error as i32, |()| 0),
                Err(_) => 255,
            };
            exit_now(code)
        })
        .unwrap();
        match waitpid(child, None).unwrap() {
            WaitStatus::Exited(_, code) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_the_filter_stops_is_stopped_behind_it_as_well() {
        let attempts: [(&str, Attempt); 6] = [
            ("open a file", || open(c"/etc/passwd", OFlag::O_RDONLY, Mode::empty()).map(drop)),
            ("make a file", || open(c"/tmp/mine", OFlag::O_CREAT | OFlag::O_WRONLY, Mode::S_IRWXU).map(drop)),
            ("connect", || {
                let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None)?;
                connect(socket.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 9))
            }),
            ("fork", || {
                let forked = fork_once((), |()| exit_now(0));
                forked.map(drop).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))
            }),
            ("send a signal", || kill(getppid(), None)),
            ("become root", || setuid(Uid::from_raw(0))),
        ];
        for (name, attempt) in attempts {
            let code = without_the_filter(attempt);
            let refused = [Errno::EACCES, Errno::EPERM, Errno::EAGAIN].map(|error| error as i32);
            assert!(refused.contains(&code), "{name}: {code}");
        }
    }
}
