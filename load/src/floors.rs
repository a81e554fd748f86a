//! What the machine can do at best, as bare loops in a program of their own: accept and greet; accept, greet and fork. It is
//! built in two ways, since a process that is linked dynamically costs more to fork.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::guard::{Guarded, Result};

/// The line that a client gets first, from us and from the floors.
pub const GREETING: &[u8] = b"{\"state\": \"OK\", \"msg\": \"CONNECTED serversquaredGlobal\"}\r\n";

/// Which loop.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// Accepts and greets.
    Greet,
    /// Accepts, greets and forks; the child waits for the end of its connection.
    Fork,
}

/// How it is linked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// With the machine's C library, as programs are.
    Dynamically,
    /// With all that it needs, as ours is.
    Statically,
}

impl Linked {
    fn word(self) -> &'static str {
        match self {
            Self::Dynamically => "dynamic",
            Self::Statically => "static",
        }
    }

    fn flags(self) -> &'static str {
        match self {
            Self::Dynamically => "-C target-feature=-crt-static",
            Self::Statically => "-C target-feature=+crt-static",
        }
    }

    /// Builds the program; where it is.
    fn program(self) -> Result<PathBuf> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let own = std::env::current_exe()?;
        let profiles = own.parent().and_then(Path::parent).ok_or("no directory for builds")?;
        let dir = profiles.join("floors").join(self.word());
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--quiet", "--release", "--manifest-path"]).arg(here.join("floor/Cargo.toml"));
        command.arg("--target-dir").arg(&dir).env("RUSTFLAGS", self.flags()).env("CARGO_BUILD_TARGET", "host-tuple");
        if !command.status()?.success() {
            return Err("the bare loops do not build".into());
        }
        let built = fs::read_dir(&dir)?.flatten().map(|entry| entry.path().join("release/floor"));
        Ok(built.into_iter().find(|path| path.is_file()).ok_or("the bare loops were not built")?)
    }
}

impl Floor {
    /// Starts the loop as a child process; also its port.
    pub fn start(self, linked: Linked) -> Result<(Guarded, u16)> {
        let mut command = Command::new(linked.program()?);
        command.arg(if self == Self::Greet { "greet" } else { "fork" }).stdout(Stdio::piped());
        let mut process = Guarded::piped(&mut command, Signal::SIGTERM)?;
        let output = process.child().stdout.take().ok_or("no pipe from the floor")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse().map_err(|_| "the floor did not tell its port")?;
        Ok((process, port))
    }
}
