//! Playing: what stands between a player and a world. Runs in a worker.

pub mod charset;
pub mod line;
pub mod scrollback;
