//! What `ctl top` shows, as lines that fit. Pure. Part of the operator's command.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use ssmglobal_ipc::numbers::{Numbers, Recent};
use ssmglobal_ipc::{Kind, PlayedRow, PlayedState, Time};
use ssmglobal_worker::metrics::text::command;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::super::status::{Pace, milliseconds, rate, size};
use super::super::table::{bytes, number, span};
use super::super::trouble::Trouble;
use crate::print::clean;

/// An answer that takes longer is worth a word.
const LATE: Duration = Duration::from_secs(2);

/// Columns of what a line is about.
const LABEL: usize = 10;

/// Commands that are shown at the most.
const COMMANDS: usize = 100;

/// Worlds that are shown at the most.
const WORLDS: usize = 8;

/// What the backend has told.
pub struct Told {
    /// The numbers.
    pub numbers: Numbers,
    /// Worlds that are played through it.
    pub worlds: Vec<PlayedRow>,
}

/// What is known.
#[derive(Default)]
pub struct View {
    /// The last numbers, and when they came.
    last: Option<(Box<Numbers>, Instant)>,
    worlds: Vec<PlayedRow>,
    /// What it was like between them and those before.
    pace: Pace,
    /// Requests by the number of their kind: a second, and all.
    commands: Vec<(u16, f64, u64)>,
    /// Why there is no answer.
    trouble: Option<String>,
}

impl View {
    /// An answer, or why there is none.
    pub fn take(&mut self, answer: Result<Told, Trouble>, now: Instant) {
        let numbers = match answer {
            Ok(Told { numbers, worlds }) => {
                self.worlds = worlds;
                numbers
            }
            Err(trouble) => {
                self.trouble = Some(match trouble {
                    Trouble::NotRunning(_) => "The backend does not run. It is looked for each second.".to_owned(),
                    other => format!("The backend is gone, and asked again each second: {other}"),
                });
                return;
            }
        };
        self.trouble = None;
        let same = |before: &Numbers| {
            (before.status.handler, before.status.since) == (numbers.status.handler, numbers.status.since)
        };
        let before = self.last.take().filter(|(before, _)| same(before));
        match &before {
            Some((before, at)) => {
                let time = now.saturating_duration_since(*at).max(Duration::from_millis(1));
                self.pace = Pace::of(&Recent {
                    milliseconds: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
                    requests: numbers.status.requests.saturating_sub(before.status.requests),
                    commits: numbers.status.commits.saturating_sub(before.status.commits),
                    answers: numbers.answers.since(&before.answers),
                });
                self.commands = commands(&numbers, Some((before, time.as_secs_f64())));
            }
            // Of another handler, or the first: the last minute will do.
            None => {
                self.pace = Pace::of(&numbers.recent);
                self.commands = commands(&numbers, None);
            }
        }
        self.last = Some((Box::new(numbers), now));
    }

    /// As many lines as there is room for, none longer than that.
    pub fn lines(&self, (width, height): (usize, usize), now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        let late = self.last.as_ref().is_some_and(|(_, at)| now.saturating_duration_since(*at) > LATE);
        match (&self.trouble, &self.last) {
            (Some(trouble), _) => lines.extend(wrapped(&clean(trouble), width)),
            (None, Some((_, at))) if late => {
                let silence = span(now.saturating_duration_since(*at).as_secs());
                lines.extend(wrapped(&format!("The backend has not answered for {silence}."), width));
            }
            (None, None) => lines.push("The backend is asked ...".to_owned()),
            (None, Some(_)) => {}
        }
        if let Some((numbers, _)) = &self.last {
            self.body(numbers, width, &mut lines);
        }
        let room = height.saturating_sub(1);
        lines.truncate(room);
        lines.resize(room, String::new());
        lines.push("q ends it".to_owned());
        lines.truncate(height);
        lines.into_iter().map(|line| cut(&line, width)).collect()
    }

    fn body(&self, numbers: &Numbers, width: usize, lines: &mut Vec<String>) {
        for (label, items) in who(numbers).into_iter().chain(self.pace()).chain(machine(numbers)) {
            lines.extend(flowed(label, &items, width));
        }
        if !self.worlds.is_empty() {
            lines.extend(flowed("worlds", &worlds(&self.worlds), width));
        }
        self.busiest(width, lines);
    }

    fn pace(&self) -> [Group; 2] {
        let Pace { requests, commits, p50, p99 } = self.pace;
        [
            ("requests", vec![format!("{}/s", rate(requests)), format!("commits {}/s", rate(commits))]),
            ("answers", vec![format!("p50 {}", milliseconds(p50)), format!("p99 {}", milliseconds(p99))]),
        ]
    }

    /// Commands, those first that are asked most.
    fn busiest(&self, width: usize, lines: &mut Vec<String>) {
        lines.push(String::new());
        let name = width.saturating_sub(26).clamp(8, 24);
        lines.push(format!("{:<name$} {:>9} {:>14}", "COMMAND", "/S", "ALL"));
        for (kind, a_second, all) in &self.commands {
            let called =
                Kind::from_number(*kind).map_or_else(|| format!("number {kind}"), |kind| command(kind).to_owned());
            let called = cut(&called, name);
            lines.push(format!("{called:<name$} {:>9} {:>14}", rate(*a_second), number(*all)));
        }
    }
}

/// What a line is about, and what stands in it.
type Group = (&'static str, Vec<String>);

/// Worlds, those first that are down, and then those that are played by most.
fn worlds(rows: &[PlayedRow]) -> Vec<String> {
    let mut rows: Vec<&PlayedRow> = rows.iter().collect();
    rows.sort_by_key(|row| (row.state != PlayedState::Down, Reverse(row.playing), &row.world));
    let now = Time::now().0;
    let one = |row: &&PlayedRow| {
        let state = if row.state == PlayedState::Down { "DOWN" } else { row.state.as_str() };
        let since = row.since.map(|since| span(now.saturating_sub(since.0).max(0).unsigned_abs() / 1000));
        let since = since.map_or_else(String::new, |since| format!(" {since}"));
        let [playing, waiting] = [row.playing, row.waiting].map(|count| number(count.into()));
        let text = format!("{} {state}{since}, playing {playing}, waiting {waiting}, at {}", row.world, row.address);
        clean(&text).into_owned()
    };
    let more = rows.len().saturating_sub(WORLDS);
    let more = (more > 0).then(|| format!("and {more} more: `ctl world played` shows all"));
    rows.iter().take(WORLDS).map(one).chain(more).collect()
}

fn who(Numbers { status, .. }: &Numbers) -> [Group; 2] {
    let up = Time::now().0.saturating_sub(status.since.0).max(0).unsigned_abs() / 1000;
    let (clients, most) = (number(status.clients.into()), number(status.clients_max.into()));
    let program = vec![
        clean(&status.version).into_owned(),
        format!("up {}", span(up)),
        format!("listener {}", status.listener),
        format!("handler {}", status.handler),
    ];
    let clients = vec![
        format!("{clients} of {most}"),
        format!("at work {}", number(status.linked.into())),
        format!("players {}", number(status.players_on.into())),
        format!("servers {}", number(status.servers_on.into())),
    ];
    [("ssmglobal", program), ("clients", clients)]
}

fn machine(Numbers { status, queues, machine, log, deaths, proofs_bad, .. }: &Numbers) -> [Group; 4] {
    let waiting = vec![
        format!("writer {}", number(queues.writer)),
        format!("readers {}", number(queues.readers)),
        format!("hashing {}", number(queues.hashing)),
        format!("sessions {}", number(queues.sessions)),
        format!("outboxes {} ({})", number(queues.outboxes), bytes(queues.outbox_bytes)),
    ];
    let memory = vec![
        format!("handler {}", size(machine.handler_bytes)),
        format!("listener {}", size(machine.listener_bytes)),
        format!("workers {}", size(machine.workers_bytes)),
    ];
    let disk = vec![
        format!("database {}", bytes(status.database_bytes)),
        format!("log {}", bytes(machine.wal_bytes)),
        format!("free {}", size(machine.disk_free_bytes)),
        format!("writable {}", if status.writable { "yes" } else { "NO" }),
    ];
    let so_far = vec![
        format!("handlers died {}", number(*deaths)),
        format!("errors {}", number(log.written[0])),
        format!("warnings {}", number(log.written[1])),
        format!("refused proofs {}", number(*proofs_bad)),
    ];
    [("queues", waiting), ("memory", memory), ("disk", disk), ("so far", so_far)]
}

fn commands(numbers: &Numbers, before: Option<(&Numbers, f64)>) -> Vec<(u16, f64, u64)> {
    let a_second = |kind: u16, count: u64| {
        let (before, seconds) = before?;
        let then = before.kinds.iter().find(|(other, _)| *other == kind).map_or(0, |(_, count)| *count);
        Some(count.saturating_sub(then) as f64 / seconds)
    };
    let mut commands: Vec<(u16, f64, u64)> =
        numbers.kinds.iter().map(|(kind, count)| (*kind, a_second(*kind, *count).unwrap_or(0.0), *count)).collect();
    commands.sort_by(|one, other| other.1.total_cmp(&one.1).then(other.2.cmp(&one.2)).then(one.0.cmp(&other.0)));
    commands.truncate(COMMANDS);
    commands
}

/// Items behind a label, as many in a line as fit.
fn flowed(label: &str, items: &[String], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = format!("{label:<LABEL$}");
    let mut empty = true;
    for item in items {
        let gap = if empty { 1 } else { 3 };
        if !empty && line.width() + gap + item.width() > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(LABEL)));
            empty = true;
        }
        line.push_str(if empty { " " } else { "   " });
        line.push_str(item);
        empty = false;
    }
    lines.push(line);
    lines
}

/// A text in lines that fit, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// What of a line fits.
fn cut(line: &str, width: usize) -> String {
    let mut used = 0;
    let fits = |letter: &char| {
        used += letter.width().unwrap_or(0);
        used <= width
    };
    line.chars().take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::status::tests::busy;
    use super::*;

    fn shown(view: &View, size: (usize, usize)) -> Vec<String> {
        let lines = view.lines(size, Instant::now());
        assert_eq!(lines.len(), size.1);
        assert!(lines.iter().all(|line| line.width() <= size.0), "{lines:#?}");
        lines
    }

    fn told(numbers: Numbers) -> Result<Told, Trouble> {
        Ok(Told { numbers, worlds: Vec::new() })
    }

    fn view() -> View {
        let mut view = View::default();
        view.take(told(busy()), Instant::now());
        view
    }

    #[test]
    fn everything_has_room_at_80_columns() {
        let lines = shown(&view(), (80, 24));
        for part in ["of 1,000,000", "1,000,000/s", "commits 5,000/s", "outboxes 4,096 (8.0 GiB)", "writable yes"] {
            assert!(lines.iter().any(|line| line.contains(part)), "{part} is not in {lines:#?}");
        }
        assert!(lines.iter().any(|line| line.starts_with("RECORD SUBMIT") && line.ends_with("1,234,567,890")));
        assert_eq!(lines.last().unwrap(), "q ends it");
    }

    #[test]
    fn at_40_columns_what_does_not_fit_beside_stands_below_and_nothing_is_cut() {
        let lines = shown(&view(), (40, 40));
        for part in ["workers 123.0 GiB", "outboxes 4,096 (8.0 GiB)", "refused proofs 2", "1,234,567,890"] {
            assert!(lines.iter().any(|line| line.contains(part)), "{part} is not in {lines:#?}");
        }
    }

    #[test]
    fn no_size_is_too_small() {
        for size in [(1, 1), (1, 24), (80, 1), (12, 5), (0, 0), (3, 2)] {
            shown(&view(), size);
            shown(&View::default(), size);
        }
    }

    #[test]
    fn a_rate_is_what_came_between_two_looks() {
        let (mut view, now) = (View::default(), Instant::now());
        let mut later = busy();
        later.status.requests += 500;
        later.kinds[0].1 += 400;
        view.take(told(busy()), now);
        view.take(told(later), now + Duration::from_secs(2));
        assert_eq!(view.pace, Pace { requests: 250.0, commits: 0.0, p50: None, p99: None });
        assert_eq!(view.commands[0], (20, 200.0, 1_234_568_290));
    }

    #[test]
    fn another_handler_begins_with_its_own_last_minute() {
        let (mut view, now) = (view(), Instant::now());
        let mut other = busy();
        (other.status.handler, other.status.requests) = (7, 3);
        view.take(told(other), now);
        assert_eq!(view.pace.requests, 1_000_000.0);
    }

    #[test]
    fn that_the_backend_is_gone_is_said_above_what_was_last_known_and_goes_when_it_is_back() {
        let mut view = view();
        view.take(Err(Trouble::NotRunning(vec!["/srv/run/ctl.sock".into()])), Instant::now());
        let lines = shown(&view, (40, 30));
        assert!(lines[0].starts_with("The backend does not run."), "{lines:#?}");
        assert!(lines.iter().any(|line| line.starts_with("clients")), "{lines:#?}");
        view.take(told(busy()), Instant::now());
        assert!(shown(&view, (40, 30))[0].starts_with("ssmglobal"));
    }

    #[test]
    fn a_silence_is_told() {
        let view = view();
        let lines = view.lines((80, 24), Instant::now() + Duration::from_secs(9));
        assert!(lines[0].starts_with("The backend has not answered for 9 s"), "{lines:#?}");
    }

    #[test]
    fn worlds_that_are_down_stand_first_and_many_are_told_as_a_number() {
        let row = |world: String, state, playing| PlayedRow {
            world,
            state,
            since: Some(Time::now()),
            address: "127.0.0.1:2860".into(),
            chosen: false,
            addresses: Vec::new(),
            playing,
            waiting: 2,
            alone: 0,
        };
        let mut worlds: Vec<PlayedRow> = (0..20).map(|at| row(format!("w{at}"), PlayedState::Up, at)).collect();
        worlds.push(row("zoo".into(), PlayedState::Down, 0));
        let mut view = View::default();
        view.take(Ok(Told { numbers: busy(), worlds }), Instant::now());
        let lines = shown(&view, (80, 60));
        let first = lines.iter().position(|line| line.starts_with("worlds ")).unwrap();
        assert_eq!(lines[first], "worlds     zoo DOWN 0 s, playing 0, waiting 2, at 127.0.0.1:2860");
        assert_eq!(lines[first + 1], "           w19 up 0 s, playing 19, waiting 2, at 127.0.0.1:2860");
        assert_eq!(lines[first + WORLDS], "           and 13 more: `ctl world played` shows all");
    }
}
