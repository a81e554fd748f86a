//! What the operating system is asked for beyond what safe crates give: fork, descriptors sent over sockets,
//! shared memory, the process title, a thread's priority, giving up privileges. Used in every process. All `unsafe` of the project
//! is here, each with its reason; the other crates refuse it.

mod accounts;
mod descriptors;
mod filter;
mod fork;
mod heap;
mod locked;
pub mod memory;
mod owned;
mod privileges;
mod process;
pub mod ring;
mod rseq;
mod sched;
pub mod sealed;
mod shared;
mod signals;
mod tcp;
mod title;
mod unforked;
mod wait;
mod writable;

pub use accounts::{Account, group_named};
pub use descriptors::{
    MOST_DESCRIPTORS, Received, clear_cloexec, close_others, has_said, is_unix_stream, let_go_first, link_pair,
    listen_backlog, pass_credentials, peek_descriptor, peer_of, read_now, read_waiting, receive, receive_descriptor,
    receive_with_peer, send_descriptor, send_with, seqpacket_pair, set_cloexec, take, waiting_pair, widen, write_now,
};
pub use filter::{Allowed, Filter, Test};
pub use fork::{Child, ChildStack, ExitSignal, exit_now, fork, fork_once, fork_sibling, keep_own_stack, keep_stack};
pub use heap::settle_heap;
pub use locked::{LockedPage, page_size};
pub use owned::{only_roots, others_write};
pub use privileges::{
    Ids, become_opaque, become_user, drop_capabilities, end_with_parent, limit, no_backtraces, no_standard_streams,
    restrict_self,
};
pub use process::{Process, started_at, ticks_now};
pub use rseq::leave_rseq;
pub use sched::lowest_priority;
pub use shared::SharedPage;
pub use signals::{Caught, Signals, default_signals};
pub use tcp::{Flow, answer_within, flow, gone_after, has_sent, unacknowledged};
pub use title::{Prepared, Title, title_of, title_of_parent, titled};
pub use unforked::{Unforked, UnforkedBox, UnforkedVec};
pub use wait::{Happened, Turn, is_readable};
pub use writable::{Writable, watch_in_turn, write_out, write_some};
