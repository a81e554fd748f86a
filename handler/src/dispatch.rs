//! The table that decides: which request may come from which session, where it is worked on, and what does it.
//!
//! This is the monitor of the house. A worker is expected to have refused what is not permitted before it gets here;
//! one that asks all the same is broken or taken over, and its session ends.

use crate::core::{Act, Hash, Look, Refusal, Seen};
use crate::server::Server;
use crate::session::{Lane, State, States};
use crate::{mail, open, players, records, relay, settings, status};
use ssmglobal_ipc::{Failure, Kind, Reply, Request};
use ssmglobal_store::Reader;

/// How a request goes on.
pub enum Plan {
    /// It is done; this is the answer.
    Now(Reply),
    /// It is done, and needs no answer.
    Silent,
    /// It is done; the answer carries descriptors.
    WithDescriptors(Reply, Vec<std::os::fd::OwnedFd>),
    /// The writer does it.
    Write(Act),
    /// A reader does it.
    Read(Look),
    /// A hashing thread does it.
    Hash(Hash),
    /// The worker lies: its session ends, because.
    Banish(String),
}

impl Plan {
    /// A reader finds the answer.
    pub fn read(look: impl FnOnce(&dyn Reader) -> Result<Reply, Refusal> + Send + 'static) -> Plan {
        Plan::Read(Box::new(move |reader| look(reader).map(Seen::Reply)))
    }
}

impl From<Failure> for Plan {
    fn from(failure: Failure) -> Plan {
        Plan::Now(failure.into())
    }
}

/// What a function of the table gets: the event loop, the session's slot, the request's number, the request.
pub type Run = fn(&mut Server, usize, u64, Request) -> Plan;

/// One row.
pub struct Entry {
    /// The request.
    pub kind: Kind,
    /// Who may send it.
    pub permits: States,
    /// Where it is worked on.
    pub lane: Lane,
    /// What does it.
    pub run: Run,
}

const NEW: States = States::of(&[State::New]);
const ANY: States = States::of(&[State::Anonymous, State::Player, State::Unproved, State::Server]);
const READERS: States = States::of(&[State::Anonymous, State::Player, State::Server]);
const PEOPLE: States = States::of(&[State::Anonymous, State::Player]);
const PLAYER: States = States::of(&[State::Player]);
const SERVER: States = States::of(&[State::Server]);
const UNPROVED: States = States::of(&[State::Unproved]);
const PROVED: States = States::of(&[State::Player, State::Server]);

macro_rules! table {
    ($($kind:ident $(($request:ident))? $permits:ident $lane:ident $run:path;)*) => {
        /// All requests, by number.
        pub static TABLE: &[Entry] = &[$(Entry {
            kind: Kind::$kind,
            permits: $permits,
            lane: Lane::$lane,
            run: table!(@run $kind $(($request))? $run),
        },)*];
    };
    (@run $kind:ident ($request:ident) $run:path) => {
        |server, slot, number, request| match request {
            Request::$kind(request) => $run(server, slot, number, request),
            _ => Plan::Silent,
        }
    };
    (@run $kind:ident $run:path) => { |server, slot, number, _| $run(server, slot, number) };
}

table! {
    Hello(hello) NEW Now open::hello;
    SetMode(mode) ANY Alone players::set_mode;
    Log(line) ANY Now players::log_line;
    Open(request) NEW Now open::open;
    Register(request) PEOPLE Alone players::register;
    Login(request) PEOPLE Alone players::login;
    Logout PLAYER Alone players::logout;
    Password(request) PLAYER Alone players::password;
    Whoami READERS Alone players::whoami;
    Who(page) READERS Now players::who;
    Finger(request) READERS Alone players::finger;
    RecordSubmit(request) PROVED Write records::submit;
    RecordTop(request) READERS Now records::top;
    RecordAround(request) READERS Now records::around;
    RecordShow(request) READERS Now records::show;
    RecordBoards(page) READERS Now records::boards;
    RecordWatch(request) READERS Now records::watch;
    RecordUnwatch(request) READERS Now records::unwatch;
    SettingGet(request) READERS Alone settings::get;
    SettingSet(request) PROVED Write settings::set;
    SettingList(page) PROVED Alone settings::list;
    SettingDelete(request) PROVED Write settings::delete;
    MailSend(request) PROVED Write mail::send;
    MailList(page) PLAYER Alone mail::list;
    MailRead(request) PLAYER Write mail::read_one;
    MailDelete(request) PLAYER Write mail::delete;
    MailReply(request) PLAYER Write mail::reply;
    MailSent(page) PLAYER Alone mail::sent;
    MailBlock(request) PLAYER Write mail::block;
    MailUnblock(request) PLAYER Write mail::unblock;
    MailBlocks PLAYER Alone mail::blocks;
    Tell(request) PLAYER Alone mail::tell;
    Auth(request) UNPROVED Alone relay::auth;
    RelayJoin(request) SERVER Now relay::join;
    RelayLeave(request) SERVER Now relay::leave;
    RelaySend(request) SERVER Now relay::send;
    RelayFetch(request) SERVER Now relay::fetch;
    RelayChannels(page) SERVER Now relay::channels;
    StatusSet(request) SERVER Now status::set;
    StatusClear SERVER Now status::clear;
    Worlds(page) READERS Now status::worlds;
}

/// Whether a request neither sees other sessions nor tells them anything at once: after a death of the handler it need not
/// wait until all are back.
pub fn is_private(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        Open | RelayJoin
            | Whoami
            | RecordSubmit
            | RecordTop
            | RecordAround
            | RecordShow
            | RecordBoards
            | SettingGet
            | SettingSet
            | SettingList
            | SettingDelete
            | MailSend
            | MailList
            | MailRead
            | MailDelete
            | MailReply
            | MailSent
            | MailBlock
            | MailUnblock
            | MailBlocks
    )
}

/// The row of a request.
pub fn entry(kind: Kind) -> Option<&'static Entry> {
    TABLE.binary_search_by_key(&kind, |entry| entry.kind).ok().and_then(|index| TABLE.get(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_one_row() {
        for kind in Kind::ALL {
            assert_eq!(entry(*kind).map(|entry| entry.kind), Some(*kind));
        }
        assert_eq!(TABLE.len(), Kind::ALL.len());
        assert!(TABLE.is_sorted_by_key(|entry| entry.kind));
    }

    /// Who may send what: `n`ew, `a`nonymous, `p`layer, `u`nproved server, `s`erver; `-` may not. A change here is a
    /// change of what a worker that was taken over can do.
    const PERMITTED: &[(&str, &str)] = &[
        ("Hello", "n----"),
        ("SetMode", "-apus"),
        ("Log", "-apus"),
        ("Open", "n----"),
        ("Register", "-ap--"),
        ("Login", "-ap--"),
        ("Logout", "--p--"),
        ("Password", "--p--"),
        ("Whoami", "-ap-s"),
        ("Who", "-ap-s"),
        ("Finger", "-ap-s"),
        ("RecordSubmit", "--p-s"),
        ("RecordTop", "-ap-s"),
        ("RecordAround", "-ap-s"),
        ("RecordShow", "-ap-s"),
        ("RecordBoards", "-ap-s"),
        ("RecordWatch", "-ap-s"),
        ("RecordUnwatch", "-ap-s"),
        ("SettingGet", "-ap-s"),
        ("SettingSet", "--p-s"),
        ("SettingList", "--p-s"),
        ("SettingDelete", "--p-s"),
        ("MailSend", "--p-s"),
        ("MailList", "--p--"),
        ("MailRead", "--p--"),
        ("MailDelete", "--p--"),
        ("MailReply", "--p--"),
        ("MailSent", "--p--"),
        ("MailBlock", "--p--"),
        ("MailUnblock", "--p--"),
        ("MailBlocks", "--p--"),
        ("Tell", "--p--"),
        ("Auth", "---u-"),
        ("RelayJoin", "----s"),
        ("RelayLeave", "----s"),
        ("RelaySend", "----s"),
        ("RelayFetch", "----s"),
        ("RelayChannels", "----s"),
        ("StatusSet", "----s"),
        ("StatusClear", "----s"),
        ("Worlds", "-ap-s"),
    ];

    #[test]
    fn each_state_may_send_what_is_written_here_and_nothing_else() {
        let states = [State::New, State::Anonymous, State::Player, State::Unproved, State::Server];
        let letter = |entry: &Entry, (state, letter)| if entry.permits.has(state) { letter } else { '-' };
        let row = |entry: &Entry| -> String {
            states.into_iter().zip("napus".chars()).map(|pair| letter(entry, pair)).collect()
        };
        let table: Vec<(&str, String)> = TABLE.iter().map(|entry| (entry.kind.name(), row(entry))).collect();
        let permitted: Vec<(&str, String)> =
            PERMITTED.iter().map(|(kind, states)| (*kind, (*states).to_owned())).collect();
        assert_eq!(table, permitted);
    }
}
