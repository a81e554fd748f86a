//! The settings and their table of keys: one entry per key, from which the types, the defaults,
//! the ranges and the descriptions all come. Plain data in every process.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::kind::Kind;
use crate::listen::{DEFAULT_PORT, Listen, OptionalListen};
use crate::network::Network;
use crate::play::{Charset, FailBack, Liveness, Opening, Quit, RealAddress, Resume, Sessions, WorldAddress};
use crate::rule::Rule;
use crate::value::{Field, Value};
use crate::version::Version;
use crate::words::{DoorMode, Identity, Level};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const WEEK: u64 = 7 * 24 * 3600;

/// What others could take for the backend itself, for who runs it, or for nobody.
const RESERVED: &str = "server operator admin administrator system backend nobody null root moderator support staff \
                        everyone anonymous none undefined ssmglobal";

const fn number(min: u64, max: u64) -> Rule {
    Rule::Number { min, max }
}

/// Makes the structs, their defaults and the tables of keys out of the list below.
macro_rules! settings {
    (
        { $(#[doc = $top_doc:literal] $top:ident: $top_type:ty = $top_default:expr, $top_rule:expr;)+ }
        $(
            #[doc = $about:literal]
            $section:ident: $name:ident {
                $(#[doc = $doc:literal] $field:ident: $type:ty = $default:expr, $rule:expr;)+
            }
        )+
        each
        #[doc = $door_about:literal]
        $door:ident: $door_name:ident {
            $(#[doc = $door_doc:literal] $door_field:ident: $door_type:ty = $door_default:expr, $door_rule:expr;)+
        }
        named
        #[doc = $world_about:literal]
        $world:ident: $world_name:ident {
            $(#[doc = $world_doc:literal] $world_field:ident: $world_type:ty, $world_rule:expr;)+
        }
    ) => {
        /// Everything that can be set. Sizes are bytes, times whole seconds.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Settings {
            $(#[doc = $top_doc] pub $top: $top_type,)+
            $(#[doc = $about] pub $section: $name,)+
            #[doc = $door_about]
            pub $door: Vec<$door_name>,
            #[doc = $world_about]
            pub $world: BTreeMap<String, $world_name>,
            /// Whether people have a door that nobody has asked for, beside the main one: where no door, no `listen` and no
            /// port was given. No key; it follows from the others.
            pub door_for_people: bool,
        }

        impl Default for Settings {
            fn default() -> Self {
                Self {
                    $($top: $top_default,)+
                    $($section: $name::default(),)+
                    $door: Vec::new(),
                    $world: BTreeMap::new(),
                    door_for_people: true,
                }
            }
        }

        $(
            #[doc = $about]
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            pub struct $name {
                $(#[doc = $doc] pub $field: $type,)+
            }

            impl Default for $name {
                fn default() -> Self {
                    Self { $($field: $default,)+ }
                }
            }
        )+

        #[doc = $door_about]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $door_name {
            $(#[doc = $door_doc] pub $door_field: $door_type,)+
        }

        /// Only a start for reading one: a door must say its address and mode.
        impl Default for $door_name {
            fn default() -> Self {
                Self { $($door_field: $door_default,)+ }
            }
        }

        #[doc = $world_about]
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $world_name {
            $(#[doc = $world_doc] pub $world_field: Option<$world_type>,)+
        }

        /// The tables of the file.
        pub static TABLES: &[&str] = &[$(stringify!($section),)+ stringify!($door), stringify!($world)];

        /// Every key, except those of a door and of a world.
        pub static KEYS: &[Key<Settings>] = &[
            $(Key::new(
                stringify!($top),
                $top_rule,
                $top_doc,
                |settings| settings.$top.value(),
                |settings, value| put(&mut settings.$top, value),
            ),)+
            $($(Key::new(
                concat!(stringify!($section), ".", stringify!($field)),
                $rule,
                $doc,
                |settings| settings.$section.$field.value(),
                |settings, value| put(&mut settings.$section.$field, value),
            ),)+)+
        ];

        /// The keys of a `[[door]]`.
        pub static DOOR_KEYS: &[Key<$door_name>] = &[
            $(Key::new(
                concat!(stringify!($door), ".", stringify!($door_field)),
                $door_rule,
                $door_doc,
                |door| door.$door_field.value(),
                |door, value| put(&mut door.$door_field, value),
            ),)+
        ];

        /// The keys of a `[world.NAME]`, which are those of how a world's licence says that it is played.
        pub static WORLD_KEYS: &[Key<$world_name>] = &[
            $(Key::new(
                concat!(stringify!($world), ".", stringify!($world_field)),
                $world_rule,
                $world_doc,
                |world| world.$world_field.value(),
                |world, value| put(&mut world.$world_field, value),
            ),)+
        ];

        impl $world_name {
            /// What is set here, and what `below` has set where nothing is set here.
            #[must_use]
            pub fn over(&self, below: &$world_name) -> $world_name {
                $world_name { $($world_field: self.$world_field.clone().or_else(|| below.$world_field.clone()),)+ }
            }
        }
    };
}

fn put<T: Field>(field: &mut T, value: Value) -> bool {
    match T::take(value) {
        Some(value) => {
            *field = value;
            true
        }
        None => false,
    }
}

settings! {
    {
        /// Addresses of the main door; `[::]:PORT` is all addresses, IPv6 and IPv4.
        listen: Vec<Listen> = vec![Listen::All { port: DEFAULT_PORT }], Rule::Addresses;
        /// Directory of the database and the run files, seen from where the program starts.
        data: PathBuf = PathBuf::from("data"), Rule::Path;
    }

    /// What one client, and all of them together, may take.
    limits: Limits {
        /// Clients at once, over all doors.
        clients: u32 = 4096, number(1, 1_000_000);
        /// Clients at once at a door from one address; an IPv6 address counts with its whole /64.
        clients_per_address: u32 = 64, number(1, 1_000_000);
        /// Bytes of one line; the rest of a longer one is skipped, with an error.
        line: usize = 8192, number(256, MIB);
        /// Bytes of one line from a game server that has proved who it is.
        server_line: usize = 65536, number(256, 16 * MIB);
        /// Bytes that wait for a client that does not read; beyond that it is dropped.
        queue: usize = 1_048_576, number(16 * KIB, 1024 * MIB);
        /// Seconds for a new client to set its mode, and for a game server to prove who it is; 0 = for ever.
        first_mode_seconds: u64 = 10, number(0, WEEK);
        /// Seconds that a HUMAN or CLIENT may be silent; 0 = for ever.
        idle_seconds: u64 = 1800, number(0, WEEK);
        /// Seconds that a CLIENT who is not logged in, watches nothing and has not said STAY may be silent; 0 = as idle_seconds.
        anonymous_seconds: u64 = 120, number(0, WEEK);
        /// Seconds after which a client is gone whose machine does not answer any more, though the connection was never closed; 0 = hours, as the kernel has it.
        vanished_seconds: u64 = 120, number(0, 86400);
        /// Seconds of silence after which somebody who speaks telnet gets a NOP, which nobody sees and which keeps routers from forgetting the connection; 0 = never.
        telnet_nop_seconds: u64 = 30, number(0, 86400);
        /// Whether what telnet clients get and send is compressed, where they want that (MCCP2, MCCP3), and what worlds send, where they offer that (MCCP2): less to transmit, at up to 300 KiB of memory for each client and 45 KiB for each who plays.
        telnet_compression: bool = true, Rule::Flag;
        /// Seconds of silence after which a game server gets a PING.
        server_ping_seconds: u64 = 30, number(1, 86400);
        /// Seconds of silence after which a game server is taken for gone.
        server_drop_seconds: u64 = 120, number(2, WEEK);
        /// Seconds after which a client that waits for an answer is told that it takes longer than usual; 0 for never.
        delay_notice_seconds: u64 = 3, number(0, WEEK);
        /// Requests that a client may send ahead of their answers.
        ahead: usize = 64, number(1, 10_000);
        /// Seconds for which an address is not let in after a worker of its has crashed or has seen too many failed logins, doubling each time; 0 = it is let in at once.
        penalty_seconds: u64 = 10, number(0, 86400);
        /// Seconds of such a penalty, at the most.
        penalty_max_seconds: u64 = 600, number(0, 86400);
    }

    /// Players, their names and their passwords.
    players: Players {
        /// What becomes of a player who is on and logs in on another connection: takeover, refuse or many.
        identity: Identity = Identity::Takeover, Rule::Word(Identity::WORDS);
        /// Whether anybody may register; otherwise only those who are registered come in.
        registration: bool = true, Rule::Flag;
        /// Registrations in ten minutes from one address; 0 = any number.
        registrations_per_address: u32 = 5, number(0, 1_000_000);
        /// Registrations in ten minutes from one network (IPv4: /24, IPv6: /48); 0 = any number.
        registrations_per_network: u32 = 50, number(0, 1_000_000);
        /// Registrations in ten minutes altogether; 0 = any number.
        registrations_altogether: u32 = 600, number(0, 1_000_000);
        /// Characters of a name, at least.
        name_min: usize = 2, number(1, 64);
        /// Characters of a name, at most.
        name_max: usize = 20, number(1, 64);
        /// Names that no new player and no new game server gets, nor what looks like them; with blanks between them.
        reserved_names: String = RESERVED.to_owned(), Rule::Text { max: 4096 };
        /// Characters of a password, at least.
        password_min: usize = 6, number(1, 256);
        /// Characters of a password, at most.
        password_max: usize = 256, number(8, 1024);
        /// Failed tries of a password or key from an address, and for a name from an address, before further ones are slowed down.
        failures: u32 = 10, number(1, 1000);
        /// Seconds for which a failed login counts.
        failure_window_seconds: u64 = 300, number(1, 86400);
        /// Failed tries on one connection, after which it is closed; 0 = any number is fine.
        failures_per_connection: u32 = 20, number(0, 1000);
        /// KiB of memory for one password hash (argon2id).
        hash_memory_kib: u32 = 19456, number(64, 4 * MIB);
        /// Passes over that memory.
        hash_passes: u32 = 2, number(1, 100);
        /// Threads that hash; 0 = half of the cores, at least one.
        hash_threads: usize = 0, number(0, 1024);
        /// Logins and registrations that may wait for their hash; the next one is told `busy`.
        hash_queue: usize = 1024, number(1, 100_000);
    }

    /// Mail between players.
    mail: Mail {
        /// Letters that a mailbox holds; a full one is an error to the sender.
        mailbox: u32 = 100, number(1, 100_000);
        /// Bytes of a letter's text.
        body: usize = 4096, number(64, 512 * KIB);
        /// Bytes of a letter's subject.
        subject: usize = 120, number(1, 1024);
    }

    /// What players and game servers store under names of their own.
    settings: Stored {
        /// Bytes of one value.
        value: usize = 8192, number(64, 512 * KIB);
        /// Keys that one player or one game server may have.
        keys_per_owner: u32 = 1000, number(1, 1_000_000);
    }

    /// Boards and their records.
    records: Records {
        /// Bytes of the note that travels with a score.
        note: usize = 1024, number(1, 64 * KIB);
        /// Places that RECORD TOP shows when it is not told how many.
        top_page: u32 = 10, number(1, 1000);
        /// Entries on one page, at most, however many are asked for.
        page_max: u32 = 100, number(1, 1000);
        /// Boards that may be defined.
        boards: u32 = 1000, number(1, 100_000);
    }

    /// Messages between game servers.
    relay: Relay {
        /// Bytes of one message.
        message: usize = 16384, number(64, 20 * KIB);
        /// Messages per channel kept for a server that comes back.
        backlog: usize = 1000, number(0, 100_000);
        /// Channels at once.
        channels: usize = 1024, number(1, 100_000);
        /// Channels that one connection may have joined.
        joined_per_server: usize = 64, number(1, 10_000);
    }

    /// Worlds and their hosts.
    worlds: Worlds {
        /// Seconds for which a world stays as it is when its host's connection has ended; 0 = it stops at once.
        grace_seconds: u64 = 30, number(0, 86400);
        /// Minutes that a visit may last; 0 = any number.
        visit_minutes: u32 = 0, number(0, 10_080);
        /// Whether only worlds with a licence are shown; otherwise a game server shows one of its own name with STATUS SET.
        licence_required: bool = false, Rule::Flag;
        /// Whether visitors, who have not registered, are let in under a name.
        visitors: bool = true, Rule::Flag;
        /// Whether visitors may talk: TELL.
        visitors_talk: bool = true, Rule::Flag;
        /// The least version of a program that hosts worlds; 0 = any.
        host_version: Version = Version(0), Rule::Version;
        /// What all worlds together are called.
        universe: String = "ssmglobal".to_owned(), Rule::Line { max: 64 };
        /// The least version of a program that goes to a world; 0 = any.
        client_version: Version = Version(0), Rule::Version;
        /// The world that WORLD ENTER leads to when none is named; empty = none.
        start: String = String::new(), Rule::Text { max: 64 };
        /// Whether everybody may see who is on and where; otherwise only operators and game servers.
        user_list: bool = true, Rule::Flag;
        /// Whether players may change their names.
        renames: bool = false, Rule::Flag;
    }

    /// What the backend says in its own name.
    texts: Texts {
        /// What a HUMAN reads first.
        welcome: String = "Welcome to serversquared Modification Global Backend.".to_owned(), Rule::Text { max: 8192 };
        /// What lists of games are told of it by MSSP besides what it knows itself: lines as CONTACT=me@example.org.
        mssp: String = String::new(), Rule::Variables;
        /// The last line to everyone when the backend is stopped.
        goodbye: String = "The backend is going down. Everything is saved; please come back soon.".to_owned(), Rule::Line { max: 256 };
    }

    /// As whom the processes run, and what is taken from them.
    processes: Processes {
        /// User of the handler where root starts the program, by name or number; empty = whoever owns the data directory.
        handler_user: String = String::new(), Rule::Text { max: 64 };
        /// User of the workers where root starts the program, by name or number.
        worker_user: String = "nobody".to_owned(), Rule::Line { max: 64 };
        /// Whether workers are locked in; turn it off only to debug them.
        sandbox: bool = true, Rule::Flag;
    }

    /// Numbers for programs that watch it.
    metrics: Metrics {
        /// Address where Prometheus and the like read numbers over HTTP; empty = none.
        address: OptionalListen = OptionalListen(None), Rule::AddressOrNone;
    }

    /// The log.
    log: Log {
        /// How much is logged: error, warn, info, debug or trace.
        level: Level = Level::Info, Rule::Word(Level::WORDS);
    }

    each
    /// A door besides the main one; what it leaves out is taken from `[limits]` and `[texts]`.
    door: DoorSettings {
        /// Where it stands.
        address: Listen = Listen::All { port: 0 }, Rule::Address;
        /// How it receives a client: ask, human, client or server.
        mode: DoorMode = DoorMode::Ask, Rule::Word(DoorMode::OF_CLIENTS);
        /// What a HUMAN reads first here.
        welcome: Option<String> = None, Rule::Text { max: 8192 };
        /// Clients at once at this door, within limits.clients.
        clients: Option<u32> = None, number(1, 1_000_000);
        /// Clients at once at this door from one address.
        clients_per_address: Option<u32> = None, number(1, 1_000_000);
        /// Seconds that a HUMAN or CLIENT may be silent here; 0 = for ever.
        idle_seconds: Option<u64> = None, number(0, WEEK);
        /// Bytes of one line here.
        line: Option<usize> = None, number(256, MIB);
        /// Networks of the proxies in front of it, which say by the PROXY protocol who their clients are; nobody else comes in here then. Empty = none.
        proxy: Option<Vec<Network>> = None, Rule::Networks;
        /// The world that it leads straight into.
        world: Option<String> = None, Rule::World;
        /// What a line begins with that is for us while somebody plays; empty = no line is.
        escape: Option<String> = None, Rule::Escape;
        /// Whether who plays sees nothing of ours between the world's lines but what he has asked for.
        clean: Option<bool> = None, Rule::Flag;
        /// Where a player is who has left his world: prompt or close.
        quit: Option<Quit> = None, Rule::Word(Quit::WORDS);
        /// When a player is told the word by which he goes on after his connection has broken: asked or shown.
        resume: Option<Resume> = None, Rule::Word(Resume::WORDS);
        /// What lists of games are told here whatever else is known: lines as GENRE=Fantasy.
        mssp: Option<String> = None, Rule::Variables;
    }

    named
    /// How a world is played through us; what it leaves out is taken from its kind.
    world: WorldSettings {
        /// Where it listens, in order of preference.
        play: Vec<WorldAddress>, Rule::WorldAddresses;
        /// What it runs: says all the others, which may be set beside it.
        kind: Kind, Rule::Word(Kind::WORDS);
        /// How it is told where its players come from.
        real_address: RealAddress, Rule::Word(RealAddress::WORDS);
        /// Its set of characters, where telnet agrees on none.
        charset: Charset, Rule::Word(Charset::WORDS);
        /// The line that logs somebody in, with the groups `name` and `password`.
        login: String, Rule::Pattern;
        /// Whether it asks for name and password one after the other.
        prompts: bool, Rule::Flag;
        /// Lines that show that a login has worked.
        success: Vec<String>, Rule::Patterns;
        /// Lines that show that a login has failed.
        failure: Vec<String>, Rule::Patterns;
        /// Lines behind a login that are not shown when it is done again.
        hide: Vec<String>, Rule::Patterns;
        /// By what it is known that it lives; any of them.
        liveness: Vec<Liveness>, Rule::Words(Liveness::WORDS);
        /// What the connection of the heartbeat says first, such as a login; empty = it only stays.
        heartbeat: Opening, Rule::Text { max: 512 };
        /// The line by which it lets in a player who is logged in here, with `{pass}` and `{player}` in it; empty = none.
        ticket: String, Rule::LineOrNone { max: 256 };
        /// What becomes of a player's second connection.
        sessions: Sessions, Rule::Word(Sessions::WORDS);
        /// Seconds for which his connection to it is kept for a player whose own has broken.
        grace_seconds: u64, number(0, 86400);
        /// Players a second who are brought back, at the most.
        rate: u32, number(1, 100_000);
        /// Seconds without an address after which the next one is tried.
        failover_seconds: u64, number(0, 86400);
        /// Who is connected to a better address when it is back.
        failback: FailBack, Rule::Word(FailBack::WORDS);
        /// Seconds for which a better address must have been there before.
        healthy_seconds: u64, number(0, 86400);
    }
}

impl Settings {
    /// The keys whose values differ, for the log when the file was read anew. Doors count as one, and so do worlds.
    pub fn changed(&self, newer: &Self) -> Vec<&'static str> {
        let differs = |key: &&Key<Self>| (key.get)(self) != (key.get)(newer);
        let mut paths: Vec<_> = KEYS.iter().filter(differs).map(|key| key.path).collect();
        if (&self.door, self.door_for_people) != (&newer.door, newer.door_for_people) {
            paths.push("door");
        }
        if self.world != newer.world {
            paths.push("world");
        }
        paths
    }
}

impl Players {
    /// Whether a password is long enough, and not too long.
    ///
    /// # Errors
    /// A sentence for who has chosen it.
    pub fn check_password(&self, password: &str) -> Result<(), String> {
        let (min, max) = (self.password_min, self.password_max);
        let length = password.chars().count();
        if (min..=max).contains(&length) {
            return Ok(());
        }
        Err(format!("A password has {min} to {max} characters; this one has {length}."))
    }
}
