//! Numbers: a latency histogram, medians, and a small random generator. Runs in the load generator.

use std::time::Duration;

/// Sub-buckets per power of two: 1/64 is the largest relative error.
const SUB: u64 = 64;
const SUB_BITS: u32 = 6;

/// Latencies in logarithmic buckets, from 1 ns to centuries, with a relative error below 2 %.
#[derive(Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; (64 * SUB) as usize], count: 0 }
    }
}

impl Histogram {
    /// Counts one latency.
    pub fn add(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos)] += 1;
        self.count += 1;
    }

    /// How many latencies were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The latency in seconds that the given share (0 to 1) of all stays at or below; 0 when nothing was counted.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, n) in self.buckets.iter().enumerate() {
            seen += n;
            if seen >= wanted {
                return middle(index as u64) / 1e9;
            }
        }
        0.0
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < SUB {
        return nanos as usize;
    }
    let shift = nanos.ilog2() - SUB_BITS;
    // Every power of two above the linear part takes SUB buckets.
    ((u64::from(shift) + 1) * SUB + (nanos >> shift) - SUB) as usize
}

fn middle(index: u64) -> f64 {
    if index < SUB {
        return index as f64;
    }
    let shift = index / SUB - 1;
    (index % SUB + SUB) as f64 * (shift as f64).exp2() + ((shift as f64).exp2() - 1.0) / 2.0
}

/// The median, or `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 0 => Some(f64::midpoint(sorted[half - 1], sorted[half])),
        _ => Some(sorted[half]),
    }
}

/// A fast generator (xorshift64*) for choosing keys; not for secrets.
pub struct Random(u64);

impl Random {
    /// A generator whose sequence depends on `seed` alone, so that every side of a comparison gets the same keys.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        ((high * u64::from(bound)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_stay_within_two_percent() {
        let mut histogram = Histogram::default();
        for micros in 1..=10_000 {
            histogram.add(Duration::from_micros(micros));
        }
        assert_eq!(histogram.count(), 10_000);
        for (share, seconds) in [(0.5, 0.005), (0.99, 0.0099), (0.001, 0.000_01)] {
            let got = histogram.quantile(share);
            assert!((got / seconds - 1.0).abs() < 0.02, "{share}: {got} for {seconds}");
        }
    }

    #[test]
    fn median_of_odd_even_and_nothing() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
