//! A machine of a test's own, as far as some directories go: what is installed, found and set up there touches nothing of the
//! real one.

use super::{Output, Running, is_root, own_address, program, run};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// It has an `/etc`, `/var/lib`, `/var/log` and `/usr/local/bin` of its own, until it is dropped.
pub struct Machine {
    dir: TempDir,
    keeper: Running,
}

impl Machine {
    /// Nothing, where no such machine can be made.
    pub fn new() -> Option<Machine> {
        if !is_root() {
            return None;
        }
        let dir = TempDir::new().expect("a temporary directory");
        let script = "cp -a /etc \"$1/etc\" && mount --bind \"$1/etc\" /etc && mount -t tmpfs none /var/lib && mount -t tmpfs none /usr/local/bin &&
            mkdir -p /var/log && mount -t tmpfs none /var/log && rm -f /etc/ssmglobal.toml && echo made && exec sleep infinity";
        let mut command = Command::new("unshare");
        let keeper = Running::start(command.args(["-m", "sh", "-c", script, "sh"]).arg(dir.path()));
        keeper.stdout.wait("made");
        Some(Machine { dir, keeper })
    }

    /// A directory there where nothing of a backend lies.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.dir.path().join(name);
        std::fs::create_dir_all(&folder).expect("a directory");
        folder
    }

    /// The program on that machine, started in this directory.
    pub fn program(&self, at: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-m", "-t", &self.keeper.pid().to_string(), &format!("--wd={}", at.display()), "--"]);
        command.arg(program().get_program()).env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET");
        command
    }

    /// `ssmglobal ctl WORDS` there.
    pub fn ctl(&self, at: &Path, words: &[&str]) -> Output {
        run(self.program(at).arg("ctl").args(words), b"")
    }

    /// `ssmglobal WORDS` there, to its end.
    pub fn runs(&self, at: &Path, words: &[&str]) -> Output {
        run(self.program(at).args(words), b"")
    }

    /// A shell command there, as root.
    pub fn shell(&self, script: &str) -> Output {
        let mut command = Command::new("nsenter");
        command.args(["-m", "-t", &self.keeper.pid().to_string(), "--", "sh", "-ec", script]);
        run(&mut command, b"")
    }

    /// The id of a process of it, to enter it by.
    pub fn process(&self) -> String {
        self.keeper.pid().to_string()
    }

    /// A file of its `/etc`.
    pub fn etc(&self, name: &str) -> PathBuf {
        self.dir.path().join("etc").join(name)
    }

    /// A backend there that serves.
    pub fn backend(&self, at: &Path, options: &[&str]) -> Running {
        let running = Running::start(self.program(at).args(["-a", &own_address(), "-p", "0"]).args(options));
        running.stderr.wait("is ready");
        running
    }

    /// Writes the config file of its service.
    pub fn write_config(&self, text: &str) {
        std::fs::write(self.etc("ssmglobal.toml"), text).expect("the config file");
    }
}
