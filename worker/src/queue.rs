//! Answers in the order of their questions: some come from the handler later, some are there at once. Runs in a
//! worker; pure.

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
    Ready(Vec<u8>),
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

    /// An answer that is there at once: to `out`, or behind those that are still open.
    pub fn answer_now(&mut self, out: &mut Vec<u8>, render: impl FnOnce(&mut Vec<u8>)) {
        if self.slots.is_empty() {
            return render(out);
        }
        let mut bytes = Vec::new();
        render(&mut bytes);
        self.slots.push_back(Slot::Ready(bytes));
    }

    /// The handler has answered this question: what has its turn now goes to `out`.
    pub fn answer(&mut self, number: u64, out: &mut Vec<u8>, render: impl FnOnce(&mut Vec<u8>, &Waiting)) {
        let is_it = |slot: &Slot| matches!(slot, Slot::Waiting(waiting) if waiting.number == number);
        if self.slots.front().is_some_and(is_it) {
            if let Some(Slot::Waiting(waiting)) = self.slots.pop_front() {
                render(out, &waiting);
            }
            while let Some(Slot::Ready(bytes)) = self.slots.front() {
                out.extend_from_slice(bytes);
                self.slots.pop_front();
            }
        } else if let Some(slot) = self.slots.iter_mut().find(|slot| is_it(slot))
            && let Slot::Waiting(waiting) = slot
        {
            let mut bytes = Vec::new();
            render(&mut bytes, waiting);
            *slot = Slot::Ready(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(queue: &mut Queue, number: u64) {
        let asked = Asked { kind: ssmglobal_ipc::Kind::Whoami, done: "Done." };
        queue.ask(Waiting { number, asked, id: None, people: false });
    }

    fn answer(queue: &mut Queue, number: u64, out: &mut Vec<u8>) {
        queue.answer(number, out, |out, waiting| out.push(waiting.number as u8));
    }

    #[test]
    fn answers_keep_the_order_of_questions() {
        let (mut queue, mut out) = (Queue::default(), Vec::new());
        queue.answer_now(&mut out, |out| out.push(b'a'));
        ask(&mut queue, 1);
        ask(&mut queue, 2);
        queue.answer_now(&mut out, |out| out.push(b'b'));
        ask(&mut queue, 3);
        assert_eq!(queue.len(), 4);
        answer(&mut queue, 2, &mut out);
        answer(&mut queue, 7, &mut out);
        assert_eq!(out, b"a");
        answer(&mut queue, 1, &mut out);
        assert_eq!(out, [b'a', 1, 2, b'b']);
        answer(&mut queue, 3, &mut out);
        assert_eq!(out, [b'a', 1, 2, b'b', 3]);
        assert!(queue.is_empty());
    }
}
