//! A sample of each reply, and what some have gained since they were first released, once and once more.

use super::values::*;
use ssmglobal_ipc::*;

samples! { replies Reply {
    Failed: Reply::Failed(Failure {
        code: Code::Conflict, msg: text("Look again."), version: Some(8), retry_after: Some(30),
    });
    Done: Reply::Done(Done {});
    Welcome: Reply::Welcome(Welcome { session: 12 });
    LoggedIn: Reply::LoggedIn(LoggedIn {
        player: text("bob"), unread: 2, last_login: Some(AT), mailbox_full: false, preferences: Vec::new(),
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
    Boards: Reply::Boards(Boards { boards: vec![board_row()], next: some("race"), total: None });
    Setting: Reply::Setting(Setting {
        of: player(), key: text("color"), value: text("blue"), version: 7, public: true, at: AT,
    });
    SettingVersion: Reply::SettingVersion(SettingVersion { key: text("color"), version: 7, public: false });
    Settings: Reply::Settings(Settings {
        settings: vec![SettingRow { key: text("color"), version: 7, public: true, bytes: 4, at: AT }],
        next: some("color"), total: None,
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
        channels: vec![ChannelRow { channel: text("chat"), number: 51, servers: 2 }], next: some("chat"), total: None,
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
        rating: Rating::Pg, licence: Some(Box::new(licence())), properties: Vec::new(), played: false, play: Vec::new(),
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
    PreferenceIs: Reply::PreferenceIs(PreferenceIs { name: text("WIDTH"), value: some("60"), kept: true });
    WorldPlayed: Reply::WorldPlayed(WorldPlayed {
        world: text("Atlantis"),
        terms: vec![PlayTerm { key: text("kind"), value: text("tinymux"), said_by: SaidBy::Licence }],
        in_use: None,
    });
    PlayStarted: Reply::PlayStarted(PlayStarted {
        world: text("zoo"), terms: text("{}"), how: PlayHow::Shared, word: Secret::new("k7qm-3xtr"),
        ticket: None,
    });
    PlayVerdict: Reply::PlayVerdict(PlayVerdict { world: text("zoo"), end: PlayEnd::Down });
    MsspTable: Reply::MsspTable(MsspTable { variables: mssp_variables() });
} }

/// Replies with what they have gained since they were first released; above they are as they were then.
pub fn grown_replies() -> Vec<(&'static str, Reply)> {
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
    let logged_in =
        LoggedIn { player: text("bob"), unread: 2, last_login: Some(AT), mailbox_full: true, preferences: Vec::new() };
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
    let started = PlayStarted {
        world: text("zoo"),
        terms: text("{}"),
        how: PlayHow::Shared,
        word: Secret::new("k7qm-3xtr"),
        ticket: Some(Secret::new("pass pass-k7m2-9qxf-3dpa")),
    };
    vec![
        ("Reply::PlayStarted", Reply::PlayStarted(started)),
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
        ("Reply::Boards", Reply::Boards(Boards { boards: vec![board_row()], next: some("race"), total: Some(300) })),
        (
            "Reply::Settings",
            Reply::Settings(Settings {
                settings: vec![SettingRow { key: text("color"), version: 7, public: true, bytes: 4, at: AT }],
                next: some("color"),
                total: Some(300),
            }),
        ),
        (
            "Reply::Channels",
            Reply::Channels(Channels {
                channels: vec![ChannelRow { channel: text("chat"), number: 51, servers: 2 }],
                next: some("chat"),
                total: Some(300),
            }),
        ),
        (
            "Reply::WorldPlayed",
            Reply::WorldPlayed(WorldPlayed {
                world: text("Atlantis"),
                terms: vec![PlayTerm { key: text("kind"), value: text("tinymux"), said_by: SaidBy::Licence }],
                in_use: some("127.0.0.1:2860"),
            }),
        ),
    ]
}

/// Replies that have gained something for a second time.
pub fn grown_again() -> Vec<(&'static str, Reply)> {
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
    let logged_in = grown_replies().into_iter().find_map(|(_, reply)| match reply {
        Reply::LoggedIn(logged_in) => Some(logged_in),
        _ => None,
    });
    let preferences = vec![KeptPreference { name: text("TIMEZONE"), value: text("Europe/Vienna") }];
    let logged_in = LoggedIn { preferences, ..logged_in.expect("it is there") };
    let shown = grown_replies().into_iter().find_map(|(_, reply)| match reply {
        Reply::WorldShown(shown) => Some(shown),
        _ => None,
    });
    let shown = WorldShown { played: true, play: vec![text("127.0.0.1:2860")], ..shown.expect("it is there") };
    vec![
        ("Reply::Fingered", Reply::Fingered(fingered)),
        ("Reply::Whoami", Reply::Whoami(whoami)),
        ("Reply::LoggedIn", Reply::LoggedIn(logged_in)),
        ("Reply::WorldShown", Reply::WorldShown(shown)),
    ]
}
