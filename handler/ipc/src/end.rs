//! How a worker has ended, as its exit code or the signal that killed it tells. Made in the worker, acted upon in the
//! listener, told to the operator by the handler.

use nix::sys::signal::Signal;
use std::fmt;

/// A worker's exit code, or the negated signal that killed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerEnd(pub i32);

impl WorkerEnd {
    /// Its client has gone, or was sent away in order.
    pub const GOOD: WorkerEnd = WorkerEnd(0);
    /// The system has refused something that it cannot do without.
    pub const REFUSED: WorkerEnd = WorkerEnd(1);
    /// Its client has failed too many logins.
    pub const FAILED_LOGINS: WorkerEnd = WorkerEnd(3);
    /// It could not be locked in, although that could be done at the start.
    pub const NOT_LOCKED: WorkerEnd = WorkerEnd(4);
    /// It was to go on with another worker's client, which could not be done: that one serves it on.
    pub const NOT_MOVED: WorkerEnd = WorkerEnd(5);
    /// Its client has come to the wrong door.
    pub const SPOKE_HTTP: WorkerEnd = WorkerEnd(10);
    /// As [`WorkerEnd::SPOKE_HTTP`].
    pub const SPOKE_TLS: WorkerEnd = WorkerEnd(11);
    /// As [`WorkerEnd::SPOKE_HTTP`].
    pub const SPOKE_SSH: WorkerEnd = WorkerEnd(12);
    /// As [`WorkerEnd::SPOKE_HTTP`].
    pub const SPOKE_SOCKS: WorkerEnd = WorkerEnd(13);
    /// As [`WorkerEnd::SPOKE_HTTP`].
    pub const SPOKE_PROXY: WorkerEnd = WorkerEnd(14);
    /// Its client has said QUIT.
    pub const QUIT: WorkerEnd = WorkerEnd(20);
    /// Its client was silent for too long.
    pub const SILENT: WorkerEnd = WorkerEnd(21);
    /// The connection was reset, or the machine at its other end does not answer any more.
    pub const LOST: WorkerEnd = WorkerEnd(22);
    /// The handler has told it to end, and knows why.
    pub const TOLD: WorkerEnd = WorkerEnd(23);
    /// Its client does not read what it gets.
    pub const SLOW: WorkerEnd = WorkerEnd(24);
    /// The backend stops, or the operator has ended this process in order.
    pub const STOPPED: WorkerEnd = WorkerEnd(25);
    /// Nobody was left who could serve its client.
    pub const DESERTED: WorkerEnd = WorkerEnd(26);
    /// Its client has said something else where it was to choose a mode.
    pub const NO_MODE: WorkerEnd = WorkerEnd(27);
    /// A proxy has connected, and has not said in the words of its protocol for whom.
    pub const NO_HEADER: WorkerEnd = WorkerEnd(28);
    /// What its client has sent compressed could not be read.
    pub const DAMAGED: WorkerEnd = WorkerEnd(29);
    /// It panicked.
    pub const PANICKED: WorkerEnd = WorkerEnd(101);
    /// It was no child of the listener that has noticed its end: nobody knows how that was. No exit code.
    pub const UNSEEN: WorkerEnd = WorkerEnd(256);

    /// Whether it ended by a mistake of its own, which its client may have brought about. To be ended by somebody else
    /// (an operator, the kernel for want of memory) is none.
    pub fn is_crash(self) -> bool {
        const CRASHES: [Signal; 9] = [
            Signal::SIGABRT,
            Signal::SIGBUS,
            Signal::SIGFPE,
            Signal::SIGILL,
            Signal::SIGSEGV,
            Signal::SIGSYS,
            Signal::SIGTRAP,
            Signal::SIGXCPU,
            Signal::SIGXFSZ,
        ];
        self == WorkerEnd::PANICKED || self.signal().is_some_and(|signal| CRASHES.contains(&signal))
    }

    /// What its client spoke, if it was sent away because of that. It is no fault of anybody who is at the right door.
    pub fn spoken(self) -> Option<&'static str> {
        Some(match self {
            WorkerEnd::SPOKE_HTTP => "HTTP",
            WorkerEnd::SPOKE_TLS => "TLS",
            WorkerEnd::SPOKE_SSH => "SSH",
            WorkerEnd::SPOKE_SOCKS => "SOCKS",
            WorkerEnd::SPOKE_PROXY => "the PROXY protocol",
            _ => return None,
        })
    }

    /// Why its client is not connected any more, in a word or two for the log.
    pub fn reason(self) -> &'static str {
        match self {
            WorkerEnd::GOOD => "closed",
            WorkerEnd::QUIT => "quit",
            WorkerEnd::SILENT => "silence",
            WorkerEnd::LOST => "lost",
            WorkerEnd::TOLD => "ended",
            WorkerEnd::SLOW => "not-reading",
            WorkerEnd::STOPPED => "stop",
            WorkerEnd::DESERTED => "deserted",
            WorkerEnd::NO_MODE => "no-mode",
            WorkerEnd::NO_HEADER => "no-header",
            WorkerEnd::DAMAGED => "damaged",
            WorkerEnd::FAILED_LOGINS => "failed-logins",
            WorkerEnd::UNSEEN => "unknown",
            _ if self.spoken().is_some() => "wrong-door",
            _ if self.is_crash() => "crash",
            _ if self.signal().is_some() => "killed",
            _ => "error",
        }
    }

    /// Whether nothing has gone wrong with the worker itself, whatever its client has done.
    pub fn is_in_order(self) -> bool {
        !matches!(self.reason(), "crash" | "killed" | "error")
    }

    fn signal(self) -> Option<Signal> {
        (self.0 < 0).then(|| Signal::try_from(self.0.saturating_neg()).ok()).flatten()
    }
}

impl fmt::Display for WorkerEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(spoken) = self.spoken() {
            return write!(f, "its client spoke {spoken} (exit code {})", self.0);
        }
        let Some(signal) = self.signal() else {
            let why = match *self {
                WorkerEnd::GOOD => "all is well",
                WorkerEnd::REFUSED => "the system has refused something that it cannot do without",
                WorkerEnd::FAILED_LOGINS => "too many failed logins",
                WorkerEnd::QUIT => "its client has said QUIT",
                WorkerEnd::SILENT => "its client was silent for too long",
                WorkerEnd::LOST => "the connection was lost",
                WorkerEnd::TOLD => "the handler has told it to",
                WorkerEnd::SLOW => "its client does not read",
                WorkerEnd::STOPPED => "it was stopped in order",
                WorkerEnd::DESERTED => "nobody was left to serve its client",
                WorkerEnd::NO_MODE => "its client has chosen no mode",
                WorkerEnd::NO_HEADER => "no PROXY header has come",
                WorkerEnd::DAMAGED => "what its client has sent compressed could not be read",
                WorkerEnd::UNSEEN => return f.write_str("nobody has seen how"),
                WorkerEnd::NOT_LOCKED => "it could not be locked in",
                WorkerEnd::NOT_MOVED => "it could not go on with another worker's client",
                WorkerEnd::PANICKED => "it panicked",
                // A real-time one.
                WorkerEnd(..0) => return write!(f, "killed by signal {}", self.0.unsigned_abs()),
                _ => return write!(f, "exit code {}", self.0),
            };
            return write!(f, "{why} (exit code {})", self.0);
        };
        let why = match signal {
            Signal::SIGSYS => "it tried something that no worker may do",
            // Behind the lock of a zygote nobody can send SIGABRT to himself.
            Signal::SIGSEGV => "it crashed, or gave up for want of memory",
            Signal::SIGBUS | Signal::SIGILL | Signal::SIGFPE | Signal::SIGTRAP => "it crashed",
            Signal::SIGABRT => "it gave up, perhaps for want of memory",
            Signal::SIGXFSZ | Signal::SIGXCPU => "it wanted more than it may have",
            Signal::SIGKILL => "somebody ended it, or the kernel for want of memory",
            _ => return write!(f, "killed by {signal}"),
        };
        write!(f, "killed by {signal}: {why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_words() {
        for (end, words) in [
            (WorkerEnd::PANICKED, "it panicked (exit code 101)"),
            (WorkerEnd(7), "exit code 7"),
            (WorkerEnd::SPOKE_HTTP, "its client spoke HTTP (exit code 10)"),
            (WorkerEnd(-31), "killed by SIGSYS: it tried something that no worker may do"),
            (WorkerEnd(-15), "killed by SIGTERM"),
            (WorkerEnd(-40), "killed by signal 40"),
        ] {
            assert_eq!(end.to_string(), words);
        }
    }

    #[test]
    fn only_what_is_wrong_with_a_worker_itself_is_out_of_order() {
        let wrong = |end: &WorkerEnd| !end.is_in_order();
        let all = (0..=256).chain([-9, -11, -15, -31]).map(WorkerEnd);
        let codes: Vec<i32> = all.filter(|end| end.reason() != "error" && wrong(end)).map(|end| end.0).collect();
        assert_eq!(codes, [101, -9, -11, -15, -31]);
        assert!([1, 2, 4, 5, 6, 19, 30, 255].map(WorkerEnd).iter().all(wrong));
        assert_eq!(WorkerEnd(-11).reason(), "crash");
        assert_eq!(WorkerEnd::SPOKE_TLS.reason(), "wrong-door");
    }

    #[test]
    fn whoever_was_ended_by_another_did_not_crash() {
        let crashes = [WorkerEnd::PANICKED, WorkerEnd(-(Signal::SIGSYS as i32)), WorkerEnd(-(Signal::SIGSEGV as i32))];
        assert!(crashes.into_iter().all(WorkerEnd::is_crash));
        let others = [
            WorkerEnd::GOOD,
            WorkerEnd::REFUSED,
            WorkerEnd::FAILED_LOGINS,
            WorkerEnd::SPOKE_TLS,
            WorkerEnd(-(Signal::SIGKILL as i32)),
            WorkerEnd(i32::MIN),
        ];
        assert!(!others.into_iter().any(WorkerEnd::is_crash));
    }
}
