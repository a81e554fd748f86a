//! The table of what can happen: for each event its name, how grave it is, how many lines of one address a minute has, its fields,
//! and its words. What leaves something out does not compile. `docs/operating.md` shows it; a test compares the two.

use super::{Field, Whose, Words};
use log::Level;
use ssmglobal_ipc::{Does, Kind};
use std::net::IpAddr;

/// What there is to know of an event besides what has happened.
#[derive(Debug)]
pub struct Described {
    /// What stands behind `event=`.
    pub name: &'static str,
    /// How grave it is.
    pub level: Level,
    /// Lines of one address (IPv6: network) in a minute; 0: any number, since no stranger makes them.
    pub most: u32,
    /// The fields of its own.
    #[cfg_attr(not(test), allow(dead_code))]
    pub fields: &'static [&'static str],
}

macro_rules! events {
    ($($(#[doc = $doc:literal])* $name:literal $event:ident $level:ident $most:literal ($($field:ident: $type:ty),*) |$who:ident| $words:expr;)*) => {
        /// Something that the log tells of in a line of its own.
        #[derive(Clone, Debug)]
        #[allow(missing_docs)]
        pub enum Happened { $($(#[doc = $doc])* $event { $($field: $type),* },)* }

        #[derive(Clone, Copy)]
        enum Place { $($event),* }

        impl Happened {
            /// Every event.
            pub const ALL: &'static [Described] =
                &[$(Described { name: $name, level: Level::$level, most: $most, fields: &[$(stringify!($field)),*] }),*];

            /// Where it stands there.
            pub fn place(&self) -> usize {
                match self { $(Happened::$event { .. } => Place::$event as usize,)* }
            }

            /// What else there is to know of it.
            pub fn described(&self) -> &'static Described {
                match self { $(Happened::$event { .. } => const { &Happened::ALL[Place::$event as usize] },)* }
            }

            /// Appends the fields of its own.
            pub fn put(&self, line: &mut String) {
                let _ = &line;
                match self { $(Happened::$event { $($field),* } => { $($field.put(stringify!($field), line);)* })* }
            }

            /// In words; the line is of `whose`.
            #[allow(unused_variables)]
            pub fn words(&self, whose: &Whose) -> String {
                match self { $(Happened::$event { $($field),* } => { let $who = whose; $words })* }
            }
        }
    };
}

events! {
    /// A connection was accepted.
    "connect" Connect Info 600 (clients: u32, most: u32) |who| format!("Connected ({clients}/{most}).");
    /// A connection has ended.
    "disconnect" Disconnect Info 600 (reason: &'static str, seconds: u64, clients: u32, most: u32)
        |who| format!("Disconnected ({clients}/{most}).");
    /// The listener has let nobody in: `full`, `address`, `blocked`, `no-proxy`, `no-header`.
    "refused" Refused Info 20 (reason: &'static str, seconds: Option<u64>) |who| match seconds {
        Some(seconds) => format!("Refused: nothing is taken from there for {seconds} s more."),
        None => match *reason {
            "full" => "Refused: the server or the door is full.",
            "no-proxy" => "Refused: only the proxies in front of that door come in there.",
            "no-header" => "Refused: a proxy that has not said by the PROXY protocol for whom it comes.",
            _ => "Refused: there are too many connections of this address.",
        }
        .to_owned(),
    };
    /// An address has to wait from now on.
    "blocked" Blocked Warn 20 (seconds: u64, reason: String)
        |who| format!("Nothing is taken from there for {seconds} s: {reason}");
    /// A client spoke something else at a door with a mode.
    "sent-away" SentAway Warn 1 (protocol: &'static str) |who| format!("sent away: it spoke {protocol} at a door for others.");
    /// A new player.
    "register" Register Info 60 () |who| format!("{who} is registered and logged in.");
    /// A player has logged in; `failures` were wrong since the time before.
    "login" Login Info 120 (failures: u32) |who| format!("{who} logged in.");
    /// A player has another password.
    "password" Password Info 60 () |who| format!("{who} has changed the password.");
    /// A visitor is on.
    "visit" Visit Info 60 () |who| format!("{who} is on.");
    /// A password was wrong.
    "login-failed" LoginFailed Info 60 (command: Kind, player: Option<String>, failures: u32) |who| match player {
        Some(player) => format!("The password was not that of {player}."),
        None => "There is no such player.".to_owned(),
    };
    /// A login was refused although the password may have been right.
    "login-refused" LoginRefused Info 60 (player: String, reason: &'static str) |who| match *reason {
        "disabled" => format!("{player} is disabled."),
        _ => format!("{player} is on already."),
    };
    /// A game server has asked about a password that was wrong.
    "check-failed" CheckFailed Info 60 (player: Option<String>, from: Option<IpAddr>) |who|
        "A password that somebody has typed there was wrong.".to_owned();
    /// A word was wrong by which somebody wanted to go on with what he plays.
    "word-failed" WordFailed Info 60 () |who| "No game goes on by the word that was shown.".to_owned();
    /// Somebody has to wait before the next try.
    "slow-down" SlowDown Info 20 (command: Kind, player: Option<String>, seconds: u64)
        |who| format!("It has to wait {seconds} s before the next try.");
    /// Somebody is nobody any more, and stays connected: `asked`, `mode`, `put-out`, `taken-over`, `time-over`.
    "logout" Logout Info 120 (reason: &'static str) |who| format!("{who} is logged out.");
    /// A game server has proved by its key who it is.
    "key-used" KeyUsed Info 60 () |who| format!("The game server {who} has proved itself by its key.");
    /// A key was wrong, or is of a game server that is disabled.
    "key-refused" KeyRefused Info 60 (server: Option<String>, reason: &'static str) |who| match server {
        Some(server) if *reason == "disabled" => format!("The game server {server} is disabled."),
        Some(server) => format!("The key was not that of the game server {server}."),
        None => "There is no such game server.".to_owned(),
    };
    /// A command needs a right that its player does not have.
    "denied" Denied Info 20 (command: Kind, right: &'static str) |who| format!("{who} lacks the right to do that.");
    /// A world that is played through us does not answer any more; `players` play or have played there.
    "world-down" WorldDown Warn 0 (at: String, players: u32) |who| format!("The world {who} is down: nobody answers at {at}.");
    /// It answers again; so many waited for it.
    "world-up" WorldUp Info 0 (at: String, seconds: u64, waiting: u32)
        |who| format!("The world {who} is back at {at} after {seconds} s; {waiting} wait for it.");
    /// Another address of a world is used from now on, as the `backend` has found or the `operator` wants.
    "failover" Failover Warn 0 (from: String, to: String, by: &'static str)
        |who| format!("The world {who} is played at {to} from now on, in place of {from}.");
    /// The operator has ended a connection.
    "kick" Kick Info 0 (by: String, reason: String)
        |who| format!("the {by} kicked session {} ({})", who.session, who.who.as_deref().unwrap_or("not logged in"));
    /// A player, game server or world is refused from now on.
    "disable" Disable Info 0 (by: String, kind: &'static str) |who| format!("the {by} disabled the {kind} {who}");
    /// It is taken again.
    "enable" Enable Info 0 (by: String, kind: &'static str) |who| format!("the {by} enabled the {kind} {who}");
    /// The operator has changed something else, or has not been able to; or a player who has a right to it has asked for it.
    "operator" Operator Info 0 (by: String, result: String, act: Words) |who| match result.as_str() {
        "done" => format!("the {by} {act}"),
        "asked" => format!("{}{by} asked for this: {act}", if by == "operator" { "the " } else { "" }),
        "unknown" => format!("nobody waited for the outcome: the {by} {act}"),
        _ => format!("not done: the {by} {act}"),
    };
}

impl Happened {
    /// What it is that somebody has proved himself by a request. Every request that does so is here, or this does not compile.
    pub fn proved(kind: Kind, failures: u32) -> Happened {
        match Proving::of(kind) {
            Some(Proving::Register) => Happened::Register {},
            Some(Proving::Password) => Happened::Password {},
            Some(Proving::Auth) => Happened::KeyUsed {},
            Some(Proving::Login) | None => Happened::Login { failures },
        }
    }
}

/// How one can prove who one is.
enum Proving {
    Register,
    Login,
    Password,
    Auth,
}

impl Proving {
    const fn of(kind: Kind) -> Option<Proving> {
        match kind {
            Kind::Register => Some(Proving::Register),
            // The second is the login of another than the session; that of a session is never told by it.
            Kind::Login | Kind::LoginCheck => Some(Proving::Login),
            Kind::Password => Some(Proving::Password),
            Kind::Auth => Some(Proving::Auth),
            _ => None,
        }
    }
}

const _: () = {
    let mut at = 0;
    while at < Kind::ALL.len() {
        let proves = matches!(Kind::ALL[at].describe().does, Does::Proves);
        assert!(!proves || Proving::of(Kind::ALL[at]).is_some(), "a request that proves something has no event");
        at += 1;
    }
};
