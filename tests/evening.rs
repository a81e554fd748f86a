//! An evening: three game servers host five worlds, twenty players and visitors come, talk and go, and meanwhile the handler dies
//! again and again, a host loses its connection, and another version takes over.

use crate::harness::{Backend, GameServer, Program, has};
use serde_json::{Value, json};

/// A world, and the place of the game server that hosts it.
#[derive(Clone, Copy)]
struct World {
    name: &'static str,
    host: usize,
}

const WORLDS: [World; 5] = [
    World { name: "Zoo", host: 0 },
    World { name: "Mars", host: 0 },
    World { name: "Atlantis", host: 1 },
    World { name: "Moon", host: 1 },
    World { name: "Harbour", host: 2 },
];

/// So many come; every third is a visitor.
const PEOPLE: usize = 20;

/// Somebody who is on.
struct Guest {
    program: Program,
    /// As others write him.
    name: String,
    world: &'static str,
    /// The place of the game server that hosts it.
    host: usize,
}

struct Evening {
    backend: Backend,
    hosts: Vec<GameServer>,
    passwords: Vec<String>,
    guests: Vec<Guest>,
}

impl Evening {
    fn new() -> Evening {
        let backend = Backend::start();
        backend.player("keeper");
        let hosts = (0..3).map(|place| backend.game_server(&format!("host-{place}"))).collect();
        let passwords = WORLDS.iter().map(|world| backend.world(world.name, "keeper")).collect();
        Evening { backend, hosts, passwords, guests: Vec::new() }
    }

    /// A game server hosts its worlds, or goes on with them; gives whether it is the latter.
    fn host(&mut self, place: usize) -> Vec<bool> {
        let his = WORLDS.iter().zip(&self.passwords).filter(|(world, _)| world.host == place);
        let server = &mut self.hosts[place];
        his.map(|(world, password)| server.hosts(world.name, password)["resumed"] == true).collect()
    }

    fn comes(&mut self, number: usize) {
        let (World { name: world, host }, name) = (WORLDS[number % WORLDS.len()], format!("p{number}"));
        let (mut program, name) = match number % 3 {
            0 => (self.backend.visitor(&name), format!("visitor:{name}")),
            _ => (self.backend.player(&name), name),
        };
        let entered = program.ok("WORLD ENTER", json!({"world": world}));
        let told = self.hosts[host].ok("PASS REDEEM", json!({"pass": entered["pass"], "world": world}));
        has(&told, json!({"player": name.as_str(), "world": world}));
        self.hosts[host].ok("ENTER", json!({"player": name, "world": world}));
        self.guests.push(Guest { program, name, world, host });
    }

    /// Each tells the next one something; who has no connection hears it through his world, and everybody once.
    fn everybody_talks(&mut self, away: &[usize], body: &str) {
        for place in 0..self.guests.len() {
            let next = (place + 1) % self.guests.len();
            if away.contains(&place) {
                continue;
            }
            let (to, host) = (self.guests[next].name.clone(), self.guests[next].host);
            self.guests[place].program.ok("TELL", json!({"to": to, "body": body}));
            let from = json!(self.guests[place].name);
            if away.contains(&next) {
                let event = self.hosts[host].expect_event("tell");
                has(&event, json!({"to": to, "from": from, "body": body}));
                assert_eq!(event["world"], self.guests[next].world);
            } else {
                let event = self.guests[next].program.expect_event("tell");
                has(&event, json!({"from": from, "body": body}));
            }
        }
        for place in (0..self.guests.len()).filter(|place| !away.contains(place)) {
            self.guests[place].program.expect_no_event("tell");
        }
        self.hosts.iter_mut().for_each(|host| host.expect_no_event("tell"));
    }

    /// The list of users is whoever is there, each in his world.
    fn all_are_there(&self) {
        let listed = self.backend.program().ok("LIST USERS", json!({}));
        let rows = listed["rows"].as_array().expect("rows").iter();
        let mut listed: Vec<(&Value, &Value)> = rows.map(|row| (&row["name"], &row["world"])).collect();
        listed.sort_by_key(|(name, _)| name.to_string());
        let said: Vec<(Value, Value)> = self.guests.iter().map(|it| (json!(it.name), json!(it.world))).collect();
        let mut wanted: Vec<(&Value, &Value)> = said.iter().map(|(name, world)| (name, world)).collect();
        wanted.sort_by_key(|(name, _)| name.to_string());
        assert_eq!(listed, wanted);
    }
}

#[test]
fn an_evening_over_deaths_and_an_upgrade() {
    let mut evening = Evening::new();
    for place in 0..3 {
        assert!(evening.host(place).iter().all(|resumed| !resumed));
    }
    for number in 0..PEOPLE {
        evening.comes(number);
        if number % 5 == 4 {
            evening.backend.kill_handler();
        }
    }
    evening.all_are_there();
    evening.everybody_talks(&[], "good evening");
    // Some close their connections, and are in their worlds all the same.
    let away = [1, 6, 9, 14];
    for place in away {
        let nobody = evening.backend.program();
        let left = std::mem::replace(&mut evening.guests[place].program, nobody);
        evening.backend.see_off(left.wire);
    }
    evening.backend.kill_handler();
    evening.all_are_there();
    evening.everybody_talks(&away, "still here");
    // Another version takes over, and nobody notices.
    evening.backend.upgrade_to("9.8.7");
    evening.everybody_talks(&away, "after the upgrade");
    evening.all_are_there();
    // A host loses its connection and comes back: its worlds and who is in them are as they were.
    let key = evening.hosts[1].key.clone();
    let again = GameServer::with_key(&evening.backend, "host-1", key);
    let lost = std::mem::replace(&mut evening.hosts[1], again);
    evening.backend.see_off(lost.into_wire());
    assert_eq!(evening.host(1), [true, true]);
    evening.all_are_there();
    evening.everybody_talks(&away, "and again");
    // The operator says good night, to each once. Those who are away are in two worlds.
    assert_eq!(evening.backend.ctl(&["broadcast", "Good night"])["receivers"], PEOPLE - away.len() + 2);
    for (host, world, to) in [(0, "Mars", ["p1", "visitor:p6"]), (2, "Harbour", ["p14", "visitor:p9"])] {
        let event = evening.hosts[host].expect_event("broadcast");
        let mut heard: Vec<&str> = event["to"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
        heard.sort_unstable();
        assert_eq!((heard, &event["world"]), (to.to_vec(), &json!(world)));
    }
    for (place, guest) in evening.guests.iter_mut().enumerate().filter(|(place, _)| !away.contains(place)) {
        assert_eq!(guest.program.expect_event("broadcast")["body"], "Good night", "{place}");
    }
    // Those who are left in their worlds go with them.
    for guest in std::mem::take(&mut evening.guests) {
        evening.hosts[guest.host].ok("LEAVE", json!({"player": guest.name, "world": guest.world}));
        evening.backend.see_off(guest.program.wire);
    }
    evening.all_are_there();
    let listed = evening.backend.program().ok("WORLDS", json!({}));
    assert_eq!(listed["worlds"].as_array().map(Vec::len), Some(WORLDS.len()));
}
