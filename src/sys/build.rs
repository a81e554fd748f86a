//! Whether the C library says where its area for restartable sequences is (`src/rseq.rs`): since 2.35 glibc does.

use std::env::{var, var_os};
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(rseq)");
    let known = ["x86_64", "aarch64"].iter().any(|known| var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok(known));
    let here = var("HOST") == var("TARGET") && var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu");
    if known && here && links("extern const unsigned __rseq_size; int main(void) { return __rseq_size; }").is_some() {
        println!("cargo:rustc-cfg=rseq");
    }
}

/// Whether such a program can be made.
fn links(program: &str) -> Option<()> {
    let dir = PathBuf::from(var_os("OUT_DIR")?);
    let source = dir.join("rseq.c");
    std::fs::write(&source, program).ok()?;
    let mut compiler = Command::new("cc");
    compiler.arg("-o").arg(dir.join("rseq")).arg(source).stdout(Stdio::null()).stderr(Stdio::null());
    compiler.status().ok()?.success().then_some(())
}
