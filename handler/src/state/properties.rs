//! Who may read and write properties: what somebody is to whom a property is of. Used in the event loop, and by decisions.

use super::State;
use ssmglobal_ipc::PropertyAccess;
use ssmglobal_store::{PlayerId, Principal, PrincipalKind, WorldId};

use super::online::Seat;

/// What whoever asks is to the holder of properties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The player who asks.
    pub player: Option<PlayerId>,
    /// It is a game server that asks.
    pub is_server: bool,
    /// It hosts the world, or one that the player is in; or is the game server that he is on.
    pub is_world: bool,
    /// He may read and write all of them.
    pub is_keeper: bool,
}

impl Standing {
    /// Whether he is the player himself, or it is his world.
    fn is_owner(self, owner: Option<PlayerId>) -> bool {
        self.player.is_some() && self.player == owner
    }

    /// Whether what is of somebody is his affair, whoever may write it besides: then he may make a property, and say how one is
    /// used. By what everyone may write nobody can shut others out.
    pub fn is_involved(self, owner: Option<PlayerId>) -> bool {
        self.is_keeper || self.is_world || self.is_owner(owner)
    }

    /// Whether he may write what these may write.
    pub fn may_write(self, write: PropertyAccess, owner: Option<PlayerId>) -> bool {
        self.is_keeper
            || match write {
                PropertyAccess::Everyone => self.player.is_some() || self.is_server,
                PropertyAccess::Owner => self.is_owner(owner),
                PropertyAccess::World => self.is_world,
                PropertyAccess::Property => false,
            }
    }

    /// Whether he may delete what these may write.
    pub fn may_delete(self, write: PropertyAccess, owner: Option<PlayerId>) -> bool {
        self.is_owner(owner) || self.may_write(write, owner)
    }

    /// Whether he may read what these may read.
    pub fn may_read(self, read: PropertyAccess, owner: Option<PlayerId>) -> bool {
        self.is_keeper
            || self.is_owner(owner)
            || match read {
                PropertyAccess::Everyone => true,
                PropertyAccess::World => self.is_world,
                PropertyAccess::Owner | PropertyAccess::Property => false,
            }
    }
}

impl State {
    /// Where a world is, or a player: only where he has identified himself, else a game server could take for its own who never came.
    fn seats_of(&self, holder: Principal) -> Vec<Seat> {
        match holder.kind {
            PrincipalKind::World => vec![Seat::World(WorldId(holder.id))],
            PrincipalKind::Player => self.identified(holder).collect(),
            PrincipalKind::Server
            | PrincipalKind::Visitor
            | PrincipalKind::Bot
            | PrincipalKind::Channel
            | PrincipalKind::Backend => Vec::new(),
        }
    }

    /// The sessions that host a world, or the worlds that a player is in, and the game servers that he is on; each once.
    pub fn hosts_of(&self, holder: Principal) -> Vec<u64> {
        let host = |seat| match seat {
            Seat::Session(session) => Some(session),
            Seat::World(world) => self.hosted.get(world).map(|hosting| hosting.host.session),
        };
        let seats = self.seats_of(holder).into_iter().filter(|seat| !self.is_away(*seat));
        let mut sessions: Vec<u64> = seats.filter_map(host).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// Such worlds, hosted or not, that no connection speaks for.
    pub fn away_from(&self, holder: Principal) -> Vec<Seat> {
        self.seats_of(holder).into_iter().filter(|seat| self.is_away(*seat)).collect()
    }

    /// Whether a player is on, here or on a game server or in a world, or whether a world is hosted.
    pub fn is_there(&self, holder: Principal) -> bool {
        match holder.kind {
            PrincipalKind::World => self.hosted.get(WorldId(holder.id)).is_some(),
            _ => self.online.is_on(holder) || !self.online.stays(holder).is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Option<PlayerId> = Some(PlayerId(1));

    /// Who may do what: the owner, another player, the world, a game server, a keeper, nobody.
    fn who(may: impl Fn(Standing) -> bool) -> String {
        let player = |id| Standing { player: Some(PlayerId(id)), ..Standing::default() };
        let server = Standing { is_server: true, ..Standing::default() };
        let all = [
            player(1),
            player(2),
            Standing { is_world: true, ..server },
            server,
            Standing { is_keeper: true, ..player(2) },
            Standing::default(),
        ];
        all.into_iter().zip("opwsk-".chars()).filter(|(standing, _)| may(*standing)).map(|(_, letter)| letter).collect()
    }

    #[test]
    fn each_word_lets_in_whom_it_names() {
        use PropertyAccess::{Everyone, Owner, Property, World};
        for (access, write, delete, read) in [
            (Everyone, "opwsk", "opwsk", "opwsk-"),
            (Owner, "ok", "ok", "ok"),
            (World, "wk", "owk", "owk"),
            (Property, "k", "ok", "ok"),
        ] {
            assert_eq!(who(|it| it.may_write(access, ALICE)), write, "write {access:?}");
            assert_eq!(who(|it| it.may_delete(access, ALICE)), delete, "delete {access:?}");
            assert_eq!(who(|it| it.may_read(access, ALICE)), read, "read {access:?}");
        }
        assert_eq!(who(|it| it.is_involved(ALICE)), "owk");
        assert_eq!(who(|it| it.is_involved(None)), "wk", "whose is nobody's");
    }
}
