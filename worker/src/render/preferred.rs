//! How somebody wants what he is shown: what he has set, over what his terminal says, over what is usual. Runs in a worker.

use super::charset::Charset;
use super::clock::{Clock, zone_named};
use super::look::{Look, Told};
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{KeptPreference, Preference};
use std::ops::RangeInclusive;

/// What takes a preference back.
pub const AUTO: &str = "AUTO";

/// Columns that a terminal may have.
const WIDTHS: RangeInclusive<u16> = 20..=500;

/// Lines that a terminal may have.
const HEIGHTS: RangeInclusive<u16> = 2..=500;

/// Preferences by name. What this program does not know, or cannot read, is as if it were not there.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Chosen(Vec<KeptPreference>);

impl Chosen {
    fn get(&self, preference: Preference) -> Option<&str> {
        self.0.iter().find(|kept| kept.name == preference.name()).map(|kept| kept.value.as_str())
    }

    fn put(&mut self, name: &str, value: Option<&str>) {
        self.0.retain(|kept| kept.name != name);
        self.0.extend(value.map(|value| KeptPreference { name: name.to_owned(), value: value.to_owned() }));
    }
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Set, and kept for the player.
    Kept,
    /// Set on this connection, and gone with it.
    Here,
    /// The terminal has told it.
    Terminal,
    /// Nobody has said anything.
    Usual,
}

/// What was set: by the player who is logged in, and by whoever is on this connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferred {
    kept: Chosen,
    here: Chosen,
}

impl Preferred {
    /// Somebody has logged in who has set this.
    pub fn logged_in(&mut self, kept: &[KeptPreference]) {
        self.kept = Chosen(kept.to_vec());
    }

    /// He is logged in no longer.
    pub fn logged_out(&mut self) {
        self.kept = Chosen::default();
    }

    /// One was set.
    pub fn set(&mut self, name: &str, value: Option<&str>, kept: bool) {
        match kept {
            true => {
                self.kept.put(name, value);
                self.here.put(name, None);
            }
            false => self.here.put(name, value),
        }
    }

    /// Who has set something on this connection has registered: it is his.
    pub fn registered(&mut self) {
        self.kept = std::mem::take(&mut self.here);
    }

    /// What is kept for the player who is logged in.
    pub fn kept(&self) -> &[KeptPreference] {
        &self.kept.0
    }

    /// What was set for one of them, if it can be read.
    fn value(&self, preference: Preference) -> Option<(Origin, &str)> {
        let kept = self.kept.get(preference).map(|value| (Origin::Kept, value));
        let value = kept.or_else(|| self.here.get(preference).map(|value| (Origin::Here, value)));
        value.filter(|(_, value)| checked(preference, value).is_ok())
    }

    fn chosen(&self, preference: Preference) -> Option<&str> {
        self.value(preference).map(|(_, value)| value)
    }

    fn number(&self, preference: Preference) -> Option<u16> {
        self.chosen(preference)?.parse().ok()
    }

    fn switch(&self, preference: Preference) -> Option<bool> {
        self.chosen(preference).map(|value| value == ON)
    }

    /// The letters that were set.
    pub fn charset(&self) -> Option<Charset> {
        self.chosen(Preference::Charset).and_then(Charset::named)
    }

    /// A look as the terminal has it, as somebody wants it.
    pub fn over(&self, look: Look) -> Look {
        Look {
            width: self.number(Preference::Width).unwrap_or(look.width),
            height: self.number(Preference::Height).unwrap_or(look.height),
            colour: self.switch(Preference::Colour).unwrap_or(look.colour),
            charset: self.charset().unwrap_or(look.charset),
            pager: self.switch(Preference::Pager).unwrap_or(look.pager),
            plain: self.switch(Preference::ScreenReader).unwrap_or(look.plain),
            shell: look.shell,
            in_world: look.in_world,
        }
    }

    /// In which zone times are told.
    pub fn clock(&self) -> Clock {
        self.chosen(Preference::TimeZone).map(Clock::of_zone).unwrap_or_default()
    }

    /// What holds, and where it comes from. `look` is as somebody wants it, `told` what his terminal has told.
    pub fn state(&self, preference: Preference, look: Look, told: Told) -> (String, Origin) {
        let value = match preference {
            Preference::Width => number_shown(look.width),
            Preference::Height => number_shown(look.height),
            Preference::Colour => switch_shown(look.colour),
            Preference::Charset => look.charset.name().to_owned(),
            Preference::TimeZone => self.chosen(preference).unwrap_or("UTC").to_owned(),
            Preference::Pager => switch_shown(look.pager),
            Preference::ScreenReader => switch_shown(look.plain),
        };
        let from = match self.value(preference) {
            Some((from, _)) => from,
            None if told.has(preference) => Origin::Terminal,
            None => Origin::Usual,
        };
        (value, from)
    }
}

const ON: &str = "ON";
const OFF: &str = "OFF";

fn number_shown(number: u16) -> String {
    if number == 0 { "unknown".to_owned() } else { number.to_string() }
}

fn switch_shown(on: bool) -> String {
    if on { ON } else { OFF }.to_owned()
}

/// A value as it is kept. It is the one place where values are judged.
///
/// # Errors
/// What it must be instead.
pub fn checked(preference: Preference, typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    match preference {
        Preference::Width => number(typed, WIDTHS),
        Preference::Height => number(typed, HEIGHTS),
        Preference::Colour | Preference::Pager | Preference::ScreenReader => switch(typed),
        Preference::Charset => match Charset::named(typed) {
            Some(charset) => Ok(charset.name().to_owned()),
            None => Err("UTF-8, Latin-1, ASCII or AUTO".to_owned()),
        },
        Preference::TimeZone => zone_named(typed).map_err(|near| match near {
            Some(near) => format!("a time zone. Did you mean {near}?"),
            None => "a time zone, as Europe/Vienna or UTC, or AUTO".to_owned(),
        }),
    }
}

fn number(typed: &str, within: RangeInclusive<u16>) -> Result<String, String> {
    match typed.parse::<u16>() {
        Ok(number) if within.contains(&number) => Ok(number.to_string()),
        _ => Err(format!("a number from {} to {}, or AUTO", within.start(), within.end())),
    }
}

fn switch(typed: &str) -> Result<String, String> {
    let is = |words: [&str; 4]| words.iter().any(|word| word.eq_ignore_ascii_case(typed));
    match (is([ON, "yes", "true", "1"]), is([OFF, "no", "false", "0"])) {
        (true, _) => Ok(ON.to_owned()),
        (_, true) => Ok(OFF.to_owned()),
        _ => Err("ON, OFF or AUTO".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str, value: &str) -> KeptPreference {
        KeptPreference { name: name.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn what_was_set_holds_before_what_the_terminal_says() {
        let mut preferred = Preferred::default();
        let found = Look { width: 100, height: 40, colour: true, ..Look::default() };
        assert_eq!(preferred.over(found), found);
        preferred.set("WIDTH", Some("60"), false);
        preferred.set("COLOUR", Some("OFF"), false);
        preferred.set("SCREENREADER", Some("ON"), false);
        preferred.set("PAGER", Some("OFF"), false);
        preferred.set("CHARSET", Some("LATIN-1"), false);
        let wanted = Look { width: 60, colour: false, plain: true, pager: false, charset: Charset::Latin1, ..found };
        assert_eq!(preferred.over(found), wanted);
        preferred.set("WIDTH", None, false);
        assert_eq!(preferred.over(found).width, 100);
    }

    #[test]
    fn what_is_kept_holds_before_what_was_set_here_until_its_owner_leaves() {
        let mut preferred = Preferred::default();
        preferred.set("WIDTH", Some("60"), false);
        preferred.set("HEIGHT", Some("20"), false);
        preferred.logged_in(&[kept("WIDTH", "90")]);
        let over =
            |preferred: &Preferred| (preferred.over(Look::default()).width, preferred.over(Look::default()).height);
        assert_eq!(over(&preferred), (90, 20));
        // Once more, as a player: what was set before he was one is nothing any more.
        preferred.set("HEIGHT", None, true);
        assert_eq!(over(&preferred), (90, 0));
        preferred.logged_out();
        assert_eq!(over(&preferred), (60, 0));
    }

    #[test]
    fn what_was_set_before_its_owner_registered_is_his() {
        let mut preferred = Preferred::default();
        preferred.set("WIDTH", Some("60"), false);
        preferred.registered();
        assert_eq!(preferred.kept(), [kept("WIDTH", "60")]);
        preferred.logged_out();
        assert_eq!(preferred, Preferred::default());
    }

    #[test]
    fn what_cannot_be_read_is_as_if_it_were_not_there() {
        let mut preferred = Preferred::default();
        let odd = [("WIDTH", "0"), ("HEIGHT", "x"), ("COLOUR", "blue"), ("TIMEZONE", "Atlantis"), ("MOOD", "good")];
        preferred.logged_in(&odd.map(|(name, value)| kept(name, value)));
        assert_eq!((preferred.over(Look::default()), preferred.clock()), (Look::default(), Clock::default()));
    }

    #[test]
    fn a_value_is_taken_as_people_write_it_or_it_is_said_what_it_must_be() {
        let ok = |preference, typed: &str, value: &str| assert_eq!(checked(preference, typed).as_deref(), Ok(value));
        ok(Preference::Width, " 80 ", "80");
        ok(Preference::Colour, "yes", "ON");
        ok(Preference::Pager, "Off", "OFF");
        ok(Preference::Charset, "utf8", "UTF-8");
        ok(Preference::Charset, "iso-8859-1", "Latin-1");
        ok(Preference::TimeZone, "vienna", "Europe/Vienna");
        let wrong = |preference, typed: &str, why: &str| assert_eq!(checked(preference, typed), Err(why.to_owned()));
        wrong(Preference::Width, "19", "a number from 20 to 500, or AUTO");
        wrong(Preference::Height, "501", "a number from 2 to 500, or AUTO");
        wrong(Preference::ScreenReader, "loud", "ON, OFF or AUTO");
        wrong(Preference::Charset, "ebcdic", "UTF-8, Latin-1, ASCII or AUTO");
        wrong(Preference::TimeZone, "Viena", "a time zone. Did you mean Europe/Vienna?");
        wrong(Preference::TimeZone, "Middle Earth", "a time zone, as Europe/Vienna or UTC, or AUTO");
    }
}
