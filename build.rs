//! What building this program needs beyond what Cargo does, since it is linked statically (`.cargo/config.toml`): to say what to do
//! where a machine cannot, for which the linker has no kind words; and to let the program be found where programs are.

use std::env::{var, var_os};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=build.rs");
    if lacks_static_library() {
        eprintln!(
            "This machine lacks the C library for programs that are linked statically (libc.a). Install it:\n  \
             Debian, Ubuntu: apt-get install libc6-dev\n  Fedora: dnf install glibc-static\n  \
             openSUSE: zypper install glibc-devel-static\n\
             Or do without: RUSTFLAGS= cargo build --release. Then each connection costs about half as much again."
        );
        return ExitCode::FAILURE;
    }
    // Where it cannot be, the program is where Cargo has put it.
    let _ = put_link();
    ExitCode::SUCCESS
}

fn lacks_static_library() -> bool {
    let of_target = |name: &str| var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_static = of_target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if !is_static || var("HOST") != var("TARGET") || of_target("ENV") != "gnu" {
        return false;
    }
    // It repeats the name of a file that it does not find. That there is no compiler is said by whoever needs one.
    let said = Command::new("cc").arg("-print-file-name=libc.a").output();
    said.is_ok_and(|said| !Path::new(String::from_utf8_lossy(&said.stdout).trim()).is_absolute())
}

/// Cargo has a directory for each target that is named: `target/release/ssmglobal` leads there.
fn put_link() -> Option<()> {
    let out = PathBuf::from(var_os("OUT_DIR")?);
    let profile = out.ancestors().nth(3)?;
    let (target, name) = (profile.parent()?, profile.file_name()?);
    if target.file_name()?.to_str() != var("TARGET").ok().as_deref() {
        return None;
    }
    let place = target.parent()?.join(name).join("ssmglobal");
    let to = Path::new("..").join(target.file_name()?).join(name).join("ssmglobal");
    if fs::read_link(&place).is_ok_and(|found| found == to) {
        return Some(());
    }
    fs::create_dir_all(place.parent()?).ok()?;
    // One that was built before there was a target: it is older than whatever is built now.
    let _ = fs::remove_file(&place);
    symlink(to, place).ok()
}
