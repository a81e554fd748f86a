//! Telling a supervisor with a watchdog (systemd's `WatchdogSec=`) that all is well: at half of its time, and only while the
//! handler serves. Runs in the listener.

use std::time::{Duration, Instant};

/// When to tell it next; nothing where nobody asks.
pub struct Watchdog {
    due: Option<(Instant, Duration)>,
}

impl Watchdog {
    /// As the environment asks for it.
    pub fn new() -> Watchdog {
        let time = sd_notify::watchdog_enabled().filter(|time| !time.is_zero());
        Watchdog { due: time.map(|time| (Instant::now(), time / 2)) }
    }

    /// When to tell it next.
    pub fn at(&self) -> Option<Instant> {
        self.due.map(|(at, _)| at)
    }

    /// Tells it, when it is time and all is well.
    #[inline(never)]
    pub fn tell(&mut self, well: bool, now: Instant) {
        let Some((at, pause)) = &mut self.due else { return };
        if *at > now {
            return;
        }
        *at = now + *pause;
        if well {
            // It decides what to do when it does not hear of it.
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
    }
}
