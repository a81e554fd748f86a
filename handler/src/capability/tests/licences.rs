//! Licences of worlds: who is granted what, who changes it, and what becomes of a world whose licence is over. Rights, and settings
//! of the universe.

use super::*;
use crate::capability::hosting::Start;
use crate::capability::licences::{
    Add, Change as Changed, Delete, Disable, Keeper, NewPassword, Purge, SetPassword, WAITS,
};
use crate::capability::rights::{Asking, Grant, Revoke};
use crate::capability::terms::Play;
use crate::capability::universe;
use crate::state::names;
use crate::state::universe::Key;
use crate::testing::licence;
use crate::work::passwords::key_hash;
use ssmglobal_config::WorldSettings;
use ssmglobal_ipc::{Expires, SaidBy, Secret, WorldKey, WorldTerms};
use ssmglobal_store::{KeptLicence, KeptSetting, Sequence, StartedBy, WorldId};

const ZOO: WorldId = WorldId(1);

fn password(text: &str) -> NewPassword {
    NewPassword::of(text)
}

fn add(name: &str) -> Add {
    let name = names::check(name, 2, 16).unwrap();
    Add { name, password: password("new"), owner: BOB, terms: WorldTerms::default() }
}

/// Alice has the world Zoo.
fn zoo() -> Model {
    let mut model = people();
    model.put(&Row::Licence(Box::new(licence(1, "Zoo", ALICE))));
    let setting = KeptSetting { value: Some("open".into()), version: 1, public: true, at: NOW };
    model.put(&Row::Setting { owner: ZOO.into(), key: "gate".into(), setting });
    model.sequences.insert(Sequence::World, 1);
    model
}

fn now(model: &Model) -> &KeptLicence {
    &model.licences[&ZOO]
}

fn later(model: &mut Model, change: impl Into<Change>, days: i64) -> Result<Vec<Row>, Code> {
    let stamp = Stamp { now: Time(NOW.0 + days * 24 * 3600 * 1000) };
    match change.into().decide(model, stamp) {
        Ok(decided) => {
            decided.rows.iter().for_each(|row| model.put(row));
            Ok(decided.rows)
        }
        Err(Refusal::Failure(failure)) => Err(failure.code),
        Err(refusal) => panic!("{refusal:?}"),
    }
}

#[test]
fn a_licence_is_what_was_said_of_it_and_its_password_is_in_nothing_that_is_kept() {
    let mut model = people();
    let terms = WorldTerms {
        users: Some(7),
        email: Some("b@example.org".into()),
        expires: Some(Expires::At(Time(NOW.0 + 1000))),
        visitors: Some(false),
        ..WorldTerms::default()
    };
    let change = Change::from(Add { terms, ..add("Zoo") });
    let decided = change.decide(&mut model, Stamp { now: NOW }).unwrap();
    let expected = KeptLicence {
        password: key_hash(&Secret::new("new")),
        users: 7,
        email: Some("b@example.org".into()),
        expires: Some(Time(NOW.0 + 1000)),
        visitors: false,
        created: NOW,
        ..licence(1, "Zoo", BOB)
    };
    let reply = Reply::WorldKey(WorldKey { world: "Zoo".into(), password: None });
    assert_eq!(decided, Decided { rows: vec![Row::Licence(Box::new(expected))], reply, proves: None });
    assert_eq!(change.shown_once(), Some(Secret::new("new")));
    assert!(!format!("{change:?}").contains("new\""), "a secret in Debug");
}

#[test]
fn no_two_worlds_have_names_that_are_alike() {
    let mut model = zoo();
    for name in ["zoo", "ZOO", "z\u{43e}o"] {
        assert_eq!(code(&mut model, add(name)), Code::Exists, "{name}");
    }
    done(&mut model, add("zoom"));
    // A player and a game server may have the name of a world.
    for name in ["alice", "arena"] {
        done(&mut model, add(name));
    }
}

#[test]
fn who_deletes_loses_nothing_else_for_sixty_days() {
    let mut model = zoo();
    let delete = Delete { world: ZOO, purge: false };
    assert_eq!(decided(&mut model, delete.clone()), only(Row::LicenceGone { world: ZOO, at: NOW }));
    done(&mut model, delete.clone());
    assert_eq!(code(&mut model, delete), Code::NotFound);
    // In time it is the same world again.
    let mut other = model.clone();
    later(&mut other, add("zoo"), 59).unwrap();
    assert_eq!((other.licences.len(), now(&other).owner, now(&other).gone), (1, BOB, None));
    assert_eq!(other.settings.len(), 1);
    // Later it is another one, and what was kept goes.
    let rows = later(&mut model, add("zoo"), 61).unwrap();
    assert!(rows.contains(&Row::WorldPurged { world: ZOO }), "{rows:?}");
    assert_eq!((model.licences.keys().collect::<Vec<_>>(), model.settings.len()), (vec![&WorldId(2)], 0));
    // What was deleted with everything is another one at once.
    let mut purged = zoo();
    done(&mut purged, Delete { world: ZOO, purge: true });
    assert_eq!((purged.licences.len(), purged.settings.len()), (0, 0));
    done(&mut purged, add("zoo"));
    assert_eq!(purged.licences.keys().collect::<Vec<_>>(), [&WorldId(2)]);
    // What waits can go later as well, and nothing that is there.
    let purge = |name: &str| Purge { name: names::check(name, 2, 16).unwrap() };
    let mut purged = zoo();
    assert_eq!(code(&mut purged, purge("zoo")), Code::NotFound);
    done(&mut purged, Delete { world: ZOO, purge: false });
    assert_eq!(code(&mut purged, purge("z\u{43e}o")), Code::NotFound, "it only looks like it");
    done(&mut purged, purge("ZOO"));
    assert_eq!((purged.licences.len(), purged.settings.len()), (0, 0));
    assert_eq!(code(&mut purged, purge("zoo")), Code::NotFound);
}

#[test]
fn the_next_licence_of_a_name_takes_the_place_of_one_that_has_ended() {
    let ended = |at: Time| {
        let mut model = zoo();
        model.put(&Row::Licence(Box::new(KeptLicence { expires: Some(at), ..licence(1, "Zoo", ALICE) })));
        model
    };
    let mut model = ended(NOW);
    done(&mut model, add("ZOO"));
    assert_eq!((now(&model).name.as_str(), now(&model).owner, now(&model).expires), ("ZOO", BOB, None));
    assert_eq!(model.settings.len(), 1, "it is the same world");
    let mut model = ended(Time(NOW.0 - WAITS));
    done(&mut model, add("zoo"));
    assert_eq!((model.licences.keys().collect::<Vec<_>>(), model.settings.len()), (vec![&WorldId(2)], 0));
    // What looks like it may not take its place, and a moment before its end nobody may.
    assert_eq!(code(&mut ended(NOW), add("z\u{43e}o")), Code::Exists);
    assert_eq!(code(&mut ended(Time(NOW.0 + 1)), add("zoo")), Code::Exists);
    // Never is no moment in the past.
    assert_eq!(later(&mut zoo(), add("zoo"), 100_000), Err(Code::Exists));
}

#[test]
fn what_was_kept_of_worlds_long_gone_goes_along_with_other_changes() {
    let mut model = zoo();
    for id in 2..30 {
        let name = format!("world-{id}");
        model.put(&Row::Licence(Box::new(KeptLicence { gone: Some(Time(id.into())), ..licence(id, &name, ALICE) })));
    }
    let rows = later(&mut model, Delete { world: ZOO, purge: false }, 0).unwrap();
    let purged: Vec<u32> =
        rows.iter().filter_map(|row| if let Row::WorldPurged { world } = row { Some(world.0) } else { None }).collect();
    assert_eq!(purged, (2..18).collect::<Vec<_>>(), "some at a time, the oldest first");
}

#[test]
fn the_owner_and_the_operator_change_a_licence_and_nobody_else() {
    let comment = |by| {
        let terms = WorldTerms { comment: Some("shut".into()), listed: Some(false), ..WorldTerms::default() };
        Changed { world: ZOO, by, owner: None, terms }
    };
    for by in [Keeper::Operator, Keeper::Player(ALICE)] {
        let mut model = zoo();
        done(&mut model, comment(by));
        assert_eq!((now(&model).comment.as_str(), now(&model).listed, now(&model).users), ("shut", false, 50));
        done(&mut model, SetPassword { world: ZOO, by, password: password("other") });
        assert_eq!(now(&model).password, key_hash(&Secret::new("other")));
    }
    let by = Keeper::Player(BOB);
    let mut model = zoo();
    assert_eq!(code(&mut model, comment(by)), Code::Denied);
    assert_eq!(code(&mut model, SetPassword { world: ZOO, by, password: password("other") }), Code::Denied);
    // It is his once it was given to him, and no more hers.
    done(&mut model, Changed { owner: Some(BOB), ..comment(Keeper::Operator) });
    done(&mut model, comment(by));
    assert_eq!(code(&mut model, comment(Keeper::Player(ALICE))), Code::Denied);
    let terms = WorldTerms { email: Some(String::new()), expires: Some(Expires::Never), ..WorldTerms::default() };
    done(&mut model, Changed { terms, ..comment(Keeper::Operator) });
    assert_eq!((now(&model).email.clone(), now(&model).expires), (None, None));
}

fn start(password: &str) -> Start {
    let by = StartedBy { session: 3, server: ARENA, instance: String::new(), address: "h.example".into(), port: 7 };
    Start { world: ZOO, password: Secret::new(password), from: "192.0.2.1".into(), by }
}

#[test]
fn a_world_is_started_by_its_password_while_its_licence_lets_it() {
    let mut model = zoo();
    let Decided { rows, reply, .. } = decided(&mut model, start("password 1"));
    let by = Box::new(start("").by);
    assert_eq!(rows, [Row::WorldStarted { world: ZOO, at: NOW, address: "192.0.2.1".into(), by }]);
    let Reply::Hosted(hosted) = reply else { panic!("{reply:?}") };
    assert_eq!((hosted.address.as_str(), hosted.since, hosted.resumed), ("h.example:7", NOW, false));
    done(&mut model, start("password 1"));
    assert_eq!((now(&model).last_started, now(&model).last_address.as_deref()), (Some(NOW), Some("192.0.2.1")));

    assert_eq!(code(&mut model, start("password 2")), Code::BadLogin);
    done(&mut model, Disable { world: ZOO, reason: Some("Not paid.".into()) });
    let failure = refused(&mut model, start("password 1"));
    assert_eq!((failure.code, failure.msg.contains("Not paid.")), (Code::Disabled, true));
    // Whoever does not have the password does not learn of that.
    assert_eq!(code(&mut model, start("password 2")), Code::BadLogin);
    done(&mut model, Disable { world: ZOO, reason: None });
    let mut ended = model.clone();
    ended.put(&Row::Licence(Box::new(KeptLicence { expires: Some(NOW), ..licence(1, "Zoo", ALICE) })));
    assert_eq!(code(&mut ended, start("password 1")), Code::Expired);
    done(&mut model, Delete { world: ZOO, purge: false });
    assert_eq!(code(&mut model, start("password 1")), Code::NotFound);
}

#[test]
fn rights_are_granted_and_revoked() {
    let mut model = people();
    let right = || "vip".to_owned();
    done(&mut model, Grant { player: BOB, right: right() });
    assert!(model.rights.contains(&(BOB, right())));
    let again = decided(&mut model, Grant { player: BOB, right: right() });
    assert_eq!(again, Decided::new(Vec::new(), Reply::Done(Done {})), "he has it: that is no news");
    done(&mut model, Revoke { player: BOB, right: right() });
    assert!(model.rights.is_empty());
    let failure = refused(&mut model, Revoke { player: BOB, right: right() });
    assert_eq!((failure.code, &*failure.msg), (Code::NotFound, "bob does not have this right."));
    assert_eq!(code(&mut model, Grant { player: PlayerId(99), right: right() }), Code::NotFound);
    for number in 0..64 {
        done(&mut model, Grant { player: BOB, right: format!("game.{number}") });
    }
    assert_eq!(code(&mut model, Grant { player: BOB, right: right() }), Code::Limit);
}

#[test]
fn who_asks_by_a_right_must_have_it_when_it_is_decided() {
    let by_right = |right| {
        let grant = Grant { player: ALICE, right: "vip".into() };
        Change::ByRight(Asking { player: BOB, right }, Box::new(grant.into()))
    };
    let mut model = people();
    model.put(&Row::Granted { player: BOB, right: "operator".into() });
    assert_eq!(code(&mut model, by_right("broadcast")), Code::Denied);
    assert_eq!(decided(&mut model, by_right("operator")).rows.len(), 1);
    model.put(&Row::PlayerDisabled { player: BOB, reason: Some("spam".into()) });
    assert_eq!(code(&mut model, by_right("operator")), Code::Denied);
    model.put(&Row::PlayerDisabled { player: BOB, reason: None });
    model.put(&Row::Revoked { player: BOB, right: "operator".into() });
    let failure = refused(&mut model, by_right("operator"));
    assert_eq!((failure.code, &*failure.msg), (Code::Denied, "Only an operator may do that."));
    // What is shown once is shown through it as well.
    let add = Change::ByRight(Asking { player: BOB, right: "operator" }, Box::new(add("Zoo").into()));
    assert_eq!(add.shown_once(), Some(Secret::new("new")));
}

#[test]
fn an_operator_whose_right_was_revoked_changes_his_own_world_only_and_not_all_of_it() {
    let mut model = zoo();
    let set = |player, terms| Changed { world: ZOO, by: Keeper::Player(player), owner: None, terms };
    let (users, hidden) = (
        || WorldTerms { users: Some(7), ..WorldTerms::default() },
        || WorldTerms { listed: Some(false), ..WorldTerms::default() },
    );
    let password = |player| SetPassword { world: ZOO, by: Keeper::Player(player), password: password("other") };
    for player in [ALICE, BOB] {
        model.put(&Row::Granted { player, right: "operator".into() });
        done(&mut model, set(player, users()));
        decided(&mut model, password(player));
        model.put(&Row::Revoked { player, right: "operator".into() });
        assert_eq!(code(&mut model, set(player, users())), Code::Denied);
    }
    done(&mut model, set(ALICE, hidden()));
    decided(&mut model, password(ALICE));
    assert_eq!(code(&mut model, set(BOB, hidden())), Code::Denied);
    assert_eq!(code(&mut model, password(BOB)), Code::Denied);
}

#[test]
fn a_setting_of_the_universe_is_one_row() {
    let mut model = people();
    for value in [Some("b".to_owned()), None] {
        let row = Row::Universe { key: "name".into(), value: value.clone() };
        assert_eq!(decided(&mut model, universe::Set { key: Key::Name, value: value.clone() }), only(row));
        done(&mut model, universe::Set { key: Key::Name, value: value.clone() });
        assert_eq!(model.universe.get("name"), value.as_ref());
        let again = decided(&mut model, universe::Set { key: Key::Name, value });
        assert_eq!(again, Decided::new(Vec::new(), Reply::Done(Done {})), "that is no news");
    }
}

#[test]
fn an_owner_sets_all_of_how_his_world_is_played_but_where_it_is() {
    let mut model = zoo();
    let play = |by: Keeper, key: &'static str, value: Option<&str>| Play {
        world: ZOO,
        by,
        key,
        value: value.map(Secret::new),
        file: WorldSettings::default(),
        in_use: Some("[::1]:6".to_owned()),
    };
    let (alice, bob) = (Keeper::Player(ALICE), Keeper::Player(BOB));
    assert_eq!(code(&mut model, play(bob, "kind", Some("moo"))), Code::Denied);
    assert_eq!(code(&mut model, play(alice, "play", Some("127.0.0.1:22"))), Code::Denied);
    done(&mut model, play(alice, "kind", Some("moo")));
    done(&mut model, play(Keeper::Operator, "play", Some("[::1]:5")));
    // A right that is gone when it is decided does not count.
    model.put(&Row::Granted { player: BOB, right: "operator".into() });
    done(&mut model, play(bob, "play", Some("[::1]:6")));
    model.put(&Row::Revoked { player: BOB, right: "operator".into() });
    assert_eq!(code(&mut model, play(bob, "play", Some("[::1]:7"))), Code::Denied);
    let kept: Vec<(&str, &str)> = model.played.iter().map(|((_, key), value)| (key.as_str(), value.expose())).collect();
    assert_eq!(kept, [("kind", "moo"), ("play", "[::1]:6")]);
    // What is so already is no row; what does not go with the rest is refused.
    assert_eq!(decided(&mut model, play(alice, "kind", Some("moo"))).rows, []);
    assert_eq!(code(&mut model, play(alice, "real_address", Some("ip-host"))), Code::Invalid);
    let file = WorldSettings::of([("play", "/run/zoo")]);
    done(&mut model, Play { file, ..play(alice, "real_address", Some("ip-host")) });
    done(&mut model, play(alice, "real_address", None));
    // Taken back, it is as its kind says, and the answer tells so.
    let Reply::WorldPlayed(played) = decided(&mut model, play(alice, "kind", None)).reply else { panic!("no terms") };
    let kind = played.terms.iter().find(|term| term.key == "kind").unwrap();
    assert_eq!((kind.value.as_str(), kind.said_by), ("plain", SaidBy::Kind));
    assert!(played.terms.iter().all(|term| term.key != "play") && played.in_use.is_none(), "{played:?}");
    // Of a heartbeat nothing is shown, and nothing is in any Debug.
    let beat = play(alice, "heartbeat", Some("connect Robot s3cret"));
    assert!(!format!("{beat:?} {:?}", decided(&mut model, beat.clone())).contains("s3cret"));
    done(&mut model, Delete { world: ZOO, purge: false });
    assert_eq!(code(&mut model, play(alice, "kind", Some("moo"))), Code::NotFound);
    done(&mut model, Purge { name: names::check("zoo", 2, 16).unwrap() });
    assert!(model.played.is_empty());
}
