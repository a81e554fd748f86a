//! Evennia, a server for text games whose Portal keeps the players while its Server is reloaded: found installed,
//! started with a new game in a temporary directory, and ended. Runs in the load generator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::guard::{Result, find_program, free_port, output_of, until};
use crate::net::Client;
use crate::protocol::find;

/// Of the superuser and of every account.
const PASSWORD: &str = "correct-horse-battery";
const START: Duration = Duration::from_secs(60);

/// A game with nothing in it.
pub struct Evennia {
    program: PathBuf,
    game: PathBuf,
    _dir: TempDir,
    port: u16,
    /// What it calls itself.
    pub version: String,
}

impl Evennia {
    /// Starts one in `at`. `None`: not installed.
    pub fn start(at: &Path) -> Result<Option<Self>> {
        let Some(program) = find_program("evennia") else {
            return Ok(None);
        };
        let dir = TempDir::with_prefix_in("load-evennia-", at)?;
        output_of(Command::new(&program).current_dir(dir.path()).args(["--init", "game"]))?;
        let game = dir.path().join("game");
        let (port, amp) = (free_port()?, free_port()?);
        let file = game.join("server/conf/settings.py");
        // Only the door that is used, and no waiting after many accounts from one address.
        let settings = format!(
            "{}\nTELNET_PORTS = [{port}]\nTELNET_INTERFACES = ['127.0.0.1']\nAMP_PORT = {amp}\n\
             WEBSERVER_ENABLED = False\nWEBSOCKET_CLIENT_ENABLED = False\n\
             CREATION_THROTTLE_LIMIT = None\nLOGIN_THROTTLE_LIMIT = None\n",
            fs::read_to_string(&file)?
        );
        fs::write(file, settings)?;
        let mut evennia = Self { program, game, _dir: dir, port, version: String::new() };
        output_of(&mut evennia.command("migrate"))?;
        let mut start = evennia.command("start");
        start.env("EVENNIA_SUPERUSER_USERNAME", "admin").env("EVENNIA_SUPERUSER_EMAIL", "admin@example.org");
        output_of(start.env("EVENNIA_SUPERUSER_PASSWORD", PASSWORD))?;
        let version = output_of(&mut evennia.command("--version"))?;
        let number = version.lines().find_map(|line| line.trim().strip_prefix("Evennia "));
        evennia.version = number.unwrap_or("of unknown version").trim().to_owned();
        // After the first start it restarts its Server once by itself; who has come in by then is not answered.
        let log = evennia.game.join("server/logs/server.log");
        let restarted = |text: String| text.contains("restarted in 'reset' mode");
        until("Evennia", START, || Ok(fs::read_to_string(&log).is_ok_and(restarted)))?;
        Ok(Some(evennia))
    }

    fn command(&self, word: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.game).arg(word);
        command
    }

    /// A connection that is logged in with an account, which is made when there is none.
    pub fn account(&self, name: &str) -> Result<Client> {
        let mut client = Client::open(self.port, 0)?;
        // What is said before its first screen is shown is lost.
        expect(&mut client, "re-show this screen")?;
        if name != "admin" {
            client.send(format!("create {name} {PASSWORD}\r\nY\r\n").as_bytes())?;
            expect(&mut client, "A new account")?;
        }
        client.send(format!("connect {name} {PASSWORD}\r\n").as_bytes())?;
        expect(&mut client, "Limbo")?;
        // The answer to the last command of all: what follows is answers to what is asked from now on.
        client.send(b"say ready\r\n")?;
        expect(&mut client, "You say, ")?;
        Ok(client)
    }

    /// Its Server, which the Portal starts and clients do not see.
    pub fn server(&self) -> Result<Pid> {
        self.pid("server")
    }

    fn pid(&self, name: &str) -> Result<Pid> {
        let text = fs::read_to_string(self.game.join(format!("server/{name}.pid")))?;
        Ok(Pid::from_raw(text.trim().parse()?))
    }
}

/// Reads until a line holds `text`. Byte by byte: what is sent to keep the connection alive ends no line.
fn expect(client: &mut Client, text: &str) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(10);
    let mut line = Vec::new();
    while Instant::now() < end {
        line.extend(client.exactly(1)?);
        if line.ends_with(b"\n") {
            if find(&line, text.as_bytes()).is_some() {
                return Ok(());
            }
            line.clear();
        }
    }
    Err(format!("Evennia did not say {text:?}").into())
}

impl Drop for Evennia {
    fn drop(&mut self) {
        // Both put themselves into the background, so that they are nobody's children.
        for pid in ["portal", "server"].into_iter().filter_map(|name| self.pid(name).ok()) {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}
