//! Telling a supervisor with a watchdog (systemd's `WatchdogSec=`) that the listener lives, whatever its handler and its clients do:
//! the handler is the listener's to look after. Between two words there is at most half of the supervisor's time, also where one
//! program is followed by another. Runs in the listener.

use std::time::{Duration, Instant};

/// When to tell it next; nothing where nobody asks.
pub struct Watchdog {
    due: Option<(Instant, Duration)>,
}

impl Watchdog {
    /// As the environment asks for it. Tells it at once: the program before this one may have done so long ago.
    pub fn new() -> Watchdog {
        let time = sd_notify::watchdog_enabled().filter(|time| !time.is_zero());
        // What the listener does at one time takes less than the other quarter.
        let mut watchdog = Watchdog { due: time.map(|time| (Instant::now(), time / 4)) };
        watchdog.tell(Instant::now());
        watchdog
    }

    /// When to tell it next.
    pub fn at(&self) -> Option<Instant> {
        self.due.map(|(at, _)| at)
    }

    /// Tells it, when it is time.
    #[inline(never)]
    pub fn tell(&mut self, now: Instant) {
        let Some((at, pause)) = &mut self.due else { return };
        if *at > now {
            return;
        }
        *at = now + *pause;
        // It decides what to do when it does not hear of it.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
    }

    /// Tells it, time or not: what follows takes a while.
    pub fn tell_now(&mut self) {
        if let Some((at, _)) = &mut self.due {
            *at = Instant::now();
        }
        self.tell(Instant::now());
    }
}
