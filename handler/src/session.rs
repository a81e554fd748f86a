//! One worker's session as the event loop keeps it: who it is, what it may ask, what waits.

use crate::core::Identity;
use crate::link::Link;
use crate::server::Order;
use ssmglobal_config::shown;
use ssmglobal_ipc::frame::FrameReader;
use ssmglobal_ipc::{Lane, Mode, Open, Request, State, Time};
use ssmglobal_store::{BoardId, Owner, PlayerId};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// Bytes of requests that may wait for others of their session before it is read on.
const WAITING: usize = 1 << 20;

/// A request as it has come.
#[derive(Debug)]
pub struct Asked {
    /// Its number.
    pub number: u64,
    /// What is asked.
    pub request: Request,
    /// The client's own key for it, and the digest of what is asked.
    pub key: Option<Box<(String, [u8; 32])>>,
    /// Bytes of it.
    pub size: usize,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    /// Told apart from every other of this handler.
    pub id: u64,
    /// As the listener has numbered it; 0 while its word is on its way.
    pub number: u64,
    /// Requests with smaller numbers may have been done by a handler before this one.
    pub fresh: u64,
    /// Its first request, which waits for the listener's word.
    pub held: Option<(u64, Open)>,
    /// Its worker's link.
    pub link: Arc<Link>,
    /// Bytes from it.
    pub reader: FrameReader,
    /// Its worker, as the kernel says.
    pub pid: i32,
    /// Its client, as the listener says; nothing while the listener's word is on its way.
    pub address: Option<SocketAddr>,
    /// When the client was accepted.
    pub since: Time,
    /// What it may ask.
    pub state: State,
    /// How it speaks.
    pub mode: Mode,
    /// Who it is.
    pub identity: Option<Identity>,
    /// Since when.
    pub proved: Time,
    /// Its login was taken back: what it asks is on its way since before it heard of that.
    pub logged_out: bool,
    /// Its last request.
    pub last: Instant,
    /// Where its requests are.
    pub lane: Lane,
    /// Requests that wait for the lane to be empty.
    pub waiting: VecDeque<Asked>,
    /// Bytes of them.
    pub waiting_bytes: usize,
    /// It has broken the rules: nothing more is taken from it.
    pub over: bool,
    /// Whether its requests come as those of a sound worker do.
    pub order: Order,
    /// Boards whose first places it wants to hear of.
    pub watches: Vec<BoardId>,
    /// Relay channels it has joined, by their place in the hub.
    pub channels: Vec<usize>,
}

impl Session {
    /// A session that has just linked up.
    pub fn new(id: u64, link: Arc<Link>, pid: i32) -> Session {
        Session {
            id,
            number: 0,
            fresh: 0,
            held: None,
            link,
            reader: FrameReader::new(),
            pid,
            address: None,
            since: Time::now(),
            state: State::New,
            mode: Mode::Ask,
            identity: None,
            proved: Time::default(),
            logged_out: false,
            last: Instant::now(),
            lane: Lane::Inline,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            over: false,
            order: Order::default(),
            watches: Vec::new(),
            channels: Vec::new(),
        }
    }

    /// So much waits that nothing further is read.
    pub fn is_full(&self) -> bool {
        self.waiting_bytes > WAITING
    }

    /// The player that is logged in.
    pub fn player(&self) -> Option<PlayerId> {
        match &self.identity {
            Some(Identity::Player(id, _)) => Some(*id),
            _ => None,
        }
    }

    /// The player or game server, as an owner of things.
    pub fn owner(&self) -> Option<Owner> {
        match &self.identity {
            Some(Identity::Player(id, _)) => Some(Owner::Player(*id)),
            Some(Identity::Server(id, _)) => Some(Owner::Server(*id)),
            None => None,
        }
    }

    /// The player's or game server's name.
    pub fn name(&self) -> Option<&str> {
        match &self.identity {
            Some(Identity::Player(_, name) | Identity::Server(_, name)) => Some(name),
            None => None,
        }
    }

    /// The client's address for the log.
    pub fn peer(&self) -> String {
        self.address.map_or_else(|| format!("pid {}", self.pid), shown)
    }
}
