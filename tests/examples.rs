//! The programs in `examples/`, as they are: real interpreters, a real backend. Each test is left out, with a word, where its
//! interpreter is not there.

use crate::harness::{Backend, Program, Running, Wire, own_address};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, PipeWriter, Write, copy, pipe};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest file that is still read.
const LINES: usize = 150;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// What runs an example, if it is there with all that the example needs.
fn interpreter(name: &str) -> Option<Command> {
    let (programs, needs) = match name.rsplit_once('.') {
        Some((_, "lua")) => (&["lua5.4", "lua"][..], ["-e", "require 'socket' require 'dkjson'"]),
        _ => (&["python3"][..], ["-c", "import asyncio"]),
    };
    let does = |program: &&&str| {
        let tried = Command::new(program).args(needs).stdin(Stdio::null()).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    let Some(found) = programs.iter().find(does) else {
        eprintln!("left out: {} is not there, or not what {name} needs", programs[0]);
        return None;
    };
    let mut command = Command::new(found);
    // Nothing is to be written beside the examples.
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(example(name));
    Some(command)
}

/// The way from a host to the backend, which can be cut when an answer is about to arrive.
struct Way {
    at: SocketAddr,
    /// The answer that does not arrive any more.
    lost: Arc<Mutex<Option<String>>>,
    ended: Arc<Mutex<bool>>,
}

impl Way {
    fn to(backend: SocketAddr) -> Way {
        let door = TcpListener::bind((own_address(), 0)).expect("a free port");
        let at = door.local_addr().expect("an address");
        let way = Way { at, lost: Arc::default(), ended: Arc::default() };
        let (lost, ended) = (way.lost.clone(), way.ended.clone());
        std::thread::spawn(move || {
            for host in door.incoming().flatten() {
                if *ended.lock().unwrap_or_else(PoisonError::into_inner) {
                    return;
                }
                // Where the backend is not there, the host is turned away as well.
                if let Ok(there) = TcpStream::connect(backend) {
                    Way::carry(host, there, lost.clone());
                }
            }
        });
        way
    }

    fn carry(host: TcpStream, there: TcpStream, lost: Arc<Mutex<Option<String>>>) {
        let (mut asks, mut asked) = (host.try_clone().expect("a socket"), there.try_clone().expect("a socket"));
        std::thread::spawn(move || {
            let _ = copy(&mut asks, &mut asked);
            let _ = asked.shutdown(Shutdown::Both);
        });
        std::thread::spawn(move || {
            let mut answers = BufReader::new(&there);
            let mut line = String::new();
            while answers.read_line(&mut line).is_ok_and(|count| count > 0) {
                let mut lost = lost.lock().unwrap_or_else(PoisonError::into_inner);
                if lost.as_ref().is_some_and(|text| line.contains(text)) {
                    *lost = None;
                    break;
                }
                drop(lost);
                if (&host).write_all(line.as_bytes()).is_err() {
                    break;
                }
                line.clear();
            }
            let _ = (host.shutdown(Shutdown::Both), there.shutdown(Shutdown::Both));
        });
    }

    /// The next answer with this text is given, and never arrives.
    fn lose(&self, text: &str) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.to_owned());
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        // So that it looks.
        let _ = TcpStream::connect(self.at);
    }
}

/// A backend with alice and bob, and an example that hosts Zoo.
struct Scene {
    backend: Backend,
    name: &'static str,
    host: Running,
    way: Way,
    secrets: [String; 2],
}

impl Scene {
    fn new(name: &'static str) -> Option<Scene> {
        Scene::with(name, &json!({}), &[])
    }

    /// The host has this in its file besides, and these requests in its outbox from before.
    fn with(name: &'static str, more: &Value, outbox: &[Value]) -> Option<Scene> {
        interpreter(name)?;
        let backend = Backend::start();
        for player in ["alice", "Bob"] {
            Program::registered(&backend, player);
        }
        backend.ctl(&["board", "define", "sums", "--unit", "points", "--better", "higher", "--operator", "sum"]);
        let told = |words: &[&str], what: &str| backend.ctl(words)[what].as_str().expect("a secret").to_owned();
        let secrets = [
            told(&["server", "add", "arena"], "key"),
            told(&["world", "add", "Zoo", "bob", "--check-address"], "password"),
        ];
        let way = Way::to(backend.at());
        let mut config = json!({
            "backend": way.at.to_string(), "server": "arena", "key": secrets[0], "listen": "127.0.0.1", "port": 0, "board": "sums",
            "worlds": {"Zoo": secrets[1]},
        });
        config.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        fs::write(backend.file("host.json"), config.to_string()).expect("a file");
        fs::write(backend.file("host.json.outbox"), json!(outbox).to_string()).expect("a file");
        let host = Scene::start(&backend, name);
        Some(Scene { backend, name, host, way, secrets })
    }

    fn start(backend: &Backend, name: &str) -> Running {
        let mut command = interpreter(name).expect("it was there");
        let host = Running::start(command.arg(backend.file("host.json")));
        host.stdout.wait("Zoo is open");
        host.stdout.wait(CONNECTED);
        host
    }

    /// A connection to the world.
    fn at_the_door(&self) -> Wire {
        let port = self.host.stdout.find_after(0, "a port", |text| {
            let line = text.lines().next().filter(|_| text.contains('\n'))?;
            line.rsplit_once(' ')?.1.parse().ok()
        });
        Wire::to(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// What somebody is told who has no pass.
    fn turned_away(&self) -> String {
        let mut stranger = self.at_the_door();
        stranger.send("pass-1777-7777-7777\n");
        stranger.rest()
    }

    /// He goes into the world, where he is called so.
    fn enters(&self, program: &mut Program, name: &str) -> Wire {
        let told = program.ok("WORLD ENTER", json!({"world": "zoo"}));
        let mut wire = self.at_the_door();
        // What is said before the greeting has come is not lost.
        wire.send(format!("{}\nHere I am.\n", told["pass"].as_str().expect("a pass")));
        wire.expect(format!("Welcome to Zoo, {name}.\n{name}: Here I am.\n"));
        wire
    }

    /// Bob goes into the world, and keeps no other connection.
    fn bob(&self) -> Wire {
        let mut bob = Program::logged_in(&self.backend, "Bob");
        let wire = self.enters(&mut bob, "Bob");
        self.backend.see_off(bob.wire);
        wire
    }

    fn alice(&self) -> Program {
        Program::logged_in(&self.backend, "alice")
    }

    /// Does this, and waits until the host has written that.
    fn until(&self, said: &str, what: impl FnOnce()) {
        let mark = self.host.stdout.mark();
        what();
        self.host.stdout.wait_after(mark, said);
    }

    /// What bob has on the board, where each score is added.
    fn sum(&self) -> Value {
        self.alice().ok("RECORD SHOW", json!({"board": "sums", "player": "bob"}))["score"].clone()
    }

    fn where_bob_is(&self) -> Value {
        self.alice().ok("FINGER", json!({"player": "bob"}))["worlds"].clone()
    }
}

/// All that is said first on a connection is answered.
const CONNECTED: &str = "connected\n";

/// A score that bob makes waits in the outbox.
const WAITS: &str = "outbox: RECORD SUBMIT waits";

/// It was answered.
const DONE: &str = "outbox: RECORD SUBMIT: ";

fn lets_in_who_has_a_pass(scene: &Scene) {
    assert!(scene.turned_away().starts_with("You cannot come in: "));
    let mut bob = scene.bob();
    assert_eq!(scene.where_bob_is(), json!(["Zoo"]));
    // He has no connection but the one to the world.
    let mut alice = scene.alice();
    alice.ok("TELL", json!({"to": "bob", "body": "Come home"}));
    bob.expect("[tell] alice: Come home\n");
    scene.backend.ctl(&["broadcast", "Soon"]);
    bob.expect("[broadcast] the backend: Soon\n");
    bob.send("How are you?\n");
    bob.expect("Bob: How are you?\n");
    // In a second time: that is one player, and the first one is not taken for him.
    let mut second = scene.bob();
    bob.until("second time.\n");
    bob.expect_end();
    assert_eq!(scene.where_bob_is(), json!(["Zoo"]));
    second.finish();
    second.expect_end();
    // What the host asks for somebody else now is behind what it has said of him.
    assert!(scene.turned_away().starts_with("You cannot come in: "));
    assert_eq!(scene.where_bob_is(), json!([]));
    // A visitor becomes a player in the world, and has rights there.
    let mut zed = Program::at(&scene.backend);
    zed.ok("VISITOR", json!({"name": "zed"}));
    let mut there = scene.enters(&mut zed, "visitor:zed");
    scene.until("event: guest_registered\n", || {
        zed.ok("REGISTER", json!({"name": "Zora", "password": "secret-of-Zora"}));
    });
    there.send("Hello\n");
    there.until("Zora: Hello\n");
    scene.until("event: guest_rights\n", || drop(scene.backend.ctl(&["right", "grant", "zora", "vip"])));
    scene.until("event: world_changed\n", || drop(scene.backend.ctl(&["world", "change", "zoo", "--users", "7"])));
    let text = scene.host.stdout.text() + &scene.host.stderr.text();
    assert!(scene.secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    scene.until("Zoo is closed", || drop(scene.backend.ctl(&["world", "disable", "zoo"])));
    there.rest();
}

fn counts_each_score_once(mut scene: Scene) {
    let mut bob = scene.bob();
    scene.until(DONE, || {
        scene.backend.over_the_death_of_the_handler(|| scene.until(WAITS, || bob.send("score 1\n")));
    });
    assert_eq!(scene.sum(), 1);
    // It is done, and only the host does not know.
    scene.way.lose("\"board\": \"sums\"");
    let mark = scene.host.stdout.mark();
    scene.until("no connection", || bob.send("score 10\n"));
    scene.host.stdout.wait_after(mark, "Zoo is open again");
    scene.host.stdout.wait_after(mark, DONE);
    assert_eq!((scene.sum(), scene.where_bob_is()), (11.into(), json!(["Zoo"])));
    // The whole backend goes, and knows of nobody afterwards.
    let mark = scene.host.stdout.mark();
    scene.backend.stop();
    scene.host.stdout.wait_after(mark, "no connection");
    scene.until(WAITS, || bob.send("score 100\n"));
    scene.backend.start_again();
    scene.host.stdout.wait_after(mark, "Zoo is open");
    scene.host.stdout.wait_after(mark, DONE);
    bob.until("Come again with a new pass");
    bob.rest();
    assert_eq!((scene.sum(), scene.where_bob_is()), (111.into(), json!([])));
    // The host goes as well.
    let mut bob = scene.bob();
    scene.backend.stop();
    scene.until(WAITS, || bob.send("score 1000\n"));
    scene.host.signal(Signal::SIGKILL);
    scene.host.wait();
    scene.backend.start_again();
    scene.host = Scene::start(&scene.backend, scene.name);
    scene.host.stdout.wait(DONE);
    assert_eq!(scene.sum(), 1111);
}

/// More than the backend takes in a line, and more than a host takes from a guest.
const LONG: usize = 20_000;

fn sends_what_is_behind_something_that_cannot_be_sent(scene: &Scene) {
    let mut bob = scene.bob();
    bob.send(b"score \xff\n");
    bob.until("UTF-8");
    bob.send(format!("mail bob {}\n", "\u{e9}".repeat(LONG)));
    bob.until("too long");
    // As JSON, each of them is six bytes.
    bob.send(format!("mail bob {}\n", "\u{1}".repeat(LONG)));
    bob.until("too long");
    scene.until(DONE, || bob.send("score 1\n"));
    assert_eq!((scene.sum(), scene.where_bob_is()), (1.into(), json!(["Zoo"])));
}

/// What an older program, or a person, has put into the outbox: the backend answers the first one without its id.
fn an_old_outbox() -> [Value; 2] {
    let body = "\u{e9}".repeat(5 * LONG);
    [
        json!({"key": "1", "cmd": "MAIL SEND", "args": {"to": "bob", "body": body, "subject": "From bob"}}),
        json!({"key": "2", "cmd": "RECORD SUBMIT", "args": {"board": "sums", "score": "10", "player": "bob"}}),
    ]
}

fn drops_what_is_refused_without_an_id(scene: &Scene) {
    scene.host.stdout.wait("outbox: MAIL SEND: ");
    scene.host.stdout.wait(DONE);
    assert_eq!(scene.sum(), 10);
}

/// Nobody stays at the door of a host who waits a second for a pass, whatever he says.
fn does_not_wait_for_a_pass(scene: &Scene) {
    let cries = "\u{e9}".repeat(LONG);
    for (said, told) in [(&b""[..], "pass"), (b"\xff\xfe\n", "UTF-8"), (b"pass-", "pass"), (cries.as_bytes(), "pass")] {
        let mut stranger = scene.at_the_door();
        stranger.send(said);
        let answer = stranger.rest();
        assert!(answer.contains(told), "{answer}");
    }
    let mut stranger = scene.at_the_door();
    stranger.send(format!("{cries}\n"));
    stranger.until("too long");
    stranger.rest();
    let mut stranger = scene.at_the_door();
    // It may be closed before all of this is there.
    let _ = stranger.stream.write_all(&[b'x'; 10 * LONG]);
    stranger.rest();
    assert!(scene.turned_away().starts_with("You cannot come in: "));
}

/// There is room for two.
fn has_room_for_so_many(scene: &Scene) {
    let mut bob = scene.bob();
    let mut silent = scene.at_the_door();
    let mut third = scene.at_the_door();
    assert!(third.rest().starts_with("There is no room"));
    bob.send("Hello\n");
    bob.expect("Bob: Hello\n");
    silent.finish();
    silent.rest();
    assert!(scene.turned_away().starts_with("You cannot come in: "));
}

#[test]
fn the_host_in_python_sends_what_is_behind_something_that_cannot_be_sent() {
    if let Some(scene) = Scene::new("host.py") {
        sends_what_is_behind_something_that_cannot_be_sent(&scene);
    }
}

#[test]
fn the_host_in_lua_sends_what_is_behind_something_that_cannot_be_sent() {
    if let Some(scene) = Scene::new("host.lua") {
        sends_what_is_behind_something_that_cannot_be_sent(&scene);
    }
}

#[test]
fn the_host_in_python_drops_what_is_refused_without_an_id() {
    if let Some(scene) = Scene::with("host.py", &json!({}), &an_old_outbox()) {
        drops_what_is_refused_without_an_id(&scene);
    }
}

#[test]
fn the_host_in_lua_drops_what_is_refused_without_an_id() {
    if let Some(scene) = Scene::with("host.lua", &json!({}), &an_old_outbox()) {
        drops_what_is_refused_without_an_id(&scene);
    }
}

#[test]
fn the_host_in_python_does_not_wait_for_a_pass() {
    if let Some(scene) = Scene::with("host.py", &json!({"pass_seconds": 1}), &[]) {
        does_not_wait_for_a_pass(&scene);
    }
}

#[test]
fn the_host_in_lua_does_not_wait_for_a_pass() {
    if let Some(scene) = Scene::with("host.lua", &json!({"pass_seconds": 1}), &[]) {
        does_not_wait_for_a_pass(&scene);
    }
}

#[test]
fn the_host_in_python_has_room_for_so_many() {
    if let Some(scene) = Scene::with("host.py", &json!({"guests": 2}), &[]) {
        has_room_for_so_many(&scene);
    }
}

#[test]
fn the_host_in_lua_has_room_for_so_many() {
    if let Some(scene) = Scene::with("host.lua", &json!({"guests": 2}), &[]) {
        has_room_for_so_many(&scene);
    }
}

#[test]
fn the_host_in_python_lets_in_who_has_a_pass() {
    if let Some(scene) = Scene::new("host.py") {
        lets_in_who_has_a_pass(&scene);
    }
}

#[test]
fn the_host_in_python_counts_each_score_once() {
    if let Some(scene) = Scene::new("host.py") {
        counts_each_score_once(scene);
    }
}

#[test]
fn the_host_in_lua_lets_in_who_has_a_pass() {
    if let Some(scene) = Scene::new("host.lua") {
        lets_in_who_has_a_pass(&scene);
    }
}

#[test]
fn the_host_in_lua_counts_each_score_once() {
    if let Some(scene) = Scene::new("host.lua") {
        counts_each_score_once(scene);
    }
}

/// The visitor's client, and what is typed into it.
fn visitor(at: SocketAddr, name: &str, password: Option<&str>) -> (Running, PipeWriter) {
    let (theirs, ours) = pipe().expect("a pipe");
    let mut command = interpreter("visitor.py").expect("it was there");
    command.args([name, &at.to_string()]).env_remove("SSMGLOBAL_PASSWORD");
    command.envs(password.map(|password| ("SSMGLOBAL_PASSWORD", password)));
    let running = Running::on_terminal(command.stdin(theirs).stdout(Stdio::piped()).stderr(Stdio::piped()));
    running.stdout.wait(CONNECTED);
    (running, ours)
}

#[test]
fn what_a_player_tells_over_a_broken_connection_is_heard_once() {
    if interpreter("visitor.py").is_none() {
        return;
    }
    let backend = Backend::start();
    let (mut alice, _bob) = (Program::registered(&backend, "alice"), Program::registered(&backend, "Bob"));
    let way = Way::to(backend.at());
    let (bob, mut keyboard) = visitor(way.at, "bob", Some("secret-of-Bob"));
    way.lose("\"to\": \"alice\"");
    keyboard.write_all(b"tell alice Hello\n").expect("it reads");
    bob.stdout.wait("no connection");
    bob.stdout.wait("outbox: TELL: ");
    assert_eq!(alice.expect_event("tell")["body"], "Hello");
    alice.expect_no_event("tell");
    assert!(!bob.stdout.text().contains("secret-of-Bob"));
}

#[test]
fn a_player_tells_what_is_behind_something_that_is_too_long() {
    if interpreter("visitor.py").is_none() {
        return;
    }
    let backend = Backend::start();
    let (mut alice, _bob) = (Program::registered(&backend, "alice"), Program::registered(&backend, "Bob"));
    let (bob, mut keyboard) = visitor(backend.at(), "bob", Some("secret-of-Bob"));
    // With \u for each of them it would not fit into a line. As UTF-8 it does, and is too long for words to somebody.
    let tell = |count| format!("tell alice {}\n", "\u{e9}".repeat(count));
    keyboard.write_all(tell(1500).as_bytes()).expect("it reads");
    bob.stdout.wait("outbox: TELL: ");
    keyboard.write_all(tell(LONG).as_bytes()).expect("it reads");
    bob.stdout.wait("That is too long for the backend.");
    keyboard.write_all(b"tell alice Caf\xff\ntell alice Short\n").expect("it reads");
    for body in ["Caf\u{fffd}", "Short"] {
        assert_eq!(alice.expect_event("tell")["body"], body);
    }
    // What is not put into the outbox, but asked at once, is answered too.
    keyboard.write_all(format!("enter {}\nenter nowhere\n", "x".repeat(LONG)).as_bytes()).expect("it reads");
    bob.stdout.wait("nowhere");
}

#[test]
fn a_visitor_comes_in_and_talks_and_comes_back_after_a_restart() {
    let Some(mut scene) = Scene::new("host.py") else { return };
    let (mut zed, mut keyboard) = visitor(scene.backend.at(), "zed", None);
    keyboard.write_all(b"worlds\nenter zoo\n").expect("it reads");
    zed.stdout.wait("Zoo: 0 of 50");
    zed.stdout.wait("Zoo: Welcome to Zoo, visitor:zed.");
    let mut alice = scene.alice();
    alice.ok("TELL", json!({"to": "visitor:zed", "body": "Hello"}));
    zed.stdout.wait("[tell] alice: Hello");
    scene.backend.over_the_death_of_the_handler(|| {
        keyboard.write_all(b"tell alice Good evening\n").expect("it reads");
        zed.stdout.wait("outbox: TELL waits");
    });
    let event = alice.expect_event("tell");
    assert_eq!((&event["from"], &event["body"]), (&"visitor:zed".into(), &"Good evening".into()));
    zed.stdout.wait("outbox: TELL: ");
    // What he says to the world goes there; the host sends this as a mail.
    keyboard.write_all(b"mail alice See you at eight\n").expect("it reads");
    assert_eq!(alice.expect_event("mail")["subject"], "From visitor:zed");
    // What he says while nobody is there is said afterwards.
    let (mark, hosted) = (zed.stdout.mark(), scene.host.stdout.mark());
    scene.backend.stop();
    zed.stdout.wait_after(mark, "no connection");
    keyboard.write_all(b"tell bob Are you there?\n").expect("it reads");
    scene.backend.start_again();
    zed.stdout.wait_after(mark, "you are on as zed");
    zed.stdout.wait_after(mark, "outbox: TELL: ");
    zed.stdout.wait_after(mark, "you have left Zoo");
    scene.host.stdout.wait_after(hosted, "Zoo is open");
    scene.host.stdout.wait_after(hosted, CONNECTED);
    let mark = zed.stdout.mark();
    keyboard.write_all(b"enter zoo\n").expect("it reads");
    zed.stdout.wait_after(mark, "Welcome to Zoo, visitor:zed.");
    keyboard.write_all(b"quit\n").expect("it reads");
    assert_eq!(zed.wait().and_then(|status| status.code()), Some(0));
    // A host that ends in order says so, and its worlds are gone at once.
    scene.host.signal(Signal::SIGTERM);
    assert_eq!(scene.host.wait().and_then(|status| status.code()), Some(0), "{}", scene.host.stderr.text());
    assert_eq!(scene.alice().ok("WORLDS", json!({}))["total"], 0);
}

#[test]
fn an_example_is_short() {
    let files = fs::read_dir(example("")).expect("the examples").flatten();
    for path in files.map(|file| file.path()).filter(|path| path.is_file()) {
        let count = fs::read_to_string(&path).expect("text").lines().count();
        assert!(count < LINES, "{} has {count} lines", path.display());
    }
}
