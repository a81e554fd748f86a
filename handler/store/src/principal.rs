//! Who somebody is, by kind and number: whoever may own something, send something, or be told something.

use serde::{Deserialize, Serialize};

/// A registered player's number; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlayerId(pub u32);

/// A game server's number; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServerId(pub u32);

/// The number of a world that has a licence; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorldId(pub u32);

/// A board's number; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BoardId(pub u32);

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal,)*) => {
        /// What somebody is. The numbers stand in databases and journals: they are only ever appended to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum PrincipalKind {
            $($(#[doc = $doc])* $name,)*
        }

        impl PrincipalKind {
            /// All of them.
            pub const ALL: &'static [PrincipalKind] = &[$(PrincipalKind::$name,)*];

            /// Its number in the database.
            pub fn number(self) -> u8 {
                match self { $(PrincipalKind::$name => $number,)* }
            }

            /// The kind with this number; nothing when a newer program has written it.
            pub fn from_number(number: u8) -> Option<PrincipalKind> {
                match number { $($number => Some(PrincipalKind::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    /// A registered player.
    Player = 1,
    /// A game server.
    Server = 2,
    /// A world that has a licence.
    World = 3,
    /// Somebody who has not registered.
    Visitor = 4,
    /// A program that acts under a name of its own.
    Bot = 5,
    /// A channel.
    Channel = 6,
    /// This backend, and its operator.
    Backend = 7,
}

/// Somebody. Owners of settings, letters, keys, kept answers and blocks, and who a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Principal {
    /// Whether it is a player, a game server, a world, or what else there is.
    pub kind: PrincipalKind,
    /// Which one of its kind.
    pub id: u32,
}

impl Principal {
    /// This backend itself.
    pub const BACKEND: Principal = Principal { kind: PrincipalKind::Backend, id: 0 };

    /// The player, if it is one.
    pub fn as_player(self) -> Option<PlayerId> {
        (self.kind == PrincipalKind::Player).then_some(PlayerId(self.id))
    }

    /// The game server, if it is one.
    pub fn as_server(self) -> Option<ServerId> {
        (self.kind == PrincipalKind::Server).then_some(ServerId(self.id))
    }
}

impl From<PlayerId> for Principal {
    fn from(id: PlayerId) -> Principal {
        Principal { kind: PrincipalKind::Player, id: id.0 }
    }
}

impl From<WorldId> for Principal {
    fn from(id: WorldId) -> Principal {
        Principal { kind: PrincipalKind::World, id: id.0 }
    }
}

impl From<ServerId> for Principal {
    fn from(id: ServerId) -> Principal {
        Principal { kind: PrincipalKind::Server, id: id.0 }
    }
}
