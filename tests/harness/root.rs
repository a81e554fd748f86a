//! What only root can try. Where that is not so a test says that it is left out.

use super::program;
use nix::unistd::geteuid;
use std::os::unix::process::CommandExt;

/// Whether this is root.
pub fn is_root() -> bool {
    let root = geteuid().is_root();
    if !root {
        println!("left out: only root can do this");
    }
    root
}

/// Whether this is root, and this user can start the program where it was built.
pub fn is_root_beside(user: u32) -> bool {
    if !is_root() {
        return false;
    }
    let tried = program().arg("--version").uid(user).gid(user).output();
    let reachable = tried.is_ok_and(|output| output.status.success());
    if !reachable {
        println!("left out: user {user} cannot reach the program here");
    }
    reachable
}
