//! What holds when the handler is killed at any moment: an OK is on disk, nothing is applied twice, and no client loses
//! its connection.

use crate::harness::{Backend, GameServer, Person, Program};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Requests of each client, and how many of them it sends ahead.
const EACH: usize = 2500;
const AHEAD: usize = 16;

/// What became of one client's requests.
#[derive(Default)]
struct Fate {
    /// Answered with OK: the number and what it returned.
    done: Vec<(usize, Value)>,
    /// Answered that it is not known.
    unknown: HashSet<usize>,
    /// Refused: not applied for certain.
    refused: usize,
}

impl Fate {
    /// Takes note of an answer; gives whether it is OK.
    fn take(&mut self, reply: &Value) -> bool {
        let number = reply["id"].as_u64().and_then(|id| usize::try_from(id).ok()).expect("the id of a request");
        match (reply["state"].as_str(), reply["code"].as_str()) {
            (Some("OK"), _) => self.done.push((number, reply["data"].clone())),
            (_, Some("unavailable" | "busy")) => drop(self.unknown.insert(number)),
            (_, Some("not_logged_in")) => self.refused += 1,
            _ => panic!("{reply}"),
        }
        reply["state"] == "OK"
    }
}

/// Sends all requests, logging in again whenever that is needed; never repeats one.
fn drive(
    mut client: Program,
    name: &str,
    answered: &Sender<()>,
    request: impl Fn(usize) -> (&'static str, Value),
) -> Fate {
    let mut fate = Fate::default();
    let (mut sent, mut open) = (0, 0);
    while sent < EACH || open > 0 {
        while sent < EACH && open < AHEAD {
            let (cmd, args) = request(sent);
            client.send_line(json!({"id": sent, "cmd": cmd, "args": args}).to_string());
            (sent, open) = (sent + 1, open + 1);
        }
        open -= 1;
        if fate.take(&client.reply()) {
            // Whoever counts them has enough when it hears no more.
            let _ = answered.send(());
            continue;
        }
        // What was sent ahead is answered first.
        while open > 0 {
            fate.take(&client.reply());
            open -= 1;
        }
        log_in_again(&mut client, name);
    }
    fate
}

/// Each try waits for an answer; a handler that is only just starting may give several that it cannot.
fn log_in_again(client: &mut Program, name: &str) {
    for _ in 0..50 {
        let reply = client.ask("LOGIN", json!({"name": name, "password": format!("secret-of-{name}")}));
        match reply["code"].as_str() {
            None => return,
            Some("unavailable" | "busy") => {}
            Some(_) => panic!("{reply}"),
        }
    }
    panic!("{name} cannot log in any more");
}

fn kill_while_they_work(backend: &Backend, answered: &Receiver<()>) {
    for _ in 0..3 {
        assert!(answered.iter().take(4 * EACH / 5).count() > 0);
        backend.kill_handler();
    }
    // The rest, to the end.
    answered.iter().for_each(drop);
}

#[test]
fn every_ok_survives_and_nothing_is_applied_twice() {
    let mut backend = Backend::plan().config("mail.mailbox = 100000\n").start();
    for board in ["sum-0", "sum-1"] {
        let words = ["--unit", "points", "--better", "higher", "--operator", "sum", "--submit", "players"];
        backend.ctl(&[&["board", "define", board][..], &words].concat());
    }
    let mut keeper = Program::registered(&backend, "keeper");
    let names = ["runner-0", "runner-1", "writer-0", "writer-1"];
    let clients = names.map(|name| Program::registered(&backend, name));
    let fates = Mutex::new(HashMap::new());
    let (tell, answered) = channel();
    std::thread::scope(|scope| {
        for (name, client) in names.into_iter().zip(clients) {
            let (tell, fates) = (tell.clone(), &fates);
            scope.spawn(move || {
                let submit = |_| ("RECORD SUBMIT", json!({"board": name.replace("runner", "sum"), "score": 1}));
                let write = |number| ("MAIL SEND", json!({"to": "keeper", "body": format!("{name} {number}")}));
                let fate = match name.starts_with("runner") {
                    true => drive(client, name, &tell, submit),
                    false => drive(client, name, &tell, write),
                };
                fates.lock().unwrap().insert(name, fate);
            });
        }
        drop(tell);
        kill_while_they_work(&backend, &answered);
    });
    let fates = fates.into_inner().unwrap();

    // The connection has outlived three handlers.
    keeper.expect_event("notice");
    keeper.login("keeper");
    drop(keeper);
    backend.restart();

    for (board, name) in [("sum-0", "runner-0"), ("sum-1", "runner-1")] {
        let fate = &fates[name];
        let score = Program::at(&backend).ok("RECORD SHOW", json!({"board": board, "player": name}))["score"].as_u64();
        let (least, most) = (fate.done.len() as u64, (fate.done.len() + fate.unknown.len()) as u64);
        let score = score.unwrap_or(0);
        assert!(
            (least..=most).contains(&score),
            "{name}: {least} were acknowledged, at most {most} sent, {score} there"
        );
        let scores: Vec<u64> = fate.done.iter().filter_map(|(_, data)| data["score"].as_u64()).collect();
        assert!(scores.len() == fate.done.len() && scores.is_sorted(), "{name}: answers out of order");
        assert_eq!(fate.done.len() + fate.unknown.len() + fate.refused, EACH);
    }
    let kept = all_mail(&backend, "keeper");
    for name in ["writer-0", "writer-1"] {
        let fate = &fates[name];
        for (number, data) in &fate.done {
            let id = data["id"].as_u64().expect("an id");
            assert_eq!(kept.get(&id), Some(&format!("{name} {number}")), "mail {id} was acknowledged");
        }
    }
    let bodies: HashSet<&String> = kept.values().collect();
    assert_eq!(bodies.len(), kept.len(), "a mail was delivered twice");
}

/// All mails of a player, by number.
fn all_mail(backend: &Backend, name: &str) -> HashMap<u64, String> {
    let mut program = Program::logged_in(backend, name);
    let mut ids = Vec::new();
    let mut args = json!({"limit": 100});
    loop {
        let page = program.ok("MAIL LIST", args);
        ids.extend(page["mails"].as_array().expect("a list").iter().filter_map(|mail| mail["id"].as_u64()));
        if page["next"].is_null() {
            assert_eq!(page["total"], ids.len());
            break;
        }
        args = json!({"limit": 100, "after": page["next"]});
    }
    let mut mails = HashMap::new();
    for part in ids.chunks(64) {
        for id in part {
            program.send_line(json!({"id": id, "cmd": "MAIL READ", "args": {"id": id}}).to_string());
        }
        for id in part {
            let reply = program.reply();
            assert_eq!(reply["id"], *id);
            mails.insert(*id, reply["data"]["body"].as_str().expect("a body").to_owned());
        }
    }
    mails
}

#[test]
fn mail_to_somebody_offline_is_read_after_a_restart_of_everything() {
    let mut backend = Backend::start();
    drop(Program::registered(&backend, "bob"));
    let mut alice = Program::registered(&backend, "alice");
    alice.ok("MAIL SEND", json!({"to": "bob", "body": "While you were out", "subject": "Hello"}));
    backend.restart();
    let mut bob = Person::at(&backend);
    let answer = bob.ask("LOGIN bob secret-of-bob");
    assert!(answer.contains('1') && answer.to_lowercase().contains("unread"), "{answer}");
    assert!(bob.ask("MAIL READ 1").contains("While you were out"));
}

#[test]
fn clients_keep_their_connection_when_the_handler_dies() {
    let backend = Backend::start();
    let mut alice = Person::at(&backend).register("alice");
    let mut bob = Program::registered(&backend, "bob");
    let mut stranger = Program::at(&backend);
    let mut arena = GameServer::added(&backend, "arena");
    let mut desert = GameServer::added(&backend, "desert");
    for server in [&mut arena, &mut desert] {
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    let silent = Program::at(&backend);
    backend.kill_handler();

    let told = alice.expect("[notice] ") + &alice.answer();
    assert!(told.contains("LOGIN again"), "{told}");
    assert!(alice.ask("LOGIN alice secret-of-alice").contains("alice"));
    bob.expect_event("notice");
    assert_eq!(bob.fails("MAIL LIST", json!({})), "not_logged_in");
    bob.login("bob");
    bob.ok("TELL", json!({"to": "alice", "body": "Did you feel that?"}));
    alice.expect("[tell] bob: Did you feel that?");
    assert_eq!(stranger.ok("WHO", json!({}))["total"], 2);
    assert!(arena.expect_event("notice")["msg"].as_str().is_some_and(|msg| msg.contains("AUTH again")));
    let key = arena.key.clone();
    arena.ok("AUTH", json!({"name": "arena", "key": key}));
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    desert.expect_event("notice");
    let key = desert.key.clone();
    desert.ok("AUTH", json!({"name": "desert", "key": key}));
    desert.ok("RELAY JOIN", json!({"channel": "lobby"}));
    desert.ok("RELAY SEND", json!({"channel": "lobby", "body": "still here"}));
    assert_eq!(arena.expect_event("relay")["body"], "still here");
    arena.expect_no_event("relay");
    // The new handler knows of everybody, also of those who have asked for nothing since.
    let _silent = &silent;
    let status = backend.ctl(&["status"]);
    assert_eq!((&status["clients"], &status["players_on"], &status["servers_on"]), (&6.into(), &2.into(), &2.into()));
    assert_eq!(backend.ctl(&["sessions", "list"]).as_array().map(Vec::len), Some(6));
}

#[test]
fn nobody_waits_for_news_that_will_never_come() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut bob = Program::registered(&backend, "bob");
    let mut stranger = Program::at(&backend);
    stranger.ok("RECORD WATCH", json!({"board": "sprint"}));
    backend.kill_handler();
    bob.expect_event("notice");
    bob.login("bob");
    bob.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 1}));
    // Either the watch is still there, or it was told that it is not.
    let news = stranger.next();
    assert!(news["event"] == "record" || news["event"] == "notice", "{news}");
}

#[test]
fn a_handler_that_is_killed_again_and_again_comes_back_each_time() {
    let backend = Backend::start();
    let mut alice = Program::registered(&backend, "alice");
    for version in 1..=5 {
        assert_eq!(alice.ok("SETTING SET", json!({"key": "k", "value": "v"}))["version"], version);
        backend.kill_handler();
        alice.expect_event("notice");
        alice.login("alice");
    }
}
