//! Players' connections to worlds: made here, and passed on to workers, who can connect to nothing. Part of the event loop.
//!
//! What is decided of a world is in `state/plays`; here are sockets, answers and events.

mod broker;
mod operator;
pub mod preamble;
mod ticket;
mod verdict;
mod watch;
mod wires;

use super::EventLoop;
use crate::link::ReplyTo;
use crate::state::audit::{Happened, Whose};
use crate::state::plays::{Act, Played, Stay, Wish, WorldKey, digest};
use crate::state::session::SessionRef;
use ssmglobal_config::play::{FailBack, WorldAddress};
use ssmglobal_ipc::frame::put_reply;
use ssmglobal_ipc::{
    Code, Done, Event, Failure, PlayDo, PlayHow, PlayOrder, PlayReady, PlayStarted, PlayState, Reply, Secret, Time,
};
use ssmglobal_store::PlayerId;
use std::collections::{BTreeSet, HashMap};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use verdict::Questions;
use wires::{Became, Wires};

/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(3);

/// How often it is looked in one turn what connections and worlds have come to.
const ROUNDS: usize = 4;

/// Who has asked for something, and gets the answer when it is known.
pub(super) struct Asker {
    at: SessionRef,
    to: ReplyTo,
    session: u64,
}

/// What a connection is for.
pub(super) enum Purpose {
    /// A player's.
    Player { asker: Asker, world: Played, since: Time, again: bool, place: usize, began: Instant },
    /// Whether a world listens at this place.
    Probe { world: WorldKey, place: usize, began: Instant },
    /// Whether a world is there, whose connections have ended; `again`: others have ended too, and it is looked at once more.
    Verdict { askers: Vec<Asker>, world: Played, place: usize, began: Instant, again: bool },
    /// Kept, to see when it ends.
    Heartbeat { world: WorldKey, place: usize },
}

/// Connections to worlds that the handler has, and what is to be done.
pub(super) struct Play {
    /// The connections.
    pub wires: Wires<Purpose>,
    /// Those that look whether a world listens, by world and place.
    probes: HashMap<(WorldKey, usize), usize>,
    /// Those that are kept, by world.
    heartbeats: HashMap<WorldKey, usize>,
    questions: Questions,
    /// Those that are being made for a player, by session: one for each.
    pending: HashMap<u64, usize>,
    /// Worlds of which something has changed.
    touched: BTreeSet<WorldKey>,
    /// When something is to be done about a world.
    due: BTreeSet<(Instant, WorldKey)>,
    due_of: HashMap<WorldKey, Instant>,
}

impl Play {
    /// None yet; the event loop knows them by tokens from `first` on.
    pub fn new(first: usize) -> Play {
        Play {
            wires: Wires::new(first),
            probes: HashMap::new(),
            heartbeats: HashMap::new(),
            questions: Questions::default(),
            pending: HashMap::new(),
            touched: BTreeSet::new(),
            due: BTreeSet::new(),
            due_of: HashMap::new(),
        }
    }

    fn put_off(&mut self, world: WorldKey, due: Option<Instant>) {
        if let Some(before) = self.due_of.remove(&world) {
            self.due.remove(&(before, world.clone()));
        }
        if let Some(due) = due {
            self.due.insert((due, world.clone()));
            self.due_of.insert(world, due);
        }
    }
}

impl EventLoop {
    /// Does what a worker wants of a world, or notes what it says.
    pub(super) fn play_wish(&mut self, at: SessionRef, to: &ReplyTo, wish: Wish) {
        let Some(session) = self.state.live(at).map(|session| session.number) else { return };
        let asker = Asker { at, to: to.clone(), session };
        match wish {
            Wish::Start { world, since, from, tried, again } => {
                if let Some((tried, good)) = tried {
                    self.has_tried(&tried, good);
                    if !good {
                        let msg = "No game goes on by that word. It may be over, or the word is another one.";
                        return self.batch.reply(to, &Reply::fail(Code::NotFound, msg));
                    }
                }
                self.play_start(asker, world, since, from, again);
            }
            Wish::Ended { world } => self.play_ended(asker, world),
            Wish::At { world, state, word, idle } => self.play_at(&asker, &world, state, &word, idle),
            Wish::Left { key } => {
                self.state.plays.leave(session, &key);
                self.play_orphans(session, &key);
                self.play_touch(&key);
                self.batch.reply(to, &Reply::Done(Done {}));
            }
        }
    }

    /// A worker says how its session is at a world. That it has begun there it proves by the word, which it was given then.
    fn play_at(&mut self, asker: &Asker, world: &Played, state: PlayState, word: &Secret, idle: u64) {
        let session = asker.session;
        let own = self.tickets.word(session, &world.key).map(|own| digest(&own));
        if own != Some(digest(word)) {
            let msg = format!("You are not at {}. PLAY {0} first.", world.name);
            return self.batch.reply(&asker.to, &Reply::fail(Code::NotFound, msg));
        }
        let typed = self.now.checked_sub(Duration::from_secs(idle)).unwrap_or(self.now);
        let before = self.state.plays.get(session, &world.key).cloned();
        let (player, place, shares, began) = match before {
            Some(Stay { player, place, shares, began, .. }) => (player, place, shares, began),
            None => (self.play_player(asker.at), None, None, None),
        };
        let stay = Stay { state, word: digest(word), player, typed, place, shares, began, ended: None };
        if self.state.plays.put(session, &world.key, stay) {
            let at = self.state.plays.world(world, self.now);
            match state {
                PlayState::Waits => at.wait(session, typed, self.now),
                PlayState::Plays => _ = at.leave(session),
                // It may wait all the same, for a player who is away.
                PlayState::Alone => {}
            }
            // Where others of his go on with it he need not be fetched.
            let is_kept = |player: &PlayerId| {
                state == PlayState::Alone && self.state.plays.sharers(*player, &world.key, session) == 0
            };
            if let Some(player) = player.filter(is_kept) {
                self.play_is_kept(player, &world.key, &world.name);
            }
        }
        self.play_touch(&world.key);
        self.batch.reply(&asker.to, &Reply::Done(Done {}));
    }

    /// The player by whom a session is used, if one has logged in.
    fn play_player(&self, at: SessionRef) -> Option<PlayerId> {
        self.state.live(at)?.who()?.as_player()
    }

    fn play_start(&mut self, asker: Asker, world: Played, since: Time, from: Option<u64>, again: bool) {
        let now = self.now;
        // It has come for its turn, if that was it.
        self.state.plays.world(&world, now).leave(asker.session);
        if let Some(other) = from {
            return self.play_take_over(asker, &world, other);
        }
        let Some(asker) = self.play_with_another(asker, &world, again) else { return };
        let at = self.state.plays.world(&world, now);
        let (place, address) = (at.in_use(), at.address().cloned());
        let Some(address) = address.filter(|_| !at.is_awaited()) else { return self.play_waits(&asker, &world) };
        if let Some(fd) = self.play_spare(&world.key, place) {
            return self.play_connected(&asker, &world, (since, again), place, fd);
        }
        if !self.play.wires.has_room() {
            let msg = "Too many are on their way to worlds. Try again in a moment.";
            return self.batch.reply(&asker.to, &Failure::new(Code::Busy, msg).into());
        }
        let session = asker.session;
        let purpose = Purpose::Player { asker, world, since, again, place, began: now };
        let number = self.play.wires.dial(&self.registry, &address, purpose, CONNECTING, now);
        if let Some(before) = self.play.pending.insert(session, number)
            && let Some((_, Purpose::Player { asker, .. })) = self.play.wires.take(&self.registry, before)
        {
            // A sound worker has asked it over a link that it has lost.
            self.batch.reply(&asker.to, &Reply::fail(Code::Busy, "You have asked for another connection since."));
        }
    }

    /// The world is down: the session waits for it.
    fn play_waits(&mut self, asker: &Asker, world: &Played) {
        let typed = self.state.plays.get(asker.session, &world.key).map_or(self.now, |stay| stay.typed);
        self.play_started(asker, world, (PlayHow::Waits, None), None);
        if self.state.plays.get(asker.session, &world.key).is_some() {
            self.state.plays.world(world, self.now).wait(asker.session, typed, self.now);
        }
        self.play_touch(&world.key);
    }

    /// A connection is there: the world is told from where its player comes, and the worker gets it.
    /// `since`: when he first came; `again`: his connection before this one has ended with the world.
    fn play_connected(
        &mut self,
        asker: &Asker,
        world: &Played,
        (since, again): (Time, bool),
        place: usize,
        fd: OwnedFd,
    ) {
        let from = self.state.live(asker.at).and_then(|session| session.address);
        let address = self.state.plays.known(&world.key).and_then(|world| world.address_at(place));
        let to = match address {
            Some(WorldAddress::At(at)) => Some(*at),
            Some(WorldAddress::Unix(_)) | None => None,
        };
        if let Some(WorldAddress::At(_)) = address {
            let vanished = self.shared.settings().limits.vanished_seconds;
            let _ = ssmglobal_sys::gone_after(&fd, Duration::from_secs(vanished));
        }
        let preamble = preamble::of_player(world.terms.real_address, from, to, since);
        match write_whole(&fd, &preamble) {
            true => {
                self.play_started(asker, world, (PlayHow::New, Some(place)), Some(fd));
                if again {
                    self.state.plays.world(world, self.now).has_returned();
                }
            }
            false => self.play_waits(asker, world),
        }
        self.play_touch(&world.key);
    }

    /// Answers how a session is connected with a world from now on.
    fn play_started(
        &mut self,
        asker: &Asker,
        world: &Played,
        (how, place): (PlayHow, Option<usize>),
        fd: Option<OwnedFd>,
    ) {
        // Nobody is told of a connection that nobody can get.
        if self.state.live(asker.at).is_none_or(|session| session.number != asker.session) {
            return;
        }
        let Some(word) = self.tickets.word(asker.session, &world.key) else { return };
        let before = self.state.plays.get(asker.session, &world.key);
        let state = match how {
            // Its client does not come back; who comes instead is another session.
            _ if before.is_some_and(|stay| stay.state == PlayState::Alone) => PlayState::Alone,
            PlayHow::Waits => PlayState::Waits,
            PlayHow::New | PlayHow::TakenOver | PlayHow::Shared => PlayState::Plays,
        };
        let player = before.map_or_else(|| self.play_player(asker.at), |stay| stay.player);
        let typed = before.map_or(self.now, |stay| stay.typed);
        // One that is taken over is older.
        let began = (how == PlayHow::New).then_some(self.now);
        let stay = Stay { state, word: digest(&word), player, typed, place, shares: None, began, ended: None };
        if !self.state.plays.put(asker.session, &world.key, stay) {
            let msg = "This connection is at too many worlds. Leave one of them first.";
            return self.batch.reply(&asker.to, &Failure::new(Code::Limit, msg).into());
        }
        let terms = serde_json::to_string(&world.terms.for_workers()).unwrap_or_default();
        let ticket = if how == PlayHow::New { self.play_ticket(asker.at, world) } else { None };
        let started = PlayStarted { world: world.name.to_string(), terms, how, word, ticket };
        let to = &asker.to;
        to.link.put_with_fds(|out| put_reply(out, to.number, &Reply::PlayStarted(started)), fd.into_iter().collect());
        self.batch.is_answered(to);
        if how != PlayHow::Waits {
            self.play_call_sharers(asker.session, world);
        }
    }

    /// A session is over, and with it what it plays.
    pub(super) fn play_ends(&mut self, session: u64) {
        let at = self.state.plays.ends(session);
        at.iter().for_each(|key| self.play_orphans(session, key));
        self.play.touched.extend(at);
    }

    /// Something of a world has changed, so that something may be due.
    pub(super) fn play_touch(&mut self, world: &str) {
        if let Some(key) = self.state.plays.known(world).map(|world| world.key.clone()) {
            self.play.touched.insert(key);
        }
    }

    /// How long to wait at the most before something is to be done about worlds that are played.
    pub(super) fn play_due(&self) -> Option<Duration> {
        // Nobody is called, and nothing decided, before all are back who were here.
        if self.recovery.is_on() {
            return None;
        }
        let play = &self.play;
        if play.wires.has_news() || !play.touched.is_empty() || play.questions.are_to_be_asked() {
            return Some(Duration::ZERO);
        }
        let due = play.wires.next_due().into_iter().chain(play.due.first().map(|(due, _)| *due)).min();
        due.map(|due| due.saturating_duration_since(Instant::now()))
    }

    /// Does what connections have come to, and what is due.
    pub(super) fn play_on(&mut self) {
        if self.recovery.is_on() {
            return;
        }
        self.play.wires.look_after(&self.registry, self.now);
        for _ in 0..ROUNDS {
            self.play_ask();
            while let Some((number, became)) = self.play.wires.next_news() {
                self.play_wire(number, became);
            }
            while let Some((due, _)) = self.play.due.first().filter(|(due, _)| *due <= self.now).cloned() {
                let Some((_, world)) = self.play.due.pop_first() else { break };
                if self.play.due_of.get(&world) == Some(&due) {
                    self.play.due_of.remove(&world);
                }
                self.play.touched.insert(world);
            }
            for world in std::mem::take(&mut self.play.touched) {
                self.play_act(&world);
            }
            if !self.play.wires.has_news() && self.play.touched.is_empty() {
                return;
            }
        }
    }

    fn play_wire(&mut self, number: usize, became: Became) {
        match self.play.wires.get(number).map(|wire| &wire.purpose) {
            Some(Purpose::Player { .. }) => self.player_wire(number, became),
            Some(Purpose::Probe { .. }) => self.probe_wire(number, became),
            Some(Purpose::Verdict { .. }) => self.verdict_wire(number, became),
            Some(Purpose::Heartbeat { .. }) => self.heartbeat_wire(number, became),
            None => {}
        }
    }

    fn player_wire(&mut self, number: usize, became: Became) {
        let Some((fd, purpose)) = self.play.wires.take(&self.registry, number) else { return };
        let Purpose::Player { asker, world, since, again, place, began } = purpose else { return };
        self.play.pending.remove(&asker.session);
        let at = self.state.plays.world(&world, self.now);
        match (became, fd) {
            (Became::Open | Became::Spoke, Some(fd)) => {
                at.accepted(place, false, self.now);
                self.play_connected(&asker, &world, (since, again), place, fd);
            }
            (Became::Failed(error), _) if wires::is_ours(error) => {
                log::error!("no connection to the world {} can be made: {}", world.name, error.desc());
                let msg = "No connection can be made at the moment. Try again in a moment.";
                self.batch.reply(&asker.to, &Failure::new(Code::Busy, msg).into());
            }
            _ => {
                at.failed(place, began, self.now);
                self.play_waits(&asker, &world);
            }
        }
        self.play_touch(&world.key);
    }

    /// Does what is due about a world.
    fn play_act(&mut self, key: &WorldKey) {
        let now = self.now;
        self.play_keep_heartbeat(key);
        let Some(world) = self.state.plays.known_mut(key) else { return self.play.put_off(key.clone(), None) };
        let acts = world.take_acts(now);
        let due = world.next_due(now);
        let name = world.name.to_string();
        self.play.put_off(key.clone(), due);
        for act in acts {
            self.play_do(key, &name, act);
        }
    }

    fn play_do(&mut self, key: &WorldKey, name: &str, act: Act) {
        let named = Whose::named(name);
        match act {
            Act::Probe(place) => self.play_probe(key, place),
            Act::Call(session) => {
                if let Some(at) = self.play_live(session) {
                    // The next handler hears that it waits, and says it again.
                    self.tell(at, 0, &Event::PlayReady(PlayReady { world: name.to_owned() }));
                }
            }
            Act::Renew(session) => {
                let in_use = self.state.plays.known(key).map(|world| world.in_use());
                let stay = self.state.plays.get(session, key);
                let is_elsewhere = stay.is_some_and(|stay| stay.place.is_some() && stay.place != in_use);
                if let Some(at) = self.play_live(session).filter(|_| is_elsewhere) {
                    let order = PlayOrder { world: name.to_owned(), what: PlayDo::Renew };
                    self.tell(at, 0, &Event::PlayOrder(order));
                }
            }
            Act::Down { address } => {
                let players = u32::try_from(self.state.plays.count(key).playing).unwrap_or(u32::MAX);
                self.note(&named, &Happened::WorldDown { at: address.to_string(), players });
            }
            Act::Up { address, after, waiting } => {
                let (seconds, waiting) = (after.as_secs(), u32::try_from(waiting).unwrap_or(u32::MAX));
                self.note(&named, &Happened::WorldUp { at: address.to_string(), seconds, waiting });
            }
            Act::Failover { from, to, by_hand } => {
                let by = if by_hand { "operator" } else { "backend" };
                self.note(&named, &Happened::Failover { from: from.to_string(), to: to.to_string(), by });
                self.play_moves(key);
            }
        }
    }

    /// Another address of a world is used: who plays goes there too, where that is wanted.
    fn play_moves(&mut self, key: &WorldKey) {
        let Some(world) = self.state.plays.known(key) else { return };
        if world.terms.failback != FailBack::All {
            return;
        }
        let in_use = world.in_use();
        let is_elsewhere = |stay: &Stay| stay.place.is_some_and(|at| at != in_use);
        let elsewhere = self.state.plays.at(key).filter(|(_, stay)| is_elsewhere(stay)).map(|(session, _)| session);
        let elsewhere: Vec<u64> = elsewhere.collect();
        if let Some(world) = self.state.plays.known_mut(key) {
            world.renew(elsewhere);
        }
        self.play_touch(key);
    }

    /// A session with a link.
    fn play_live(&self, session: u64) -> Option<SessionRef> {
        let slot = self.workers.by_session.get(&session).copied()?;
        Some(SessionRef { slot, id: self.session(slot)?.id })
    }

    /// The settings were read again: worlds that are played no longer are left, and others may be elsewhere.
    pub(super) fn plays_changed(&mut self) {
        let settings = self.shared.settings();
        let known: Vec<WorldKey> = self.state.plays.worlds().map(|world| world.key.clone()).collect();
        for key in known {
            match crate::capability::play::played(&self.shared.memory, &settings, &key) {
                Some(played) => _ = self.state.plays.world(&played, self.now),
                None => self.play_stop(&key),
            }
            self.play_touch(&key);
        }
    }

    /// A world is not to be played any more.
    pub(super) fn play_stop(&mut self, key: &str) {
        let Some(name) = self.state.plays.known(key).map(|world| world.name.to_string()) else { return };
        let there: Vec<u64> = self.state.plays.at(key).map(|(session, _)| session).collect();
        let there: Vec<SessionRef> = there.into_iter().filter_map(|session| self.play_live(session)).collect();
        for at in there {
            self.tell(at, 0, &Event::PlayOrder(PlayOrder { world: name.clone(), what: PlayDo::Stop }));
        }
    }
}

/// Writes what a fresh socket has room for; false: it has not, and nothing is waited for.
fn write_whole(fd: &OwnedFd, bytes: &[u8]) -> bool {
    bytes.is_empty() || ssmglobal_sys::write_now(fd, bytes).is_ok_and(|count| count == bytes.len())
}
