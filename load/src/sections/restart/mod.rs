//! What clients notice while processes are killed, stopped and replaced: a steady load, one event after the other, and
//! then the comparison of what was promised with what is in the database. One file per event.

mod evennia;
pub mod handler;
pub mod listener;
mod pauses;
pub mod picture;
mod promises;
mod steady;
pub mod stopped;
mod svg;
mod timeline;
pub mod upgrade;
mod visitors;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::pauses::{Window, longest};
use self::promises::Saved;
use self::steady::{CLIENTS, Faults, PER_SECOND, Record, Steady};
use self::visitors::{Visitors, Visits};
use super::grouped;
use crate::Context;
use crate::backend::{Backend, Supervisor, find_backend};
use crate::guard::{Result, check_stopped, until};
use crate::net::Client;
use crate::report::{Report, Row, Target, Unit};
use crate::stats::median;

/// Registering a thousand players shall not take long, and a mailbox holds what is sent in the longest run.
const CONFIG: &str = "
[players]
hash_memory_kib = 64
hash_passes = 1
[mail]
mailbox = 100000
";

/// The time for calm between two events.
const BETWEEN: Duration = Duration::from_millis(250);

/// What happens again and again, and what it is called.
struct Events {
    name: &'static str,
    times: u32,
    /// From the end of one to the beginning of the next.
    between: Duration,
    supervisor: Supervisor,
    /// Whether a second program connects all the time.
    visitors: bool,
    /// The longest pause, in seconds: the median and the worst; not compared when the event is a pause itself.
    most: Option<(f64, f64)>,
}

impl Events {
    /// `times` events with the usual targets.
    fn new(name: &'static str, times: u32) -> Self {
        let most = Some((0.05, 0.3));
        Self { name, times, between: BETWEEN, supervisor: Supervisor::None, visitors: false, most }
    }

    /// Runs them under a steady load and reports. `event` makes one happen and returns when its cause is over; what it
    /// returns is when it began.
    fn run(&self, context: &mut Context, mut event: impl FnMut(&Backend) -> Result<Instant>) -> Result<()> {
        let Some(program) = program(context)? else {
            return Ok(());
        };
        let mut backend = Backend::start_under(self.supervisor, program, &context.options.dir, CONFIG)?;
        let steady = Steady::start(&backend)?;
        let visitors = if self.visitors { Some(Visitors::start(backend.port)?) } else { None };
        let mut windows = Vec::new();
        let mut one = || -> Result<Window> {
            check_stopped()?;
            std::thread::sleep(self.between);
            let begin = event(&backend)?;
            Ok(Window { begin, end: steady.settle()? })
        };
        for n in 1..=self.times {
            match one() {
                Ok(window) => windows.push(window),
                Err(e) => {
                    context.report.remark(format!("{}: the {n}th was the last: {e}", self.name));
                    break;
                }
            }
        }
        let visits = visitors.map(Visitors::finish).transpose()?;
        let record = steady.finish()?;
        let saved = promises::compare(&backend.end()?, &record.promises)?;
        self.report(&mut context.report, &windows, &record, &saved, visits.as_ref());
        check_stopped()
    }

    fn report(&self, report: &mut Report, windows: &[Window], record: &Record, saved: &Saved, visits: Option<&Visits>) {
        let times = windows.len();
        let work = format!("{} × {times}", self.name);
        let mut none = |what: &str, count: u64| {
            count_row(report, format!("{work}: {what}"), count, Target::Below(0.0));
        };
        let Faults { dropped, missing, doubled, out_of_order, not_ok } = &record.faults;
        let refused: u64 = not_ok.values().sum();
        none(&format!("clients dropped, of {}", grouped(CLIENTS as u32)), *dropped);
        none(
            &format!("answers missing, doubled, out of order, not OK, of {}", grouped(record.pauses.len() as u32)),
            missing + doubled + out_of_order + refused,
        );
        none(
            &format!("changes lost or done twice, of {} answered OK", grouped(saved.compared as u32)),
            (saved.lost + saved.doubled) as u64,
        );
        if let Some(visits) = visits {
            let what = format!("connections turned away or not greeted, of {}", grouped(visits.made as u32));
            none(&what, visits.turned_away + visits.unanswered);
            let longest = visits.longest.as_secs_f64();
            seconds_row(report, format!("{work}: longest wait for a greeting"), longest, Target::None);
        }
        let longest = longest(&record.pauses, record.start, windows);
        let (middle, worst) = (median(&longest), longest.iter().copied().reduce(f64::max));
        let targets =
            self.most.map_or([Target::None; 2], |(middle, worst)| [Target::Below(middle), Target::Below(worst)]);
        for (which, value, target) in [("median", middle, targets[0]), ("worst", worst, targets[1])] {
            if let Some(value) = value {
                seconds_row(report, format!("{work}: longest pause of a client, {which}"), value, target);
            }
        }
        report.remark(format!(
            "{work}: {} requests/s; {missing} answers missing, {doubled} doubled, {out_of_order} out of order, not OK: \
             {not_ok:?}; {} changes lost, {} done twice; the generator was late by {} at the most.",
            grouped(PER_SECOND),
            saved.lost,
            saved.doubled,
            Unit::Seconds.show(record.lag.as_secs_f64()),
        ));
    }
}

fn program(context: &Context) -> Result<Option<PathBuf>> {
    if context.options.peers_only { Ok(None) } else { find_backend().map(Some) }
}

fn count_row(report: &mut Report, work: String, count: u64, target: Target) {
    report.row(Row { work, unit: Unit::Count, ours: vec![count as f64], peer: "", theirs: Vec::new(), target });
}

fn seconds_row(report: &mut Report, work: String, seconds: f64, target: Target) {
    report.row(Row { work, unit: Unit::Seconds, ours: vec![seconds], peer: "", theirs: Vec::new(), target });
}

/// How often to do what is done `times` times in full.
fn times(context: &Context, times: u32) -> u32 {
    if context.options.quick { (times / 20).max(3) } else { times }
}

/// Waits until the handler, or the one after it, has answered a question that was asked now.
fn served(probe: &mut Client) -> Result<()> {
    until("the next handler", steady::PATIENCE, || Ok(probe.ask(r#"{"cmd":"RECORD BOARDS"}"#).is_ok()))
}
