//! What is due although nothing happens: a client is told that an answer takes long, asked whether it lives, and sent away
//! when it was silent for too long. A program that is nobody and only asks may be silent for less long than others: whoever
//! has left his connection open takes a process. It is told before its end, and so is a person. Runs in a worker; pure.

use super::{Around, Session};
use crate::commands::no_mode;
use crate::peer::Stack;
use crate::render::plural;
use ssmglobal_ipc::{Mode, State, WorkerEnd};
use std::time::{Duration, Instant};

/// What a client is told that waits for long.
const DELAYED: &str = "This takes longer than usual. Nothing is lost; the answer will come.";

/// A program is told so long before the end, at the most.
const AHEAD_MAX: Duration = Duration::from_secs(30);

/// A person is told so long before the end, at the most.
const AHEAD_OF_PERSON: Duration = Duration::from_secs(60);

/// How long a program that only asks may be silent, where that is less than others may be. 0 means that there is no such time.
fn shorter(anonymous: u64, idle: u64) -> Option<Duration> {
    (anonymous > 0 && (idle == 0 || anonymous < idle)).then(|| Duration::from_secs(anonymous))
}

/// A silence of whose end somebody is told before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Silence {
    /// How long it may be.
    time: Duration,
    /// How long before the end he is told.
    ahead: Duration,
    /// He is a person.
    person: bool,
}

impl Silence {
    fn new(time: Duration, person: bool) -> Silence {
        let most = if person { AHEAD_OF_PERSON } else { AHEAD_MAX };
        Silence { time, ahead: (time / 4).min(most), person }
    }

    /// What he is told. He has the time that is named, and no whole second more.
    fn told(self) -> String {
        let when = match self.ahead.as_secs() {
            0 => "less than a second".to_owned(),
            60 => "one minute".to_owned(),
            seconds => plural(seconds, "second").to_string(),
        };
        if self.person {
            return format!(
                "You have typed nothing for long: this connection ends in {when}. Press return to keep it."
            );
        }
        format!(
            "Nothing was asked for long: this connection ends in {when}. STAY keeps it, or any other line for a while."
        )
    }
}

fn after(from: Instant, seconds: u64) -> Option<Instant> {
    (seconds > 0).then(|| from + Duration::from_secs(seconds))
}

impl Session {
    /// When something is due although nothing happens.
    pub fn due_at(&self, around: Around<'_>) -> Option<Instant> {
        self.silence_ends(around).into_iter().chain(self.delay_ends(around)).min()
    }

    /// Does what is due at this time.
    pub fn on_due(&mut self, now: Instant, to: &mut Stack, around: Around<'_>) {
        if self.delay_ends(around).is_some_and(|at| at <= now) {
            self.delayed = Some(now);
            return self.notice(to, DELAYED.to_owned());
        }
        let seconds_since = |from: Instant| now.saturating_duration_since(from).as_secs();
        if self.state == State::Server && seconds_since(around.last_line) < around.settings.limits.server_drop_seconds {
            self.alive = now.into();
            return self.presenter.ping(to);
        }
        if self.tell_of_end(now, to, around) {
            return;
        }
        self.end(WorkerEnd::SILENT);
        let silent = seconds_since(*self.alive);
        let msg = match self.state {
            State::New => return self.presenter.refuse_at_once(to, &no_mode()),
            State::Unproved => format!("AUTH did not succeed within {silent} seconds"),
            State::Anonymous | State::Player => format!("No whole line came for {silent} seconds"),
            State::Server => format!("No whole line came for {} seconds", seconds_since(around.last_line)),
        };
        self.notice(to, format!("{msg}; the connection is closed."));
    }

    /// When the client is to be told that it takes long.
    fn delay_ends(&self, around: Around<'_>) -> Option<Instant> {
        let waits = self.asked.since().into_iter().chain(around.lost).min()?;
        let due = after(waits, around.settings.limits.delay_notice_seconds);
        due.filter(|_| self.delayed.is_none() && !self.ending)
    }

    /// When the client has said nothing for too long.
    fn silence_ends(&self, around: Around<'_>) -> Option<Instant> {
        let limits = &around.settings.limits;
        match self.state {
            State::New => after(*self.alive, limits.first_mode_seconds),
            // How long its players may be silent is the world's matter.
            State::Anonymous | State::Player if around.plays => None,
            // What it has said is being looked at.
            State::Unproved | State::Anonymous | State::Player if self.owes() => None,
            State::Unproved => after(*self.alive, limits.first_mode_seconds),
            State::Anonymous | State::Player => {
                self.told_silence_ends(around).or_else(|| after(*self.alive, around.door.idle_seconds))
            }
            State::Server => {
                let ping = after(*self.alive, limits.server_ping_seconds);
                ping.into_iter().chain(after(around.last_line, limits.server_drop_seconds)).min()
            }
        }
    }

    /// How long this client may be silent, if it is told before the end: a person, or one who may be silent less long than
    /// others.
    fn told_silence(&self, around: Around<'_>) -> Option<Silence> {
        match (self.state, self.mode()) {
            (State::Anonymous | State::Player, Mode::Human) => {
                let idle = around.door.idle_seconds;
                (idle > 0).then(|| Silence::new(Duration::from_secs(idle), true))
            }
            (State::Anonymous, Mode::Client) if !around.listens && !self.stays => {
                let time = shorter(around.settings.limits.anonymous_seconds, around.door.idle_seconds)?;
                Some(Silence::new(time, false))
            }
            _ => None,
        }
    }

    /// When it was told of the end of this silence.
    fn warned_of_this(&self) -> Option<Instant> {
        self.warned.filter(|warned| *warned >= self.alive).map(|warned| *warned)
    }

    /// When it is to be told of its end; once it was, when that is. It has the whole time between the two, however late it was
    /// told, since an answer that came late is no fault of its own.
    fn told_silence_ends(&self, around: Around<'_>) -> Option<Instant> {
        let Silence { time, ahead, .. } = self.told_silence(around)?;
        Some(self.warned_of_this().map_or(*self.alive + (time - ahead), |warned| warned + ahead))
    }

    /// Tells it of its end, if it was not; gives whether it has.
    fn tell_of_end(&mut self, now: Instant, to: &mut Stack, around: Around<'_>) -> bool {
        let silence = self.told_silence(around).filter(|_| self.warned_of_this().is_none());
        let Some(silence) = silence else { return false };
        self.warned = Some(now.into());
        self.notice(to, silence.told());
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
            let said = Silence::new(Duration::from_secs(seconds), false).told();
            said.split_once(" ends in ").and_then(|(_, rest)| rest.split_once('.')).unwrap().0.to_owned()
        };
        let all = [2, 4, 10, 60, 120, 3600].map(said);
        assert_eq!(all, ["less than a second", "1 second", "2 seconds", "15 seconds", "30 seconds", "30 seconds"]);
        let page = include_str!("../commands/protocol.md");
        assert!(page.contains(&Silence::new(4 * AHEAD_MAX, false).told()), "the page says it as it is said");
    }

    #[test]
    fn a_person_is_told_a_quarter_of_the_time_before_and_one_minute_at_the_most() {
        let said = |seconds| Silence::new(Duration::from_secs(seconds), true).told();
        let page = include_str!("../commands/protocol.md");
        assert!(page.contains(&said(1800)), "the page says it as it is said: {}", said(1800));
        for (time, when) in [(2, "less than a second"), (8, "2 seconds"), (239, "59 seconds"), (240, "one minute")] {
            assert!(said(time).contains(&format!("ends in {when}. Press return")), "{}", said(time));
        }
    }
}
