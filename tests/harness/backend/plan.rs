//! A backend that is about to start: its config, its options, whose it is.

use super::Backend;
use crate::harness::{Running, program, program_at};
use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use tempfile::TempDir;

/// So that tests are quick; nothing here protects anybody.
pub(super) const CHEAP: &str = "players.hash_memory_kib = 64\nplayers.hash_passes = 1\n";

/// All who register in a test come from one address. The environment, so that a test can say otherwise in its own.
const ANY_NUMBER: [(&str, &str); 4] = [
    ("SSMGLOBAL_PLAYERS_IDENTITY", "many"),
    ("SSMGLOBAL_PLAYERS_REGISTRATIONS_PER_ADDRESS", "0"),
    ("SSMGLOBAL_PLAYERS_REGISTRATIONS_PER_NETWORK", "0"),
    ("SSMGLOBAL_PLAYERS_REGISTRATIONS_ALTOGETHER", "0"),
];

/// A small file system that only processes started with [`on_disk`] see; it ends with what is given.
fn disk(size: &str, data: &Path) -> Running {
    std::fs::create_dir(data).expect("the data directory");
    let mut command = Command::new("unshare");
    let script = "mount -t tmpfs -o size=\"$1\",mode=700 none \"$2\" && echo mounted && exec sleep infinity";
    let keeper = Running::start(command.args(["-m", "sh", "-c", script, "sh", size]).arg(data));
    keeper.stdout.wait("mounted");
    keeper
}

/// The program where it sees that file system.
fn on_disk(keeper: &Running) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["-m", "-t", &keeper.pid().to_string(), "--"]).arg(program().get_program());
    command.env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET");
    command
}

/// An address of this machine that no other backend of this program has: then a port that is free once is free
/// again after a restart.
pub fn own_address() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    format!("127.{}.{high}.{low}", std::process::id() % 200 + 20)
}

/// A backend that is about to start.
pub struct Plan {
    config: String,
    options: Vec<String>,
    environment: Vec<(String, String)>,
    address: String,
    /// The size of a file system of its own, for the data.
    disk: Option<String>,
    /// Who starts it, if not whoever runs the tests.
    user: Option<u32>,
    /// Whose the data directory is from the start.
    owner: Option<u32>,
    /// Another file of the program.
    binary: Option<PathBuf>,
    /// Nobody says at which port.
    default_ports: bool,
}

impl Plan {
    /// With the defaults, at an address of its own.
    pub(super) fn new() -> Plan {
        let (options, environment) = (Vec::new(), Vec::new());
        Plan {
            config: CHEAP.to_owned(),
            options,
            environment,
            address: own_address(),
            disk: None,
            user: None,
            owner: None,
            binary: None,
            default_ports: false,
        }
    }

    /// Lines for its config file: dotted keys, doors last.
    pub fn config(mut self, lines: &str) -> Plan {
        self.config.push_str(lines);
        self
    }

    /// Options for its command line.
    pub fn options(mut self, options: &[&str]) -> Plan {
        self.options.extend(options.iter().map(|&option| option.to_owned()));
        self
    }

    /// A variable of its environment.
    pub fn environment(mut self, name: &str, value: &str) -> Plan {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where it will listen.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Listens elsewhere.
    pub fn at(mut self, address: &str) -> Plan {
        self.address = address.to_owned();
        self
    }

    /// Listens at its address as a backend does of which nobody has said where.
    pub fn at_default_ports(mut self) -> Plan {
        self.default_ports = true;
        self
    }

    /// Puts its data on a file system of this size, which only its processes see.
    pub fn on_small_disk(mut self, size: &str) -> Plan {
        self.disk = Some(size.to_owned());
        self
    }

    /// Lets this user start it. Only root can.
    pub fn started_by(mut self, user: u32) -> Plan {
        self.user = Some(user);
        self.data_of(user)
    }

    /// Makes its data directory before it starts, for this user. Only root can.
    pub fn data_of(mut self, owner: u32) -> Plan {
        self.owner = Some(owner);
        self
    }

    /// Starts this file.
    pub fn binary(mut self, path: &Path) -> Plan {
        self.binary = Some(path.to_owned());
        self
    }

    /// Starts it and waits until it serves.
    pub fn start(self) -> Backend {
        let dir = TempDir::new().expect("a temporary directory");
        // Its processes may be other users than whoever runs the tests.
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("a directory of our own");
        if let Some(owner) = self.owner {
            let data = dir.path().join("data");
            std::fs::create_dir(&data).expect("the data directory");
            chown(&data, Some(owner), Some(owner)).expect("another owner");
        }
        std::fs::write(dir.path().join("config.toml"), &self.config).expect("the config file");
        let disk = self.disk.as_ref().map(|size| disk(size, &dir.path().join("data")));
        let plan = Plan { config: String::new(), ..self };
        let running = Running::start(&mut plan.command(dir.path(), 0, disk.as_ref()));
        let at = SocketAddr::from(([0; 4], 0));
        let mut backend = Backend { plan, dir, running, before: Vec::new(), at, disk };
        backend.at = backend.announced();
        backend
    }

    /// The command that starts it.
    pub(super) fn command(&self, dir: &Path, port: u16, disk: Option<&Running>) -> Command {
        let mut command = match (disk, &self.binary) {
            (Some(keeper), _) => on_disk(keeper),
            (None, Some(binary)) => program_at(binary),
            (None, None) => program(),
        };
        command.arg("--config").arg(dir.join("config.toml")).arg("--data").arg(dir.join("data"));
        command.args(["-a", &self.address]).args(&self.options);
        if !self.default_ports {
            command.args(["-p", &port.to_string()]);
        }
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.envs(ANY_NUMBER).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}
