//! Boards as the operator makes them, changes them and takes them away. What stands on them is in `records.rs`.

use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, refuse};
use ssmglobal_ipc::{Code, Failure};
use ssmglobal_store::{Board, BoardId, Row, Sequence};

/// No board has that name.
pub fn board_unknown(name: &str) -> Failure {
    let name: String = name.chars().take(64).collect();
    Failure::new(Code::NotFound, format!("There is no board {name}. `ctl board list` shows them."))
}

/// A board is made, or the one with this name changed where that is possible.
#[derive(Clone, Debug)]
pub struct DefineBoard {
    /// As it is to be; its number does not count.
    pub board: Board,
    /// How many boards there may be.
    pub most: usize,
}

impl Decide for DefineBoard {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let DefineBoard { mut board, most } = self.clone();
        match facts.board_named(&board.name) {
            Some(old) => {
                let used = facts.total(old.id) > 0;
                if used && (old.better, old.operator) != (board.better, board.operator) {
                    let msg = "Scores stand on this board: better and operator stay as they are. Define another.";
                    return refuse(Code::Denied, msg);
                }
                (board.id, board.name) = (old.id, old.name.clone());
            }
            None if facts.boards() >= most => {
                return refuse(Code::Limit, format!("There are {most} boards already."));
            }
            None => {
                let many = |_| Failure::new(Code::Limit, "There are too many boards.");
                board.id = BoardId(u32::try_from(facts.next_number(Sequence::Board)?).map_err(many)?);
            }
        }
        Ok(Decided::done(Row::Board(board)))
    }
}

/// A board is called otherwise from now on; what stands on it stays.
#[derive(Clone, Debug)]
pub struct RenameBoard {
    /// Which, in any case.
    pub name: String,
    /// From now on, checked.
    pub new: String,
}

impl Decide for RenameBoard {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Some(board) = facts.board_named(&self.name).cloned() else {
            return Err(board_unknown(&self.name).into());
        };
        if facts.board_named(&self.new).is_some_and(|other| other.id != board.id) {
            return refuse(Code::Exists, format!("There is a board {} already.", self.new));
        }
        Ok(Decided::done(Row::Board(Board { name: self.new.clone(), ..board })))
    }
}

/// All scores are taken off a board, or it goes with them.
#[derive(Clone, Debug)]
pub struct ClearBoard {
    /// Which, in any case.
    pub name: String,
    /// Whether it goes itself.
    pub gone: bool,
}

impl Decide for ClearBoard {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Some(board) = facts.board_named(&self.name).map(|board| board.id) else {
            return Err(board_unknown(&self.name).into());
        };
        Ok(Decided::done(if self.gone { Row::BoardGone { board } } else { Row::BoardCleared { board } }))
    }
}
