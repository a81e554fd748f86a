//! Preferences: how somebody wants what he is shown. What a value means only his worker knows; the handler keeps it.

use serde::{Deserialize, Serialize};

/// Bytes of a value at the most.
pub const PREFERENCE_VALUE: usize = 64;

/// What can be preferred. On its way it goes by its name: an older program passes over one that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Preference {
    /// How many columns the terminal has.
    Width,
    /// How many lines it has.
    Height,
    /// Whether it has colours.
    Colour,
    /// In which letters it is written to.
    Charset,
    /// In which zone times are told.
    TimeZone,
    /// Whether long output stops at the terminal's height.
    Pager,
    /// Whether what is shown is read aloud.
    ScreenReader,
}

impl Preference {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Preference; 7] = [
        Preference::Width,
        Preference::Height,
        Preference::Colour,
        Preference::Charset,
        Preference::TimeZone,
        Preference::Pager,
        Preference::ScreenReader,
    ];

    /// Its name, as `SET` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Preference::Width => "WIDTH",
            Preference::Height => "HEIGHT",
            Preference::Colour => "COLOUR",
            Preference::Charset => "CHARSET",
            Preference::TimeZone => "TIMEZONE",
            Preference::Pager => "PAGER",
            Preference::ScreenReader => "SCREENREADER",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Preference> {
        Preference::ALL.into_iter().find(|preference| preference.name() == name)
    }
}

/// `SET`: one preference. Of who is nobody it holds for the connection, and is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreferenceSet {
    /// Which: the name of a [`Preference`].
    pub name: String,
    /// Up to [`PREFERENCE_VALUE`] bytes of printable text; nothing: as the terminal says, or as usual.
    pub value: Option<String>,
}

/// The answer to `SET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreferenceIs {
    /// Which.
    pub name: String,
    /// What was set; nothing: as the terminal says, or as usual.
    pub value: Option<String>,
    /// Whether it holds at the player's next login too.
    pub kept: bool,
}

/// A preference that is kept for a player.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPreference {
    /// Which: the name of a [`Preference`], or of one that a newer program has made up.
    pub name: String,
    /// What he has set.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_name_and_nothing_else() {
        for preference in Preference::ALL {
            assert_eq!(Preference::named(preference.name()), Some(preference));
        }
        assert_eq!((Preference::named("width"), Preference::named("")), (None, None));
    }
}
