//! `ssmglobal ctl server`: the game servers and their keys.

use clap::Subcommand;
use serde::Serialize;
use ssmglobal_ipc::ctl::{Ask, Key, ServerRow};

use super::sure::Sure;
use super::table::{Align, table};
use super::trouble::Trouble;
use crate::print::{self, clean};

/// Game servers and their keys.
#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Let a game server in; prints its key, this once
    Add {
        /// Its name
        name: String,
    },
    /// Show all game servers
    List,
    /// Make a new key; connections made with the old one are logged out
    RotateKey {
        /// Its name
        name: String,
    },
    /// Refuse it from now on, and log its connections out
    Disable {
        /// Its name
        name: String,
    },
    /// Take it again
    Enable {
        /// Its name
        name: String,
    },
    /// Call it otherwise; its key and all that it owns stay, and so do its connections
    Rename {
        /// Its name
        name: String,
        /// What it is called from then on
        new: String,
    },
    /// Take it away, with its key, its settings and the letters that it has sent; scores that it has submitted stay
    Delete {
        /// Its name
        name: String,
        /// How it is asked back.
        #[command(flatten)]
        sure: Sure,
    },
    /// Let it do more than others
    Allow {
        /// Its name
        name: String,
        /// What
        what: ServerRight,
    },
    /// Let it do that no longer
    Forbid {
        /// Its name
        name: String,
        /// What
        what: ServerRight,
    },
}

/// What a game server does only by the operator's leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ServerRight {
    /// Check players' passwords: LOGIN CHECK
    LoginCheck,
}

impl ServerCommand {
    /// The question.
    ///
    /// # Errors
    /// Whoever was asked back does not want it.
    pub fn ask(self) -> Result<Ask, Trouble> {
        Ok(match self {
            ServerCommand::Rename { name, new } => Ask::ServerRename { name, new },
            ServerCommand::Delete { name, sure } => {
                let what = "its key, its settings and the letters that it has sent";
                sure.ask(&format!("The game server {name} will be deleted for good, with {what}."))?;
                Ask::ServerDelete { name }
            }
            ServerCommand::Add { name } => Ask::ServerAdd { name },
            ServerCommand::List => Ask::ServerList,
            ServerCommand::RotateKey { name } => Ask::ServerRotateKey { name },
            ServerCommand::Disable { name } => Ask::ServerDisable { name, disabled: true },
            ServerCommand::Enable { name } => Ask::ServerDisable { name, disabled: false },
            ServerCommand::Allow { name, what: ServerRight::LoginCheck } => {
                Ask::ServerAllow { name, login_check: true }
            }
            ServerCommand::Forbid { name, what: ServerRight::LoginCheck } => {
                Ask::ServerAllow { name, login_check: false }
            }
        })
    }
}

/// The line with which a game server proves who it is.
#[derive(Serialize)]
struct Auth<'a> {
    cmd: &'a str,
    args: AuthArgs<'a>,
}

#[derive(Serialize)]
struct AuthArgs<'a> {
    name: &'a str,
    key: &'a str,
}

/// A new key for whoever sets up the game server.
pub fn key_text(key: &Key) -> String {
    let args = AuthArgs { name: &key.server, key: key.key.expose() };
    let auth = print::json(&Auth { cmd: "AUTH", args });
    format!(
        "The key of the game server {}:\n\n  {}\n\n\
         Put it where only the game server can read it: it is not shown again, and only its hash is kept.\n\
         After \"MODE SERVER\" the game server sends this line first:\n\n  {auth}\n",
        clean(&key.server),
        clean(key.key.expose()),
    )
}

/// All game servers, by name.
pub fn list_text(rows: &[ServerRow]) -> String {
    if rows.is_empty() {
        return "There is no game server yet. Let one in with `ssmglobal ctl server add NAME`.\n".to_owned();
    }
    let mut rows: Vec<&ServerRow> = rows.iter().collect();
    rows.sort_by_cached_key(|row| (row.server.to_lowercase(), row.server.clone()));
    let columns = [
        ("SERVER", Align::Left),
        ("ADDED", Align::Left),
        ("LAST AUTH", Align::Left),
        ("CONNECTIONS", Align::Right),
        ("STATE", Align::Left),
    ];
    let cells = rows.into_iter().map(|row| {
        [
            row.server.clone(),
            row.added.to_string(),
            row.last_auth.map_or("never".to_owned(), |time| time.to_string()),
            row.sessions.to_string(),
            if row.disabled { "disabled" } else { "enabled" }.to_owned(),
        ]
    });
    table(columns, cells)
}
