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

use std::path::Path;
use std::time::{Duration, Instant};

use self::pauses::{Window, longest};
use self::promises::Saved;
use self::steady::{CLIENTS, Faults, PER_SECOND, Record, Steady};
use self::visitors::{Visitors, Visits};
use super::compare::{Finding, Found};
use super::grouped;
use crate::Context;
use crate::backend::{Backend, Supervisor};
use crate::guard::{Result, check_stopped, until};
use crate::net::Client;
use crate::pairs::Sides;
use crate::report::{Target, Unit};
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

/// What happens to a backend again and again. Each backend has one of its own.
trait Event {
    /// Makes it happen once, and returns when its cause is over; what it returns is when it began.
    fn happen(&mut self, backend: &Backend) -> Result<Instant>;

    /// What it has found out by itself.
    fn found(&self) -> Vec<Finding> {
        Vec::new()
    }
}

/// Events of one kind, and what they are called.
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

/// Everything that is known when a load has ended.
struct Ended<'a> {
    windows: &'a [Window],
    record: &'a Record,
    saved: &'a Saved,
    visits: Option<&'a Visits>,
}

impl Events {
    /// `times` events with the usual targets.
    fn new(name: &'static str, times: u32) -> Self {
        let most = Some((0.05, 0.3));
        Self { name, times, between: BETWEEN, supervisor: Supervisor::None, visitors: false, most }
    }

    /// Runs them on a new backend of each program under a steady load, and reports.
    fn run<P: AsRef<Path>, E: Event>(
        &self,
        context: &mut Context,
        programs: Sides<P>,
        make: impl Fn(&P) -> E + Copy,
    ) -> Result<()> {
        let dir = context.options.dir.clone();
        let turn = |program: &mut P| self.turn(program.as_ref(), &dir, make(program));
        let facts = context.plan()?.alone(self.name, programs, turn)?;
        facts.report(&mut context.report);
        check_stopped()
    }

    fn turn(&self, program: &Path, dir: &Path, mut event: impl Event) -> Result<Found> {
        let mut backend = Backend::start_under(self.supervisor, program.to_owned(), dir, CONFIG)?;
        let steady = Steady::start(&backend)?;
        let visitors = if self.visitors { Some(Visitors::start(backend.port)?) } else { None };
        let (mut windows, mut trouble) = (Vec::new(), Vec::new());
        let mut one = || -> Result<Window> {
            check_stopped()?;
            std::thread::sleep(self.between);
            let begin = event.happen(&backend)?;
            Ok(Window { begin, end: steady.settle()? })
        };
        for n in 1..=self.times {
            match one() {
                Ok(window) => windows.push(window),
                Err(e) => {
                    trouble.push(format!("{}: the {n}th was the last: {e}", self.name));
                    break;
                }
            }
        }
        let visits = visitors.map(Visitors::finish).transpose()?;
        let record = steady.finish()?;
        let saved = promises::compare(&backend.end()?, &record.promises)?;
        let ended = Ended { windows: &windows, record: &record, saved: &saved, visits: visits.as_ref() };
        let work = format!("{} × {}", self.name, windows.len());
        let mut findings = ended.faults(&work);
        findings.extend(ended.waits(&work, self.most));
        findings.extend(event.found());
        Ok(Found { findings, trouble, remark: Some(ended.remark(&work)) })
    }
}

impl Ended<'_> {
    /// What shall be none.
    fn faults(&self, work: &str) -> Vec<Finding> {
        let Faults { dropped, missing, doubled, out_of_order, not_ok } = &self.record.faults;
        let refused: u64 = not_ok.values().sum();
        let mut counts = vec![
            ("clients dropped", format!(", of {}", grouped(CLIENTS as u32)), *dropped),
            (
                "answers missing, doubled, out of order, not OK",
                format!(", of {}", grouped(self.record.pauses.len() as u32)),
                missing + doubled + out_of_order + refused,
            ),
            (
                "changes lost or done twice",
                format!(", of {} answered OK", grouped(self.saved.compared as u32)),
                (self.saved.lost + self.saved.doubled) as u64,
            ),
        ];
        if let Some(visits) = self.visits {
            let of = format!(", of {}", grouped(visits.made as u32));
            counts.push(("connections turned away or not greeted", of, visits.turned_away + visits.unanswered));
        }
        let finding = |(what, of, count): (&str, String, u64)| {
            let work = format!("{work}: {what}");
            Finding { work, of, unit: Unit::Count, value: count as f64, target: Target::Below(0.0) }
        };
        counts.into_iter().map(finding).collect()
    }

    /// How long clients waited.
    fn waits(&self, work: &str, most: Option<(f64, f64)>) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(visits) = self.visits {
            let longest = visits.longest.as_secs_f64();
            findings.push(seconds(format!("{work}: longest wait for a greeting"), longest, Target::None));
        }
        let longest = longest(&self.record.pauses, self.record.start, self.windows);
        let (middle, worst) = (median(&longest), longest.iter().copied().reduce(f64::max));
        let targets = most.map_or([Target::None; 2], |(middle, worst)| [Target::Below(middle), Target::Below(worst)]);
        for (which, value, target) in [("median", middle, targets[0]), ("worst", worst, targets[1])] {
            if let Some(value) = value {
                findings.push(seconds(format!("{work}: longest pause of a client, {which}"), value, target));
            }
        }
        findings
    }

    fn remark(&self, work: &str) -> String {
        let Faults { missing, doubled, out_of_order, not_ok, .. } = &self.record.faults;
        format!(
            "{work}: {} requests/s; {missing} answers missing, {doubled} doubled, {out_of_order} out of order, not OK: \
             {not_ok:?}; {} changes lost, {} done twice; the generator was late by {} at the most.",
            grouped(PER_SECOND),
            self.saved.lost,
            self.saved.doubled,
            Unit::Seconds.show(self.record.lag.as_secs_f64()),
        )
    }
}

fn seconds(work: String, value: f64, target: Target) -> Finding {
    Finding { work, of: String::new(), unit: Unit::Seconds, value, target }
}

/// How often to do in a turn what is done `full` times where one build is measured, and `paired` times of two builds:
/// their turns are many, and each begins with a thousand registrations.
fn times(context: &Context, full: u32, paired: u32) -> u32 {
    match (context.of_pairs(), context.options.quick) {
        (true, quick) => paired.min(if quick { 3 } else { u32::MAX }),
        (false, true) => (full / 20).max(3),
        (false, false) => full,
    }
}

/// Waits until the handler, or the one after it, has answered a question that was asked now.
fn served(probe: &mut Client) -> Result<()> {
    until("the next handler", steady::PATIENCE, || Ok(probe.ask(r#"{"cmd":"RECORD BOARDS"}"#).is_ok()))
}
