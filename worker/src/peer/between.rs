//! What is ours between the lines of a world that is played: never inside of one. Where the world's last line has no end, it is
//! a prompt, and shown again behind what we have said. Runs in a worker; pure.

use crate::play::line::Line;
use serde::{Deserialize, Serialize};

/// Where the world's text stands on the player's screen.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Between {
    line: Line,
    /// Something of ours stands behind the world's last text.
    ours: bool,
    /// The world has begun a line and may be about to end it.
    in_line: bool,
    /// Nothing of ours is shown that was not asked for.
    clean: bool,
}

impl Between {
    /// For one who sees only what he asks for, or anybody.
    pub fn new(clean: bool) -> Between {
        Between { clean, ..Between::default() }
    }

    /// Whether what can wait has to; behind what he asks of us nothing has.
    pub fn holds_back(&self) -> bool {
        self.in_line || self.clean && !self.ours
    }

    /// Whether the world is in the middle of a line.
    pub fn is_in_line(&self) -> bool {
        self.in_line
    }

    /// The line that has no end is a prompt: it was marked as one, or nothing has come behind it for a while.
    pub fn is_prompt(&mut self) {
        self.in_line = false;
    }

    /// The player has typed a line: what the world says next begins one, whatever stood there before. With `ours` it was for us,
    /// and the world's prompt is shown again behind the answer.
    pub fn has_typed(&mut self, ours: bool) {
        self.in_line = false;
        if ours {
            self.ours = true;
        } else {
            // The return key has ended it on the screen.
            self.line.said(b"\r\n");
        }
    }

    /// Something of ours is about to be said; appends what has to stand in front of it.
    pub fn begin_ours(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.ours, true) && !self.line.at_line_start() {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// The world goes on, or all of ours was said: appends its prompt again, if it has one.
    pub fn end_ours(&mut self, out: &mut Vec<u8>) -> bool {
        let ours = std::mem::take(&mut self.ours);
        if ours {
            out.extend_from_slice(self.line.partial());
        }
        ours && !self.line.at_line_start()
    }

    /// The world has said this, as the player sees it.
    pub fn world_said(&mut self, text: &[u8]) {
        if !text.is_empty() {
            self.line.said(text);
            self.in_line = !self.line.at_line_start();
        }
    }
}
