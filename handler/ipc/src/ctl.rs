//! What the operator's command asks the handler, over its own Unix socket; replies are plain data for tables
//! and `--json`.

use crate::frame::{Frame, put_control, put_control_with};
pub use crate::logged::{LogAsked, LogEntry, Logged, Reloaded};
use crate::numbers::Numbers;
use crate::{
    Better, BoardRow, DecodeError, Failure, Mode, Operator, PlayedRow, PlayedTerms, Reply, Secret, Submitters, Time,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A question of the operator's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Make a game server and its key.
    ServerAdd {
        /** Its name. */
        name: String,
    },
    /// All game servers.
    ServerList,
    /// Make a new key; the old one is worth nothing from then on.
    ServerRotateKey {
        /** Its name. */
        name: String,
    },
    /// Refuse it from now on, or take it again.
    ServerDisable {
        /** Its name. */
        name: String,
        /** False: enable. */
        disabled: bool,
    },
    /// Players by name.
    PlayerList {
        /** How many rows at the most. */
        limit: u32,
        /** Names behind this one. */
        after: Option<String>,
    },
    /// All about one.
    PlayerShow {
        /** The name. */
        name: String,
    },
    /// Refuse the login from now on and log out whoever is on, or take it again.
    PlayerDisable {
        /** The name. */
        name: String,
        /** Shown at login. */
        reason: String,
        /** False: enable. */
        disabled: bool,
    },
    /// Set another password.
    PlayerSetPassword {
        /** The name. */
        name: String,
        /** The password. */
        password: Secret,
    },
    /// Make a board, or change the one with this name where that is possible.
    BoardDefine {
        /// Its name.
        name: String,
        /// What its scores are.
        unit: String,
        /// Which are better.
        better: Better,
        /// What a further score does.
        operator: Operator,
        /// Who may submit.
        submit: Submitters,
    },
    /// All boards.
    BoardList,
    /// Take one player's score off a board.
    BoardWithdraw {
        /** The board. */
        board: String,
        /** The player who has reached it. */
        player: String,
        /** Kept with it. */
        reason: String,
    },
    /// All connections.
    SessionsList,
    /// End one.
    SessionsKick {
        /** Its worker's process id. */
        pid: i32,
        /** Told to the client. */
        reason: String,
    },
    /// How it all is.
    Status,
    /// Copy the database while it is in use.
    Backup {
        /** An absolute path; must not exist. */
        file: String,
    },
    /// Check a database file: this one's, or a backup.
    Verify {
        /** An absolute path; the live database when left out. */
        file: Option<String>,
    },
    /// Let another program take over, without anybody losing his connection.
    Upgrade {
        /** An absolute path; the file that the backend was started from when left out. */
        program: Option<String>,
    },
    /// From a listener whose predecessor has died: be its handler from now on.
    Adopt,
    /// Let it check players' passwords, or no longer.
    ServerAllow {
        /** Its name. */
        name: String,
        /// False: no longer.
        login_check: bool,
    },
    /// What a player with the right `operator` could ask as well: a request of the table (`request.rs`).
    Request {
        /// Its number.
        kind: u16,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// How it all is, in numbers.
    Numbers,
    /// Which addresses have to wait, and for what.
    PenaltyList,
    /// Let an address wait no longer.
    PenaltyClear {
        /** Which; every one when left out. */
        address: Option<IpAddr>,
    },
    /// Copy the database while it is in use, and let whoever asks put the copy where he may write.
    BackupCopy,
    /// Read the settings again.
    Reload,
    /// End everything in order.
    Stop,
    /// What was logged of late, and what is logged from now on.
    Log(LogAsked),
    /// Make a player.
    PlayerAdd {
        /** The name. */
        name: String,
        /** The password. */
        password: Secret,
        /** The e-mail address. */
        email: Option<String>,
    },
    /// Players by a part of their names.
    PlayerSearch {
        /** A pattern with `*` and `?`, or a part of the name. */
        pattern: String,
        /** How many rows at the most. */
        limit: u32,
        /** Names behind this one. */
        after: Option<String>,
    },
    /// Take all scores off a board.
    BoardReset {
        /** Its name. */
        name: String,
    },
    /// Take a board away, with its scores.
    BoardDelete {
        /** Its name. */
        name: String,
    },
    /// Call a board otherwise.
    BoardRename {
        /** Its name. */
        name: String,
        /** From now on. */
        new: String,
    },
    /// Take a game server away, with what it owns.
    ServerDelete {
        /** Its name. */
        name: String,
    },
    /// Call a game server otherwise.
    ServerRename {
        /** Its name. */
        name: String,
        /** From now on. */
        new: String,
    },
    /// End connections.
    SessionsEnd {
        /** A session's number, somebody's name, or an address. */
        target: String,
        /** Told to the clients. */
        reason: String,
    },
    /// How worlds do that are played through us.
    PlayedList,
    /// Use another address of one.
    WorldFailover {
        /** Its name. */
        name: String,
        /** Which of its addresses; the next one when left out. */
        address: Option<String>,
    },
    /// How a world is played, for who looks at it in the backend's place.
    PlayedTerms {
        /** Its name. */
        name: String,
    },
}

/// The answer; `Progress` may come several times before the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It was not done.
    Failed(Failure),
    /// It was done, and there is nothing further to say.
    Done,
    /// A new key, shown this once.
    Key(Key),
    /// Game servers.
    Servers(Vec<ServerRow>),
    /// A page of the list of registered players.
    Players(PlayerPage),
    /// One player, from an older backend.
    Player(PlayerDetail),
    /// All boards.
    Boards(Vec<BoardRow>),
    /// Connections, the oldest first, also those that have no link to the handler.
    Sessions(Vec<SessionRow>),
    /// How it all is.
    Status(Box<Status>),
    /// How far a long job has got.
    Progress {
        /** So many. */
        done: u64,
        /** Of so many. */
        total: u64,
    },
    /// What VERIFY found.
    Verified(Verified),
    /// What BACKUP wrote.
    BackedUp {
        /** The file's path. */
        file: String,
        /** How long it is, bytes. */
        bytes: u64,
    },
    /// UPGRADE is done, and the new program serves.
    Upgraded {
        /** The version that has handed over. */
        from: String,
        /** The version that has taken over. */
        to: String,
    },
    /// ADOPT is done: control frames follow on this stream. With the first byte come a [state](crate::handover) in sealed
    /// memory, and the descriptors that it names.
    Adopted {
        /** The handler's version. */
        version: String,
        /// Device and inode of the file that it is.
        build: (u64, u64),
    },
    /// What a request of the table was answered.
    Reply {
        /// Its number.
        kind: u16,
        /// Its payload. Shows nothing of itself: there may be a password in it.
        payload: Sealed,
    },
    /// One player, with how long he was on.
    PlayerShown {
        /// What the database and the sessions say of him.
        player: PlayerDetail,
        /// How long he was on, and may be.
        times: PlayerTimes,
    },
    /// How it all is, in numbers.
    Numbers(Box<Numbers>),
    /// Addresses that have to wait, by address.
    Penalties(Vec<PenaltyRow>),
    /// So many waiting times were ended.
    PenaltiesCleared(u32),
    /// As [`Answer::PlayerShown`], with how his logins went.
    PlayerLoginsShown {
        /// What the database and the sessions say of him.
        player: PlayerDetail,
        /// How long he was on, and may be.
        times: PlayerTimes,
        /// How his logins went.
        logins: PlayerLogins,
    },
    /// What BACKUP COPY made. With its first byte comes the descriptor of a file that can be read from its beginning.
    Copied {
        /// How long it is, bytes.
        bytes: u64,
    },
    /// RELOAD is done.
    Reloaded(Reloaded),
    /// STOP has begun: whoever wants to know waits for the end of the listener.
    Stopping {
        /** The listener's process id. */
        listener: i32,
    },
    /// Lines of the log; with `follow` there may be any number of these.
    Logged(Logged),
    /// A player was made.
    PlayerAdded {
        /** The name as registered. */
        player: String,
    },
    /// Scores were taken off a board.
    BoardCleared {
        /** The board. */
        board: String,
        /** How many players stood on it. */
        scores: u32,
    },
    /// Connections are ended.
    Ended(Vec<SessionRow>),
    /// Worlds that are played through us, by name.
    Played(Vec<PlayedRow>),
    /// How a world is played.
    PlayedTerms(PlayedTerms),
}

impl Answer {
    /// Appends its frame, with what it has gained since it was first released.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Answer::Numbers(numbers) => put_control_with(out, self, &numbers.worlds),
            _ => put_control(out, self),
        }
    }

    /// Reads what [`Answer::put`] has written; from an older program, with the defaults.
    ///
    /// # Errors
    /// It is no answer.
    pub fn of_frame(frame: &Frame<'_>) -> Result<Answer, DecodeError> {
        match frame.control()? {
            Answer::Numbers(mut numbers) => {
                (_, numbers.worlds) = frame.control_with::<Answer, _>()?;
                Ok(Answer::Numbers(numbers))
            }
            answer => Ok(answer),
        }
    }
}

impl From<&Reply> for Answer {
    fn from(reply: &Reply) -> Answer {
        if let Reply::Failed(failure) = reply {
            return Answer::Failed(failure.clone());
        }
        let mut payload = Vec::new();
        reply.put(&mut payload);
        Answer::Reply { kind: reply.kind() as u16, payload: Sealed(payload) }
    }
}

/// Bytes that show nothing of themselves.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// A new key, shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The game server.
    pub server: String,
    /// For its `AUTH`.
    pub key: Secret,
}

/// A game server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerRow {
    /// Its name.
    pub server: String,
    /// When it was added.
    pub added: Time,
    /// When it last proved who it is.
    pub last_auth: Option<Time>,
    /// Whether it is refused.
    pub disabled: bool,
    /// How many connections it has now.
    pub sessions: u32,
}

/// A page of players.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayerPage {
    /// Sorted by name.
    pub players: Vec<PlayerRow>,
    /// For the next page.
    pub next: Option<String>,
}

/// A player in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayerRow {
    /// The name.
    pub player: String,
    /// When the player was registered.
    pub registered: Time,
    /// The last login; nothing when there was none since registering.
    pub last_login: Option<Time>,
    /// Whether the login is refused.
    pub disabled: bool,
}

/// All about one player, except the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayerDetail {
    /// The name.
    pub player: String,
    /// As given at registration.
    pub email: Option<String>,
    /// When the player was registered.
    pub registered: Time,
    /// The last login; nothing when there was none since registering.
    pub last_login: Option<Time>,
    /// Why the login is refused, if it is.
    pub disabled: Option<String>,
    /// Mails in the box.
    pub mails: u32,
    /// Of them not read.
    pub unread: u32,
    /// How many settings are kept for him.
    pub settings: u32,
    /// How many of his sessions are open.
    pub sessions: u32,
}

/// How long a player was on, and may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayerTimes {
    /// How many minutes one login may last; nothing: any number.
    pub session_minutes: Option<u32>,
    /// Logins; registering is the first.
    pub times_on: u64,
    /// Whole minutes of all logins that have ended.
    pub minutes_on: u64,
}

/// How a player's logins went, as far as is known: what has failed only since this handler has started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayerLogins {
    /// Wrong passwords since the last login, from anywhere.
    pub failures: u32,
    /// When the last one came.
    pub last_failure: Option<Time>,
    /// And from where.
    pub failed_from: Option<String>,
    /// Until when tries are refused from where they are refused for longest.
    pub slowed_until: Option<Time>,
    /// From where that is; nothing: from everywhere that he was not in from before.
    pub slowed_from: Option<String>,
    /// From where he was in last; of IPv6 it may be the network of 64 bits.
    pub last_address: Option<String>,
}

/// What an address is kept from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stops {
    /// From connecting.
    Connections,
    /// From trying passwords and keys.
    Logins,
    /// From registering.
    Registrations,
}

/// An address that has to wait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PenaltyRow {
    /// The address; of IPv6 the network of 64 bits.
    pub address: String,
    /// What it is kept from.
    pub stops: Stops,
    /// The player whose logins are meant; nothing: anybody's.
    pub player: Option<String>,
    /// Why, in words.
    pub why: String,
    /// Until when.
    pub until: Time,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// The process id of its worker.
    pub pid: i32,
    /// The session's number: it stays the same as long as the client is connected, whichever process serves it.
    pub session: Option<u64>,
    /// Where it comes from.
    pub address: String,
    /// How it speaks; nothing while that is not known here.
    pub mode: Option<Mode>,
    /// The player or server.
    pub who: Option<String>,
    /// When the client was accepted.
    pub since: Time,
    /// Seconds since its last request.
    pub idle: Option<u64>,
    /// The version of the program that its worker was forked from.
    pub version: String,
}

/// How it all is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The handler's process id.
    pub handler: i32,
    /// The listener's process id.
    pub listener: i32,
    /// Since when this handler runs.
    pub since: Time,
    /// Connections now.
    pub clients: u32,
    /// And at the most.
    pub clients_max: u32,
    /// Connections with a link to the handler.
    pub linked: u32,
    /// Players logged in.
    pub players_on: u32,
    /// Game servers connected.
    pub servers_on: u32,
    /// Registered players.
    pub players: u64,
    /// How many boards there are.
    pub boards: u32,
    /// Requests answered since the start.
    pub requests: u64,
    /// Transactions committed since the start.
    pub commits: u64,
    /// The database file.
    pub database: String,
    /// Its length in bytes.
    pub database_bytes: u64,
    /// Whether writes work.
    pub writable: bool,
}

/// What VERIFY found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// The file that was looked at.
    pub file: String,
    /// Nothing is wrong.
    pub ok: bool,
    /// What is wrong, a line each.
    pub problems: Vec<String>,
    /// The schema's version.
    pub schema: u32,
    /// Players in it.
    pub players: u64,
    /// Mails in it.
    pub mails: u64,
    /// Records in it.
    pub records: u64,
    /// Settings in it.
    pub settings: u64,
}
