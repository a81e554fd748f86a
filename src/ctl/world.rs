//! `ssmglobal ctl world`: worlds that have a licence, with the commands of the table, and worlds that are played through us.

use clap::Subcommand;
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_ipc::{Kind, PlayedRow};

use super::link::{Link, Patience};
use super::probe::ProbeArgs;
use super::requests::WorldTable;
use super::table::{Align, table};

const PROBE_EXAMPLES: &str = "\
It connects from here, not from the backend, and changes nothing. Each address is tried by itself; one that does not answer takes 3 s at
the most, one that says nothing some seconds more. Exit status 1: nobody answers at any of them.

Examples:
  ssmglobal ctl world probe mymush
  ssmglobal ctl world probe mymush --login Bob
  ssmglobal ctl --json world probe mymush | jq -r '.data.addresses[].findings[] | select(.set) | .set'";

/// What the operator can do with a world.
#[derive(Debug, Subcommand)]
pub enum WorldCommand {
    /// Show how worlds do that are played through us: up or down, where, who plays and who waits
    Played,
    /// Let a world be played at another of its addresses; who plays stays where he is, unless `failback` is `all`
    ///
    /// It stays so until the first of its addresses is chosen, which also lets the backend choose by itself again.
    Failover {
        /// The world
        name: String,
        /// One of its addresses [default: the next one]
        address: Option<String>,
    },
    /// Look at a world in the backend's place: connect, negotiate, read the login screen, and say what is to be set
    #[command(after_help = PROBE_EXAMPLES)]
    Probe(ProbeArgs),
    #[command(flatten)]
    Table(WorldTable),
}

impl WorldCommand {
    /// The question.
    pub fn ask(self) -> Ask {
        match self {
            WorldCommand::Played => Ask::PlayedList,
            WorldCommand::Failover { name, address } => Ask::WorldFailover { name, address },
            WorldCommand::Probe(args) => args.ask(),
            WorldCommand::Table(command) => command.ask(),
        }
    }
}

/// What people see of worlds that are played, beside how it all is and beside all licences; nothing where there is none.
pub fn beside(link: &mut Link, ask: &Ask, answer: &Answer) -> Option<String> {
    let is_list = matches!(ask, Ask::Request { kind, .. } if *kind == Kind::WorldList as u16);
    let wanted = match answer {
        // An older backend has no worlds in its numbers, and does not know the question.
        Answer::Numbers(numbers) => !numbers.worlds.is_empty(),
        _ => is_list,
    };
    let rows = if wanted { played(link) } else { Vec::new() };
    (!rows.is_empty()).then(|| format!("\n{}", played_text(&rows)))
}

/// Worlds that are played; none where that is not told.
pub fn played(link: &mut Link) -> Vec<PlayedRow> {
    match link.ask(&Ask::PlayedList, Patience::Short, &mut |_, _| {}) {
        Ok(Answer::Played(rows)) => rows,
        _ => Vec::new(),
    }
}

/// All of them, by name.
pub fn played_text(rows: &[PlayedRow]) -> String {
    if rows.is_empty() {
        return "No world is played through this backend.\n".to_owned();
    }
    let columns = [
        ("WORLD", Align::Left),
        ("STATE", Align::Left),
        ("SINCE", Align::Left),
        ("ADDRESS", Align::Left),
        ("PLAYING", Align::Right),
        ("WAITING", Align::Right),
        ("ALONE", Align::Right),
    ];
    let cells = rows.iter().map(|row| {
        let since = row.since.map_or_else(|| "-".to_owned(), |since| since.to_string());
        let chosen = if row.chosen { " (chosen)" } else { "" };
        let [playing, waiting, alone] = [row.playing, row.waiting, row.alone].map(|count| count.to_string());
        let address = format!("{}{chosen}", row.address);
        [row.world.clone(), row.state.as_str().to_owned(), since, address, playing, waiting, alone]
    });
    table(columns, cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_ipc::{PlayedState, Time};

    #[test]
    fn each_world_has_a_row() {
        let row = PlayedRow {
            world: "Cave".into(),
            state: PlayedState::Down,
            since: Some(Time(1_790_000_000_000)),
            address: "127.0.0.1:2860".into(),
            chosen: true,
            addresses: Vec::new(),
            playing: 1,
            waiting: 300,
            alone: 2,
        };
        let text = "WORLD  STATE  SINCE                 ADDRESS                  PLAYING  WAITING  ALONE\n\
                    Cave   down   2026-09-21T14:13:20Z  127.0.0.1:2860 (chosen)        1      300      2\n";
        assert_eq!(played_text(&[row]), text);
        assert_eq!(played_text(&[]), "No world is played through this backend.\n");
    }
}
