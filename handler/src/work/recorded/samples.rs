//! A sample of everything that outlives a handler. Runs in tests.

use crate::state::hosting::Hosting;
use crate::state::journal::{ClientKey, Entry, KeptRow, OldPass, Settled};
use crate::state::mirror_rows::WorldRow;
use crate::state::news::{Audience, News};
use crate::state::online::Seat;
use crate::state::passes::{HeldPass, PassState, Wanted};
use crate::state::session::Proof;
use crate::state::topic::{ChannelId, Topic};
use crate::state::visitors::Visitor;
use crate::state::worlds::World;
use crate::work::kept::KeptItem;
use ssmglobal_ipc::{
    Base64, Event, List, Notice, Party, PropertyAccess, PropertyChanged, Rating, Reply, Stop, Time, Welcome,
    WorldStatus, growing,
};
use ssmglobal_store::{BoardId, PlayerId, Principal, PrincipalKind, ServerId, StartedBy, WorldId};

pub const AT: Time = Time(1_769_890_500_000);

pub fn text(text: &str) -> String {
    text.to_owned()
}

pub fn alice() -> Principal {
    PlayerId(300).into()
}

pub fn proof(epoch: u32) -> Proof {
    Proof { who: alice(), epoch }
}

pub fn settled() -> Settled {
    let key = ClientKey { owner: alice(), key: text("k"), digest: [7; 32] };
    Settled::new(300, 5, &Reply::Welcome(Welcome { session: 12 }), Some(key))
}

pub fn world() -> World {
    World {
        host: 300,
        name: text("arena"),
        address: text("192.0.2.1:4000"),
        map: text("castle"),
        players: 3,
        max: 16,
        text: text("Zoë — join us"),
        at: AT,
    }
}

pub fn started_by() -> StartedBy {
    let (instance, address) = (text("two"), text("192.0.2.1"));
    StartedBy { session: 300, server: ServerId(9), instance, address, port: 7777 }
}

pub fn hosting() -> Hosting {
    Hosting {
        users: 17,
        restricted: true,
        rating: Rating::Pg13,
        map: text("castle"),
        text: text("Zoë — join us"),
        closings: true,
        away: Some(AT),
        ..Hosting::new(started_by(), AT)
    }
}

pub fn pass() -> HeldPass {
    let of = Wanted {
        holder: alice(),
        epoch: 3,
        place: WorldId(300).into(),
        address: Some([192, 0, 2, 7].into()),
        checked: true,
        since: AT,
        language: Some(text("en")),
        charset: Some(text("utf-8")),
    };
    HeldPass { digest: [7; 16], of, given: AT, state: PassState::Ended }
}

pub fn visitor() -> Visitor {
    Visitor {
        name: text("Bob"),
        folded: text("bob"),
        skeleton: text("bob"),
        session: Some(300),
        address: Some([192, 0, 2, 7].into()),
        since: AT,
        until: Time(AT.0 + 120_000),
    }
}

pub fn changed() -> PropertyChanged {
    let (of, base64) = (Party::World(text("Atlantis")), Some(Base64(vec![0, 255])));
    PropertyChanged { of, name: text("gate"), value: None, base64, version: 300, deleted: false }
}

pub fn notice() -> Event {
    Event::Notice(Notice { msg: text("Soon.") })
}

pub fn event() -> Vec<u8> {
    let mut bytes = Vec::new();
    growing::put(&mut bytes, &notice());
    bytes
}

samples! { items_of_a_row KeptItem KeptItem<'static> {
    Answer: KeptItem::Answer { session: 300, number: 5, kind: 3, payload: &[12], proves: Some(alice()) };
    News: KeptItem::News(&[1, 2, 255]);
} }

samples! { news News News {
    Tell: News::Tell { to: Audience::Principal(alice()), event: notice() };
    Out: News::Out { who: ServerId(7).into(), reason: text("spam") };
    Licence: News::Licence { world: WorldId(300), name: text("Atlantis"), stop: Some(Stop::Disabled), terms: true };
    Started: News::Started { world: WorldId(300), at: AT, by: started_by() };
    Rights: News::Rights { player: PlayerId(300) };
    Limited: News::Limited { player: PlayerId(300) };
    Counted: News::Counted { session: 300, since: AT };
    Universe: News::Universe;
    Unwatched: News::Unwatched { topic: Topic::Board(BoardId(300)), msg: text("It is gone.") };
    Renamed: News::Renamed { who: ServerId(7).into() };
    Property: News::Property {
        holder: WorldId(300).into(), changed: changed(), read: PropertyAccess::Property, push: true, by: Some(300),
    };
} }

samples! { audiences Audience Audience {
    Principal: Audience::Principal(alice());
    Topic: Audience::Topic(Topic::Board(BoardId(300)));
    Everyone: Audience::Everyone;
} }

samples! { topics Topic Topic {
    Board: Topic::Board(BoardId(300));
    Channel: Topic::Channel(ChannelId(1 << 40));
    Universe: Topic::Universe;
    Properties: Topic::Properties(alice());
    Worlds: Topic::Worlds;
    Users: Topic::Users;
} }

samples! { kinds PrincipalKind PrincipalKind {
    Player: PrincipalKind::Player;
    Server: PrincipalKind::Server;
    World: PrincipalKind::World;
    Visitor: PrincipalKind::Visitor;
    Bot: PrincipalKind::Bot;
    Channel: PrincipalKind::Channel;
    Backend: PrincipalKind::Backend;
} }

samples! { entries Entry Entry {
    Linked: Entry::Linked { session: 300 };
    Channel: Entry::Channel { id: 9, name: text("chat"), number: 51 };
    NoChannel: Entry::NoChannel { id: 9 };
    Message: Entry::Message { id: 9, number: 51, from: text("arena"), line: text("{}"), answer: settled() };
    Done: Entry::Done(Settled { key: None, ..settled() });
    Push: Entry::Push { session: 300, event: event() };
    World: Entry::World { id: 9, said: (&world()).into() };
    NoWorld: Entry::NoWorld { id: 9 };
    NewsDelivered: Entry::NewsDelivered { row: -300 };
    Revoked: Entry::Revoked { session: 300, upto: AT };
    Epoch: Entry::Epoch { id: 9, epoch: 1_769_890_500_000, begun: 51 };
    Stay: Entry::Stay { host: 300, player: PlayerId(7), server: ServerId(9), since: AT };
    NoStay: Entry::NoStay { host: 300, player: PlayerId(7) };
    Pass: Entry::Pass(OldPass {
        digest: [7; 16], player: PlayerId(300), epoch: 3, server: ServerId(9), address: Some([192, 0, 2, 7].into()), given: AT, used: true,
    });
    Voided: Entry::Voided { session: 300, upto: 1 << 40 };
    Hosting: Entry::Hosting { world: WorldId(300), said: (&hosting()).into() };
    NoHosting: Entry::NoHosting { world: WorldId(300) };
    Held: Entry::Held((&pass()).into());
    Here: Entry::Here {
        seat: Seat::World(WorldId(300)), who: alice(), name: text("alice"), place: WorldId(300).into(), since: AT, identified: true,
    };
    NotHere: Entry::NotHere { seat: Seat::Session(300), who: alice() };
    Visitor: Entry::Visitor { id: 9, said: (&visitor()).into() };
    NoVisitor: Entry::NoVisitor { id: 9 };
    Login: Entry::Login { session: 300, player: PlayerId(7), since: AT, warned_of: Some(AT) };
    LoginEnded: Entry::LoginEnded { session: 300, player: PlayerId(7), since: AT, lasted: 1 << 40 };
    LoginCounted: Entry::LoginCounted { session: 300, since: AT };
    Row: Entry::Row {
        epoch: EPOCH, serial: 300, key: text("Atlantis"), only: Some(PlayerId(300)), row: world_row().into(),
    };
    RowGone: Entry::RowGone { list: List::Users, epoch: EPOCH, serial: 301, key: text("alice"), only: None, at: AT };
    RowsForgotten: Entry::RowsForgotten { list: List::Users, epoch: EPOCH, upto: 299 };
    Handler: Entry::Handler { pid: 300, started: 9 };
    Visit: Entry::Visit { session: 300, who: Principal { kind: PrincipalKind::Visitor, id: 9 }, since: AT, warned_of: Some(AT) };
    VisitEnded: Entry::VisitEnded { session: 300 };
    HostBacklog: Entry::HostBacklog { world: WorldId(300), event: event() };
    HostBacklogDelivered: Entry::HostBacklogDelivered { world: WorldId(300) };
} }

pub const EPOCH: u64 = 1_769_890_500_000 << 10;

pub fn world_row() -> WorldRow {
    WorldRow {
        licence: Some(WorldId(300)),
        status: WorldStatus::Stopped,
        users: 17,
        max: 100,
        rating: Rating::Pg13,
        description: text("Zoë — under water"),
        stopped: Some(AT),
    }
}

samples! { rows KeptRow KeptRow {
    World: world_row().into();
    User: KeptRow::User(alice(), Some(WorldId(300).into()));
} }
