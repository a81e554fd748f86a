//! From turns to rows: work that is measured on our side and on others, and findings about our side alone. Beside peers
//! each gives the rows that it names; of two builds each gives a row of pairs. Runs in the load generator.

use crate::Context;
use crate::engine::Outcome;
use crate::guard::Result;
use crate::pairs::{Order, Sides, Taker, Turn, in_turns, pair};
use crate::processes::{Meter, Spent};
use crate::report::{PairRow, Report, Row, Target, Unit};

/// The handler has no part in what it takes less than this much of the CPU for: what it takes is then its own business.
const NO_PART: f64 = 0.01;

/// What one turn has measured.
pub struct Measured {
    /// In the unit of the work.
    pub value: f64,
    /// Requests that were answered in the whole turn; 0 where none are counted.
    pub answered: u64,
    /// The backend's CPU in the whole turn, where builds are compared.
    spent: Option<Spent>,
}

impl Measured {
    /// A rate, and how many requests were answered altogether.
    pub fn rate(value: f64, answered: u64) -> Self {
        Self { value, answered, spent: None }
    }
}

impl From<f64> for Measured {
    fn from(value: f64) -> Self {
        Self::rate(value, 0)
    }
}

impl From<Outcome> for Measured {
    fn from(outcome: Outcome) -> Self {
        Self::rate(outcome.rate, outcome.answered)
    }
}

/// A side of a comparison beside peers. Of two builds, only ours are measured, each of them on its own.
pub struct Side<'a> {
    name: &'static str,
    /// What our side does, as its rows say; `None`: a peer.
    work: Option<String>,
    turns: Turns<'a>,
}

enum Turns<'a> {
    Ours(Sides<Turn<'a, Measured>>),
    Peer(Option<Turn<'a, Measured>>),
}

/// Our side: something of each build, and a turn with it.
pub fn ours<'a, T: 'a, M: Into<Measured>>(
    name: &'static str,
    work: impl Into<String>,
    sides: Sides<T>,
    turn: impl Fn(&mut T) -> Result<M> + Copy + 'a,
) -> Side<'a> {
    let turns = Turns::Ours(sides.turns(move |side: &mut T| Ok(turn(side)?.into())));
    Side { name, work: Some(work.into()), turns }
}

/// A peer, or none where it is not installed.
pub fn peer<'a, M: Into<Measured>>(name: &'static str, turn: Option<impl FnMut() -> Result<M> + 'a>) -> Side<'a> {
    let turn = turn.map(|mut turn| Box::new(move || Ok(turn()?.into())) as Turn<'a, Measured>);
    Side { name, work: None, turns: Turns::Peer(turn) }
}

/// A row beside a peer: which side is ours, which is theirs, and what is to be reached.
pub struct Beside {
    /// The index of our side, whose work is that of the row.
    pub ours: usize,
    /// Whom it is compared with.
    pub peer: &'static str,
    /// The index of their side.
    pub theirs: usize,
    /// What is to be reached.
    pub target: Target,
}

/// How turns are taken in this run.
pub struct Plan {
    rounds: u32,
    /// Of each build, where builds are compared.
    meters: Option<Sides<Meter>>,
}

/// All results of a comparison.
pub enum Results {
    /// Each side's work and what it has measured in every round.
    BesidePeers(Unit, Vec<(Option<String>, Vec<f64>)>),
    /// The work of each of our sides, and what the builds have measured, old and new.
    OfPairs(Unit, Vec<(String, [Vec<Measured>; 2])>),
}

impl Context {
    /// The plan for comparisons with the backends as they run now.
    pub fn plan(&mut self) -> Result<Plan> {
        let meters = if self.of_pairs() { Some(self.ours.each(|backend| Meter::of(backend))?) } else { None };
        Ok(Plan { rounds: self.rounds, meters })
    }
}

impl Plan {
    /// Gives every side its turns.
    pub fn measure(&self, unit: Unit, sides: Vec<Side>) -> Result<Results> {
        let show = |measured: &Measured| unit.show(measured.value);
        let work = sides.iter().find_map(|side| side.work.clone()).unwrap_or_default();
        let Some(meters) = &self.meters else {
            let works: Vec<_> = sides.iter().map(|side| side.work.clone()).collect();
            let takers = sides.into_iter().map(Side::only).collect();
            let results = in_turns(self.rounds, Order::Same, &work, takers, show)?;
            let values = results.into_iter().map(|taken| taken.iter().map(|measured| measured.value).collect());
            return Ok(Results::BesidePeers(unit, works.into_iter().zip(values).collect()));
        };
        let (mut works, mut takers) = (Vec::new(), Vec::new());
        for side in sides {
            if let (Some(work), Turns::Ours(turns)) = (side.work, side.turns) {
                works.push(work);
                takers.extend(pair(Sides {
                    new: metered(meters.new.as_ref(), turns.new),
                    old: metered(meters.old.as_ref(), turns.old),
                    first: turns.first,
                }));
            }
        }
        let mut results = in_turns(self.rounds, Order::Alternating, &work, takers, show)?.into_iter();
        let mut next = || results.next().unwrap_or_default();
        Ok(Results::OfPairs(unit, works.into_iter().map(|work| (work, [next(), next()])).collect()))
    }

    /// Finds out about our side alone: once, or about two builds in turns.
    pub fn alone<T>(
        &self,
        work: &str,
        sides: Sides<T>,
        turn: impl Fn(&mut T) -> Result<Found> + Copy,
    ) -> Result<Facts> {
        if self.meters.is_none() {
            return Ok(Facts::Once(sides.new.map(|mut side| turn(&mut side)).transpose()?));
        }
        let takers = pair(sides.turns(turn)).into();
        let mut results = in_turns(self.rounds, Order::Alternating, work, takers, Found::brief)?;
        let (new, old) = (results.pop().unwrap_or_default(), results.pop().unwrap_or_default());
        Ok(Facts::OfPairs { work: work.to_owned(), new, old })
    }
}

impl<'a> Side<'a> {
    /// The one who has this side's turns beside peers.
    fn only(self) -> Taker<'a, Measured> {
        let turn = match self.turns {
            Turns::Ours(turns) => turns.new,
            Turns::Peer(turn) => turn,
        };
        (self.name, turn)
    }
}

/// The same turn with the CPU that the backend takes in it.
fn metered<'a>(meter: Option<&'a Meter>, turn: Option<Turn<'a, Measured>>) -> Option<Turn<'a, Measured>> {
    let (meter, mut turn) = meter.zip(turn)?;
    Some(Box::new(move || {
        let running = meter.start()?;
        let measured = turn()?;
        Ok(Measured { spent: Some(running.spent()?), ..measured })
    }))
}

impl Results {
    /// The values of one side where it is beside peers.
    pub fn values(&self, side: usize) -> Option<&[f64]> {
        match self {
            Self::BesidePeers(_, sides) => sides.get(side).map(|(_, values)| values.as_slice()),
            Self::OfPairs(..) => None,
        }
    }

    /// Adds a row for each pair of builds, or the rows beside peers.
    pub fn report(self, report: &mut Report, beside: &[Beside]) {
        match self {
            Self::BesidePeers(unit, sides) => {
                for Beside { ours, peer, theirs, target } in beside {
                    let ((work, ours), (_, theirs)) = (sides[*ours].clone(), sides[*theirs].clone());
                    report.row(&Row { work: work.unwrap_or_default(), unit, ours, peer, theirs, target: *target });
                }
            }
            Self::OfPairs(unit, works) => {
                for (work, [old, new]) in works {
                    let pairs = pairs(&new, &old, |measured| Some(measured.value));
                    report.pair(PairRow { work: work.clone(), unit, pairs, trifle: false });
                    report_cpu(report, &work, &new, &old);
                }
            }
        }
    }
}

/// New and old of each pair in which both have a value.
fn pairs<R>(new: &[R], old: &[R], value: impl Fn(&R) -> Option<f64>) -> Vec<(f64, f64)> {
    new.iter().zip(old).filter_map(|(new, old)| value(new).zip(value(old))).collect()
}

/// Two rows about the CPU that a request takes, where requests were counted.
fn report_cpu(report: &mut Report, work: &str, new: &[Measured], old: &[Measured]) {
    let per_request = |part: fn(&Spent) -> f64| {
        pairs(new, old, move |measured| {
            let spent = measured.spent.as_ref().filter(|_| measured.answered > 0)?;
            Some(part(spent) / measured.answered as f64)
        })
    };
    let (all, handler) = (per_request(|spent| spent.all), per_request(|spent| spent.handler));
    if all.is_empty() {
        return;
    }
    let share = |of: fn(&(f64, f64)) -> f64| handler.iter().map(of).sum::<f64>() / all.iter().map(of).sum::<f64>();
    let trifle = share(|pair| pair.0) < NO_PART && share(|pair| pair.1) < NO_PART;
    for (whose, pairs, trifle) in [("all processes", all, false), ("the handler alone", handler, trifle)] {
        report.pair(PairRow { work: format!("{work}: CPU per request, {whose}"), unit: Unit::Seconds, pairs, trifle });
    }
}

/// A single fact about our side.
pub struct Finding {
    /// What it is; alike in every turn.
    pub work: String,
    /// Of how many, for example; another in every turn.
    pub of: String,
    /// The unit of the value.
    pub unit: Unit,
    /// What was found.
    pub value: f64,
    /// What it has to reach where no other build is beside it.
    pub target: Target,
}

/// What one turn has found out.
#[derive(Default)]
pub struct Found {
    /// Each gives a row.
    pub findings: Vec<Finding>,
    /// What went wrong, to stand below the table.
    pub trouble: Vec<String>,
    /// What else there is to say where no other build is beside it.
    pub remark: Option<String>,
}

impl Found {
    /// All values in short, for whoever waits.
    fn brief(&self) -> String {
        let values: Vec<String> = self.findings.iter().map(|finding| finding.unit.show(finding.value)).collect();
        values.join(", ")
    }

    fn beside_nobody(self, report: &mut Report) {
        for Finding { work, of, unit, value, target } in self.findings {
            let work = work + &of;
            report.row(&Row { work, unit, ours: vec![value], peer: "", theirs: Vec::new(), target });
        }
        self.trouble.into_iter().chain(self.remark).for_each(|text| report.remark(text));
    }
}

/// All that was found out.
pub enum Facts {
    /// About one build, if there is one.
    Once(Option<Found>),
    /// About two, turn by turn.
    OfPairs {
        /// What was done.
        work: String,
        /// About the build to be judged.
        new: Vec<Found>,
        /// About the other.
        old: Vec<Found>,
    },
}

impl Facts {
    /// Adds a row for each finding.
    pub fn report(self, report: &mut Report) {
        match self {
            Self::Once(found) => found.into_iter().for_each(|found| found.beside_nobody(report)),
            Self::OfPairs { work, new, old } => {
                pair_findings(report, &new, &old);
                pair_trouble(report, &work, &new, &old);
            }
        }
    }
}

/// A row for each finding that both builds of some pair have.
fn pair_findings(report: &mut Report, new: &[Found], old: &[Found]) {
    let mut done: Vec<&str> = Vec::new();
    for Finding { work, unit, .. } in new.iter().flat_map(|found| &found.findings) {
        if done.contains(&work.as_str()) {
            continue;
        }
        done.push(work);
        let value =
            |found: &Found| found.findings.iter().find(|finding| finding.work == *work).map(|found| found.value);
        let pairs = pairs(new, old, value);
        if !pairs.is_empty() {
            report.pair(PairRow { work: work.clone(), unit: *unit, pairs, trifle: false });
        }
    }
}

/// What went wrong below the table, and a row of it: what these turns have found may be in no other row.
fn pair_trouble(report: &mut Report, work: &str, new: &[Found], old: &[Found]) {
    let pairs = pairs(new, old, |found| Some(found.trouble.len() as f64));
    if pairs.iter().any(|pair| *pair != (0.0, 0.0)) {
        let work = format!("{work}: turns that ended early");
        report.pair(PairRow { work, unit: Unit::Count, pairs, trifle: false });
    }
    for (name, turns) in [("new", new), ("old", old)] {
        for (number, found) in (1..).zip(turns) {
            found.trouble.iter().for_each(|text| report.remark(format!("{name}, pair {number}: {text}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(value: f64, answered: u64, all: f64, handler: f64) -> Measured {
        Measured { value, answered, spent: Some(Spent { all, handler }) }
    }

    #[test]
    fn builds_have_rows_of_their_rates_and_of_the_cpu_of_a_request() {
        let mut report = Report::new(true);
        let new = [measured(90.0, 100, 0.002, 0.000_4), measured(110.0, 200, 0.004, 0.000_8)];
        let old = [measured(100.0, 100, 0.001, 0.000_004), measured(100.0, 100, 0.001, 0.000_004)];
        let works = vec![("work".to_owned(), [old.into(), new.into()])];
        Results::OfPairs(Unit::PerSecond, works).report(&mut report, &[]);
        let text = report.markdown();
        assert!(text.contains("| work | 100/s | 100/s | 0.995 |"), "{text}");
        assert!(text.contains("| work: CPU per request, all processes | 20.0 µs | 10.0 µs | 2.000 |"), "{text}");
        assert!(text.contains("| work: CPU per request, the handler alone | 4.0 µs | 0.0 µs | 100.000 |"), "{text}");
    }

    #[test]
    fn no_ratio_of_what_the_handler_does_besides_and_no_cpu_without_requests() {
        let mut report = Report::new(true);
        let turn = |handler| vec![measured(1.0, 10, 0.01, handler), measured(1.0, 10, 0.01, handler)];
        report_cpu(&mut report, "work", &turn(0.000_01), &turn(0.000_09));
        assert!(report.markdown().contains("the handler alone | 1.0 µs | 9.0 µs | – | – | 2 | ✓ |"));
        let mut report = Report::new(true);
        report_cpu(&mut report, "work", &[1.0.into()], &[1.0.into()]);
        assert!(!report.markdown().contains("CPU"));
    }

    #[test]
    fn findings_are_paired_by_what_they_are() {
        let found = |values: &[(&str, f64)], trouble: &[&str]| Found {
            findings: values
                .iter()
                .map(|(work, value)| Finding {
                    work: (*work).to_owned(),
                    of: format!(", of {value}"),
                    unit: Unit::Count,
                    value: *value,
                    target: Target::None,
                })
                .collect(),
            trouble: trouble.iter().map(|text| (*text).to_owned()).collect(),
            remark: None,
        };
        let mut report = Report::new(true);
        let new = [found(&[("a", 1.0), ("b", 2.0)], &[]), found(&[("a", 1.0)], &["gone"])];
        let old = [found(&[("b", 3.0), ("a", 4.0)], &[]), found(&[("b", 3.0), ("a", 1.0)], &[])];
        Facts::OfPairs { work: "work".into(), new: new.into(), old: old.into() }.report(&mut report);
        let text = report.markdown();
        assert!(text.contains("| a | 2 | 5 | – | – | 2 | ✓ |\n| b | 2 | 3 | – | – | 1 | ✓ |"), "{text}");
        assert!(text.contains("| work: turns that ended early | 1 | 0 | – | – | 2 | ✗ |"), "{text}");
        assert!(text.contains("- new, pair 2: gone"), "{text}");
    }
}
