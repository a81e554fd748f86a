//! What the kernel tells about processes and the machine: children, memory, and the CPU time of a backend. Runs in the
//! load generator.

use std::fs;
use std::time::Duration;

use nix::time::clock_getcpuclockid;
use nix::unistd::{Pid, SysconfVar, sysconf};

use crate::backend::Backend;
use crate::guard::Result;

/// A value of /proc/meminfo in bytes.
pub fn meminfo(name: &str) -> Result<f64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    kilobytes(&text, name).ok_or_else(|| format!("no {name} in /proc/meminfo").into())
}

/// The value in bytes of a line such as `Name:   12 kB`.
fn kilobytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let number: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(number * 1024.0)
}

/// The children of a process with one thread.
pub fn children(pid: Pid) -> Result<Vec<i32>> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    Ok(text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

/// The process that makes workers for a listener, where there is one.
pub fn zygote(listener: Pid) -> Result<Option<Pid>> {
    let title = |pid: &i32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let found = children(listener)?.into_iter().find(|pid| title(pid).starts_with(b"ssmglobal: zygote"));
    Ok(found.map(Pid::from_raw))
}

/// Bytes that a process has for itself.
pub fn private_of(pid: i32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let parts = ["Private_Clean", "Private_Dirty"].map(|name| kilobytes(&text, name));
    parts.into_iter().sum::<Option<f64>>().ok_or_else(|| "smaps_rollup without private pages".into())
}

/// Seconds of CPU of a process and of its children that have ended, in whole hundredths.
pub fn cpu_with_ended(pid: Pid) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = text.rsplit_once(") ").ok_or("no state of the listener")?;
    let ticks = fields.split(' ').skip(11).take(4).map(str::parse::<f64>).sum::<std::result::Result<f64, _>>()?;
    let second = sysconf(SysconfVar::CLK_TCK)?.ok_or("no length of a tick")?;
    Ok(ticks / second as f64)
}

/// Seconds of CPU, user and system, of all threads of a process. The same sum as in /proc/PID/stat, but to the
/// nanosecond: rounded to hundredths, a thousand workers would hide what a request costs.
fn cpu(pid: i32) -> Result<f64> {
    Ok(Duration::from(clock_getcpuclockid(Pid::from_raw(pid))?.now()?).as_secs_f64())
}

/// Tells how much CPU a backend takes: its listener, its handler and its workers.
pub struct Meter {
    listener: Pid,
    handler: i32,
}

/// CPU in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// Of all processes, the handler among them.
    pub all: f64,
    /// Of the handler.
    pub handler: f64,
}

/// A meter that runs. It looks at the processes that were there when it began: who comes later is not counted, and who
/// is gone at the end counts nothing.
pub struct Running {
    handler: i32,
    before: Vec<(i32, f64)>,
}

impl Meter {
    /// Of a backend whose listener and handler stay the same until the last turn.
    pub fn of(backend: &Backend) -> Result<Self> {
        Ok(Self { listener: backend.listener()?, handler: backend.handler()?.as_raw() })
    }

    /// Begins to count.
    pub fn start(&self) -> Result<Running> {
        // The handler is a child of the listener, as the workers are.
        let pids = children(self.listener)?.into_iter().chain([self.listener.as_raw()]);
        let before: Vec<_> = pids.filter_map(|pid| Some((pid, cpu(pid).ok()?))).collect();
        if before.iter().all(|(pid, _)| *pid != self.handler) {
            return Err("the handler is no child of the listener any more".into());
        }
        Ok(Running { handler: self.handler, before })
    }
}

impl Running {
    /// What was spent since.
    pub fn spent(&self) -> Result<Spent> {
        let since = |(pid, before): &(i32, f64)| Some((*pid, cpu(*pid).ok()? - before));
        let spent: Vec<(i32, f64)> = self.before.iter().filter_map(since).collect();
        let handler = spent.iter().find(|(pid, _)| *pid == self.handler).ok_or("the handler has ended")?.1;
        Ok(Spent { all: spent.iter().map(|(_, spent)| spent).sum(), handler })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_stay_are_counted() {
        let own = i32::try_from(std::process::id()).unwrap();
        let running = Running { handler: own, before: vec![(own, 0.0), (i32::MAX, 0.0)] };
        let begin = std::time::Instant::now();
        while begin.elapsed() < Duration::from_millis(20) {}
        let spent = running.spent().unwrap();
        assert!(spent.handler > 0.0 && spent.all >= spent.handler, "{spent:?}");
        assert!(Running { handler: i32::MAX, before: vec![(own, 0.0)] }.spent().is_err());
    }

    #[test]
    fn lines_in_kilobytes() {
        assert_eq!(kilobytes("MemTotal:       12 kB\nMemFree:  3 kB\n", "MemFree"), Some(3072.0));
        assert_eq!(kilobytes("MemTotal:       12 kB\n", "Mem"), None);
    }
}
