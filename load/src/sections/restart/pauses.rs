//! The longest pause of each client while something happened. Runs in the load generator.

use std::collections::HashMap;
use std::time::Instant;

use super::steady::Pause;

/// From the cause to the moment when everything sent before its end was answered.
#[derive(Clone, Copy)]
pub struct Window {
    /// The kill, for one.
    pub begin: Instant,
    /// Answers flow again.
    pub end: Instant,
}

/// Of every window and every client that waited in it, the longest pause that overlaps the window, in seconds. What was
/// never answered is no pause: it counts as missing.
pub fn longest(pauses: &[Pause], start: Instant, windows: &[Window]) -> Vec<f64> {
    let micros = |at: Instant| at.saturating_duration_since(start).as_micros() as u64;
    let windows: Vec<(u64, u64)> = windows.iter().map(|window| (micros(window.begin), micros(window.end))).collect();
    let mut found: HashMap<(usize, u32), u64> = HashMap::new();
    for pause in pauses {
        let Some(to) = pause.to else {
            continue;
        };
        let first = windows.partition_point(|(_, end)| *end < pause.from);
        for (index, _) in windows.iter().enumerate().skip(first).take_while(|(_, (begin, _))| *begin <= to) {
            let longest = found.entry((index, pause.client)).or_default();
            *longest = (*longest).max(to - pause.from);
        }
    }
    found.into_values().map(|micros| micros as f64 / 1e6).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_overlaps_counts_and_the_longest_of_each_client() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let windows = [Window { begin: at(100), end: at(150) }, Window { begin: at(300), end: at(320) }];
        let pause = |client, from: u64, to: u64| Pause { client, from: from * 1000, to: Some(to * 1000), ok: true };
        let pauses = [
            pause(1, 10, 20),
            pause(1, 90, 120),
            pause(1, 140, 141),
            pause(2, 99, 310),
            pause(3, 151, 299),
            Pause { client: 4, from: 100_000, to: None, ok: false },
        ];
        let mut found = longest(&pauses, start, &windows);
        found.sort_by(f64::total_cmp);
        assert_eq!(found, [0.03, 0.211, 0.211]);
    }
}
