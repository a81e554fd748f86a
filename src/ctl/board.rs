//! `ssmglobal ctl board`: the boards and what stands on them.

use clap::builder::NonEmptyStringValueParser;
use clap::{Subcommand, ValueEnum};
use ssmglobal_ipc::ctl::Ask;
use ssmglobal_ipc::{Better, BoardRow, Operator, Submitters};

use super::sure::Sure;
use super::table::{Align, number, table};
use super::trouble::Trouble;

const DEFINE_EXAMPLES: &str = "\
Examples:
  ssmglobal ctl board define race-1 --unit ms --better lower
  ssmglobal ctl board define kills --unit points --better higher --operator sum
  ssmglobal ctl board define puzzle --unit moves --better lower --submit players";

/// Boards and what stands on them.
#[derive(Debug, Subcommand)]
pub enum BoardCommand {
    /// Make a board, or change the one of this name as far as that is possible
    #[command(after_help = DEFINE_EXAMPLES)]
    Define {
        /// Its name
        name: String,
        /// What its scores are, as ms or points
        #[arg(long)]
        unit: String,
        /// Which scores are better
        #[arg(long)]
        better: BetterWord,
        /// What a further score of the same player does
        #[arg(long, default_value = "best")]
        operator: OperatorWord,
        /// Who may submit
        #[arg(long, default_value = "servers")]
        submit: SubmitWord,
    },
    /// Show all boards
    List,
    /// Take one player's score off a board
    Withdraw {
        /// The board
        board: String,
        /// The player
        player: String,
        /// Why; kept with the withdrawal
        #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
        reason: String,
    },
    /// Take all scores off a board; the board stays
    Reset {
        /// Its name
        name: String,
        /// How it is asked back.
        #[command(flatten)]
        sure: Sure,
    },
    /// Take a board away, with all scores on it
    Delete {
        /// Its name
        name: String,
        /// How it is asked back.
        #[command(flatten)]
        sure: Sure,
    },
    /// Call a board otherwise; what stands on it stays
    Rename {
        /// Its name
        name: String,
        /// What it is called from then on
        new: String,
    },
}

/// As [`Better`], to be typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum BetterWord {
    /// A time, a number of moves
    Lower,
    /// Points
    Higher,
}

/// As [`Operator`], to be typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OperatorWord {
    /// The better of the two stays
    Best,
    /// The new one replaces the old
    Last,
    /// They are added
    Sum,
    /// The number of submits counts
    Count,
}

/// As [`Submitters`], to be typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SubmitWord {
    /// Game servers only
    Servers,
    /// Game servers, and every player for himself
    Players,
}

impl BoardCommand {
    /// The question.
    ///
    /// # Errors
    /// Whoever was asked back does not want it.
    pub fn ask(self) -> Result<Ask, Trouble> {
        Ok(match self {
            BoardCommand::Reset { name, sure } => {
                sure.ask(&format!("All scores on the board {name} will be deleted, for good."))?;
                Ask::BoardReset { name }
            }
            BoardCommand::Delete { name, sure } => {
                sure.ask(&format!("The board {name} and all scores on it will be deleted, for good."))?;
                Ask::BoardDelete { name }
            }
            BoardCommand::Rename { name, new } => Ask::BoardRename { name, new },
            BoardCommand::Define { name, unit, better, operator, submit } => Ask::BoardDefine {
                name,
                unit,
                better: match better {
                    BetterWord::Lower => Better::Lower,
                    BetterWord::Higher => Better::Higher,
                },
                operator: match operator {
                    OperatorWord::Best => Operator::Best,
                    OperatorWord::Last => Operator::Last,
                    OperatorWord::Sum => Operator::Sum,
                    OperatorWord::Count => Operator::Count,
                },
                submit: match submit {
                    SubmitWord::Servers => Submitters::Servers,
                    SubmitWord::Players => Submitters::Players,
                },
            },
            BoardCommand::List => Ask::BoardList,
            BoardCommand::Withdraw { board, player, reason } => Ask::BoardWithdraw { board, player, reason },
        })
    }
}

/// All boards, by name.
pub fn list_text(rows: &[BoardRow]) -> String {
    if rows.is_empty() {
        return "There is no board yet. Make one with `ssmglobal ctl board define NAME --unit ms --better lower`.\n"
            .to_owned();
    }
    let mut rows: Vec<&BoardRow> = rows.iter().collect();
    rows.sort_by_cached_key(|row| (row.board.to_lowercase(), row.board.clone()));
    let columns = [
        ("BOARD", Align::Left),
        ("UNIT", Align::Left),
        ("BETTER", Align::Left),
        ("OPERATOR", Align::Left),
        ("SUBMIT", Align::Left),
        ("PLAYERS", Align::Right),
    ];
    let cells = rows.into_iter().map(|row| {
        let better = match row.better {
            Better::Lower => "lower",
            Better::Higher => "higher",
        };
        let operator = match row.operator {
            Operator::Best => "best",
            Operator::Last => "last",
            Operator::Sum => "sum",
            Operator::Count => "count",
        };
        let submit = match row.submit {
            Submitters::Servers => "servers",
            Submitters::Players => "players",
        };
        let words = [better, operator, submit].map(str::to_owned);
        let [better, operator, submit] = words;
        [row.board.clone(), row.unit.clone(), better, operator, submit, number(row.total.into())]
    });
    table(columns, cells)
}
