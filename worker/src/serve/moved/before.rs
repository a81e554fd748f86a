//! States as programs wrote them before [`super::FORMAT`]: a sequence of control frames with one item each, the first of
//! which says the format. They are only read. Runs in a worker; pure.

use super::{Left, wrong};
use crate::moment::Moment;
use crate::peer::contact::Contact;
use crate::peer::speech::Speech;
use crate::peer::strangers::Beginning;
use crate::peer::transport::Transport;
use crate::peer::{Kept, Stack};
use crate::presenter::Presenter;
use crate::serve::subscriptions::Subscriptions;
use crate::session::{Session, Unanswered};
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::frame::{Frame, FrameReader};
use ssmglobal_ipc::{DecodeError, Mode, State, Subscription, Ticket};
use ssmglobal_telnet::TelnetBefore;
use std::io;

/// The format of items.
pub(super) const FORMAT: u32 = 2;

/// One thing that the new worker had to know. What each is stands where it is now, in its layer.
#[derive(Serialize, Deserialize)]
pub(super) enum Item<Telnet = Box<TelnetBefore>> {
    Format {
        format: u32,
    },
    Session {
        session: u64,
        mode: Mode,
        mode_there: Mode,
        state: State,
        who: String,
    },
    Numbers {
        next: u64,
        heard: u64,
    },
    Ticket(Ticket),
    Subscription(Subscription),
    /// Milliseconds since the last line, and since the client last had time given.
    Silence(u64, u64),
    Manners {
        after_return: bool,
        prompted: bool,
        failures: u32,
        /// Stands in a block behind the others.
        #[serde(skip)]
        since: Since,
    },
    Telnet(Telnet),
    Beginning(Vec<u8>),
}

/// What manners had gained: STAY was said, and so many milliseconds ago the client was warned.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Since {
    stays: bool,
    told: Option<u64>,
}

fn item(frame: &Frame<'_>) -> Result<Item, DecodeError> {
    let mut item = frame.control()?;
    if let Item::Manners { since, .. } = &mut item {
        (_, *since) = frame.control_with::<Item, Since>()?;
    }
    Ok(item)
}

/// The frames in these bytes, one after the other, as far as `each` wants them; gives what is behind those.
fn frames(bytes: &[u8], mut each: impl FnMut(Item) -> io::Result<bool>) -> io::Result<&[u8]> {
    let (mut reader, mut left) = (FrameReader::new(), bytes);
    let damaged = |_| wrong("it is damaged");
    loop {
        while let Some(frame) = reader.next_frame().map_err(damaged)? {
            if !each(item(&frame).map_err(damaged)?)? {
                let behind = reader.rest().len() + left.len();
                return Ok(bytes.get(bytes.len().saturating_sub(behind)..).unwrap_or_default());
            }
        }
        if left.is_empty() {
            return if reader.rest().is_empty() { Ok(&[]) } else { Err(wrong("it is not whole")) };
        }
        reader.fill(|buffer| io::Read::read(&mut left, buffer))?;
    }
}

/// The format that a state begins with, and what is behind that.
pub(super) fn format(bytes: &[u8]) -> io::Result<(u32, &[u8])> {
    let mut found = None;
    let rest = frames(bytes, |item| {
        if let Item::Format { format } = item {
            found = Some(format);
        }
        Ok(false)
    })?;
    found.map(|format| (format, rest)).ok_or_else(|| wrong("it begins with something else"))
}

/// What items say, in the layers of now.
pub(super) fn read(bytes: &[u8]) -> io::Result<Left> {
    let mut was = Before::default();
    frames(bytes, |item| {
        was.add(item);
        Ok(true)
    })?;
    Ok(was.into_left())
}

/// All that they say.
#[derive(Default)]
struct Before {
    number: u64,
    modes: Option<(Mode, Mode)>,
    state: Option<State>,
    who: String,
    next: u64,
    last_push: u64,
    ticket: Option<Ticket>,
    subscriptions: Subscriptions,
    last_line: Moment,
    alive: Moment,
    after_return: bool,
    prompted: bool,
    failures: u32,
    since: Since,
    telnet: Option<TelnetBefore>,
    beginning: Option<Beginning>,
}

impl Before {
    fn add(&mut self, item: Item) {
        match item {
            Item::Format { .. } => {}
            Item::Session { session, mode, mode_there, state, who } => {
                (self.number, self.modes, self.state, self.who) = (session, Some((mode, mode_there)), Some(state), who);
            }
            Item::Numbers { next, heard } => (self.next, self.last_push) = (next, heard),
            Item::Ticket(ticket) => self.ticket = Some(ticket),
            Item::Subscription(subscription) => self.subscriptions.add(subscription),
            Item::Silence(silent, unasked) => {
                (self.last_line, self.alive) = (Moment::ago(silent), Moment::ago(unasked));
            }
            Item::Manners { after_return, prompted, failures, since } => {
                (self.after_return, self.prompted) = (after_return, prompted);
                (self.failures, self.since) = (failures, since);
            }
            Item::Telnet(telnet) => self.telnet = Some(*telnet),
            Item::Beginning(seen) => self.beginning = Some(Beginning::after(seen)),
        }
    }

    fn into_left(self) -> Left {
        let (mode, confirmed) = self.modes.unwrap_or((Mode::Ask, Mode::Ask));
        let mut session = Session::default();
        session.number = self.number;
        session.presenter = Presenter::of_parts(mode, self.prompted);
        session.confirmed_mode = confirmed;
        session.state = self.state.unwrap_or(State::New);
        session.who = self.who;
        session.ticket = self.ticket;
        session.last_push = self.last_push;
        session.asked = Unanswered::from(self.next);
        session.failures = self.failures;
        session.alive = self.alive;
        session.stays = self.since.stays;
        session.warned = self.since.told.map(Moment::ago);
        let speech = Speech::of_parts(self.after_return, self.telnet.map(Into::into), self.beginning);
        let contact = Contact::taken(self.last_line);
        let client = Kept { stack: Stack::new(Transport::Plain, speech), contact };
        // Whether there is a link is told by the descriptors alone.
        Left { session, subscriptions: self.subscriptions, peers: vec![client], link: true, play: None }
    }
}
