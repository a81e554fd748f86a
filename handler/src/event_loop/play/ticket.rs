//! Tickets: a player who is logged in here is let into a world that speaks our protocol by a pass, and types no password there. Part
//! of the event loop.

use super::EventLoop;
use crate::lock::read;
use crate::state::journal::Entry;
use crate::state::passes::{Wanted, random};
use crate::state::plays::Played;
use crate::state::session::SessionRef;
use ssmglobal_config::play::RealAddress;
use ssmglobal_ipc::{Secret, Time};
use ssmglobal_store::Principal;

/// Who learns by a pass for a world whose it is.
struct Gatekeeper {
    /// Where the pass is good.
    place: Principal,
    /// Whether the place has to say where its holder comes from.
    checked: bool,
    /// Whether it matters where he does.
    by_address: bool,
}

impl EventLoop {
    /// The line by which the player who uses a session is let into a world on a new connection; nothing: he logs in as usual.
    pub(super) fn play_ticket(&mut self, at: SessionRef, world: &Played) -> Option<Secret> {
        world.terms.ticket.as_ref()?;
        let session = self.state.live(at)?;
        let player = session.who().filter(|who| who.as_player().is_some())?;
        let Gatekeeper { place, checked, by_address } = self.play_gatekeeper(world)?;
        let mut wanted = Wanted::by(session, player, place);
        // A world that is not told it sees ours.
        let is_told = world.terms.real_address != RealAddress::None;
        wanted.address = wanted.address.filter(|_| by_address && is_told);
        wanted.checked = checked;
        let name = self.shared.memory.name(player)?;
        let (word, pass) = self.state.passes.give_beside(wanted, Time::now(), random()?)?;
        self.journal.append(&Entry::Held((&pass).into()));
        world.terms.ticket_of(&name, word.expose()).map(Secret::new)
    }

    /// Who that is, if it is there: of a world with a licence its host, of another one the game server of its name. A game server that
    /// has no more than the name of a licensed world may be somebody else's.
    fn play_gatekeeper(&self, world: &Played) -> Option<Gatekeeper> {
        let memory = &self.shared.memory;
        let licence = read(&memory.licences).named(&world.name).cloned();
        if let Some(licence) = licence {
            let hosting = self.state.hosted.get(licence.id)?;
            let checked = licence.check_address;
            let keeper = Gatekeeper { place: licence.id.into(), checked, by_address: checked };
            return hosting.away.is_none().then_some(keeper);
        }
        let place = Principal::from(memory.server_named(&world.name).ok()?.0);
        let is_there = self.state.online.is_on(place) && !memory.is_barred(place);
        is_there.then_some(Gatekeeper { place, checked: false, by_address: true })
    }
}
