//! The Debian package, put together from Cargo.toml with the program under test, and tried by `config/debian/try`.

use crate::harness::{is_installed, is_root, program, run};
use std::path::Path;
use std::process::Command;

/// Whether a file system can be laid over that of this machine here; else it says that the test is left out.
fn may_lay_over() -> bool {
    let script = "mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w /mnt/r &&
        mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r && python3 -c 'import tomllib'";
    let may = is_root() && run(Command::new("unshare").args(["-m", "-n", "sh", "-c", script]), b"").code == 0;
    if !may {
        eprintln!("left out: no root, no overlayfs, or no python3 that reads TOML");
    }
    may
}

#[test]
fn the_package_installs_starts_upgrades_without_dropping_a_client_and_removes_cleanly() {
    if !is_installed("dpkg-deb") || !may_lay_over() {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/debian/try");
    run(Command::new(script).arg(program().get_program()), b"").succeeds().prints("== all is well");
}
