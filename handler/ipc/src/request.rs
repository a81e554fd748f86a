//! The numbered table of everything a worker may ask, and of every answer.
//!
//! A number is never used for anything else again. The handler's own table says which session state
//! permits which request; this one says only what they are called and what they carry.

use crate::frame::DecodeError;
use crate::*;
use serde::{Deserialize, Serialize};

/// Not sent any more; see [`Open`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// How the client speaks now.
    pub mode: Mode,
}

/// The client chose another mode. Leaving `SERVER` or entering it ends a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetMode {
    /// How the client speaks from now on.
    pub mode: Mode,
}

/// A line for the log, without secrets; the handler adds who.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// 1 error … 5 trace, as in the `log` crate.
    pub level: u8,
    /// The text.
    pub text: String,
}

/// The answer to [`Open`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The session's number.
    pub session: u64,
}

/// Done, and there is nothing more to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

macro_rules! messages {
    ($(#[doc = $doc:literal])* $enum:ident, $(#[doc = $kdoc:literal])* $kinds:ident, $($number:literal $name:ident $(($payload:ty))?,)*) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum $enum { $($name $(($payload))?,)* }

        $(#[doc = $kdoc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        #[repr(u16)]
        pub enum $kinds { $($name = $number,)* }

        impl $kinds {
            /// Every kind, by number.
            pub const ALL: &'static [$kinds] = &[$($kinds::$name,)*];

            /// The kind with this number; nothing when a newer program made it up.
            pub fn from_number(number: u16) -> Option<$kinds> {
                match number { $($number => Some($kinds::$name),)* _ => None }
            }

            /// Its name, for the log.
            pub fn name(self) -> &'static str {
                match self { $($kinds::$name => stringify!($name),)* }
            }
        }

        impl $enum {
            /// Its number in the table.
            pub fn kind(&self) -> $kinds {
                match self { $(messages!(@pattern $enum $name _p $($payload)?) => $kinds::$name,)* }
            }

            /// Appends the payload.
            pub fn put(&self, out: &mut Vec<u8>) {
                match self { $(messages!(@pattern $enum $name _p $($payload)?) => messages!(@put _p out $($payload)?),)* }
            }

            /// Reads the payload of a known kind; the bytes must be used up.
            pub fn decode(kind: $kinds, payload: &[u8]) -> Result<$enum, DecodeError> {
                match kind { $($kinds::$name => messages!(@get $enum $name payload $($payload)?),)* }
            }
        }
    };
    (@pattern $enum:ident $name:ident $p:ident $payload:ty) => { $enum::$name($p) };
    (@pattern $enum:ident $name:ident $p:ident) => { $enum::$name };
    (@put $p:ident $out:ident $payload:ty) => { crate::frame::put_payload($p, $out) };
    (@put $p:ident $out:ident) => { () };
    (@get $enum:ident $name:ident $bytes:ident $payload:ty) => { crate::frame::get_payload::<$payload>($bytes).map($enum::$name) };
    (@get $enum:ident $name:ident $bytes:ident) => { crate::frame::get_nothing($bytes).map(|()| $enum::$name) };
}

messages! {
    /// What a worker asks.
    Request,
    /// The number of a request.
    Kind,
    1 Hello(Hello),
    2 SetMode(SetMode),
    3 Log(LogLine),
    4 Open(Open),
    10 Register(Register),
    11 Login(Login),
    12 Logout,
    13 Password(Password),
    14 Whoami,
    15 Who(Page),
    16 Finger(Finger),
    20 RecordSubmit(RecordSubmit),
    21 RecordTop(RecordTop),
    22 RecordAround(RecordAround),
    23 RecordShow(RecordShow),
    24 RecordBoards(Page),
    25 RecordWatch(RecordWatch),
    26 RecordUnwatch(RecordWatch),
    30 SettingGet(SettingGet),
    31 SettingSet(SettingSet),
    32 SettingList(Page),
    33 SettingDelete(SettingDelete),
    40 MailSend(MailSend),
    41 MailList(Page),
    42 MailRead(MailId),
    43 MailDelete(MailId),
    44 MailReply(MailReply),
    45 MailSent(Page),
    46 MailBlock(MailBlock),
    47 MailUnblock(MailBlock),
    48 MailBlocks,
    50 Tell(Tell),
    60 Auth(Auth),
    61 RelayJoin(RelayJoin),
    62 RelayLeave(RelayLeave),
    63 RelaySend(RelaySend),
    64 RelayFetch(RelayFetch),
    65 RelayChannels(Page),
    70 StatusSet(StatusSet),
    71 StatusClear,
    72 Worlds(Page),
}

messages! {
    /// What the handler answers.
    Reply,
    /// The number of a reply.
    ReplyKind,
    1 Failed(Failure),
    2 Done(Done),
    3 Welcome(Welcome),
    10 LoggedIn(LoggedIn),
    11 Whoami(Whoami),
    12 Who(Who),
    13 Fingered(Fingered),
    20 RecordSubmitted(RecordSubmitted),
    21 RecordPage(RecordPage),
    22 RecordShown(RecordShown),
    23 Boards(Boards),
    30 Setting(Setting),
    31 SettingVersion(SettingVersion),
    32 Settings(Settings),
    40 MailSent(MailSent),
    41 MailPage(MailPage),
    42 Mail(Mail),
    43 Blocks(Blocks),
    50 Told(Told),
    60 Authed(Authed),
    61 RelayJoined(RelayJoined),
    62 RelaySent(RelaySent),
    63 RelayFetched(RelayFetched),
    64 Channels(Channels),
    70 Worlds(Worlds),
}

impl Kind {
    /// Whether such a request changes something, so that doing it twice would not be the same as once. It travels as
    /// [`Class::Change`](crate::frame::Class::Change), and the handler keeps its answer until that is acknowledged.
    pub fn changes(self) -> bool {
        use Kind::*;
        matches!(
            self,
            Register
                | Login
                | Password
                | Auth
                | RecordSubmit
                | SettingSet
                | SettingDelete
                | MailSend
                | MailRead
                | MailDelete
                | MailReply
                | MailBlock
                | MailUnblock
                | Tell
                | RelaySend
        )
    }
}

impl Reply {
    /// An error reply.
    pub fn fail(code: Code, msg: impl Into<String>) -> Reply {
        Reply::Failed(Failure::new(code, msg))
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Reply {
        Reply::Failed(failure)
    }
}
