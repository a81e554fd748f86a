//! The numbered table of everything a worker may ask, and of every answer. A number is never used for anything else again.
//!
//! What a row says of a request is explained in `describe.rs`. A row that leaves something out does not compile. `grown` behind
//! a payload: it has gained fields since it was first released.

use crate::*;
use serde::{Deserialize, Serialize};

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
    ($(#[doc = $doc:literal])* $enum:ident, $(#[doc = $kdoc:literal])* $kinds:ident, $($number:literal $name:ident $(($payload:ty $(, $grown:ident)?))?,)*) => {
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
                match self { $(messages!(@pattern $enum $name _p $($payload)?) => messages!(@put _p out $($payload $(, $grown)?)?),)* }
            }

            /// Reads the payload of a known kind; the bytes must be used up.
            pub fn decode(kind: $kinds, payload: &[u8]) -> Result<$enum, DecodeError> {
                match kind { $($kinds::$name => messages!(@get $enum $name payload $($payload $(, $grown)?)?),)* }
            }
        }
    };
    (@pattern $enum:ident $name:ident $p:ident $payload:ty) => { $enum::$name($p) };
    (@pattern $enum:ident $name:ident $p:ident) => { $enum::$name };
    (@put $p:ident $out:ident $payload:ty) => { crate::growing::put($out, $p) };
    (@put $p:ident $out:ident $payload:ty, grown) => { crate::growing::Grown::put($p, $out) };
    (@put $p:ident $out:ident) => { () };
    (@get $enum:ident $name:ident $bytes:ident $payload:ty) => { crate::growing::get::<$payload>($bytes).map($enum::$name).map_err(DecodeError::from) };
    (@get $enum:ident $name:ident $bytes:ident $payload:ty, grown) => { <$payload as crate::growing::Grown>::get($bytes).map($enum::$name).map_err(DecodeError::from) };
    (@get $enum:ident $name:ident $bytes:ident) => { crate::growing::get::<()>($bytes).map(|()| $enum::$name).map_err(DecodeError::from) };
}

macro_rules! requests {
    ($($number:literal $name:ident $(($payload:ty $(, $grown:ident)?))? -> [$($reply:ident),*] $states:ident $right:ident $does:ident $others:ident $by:ident;)*) => {
        messages! {
            /// What a worker asks.
            Request,
            /// The number of a request.
            Kind,
            $($number $name $(($payload $(, $grown)?))?,)*
        }

        impl Kind {
            /// What it may be answered with, besides a failure; nothing: it is not answered.
            pub const fn replies(self) -> &'static [ReplyKind] {
                match self { $(Kind::$name => &[$(ReplyKind::$reply),*],)* }
            }

            /// What else there is to know of it.
            pub const fn describe(self) -> &'static Description {
                match self {
                    $(Kind::$name => const {
                        &Description {
                            states: States::$states,
                            right: Right::$right,
                            does: Does::$does,
                            others: Others::$others,
                            asked_by: AskedBy::$by,
                        }
                    },)*
                }
            }
        }
    };
}

requests! {
    //                                    answered with      who may   right        does         others  whose word
    1 SetMode(SetMode)               -> [Done]            ANY      None         Becomes     Seen  Client;
    2 Log(LogLine)                   -> []                ANY      None         SetsMemory  Seen  Worker;
    3 Open(Open)                     -> [Welcome]         NEW      None         Becomes     Apart Worker;
    10 Register(Register)            -> [LoggedIn]        PEOPLE   Registration Proves      Seen  Client;
    11 Login(Login)                  -> [LoggedIn]        PEOPLE   None         Proves      Seen  Client;
    12 Logout                        -> [Done]            PEOPLE   None         Becomes     Seen  Client;
    13 Password(Password)            -> [Done]            PLAYER   None         Proves      Seen  Client;
    14 Whoami                        -> [Whoami]          READERS  None         ReadsStore  Apart Client;
    15 Who(Page)                     -> [Who]             READERS  None         ReadsMemory Seen  Client;
    16 Finger(Finger)                -> [Fingered]        READERS  None         ReadsStore  Seen  Client;
    17 Visitor(VisitorName)          -> [Visiting]        ANONYMOUS None        Becomes     Seen  Client;
    20 RecordSubmit(RecordSubmit)    -> [RecordSubmitted] PROVED   None         Durable     Apart Client;
    21 RecordTop(RecordTop)          -> [RecordPage]      READERS  None         ReadsMemory Apart Client;
    22 RecordAround(RecordAround)    -> [RecordPage]      READERS  None         ReadsMemory Apart Client;
    23 RecordShow(RecordShow)        -> [RecordShown]     READERS  None         ReadsMemory Apart Client;
    24 RecordBoards(Page)            -> [Boards]          READERS  None         ReadsMemory Apart Client;
    25 RecordWatch(RecordWatch)      -> [Done]            READERS  None         SetsMemory  Seen  Client;
    26 RecordUnwatch(RecordWatch)    -> [Done]            READERS  None         SetsMemory  Seen  Client;
    30 SettingGet(SettingGet)        -> [Setting]         READERS  None         ReadsStore  Apart Client;
    31 SettingSet(SettingSet)        -> [SettingVersion]  PROVED   None         Durable     Apart Client;
    32 SettingList(Page)             -> [Settings]        PROVED   None         ReadsStore  Apart Client;
    33 SettingDelete(SettingDelete)  -> [Done]            PROVED   None         Durable     Apart Client;
    40 MailSend(MailSend)            -> [MailSent]        PROVED   None         Durable     Apart Client;
    41 MailList(Page)                -> [MailPage]        PLAYER   None         ReadsStore  Apart Client;
    42 MailRead(MailId)              -> [Mail]            PLAYER   None         Durable     Apart Client;
    43 MailDelete(MailId)            -> [Done]            PLAYER   None         Durable     Apart Client;
    44 MailReply(MailReply)          -> [MailSent]        PLAYER   None         Durable     Apart Client;
    45 MailListSent(Page)            -> [MailPage]        PLAYER   None         ReadsStore  Apart Client;
    46 MailBlock(MailBlock)          -> [Done]            PLAYER   None         Durable     Apart Client;
    47 MailUnblock(MailBlock)        -> [Done]            PLAYER   None         Durable     Apart Client;
    48 MailBlocks                    -> [Blocks]          PLAYER   None         ReadsStore  Apart Client;
    49 MailForward(MailForward)      -> [MailSent]        PLAYER   None         Durable     Apart Client;
    50 Tell(Tell)                    -> [TellDelivered]   PEOPLE   None         Volatile    Notified Client;
    51 Broadcast(Broadcast)          -> [Broadcasted]     KEEPERS  Broadcast    Volatile    Notified Client;
    60 Auth(Auth)                    -> [Authed]          UNPROVED None         Proves      Seen  Client;
    61 RelayJoin(RelayJoin, grown)   -> [RelayJoined]     SERVER   None         SetsMemory  Apart Client;
    62 RelayLeave(RelayLeave)        -> [Done]            SERVER   None         SetsMemory  Seen  Client;
    63 RelaySend(RelaySend)          -> [RelaySent]       SERVER   None         Volatile    Notified Client;
    64 RelayFetch(RelayFetch, grown) -> [RelayFetched]    SERVER   None         ReadsMemory Seen  Worker;
    65 RelayChannels(Page)           -> [Channels]        SERVER   None         ReadsMemory Seen  Client;
    70 StatusSet(StatusSet)          -> [Done]            SERVER   None         SetsMemory  Seen  Client;
    71 StatusClear                   -> [Done]            SERVER   None         SetsMemory  Seen  Client;
    72 Worlds(Page)                  -> [Worlds]          READERS  None         ReadsMemory Seen  Client;
    80 Pass(Pass)                    -> [PassGiven]       PLAYER   None         Volatile    Apart Client;
    81 PassRedeem(PassRedeem, grown) -> [PassRedeemed]    SERVER   None         Volatile    Apart Client;
    82 LoginCheck(LoginCheck)        -> [PassRedeemed]    SERVER   None         Proves      Seen  Client;
    83 Enter(Visit, grown)           -> [Done]            SERVER   None         SetsMemory  Seen  Client;
    84 Leave(Visit, grown)           -> [Done]            SERVER   None         SetsMemory  Seen  Client;
    85 Present(Present, grown)       -> [Done]            SERVER   None         SetsMemory  Seen  Client;
    90 WorldAdd(WorldAdd)            -> [WorldKey]        KEEPERS  Operator     Durable     Apart Client;
    91 WorldShow(WorldName)          -> [WorldShown]      LOOKERS  None         ReadsStore  Seen  Client;
    92 WorldList(Page)               -> [Licences]        KEEPERS  None         ReadsMemory Seen  Client;
    93 WorldChange(WorldChange)      -> [Done]            KEEPERS  None         Durable     Apart Client;
    94 WorldDisable(WorldDisable)    -> [Done]            KEEPERS  Operator     Durable     Apart Client;
    95 WorldEnable(WorldName)        -> [Done]            KEEPERS  Operator     Durable     Apart Client;
    96 WorldDelete(WorldDelete)      -> [Done]            KEEPERS  Operator     Durable     Apart Client;
    97 WorldPassword(WorldName)      -> [WorldKey]        KEEPERS  None         Durable     Apart Client;
    98 WorldEnter(WorldEnter)        -> [WorldEntered]    PEOPLE   None         Volatile    Seen  Client;
    99 RatingLimit(RatingLimit)      -> [Done]            PLAYER   None         Durable     Apart Client;
    100 RightGrant(RightOf)          -> [Done]            KEEPERS  Operator     Durable     Apart Client;
    101 RightRevoke(RightOf)         -> [Done]            KEEPERS  Operator     Durable     Apart Client;
    102 RightList(RightsOf)          -> [Rights]          KEEPERS  None         ReadsMemory Apart Client;
    110 HostStart(HostStart)         -> [Hosted]          SERVER   None         DurableHere Seen  Client;
    111 HostSay(HostSay)             -> [Done]            SERVER   None         SetsMemory  Seen  Client;
    112 HostStop(HostStop)           -> [Done]            SERVER   None         SetsMemory  Seen  Client;
    113 HostList(Page)               -> [HostedList]      SERVER   None         ReadsMemory Seen  Client;
    120 PlayerLimit(PlayerLimit)     -> [Done]            KEEPERS  Operator     Durable     Apart Client;
    130 UniverseShow                 -> [Universe]        LOOKERS  None         ReadsMemory Apart Client;
    131 UniverseSet(UniverseSet)     -> [Done]            KEEPERS  Operator     Durable     Apart Client;
    132 UniverseReset(UniverseReset) -> [Done]            KEEPERS  Operator     Durable     Apart Client;
    133 UniverseWatch                -> [Done]            READERS  None         SetsMemory  Seen  Client;
    134 UniverseUnwatch              -> [Done]            READERS  None         SetsMemory  Seen  Client;
    140 PropertyGet(PropertyGet)     -> [Properties]      LOOKERS  None         ReadsStore  Seen  Client;
    141 PropertySet(PropertySet)     -> [PropertyVersion] WRITERS  None         Durable     Seen  Client;
    142 PropertyDelete(PropertyDelete) -> [Done]          WRITERS  None         Durable     Seen  Client;
    143 PropertyWatch(PropertyWatch) -> [Done]            READERS  None         SetsMemory  Seen  Client;
    144 PropertyUnwatch(PropertyWatch) -> [Done]          READERS  None         SetsMemory  Seen  Client;
    150 ListWorlds(ListRead)         -> [Listed]          READERS  None         ReadsMemory Seen  Client;
    151 ListUsers(ListRead)          -> [Listed]          READERS  None         ReadsMemory Seen  Client;
    152 ListWatch(ListWatch)         -> [ListWatched]     READERS  None         SetsMemory  Seen  Client;
    153 ListUnwatch(ListUnwatch)     -> [Done]            READERS  None         SetsMemory  Seen  Client;
    154 ListRing(ListRing)           -> [ListRinged]      READERS  None         SetsMemory  Seen  Worker;
    160 PreferenceSet(PreferenceSet) -> [PreferenceIs]    PEOPLE   None         Durable     Apart Client;
    170 WorldPlay(WorldPlay)         -> [WorldPlayed]     KEEPERS  None         Durable     Apart Client;
    180 PlayStart(PlayStart)         -> [PlayStarted]     PEOPLE   None         SetsMemory  Seen  Worker;
    181 PlayEnded(PlayEnded)         -> [PlayVerdict]     PEOPLE   None         SetsMemory  Seen  Worker;
    182 PlayAt(PlayAt)               -> [Done]            PEOPLE   None         SetsMemory  Seen  Worker;
    183 PlayLeft(PlayLeft)           -> [Done]            PEOPLE   None         SetsMemory  Seen  Worker;
    190 Mssp(Mssp)                   -> [MsspTable]       PEOPLE   None         ReadsMemory Seen  Worker;
    191 MsspOf(MsspOf)               -> [Done]            PEOPLE   None         SetsMemory  Seen  Worker;
}

/// Gives the table of answers to a macro: what has to know each of them derives it from here.
#[macro_export]
macro_rules! replies {
    ($then:ident) => {
        $then! {
            1 Failed(Failure),
            2 Done(Done),
            3 Welcome(Welcome),
            10 LoggedIn(LoggedIn, grown),
            11 Whoami(Whoami, grown),
            12 Who(Who),
            13 Fingered(Fingered, grown),
            14 Visiting(Visiting),
            20 RecordSubmitted(RecordSubmitted),
            21 RecordPage(RecordPage),
            22 RecordShown(RecordShown),
            23 Boards(Boards, grown),
            30 Setting(Setting),
            31 SettingVersion(SettingVersion),
            32 Settings(Settings, grown),
            40 MailSent(MailSent),
            41 MailPage(MailPage),
            42 Mail(Mail),
            43 Blocks(Blocks),
            50 TellDelivered(TellDelivered),
            51 Broadcasted(Broadcasted),
            60 Authed(Authed),
            61 RelayJoined(RelayJoined, grown),
            62 RelaySent(RelaySent),
            63 RelayFetched(RelayFetched),
            64 Channels(Channels, grown),
            70 Worlds(Worlds, grown),
            80 PassGiven(PassGiven),
            81 PassRedeemed(PassRedeemed, grown),
            82 WorldEntered(WorldEntered),
            90 WorldKey(WorldKey),
            91 WorldShown(WorldShown, grown),
            92 Licences(Licences),
            100 Rights(Rights),
            110 Hosted(Hosted),
            111 HostedList(HostedList),
            130 Universe(Universe),
            140 Properties(Properties),
            141 PropertyVersion(PropertyVersion),
            150 Listed(Listed),
            151 ListWatched(ListWatched),
            152 ListRinged(ListRinged),
            160 PreferenceIs(PreferenceIs),
            170 WorldPlayed(WorldPlayed, grown),
            180 PlayStarted(PlayStarted, grown),
            181 PlayVerdict(PlayVerdict),
            190 MsspTable(MsspTable),
        }
    };
}

macro_rules! reply_messages {
    ($($number:literal $name:ident($payload:ty $(, $grown:ident)?),)*) => {
        messages! {
            /// What the handler answers.
            Reply,
            /// The number of a reply.
            ReplyKind,
            $($number $name($payload $(, $grown)?),)*
        }
    };
}

replies!(reply_messages);

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
