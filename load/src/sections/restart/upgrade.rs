//! The upgrade of everything, to a copy of the program, one after the other, while others connect.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use super::{Event, Events, times};
use crate::Context;
use crate::backend::Backend;
use crate::guard::{Result, output_of};

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let mut programs = context.programs.clone();
    if !programs.iter().all(|program| offered(program)) {
        context.report.remark("`upgrade` is left out: this program has no `ctl upgrade`.");
        return Ok(());
    }
    let dir = context.options.dir.clone();
    let copies = programs.each(|program| Copies::of(program, &dir))?;
    let events = Events { visitors: true, ..Events::new("upgrade of everything", times(context, 50, 5)) };
    events.run(context, copies, |copies| Upgrade { binaries: copies.paths(), done: 0 })
}

/// Whether this program can be upgraded in place.
pub fn offered(program: &Path) -> bool {
    output_of(Command::new(program).args(["ctl", "upgrade", "--help"])).is_ok()
}

/// A program, and two other files of it.
pub struct Copies {
    program: PathBuf,
    dir: TempDir,
}

impl Copies {
    /// Makes them in `at`.
    pub fn of(program: &Path, at: &Path) -> Result<Self> {
        let copies = Self { program: program.to_owned(), dir: TempDir::with_prefix_in("load-upgrade-", at)? };
        for copy in copies.paths() {
            std::fs::copy(program, copy)?;
        }
        Ok(copies)
    }

    /// The two others, to be upgraded to in turns.
    pub fn paths(&self) -> [PathBuf; 2] {
        ["a", "b"].map(|name| self.dir.path().join(name))
    }
}

impl AsRef<Path> for Copies {
    fn as_ref(&self) -> &Path {
        &self.program
    }
}

struct Upgrade {
    /// Another file than the one that runs, in turns.
    binaries: [PathBuf; 2],
    done: usize,
}

impl Event for Upgrade {
    fn happen(&mut self, backend: &Backend) -> Result<Instant> {
        let binary = self.binaries[self.done % 2].to_string_lossy();
        self.done += 1;
        let begin = Instant::now();
        backend.operate(&["upgrade", "--binary", &binary])?;
        Ok(begin)
    }
}
