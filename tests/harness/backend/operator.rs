//! What the operator does, by `ssmglobal ctl`.

use super::Backend;
use crate::harness::{Output, Process, program, program_of_version, run};
use nix::unistd::Pid;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// A worker, as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its process id.
    pub pid: Pid,
    /// The version of its program.
    pub version: String,
}

/// What `ctl --json` has printed, which has succeeded: the data of the answer.
pub fn ctl_data(output: &Output) -> Value {
    assert_eq!(output.code, 0, "{output:?}");
    let mut told: Value = serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(told["state"], "OK", "{told}");
    told["data"].take()
}

impl Backend {
    /// The operator's command, to be completed.
    pub fn ctl_command(&self, words: &[&str]) -> Command {
        let mut command = program();
        command.arg("--data").arg(self.data()).arg("ctl").args(words);
        command
    }

    /// `ssmglobal ctl WORDS --json`, which must succeed; gives what there is to say besides that it was done.
    pub fn ctl(&self, words: &[&str]) -> Value {
        ctl_data(&run(self.ctl_command(words).arg("--json"), b""))
    }

    /// `ssmglobal ctl WORDS --json`, which must fail; gives the code.
    pub fn ctl_fails(&self, words: &[&str]) -> String {
        let output = run(self.ctl_command(words).arg("--json"), b"");
        assert_eq!(output.code, 1, "ctl {words:?}: {output:?}");
        let told: Value = serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        assert_eq!(told["state"], "ERROR");
        assert!(told["msg"].as_str().is_some_and(|msg| !msg.is_empty()), "{told}");
        told["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The process id of the handler that serves now.
    pub fn handler(&self) -> Pid {
        let pid = self.ctl(&["status"])["handler"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        Pid::from_raw(pid.expect("a process id"))
    }

    /// The worker of a session.
    pub fn worker_of(&self, who: &str) -> Pid {
        let list = self.ctl(&["sessions", "list"]);
        let row =
            list["sessions"].as_array().and_then(|rows| rows.iter().find(|row| row["who"] == who)).expect("a session");
        Pid::from_raw(row["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("a process id"))
    }

    /// The worker of the one client that there is.
    pub fn only_worker(&self) -> Process {
        // Not by its title, which it may not have shown yet.
        let workers = self.workers();
        let [worker] = &workers[..] else { panic!("not one worker: {workers:?}") };
        Process(worker.pid)
    }

    /// The workers, that of the oldest connection first.
    pub fn workers(&self) -> Vec<Worker> {
        let list = self.ctl(&["sessions", "list"]);
        let worker = |row: &Value| {
            let pid = row["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("a process id");
            Worker { pid: Pid::from_raw(pid), version: row["version"].as_str().expect("a version").to_owned() }
        };
        list["sessions"].as_array().expect("a list").iter().map(worker).collect()
    }

    /// Their versions.
    pub fn versions(&self) -> Vec<String> {
        self.workers().into_iter().map(|worker| worker.version).collect()
    }

    /// What the operator types at a terminal: `ssmglobal ctl WORDS`.
    pub fn operator(&self, words: &[&str]) -> Output {
        run(&mut self.ctl_command(words), b"")
    }

    /// The operator grants a licence for a world of this player's; gives the hosting password.
    pub fn world(&self, name: &str, owner: &str) -> String {
        self.ctl(&["world", "add", name, owner])["password"].as_str().expect("a password").to_owned()
    }

    /// A file of the program that is of this version.
    pub fn of_version(&self, version: &str) -> PathBuf {
        let path = self.file(version);
        program_of_version(version, &path);
        path
    }

    /// A program of this version takes over; gives what the operator is told.
    pub fn upgrade_to(&self, version: &str) -> Value {
        let path = self.of_version(version);
        let done = self.ctl(&["upgrade", "--binary", path.to_str().expect("a path")]);
        assert_eq!(done["to"], version);
        done
    }

    /// A board that adds up what players submit; higher is better.
    pub fn sum_board(&self, name: &str) {
        let words = ["--unit", "points", "--better", "higher", "--operator", "sum", "--submit", "players"];
        self.ctl(&[&["board", "define", name][..], &words].concat());
    }

    /// A board that players may submit to; lower is better.
    pub fn board(&self, name: &str) {
        self.ctl(&["board", "define", name, "--unit", "ms", "--better", "lower", "--submit", "players"]);
    }
}
