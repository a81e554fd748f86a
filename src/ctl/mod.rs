//! `ssmglobal ctl`: the operator asks the running backend over its Unix socket. One question per process;
//! the answer goes to standard output, for people or as JSON.

mod answer;
mod board;
mod database;
mod link;
mod password;
mod penalty;
mod player;
mod requests;
mod server;
mod sessions;
mod status;
mod table;
mod top;
mod trouble;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use ssmglobal_ipc::Code;
use ssmglobal_ipc::ctl::{Answer, Ask};

use crate::location::Location;
use crate::print;
use link::{Link, Patience};
pub use trouble::Trouble;

const EXAMPLES: &str = "\
Examples:
  ssmglobal ctl status
  ssmglobal ctl top                           the same, live
  ssmglobal ctl server add arena              prints the key of the game server, once
  ssmglobal ctl board define race-1 --unit ms --better lower
  ssmglobal ctl world add Atlantis bob --users 100    prints the hosting password, once
  ssmglobal ctl right grant bob operator      bob may do what the operator may
  ssmglobal ctl player limit bob 90           one login of bob's lasts 90 minutes at the most
  ssmglobal ctl sessions list
  ssmglobal ctl penalty clear 203.0.113.7     lets that address in again
  ssmglobal ctl player disable mallory --reason \"Three warnings were enough.\"
  ssmglobal ctl backup /var/backups/ssmglobal-$(date +%F).db    (`ssmglobal restore` puts it back)
  ssmglobal ctl upgrade                       after a new version was installed
  ssmglobal ctl --json sessions list | jq .

Only the user that the backend runs as, and root, may ask; no password is needed.
Exit status: 0 done, 1 refused or failed, 2 the command line makes no sense, 3 the backend does not run.";

/// Keeps what all of them have apart from what only one has.
const HEADING: &str = "Options of all ctl commands";

/// Ask the running backend, or tell it what to do
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct CtlArgs {
    /// The config file that names the data directory
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING)]
    config: Option<PathBuf>,

    /// The data directory of the backend [default: from the config, else data]
    #[arg(long, value_name = "DIR", global = true, help_heading = HEADING)]
    data: Option<PathBuf>,

    /// Print the answer, or the error, as one line of JSON
    #[arg(long, global = true, help_heading = HEADING)]
    json: bool,

    #[command(subcommand)]
    command: CtlCommand,
}

/// What the operator can do.
#[derive(Debug, Subcommand)]
enum CtlCommand {
    /// Game servers and their keys
    #[command(subcommand)]
    Server(server::ServerCommand),
    /// Registered players
    #[command(subcommand)]
    Player(player::PlayerCommand),
    /// Boards and what stands on them
    #[command(subcommand)]
    Board(board::BoardCommand),
    #[command(flatten)]
    Table(requests::TableCommand),
    /// Who is connected
    #[command(subcommand)]
    Sessions(sessions::SessionsCommand),
    /// Addresses that have to wait, since something from there went wrong
    #[command(subcommand)]
    Penalty(penalty::PenaltyCommand),
    /// How the backend is, and how it does
    Status,
    /// The same, live; q ends it
    Top,
    /// All numbers as Prometheus reads them
    Metrics,
    /// Copy the database while it is in use
    Backup {
        /// The copy; must not exist yet
        file: PathBuf,
    },
    /// Let another version of the program take over, without anybody losing his connection
    ///
    /// The new program first checks itself, the settings and the database while everything goes on as before. If it could
    /// not take over, the command says why, and nothing has changed.
    Upgrade {
        /// The new program [default: the file that the backend was started from]
        #[arg(long, value_name = "FILE")]
        binary: Option<PathBuf>,
    },
    /// Look for damage in a database file, also while the backend does not run
    Verify {
        /// A backup [default: the live database]
        file: Option<PathBuf>,
    },
}

impl CtlCommand {
    fn ask(self) -> Result<Ask, Trouble> {
        match self {
            CtlCommand::Server(command) => Ok(command.ask()),
            CtlCommand::Player(command) => command.ask(),
            CtlCommand::Board(command) => Ok(command.ask()),
            CtlCommand::Table(command) => Ok(command.ask()),
            CtlCommand::Sessions(command) => Ok(command.ask()),
            CtlCommand::Status | CtlCommand::Top | CtlCommand::Metrics => Ok(Ask::Numbers),
            CtlCommand::Penalty(command) => Ok(command.ask()),
            CtlCommand::Backup { file } => database::backup(&file),
            CtlCommand::Upgrade { binary } => upgrade(binary.as_deref()),
            CtlCommand::Verify { file } => database::verify(file.as_deref()),
        }
    }
}

/// Asks and prints. `place` is what was said about config and data in front of `ctl`.
pub fn run(args: CtlArgs, place: Location) -> ExitCode {
    let json = args.json;
    let place = Location { config: args.config, data: args.data }.or(place);
    if matches!(args.command, CtlCommand::Top) {
        return top::run(&place, json);
    }
    let for_prometheus = matches!(args.command, CtlCommand::Metrics) && !json;
    let result = ask(args.command, place, json).and_then(|(ask, answer)| {
        let text = match for_prometheus {
            true => metrics(&answer)?,
            false if json => answer::json(&answer) + "\n",
            false => answer::text_for(&ask, &answer),
        };
        let lost = |error| Trouble::Here(Code::Unavailable, format!("it was done, but the answer is lost: {error}"));
        print::out(&text).map_err(lost).map(|()| exit_code(&answer))
    });
    result.unwrap_or_else(|trouble| {
        trouble.tell(json);
        trouble.exit_code()
    })
}

fn metrics(answer: &Answer) -> Result<String, Trouble> {
    let text = match answer {
        Answer::Numbers(numbers) => ssmglobal_worker::metrics::text::text(numbers).ok(),
        _ => None,
    };
    text.ok_or_else(|| {
        Trouble::Link("the running backend tells no numbers yet: `ssmglobal ctl upgrade` first".to_owned())
    })
}

/// A damaged file is an answer, and yet not a success.
fn exit_code(answer: &Answer) -> ExitCode {
    match answer {
        Answer::Verified(verified) if !verified.ok => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

fn ask(command: CtlCommand, place: Location, json: bool) -> Result<(Ask, Answer), Trouble> {
    // Connected first: nobody should type a password for a backend that does not run.
    let link = place.clone().data().map_err(Trouble::invalid).and_then(|data| Link::open(&data));
    let mut link = match (link, &command) {
        (Ok(link), _) => link,
        (Err(_), CtlCommand::Verify { file: Some(file) }) => return verify_here(file),
        (Err(trouble), _) => return Err(trouble),
    };
    let ask = command.ask()?;
    let patience = match ask {
        Ask::Backup { .. } | Ask::Verify { .. } | Ask::Upgrade { .. } => Patience::Endless,
        _ => Patience::Short,
    };
    let mut progress = Progress::new(!json && io::stderr().is_terminal());
    let mut answer = link.ask(&ask, patience, &mut |done, total| progress.show(done, total));
    if ask == Ask::Numbers && matches!(answer, Err(Trouble::Link(_))) {
        // An older backend knows no numbers, and says nothing to what it does not know.
        answer = place
            .data()
            .map_err(Trouble::invalid)
            .and_then(|data| Link::open(&data)?.ask(&Ask::Status, Patience::Short, &mut |_, _| {}));
    }
    progress.clear();
    Ok((ask, answer?))
}

/// The backend has another working directory, and wants the whole path.
fn upgrade(binary: Option<&Path>) -> Result<Ask, Trouble> {
    let whole = |path: &Path| {
        let path = std::path::absolute(path).map_err(|error| Trouble::invalid(format!("--binary: {error}")))?;
        path.into_os_string().into_string().map_err(|_| Trouble::invalid("--binary: a path in UTF-8 is needed"))
    };
    Ok(Ask::Upgrade { program: binary.map(whole).transpose()? })
}

/// A file can be looked at without the backend.
fn verify_here(file: &Path) -> Result<(Ask, Answer), Trouble> {
    let ask = database::verify(Some(file))?;
    let found = database::verify_here(file)?;
    Ok((ask, Answer::Verified(found)))
}

/// How far a long job has got, on one line of a terminal that is wiped at the end.
struct Progress {
    /// Nothing is shown where nobody would see it move.
    visible: bool,
    shown: Option<u64>,
}

impl Progress {
    fn new(visible: bool) -> Progress {
        Progress { visible, shown: None }
    }

    fn show(&mut self, done: u64, total: u64) {
        let percent = percent(done, total);
        if self.visible && self.shown != Some(percent) {
            self.shown = Some(percent);
            print::prompt(&format!("\r{percent:3} %"));
        }
    }

    fn clear(&mut self) {
        if self.shown.take().is_some() {
            print::prompt("\r     \r");
        }
    }
}

fn percent(done: u64, total: u64) -> u64 {
    match total {
        0 => 100,
        _ => u64::try_from(u128::from(done.min(total)) * 100 / u128::from(total)).unwrap_or(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use ssmglobal_ipc::{PlayerLimit, Request};

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        ctl: CtlArgs,
    }

    fn parse(words: &str) -> CtlArgs {
        Alone::try_parse_from(std::iter::once("ctl").chain(words.split(' '))).map(|alone| alone.ctl).unwrap()
    }

    fn asked(words: &str) -> Ask {
        parse(words).command.ask().unwrap()
    }

    #[test]
    fn words_become_questions() {
        assert_eq!(asked("server rotate-key arena"), Ask::ServerRotateKey { name: "arena".into() });
        assert_eq!(["status", "metrics", "top"].map(asked), [Ask::Numbers, Ask::Numbers, Ask::Numbers]);
        assert_eq!(asked("server enable arena"), Ask::ServerDisable { name: "arena".into(), disabled: false });
        assert_eq!(asked("player list --after bob"), Ask::PlayerList { limit: 100, after: Some("bob".into()) });
        for (words, minutes) in [("player limit bob 90", Some(90)), ("player limit bob", None)] {
            let limit = Request::PlayerLimit(PlayerLimit { player: "bob".into(), minutes });
            let mut payload = Vec::new();
            limit.put(&mut payload);
            assert_eq!(asked(words), Ask::Request { kind: 120, payload });
        }
        assert_eq!(asked("penalty clear all"), Ask::PenaltyClear { address: None });
        let clear = Ask::PenaltyClear { address: Some([192, 0, 2, 1].into()) };
        assert_eq!(asked("penalty clear 192.0.2.1"), clear);
        assert_eq!(asked("sessions kick 7 --reason x"), Ask::SessionsKick { pid: 7, reason: "x".into() });
        let withdraw = Ask::BoardWithdraw { board: "race".into(), player: "bob".into(), reason: "cheat".into() };
        assert_eq!(asked("board withdraw race bob --reason cheat"), withdraw);
        // A reason that says nothing is none.
        for words in ["sessions kick 7", "board withdraw race bob", "player disable bob"] {
            let words = format!("ctl {words} --reason=");
            assert!(Alone::try_parse_from(words.split(' ')).is_err(), "{words}");
        }
        let Ask::BoardDefine { better, operator, .. } = asked("board define k --unit ms --better lower --operator sum")
        else {
            panic!()
        };
        assert_eq!((better, operator), (ssmglobal_ipc::Better::Lower, ssmglobal_ipc::Operator::Sum));
    }

    #[test]
    fn json_and_data_may_stand_anywhere() {
        for words in ["--json --data x server list", "server list --json --data x", "server --json list --data x"] {
            let args = parse(words);
            assert!(args.json && args.data.is_some_and(|data| data == Path::new("x")), "{words}");
        }
    }

    #[test]
    fn a_password_is_no_argument() {
        assert!(Alone::try_parse_from(["ctl", "player", "set-password", "bob", "secret"]).is_err());
    }

    #[test]
    fn progress_knows_its_bounds() {
        assert_eq!([(0, 0), (1, 3), (9, 3), (u64::MAX, u64::MAX)].map(|(a, b)| percent(a, b)), [100, 33, 100, 100]);
    }
}
