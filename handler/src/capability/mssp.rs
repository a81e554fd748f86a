//! MSSP: what a crawler is told of the network, or of the world to whose door it has come. Which of the two it is says the door, as
//! the listener has told of it: no worker can ask for another world.
//!
//! What counts first: what the operator says at the door; by which ports and names players come to us, which no world can know;
//! what the world says of its game; what the operator says of the network; what is known here.

use super::play::played;
use super::{Call, Plan, status};
use crate::state::mssp::PLAYERS;
use crate::state::names::fold;
use crate::state::plays::{Count, Health, Played};
use ssmglobal_config::mssp::variables;
use ssmglobal_config::{Door, DoorMode, Listen};
use ssmglobal_ipc::{Mssp, MsspOf, MsspTable, MsspVariable, Reply};
use std::time::Instant;

/// What the operator says of the machine, and holds at the door of a world too, whatever that says.
const MACHINE: &[&str] = &["HOSTNAME", "IP", "IPV6", "SSL", "TLS"];

/// What he says of himself, and holds for a world that says nothing of it.
const OPERATOR: &[&str] = &["CONTACT", "LOCATION"];

/// What a world cannot know of the way to us: its own port and name are others, and compression is ended here.
const NOT_OF_WORLDS: &[&str] =
    &["PORT", "UPTIME", "HOSTNAME", "IP", "IPV6", "SSL", "TLS", "MCCP", "MCCP2", "MCCP3", PLAYERS];

/// A table in the making: of each name counts what is said of it first.
#[derive(Debug, Default)]
struct Table(Vec<MsspVariable>);

impl Table {
    /// All that one source says.
    fn add<'a>(&mut self, said: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let known = self.0.len();
        for (name, value) in said {
            let name = name.to_ascii_uppercase();
            match self.0.iter().position(|variable| variable.name == name) {
                Some(at) if at < known => {}
                Some(at) => self.0.get_mut(at).into_iter().for_each(|variable| variable.values.push(value.to_owned())),
                None => self.0.push(MsspVariable { name, values: vec![value.to_owned()] }),
            }
        }
    }

    /// One thing, if it is known.
    fn put(&mut self, name: &str, value: Option<String>) {
        self.add(value.iter().map(|value| (name, value.as_str())));
    }
}

/// What is true whoever asks.
struct Facts<'a> {
    /// What the operator says of the network.
    texts: &'a str,
    /// The door that was come to.
    door: Option<&'a Door>,
    /// Ports by which people come to what is told of, the most important one last, as MSSP wants it.
    ports: Vec<String>,
    /// Unix time of the start.
    uptime: i64,
    /// How many are there; nothing where that is nobody's business.
    players: Option<usize>,
}

impl Facts<'_> {
    fn begin(&self) -> Table {
        let mut table = Table::default();
        table.add(variables(self.door.map_or("", |door| &door.mssp)));
        table
    }

    fn ours(&self, table: &mut Table) {
        table.add(self.ports.iter().map(|port| ("PORT", port.as_str())));
        table.put("UPTIME", Some(self.uptime.to_string()));
    }

    /// Of the network.
    fn of_network(&self, name: &str, worlds: usize) -> Table {
        let mut table = self.begin();
        table.add(variables(self.texts));
        table.put("NAME", Some(name.to_owned()));
        table.put(PLAYERS, self.players.map(|players| players.to_string()));
        self.ours(&mut table);
        let codebase = format!("ssmglobal {}", ssmglobal_ipc::version());
        table.add([("CODEBASE", codebase.as_str()), ("FAMILY", "Custom"), ("ANSI", "1"), ("UTF-8", "1")]);
        table.put("WORLDS", Some(worlds.to_string()));
        table
    }

    /// Of a world of this name that has told this of itself.
    fn of_world(&self, name: &str, told: &[MsspVariable]) -> Table {
        let named = |names: &'static [&str]| {
            variables(self.texts).filter(|(name, _)| names.iter().any(|other| other.eq_ignore_ascii_case(name)))
        };
        let told = told.iter().filter(|variable| !NOT_OF_WORLDS.contains(&variable.name.as_str()));
        let mut table = self.begin();
        table.add(named(MACHINE));
        self.ours(&mut table);
        table.add(told.flat_map(|told| told.values.iter().map(|value| (told.name.as_str(), value.as_str()))));
        table.add(named(OPERATOR));
        table.put("NAME", Some(name.to_owned()));
        table.put(PLAYERS, self.players.map(|players| players.to_string()));
        table
    }
}

/// Ports by which people come to a world, or to our own prompt; the one of the door at which it was asked is last. Where only this
/// machine can connect is no port for others, and a free one that the kernel has chosen is not known.
fn ports(doors: &[Door], at: Option<usize>, world: Option<&str>) -> Vec<String> {
    let leads_there = |door: &Door| door.world.as_deref().map(fold).as_deref() == world;
    let is_public = |listen: &Listen| match listen {
        Listen::All { .. } => true,
        Listen::At(address) => !address.ip().to_canonical().is_loopback(),
    };
    let of_people =
        doors.iter().enumerate().rev().filter(|(_, door)| door.mode == DoorMode::Human && leads_there(door));
    let (asked, others): (Vec<_>, Vec<_>) = of_people.partition(|(number, _)| Some(*number) == at);
    let mut ports: Vec<String> = Vec::new();
    for (number, door) in others.into_iter().chain(asked) {
        for listen in
            door.listen.iter().filter(|listen| listen.port() != 0 && (Some(number) == at || is_public(listen)))
        {
            let port = listen.port().to_string();
            ports.retain(|other| *other != port);
            ports.push(port);
        }
    }
    ports
}

/// How many play a world by us, without who asks.
fn players_by_us(call: &Call<'_>, key: &str) -> usize {
    let Count { playing, waiting, alone } = call.state.plays.count(key);
    let own = usize::from(call.state.plays.get(call.session.number, key).is_some());
    (playing + waiting + alone).saturating_sub(own)
}

/// A crawler wants to know.
pub fn table(call: Call<'_>, _: Mssp) -> Plan {
    let doors = call.settings.doors();
    let at = call.session.door.map(|door| door as usize);
    let door = at.and_then(|at| doors.get(at));
    let world = door.and_then(|door| door.world.as_deref()).and_then(|name| played(call.memory, call.settings, name));
    let universe = call.memory.universe();
    let facts = |world: Option<&str>, players| Facts {
        texts: &call.settings.texts.mssp,
        door,
        ports: ports(&doors, at, world),
        uptime: call.state.mssp.began.0 / 1000,
        players,
    };
    let Table(variables) = match &world {
        Some(Played { key, name, .. }) => {
            let ours = players_by_us(&call, key);
            let is_down = call.state.plays.known(key).is_some_and(|world| matches!(world.health(), Health::Down(_)));
            let said = call.state.mssp.players(key, ours, Instant::now()).filter(|_| !is_down);
            let players = said.or_else(|| universe.users.then_some(ours));
            facts(Some(key), players).of_world(name, call.state.mssp.of(key))
        }
        None => {
            let players = universe.users.then_some(call.state.online.names.len());
            facts(None, players).of_network(&universe.name, status::count(&call))
        }
    };
    Plan::Reply(Reply::MsspTable(MsspTable { variables }))
}

/// A world has told something of itself, to the worker of somebody who plays there.
pub fn of_world(call: Call<'_>, request: MsspOf) -> Plan {
    let there = |world: &Played| call.state.plays.get(call.session.number, &world.key).is_some();
    // It may be played no longer, of which the worker cannot know yet: nothing is told of a world by who is not there.
    let Some(Played { key, .. }) = played(call.memory, call.settings, &request.world).filter(there) else {
        return Plan::done();
    };
    let ours = players_by_us(&call, &key);
    call.state.mssp.tell(key, request.variables, ours, Instant::now());
    Plan::done()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_config::Settings;

    fn doors(file: &str) -> Vec<Door> {
        let (settings, _) = ssmglobal_config::check(file, "f").unwrap();
        settings.doors()
    }

    fn facts<'a>(texts: &'a str, door: Option<&'a Door>) -> Facts<'a> {
        Facts { texts, door, ports: vec!["23".into(), "4201".into()], uptime: 1_769_890_500, players: Some(7) }
    }

    fn get(Table(table): &Table, name: &str) -> Vec<String> {
        table.iter().find(|variable| variable.name == name).map(|variable| variable.values.clone()).unwrap_or_default()
    }

    fn variable(name: &str, value: &str) -> MsspVariable {
        MsspVariable { name: name.into(), values: vec![value.into()] }
    }

    #[test]
    fn the_ports_are_those_that_others_can_reach_and_the_one_asked_is_last() {
        let doors = doors(
            "listen = [\"[::]:53450\"]\n\
             [[door]]\naddress = \"[::]:4201\"\nmode = \"human\"\n[[door]]\naddress = \"0.0.0.0:23\"\nmode = \"human\"\n\
             [[door]]\naddress = \"127.0.0.1:4300\"\nmode = \"human\"\n[[door]]\naddress = \"[::]:4400\"\nmode = \"client\"\n\
             [world.zoo]\nplay = [\"127.0.0.1:2860\"]\n[[door]]\naddress = \"[::]:4500\"\nworld = \"Zoo\"\n",
        );
        assert_eq!(ports(&doors, Some(1), None), ["23", "4201"]);
        assert_eq!(ports(&doors, Some(2), None), ["4201", "23"]);
        assert_eq!(ports(&doors, Some(3), None), ["23", "4201", "4300"]);
        assert_eq!(ports(&doors, None, None), ["23", "4201"]);
        assert_eq!(ports(&doors, Some(5), Some("zoo")), ["4500"]);
        assert_eq!(ports(&doors, None, Some("castle")), [""; 0]);
        assert_eq!(ports(&Settings::default().doors(), None, None), ["4201"]);
    }

    #[test]
    fn the_network_says_what_is_so_and_the_operator_has_the_last_word() {
        let table = facts("", None).of_network("Dunes", 3);
        let [name, players, uptime] = ["NAME", "PLAYERS", "UPTIME"].map(|name| get(&table, name).join(","));
        assert_eq!((name.as_str(), players.as_str(), uptime.as_str()), ("Dunes", "7", "1769890500"));
        assert_eq!(get(&table, "PORT"), ["23", "4201"]);
        assert_eq!(get(&table, "WORLDS"), ["3"]);
        assert_eq!(get(&table, "HOSTNAME"), [""; 0]);
        let doors = doors("[[door]]\naddress = \"[::]:4201\"\nmode = \"human\"\nmssp = \"port=4000\\nNAME=Here\"\n");
        let table = facts("NAME=All\nHOSTNAME=a.example.org\nPORT=1\n", doors.get(1)).of_network("Dunes", 3);
        assert_eq!(get(&table, "NAME"), ["Here"]);
        assert_eq!(get(&table, "PORT"), ["4000"]);
        assert_eq!(get(&table, "HOSTNAME"), ["a.example.org"]);
    }

    #[test]
    fn a_world_wins_where_it_is_about_the_game_and_we_where_it_is_about_the_way_there() {
        let told = ["NAME", "PLAYERS", "GENRE", "CODEBASE", "PORT", "HOSTNAME", "UPTIME", "MCCP", "SSL", "CONTACT"];
        let told: Vec<MsspVariable> = told.iter().map(|name| variable(name, "the world's")).collect();
        let texts = "NAME=All\nHOSTNAME=a.example.org\nCONTACT=me@example.org\nGENRE=None\nWEBSITE=https://example.org";
        let table = facts(texts, None).of_world("Zoo", &told);
        for (name, value) in [
            ("NAME", "the world's"),
            ("GENRE", "the world's"),
            ("CODEBASE", "the world's"),
            ("CONTACT", "the world's"),
            ("PLAYERS", "7"),
            ("HOSTNAME", "a.example.org"),
            ("UPTIME", "1769890500"),
            ("PORT", "23,4201"),
            ("MCCP", ""),
            ("SSL", ""),
            ("WEBSITE", ""),
        ] {
            assert_eq!(get(&table, name).join(","), value, "{name}");
        }
        let table = facts(texts, None).of_world("Zoo", &[]);
        for (name, value) in [("NAME", "Zoo"), ("CONTACT", "me@example.org"), ("GENRE", ""), ("CODEBASE", "")] {
            assert_eq!(get(&table, name).join(","), value, "{name}");
        }
    }

    #[test]
    fn what_is_nobody_s_business_is_not_told() {
        let facts = Facts { players: None, ..facts("", None) };
        assert_eq!(get(&facts.of_network("Dunes", 0), "PLAYERS"), [""; 0]);
        assert_eq!(get(&facts.of_world("Zoo", &[]), "PLAYERS"), [""; 0]);
    }
}
