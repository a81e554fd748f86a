//! The command line: what can be typed, and the help that teaches it. Man pages and completions are made
//! from the same definitions. Runs before the backend becomes a listener, and in the operator's commands.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use ssmglobal_config::{Level, Overrides};
use ssmglobal_sys::Ids;

use crate::check::CheckArgs;
use crate::ctl::{CtlArgs, Trouble};
use crate::location::Location;
use crate::restore::RestoreArgs;
use crate::setup::{ConfigCommand, SetupArgs};

const EXAMPLES: &str = "\
Examples:
  ssmglobal                          run the backend with data/ in this directory
  ssmglobal -p 4000 --data /srv/ssm  another port, another place for the data
  telnet localhost 4201              come in, once it runs
  ssmglobal setup --dry-run          what it would make for a service of this machine
  ssmglobal config example           the config file, with every key and its default
  ssmglobal check                    tell everything that is wrong with the config file
  ssmglobal ctl status               ask the running backend how it is
  ssmglobal ctl server add arena     let the game server \"arena\" in
  ssmglobal ctl --help               everything the operator can do
  ssmglobal restore FILE             put a backup in place, while the backend does not run

Ctrl-C or SIGTERM ends all of it cleanly; SIGHUP reads the config file again.";

/// One backend for a network of game worlds: players, records, settings, mail and messages.
///
/// Without a command it runs the backend, in the foreground. Settings come from the defaults, the config
/// file, the environment (SSMGLOBAL_…) and the options below, and the later beats the earlier.
#[derive(Debug, Parser)]
#[command(name = "ssmglobal", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// Where config and data are.
    #[command(flatten)]
    pub place: Location,

    /// How to run.
    #[command(flatten)]
    pub run: RunArgs,

    /// What else to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The options of running the backend; the short ones are those of the original.
#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Options of running")]
pub struct RunArgs {
    /// Listen only at this address of the machine; `::` is all, IPv6 and IPv4
    #[arg(short, long, value_name = "IP")]
    pub address: Option<IpAddr>,

    /// Listen at this TCP port, and at no other for people; 0 takes any free one
    #[arg(short, long)]
    pub port: Option<u16>,

    /// The longest line a client may send
    #[arg(short = 'b', long, value_name = "BYTES")]
    pub line_bytes: Option<u64>,

    /// Drop a client that is silent for so long; 0 = never
    #[arg(short, long, value_name = "SECONDS")]
    pub timeout: Option<u64>,

    /// Clients at once
    #[arg(short = 'm', long, value_name = "N")]
    pub clients: Option<u64>,

    /// Clients at once from one address
    #[arg(short = 'c', long, value_name = "N")]
    pub per_address: Option<u64>,

    /// Taken for old scripts and ignored: nothing here waits between turns
    #[arg(short = 'D', long, value_name = "SECONDS")]
    pub delay: Option<String>,

    /// Taken for old scripts and ignored: whatever was answered with OK is on disk
    #[arg(short = 'A', long, value_name = "SECONDS")]
    pub autosave: Option<String>,

    /// How much is logged
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(Level::WORDS))]
    pub log_level: Option<String>,
}

/// What can be done beside running the backend.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask the running backend, or tell it what to do
    Ctl(CtlArgs),
    /// Tell everything that is wrong with a config file
    Check(CheckArgs),
    /// Put a backup in the place of the database
    Restore(RestoreArgs),
    Setup(SetupArgs),
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print completions for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write all of them
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// An existing directory for all pages [default: the main page, to standard output]
        dir: Option<PathBuf>,
    },
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  ssmglobal completions bash > ~/.local/share/bash-completion/completions/ssmglobal
  ssmglobal completions zsh > ~/.zfunc/_ssmglobal
  ssmglobal completions fish > ~/.config/fish/completions/ssmglobal.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  ssmglobal man | man -l -           read it here
  ssmglobal man ~/.local/share/man/man1
  man ssmglobal-ctl                  then, for any command";

/// How the listener starts the handler. A parser of its own, so that no help, man page or completion
/// speaks of it.
#[derive(Debug, Parser)]
#[command(name = "ssmglobal handler", about = "Started by the listener; not to be typed")]
pub struct HandlerArgs {
    /// The descriptor at which workers ask for a link.
    #[arg(long)]
    pub rendezvous: i32,

    /// The descriptor of the stream to the listener.
    #[arg(long)]
    pub control: i32,

    /// The descriptor of the memory that one handler leaves to the next.
    #[arg(long)]
    pub journal: i32,

    /// The user to become, where it was started by root.
    #[arg(long, requires = "group")]
    user: Option<u32>,

    /// That user's group.
    #[arg(long, requires = "user")]
    group: Option<u32>,
}

impl HandlerArgs {
    /// The command's name, which must come first.
    pub const NAME: &'static str = "handler";

    /// Whom it is to become.
    pub fn user(&self) -> Option<Ids> {
        self.user.zip(self.group).map(|(user, group)| Ids { user, group })
    }
}

impl Cli {
    /// Reads the command line; ends the process with 2 and a word of help when it makes no sense. Who has asked `ctl` for JSON
    /// gets that word as JSON.
    pub fn read(args: &[OsString]) -> Cli {
        let read = Cli::try_parse_from(args).and_then(|cli| match cli.misplaced() {
            Some(text) => Err(Cli::command().error(ErrorKind::ArgumentConflict, text)),
            None => Ok(cli),
        });
        read.unwrap_or_else(|error| {
            if error.use_stderr() && wants_json(args) {
                Trouble::usage(&error).tell(true);
                std::process::exit(error.exit_code());
            }
            error.exit()
        })
    }

    /// Options of running make no sense with a command; to ignore them would be a surprise.
    fn misplaced(&self) -> Option<&'static str> {
        let wrong = self.command.is_some() && self.run != RunArgs::default();
        wrong.then_some("the options of running go without a command; only --config and --data go with one")
    }

    /// The layer of settings that the command line adds.
    pub fn overrides(&self) -> Overrides {
        let run = self.run.clone();
        Overrides {
            address: run.address,
            port: run.port,
            line: run.line_bytes,
            timeout: run.timeout,
            clients: run.clients,
            clients_per_address: run.per_address,
            server_delay: run.delay,
            auto_save: run.autosave,
            data: self.place.data.clone(),
            log_level: run.log_level,
        }
    }
}

/// Whether this is `ctl … --json`, as far as that can be told of a command line that makes no sense.
fn wants_json(args: &[OsString]) -> bool {
    let words = args.iter().take_while(|word| *word != "--");
    words.skip_while(|word| *word != "ctl").any(|word| word == "--json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once(&"ssmglobal").chain(words))
    }

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
        HandlerArgs::command().debug_assert();
    }

    #[test]
    fn the_options_of_the_original_still_work() {
        let words = "-a 127.0.0.1 -p 4000 -b 1024 -t 10 -m 32 -c 4 -D 0.02 -A 300";
        let cli = parse(&words.split(' ').collect::<Vec<_>>()).unwrap();
        let expected = Overrides {
            address: Some([127, 0, 0, 1].into()),
            port: Some(4000),
            line: Some(1024),
            timeout: Some(10),
            clients: Some(32),
            clients_per_address: Some(4),
            server_delay: Some("0.02".to_owned()),
            auto_save: Some("300".to_owned()),
            ..Overrides::default()
        };
        assert_eq!(cli.overrides(), expected);
        assert!(cli.command.is_none());
    }

    #[test]
    fn without_options_nothing_is_overridden() {
        assert_eq!(parse(&[]).unwrap().overrides(), Overrides::default());
    }

    #[test]
    fn options_of_running_are_refused_beside_a_command() {
        assert!(parse(&["-p", "4000", "check"]).unwrap().misplaced().is_some());
        assert!(parse(&["--data", "x", "ctl", "status"]).unwrap().misplaced().is_none());
    }

    #[test]
    fn an_unknown_level_is_told_the_known_ones() {
        let error = parse(&["--log-level", "loud"]).unwrap_err().to_string();
        assert!(error.contains("info"), "{error}");
    }

    #[test]
    fn the_handler_is_started_but_not_advertised() {
        let words = ["handler", "--rendezvous", "3", "--control", "4", "--journal", "5"];
        let args = HandlerArgs::try_parse_from(words).unwrap();
        assert_eq!((args.rendezvous, args.control, args.journal), (3, 4, 5));
        let help = Cli::command().render_long_help().to_string();
        assert!(!help.contains("--rendezvous") && !help.contains("handler"), "{help}");
    }
}
