//! Which of the journal's oldest entries are still needed: they are written again at its end, the others go. Part of the event
//! loop.

use super::EventLoop;
use crate::state::journal::{ClientKey, Entry, KeptHosting, KeptVisitor, Settled};
use crate::state::online::Seat;
use crate::state::topic::ChannelId;
use crate::state::worlds::StatusId;
use nix::unistd::getpid;
use ssmglobal_store::Principal;

impl EventLoop {
    /// Looks at twice as many bytes of the oldest entries as were written since the last time: so the journal is never much
    /// longer than twice what is needed of it.
    pub(super) fn compact_journal(&mut self) {
        let mut budget = 2 * self.journal.take_grown();
        while budget > 0
            && let Some(mut oldest) = self.journal.oldest()
        {
            for entry in oldest.entry.take().map_or_else(Vec::new, |entry| self.needed(entry)) {
                self.journal.append(&entry);
            }
            budget = budget.saturating_sub(self.journal.forget_oldest(&oldest));
        }
        // What was moved is not new.
        self.journal.take_grown();
    }

    /// What of an entry is still needed.
    fn needed(&mut self, entry: Entry) -> Vec<Entry> {
        let keep = |entry: Entry, needed: bool| if needed { vec![entry] } else { Vec::new() };
        match entry {
            Entry::Linked { session } => keep(entry, self.is_here(session)),
            Entry::Handler { pid, .. } => keep(entry, pid == getpid().as_raw() || self.recovery.is_dying(pid)),
            Entry::Done(ref settled) => {
                let needed = self.is_needed(settled);
                keep(entry, needed)
            }
            Entry::World { id, .. } => keep(entry, self.is_said(StatusId(id))),
            Entry::Channel { id, .. } => self.state.bus.note(ChannelId(id)).into_iter().collect(),
            Entry::Epoch { id, .. } => self.state.bus.note_epoch(ChannelId(id)).into_iter().collect(),
            Entry::Message { id, number, .. } if self.state.bus.keeps(ChannelId(id), number) => vec![entry],
            Entry::Message { id, number, answer, .. } => {
                let mut entries = Vec::new();
                // That there were so many must stay known.
                if self.state.bus.is_noted(ChannelId(id), number) == Some(false) {
                    entries.extend(self.state.bus.note(ChannelId(id)));
                }
                if self.is_needed(&answer) {
                    entries.push(Entry::Done(answer));
                }
                entries
            }
            Entry::Revoked { session, upto } => keep(entry, self.revoked.get(&session) == Some(&upto)),
            Entry::Voided { session, upto } => keep(entry, self.voided.get(&session) == Some(&upto)),
            Entry::NewsDelivered { .. } => vec![entry],
            Entry::Pass(ref pass) => {
                let needed = self.state.passes.keeps(&pass.clone().into());
                keep(entry, needed)
            }
            Entry::Visitor { id, ref said } => {
                let needed = self.state.visitors.get(id).is_some_and(|visitor| KeptVisitor::from(visitor) == *said);
                keep(entry, needed)
            }
            Entry::Held(ref pass) => {
                let needed = self.state.passes.keeps(&pass.clone().into());
                keep(entry, needed)
            }
            Entry::Stay { host, player, .. } => keep(entry, self.is_there(player.into(), Seat::Session(host))),
            Entry::Here { seat, who, .. } => keep(entry, self.is_there(who, seat)),
            Entry::Hosting { world, ref said } => {
                let needed = self.state.hosted.get(world).is_some_and(|hosting| KeptHosting::from(hosting) == *said);
                keep(entry, needed)
            }
            Entry::Row { epoch, serial, ref key, ref row, .. } => {
                let needed = self.state.mirrors.keeps(row.list(), epoch, key, serial);
                keep(entry, needed)
            }
            Entry::RowGone { list, epoch, serial, ref key, .. } => {
                let needed = self.state.mirrors.keeps(list, epoch, key, serial);
                keep(entry, needed)
            }
            Entry::RowsForgotten { .. } => vec![entry],
            // Pushes have left with their turn; what is gone is gone.
            Entry::Push { .. } | Entry::NoChannel { .. } | Entry::NoWorld { .. } | Entry::NoStay { .. } => Vec::new(),
            Entry::NoHosting { .. } | Entry::NotHere { .. } | Entry::NoVisitor { .. } => Vec::new(),
            Entry::LoginCounted { .. } | Entry::VisitEnded { .. } | Entry::HostBacklogDelivered { .. } => Vec::new(),
            Entry::HostBacklog { world, ref event } => {
                let needed = self.state.host_backlog.has(world, event);
                keep(entry, needed)
            }
            Entry::Login { session, .. } | Entry::Visit { session, .. } => {
                let login = self.state.logins.get(session).map(|login| Entry::login(session, login));
                let needed = login.as_ref() == Some(&entry);
                keep(entry, needed)
            }
            Entry::LoginEnded { session, since, .. } => {
                keep(entry, self.state.logins.waiting(session, since).is_some())
            }
        }
    }

    fn is_here(&self, session: u64) -> bool {
        self.workers.by_session.contains_key(&session) || self.recovery.expects(session)
    }

    /// Whether somebody may still ask for an answer, or it waits for the database.
    fn is_needed(&self, settled: &Settled) -> bool {
        self.answered.find(settled.session, settled.request).is_some()
            || settled.key.as_ref().is_some_and(|key: &ClientKey| self.pending.waits(key))
    }

    fn is_there(&self, who: Principal, seat: Seat) -> bool {
        self.state.online.is_guest(who, seat) || self.recovery.has_stay(who, seat)
    }

    fn is_said(&self, id: StatusId) -> bool {
        self.state.worlds.get(id).is_some() || self.recovery.has_world(id)
    }
}
