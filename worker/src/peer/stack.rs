//! The layers of one connection, one upon the other: transport, and speech upon it. Runs in a worker; pure.
//!
//! ```text
//! session     screens, events           ^ lines
//! speech      telnet or lines     seal  |  open
//! transport   plain               v     |
//! socket      Outbox              bytes of the wire
//! ```

use super::layer::{Layer, Opened};
use super::outbox::Outbox;
use super::speech::{Input, Speech};
use super::transport::Transport;
use crate::render::{Look, Preferred, Told};
use serde::{Deserialize, Serialize};

/// The layers above a socket.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stack<T = Transport> {
    transport: T,
    speech: Speech,
    /// Only where something was set.
    preferred: Option<Box<Preferred>>,
    /// Opened by the transport, and not looked at yet while its sender has to wait. Quiet is only who has none.
    #[serde(skip)]
    opened: Opening,
    /// Quiet is only who has read all of it.
    #[serde(skip)]
    out: Outbox,
    /// What was said, before it was sealed, for a log that is to have everything. Made anew from the settings.
    #[serde(skip)]
    copy: Option<Vec<u8>>,
    /// This side has said that it is done, after which there is nothing to go on with.
    #[serde(skip)]
    closed: bool,
}

/// Bytes, and how many of them were used.
#[derive(Default)]
struct Opening {
    bytes: Vec<u8>,
    used: usize,
}

impl Opening {
    /// What the first reads give, bytes: no more is kept by one who waits.
    const KEPT: usize = 1 << 10;

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.used = 0;
        if self.bytes.capacity() > Opening::KEPT {
            self.bytes = Vec::new();
        }
    }
}

impl<T: Layer<Up = Vec<u8>, Found = ()>> Stack<T> {
    /// Layers of which nothing was heard yet.
    pub fn new(transport: T, speech: Speech) -> Stack<T> {
        Stack {
            transport,
            speech,
            preferred: None,
            opened: Opening::default(),
            out: Outbox::default(),
            copy: None,
            closed: false,
        }
    }

    /// What lines are made with.
    pub fn speech(&mut self) -> &mut Speech {
        &mut self.speech
    }

    /// What the terminal can show, as its owner wants it.
    pub fn look(&self) -> Look {
        let look = self.speech.look();
        self.preferred.as_ref().map_or(look, |preferred| preferred.over(look))
    }

    /// Of what the terminal has told something.
    pub fn told(&self) -> Told {
        self.speech.told()
    }

    /// What was set of how things are shown.
    pub fn preferred(&self) -> Preferred {
        self.preferred.as_deref().cloned().unwrap_or_default()
    }

    /// Changes what was set.
    pub fn prefer(&mut self, change: impl FnOnce(&mut Preferred)) {
        let mut preferred = self.preferred.take().unwrap_or_default();
        change(&mut preferred);
        self.speech.say_charset(preferred.charset());
        self.preferred = Some(preferred).filter(|preferred| **preferred != Preferred::default());
    }

    /// Whether the other side has spoken telnet, and does so now.
    pub fn speaks_telnet(&self) -> bool {
        self.speech.speaks_telnet()
    }

    /// What waits for the socket.
    pub fn out(&mut self) -> &mut Outbox {
        &mut self.out
    }

    /// Whether so much waits to go out that no further request should be taken.
    pub fn is_slow(&self) -> bool {
        self.out.is_slow()
    }

    /// Whether something has come that was not looked at yet, of which not even a part is with the socket any more.
    pub fn has_unread(&self) -> bool {
        !self.opened.rest().is_empty()
    }

    /// Keeps a copy of all that is said from now on.
    pub fn keep_copy(&mut self) {
        self.copy.get_or_insert_default();
    }

    /// What was said since the last time, if that is kept.
    pub fn take_copy(&mut self) -> Vec<u8> {
        self.copy.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The next thing in what was read from the socket, of which it takes what it used. A line goes to `line`.
    /// Never [`Opened::End`].
    pub fn open(&mut self, input: &mut &[u8], line: &mut String) -> Opened<Input> {
        loop {
            if let Some(found) = self.next_input(line) {
                return Opened::Data(found);
            }
            let from = self.opened.bytes.len();
            match self.transport.open(input, &mut self.opened.bytes, self.out.bytes()) {
                Opened::Data(()) => {
                    let come = self.opened.bytes.get(from..).unwrap_or_default();
                    if let Some(protocol) = self.speech.look_at(come) {
                        return Opened::Data(Input::Stranger(protocol));
                    }
                }
                Opened::End if self.speech.is_partial() => self.opened.bytes.push(b'\n'),
                Opened::End => {}
                Opened::More => return Opened::More,
                Opened::Closed => return Opened::Closed,
                Opened::Broken => return Opened::Broken,
            }
        }
    }

    /// The next thing in what the transport has opened.
    fn next_input(&mut self, line: &mut String) -> Option<Input> {
        let mut left = self.opened.rest();
        if left.is_empty() {
            return None;
        }
        let from = self.out.bytes().len();
        let found = self.speech.open(&mut left, line, self.out.bytes());
        self.opened.used = self.opened.bytes.len() - left.len();
        self.transport.seal(self.out.bytes(), from);
        if self.opened.rest().is_empty() {
            self.opened.clear();
        }
        match found {
            Opened::Data(found) => Some(found),
            Opened::End | Opened::More | Opened::Closed | Opened::Broken => None,
        }
    }

    /// Says what `text` appends.
    pub fn write(&mut self, text: impl FnOnce(&mut Vec<u8>)) {
        let out = self.out.bytes();
        let from = out.len();
        text(out);
        if let Some(copy) = &mut self.copy {
            copy.extend_from_slice(out.get(from..).unwrap_or_default());
        }
        self.speech.seal(out, from);
        self.transport.seal(out, from);
    }

    /// Says something in telnet's own words.
    pub fn signal(&mut self, say: impl FnOnce(&mut Speech, &mut Vec<u8>)) {
        let out = self.out.bytes();
        let from = out.len();
        say(&mut self.speech, out);
        self.transport.seal(out, from);
    }

    /// Says that nothing more comes. What was said before goes first; saying it again changes nothing.
    pub fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            let out = self.out.bytes();
            let from = out.len();
            self.speech.close(out);
            self.transport.seal(out, from);
            self.transport.close(out);
        }
    }

    /// Whether nothing was begun that only this process can go on with.
    pub fn is_quiet(&self) -> bool {
        // A field more does not compile until it is decided whether it is quiet, moves, or is made anew.
        let Stack { transport, speech, preferred: _, opened, out, copy: _, closed } = self;
        transport.is_quiet() && speech.is_quiet() && opened.rest().is_empty() && out.is_empty() && !closed
    }
}
