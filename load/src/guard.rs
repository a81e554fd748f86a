//! What must not outlive a measurement: child processes and temporary directories; and Ctrl-C, which ends it early.
//! Runs in the load generator.

use std::error::Error;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::unistd::Pid;

/// The result of everything here; an error ends the section that it happened in.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

static STOPPED: AtomicBool = AtomicBool::new(false);

/// Lets SIGINT and SIGTERM set a flag instead of ending the process, so that every child is still ended in order.
#[allow(unsafe_code)]
pub fn catch_signals() -> Result<()> {
    extern "C" fn stop(_: i32) {
        STOPPED.store(true, Ordering::Relaxed);
    }
    let action = SigAction::new(SigHandler::Handler(stop), SaFlags::SA_RESTART, SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // SAFETY: the handler does nothing but store to an atomic.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

/// An error once a signal asked to stop.
pub fn check_stopped() -> Result<()> {
    if STOPPED.load(Ordering::Relaxed) {
        return Err("stopped by a signal".into());
    }
    Ok(())
}

/// Raises the limit of open files to what is allowed; returns it.
pub fn raise_open_files() -> Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

/// Asks again every 5 ms until `done` says yes. Other programs' state (a port, /proc) offers nothing to wait on.
pub fn until(what: &str, limit: Duration, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + limit;
    while !done()? {
        check_stopped()?;
        if Instant::now() > end {
            return Err(format!("{what}: not within {} s", limit.as_secs()).into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// A child process in a process group of its own; dropping it ends it and waits for its end.
pub struct Guarded {
    child: Child,
    signal: Signal,
    log: Option<PathBuf>,
}

impl Guarded {
    /// Starts `command`, its output going to `log`; `signal` is the one that it ends on in order.
    pub fn start(command: &mut Command, signal: Signal, log: &Path) -> Result<Self> {
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(|e| format!("{}: {e}", log.display()))?;
        command.stdout(file.try_clone()?).stderr(file);
        let mut started = Self::piped(command, signal)?;
        started.log = Some(log.to_owned());
        Ok(started)
    }

    /// Starts `command` with the output as it was set there.
    #[allow(unsafe_code)]
    pub fn piped(command: &mut Command, signal: Signal) -> Result<Self> {
        // The kernel ends it should this tool be killed, when nothing is dropped.
        // SAFETY: between fork and exec this is one system call, which is allowed there.
        unsafe { command.pre_exec(move || Ok(set_pdeathsig(signal)?)) };
        // A group of its own: Ctrl-C reaches this tool alone, which then ends its children in order.
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|e| format!("{}: {e}", command.get_program().display()))?;
        Ok(Self { child, signal, log: None })
    }

    /// The process id.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("process ids fit"))
    }

    /// The child, to take its pipes from.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// An error with the end of its log when it has ended.
    pub fn check(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        let log = self.log.as_ref().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(8)..].join("\n  ");
        Err(format!("ended too early ({status}):\n  {tail}").into())
    }

    /// Waits until a connection to `port` of the loopback is accepted.
    pub fn wait_for_port(&mut self, name: &str, port: u16) -> Result<()> {
        until(name, Duration::from_secs(60), || {
            self.check().map_err(|e| format!("{name} {e}"))?;
            Ok(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())
        })
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let ended = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
        if !ended(&mut self.child) {
            let _ = kill(self.pid(), self.signal);
            let end = Instant::now() + Duration::from_secs(15);
            while !ended(&mut self.child) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        // Whatever of its group is still there goes now; without any the call fails, which is fine.
        let _ = kill(Pid::from_raw(-self.pid().as_raw()), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// A port of the loopback that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Runs a program to its end; its standard output, or its complaint as the error.
pub fn output_of(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{name}: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name}: {} {}", output.status, complaint.trim()).into())
}

/// The path of a program on the search path.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}
