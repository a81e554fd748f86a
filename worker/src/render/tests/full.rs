//! Replies with tables that are as wide as they get.

use super::samples::{licence, listed_user, listed_world};
use super::{at, s};
use ssmglobal_ipc::*;

/// The tables, with names, addresses and numbers as long as they get.
pub(super) fn full_replies() -> Vec<(&'static str, Reply)> {
    let (longest, address) = ("bartholomew-the-2nd.", "[2001:db8:1234:5678:9abc:def0:1234:5678]:27015");
    let who = |player: &str, place: &str, idle| WhoRow { player: s(player), place: s(place), idle, since: at() };
    let players = vec![
        who(longest, "on arena-of-the-seven-winds", 86_400 * 99),
        who("visitor:al", "terminal", 7),
        who("bob", "on zoo", 3600),
    ];
    let record = |rank, player: &str, score, note: Option<&str>| RecordRow {
        rank,
        player: s(player),
        score,
        at: at(),
        server: Some(s("arena-of-the-seven-winds")),
        note: note.map(s),
    };
    let page = RecordPage {
        board: s("race-around-the-harbour"),
        unit: s("milliseconds"),
        total: 100_000,
        records: vec![
            record(99_998, "al", 83_250, Some("in the rain, without a helmet, on the way home from the office")),
            record(99_999, longest, i64::MIN, None),
        ],
        next: Some(s("t9")),
        prev: None,
    };
    let board = |board: &str, unit: &str, total| BoardRow {
        board: s(board),
        unit: s(unit),
        better: Better::Higher,
        operator: Operator::Count,
        submit: Submitters::Players,
        total,
    };
    let boards = vec![board("race-around-the-harbour-by-night", "milliseconds", 100_000), board("map", "", 0)];
    let mail = |id, from: Party, subject: &str, read| MailRow {
        id,
        from,
        to: s(longest),
        subject: s(subject),
        at: at(),
        read,
    };
    let mails = MailPage {
        mails: vec![
            mail(
                18_446_744,
                Party::Server(s("arena-of-the-seven-winds")),
                "The tournament of the season begins",
                false,
            ),
            mail(7, Party::Player(s("al")), "Tonight", true),
        ],
        unread: 1,
        total: 53,
        limit: 200,
        next: Some(s("7")),
    };
    let world = |name: &str, address: &str, map: &str, text: &str| World {
        name: s(name),
        address: s(address),
        map: s(map),
        players: 117,
        max: 256,
        text: s(text),
        at: at(),
    };
    let worlds = vec![
        world(
            "arena-of-the-seven-winds",
            "203.0.113.129:27015",
            "harbour-by-night",
            "friendly fire is off, beginners are welcome",
        ),
        world("zoo", address, "reef", ""),
        world("Atlantis", "", "", "under water"),
    ];
    let more = WorldMore { status: WorldStatus::Restricted, rating: Rating::Pg13, licensed: true };
    let setting = |key: &str, bytes| SettingRow { key: s(key), version: 12_345, public: true, bytes, at: at() };
    let channel = |channel: &str, number| ChannelRow { channel: s(channel), number, servers: 12 };
    let hosted = HostedRow {
        world: s("Atlantis-Reborn"),
        status: WorldStatus::Restricted,
        users: 1017,
        max: 1024,
        address: s(address),
        since: at(),
    };
    let licence = Licence { name: s("Atlantis-Reborn"), owner: s(longest), users: 1024, ..licence() };
    let position = Position { epoch: 1_812_000_000_000_000, number: 42 };
    let listed = |rows| Reply::Listed(Listed { at: position, more: true, whole: true, rows, gone: vec![] });
    let listed_world = ListedWorld {
        name: s("arena-of-the-seven-winds"),
        description: s("friendly fire is off and everybody is welcome who has a good word for the others"),
        ..listed_world()
    };
    let user_more =
        UserMore { address: Some(s("2001:db8:1234:5678:9abc:def0:1234:5678")), rights: vec![s("operator"), s("vip")] };
    let user = FullUser {
        user: ListedUser {
            name: s(longest),
            world: Some(s("arena-of-the-seven-winds")),
            ..listed_user(Some(user_more))
        },
        email: Some(s("bartholomew.the.second@players.example.org")),
    };
    let finger =
        |board: &str, unit: &str| FingerRecord { board: s(board), score: i64::MAX, unit: s(unit), rank: 99_999 };
    let fingered = Fingered {
        player: s(longest),
        registered: at(),
        last_login: None,
        online: false,
        idle: None,
        records: vec![finger("race-around-the-harbour", "milliseconds"), finger("map", "")],
        worlds: vec![],
        properties: vec![],
    };
    vec![
        ("WHO", Reply::Who(Who { players, total: 53, next: Some(s("bob")) })),
        ("FINGER", Reply::Fingered(fingered)),
        ("RECORD TOP", Reply::RecordPage(page.clone())),
        ("RECORD AROUND", Reply::RecordPage(page)),
        ("RECORD BOARDS", Reply::Boards(Boards { boards, next: Some(s("map")), total: Some(53) })),
        ("MAIL LIST", Reply::MailPage(mails.clone())),
        ("MAIL SENT", Reply::MailPage(mails)),
        ("WORLDS", Reply::Worlds(Worlds { worlds, total: 53, next: Some(s("zoo")), more: vec![more] })),
        (
            "SETTING LIST",
            Reply::Settings(Settings {
                settings: vec![
                    setting("keyboard.layout.of.the.second.player.at.the.same.terminal", 8192),
                    setting("fov", 2),
                ],
                next: Some(s("fov")),
                total: Some(53),
            }),
        ),
        (
            "RELAY CHANNELS",
            Reply::Channels(Channels {
                channels: vec![channel("announcements-of-tournaments", 18_446_744_073), channel("lobby", 4)],
                next: Some(s("lobby")),
                total: None,
            }),
        ),
        (
            "HOST LIST",
            Reply::HostedList(HostedList { worlds: vec![hosted], total: 9, next: Some(s("Atlantis-Reborn")) }),
        ),
        (
            "WORLD LIST",
            Reply::Licences(Licences { licences: vec![licence], total: 9, next: Some(s("Atlantis-Reborn")) }),
        ),
        ("LIST WORLDS", listed(ListRows::Worlds(vec![listed_world]))),
        ("LIST USERS", listed(ListRows::UsersInFull(vec![user]))),
    ]
}
