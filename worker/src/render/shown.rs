//! What an answer or an event has to say for itself, and which of them say nothing. Runs in a worker.

use super::{Clock, Screen};
use serde::Serialize;
use ssmglobal_ipc::{
    Done, Event, Failure, Kind, ListRinged, MsspTable, PlayStarted, PlayVerdict, RelayFetched, Reply, Welcome, json,
};
use std::fmt::{Result, Write};

/// What an answer answers.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// What was asked.
    pub kind: Kind,
    /// The sentence for a success that says nothing else.
    pub done: &'static str,
}

/// What JSON can be made of, whatever its type is.
pub(crate) trait Json {
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);

    /// Appends it as the event with this name, without a line's end.
    fn put_event(&self, name: &str, out: &mut Vec<u8>);
}

impl<T: Serialize> Json for T {
    fn put(&self, out: &mut Vec<u8>) {
        json::put(out, self);
    }

    fn put_event(&self, name: &str, out: &mut Vec<u8>) {
        json::put_event(out, name, self);
    }
}

/// An answer that says more than that it is done.
pub(crate) trait Shown: Json {
    /// One sentence: a program's `msg`, a person's first line.
    fn say(&self, f: &mut dyn Write, asked: Kind) -> Result;

    /// The same for a person whose times are told by this clock.
    fn say_by(&self, f: &mut dyn Write, asked: Kind, _clock: &Clock) -> Result {
        self.say(f, asked)
    }

    /// What a person sees below it.
    fn show(&self, _screen: &mut Screen, _asked: Kind) {}

    /// All that a person sees.
    fn show_all(&self, screen: &mut Screen, asked: Kind) {
        let mut said = String::new();
        if self.say_by(&mut said, asked, screen.clock()).is_ok() {
            screen.line(said);
        }
        self.show(screen, asked);
    }

    /// Appends a program's `data`.
    fn data(&self, out: &mut Vec<u8>) {
        self.put(out);
    }
}

/// An event that a client is told.
pub(crate) trait Pushed: Json {
    /// One line.
    fn say(&self, f: &mut dyn Write) -> Result;

    /// Appends what a program is told, without a line's end.
    fn line(&self, name: &str, out: &mut Vec<u8>) {
        self.put_event(name, out);
    }
}

/// What there is to show of an answer.
trait Answer {
    /// Nothing where its command's own sentence is all.
    ///
    /// # Errors
    /// It was refused, or has failed.
    fn shown(&self) -> std::result::Result<Option<&dyn Shown>, &Failure>;
}

impl<T: Shown> Answer for T {
    fn shown(&self) -> std::result::Result<Option<&dyn Shown>, &Failure> {
        Ok(Some(self))
    }
}

impl Answer for Failure {
    fn shown(&self) -> std::result::Result<Option<&dyn Shown>, &Failure> {
        Err(self)
    }
}

macro_rules! silent {
    ($($answer:ty),*) => {
        $(impl Answer for $answer {
            fn shown(&self) -> std::result::Result<Option<&dyn Shown>, &Failure> {
                Ok(None)
            }
        })*
    };
}

// All but the first are for the worker alone.
silent!(Done, Welcome, RelayFetched, ListRinged, PlayStarted, PlayVerdict, MsspTable);

macro_rules! shown {
    ($($number:literal $name:ident($answer:ty $(, $grown:ident)?),)*) => {
        /// What there is to show of an answer: nothing where its command's own sentence is all.
        ///
        /// # Errors
        /// It was refused, or has failed.
        pub(super) fn shown(reply: &Reply) -> std::result::Result<Option<&dyn Shown>, &Failure> {
            match reply { $(Reply::$name(answer) => Answer::shown(answer),)* }
        }
    };
}

ssmglobal_ipc::replies!(shown);

/// What an event says, if it is for a client.
///
/// # Errors
/// The writer's.
pub(crate) fn said(event: &Event, f: &mut dyn Write) -> Result {
    pushed(event).map_or(Ok(()), |(_, pushed)| pushed.say(f))
}

/// Appends what a program is told of an event, without a line's end.
pub(crate) fn pushed_line(event: &Event, out: &mut Vec<u8>) {
    if let Some((name, pushed)) = pushed(event) {
        pushed.line(name, out);
    }
}

/// An event's name, as clients see it, and what it says; nothing of one that is for the worker alone.
pub(super) fn pushed(event: &Event) -> Option<(&'static str, &dyn Pushed)> {
    Some(match event {
        Event::Ticket(_) | Event::PlayReady(_) | Event::PlayOrder(_) | Event::PlayReturn(_) => return None,
        Event::Mail(event) => ("mail", event),
        Event::MailRefused(event) => ("mail_refused", event),
        Event::WorldStopped(event) => ("world_stopped", event),
        Event::WorldChanged(event) => ("world_changed", event),
        Event::ForGuest(event) => (pushed(&event.event)?.0, event),
        Event::GuestClosed(event) => ("guest_closed", event),
        Event::GuestOut(event) => ("guest_out", event),
        Event::ForGuests(event) => (pushed(&event.event)?.0, event),
        Event::GuestRegistered(event) => ("guest_registered", event),
        Event::GuestRights(event) => ("guest_rights", event),
        Event::Rights(event) => ("rights", event),
        Event::TakenOver(notice) => ("taken_over", notice),
        Event::Broadcast(event) => ("broadcast", event),
        Event::Universe(event) => ("universe", event),
        Event::Property(event) => ("property", event),
        Event::List(event) => ("list", event),
        Event::Tell(event) => ("tell", event),
        Event::Relay(event) => ("relay", event),
        Event::Record(event) => ("record", event),
        Event::Notice(notice) | Event::Close(notice) | Event::LoggedOut(notice) => ("notice", notice),
    })
}
