//! What is asked for, drawn by lot: all kinds of changes, with numbers that are looked up when it is their turn.

use super::*;
use proptest::prelude::*;
use ssmglobal_store::KeptHash;

/// A player, or a game server.
type Who = (bool, u8);

/// A change to be.
#[derive(Clone, Debug)]
pub enum Step {
    Submit { board: u8, player: u8, by: Option<u8>, score: i64, note: bool },
    Withdraw { board: u8, player: u8 },
    Define { name: u8, kind: u8, unit: bool },
    Rename { name: u8, new: u8 },
    Clear { name: u8, gone: bool },
    Send { from: Who, to: u8, mailbox: u32 },
    Respond { me: u8, number: u64, mailbox: u32 },
    Read { me: u8, number: u64 },
    Let { me: u8, number: u64 },
    Block { me: u8, from: Who },
    Unblock { me: u8, from: Who },
    Set { owner: Who, key: u8, version: Option<u64>, public: Option<bool>, most: u32 },
    Unset { owner: Who, key: u8, version: Option<u64> },
    Register { name: u8 },
    Login { player: u8, again: bool, from: u8 },
    Password { player: u8 },
    Disable { player: u8, disabled: bool },
    Add { name: u8 },
    Rotate { name: u8, key: bool },
    Bar { name: u8, disabled: bool },
    Auth { name: u8, key: bool },
    Call { name: u8, new: u8 },
    Remove { name: u8 },
    Known { owner: u8, number: u64 },
}

/// A change that somebody asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which of the sessions.
    pub session: u8,
    /// It has all its answers.
    pub acknowledges: bool,
    /// What it asks.
    pub step: Step,
    /// Under a key of its client's, where that is possible.
    pub key: Option<u8>,
    /// In its place, if there is one: a request that had a key, under that key again.
    pub repeats: Option<u8>,
    /// The session ends before that.
    pub ends: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let who = || (prop::bool::weighted(0.25), any::<u8>());
    let (any, some, number) = (any::<u8>, any::<bool>, || 1u64..5);
    // Few of everything, so that it meets.
    let score = -3i64..=3;
    let version = || prop::option::of(0u64..4);
    prop_oneof![
        12 => (any(), any(), prop::option::of(any()), score, some())
            .prop_map(|(board, player, by, score, note)| Step::Submit { board, player, by, score, note }),
        4 => (any(), any()).prop_map(|(board, player)| Step::Withdraw { board, player }),
        4 => (any(), any(), some()).prop_map(|(name, kind, unit)| Step::Define { name, kind, unit }),
        2 => (any(), any()).prop_map(|(name, new)| Step::Rename { name, new }),
        2 => (any(), prop::bool::weighted(0.3)).prop_map(|(name, gone)| Step::Clear { name, gone }),
        8 => (who(), any(), 1u32..6).prop_map(|(from, to, mailbox)| Step::Send { from, to, mailbox }),
        2 => (any(), number(), 2u32..6).prop_map(|(me, number, mailbox)| Step::Respond { me, number, mailbox }),
        2 => (any(), number()).prop_map(|(me, number)| Step::Read { me, number }),
        2 => (any(), number()).prop_map(|(me, number)| Step::Let { me, number }),
        2 => (any(), who()).prop_map(|(me, from)| Step::Block { me, from }),
        2 => (any(), who()).prop_map(|(me, from)| Step::Unblock { me, from }),
        4 => (who(), any(), version(), prop::option::of(some()), 1u32..4)
            .prop_map(|(owner, key, version, public, most)| Step::Set { owner, key, version, public, most }),
        2 => (who(), any(), version()).prop_map(|(owner, key, version)| Step::Unset { owner, key, version }),
        1 => any().prop_map(|name| Step::Register { name }),
        2 => (any(), some(), 0u8..20).prop_map(|(player, again, from)| Step::Login { player, again, from }),
        1 => any().prop_map(|player| Step::Password { player }),
        1 => (any(), some()).prop_map(|(player, disabled)| Step::Disable { player, disabled }),
        1 => any().prop_map(|name| Step::Add { name }),
        1 => (any(), some()).prop_map(|(name, key)| Step::Rotate { name, key }),
        1 => (any(), some()).prop_map(|(name, disabled)| Step::Bar { name, disabled }),
        1 => (any(), some()).prop_map(|(name, key)| Step::Auth { name, key }),
        1 => (any(), any()).prop_map(|(name, new)| Step::Call { name, new }),
        1 => any().prop_map(|name| Step::Remove { name }),
        1 => (any(), 0u64..4).prop_map(|(owner, number)| Step::Known { owner, number }),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let one_in = |many: f64| prop::bool::weighted(1.0 / many);
    let (key, repeats) = (prop::option::weighted(0.4, 0u8..4), prop::option::weighted(0.1, any::<u8>()));
    (0..SESSIONS, one_in(4.0), step(), key, repeats, one_in(25.0)).prop_map(
        |(session, acknowledges, step, key, repeats, ends)| Asked { session, acknowledges, step, key, repeats, ends },
    )
}

/// What is asked between two moments at which everything that was made is known to all.
pub fn phases() -> impl Strategy<Value = Vec<Vec<Asked>>> {
    prop::collection::vec(prop::collection::vec(asked(), 1..60), 1..4)
}

/// How a batch fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Luck {
    /// It is committed.
    Good,
    /// It fails once, and is done again.
    Again,
    /// It fails twice, and is done piece by piece.
    Pieces,
    /// There is no room; those who asked ask again.
    Full,
}

/// A batch.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// How many changes.
    pub length: usize,
    /// How it fares.
    pub luck: Luck,
    /// Everybody has got the news of it and of those before.
    pub delivered: bool,
}

/// Where the sequence is cut, again and again.
pub fn cuts() -> impl Strategy<Value = Vec<Cut>> {
    let luck = prop_oneof![
        6 => Just(Luck::Good), 2 => Just(Luck::Again), 2 => Just(Luck::Pieces), 1 => Just(Luck::Full),
    ];
    let cut = (1usize..20, luck, any::<bool>()).prop_map(|(length, luck, delivered)| Cut { length, luck, delivered });
    prop::collection::vec(cut, 1..10)
}

/// What can be named at some moment.
pub struct Known {
    players: Vec<PlayerId>,
    servers: Vec<ServerId>,
    boards: Vec<BoardId>,
}

fn one<T: Copy>(of: &[T], at: u8) -> T {
    of[usize::from(at) % of.len()]
}

/// The first that there ever was, when all are gone.
fn one_or<T: Copy>(of: &[T], at: u8, first: T) -> T {
    if of.is_empty() { first } else { one(of, at) }
}

impl Known {
    /// Everything that there is.
    pub fn of(model: &Model) -> Known {
        Known {
            players: model.players.keys().copied().collect(),
            servers: model.servers.keys().copied().collect(),
            boards: model.boards.keys().copied().collect(),
        }
    }

    fn player(&self, at: u8) -> PlayerId {
        one(&self.players, at)
    }

    fn server(&self, at: u8) -> ServerId {
        one_or(&self.servers, at, ServerId(1))
    }

    fn board(&self, at: u8) -> BoardId {
        one_or(&self.boards, at, BoardId(1))
    }

    fn who(&self, (server, at): Who) -> Principal {
        if server { self.server(at).into() } else { self.player(at).into() }
    }

    /// The change, who waits for it, and whose key it may have.
    pub fn resolve(&self, step: &Step) -> (Change, By, Option<Principal>) {
        use crate::capability::{boards, mail, players, records, servers, settings};
        let (asked, operator) = (|owner| (By::Session, Some(owner)), (By::Operator, None));
        let secret = |right: bool| Secret::new(if right { "right" } else { "other" });
        let server_name = |at: u8| one(&["Arena", "CASTLE", "tower", "Cave"], at).to_owned();
        let board_name = |at: u8| format!("board{}", usize::from(at) % BOARDS);
        let key_hash = |right: bool| crate::work::passwords::key_hash(&secret(right));
        let key = |at: u8| one(&["a", "b", "c", "d"], at).to_owned();
        let player = |at: u8| self.player(at);
        let (change, (by, owner)): (Change, _) = match *step {
            Step::Submit { board, player: of, by, score, note } => {
                let (board, player) = (self.board(board), player(of));
                let by = by.map(|by| self.server(by));
                let note = note.then(|| format!("note {score}").into());
                let owner = by.map_or(player.into(), Principal::from);
                (records::Submit { board, player, score, by, note }.into(), asked(owner))
            }
            Step::Withdraw { board, player: of } => {
                let (board, player, reason) = (self.board(board), player(of), "cheated".to_owned());
                (records::Withdraw { board, player, reason }.into(), operator)
            }
            Step::Rename { name, new } => {
                (boards::RenameBoard { name: board_name(name), new: board_name(new) }.into(), operator)
            }
            Step::Clear { name, gone } => (boards::ClearBoard { name: board_name(name), gone }.into(), operator),
            Step::Call { name, new } => {
                let new = names::Name::of_server(&server_name(new)).into();
                (servers::Rename { name: server_name(name), new }.into(), operator)
            }
            Step::Remove { name } => (servers::Delete { name: server_name(name) }.into(), operator),
            Step::Define { name, kind, unit } => {
                let (operator_of, better) = KINDS[usize::from(kind) % KINDS.len()];
                let name = format!("{}{}", if unit { "board" } else { "Board" }, usize::from(name) % BOARDS);
                let mut board = board(0, &name, operator_of, better);
                board.unit = if unit { "s".to_owned() } else { "ms".to_owned() };
                (boards::DefineBoard { board, most: BOARDS - 1 }.into(), operator)
            }
            Step::Send { from, to, mailbox } => {
                let (from, to, subject, body) = (self.who(from), player(to), "hi".to_owned(), "one".to_owned());
                (mail::Send { from, to, subject, body, mailbox }.into(), asked(from))
            }
            Step::Respond { me, number, mailbox } => {
                let (me, body) = (player(me), "two".to_owned());
                (mail::Respond { me, number, body, subject: 9, mailbox }.into(), asked(me.into()))
            }
            Step::Read { me, number } => (mail::Read { me: player(me), number }.into(), asked(player(me).into())),
            Step::Let { me, number } => (mail::Delete { me: player(me), number }.into(), asked(player(me).into())),
            Step::Block { me, from } => {
                (mail::Block { me: player(me), from: self.who(from) }.into(), asked(player(me).into()))
            }
            Step::Unblock { me, from } => {
                (mail::Unblock { me: player(me), from: self.who(from) }.into(), asked(player(me).into()))
            }
            Step::Set { owner, key: at, version, public, most } => {
                let (owner, key, value) = (self.who(owner), key(at), format!("{version:?}"));
                (settings::Set { owner, key, value, version, public, most }.into(), asked(owner))
            }
            Step::Unset { owner, key: at, version } => {
                let (owner, key) = (self.who(owner), key(at));
                (settings::Delete { owner, key, version }.into(), asked(owner))
            }
            Step::Register { name } => {
                let name = one(&["Dave", "dave", "d\u{430}ve", "Eve", "Frank"], name);
                let (name, email) = (names::check(name, 2, 20).unwrap().into(), Some("x@example.org".to_owned()));
                (
                    players::Register { name, hash: secret(true), email, from: None, is_in: true }.into(),
                    (By::Session, None),
                )
            }
            Step::Login { player: of, again, from } => {
                let (again, from) = (again.then(|| secret(false)), Some([192, 0, 2, from].into()));
                let verified = KeptHash { hash: secret(true), epoch: 0 };
                (players::Login { player: player(of), verified, again, from, mailbox: 4 }.into(), (By::Session, None))
            }
            Step::Password { player: of } => {
                let verified = KeptHash { hash: secret(true), epoch: 0 };
                let by = players::SetBy::Player { verified, from: "192.0.2.1".into() };
                let hash = secret(false);
                (players::SetPassword { player: player(of), hash, by, mailbox: 4 }.into(), (By::Session, None))
            }
            Step::Disable { player: of, disabled } => {
                let reason = disabled.then(|| "spam".to_owned());
                (players::Disable { player: player(of), reason }.into(), operator)
            }
            Step::Add { name } => (
                servers::Add { name: names::Name::of_server(&server_name(name)).into(), key: key_hash(true) }.into(),
                operator,
            ),
            Step::Rotate { name, key } => {
                (servers::RotateKey { name: server_name(name), key: key_hash(key) }.into(), operator)
            }
            Step::Bar { name, disabled } => (servers::Disable { name: server_name(name), disabled }.into(), operator),
            Step::Auth { name, key } => {
                (servers::Auth { name: server_name(name), key: secret(key) }.into(), (By::Session, None))
            }
            Step::Known { owner, number } => {
                let reply = Reply::Welcome(ssmglobal_ipc::Welcome { session: number });
                (Change::Known(reply), (By::Nobody, Some(player(owner).into())))
            }
        };
        (change, by, owner)
    }
}
