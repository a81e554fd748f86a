//! Which numbers messages on channels may have. On disk is a mark ahead of all that were given: after a restart of everything
//! the numbers go on behind it. Pure; lives in the event loop, which has the writer move the mark.

use ssmglobal_ipc::{Position, Time};

/// So far the mark is moved ahead, at first.
const AHEAD: u64 = 1000;

/// And so far at the most: each time twice as far, so that a busy relay costs few writes. What is left of it after a restart is a gap
/// in the numbers, and no message.
const FARTHEST: u64 = 1 << 20;

/// The mark on disk, and which numbers were given.
#[derive(Debug)]
pub struct RelayNumbers {
    /// On disk: no number behind it is given.
    mark: u64,
    /// All channels that are gone had numbers up to this one.
    gone: u64,
    /// The highest number of the channels that there were since.
    highest: u64,
    /// The newest epoch of any channel.
    epoch: u64,
    /// So far the mark is moved ahead.
    ahead: u64,
    /// The writer is moving it.
    moving: bool,
    /// It could not be moved when so much was given, and nobody needs it yet.
    failed_at: Option<u64>,
}

impl Default for RelayNumbers {
    fn default() -> RelayNumbers {
        RelayNumbers::new(0)
    }
}

impl RelayNumbers {
    /// With the mark that is on disk: nobody knows which of the numbers up to it were given.
    pub fn new(mark: u64) -> RelayNumbers {
        RelayNumbers { mark, gone: mark, highest: 0, epoch: 0, ahead: AHEAD, moving: false, failed_at: None }
    }

    /// Where a new channel begins. Its epoch was never one before: it is the time, in milliseconds, unless that has gone back.
    pub fn begin(&mut self) -> Position {
        self.epoch = Time::now().0.unsigned_abs().max(self.epoch + 1);
        Position { epoch: self.epoch, number: self.gone }
    }

    /// A channel has come so far.
    pub fn given(&mut self, newest: Position) {
        self.highest = self.highest.max(newest.number);
        self.epoch = self.epoch.max(newest.epoch);
    }

    /// A channel is gone.
    pub fn ended(&mut self, newest: Position) {
        self.gone = self.gone.max(newest.number);
    }

    /// Whether a number may be given.
    pub fn allow(&self, number: u64) -> bool {
        number <= self.mark
    }

    /// Up to where the mark is to be moved, if that is due and not under way.
    pub fn wanted(&self) -> Option<u64> {
        let due = self.mark.saturating_sub(self.highest) < self.ahead / 2;
        let wanted = due && !self.moving && self.failed_at != Some(self.highest);
        wanted.then(|| self.highest.saturating_add(self.ahead))
    }

    /// Somebody waits for the mark to be moved.
    pub fn insist(&mut self) {
        self.failed_at = None;
    }

    /// The writer is moving the mark.
    pub fn moving(&mut self) {
        self.moving = true;
    }

    /// It has moved it so far, or could not.
    pub fn moved(&mut self, mark: Option<u64>) {
        self.moving = false;
        self.failed_at = mark.is_none().then_some(self.highest);
        self.mark = self.mark.max(mark.unwrap_or_default());
        if mark.is_some() {
            self.ahead = (2 * self.ahead).min(FARTHEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(numbers: &mut RelayNumbers, number: u64) {
        numbers.given(Position { epoch: 1, number });
    }

    #[test]
    fn the_mark_is_moved_before_it_is_reached_and_once_at_a_time() {
        let mut numbers = RelayNumbers::new(5000);
        assert_eq!(numbers.wanted(), None);
        given(&mut numbers, 5000);
        assert_eq!((numbers.allow(5000), numbers.allow(5001), numbers.wanted()), (true, false, Some(6000)));
        numbers.moving();
        assert_eq!(numbers.wanted(), None);
        numbers.moved(None);
        assert_eq!((numbers.allow(5001), numbers.wanted()), (false, None), "the disk was full");
        numbers.insist();
        assert_eq!(numbers.wanted(), Some(6000));
        numbers.moved(Some(6000));
        assert_eq!((numbers.allow(6000), numbers.allow(6001)), (true, false));
        // Each time twice as far.
        assert_eq!(numbers.wanted(), None, "half of it is left");
        given(&mut numbers, 5001);
        assert_eq!(numbers.wanted(), Some(7001));
        numbers.moved(Some(7001));
        assert_eq!(numbers.wanted(), None);
        given(&mut numbers, 6000);
        assert_eq!(numbers.wanted(), Some(10_000));
        for _ in 0..30 {
            numbers.moved(Some(0));
        }
        assert_eq!(numbers.wanted(), Some(6000 + FARTHEST));
    }

    #[test]
    fn a_new_channel_begins_behind_all_that_are_gone_under_an_epoch_of_its_own() {
        let mut numbers = RelayNumbers::new(70);
        let first = numbers.begin();
        assert_eq!(first.number, 70);
        given(&mut numbers, 90);
        assert_eq!(numbers.begin().number, 70, "a channel that is there goes on by itself");
        numbers.ended(Position { number: 90, ..first });
        numbers.ended(Position { number: 80, ..first });
        let second = numbers.begin();
        assert!(second.number == 90 && second.epoch > first.epoch);
        // The clock was put back.
        let late = Position { epoch: second.epoch + 1_000_000, number: 0 };
        numbers.given(late);
        assert_eq!(numbers.begin().epoch, late.epoch + 1);
    }
}
