//! A program that is nobody and only asks may be silent for less long than others: whoever has left his connection open takes
//! a process. It is told before its end. Runs in a worker.

use super::Session;
use crate::render::plural;
use ssmglobal_ipc::{Event, Mode, Notice, State};
use std::time::{Duration, Instant};

/// It is told so long before the end, at the most.
const AHEAD_MAX: Duration = Duration::from_secs(30);

/// How long a program that only asks may be silent, where that is less than others may be. 0 means that there is no such time.
fn shorter(anonymous: u64, idle: u64) -> Option<Duration> {
    (anonymous > 0 && (idle == 0 || anonymous < idle)).then(|| Duration::from_secs(anonymous))
}

/// How long before the end it is told.
fn ahead(time: Duration) -> Duration {
    (time / 4).min(AHEAD_MAX)
}

/// What it is told. It has the time that is named, and no whole second more.
fn told_of(ahead: Duration) -> String {
    let when = match ahead.as_secs() {
        0 => "less than a second".to_owned(),
        seconds => plural(seconds, "second").to_string(),
    };
    format!("Nothing was asked for long: this connection ends in {when}. STAY keeps it, or any other line for a while.")
}

impl Session<'_> {
    /// How long this client may be silent, if that is less long than others may.
    fn short_silence(&self) -> Option<Duration> {
        let only_asks = self.state == State::Anonymous && self.mode == Mode::Client && self.subscriptions.is_empty();
        let time = shorter(self.settings.limits.anonymous_seconds, self.door.idle_seconds);
        time.filter(|_| only_asks && !self.stays)
    }

    /// When it was told of the end of this silence.
    fn told_of_this(&self) -> Option<Instant> {
        self.told.filter(|told| *told >= self.alive)
    }

    /// When it is to be told of its end; once it was, when that is. It has the whole time between the two, however late it was
    /// told, since an answer that came late is no fault of its own.
    pub(super) fn short_silence_ends(&self) -> Option<Instant> {
        let time = self.short_silence()?;
        Some(self.told_of_this().map_or(self.alive + (time - ahead(time)), |told| told + ahead(time)))
    }

    /// Tells it of its end, if it was not; gives whether it has.
    pub(super) fn tell_of_end(&mut self, now: Instant) -> bool {
        let Some(time) = self.short_silence().filter(|_| self.told_of_this().is_none()) else { return false };
        self.told = Some(now);
        self.show_event(&Event::Notice(Notice { msg: told_of(ahead(time)) }));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_time_counts_and_0_is_none() {
        let seconds = |anonymous, idle| shorter(anonymous, idle).map(|time| time.as_secs());
        assert_eq!(seconds(120, 1800), Some(120));
        assert_eq!(seconds(120, 0), Some(120));
        // There is nothing to be told of then: STAY would not help.
        assert_eq!([seconds(120, 60), seconds(60, 60), seconds(0, 60), seconds(0, 0)], [None; 4]);
    }

    #[test]
    fn it_is_told_a_quarter_of_the_time_before_and_30_seconds_at_the_most() {
        let said = |seconds| {
            let said = told_of(ahead(Duration::from_secs(seconds)));
            said.split_once(" ends in ").and_then(|(_, rest)| rest.split_once('.')).unwrap().0.to_owned()
        };
        let all = [2, 4, 10, 60, 120, 3600].map(said);
        assert_eq!(all, ["less than a second", "1 second", "2 seconds", "15 seconds", "30 seconds", "30 seconds"]);
        assert!(
            include_str!("../commands/protocol.md").contains(&told_of(AHEAD_MAX)),
            "the page says it as it is said"
        );
    }
}
