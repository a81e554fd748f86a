//! The layers of one connection, one upon the other: transport, and speech upon it. Runs in a worker; pure.
//!
//! ```text
//! session     screens, events           ^ lines
//! speech      telnet or lines     seal  |  open
//! transport   plain               v     |
//! socket      Outbox              bytes of the wire
//! ```

use super::between::Between;
use super::layer::{Layer, Opened};
use super::outbox::Outbox;
use super::speech::{Input, Speech};
use super::transport::Transport;
use crate::render::{Look, Preferred, Told, draw, human};
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Event, Notice};
use ssmglobal_telnet::{self as telnet, Telnet};

/// The layers above a socket.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stack<T = Transport> {
    transport: T,
    speech: Speech,
    /// Only where something was set.
    preferred: Option<Box<Preferred>>,
    /// Opened by the transport, and not looked at yet while its sender has to wait. Quiet is only who has none, or plays.
    #[serde(skip_serializing_if = "Opening::is_empty")]
    opened: Opening,
    /// Quiet is only who has read all of it, or plays.
    #[serde(skip_serializing_if = "Outbox::is_empty")]
    out: Outbox,
    /// Only of one who plays a world.
    between: Option<Box<Between>>,
    /// What was said, before it was sealed, for a log that is to have everything. Made anew from the settings.
    #[serde(skip)]
    copy: Option<Vec<u8>>,
    /// This side has said that it is done, after which there is nothing to go on with.
    #[serde(skip)]
    closed: bool,
}

/// Where a world speaks to one who plays it.
pub struct Voice<'a> {
    /// His telnet.
    pub telnet: &'a mut Telnet,
    /// What goes out to him, as telnet wants it.
    pub out: &'a mut Vec<u8>,
    /// Where the world's text stands.
    pub between: &'a mut Between,
    look: Look,
}

impl Voice<'_> {
    /// Says a sentence of ours, in its place between the world's lines.
    pub fn announce(&mut self, sentence: &str) {
        let from = self.out.len();
        self.between.begin_ours(self.out);
        let event = Event::Notice(Notice { msg: sentence.to_owned() });
        draw(self.out, &human::event(&event), self.look);
        self.telnet.seal(self.out, from);
    }

    /// What comes next is ours: the world's line has ended.
    pub fn end_line(&mut self) {
        let from = self.out.len();
        self.between.begin_ours(self.out);
        self.telnet.seal(self.out, from);
    }

    /// Says the world's prompt again behind what was ours, if anything was.
    pub fn end_ours(&mut self) {
        let from = self.out.len();
        self.between.end_ours(self.out);
        self.telnet.seal(self.out, from);
    }
}

/// Bytes, and how many of them were used.
#[derive(Default, Serialize, Deserialize)]
struct Opening {
    #[serde(with = "crate::packed")]
    bytes: Vec<u8>,
    used: usize,
}

impl Opening {
    /// What the first reads give, bytes: no more is kept by one who waits.
    const KEPT: usize = 1 << 10;

    fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

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
            between: None,
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
        let look = Look { in_world: self.between.is_some(), ..self.speech.look() };
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
        if let Some(between) = &mut self.between {
            between.begin_ours(out);
        }
        text(out);
        if let Some(copy) = &mut self.copy {
            copy.extend_from_slice(out.get(from..).unwrap_or_default());
        }
        self.speech.seal(out, from);
        self.transport.seal(out, from);
    }

    /// What one who plays a world is told by it is said here. Nothing for one who does not play.
    pub fn relay<R>(&mut self, say: impl FnOnce(&mut Voice<'_>) -> R) -> Option<R> {
        let look = self.look();
        let between = self.between.as_deref_mut()?;
        let out = self.out.bytes();
        let from = out.len();
        let result = say(&mut Voice { telnet: self.speech.telnet(), out, between, look });
        self.transport.seal(out, from);
        Some(result)
    }

    /// Opens what one has said who plays a world: each event of telnet is given with his machine and what goes out to him.
    pub fn open_playing(
        &mut self,
        input: &mut &[u8],
        mut each: impl FnMut(&mut Telnet, telnet::Event<'_>, &mut Vec<u8>),
    ) -> Opened {
        loop {
            let from = self.out.bytes().len();
            let mut left = self.opened.rest();
            while let Some(event) = self.speech.telnet().next(&mut left, self.out.bytes()) {
                each(self.speech.telnet(), event, self.out.bytes());
            }
            self.transport.seal(self.out.bytes(), from);
            self.opened.clear();
            match self.transport.open(input, &mut self.opened.bytes, self.out.bytes()) {
                Opened::Data(()) | Opened::End => {}
                done @ (Opened::More | Opened::Closed | Opened::Broken) => return done,
            }
        }
    }

    /// Between the lines of a world, if he plays one.
    pub fn between(&mut self) -> Option<&mut Between> {
        self.between.as_deref_mut()
    }

    /// He begins to play, or has ended that.
    pub fn play(&mut self, between: Option<Between>) {
        self.between = between.map(Box::new);
    }

    /// Whether what has come for him has to wait for the end of a world's line.
    pub fn is_mid_line(&self) -> bool {
        self.between.as_ref().is_some_and(|between| between.holds_back())
    }

    /// All of ours was said: the world's prompt is shown again.
    pub fn end_ours(&mut self) {
        let Some(between) = &mut self.between else { return };
        let out = self.out.bytes();
        let from = out.len();
        let prompts = between.end_ours(out);
        self.speech.seal(out, from);
        if prompts {
            self.speech.prompt_end(out);
        }
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
        let Stack { transport, speech, preferred: _, opened, out, between, copy: _, closed } = self;
        let flows = between.is_some() || opened.is_empty() && out.is_empty();
        transport.is_quiet() && speech.is_quiet() && flows && !closed
    }
}
