//! One request of every kind, with all its arguments.

use super::every_world::{lists, universe, worlds};
use super::some;
use ssmglobal_ipc::*;

/// A command, its arguments in their order as JSON, and the request.
pub(super) type Case = (&'static str, Vec<(&'static str, &'static str)>, Request);

pub(super) fn s(text: &str) -> String {
    text.to_owned()
}

pub(super) fn page() -> Page {
    Page { limit: Some(5), after: some("x7") }
}

pub(super) fn paged() -> Vec<(&'static str, &'static str)> {
    vec![("limit", "5"), ("after", "\"x7\"")]
}

/// All of them.
pub(super) fn requests() -> Vec<Case> {
    [players(), records(), settings(), properties(), mail(), servers(), worlds(), universe(), lists()]
        .into_iter()
        .flatten()
        .collect()
}

fn players() -> Vec<Case> {
    vec![
        (
            "REGISTER",
            vec![("name", "\"al\""), ("password", "\"pw 1\""), ("email", "\"a@b\"")],
            Request::Register(Register { name: s("al"), password: Secret::new("pw 1"), email: some("a@b") }),
        ),
        (
            "LOGIN",
            vec![("name", "\"al\""), ("password", "\"pw\\\"\\\\\"")],
            Request::Login(Login { name: s("al"), password: Secret::new("pw\"\\") }),
        ),
        ("LOGOUT", vec![], Request::Logout),
        (
            "PASSWORD",
            vec![("old", "\"a\""), ("new", "\"b\"")],
            Request::Password(Password { old: Secret::new("a"), new: Secret::new("b") }),
        ),
        ("WHOAMI", vec![], Request::Whoami),
        ("WHO", paged(), Request::Who(page())),
        ("FINGER", vec![("player", "\"bob\"")], Request::Finger(Finger { player: s("bob") })),
        (
            "SET",
            vec![("name", "\"width\""), ("value", "\"60\"")],
            Request::PreferenceSet(PreferenceSet { name: s("WIDTH"), value: some("60") }),
        ),
        ("VISITOR", vec![("name", "\"zed\"")], Request::Visitor(VisitorName { name: s("zed") })),
    ]
}

fn records() -> Vec<Case> {
    vec![
        (
            "RECORD SUBMIT",
            vec![("board", "\"sprint\""), ("score", "-9223372036854775808"), ("player", "\"al\""), ("note", "\"a b\"")],
            Request::RecordSubmit(RecordSubmit {
                board: s("sprint"),
                score: i64::MIN,
                player: some("al"),
                note: some("a b"),
            }),
        ),
        (
            "RECORD TOP",
            vec![("board", "\"sprint\""), ("limit", "10"), ("after", "20"), ("before", "\"30\"")],
            Request::RecordTop(RecordTop {
                board: s("sprint"),
                limit: Some(10),
                after: some("20"),
                before: some("30"),
            }),
        ),
        (
            "RECORD AROUND",
            vec![("board", "\"sprint\""), ("player", "\"al\""), ("limit", "5")],
            Request::RecordAround(RecordAround { board: s("sprint"), player: some("al"), limit: Some(5) }),
        ),
        (
            "RECORD SHOW",
            vec![("board", "\"sprint\""), ("player", "\"al\"")],
            Request::RecordShow(RecordShow { board: s("sprint"), player: some("al") }),
        ),
        ("RECORD BOARDS", paged(), Request::RecordBoards(page())),
        ("RECORD WATCH", vec![("board", "\"b\"")], Request::RecordWatch(RecordWatch { board: s("b") })),
        ("RECORD UNWATCH", vec![("board", "\"b\"")], Request::RecordUnwatch(RecordWatch { board: s("b") })),
    ]
}

fn settings() -> Vec<Case> {
    vec![
        (
            "SETTING GET",
            vec![("key", "\"k\""), ("of", "\"server:arena\"")],
            Request::SettingGet(SettingGet { key: s("k"), of: Some(Party::Server(s("arena"))) }),
        ),
        (
            "SETTING SET",
            vec![("key", "\"k\""), ("value", "\"a  b\""), ("version", "3"), ("public", "true")],
            Request::SettingSet(SettingSet { key: s("k"), value: s("a  b"), version: Some(3), public: Some(true) }),
        ),
        ("SETTING LIST", paged(), Request::SettingList(page())),
        (
            "SETTING DELETE",
            vec![("key", "\"k\""), ("version", "0")],
            Request::SettingDelete(SettingDelete { key: s("k"), version: Some(0) }),
        ),
    ]
}

fn properties() -> Vec<Case> {
    let (of, holder) = (("of", "\"world:zoo\""), || Party::World(s("zoo")));
    vec![
        (
            "PROPERTY GET",
            vec![of, ("names", "\"12 gate\""), ("limit", "5"), ("after", "\"x7\"")],
            Request::PropertyGet(PropertyGet {
                of: holder(),
                names: vec![s("12"), s("gate")],
                limit: Some(5),
                after: some("x7"),
            }),
        ),
        (
            "PROPERTY SET",
            vec![
                of,
                ("name", "12"),
                ("value", "\"a  b\""),
                ("version", "3"),
                ("finger", "true"),
                ("push", "false"),
                ("kept", "true"),
                ("write", "\"World\""),
                ("read", "\"everyone\""),
            ],
            Request::PropertySet(PropertySet {
                of: holder(),
                name: s("12"),
                value: PropertyValue::Text(s("a  b")),
                version: Some(3),
                terms: PropertyTerms {
                    finger: Some(true),
                    push: Some(false),
                    kept: Some(true),
                    write: Some(PropertyAccess::World),
                    read: Some(PropertyAccess::Everyone),
                },
            }),
        ),
        (
            "PROPERTY DELETE",
            vec![of, ("name", "\"gate\""), ("version", "3")],
            Request::PropertyDelete(PropertyDelete { of: holder(), name: s("gate"), version: Some(3) }),
        ),
        ("PROPERTY WATCH", vec![of], Request::PropertyWatch(PropertyWatch { of: holder() })),
        ("PROPERTY UNWATCH", vec![of], Request::PropertyUnwatch(PropertyWatch { of: holder() })),
    ]
}

fn mail() -> Vec<Case> {
    vec![
        (
            "MAIL SEND",
            vec![("to", "\"bob\""), ("body", "\"see you\""), ("subject", "\"to night\"")],
            Request::MailSend(MailSend { to: s("bob"), body: s("see you"), subject: some("to night") }),
        ),
        ("MAIL LIST", paged(), Request::MailList(page())),
        ("MAIL READ", vec![("id", "12")], Request::MailRead(MailId { id: 12 })),
        (
            "MAIL REPLY",
            vec![("id", "12"), ("body", "\"see you\"")],
            Request::MailReply(MailReply { id: 12, body: s("see you") }),
        ),
        (
            "MAIL FORWARD",
            vec![("id", "12"), ("to", "\"carol\"")],
            Request::MailForward(MailForward { id: 12, to: s("carol") }),
        ),
        ("MAIL DELETE", vec![("id", "18446744073709551615")], Request::MailDelete(MailId { id: u64::MAX })),
        ("MAIL SENT", paged(), Request::MailListSent(page())),
        ("MAIL BLOCK", vec![("player", "\"mal\"")], Request::MailBlock(MailBlock { player: Party::Player(s("mal")) })),
        (
            "MAIL UNBLOCK",
            vec![("player", "\"mal\"")],
            Request::MailUnblock(MailBlock { player: Party::Player(s("mal")) }),
        ),
        ("MAIL BLOCKS", vec![], Request::MailBlocks),
        (
            "TELL",
            vec![("to", "\"bob\""), ("body", "\"hi there\"")],
            Request::Tell(Tell { to: s("bob"), body: s("hi there") }),
        ),
        ("BROADCAST", vec![("body", "\"hi all\"")], Request::Broadcast(Broadcast { body: s("hi all") })),
    ]
}

fn servers() -> Vec<Case> {
    vec![
        (
            "AUTH",
            vec![("name", "\"arena\""), ("key", "\"k1\"")],
            Request::Auth(Auth { name: s("arena"), key: Secret::new("k1") }),
        ),
        (
            "RELAY JOIN",
            vec![("channel", "\"lobby\""), ("since", "41"), ("epoch", "9")],
            Request::RelayJoin(RelayJoin { channel: s("lobby"), since: Some(41), epoch: Some(9) }),
        ),
        ("RELAY LEAVE", vec![("channel", "\"lobby\"")], Request::RelayLeave(RelayLeave { channel: s("lobby") })),
        (
            "RELAY SEND",
            vec![("body", "\"round over\""), ("channel", "\"lobby\"")],
            Request::RelaySend(RelaySend { body: s("round over"), channel: some("lobby"), to: None }),
        ),
        ("RELAY CHANNELS", paged(), Request::RelayChannels(page())),
        (
            "STATUS SET",
            vec![
                ("map", "\"harbour\""),
                ("players", "3"),
                ("max", "16"),
                ("text", "\"all in\""),
                ("address", "\"h:1\""),
            ],
            Request::StatusSet(StatusSet {
                map: s("harbour"),
                players: 3,
                max: 16,
                text: some("all in"),
                address: some("h:1"),
            }),
        ),
        ("STATUS CLEAR", vec![], Request::StatusClear),
        ("WORLDS", paged(), Request::Worlds(page())),
        ("PASS", vec![("server", "\"arena\"")], Request::Pass(Pass { server: s("arena") })),
        (
            "LOGIN CHECK",
            vec![("name", "\"bob\""), ("password", "\"pw\""), ("address", "\"192.0.2.7\"")],
            Request::LoginCheck(LoginCheck { name: s("bob"), password: Secret::new("pw"), address: s("192.0.2.7") }),
        ),
        (
            "ENTER",
            vec![("player", "\"bob\""), ("world", "\"zoo\"")],
            Request::Enter(Visit { player: s("bob"), world: some("zoo") }),
        ),
        (
            "LEAVE",
            vec![("player", "\"bob\""), ("world", "\"zoo\"")],
            Request::Leave(Visit { player: s("bob"), world: some("zoo") }),
        ),
        (
            "PRESENT",
            vec![("players", "\"bob al\""), ("world", "\"zoo\"")],
            Request::Present(Present { players: vec![s("bob"), s("al")], world: some("zoo") }),
        ),
        ("RATING", vec![("rating", "\"pg\"")], Request::RatingLimit(RatingLimit { rating: Some(Rating::Pg) })),
        (
            "WORLD ENTER",
            vec![("world", "\"zoo\""), ("version", "\"4.2\""), ("language", "\"en\""), ("charset", "\"utf-8\"")],
            Request::WorldEnter(WorldEnter {
                world: s("zoo"),
                version: "4.2".parse().ok(),
                language: some("en"),
                charset: some("utf-8"),
            }),
        ),
        (
            "PASS REDEEM",
            vec![("pass", "\"pass-1\""), ("address", "\"192.0.2.7\""), ("world", "\"zoo\"")],
            Request::PassRedeem(PassRedeem {
                pass: Secret::new("pass-1"),
                address: some("192.0.2.7"),
                world: some("zoo"),
            }),
        ),
    ]
}
