//! Programs: one JSON object per line. What is pushed is kept apart from the answers.

use super::{Backend, GREETING, Wire};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

/// A connection in CLIENT mode (or, inside [`GameServer`], in SERVER mode).
pub struct Program {
    /// For what goes beyond lines.
    pub wire: Wire,
    events: VecDeque<Value>,
    last: u64,
}

impl Program {
    /// Connects and chooses this mode.
    pub fn in_mode(at: SocketAddr, mode: &str) -> Program {
        Program::over(Wire::to(at), mode)
    }

    /// Chooses this mode on a connection that is new.
    pub fn over(mut wire: Wire, mode: &str) -> Program {
        wire.expect(GREETING);
        wire.send(format!("MODE {mode}\r\n"));
        wire.expect(format!("{{\"state\": \"OK\", \"msg\": \"Mode: {mode}\"}}\r\n"));
        Program { wire, events: VecDeque::new(), last: 0 }
    }

    /// Logs in with the password of [`Backend::player`]; gives `data`.
    pub fn login(&mut self, name: &str) -> Value {
        self.ok("LOGIN", json!({"name": name, "password": format!("secret-of-{name}")}))
    }

    /// Asks to be let into a world; gives the pass.
    pub fn pass_for(&mut self, world: &str) -> String {
        self.ok("WORLD ENTER", json!({"world": world}))["pass"].as_str().expect("a pass").to_owned()
    }

    /// Closes the connection, and waits until the backend knows of it; in its place is one of nobody.
    pub fn closes(&mut self, backend: &Backend) {
        let before = std::mem::replace(self, backend.program());
        backend.see_off(before.wire);
    }

    /// The next line, whatever it is.
    pub fn next(&mut self) -> Value {
        let line = self.wire.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The next line that is no event.
    pub fn reply(&mut self) -> Value {
        loop {
            let value = self.next();
            if value.get("event").is_none() {
                return value;
            }
            self.events.push_back(value);
        }
    }

    /// Sends a line as it is.
    pub fn send_line(&mut self, line: impl AsRef<[u8]>) {
        let mut bytes = line.as_ref().to_vec();
        bytes.extend_from_slice(b"\r\n");
        self.wire.send(bytes);
    }

    /// Sends a line as it is; gives the reply.
    pub fn say(&mut self, line: impl AsRef<[u8]>) -> Value {
        self.send_line(line);
        self.reply()
    }

    /// Asks, and checks that the reply is to this question.
    pub fn ask(&mut self, cmd: &str, args: Value) -> Value {
        self.last += 1;
        let reply = self.say(json!({"id": self.last, "cmd": cmd, "args": args}).to_string());
        assert_eq!(reply["id"], self.last, "{cmd}: {reply}");
        reply
    }

    /// Asks under a key of the client's own; gives the reply.
    pub fn ask_under(&mut self, key: &str, cmd: &str, args: &Value) -> Value {
        self.say(json!({"id": 1, "key": key, "cmd": cmd, "args": args}).to_string())
    }

    /// Asks while the handler dies; gives the reply.
    pub fn ask_over_death(&mut self, backend: &Backend, cmd: &str, args: &Value) -> Value {
        let line = json!({"cmd": cmd, "args": args}).to_string();
        backend.over_the_death_of_the_handler(|| self.send_line(line));
        self.reply()
    }

    /// Asks for something that must be done; gives `data`.
    pub fn ok(&mut self, cmd: &str, args: Value) -> Value {
        let reply = self.ask(cmd, args.clone());
        assert_eq!(reply["state"], "OK", "{cmd} {args}: {reply}");
        reply["data"].clone()
    }

    /// Asks for something that must be refused; gives the code.
    pub fn fails(&mut self, cmd: &str, args: Value) -> String {
        let reply = self.ask(cmd, args.clone());
        assert_eq!(reply["state"], "ERROR", "{cmd} {args}: {reply}");
        assert!(reply["msg"].as_str().is_some_and(|msg| !msg.is_empty()), "{reply}");
        reply["code"].as_str().unwrap_or_else(|| panic!("no code: {reply}")).to_owned()
    }

    /// The next event of this kind, kept or still to come; others stay.
    pub fn expect_event(&mut self, name: &str) -> Value {
        if let Some(at) = self.events.iter().position(|event| event["event"] == name) {
            return self.events.remove(at).unwrap_or_default();
        }
        loop {
            let value = self.next();
            assert!(value.get("event").is_some(), "a reply to nothing: {value}");
            if value["event"] == name {
                return value;
            }
            self.events.push_back(value);
        }
    }

    /// Nothing of this kind has come: whatever was pushed before is in front of the answer to a question.
    pub fn expect_no_event(&mut self, name: &str) {
        self.ok("WHOAMI", json!({}));
        let found = self.events.iter().find(|event| event["event"] == name);
        assert!(found.is_none(), "{found:?}");
    }
}

/// Where WHO shows somebody.
pub fn places(asker: &mut Program, who: &str) -> Vec<String> {
    let all = asker.ok("WHO", json!({}));
    let rows = all["players"].as_array().expect("a list").iter().filter(|row| row["player"] == who);
    rows.map(|row| row["where"].as_str().expect("a place").to_owned()).collect()
}

/// A game server that has proved who it is.
pub struct GameServer {
    program: Program,
    name: String,
    /// What it proved it with.
    pub key: String,
}

impl GameServer {
    /// It connects with a key that it has already.
    pub fn with_key(backend: &Backend, name: &str, key: String) -> GameServer {
        let mut program = Program::in_mode(backend.at(), "SERVER");
        let data = program.ok("AUTH", json!({"name": name, "key": key}));
        assert_eq!(data["server"], name);
        GameServer { program, name: name.to_owned(), key }
    }

    /// The same game server on a further connection.
    pub fn again(&self, backend: &Backend) -> GameServer {
        GameServer::with_key(backend, &self.name, self.key.clone())
    }

    /// Hosts this world; gives `data`.
    pub fn hosts(&mut self, world: &str, password: &str) -> Value {
        self.ok("HOST START", json!({"world": world, "password": password, "port": 7777}))
    }

    /// Somebody shows this game server, which hosts the world, a pass for it, and is let in; gives the pass.
    pub fn lets_in(&mut self, who: &mut Program, world: &str) -> String {
        let pass = who.pass_for(world);
        self.ok("PASS REDEEM", json!({"pass": pass, "world": world}));
        self.ok("ENTER", json!({"player": pass, "world": world}));
        pass
    }

    /// Its connection, for what comes at its end.
    pub fn into_wire(self) -> Wire {
        self.program.wire
    }
}

impl Deref for GameServer {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for GameServer {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}
