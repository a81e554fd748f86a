//! The table: what was measured, beside what was to be reached. Runs in the load generator.

use crate::stats::median;

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
            match reached {
                Some(true) => "✓",
                Some(false) => "✗",
                None => "",
            },
        )
    }
}

/// All rows and remarks, printed at the end.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    remarks: Vec<String>,
}

impl Report {
    /// Adds a row and shows it at once on the standard error, for whoever waits.
    pub fn row(&mut self, row: Row) {
        eprintln!("{}", row.markdown());
        self.rows.push(row);
    }

    /// Adds a line below the table.
    pub fn remark(&mut self, text: impl Into<String>) {
        let text = text.into();
        eprintln!("{text}");
        self.remarks.push(text);
    }

    /// The table in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = "| work | ours | peer | ratio | to reach | |\n|---|---|---|---|---|---|\n".to_owned();
        for row in &self.rows {
            text += &row.markdown();
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

    #[test]
    fn units() {
        assert_eq!(Unit::Seconds.show(0.000_038), "38.0 µs");
        assert_eq!(Unit::Seconds.show(0.0123), "12.30 ms");
        assert_eq!(Unit::Bytes.show(24.0 * 1024.0), "24.0 KB");
        assert_eq!(Unit::PerSecond.show(1_234_567.4), "1,234,567/s");
        assert_eq!(Unit::Count.show(12_000.0), "12,000");
    }
}
