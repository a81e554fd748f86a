//! A worker that panics tells the handler where, says nothing of what, and ends.

use crate::{World, in_a_locked_child};
use nix::sys::wait::WaitStatus;
use ssmglobal_ipc::{WorkerEnd, rendezvous};

const SECRET: &str = "the password is hunter2";

/// Whether it does.
pub fn tells_where(world: &World) -> bool {
    let ended = in_a_locked_child(world, |_| std::panic::panic_any(SECRET.to_owned()));
    let code = matches!(ended, WaitStatus::Exited(_, code) if code == WorkerEnd::PANICKED.0);
    let mut message = [0; rendezvous::LONGEST];
    let Ok((received, pid)) = ssmglobal_sys::receive_with_peer(&world.rendezvous.1, &mut message) else { return false };
    let message = String::from_utf8_lossy(&message[..received.count]).into_owned();
    let place = message.starts_with("P") && message.contains("panicking.rs:") && !message.contains("hunter2");
    let content = code && place && Some(pid) == ended.pid().map(nix::unistd::Pid::as_raw);
    if !content {
        println!("FAILED panic: {ended:?}, {message:?}");
    }
    content
}
