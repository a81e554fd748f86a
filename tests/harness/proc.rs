//! What the kernel tells about processes.

use super::PATIENCE;
use nix::unistd::Pid;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Instant;

/// The calls that wait for events.
const EVENTS: &[nix::libc::c_long] = &[
    nix::libc::SYS_epoll_pwait,
    #[cfg(target_arch = "x86_64")]
    nix::libc::SYS_epoll_wait,
];

/// One mapping of a process's memory.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Where it begins.
    pub start: u64,
    /// What may be done with it, as `r--p`.
    pub rights: String,
    /// The file, or what the kernel calls it; nothing for most memory.
    pub name: String,
    /// How long it is, KiB.
    pub kib: u64,
    /// What of it the process has for itself, KiB.
    pub private: u64,
}

/// A process, looked at from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(pub Pid);

impl Process {
    fn path(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }

    /// What `ps` shows.
    pub fn title(self) -> String {
        let bytes = fs::read(self.path("cmdline")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
        text.trim_end().to_owned()
    }

    /// How many threads it has.
    pub fn threads(self) -> usize {
        fs::read_dir(self.path("task")).map_or(0, Iterator::count)
    }

    /// Its descriptors: what each one is.
    pub fn descriptors(self) -> Vec<String> {
        let list = fs::read_dir(self.path("fd")).expect("its descriptors");
        let links = list.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        links.map(|link| link.display().to_string()).collect()
    }

    /// The file that it was started from.
    pub fn program(self) -> String {
        fs::read_link(self.path("exe")).expect("its program").display().to_string()
    }

    /// Its memory, mapping by mapping.
    pub fn mappings(self) -> Vec<Mapping> {
        let text = fs::read_to_string(self.path("smaps")).expect("its memory");
        let mut mappings: Vec<Mapping> = Vec::new();
        for line in text.lines() {
            if let Some((field, value)) = line.split_once(':').filter(|(field, _)| !field.contains(' ')) {
                let kib = || value.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
                match (field, mappings.last_mut()) {
                    ("Private_Dirty", Some(mapping)) => mapping.private = kib(),
                    ("Size", Some(mapping)) => mapping.kib = kib(),
                    _ => {}
                }
                continue;
            }
            // Where, rights, and the name behind three more.
            let mut words = line.split_ascii_whitespace();
            let place = words.next().and_then(|range| range.split_once('-')).expect("a range").0;
            let start = u64::from_str_radix(place, 16).expect("a place");
            let rights = words.next().expect("rights").to_owned();
            mappings.push(Mapping {
                start,
                rights,
                name: words.nth(3).unwrap_or_default().to_owned(),
                kib: 0,
                private: 0,
            });
        }
        mappings
    }

    /// Waits for its end, with a listener that has not been told of it yet.
    pub fn ends(self) {
        let until = Instant::now() + PATIENCE;
        let Ok(process) = ssmglobal_sys::Process::open(self.0.as_raw()) else { return };
        while !process.has_ended() {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} does not end", self.title());
            let timeout = nix::poll::PollTimeout::try_from(left).expect("a time");
            let waits = nix::poll::PollFd::new(process.as_fd(), nix::poll::PollFlags::POLLIN);
            nix::poll::poll(&mut [waits], timeout).expect("it can be waited for");
        }
    }

    /// Waits until it waits for its client's first word, of which nobody is told.
    pub fn comes_to_wait(self) {
        self.comes_to(&[
            nix::libc::SYS_ppoll,
            #[cfg(target_arch = "x86_64")]
            nix::libc::SYS_poll,
        ]);
    }

    /// The same of a zygote.
    pub fn comes_to_wait_for_orders(self) {
        self.comes_to(&[nix::libc::SYS_recvmsg]);
    }

    /// The same of a listener.
    pub fn comes_to_wait_for_events(self) {
        self.comes_to(EVENTS);
    }

    fn comes_to(self, calls: &[nix::libc::c_long]) {
        let until = Instant::now() + PATIENCE;
        while !self.is_in(calls) {
            assert!(Instant::now() < until, "{} does not wait", self.title());
            std::thread::yield_now();
        }
    }

    fn is_in(self, calls: &[nix::libc::c_long]) -> bool {
        let text = fs::read_to_string(self.path("syscall")).unwrap_or_default();
        let call = text.split(' ').next().and_then(|number| number.parse().ok());
        text.is_empty() || call.is_some_and(|call| calls.contains(&call))
    }

    /// Bytes in use of the memory with this name that it has a descriptor of.
    pub fn memory_behind(self, name: &str) -> u64 {
        let wanted = format!("/memfd:{name} (deleted)");
        let mut list = fs::read_dir(self.path("fd")).expect("its descriptors").flatten();
        let found = list.find(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == &*wanted));
        // In pieces of 512 bytes.
        fs::metadata(found.expect("memory of this name").path()).expect("its size").blocks() * 512
    }

    /// A field of `status`.
    pub fn status(self, field: &str) -> String {
        let text = fs::read_to_string(self.path("status")).expect("its state");
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(":\t"));
        line.unwrap_or_else(|| panic!("no {field}: {text}")).to_owned()
    }

    /// The soft limit of this name.
    pub fn limit(self, name: &str) -> String {
        let text = fs::read_to_string(self.path("limits")).expect("its limits");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let limit = line.and_then(|line| line.split_whitespace().next());
        limit.unwrap_or_else(|| panic!("no {name}: {text}")).to_owned()
    }

    /// Whether it waits for events; also when that cannot be seen.
    pub fn waits_for_events(self) -> bool {
        self.is_in(EVENTS)
    }

    /// Fields of `stat` behind the name.
    fn stat(self) -> Vec<String> {
        let text = fs::read_to_string(self.path("stat")).unwrap_or_default();
        let rest = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
        rest.split(' ').map(str::to_owned).collect()
    }

    fn number(self, field: usize) -> u64 {
        self.stat().get(field).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Memory that it has for itself alone and is in use, KiB.
    pub fn memory(self) -> u64 {
        let text = fs::read_to_string(self.path("status")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).expect("its memory")
    }

    /// The process that started it.
    pub fn parent(self) -> i32 {
        i32::try_from(self.number(1)).unwrap_or(0)
    }

    /// Ticks of the CPU that it has used.
    pub fn ticks(self) -> u64 {
        self.number(11) + self.number(12)
    }

    /// How often it was put on a CPU: grows whenever it does anything at all.
    pub fn switches(self) -> u64 {
        let tasks = fs::read_dir(self.path("task")).into_iter().flatten().flatten();
        let counts = tasks.map(|task| {
            let text = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            let numbers = text.lines().filter(|line| line.contains("ctxt_switches"));
            numbers.filter_map(|line| line.split('\t').nth(1)?.parse::<u64>().ok()).sum::<u64>()
        });
        counts.sum()
    }
}

/// What the process is called that makes workers.
pub const ZYGOTE: &str = "ssmglobal: zygote";

/// The zygote of a listener, once somebody has come.
pub fn zygote_of(listener: Pid) -> Process {
    let found = processes_of(listener).into_iter().find(|process| process.title() == ZYGOTE);
    found.expect("a zygote")
}

/// A listener, its handler, its zygote and its workers.
pub fn processes_of(listener: Pid) -> Vec<Process> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all = pids.map(|pid| Process(Pid::from_raw(pid)));
    all.filter(|process| process.0 == listener || process.parent() == listener.as_raw()).collect()
}
