//! `ssmglobal ctl player`: the registered players.

use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;
use ssmglobal_ipc::ctl::{Ask, PlayerDetail, PlayerLogins, PlayerPage, PlayerTimes};

use super::password;
use super::requests::PlayerTable;
use super::table::{Align, facts, number, table};
use super::trouble::Trouble;
use crate::print::clean;

const PASSWORD_EXAMPLES: &str = "\
The password is asked for without echo, or is read as one line where standard input is no terminal. It is
never given on the command line, which every user of the machine can see.

Examples:
  ssmglobal ctl player set-password alice
  pass show alice | ssmglobal ctl player set-password alice";

/// Registered players.
#[derive(Debug, Subcommand)]
pub enum PlayerCommand {
    /// Show the players, by name
    List {
        /// Players at once
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only those behind this name
        #[arg(long, value_name = "NAME")]
        after: Option<String>,
    },
    /// Show all about one player, except the password
    Show {
        /// The name
        name: String,
    },
    /// Refuse the login from now on, and log out whoever is on
    Disable {
        /// The name
        name: String,
        /// What the player reads at the next login
        #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), default_value = "The operator has disabled this account.")]
        reason: String,
    },
    /// Let the player log in again
    Enable {
        /// The name
        name: String,
    },
    /// Set another password, and log out whoever is on
    #[command(after_help = PASSWORD_EXAMPLES)]
    SetPassword {
        /// The name
        name: String,
    },
    #[command(flatten)]
    Table(PlayerTable),
}

impl PlayerCommand {
    /// The question; reads the password where one is needed.
    pub fn ask(self) -> Result<Ask, Trouble> {
        Ok(match self {
            PlayerCommand::List { limit, after } => Ask::PlayerList { limit, after },
            PlayerCommand::Show { name } => Ask::PlayerShow { name },
            PlayerCommand::Disable { name, reason } => Ask::PlayerDisable { name, reason, disabled: true },
            PlayerCommand::Enable { name } => Ask::PlayerDisable { name, reason: String::new(), disabled: false },
            PlayerCommand::SetPassword { name } => {
                let password = password::read(&name)?;
                Ask::PlayerSetPassword { name, password }
            }
            PlayerCommand::Table(command) => command.ask(),
        })
    }
}

/// A page of players.
pub fn page_text(page: &PlayerPage) -> String {
    if page.players.is_empty() {
        return "There is no such player.\n".to_owned();
    }
    let columns =
        [("PLAYER", Align::Left), ("REGISTERED", Align::Left), ("LAST LOGIN", Align::Left), ("STATE", Align::Left)];
    let cells = page.players.iter().map(|row| {
        [
            row.player.clone(),
            row.registered.to_string(),
            row.last_login.map_or("never".to_owned(), |time| time.to_string()),
            if row.disabled { "disabled" } else { "enabled" }.to_owned(),
        ]
    });
    let mut text = table(columns, cells);
    if let Some(next) = &page.next {
        text.push_str(&format!("There are more: add --after {}\n", clean(next)));
    }
    text
}

/// How his logins went: what he is asked for who cannot log in.
fn logins_text(logins: &PlayerLogins) -> [(&'static str, String); 3] {
    let from = |address: &Option<String>, nowhere: &str| {
        address.as_ref().map_or(nowhere.to_owned(), |address| format!(" from {address}"))
    };
    let failures = match logins.last_failure.filter(|_| logins.failures > 0) {
        Some(at) => {
            format!("{} since the last login, at {at}{}", number(logins.failures.into()), from(&logins.failed_from, ""))
        }
        None => "none since the last login".to_owned(),
    };
    let slowed = logins.slowed_until.map_or("no".to_owned(), |until| {
        format!("until {until}{}", from(&logins.slowed_from, " from addresses that are new to him"))
    });
    [
        ("last address", logins.last_address.clone().unwrap_or("unknown".to_owned())),
        ("failed logins", failures),
        ("slowed down", slowed),
    ]
}

/// All about one player; an older backend tells nothing of his times and of how his logins went.
pub fn detail_text(player: &PlayerDetail, times: Option<&PlayerTimes>, logins: Option<&PlayerLogins>) -> String {
    let state = match &player.disabled {
        Some(reason) => format!("disabled: {reason}"),
        None => "enabled".to_owned(),
    };
    let mut shown = vec![
        ("player", player.player.clone()),
        ("email", player.email.clone().unwrap_or("none".to_owned())),
        ("registered", player.registered.to_string()),
        ("last login", player.last_login.map_or("never".to_owned(), |time| time.to_string())),
        ("state", state),
    ];
    shown.extend(logins.map(logins_text).into_iter().flatten());
    shown.extend([
        ("sessions", player.sessions.to_string()),
        ("mail", format!("{} ({} unread)", player.mails, player.unread)),
        ("settings", player.settings.to_string()),
    ]);
    if let Some(times) = times {
        let bound = times.session_minutes.map_or("none".to_owned(), |minutes| format!("{minutes} min"));
        shown.push(("login limit", bound));
        shown.push(("times on", number(times.times_on)));
        shown.push(("minutes on", number(times.minutes_on)));
    }
    facts(&shown)
}
