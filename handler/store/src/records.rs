//! Boards and scores in the store. Ranks are not kept: they live in memory, in the handler.
//!
//! A score is written to a log first (a row at its end costs a fraction of a page, whatever the board's size) and
//! folded into the table of standing scores later, many at once in the table's own order.

use crate::{BoardId, PlayerId, Result, ServerId};
use ssmglobal_ipc::Time;

/// Which scores are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Better {
    /// A time, a number of moves.
    Lower,
    /// More is better: a number of points.
    Higher,
}

/// What a further score of the same player does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The better of the two stays.
    Best,
    /// The new one replaces the old.
    Last,
    /// They are added.
    Sum,
    /// The number of submits counts, whatever was submitted.
    Count,
}

/// Who may submit to a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Submitters {
    /// Game servers only.
    Servers,
    /// Game servers, and every player for himself.
    Players,
}

/// A board as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Its number.
    pub id: BoardId,
    /// Its name, unique without regard to ASCII case.
    pub name: String,
    /// What its scores are.
    pub unit: String,
    /// Which are better.
    pub better: Better,
    /// What a further score does.
    pub operator: Operator,
    /// Who may submit.
    pub submit: Submitters,
}

/// What stands for one player on one board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The player who has reached it.
    pub player: PlayerId,
    /// The score that counts, in the board's unit.
    pub score: i64,
    /// From [`Sequence::Order`](crate::Sequence::Order): breaks ties, and says nothing else.
    pub order: u64,
    /// When it was reached.
    pub at: Time,
    /// The game server that submitted it.
    pub server: Option<ServerId>,
    /// What was sent along.
    pub note: Option<Box<str>>,
}

/// Reading boards and scores.
pub trait ReadRecords {
    /// All boards, by name.
    fn boards(&self) -> Result<Vec<Board>>;
    /// All that stands on a board, in any order, once for each player: table and log together. Reads the log twice,
    /// whatever the board's size.
    fn standings(&self, board: BoardId, each: &mut dyn FnMut(Standing)) -> Result<()>;
}
