//! `ssmglobal ctl`: the operator asks the running backend over its Unix socket. One question per process;
//! the answer goes to standard output, for people or as JSON.

mod answer;
mod backup;
mod board;
mod database;
mod find;
mod link;
mod log;
mod meant;
mod password;
mod penalty;
mod player;
mod probe;
mod reload;
mod requests;
mod said;
mod server;
mod sessions;
mod starting;
mod status;
mod stop;
mod sure;
mod table;
mod top;
mod trouble;
mod world;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use ssmglobal_ipc::Code;
use ssmglobal_ipc::ctl::{Answer, Ask};

use crate::location::Location;
use crate::print;
pub use find::STANDARD_DATA;
use find::{Meant, Note};
use link::{Link, Patience};
use sure::Sure;
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
  ssmglobal ctl log -f --player bob           what is logged of bob, from now on
  ssmglobal ctl --json sessions list | jq .

Only the user that the backend runs as, and root, may ask; no password is needed.
Board reset and delete, server delete and stop ask back at a terminal; elsewhere they need --yes.
Exit status: 0 done, 1 refused or failed, 2 the command line makes no sense, 3 the backend does not run.";

const STOP_HELP: &str = "\
New clients are taken no more, everybody who is connected gets one line, everything is saved; the command ends when all processes
have. Whatever has started the backend may start it again: under systemd, runit or another supervisor, tell that one to stop it.";

const LOG_EXAMPLES: &str = "\
The backend keeps its newest lines in memory: 5000 of them, and 1 MiB. What is logged at all is said by log.level in the config.
With --follow it goes on when a part of the backend is restarted or upgraded, and ends with the backend.

Examples:
  ssmglobal ctl log -n 20 --level warn
  ssmglobal ctl log -f --session 12
  ssmglobal ctl log -f --player bob
  ssmglobal ctl --json log -f | jq -r '.data.lines[].text'";

/// Keeps what all of them have apart from what only one has.
const HEADING: &str = "Options of all ctl commands";

/// Ask the running backend, or tell it what to do
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct CtlArgs {
    /// The config file that names the data directory
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING)]
    config: Option<PathBuf>,

    /// The data directory of the backend [default: the one that runs, of what the config names, /var/lib/ssmglobal and data]
    #[arg(long, value_name = "DIR", global = true, help_heading = HEADING)]
    data: Option<PathBuf>,

    /// Wait so long for a backend that does not serve yet [default: 30 while it starts, else 0]
    #[arg(long, value_name = "SECONDS", global = true, help_heading = HEADING, value_parser = clap::value_parser!(u32).range(..=86_400))]
    wait: Option<u32>,

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
    /// Worlds that have a licence, and worlds that are played through us
    #[command(subcommand)]
    World(world::WorldCommand),
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
    /// Read the config file again; says what has changed, or what is wrong
    Reload,
    /// End everything in order, and wait for the end
    #[command(after_help = STOP_HELP)]
    Stop {
        /// How it is asked back.
        #[command(flatten)]
        sure: Sure,
    },
    /// Show what was logged of late, and follow what is logged from now on
    #[command(after_help = LOG_EXAMPLES)]
    Log(log::LogArgs),
    /// Copy the database while it is in use
    ///
    /// The copy is written by whoever asks, so any directory of his will do. The backend makes it beside the database first,
    /// which takes as much room again for a moment.
    Backup {
        /// The copy, which must not exist yet; `-` is standard output
        file: PathBuf,

        /// Let the backend write it, where its user may: takes no room beside the database
        #[arg(long)]
        direct: bool,
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
            CtlCommand::Server(command) => command.ask(),
            CtlCommand::Player(command) => command.ask(),
            CtlCommand::Board(command) => command.ask(),
            CtlCommand::World(command) => Ok(command.ask()),
            CtlCommand::Table(command) => Ok(command.ask()),
            CtlCommand::Sessions(command) => Ok(command.ask()),
            CtlCommand::Status | CtlCommand::Top | CtlCommand::Metrics => Ok(Ask::Numbers),
            CtlCommand::Penalty(command) => Ok(command.ask()),
            CtlCommand::Reload => Ok(Ask::Reload),
            CtlCommand::Stop { sure } => sure.ask(stop::WHAT).map(|()| Ask::Stop),
            CtlCommand::Log(args) => Ok(args.ask()),
            CtlCommand::Backup { file, .. } => database::backup(&file),
            CtlCommand::Upgrade { binary } => upgrade(binary.as_deref()),
            CtlCommand::Verify { file } => database::verify(file.as_deref()),
        }
    }
}

/// Asks and prints. `place` is what was said about config and data in front of `ctl`.
pub fn run(args: CtlArgs, place: Location) -> ExitCode {
    let (json, wait) = (args.json, args.wait);
    let place = Location { config: args.config, data: args.data }.or(place);
    if matches!(args.command, CtlCommand::Top) {
        return top::run(&place, json);
    }
    if let CtlCommand::Log(log) = &args.command
        && log.follows()
    {
        return follow(log, place, json).unwrap_or_else(|trouble| told(&trouble, json));
    }
    if let CtlCommand::World(world::WorldCommand::Probe(probed)) = &args.command {
        return probe::run(probed, place, wait, json).unwrap_or_else(|trouble| told(&trouble, json));
    }
    let for_prometheus = matches!(args.command, CtlCommand::Metrics) && !json;
    let for_people = !json && !for_prometheus;
    let result = ask(args.command, place, wait, json).and_then(|Asked { ask, answer, mut link }| {
        if backup::told_aside(&answer, json) {
            return Ok(ExitCode::SUCCESS);
        }
        let text = match for_prometheus {
            true => metrics(&answer)?,
            false if json => answer::json(&ask, &answer) + "\n",
            false => answer::text_for(&ask, &answer),
        };
        let beside = link.as_mut().filter(|_| for_people).and_then(|link| world::beside(link, &ask, &answer));
        let text = text + &beside.unwrap_or_default();
        let lost = |error| Trouble::Here(Code::Unavailable, format!("it was done, but the answer is lost: {error}"));
        print::out(&text).map_err(lost).map(|()| exit_code(&answer))
    });
    result.unwrap_or_else(|trouble| told(&trouble, json))
}

fn told(trouble: &Trouble, json: bool) -> ExitCode {
    trouble.tell(json);
    trouble.exit_code()
}

fn follow(args: &log::LogArgs, place: Location, json: bool) -> Result<ExitCode, Trouble> {
    let meant = find::backend(place).map_err(Trouble::invalid)?;
    tell(meant.note.as_ref());
    log::follow(connect(&meant, None)?, &meant.data, args, json)
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

/// A question, its answer, and the way to the backend, where it was asked.
struct Asked {
    ask: Ask,
    answer: Answer,
    link: Option<Link>,
}

impl From<(Ask, Answer)> for Asked {
    fn from((ask, answer): (Ask, Answer)) -> Asked {
        Asked { ask, answer, link: None }
    }
}

fn ask(command: CtlCommand, place: Location, wait: Option<u32>, json: bool) -> Result<Asked, Trouble> {
    let meant = find::backend(place).map_err(Trouble::invalid);
    if let CtlCommand::Verify { file: Some(file) } = &command
        && !meant.as_ref().is_ok_and(|meant| database::is_living(&meant.data, file))
    {
        return verify_here(file).map(Asked::from);
    }
    let meant = meant?;
    tell(meant.note.as_ref());
    // Connected first: nobody should type a password for a backend that does not run.
    let mut link = match (connect(&meant, wait), &command) {
        (Ok(link), CtlCommand::Backup { file, direct: false }) => {
            return backup::run(link, file, json, &|| Link::open(&meant.data)).map(Asked::from);
        }
        (Ok(link), _) => link,
        (Err(_), CtlCommand::Verify { file: Some(file) }) => return verify_here(file).map(Asked::from),
        (Err(trouble), _) => return Err(trouble),
    };
    let ask = command.ask()?;
    let patience = match ask {
        Ask::Backup { .. } | Ask::Verify { .. } | Ask::Upgrade { .. } => Patience::Endless,
        _ => Patience::Short,
    };
    let mut progress = Progress::new(!json && io::stderr().is_terminal());
    let mut answer = link.ask(&ask, patience, &mut |done, total| progress.show(done, total));
    if ask == Ask::Numbers && matches!(answer, Err(Trouble::Closed)) {
        // An older backend knows no numbers, and says nothing to what it does not know.
        answer = Link::open(&meant.data).and_then(|mut link| link.ask(&Ask::Status, Patience::Short, &mut |_, _| {}));
    }
    progress.clear();
    let answer = answer.map_err(|trouble| meant::with_hint(&mut link, &ask, trouble))?;
    if let Answer::Stopping { listener } = answer {
        stop::wait_for_end(listener)?;
    }
    Ok(Asked { ask, answer, link: Some(link) })
}

/// Which backend is asked, where that may be news.
fn tell(note: Option<&Note>) {
    match note {
        Some(Note::Said(text)) => print::note(&format!("ssmglobal: {}", print::clean(text))),
        Some(Note::Aside(text)) if io::stderr().is_terminal() => {
            print::note(&format!("ssmglobal: {}", print::clean(text)));
        }
        _ => {}
    }
}

/// Connects, and waits for a backend that is starting, or as long as whoever asks wants to.
fn connect(meant: &Meant, wait: Option<u32>) -> Result<Link, Trouble> {
    let trouble = match Link::open(&meant.data) {
        Err(Trouble::NotRunning(at)) => Trouble::NotRunning(at.into_iter().chain(meant.sockets()).collect()),
        other => return other,
    };
    // Looked up before anybody is told to wait: it may give up from then on.
    let begun = starting::is_locked(&meant.data);
    let wait =
        wait.map_or_else(|| starting::patience(&meant.data, begun), |seconds| Duration::from_secs(seconds.into()));
    if wait.is_zero() {
        return Err(trouble);
    }
    if io::stderr().is_terminal() && wait >= starting::STARTING {
        print::note("ssmglobal: the backend does not serve yet; waiting for it (Ctrl-C gives up)");
    }
    let open = || match Link::open(&meant.data) {
        Err(Trouble::NotRunning(_)) => None,
        done => Some(done),
    };
    match starting::until(&meant.data, wait, begun, open) {
        Ok(Some(link)) => link,
        Ok(None) => Err(trouble),
        Err(error) => Err(Trouble::Link(format!("{trouble}. It cannot be waited for: {error}"))),
    }
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
        for target in ["7", "bob", "2001:db8::7"] {
            let end = Ask::SessionsEnd { target: target.into(), reason: "x".into() };
            assert_eq!(asked(&format!("sessions kick {target} --reason x")), end);
        }
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
