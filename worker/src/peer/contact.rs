//! Whether the other side's machine is still there. The kernel asks it when nothing is said, and ends the connection when what
//! was written is not answered in time. But it would also end that of one who answers and only has no room for more (a stopped
//! terminal), which must not be: here it is looked after as long as something waits. Runs in a worker.

use crate::moment::Moment;
use mio::net::TcpStream;
use serde::{Deserialize, Serialize};
use ssmglobal_config::Limits;
use std::time::{Duration, Instant};

/// What is known of that.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// When the last line came, or the connection was made.
    pub last_line: Moment,
    /// When the last thing came, a line or another sign of life. Made anew: it serves the turn in which that came.
    #[serde(skip, default = "Instant::now")]
    pub last_input: Instant,
    /// When to look at what was written. One who goes on looks at once: the process before may have left something undone.
    #[serde(skip, default = "at_once")]
    look: Option<Instant>,
    /// The kernel does not end the connection by itself now. One who goes on does not know, and undoes it.
    #[serde(skip, default = "undone")]
    lifted: bool,
    /// When a NOP was last sent. One more does no harm.
    #[serde(skip)]
    nop: Option<Instant>,
}

fn at_once() -> Option<Instant> {
    Some(Instant::now())
}

fn undone() -> bool {
    true
}

impl Default for Contact {
    fn default() -> Contact {
        Contact::since(Instant::now())
    }
}

/// What came of looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It was not time to look.
    NotDue,
    /// Nothing is wrong.
    There,
    /// It is time to send something that nobody sees.
    KeepAlive,
    /// It has not answered for too long: nothing that waits for it will ever arrive.
    Vanished,
}

impl Contact {
    /// With one who came at this time.
    pub fn since(at: Instant) -> Contact {
        Contact { last_line: at.into(), last_input: at, look: None, lifted: false, nop: None }
    }

    /// With one whom another process has served, which says how long he was silent.
    pub fn taken(last_line: Moment) -> Contact {
        Contact { last_line, look: at_once(), lifted: undone(), ..Contact::default() }
    }

    /// Something was written.
    pub fn has_written(&mut self, limits: &Limits) {
        let time = vanished(limits);
        if self.look.is_none() && !time.is_zero() {
            self.look = Some(Instant::now() + time / 4);
        }
    }

    /// When to look whether it is there, or to send something that nobody sees.
    pub fn due_at(&self, limits: &Limits, telnet: bool) -> Option<Instant> {
        match (self.look, self.nop_at(limits, telnet)) {
            (Some(look), Some(nop)) => Some(look.min(nop)),
            (look, nop) => look.or(nop),
        }
    }

    /// When one who speaks telnet gets a NOP.
    fn nop_at(&self, limits: &Limits, telnet: bool) -> Option<Instant> {
        let from = self.nop.map_or(*self.last_line, |nop| nop.max(*self.last_line));
        (limits.telnet_nop_seconds > 0 && telnet).then(|| from + Duration::from_secs(limits.telnet_nop_seconds))
    }

    /// Looks, if it is time.
    pub fn look_after(&mut self, stream: &TcpStream, now: Instant, limits: &Limits, telnet: bool) -> Looked {
        let mut looked = Looked::NotDue;
        if self.look.is_some_and(|at| at <= now) {
            looked = self.look(stream, now, limits);
        }
        if looked != Looked::Vanished && self.nop_at(limits, telnet).is_some_and(|at| at <= now) {
            self.nop = Some(now);
            // What waits is as good.
            let waits = ssmglobal_sys::flow(stream).map_or(true, |flow| flow.waits);
            looked = if waits { Looked::There } else { Looked::KeepAlive };
        }
        looked
    }

    fn look(&mut self, stream: &TcpStream, now: Instant, limits: &Limits) -> Looked {
        let time = vanished(limits);
        // Without an answer there is no such connection any more, which is said elsewhere.
        let Ok(flow) = ssmglobal_sys::flow(stream) else {
            self.look = None;
            return Looked::There;
        };
        if flow.held_up != self.lifted {
            let within = if flow.held_up { Duration::ZERO } else { time };
            if ssmglobal_sys::answer_within(stream, within).is_ok() {
                self.lifted = flow.held_up;
            }
        }
        self.look = flow.waits.then(|| now + time / 4);
        match self.lifted && flow.unanswered > 1 && flow.silent >= time {
            true => Looked::Vanished,
            false => Looked::There,
        }
    }
}

/// How long what was written may stay unanswered.
fn vanished(limits: &Limits) -> Duration {
    Duration::from_secs(limits.vanished_seconds)
}
