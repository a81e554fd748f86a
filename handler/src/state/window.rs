//! How often something was done within a stretch of time, which begins with the first of it. Pure, the clock comes from
//! outside.

use std::time::{Duration, Instant};

/// Counts in a window of time that begins anew when it is over.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    began: Instant,
    count: u32,
}

impl Window {
    /// Nothing was done yet.
    pub fn new(now: Instant) -> Window {
        Window { began: now, count: 0 }
    }

    /// When it began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// How long to wait, where it may be done so often within this time.
    pub fn wait(&self, now: Instant, most: u32, length: Duration) -> Duration {
        let age = now.saturating_duration_since(self.began);
        if self.count < most { Duration::ZERO } else { length.saturating_sub(age) }
    }

    /// Counts one more; in a new window when the last one is over.
    pub fn add(&mut self, now: Instant, length: Duration) {
        if now.saturating_duration_since(self.began) >= length {
            *self = Window::new(now);
        }
        self.count = self.count.saturating_add(1);
    }

    /// Once less; gives whether nothing is left.
    pub fn give_back(&mut self) -> bool {
        self.count = self.count.saturating_sub(1);
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_often_and_then_not_before_the_time_is_over() {
        let (now, length) = (Instant::now(), Duration::from_secs(60));
        let mut window = Window::new(now);
        for second in 0..3 {
            let now = now + Duration::from_secs(second);
            assert_eq!(window.wait(now, 3, length), Duration::ZERO);
            window.add(now, length);
        }
        let later = now + Duration::from_secs(20);
        assert_eq!(window.wait(later, 3, length), Duration::from_secs(40));
        assert_eq!(window.wait(now + length, 3, length), Duration::ZERO);
        assert!(!window.give_back());
        assert_eq!(window.wait(later, 3, length), Duration::ZERO);
        window.add(now + length, length);
        assert_eq!(window.wait(now + length, 2, length), Duration::ZERO, "it begins anew");
        assert!(window.give_back());
    }
}
