//! A small world: one thread with all its connections, which a test makes do what worlds do to those who play in them.

use super::codes::option::MCCP2;
use super::engine::{Engine, FIRST, Order, WAKER};
use super::kind::Kind;
use super::options::End;
use super::player::Player;
use super::record::{Connection, Preamble, Record, Told};
use crate::harness::own_address;
use mio::{Poll, Waker};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

/// A world that is about to be.
pub struct WorldPlan {
    kind: Kind,
    preamble: Preamble,
    extra: Vec<u8>,
    place: Place,
    mute: bool,
}

/// Where a world listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the network.
    Network(SocketAddr),
    /// At a path of this machine.
    Path(PathBuf),
}

impl WorldPlan {
    /// Expects this in front of everything, and says nothing before.
    pub fn behind(self, preamble: Preamble) -> WorldPlan {
        WorldPlan { preamble, ..self }
    }

    /// Offers to do this as well.
    pub fn offering(mut self, option: u8) -> WorldPlan {
        self.extra.push(option);
        self
    }

    /// Listens at a path, and nowhere in the network.
    pub fn at_path(self, path: &Path) -> WorldPlan {
        WorldPlan { place: Place::Path(path.to_owned()), ..self }
    }

    /// Accepts connections and says nothing, until it [wakes](World::wakes).
    pub fn asleep(self) -> WorldPlan {
        WorldPlan { mute: true, ..self }
    }

    /// The world, which listens.
    pub fn start(self) -> World {
        let mut world = self.make();
        world.starts();
        world
    }

    /// The world, which does not listen yet; it has its address.
    pub fn make(self) -> World {
        let poll = Poll::new().expect("a poll");
        let waker = Waker::new(poll.registry(), WAKER).expect("a waker");
        let record = Arc::new(Record::default());
        let place = match self.place {
            // Others have their own addresses, so the port stays free.
            Place::Network(at) => {
                let listener = std::net::TcpListener::bind(at).expect("an address of its own");
                Place::Network(listener.local_addr().expect("an address"))
            }
            path @ Place::Path(_) => path,
        };
        let (orders, given) = channel();
        let mut engine = Engine::new(poll, record.clone(), self.kind, self.preamble, self.extra);
        engine.mute = self.mute;
        let thread = std::thread::spawn(move || engine.run(&given));
        World { record, orders: Some(orders), waker, place, thread: Some(thread) }
    }
}

/// How connections are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// As by the kernel for a process that has ended and had read everything.
    Fin,
    /// As for one that had not.
    Reset,
}

/// A small world. Everybody has a place in it, with the password `secret-of-NAME`. A player may type `echo TEXT`, `spam LINES`,
/// `prompt`, `hang` and `quit`.
pub struct World {
    record: Arc<Record>,
    orders: Option<Sender<Order>>,
    waker: Waker,
    place: Place,
    thread: Option<JoinHandle<()>>,
}

impl World {
    /// One of this kind, at an address of its own.
    pub fn plan(kind: Kind) -> WorldPlan {
        let place = Place::Network(SocketAddr::new(own_address().parse().expect("an address"), 0));
        WorldPlan { kind, preamble: Preamble::None, extra: Vec::new(), place, mute: false }
    }

    /// One of this kind, which listens.
    pub fn start(kind: Kind) -> World {
        World::plan(kind).start()
    }

    /// Where it listens, or has listened, or will.
    pub fn at(&self) -> SocketAddr {
        match &self.place {
            Place::Network(at) => *at,
            Place::Path(path) => panic!("it is at {}", path.display()),
        }
    }

    /// Where it is, as the config names it.
    pub fn address(&self) -> String {
        match &self.place {
            Place::Network(at) => at.to_string(),
            Place::Path(path) => path.display().to_string(),
        }
    }

    /// Does this on the world's thread, and waits until it is done.
    fn act<T: Send + 'static>(&self, act: impl FnOnce(&mut Engine) -> T + Send + 'static) -> T {
        let (tell, done) = channel();
        let order: Order = Box::new(move |engine| drop(tell.send(act(engine))));
        self.orders.as_ref().and_then(|orders| orders.send(order).ok()).expect("the world's thread");
        self.waker.wake().expect("a waker");
        done.recv_timeout(crate::harness::PATIENCE).expect("the world's thread has not died")
    }

    /// Listens, where it has listened before.
    pub fn starts(&mut self) {
        let place = self.place.clone();
        self.act(move |engine| engine.listen(&place));
    }

    /// Listens at another port of its address from now on; whoever is connected stays.
    pub fn moves(&mut self) {
        // While somebody has the port that it had, that one is not given again.
        let held = std::net::TcpListener::bind(self.at());
        let other = std::net::TcpListener::bind(SocketAddr::new(self.at().ip(), 0)).expect("a port");
        self.place = Place::Network(other.local_addr().expect("an address"));
        drop((held, other));
        self.starts();
    }

    /// Dies: nobody listens, and all connections end at once.
    pub fn crashes(&self, cut: Cut) {
        self.act(move |engine| engine.crash(cut));
    }

    /// Says this to all and ends.
    pub fn shuts_down(&self, farewell: &'static str) {
        self.act(move |engine| {
            engine.listener = None;
            engine.bodies.clear();
            let all: Vec<usize> = engine.players.keys().copied().collect();
            all.into_iter().for_each(|key| engine.dismiss(key, farewell));
        });
    }

    /// Says this to one and ends his connection.
    pub fn boots(&self, name: &str, farewell: &'static str) {
        let name = name.to_owned();
        self.act(move |engine| {
            let key = engine.place_of(&name).unwrap_or_else(|| panic!("{name} does not play"));
            engine.dismiss(key, farewell);
        });
    }

    /// Says this over a connection and ends it.
    pub fn ends(&self, to: &Connection, farewell: &'static str) {
        let key = to.number + FIRST;
        self.act(move |engine| engine.dismiss(key, farewell));
    }

    /// Listens, where it has listened before, and says nothing until it [wakes](World::wakes).
    pub fn starts_asleep(&mut self) {
        self.act(|engine| engine.mute = true);
        self.starts();
    }

    /// Neither reads nor answers until it [wakes](World::wakes).
    pub fn sleeps(&self) {
        self.act(|engine| engine.mute = true);
    }

    /// Puts another program in its place, which keeps the connections and negotiates anew.
    pub fn restarts_warmly(&self) {
        self.act(|engine| {
            for player in engine.players.values_mut() {
                player.forget();
                player.say(b"\r\nThe world restarts.\r\n");
                player.offer(engine.kind.offers());
                player.offer(engine.kind.offers_later());
                player.offer_extra();
                player.flush();
            }
        });
    }

    /// Speaks, after it has accepted and said nothing.
    pub fn wakes(&self) {
        self.act(|engine| {
            engine.mute = false;
            let keys: Vec<usize> = engine.players.keys().copied().collect();
            for key in keys {
                engine.greet(key);
                engine.serve(key);
            }
        });
    }

    /// Does not take this name from now on, and says so.
    pub fn refuses(&self, name: &str, text: &'static str) {
        let name = name.to_owned();
        self.act(move |engine| engine.refused.insert(name, text));
    }

    /// Takes this name again.
    pub fn lets_in(&self, name: &str) {
        let name = name.to_owned();
        self.act(move |engine| engine.refused.remove(&name));
    }

    /// Takes `pass WORD` as a login from now on, of whom this says that it is; not in a Diku.
    pub fn takes_passes(&self, redeems: impl FnMut(&str) -> Option<String> + Send + 'static) {
        self.act(move |engine| engine.redeems = Some(Box::new(redeems)));
    }

    /// Gives somebody another password.
    pub fn sets_password(&self, name: &str, password: &str) {
        let (name, password) = (name.to_owned(), password.to_owned());
        self.act(move |engine| engine.passwords.insert(name, password));
    }

    /// Says this over a connection; 255 is doubled.
    pub fn says(&self, to: &Connection, text: &[u8]) {
        let text = text.to_vec();
        self.with(to, move |player| player.say(&text));
    }

    /// Sends these bytes over a connection as they are.
    pub fn sends(&self, to: &Connection, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.with(to, move |player| player.raw(&bytes));
    }

    /// Asks for something over a connection, and marks the end.
    pub fn prompts(&self, to: &Connection, text: &[u8]) {
        let text = text.to_vec();
        self.with(to, move |player| player.prompt(&text));
    }

    /// Hides what is typed over a connection, or shows it again.
    pub fn hides(&self, to: &Connection, hidden: bool) {
        self.with(to, move |player| player.hide(hidden));
    }

    /// Offers over a connection to compress what it says, or ends that.
    pub fn compresses(&self, to: &Connection, on: bool) {
        let mark = to.told().len();
        self.with(to, move |player| player.ask(End::Ours, MCCP2, on));
        to.wait_after(mark, &Told::Agreed(End::Ours, MCCP2, on));
    }

    /// Ends what is compressed over a connection, with no word of telnet.
    pub fn ends_stream(&self, to: &Connection) {
        self.with(to, Player::end_stream);
    }

    /// Sends these bytes over a connection as they are, though what they stand between is compressed.
    pub fn sends_uncompressed(&self, to: &Connection, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.with(to, move |player| player.raw_behind_all(&bytes));
    }

    /// Says half of this over a connection, as far as bytes go.
    pub fn begins_to_say(&self, to: &Connection, text: &[u8]) {
        let text = text.to_vec();
        self.with(to, move |player| player.begin_to_say(&text));
    }

    /// Says the other half.
    pub fn ends_saying(&self, to: &Connection) {
        self.with(to, Player::end_saying);
    }

    fn with(&self, to: &Connection, act: impl FnOnce(&mut Player) + Send + 'static) {
        let number = to.number;
        self.act(move |engine| {
            let player = engine.players.get_mut(&(number + FIRST)).expect("a connection that stands");
            act(player);
            player.flush();
        });
    }

    /// How many connections there have been.
    pub fn count(&self) -> usize {
        self.record.count()
    }

    /// How many connections there are.
    pub fn connected(&self) -> usize {
        self.act(|engine| engine.players.len())
    }

    /// Waits for this connection, counted from 0 on since the world was made.
    #[track_caller]
    pub fn connection(&self, number: usize) -> Connection {
        self.record.wait(&format!("connection {number}"), |all| (all.len() > number).then_some(()));
        Connection::of(&self.record, number)
    }

    /// Waits until somebody has logged in on one of the connections from this one on.
    #[track_caller]
    pub fn player_from(&self, first: usize, name: &str) -> Connection {
        let wanted = Told::LoggedIn(name.to_owned());
        let number = self.record.wait(&format!("a login of {name}"), |all| {
            Some(first + all.get(first..)?.iter().position(|told| told.contains(&wanted))?)
        });
        Connection::of(&self.record, number)
    }

    /// Waits until somebody has logged in.
    #[track_caller]
    pub fn player(&self, name: &str) -> Connection {
        self.player_from(0, name)
    }

    /// The first thing that no sound client does, which must have been done; it is forgiven.
    pub fn fault(&self) -> Option<String> {
        self.record.fault()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.waker.wake();
        let died = self.thread.take().is_some_and(|thread| thread.join().is_err());
        if std::thread::panicking() {
            eprintln!("a fault at the world: {:?}", self.record.fault());
        } else {
            assert!(!died, "the world's thread has died");
            assert_eq!(self.record.fault(), None);
        }
    }
}
