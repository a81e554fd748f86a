//! Licences of worlds: what the operator grants, what its owner may change, what everybody sees.

use crate::growing::grown;
use crate::{FingerProperty, Rating, Secret, Time, Version, WorldStatus};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// When a licence ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expires {
    /// It does not.
    Never,
    /// Then; to the second.
    At(Time),
}

impl Expires {
    /// The moment, if there is one.
    pub fn at(self) -> Option<Time> {
        match self {
            Expires::Never => None,
            Expires::At(time) => Some(time),
        }
    }
}

/// Why a licence cannot end then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryError {
    /// It is written in another way.
    Unread,
    /// It is later than what can be shown in every time zone.
    TooFar,
}

impl std::fmt::Display for ExpiryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExpiryError::Unread => f.write_str("give never, a day as 2027-01-31, or a moment as 2027-01-31T20:15:00Z"),
            ExpiryError::TooFar => {
                let last = Time(Timestamp::MAX.as_millisecond());
                write!(f, "that is too far off: give a moment up to {last}, or never")
            }
        }
    }
}

impl std::error::Error for ExpiryError {}

impl FromStr for Expires {
    type Err = ExpiryError;

    /// A day means its first moment, UTC.
    fn from_str(text: &str) -> Result<Expires, ExpiryError> {
        if text.eq_ignore_ascii_case("never") {
            return Ok(Expires::Never);
        }
        let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
        let moment = if text.contains([':', 'T', 't']) { text.parse::<Timestamp>().ok() } else { day() };
        let no_moment = || if is_too_far(text) { ExpiryError::TooFar } else { ExpiryError::Unread };
        moment.map(|moment| Expires::At(Time(moment.as_second() * 1000))).ok_or_else(no_moment)
    }
}

/// Whether that would be a moment, if it were not behind the last one.
fn is_too_far(text: &str) -> bool {
    let last = Timestamp::MAX.to_zoned(TimeZone::UTC).date();
    let is_moment = |pieces: &Pieces<'_>| pieces.time().is_some() == pieces.offset().is_some();
    Pieces::parse(text).is_ok_and(|pieces| is_moment(&pieces) && pieces.date() >= last)
}

/// What can be said of a licence; what is left out stays as it is, or is as it is for a new one.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldTerms {
    /// Users at the most, 1–1,024.
    pub users: Option<u32>,
    /// How large it may be, 1–3,275.
    pub size: Option<u32>,
    /// The owner's e-mail address; an empty one takes it away.
    pub email: Option<String>,
    /// What everybody is told of the world.
    pub comment: Option<String>,
    /// When it ends.
    pub expires: Option<Expires>,
    /// Whether the world is in lists; a hidden one is found by its name.
    pub listed: Option<bool>,
    /// Whether visitors are let in.
    pub visitors: Option<bool>,
    /// Whether there is voice.
    pub voice: Option<bool>,
    /// Whether there are plugins.
    pub plugins: Option<bool>,
    /// The least version of a client.
    pub client: Option<Version>,
    /// Whether a ticket counts only at the address that it was given to.
    pub check_address: Option<bool>,
}

impl std::fmt::Debug for WorldTerms {
    /// What is said, without whose address it is: this goes to the log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let WorldTerms {
            users,
            size,
            email,
            comment,
            expires,
            listed,
            visitors,
            voice,
            plugins,
            client,
            check_address,
        } = self;
        let expires = expires.map(|expires| expires.at().map_or_else(|| "never".to_owned(), |end| end.to_string()));
        let email = email.as_ref().map(|_| "…");
        let mut shown = f.debug_struct("WorldTerms");
        let facts: [(&str, Option<&dyn std::fmt::Debug>); 11] = [
            ("users", users.as_ref().map(|it| it as _)),
            ("size", size.as_ref().map(|it| it as _)),
            ("email", email.as_ref().map(|it| it as _)),
            ("comment", comment.as_ref().map(|it| it as _)),
            ("expires", expires.as_ref().map(|it| it as _)),
            ("listed", listed.as_ref().map(|it| it as _)),
            ("visitors", visitors.as_ref().map(|it| it as _)),
            ("voice", voice.as_ref().map(|it| it as _)),
            ("plugins", plugins.as_ref().map(|it| it as _)),
            ("client", client.as_ref().map(|it| it as _)),
            ("check_address", check_address.as_ref().map(|it| it as _)),
        ];
        for (name, value) in facts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            shown.field(name, value);
        }
        shown.finish()
    }
}

/// `WORLD ADD`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldAdd {
    /// 2–16 letters, digits, `_-.`; unique without regard to case and to look-alike letters.
    pub name: String,
    /// The player whose world it is.
    pub owner: String,
    /// What is said of the world besides.
    pub terms: WorldTerms,
}

/// `WORLD CHANGE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldChange {
    /// Which, in any case.
    pub name: String,
    /// The new owner; left out, he stays.
    pub owner: Option<String>,
    /// What is changed besides.
    pub terms: WorldTerms,
}

/// A world by name, in any case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldName {
    /// The name.
    pub name: String,
}

/// `WORLD DISABLE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldDisable {
    /// Which, in any case.
    pub name: String,
    /// What its host and its owner are told.
    pub reason: Option<String>,
}

/// `WORLD DELETE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldDelete {
    /// Which, in any case.
    pub name: String,
    /// What is kept of the world goes as well.
    pub purge: bool,
}

/// The answer to `WORLD ADD` and `WORLD PASSWORD`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldKey {
    /// The world, as it is written.
    pub world: String,
    /// Its hosting password. It is shown once: whoever asks again has none.
    pub password: Option<Secret>,
}

/// A licence, for its owner and for operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// The world's name.
    pub name: String,
    /// The world's number, which never is another's.
    pub number: u32,
    /// The player whose world it is.
    pub owner: String,
    /// Users at the most.
    pub users: u32,
    /// How large it may be.
    pub size: u32,
    /// The owner's e-mail address.
    pub email: Option<String>,
    /// What everybody is told of the world.
    pub comment: String,
    /// When it was granted.
    pub created: Time,
    /// When it ends; nothing: never.
    pub expires: Option<Time>,
    /// Why it is refused, if it is.
    pub disabled: Option<String>,
    /// When the world was last started.
    pub last_started: Option<Time>,
    /// The address that its host came from then.
    pub last_address: Option<String>,
    /// Whether it is in lists.
    pub listed: bool,
    /// Whether visitors are let in.
    pub visitors: bool,
    /// Whether there is voice.
    pub voice: bool,
    /// Whether there are plugins.
    pub plugins: bool,
    /// The least version of a client; 0: any.
    pub client: Version,
    /// Whether a ticket counts only at the address that it was given to.
    pub check_address: bool,
    /// How the world is.
    pub status: WorldStatus,
    /// The game server that hosts it.
    pub host: Option<String>,
}

/// The answer to `WORLD SHOW`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldShown {
    /// The world's name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// How it is.
    pub status: WorldStatus,
    /// How many are there.
    pub users: u32,
    /// How many fit.
    pub max: u32,
    /// For whom it is.
    pub rating: Rating,
    /// The licence, for its owner and for operators.
    pub licence: Option<Box<Licence>>,
    /// Its properties that are shown here and that the asker may read.
    pub properties: Vec<FingerProperty>,
    /// Whether it is played through us.
    pub played: bool,
    /// Where we connect to it, in order of preference; for operators.
    pub play: Vec<String>,
}

grown! { WorldShown { name, description, status, users, max, rating, licence } then { properties } then { played, play } }

/// The answer to `WORLD LIST`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licences {
    /// Sorted by name.
    pub licences: Vec<Licence>,
    /// How many there are altogether.
    pub total: u32,
    /// Give this as `after` for the next page.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_day_a_moment_or_never() {
        for (text, at) in [
            ("never", None),
            ("NEVER", None),
            ("1970-01-02", Some(86_400_000)),
            ("2026-01-31T20:15:00Z", Some(1_769_890_500_000)),
            ("2026-01-31T22:15:00+02:00", Some(1_769_890_500_000)),
            ("2026-01-31T20:15:00.999Z", Some(1_769_890_500_000)),
        ] {
            assert_eq!(text.parse::<Expires>().map(Expires::at), Ok(at.map(Time)), "{text}");
        }
        for text in ["", "0", "tomorrow", "2026-02-30", "2026-01-31T20:15:00", "20:15", "2026-13-01", "1769890500"] {
            assert_eq!(text.parse::<Expires>(), Err(ExpiryError::Unread), "{text}");
        }
        for text in ["9999-12-30", "9999-12-30T22:00:00Z", "9999-12-30T23:59:59+02:00"] {
            assert!(text.parse::<Expires>().is_ok(), "{text}");
        }
        for text in ["9999-12-31", "9999-12-30T23:59:59Z", "9999-12-31T23:59:59Z"] {
            assert_eq!(text.parse::<Expires>(), Err(ExpiryError::TooFar), "{text}");
        }
        assert_eq!("9999-12-31T20:15:00".parse::<Expires>(), Err(ExpiryError::Unread), "in no time zone");
        let msg = ExpiryError::TooFar.to_string();
        assert_eq!(msg, "that is too far off: give a moment up to 9999-12-30T22:00:00Z, or never");
    }
}
