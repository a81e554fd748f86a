//! Man pages and shell completions, made from the definitions of the command line. Runs in the operator's commands.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli::Cli;
use crate::print;

const FILES: &str = "\
config/ssmglobal.toml
    The config file, seen from where the program starts, when no other is named.
/etc/ssmglobal.toml
    The config file of the machine's service, for who has named nothing and has nothing of a backend here.
DIR/ssmglobal.db
    The database. What \"ssmglobal restore\" has set aside has names that begin with it.
DIR/run/ctl.sock
    Where \"ssmglobal ctl\" reaches the running backend. DIR is the data directory.";

const STATUS: &str = "\
0   done
1   refused or failed
2   the command line makes no sense
3   the backend does not run (ssmglobal ctl)";

const OUTPUT: &str = "look at where the output goes";

/// Prints the main page, or writes the pages of all commands into this directory.
pub fn man(dir: Option<PathBuf>) -> ExitCode {
    match dir {
        None => ended(page(top()).and_then(|page| print::out_bytes(&page)), "print the man page", OUTPUT),
        Some(dir) => {
            let how = "name a directory that exists and that this user may write to";
            ended(write(&dir), &format!("write the man pages to {}", dir.display()), how)
        }
    }
}

fn write(dir: &Path) -> io::Result<()> {
    let pages = all(top())?;
    for (name, page) in &pages {
        std::fs::write(dir.join(name), page)?;
    }
    print::out(&format!("{} pages are in {}\n", pages.len(), dir.display()))
}

/// Prints the completions for a shell.
pub fn completions(shell: clap_complete::Shell) -> ExitCode {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ssmglobal", &mut bytes);
    ended(print::out_bytes(&bytes), "print the completions", OUTPUT)
}

fn ended(result: io::Result<()>, what: &str, how: &str) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::note(&format!("ssmglobal: cannot {what}: {error}; {how}"));
            ExitCode::FAILURE
        }
    }
}

fn top() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// All pages with their file names, the main one last.
fn all(command: Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
        pages.extend(all(child.clone())?);
    }
    let name = Man::new(command.clone()).get_filename();
    pages.push((name, page(command)?));
    Ok(pages)
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let help = command.get_after_help().map(|text| text.to_string()).unwrap_or_default();
    let main = command.get_name() == "ssmglobal";
    let has_commands = command.has_subcommands();
    let source = format!("ssmglobal {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).source(source).manual("ssmglobal");

    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if has_commands {
        man.render_subcommands_section(&mut out)?;
    }
    if main {
        verbatim(&mut out, "ENVIRONMENT", &environment())?;
        verbatim(&mut out, "FILES", FILES)?;
    }
    verbatim(&mut out, "EXIT STATUS", STATUS)?;
    after_help(&mut out, &help)?;
    Ok(without_repeats(&out))
}

/// What stands below the options in the help: examples, and remarks around them.
fn after_help(out: &mut Vec<u8>, help: &str) -> io::Result<()> {
    let (examples, remarks): (Vec<&str>, Vec<&str>) =
        help.split("\n\n").filter(|part| !part.is_empty()).partition(|part| part.starts_with("Examples:"));
    if !remarks.is_empty() {
        verbatim(out, "NOTES", &remarks.join("\n\n"))?;
    }
    for part in examples {
        verbatim(out, "EXAMPLES", part.strip_prefix("Examples:\n").unwrap_or(part))?;
    }
    Ok(())
}

/// Every section comes with the same definition of the apostrophe in front; one is enough.
fn without_repeats(page: &[u8]) -> Vec<u8> {
    let lines = page.split_inclusive(|byte| *byte == b'\n');
    let apostrophe = |line: &[u8]| line.starts_with(b".ie ") || line.starts_with(b".el ");
    let kept = lines.enumerate().filter(|(index, line)| *index < 2 || !apostrophe(line));
    kept.flat_map(|(_, line)| line.iter().copied()).collect()
}

/// Every variable with what it is for, from the table of keys.
fn environment() -> String {
    let mut lines = vec![format!("{}\n    The config file.", ssmglobal_config::CONFIG_VARIABLE)];
    lines.extend(ssmglobal_config::KEYS.iter().map(|key| format!("{}\n    {}", key.variable(), key.doc())));
    lines.join("\n")
}

/// A section whose lines stay as they are.
fn verbatim(out: &mut Vec<u8>, heading: &str, text: &str) -> io::Result<()> {
    let mut roff = Roff::default();
    roff.control("SH", [heading]).control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff.to_writer(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let pages = all(top()).unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["ssmglobal.1", "ssmglobal-check.1", "ssmglobal-ctl.1", "ssmglobal-ctl-server-rotate-key.1"] {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
        for (name, page) in &pages {
            let text = String::from_utf8_lossy(page);
            assert!(text.contains(".SH NAME") && text.contains(".SH \"EXIT STATUS\""), "{name}: {text}");
        }
    }

    #[test]
    fn the_main_page_names_every_variable() {
        let page = String::from_utf8(page(top()).unwrap()).unwrap();
        assert!(page.contains("SSMGLOBAL_LIMITS_CLIENTS"));
        assert!(page.contains(".SH EXAMPLES"));
    }

    #[test]
    fn completions_know_the_commands() {
        for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
            let mut bytes = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "ssmglobal", &mut bytes);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(text.contains("rotate-key"), "{shell}");
        }
    }
}
