//! Compressed streams: what a person gets (MCCP2) and what he sends (MCCP3), between transport and speech; and what a world sends
//! (MCCP2). Runs in a worker; pure.
//!
//! What is said in a turn of the event loop waits as it is, and is compressed at its end, with one flush for all of it. It
//! waits where it will go out, so that it counts as that.
//!
//! Both streams go on in another process, and the other side does not notice: the one that goes out behind each turn, the one that
//! comes in at any byte, but in a block that is very long: see [`Inflater`].

use super::layer::{Layer, Opened};
use super::opening::Opening;
use serde::{Deserialize, Serialize};
use ssmglobal_telnet::{Deflater, Inflated, Inflater};

/// Bytes that are made of what was read before they are looked at, however little that was.
const PIECE: usize = 16 << 10;

/// Bytes that may become of one read of a person's. Nothing that somebody types or pastes is compressed to a sixtieth.
const MOST: usize = 1 << 20;

/// The layer. There is none for who compresses nothing.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Compression {
    #[serde(skip_serializing_if = "Outward::is_plain")]
    outward: Outward,
    /// A program before this one has ended the stream when it let go. The next one begins when the other side has said something:
    /// there are programs that lose what comes together with the end of a stream.
    rests: bool,
    inward: Option<Inflater>,
    /// What of it was not inflated yet. As what is opened and was not looked at: quiet is only who has none, or plays.
    #[serde(skip_serializing_if = "Opening::is_empty")]
    held: Opening,
    /// More comes of what was taken already.
    more: bool,
    /// How many bytes have become of the last read. Made anew: the bound is the same for a rest.
    #[serde(skip)]
    come: usize,
}

/// What becomes of what goes out.
#[derive(Default, Serialize, Deserialize)]
enum Outward {
    /// It goes as it is.
    #[default]
    Plain,
    /// The other side knows that a stream begins, and it has not yet.
    Begins,
    /// All from here on is to be compressed at the end of the turn, if anything was said in it.
    Compressed {
        stream: Deflater,
        /// Nothing waits when another process goes on.
        #[serde(skip)]
        from: Option<usize>,
    },
}

impl Outward {
    fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}

impl Compression {
    /// Whether what goes out is compressed.
    pub fn is_compressing(&self) -> bool {
        !self.outward.is_plain()
    }

    /// The other side has said something.
    pub fn has_heard(&mut self) {
        self.rests = false;
    }

    /// Whether a stream may begin now.
    pub fn may_begin(&self) -> bool {
        !self.is_compressing() && !self.rests
    }

    /// The other side was told that all that goes out from here on is compressed.
    pub fn begin(&mut self) {
        self.outward = Outward::Begins;
    }

    /// Where in what goes out that begins which waits for the end of the turn.
    pub fn waits_from(&self) -> Option<usize> {
        match &self.outward {
            Outward::Compressed { from, .. } => *from,
            Outward::Plain | Outward::Begins => None,
        }
    }

    /// The turn has ended: what was said in it is compressed, in its place.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        if let Outward::Compressed { stream, from } = &mut self.outward
            && let Some(from) = from.take()
        {
            stream.seal(out, from);
        }
    }

    /// All that the other side sends from here on is compressed, which begins with this.
    pub fn begin_inward(&mut self, rest: &[u8]) {
        self.inward = Some(Inflater::new());
        self.held.clear();
        self.held().extend_from_slice(rest);
    }

    /// Whether what comes is compressed, or was and waits.
    pub fn is_inflating(&self) -> bool {
        self.inward.is_some() || !self.held.is_empty()
    }

    /// Whether something has come that was not inflated yet.
    pub fn has_unread(&self) -> bool {
        self.more || !self.held.is_empty()
    }

    /// Where the transport puts what was read.
    pub fn held(&mut self) -> &mut Vec<u8> {
        self.come = 0;
        self.held.bytes()
    }

    /// Whether it does nothing for either side.
    pub fn is_idle(&self) -> bool {
        self.may_begin() && !self.is_inflating()
    }

    /// Reads the next piece of what is held. Broken is what is damaged; what stands before the damage comes first.
    pub fn inflate(&mut self, up: &mut Vec<u8>) -> Opened {
        let before = up.len();
        let mut left = self.held.rest();
        let Some(inward) = &mut self.inward else {
            up.extend_from_slice(left);
            self.held.clear();
            return if up.len() > before { Opened::Data(()) } else { Opened::More };
        };
        let inflated = inward.next(&mut left, up, PIECE);
        let left = left.len();
        self.held.leaves(left);
        match inflated {
            Ok(inflated) => {
                self.more = inflated == Inflated::More;
                if inflated == Inflated::Ended {
                    self.inward = None;
                }
            }
            Err(_) if up.len() == before => return self.give_up(),
            Err(_) => self.more = true,
        }
        if up.len() > before { Opened::Data(()) } else { Opened::More }
    }

    /// What waits is not read any more.
    fn give_up(&mut self) -> Opened {
        self.held.clear();
        self.more = false;
        Opened::Broken
    }
}

impl Layer for Compression {
    type Up = Vec<u8>;
    type Found = ();

    /// What is held, a piece at a time. Broken is what is damaged, and what so much has come of that nobody has typed it.
    fn open(&mut self, input: &mut &[u8], up: &mut Vec<u8>, _out: &mut Vec<u8>) -> Opened {
        self.held.bytes().extend_from_slice(std::mem::take(input));
        let before = up.len();
        let opened = self.inflate(up);
        self.come += up.len() - before;
        if self.come > MOST {
            up.truncate(before);
            return self.give_up();
        }
        opened
    }

    fn seal(&mut self, out: &mut Vec<u8>, from: usize) {
        if from == out.len() {
            return;
        }
        match &mut self.outward {
            Outward::Plain => {}
            Outward::Begins => self.outward = Outward::Compressed { stream: Deflater::new(), from: Some(from) },
            Outward::Compressed { from: waits, .. } => {
                waits.get_or_insert(from);
            }
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.flush(out);
        match std::mem::take(&mut self.outward) {
            Outward::Plain => {}
            Outward::Begins => Deflater::new().finish(out),
            Outward::Compressed { stream, .. } => stream.finish(out),
        }
    }

    fn is_quiet(&self) -> bool {
        // What goes out is put away behind each turn.
        let Compression { outward: _, rests: _, inward, held: _, more: _, come: _ } = self;
        inward.as_ref().is_none_or(Inflater::is_quiet)
    }
}
