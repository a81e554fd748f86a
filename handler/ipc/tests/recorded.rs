//! The bytes of every message as the first release has written them: an older program may be at the other end.
//!
//! `recorded/2.txt` has one line for each message: its name and its frame in hex; the number is that of the frames'
//! version. Lines are only ever added, by `UPDATE=1 cargo test -p ssmglobal-ipc --test recorded`.

// To panic is how a test fails, also outside of the functions that are marked as tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ssmglobal_ipc::control::{AdoptedWorker, Client, ToHandler, ToListener};
use ssmglobal_ipc::ctl::{self, Answer, Ask};
use ssmglobal_ipc::frame::{self, Frame, FrameReader, HEADER};
use ssmglobal_ipc::handover::{Item, Worker};
use ssmglobal_ipc::*;
use std::fmt::{Debug, Write};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/2.txt");

const NUMBER: u64 = 0x0102_0304_0506_0708;

/// One sample of every variant. The match has no wildcard, so that a new variant does not compile without a sample.
macro_rules! samples {
    ($make:ident $enum:ident { $($variant:ident: $sample:expr;)* }) => {
        fn $make() -> Vec<(&'static str, $enum)> {
            let samples = vec![$((concat!(stringify!($enum), "::", stringify!($variant)), $sample)),*];
            for (name, sample) in &samples {
                let variant = match sample {
                    $($enum::$variant { .. } => concat!(stringify!($enum), "::", stringify!($variant)),)*
                };
                assert_eq!(*name, variant);
            }
            samples
        }
    };
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn player() -> Party {
    Party::Player(text("bob"))
}

fn server() -> Party {
    Party::Server(text("arena"))
}

fn world() -> Party {
    Party::World(text("Atlantis"))
}

const AT: Time = Time(1_769_890_500_000);

fn page() -> Page {
    Page { limit: Some(20), after: some("alice") }
}

fn open() -> Open {
    Open {
        session: 300,
        mode: Mode::Client,
        next: 7,
        ticket: Some(Ticket::new(vec![1, 2, 255])),
        last_push: 5,
        idle: 61,
        subscriptions: vec![
            Subscription { topic: Topic::Board(text("race")), cursor: Position { epoch: 0, number: 0 } },
            Subscription { topic: Topic::Channel(text("chat")), cursor: Position { epoch: 9, number: 300 } },
        ],
    }
}

fn universe() -> Universe {
    Universe {
        name: text("Zoë's worlds"),
        welcome: text("one\ntwo"),
        visitors: true,
        talk: true,
        registration: false,
        client: Version(4 << 48),
        host: Version(5 << 48),
        start: some("Atlantis"),
        users: true,
        renames: false,
        licence: true,
        set: vec![text("name"), text("start")],
    }
}

samples! { requests Request {
    SetMode: Request::SetMode(SetMode { mode: Mode::Server });
    Log: Request::Log(LogLine { level: 3, text: text("Zoë — a line") });
    Open: Request::Open(open());
    Register: Request::Register(Register {
        name: text("bob"), password: Secret::new("pw"), email: some("b@example.org"),
    });
    Login: Request::Login(Login { name: text("bob"), password: Secret::new("pw") });
    Logout: Request::Logout;
    Password: Request::Password(Password { old: Secret::new("pw"), new: Secret::new("better") });
    Whoami: Request::Whoami;
    Who: Request::Who(page());
    Finger: Request::Finger(Finger { player: text("bob") });
    Visitor: Request::Visitor(VisitorName { name: text("bob") });
    RecordSubmit: Request::RecordSubmit(RecordSubmit {
        board: text("race"), score: -83_250, player: some("bob"), note: some("rain"),
    });
    RecordTop: Request::RecordTop(RecordTop {
        board: text("race"), limit: Some(10), after: some("-5:7"), before: some("9:8"),
    });
    RecordAround: Request::RecordAround(RecordAround { board: text("race"), player: some("bob"), limit: Some(5) });
    RecordShow: Request::RecordShow(RecordShow { board: text("race"), player: some("bob") });
    RecordBoards: Request::RecordBoards(page());
    RecordWatch: Request::RecordWatch(RecordWatch { board: text("race") });
    RecordUnwatch: Request::RecordUnwatch(RecordWatch { board: text("race") });
    SettingGet: Request::SettingGet(SettingGet { key: text("color"), of: Some(server()) });
    SettingSet: Request::SettingSet(SettingSet {
        key: text("color"), value: text("blue"), version: Some(7), public: Some(true),
    });
    SettingList: Request::SettingList(page());
    SettingDelete: Request::SettingDelete(SettingDelete { key: text("color"), version: Some(7) });
    MailSend: Request::MailSend(MailSend { to: text("bob"), body: text("one\ntwo"), subject: some("hi") });
    MailList: Request::MailList(page());
    MailRead: Request::MailRead(MailId { id: 300 });
    MailDelete: Request::MailDelete(MailId { id: 300 });
    MailReply: Request::MailReply(MailReply { id: 300, body: text("thanks") });
    MailListSent: Request::MailListSent(page());
    MailBlock: Request::MailBlock(MailBlock { player: player() });
    MailUnblock: Request::MailUnblock(MailBlock { player: server() });
    MailBlocks: Request::MailBlocks;
    MailForward: Request::MailForward(MailForward { id: 300, to: text("bob") });
    Tell: Request::Tell(Tell { to: text("bob"), body: text("hello") });
    Broadcast: Request::Broadcast(Broadcast { body: text("hello") });
    Auth: Request::Auth(Auth { name: text("arena"), key: Secret::new("key") });
    RelayJoin: Request::RelayJoin(RelayJoin { channel: text("chat"), since: Some(41), epoch: None });
    RelayLeave: Request::RelayLeave(RelayLeave { channel: text("chat") });
    RelaySend: Request::RelaySend(RelaySend { body: text("hello"), channel: some("chat"), to: some("arena") });
    RelayFetch: Request::RelayFetch(RelayFetch { channel: text("chat"), after: 41, upto: u64::MAX, epoch: 0 });
    RelayChannels: Request::RelayChannels(page());
    StatusSet: Request::StatusSet(StatusSet {
        map: text("castle"), players: 3, max: 16, text: some("join us"), address: some("[2001:db8::1]:4000"),
    });
    StatusClear: Request::StatusClear;
    Worlds: Request::Worlds(page());
    Pass: Request::Pass(Pass { server: text("arena") });
    PassRedeem: Request::PassRedeem(PassRedeem {
        pass: Secret::new("pass-k7m2-9qxf-3dpa"), address: some("192.0.2.7"), world: None,
    });
    LoginCheck: Request::LoginCheck(LoginCheck {
        name: text("bob"), password: Secret::new("pw"), address: text("192.0.2.7"),
    });
    Enter: Request::Enter(Visit { player: text("bob"), world: None });
    Leave: Request::Leave(Visit { player: text("bob"), world: None });
    Present: Request::Present(Present { players: vec![text("bob"), text("alice")], world: None });
    WorldAdd: Request::WorldAdd(WorldAdd { name: text("Atlantis"), owner: text("bob"), terms: terms() });
    WorldShow: Request::WorldShow(WorldName { name: text("atlantis") });
    WorldList: Request::WorldList(page());
    WorldChange: Request::WorldChange(WorldChange { name: text("atlantis"), owner: some("alice"), terms: terms() });
    WorldDisable: Request::WorldDisable(WorldDisable { name: text("atlantis"), reason: some("Not paid.") });
    WorldEnable: Request::WorldEnable(WorldName { name: text("atlantis") });
    WorldDelete: Request::WorldDelete(WorldDelete { name: text("atlantis"), purge: true });
    WorldPassword: Request::WorldPassword(WorldName { name: text("atlantis") });
    WorldEnter: Request::WorldEnter(WorldEnter {
        world: text("atlantis"), version: Some(Version(1 << 48)), language: some("en"), charset: some("utf-8"),
    });
    RatingLimit: Request::RatingLimit(RatingLimit { rating: Some(Rating::Pg13) });
    RightGrant: Request::RightGrant(RightOf { player: text("bob"), right: text("vip") });
    RightRevoke: Request::RightRevoke(RightOf { player: text("bob"), right: text("vip") });
    RightList: Request::RightList(RightsOf { player: some("bob") });
    HostStart: Request::HostStart(HostStart {
        world: text("atlantis"), password: Secret::new("pw"), instance: some("two"), address: some("play.example.org"),
        port: 7777, version: Some(Version(1 << 48)),
    });
    HostSay: Request::HostSay(HostSay {
        world: text("atlantis"), users: Some(17), restricted: Some(true), rating: Some(Rating::Pg13),
        map: some("castle"), text: some("join us"), closings: Some(true),
    });
    HostStop: Request::HostStop(HostStop { world: text("atlantis") });
    HostList: Request::HostList(page());
    PlayerLimit: Request::PlayerLimit(PlayerLimit { player: text("bob"), minutes: Some(90) });
    UniverseShow: Request::UniverseShow;
    UniverseSet: Request::UniverseSet(UniverseSet { key: text("name"), value: text("Zoë's worlds") });
    UniverseReset: Request::UniverseReset(UniverseReset { key: text("name") });
    UniverseWatch: Request::UniverseWatch;
    UniverseUnwatch: Request::UniverseUnwatch;
    PropertyGet: Request::PropertyGet(PropertyGet {
        of: player(), names: vec![text("12"), text("motto")], limit: Some(20), after: some("7"),
    });
    PropertySet: Request::PropertySet(PropertySet {
        of: world(), name: text("gate"), value: PropertyValue::Text(text("open")), version: Some(7),
        terms: PropertyTerms {
            finger: Some(true), push: Some(false), kept: Some(true), write: Some(PropertyAccess::World),
            read: Some(PropertyAccess::Everyone),
        },
    });
    PropertyDelete: Request::PropertyDelete(PropertyDelete { of: player(), name: text("motto"), version: Some(7) });
    PropertyWatch: Request::PropertyWatch(PropertyWatch { of: world() });
    PropertyUnwatch: Request::PropertyUnwatch(PropertyWatch { of: world() });
    ListWorlds: Request::ListWorlds(ListRead { after: Some(list_at()), limit: Some(20) });
    ListUsers: Request::ListUsers(ListRead { after: Some(list_at()), limit: Some(20) });
    ListWatch: Request::ListWatch(ListWatch { list: List::Users, after: Some(list_at()) });
    ListUnwatch: Request::ListUnwatch(ListUnwatch { list: List::Worlds });
    ListRing: Request::ListRing(ListRing { list: List::Users, after: list_at() });
} }

fn list_at() -> Position {
    Position { epoch: 1_812_367_872_000_002, number: 300 }
}

fn listed_users() -> ListRows {
    let more = Some(UserMore { address: some("192.0.2.7"), rights: vec![text("vip")] });
    let (name, number, world, state) = (text("bob"), 300, some("Atlantis"), UserState::On);
    ListRows::Users(vec![ListedUser { name, number, world, state, more }])
}

fn users_in_full() -> ListRows {
    let more = Some(UserMore { address: some("192.0.2.7"), rights: vec![text("vip")] });
    let (name, number, world, state) = (text("bob"), 300, some("Atlantis"), UserState::On);
    let user = ListedUser { name, number, world, state, more };
    ListRows::UsersInFull(vec![FullUser { user, email: some("bob@example.org") }])
}

fn listed_worlds() -> ListRows {
    ListRows::Worlds(vec![ListedWorld {
        name: text("Atlantis"),
        status: WorldStatus::Restricted,
        users: 17,
        max: 100,
        rating: Rating::Pg13,
        description: text("under water"),
        listed: true,
    }])
}

fn terms() -> WorldTerms {
    WorldTerms {
        users: Some(100),
        size: Some(3275),
        email: some("b@example.org"),
        comment: some("under water"),
        expires: Some(Expires::At(AT)),
        listed: Some(false),
        visitors: Some(true),
        voice: Some(false),
        plugins: Some(true),
        client: Some(Version(1 << 48)),
        check_address: Some(true),
    }
}

fn licence() -> Licence {
    Licence {
        name: text("Atlantis"),
        number: 300,
        owner: text("bob"),
        users: 100,
        size: 3275,
        email: some("b@example.org"),
        comment: text("under water"),
        created: AT,
        expires: Some(AT),
        disabled: some("Not paid."),
        last_started: Some(AT),
        last_address: some("192.0.2.1"),
        listed: true,
        visitors: false,
        voice: true,
        plugins: false,
        client: Version(1 << 48),
        check_address: true,
        status: WorldStatus::Restricted,
        host: some("arena"),
    }
}

fn host_terms() -> HostTerms {
    HostTerms {
        world: text("Atlantis"),
        number: 300,
        users: 100,
        size: 3275,
        visitors: true,
        voice: false,
        plugins: true,
        client: Version(1 << 48),
        expires: Some(AT),
    }
}

samples! { replies Reply {
    Failed: Reply::Failed(Failure {
        code: Code::Conflict, msg: text("Look again."), version: Some(8), retry_after: Some(30),
    });
    Done: Reply::Done(Done {});
    Welcome: Reply::Welcome(Welcome { session: 12 });
    LoggedIn: Reply::LoggedIn(LoggedIn {
        player: text("bob"), unread: 2, last_login: Some(AT), mailbox_full: false,
    });
    Whoami: Reply::Whoami(Whoami {
        session: 12, player: some("bob"), server: some("arena"), address: text("192.0.2.1:5000"), mode: Mode::Client,
        since: AT, unread: 2, mailbox_full: false, rating: None,
    });
    Who: Reply::Who(Who {
        players: vec![WhoRow { player: text("bob"), place: text("arena"), idle: 61, since: AT }],
        total: 1, next: some("bob"),
    });
    Fingered: Reply::Fingered(Fingered {
        player: text("bob"), registered: AT, last_login: Some(AT), online: true, idle: Some(61),
        records: vec![FingerRecord { board: text("race"), score: -83_250, unit: text("ms"), rank: 4 }],
        worlds: Vec::new(), properties: Vec::new(),
    });
    Visiting: Reply::Visiting(Visiting { visitor: Party::Visitor(text("bob")) });
    RecordSubmitted: Reply::RecordSubmitted(RecordSubmitted {
        board: text("race"), player: text("bob"), score: i64::MIN, rank: 4, total: 9, improved: true,
    });
    RecordPage: Reply::RecordPage(RecordPage {
        board: text("race"), unit: text("ms"), total: 9,
        records: vec![RecordRow {
            rank: 4, player: text("bob"), score: 83_250, at: AT, server: some("arena"), note: some("rain"),
        }],
        next: some("83250:77"), prev: some("1:2"),
    });
    RecordShown: Reply::RecordShown(RecordShown {
        board: text("race"), unit: text("ms"), player: text("bob"), score: i64::MAX, rank: 4, total: 9, at: AT,
        server: some("arena"), note: some("rain"),
    });
    Boards: Reply::Boards(Boards { boards: vec![board_row()], next: some("race") });
    Setting: Reply::Setting(Setting {
        of: player(), key: text("color"), value: text("blue"), version: 7, public: true, at: AT,
    });
    SettingVersion: Reply::SettingVersion(SettingVersion { key: text("color"), version: 7, public: false });
    Settings: Reply::Settings(Settings {
        settings: vec![SettingRow { key: text("color"), version: 7, public: true, bytes: 4, at: AT }],
        next: some("color"),
    });
    MailSent: Reply::MailSent(MailSent { id: 300, to: text("bob") });
    MailPage: Reply::MailPage(MailPage {
        mails: vec![MailRow { id: 300, from: server(), to: text("bob"), subject: text("hi"), at: AT, read: true }],
        unread: 2, total: 3, limit: 200, next: some("300"),
    });
    Mail: Reply::Mail(Mail {
        id: 300, from: player(), to: text("bob"), subject: text("hi"), body: text("one\ntwo"), at: AT,
    });
    Blocks: Reply::Blocks(Blocks { players: vec![player(), server()] });
    TellDelivered: Reply::TellDelivered(TellDelivered { to: text("bob") });
    Broadcasted: Reply::Broadcasted(Broadcasted { receivers: 300 });
    Authed: Reply::Authed(Authed { server: text("arena") });
    RelayJoined: Reply::RelayJoined(RelayJoined {
        channel: text("chat"), number: 50, missed: 3, waiting: 6, position: 4096, epoch: 0, behind: 0, unknown: false,
    });
    RelaySent: Reply::RelaySent(RelaySent { channel: some("chat"), to: some("arena"), number: 51, receivers: 2 });
    RelayFetched: Reply::RelayFetched(RelayFetched { lines: vec![(42, text("{}"))], missed: 3 });
    Channels: Reply::Channels(Channels {
        channels: vec![ChannelRow { channel: text("chat"), number: 51, servers: 2 }], next: some("chat"),
    });
    Worlds: Reply::Worlds(Worlds {
        worlds: vec![World {
            name: text("arena"), address: text("192.0.2.1:4000"), map: text("castle"), players: 3, max: 16,
            text: text("join us"), at: AT,
        }],
        total: 1, next: some("arena"), more: Vec::new(),
    });
    PassGiven: Reply::PassGiven(PassGiven {
        pass: Secret::new("pass-k7m2-9qxf-3dpa"), server: text("arena"), seconds: 60,
    });
    PassRedeemed: Reply::PassRedeemed(PassRedeemed {
        player: text("bob"), number: 7, kind: HolderKind::Player, rights: Vec::new(), world: None, language: None,
        charset: None, since: None,
    });
    WorldEntered: Reply::WorldEntered(WorldEntered {
        world: text("Atlantis"), number: 300, address: text("192.0.2.1"), port: 7777,
        pass: Secret::new("pass-k7m2-9qxf-3dpa"), seconds: 60,
    });
    WorldKey: Reply::WorldKey(WorldKey { world: text("Atlantis"), password: Some(Secret::new("pw")) });
    WorldShown: Reply::WorldShown(WorldShown {
        name: text("Atlantis"), description: text("under water"), status: WorldStatus::Public, users: 17, max: 100,
        rating: Rating::Pg, licence: Some(Box::new(licence())), properties: Vec::new(),
    });
    Licences: Reply::Licences(Licences { licences: vec![licence()], total: 1, next: some("Atlantis") });
    Rights: Reply::Rights(Rights { player: text("bob"), rights: vec![text("vip")] });
    Hosted: Reply::Hosted(Hosted { terms: host_terms(), address: text("192.0.2.1:7777"), since: AT, resumed: true });
    HostedList: Reply::HostedList(HostedList {
        worlds: vec![HostedRow {
            world: text("Atlantis"), status: WorldStatus::Public, users: 17, max: 100, address: text("192.0.2.1:7777"),
            since: AT,
        }],
        total: 1, next: some("Atlantis"),
    });
    Universe: Reply::Universe(universe());
    Properties: Reply::Properties(Properties {
        of: world(),
        properties: vec![Property {
            name: text("gate"), value: None, base64: Some(Base64(vec![0, 255])), version: 300, finger: true, push: false,
            kept: true, write: PropertyAccess::World, read: PropertyAccess::Property, at: AT,
        }],
        next: some("gate"),
    });
    PropertyVersion: Reply::PropertyVersion(PropertyVersion { of: player(), name: text("motto"), version: 300 });
    Listed: Reply::Listed(Listed {
        at: list_at(), more: true, whole: false, rows: listed_worlds(), gone: vec![text("zoo")],
    });
    ListWatched: Reply::ListWatched(ListWatched { list: List::Users, at: list_at() });
    ListRinged: Reply::ListRinged(ListRinged { list: List::Users, position: 300 });
} }

/// Requests with what they have gained since they were first released; above they are as they were then.
fn grown_requests() -> Vec<(&'static str, Request)> {
    vec![
        (
            "Request::RelayJoin",
            Request::RelayJoin(RelayJoin { channel: text("chat"), since: Some(41), epoch: Some(1_769_890_500_000) }),
        ),
        (
            "Request::RelayFetch",
            Request::RelayFetch(RelayFetch {
                channel: text("chat"),
                after: 41,
                upto: u64::MAX,
                epoch: 1_769_890_500_000,
            }),
        ),
        (
            "Request::PassRedeem",
            Request::PassRedeem(PassRedeem {
                pass: Secret::new("pass-k7m2-9qxf-3dpa"),
                address: some("192.0.2.7"),
                world: some("atlantis"),
            }),
        ),
        ("Request::Enter", Request::Enter(Visit { player: text("bob"), world: some("atlantis") })),
        ("Request::Leave", Request::Leave(Visit { player: text("bob"), world: some("atlantis") })),
        (
            "Request::Present",
            Request::Present(Present { players: vec![text("bob"), text("alice")], world: some("atlantis") }),
        ),
    ]
}

/// So with replies.
fn grown_replies() -> Vec<(&'static str, Reply)> {
    let whoami = Whoami {
        session: 12,
        player: some("bob"),
        server: some("arena"),
        address: text("192.0.2.1:5000"),
        mode: Mode::Client,
        since: AT,
        unread: 2,
        mailbox_full: true,
        rating: None,
    };
    let logged_in = LoggedIn { player: text("bob"), unread: 2, last_login: Some(AT), mailbox_full: true };
    let fingered = replies().into_iter().find_map(|(_, reply)| match reply {
        Reply::Fingered(fingered) => Some(fingered),
        _ => None,
    });
    let fingered = Fingered { worlds: vec![text("arena")], ..fingered.expect("it is there") };
    let shown = replies().into_iter().find_map(|(_, reply)| match reply {
        Reply::WorldShown(shown) => Some(shown),
        _ => None,
    });
    let gate = FingerProperty { name: text("gate"), value: some("open"), base64: None };
    let shown = WorldShown { properties: vec![gate], ..shown.expect("it is there") };
    let worlds = replies().into_iter().find_map(|(_, reply)| match reply {
        Reply::Worlds(worlds) => Some(worlds),
        _ => None,
    });
    let more = vec![WorldMore { status: WorldStatus::Restricted, rating: Rating::X, licensed: true }];
    let worlds = Worlds { more, ..worlds.expect("it is there") };
    let redeemed = PassRedeemed {
        player: text("bob"),
        number: 7,
        kind: HolderKind::Visitor,
        rights: vec![text("vip")],
        world: some("Atlantis"),
        language: some("en"),
        charset: some("utf-8"),
        since: Some(AT),
    };
    vec![
        ("Reply::PassRedeemed", Reply::PassRedeemed(redeemed)),
        ("Reply::Worlds", Reply::Worlds(worlds)),
        ("Reply::LoggedIn", Reply::LoggedIn(logged_in)),
        ("Reply::Whoami", Reply::Whoami(whoami)),
        ("Reply::Fingered", Reply::Fingered(fingered)),
        (
            "Reply::RelayJoined",
            Reply::RelayJoined(RelayJoined {
                channel: text("chat"),
                number: 50,
                missed: 3,
                waiting: 6,
                position: 4096,
                epoch: 1_769_890_500_000,
                behind: 44,
                unknown: true,
            }),
        ),
        ("Reply::WorldShown", Reply::WorldShown(shown)),
    ]
}

/// So with replies that have gained something for a second time.
fn grown_again() -> Vec<(&'static str, Reply)> {
    let fingered = grown_replies().into_iter().find_map(|(_, reply)| match reply {
        Reply::Fingered(fingered) => Some(fingered),
        _ => None,
    });
    let whoami = grown_replies().into_iter().find_map(|(_, reply)| match reply {
        Reply::Whoami(whoami) => Some(whoami),
        _ => None,
    });
    let whoami = Whoami { rating: Some(Rating::Pg13), ..whoami.expect("it is there") };
    let motto = FingerProperty { name: text("motto"), value: some("hi"), base64: None };
    let fingered = Fingered { properties: vec![motto], ..fingered.expect("it is there") };
    vec![("Reply::Fingered", Reply::Fingered(fingered)), ("Reply::Whoami", Reply::Whoami(whoami))]
}

samples! { events Event {
    Mail: Event::Mail(MailArrived { id: 300, from: player(), subject: text("hi"), unread: 2 });
    Tell: Event::Tell(TellArrived { from: server(), body: text("hello"), at: AT });
    Relay: Event::Relay(RelayMessage {
        channel: some("chat"), number: 51, from: text("arena"), at: AT, body: text("hello"),
    });
    Record: Event::Record(RecordArrived {
        board: text("race"), unit: text("ms"), player: text("bob"), score: -1, previous: some("alice"),
    });
    Notice: Event::Notice(Notice { msg: text("Soon.") });
    Close: Event::Close(Notice { msg: text("Now.") });
    LoggedOut: Event::LoggedOut(Notice { msg: text("Out.") });
    Ticket: Event::Ticket(Ticket::new(vec![1, 2, 255]));
    MailRefused: Event::MailRefused(MailRefused { from: server(), limit: 100 });
    WorldStopped: Event::WorldStopped(WorldStopped {
        world: text("Atlantis"), reason: Stop::Disabled, msg: text("Not paid."),
    });
    WorldChanged: Event::WorldChanged(host_terms());
    ForGuest: Event::ForGuest(ForGuest {
        world: some("Atlantis"), to: player(), event: Box::new(Event::Notice(Notice { msg: text("Soon.") })),
    });
    GuestClosed: Event::GuestClosed(GuestClosed { world: text("Atlantis"), player: player() });
    ForGuests: Event::ForGuests(ForGuests {
        world: some("Atlantis"), to: vec![player(), Party::Visitor(text("zed"))],
        event: Box::new(Event::Notice(Notice { msg: text("Soon.") })),
    });
    GuestRegistered: Event::GuestRegistered(GuestRegistered {
        world: some("Atlantis"), visitor: Party::Visitor(text("bob")), player: text("bob"), number: 300,
    });
    GuestRights: Event::GuestRights(GuestRights {
        world: some("Atlantis"), player: player(), rights: vec![text("vip")],
    });
    Rights: Event::Rights(Rights { player: text("bob"), rights: vec![text("vip")] });
    TakenOver: Event::TakenOver(Notice { msg: text("Elsewhere.") });
    Broadcast: Event::Broadcast(TellArrived { from: player(), body: text("hello"), at: AT });
    Universe: Event::Universe(universe());
    Property: Event::Property(PropertyChanged {
        of: world(), name: text("gate"), value: some("open"), base64: None, version: 300, deleted: false,
    });
    GuestOut: Event::GuestOut(GuestOut { world: some("Atlantis"), player: player(), msg: text("Disabled.") });
    List: Event::List(ListChanged { from: 299, at: list_at(), rows: listed_users(), gone: vec![text("alice")] });
} }

fn client() -> Client {
    Client { pid: 4711, session: 300, door: 1, address: "[2001:db8::1]:5000".parse().unwrap(), at: AT }
}

samples! { to_handler ToHandler {
    Exited: ToHandler::Exited { pid: 4711, status: -9, count: 1, max: 10_000 };
    Log: ToHandler::Log { level: 2, text: text("a line") };
    Reload: ToHandler::Reload { settings: vec![1, 2, 255] };
    Stop: ToHandler::Stop;
    Clients: ToHandler::Clients {
        clients: vec![client(), Client { address: "192.0.2.1:5000".parse().unwrap(), ..client() }], max: 10_000,
    };
    Run: ToHandler::Run { run: 1_769_890_500_000 };
    Joined: ToHandler::Joined { client: client(), count: 2, max: 10_000 };
    Keep: ToHandler::Keep { state: vec![1, 2, 255], descriptors: 5 };
    Versions: ToHandler::Versions { versions: vec![text("1.3.0"), text("1.2.3")], others: vec![(4711, 1)] };
    Moved: ToHandler::Moved {
        from: 4711,
        client: Client { pid: 4712, ..client() },
    };
    Watch: ToHandler::Watch { workers: vec![AdoptedWorker { pid: 4711, started: 300 }] };
} }

samples! { to_listener ToListener {
    Ready: ToListener::Ready;
    Wake: ToListener::Wake { pid: 4711 };
    Fatal: ToListener::Fatal { msg: text("It is not a database.") };
    Gone: ToListener::Gone { pid: 4711 };
    Found: ToListener::Found { client: client(), started: 300 };
    Upgrade: ToListener::Upgrade { program: some("/usr/local/bin/ssmglobal") };
    Welcome: ToListener::Welcome { text: some("Zoë — welcome") };
} }

samples! { items Item {
    Moves: Item::Moves { sends: 5, receives: 6 };
    Successor: Item::Successor { of: 4711, pid: 4712, version: 1 };
    PendingAccept: Item::PendingAccept { puts: 3, takes: 4 };
    Lifeline: Item::Lifeline { holds: 7, ends: 8 };
    Format: Item::Format { format: 1, version: text("1.2.3") };
    Door: Item::Door { number: 1, listen: text("[::]:53450"), socket: 3 };
    NextDoor: Item::NextDoor { number: 2 };
    Rendezvous: Item::Rendezvous { sends: 0, receives: 1 };
    Journal: Item::Journal { memory: 2 };
    Run: Item::Run { run: 1_769_890_500_000, next: 301 };
    Version: Item::Version { version: text("1.2.3") };
    Worker: Item::Worker(Worker { client: client(), version: 1, started: Some(300) });
    Handler: Item::Handler { pid: 4711, started: Some(300), stream: 4, out: vec![1, 2, 255], unread: vec![3] };
    Upgrade: Item::Upgrade { from: text("1.2.3"), program: b"/usr/local/bin/ssmglobal".to_vec(), asker: Some(5) };
} }

fn session_row() -> ctl::SessionRow {
    ctl::SessionRow {
        pid: 4711,
        session: Some(12),
        address: text("192.0.2.1:5000"),
        mode: Some(Mode::Ask),
        who: some("bob"),
        since: AT,
        idle: Some(61),
        version: text("1.2.3"),
    }
}

fn player_detail() -> ctl::PlayerDetail {
    ctl::PlayerDetail {
        player: text("bob"),
        email: some("b@example.org"),
        registered: AT,
        last_login: Some(AT),
        disabled: some("spam"),
        mails: 3,
        unread: 2,
        settings: 1,
        sessions: 4,
    }
}

fn board_row() -> BoardRow {
    BoardRow {
        board: text("race"),
        unit: text("ms"),
        better: Better::Lower,
        operator: Operator::Sum,
        submit: Submitters::Players,
        total: 9,
    }
}

samples! { asks Ask {
    ServerAdd: Ask::ServerAdd { name: text("arena") };
    ServerList: Ask::ServerList;
    ServerRotateKey: Ask::ServerRotateKey { name: text("arena") };
    ServerDisable: Ask::ServerDisable { name: text("arena"), disabled: true };
    ServerAllow: Ask::ServerAllow { name: text("arena"), login_check: true };
    Request: Ask::Request { kind: 90, payload: vec![1, 2, 255] };
    PlayerList: Ask::PlayerList { limit: 20, after: some("alice") };
    PlayerShow: Ask::PlayerShow { name: text("bob") };
    PlayerDisable: Ask::PlayerDisable { name: text("bob"), reason: text("spam"), disabled: true };
    PlayerSetPassword: Ask::PlayerSetPassword { name: text("bob"), password: Secret::new("pw") };
    BoardDefine: Ask::BoardDefine {
        name: text("race"), unit: text("ms"), better: Better::Higher, operator: Operator::Count,
        submit: Submitters::Servers,
    };
    BoardList: Ask::BoardList;
    BoardWithdraw: Ask::BoardWithdraw { board: text("race"), player: text("bob"), reason: text("cheated") };
    SessionsList: Ask::SessionsList;
    SessionsKick: Ask::SessionsKick { pid: 4711, reason: text("idle") };
    Status: Ask::Status;
    Backup: Ask::Backup { file: text("/var/backups/ssmglobal.db") };
    Verify: Ask::Verify { file: some("/var/backups/ssmglobal.db") };
    Upgrade: Ask::Upgrade { program: some("/usr/local/bin/ssmglobal") };
    Adopt: Ask::Adopt;
} }

samples! { answers Answer {
    Failed: Answer::Failed(Failure::new(Code::NotFound, "There is no such player."));
    Done: Answer::Done;
    Key: Answer::Key(ctl::Key { server: text("arena"), key: Secret::new("key") });
    Servers: Answer::Servers(vec![ctl::ServerRow {
        server: text("arena"), added: AT, last_auth: Some(AT), disabled: false, sessions: 1,
    }]);
    Players: Answer::Players(ctl::PlayerPage {
        players: vec![ctl::PlayerRow { player: text("bob"), registered: AT, last_login: Some(AT), disabled: true }],
        next: some("bob"),
    });
    Player: Answer::Player(player_detail());
    Boards: Answer::Boards(vec![board_row()]);
    Sessions: Answer::Sessions(vec![session_row()]);
    Status: Answer::Status(Box::new(ctl::Status {
        version: text("0.1.0"), handler: 100, listener: 99, since: AT, clients: 5, clients_max: 10_000, linked: 4,
        players_on: 3, servers_on: 1, players: 70_000, boards: 2, requests: 1 << 40, commits: 900,
        database: text("/var/lib/ssmglobal/ssmglobal.db"), database_bytes: 1 << 33, writable: true,
    }));
    Progress: Answer::Progress { done: 100, total: 900 };
    Verified: Answer::Verified(ctl::Verified {
        file: text("/var/lib/ssmglobal/ssmglobal.db"), ok: false, problems: vec![text("a page is missing")], schema: 1,
        players: 70_000, mails: 3, records: 4, settings: 5,
    });
    BackedUp: Answer::BackedUp { file: text("/var/backups/ssmglobal.db"), bytes: 1 << 33 };
    Upgraded: Answer::Upgraded { from: text("1.2.3"), to: text("1.3.0") };
    Adopted: Answer::Adopted { version: text("1.2.3"), build: (2049, 1 << 33) };
    Reply: Answer::Reply { kind: 90, payload: ctl::Sealed(vec![1, 2, 255]) };
    PlayerShown: Answer::PlayerShown {
        player: player_detail(),
        times: ctl::PlayerTimes { session_minutes: Some(90), times_on: 300, minutes_on: 70_000 },
    };
} }

samples! { modes Mode {
    Ask: Mode::Ask; Human: Mode::Human; Client: Mode::Client; Server: Mode::Server;
} }
samples! { betters Better { Lower: Better::Lower; Higher: Better::Higher; } }
samples! { operators Operator {
    Best: Operator::Best; Last: Operator::Last; Sum: Operator::Sum; Count: Operator::Count;
} }
samples! { submitters Submitters { Servers: Submitters::Servers; Players: Submitters::Players; } }
samples! { topics Topic {
    Board: Topic::Board(text("race")); Channel: Topic::Channel(text("chat")); Universe: Topic::Universe;
    Properties: Topic::Properties(world()); Worlds: Topic::Worlds; Users: Topic::Users;
} }
samples! { parties Party {
    Player: player(); Server: server(); World: world(); Backend: Party::Backend; Visitor: Party::Visitor(text("zed"));
} }
samples! { lists List { Worlds: List::Worlds; Users: List::Users; } }
samples! { list_rows ListRows {
    Worlds: listed_worlds(); Users: listed_users(); UsersInFull: users_in_full();
} }
samples! { states State {
    New: State::New; Anonymous: State::Anonymous; Player: State::Player; Unproved: State::Unproved; Server: State::Server;
} }

/// Reads a frame and compares it with a sample.
type Reads = dyn Fn(&Frame<'_>) -> Result<bool, DecodeError>;

/// A sample's frame, and what reads such a frame.
struct Sample {
    name: String,
    /// Bytes of the payload as far as it was so from the first release on; nothing where it has gained no field.
    first: Option<usize>,
    /// The same up to what it has gained for a second time.
    second: Option<usize>,
    bytes: Vec<u8>,
    reads: Box<Reads>,
}

fn sample<T: PartialEq + Debug + 'static>(
    name: &str,
    value: T,
    put: impl Fn(&mut Vec<u8>, &T),
    read: impl Fn(&Frame<'_>) -> Result<T, DecodeError> + 'static,
) -> Sample {
    let mut bytes = Vec::new();
    put(&mut bytes, &value);
    Sample {
        name: name.to_owned(),
        first: None,
        second: None,
        bytes,
        reads: Box::new(move |frame| Ok(read(frame)? == value)),
    }
}

/// A message with what it has gained, beside the same as it was first.
fn grown(name: &str, first: &[Sample], sample: Sample) -> Sample {
    let before = first.iter().find(|sample| sample.name == name).expect("the same as it was first");
    let length = before.bytes.len() - HEADER;
    assert_eq!(
        before.bytes[HEADER..],
        sample.bytes[HEADER..][..length],
        "an older program reads what it knows of {name}"
    );
    Sample { name: format!("{name}-grown"), first: Some(length), ..sample }
}

/// A message with what it has gained since that.
fn grown_twice(name: &str, all: &[Sample], sample: Sample) -> Sample {
    let once = all.iter().find(|sample| sample.name == format!("{name}-grown")).expect("the same as it was before");
    let (first, second) = (once.first.expect("it has grown"), once.bytes.len() - HEADER);
    let (before, now) = (&once.bytes[HEADER..], &sample.bytes[HEADER..]);
    let same = |part: std::ops::Range<usize>| before[part.clone()] == now[part];
    // But for the length of the block.
    assert!(same(0..first + 1) && same(first + 2..second), "an older program reads what it knows of {name}");
    Sample { name: format!("{name}-grown-again"), first: Some(first), second: Some(second), ..sample }
}

fn request(frame: &Frame<'_>) -> Result<Request, DecodeError> {
    Request::decode(frame.request_kind().ok_or(DecodeError::Payload)?, frame.payload)
}

fn change(frame: &Frame<'_>) -> Result<(Carried, Request), DecodeError> {
    let (carried, payload) = frame.carried()?;
    Ok((carried, Request::decode(frame.request_kind().ok_or(DecodeError::Payload)?, payload)?))
}

/// What carries descriptors is announced.
fn with_descriptors() -> [Sample; 2] {
    let (reply, event) = (Reply::Done(Done {}), Event::Notice(Notice { msg: text("hi") }));
    [
        sample(
            "Reply-with-descriptors",
            (2, reply),
            |out, (count, reply)| frame::put_with_descriptors(out, *count, |out| frame::put_reply(out, NUMBER, reply)),
            |frame| Ok((frame.descriptors, frame.reply()?)),
        ),
        sample(
            "Event-with-descriptors",
            (frame::MOST_DESCRIPTORS, event),
            |out, (count, event)| frame::put_with_descriptors(out, *count, |out| frame::put_event(out, 0, event)),
            |frame| Ok((frame.descriptors, frame.event()?)),
        ),
    ]
}

fn all() -> Vec<Sample> {
    let mut all = Vec::new();
    for (name, value) in requests() {
        all.push(sample(name, value, |out, value| frame::put_request(out, NUMBER, value), request));
    }
    for (name, value) in replies() {
        all.push(sample(name, value, |out, value| frame::put_reply(out, NUMBER, value), |frame| frame.reply()));
    }
    for (name, value) in events() {
        all.push(sample(name, value, |out, value| frame::put_event(out, 0, value), |frame| frame.event()));
    }
    for (name, value) in grown_requests() {
        let with_more = sample(name, value, |out, value| frame::put_request(out, NUMBER, value), request);
        all.push(grown(name, &all, with_more));
    }
    for (name, value) in grown_replies() {
        let with_more = sample(name, value, |out, value| frame::put_reply(out, NUMBER, value), |frame| frame.reply());
        all.push(grown(name, &all, with_more));
    }
    for (name, value) in grown_again() {
        let with_more = sample(name, value, |out, value| frame::put_reply(out, NUMBER, value), |frame| frame.reply());
        all.push(grown_twice(name, &all, with_more));
    }
    macro_rules! control {
        ($($make:ident)*) => {
            $(for (name, value) in $make() {
                all.push(sample(name, value, frame::put_control, |frame| frame.control()));
            })*
        };
    }
    for (name, key) in [("Carried", None), ("Carried with key", some("k"))] {
        let value = (Carried { acked: 6, key }, Request::MailDelete(MailId { id: 7 }));
        let name = name.replace(' ', "-");
        all.push(sample(&name, value, |out, (carried, value)| frame::put_change(out, NUMBER, carried, value), change));
    }
    all.extend(with_descriptors());
    control!(to_handler to_listener items asks answers modes betters operators submitters parties topics lists list_rows states);
    // Its own table knows all of them.
    for (code, word, _) in Code::ALL {
        let name = format!("Code::{word}");
        all.push(sample(&name, *code, frame::put_control, |frame| frame.control()));
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn from_hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// What `use_it` makes of the one frame in `bytes`.
fn with_frame<T>(mut bytes: &[u8], use_it: impl FnOnce(&Frame<'_>) -> T) -> T {
    let mut reader = FrameReader::new();
    while !bytes.is_empty() {
        let read = |buffer: &mut [u8]| std::io::Read::read(&mut bytes, buffer);
        reader.fill(read).unwrap();
    }
    use_it(&reader.next_frame().unwrap().expect("a whole frame"))
}

#[test]
fn the_bytes_are_as_recorded() {
    let samples = all();
    let mut recorded = std::fs::read_to_string(RECORDED).unwrap_or_default();
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        let known: Vec<String> = recorded.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect();
        for sample in samples.iter().filter(|sample| !known.contains(&sample.name)) {
            writeln!(recorded, "{} {}", sample.name, hex(&sample.bytes)).unwrap();
        }
        std::fs::create_dir_all(std::path::Path::new(RECORDED).parent().unwrap()).unwrap();
        std::fs::write(RECORDED, &recorded).unwrap();
    }
    let mut names = Vec::new();
    for line in recorded.lines() {
        let (name, bytes) = line.split_once(' ').expect("a name and hex");
        let sample = samples.iter().find(|sample| sample.name == name);
        let sample = sample.unwrap_or_else(|| panic!("{name} is gone, and an older program may still send it"));
        let same = with_frame(&from_hex(bytes), |frame| (sample.reads)(frame));
        assert_eq!(same, Ok(true), "what an older program sends as {name} is not understood any more");
        assert_eq!(hex(&sample.bytes), bytes, "what is sent as {name} would not be understood by an older program");
        assert!(!names.contains(&name), "{name} is recorded twice");
        names.push(name);
    }
    for sample in &samples {
        assert!(names.contains(&sample.name.as_str()), "{} is not recorded; UPDATE=1 adds it", sample.name);
    }
}

#[test]
fn every_number_has_a_sample() {
    assert!(requests().iter().map(|(_, value)| value.kind()).eq(Kind::ALL.iter().copied()));
    assert!(replies().iter().map(|(_, value)| value.kind()).eq(ReplyKind::ALL.iter().copied()));
    for (name, value) in requests() {
        assert_eq!(name, format!("Request::{}", value.kind().name()));
    }
    for (name, value) in replies() {
        assert_eq!(name, format!("Reply::{}", value.kind().name()));
    }
    for number in 0..=u16::MAX {
        assert!(Kind::from_number(number).is_none_or(|kind| kind as u16 == number));
        assert!(ReplyKind::from_number(number).is_none_or(|kind| kind as u16 == number));
    }
}

#[test]
fn a_payload_cut_short_or_with_a_rest_is_refused() {
    for sample in all() {
        with_frame(&sample.bytes, |frame| {
            for length in 0..frame.payload.len() {
                let cut = Frame { payload: &frame.payload[..length], ..*frame };
                if sample.first == Some(length) {
                    assert_eq!((sample.reads)(&cut), Ok(false), "{} as it was first", sample.name);
                    continue;
                }
                assert_eq!((sample.reads)(&cut), Err(DecodeError::Payload), "{} cut at {length}", sample.name);
            }
            for rest in [0, 1, 255] {
                let mut payload = frame.payload.to_vec();
                payload.push(rest);
                let longer = Frame { payload: &payload, ..*frame };
                assert_eq!((sample.reads)(&longer), Err(DecodeError::Payload), "{} with a rest", sample.name);
            }
        });
    }
}

/// A newer program may have added fields to any message: they are passed over.
#[test]
fn a_message_that_has_gained_a_field_is_read_as_before() {
    let all = all();
    let is = |name: &str| all.iter().any(|other| other.name == name);
    let has_grown = |sample: &Sample| ["-grown", "-again"].iter().any(|end| is(&format!("{}{end}", sample.name)));
    // As it was first it cannot have gained something else.
    for sample in all.iter().filter(|sample| !has_grown(sample)) {
        with_frame(&sample.bytes, |frame| {
            let mut payload = frame.payload.to_vec();
            payload.extend([0xe7, 3, 1, b'x', 7]);
            for block in sample.first.into_iter().chain(sample.second) {
                // Inside of the block that is there, whose length is one byte.
                assert_eq!(payload[block], 0xe7);
                payload[block + 1] += 5;
            }
            let newer = Frame { payload: &payload, ..*frame };
            assert_eq!((sample.reads)(&newer), Ok(true), "{} with a further field", sample.name);
        });
    }
}

#[test]
fn an_unknown_kind_is_a_frame_like_any_other() {
    let mut bytes = Vec::new();
    frame::put_request(&mut bytes, 7, &Request::Tell(Tell { to: text("bob"), body: text("hello") }));
    bytes[6..8].copy_from_slice(&60_000u16.to_le_bytes());
    let length = bytes.len();
    frame::put_request(&mut bytes, 8, &Request::Whoami);
    with_frame(&bytes, |frame| {
        assert_eq!((frame.kind, frame.number, frame.payload.len()), (60_000, 7, length - HEADER));
        assert_eq!(frame.request_kind(), None);
        assert_eq!(frame.reply(), Err(DecodeError::Payload));
    });
    with_frame(&bytes[length..], |frame| assert_eq!(request(frame), Ok(Request::Whoami)));
}

#[test]
fn an_unknown_variant_is_refused() {
    with_frame(&all()[0].bytes, |frame| {
        let unknown = Frame { payload: &[120], ..*frame };
        assert_eq!(unknown.event(), Err(DecodeError::Payload));
        assert_eq!(unknown.control::<ToHandler>(), Err(DecodeError::Payload));
        assert_eq!(unknown.control::<Ask>(), Err(DecodeError::Payload));
    });
}
