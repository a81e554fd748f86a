//! What a worker says over the rendezvous besides asking for a link: that it has panicked, and where. Part of the event
//! loop.

use super::EventLoop;
use ssmglobal_ipc::rendezvous;

impl EventLoop {
    /// A message without a descriptor has come from this process. It is believed once: a worker that has panicked ends,
    /// and one that was taken over shall not fill the log.
    pub(super) fn rendezvous_message(&mut self, pid: i32, message: &[u8]) {
        let Some((&rendezvous::PANICKED, place)) = message.split_first() else { return };
        if !self.workers.panicked.insert(pid) {
            return;
        }
        let address = self.workers.children.get(&pid).map(|child| ssmglobal_config::shown(child.address));
        let address = address.as_deref().unwrap_or("a client that has just come");
        let place = String::from_utf8_lossy(place);
        let place = ssmglobal_ipc::clean(&place);
        log::error!(target: "worker", "{address}: worker {pid} panicked at {place}. Please report it.");
    }
}
