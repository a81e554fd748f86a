//! Ten thousand changes of the lists at random, and mirrors of every kind that must come out right.

use super::{Mirror, Scene, fresh, names, number};
use crate::harness::{Dice, GameServer, Program};
use serde_json::{Value, json};

const WORLDS: [&str; 4] = ["Zoo", "Moon", "Mars", "Reef"];

/// What changes lists, at random.
struct Storm {
    scene: Scene,
    dice: Dice,
    castle: GameServer,
    passwords: Vec<String>,
    guests: Vec<Program>,
}

impl Storm {
    fn new(seed: u64) -> Storm {
        let scene = Scene::new();
        let castle = scene.backend.game_server("castle");
        let further = WORLDS[1..].iter().map(|world| scene.backend.world(world, "alice"));
        let passwords = [scene.password.clone()].into_iter().chain(further).collect();
        let guests = (0..4).map(|n| scene.backend.player(&format!("guest{n}"))).collect();
        Storm { scene, dice: Dice(seed), castle, passwords, guests }
    }

    fn step(&mut self) {
        let which = self.dice.roll(4);
        let (world, guest) = (WORLDS[which], &mut self.guests[which]);
        let (some, arena, backend) = (self.dice.roll(50), &mut self.scene.arena, &self.scene.backend);
        match self.dice.roll(24) {
            0..=3 => drop(arena.hosts(world, &self.passwords[which])),
            4..=10 => drop(arena.ask("HOST SAY", json!({"world": world, "users": some, "restricted": some > 25}))),
            11 => arena.ok("HOST STOP", json!({"world": world})).as_null().unwrap_or(()),
            12..=14 => drop(self.castle.ok("STATUS SET", json!({"map": "m", "players": some, "max": 50}))),
            15 => drop(self.castle.ok("STATUS CLEAR", json!({}))),
            16 => drop(backend.ctl(&["world", "change", world, if some > 25 { "--hidden" } else { "--listed" }])),
            17 => drop(guest.ask("LOGOUT", json!({}))),
            18..=19 => drop(guest.login(&format!("guest{which}"))),
            20 => {
                let args = json!({"player": format!("guest{which}")});
                drop(self.castle.ask(if some > 25 { "ENTER" } else { "LEAVE" }, args));
            }
            21 => {
                guest.closes(backend);
            }
            22 if some > 40 => backend.kill_handler(),
            _ => {
                let key = self.castle.key.clone();
                let new = GameServer::with_key(backend, "castle", key);
                backend.see_off(std::mem::replace(&mut self.castle, new).into_wire());
            }
        }
    }

    /// Many changes, sent ahead of their answers, over the handler's death where it is to die.
    fn burst(&mut self, count: usize, dies: bool) {
        for _ in 0..count {
            let which = self.dice.roll(4);
            let (world, guest, some) = (WORLDS[which], format!("guest{which}"), self.dice.roll(50));
            let (server, cmd, args) = match self.dice.roll(8) {
                0..=3 => (0, "HOST SAY", json!({"world": world, "users": some, "restricted": some > 25})),
                4 => (1, "STATUS SET", json!({"map": "m", "players": some, "max": 50})),
                5 => (1, "ENTER", json!({"player": guest})),
                6 => (1, "LEAVE", json!({"player": guest})),
                _ => (0, if some > 25 { "ENTER" } else { "LEAVE" }, json!({"player": guest, "world": world})),
            };
            let server = if server == 0 { &mut self.scene.arena } else { &mut self.castle };
            server.send_line(json!({"id": 1, "cmd": cmd, "args": args}).to_string());
        }
        if dies {
            self.scene.backend.kill_handler();
        }
        // What was asked last is answered last.
        for server in [&mut self.scene.arena, &mut self.castle] {
            server.send_line(r#"{"id": 2, "cmd": "WHOAMI"}"#);
            while server.reply()["id"] != 2 {}
        }
    }
}

#[test]
fn mirrors_are_what_the_lists_are_after_ten_thousand_changes_reconnects_and_deaths() {
    let mut storm = Storm::new(7);
    let lists = ["worlds", "users"];
    // One that asks now and then, over connections that change; one that watches; an operator who watches.
    let mut asks = lists.map(Mirror::of);
    let mut watchers = [storm.scene.backend.program(), storm.scene.backend.player_again("olga")];
    let mut watches = [(); 2].map(|()| lists.map(Mirror::of));
    for (program, mirrors) in watchers.iter_mut().zip(&mut watches) {
        mirrors.iter_mut().for_each(|mirror| mirror.watch(program));
    }
    for round in 0..25 {
        for _ in 0..14 {
            storm.step();
        }
        storm.burst(700, round % 5 == 4);
        let mut other = storm.scene.backend.program();
        for mirror in &mut asks {
            mirror.read(&mut other, 1 + round % 4);
            let truth = fresh(&mut other, mirror.list);
            assert_eq!((&mirror.rows, mirror.at), (&truth.rows, truth.at), "round {round}");
        }
        let olgas = lists.map(|list| fresh(&mut storm.scene.olga, list));
        let (everybodys, hers) = ([&asks[0], &asks[1]], [&olgas[0], &olgas[1]]);
        for (program, (mirrors, truth)) in watchers.iter_mut().zip(watches.iter_mut().zip([everybodys, hers])) {
            hear_all(program, mirrors, truth);
        }
        is_the_truth(&mut other, &asks);
    }
    let changes: u64 = asks.iter().filter_map(|mirror| Some(mirror.at?.1)).sum();
    assert!(changes >= 10_000, "{changes}");
    assert_eq!(asks.map(|mirror| mirror.wholes), [1, 1]);
    assert_eq!(watches.map(|mirrors| mirrors.map(|mirror| mirror.wholes)), [[1, 1]; 2]);
}

/// Both lists are watched on one connection, and what is heard follows on what was heard before, until both are what they are to be.
fn hear_all(program: &mut Program, mirrors: &mut [Mirror; 2], truth: [&Mirror; 2]) {
    while (0..2).any(|list| mirrors[list].rows != truth[list].rows) {
        let event = program.expect_event("list");
        let mirror = mirrors.iter_mut().find(|mirror| event["list"] == mirror.list).expect("a list");
        assert_eq!(mirror.at, Some((number(&event["epoch"]), number(&event["from"]))), "{event}");
        mirror.take(&event);
    }
}

/// What other commands say of the same.
fn is_the_truth(program: &mut Program, mirrors: &[Mirror; 2]) {
    let worlds = program.ok("WORLDS", json!({"limit": 100}));
    let open = mirrors[0].rows.values().filter(|row| row["status"] != "stopped");
    let open: Vec<(&str, &Value)> = open.map(|row| (row["name"].as_str().expect("a name"), &row["users"])).collect();
    let mut said: Vec<(&str, &Value)> = names(&worlds["worlds"])
        .into_iter()
        .zip(worlds["worlds"].as_array().expect("worlds").iter().map(|row| &row["players"]))
        .collect();
    said.sort_by_key(|(name, _)| *name);
    assert_eq!(open, said);
    let who = program.ok("WHO", json!({"limit": 100}));
    let mut there: Vec<&str> =
        who["players"].as_array().expect("players").iter().map(|row| row["player"].as_str().expect("a name")).collect();
    there.sort_unstable();
    there.dedup();
    assert_eq!(mirrors[1].names(), there);
}
