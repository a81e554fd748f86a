//! Watchers of lists, most of whom are told by a ring that their workers read: who sleeps, who hears more than fits, and who may not
//! see what is in it.

use crate::harness::{Backend, GameServer, Link, Listener, Program};
use crate::mirror::{Mirror, fresh};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use ssmglobal_ipc::{
    Auth, Event, HostStart, List, ListChanged, ListRing, ListRinged, ListRows, ListWatch, ListWatched, Mode, Position,
    Reply, Request, Secret,
};
use ssmglobal_sys::ring;
use std::fmt::Write;
use std::os::fd::OwnedFd;

/// A backend with worlds that one game server hosts, and somebody who watches the list of them.
struct Scene {
    backend: Backend,
    arena: GameServer,
    worlds: usize,
    carol: Program,
    mirror: Mirror,
}

impl Scene {
    fn new(worlds: usize) -> Scene {
        let backend = Backend::start();
        let mut olga = backend.player("olga");
        backend.ctl(&["right", "grant", "olga", "operator"]);
        let mut arena = backend.game_server("arena");
        for n in 0..worlds {
            let added = olga.ok("WORLD ADD", json!({"name": format!("w{n}"), "owner": "olga"}));
            arena.ok("HOST START", json!({"world": format!("w{n}"), "password": added["password"], "port": 7777}));
        }
        let mut carol = backend.player("carol");
        let mut mirror = fresh(&mut carol, "worlds");
        mirror.watch(&mut carol);
        Scene { backend, arena, worlds, carol, mirror }
    }

    /// All worlds say something else; gives how long that is.
    fn say(&mut self, round: usize) -> usize {
        let text = format!("{round:0>1000}");
        let mut lines = String::new();
        for n in 0..self.worlds {
            let args = json!({"world": format!("w{n}"), "text": text});
            _ = write!(lines, "{}\r\n", json!({"id": n, "cmd": "HOST SAY", "args": args}));
        }
        self.arena.send_line(lines.trim_end());
        for _ in 0..self.worlds {
            assert_eq!(self.arena.reply()["state"], "OK");
        }
        self.worlds * text.len()
    }

    /// Takes what carol is told until she has it all.
    fn hear(&mut self, program: &mut Program) -> Value {
        let truth = fresh(program, "worlds");
        let mut event = Value::Null;
        while self.mirror.rows != truth.rows {
            event = self.mirror.hear(&mut self.carol);
        }
        event
    }
}

#[test]
fn who_sleeps_through_more_than_the_ring_holds_is_told_the_rest() {
    let mut scene = Scene::new(100);
    let (mut bob, worker) = (scene.backend.player("bob"), scene.backend.worker_of("carol"));
    let mut others = fresh(&mut bob, "worlds");
    others.watch(&mut bob);
    scene.say(0);
    scene.hear(&mut scene.backend.program());
    kill(worker, Signal::SIGSTOP).expect("it lives");
    let (mut said, mut round) = (0, 1);
    // What is said within a moment is told together: each is heard before the next is said.
    while said <= ring::CAPACITY + (100 << 10) {
        said += scene.say(round);
        let truth = fresh(&mut scene.backend.program(), "worlds");
        while others.rows != truth.rows {
            others.hear(&mut bob);
        }
        round += 1;
    }
    kill(worker, Signal::SIGCONT).expect("it lives");
    scene.hear(&mut scene.backend.program());
    assert_eq!((scene.mirror.wholes, others.wholes), (1, 1));
    // And goes on.
    scene.say(round);
    scene.hear(&mut bob);
    assert_eq!(scene.mirror.wholes, 1);
}

#[test]
fn what_is_too_long_for_the_ring_is_told_all_the_same() {
    let mut scene = Scene::new(140);
    let mut bob = scene.backend.program();
    for round in 0..3 {
        assert!(scene.say(round) > ring::MAX_TEXT);
        scene.hear(&mut bob);
    }
    scene.arena.ok("HOST SAY", json!({"world": "w7", "text": "short"}));
    assert_eq!(scene.hear(&mut bob)["rows"][0]["description"], "short");
    assert_eq!(scene.mirror.wholes, 1);
}

/// Watches a list from here on, and asks for its ring; gives that, if there is one for this session.
fn watch(link: &mut Link, list: List) -> Option<ring::Reader> {
    let watched = link.ask(&Request::ListWatch(ListWatch { list, after: None }));
    let Some(Reply::ListWatched(ListWatched { at, .. })) = watched else { panic!("{watched:?}") };
    let reply = link.ask(&Request::ListRing(ListRing { list, after: at }));
    let Some(Reply::ListRinged(ringed)) = reply else { panic!("{reply:?}") };
    let descriptors: Vec<OwnedFd> = link.descriptors.drain(..).collect();
    let memory = descriptors.first()?;
    assert_eq!(descriptors.len(), 2);
    Some(ring::Reader::new(memory, ringed.position).expect("a ring"))
}

/// Who is said to have come, in a ring …
fn in_ring(ring: &mut ring::Reader) -> Vec<String> {
    let mut came = Vec::new();
    ring.read(&mut Vec::new(), |entry| came.extend(names(ListChanged::unpacked(entry.text).expect("a change"))));
    came
}

fn names(changed: ListChanged) -> Vec<String> {
    match changed.rows {
        ListRows::Worlds(rows) => rows.into_iter().map(|row| row.name).collect(),
        ListRows::Users(rows) => rows.into_iter().map(|row| row.name).collect(),
        ListRows::UsersInFull(rows) => rows.into_iter().map(|row| row.user.name).collect(),
    }
}

/// … and over a link, since it was last asked.
fn over_link(link: &mut Link) -> Vec<String> {
    link.done(&Request::Whoami);
    let pushes = link.pushes.drain(..).map(|(_, event)| event);
    let changes = pushes.filter_map(|event| if let Event::List(changed) = event { Some(names(changed)) } else { None });
    changes.flatten().collect()
}

#[test]
fn the_ring_holds_what_everybody_sees_and_only_who_sees_that_is_given_it() {
    let mut listener = Listener::start();
    let workers = [(); 8].map(|()| listener.worker());
    let mut stranger = workers[0].opened(Mode::Client);
    let mut olga = workers[1].registered("olga");
    let mut hugo = workers[2].registered("hugo");
    listener.ctl(&["right", "grant", "olga", "operator"]);
    let password = listener.ctl(&["world", "add", "cave", "hugo", "--hidden"])["password"].as_str().map(Secret::new);
    // Whoever does not watch it is given nothing.
    let after = Position { epoch: 1, number: 0 };
    let reply = olga.ask(&Request::ListRing(ListRing { list: List::Users, after }));
    assert!(matches!(reply, Some(Reply::ListRinged(ListRinged { position: 0, .. }))), "{reply:?}");
    assert!(olga.descriptors.is_empty());
    let mut worlds = watch(&mut stranger, List::Worlds).expect("a ring");
    assert!(watch(&mut olga, List::Worlds).is_none() && watch(&mut olga, List::Users).is_none());
    let mut hugos = watch(&mut hugo, List::Worlds).expect("a ring");
    let mut users = watch(&mut stranger, List::Users).expect("a ring");
    let heard = |links: [&mut Link; 2], ring: &mut ring::Reader| {
        let [stranger, olga] = links.map(over_link);
        (in_ring(ring), stranger, olga)
    };
    let wait = |link: &mut Link| {
        while link.pushes.iter().all(|(_, event)| !matches!(event, Event::List(_))) {
            assert!(link.read(), "the link has ended");
        }
    };
    let _bob = workers[3].registered("bob");
    wait(&mut olga);
    let [bob, nobody] = [vec!["bob".to_owned()], vec![]];
    assert_eq!(heard([&mut stranger, &mut olga], &mut users), (bob.clone(), nobody.clone(), bob));
    // When not everybody may see who is on, nobody reads it there.
    listener.ctl(&["universe", "set", "users", "off"]);
    let _carol = workers[4].registered("carol");
    wait(&mut olga);
    let carol = vec!["carol".to_owned()];
    assert_eq!(heard([&mut stranger, &mut olga], &mut users), (nobody.clone(), nobody.clone(), carol.clone()));
    // What was missed comes over the link, as the ring does not have it, and then the ring goes on.
    listener.ctl(&["universe", "reset", "users"]);
    wait(&mut stranger);
    assert_eq!(heard([&mut stranger, &mut olga], &mut users), (nobody.clone(), carol, nobody.clone()));
    let _dave = workers[5].registered("dave");
    wait(&mut olga);
    let dave = vec!["dave".to_owned()];
    assert_eq!(heard([&mut stranger, &mut olga], &mut users), (dave.clone(), nobody, dave));

    // A world that is hidden is its owner's: he sees another list than everybody from then on.
    let key = listener.game_server("arena");
    let mut arena = workers[6].opened(Mode::Server);
    arena.done(&Request::Auth(Auth { name: "arena".into(), key }));
    let (world, password) = ("cave".to_owned(), password.expect("a password"));
    let start = HostStart { world, password, instance: None, address: None, port: 7, version: None };
    arena.ask(&Request::HostStart(start));
    wait(&mut hugo);
    let Some((_, Event::List(changed))) = hugo.pushes.pop_front() else { panic!("another event") };
    assert!(names(changed).is_empty(), "he is to ask for all of it");
    assert!(in_ring(&mut worlds).is_empty() && in_ring(&mut hugos).is_empty());
    assert!(watch(&mut hugo, List::Worlds).is_none());
}
