//! Boards and scores in the store. Ranks are not kept: they live in memory, in the handler.
//!
//! A score is written to a log first (a row at its end costs a fraction of a page, whatever the board's size) and
//! folded into the table of standing scores later, many at once in the table's own order.

use crate::{BoardId, PlayerId, Result, ServerId};
use ssmglobal_ipc::{Better, Operator, Submitters, Time};

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
    /// Whose.
    pub player: PlayerId,
    /// What counts.
    pub score: i64,
    /// When it was reached, as a number that grows with every submit to the whole backend: breaks ties.
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
    /// whatever the board's size: with many boards, fold first ([`Writer::tidy`](crate::Writer::tidy)).
    fn standings(&self, board: BoardId, each: &mut dyn FnMut(Standing)) -> Result<()>;
    /// The highest [`Standing::order`] ever given; 0 at first.
    fn last_order(&self) -> Result<u64>;
}

/// Changing boards and scores.
pub trait WriteRecords {
    /// Adds a board, whatever number is in it. [`StoreError::Exists`](crate::StoreError::Exists) when the name is taken.
    fn board_add(&mut self, board: &Board) -> Result<BoardId>;
    /// Changes unit and submitters of a board, and `better` and operator too; the caller has checked that these may change.
    fn board_change(&mut self, board: &Board) -> Result<()>;
    /// What stands for this player from now on: one row at the end of the log. `standing.order` must be higher than any
    /// before, and fit into 63 bits.
    fn record_put(&mut self, board: BoardId, standing: &Standing) -> Result<()>;
    /// Takes a player's score off a board and keeps what it was, with the reason. `order` as in [`Standing`]. Two
    /// changes, both or none.
    fn record_withdraw(&mut self, board: BoardId, was: &Standing, order: u64, at: Time, reason: &str) -> Result<()>;
}
