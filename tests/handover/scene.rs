//! Where every kind of request can succeed: a handler, two who hear what others do, and for each request somebody of his own
//! who asks it, so that none disturbs another.

use super::case::{Case, view};
use super::fitting::{Fitting, fitting};
use crate::harness::{Link, Listener, Session, samples};
use ssmglobal_ipc::*;
use std::os::fd::OwnedFd;

/// Who asks, as far as what he asks depends on it.
#[derive(Clone)]
pub struct Asker {
    /// What he is.
    pub state: State,
    /// His name, or the one that he can prove to have.
    pub name: String,
    /// A name that nobody has.
    pub unused: String,
    /// The key of the game server that he is or can prove to be.
    pub key: Secret,
    /// Bob's pass for the game server that he is.
    pub pass: Secret,
    /// A world that he owns, or that he hosts where he is a game server.
    pub world: String,
    /// Its hosting password.
    pub hosting: Secret,
    /// The word by which he goes on with what he plays.
    pub word: Secret,
    /// What he would say first.
    pub open: Open,
}

impl Asker {
    /// Somebody who has no name.
    fn nobody(state: State, open: Open) -> Asker {
        let (none, secret) = (String::new, || Secret::new(""));
        let (name, unused, world) = (none(), none(), none());
        let (key, pass, hosting, word) = (secret(), secret(), secret(), secret());
        Asker { state, name, unused, key, pass, world, hosting, word, open }
    }
}

/// The scene.
pub struct Scene {
    /// With the handler.
    pub listener: Listener,
    /// A player who watches a board and the universe, and is written to.
    pub bob: Session,
    /// A game server that listens to a channel and is sent to.
    pub arena: Session,
    /// The newest message on the channel that it has.
    fetched: u64,
    askers: u32,
    /// How often everything has come to an end.
    ends: u32,
    /// Who asks for what changes nothing, in which state.
    readers: Vec<Asker>,
}

const BOARD: &str = "race";
const CHANNEL: &str = "chat";
/// A world of bob's.
pub const WORLD: &str = "zoo";
/// A world that arena hosts.
pub const RUNNING: &str = "moon";
const PASSWORD: &str = "pw";

fn on(topic: Topic) -> Vec<Subscription> {
    vec![Subscription { topic, cursor: Position::default() }]
}

fn register(name: &str) -> Request {
    Request::Register(Register { name: name.into(), password: Secret::new(PASSWORD), email: None })
}

fn color(public: Option<bool>) -> Request {
    Request::SettingSet(SettingSet { key: "color".into(), value: "red".into(), version: None, public })
}

/// The property that the samples have, on a world.
fn motto(world: &str) -> Request {
    let (of, name, value) = (Party::World(world.into()), "motto".into(), PropertyValue::Text("hi".into()));
    // Its host is not its owner.
    let terms = PropertyTerms { write: Some(PropertyAccess::World), ..PropertyTerms::default() };
    Request::PropertySet(PropertySet { of, name, value, version: None, terms })
}

impl Scene {
    /// With nobody who asks yet. Who logs in somewhere is quinn.
    pub fn new() -> Scene {
        let mut listener = Listener::start_with(|settings| {
            settings.players.password_min = PASSWORD.len();
            // What is hashed is hashed in the order of the questions.
            settings.players.hash_threads = 1;
            // Whoever plays it waits for it.
            let nobody = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
            let play = Some(vec![ssmglobal_config::play::WorldAddress::At(nobody)]);
            let zoo = ssmglobal_config::WorldSettings { play, ..Default::default() };
            settings.world.insert(WORLD.into(), zoo);
        });
        // With a sum it is seen when a score counts twice.
        let board = ["--unit", "ms", "--better", "lower", "--operator", "sum", "--submit", "players"];
        listener.ctl(&[&["board", "define", BOARD][..], &board].concat());
        let mut quinn = Session::opened(&mut listener, Mode::Client);
        quinn.done(&register("quinn"));
        listener.end(&quinn.worker);
        let mut bob = Session::opened(&mut listener, Mode::Client);
        bob.done(&register("bob"));
        listener.ctl(&["world", "add", WORLD, "bob"]);
        // Each sample of a score is the new first place behind this and the one before it.
        let first = RecordSubmit { board: BOARD.into(), score: -1, player: None, note: None };
        bob.done(&Request::RecordSubmit(first));
        bob.done(&Request::RecordWatch(RecordWatch { board: BOARD.into() }));
        bob.done(&Request::UniverseWatch);
        bob.subscriptions = [on(Topic::Board(BOARD.into())), on(Topic::Universe)].concat();
        let key = listener.game_server("arena");
        let mut arena = Session::opened(&mut listener, Mode::Server);
        arena.done(&Request::Auth(Auth { name: "arena".into(), key }));
        arena.done(&color(Some(true)));
        let password = listener.ctl(&["world", "add", RUNNING, "bob"])["password"].as_str().map(Secret::new);
        host(&mut arena, RUNNING, password.expect("a password"));
        listen(&mut arena);
        Scene { listener, bob, arena, fetched: 0, askers: 0, ends: 0, readers: Vec::new() }
    }

    /// A session in this state for whoever asks this. Those who change nothing may share a name.
    fn session_for(&mut self, kind: Kind, state: State) -> (Session, Asker) {
        // A world is one session's.
        let hosts = matches!(kind, Kind::HostSay | Kind::HostStop | Kind::HostList);
        // A word is one session's.
        let plays = matches!(kind, Kind::PlayStart | Kind::PlayEnded | Kind::PlayAt | Kind::PlayLeft);
        let shared = !kind.describe().is_kept() && !hosts && !plays && matches!(state, State::Player | State::Server);
        if let Some(reader) = self.readers.iter().find(|reader| shared && reader.state == state).cloned() {
            return (self.another(&reader), reader);
        }
        let (mut session, mut asker) = self.asker(state);
        // Who is nobody has to be a visitor for this.
        if state == State::Anonymous && (plays || matches!(kind, Kind::Tell | Kind::WorldEnter)) {
            session.done(&Request::Visitor(VisitorName { name: asker.name.clone() }));
        }
        if matches!(kind, Kind::PlayEnded | Kind::PlayAt | Kind::PlayLeft) {
            let start = PlayStart { world: WORLD.into(), since: Time(0), word: None, again: false };
            let reply = session.done(&Request::PlayStart(start));
            let Reply::PlayStarted(started) = reply else { panic!("{reply:?}") };
            asker.word = started.word;
        }
        self.readers.extend(shared.then(|| asker.clone()));
        (session, asker)
    }

    /// Somebody in this state.
    pub fn asker(&mut self, state: State) -> (Session, Asker) {
        self.askers += 1;
        let (name, unused) = (format!("p{}", self.askers), format!("new-{}", self.askers));
        let mut asker = Asker { name, unused, ..Asker::nobody(state, self.bob.open()) };
        if matches!(state, State::Unproved | State::Server) {
            asker.key = self.listener.game_server(&asker.name);
        }
        if state == State::Server {
            let wanted = Request::Pass(Pass { server: asker.name.clone() });
            let Reply::PassGiven(given) = self.bob.done(&wanted) else { panic!("a pass") };
            asker.pass = given.pass.clone();
            self.listener.ctl(&["server", "allow", &asker.name, "login-check"]);
            self.world(&mut asker, "quinn");
        }
        let mut session = self.session(state, &asker.name, &asker.key);
        if state == State::Server {
            host(&mut session, &asker.world, asker.hosting.clone());
        }
        if state == State::Player {
            let name = asker.name.clone();
            self.world(&mut asker, &name);
            for right in ["operator", "vip", "broadcast"] {
                self.listener.ctl(&["right", "grant", &name, right]);
            }
            // Behind what he is told of them.
            session.done(&Request::Whoami);
        }
        if !asker.world.is_empty() {
            session.done(&motto(&asker.world));
        }
        asker.open = Open { mode: Mode::Client, ..session.open() };
        (session, asker)
    }

    /// A world for somebody, that is this player's.
    fn world(&mut self, asker: &mut Asker, owner: &str) {
        asker.world = format!("w-{}", asker.name);
        let password = self.listener.ctl(&["world", "add", &asker.world, owner])["password"].as_str().map(Secret::new);
        asker.hosting = password.expect("a password");
    }

    /// A session of its own in this state, with what the samples need.
    fn session(&mut self, state: State, name: &str, key: &Secret) -> Session {
        let listener = &mut self.listener;
        let mut session = match state {
            State::New => return Session::new(listener),
            State::Anonymous => return Session::opened(listener, Mode::Client),
            State::Unproved => return Session::opened(listener, Mode::Server),
            State::Player => Session::opened(listener, Mode::Client),
            State::Server => Session::opened(listener, Mode::Server),
        };
        // Up to the version that the samples have.
        let mut needed = vec![color(None); 7];
        if state == State::Player {
            session.done(&register(name));
            needed.push(Request::MailBlock(MailBlock { player: Party::Server("arena".into()) }));
            let letter = MailSend { to: name.into(), body: "first".into(), subject: None };
            self.bob.done(&Request::MailSend(letter));
        } else {
            session.done(&Request::Auth(Auth { name: name.into(), key: key.clone() }));
            listen(&mut session);
        }
        // Ahead of their answers, and so in few transactions.
        let numbers: Vec<u64> = needed.iter().map(|request| session.send(request)).collect();
        for (request, number) in needed.iter().zip(numbers) {
            session.answer(number, request);
        }
        session
    }

    /// A further session of somebody.
    pub fn another(&mut self, asker: &Asker) -> Session {
        let name = asker.name.clone();
        let (mode, proof) = match asker.state {
            State::Player => (Mode::Client, Request::Login(Login { name, password: Secret::new(PASSWORD) })),
            State::Server => (Mode::Server, Request::Auth(Auth { name, key: asker.key.clone() })),
            state => panic!("{state:?} is nobody"),
        };
        let mut session = Session::opened(&mut self.listener, mode);
        session.done(&proof);
        if asker.state == State::Server {
            listen(&mut session);
        }
        session
    }

    /// A case for every kind of which this holds, every state that permits it and every way to ask it.
    pub fn cases(&mut self, which: impl Fn(Kind) -> bool) -> Vec<Case> {
        let mut cases = Vec::new();
        for sample in samples().into_iter().filter(|sample| which(sample.kind())) {
            for state in State::ALL.into_iter().filter(|state| sample.kind().describe().states.has(*state)) {
                for way in 0..fitting(sample.clone(), &Asker::nobody(state, self.bob.open())).len() {
                    let (session, asker) = self.session_for(sample.kind(), state);
                    let Fitting { request, heard } = fitting(sample.clone(), &asker).swap_remove(way);
                    cases.push(Case { session, asker, request, heard, number: 0, answer: None });
                }
            }
        }
        cases
    }

    /// All that the two can read, [`still`].
    pub fn view(&mut self) -> Vec<Reply> {
        let asker = |state| Asker::nobody(state, self.bob.open());
        let (player, server) = (asker(State::Player), asker(State::Server));
        let mut view = view(&mut self.bob, &player);
        view.extend(self::view(&mut self.arena, &server));
        view
    }

    /// Waits until what was asked before has come to its end, whoever works on it in the order of the questions.
    pub fn has_come_to_an_end(&mut self) {
        self.ends += 1;
        let mut last = Session::opened(&mut self.listener, Mode::Client);
        // It is hashed behind all else, and then written.
        last.done(&register(&format!("last-{}", self.ends)));
        self.listener.end(&last.worker);
    }

    /// What wakes arena when there is something on the channel, as from now on.
    pub fn ring(&mut self) -> OwnedFd {
        self.arena.send(&Request::RelayJoin(RelayJoin { channel: CHANNEL.into(), since: None, epoch: None }));
        self.arena.link.wait();
        let received = ssmglobal_sys::receive(&self.arena.link.stream, &mut [0; 4096]).expect("an answer");
        received.fds.into_iter().nth(1).expect("the memory, and what wakes its readers")
    }

    /// What the two have heard since they were last asked, when it is all there, and so much.
    pub fn heard(&mut self, count: usize) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            // What was pushed before stands in front of an answer for which all must be back.
            self.bob.done(&Request::Who(Page::default()));
            let fetch = RelayFetch { channel: CHANNEL.into(), after: self.fetched, upto: u64::MAX, epoch: 0 };
            match self.arena.done(&Request::RelayFetch(fetch)) {
                Reply::RelayFetched(fetched) => {
                    self.fetched += fetched.lines.len() as u64;
                    heard.extend(fetched.lines.into_iter().map(|(number, line)| format!("{number} {line}")));
                }
                reply => panic!("{reply:?}"),
            }
            let pushes = self.bob.hear(0).into_iter().chain(self.arena.hear(0));
            heard.extend(pushes.map(|event| format!("{event:?}")));
            if heard.len() >= count {
                return heard;
            }
            Link::wait_for_one(&[&self.bob.link, &self.arena.link]);
        }
    }
}

/// A game server hosts a world.
fn host(session: &mut Session, world: &str, password: Secret) {
    let world = world.to_owned();
    let start = HostStart { world, password, instance: None, address: None, port: 7, version: None };
    session.done(&Request::HostStart(start));
}

/// A game server listens to the channel.
fn listen(session: &mut Session) {
    session.done(&Request::RelayJoin(RelayJoin { channel: CHANNEL.into(), since: None, epoch: None }));
    session.subscriptions = on(Topic::Channel(CHANNEL.into()));
}
