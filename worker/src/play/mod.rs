//! Playing: what stands between a player and a world. Runs in a worker.

pub mod charset;
pub mod gate;
pub mod kept;
pub mod line;
pub mod login;
pub mod scrollback;
