//! Layers on every split, put away at every byte; and peers over real sockets.

mod compression;
mod layers;
mod sockets;
