//! The peers: PostgreSQL, Redis and haproxy, found installed, started with temporary data, measured on the loopback and ended.
//! Runs in the load generator.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use nix::unistd::{User, chown, getuid};
use tempfile::TempDir;

use crate::guard::{Guarded, Result, find_program, free_port, output_of};
use crate::net::Client;
use crate::protocol::{player, push_resp};

/// How many members one command of the seeding carries.
const BATCH: u32 = 1_000;

/// A Redis server of our own.
pub struct Redis {
    // Ended before its directory goes.
    _process: Guarded,
    _dir: TempDir,
    /// Its port on the loopback.
    pub port: u16,
}

impl Redis {
    /// Starts one in `at`; `durable` means that a reply is sent after the disk has it. `None`: not installed.
    pub fn start(at: &Path, durable: bool) -> Result<Option<Self>> {
        let Some(program) = find_program("redis-server") else {
            return Ok(None);
        };
        let dir = TempDir::with_prefix_in("load-redis-", at)?;
        let port = free_port()?;
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--protected-mode", "no", "--dir"]);
        command.arg(dir.path());
        // Snapshots and rewrites would fall into whatever is measured at that moment.
        command.args(["--save", "", "--auto-aof-rewrite-percentage", "0"]);
        if durable {
            command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        }
        let mut process = Guarded::start(&mut command, Signal::SIGTERM, &dir.path().join("log"))?;
        process.wait_for_port("redis-server", port)?;
        Ok(Some(Self { _process: process, _dir: dir, port }))
    }

    /// Makes a sorted set of `members` scores.
    pub fn seed(&self, set: &str, members: u32) -> Result<()> {
        let mut client = Client::open(self.port, 0)?;
        let mut command = Vec::new();
        for first in (0..members).step_by(BATCH as usize) {
            let names: Vec<_> = (first..members.min(first + BATCH)).map(player).collect();
            let mut words: Vec<&[u8]> = vec![b"ZADD", set.as_bytes()];
            for name in &names {
                // The digits of the name are a score as good as any.
                words.extend([&name[1..], &name[..]]);
            }
            command.clear();
            push_resp(&mut command, &words);
            client.send(&command)?;
            let reply = client.line()?;
            if !reply.starts_with(':') {
                return Err(format!("redis: {reply}").into());
            }
        }
        Ok(())
    }
}

/// A PostgreSQL server of our own, with a table of records.
pub struct Postgres {
    _process: Guarded,
    dir: TempDir,
    bin: PathBuf,
    port: u16,
}

/// What pgbench does again and again.
#[derive(Clone, Copy)]
pub enum Work {
    /// One upsert of a random player, committed.
    Upsert,
    /// The score of a random player.
    Read,
}

impl Postgres {
    /// Starts one in `at` with a table of `records` rows. `None`: not installed.
    pub fn start(at: &Path, records: u32) -> Result<Option<Self>> {
        let Some(bin) = postgres_bin() else {
            return Ok(None);
        };
        let dir = TempDir::with_prefix_in("load-postgres-", at)?;
        // It refuses to run as root.
        let user = if getuid().is_root() {
            let user = User::from_name("postgres")?.ok_or("PostgreSQL needs a user `postgres` when run by root")?;
            chown(dir.path(), Some(user.uid), Some(user.gid))?;
            Some(user)
        } else {
            None
        };
        let as_user = |program: &str| {
            let mut command = Command::new(bin.join(program));
            if let Some(user) = &user {
                command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
            }
            command.current_dir(dir.path());
            command
        };
        let data = dir.path().join("data");
        let init = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"];
        output_of(as_user("initdb").args(init).arg(&data))?;
        let port = crate::guard::free_port()?;
        let mut command = as_user("postgres");
        command.arg("-D").arg(&data).arg("-k").arg(dir.path());
        for setting in [
            // Over TCP, as our clients are.
            "listen_addresses=127.0.0.1",
            &format!("port={port}"),
            "fsync=on",
            "synchronous_commit=on",
            "full_page_writes=on",
            "max_connections=200",
            "shared_buffers=512MB",
            "max_wal_size=8GB",
            "checkpoint_timeout=1h",
            // Vacuum would fall into whatever is measured at that moment.
            "autovacuum=off",
        ] {
            command.arg("-c").arg(setting);
        }
        // SIGINT is its fast shutdown.
        let log = dir.path().join("log");
        let mut process = Guarded::start(&mut command, Signal::SIGINT, &log)?;
        let socket = dir.path().join(format!(".s.PGSQL.{port}"));
        crate::guard::until("postgres", std::time::Duration::from_secs(60), || {
            process.check().map_err(|e| format!("postgres {e}"))?;
            let ready = fs::read_to_string(&log).is_ok_and(|log| log.contains("ready to accept connections"));
            Ok(ready && socket.exists())
        })?;
        let server = Self { _process: process, dir, bin, port };
        server.sql(&format!(
            "create table record (board int, player int, score bigint not null, at timestamptz not null, \
             primary key (board, player)); \
             insert into record select 1, n, n, now() from generate_series(0, {records} - 1) n; \
             vacuum analyze record; checkpoint;"
        ))?;
        server.scripts(records)?;
        Ok(Some(server))
    }

    fn scripts(&self, records: u32) -> Result<()> {
        let random = format!("\\set player random(0, {records} - 1)\n");
        let upsert = "\\set score random(1, 1000000000)\n\
             insert into record values (1, :player, :score, now()) \
             on conflict (board, player) do update set score = excluded.score, at = excluded.at;\n";
        let read = "select score from record where board = 1 and player = :player;\n";
        fs::write(self.script(Work::Upsert), random.clone() + upsert)?;
        fs::write(self.script(Work::Read), random + read)?;
        Ok(())
    }

    fn script(&self, work: Work) -> PathBuf {
        self.dir.path().join(match work {
            Work::Upsert => "upsert.sql",
            Work::Read => "read.sql",
        })
    }

    fn sql(&self, text: &str) -> Result<()> {
        let mut command = Command::new(self.bin.join("psql"));
        command.args(["-q", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-p", &self.port.to_string(), "-h"]);
        let mut child =
            command.arg(self.dir.path()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        // One statement a line: several in one message would be one transaction, which vacuum refuses.
        let lines = text.replace("; ", ";\n");
        child.stdin.take().ok_or("no pipe to psql")?.write_all(lines.as_bytes())?;
        let output = child.wait_with_output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("psql: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
    }

    /// Transactions per second of `clients` connections, one in flight on each.
    pub fn pgbench(&mut self, work: Work, clients: usize, seconds: f64) -> Result<f64> {
        let whole = (seconds.ceil() as u64).max(1).to_string();
        let mut command = Command::new(self.bin.join("pgbench"));
        command.args(["-n", "-M", "prepared", "-U", "postgres", "-j", "1", "-T", &whole]);
        command.args(["-c", &clients.to_string(), "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.arg("-f").arg(self.script(work)).arg("postgres");
        let output = output_of(&mut command)?;
        if let Work::Upsert = work {
            // What it would write later belongs to its own round, not into ours.
            self.sql("checkpoint;")?;
        }
        let rate = output.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|rest| rest.split(' ').next()).and_then(|rate| rate.parse().ok());
        rate.ok_or_else(|| format!("pgbench said: {output}").into())
    }
}

/// A haproxy of our own that passes bytes on, and looks at none of them.
pub struct Haproxy {
    _process: Guarded,
    _dir: TempDir,
    /// Its port on the loopback.
    pub port: u16,
}

impl Haproxy {
    /// Starts one in `at` in front of a port of the loopback. `None`: not installed.
    pub fn start(at: &Path, behind: u16) -> Result<Option<Self>> {
        let Some(program) = haproxy() else {
            return Ok(None);
        };
        let dir = TempDir::with_prefix_in("load-haproxy-", at)?;
        let port = free_port()?;
        let config = dir.path().join("haproxy.cfg");
        let lines = format!(
            "global\n  maxconn 4000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
             listen world\n  bind 127.0.0.1:{port}\n  server world 127.0.0.1:{behind}\n"
        );
        fs::write(&config, lines)?;
        let mut command = Command::new(program);
        command.arg("-db").arg("-f").arg(&config);
        let mut process = Guarded::start(&mut command, Signal::SIGTERM, &dir.path().join("log"))?;
        process.wait_for_port("haproxy", port)?;
        Ok(Some(Self { _process: process, _dir: dir, port }))
    }
}

/// On the search path, or where Debian puts it, which not every user looks at.
fn haproxy() -> Option<PathBuf> {
    let debian = || Some(PathBuf::from("/usr/sbin/haproxy")).filter(|path| path.is_file());
    find_program("haproxy").or_else(debian)
}

/// Name and version of the haproxy that is measured.
pub fn haproxy_version() -> Option<String> {
    let text = output_of(Command::new(haproxy()?).arg("-v")).ok()?;
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(format!("haproxy {version}"))
}

/// Name and version of the Redis that is measured.
pub fn redis_version() -> Option<String> {
    let text = output_of(Command::new(find_program("redis-server")?).arg("--version")).ok()?;
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v="))?;
    Some(format!("Redis {version}"))
}

/// Name and version of the PostgreSQL that is measured.
pub fn postgres_version() -> Option<String> {
    let text = output_of(Command::new(postgres_bin()?.join("postgres")).arg("--version")).ok()?;
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(format!("PostgreSQL {version}"))
}

/// The newest PostgreSQL's programs, where Debian puts them or on the search path.
fn postgres_bin() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    places.sort();
    places.reverse();
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let complete = |dir: &PathBuf| {
        let programs = ["initdb", "postgres", "psql", "pgbench"];
        programs.iter().all(|program| dir.join(program).is_file())
    };
    places.into_iter().find(complete)
}
