//! What does which request. Which session may ask it, and where it is worked on, is in its description
//! (`handler/ipc/src/request.rs`); the test below is the review of that.
//!
//! This is the monitor of the house. A worker is expected to have refused what is not permitted before it gets here;
//! one that asks all the same is broken or taken over, and its session ends.

use crate::capability::rights::{Asking, BROADCAST, OPERATOR};
use crate::capability::{
    Access, Call, Plan, entry, hosting, length, licences, lists, mail, mssp, play, players, preferences, properties,
    records, relay, rights, servers, sessions, settings, status, tell, terms, universe, visitors,
};
use crate::changes::Change;
use crate::state::memory::Memory;
use crate::state::session::Session;
use ssmglobal_ipc::{Code, Failure, Kind, Request, Right, State, States};

/// Why a request is not done.
pub enum Refused {
    /// Its session may not ask it: the worker should have known.
    NotPermitted,
    /// Its session was logged out, and cannot know yet.
    LoggedOut,
    /// The asker lacks a right.
    Failure(Failure),
}

/// Whether a session may ask a request.
///
/// # Errors
/// It may not.
pub fn may(session: &Session, memory: &Memory, kind: Kind) -> Result<(), Refused> {
    let described = kind.describe();
    if !described.states.has(session.state) {
        return Err(if session.logged_out { Refused::LoggedOut } else { Refused::NotPermitted });
    }
    match described.right {
        Right::None => Ok(()),
        Right::Registration if memory.universe().registration => Ok(()),
        Right::Registration => {
            Err(Refused::Failure(Failure::new(Code::Denied, "New players are not taken here. Ask the operator.")))
        }
        Right::Operator | Right::Broadcast => match asking(session, kind) {
            Some(asking) if memory.has_right(asking.player, asking.right) => Ok(()),
            Some(Asking { right, .. }) => Err(Refused::Failure(rights::denied(right))),
            None => Err(Refused::NotPermitted),
        },
    }
}

/// The player who asks what needs a right, and which.
fn asking(session: &Session, kind: Kind) -> Option<Asking> {
    let right = match kind.describe().right {
        Right::None | Right::Registration => return None,
        Right::Operator => OPERATOR,
        Right::Broadcast => BROADCAST,
    };
    Some(Asking { player: session.who()?.as_player()?, right })
}

/// The states in which a session has proved to be what a function wants to get.
const fn proves(who: &str) -> States {
    match who.as_bytes() {
        b"principal" => States::PROVED,
        b"player" => States::PLAYER,
        b"server" => States::SERVER,
        b"access" => States::of(&State::ALL).and_operator(),
        _ => States::of(&State::ALL),
    }
}

macro_rules! table {
    ($($kind:ident $(($request:ident))? $who:ident $run:path;)*) => {
        /// Does a request, as far as its capability does. A right that it needs is needed once more when its change is decided: it
        /// may have been revoked meanwhile, by the same player too.
        pub fn run(call: Call<'_>, request: Request) -> Plan<Change> {
            let asking = asking(call.session, request.kind());
            let plan = plan(call, request);
            match asking {
                Some(asking) => plan.map(move |change| Change::ByRight(asking, Box::new(change))),
                None => plan,
            }
        }

        fn plan(call: Call<'_>, request: Request) -> Plan<Change> {
            match request {
                $(Request::$kind $(($request))? => {
                    // What the function gets is what the states say.
                    const { assert!(Kind::$kind.describe().states.within(proves(stringify!($who)))) }
                    table!(@$who call $run $(, $request)?)
                })*
            }
        }

        /// Does what the operator asks at his own socket; nothing for what he cannot ask there.
        pub fn run_for_operator(access: Access<'_>, request: Request) -> Option<Plan<Change>> {
            match request {
                $(Request::$kind $(($request))? => table!(@operator $who access $run $(, $request)?),)*
            }
        }
    };
    (@operator access $access:ident $run:path $(, $request:ident)?) => { Some($run($access $(, $request)?).lift()) };
    (@operator $who:ident $access:ident $run:path $(, $request:ident)?) => {{
        let _ = ($access, $($request)?);
        None
    }};
    (@access $call:ident $run:path $(, $request:ident)?) => { $run($call.access() $(, $request)?).lift() };
    (@anyone $call:ident $run:path $(, $request:ident)?) => { $run($call $(, $request)?).lift() };
    (@$who:ident $call:ident $run:path $(, $request:ident)?) => {
        match $call.$who() {
            Some(me) => $run($call, me $(, $request)?).lift(),
            None => Plan::Evict(concat!("it asks what only a ", stringify!($who), " may").into()),
        }
    };
}

table! {
    SetMode(mode) anyone sessions::set_mode;
    Log(line) anyone sessions::log_line;
    Open(request) anyone sessions::open;
    Register(request) anyone players::register;
    Login(request) anyone players::login;
    Logout anyone sessions::logout;
    Password(request) player players::password;
    Whoami anyone players::whoami;
    Who(page) anyone players::who;
    Finger(request) anyone players::finger;
    Visitor(request) anyone visitors::visit;
    RecordSubmit(request) principal records::submit;
    RecordTop(request) anyone records::top;
    RecordAround(request) anyone records::around;
    RecordShow(request) anyone records::show;
    RecordBoards(page) anyone records::boards;
    RecordWatch(request) anyone records::watch;
    RecordUnwatch(request) anyone records::unwatch;
    SettingGet(request) anyone settings::get;
    SettingSet(request) principal settings::set;
    SettingList(page) principal settings::list;
    SettingDelete(request) principal settings::delete;
    MailSend(request) principal mail::send;
    MailList(page) player mail::list;
    MailRead(request) player mail::read;
    MailDelete(request) player mail::delete;
    MailReply(request) player mail::reply;
    MailListSent(page) player mail::sent;
    MailBlock(request) player mail::block;
    MailUnblock(request) player mail::unblock;
    MailBlocks player mail::blocks;
    MailForward(request) player mail::forward;
    Tell(request) anyone tell::tell;
    Broadcast(request) access tell::broadcast;
    Auth(request) anyone servers::auth;
    RelayJoin(request) server relay::join;
    RelayLeave(request) server relay::leave;
    RelaySend(request) server relay::send;
    RelayFetch(request) server relay::fetch;
    RelayChannels(page) server relay::channels;
    StatusSet(request) server status::set;
    StatusClear server status::clear;
    Worlds(page) anyone status::worlds;
    Pass(request) player entry::pass;
    PassRedeem(request) server entry::redeem;
    LoginCheck(request) server players::login_check;
    Enter(request) server entry::enter;
    Leave(request) server entry::leave;
    Present(request) server entry::present;
    WorldAdd(request) access licences::add;
    WorldShow(request) access licences::show;
    WorldList(page) access licences::list;
    WorldChange(request) access licences::change;
    WorldDisable(request) access licences::disable;
    WorldEnable(request) access licences::enable;
    WorldDelete(request) access licences::delete;
    WorldPassword(request) access licences::password;
    WorldEnter(request) anyone entry::enter_world;
    RatingLimit(request) player entry::rating;
    RightGrant(request) access rights::grant;
    RightRevoke(request) access rights::revoke;
    RightList(request) access rights::list;
    HostStart(request) server hosting::start;
    HostSay(request) server hosting::say;
    HostStop(request) server hosting::stop;
    HostList(page) server hosting::list;
    PlayerLimit(request) access length::limit;
    UniverseShow access universe::show;
    UniverseSet(request) access universe::set;
    UniverseReset(request) access universe::reset;
    UniverseWatch anyone universe::watch;
    UniverseUnwatch anyone universe::unwatch;
    PropertyGet(request) access properties::get;
    PropertySet(request) access properties::set;
    PropertyDelete(request) access properties::delete;
    PropertyWatch(request) anyone properties::watch;
    PropertyUnwatch(request) anyone properties::unwatch;
    ListWorlds(request) anyone lists::worlds;
    ListUsers(request) anyone lists::users;
    ListWatch(request) anyone lists::watch;
    ListUnwatch(request) anyone lists::unwatch;
    ListRing(request) anyone lists::ring;
    PreferenceSet(request) anyone preferences::set;
    WorldPlay(request) access terms::play;
    PlayStart(request) anyone play::start;
    PlayEnded(request) anyone play::ended;
    PlayAt(request) anyone play::at;
    PlayLeft(request) anyone play::left;
    Mssp(request) anyone mssp::table;
    MsspOf(request) anyone mssp::of_world;
}

#[cfg(test)]
mod tests {
    use ssmglobal_ipc::{Kind, Right, State};

    /// Who may send what: `n`ew, `a`nonymous, `p`layer, `u`nproved server, `s`erver, `o`perator at his
    /// own socket; `-` may not. A change here is a
    /// change of what a worker that was taken over can do.
    const PERMITTED: &[(&str, &str)] = &[
        ("SetMode", "-apus-"),
        ("Log", "-apus-"),
        ("Open", "n-----"),
        ("Register", "-ap---"),
        ("Login", "-ap---"),
        ("Logout", "-ap---"),
        ("Password", "--p---"),
        ("Whoami", "-ap-s-"),
        ("Who", "-ap-s-"),
        ("Finger", "-ap-s-"),
        ("Visitor", "-a----"),
        ("RecordSubmit", "--p-s-"),
        ("RecordTop", "-ap-s-"),
        ("RecordAround", "-ap-s-"),
        ("RecordShow", "-ap-s-"),
        ("RecordBoards", "-ap-s-"),
        ("RecordWatch", "-ap-s-"),
        ("RecordUnwatch", "-ap-s-"),
        ("SettingGet", "-ap-s-"),
        ("SettingSet", "--p-s-"),
        ("SettingList", "--p-s-"),
        ("SettingDelete", "--p-s-"),
        ("MailSend", "--p-s-"),
        ("MailList", "--p---"),
        ("MailRead", "--p---"),
        ("MailDelete", "--p---"),
        ("MailReply", "--p---"),
        ("MailListSent", "--p---"),
        ("MailBlock", "--p---"),
        ("MailUnblock", "--p---"),
        ("MailBlocks", "--p---"),
        ("MailForward", "--p---"),
        ("Tell", "-ap---"),
        ("Broadcast", "--p--o"),
        ("Auth", "---u--"),
        ("RelayJoin", "----s-"),
        ("RelayLeave", "----s-"),
        ("RelaySend", "----s-"),
        ("RelayFetch", "----s-"),
        ("RelayChannels", "----s-"),
        ("StatusSet", "----s-"),
        ("StatusClear", "----s-"),
        ("Worlds", "-ap-s-"),
        ("Pass", "--p---"),
        ("PassRedeem", "----s-"),
        ("LoginCheck", "----s-"),
        ("Enter", "----s-"),
        ("Leave", "----s-"),
        ("Present", "----s-"),
        ("WorldAdd", "--p--o"),
        ("WorldShow", "-ap-so"),
        ("WorldList", "--p--o"),
        ("WorldChange", "--p--o"),
        ("WorldDisable", "--p--o"),
        ("WorldEnable", "--p--o"),
        ("WorldDelete", "--p--o"),
        ("WorldPassword", "--p--o"),
        ("WorldEnter", "-ap---"),
        ("RatingLimit", "--p---"),
        ("RightGrant", "--p--o"),
        ("RightRevoke", "--p--o"),
        ("RightList", "--p--o"),
        ("HostStart", "----s-"),
        ("HostSay", "----s-"),
        ("HostStop", "----s-"),
        ("HostList", "----s-"),
        ("PlayerLimit", "--p--o"),
        ("UniverseShow", "-ap-so"),
        ("UniverseSet", "--p--o"),
        ("UniverseReset", "--p--o"),
        ("UniverseWatch", "-ap-s-"),
        ("UniverseUnwatch", "-ap-s-"),
        ("PropertyGet", "-ap-so"),
        ("PropertySet", "--p-so"),
        ("PropertyDelete", "--p-so"),
        ("PropertyWatch", "-ap-s-"),
        ("PropertyUnwatch", "-ap-s-"),
        ("ListWorlds", "-ap-s-"),
        ("ListUsers", "-ap-s-"),
        ("ListWatch", "-ap-s-"),
        ("ListUnwatch", "-ap-s-"),
        ("ListRing", "-ap-s-"),
        ("PreferenceSet", "-ap---"),
        ("WorldPlay", "--p--o"),
        ("PlayStart", "-ap---"),
        ("PlayEnded", "-ap---"),
        ("PlayAt", "-ap---"),
        ("PlayLeft", "-ap---"),
        ("Mssp", "-ap---"),
        ("MsspOf", "-ap---"),
    ];

    #[test]
    fn each_state_may_send_what_is_written_here_and_nothing_else() {
        let letter = |kind: &Kind, (state, letter)| if kind.describe().states.has(state) { letter } else { '-' };
        let row = |kind: &Kind| -> String {
            let operator = if kind.describe().states.has_operator() { 'o' } else { '-' };
            State::ALL.into_iter().zip("napus".chars()).map(|pair| letter(kind, pair)).chain([operator]).collect()
        };
        let table: Vec<(&str, String)> = Kind::ALL.iter().map(|kind| (kind.name(), row(kind))).collect();
        let permitted: Vec<(&str, String)> =
            PERMITTED.iter().map(|(kind, states)| (*kind, (*states).to_owned())).collect();
        assert_eq!(table, permitted);
    }

    /// What a player may do only with the right `operator`.
    const OPERATORS: &[&str] = &[
        "WorldAdd",
        "WorldDisable",
        "WorldEnable",
        "WorldDelete",
        "RightGrant",
        "RightRevoke",
        "PlayerLimit",
        "UniverseSet",
        "UniverseReset",
    ];

    #[test]
    fn only_operators_may_what_is_written_here() {
        let only = Kind::ALL.iter().filter(|kind| kind.describe().right == Right::Operator);
        assert_eq!(only.map(|kind| kind.name()).collect::<Vec<_>>(), OPERATORS);
    }
}
