//! Answers in the order of their questions: some come from the handler later, some are there at once. Runs in a
//! worker; pure.

use super::says::{Part, Says};
use crate::peer::Stack;
use crate::render::Asked;
use std::collections::VecDeque;

/// A question that waits for the handler.
#[derive(Debug)]
pub struct Waiting {
    /// Its number on the link.
    pub number: u64,
    /// What was asked.
    pub asked: Asked,
    /// What the client calls it.
    pub id: Option<Box<str>>,
    /// It was asked in words, and is answered so.
    pub people: bool,
}

#[derive(Debug)]
enum Slot {
    Waiting(Waiting),
    Ready(Vec<Part>),
}

/// Questions that are open, the oldest first.
#[derive(Debug, Default)]
pub struct Queue {
    slots: VecDeque<Slot>,
}

impl Queue {
    /// How many answers the client has not got yet.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// A question was sent to the handler.
    pub fn ask(&mut self, waiting: Waiting) {
        self.slots.push_back(Slot::Waiting(waiting));
    }

    /// An answer that is there at once: said now, or behind those that are still open.
    pub fn answer_now(&mut self, to: &mut Stack, answer: impl FnOnce(&mut Says<'_>)) {
        if self.slots.is_empty() {
            return answer(&mut Says::Now(to));
        }
        self.slots.push_back(Slot::Ready(later(to, answer)));
    }

    /// The handler has answered this question: what has its turn now is said.
    pub fn answer(&mut self, number: u64, to: &mut Stack, answer: impl FnOnce(&mut Says<'_>, &Waiting)) {
        let is_it = |slot: &Slot| matches!(slot, Slot::Waiting(waiting) if waiting.number == number);
        if self.slots.front().is_some_and(is_it) {
            if let Some(Slot::Waiting(waiting)) = self.slots.pop_front() {
                answer(&mut Says::Now(to), &waiting);
            }
            while let Some(Slot::Ready(parts)) = self.slots.front_mut() {
                std::mem::take(parts).into_iter().for_each(|part| part.say(to));
                self.slots.pop_front();
            }
        } else if let Some(slot) = self.slots.iter_mut().find(|slot| is_it(slot))
            && let Slot::Waiting(waiting) = slot
        {
            *slot = Slot::Ready(later(to, |says| answer(says, waiting)));
        }
    }
}

fn later(to: &Stack, answer: impl FnOnce(&mut Says<'_>)) -> Vec<Part> {
    let mut parts = Vec::new();
    answer(&mut Says::Later(&mut parts, to.look()));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(queue: &mut Queue, number: u64) {
        let asked = Asked { kind: ssmglobal_ipc::Kind::Whoami, done: "Done." };
        queue.ask(Waiting { number, asked, id: None, people: false });
    }

    fn answer(queue: &mut Queue, number: u64, to: &mut Stack) {
        queue.answer(number, to, |says, waiting| says.text(|out| out.push(waiting.number as u8)));
    }

    #[test]
    fn answers_keep_the_order_of_questions() {
        let (mut queue, mut to) = (Queue::default(), Stack::default());
        queue.answer_now(&mut to, |says| says.text(|out| out.push(b'a')));
        ask(&mut queue, 1);
        ask(&mut queue, 2);
        queue.answer_now(&mut to, |says| {
            says.text(|out| out.push(b'b'));
            says.hide_input(true);
        });
        ask(&mut queue, 3);
        assert_eq!(queue.len(), 4);
        answer(&mut queue, 2, &mut to);
        answer(&mut queue, 7, &mut to);
        assert_eq!(to.out().rest(), b"a");
        answer(&mut queue, 1, &mut to);
        assert_eq!(to.out().rest(), b"a\x01\x02b\xff\xfb\x01");
        answer(&mut queue, 3, &mut to);
        assert_eq!(to.out().rest(), b"a\x01\x02b\xff\xfb\x01\x03");
        assert!(queue.is_empty());
    }
}
