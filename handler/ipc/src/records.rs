//! Records: boards, scores and ranks.

use crate::Time;
use crate::growing::grown;
use serde::{Deserialize, Serialize};

/// Which scores are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// A time, a number of moves.
    Lower,
    /// More is better: a number of points.
    Higher,
}

/// What a further score of the same player does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Submitters {
    /// Game servers only.
    Servers,
    /// Game servers, and every player for himself.
    Players,
}

/// `RECORD SUBMIT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSubmit {
    /// The board's name.
    pub board: String,
    /// In the board's unit.
    pub score: i64,
    /// For whom; a player may only leave it out or name himself.
    pub player: Option<String>,
    /// Kept with the score; 1 KiB at the most, unless the settings say otherwise.
    pub note: Option<String>,
}

/// `RECORD TOP`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordTop {
    /// The board's name.
    pub board: String,
    /// How many rows at the most; the handler keeps it within its own bound.
    pub limit: Option<u32>,
    /// A rank, or a page's `next`: rows behind it.
    pub after: Option<String>,
    /// A rank, or a page's `prev`: rows in front of it.
    pub before: Option<String>,
}

/// `RECORD AROUND`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordAround {
    /// The board's name.
    pub board: String,
    /// Around whom; oneself when left out.
    pub player: Option<String>,
    /// How many rows at the most, those on both sides together.
    pub limit: Option<u32>,
}

/// `RECORD SHOW`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordShow {
    /// The board's name.
    pub board: String,
    /// Whose; one's own when left out.
    pub player: Option<String>,
}

/// `RECORD WATCH` and `RECORD UNWATCH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordWatch {
    /// The board's name.
    pub board: String,
}

/// The answer to `RECORD SUBMIT`: what stands on the board after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSubmitted {
    /// The board's name.
    pub board: String,
    /// The player who has reached the score.
    pub player: String,
    /// What counts now.
    pub score: i64,
    /// 1 is the best.
    pub rank: u32,
    /// How many players stand on the board.
    pub total: u32,
    /// Whether this submit changed what counts.
    pub improved: bool,
}

/// One row of a board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRow {
    /// 1 is the best.
    pub rank: u32,
    /// The player who has reached the score.
    pub player: String,
    /// In the board's unit.
    pub score: i64,
    /// When it was reached.
    pub at: Time,
    /// The game server that submitted it; nothing when the player did.
    pub server: Option<String>,
    /// What was sent along.
    pub note: Option<String>,
}

/// The answer to `RECORD TOP` and `RECORD AROUND`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPage {
    /// The board's name.
    pub board: String,
    /// What the scores are.
    pub unit: String,
    /// How many players stand on it.
    pub total: u32,
    /// The rows, the best rank first.
    pub records: Vec<RecordRow>,
    /// Give this as `after` for the rows behind; stable while others submit. Nothing at the end.
    pub next: Option<String>,
    /// Give this as `before` for the rows in front. Nothing at the top.
    pub prev: Option<String>,
}

/// The answer to `RECORD SHOW`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordShown {
    /// The board's name.
    pub board: String,
    /// What the score is.
    pub unit: String,
    /// The player who has reached the score.
    pub player: String,
    /// In the board's unit.
    pub score: i64,
    /// 1 is the best.
    pub rank: u32,
    /// How many players stand on the board.
    pub total: u32,
    /// When it was reached.
    pub at: Time,
    /// The game server that submitted it.
    pub server: Option<String>,
    /// What was sent along.
    pub note: Option<String>,
}

/// One row of `RECORD BOARDS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardRow {
    /// The board's name.
    pub board: String,
    /// What its scores are (`ms`, `points`).
    pub unit: String,
    /// Which scores are better.
    pub better: Better,
    /// What a further score does.
    pub operator: Operator,
    /// Who may submit.
    pub submit: Submitters,
    /// How many players stand on it.
    pub total: u32,
}

/// The answer to `RECORD BOARDS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boards {
    /// Sorted by name.
    pub boards: Vec<BoardRow>,
    /// Give this as `after` for the next page.
    pub next: Option<String>,
    /// How many there are altogether; an older program does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
}

grown! { Boards { boards, next } then { total } }
