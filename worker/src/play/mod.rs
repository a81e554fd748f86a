//! Playing: what stands between a player and a world. Runs in a worker.

pub mod charset;
pub mod gate;
pub mod line;
pub mod scrollback;
