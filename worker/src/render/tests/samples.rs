//! Replies of every kind.

use super::{at, s};
use ssmglobal_ipc::*;

fn row(rank: u32, player: &str, score: i64) -> RecordRow {
    RecordRow { rank, player: s(player), score, at: at(), server: Some(s("arena")), note: None }
}

pub(super) fn board() -> Reply {
    Reply::RecordPage(RecordPage {
        board: s("sprint"),
        unit: s("ms"),
        total: 12,
        records: vec![row(9, "alice", 5), row(10, "日本語", 123_456)],
        next: Some(s("t9")),
        prev: Some(s("t1")),
    })
}

pub(super) fn mails() -> MailPage {
    let mail = |id, from, subject: &str, read| MailRow { id, from, to: s("bob"), subject: s(subject), at: at(), read };
    MailPage {
        mails: vec![
            mail(42, Party::Player(s("alice")), "Tonight \u{1b}[31m", false),
            mail(7, Party::Server(s("arena")), "", true),
        ],
        unread: 1,
        total: 30,
        limit: 100,
        next: Some(s("7")),
    }
}

pub(super) fn person_replies() -> Vec<(&'static str, Reply)> {
    let whoami = Whoami {
        session: 3,
        player: Some(s("alice")),
        server: None,
        address: s("203.0.113.7:4000"),
        mode: Mode::Human,
        since: at(),
        unread: 2,
        mailbox_full: true,
        rating: Some(Rating::Pg13),
    };
    let logged_in =
        LoggedIn { player: s("alice"), unread: 2, last_login: Some(at()), mailbox_full: true, preferences: Vec::new() };
    let who = WhoRow { player: s("alice"), place: s("terminal"), idle: 200, since: at() };
    let finger = FingerRecord { board: s("sprint"), score: 5, unit: s("ms"), rank: 1 };
    let fingered = Fingered {
        player: s("bob"),
        registered: at(),
        last_login: Some(at()),
        online: true,
        idle: Some(200),
        records: vec![finger],
        worlds: vec![],
        properties: vec![
            FingerProperty { name: s("motto"), value: Some(s("Be \u{1b}[31m kind")), base64: None },
            FingerProperty { name: s("7"), value: None, base64: Some(Base64(vec![0, 1, 255])) },
        ],
    };
    vec![
        ("REGISTER", Reply::LoggedIn(logged_in.clone())),
        ("LOGIN", Reply::LoggedIn(logged_in)),
        ("LOGOUT", Reply::Done(Done {})),
        ("WHOAMI", Reply::Whoami(whoami)),
        ("WHO", Reply::Who(Who { players: vec![who], total: 2, next: Some(s("alice")) })),
        ("FINGER", Reply::Fingered(fingered)),
        ("MAIL SEND", Reply::MailSent(MailSent { id: 12, to: s("bob") })),
        ("MAIL REPLY", Reply::MailSent(MailSent { id: 13, to: s("bob") })),
        ("MAIL LIST", Reply::MailPage(mails())),
        ("MAIL SENT", Reply::MailPage(mails())),
        (
            "MAIL READ",
            Reply::Mail(Mail {
                id: 12,
                from: Party::Player(s("alice")),
                to: s("bob"),
                subject: s("Tonight"),
                body: s("At eight?\n\nOr\tnine\u{1b}]0;x\u{7}"),
                at: at(),
            }),
        ),
        ("MAIL BLOCKS", Reply::Blocks(Blocks { players: vec![Party::Player(s("mallory"))] })),
        ("TELL", Reply::TellDelivered(TellDelivered { to: s("bob") })),
        ("BROADCAST", Reply::Broadcasted(Broadcasted { receivers: 3 })),
        ("VISITOR", Reply::Visiting(Visiting { visitor: Party::Visitor(s("zed")) })),
    ]
}

fn record_replies() -> Vec<(&'static str, Reply)> {
    let boards = BoardRow {
        board: s("sprint"),
        unit: s("ms"),
        better: Better::Lower,
        operator: Operator::Best,
        submit: Submitters::Servers,
        total: 12,
    };
    let shown = RecordShown {
        board: s("sprint"),
        unit: s("ms"),
        player: s("alice"),
        score: 5,
        rank: 9,
        total: 12,
        at: at(),
        server: Some(s("arena")),
        note: Some(s("a note")),
    };
    vec![
        ("RECORD SUBMIT", submitted()),
        ("RECORD TOP", board()),
        ("RECORD AROUND", board()),
        ("RECORD SHOW", Reply::RecordShown(shown)),
        ("RECORD BOARDS", Reply::Boards(Boards { boards: vec![boards], next: None, total: Some(1) })),
        ("RECORD WATCH", Reply::Done(Done {})),
    ]
}

pub(super) fn submitted() -> Reply {
    Reply::RecordSubmitted(RecordSubmitted {
        board: s("sprint"),
        player: s("alice"),
        score: 12345,
        rank: 3,
        total: 12,
        improved: true,
    })
}

fn other_replies() -> Vec<(&'static str, Reply)> {
    let setting = Setting {
        of: Party::Player(s("alice")),
        key: s("colour"),
        value: s("dark\nred"),
        version: 3,
        public: true,
        at: at(),
    };
    let setting_row = SettingRow { key: s("colour"), version: 3, public: false, bytes: 8, at: at() };
    let world = World {
        name: s("arena"),
        address: s("203.0.113.9:27015"),
        map: s("harbour"),
        players: 3,
        max: 16,
        text: s("friendly fire off"),
        at: at(),
    };
    let licensed = World {
        name: s("Atlantis"),
        address: s(""),
        map: s(""),
        players: 17,
        max: 100,
        text: s("under \u{1b}[31m water"),
        at: at(),
    };
    let more = WorldMore { status: WorldStatus::Restricted, rating: Rating::Pg13, licensed: true };
    let channel = ChannelRow { channel: s("lobby"), number: 42, servers: 2 };
    let property = |name: &str, value: Option<&str>, base64: Option<&[u8]>| Property {
        name: s(name),
        value: value.map(s),
        base64: base64.map(|bytes| Base64(bytes.to_vec())),
        version: 3,
        finger: true,
        push: false,
        kept: base64.is_none(),
        write: PropertyAccess::World,
        read: PropertyAccess::Everyone,
        at: at(),
    };
    let properties = vec![property("12", Some("dark\nred \u{1b}[31m"), None), property("pic", None, Some(&[0, 255]))];
    let version = SettingVersion { key: s("colour"), version: 4, public: false };
    vec![
        ("SETTING GET", Reply::Setting(setting)),
        ("SETTING SET", Reply::SettingVersion(version)),
        (
            "SETTING LIST",
            Reply::Settings(Settings { settings: vec![setting_row], next: Some(s("colour")), total: Some(9) }),
        ),
        (
            "PROPERTY GET",
            Reply::Properties(Properties { of: Party::World(s("Zoo")), properties, next: Some(s("pic")) }),
        ),
        (
            "PROPERTY SET",
            Reply::PropertyVersion(PropertyVersion { of: Party::Player(s("bob")), name: s("12"), version: 4 }),
        ),
        ("AUTH", Reply::Authed(Authed { server: s("arena") })),
        (
            "RELAY JOIN",
            Reply::RelayJoined(RelayJoined {
                channel: s("lobby"),
                number: 42,
                missed: 1,
                waiting: 2,
                position: 99,
                epoch: 1_769_890_500_000,
                behind: 40,
                unknown: false,
            }),
        ),
        ("RELAY SEND", Reply::RelaySent(RelaySent { channel: Some(s("lobby")), to: None, number: 42, receivers: 2 })),
        (
            "RELAY CHANNELS",
            Reply::Channels(Channels { channels: vec![channel], next: Some(s("lobby")), total: Some(9) }),
        ),
        (
            "WORLDS",
            Reply::Worlds(Worlds {
                worlds: vec![world, licensed],
                total: 2,
                next: None,
                more: vec![WorldMore::default(), more],
            }),
        ),
    ]
}

pub(super) fn licence() -> Licence {
    Licence {
        name: s("Atlantis"),
        number: 3,
        owner: s("bob"),
        users: 100,
        size: 50,
        email: Some(s("bob@example.org")),
        comment: s("under\nwater"),
        created: at(),
        expires: None,
        disabled: Some(s("Not \u{1b}[31m paid.")),
        last_started: Some(at()),
        last_address: Some(s("203.0.113.9")),
        listed: true,
        visitors: false,
        voice: false,
        plugins: true,
        client: Version(4 << 48),
        check_address: true,
        status: WorldStatus::Restricted,
        host: Some(s("arena")),
    }
}

fn world_replies() -> Vec<(&'static str, Reply)> {
    let shown = WorldShown {
        name: s("Atlantis"),
        description: s("under\nwater"),
        status: WorldStatus::Restricted,
        users: 17,
        max: 100,
        rating: Rating::Pg13,
        licence: Some(Box::new(licence())),
        properties: vec![FingerProperty { name: s("gate"), value: Some(s("Closed")), base64: None }],
        played: true,
        play: vec![s("127.0.0.1:2860"), s("unix:/run/atlantis.sock")],
    };
    let term = |key: &str, value: &str, said_by| PlayTerm { key: s(key), value: s(value), said_by };
    let played = WorldPlayed {
        world: s("Atlantis"),
        terms: vec![
            term("play", "127.0.0.1:2860 unix:/run/atlantis.sock", SaidBy::File),
            term("kind", "tinymux", SaidBy::Licence),
            term(
                "failure",
                "(?:^Either that player does not exist)|(?:^All guests are \u{1b}[31m tied up)",
                SaidBy::Kind,
            ),
            term("heartbeat", "", SaidBy::Kind),
        ],
        in_use: Some(s("unix:/run/atlantis.sock")),
    };
    let elsewhere = WorldPlayed { world: s("Atlantis"), terms: vec![term("play", "", SaidBy::Kind)], in_use: None };
    let key = |password: Option<&str>| WorldKey { world: s("Atlantis"), password: password.map(Secret::new) };
    let terms = HostTerms {
        world: s("Atlantis"),
        number: 3,
        users: 100,
        size: 50,
        visitors: false,
        voice: false,
        plugins: true,
        client: Version(4 << 48),
        expires: None,
    };
    let hosted = |resumed| Hosted { terms: terms.clone(), address: s("203.0.113.9:7777"), since: at(), resumed };
    let row = HostedRow {
        world: s("Atlantis"),
        status: WorldStatus::Public,
        users: 17,
        max: 100,
        address: s("203.0.113.9:7777"),
        since: at(),
    };
    vec![
        ("WORLD SHOW", Reply::WorldShown(shown)),
        ("WORLD PLAY", Reply::WorldPlayed(played)),
        ("WORLD PLAY", Reply::WorldPlayed(elsewhere)),
        ("WORLD LIST", Reply::Licences(Licences { licences: vec![licence()], total: 9, next: Some(s("Atlantis")) })),
        ("WORLD ADD", Reply::WorldKey(key(Some("0123456789abcdef")))),
        ("WORLD PASSWORD", Reply::WorldKey(key(None))),
        (
            "WORLD ENTER",
            Reply::WorldEntered(WorldEntered {
                world: s("Atlantis"),
                number: 3,
                address: s("play.example.org"),
                port: 7777,
                pass: Secret::new("pass-k7m2-9qxf-3dpa"),
                seconds: 60,
            }),
        ),
        (
            "PASS REDEEM",
            Reply::PassRedeemed(PassRedeemed {
                player: s("bob"),
                number: 7,
                kind: HolderKind::Player,
                rights: vec![s("vip")],
                world: Some(s("Atlantis")),
                language: Some(s("en")),
                charset: None,
                since: Some(at()),
            }),
        ),
        ("RIGHT LIST", Reply::Rights(Rights { player: s("bob"), rights: vec![s("build"), s("vip")] })),
        ("UNIVERSE SHOW", Reply::Universe(universe())),
        ("HOST START", Reply::Hosted(hosted(false))),
        ("HOST START", Reply::Hosted(hosted(true))),
        ("HOST LIST", Reply::HostedList(HostedList { worlds: vec![row], total: 9, next: Some(s("Atlantis")) })),
    ]
}

pub(super) fn universe() -> Universe {
    Universe {
        name: s("Zoë's worlds"),
        welcome: s("Be kind.\nHave fun."),
        visitors: true,
        talk: true,
        registration: false,
        client: "4.2".parse().unwrap(),
        host: Version::default(),
        start: Some(s("Atlantis")),
        users: true,
        renames: false,
        licence: true,
        set: vec![s("name"), s("start")],
    }
}

pub(super) fn listed_world() -> ListedWorld {
    ListedWorld {
        name: s("Atlantis"),
        status: WorldStatus::Restricted,
        users: 17,
        max: 100,
        rating: Rating::Pg13,
        description: s("under \u{1b}[31m water"),
        listed: true,
    }
}

pub(super) fn listed_user(more: Option<UserMore>) -> ListedUser {
    ListedUser { name: s("bob"), number: 7, world: Some(s("Atlantis")), state: UserState::On, more }
}

fn list_replies() -> Vec<(&'static str, Reply)> {
    let at = Position { epoch: 1_812_000_000_000_000, number: 42 };
    let more = UserMore { address: Some(s("203.0.113.9")), rights: vec![s("vip")] };
    let full = |more, email| FullUser { user: listed_user(Some(more)), email };
    let in_full = vec![full(more, Some(s("bob@example.org"))), full(UserMore::default(), None)];
    let listed = |rows, more, whole, gone| Reply::Listed(Listed { at, more, whole, rows, gone });
    vec![
        ("LIST WORLDS", listed(ListRows::Worlds(vec![listed_world()]), true, true, vec![])),
        ("LIST USERS", listed(ListRows::UsersInFull(in_full), false, false, vec![s("alice"), s("visitor:carol")])),
        ("LIST WATCH", Reply::ListWatched(ListWatched { list: List::Worlds, at })),
    ]
}

pub(super) fn replies() -> Vec<(&'static str, Reply)> {
    [person_replies(), record_replies(), other_replies(), world_replies(), list_replies()].concat()
}

pub(super) fn empty_replies() -> Vec<(&'static str, Reply)> {
    let mails = MailPage { mails: vec![], unread: 0, total: 0, limit: 100, next: None };
    let page = RecordPage { board: s("sprint"), unit: s("ms"), total: 0, records: vec![], next: None, prev: None };
    vec![
        ("MAIL LIST", Reply::MailPage(mails.clone())),
        ("MAIL SENT", Reply::MailPage(mails)),
        ("MAIL BLOCKS", Reply::Blocks(Blocks { players: vec![] })),
        ("RECORD TOP", Reply::RecordPage(page)),
        ("RECORD BOARDS", Reply::Boards(Boards { boards: vec![], next: None, total: Some(0) })),
        ("SETTING LIST", Reply::Settings(Settings { settings: vec![], next: None, total: Some(0) })),
        ("PROPERTY GET", Reply::Properties(Properties { of: Party::Player(s("bob")), properties: vec![], next: None })),
        ("WORLDS", Reply::Worlds(Worlds { worlds: vec![], total: 0, next: None, more: vec![] })),
        ("WORLD LIST", Reply::Licences(Licences { licences: vec![], total: 0, next: None })),
        ("HOST LIST", Reply::HostedList(HostedList { worlds: vec![], total: 0, next: None })),
        (
            "LIST USERS",
            Reply::Listed(Listed {
                at: Position { epoch: 7, number: 42 },
                more: false,
                whole: false,
                rows: ListRows::Users(vec![]),
                gone: vec![],
            }),
        ),
    ]
}
