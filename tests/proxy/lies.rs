//! A worker that was taken over, and says more than it may. Its part is played by root, who alone may send under another
//! process's id.

use super::{client, proxied};
use crate::harness::{event, is_root};
use serde_json::json;
use ssmglobal_ipc::Time;
use ssmglobal_ipc::naming::Name;
use std::process::Command;

/// Sends a message to where workers hand over their clients, under the id of the worker, whose descriptor of that it takes. The
/// rendezvous, which is made first, is of the same kind.
const SAYS: &str = r#"
import ctypes, os, socket, struct, sys
worker, message = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
def call(*numbers):
    done = libc.syscall(*numbers)
    if done < 0:
        sys.exit("skipped: " + os.strerror(ctypes.get_errno()))
    return done
process = call(434, worker, 0)
ends = []
for number in sorted(int(name) for name in os.listdir(f"/proc/{worker}/fd")):
    if os.readlink(f"/proc/{worker}/fd/{number}").startswith("socket:"):
        end = socket.socket(fileno=call(438, process, number, 0))
        if end.family == socket.AF_UNIX and end.type & 15 == socket.SOCK_SEQPACKET:
            ends.append(end)
_, moves = ends
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", theirs.fileno()))
who = (socket.SOL_SOCKET, 2, struct.pack("3i", int(sys.argv[3]), 0, 0))
moves.sendmsg([message], [rights, who])
theirs.close()
ours.settimeout(20)
print("answered", ours.recv(100).hex())
"#;

/// Says to the listener, as the process with this id and over this worker's descriptor, who its client is; gives what is
/// answered, or nothing where nobody may play that part here.
fn says(worker: nix::unistd::Pid, pid: u32, name: &Name) -> Option<String> {
    let hex: String = name.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut command = Command::new("python3");
    command.args(["-c", SAYS, &worker.to_string(), &hex, &pid.to_string()]);
    let output = crate::harness::run(&mut command, b"");
    if output.err.starts_with("skipped: ") {
        print!("{}", output.err);
        return None;
    }
    Some(output.succeeds().out.trim().to_owned())
}

#[test]
fn a_worker_that_says_again_who_its_client_is_is_ended() {
    if !is_root() {
        return println!("skipped: only root can say something as another process");
    }
    let proxied = proxied("ask", "", "");
    let [first, second] = ["203.0.113.7:1", "203.0.113.8:2"].map(client);
    let (mut liar, mut other) = (proxied.program(first), proxied.program(second));
    let [worker, honest] = <[_; 2]>::try_from(proxied.backend.workers()).unwrap();
    let name = |text: &str| Name { address: client(text), door: 1, at: Time::now(), version: "0.1.0".to_owned() };
    // Some other process is nobody that would be let in.
    match says(worker.pid, std::process::id(), &name("192.0.2.66:6")) {
        Some(answer) => assert_eq!(answer, "answered"),
        None => return,
    }
    liar.ok("PING", json!({}));
    let pid = worker.pid.as_raw().unsigned_abs();
    assert_eq!(says(worker.pid, pid, &name("192.0.2.66:6")).as_deref(), Some("answered"));
    proxied.backend.log().wait("203.0.113.7:1: worker ");
    proxied.backend.log().wait("says again who its client is; it is ended");
    proxied.backend.log().wait(&event("disconnect", first));
    liar.wire.rest();
    other.ok("PING", json!({}));
    assert_eq!(proxied.addresses(), [second.to_string()]);
    assert_eq!(proxied.backend.workers(), [honest]);
    assert!(!proxied.backend.log().text().contains("192.0.2.66"));
}
