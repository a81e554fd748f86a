//! The stream to the listener: which workers there are, what is to be logged, new settings. Part of the event loop.

use super::{End, Server};
use ssmglobal_ipc::WorkerEnd;
use ssmglobal_ipc::control::{ToHandler, ToListener};
use ssmglobal_ipc::frame::{FrameReader, put_control};
use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// The stream to the listener. What is said to it is little, and it always reads: there is room.
pub struct ListenerLink {
    /// The socket.
    pub stream: UnixStream,
    /// What has come and is not whole yet.
    pub reader: FrameReader,
    out: Vec<u8>,
}

impl ListenerLink {
    /// Takes over the socket and what was read from it so far.
    pub fn new(stream: UnixStream, reader: FrameReader) -> ListenerLink {
        ListenerLink { stream, reader, out: Vec::new() }
    }

    /// Tells the listener something.
    pub fn tell(&mut self, message: &ToListener) {
        put_control(&mut self.out, message);
        self.flush();
    }

    fn flush(&mut self) {
        // Full: goes with the next word. Gone: reading notices.
        let _ = ssmglobal_sys::write_out(&mut self.stream, &mut self.out);
    }
}

impl Server {
    pub(super) fn read_listener(&mut self) -> Option<End> {
        let mut reader = std::mem::take(&mut self.listener.reader);
        let end = loop {
            loop {
                match reader.next_frame() {
                    Ok(Some(frame)) => match frame.control::<ToHandler>() {
                        Ok(ToHandler::Stop) => return Some(End::Asked),
                        Ok(message) => self.listener_says(message),
                        Err(error) => log::error!("the listener sent {error}"),
                    },
                    Ok(None) => break,
                    Err(error) => {
                        log::error!("the listener sent {error}");
                        return Some(End::ListenerGone);
                    }
                }
            }
            match reader.fill(|buffer| self.listener.stream.read(buffer)) {
                Ok((0, _)) => break Some(End::ListenerGone),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break Some(End::ListenerGone),
            }
        };
        self.listener.reader = reader;
        end
    }

    pub(super) fn listener_says(&mut self, message: ToHandler) {
        match message {
            ToHandler::Clients { clients, max } => {
                self.clients_max = max;
                let living = clients.iter().map(|client| client.session).collect();
                crate::link::lock(&self.core.results).retain(&living);
                self.banished.retain(|session| living.contains(session));
                self.children = clients.into_iter().map(|client| (client.pid, client)).collect();
                self.panicked.retain(|pid| self.children.contains_key(pid));
                for slot in self.by_pid.values().copied().collect::<Vec<_>>() {
                    self.release(slot);
                }
            }
            ToHandler::Joined { client: child, count, max } => {
                self.clients_max = max;
                log::info!(target: "listener", "{}: Connected ({count}/{max}).", ssmglobal_config::shown(child.address));
                let pid = child.pid;
                self.children.insert(pid, child);
                if let Some(slot) = self.by_pid.get(&pid).copied() {
                    self.release(slot);
                }
            }
            ToHandler::Exited { pid, status, count, max } => {
                self.kicks.remove(&pid);
                self.panicked.remove(&pid);
                let Some(child) = self.children.remove(&pid) else { return };
                self.banished.remove(&child.session);
                self.expected.remove(&child.session);

                let address = ssmglobal_config::shown(child.address);
                log::info!(target: "listener", "{address}: Disconnected ({count}/{max}).");
                if status != 0 {
                    log::warn!(target: "listener", "{address}: worker {pid} has ended: {}", WorkerEnd(status));
                }
            }
            // Stop and the run were seen to before; the others are of old, and whoever starts a handler is of its own build.
            ToHandler::Stop | ToHandler::Run { .. } | ToHandler::Snapshot { .. } | ToHandler::Forked { .. } => {}
            ToHandler::Log { level, text } => {
                log::log!(target: "listener", crate::logging::level(level), "{}", ssmglobal_ipc::clean(&text));
            }
            ToHandler::Reload { settings } => match postcard::from_bytes::<ssmglobal_config::Settings>(&settings) {
                Ok(settings) => {
                    log::set_max_level(crate::logging::filter(settings.log.level));
                    *crate::core::write(&self.core.settings) = Arc::new(settings);
                }
                Err(error) => log::error!("the listener sent settings that cannot be read: {error}"),
            },
        }
    }
}
