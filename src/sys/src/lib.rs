//! What the operating system is asked for beyond what safe crates give: fork, descriptors sent over sockets,
//! shared memory, the process title, a thread's priority. Used in every process. All `unsafe` of the project
//! is here, each with its reason; the other crates refuse it.

mod descriptors;
mod fork;
pub mod memory;
pub mod ring;
mod sched;
mod signals;
mod title;
mod unforked;
mod writable;

pub use descriptors::{
    Received, clear_cloexec, close_others, link_pair, listen_backlog, pass_credentials, peer_of, receive,
    receive_with_peer, send_with, seqpacket_pair, set_cloexec, take,
};
pub use fork::{ExitSignal, Forked, exit_now, fork};
pub use sched::lowest_priority;
pub use signals::{Caught, Signals, default_signals};
pub use title::{Prepared, Title};
pub use unforked::Unforked;
pub use writable::{Writable, write_out};
