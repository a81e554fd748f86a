//! Changes as they are written: one [`Row`] each. What writes them to the tables is the store; what they mean to what
//! is in memory is the handler's affair, which takes the same rows.

use crate::{
    Board, BoardId, KeptLicence, KeptProperty, KeptSetting, KeyHash, Keyed, Network, NewLetter, NewPlayer, NewServer,
    PlayerId, Principal, ServerId, Standing, WorldId,
};
use ssmglobal_ipc::{Rating, Secret, Time};
use std::net::IpAddr;

/// One change of what is kept. Everything was checked before: a row that cannot be written is the store's failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A new player, under a number from [`Sequence::Player`].
    Player(NewPlayer),
    /// Another password.
    PlayerHash {
        /// The player who gets it.
        player: PlayerId,
        /// Its hash, in PHC format.
        hash: Secret,
    },
    /// A login, which counts as one more.
    PlayerLogin {
        /// The player who has logged in.
        player: PlayerId,
        /// The moment of the login.
        at: Time,
    },
    /// The login is refused from now on, or taken again.
    PlayerDisabled {
        /// The player who is refused or taken again.
        player: PlayerId,
        /// Why; nothing: it is taken.
        reason: Option<String>,
    },
    /// For whom the worlds may be, at the most, that a player is let into; nothing: any.
    PlayerRating {
        /// Whose limit.
        player: PlayerId,
        /// The most that he wants to be let into.
        rating: Option<Rating>,
    },
    /// A player was in from there.
    PlayerSeen {
        /// The player who was in.
        player: PlayerId,
        /// From where, and when.
        network: Network,
    },
    /// That a player was in from there is forgotten.
    PlayerUnseen {
        /// The player who was in.
        player: PlayerId,
        /// The network that he was in from.
        network: IpAddr,
    },
    /// What a player or a game server has proved under a smaller epoch holds no longer.
    Epoch {
        /// The player or game server whose epoch it is.
        who: Principal,
        /// From now on.
        epoch: u32,
        /// What sessions are told that end by it. Not kept.
        reason: String,
    },
    /// A new game server, under a number from [`Sequence::Server`].
    Server(NewServer),
    /// Another key.
    ServerKey {
        /// The game server that gets it.
        server: ServerId,
        /// What is kept of it.
        key: KeyHash,
    },
    /// A game server has proved who it is.
    ServerAuthed {
        /// The game server.
        server: ServerId,
        /// The moment of the proof.
        at: Time,
    },
    /// A game server is refused from now on, or taken again.
    ServerDisabled {
        /// The game server.
        server: ServerId,
        /// Whether it is refused; else it is taken again.
        disabled: bool,
    },
    /// A game server may check players' passwords from now on, or may not any more.
    ServerAllowed {
        /// The game server.
        server: ServerId,
        /// Whether it may from now on.
        login_check: bool,
    },
    /// A game server is called otherwise from now on.
    ServerNamed {
        /// The game server.
        server: ServerId,
        /// As it is to be shown.
        name: String,
    },
    /// A game server is gone, with all that it owns: settings, letters that it has sent, keys of its requests. Scores that it
    /// has submitted stay, and are nobody's.
    ServerGone {
        /// The game server.
        server: ServerId,
    },
    /// A board as it is from now on; a new one under a number from [`Sequence::Board`].
    Board(Board),
    /// Nothing stands on a board any more, and of what was withdrawn there nothing is known.
    BoardCleared {
        /// The board.
        board: BoardId,
    },
    /// A board is gone, with all that stood on it.
    BoardGone {
        /// The board.
        board: BoardId,
    },
    /// What stands for a player on a board from now on, under an order from [`Sequence::Order`].
    Standing {
        /// The board.
        board: BoardId,
        /// Whose score, how high it is, and where it comes from.
        standing: Standing,
    },
    /// A player's score is taken off a board.
    Withdrawn {
        /// The board.
        board: BoardId,
        /// What stood there.
        was: Standing,
        /// Its place among all scores and withdrawals, from [`Sequence::Order`].
        order: u64,
        /// The moment of the withdrawal.
        at: Time,
        /// Kept with it.
        reason: String,
    },
    /// A setting as it is from now on.
    Setting {
        /// The player or game server that has it.
        owner: Principal,
        /// Its name.
        key: String,
        /// What it says, and its version.
        setting: KeptSetting,
    },
    /// A property as it is from now on.
    Property {
        /// Whose: a player's or a world's.
        holder: Principal,
        /// Its name.
        name: String,
        /// What it says, its version, and how it is used.
        property: KeptProperty,
        /// The number of the session that has changed it, if one did. Not kept.
        by: Option<u64>,
    },
    /// A letter.
    Letter(NewLetter),
    /// A letter was read by its receiver.
    LetterRead {
        /// The receiver, who has read it.
        player: PlayerId,
        /// Its number in the receiver's mailbox.
        number: u64,
        /// The moment of reading.
        at: Time,
    },
    /// A player lets go of a letter, as its receiver, its sender, or both.
    LetterGone {
        /// The player who does not need it any more.
        player: PlayerId,
        /// Its number in that player's mailbox.
        number: u64,
    },
    /// A letter was refused because the receiver's mailbox is full, and he is told so.
    LetterRefused {
        /// Whose mailbox.
        player: PlayerId,
        /// The sender of the refused letter.
        from: Principal,
        /// How many letters it holds. Not kept.
        mailbox: u32,
        /// The moment of the refusal.
        at: Time,
        /// Nobody asks any more for what was before that.
        before: Time,
    },
    /// A sender is blocked; nothing changes when he was already.
    Blocked {
        /// The player who blocks him.
        player: PlayerId,
        /// Whose letters are refused.
        from: Principal,
    },
    /// A block is lifted.
    Unblocked {
        /// The player who had blocked him.
        player: PlayerId,
        /// Whose letters were refused.
        from: Principal,
    },
    /// What was answered under a client's own key, which nobody has used yet.
    Keyed {
        /// Whose key.
        owner: Principal,
        /// The key.
        key: String,
        /// The answer, and a digest of what was asked.
        kept: Keyed,
    },
    /// A licence as it is from now on; a new one under a number from [`Sequence::World`].
    Licence(Box<KeptLicence>),
    /// A world is not hosted any more.
    WorldStopped {
        /// The world that has no host any more.
        world: WorldId,
        /// The moment of the stop.
        at: Time,
    },
    /// A world was started.
    WorldStarted {
        /// The world that has a host now.
        world: WorldId,
        /// The moment of the start.
        at: Time,
        /// Where its host is.
        address: String,
        /// By whom. Not kept.
        by: Box<StartedBy>,
    },
    /// A licence is gone; what is kept of its world is not.
    LicenceGone {
        /// The world that it was for.
        world: WorldId,
        /// The moment at which it was taken away.
        at: Time,
    },
    /// What is kept of a world whose licence is gone goes too.
    WorldPurged {
        /// The world that nothing is known of from then on.
        world: WorldId,
    },
    /// How a world is played through us is set otherwise from now on.
    WorldPlayed {
        /// The world that is played.
        world: WorldId,
        /// What is set.
        key: String,
        /// To what; nothing: it is as the config file or its kind says. It may hold a password.
        value: Option<Secret>,
    },
    /// A player has a right from now on; nothing changes when he had it already.
    Granted {
        /// The player who gets it.
        player: PlayerId,
        /// The right.
        right: String,
    },
    /// A player has a right no longer.
    Revoked {
        /// The player who loses it.
        player: PlayerId,
        /// The right.
        right: String,
    },
    /// One login of a player may last so long from now on.
    PlayerLimit {
        /// The player whose logins it bounds.
        player: PlayerId,
        /// Minutes; nothing: any number.
        minutes: Option<u32>,
    },
    /// A login has ended.
    PlayerLasted {
        /// The player whose login it was.
        player: PlayerId,
        /// Milliseconds that it has lasted.
        lasted: u64,
        /// The number of its session. Not kept.
        session: u64,
        /// Since when. Not kept.
        since: Time,
    },
    /// A setting of the universe is another one from now on.
    Universe {
        /// The setting's name.
        key: String,
        /// What it is set to; nothing: it is as the config file says.
        value: Option<String>,
    },
    /// A player prefers something else from now on.
    Preference {
        /// The player who has set it.
        player: PlayerId,
        /// What he has set.
        name: String,
        /// To what; nothing: it is as usual.
        value: Option<String>,
    },
    /// Messages on relay channels may have numbers up to this one.
    RelayMark {
        /// Which; a smaller one than before changes nothing.
        upto: u64,
    },
}

impl Row {
    /// The game server that must be there for this row to be written.
    pub fn server(&self) -> Option<ServerId> {
        match self {
            Row::Standing { standing, .. } => standing.server,
            Row::Withdrawn { was, .. } => was.server,
            Row::Epoch { who: of, .. }
            | Row::Setting { owner: of, .. }
            | Row::LetterRefused { from: of, .. }
            | Row::Blocked { from: of, .. }
            | Row::Keyed { owner: of, .. } => of.as_server(),
            Row::Letter(letter) => letter.from.as_server(),
            Row::WorldStarted { by, .. } => Some(by.server),
            Row::ServerKey { server, .. }
            | Row::ServerAuthed { server, .. }
            | Row::ServerDisabled { server, .. }
            | Row::ServerAllowed { server, .. }
            | Row::ServerNamed { server, .. }
            | Row::ServerGone { server } => Some(*server),
            // Of this one it is made.
            Row::Server(_) => None,
            Row::Player(_)
            | Row::PlayerHash { .. }
            | Row::PlayerLogin { .. }
            | Row::PlayerDisabled { .. }
            | Row::PlayerRating { .. }
            | Row::PlayerSeen { .. }
            | Row::PlayerUnseen { .. }
            | Row::PlayerLimit { .. }
            | Row::PlayerLasted { .. }
            | Row::Board(_)
            | Row::BoardCleared { .. }
            | Row::BoardGone { .. }
            | Row::Property { .. }
            | Row::Preference { .. }
            | Row::LetterRead { .. }
            | Row::LetterGone { .. }
            | Row::Unblocked { .. }
            | Row::Licence(_)
            | Row::WorldStopped { .. }
            | Row::LicenceGone { .. }
            | Row::WorldPurged { .. }
            | Row::WorldPlayed { .. }
            | Row::Granted { .. }
            | Row::Revoked { .. }
            | Row::Universe { .. }
            | Row::RelayMark { .. } => None,
        }
    }
}

/// Who has started a world, and where clients find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedBy {
    /// The number of the session that hosts it.
    pub session: u64,
    /// The game server.
    pub server: ServerId,
    /// Which of its programs.
    pub instance: String,
    /// Where clients connect to, without the port.
    pub address: String,
    /// The port.
    pub port: u16,
}

/// Where numbers come from that are given once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sequence {
    /// Numbers of players.
    Player,
    /// Numbers of game servers.
    Server,
    /// Numbers of boards.
    Board,
    /// Numbers of worlds.
    World,
    /// The order of scores: of equal ones the smaller order is the better. Never goes back, also not over a transaction
    /// that was given up, and says nothing else.
    Order,
    /// Letters that somebody has received or sent.
    Letters(Principal),
}
