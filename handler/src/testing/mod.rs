//! What several tests use: a writer over a real store that runs batch by batch, and models in plain words of what is
//! kept. Runs in tests.

mod bench;
mod model;
mod scores;

pub use bench::{Bench, Said, now, set_now};
pub use model::{KeptLetter, Model};
pub use scores::{Firsts, KINDS, Scores};

use ssmglobal_ipc::{Secret, Time};
use ssmglobal_store::{
    Better, Board, BoardId, NewPlayer, NewServer, Operator, PlayerId, Row, ServerId, Standing, Submitters,
};

/// A player's row; the name is in lower case.
pub fn player(id: u32, name: &str) -> Row {
    Row::Player(NewPlayer {
        id: PlayerId(id),
        name: name.to_owned(),
        folded: name.to_owned(),
        skeleton: name.to_owned(),
        hash: Secret::new("$argon2id$"),
        email: None,
        registered: Time(1),
    })
}

/// A game server's row.
pub fn server(id: u32, name: &str) -> Row {
    Row::Server(NewServer { id: ServerId(id), name: name.to_owned(), key: [id as u8; 32], added: Time(2) })
}

/// A board of milliseconds that players may submit to.
pub fn board(id: u32, name: &str, operator: Operator, better: Better) -> Board {
    Board {
        id: BoardId(id),
        name: name.to_owned(),
        unit: "ms".to_owned(),
        better,
        operator,
        submit: Submitters::Players,
    }
}

/// What stands for a player, with nothing beside it.
pub fn standing(player: u32, score: i64, order: u64) -> Standing {
    Standing { player: PlayerId(player), score, order, at: Time(3), server: None, note: None }
}
