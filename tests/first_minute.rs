//! The first minute of README.md, typed word by word into terminals of a fresh directory.

use crate::harness::{Terminal, is_installed, own_address, program};
use nix::sys::signal::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What is shown in front of what a person types: by his shell, and by the backend.
const PROMPTS: [&str; 2] = ["$ ", "> "];

/// The blocks of this section, each with what is in it; one is one terminal.
fn blocks(section: &str) -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the page");
    let text = page.split("\n## ").find_map(|part| part.strip_prefix(section)).expect("the section");
    let blocks = text.split("```\n").skip(1).step_by(2);
    blocks.map(|block| block.lines().map(str::to_owned).collect()).collect()
}

/// Somebody who sits in a fresh directory and has read the page.
struct Reader {
    home: TempDir,
    /// In place of all addresses, of which there is only one set: here the same ports are free.
    address: String,
}

impl Reader {
    fn new() -> Reader {
        Reader { home: TempDir::new().expect("a fresh directory"), address: own_address() }
    }

    /// The line as it is to be typed or read here: what Cargo has built, at an address that no other test has.
    fn here(&self, line: &str) -> String {
        let program = PathBuf::from(program().get_program());
        let program = program.display().to_string();
        line.replace("cargo run --release", &format!("{program} -a {}", self.address))
            .replace("target/release/ssmglobal", &program)
            .replace("localhost", &self.address)
    }

    fn shell(&self) -> Terminal {
        let mut shell = Command::new("sh");
        shell.current_dir(self.home.path()).env("PS1", PROMPTS[0]).env_remove("ENV");
        shell.env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET");
        Terminal::of(shell)
    }

    /// Types what is to be typed, each when it is his turn, and waits for the rest to be shown.
    fn follow(&self, block: &[String]) -> Terminal {
        let mut terminal = self.shell();
        let mut mark = 0;
        for line in block {
            let typed = PROMPTS.iter().find_map(|prompt| Some((prompt, line.strip_prefix(prompt)?)));
            match typed {
                Some((prompt, words)) => {
                    let turn = |shown: &str| shown.ends_with(*prompt).then_some(());
                    terminal.screen.find_after(mark, &format!("the turn to type {words:?}"), turn);
                    mark = terminal.type_line(&self.here(words));
                }
                None if line.ends_with(':') => {
                    terminal.screen.find_after(mark, line, |shown| shown.trim_end().ends_with(&**line).then_some(()));
                    mark = terminal.type_line("battery-staple");
                }
                None => terminal.screen.wait_after(mark, &self.here(line)),
            }
        }
        terminal
    }
}

#[test]
fn it_has_ten_lines_and_goes_as_it_is_printed() {
    let blocks = blocks("The first minute\n");
    assert_eq!(blocks.iter().map(Vec::len).sum::<usize>(), 10, "{blocks:?}");
    if !is_installed("telnet") {
        return;
    }
    let reader = Reader::new();
    let [first, second] = &blocks[..] else { panic!("not two terminals: {blocks:?}") };
    let backend = reader.follow(first);
    let person = reader.follow(second);
    person.screen.wait("players:          1");
    let shown = person.screen.text();
    assert!(shown.contains("Welcome to serversquared") && shown.contains("bob"), "{shown}");
    assert!(!shown.contains("battery-staple") && !shown.contains("state"), "{shown}");
    // What a terminal does on Ctrl-C; the shell stays.
    let mark = backend.screen.mark();
    backend.running.signal_all(Signal::SIGINT);
    backend.screen.find_after(mark, "the shell's turn", |shown| shown.ends_with(PROMPTS[0]).then_some(()));
    assert!(backend.screen.text().contains("everything is saved"));
    assert!(reader.home.path().join("data/ssmglobal.db").exists());
}
