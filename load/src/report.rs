//! The table: what was measured, beside what was to be reached, or beside what another build does. Runs in the load
//! generator.

use crate::stats::{Ratio, median};

/// A build whose rate is surely below this much of the other's has become slower; times the other way round.
const WORSE: f64 = 0.97;
/// Bytes that memory may grow: a page, the least that a process can take.
const PAGE: f64 = 4096.0;

const BESIDE_PEERS: &str = "| work | ours | peer | ratio | to reach | |\n|---|---|---|---|---|---|\n";
const OF_PAIRS: &str = "| work | new | old | new ÷ old, geometric mean of the pairs | its 95 % interval | pairs | |\n\
                        |---|---|---|---|---|---|---|\n";

/// How a row of pairs is to be read; the figures are those of [`WORSE`] and [`PAGE`].
const LEGEND: &str = "\
    Values are medians, counts (only faults are counted) are totals. ✗: the whole interval is below 0.97 (rates) or \
    above 1 ÷ 0.97 (times), the new median is larger by more than 4 KiB (memory), or there are more (counts). Of \
    rates and times that did not change, up to one in forty fails by chance: measure that section again.";

/// What a row has to reach.
#[derive(Clone, Copy)]
pub enum Target {
    /// Ours ÷ the peer's, this or more (rates).
    AtLeast(f64),
    /// Ours ÷ the peer's, this or less (times).
    AtMost(f64),
    /// Ours alone, this or less, in the row's unit.
    Below(f64),
    /// Only to be seen beside the others.
    None,
}

/// The unit of a row's numbers.
#[derive(Clone, Copy)]
pub enum Unit {
    /// Events per second.
    PerSecond,
    /// Bytes per second, shown in MB (1,000,000 bytes).
    BytesPerSecond,
    /// Seconds, shown in µs or ms.
    Seconds,
    /// Bytes, shown in KB (1,024 bytes).
    Bytes,
    /// How many.
    Count,
}

impl Unit {
    /// A number in words.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{}/s", thousands(value)),
            Self::BytesPerSecond => format!("{:.0} MB/s", value / 1e6),
            Self::Seconds if value < 0.001 => format!("{:.1} µs", value * 1e6),
            Self::Seconds => format!("{:.2} ms", value * 1e3),
            Self::Bytes => format!("{:.1} KB", value / 1024.0),
            Self::Count => thousands(value),
        }
    }
}

/// One row of the table; no results means not measured.
pub struct Row {
    /// What was done.
    pub work: String,
    /// The unit of `ours` and `theirs`.
    pub unit: Unit,
    /// Our result of every round.
    pub ours: Vec<f64>,
    /// Whom we are compared with.
    pub peer: &'static str,
    /// The peer's result of every round.
    pub theirs: Vec<f64>,
    /// What is to be reached.
    pub target: Target,
}

impl Row {
    fn markdown(&self) -> String {
        let (ours, theirs) = (median(&self.ours), median(&self.theirs));
        let show = |value: Option<f64>| value.map_or("–".to_owned(), |value| self.unit.show(value));
        let ratio = ours.zip(theirs).map(|(ours, theirs)| ours / theirs);
        let (reached, wanted) = match self.target {
            Target::AtLeast(least) => (ratio.map(|r| r >= least), format!("≥ {least} ×")),
            Target::AtMost(most) => (ratio.map(|r| r <= most), format!("≤ {most} ×")),
            Target::Below(most) => (ours.map(|value| value <= most), format!("≤ {}", self.unit.show(most))),
            Target::None => (None, "–".to_owned()),
        };
        let peer = match (self.peer, self.theirs.is_empty()) {
            ("", _) => "–".to_owned(),
            (name, true) => format!("{name}: not measured"),
            (name, false) => format!("{name} {}", show(theirs)),
        };
        format!(
            "| {} | {} | {peer} | {} | {wanted} | {} |",
            self.work,
            show(ours),
            ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}")),
            mark(reached),
        )
    }
}

/// One row of the table of two builds.
#[derive(Clone)]
pub struct PairRow {
    /// What was done.
    pub work: String,
    /// The unit; it also tells what is worse: rates that fall, times and memory that grow, more faults (counts).
    pub unit: Unit,
    /// New and old of each pair.
    pub pairs: Vec<(f64, f64)>,
    /// Whether so little was measured that the ratio would be chance.
    pub trifle: bool,
}

impl PairRow {
    fn new_and_old(&self) -> [Vec<f64>; 2] {
        let (new, old) = self.pairs.iter().copied().unzip();
        [new, old]
    }

    fn ratio(&self) -> Option<Ratio> {
        if self.trifle || matches!(self.unit, Unit::Count) { None } else { Ratio::of(&self.pairs) }
    }

    /// Whether the new build is not worse. A rate is worse when the whole interval of its ratio is below 0.97, a time
    /// when it is above 1 ÷ 0.97. Memory is worse when the new median is larger than the old one by more than a page of
    /// 4 KiB, and a count, since only faults are counted, when there are more of them altogether. `None`: one pair tells
    /// nothing about rates and times.
    fn passes(&self) -> Option<bool> {
        let [new, old] = self.new_and_old();
        match self.unit {
            Unit::Bytes => Some(median(&new)? <= median(&old)? + PAGE),
            Unit::Count => Some(new.iter().sum::<f64>() <= old.iter().sum()),
            Unit::PerSecond | Unit::BytesPerSecond | Unit::Seconds => {
                let Some(ratio) = self.ratio() else {
                    // Nothing that could be divided, so nothing that could have become worse.
                    return (self.pairs.len() > 1).then_some(true);
                };
                let (low, high) = ratio.interval?;
                Some(if matches!(self.unit, Unit::Seconds) { low <= 1.0 / WORSE } else { high >= WORSE })
            }
        }
    }

    fn markdown(&self) -> String {
        // The median of faults would hide the one turn that had some.
        let middle = |values: &[f64]| match self.unit {
            Unit::Count => (!values.is_empty()).then(|| values.iter().sum()),
            _ => median(values),
        };
        let show = |value: Option<f64>| value.map_or("–".to_owned(), |value| self.unit.show(value));
        let [new, old] = self.new_and_old().map(|values| show(middle(&values)));
        let ratio = self.ratio();
        let interval = ratio.and_then(|ratio| ratio.interval);
        format!(
            "| {} | {new} | {old} | {} | {} | {} | {} |",
            self.work,
            ratio.map_or("–".to_owned(), |ratio| format!("{:.3}", ratio.mean)),
            interval.map_or("–".to_owned(), |(low, high)| format!("{low:.3} to {high:.3}")),
            self.pairs.len(),
            mark(self.passes()),
        )
    }
}

fn mark(reached: Option<bool>) -> &'static str {
    match reached {
        Some(true) => "✓",
        Some(false) => "✗",
        None => "",
    }
}

/// All rows and remarks, printed at the end.
pub struct Report {
    heading: &'static str,
    rows: Vec<String>,
    /// Rows of pairs, which may get further pairs.
    pairs: Vec<PairRow>,
    remarks: Vec<String>,
}

impl Report {
    /// An empty one, whose rows are those of pairs or those beside peers.
    pub fn new(of_pairs: bool) -> Self {
        let (heading, remarks) =
            if of_pairs { (OF_PAIRS, vec![LEGEND.to_owned()]) } else { (BESIDE_PEERS, Vec::new()) };
        Self { heading, rows: Vec::new(), pairs: Vec::new(), remarks }
    }

    /// Adds a row beside a peer, and shows it at once on the standard error, for whoever waits.
    pub fn row(&mut self, row: &Row) {
        let row = row.markdown();
        eprintln!("{row}");
        self.rows.push(row);
    }

    /// Adds a row of two builds, or its pairs to the row of the same work. Shows it as [`Report::row`] does.
    pub fn pair(&mut self, row: PairRow) {
        eprintln!("{}", row.markdown());
        match self.pairs.iter_mut().find(|other| other.work == row.work) {
            Some(other) => {
                other.pairs.extend(row.pairs);
                other.trifle &= row.trifle;
            }
            None => self.pairs.push(row),
        }
    }

    /// Adds a line below the table, once.
    pub fn remark(&mut self, text: impl Into<String>) {
        let text = text.into();
        eprintln!("{text}");
        if !self.remarks.contains(&text) {
            self.remarks.push(text);
        }
    }

    /// The table in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = self.heading.to_owned();
        for row in self.rows.iter().cloned().chain(self.pairs.iter().map(PairRow::markdown)) {
            text += &row;
            text.push('\n');
        }
        for remark in &self.remarks {
            text += &format!("\n- {remark}");
        }
        text
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_tell_whether_the_target_is_reached() {
        let row = |ours: &[f64], theirs: &[f64], target| {
            Row {
                work: "work".into(),
                unit: Unit::PerSecond,
                ours: ours.to_vec(),
                peer: "peer",
                theirs: theirs.to_vec(),
                target,
            }
            .markdown()
        };
        assert_eq!(
            row(&[1000.0], &[2000.0], Target::AtLeast(0.5)),
            "| work | 1,000/s | peer 2,000/s | 0.50 | ≥ 0.5 × | ✓ |"
        );
        assert!(row(&[3.0], &[2.0], Target::AtMost(1.4)).ends_with("✗ |"));
        assert!(row(&[], &[2.0], Target::AtLeast(1.0)).starts_with("| work | – | peer 2/s | – |"));
        assert!(row(&[3.0], &[], Target::Below(4.0)).contains("not measured"));
    }

    fn pairs(unit: Unit, pairs: &[(f64, f64)]) -> PairRow {
        PairRow { work: "work".into(), unit, pairs: pairs.to_vec(), trifle: false }
    }

    #[test]
    fn a_build_is_worse_only_when_that_is_sure() {
        let times = |new: f64, spread: f64| {
            let factors = (0..9).map(|n| 1.0 + spread * (f64::from(n) / 4.0 - 1.0));
            factors.map(|factor| (new * factor, 1.0)).collect::<Vec<_>>()
        };
        let passes = |unit, ratio, spread| pairs(unit, &times(ratio, spread)).passes();
        assert_eq!(passes(Unit::PerSecond, 0.96, 0.001), Some(false));
        assert_eq!(passes(Unit::PerSecond, 0.96, 0.1), Some(true));
        assert_eq!(passes(Unit::PerSecond, 0.98, 0.001), Some(true));
        assert_eq!(passes(Unit::PerSecond, 2.0, 0.001), Some(true));
        assert_eq!(passes(Unit::Seconds, 1.04, 0.001), Some(false));
        assert_eq!(passes(Unit::Seconds, 1.04, 0.1), Some(true));
        assert_eq!(passes(Unit::Seconds, 0.5, 0.001), Some(true));
        assert_eq!(pairs(Unit::Seconds, &[(9.0, 1.0)]).passes(), None);
        assert_eq!(pairs(Unit::Seconds, &[]).passes(), None);
        let trifle = PairRow { trifle: true, ..pairs(Unit::Seconds, &times(9.0, 0.1)) };
        assert_eq!((trifle.ratio(), trifle.passes()), (None, Some(true)));
    }

    #[test]
    fn memory_may_grow_by_a_page_and_faults_not_at_all() {
        let memory = |new| pairs(Unit::Bytes, &[(new, 40_960.0), (0.0, 40_960.0), (new, 0.0)]).passes();
        assert_eq!(memory(45_056.0), Some(true));
        assert_eq!(memory(45_057.0), Some(false));
        assert_eq!(pairs(Unit::Count, &[(0.0, 0.0), (1.0, 0.0)]).passes(), Some(false));
        assert_eq!(pairs(Unit::Count, &[(0.0, 3.0), (1.0, 0.0)]).passes(), Some(true));
    }

    #[test]
    fn rows_of_pairs() {
        let row = pairs(Unit::PerSecond, &[(1000.0, 2000.0), (500.0, 1000.0), (900.0, 1800.0)]).markdown();
        assert_eq!(row, "| work | 900/s | 1,800/s | 0.500 | 0.500 to 0.500 | 3 | ✗ |");
        let row = pairs(Unit::Count, &[(0.0, 0.0), (2.0, 1.0)]).markdown();
        assert_eq!(row, "| work | 2 | 1 | – | – | 2 | ✗ |");
        assert_eq!(pairs(Unit::Seconds, &[]).markdown(), "| work | – | – | – | – | 0 |  |");
    }

    #[test]
    fn pairs_of_the_same_work_are_one_row() {
        let mut report = Report::new(true);
        report.pair(pairs(Unit::PerSecond, &[(1000.0, 2000.0)]));
        report.pair(PairRow { work: "other".into(), ..pairs(Unit::Count, &[(0.0, 0.0)]) });
        report.pair(pairs(Unit::PerSecond, &[(500.0, 1000.0), (900.0, 1800.0)]));
        let rows = "| work | 900/s | 1,800/s | 0.500 | 0.500 to 0.500 | 3 | ✗ |\n| other | 0 | 0 | – | – | 1 | ✓ |\n";
        assert!(report.markdown().contains(rows), "{}", report.markdown());
    }

    #[test]
    fn units() {
        assert_eq!(Unit::Seconds.show(0.000_038), "38.0 µs");
        assert_eq!(Unit::Seconds.show(0.0123), "12.30 ms");
        assert_eq!(Unit::BytesPerSecond.show(612_400_000.0), "612 MB/s");
        assert_eq!(Unit::Bytes.show(24.0 * 1024.0), "24.0 KB");
        assert_eq!(Unit::PerSecond.show(1_234_567.4), "1,234,567/s");
        assert_eq!(Unit::Count.show(12_000.0), "12,000");
    }
}
