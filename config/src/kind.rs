//! Kinds of worlds, and how one of each kind is played: a preset of all terms, so that an operator says little more than where his
//! world is. Plain data in every process.
//!
//! A pattern here is of what a program of that kind says when nobody has changed its texts. Beside it stands why.

use crate::pattern;
use crate::play::{Charset, FailBack, Liveness, RealAddress, Sessions, Terms, WorldAddress};
use crate::settings::{Settings, WorldSettings};
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

const NOTHING: Preset = Preset {
    real_address: RealAddress::None,
    charset: Charset::Utf8,
    login: None,
    prompts: false,
    success: &[],
    failure: &[],
    hide: &[],
};

/// `connect NAME PASSWORD` and the short forms; a name with blanks stands in quotes.
const CONNECT: Option<&str> = Some(r#"(?i)^\s*c[a-z]*\s+(?P<name>"[^"]+"|\S+)\s+(?P<password>\S.*?)\s*$"#);

impl Kind {
    fn preset(self) -> Preset {
        match self {
            Kind::TinyMux => Preset { charset: Charset::Latin1, login: CONNECT, ..NOTHING },
            Kind::TinyMush | Kind::PennMush | Kind::RhostMush | Kind::Evennia | Kind::Moo => {
                Preset { login: CONNECT, ..NOTHING }
            }
            Kind::Diku | Kind::LpMud => Preset { prompts: true, ..NOTHING },
            Kind::Plain => NOTHING,
        }
    }

    /// How a world of this kind is played when nothing else is said.
    #[must_use]
    pub fn terms(self) -> Terms {
        let Preset { real_address, charset, login, prompts, success, failure, hide } = self.preset();
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Terms {
            play: Vec::new(),
            real_address,
            charset,
            login: login.map(str::to_owned),
            prompts,
            success: owned(success),
            failure: owned(failure),
            hide: owned(hide),
            liveness: vec![Liveness::Server, Liveness::Tcp],
            heartbeat: None,
            sessions: Sessions::Many,
            grace_seconds: 600,
            rate: 500,
            failover_seconds: 10,
            failback: FailBack::New,
            healthy_seconds: 60,
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
        let preset = self.kind.unwrap_or(Kind::Plain).terms();
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
            sessions: sessions.unwrap_or(preset.sessions),
            grace_seconds: grace_seconds.unwrap_or(preset.grace_seconds),
            rate: rate.unwrap_or(preset.rate),
            failover_seconds: failover_seconds.unwrap_or(preset.failover_seconds),
            failback: failback.unwrap_or(preset.failback),
            healthy_seconds: healthy_seconds.unwrap_or(preset.healthy_seconds),
        }
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
