//! What stands in the journal. These types are the journal's own: the next handler may be of a newer build, so they are only
//! ever appended to, and gain fields as told in `ipc/src/growing.rs`.

use super::rows::KeptRow;
use crate::state::hosting::{Host, Hosting};
use crate::state::logins::{Ended, Login};
use crate::state::online::Seat;
use crate::state::passes::{HeldPass, PassDigest, PassState, Wanted};
use crate::state::visitors::Visitor;
use crate::state::worlds::World;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{List, Rating, Reply, ReplyKind, Time};
use ssmglobal_store::{PlayerId, Principal, ServerId, WorldId};
use std::net::IpAddr;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A session has a link, and will be back with the next handler.
    Linked {
        /// The session's number, as the listener has given it.
        session: u64,
    },
    /// A relay channel as it was then.
    Channel {
        /// Told apart from every other, also of the same name.
        id: u64,
        /// As first joined.
        name: String,
        /// The newest message's number.
        number: u64,
    },
    /// A channel is gone.
    NoChannel {
        /// The channel's id, as in [`Entry::Channel`].
        id: u64,
    },
    /// A message on a channel, and what its sender is answered.
    Message {
        /// The channel.
        id: u64,
        /// Its number there.
        number: u64,
        /// The game server that sent it.
        from: String,
        /// As game servers see it, without a line end.
        line: String,
        /// What its sender is answered.
        answer: Settled,
    },
    /// A request that changes nothing on disk was done.
    Done(Settled),
    /// A push that may not have left yet. Its number is its position in the log.
    Push {
        /// The number of the session that it goes to.
        session: u64,
        /// The event, as in its frame.
        event: Vec<u8>,
    },
    /// What is said of a world.
    World {
        /// The number of what is said, never used again.
        id: u64,
        /// What its game server says of it.
        said: KeptWorld,
    },
    /// Nothing is said of a world any more.
    NoWorld {
        /// The number of what was said.
        id: u64,
    },
    /// Whoever was to hear of the changes up to a row of kept answers has been pushed an event.
    NewsDelivered {
        /// The number of the last such row.
        row: i64,
    },
    /// Tickets of a session that say of an earlier time who it is hold no longer.
    Revoked {
        /// The session's number.
        session: u64,
        /// Up to when.
        upto: Time,
    },
    /// How a channel's numbers have begun.
    Epoch {
        /// The channel.
        id: u64,
        /// Told apart from that of every other channel, also of the same name.
        epoch: u64,
        /// The number in front of its first.
        begun: u64,
    },
    /// A pass for a game server, as older handlers have kept it.
    Pass(OldPass),
    /// A game server's session says that a player is there, as older handlers have kept it.
    Stay {
        /// The session's number.
        host: u64,
        /// The player who is there.
        player: PlayerId,
        /// Which game server.
        server: ServerId,
        /// When he came.
        since: Time,
    },
    /// He is there no longer, as older handlers have kept it.
    NoStay {
        /// The session's number.
        host: u64,
        /// The player who was there.
        player: PlayerId,
    },
    /// Answers that are kept for a session prove nothing any more, up to that to the request with this number.
    Voided {
        /// The session's number.
        session: u64,
        /// Up to which request.
        upto: u64,
    },
    /// A world that has a licence is hosted, and this is said of it.
    Hosting {
        /// The world that its host speaks of.
        world: WorldId,
        /// What its host says of it.
        said: KeptHosting,
    },
    /// It is hosted no longer.
    NoHosting {
        /// The world that has no host any more.
        world: WorldId,
    },
    /// A pass, as it is from now on.
    Held(KeptPass),
    /// It is said that somebody is there.
    Here {
        /// Which session or world says so.
        seat: Seat,
        /// The player or visitor who is there.
        who: Principal,
        /// His name.
        name: String,
        /// The game server or world that he is in.
        place: Principal,
        /// When he came.
        since: Time,
        /// He has identified himself there.
        identified: bool,
    },
    /// He is there no longer.
    NotHere {
        /// By what that was said.
        seat: Seat,
        /// The player or visitor who was there.
        who: Principal,
    },
    /// Somebody is on as a visitor.
    Visitor {
        /// His number.
        id: u32,
        /// Who he is.
        said: KeptVisitor,
    },
    /// He is on no longer.
    NoVisitor {
        /// His number.
        id: u32,
    },
    /// A player's session is logged in.
    Login {
        /// The session's number.
        session: u64,
        /// The player whose login it is.
        player: PlayerId,
        /// When he logged in.
        since: Time,
        /// The end of its time that it was warned of.
        warned_of: Option<Time>,
    },
    /// A login has ended, and is to be counted.
    LoginEnded {
        /// The session's number.
        session: u64,
        /// The player whose login it was.
        player: PlayerId,
        /// When he had logged in.
        since: Time,
        /// Milliseconds that it has lasted.
        lasted: u64,
    },
    /// It is counted, or cannot be.
    LoginCounted {
        /// The session's number.
        session: u64,
        /// When that login began.
        since: Time,
    },
    /// A row of a list that clients mirror.
    Row {
        /// Of its list.
        epoch: u64,
        /// Of its last change.
        serial: u64,
        /// Its name.
        key: String,
        /// Who sees it besides operators; nothing: everybody does.
        only: Option<PlayerId>,
        /// What it says.
        row: KeptRow,
    },
    /// It is gone, for those who saw it so.
    RowGone {
        /// From which list.
        list: List,
        /// Of its list.
        epoch: u64,
        /// Of this change.
        serial: u64,
        /// Its name.
        key: String,
        /// Who saw it besides operators; nothing: everybody did.
        only: Option<PlayerId>,
        /// When it went: it is forgotten some time after that.
        at: Time,
    },
    /// There is such a list, and what is gone from it is remembered from here on only.
    RowsForgotten {
        /// The list of which rows were forgotten.
        list: List,
        /// Told apart from all before.
        epoch: u64,
        /// The last serial that is forgotten.
        upto: u64,
    },
    /// A handler serves: as long as its process is not dead, sessions may have links to it.
    Handler {
        /// Its process id.
        pid: i32,
        /// When it was started, in ticks since the machine was.
        started: u64,
    },
    /// A session is a visitor's.
    Visit {
        /// The session's number.
        session: u64,
        /// The visitor.
        who: Principal,
        /// When the visit began.
        since: Time,
        /// The end of its time that it was warned of.
        warned_of: Option<Time>,
    },
    /// It is no longer.
    VisitEnded {
        /// The session's number.
        session: u64,
    },
    /// The host of a world, which is away, is to hear this.
    HostBacklog {
        /// The world whose host is away.
        world: WorldId,
        /// The event, as in its frame.
        event: Vec<u8>,
    },
    /// It is back, and has heard all of it.
    HostBacklogDelivered {
        /// The world whose host is back.
        world: WorldId,
    },
}

/// What an entry is the last word on: older entries on the same are of no use any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Link(u64),
    Channel(u64),
    World(u64),
    News,
    Revoked(u64),
    Epoch(u64),
    Pass(PassDigest),
    Here(Seat, Principal),
    Visitor(u32),
    Voided(u64),
    Hosting(WorldId),
    Login(u64),
    LoginEnded(u64, Time),
    /// What a world's host has heard.
    HostBacklogDelivered(WorldId),
    Row(List, Option<PlayerId>, CompactString),
    Rows(List),
}

impl Entry {
    /// What it is the last word on; nothing for one that stands by itself.
    pub(super) fn subject(&self) -> Option<Subject> {
        match self {
            Entry::Linked { session } => Some(Subject::Link(*session)),
            Entry::Channel { id, .. } | Entry::NoChannel { id } => Some(Subject::Channel(*id)),
            Entry::World { id, .. } | Entry::NoWorld { id } => Some(Subject::World(*id)),
            Entry::NewsDelivered { .. } => Some(Subject::News),
            Entry::Revoked { session, .. } => Some(Subject::Revoked(*session)),
            Entry::Epoch { id, .. } => Some(Subject::Epoch(*id)),
            Entry::Pass(pass) => Some(Subject::Pass(pass.digest)),
            Entry::Visitor { id, .. } | Entry::NoVisitor { id } => Some(Subject::Visitor(*id)),
            Entry::Held(pass) => Some(Subject::Pass(pass.digest)),
            Entry::Here { seat, who, .. } | Entry::NotHere { seat, who } => Some(Subject::Here(*seat, *who)),
            Entry::Stay { host, player, .. } | Entry::NoStay { host, player } => {
                Some(Subject::Here(Seat::Session(*host), (*player).into()))
            }
            Entry::Voided { session, .. } => Some(Subject::Voided(*session)),
            Entry::Hosting { world, .. } | Entry::NoHosting { world } => Some(Subject::Hosting(*world)),
            Entry::Login { session, .. } | Entry::Visit { session, .. } | Entry::VisitEnded { session } => {
                Some(Subject::Login(*session))
            }
            Entry::LoginEnded { session, since, .. } | Entry::LoginCounted { session, since } => {
                Some(Subject::LoginEnded(*session, *since))
            }
            Entry::Row { key, only, row, .. } => Some(Subject::Row(row.list(), *only, key.as_str().into())),
            Entry::RowGone { list, key, only, .. } => Some(Subject::Row(*list, *only, key.as_str().into())),
            Entry::RowsForgotten { list, .. } => Some(Subject::Rows(*list)),
            Entry::HostBacklogDelivered { world } => Some(Subject::HostBacklogDelivered(*world)),
            Entry::Message { .. }
            | Entry::Done(_)
            | Entry::Push { .. }
            | Entry::Handler { .. }
            | Entry::HostBacklog { .. } => None,
        }
    }
}

/// What a request came to: its answer, as it goes to the worker, so that it can be given again letter for letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The session that has asked.
    pub session: u64,
    /// The request's number.
    pub request: u64,
    /// The reply's kind.
    pub kind: u16,
    /// Its payload.
    pub payload: Vec<u8>,
    /// The client's own key for it, until the database has it.
    pub key: Option<ClientKey>,
}

/// A client's own key for a request that changes something: the same again is answered and not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientKey {
    /// Who asks.
    pub owner: Principal,
    /// The key.
    pub key: String,
    /// Of what is asked.
    pub digest: [u8; 32],
}

/// A world, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWorld {
    host: u64,
    name: String,
    address: String,
    map: String,
    players: u32,
    max: u32,
    text: String,
    at: Time,
}

impl From<&World> for KeptWorld {
    fn from(world: &World) -> KeptWorld {
        let World { host, name, address, map, players, max, text, at } = world.clone();
        KeptWorld { host, name, address, map, players, max, text, at }
    }
}

impl From<KeptWorld> for World {
    fn from(kept: KeptWorld) -> World {
        let KeptWorld { host, name, address, map, players, max, text, at } = kept;
        World { host, name, address, map, players, max, text, at }
    }
}

/// A pass, as older handlers have kept it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldPass {
    /// Of the word.
    pub digest: PassDigest,
    /// The player who got it.
    pub player: PlayerId,
    /// His epoch.
    pub epoch: u32,
    /// For whom.
    pub server: ServerId,
    /// Where he was when he got it.
    pub address: Option<IpAddr>,
    /// When he got it.
    pub given: Time,
    /// It was shown already.
    pub used: bool,
}

/// A visitor, as he is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptVisitor {
    name: String,
    folded: String,
    skeleton: String,
    session: Option<u64>,
    address: Option<IpAddr>,
    since: Time,
    until: Time,
}

impl From<&Visitor> for KeptVisitor {
    fn from(visitor: &Visitor) -> KeptVisitor {
        let Visitor { name, folded, skeleton, session, address, since, until } = visitor.clone();
        KeptVisitor { name, folded, skeleton, session, address, since, until }
    }
}

impl From<KeptVisitor> for Visitor {
    fn from(kept: KeptVisitor) -> Visitor {
        let KeptVisitor { name, folded, skeleton, session, address, since, until } = kept;
        Visitor { name, folded, skeleton, session, address, since, until }
    }
}

/// A pass, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPass {
    digest: PassDigest,
    holder: Principal,
    epoch: u32,
    place: Principal,
    address: Option<IpAddr>,
    checked: bool,
    since: Time,
    language: Option<String>,
    charset: Option<String>,
    given: Time,
    /// Nothing yet, that it was shown, or that it has ended.
    shown: Option<bool>,
}

impl From<&HeldPass> for KeptPass {
    fn from(pass: &HeldPass) -> KeptPass {
        let HeldPass { digest, of, given, state } = pass.clone();
        let Wanted { holder, epoch, place, address, checked, since, language, charset } = of;
        let shown = match state {
            PassState::Given => None,
            PassState::Shown => Some(true),
            PassState::Ended => Some(false),
        };
        KeptPass { digest, holder, epoch, place, address, checked, since, language, charset, given, shown }
    }
}

impl From<KeptPass> for HeldPass {
    fn from(kept: KeptPass) -> HeldPass {
        let KeptPass { digest, holder, epoch, place, address, checked, since, language, charset, given, shown } = kept;
        let state = match shown {
            None => PassState::Given,
            Some(true) => PassState::Shown,
            Some(false) => PassState::Ended,
        };
        let of = Wanted { holder, epoch, place, address, checked, since, language, charset };
        HeldPass { digest, of, given, state }
    }
}

impl From<OldPass> for HeldPass {
    fn from(old: OldPass) -> HeldPass {
        let OldPass { digest, player, epoch, server, address, given, used } = old;
        let of = Wanted {
            holder: player.into(),
            epoch,
            place: server.into(),
            address,
            checked: false,
            since: given,
            language: None,
            charset: None,
        };
        HeldPass { digest, of, given, state: if used { PassState::Shown } else { PassState::Given } }
    }
}

/// A world that is hosted, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptHosting {
    session: u64,
    server: ServerId,
    instance: String,
    address: String,
    port: u16,
    since: Time,
    users: u32,
    restricted: bool,
    rating: Rating,
    map: String,
    text: String,
    at: Time,
    closings: bool,
    away: Option<Time>,
}

impl From<&Hosting> for KeptHosting {
    fn from(hosting: &Hosting) -> KeptHosting {
        let Hosting { host, address, port, since, users, restricted, rating, map, text, at, closings, away } =
            hosting.clone();
        let Host { session, server, instance } = host;
        KeptHosting {
            session,
            server,
            instance,
            address,
            port,
            since,
            users,
            restricted,
            rating,
            map,
            text,
            at,
            closings,
            away,
        }
    }
}

impl From<KeptHosting> for Hosting {
    fn from(kept: KeptHosting) -> Hosting {
        let KeptHosting { session, server, instance, address, port, since, users, .. } = kept;
        let KeptHosting { restricted, rating, map, text, at, closings, away, .. } = kept;
        let host = Host { session, server, instance };
        Hosting { host, address, port, since, users, restricted, rating, map, text, at, closings, away }
    }
}

impl Entry {
    /// A session is logged in.
    pub fn login(session: u64, login: &Login) -> Entry {
        let Login { who, since, warned_of } = *login;
        match who.as_player() {
            Some(player) => Entry::Login { session, player, since, warned_of },
            None => Entry::Visit { session, who, since, warned_of },
        }
    }
}

impl From<Ended> for Entry {
    fn from(ended: Ended) -> Entry {
        let Ended { session, player, since, lasted } = ended;
        Entry::LoginEnded { session, player, since, lasted }
    }
}

impl Settled {
    /// What a session's request came to.
    pub fn new(session: u64, request: u64, reply: &Reply, key: Option<ClientKey>) -> Settled {
        let (kind, payload) = packed(reply);
        Settled { session, request, kind, payload, key }
    }

    /// The answer.
    pub fn reply(&self) -> Reply {
        unpacked(self.kind, &self.payload)
    }
}

/// A reply's kind and payload, as it is kept.
pub fn packed(reply: &Reply) -> (u16, Vec<u8>) {
    let mut payload = Vec::new();
    reply.put(&mut payload);
    (reply.kind() as u16, payload)
}

/// The way back.
pub fn unpacked(kind: u16, payload: &[u8]) -> Reply {
    let reply = ReplyKind::from_number(kind).and_then(|kind| Reply::decode(kind, payload).ok());
    reply.unwrap_or_else(|| Reply::fail(ssmglobal_ipc::Code::Unavailable, "It was done, but the answer is lost."))
}
