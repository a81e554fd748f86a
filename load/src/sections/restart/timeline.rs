//! Pauses over time as a small text file, so that the picture can be drawn anew without what was measured. Runs in the
//! load generator.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use super::steady::Pause;
use crate::guard::Result;

/// Milliseconds that are measured for the picture, of us and of Evennia.
pub const LENGTH: u32 = 15_000;
/// Milliseconds that are put together.
pub const BIN: u32 = 25;

/// What was done, and what clients felt.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Who was measured, and with what load.
    pub title: String,
    /// Milliseconds altogether.
    pub length: u32,
    /// When something was done, in milliseconds, and what.
    pub events: Vec<(u32, String)>,
    /// The bins in which something was sent, in order.
    pub bins: Vec<Bin>,
}

/// All requests that were sent within [`BIN`] milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// When, in milliseconds.
    pub at: u32,
    /// The longest wait for an answer, in microseconds; 0: none was answered.
    pub longest: u64,
    /// Requests that were never answered, or not with OK.
    pub lost: u32,
}

impl Timeline {
    /// Puts pauses together.
    pub fn new(title: String, length: u32, start: Instant, events: &[(Instant, &str)], pauses: &[Pause]) -> Self {
        let mut bins: Vec<Bin> = (0..length.div_ceil(BIN)).map(|n| Bin { at: n * BIN, longest: 0, lost: 0 }).collect();
        let mut sent = vec![false; bins.len()];
        for pause in pauses {
            let index = (pause.from / 1000 / u64::from(BIN)) as usize;
            let Some(bin) = bins.get_mut(index) else {
                continue;
            };
            sent[index] = true;
            match pause.to {
                Some(to) if pause.ok => bin.longest = bin.longest.max(to - pause.from),
                _ => bin.lost += 1,
            }
        }
        let mut sent = sent.into_iter();
        bins.retain(|_| sent.next().unwrap_or(false));
        let at = |when: &Instant| when.saturating_duration_since(start).as_millis() as u32;
        let events = events.iter().map(|(when, what)| (at(when), (*what).to_owned())).collect();
        Self { title, length, events, bins }
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = format!(
            "# {}\n# event: ms, what. Others: ms, longest wait of what was sent within {BIN} ms in µs, requests lost.\nlength {}\n",
            self.title, self.length
        );
        for (at, what) in &self.events {
            let _ = writeln!(text, "event {at} {what}");
        }
        for bin in &self.bins {
            let _ = writeln!(text, "{} {} {}", bin.at, bin.longest, bin.lost);
        }
        text
    }

    /// Reads such a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Self::parse(&text).ok_or_else(|| format!("{} is no timeline", path.display()).into())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut timeline = Self { title: lines.next()?.strip_prefix("# ")?.to_owned(), ..Self::default() };
        for line in lines.filter(|line| !line.starts_with('#')) {
            if let Some(length) = line.strip_prefix("length ") {
                timeline.length = length.parse().ok()?;
            } else if let Some((at, what)) = line.strip_prefix("event ").and_then(|rest| rest.split_once(' ')) {
                timeline.events.push((at.parse().ok()?, what.to_owned()));
            } else {
                let mut numbers = line.split(' ');
                let at = numbers.next()?.parse().ok()?;
                let longest = numbers.next()?.parse().ok()?;
                timeline.bins.push(Bin { at, longest, lost: numbers.next()?.parse().ok()? });
            }
        }
        Some(timeline)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn pauses_are_put_together_and_read_back() {
        let start = Instant::now();
        let pause = |from: u64, to, ok| Pause { client: 0, from, to, ok };
        let pauses = [
            pause(1_000, Some(3_000), true),
            pause(2_000, Some(9_000), true),
            pause(60_000, None, false),
            pause(61_000, Some(62_000), false),
            pause(9_000_000, Some(9_000_001), true),
        ];
        let events = [(start + Duration::from_millis(40), "kill -9 it")];
        let timeline = Timeline::new("ours".into(), 100, start, &events, &pauses);
        assert_eq!(timeline.bins, [Bin { at: 0, longest: 7_000, lost: 0 }, Bin { at: 50, longest: 0, lost: 2 }]);
        assert_eq!(timeline.events, [(40, "kill -9 it".to_owned())]);
        assert_eq!(Timeline::parse(&timeline.text()).unwrap(), timeline);
        assert_eq!(Timeline::parse("nothing"), None);
    }
}
