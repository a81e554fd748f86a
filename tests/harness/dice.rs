//! Numbers for tests that try a lot.

/// Numbers that look like chance and are the same each time.
pub struct Dice(pub u64);

impl Dice {
    /// One of so many, from 0.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}
