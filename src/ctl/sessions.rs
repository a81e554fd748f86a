//! `ssmglobal ctl sessions`: who is connected.

use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;
use ssmglobal_ipc::Party;
use ssmglobal_ipc::ctl::{Ask, SessionRow};

use super::table::{Align, span, table};

/// Who is connected.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// Show all connections, the oldest first
    List,
    /// End one connection
    Kick {
        /// The process id of its worker, as `sessions list` and `ps` show it
        #[arg(value_parser = clap::value_parser!(i32).range(1..))]
        pid: i32,
        /// What the client is told
        #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), default_value = "The operator has ended this connection.")]
        reason: String,
    },
}

impl SessionsCommand {
    /// The question.
    pub fn ask(self) -> Ask {
        match self {
            SessionsCommand::List => Ask::SessionsList,
            SessionsCommand::Kick { pid, reason } => Ask::SessionsKick { pid, reason },
        }
    }
}

/// All connections, the oldest first.
pub fn list_text(rows: &[SessionRow]) -> String {
    if rows.is_empty() {
        return "Nobody is connected.\n".to_owned();
    }
    let mut rows: Vec<&SessionRow> = rows.iter().collect();
    rows.sort_by_key(|row| (row.since, row.pid));
    let columns = [
        ("PID", Align::Right),
        ("ADDRESS", Align::Left),
        ("MODE", Align::Left),
        ("WHO", Align::Left),
        ("SINCE", Align::Left),
        ("IDLE", Align::Right),
        ("VERSION", Align::Left),
    ];
    let cells = rows.into_iter().map(|row| {
        [
            row.pid.to_string(),
            row.address.clone(),
            row.mode.map_or("-", |mode| mode.as_str()).to_owned(),
            row.who.as_ref().map_or("-".to_owned(), |who| Party::parse(who).for_people()),
            row.since.to_string(),
            row.idle.map_or("-".to_owned(), span),
            row.version.clone(),
        ]
    });
    table(columns, cells)
}
