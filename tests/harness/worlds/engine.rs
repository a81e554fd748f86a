//! What runs on the thread of a small world: its listener, and all of its connections.

use super::kind::{Act, Kind, Known, Stage};
use super::player::{Player, Socket};
use super::record::{Preamble, Record, Told};
use super::world::{Cut, Place};
use mio::net::{TcpListener, UnixListener};
use mio::{Events, Interest, Poll, Token};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};

/// Of what wakes the thread for an order.
pub const WAKER: Token = Token(0);
const LISTENER: Token = Token(1);
/// The token of the first connection.
pub const FIRST: usize = 2;

/// Something to be done on the thread.
pub type Order = Box<dyn FnOnce(&mut Engine) + Send>;

/// Whose a pass is, if it is good.
pub type Redeems = Box<dyn FnMut(&str) -> Option<String> + Send>;

/// Where connections come from.
pub enum Listener {
    /// The network.
    Tcp(TcpListener),
    /// This machine.
    Unix(UnixListener),
}

/// What runs on the world's thread.
pub struct Engine {
    poll: Poll,
    /// None: it does not listen.
    pub listener: Option<Listener>,
    /// All connections, by their tokens.
    pub players: BTreeMap<usize, Player>,
    record: Arc<Record>,
    /// What it is like.
    pub kind: Kind,
    preamble: Preamble,
    extra: Vec<u8>,
    /// Accepts connections and says nothing.
    pub mute: bool,
    /// Those of players who have another one than all have.
    pub passwords: BTreeMap<String, String>,
    /// Names that it does not take now, and what it says to them.
    pub refused: BTreeMap<String, &'static str>,
    /// Finds out whose a pass is, where the world takes passes.
    pub redeems: Option<Redeems>,
    /// Those who are in the world without a connection.
    pub bodies: BTreeSet<String>,
}

impl Engine {
    /// One that does not listen yet; `extra` are options that it offers besides those of its kind.
    pub fn new(poll: Poll, record: Arc<Record>, kind: Kind, preamble: Preamble, extra: Vec<u8>) -> Engine {
        Engine {
            poll,
            listener: None,
            players: BTreeMap::new(),
            record,
            kind,
            preamble,
            extra,
            mute: false,
            passwords: BTreeMap::new(),
            refused: BTreeMap::new(),
            redeems: None,
            bodies: BTreeSet::new(),
        }
    }

    /// Serves until nobody gives orders any more.
    pub fn run(mut self, orders: &Receiver<Order>) {
        let mut events = Events::with_capacity(256);
        loop {
            if let Err(error) = self.poll.poll(&mut events, None) {
                assert_eq!(error.kind(), std::io::ErrorKind::Interrupted);
            }
            for event in &events {
                match event.token() {
                    WAKER => loop {
                        match orders.try_recv() {
                            Ok(order) => order(&mut self),
                            Err(TryRecvError::Empty) => break,
                            Err(TryRecvError::Disconnected) => return,
                        }
                    },
                    LISTENER => self.accept(),
                    Token(key) => self.serve(key),
                }
            }
        }
    }

    /// Listens there, and nowhere else.
    pub fn listen(&mut self, place: &Place) {
        self.listener = None;
        let listener = match place {
            Place::Network(at) => {
                let mut listener = TcpListener::bind(*at).expect("an address of its own");
                self.poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("a poll");
                Listener::Tcp(listener)
            }
            Place::Path(path) => {
                // Who has died has left it there.
                let _ = std::fs::remove_file(path);
                let mut listener = UnixListener::bind(path).expect("a path of its own");
                self.poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("a poll");
                Listener::Unix(listener)
            }
        };
        self.listener = Some(listener);
    }

    fn accept(&mut self) {
        loop {
            let accepted = match &self.listener {
                Some(Listener::Tcp(listener)) => listener.accept().map(|(stream, _)| Socket::Tcp(stream)),
                Some(Listener::Unix(listener)) => listener.accept().map(|(stream, _)| Socket::Unix(stream)),
                None => return,
            };
            let Ok(mut socket) = accepted else { return };
            let interest = Interest::READABLE | Interest::WRITABLE;
            let key = self.record.count() + FIRST;
            let registry = self.poll.registry();
            match &mut socket {
                Socket::Tcp(stream) => {
                    stream.set_nodelay(true).expect("a socket");
                    registry.register(stream, Token(key), interest)
                }
                Socket::Unix(stream) => registry.register(stream, Token(key), interest),
            }
            .expect("a poll");
            let player = Player::new(socket, self.kind, self.preamble, &self.extra, &self.record);
            self.players.insert(key, player);
            self.greet(key);
        }
    }

    /// Says what is said first, if it was not said yet.
    pub fn greet(&mut self, key: usize) {
        let Some(player) = self.players.get_mut(&key) else { return };
        let waits = self.preamble != Preamble::None && !player.begun;
        if self.mute || waits || player.stage != Stage::New {
            return;
        }
        player.offer(self.kind.offers());
        player.offer_extra();
        if self.kind != Kind::Silent {
            player.stage = Stage::Name;
            self.perform(key, self.kind.greeting());
        }
        self.flush(key);
    }

    /// Takes what has come over a connection, and answers it.
    pub fn serve(&mut self, key: usize) {
        // Who sleeps does not read either.
        let Some(player) = self.players.get_mut(&key).filter(|_| !self.mute) else { return };
        let (begun, told) = (player.begun, self.record.told(player.number()));
        let (lines, stands) = player.read();
        if player.begun && !begun {
            self.greet(key);
        }
        self.speak_up(key, told);
        for line in lines {
            self.answer(key, &line);
        }
        if !stands {
            self.leave(key);
        }
        self.flush(key);
    }

    /// One who has said nothing hears nothing from a silent world; and once he has, all that others hear at first.
    fn speak_up(&mut self, key: usize, told_before: usize) {
        let Some(player) = self.players.get_mut(&key) else { return };
        let said = self.record.told(player.number()) > told_before;
        if self.kind == Kind::Silent && player.begun && player.stage == Stage::New && said {
            player.stage = Stage::Name;
            player.offer(self.kind.offers_later());
            self.perform(key, self.kind.greeting());
        }
    }

    fn answer(&mut self, key: usize, line: &[u8]) {
        let Some(player) = self.players.get_mut(&key) else { return };
        if player.is_deaf() {
            return;
        }
        let mut stage = std::mem::take(&mut player.stage);
        let text = String::from_utf8_lossy(line);
        let pass = text.strip_prefix("pass ").filter(|_| matches!(stage, Stage::New | Stage::Name));
        let holder = pass.zip(self.redeems.as_mut()).map(|(pass, redeems)| redeems(pass));
        let known = |name: &str| Known {
            password: self.passwords.get(name).cloned().unwrap_or_else(|| format!("secret-of-{name}")),
            refused: self.refused.get(name).copied(),
            inside: self.bodies.contains(name) || self.place_of(name).is_some(),
        };
        let acts = match holder {
            Some(Some(name)) => self.kind.lets_in(&mut stage, &name),
            Some(None) => Kind::takes_no_pass(),
            None => self.kind.answer(&mut stage, line, known),
        };
        // Whoever plays under this name already is found before this one does.
        if let Some(Act::Enter(name)) = acts.iter().find(|act| matches!(act, Act::Enter(_))) {
            if let (Some(text), Some(other)) = (self.kind.takes_over(), self.place_of(name)) {
                self.dismiss(other, text);
            }
            self.bodies.remove(name);
        }
        if let Some(player) = self.players.get_mut(&key) {
            player.stage = stage;
        }
        self.perform(key, acts);
    }

    fn perform(&mut self, key: usize, acts: Vec<Act>) {
        let Some(player) = self.players.get_mut(&key) else { return };
        for act in acts {
            match act {
                Act::Say(text) => player.say(&text),
                Act::Prompt(text) => player.prompt(text.as_bytes()),
                Act::Hide(hidden) => player.hide(hidden),
                Act::Enter(name) => self.record.note(player.number(), Told::LoggedIn(name)),
                Act::Spam(lines) => player.print(lines),
                Act::Close => {
                    player.closing = true;
                    // Who says goodbye leaves nobody behind.
                    player.stage = Stage::Name;
                }
            }
        }
    }

    fn flush(&mut self, key: usize) {
        let stands = self.players.get_mut(&key).is_none_or(Player::flush);
        if !stands {
            self.leave(key);
        }
    }

    /// The connection is gone.
    fn leave(&mut self, key: usize) {
        let Some(gone) = self.players.remove(&key) else { return };
        if !gone.closing {
            self.record.note(gone.number(), Told::Ended);
        }
        if let Some(name) = gone.name().filter(|_| self.kind.keeps_bodies()) {
            self.bodies.insert(name.to_owned());
        }
    }

    /// Says this and closes.
    pub fn dismiss(&mut self, key: usize, text: &str) {
        self.perform(key, vec![Act::Say(text.as_bytes().to_vec()), Act::Close]);
        self.flush(key);
    }

    /// Where somebody plays.
    pub fn place_of(&self, name: &str) -> Option<usize> {
        self.players.iter().find(|(_, player)| player.name() == Some(name)).map(|(key, _)| *key)
    }

    /// Nobody listens, and all connections end at once.
    pub fn crash(&mut self, cut: Cut) {
        self.listener = None;
        self.bodies.clear();
        for player in std::mem::take(&mut self.players).into_values() {
            if let (Cut::Reset, Socket::Tcp(stream)) = (cut, &player.socket) {
                let socket = socket2::SockRef::from(stream);
                socket.set_linger(Some(std::time::Duration::ZERO)).expect("a socket");
            }
        }
    }
}
