//! The programs in `examples/`, as they are: real interpreters, a real backend. Each test is left out, with a word, where its
//! interpreter is not there.

mod hosts;
mod programs;
mod visitor;
mod way;

use crate::harness::{Backend, Program, Running, Wire};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use way::Way;

/// The longest file that is still read.
const LINES: usize = 150;

/// The same of a program that does one thing.
const FEW_LINES: usize = 120;

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
            backend.player(player);
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
        let mut bob = self.backend.player_again("Bob");
        let wire = self.enters(&mut bob, "Bob");
        self.backend.see_off(bob.wire);
        wire
    }

    fn alice(&self) -> Program {
        self.backend.player_again("alice")
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

/// More than the backend takes in a line, and more than a host takes from a guest.
const LONG: usize = 20_000;

#[test]
fn an_example_is_short() {
    let files = fs::read_dir(example("")).expect("the examples").flatten();
    for path in files.map(|file| file.path()).filter(|path| path.is_file()) {
        let count = fs::read_to_string(&path).expect("text").lines().count();
        let simple = ["gameserver.py", "bot.py", "health.py", "leaderboard.py"].iter().any(|name| path.ends_with(name));
        let most = if simple { FEW_LINES } else { LINES };
        assert!(count < most, "{} has {count} lines", path.display());
    }
}
