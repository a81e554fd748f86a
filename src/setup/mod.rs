//! `ssmglobal setup`: user, directories, config, and the piece of the supervisor that is there. `ssmglobal config example`:
//! the same texts, printed. Run by the operator, as root.

mod pieces;
mod steps;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use nix::unistd::geteuid;
use ssmglobal_config::{EXAMPLE, SYSTEM_FILE};

use crate::ctl::STANDARD_DATA;
use crate::print;
use pieces::Supervisor;
use steps::{Steps, USER};

const SETUP_EXAMPLES: &str = "\
Examples:
  ssmglobal setup --dry-run          say what it would do
  sudo ssmglobal setup               do it, for the supervisor that is there
  sudo ssmglobal setup --supervisor runit

What is there already stays as it is, so it can be done again. Nothing is started; what to type for that is said at the end.";

/// Make what a service needs: user, directories, config, and the file of the supervisor
#[derive(Debug, Args)]
#[command(after_help = SETUP_EXAMPLES)]
pub struct SetupArgs {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// For this supervisor [default: the one that is there]
    #[arg(long, value_name = "NAME")]
    supervisor: Option<Supervisor>,
}

/// The config file and what goes with it
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the commented example: every key with its default
    #[command(after_help = EXAMPLE_EXAMPLES)]
    Example {
        /// Print what this supervisor needs instead
        supervisor: Option<Supervisor>,
    },
}

const EXAMPLE_EXAMPLES: &str = "\
Examples:
  ssmglobal config example > /etc/ssmglobal.toml
  ssmglobal config example systemd > /etc/systemd/system/ssmglobal.service";

/// Prints an example.
pub fn config(ConfigCommand::Example { supervisor }: ConfigCommand) -> ExitCode {
    let text = match supervisor {
        None => EXAMPLE.to_owned(),
        Some(supervisor) => {
            let texts = supervisor.pieces().iter().map(|piece| piece.text("/usr/local/bin/ssmglobal"));
            texts.collect::<Vec<_>>().join("\n")
        }
    };
    ended(print::out(&text).map_err(|error| format!("cannot print it: {error}")))
}

/// Does all steps, or says what they would do.
pub fn setup(args: SetupArgs) -> ExitCode {
    ended(all(&args))
}

fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            print::note(&format!("ssmglobal: {}", print::clean_lines(&why)));
            ExitCode::FAILURE
        }
    }
}

fn all(args: &SetupArgs) -> Result<(), String> {
    if !args.dry_run && !geteuid().is_root() {
        return Err(
            "setup makes a user and writes to /etc: do it as root (sudo ssmglobal setup), or see what it would do \
                    with --dry-run"
                .to_owned(),
        );
    }
    let steps = Steps { dry: args.dry_run };
    let supervisor = args.supervisor.or_else(Supervisor::there);
    let program = steps.program()?;
    steps.user(STANDARD_DATA)?;
    steps.directory(STANDARD_DATA, true, 0o700)?;
    steps.file(SYSTEM_FILE, &config_text(), 0o644)?;
    let Some(supervisor) = supervisor else { return by_hand(&program) };
    if let Some(log) = supervisor.log() {
        steps.directory(log, false, 0o750)?;
    }
    let mut as_it_is = true;
    for piece in supervisor.pieces() {
        as_it_is &= steps.file(piece.path, &piece.text(&program), piece.mode)?;
    }
    let compare = match as_it_is {
        true => String::new(),
        false => format!("\nWhat this version would write there: ssmglobal config example {}\n", supervisor.name()),
    };
    say(&format!("{compare}\nStart it:     {}\nThen:         ssmglobal ctl status\n", supervisor.start()))
}

/// The example, with the data where a service has it.
fn config_text() -> String {
    EXAMPLE.replace("\ndata = \"data\"\n", &format!("\ndata = \"{STANDARD_DATA}\"\n"))
}

fn by_hand(program: &str) -> Result<(), String> {
    say(&format!(
        "\nNo supervisor is here that this program knows (systemd, OpenRC, runit, s6, supervisord). Let yours start, as the user \
         {USER},\n\n  {program} --config {SYSTEM_FILE} --data {STANDARD_DATA}\n\nin the foreground, start it again when it \
         ends, and give it 75 seconds to stop after SIGTERM, which only that\nprocess should get. Or name one that is to come: \
         --supervisor NAME\n"
    ))
}

fn say(text: &str) -> Result<(), String> {
    print::out(text).map_err(|error| format!("it was done, but what to do next is lost: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_of_a_service_is_sound_and_says_where_the_data_is() {
        let (settings, warnings) = ssmglobal_config::check(&config_text(), SYSTEM_FILE).unwrap();
        assert_eq!((settings.data, warnings), (STANDARD_DATA.into(), Vec::new()));
        assert!(settings.door_for_people);
    }
}
