//! Which of the oldest entries are still needed. Part of the event loop.

use super::{Entry, Journal, PIECE, TAIL};
use crate::results::packed;
use crate::server::Server;
use ssmglobal_store::{Owner, PlayerId, ServerId};

impl Journal {
    /// Bytes from the oldest entry to the end.
    fn span(&self) -> u64 {
        self.head().saturating_sub(self.get(TAIL))
    }
}

impl Server {
    /// Looks at twice as many bytes of the oldest entries as were written since the last time: so the journal is never much
    /// longer than twice what is needed of it.
    pub fn tidy_journal(&mut self) {
        let mut budget = 2 * std::mem::take(&mut self.journal.grown) as u64;
        while budget > 0 && self.journal.span() > PIECE as u64 {
            let tail = self.journal.get(TAIL);
            let Some((_, entry, behind)) = self.journal.at(tail) else { return };
            for entry in self.needed(entry) {
                self.journal.append(&entry);
            }
            self.journal.forget(behind);
            budget = budget.saturating_sub(behind - tail);
        }
        // What was moved is not new.
        self.journal.grown = 0;
    }

    /// What of an entry is still needed.
    fn needed(&mut self, entry: Entry) -> Vec<Entry> {
        match entry {
            Entry::Linked { session } if self.is_here(session) => vec![Entry::Linked { session }],
            Entry::Done { session, request, .. } if self.may_repeat(session, request) => vec![entry],
            Entry::Keyed { player, id, ref key, .. } if self.waits(player, id, key) => vec![entry],
            Entry::World { session, ref world } if self.says(session, &world.name) => vec![entry],
            Entry::Channel { id, .. } => self.hub.note(id).into_iter().collect(),
            Entry::Message { id, number, .. } if self.hub.keeps(id, number) => vec![entry],
            Entry::Message { id, number, receivers, session, request, .. } => {
                let mut entries = Vec::new();
                // That there were so many must stay known.
                if self.hub.is_noted(id, number) == Some(false) {
                    entries.extend(self.hub.note(id));
                }
                if self.may_repeat(session, request) {
                    entries.push(done(self.hub.channel_name(id), number, receivers, session, request));
                }
                entries
            }
            Entry::Revoked { session, upto } if self.revoked.get(&session) == Some(&upto) => vec![entry],
            Entry::Told { row } if row == self.journal.told => vec![entry],
            // Pushes have left with their turn.
            _ => Vec::new(),
        }
    }

    fn is_here(&self, session: u64) -> bool {
        self.by_session.contains_key(&session) || self.expected.contains(&session)
    }

    /// Whether a session may still ask for the answer to a request.
    fn may_repeat(&self, session: u64, request: u64) -> bool {
        match self.by_session.get(&session).and_then(|slot| self.session(*slot)) {
            Some(session) => session.link.asked().1 < request,
            None => self.expected.contains(&session),
        }
    }

    fn waits(&self, player: bool, id: u32, key: &str) -> bool {
        self.keyed.contains_key(&(owner_of(player, id), key.to_owned()))
    }

    fn says(&self, session: u64, name: &str) -> bool {
        let told = self.hub.worlds.get(&name.to_ascii_lowercase());
        let told = told.and_then(|(at, _)| self.live(*at)).is_some_and(|owner| owner.number == session);
        told || self.found.worlds.get(&session).is_some_and(|world| world.name == name)
    }
}

/// Whose an [`Entry::Keyed`] is.
pub fn owner_of(player: bool, id: u32) -> Owner {
    if player { Owner::Player(PlayerId(id)) } else { Owner::Server(ServerId(id)) }
}

fn done(channel: Option<String>, number: u64, receivers: u32, session: u64, request: u64) -> Entry {
    let reply = ssmglobal_ipc::Reply::RelaySent(ssmglobal_ipc::RelaySent { channel, to: None, number, receivers });
    done_with(session, request, &reply)
}

/// A request that was done, with its reply.
pub fn done_with(session: u64, request: u64, reply: &ssmglobal_ipc::Reply) -> Entry {
    let (kind, payload) = packed(reply);
    Entry::Done { session, request, kind, payload }
}
