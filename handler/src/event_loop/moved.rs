//! A client that goes on with another worker, after an upgrade: what is kept under the one's process id belongs to the other
//! from then on. Its session goes on as it is, with its link if it had one. Part of the event loop.

use super::EventLoop;
use ssmglobal_ipc::control::Client;
use ssmglobal_sys::ticks_now;

impl EventLoop {
    /// The listener says that a client has moved from the worker with this process id.
    pub(super) fn moved(&mut self, from: i32, client: Client) {
        let pid = client.pid;
        log::info!(
            "{}: worker {pid} goes on with the client of worker {from}",
            ssmglobal_config::shown(client.address)
        );
        let links = self.workers.links.get(&from).copied();
        self.workers.links.extend(links.map(|links| (pid, links)));
        self.workers.forget(from);
        self.workers.children.insert(pid, client);
        self.workers.first_seen.insert(pid, ticks_now());
        if let Some(slot) = self.workers.by_pid.remove(&from) {
            // It may have made a link of its own already, which is then the one.
            self.workers.by_pid.entry(pid).or_insert(slot);
            if let Some(session) = self.session_mut(slot) {
                session.pid = pid;
            }
        }
        if let Some(slot) = self.workers.by_pid.get(&pid).copied() {
            self.release(slot);
        }
        if let Some(why) = self.workers.kicks.remove(&from) {
            self.end_worker(pid, why);
        }
    }
}
