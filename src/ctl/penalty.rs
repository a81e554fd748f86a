//! `ssmglobal ctl penalty`: addresses that have to wait, since something from there went wrong.

use clap::Subcommand;
use ssmglobal_ipc::ctl::{Ask, PenaltyRow, Stops};
use std::net::IpAddr;

use super::table::{Align, table};

/// The word for every address.
const ALL: &str = "all";

/// Whose waiting time is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose(Option<IpAddr>);

fn whose(text: &str) -> Result<Whose, String> {
    match text {
        ALL => Ok(Whose(None)),
        _ => text.parse().map(|address| Whose(Some(address))).map_err(|_| format!("an address is needed, or `{ALL}`")),
    }
}

/// Addresses that have to wait.
#[derive(Debug, Subcommand)]
pub enum PenaltyCommand {
    /// Show which addresses have to wait, for what, and until when
    List,
    /// Let an address wait no longer; what has failed from there is forgotten
    Clear {
        /// The address (of IPv6 its network of 64 bits is meant), or `all`
        #[arg(value_name = "ADDRESS|all", value_parser = whose)]
        address: Whose,
    },
}

impl PenaltyCommand {
    /// The question.
    pub fn ask(self) -> Ask {
        match self {
            PenaltyCommand::List => Ask::PenaltyList,
            PenaltyCommand::Clear { address: Whose(address) } => Ask::PenaltyClear { address },
        }
    }
}

/// All of them, by address.
pub fn list_text(rows: &[PenaltyRow]) -> String {
    if rows.is_empty() {
        return "Nobody has to wait.\n".to_owned();
    }
    let columns = [
        ("ADDRESS", Align::Left),
        ("STOPS", Align::Left),
        ("PLAYER", Align::Left),
        ("UNTIL", Align::Left),
        ("WHY", Align::Left),
    ];
    let cells = rows.iter().map(|row| {
        let stops = match row.stops {
            Stops::Connections => "connections",
            Stops::Logins => "logins",
            Stops::Registrations => "registrations",
        };
        let player = row.player.clone().unwrap_or("-".to_owned());
        [row.address.clone(), stops.to_owned(), player, row.until.to_string(), row.why.clone()]
    });
    table(columns, cells)
}

/// So many were let in again.
pub fn cleared_text(count: u32) -> String {
    match count {
        0 => "Nobody had to wait there; what had failed is forgotten.\n".to_owned(),
        1 => "1 waiting time has ended.\n".to_owned(),
        count => format!("{count} waiting times have ended.\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_all_is_meant() {
        assert_eq!(whose("all"), Ok(Whose(None)));
        assert_eq!(whose("2001:db8::1"), Ok(Whose(Some("2001:db8::1".parse().unwrap()))));
        assert!(whose("").is_err() && whose("192.0.2").is_err() && whose("bob").is_err());
    }
}
