//! Who comes to a backend: persons at a terminal, programs, game servers.

use super::{Backend, GameServer, Person, Program};
use serde_json::json;

impl Backend {
    /// A person at a terminal, who is nobody yet.
    pub fn terminal(&self) -> Person {
        Person::at(self)
    }

    /// A person at a terminal, who has just registered.
    pub fn person(&self, name: &str) -> Person {
        let mut person = self.terminal();
        person.says(&format!("REGISTER {name} secret-of-{name}")).sees(name).sees_no("ERROR");
        person
    }

    /// A person at a terminal, who has registered before.
    pub fn person_again(&self, name: &str) -> Person {
        let mut person = self.terminal();
        person.says(&format!("LOGIN {name} secret-of-{name}")).sees("Logged in as");
        person
    }

    /// A program that is nobody yet.
    pub fn program(&self) -> Program {
        Program::in_mode(self.at(), "CLIENT")
    }

    /// The program of a player who has just registered.
    pub fn player(&self, name: &str) -> Program {
        let mut program = self.program();
        program.ok("REGISTER", json!({"name": name, "password": format!("secret-of-{name}")}));
        program
    }

    /// A program of a player who has registered before.
    pub fn player_again(&self, name: &str) -> Program {
        let mut program = self.program();
        program.login(name);
        program
    }

    /// The program of somebody who has not registered, under a name.
    pub fn visitor(&self, name: &str) -> Program {
        let mut program = self.program();
        assert_eq!(program.ok("VISITOR", json!({"name": name}))["visitor"], format!("visitor:{name}"));
        program
    }

    /// A game server: the operator adds it, it connects.
    pub fn game_server(&self, name: &str) -> GameServer {
        let key = self.ctl(&["server", "add", name])["key"].as_str().expect("a key").to_owned();
        GameServer::with_key(self, name, key)
    }
}
