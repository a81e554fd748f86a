//! The upgrade of everything, to a copy of the program, one after the other, while others connect.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::{Events, program, times};
use crate::Context;
use crate::guard::{Result, output_of};

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let Some(program) = program(context)? else {
        return Ok(());
    };
    if !offered(&program) {
        context.report.remark("`upgrade` is left out: this program has no `ctl upgrade`.");
        return Ok(());
    }
    // Another file than the one that runs, in turns.
    let dir = tempfile::TempDir::with_prefix_in("load-upgrade-", &context.options.dir)?;
    let binaries = ["a", "b"].map(|name| dir.path().join(name));
    for binary in &binaries {
        std::fs::copy(&program, binary)?;
    }
    let mut next = binaries.iter().cycle();
    let events = Events { visitors: true, ..Events::new("upgrade of everything", times(context, 50)) };
    events.run(context, |backend| {
        let binary = next.next().ok_or("no binary")?.to_string_lossy();
        let begin = Instant::now();
        backend.operate(&["upgrade", "--binary", &binary])?;
        Ok(begin)
    })
}

/// Whether this program can be upgraded in place.
pub fn offered(program: &Path) -> bool {
    output_of(Command::new(program).args(["ctl", "upgrade", "--help"])).is_ok()
}
