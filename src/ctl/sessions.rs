//! `ssmglobal ctl sessions`: who is connected.

use clap::Subcommand;
use serde::Serialize;
use ssmglobal_ipc::ctl::{Ask, Connection, SessionRow};

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
        #[arg(long, value_name = "TEXT", default_value = "The operator has ended this connection.")]
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

/// A connection as one object.
#[derive(Serialize)]
pub struct Shown<'a> {
    #[serde(flatten)]
    row: &'a SessionRow,
    version: &'a str,
}

/// As programs are shown them.
pub fn shown(connections: &[Connection]) -> Vec<Shown<'_>> {
    connections.iter().map(|Connection { row, version }| Shown { row, version }).collect()
}

/// All connections, the oldest first.
pub fn list_text(connections: &[Connection]) -> String {
    if connections.is_empty() {
        return "Nobody is connected.\n".to_owned();
    }
    let mut connections: Vec<&Connection> = connections.iter().collect();
    connections.sort_by_key(|connection| (connection.row.since, connection.row.pid));
    let columns = [
        ("PID", Align::Right),
        ("ADDRESS", Align::Left),
        ("MODE", Align::Left),
        ("WHO", Align::Left),
        ("SINCE", Align::Left),
        ("IDLE", Align::Right),
        ("VERSION", Align::Left),
    ];
    let cells = connections.into_iter().map(|Connection { row, version }| {
        [
            row.pid.to_string(),
            row.address.clone(),
            row.mode.map_or("-", |mode| mode.as_str()).to_owned(),
            row.who.clone().unwrap_or("-".to_owned()),
            row.since.to_string(),
            row.idle.map_or("-".to_owned(), span),
            version.clone(),
        ]
    });
    table(columns, cells)
}

/// What a backend says that knows of no versions.
pub fn without_version(rows: &[SessionRow]) -> Vec<Connection> {
    rows.iter().map(|row| Connection { row: row.clone(), version: "-".to_owned() }).collect()
}
