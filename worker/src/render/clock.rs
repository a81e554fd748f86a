//! Times as somebody reads them: in his zone. Runs in a worker, which reads no files: the zones are in the program.

use super::parts::minute;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use ssmglobal_ipc::{Time, nearest};

/// In which zone times are told; UTC where nothing else is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock(TimeZone);

impl Default for Clock {
    fn default() -> Clock {
        Clock(TimeZone::UTC)
    }
}

impl Clock {
    /// Of a zone as [`zone_named`] gives it; UTC for any other.
    pub fn of_zone(name: &str) -> Clock {
        TimeZoneDatabase::bundled().get(name).map_or_else(|_| Clock::default(), Clock)
    }

    /// `2026-01-31 21:15`.
    pub fn minute(&self, time: Time) -> String {
        match self.zoned(time) {
            Some(zoned) => zoned.strftime("%Y-%m-%d %H:%M").to_string(),
            None => minute(time).to_string(),
        }
    }

    /// `2026-01-31 21:15 CET`.
    pub fn moment(&self, time: Time) -> String {
        match self.zoned(time) {
            Some(zoned) => zoned.strftime("%Y-%m-%d %H:%M %Z").to_string(),
            None => format!("{} UTC", minute(time)),
        }
    }

    /// Nothing for UTC, and for times beyond the calendar.
    fn zoned(&self, time: Time) -> Option<Zoned> {
        if self.0 == TimeZone::UTC {
            return None;
        }
        Timestamp::from_millisecond(time.0).ok().map(|moment| moment.to_zoned(self.0.clone()))
    }
}

/// The names of all zones.
fn zones() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

/// The place of a zone: what stands behind its region.
fn place(zone: &str) -> &str {
    zone.rsplit('/').next().unwrap_or(zone)
}

/// The zone of this name, or of this place: `europe/vienna`, `Vienna` and `New York` are known.
///
/// # Errors
/// There is none; the nearest, if one is near.
pub fn zone_named(typed: &str) -> Result<String, Option<String>> {
    let typed = typed.trim().replace(' ', "_");
    let zones = zones();
    // What has no region is named in another way than it seems: Etc/GMT+2 is two hours behind.
    let is_place = |zone: &&String| place(zone).eq_ignore_ascii_case(&typed) && !zone.starts_with("Etc/");
    let found = zones.iter().find(|zone| zone.eq_ignore_ascii_case(&typed)).or_else(|| zones.iter().find(is_place));
    if let Some(zone) = found {
        return Ok(zone.clone());
    }
    // Of a number another one is no slip.
    let is_slip = !typed.contains(|c: char| c.is_ascii_digit());
    let likely = || zones.iter().filter(|zone| is_slip && !zone.starts_with("Etc/")).map(String::as_str);
    let near = nearest(&typed, likely().chain(likely().map(place)));
    Err(near.and_then(|near| likely().find(|zone| *zone == near || place(zone) == near)).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_zone_with_what_the_zone_is_called_then() {
        let (winter, summer) = (Time(1_769_890_500_000), Time(1_784_000_000_000));
        let vienna = Clock::of_zone("Europe/Vienna");
        assert_eq!(vienna.moment(winter), "2026-01-31 21:15 CET");
        assert_eq!(vienna.moment(summer), "2026-07-14 05:33 CEST");
        assert_eq!(Clock::of_zone("America/New_York").minute(winter), "2026-01-31 15:15");
        for nowhere in [Clock::default(), Clock::of_zone("Atlantis"), Clock::of_zone("UTC")] {
            assert_eq!(nowhere.moment(winter), "2026-01-31 20:15 UTC");
            assert_eq!(nowhere.minute(winter), "2026-01-31 20:15");
        }
        for odd in [i64::MIN, i64::MAX] {
            assert!(vienna.moment(Time(odd)).ends_with(" UTC"));
        }
    }

    #[test]
    fn a_zone_is_found_by_its_name_and_by_its_place() {
        for (typed, zone) in [
            ("europe/vienna", "Europe/Vienna"),
            ("VIENNA", "Europe/Vienna"),
            (" new york ", "America/New_York"),
            ("utc", "UTC"),
            ("Etc/GMT+2", "Etc/GMT+2"),
        ] {
            assert_eq!(zone_named(typed).as_deref(), Ok(zone), "{typed}");
        }
        for (typed, near) in [
            ("Viena", Some("Europe/Vienna")),
            ("Europe/Berlni", Some("Europe/Berlin")),
            ("GMT+2", None),
            ("Middle Earth", None),
            ("", None),
        ] {
            assert_eq!(zone_named(typed), Err(near.map(str::to_owned)), "{typed}");
        }
        assert_eq!(zone_named(&"x".repeat(10_000)), Err(None));
    }

    #[test]
    fn every_zone_that_is_found_can_be_told_in() {
        for zone in zones() {
            assert_eq!(zone_named(&zone).as_deref(), Ok(&*zone));
            assert!(zone.len() <= ssmglobal_ipc::PREFERENCE_VALUE, "{zone}");
            assert!(!Clock::of_zone(&zone).moment(Time(1_769_890_500_000)).is_empty());
        }
    }
}
