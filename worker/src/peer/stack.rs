//! The layers of one connection, one upon the other: transport, compression and speech. Runs in a worker; pure.
//!
//! ```text
//! session       screens, events           ^ lines
//! speech        telnet or lines     seal  |  open
//! compression   none, or zlib             |
//! transport     plain               v     |
//! socket        Outbox              bytes of the wire
//! ```

use super::between::Between;
use super::compression::Compression;
use super::layer::{Layer, Opened};
use super::opening::Opening;
use super::outbox::Outbox;
use super::speech::{Heard, Input, Speech};
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
    /// Only where something is compressed.
    compression: Option<Box<Compression>>,
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

impl<T: Layer<Up = Vec<u8>, Found = ()>> Stack<T> {
    /// Layers of which nothing was heard yet.
    pub fn new(transport: T, speech: Speech) -> Stack<T> {
        Stack {
            transport,
            compression: None,
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
        !self.opened.is_empty() || self.compression.as_ref().is_some_and(|compression| compression.has_unread())
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
            // All that was opened before is used.
            match self.open_below(input) {
                Opened::Data(()) => {
                    let come = self.opened.rest();
                    if let Some(protocol) = self.speech.look_at(come) {
                        return Opened::Data(Input::Stranger(protocol));
                    }
                }
                Opened::End if self.speech.is_partial() => self.opened.bytes().push(b'\n'),
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
        let left = left.len();
        self.opened.leaves(left);
        self.seal_below(from);
        match found {
            Opened::Data(Heard::Input(found)) => Some(found),
            Opened::Data(Heard::Compressed) => {
                self.begin_inward();
                None
            }
            Opened::End | Opened::More | Opened::Closed | Opened::Broken => None,
        }
    }

    /// What was read becomes what speech opens, as far as it can at once.
    fn open_below(&mut self, input: &mut &[u8]) -> Opened {
        if let Some(compression) = self.compression.as_mut().filter(|_| !input.is_empty()) {
            compression.has_heard();
        }
        loop {
            let out = self.out.bytes();
            let Some(compression) = self.compression.as_mut().filter(|compression| compression.is_inflating()) else {
                return self.transport.open(input, self.opened.bytes(), out);
            };
            if !compression.has_unread() {
                match self.transport.open(input, compression.held(), out) {
                    Opened::Data(()) => {}
                    done => return done,
                }
            }
            match compression.open(&mut &[][..], self.opened.bytes(), out) {
                Opened::More => {}
                done => return done,
            }
        }
    }

    /// What stands in `out` from here on is said by speech.
    fn seal_below(&mut self, from: usize) {
        let out = self.out.bytes();
        match self.compression.as_mut().filter(|compression| compression.is_compressing()) {
            Some(compression) => compression.seal(out, from),
            None => self.transport.seal(out, from),
        }
    }

    /// All that was not looked at yet is compressed, and what comes behind that.
    fn begin_inward(&mut self) {
        self.compression.get_or_insert_default().begin_inward(self.opened.rest());
        self.opened.clear();
    }

    /// The turn of the event loop is over: what was said in it becomes what goes over the wire. Compression begins and ends
    /// here, as the other side wants it.
    pub fn end_turn(&mut self) {
        let wants = self.speech.wants_compressed() && !self.closed;
        if self.compression.is_none() && !wants {
            return;
        }
        let compression = self.compression.get_or_insert_default();
        let out = self.out.bytes();
        let from = compression.waits_from().unwrap_or(out.len());
        compression.flush(out);
        if !wants {
            compression.close(out);
        } else if compression.may_begin() && self.speech.telnet().begin_compressing(out) {
            compression.begin();
        }
        self.transport.seal(out, from);
        if compression.is_idle() {
            self.compression = None;
        }
    }

    /// Another process goes on from here: all that was said is as it goes over the wire.
    pub fn let_go(&mut self) {
        let Some(compression) = &mut self.compression else { return };
        let out = self.out.bytes();
        let from = compression.waits_from().unwrap_or(out.len());
        compression.flush(out);
        self.transport.seal(out, from);
    }

    /// Whether both sides may compress what they send. Who is in the middle of a stream keeps that: there are programs that lose
    /// what comes together with the end of one.
    pub fn set_compressing(&mut self, on: bool) {
        let on = on || self.is_compressing();
        self.speech.set_compressing(on);
    }

    /// Whether what goes out is compressed: only who knows that can go on with it.
    pub fn is_compressing(&self) -> bool {
        self.compression.as_ref().is_some_and(|compression| compression.is_compressing())
    }

    /// Says what `text` appends.
    pub fn write(&mut self, text: impl FnOnce(&mut Vec<u8>)) {
        let out = self.out.bytes();
        let from = out.len();
        text(out);
        if out.len() == from {
            // Nothing is no reason to end a world's line.
            return;
        }
        if let Some(between) = &mut self.between {
            let said = out.split_off(from);
            between.begin_ours(out);
            out.extend_from_slice(&said);
        }
        if let Some(copy) = &mut self.copy {
            copy.extend_from_slice(out.get(from..).unwrap_or_default());
        }
        self.speech.seal(out, from);
        self.seal_below(from);
    }

    /// What one who plays a world is told by it is said here. Nothing for one who does not play.
    pub fn relay<R>(&mut self, say: impl FnOnce(&mut Voice<'_>) -> R) -> Option<R> {
        let look = self.look();
        let between = self.between.as_deref_mut()?;
        let out = self.out.bytes();
        let from = out.len();
        let result = say(&mut Voice { telnet: self.speech.telnet(), out, between, look });
        self.seal_below(from);
        Some(result)
    }

    /// Opens what one has said who plays a world: each event of telnet is given with his machine and what goes out to him. As
    /// much as there is room for at once; see [`Stack::has_unread`].
    pub fn open_playing(
        &mut self,
        input: &mut &[u8],
        mut each: impl FnMut(&mut Telnet, telnet::Event<'_>, &mut Vec<u8>),
    ) -> Opened {
        loop {
            let from = self.out.bytes().len();
            let mut left = self.opened.rest();
            let mut compressed = false;
            while !compressed && let Some(event) = self.speech.telnet().next(&mut left, self.out.bytes()) {
                compressed = event == telnet::Event::Compressed;
                each(self.speech.telnet(), event, self.out.bytes());
            }
            let left = left.len();
            self.opened.leaves(left);
            self.seal_below(from);
            if compressed {
                self.begin_inward();
            }
            // What is compressed may be much more than what was read.
            let had = self.compression.as_ref().is_some_and(|compression| compression.has_unread());
            match self.open_below(input) {
                Opened::Data(()) if had => return Opened::Data(()),
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
        self.seal_below(from);
    }

    /// Says something in telnet's own words.
    pub fn signal(&mut self, say: impl FnOnce(&mut Speech, &mut Vec<u8>)) {
        let out = self.out.bytes();
        let from = out.len();
        say(&mut self.speech, out);
        self.seal_below(from);
    }

    /// Says that nothing more comes. What was said before goes first; saying it again changes nothing.
    pub fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            let out = self.out.bytes();
            let from = out.len();
            self.speech.close(out);
            self.seal_below(from);
            self.end_turn();
            self.transport.close(self.out.bytes());
        }
    }

    /// Whether nothing was begun that only this process can go on with.
    pub fn is_quiet(&self) -> bool {
        // A field more does not compile until it is decided whether it is quiet, moves, or is made anew.
        let Stack { transport, compression, speech, preferred: _, opened, out, between, copy: _, closed } = self;
        let compression = compression.as_ref();
        let read = opened.is_empty() && !compression.is_some_and(|compression| compression.has_unread());
        let flows = between.is_some() || read && out.is_empty();
        let layers = transport.is_quiet() && compression.is_none_or(|it| it.is_quiet()) && speech.is_quiet();
        layers && flows && !closed
    }
}
