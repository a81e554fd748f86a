//! A world is told where its players come from, in its own way.

use super::{Played, played, wide};
use crate::harness::worlds::{Kind, Preamble, Profile, World};

#[test]
fn the_real_address_stands_in_front_of_all_else_as_the_world_takes_it() {
    for (preamble, key) in [(Preamble::Proxy1, "proxy-v1"), (Preamble::Proxy2, "proxy-v2")] {
        let world = World::plan(Kind::Mush).behind(preamble).start();
        let played = played(world, Kind::Mush, &format!("real_address = \"{key}\""), "");
        sees_where_bob_is(&played, key);
    }
    let directory = tempfile::tempdir().unwrap();
    let world = World::plan(Kind::Silent).behind(Preamble::Line).at_path(&directory.path().join("game.sock")).start();
    let played = played(world, Kind::Mush, "real_address = \"ip-host\"", "");
    let mut client = played.client(Profile::tintin());
    client.types("connect bob secret-of-bob");
    client.until("Limbo\n");
    let from = client.from().to_string();
    assert_eq!(played.world.player("bob").real_address(), from);
}

fn sees_where_bob_is(played: &Played, how: &str) {
    let client = played.inside("bob", Profile::tintin());
    let from = client.from().to_string();
    assert_eq!(played.world.player("bob").real_address(), from, "{how}");
}

#[test]
fn a_line_tells_it_with_the_time_of_the_first_connection() {
    let world = World::plan(Kind::Mush).behind(Preamble::Line).start();
    let mut played = played(world, Kind::Mush, "real_address = \"remotehost\"", "");
    let mut client = played.inside("bob", wide());
    let from = client.from();
    let line = String::from_utf8(played.world.player("bob").preamble()).unwrap();
    let first = line.trim_end().strip_prefix(&format!("@remotehost {from}=")).unwrap().to_owned();
    assert!(first.parse::<u64>().unwrap() > 1_700_000_000, "{line}");
    played.world.crashes(crate::harness::worlds::Cut::Reset);
    client.until("zoo is down.");
    played.world.starts();
    client.until("you are in it");
    let again = String::from_utf8(played.world.player_from(1, "bob").preamble()).unwrap();
    assert_eq!(again, line, "the time is that of the first connection still");
}

#[test]
fn mnes_tells_it_over_telnet() {
    let played = played(World::start(Kind::Mush), Kind::Mush, "real_address = \"mnes\"", "");
    let client = played.inside("bob", Profile::tintin());
    let from = client.from().to_string();
    let told = played.world.player("bob");
    told.wait("the address", |_| (told.environment().get("IPADDRESS")? == &from).then_some(()));
}
