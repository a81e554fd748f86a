//! One sequence of what is told and is on no disk: numbered without gaps, with as many of the newest as its owner keeps. What a relay
//! channel, the list of worlds and that of who is on have in common. Pure; lives in the event loop.

use ssmglobal_ipc::Position;
use std::collections::VecDeque;

/// The sequence.
#[derive(Debug)]
pub struct Stream<T> {
    /// The number in front of its first one: smaller ones were others'.
    begun: u64,
    newest: Position,
    /// By number, without gaps, the newest last.
    kept: VecDeque<(u64, T)>,
}

/// What is behind a position.
pub struct Since<I> {
    /// How many numbers are gone.
    pub missed: u64,
    /// Those that are kept, with their numbers, the oldest first.
    pub kept: I,
}

impl<T> Stream<T> {
    /// One that begins behind a position.
    pub fn new(at: Position) -> Stream<T> {
        Stream { begun: at.number, newest: at, kept: VecDeque::new() }
    }

    /// One that has begun behind a number and goes on behind a position, with what is still kept of what was in front of it.
    pub fn resumed(begun: u64, newest: Position, kept: impl IntoIterator<Item = (u64, T)>) -> Stream<T> {
        Stream { begun, newest, kept: kept.into_iter().collect() }
    }

    /// The position that somebody has who has heard nothing of it.
    pub fn begun(&self) -> Position {
        Position { number: self.begun, ..self.newest }
    }

    /// The position behind which is all that is kept.
    pub fn kept_behind(&self) -> Position {
        let number = self.oldest().map_or(self.newest.number, |oldest| oldest.saturating_sub(1));
        Position { number, ..self.newest }
    }

    /// The newest one's position.
    pub fn position(&self) -> Position {
        self.newest
    }

    /// Adds one; gives its position. It is kept until it is let go of.
    pub fn publish(&mut self, value: T) -> Position {
        self.newest.number += 1;
        self.kept.push_back((self.newest.number, value));
        self.newest
    }

    /// What is behind `after`, up to `upto`; nothing for a position of another epoch.
    pub fn since(&self, after: Position, upto: u64) -> Option<Since<impl Iterator<Item = (u64, &T)>>> {
        if after.epoch != self.newest.epoch {
            return None;
        }
        let upto = upto.min(self.newest.number);
        let start = self.kept.partition_point(|(number, _)| *number <= after.number);
        let kept = self.kept.range(start..).map(|(number, value)| (*number, value));
        Some(Since {
            missed: self.missed(after.number, upto),
            kept: kept.take_while(move |(number, _)| *number <= upto),
        })
    }

    /// How many numbers in `(after, upto]` are gone.
    fn missed(&self, after: u64, upto: u64) -> u64 {
        let after = after.max(self.begun);
        let oldest = self.oldest().unwrap_or(self.newest.number + 1);
        oldest.min(upto.saturating_add(1)).saturating_sub(after.saturating_add(1))
    }

    /// The number of the oldest one that is kept.
    pub fn oldest(&self) -> Option<u64> {
        self.kept.front().map(|(number, _)| *number)
    }

    /// Lets go of the oldest one.
    pub fn let_go(&mut self) -> Option<T> {
        self.kept.pop_front().map(|(_, value)| value)
    }

    /// All that are kept.
    pub fn kept(&self) -> impl ExactSizeIterator<Item = &T> {
        self.kept.iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u64, number: u64) -> Position {
        Position { epoch, number }
    }

    fn since(stream: &Stream<char>, after: Position, upto: u64) -> Option<(u64, String)> {
        stream.since(after, upto).map(|since| (since.missed, since.kept.map(|(_, value)| value).collect()))
    }

    #[test]
    fn whoever_comes_back_gets_what_is_kept_and_how_much_is_not() {
        let mut stream = Stream::new(at(3, 0));
        assert_eq!(since(&stream, at(3, 0), 9), Some((0, String::new())));
        let numbers: Vec<u64> = "abcde".chars().map(|value| stream.publish(value).number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
        assert_eq!((stream.let_go(), stream.let_go(), stream.oldest()), (Some('a'), Some('b'), Some(3)));
        for (after, upto, missed, kept) in [
            (0, 9, 2, "cde"),
            (1, 4, 1, "cd"),
            (2, 5, 0, "cde"),
            (4, 5, 0, "e"),
            (5, 5, 0, ""),
            (0, 1, 1, ""),
            (9, 3, 0, ""),
        ] {
            assert_eq!(since(&stream, at(3, after), upto), Some((missed, kept.into())), "({after}, {upto}]");
        }
        assert_eq!((since(&stream, at(2, 5), 9), since(&stream, at(4, 0), 9)), (None, None), "another epoch");
        while stream.let_go().is_some() {}
        assert_eq!(since(&stream, at(3, 1), 9), Some((4, String::new())));
    }

    #[test]
    fn it_goes_on_where_another_has_ended() {
        let mut stream = Stream::resumed(0, at(0, 7), [(6, 'x'), (7, 'y')]);
        assert_eq!(stream.publish('z'), at(0, 8));
        assert_eq!(since(&stream, at(0, 0), 8), Some((5, "xyz".into())));
        assert_eq!(stream.kept().len(), 3);
    }

    #[test]
    fn what_was_in_front_of_its_beginning_is_not_missed() {
        let mut stream = Stream::new(at(3, 1000));
        assert_eq!((since(&stream, at(3, 0), 9000), stream.begun()), (Some((0, String::new())), at(3, 1000)));
        assert_eq!((stream.publish('a'), stream.publish('b')), (at(3, 1001), at(3, 1002)));
        assert_eq!(stream.kept_behind(), at(3, 1000));
        stream.let_go();
        for (after, missed) in [(0, 1), (999, 1), (1000, 1), (1001, 0)] {
            assert_eq!(since(&stream, at(3, after), 9000), Some((missed, "b".into())), "{after}");
        }
        assert_eq!((stream.begun(), stream.kept_behind()), (at(3, 1000), at(3, 1001)));
        stream.let_go();
        assert_eq!((stream.kept_behind(), since(&stream, at(3, 0), 9000)), (at(3, 1002), Some((2, String::new()))));
    }
}
