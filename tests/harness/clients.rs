//! The programs that people use, each at a terminal of its own.

use super::{Terminal, installed};
use nix::pty::Winsize;
use std::net::SocketAddr;
use std::process::Command;
use tempfile::TempDir;

/// One of the programs.
pub struct Client {
    /// How it is called.
    pub name: &'static str,
    /// Where it runs.
    pub terminal: Terminal,
    /// Where the screen was when the last thing was seen.
    seen: usize,
    /// Where it looks for its settings.
    _home: TempDir,
}

impl Client {
    /// None, with a word, where it is not there.
    pub fn at(name: &'static str, at: SocketAddr) -> Option<Client> {
        let home = tempfile::tempdir().expect("a directory");
        let (host, port) = (at.ip().to_string(), at.port().to_string());
        let args: Vec<String> = match name {
            "tt++" => vec!["-G".into(), "-e".into(), format!("#session a {host} {port}")],
            "tf5" => vec!["-n".into(), "-f".into(), host, port],
            "KBtin" => {
                let settings = home.path().join("settings");
                std::fs::write(&settings, format!("#session {{a}} {{{host} {port}}}\n")).expect("a file");
                vec![settings.display().to_string()]
            }
            "busybox" => vec!["telnet".into(), host, port],
            "plink" => vec!["-telnet".into(), "-P".into(), port, host],
            _ => vec![host, port],
        };
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let mut command = Command::new(installed(name)?);
        command.args(args).current_dir(home.path()).env("LC_ALL", "C.UTF-8").env("HOME", home.path());
        Some(Client { name, terminal: Terminal::sized(command, Some(&size)), seen: 0, _home: home })
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        self.terminal.press(&format!("{line}\r"));
    }

    /// Types a line for us: TinyFugue takes one that begins with a slash for its own.
    pub fn types_for_us(&mut self, line: &str) {
        self.types(&format!("{}{line}", if self.name == "tf5" { "/send " } else { "" }));
    }

    /// Waits until this is shown behind what was seen before.
    #[track_caller]
    pub fn sees(&mut self, text: &str) {
        let from = self.seen;
        let what = format!("{text:?} at {}", self.name);
        let end = self.terminal.screen.find_after(from, &what, |shown| Some(shown.find(text)? + text.len()));
        self.seen += end;
    }

    /// What was shown: of telnet or of broken letters there is nothing.
    pub fn is_clean(&self) {
        let screen = self.terminal.screen.text();
        // A door of a world offers telnet at once, as the world does; nc shows that.
        assert!(!self.has_telnet() || !screen.contains('\u{fffd}'), "{}: {screen:?}", self.name);
    }

    /// Whether it answers telnet.
    pub fn has_telnet(&self) -> bool {
        self.name != "nc"
    }
}
