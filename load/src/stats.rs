//! Numbers: a latency histogram, medians, ratios with their confidence, and a small random generator. Runs in the load
//! generator.

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

/// How many times larger one of two is, from values that were measured in pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The geometric mean of the pairs' ratios.
    pub mean: f64,
    /// The 95 % confidence interval of that mean; `None` of a single pair.
    pub interval: Option<(f64, f64)>,
}

impl Ratio {
    /// First ÷ second of each pair; `None` without pairs, or when one of the values is not above 0.
    ///
    /// The interval is Student's, of the logarithms: a ratio and its inverse then count alike, what both of a pair
    /// share (a slow minute of the machine) cancels out, and few pairs make it as wide as few pairs must. It takes the
    /// logarithms for normally distributed, which matters little from some nine pairs on.
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        if pairs.is_empty() || pairs.iter().any(|(first, second)| *first <= 0.0 || *second <= 0.0) {
            return None;
        }
        let count = pairs.len() as f64;
        let logarithms: Vec<f64> = pairs.iter().map(|(first, second)| (first / second).ln()).collect();
        let mean = logarithms.iter().sum::<f64>() / count;
        let squares: f64 = logarithms.iter().map(|value| (value - mean).powi(2)).sum();
        let interval = (pairs.len() > 1).then(|| {
            let half = student(pairs.len() - 1) * (squares / (count - 1.0) / count).sqrt();
            ((mean - half).exp(), (mean + half).exp())
        });
        Some(Self { mean: mean.exp(), interval })
    }
}

/// The quantile 0.975 of Student's t with so many degrees of freedom, 1 at least.
fn student(freedom: usize) -> f64 {
    const FEW: [f64; 10] = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281];
    if let Some(value) = FEW.get(freedom.max(1) - 1) {
        return *value;
    }
    // Cornish and Fisher's expansion around the normal quantile: four digits from ten degrees on.
    let (z, n) = (1.959_964_f64, freedom as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / n + second / n.powi(2) + third / n.powi(3)
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
    fn quantiles_of_student_are_those_of_the_tables() {
        for (freedom, expected) in [
            (1, 12.706),
            (2, 4.303),
            (8, 2.306),
            (10, 2.228),
            (11, 2.201),
            (14, 2.145),
            (20, 2.086),
            (30, 2.042),
            (60, 2.000),
            (99, 1.984),
        ] {
            let got = student(freedom);
            assert!((got - expected).abs() < 0.0006, "{freedom}: {got} for {expected}");
        }
    }

    #[test]
    fn ratios_of_pairs() {
        let close = |got: f64, expected: f64| assert!((got - expected).abs() < 0.0005, "{got} for {expected}");
        // Logarithms -0.1, 0, 0.1: their standard error is 0.1 / √3, and t with two degrees of freedom is 4.3027.
        let pairs = [(0.904_837, 1.0), (2.0, 2.0), (3.315_513, 3.0)];
        let ratio = Ratio::of(&pairs).unwrap();
        let (low, high) = ratio.interval.unwrap();
        close(ratio.mean, 1.0);
        close(low, 0.7800);
        close(high, 1.2820);
        // A machine that is half as fast in one pair changes nothing.
        assert_eq!(Ratio::of(&[(8.0, 4.0), (4.0, 2.0)]).unwrap().interval, Some((2.0, 2.0)));
        assert_eq!(Ratio::of(&[(3.0, 2.0)]).unwrap().interval, None);
        assert_eq!(Ratio::of(&[]), None);
        assert_eq!(Ratio::of(&[(1.0, 1.0), (1.0, 0.0)]), None);
    }

    #[test]
    fn median_of_odd_even_and_nothing() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
