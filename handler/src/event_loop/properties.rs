//! Properties, as far as sessions have to do with them: who is told of a change, and what goes with somebody who is not on any more.
//! Part of the event loop.

use super::EventLoop;
use crate::capability::properties::{Forget, owner_of, standing};
use crate::capability::{By, Me};
use crate::lock::read;
use crate::state::properties::Standing;
use crate::state::session::SessionRef;
use crate::state::topic::Topic;
use crate::work::{Asker, Write};
use ssmglobal_ipc::{Event, PropertyAccess, PropertyChanged};
use ssmglobal_store::{Principal, PrincipalKind};

impl EventLoop {
    /// A property has another value, or is gone. `told`: whether all are told, and which session has done it.
    pub(super) fn property_changed(
        &mut self,
        holder: Principal,
        changed: PropertyChanged,
        access: PropertyAccess,
        (push, by): (bool, Option<u64>),
    ) {
        let by_number = |number: u64| {
            let slot = *self.workers.by_session.get(&number)?;
            Some(SessionRef { slot, id: self.session(slot)?.id })
        };
        let mut audience: Vec<SessionRef> = match (push, holder.kind) {
            (true, _) => {
                let hosts = self.state.hosts_of(holder).into_iter().filter_map(by_number);
                let online = &self.state.online;
                let own = online.sessions(holder).iter().copied();
                own.chain(online.subscribers(Topic::Properties(holder)).iter().copied()).chain(hosts).collect()
            }
            (false, PrincipalKind::World) => {
                let hosts = self.state.hosts_of(holder).into_iter().filter(|host| Some(*host) != by);
                hosts.filter_map(by_number).collect()
            }
            (false, _) => Vec::new(),
        };
        audience.sort_unstable_by_key(|at| (at.slot, at.id));
        audience.dedup();
        audience.retain(|at| self.may_read(*at, holder, access));
        let event = Event::Property(changed);
        for at in audience {
            self.push(at, &event);
        }
        // Hosts that are away hear it when they are back.
        let host = Standing { is_server: true, is_world: true, ..Standing::default() };
        if (push || holder.kind == PrincipalKind::World) && host.may_read(access, owner_of(&self.shared.memory, holder))
        {
            for seat in self.state.away_from(holder) {
                self.push_to_host(seat, |_| event.clone());
            }
        }
        // He may have left while this was written.
        self.state.departed.insert(holder);
    }

    fn may_read(&self, at: SessionRef, holder: Principal, access: PropertyAccess) -> bool {
        let Some(session) = self.state.live(at) else { return false };
        let memory = &self.shared.memory;
        let identity = session.identity.as_ref();
        let by = match identity.map(|identity| (identity.who.as_player(), identity.who.as_server(), &identity.name)) {
            Some((Some(id), _, name)) => By::Player(Me { id, name: name.clone() }),
            Some((None, Some(_), _)) => By::Server,
            Some((None, None, _)) | None => By::Other,
        };
        let standing = standing(&self.state, memory, holder, &by, Some(session.number));
        standing.may_read(access, owner_of(memory, holder))
    }

    /// Deletes what is kept only while somebody is on, of those who are not. Nobody is taken for absent who may come back.
    pub(super) fn forget_absent(&mut self) {
        if self.state.departed.is_empty() || self.recovery.misses_somebody() {
            return;
        }
        let mut departed = std::mem::take(&mut self.state.departed);
        departed.append(&mut self.not_deleted);
        departed.retain(|who| read(&self.shared.memory.temporary_properties).contains_key(who));
        for holder in departed {
            let is_leaving = self.leaving.values().any(|who| *who == holder);
            if !is_leaving && !self.state.is_there(holder) {
                let (asker, change) = (Asker::Absent(holder), Forget { holder }.into());
                self.shared.write_own(Write::Change { asker, change, key: None, tried: None });
            }
        }
    }
}
