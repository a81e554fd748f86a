//! What a person's terminal shows to be, or does to a line, and what the person is told of that. Runs in a worker; pure.

use super::{Around, Session};
use crate::peer::Stack;
use crate::render::Charset;
use ssmglobal_ipc::{Code, Event, Failure, Notice};

/// What is wrong with a line of which a part was taken for a key: by telnet without BINARY, which is asked for since.
pub(super) const CUT: &str = "Your terminal has cut that line within a letter. Please type it once more.";

/// What is wrong with a line that holds nothing but keys.
const KEYS: &str = "Arrow keys do nothing here: type the whole line, and press return.";

/// The same where the line is to be an answer.
const KEYS_IN_ANSWER: &str = "Arrow keys do nothing here.";

const LATIN1: &str = "Your terminal seems to send Latin-1, and gets it from now on. SET CHARSET UTF-8 changes it.";
const UTF8: &str = "Your terminal sends UTF-8 after all, and gets it from now on.";

impl Session {
    /// Tells a person once which characters his terminal has turned out to have; before the answer to his line, if the handler
    /// is to be `asked` for that.
    pub(super) fn tell_of_charset(&mut self, to: &mut Stack, asked: bool) {
        let said = match to.speech().take_charset() {
            Some(Charset::Latin1) => LATIN1,
            Some(Charset::Utf8) => UTF8,
            Some(Charset::Ascii) | None => return,
        };
        let notice = Event::Notice(Notice { msg: said.to_owned() });
        if asked {
            self.presenter.event_before_answer(to, &notice);
        } else {
            self.tell(to, &notice);
        }
    }

    /// A line has come that holds nothing but arrows and the like.
    pub(super) fn on_keys(&mut self, to: &mut Stack, around: Around<'_>) {
        if self.asking.is_some() {
            return self.on_unread_line(to, &Failure::new(Code::Invalid, KEYS_IN_ANSWER), around);
        }
        self.presenter.line_has_come();
        self.presenter.hint(to, KEYS);
    }
}
