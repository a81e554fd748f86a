//! What a process writes, collected by a thread, so that tests can wait for a line of it.

use super::PATIENCE;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// Everything that was written so far.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Written>, Condvar)>);

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    ended: bool,
}

impl Log {
    /// Collects until the end of `from`.
    pub fn collect(mut from: impl Read + Send + 'static) -> Log {
        let log = Log::default();
        let shared = log.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let count = from.read(&mut buffer).unwrap_or(0);
                let (written, changed) = &*shared.0;
                let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
                written.bytes.extend_from_slice(&buffer[..count]);
                written.ended = count == 0;
                changed.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        log
    }

    /// All of it, so far.
    pub fn text(&self) -> String {
        let written = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written.bytes).into_owned()
    }

    /// Where it ends now; see [`Log::wait_after`].
    pub fn mark(&self) -> usize {
        self.text().len()
    }

    /// Waits until `found` finds something in the text behind `mark`.
    pub fn find_after<T>(&self, mark: usize, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        let (written, changed) = &*self.0;
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let text = String::from_utf8_lossy(&written.bytes).into_owned();
            if let Some(found) = found(text.get(mark..).unwrap_or_default()) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            if written.ended || left.is_zero() {
                drop(written);
                panic!("{what} never came; this did:\n{text}");
            }
            written = changed.wait_timeout(written, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for this text behind `mark`.
    pub fn wait_after(&self, mark: usize, text: &str) {
        self.find_after(mark, &format!("{text:?}"), |written| written.contains(text).then_some(()));
    }

    /// Waits for this text.
    pub fn wait(&self, text: &str) {
        self.wait_after(0, text);
    }

    /// Waits for the end, then gives all of it.
    pub fn to_the_end(&self) -> String {
        let until = Instant::now() + PATIENCE;
        let (written, changed) = &*self.0;
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        while !written.ended {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it is written to for ever:\n{}", String::from_utf8_lossy(&written.bytes));
            written = changed.wait_timeout(written, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        String::from_utf8_lossy(&written.bytes).into_owned()
    }
}
