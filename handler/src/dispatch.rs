//! What does which request. Which session may ask it, and where it is worked on, is in its description
//! (`handler/ipc/src/request.rs`); the test below is the review of that.
//!
//! This is the monitor of the house. A worker is expected to have refused what is not permitted before it gets here;
//! one that asks all the same is broken or taken over, and its session ends.

use crate::core::{Act, Hash, Look, Refusal, Seen};
use crate::server::Server;
use crate::{mail, open, players, records, relay, settings, status};
use ssmglobal_ipc::{Failure, Reply, Request};
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

macro_rules! table {
    ($($kind:ident $(($request:ident))? $run:path;)*) => {
        /// What does a request.
        pub fn run(server: &mut Server, slot: usize, number: u64, request: Request) -> Plan {
            match request {
                $(Request::$kind $(($request))? => $run(server, slot, number $(, $request)?),)*
            }
        }
    };
}

table! {
    SetMode(mode) players::set_mode;
    Log(line) players::log_line;
    Open(request) open::open;
    Register(request) players::register;
    Login(request) players::login;
    Logout players::logout;
    Password(request) players::password;
    Whoami players::whoami;
    Who(page) players::who;
    Finger(request) players::finger;
    RecordSubmit(request) records::submit;
    RecordTop(request) records::top;
    RecordAround(request) records::around;
    RecordShow(request) records::show;
    RecordBoards(page) records::boards;
    RecordWatch(request) records::watch;
    RecordUnwatch(request) records::unwatch;
    SettingGet(request) settings::get;
    SettingSet(request) settings::set;
    SettingList(page) settings::list;
    SettingDelete(request) settings::delete;
    MailSend(request) mail::send;
    MailList(page) mail::list;
    MailRead(request) mail::read_one;
    MailDelete(request) mail::delete;
    MailReply(request) mail::reply;
    MailSent(page) mail::sent;
    MailBlock(request) mail::block;
    MailUnblock(request) mail::unblock;
    MailBlocks mail::blocks;
    Tell(request) mail::tell;
    Auth(request) relay::auth;
    RelayJoin(request) relay::join;
    RelayLeave(request) relay::leave;
    RelaySend(request) relay::send;
    RelayFetch(request) relay::fetch;
    RelayChannels(page) relay::channels;
    StatusSet(request) status::set;
    StatusClear status::clear;
    Worlds(page) status::worlds;
}

#[cfg(test)]
mod tests {
    use ssmglobal_ipc::{Kind, State};

    /// Who may send what: `n`ew, `a`nonymous, `p`layer, `u`nproved server, `s`erver; `-` may not. A change here is a
    /// change of what a worker that was taken over can do.
    const PERMITTED: &[(&str, &str)] = &[
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
        let letter = |kind: &Kind, (state, letter)| if kind.describe().states.has(state) { letter } else { '-' };
        let row = |kind: &Kind| -> String {
            State::ALL.into_iter().zip("napus".chars()).map(|pair| letter(kind, pair)).collect()
        };
        let table: Vec<(&str, String)> = Kind::ALL.iter().map(|kind| (kind.name(), row(kind))).collect();
        let permitted: Vec<(&str, String)> =
            PERMITTED.iter().map(|(kind, states)| (*kind, (*states).to_owned())).collect();
        assert_eq!(table, permitted);
    }
}
