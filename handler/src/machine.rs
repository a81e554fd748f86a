//! What the kernel says of the processes and of the disk: for the operator's numbers. Reads small files of `/proc`; what it does
//! not find there (a machine may hide other users' processes) is left out. Runs in a thread of its own for each question.

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use ssmglobal_ipc::numbers::Machine;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Workers that are looked at; the others are taken to be like them.
const SAMPLE: usize = 32;

/// Whom to ask about.
pub struct Asked {
    /// The listener's process id; 0 when there is none.
    pub listener: i32,
    /// All workers.
    pub workers: Vec<i32>,
    /// The database.
    pub database: PathBuf,
}

impl Asked {
    /// Asks.
    pub fn look(&self) -> Machine {
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok();
        let cpu = usage.map(|usage| usage.user_time() + usage.system_time());
        let (listener, handler) = (memory(&self.listener.to_string()), memory("self"));
        Machine {
            handler_bytes: handler.map(|memory| memory.resident),
            listener_bytes: listener.map(|memory| memory.resident),
            workers_bytes: listener.and_then(|listener| self.workers(listener.anonymous)),
            handler_cpu_ms: cpu.and_then(|time| u64::try_from(time.tv_sec() * 1000 + time.tv_usec() / 1000).ok()),
            handler_fds: std::fs::read_dir("/proc/self/fd").ok().map(|all| (all.count() as u64).saturating_sub(1)),
            handler_fds_max: getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft),
            wal_bytes: std::fs::metadata(beside(&self.database, "-wal")).map_or(0, |file| file.len()),
            disk_free_bytes: free(&self.database),
        }
    }

    /// What workers have of their own.
    fn workers(&self, copied: u64) -> Option<u64> {
        let step = self.workers.len().div_ceil(SAMPLE).max(1);
        let some: Vec<u64> = self.workers.iter().step_by(step).filter_map(|pid| own(*pid, copied)).collect();
        let sum: u128 = some.iter().map(|bytes| u128::from(*bytes)).sum();
        match (self.workers.len() as u128, some.len() as u128) {
            (0, _) => Some(0),
            (_, 0) => None,
            (all, looked_at) => u64::try_from(sum * all / looked_at).ok(),
        }
    }
}

/// What a worker has of its own: its page tables, and what it does not share with the listener, of whose memory it began with a
/// copy. Exactly only where this process may look into it; else without what it has changed in the copy.
fn own(pid: i32, copied: u64) -> Option<u64> {
    let memory = memory(&pid.to_string())?;
    let private = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .ok()
        .and_then(|text| Some(field(&text, "Private_Clean")? + field(&text, "Private_Dirty")?));
    Some(memory.tables + private.unwrap_or_else(|| memory.anonymous.saturating_sub(copied)))
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Memory {
    /// All that it has in memory now.
    resident: u64,
    /// Of that what belongs to no file, also where it is shared since a fork.
    anonymous: u64,
    /// Besides that, where the kernel notes which page is where.
    tables: u64,
}

fn memory(process: &str) -> Option<Memory> {
    of_status(&std::fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

/// From the text of `/proc/PID/status`.
fn of_status(text: &str) -> Option<Memory> {
    let field = |name| field(text, name);
    Some(Memory { resident: field("VmRSS")?, anonymous: field("RssAnon")?, tables: field("VmPTE")? })
}

/// A field of such a text, which counts in KiB, in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(end);
    PathBuf::from(name)
}

fn free(database: &Path) -> Option<u64> {
    let found = nix::sys::statvfs::statvfs(database).ok()?;
    found.blocks_available().checked_mul(found.fragment_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        let text =
            "Name:\tssmglobal\nVmPeak:\t  999 kB\nVmRSS:\t    5120 kB\nRssAnon:\t     512 kB\nVmPTE:\t      76 kB\n";
        assert_eq!(of_status(text), Some(Memory { resident: 5 << 20, anonymous: 512 << 10, tables: 76 << 10 }));
        // A kernel thread, or one that has ended.
        assert_eq!(of_status("Name:\tkthreadd\nState:\tZ\n"), None);
    }

    #[test]
    fn a_process_has_at_least_its_page_tables_of_its_own() {
        let me = i32::try_from(std::process::id()).unwrap();
        let tables = memory("self").unwrap().tables;
        assert!(tables > 0 && own(me, u64::MAX).is_some_and(|own| own >= tables / 2), "{tables}");
        let asked = Asked { listener: me, workers: vec![me; 100], database: PathBuf::from("/") };
        assert!(asked.look().workers_bytes.is_some_and(|bytes| bytes >= 100 * (tables / 2)));
    }

    #[test]
    fn who_is_not_there_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let asked = Asked { listener: 0, workers: vec![0, -1], database: folder.path().join("none.db") };
        let found = asked.look();
        assert_eq!((found.listener_bytes, found.workers_bytes, found.wal_bytes), (None, None, 0));
        assert_eq!(found.disk_free_bytes, None);
        assert!(found.handler_bytes.is_some_and(|bytes| bytes > 1 << 20), "{found:?}");
        assert!(found.handler_fds.is_some_and(|count| count >= 3), "{found:?}");
    }

    #[test]
    fn no_workers_have_no_memory() {
        let me = i32::try_from(std::process::id()).unwrap();
        let asked = Asked { listener: me, workers: Vec::new(), database: PathBuf::from("/") };
        assert_eq!(asked.look().workers_bytes, Some(0));
        assert!(asked.look().disk_free_bytes.is_some());
    }
}
