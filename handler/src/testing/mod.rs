//! What several tests use: a writer over a real store that runs batch by batch, and models in plain words of what is
//! kept. Runs in tests.

mod bench;
mod facts;
mod model;
mod scores;

pub use bench::{Bench, Said, now, set_now};
pub use model::{KeptLetter, Model};
pub use scores::{Firsts, KINDS, Scores};

use crate::state::names;
use crate::work::passwords;
use ssmglobal_ipc::{Secret, Time, Version};
use ssmglobal_store::{
    Better, Board, BoardId, KeptLicence, NewPlayer, NewServer, Operator, PlayerId, Row, ServerId, Standing, Submitters,
    WorldId,
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

/// A licence that never ends; the name in lower case is how it is found.
pub fn licence(id: u32, name: &str, owner: PlayerId) -> KeptLicence {
    let name = names::check(name, 2, 16).expect("a name");
    KeptLicence {
        id: WorldId(id),
        name: name.shown,
        folded: name.folded,
        skeleton: name.skeleton,
        password: passwords::key_hash(&Secret::new(format!("password {id}"))),
        owner,
        users: 50,
        size: 100,
        email: None,
        comment: String::new(),
        created: Time(4),
        expires: None,
        disabled: None,
        last_started: None,
        last_address: None,
        stopped: None,
        listed: true,
        visitors: true,
        voice: false,
        plugins: false,
        check_address: false,
        client: Version::default(),
        gone: None,
    }
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
