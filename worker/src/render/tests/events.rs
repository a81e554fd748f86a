//! Events of every kind, with what programs and people are told of each.

use super::s;
use super::samples::{listed_user, universe};
use ssmglobal_ipc::*;

pub(super) fn events() -> Vec<(Event, &'static str, &'static str)> {
    let time = Time(1_769_890_500_000);
    let relay =
        RelayMessage { channel: None, number: 0, from: Party::Server(s("arena")), at: time, body: s("round over") };
    let bob = Party::Player(s("bob"));
    vec![
        (
            Event::Mail(MailArrived { id: 12, from: bob.clone(), subject: s("Tonight"), unread: 2 }),
            r#"{"event": "mail", "id": 12, "from": "bob", "subject": "Tonight", "unread": 2}"#,
            "[mail] bob: Tonight (MAIL READ 12)",
        ),
        (
            Event::MailRefused(MailRefused { from: bob.clone(), limit: 100 }),
            r#"{"event": "mail_refused", "from": "bob", "limit": 100}"#,
            "[mail_refused] bob: your mailbox is full (MAIL DELETE makes room)",
        ),
        (
            Event::Tell(TellArrived { from: bob, body: s("Are you there?"), at: time }),
            r#"{"event": "tell", "from": "bob", "body": "Are you there?", "at": "2026-01-31T20:15:00Z"}"#,
            "[tell] bob: Are you there?",
        ),
        (
            Event::Relay(relay),
            r#"{"event": "relay", "channel": null, "epoch": null, "number": 0, "from": "server:arena", "at": "2026-01-31T20:15:00Z", "body": "round over"}"#,
            "[relay] server:arena: round over",
        ),
        (
            Event::Record(RecordArrived {
                board: s("sprint"),
                unit: s("ms"),
                player: s("alice"),
                score: 12345,
                previous: Some(s("bob")),
            }),
            r#"{"event": "record", "board": "sprint", "unit": "ms", "player": "alice", "score": 12345, "previous": "bob"}"#,
            "[record] alice leads sprint with 12345 ms (before: bob)",
        ),
        (
            Event::WorldStopped(WorldStopped { world: s("Atlantis"), reason: Stop::TakenOver, msg: s("It was.") }),
            r#"{"event": "world_stopped", "world": "Atlantis", "reason": "taken_over", "msg": "It was."}"#,
            "[world_stopped] Atlantis: It was.",
        ),
        (
            Event::ForGuest(ForGuest {
                world: Some(s("Atlantis")),
                to: Party::Player(s("bob")),
                event: Box::new(Event::Tell(TellArrived {
                    from: Party::Player(s("alice")),
                    body: s("Come home"),
                    at: time,
                })),
            }),
            r#"{"event": "tell", "to": "bob", "world": "Atlantis", "from": "alice", "body": "Come home", "at": "2026-01-31T20:15:00Z"}"#,
            "[tell] for bob: alice: Come home",
        ),
        (
            Event::GuestClosed(GuestClosed { world: s("Atlantis"), player: Party::Player(s("bob")) }),
            r#"{"event": "guest_closed", "world": "Atlantis", "player": "bob"}"#,
            "[guest_closed] bob has closed his last connection; he is in Atlantis.",
        ),
        (
            Event::GuestOut(GuestOut {
                world: Some(s("Atlantis")),
                player: Party::Player(s("bob")),
                msg: s("You were logged out by the operator."),
            }),
            r#"{"event": "guest_out", "world": "Atlantis", "player": "bob", "msg": "You were logged out by the operator."}"#,
            "[guest_out] bob may not be in Atlantis any more: You were logged out by the operator.",
        ),
        (
            Event::ForGuests(ForGuests {
                world: None,
                to: vec![Party::Player(s("bob")), Party::Visitor(s("zed"))],
                event: Box::new(Event::Broadcast(TellArrived { from: Party::Backend, body: s("Soon"), at: time })),
            }),
            r#"{"event": "broadcast", "to": ["bob", "visitor:zed"], "world": null, "from": "the backend", "body": "Soon", "at": "2026-01-31T20:15:00Z"}"#,
            "[broadcast] for bob, \"zed\": the backend: Soon",
        ),
        (
            Event::GuestRegistered(GuestRegistered {
                world: Some(s("Atlantis")),
                visitor: Party::Visitor(s("zed")),
                player: s("bob"),
                number: 7,
            }),
            r#"{"event": "guest_registered", "world": "Atlantis", "visitor": "visitor:zed", "player": "bob", "number": 7}"#,
            "[guest_registered] \"zed\" has registered as bob, and stays.",
        ),
        (
            Event::GuestRights(GuestRights {
                world: Some(s("Atlantis")),
                player: Party::Player(s("bob")),
                rights: vec![s("build"), s("vip")],
            }),
            r#"{"event": "guest_rights", "world": "Atlantis", "player": "bob", "rights": ["build", "vip"]}"#,
            "[guest_rights] bob has these rights now: build, vip.",
        ),
        (
            Event::Rights(Rights { player: s("bob"), rights: vec![] }),
            r#"{"event": "rights", "player": "bob", "rights": []}"#,
            "[rights] You have no rights any more beyond those of every player.",
        ),
        (
            Event::TakenOver(Notice { msg: s("You are on by another connection now.") }),
            r#"{"event": "taken_over", "msg": "You are on by another connection now."}"#,
            "[taken_over] You are on by another connection now.",
        ),
        (
            Event::Tell(TellArrived { from: Party::Visitor(s("zed")), body: s("Hello"), at: time }),
            r#"{"event": "tell", "from": "visitor:zed", "body": "Hello", "at": "2026-01-31T20:15:00Z"}"#,
            "[tell] visitor:zed: Hello",
        ),
        (
            Event::Broadcast(TellArrived { from: Party::Player(s("bob")), body: s("Hello"), at: time }),
            r#"{"event": "broadcast", "from": "bob", "body": "Hello", "at": "2026-01-31T20:15:00Z"}"#,
            "[broadcast] bob: Hello",
        ),
        (
            Event::Property(PropertyChanged {
                of: Party::World(s("Zoo")),
                name: s("gate"),
                value: Some(s("open")),
                base64: None,
                version: 3,
                deleted: false,
            }),
            r#"{"event": "property", "of": "world:Zoo", "name": "gate", "value": "open", "base64": null, "version": 3, "deleted": false}"#,
            "[property] gate of world:Zoo: open",
        ),
        (
            Event::List(ListChanged {
                from: 41,
                at: Position { epoch: 7, number: 43 },
                rows: ListRows::Users(vec![listed_user(None)]),
                gone: vec![s("alice")],
            }),
            r#"{"event": "list", "list": "users", "epoch": 7, "from": 41, "serial": 43, "rows": [{"name": "bob", "number": 7, "world": "Atlantis", "state": "on"}], "gone": ["alice"]}"#,
            "[list] users: bob; gone: alice",
        ),
        (
            Event::WorldChanged(HostTerms {
                world: s("Atlantis"),
                number: 3,
                users: 100,
                size: 50,
                visitors: true,
                voice: false,
                plugins: true,
                client: Version(4 << 48),
                expires: Some(time),
            }),
            r#"{"event": "world_changed", "world": "Atlantis", "number": 3, "users": 100, "size": 50, "visitors": true, "voice": false, "plugins": true, "client": "4", "expires": "2026-01-31T20:15:00Z"}"#,
            "[world_changed] Atlantis: the licence says 100 users and size 50 from now on.",
        ),
        (
            Event::Universe(universe()),
            r#"{"event": "universe", "name": "Zoë's worlds", "welcome": "Be kind.\nHave fun.", "visitors": true, "talk": true, "registration": false, "client": "4.2", "host": "0", "start": "Atlantis", "users": true, "renames": false, "licence": true, "set": ["name", "start"]}"#,
            "[universe] settings of Zoë's worlds have changed (UNIVERSE SHOW)",
        ),
        (
            Event::Notice(Notice { msg: s("The backend is going down.") }),
            r#"{"event": "notice", "msg": "The backend is going down."}"#,
            "[notice] The backend is going down.",
        ),
    ]
}
