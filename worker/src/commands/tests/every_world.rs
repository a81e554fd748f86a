//! One request of every kind that has to do with worlds, with all its arguments.

use super::every::{Case, page, paged, s};
use super::some;
use ssmglobal_ipc::*;

fn said() -> Vec<(&'static str, &'static str)> {
    vec![
        ("users", "7"),
        ("size", "9"),
        ("email", "\"a@b\""),
        ("expires", "\"1970-01-02\""),
        ("client", "\"4.2\""),
        ("listed", "true"),
        ("visitors", "false"),
        ("voice", "true"),
        ("plugins", "false"),
        ("check_address", "true"),
        ("comment", "\"under water\""),
    ]
}

fn terms() -> WorldTerms {
    WorldTerms {
        users: Some(7),
        size: Some(9),
        email: some("a@b"),
        comment: some("under water"),
        expires: Some(Expires::At(Time(86_400_000))),
        listed: Some(true),
        visitors: Some(false),
        voice: Some(true),
        plugins: Some(false),
        client: "4.2".parse().ok(),
        check_address: Some(true),
    }
}

pub(super) fn worlds() -> Vec<Case> {
    let (name, world) = (("name", "\"zoo\""), || WorldName { name: s("zoo") });
    let owner = ("owner", "\"al\"");
    let all = || [vec![name, owner], said()].concat();
    let right = || (vec![("player", "\"al\""), ("right", "\"vip\"")], RightOf { player: s("al"), right: s("vip") });
    let ((args, grant), (others, revoke)) = (right(), right());
    vec![
        ("WORLD SHOW", vec![name], Request::WorldShow(world())),
        ("WORLD LIST", paged(), Request::WorldList(page())),
        ("WORLD ADD", all(), Request::WorldAdd(WorldAdd { name: s("zoo"), owner: s("al"), terms: terms() })),
        (
            "WORLD CHANGE",
            all(),
            Request::WorldChange(WorldChange { name: s("zoo"), owner: some("al"), terms: terms() }),
        ),
        (
            "WORLD PLAY",
            vec![name, ("key", "\"login\""), ("value", "\"^co (.*)\"")],
            Request::WorldPlay(WorldPlay { name: s("zoo"), key: some("login"), value: Some(Secret::new("^co (.*)")) }),
        ),
        ("WORLD PASSWORD", vec![name], Request::WorldPassword(world())),
        (
            "WORLD DISABLE",
            vec![name, ("reason", "\"not paid\"")],
            Request::WorldDisable(WorldDisable { name: s("zoo"), reason: some("not paid") }),
        ),
        ("WORLD ENABLE", vec![name], Request::WorldEnable(world())),
        (
            "WORLD DELETE",
            vec![name, ("purge", "true")],
            Request::WorldDelete(WorldDelete { name: s("zoo"), purge: true }),
        ),
        ("RIGHT LIST", vec![("player", "\"al\"")], Request::RightList(RightsOf { player: some("al") })),
        ("RIGHT GRANT", args, Request::RightGrant(grant)),
        ("RIGHT REVOKE", others, Request::RightRevoke(revoke)),
        (
            "HOST START",
            vec![
                ("world", "\"zoo\""),
                ("password", "\"pw\""),
                ("port", "7777"),
                ("address", "\"h.example\""),
                ("instance", "\"two\""),
                ("version", "\"4\""),
            ],
            Request::HostStart(HostStart {
                world: s("zoo"),
                password: Secret::new("pw"),
                instance: some("two"),
                address: some("h.example"),
                port: 7777,
                version: "4".parse().ok(),
            }),
        ),
        (
            "HOST SAY",
            vec![
                ("world", "\"zoo\""),
                ("users", "3"),
                ("restricted", "true"),
                ("rating", "\"pg13\""),
                ("map", "\"reef\""),
                ("text", "\"come in\""),
                ("closings", "true"),
            ],
            Request::HostSay(HostSay {
                world: s("zoo"),
                users: Some(3),
                restricted: Some(true),
                rating: Some(Rating::Pg13),
                map: some("reef"),
                text: some("come in"),
                closings: Some(true),
            }),
        ),
        ("HOST STOP", vec![("world", "\"zoo\"")], Request::HostStop(HostStop { world: s("zoo") })),
        ("HOST LIST", paged(), Request::HostList(page())),
        (
            "PLAYER LIMIT",
            vec![("player", "\"al\""), ("minutes", "90")],
            Request::PlayerLimit(PlayerLimit { player: s("al"), minutes: Some(90) }),
        ),
    ]
}

pub(super) fn universe() -> Vec<Case> {
    let (key, value) = (("key", "\"start\""), ("value", "\"the zoo\""));
    vec![
        ("UNIVERSE SHOW", vec![], Request::UniverseShow),
        ("UNIVERSE SET", vec![key, value], Request::UniverseSet(UniverseSet { key: s("start"), value: s("the zoo") })),
        ("UNIVERSE RESET", vec![key], Request::UniverseReset(UniverseReset { key: s("start") })),
        ("UNIVERSE WATCH", vec![], Request::UniverseWatch),
        ("UNIVERSE UNWATCH", vec![], Request::UniverseUnwatch),
    ]
}

pub(super) fn lists() -> Vec<Case> {
    let after = Some(Position { epoch: 1_812_000_000_000_000, number: 7 });
    let at = [("epoch", "1812000000000000"), ("serial", "7")];
    let read = || (at.into_iter().chain([("limit", "5")]).collect(), ListRead { after, limit: Some(5) });
    let ((args, worlds), (others, users)) = (read(), read());
    let list = ("list", "\"worlds\"");
    let watch = ListWatch { list: List::Worlds, after };
    vec![
        ("LIST WORLDS", args, Request::ListWorlds(worlds)),
        ("LIST USERS", others, Request::ListUsers(users)),
        ("LIST WATCH", [list].into_iter().chain(at).collect(), Request::ListWatch(watch)),
        ("LIST UNWATCH", vec![list], Request::ListUnwatch(ListUnwatch { list: List::Worlds })),
    ]
}
