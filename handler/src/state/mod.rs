//! What the handler knows in memory: data, and what can be asked of it. No links, no threads, no capability, no database but
//! for what is read from it at the start.

pub mod attempts;
pub mod audit;
pub mod boards;
pub mod bus;
pub mod directory;
pub mod host_backlog;
pub mod hosting;
pub mod journal;
pub mod licences;
pub mod log_limit;
pub mod logins;
mod loop_state;
pub mod meant;
pub mod memory;
pub mod mirror;
pub mod mirror_rows;
pub mod mirrored;
pub mod mssp;
pub mod names;
pub mod networks;
pub mod news;
pub mod online;
mod overlay;
pub mod pages;
pub mod passes;
pub mod per_list;
pub mod plays;
pub mod properties;
mod rank_index;
pub mod registrations;
pub mod session;
pub mod shared_ring;
pub mod takeovers;
pub mod terms;
pub mod throttle;
pub mod tickets;
pub mod topic;
pub mod universe;
pub mod visitors;
mod window;
pub mod worlds;

pub use loop_state::State;
pub use overlay::Overlay;
