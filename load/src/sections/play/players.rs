//! Many who play on a thread of its own: each says numbered lines when it is his turn, whether or not earlier ones were answered.
//! Nothing that goes wrong ends it: it is counted. Runs in the load generator.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Player;
use crate::engine::{Fleet, Link};
use crate::guard::{Result, check_stopped};
use crate::protocol::find_byte;
use crate::telnet::Skipper;

/// How long answers may stay away at the end before they count as missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// A line that a player has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who has said it.
    pub player: usize,
    /// When, in microseconds since the beginning.
    pub from: u64,
    /// When it was answered; `None`: never.
    pub to: Option<u64>,
}

/// What has become of it.
#[derive(Default)]
pub struct Record {
    /// How many have played.
    pub players: usize,
    /// All lines.
    pub lines: Vec<Line>,
    /// Players whose connection has ended.
    pub dropped: usize,
    /// Answers to what was answered already, or never said.
    pub doubled: usize,
    /// Answers that came before an earlier one.
    pub out_of_order: usize,
    /// The longest time that a line was said later than it was due: the generator's own delay.
    pub lag: Duration,
}

impl Record {
    /// Lines that were said at this time or later, and never answered.
    pub fn missing(&self, from: u64) -> usize {
        self.lines.iter().filter(|line| line.from >= from && line.to.is_none()).count()
    }

    /// The longest time that each player has waited for an answer, in seconds.
    pub fn longest_of_each(&self) -> Vec<f64> {
        let mut longest = vec![0_u64; self.players];
        for line in &self.lines {
            if let Some(to) = line.to {
                longest[line.player] = longest[line.player].max(to - line.from);
            }
        }
        longest.into_iter().map(|micros| micros as f64 / 1e6).collect()
    }

    /// When each player had his first answer at this time or later; `None`: never.
    pub fn first_answer_of_each(&self, since: u64) -> Vec<Option<u64>> {
        let mut first = vec![None; self.players];
        for line in &self.lines {
            if let Some(to) = line.to.filter(|to| *to >= since) {
                let known = &mut first[line.player];
                *known = Some(known.map_or(to, |known: u64| known.min(to)));
            }
        }
        first
    }
}

/// Many who play.
pub struct Players {
    start: Instant,
    stop: Sender<()>,
    thread: JoinHandle<Result<Record>>,
}

impl Players {
    /// Connects so many to this port, logs them in, and lets them say so many lines per second, all together.
    pub fn start(port: u16, count: usize, per_second: u32) -> Result<Self> {
        let mut streams = Vec::with_capacity(count);
        let mut play = Play { start: Instant::now(), record: Record::default(), players: Vec::new() };
        for n in 0..count {
            check_stopped()?;
            let Player { stream, skipper, text, scratch: _ } = Player::enter(port, n)?;
            streams.push(stream);
            play.players.push(Talk { skipper, text, next: 0, expected: 0, open: VecDeque::new(), gone: false });
        }
        play.record.players = count;
        let mut fleet = Fleet::new(streams)?;
        let (stop, stopped) = channel();
        play.start = Instant::now();
        let start = play.start;
        let run = move || play.run(&mut fleet, per_second, &stopped);
        let thread = std::thread::Builder::new().name("players".to_owned()).spawn(run)?;
        Ok(Self { start, stop, thread })
    }

    /// Microseconds since the beginning.
    pub fn at(&self, instant: Instant) -> u64 {
        micros(self.start, instant)
    }

    /// Ends it, when what was said is answered or has been waited for.
    pub fn finish(self) -> Result<Record> {
        drop(self.stop);
        self.thread.join().map_err(|_| "the players' thread died")?
    }
}

struct Talk {
    skipper: Skipper,
    text: Vec<u8>,
    /// The number of the next line.
    next: u64,
    /// The number behind the highest that was answered.
    expected: u64,
    /// What is not answered, oldest first: the number, and its place in the record.
    open: VecDeque<(u64, usize)>,
    gone: bool,
}

struct Play {
    start: Instant,
    record: Record,
    players: Vec<Talk>,
}

impl Play {
    fn run(mut self, fleet: &mut Fleet, per_second: u32, stopped: &Receiver<()>) -> Result<Record> {
        let (mut said, mut stop) = (0, None);
        loop {
            let now = Instant::now();
            let due = |said: u32| self.start + Duration::from_secs(1) * said / per_second;
            if stop.is_none() && due(said) <= now {
                self.record.lag = self.record.lag.max(now - due(said));
                self.say(said as usize % self.players.len(), fleet)?;
                said += 1;
                continue;
            }
            if stop.is_none() && stopped.try_recv() == Err(TryRecvError::Disconnected) {
                stop = Some(now);
            }
            let waits = self.players.iter().any(|talk| !talk.gone && !talk.open.is_empty());
            if stop.is_some_and(|at| !waits || now > at + PATIENCE) {
                return Ok(self.record);
            }
            let wait = if stop.is_some() { Duration::from_millis(20) } else { due(said) - now };
            fleet.turn(wait, |index, link, scratch| {
                self.hear(index, link, scratch);
                Ok(())
            })?;
        }
    }

    fn say(&mut self, index: usize, fleet: &mut Fleet) -> Result<()> {
        let talk = &mut self.players[index];
        if talk.gone {
            return Ok(());
        }
        let link = fleet.link(index);
        link.output().extend_from_slice(format!("say {}\r\n", talk.next).as_bytes());
        talk.open.push_back((talk.next, self.record.lines.len()));
        talk.next += 1;
        self.record.lines.push(Line { player: index, from: micros(self.start, Instant::now()), to: None });
        if link.flush().is_err() {
            self.lose(index, link);
        }
        Ok(())
    }

    fn lose(&mut self, index: usize, link: &mut Link) {
        let talk = &mut self.players[index];
        self.record.dropped += usize::from(!talk.gone);
        talk.gone = true;
        link.give_up();
    }

    fn hear(&mut self, index: usize, link: &mut Link, scratch: &mut [u8]) {
        let received = link.receive(scratch, |data| {
            self.text(index, data);
            Ok(data.len())
        });
        if received.is_err() {
            self.lose(index, link);
        }
    }

    fn text(&mut self, index: usize, data: &[u8]) {
        let at = micros(self.start, Instant::now());
        let Self { record, players, .. } = self;
        let talk = &mut players[index];
        talk.skipper.take(data, &mut talk.text);
        let text = std::mem::take(&mut talk.text);
        let mut rest = &text[..];
        while let Some(end) = find_byte(rest, b'\n') {
            // All else is the world's or ours, and no answer.
            if let Some(number) = rest[..end].trim_ascii_end().strip_prefix(b"said ") {
                talk.answer(number, at, record);
            }
            rest = &rest[end + 1..];
        }
        talk.text.extend_from_slice(rest);
    }
}

impl Talk {
    fn answer(&mut self, number: &[u8], at: u64, record: &mut Record) {
        let number = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
        let place = self.open.iter().position(|(open, _)| Some(*open) == number);
        let Some((number, line)) = place.and_then(|place| self.open.remove(place)) else {
            record.doubled += 1;
            return;
        };
        // What is lost puts nothing out of order that comes behind it.
        record.out_of_order += usize::from(number < self.expected);
        self.expected = self.expected.max(number + 1);
        record.lines[line].to = Some(at);
    }
}

fn micros(start: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(start).as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is recorded of one who has said four lines, and hears this.
    fn heard(answers: &[&str]) -> Record {
        let open = (0..4).map(|n| (n, n as usize)).collect();
        let talk = Talk { skipper: Skipper::default(), text: Vec::new(), next: 4, expected: 0, open, gone: false };
        let lines = (0..4).map(|n| Line { player: 0, from: n * 10, to: None }).collect();
        let record = Record { players: 1, lines, ..Record::default() };
        let mut play = Play { start: Instant::now(), record, players: vec![talk] };
        answers.iter().for_each(|text| play.text(0, text.as_bytes()));
        play.record
    }

    #[test]
    fn what_goes_wrong_is_told_apart() {
        let counts = |answers: &[&str]| {
            let record = heard(answers);
            (record.missing(0), record.doubled, record.out_of_order)
        };
        assert_eq!(counts(&["said 0\r\nsa", "id 1\r\n** a notice\r\nsaid 2\r\n", "said 3\r\n"]), (0, 0, 0));
        assert_eq!(counts(&["said 0\r\nsaid 1\r\nsaid 3\r\n"]), (1, 0, 0));
        assert_eq!(counts(&["said 0\r\nsaid 2\r\nsaid 1\r\nsaid 3\r\n"]), (0, 0, 1));
        assert_eq!(counts(&["said 0\r\nsaid 0\r\nsaid 1\r\nsaid 2\r\nsaid 3\r\nsaid 9\r\n"]), (0, 2, 0));
        assert_eq!(heard(&["said 0\r\nsaid 1\r\n"]).missing(30), 1);
    }

    #[test]
    fn all_is_answered_where_nothing_goes_wrong() {
        let players = Players::start(crate::world::tests::world(), 20, 400).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let record = players.finish().unwrap();
        assert!(record.lines.len() > 20, "{}", record.lines.len());
        assert_eq!((record.dropped, record.missing(0), record.doubled, record.out_of_order), (0, 0, 0, 0));
        assert!(record.longest_of_each().iter().all(|seconds| *seconds > 0.0));
    }

    #[test]
    fn waits_are_told_player_by_player() {
        let line = |player, from, to| Line { player, from, to };
        let lines = vec![line(0, 0, Some(5_000_000)), line(0, 10, Some(20)), line(1, 0, None), line(1, 7, Some(9))];
        let record = Record { players: 3, lines, ..Record::default() };
        assert_eq!(record.longest_of_each(), [5.0, 2e-6, 0.0]);
        assert_eq!(record.first_answer_of_each(10), [Some(20), None, None]);
    }
}
