//! Kinds of worlds, and how one of each kind is played: a preset of all terms, so that an operator says little more than where his
//! world is. Plain data in every process.
//!
//! A pattern here is of what a program of that kind says when nobody has changed its texts. Beside it stands why.

use crate::pattern;
use crate::play::{Charset, RealAddress, TICKET_PASS, Terms, WorldAddress};
use crate::settings::{Settings, WORLD_KEYS, WorldSettings};
use crate::words::words;

words! {
    /// What a world runs.
    Kind {
        /// TinyMUX.
        TinyMux = "tinymux",
        /// TinyMUSH.
        TinyMush = "tinymush",
        /// PennMUSH.
        PennMush = "pennmush",
        /// RhostMUSH.
        RhostMush = "rhostmush",
        /// What descends from DikuMUD: tbaMUD, CircleMUD, ROM, CoffeeMud.
        Diku = "diku",
        /// Evennia.
        Evennia = "evennia",
        /// LPMud: FluffOS, LDMud, DGD.
        LpMud = "lpmud",
        /// LambdaMOO and ToastStunt.
        Moo = "moo",
        /// Anything: nothing is assumed.
        Plain = "plain",
    }
}

/// What a kind has that others have not.
struct Preset {
    real_address: RealAddress,
    charset: Charset,
    login: Option<&'static str>,
    prompts: bool,
    success: &'static [&'static str],
    failure: &'static [&'static str],
    hide: &'static [&'static str],
}

const PLAIN: Preset = Preset {
    // Told nothing that it might take for a command.
    real_address: RealAddress::None,
    charset: Charset::Utf8,
    login: None,
    prompts: false,
    success: &[],
    failure: &[],
    hide: &[],
};

/// `connect NAME PASSWORD`, the short forms, and those of who comes in hidden or dark. A name with blanks stands in quotes.
/// `create` is none: what is created twice is refused.
const CONNECT: Option<&str> =
    Some(r#"(?i)^\s*(?:c|co[a-z]*|c[dhv])\s+(?P<name>"[^"]+"|\S+)\s+(?P<password>\S.*?)\s*$"#);

/// What MUSHes, MUCKs and the databases of MOOs say alike to a wrong name and to a wrong password.
const EITHER: &str = r"^Either that player does not exist, or has a different password";

/// Who was there before is told when and from where.
const LAST: &str = r"^Last connect was from ";
/// Failures since then: in stars (TinyMUX, TinyMUSH, RhostMUSH).
const FAILED: &str = r"^\*{4} \d+ failed connects? since your last successful connect";
/// Of which this was the last.
const RECENT: &str = r"^Most recent attempt was from ";
/// The mailer tells everybody what he has, also who was never there before and is told of no last connect.
const MAIL: &str = r"(?i)^MAIL: ";

/// MUSHes of this family know nobody's address but that of the connection.
const TINY: Preset = Preset {
    login: CONNECT,
    success: &[LAST, FAILED, MAIL],
    failure: &[
        EITHER,
        // Its operator lets only wizards in, or no more of them.
        r"^(?:Logins|Game|Connections).*(?:disabled|full|closed)",
        // All characters for guests are taken.
        r"^All guests are tied up",
    ],
    // He knows when he was there; it was a moment ago.
    hide: &[LAST, FAILED, RECENT, MAIL],
    ..PLAIN
};

impl Kind {
    fn preset(self) -> Preset {
        match self {
            // It agrees on UTF-8 with who can, by CHARSET, as we do.
            Kind::TinyMux => TINY,
            // It drops what is no ASCII from what is typed: look-alikes arrive.
            Kind::TinyMush => Preset { charset: Charset::Ascii, ..TINY },
            Kind::PennMush => Preset {
                // Its texts are Latin-1 inside; it converts where CHARSET says UTF-8.
                charset: Charset::Latin1,
                // On its Unix socket alone does it take an address from who connects: `WorldSettings::terms` sees to it.
                real_address: RealAddress::IpHost,
                success: &[
                    LAST,
                    // Where the last try has failed.
                    r"^Last FAILED connect was from ",
                    // How many did.
                    r"^\d+ failed connections since last login",
                    MAIL,
                ],
                failure: &[
                    EITHER,
                    // 1.8.6 and newer say which of the two it is.
                    r"^There is no player with that name",
                    r"^That is not the correct password",
                    // It is being destroyed, or its site is locked out.
                    r"^You cannot connect to that player at this time",
                    r"^(?:Guest|Player) connections not allowed",
                ],
                hide: &[LAST, r"^Last FAILED connect was from ", r"^\d+ failed connections since last login", MAIL],
                ..TINY
            },
            // It takes PROXY's line at its login screen where `sconnect_reip` is on, and shows the screen again where it is not.
            // What is no ASCII it drops, as TinyMUSH does.
            Kind::RhostMush => Preset { real_address: RealAddress::ProxyV1, charset: Charset::Ascii, ..TINY },
            Kind::Diku => Preset {
                // Most of them drop what is no ASCII from what is typed. CoffeeMud and those of other countries are set to more.
                charset: Charset::Ascii,
                prompts: true,
                success: &[
                    // tbaMUD, CircleMUD and Merc, behind the page to be read and the menu: who is before those is not in yet.
                    r"^Welcome to .*[Mm]ay your visit here be",
                    // All of them, where his body is still there.
                    r"^Reconnecting\.",
                    r"^You take over your own body",
                    // ROM, behind the message of the day.
                    r"^Welcome to ROM",
                ],
                failure: &[
                    // All of them; then CoffeeMud.
                    r"^Wrong password",
                    r"^Invalid password",
                    // The name is nobody's (any more): it would make a new character.
                    r"^Did I get that right",
                    r"^'.*' (?:is not recognized|does not exist)",
                    // The name is none, or banned.
                    r"^(?:Invalid|Illegal) name",
                    // It lets only its staff in.
                    r"^The game is (?:temporarily restricted|wizlocked)",
                    // He is there already, and it asks whether to throw him out; an answer is his own affair.
                    r"^That character is already playing",
                ],
                // It begins with a question that the password answers.
                hide: &[r"(?i)^Password:\s*$"],
                ..PLAIN
            },
            Kind::Evennia => Preset {
                login: CONNECT,
                success: &[
                    // He is his character at once, as it is set by default; or at the account's page.
                    r"^You become ",
                    r"^Account .* \(you are Out-of-Character\)",
                ],
                failure: &[
                    r"^Username and/or password is incorrect",
                    // Five tries in five minutes from one address: ours, where it is not told another.
                    r"^Too many login failures",
                    r"^You have been banned",
                ],
                hide: &[
                    r"^You become ",
                    // Its Portal lets two a second in and says this to the others; the game has not heard of them yet.
                    r"DoS protection is active\.\s*You are queued",
                ],
                ..PLAIN
            },
            Kind::LpMud => Preset {
                prompts: true,
                success: &[
                    // Said by those that let a body sleep when its player has gone.
                    r"(?i)^Reconnect(?:ed|ing)",
                    r"(?i)^Welcome back",
                    r"(?i)^Last log(?:in|on)",
                ],
                failure: &[
                    // Each mudlib has its own words; these are those of most.
                    r"(?i)^(?:Wrong|Bad|Incorrect|Invalid) password",
                    r"(?i)^Password incorrect",
                    r"(?i)^(?:Wrong|Invalid) name",
                    // It asks whether to throw him out.
                    r"(?i)^You are already playing",
                ],
                // It begins with a question that the password answers.
                hide: &[r"(?i)^Password:\s*$"],
                ..PLAIN
            },
            Kind::Moo => Preset {
                // ToastStunt takes PROXY's line from addresses that it is told of, and passes over it from others. LambdaMOO does
                // not know it: there it must be none.
                real_address: RealAddress::ProxyV1,
                // What is typed and no ASCII is dropped.
                charset: Charset::Ascii,
                login: CONNECT,
                success: &[
                    // The server's own texts, unless a database has others; the second and third where he is there already.
                    r"^\*\*\* Connected \*\*\*",
                    r"^\*\*\* Redirecting connection to new port \*\*\*",
                    r"^\*\*\* Redirecting old connection to this port \*\*\*",
                ],
                failure: &[
                    // LambdaCore and what descends from it; then what the server's manual has as its example.
                    EITHER,
                    r"^Unknown player or wrong password",
                    // The database lets only wizards in.
                    r"^\*\*\* (?:The MOO|This server) is too busy",
                ],
                hide: &[r"^\*\*\* (?:Connected|Redirecting .*) \*\*\*"],
                ..PLAIN
            },
            Kind::Plain => PLAIN,
        }
    }

    /// How a world of this kind is played when nothing else is said.
    #[must_use]
    pub fn terms(self) -> Terms {
        let Preset { real_address, charset, login, prompts, success, failure, hide } = self.preset();
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Terms {
            real_address,
            charset,
            login: login.map(str::to_owned),
            prompts,
            success: owned(success),
            failure: owned(failure),
            hide: owned(hide),
            ..Terms::default()
        }
    }
}

/// Why the keys of a world do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Of which key that is said.
    pub key: &'static str,
    /// What is wrong.
    pub wrong: String,
    /// What to do about it, as an order.
    pub allowed: String,
}

impl WorldSettings {
    /// Its terms, with what is not set taken from its kind.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let mut preset = self.kind.unwrap_or(Kind::Plain).terms();
        let over_tcp = |address: &WorldAddress| matches!(address, WorldAddress::At(_));
        if preset.real_address == RealAddress::IpHost && self.play.iter().flatten().any(over_tcp) {
            // Over TCP, that line would be a command.
            preset.real_address = RealAddress::None;
        }
        let WorldSettings {
            play,
            kind: _,
            real_address,
            charset,
            login,
            prompts,
            success,
            failure,
            hide,
            liveness,
            heartbeat,
            ticket,
            sessions,
            grace_seconds,
            rate,
            failover_seconds,
            failback,
            healthy_seconds,
        } = self.clone();
        Terms {
            play: play.unwrap_or(preset.play),
            real_address: real_address.unwrap_or(preset.real_address),
            charset: charset.unwrap_or(preset.charset),
            // Set to nothing, none of the preset's holds either.
            login: login.or(preset.login).filter(|text| !text.is_empty()),
            prompts: prompts.unwrap_or(preset.prompts),
            success: success.unwrap_or(preset.success),
            failure: failure.unwrap_or(preset.failure),
            hide: hide.unwrap_or(preset.hide),
            liveness: liveness.unwrap_or(preset.liveness),
            heartbeat: heartbeat.or(preset.heartbeat).filter(|text| !text.is_empty()),
            ticket: ticket.or(preset.ticket).filter(|text| !text.is_empty()),
            sessions: sessions.unwrap_or(preset.sessions),
            grace_seconds: grace_seconds.unwrap_or(preset.grace_seconds),
            rate: rate.unwrap_or(preset.rate),
            failover_seconds: failover_seconds.unwrap_or(preset.failover_seconds),
            failback: failback.unwrap_or(preset.failback),
            healthy_seconds: healthy_seconds.unwrap_or(preset.healthy_seconds),
        }
    }

    /// The same with every key set: as it is played.
    #[must_use]
    pub fn resolved(&self) -> WorldSettings {
        let kind = self.kind.unwrap_or(Kind::Plain);
        let Terms {
            play,
            real_address,
            charset,
            login,
            prompts,
            success,
            failure,
            hide,
            liveness,
            heartbeat,
            ticket,
            sessions,
            grace_seconds,
            rate,
            failover_seconds,
            failback,
            healthy_seconds,
        } = self.terms();
        WorldSettings {
            play: Some(play),
            kind: Some(kind),
            real_address: Some(real_address),
            charset: Some(charset),
            login: Some(login.unwrap_or_default()),
            prompts: Some(prompts),
            success: Some(success),
            failure: Some(failure),
            hide: Some(hide),
            liveness: Some(liveness),
            heartbeat: Some(heartbeat.unwrap_or_default()),
            ticket: Some(ticket.unwrap_or_default()),
            sessions: Some(sessions),
            grace_seconds: Some(grace_seconds),
            rate: Some(rate),
            failover_seconds: Some(failover_seconds),
            failback: Some(failback),
            healthy_seconds: Some(healthy_seconds),
        }
    }

    /// From names and values that were kept. What this program does not know, or does not take, counts as not set.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> WorldSettings {
        let mut world = WorldSettings::default();
        for (name, value) in pairs {
            if let Some(key) = WORLD_KEYS.iter().find(|key| key.name() == name) {
                // A newer program may have taken more.
                let _ = key.set_to(&mut world, value);
            }
        }
        world
    }

    /// Whether its keys go together.
    ///
    /// # Errors
    /// The first that does not.
    pub fn judge(&self) -> Result<(), Unfit> {
        let terms = self.terms();
        let unfit = |key, wrong: String, allowed: &str| Err(Unfit { key, wrong, allowed: allowed.to_owned() });
        let lacks = terms.login.as_deref().filter(|_| !terms.prompts).and_then(pattern::lacks_group);
        if let Some(group) = lacks {
            let allowed =
                "give (?P<name>…) and (?P<password>…), or set prompts = true where it asks one after the other";
            return unfit("login", format!("has no group `{group}`"), allowed);
        }
        if terms.ticket.is_some_and(|ticket| !ticket.contains(TICKET_PASS)) {
            let allowed = "write the line that the world takes, with {pass} where the pass stands, or \"\" for none";
            return unfit("ticket", format!("has no {TICKET_PASS}"), allowed);
        }
        if terms.real_address == RealAddress::IpHost
            && let Some(address) = terms.play.iter().find(|address| matches!(address, WorldAddress::At(_)))
        {
            let wrong = format!("ip-host is taken on a Unix socket alone, and {address} is none");
            return unfit("real_address", wrong, "give none, or play unix:/path");
        }
        Ok(())
    }
}

impl Settings {
    /// What the file says of how a world is played; capitals do not matter.
    #[must_use]
    pub fn world(&self, name: &str) -> Option<&WorldSettings> {
        self.world.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, world)| world)
    }

    /// How a world of the file is played; capitals do not matter. What its licence says does not count here.
    #[must_use]
    pub fn terms(&self, name: &str) -> Option<Terms> {
        self.world(name).map(WorldSettings::terms)
    }
}
