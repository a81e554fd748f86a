//! `ssmglobal ctl sessions`: who is connected.

use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;
use ssmglobal_ipc::Party;
use ssmglobal_ipc::ctl::{Ask, SessionRow};

use super::table::{Align, span, table};

const KICK_EXAMPLES: &str = "\
A session keeps its number as long as its client is connected, also over an upgrade.

Examples:
  ssmglobal ctl sessions kick 12
  ssmglobal ctl sessions kick mallory --reason \"Please do not flood the channel.\"
  ssmglobal ctl sessions kick 203.0.113.7";

/// Who is connected.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// Show all connections, the oldest first
    List,
    /// End a connection, or all of a player or of an address
    #[command(after_help = KICK_EXAMPLES)]
    Kick {
        /// The session's number, as `sessions list` shows it; or a player, `server:NAME`, `visitor:NAME`; or an address
        #[arg(value_name = "SESSION|NAME|ADDRESS", value_parser = NonEmptyStringValueParser::new())]
        target: String,
        /// What the clients are told
        #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), default_value = "The operator has ended this connection.")]
        reason: String,
    },
}

impl SessionsCommand {
    /// The question.
    pub fn ask(self) -> Ask {
        match self {
            SessionsCommand::List => Ask::SessionsList,
            SessionsCommand::Kick { target, reason } => Ask::SessionsEnd { target, reason },
        }
    }
}

/// All connections, the oldest first.
pub fn list_text(rows: &[SessionRow]) -> String {
    if rows.is_empty() {
        return "Nobody is connected.\n".to_owned();
    }
    let mut rows: Vec<&SessionRow> = rows.iter().collect();
    rows.sort_by_key(|row| (row.since, row.session));
    let columns = [
        ("SESSION", Align::Right),
        ("WHO", Align::Left),
        ("ADDRESS", Align::Left),
        ("MODE", Align::Left),
        ("SINCE", Align::Left),
        ("IDLE", Align::Right),
        ("PID", Align::Right),
        ("VERSION", Align::Left),
    ];
    let cells = rows.into_iter().map(|row| {
        [
            row.session.map_or("-".to_owned(), |session| session.to_string()),
            who(row),
            row.address.clone(),
            row.mode.map_or("-", |mode| mode.as_str()).to_owned(),
            row.since.to_string(),
            row.idle.map_or("-".to_owned(), span),
            row.pid.to_string(),
            row.version.clone(),
        ]
    });
    table(columns, cells)
}

fn who(row: &SessionRow) -> String {
    row.who.as_ref().map_or("-".to_owned(), |who| Party::parse(who).for_people())
}

/// How many connections are ended.
pub fn ended(rows: &[SessionRow]) -> String {
    match rows.len() {
        1 => "1 connection is ended.".to_owned(),
        count => format!("{count} connections are ended."),
    }
}

/// Which connections are ended.
pub fn ended_text(rows: &[SessionRow]) -> String {
    let columns = [("SESSION", Align::Right), ("WHO", Align::Left), ("ADDRESS", Align::Left)];
    let number = |row: &SessionRow| row.session.map_or("-".to_owned(), |session| session.to_string());
    let cells = rows.iter().map(|row| [number(row), who(row), row.address.clone()]);
    format!("{}\n{}", ended(rows), table(columns, cells))
}
