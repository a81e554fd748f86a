//! A client that plays a world: the connection to that, what the handler is asked for it and what it tells of it. What goes over the
//! connection is in [`super::flow`]. Runs in a worker.

use super::Worker;
use super::playing::Playing;
use super::resume::Unlinked;
use super::upward::Errand;
use crate::commands::PlayWish;
use crate::peer::WorldPeer;
use crate::play::{Play, Stage, words};
use ssmglobal_config::Level;
use ssmglobal_ipc::{
    Code, Failure, PlayDo, PlayEnd, PlayEnded, PlayHow, PlayLeft, PlayOrder, PlayStarted, Reply, Request, Secret,
    WorkerEnd,
};
use std::os::fd::OwnedFd;
use std::time::Instant;

impl Worker<'_> {
    /// The door leads to a world: whoever comes in by it is there at once.
    pub(super) fn enter_world(&mut self) {
        if let Some(world) = self.door.world.clone() {
            self.client.stack().signal(|speech, out| speech.offer(out));
            self.start_playing(&world, None);
            self.playing.iter_mut().for_each(|playing| playing.play.expect_crawler());
        }
    }

    /// The client wants something that has to do with playing.
    pub(super) fn on_wish(&mut self, wish: PlayWish) {
        match wish {
            PlayWish::Start(world) => self.start_playing(&world, None),
            PlayWish::Resume(Some(word)) => {
                let here = self.playing.as_ref().map(|playing| playing.play.world().to_owned());
                let world = here.or_else(|| self.door.world.clone()).unwrap_or_default();
                self.start_playing(&world, Some(word));
            }
            PlayWish::Resume(None) => self.show_word(),
            PlayWish::Drop => self.drop_kept(),
        }
    }

    pub(super) fn say(&mut self, msg: String) {
        self.session.notice(self.client.stack(), msg);
    }

    fn refuse(&mut self, code: Code, msg: &str) {
        self.session.refuse(self.client.stack(), &Failure::new(code, msg));
    }

    fn show_word(&mut self) {
        let Some(playing) = &mut self.playing else { return self.refuse(Code::Invalid, words::NOT_PLAYING) };
        match playing.play.show_word() {
            Some(msg) => self.say(msg),
            None => self.refuse(Code::Invalid, words::NO_WORD),
        }
    }

    /// Says the word by which he goes on to who is to see it unasked. Who has logged in to us goes on by that.
    pub(super) fn tell_word(&mut self) {
        let owes = self.playing.as_ref().is_some_and(|playing| playing.from.is_none() && playing.play.owes_word());
        if owes && self.session.who().is_empty() && !self.session.wants_line() && !self.client.stack().is_mid_line() {
            self.show_word();
        }
    }

    fn drop_kept(&mut self) {
        let dropped = self.playing.as_mut().map_or(0, |playing| playing.play.drop_kept());
        if dropped == 0 {
            return self.refuse(Code::Invalid, words::NOTHING_KEPT);
        }
        self.say(words::dropped(dropped));
    }

    fn start_playing(&mut self, world: &str, word: Option<Secret>) {
        if self.playing.as_ref().is_some_and(|playing| playing.play.is_shared()) {
            return self.refuse(Code::Busy, words::IS_SHARED);
        }
        self.stop_playing();
        let play = Play::new(world.to_owned(), self.door, self.address, word);
        self.playing = Some(Playing::new(play));
        self.ask_for_world();
    }

    /// Asks for a connection to the world.
    fn ask_for_world(&mut self) {
        let known = self.link.is_some();
        match self.linked() {
            Ok(()) if known => {}
            // A link begins with all that is not answered.
            Ok(()) => return,
            Err(Unlinked::Deserted) => return self.deserted(),
            Err(Unlinked::Busy) => {
                self.playing = None;
                return self.refuse(Code::Unavailable, super::upward::BUSY);
            }
        }
        let Some(playing) = &mut self.playing else { return };
        let start = playing.play.asks();
        let world = start.world.clone();
        let number = self.tell(&Request::PlayStart(start));
        self.errands.add(number, Errand::PlayStart(world));
    }

    /// Over a link that knows nothing of it: where this session plays, or what is still to be answered.
    pub(super) fn say_where_it_plays(&mut self) {
        let Some(playing) = &mut self.playing else { return };
        match playing.play.stage() {
            Stage::Asks => self.ask_for_world(),
            Stage::Ended => self.ask_why_it_ended(),
            Stage::Plays | Stage::Waits => {
                self.tell_where_it_plays();
                self.tell_of_world();
            }
        }
    }

    pub(super) fn tell_where_it_plays(&mut self) {
        if self.link.is_none() {
            return;
        }
        let idle = self.client.last_line().elapsed().as_secs();
        let places = self.playing.as_ref().map(|playing| playing.play.places(idle)).unwrap_or_default();
        for at in places {
            let number = self.tell(&Request::PlayAt(at));
            self.errands.add(number, Errand::PlayTold);
        }
    }

    fn ask_why_it_ended(&mut self) {
        let Some(world) = self.playing.as_ref().map(|playing| playing.play.world().to_owned()) else { return };
        let known = self.link.is_some();
        match self.linked() {
            Ok(()) if !known => {}
            Ok(()) => {
                let number = self.tell(&Request::PlayEnded(PlayEnded { world: world.clone() }));
                self.errands.add(number, Errand::PlayEnded(world));
            }
            Err(Unlinked::Deserted) => {
                self.playing = None;
                self.client.stack().play(None);
                self.deserted();
            }
            // Nobody can say why: it is as if he had quit.
            Err(Unlinked::Busy) => self.leave_play(),
        }
    }

    /// The handler has answered what was asked for a connection.
    pub(super) fn on_play_started(&mut self, world: &str, reply: &Reply, fds: Vec<OwnedFd>) {
        // The client may have left it meanwhile, for another one.
        let is_it = |playing: &&mut Playing| playing.play.stage() == Stage::Asks && playing.play.is_world(world);
        let Some(playing) = self.playing.as_mut().filter(is_it) else { return };
        match reply {
            Reply::PlayStarted(started) => {
                playing.play.started(started);
                self.has_started(started, fds.into_iter().next());
            }
            Reply::Failed(failure) => {
                let failure = failure.clone();
                self.cannot_play(&failure);
            }
            _ => {}
        }
    }

    fn has_started(&mut self, started: &PlayStarted, fd: Option<OwnedFd>) {
        match (started.how, fd) {
            (PlayHow::New | PlayHow::Shared, Some(fd)) => self.connected(fd),
            (PlayHow::TakenOver, Some(fd)) => self.take_over_from(fd),
            (PlayHow::Waits, _) => self.waits_for_world(),
            // Without a descriptor there is nothing to play with: this process has no room for one.
            (PlayHow::New | PlayHow::Shared | PlayHow::TakenOver, None) => {
                self.cannot_play(&Failure::new(Code::Unavailable, super::upward::BUSY));
            }
        }
    }

    /// There is a connection to the world.
    pub(super) fn connected(&mut self, fd: OwnedFd) {
        let Some(playing) = &mut self.playing else { return };
        let Ok(mut world) = WorldPeer::new(fd, &self.settings.limits, self.poll.registry()) else {
            return self.cannot_play(&Failure::new(Code::Unavailable, super::upward::BUSY));
        };
        if playing.play.is_again() {
            self.session.gives_way(self.client.stack());
        }
        let compresses = self.settings.limits.telnet_compression;
        playing.play.connected(compresses, self.client.stack(), world.out().bytes(), Instant::now());
        playing.world = Some(world);
    }

    /// The world cannot be played.
    pub(super) fn cannot_play(&mut self, failure: &Failure) {
        let resumed = self.playing.take().is_some_and(|playing| playing.play.resumes());
        let stack = self.client.stack();
        stack.play(None);
        self.session.refuse(stack, failure);
        match self.door.world.clone() {
            // He was there before he tried to go on elsewhere.
            Some(world) if resumed => self.start_playing(&world, None),
            Some(_) if self.door.quit_closes => self.session.end(WorkerEnd::QUIT),
            Some(_) | None => {}
        }
    }

    /// The world is down.
    fn waits_for_world(&mut self) {
        self.end_all_shares();
        let Some(playing) = &mut self.playing else { return };
        if let Some(msg) = playing.play.waits(self.client.stack()) {
            self.say(msg);
        }
    }

    /// The world's connection has ended, and all that it said was shown.
    pub(super) fn world_is_over(&mut self) {
        let Some(playing) = &mut self.playing else { return };
        playing.close_world(self.poll.registry());
        playing.play.ended(self.client.stack());
        self.session.goes_on();
        self.end_all_shares();
        self.ask_why_it_ended();
    }

    /// What the world has sent compressed cannot be read any further.
    pub(super) fn world_is_damaged(&mut self) {
        let Some(playing) = &mut self.playing else { return };
        playing.play.is_damaged();
        let msg = words::damaged(playing.play.world());
        self.log(Level::Warn, &msg);
        self.world_is_over();
    }

    /// Why it has ended.
    pub(super) fn on_play_verdict(&mut self, world: &str, reply: &Reply) {
        let is_it = |playing: &Playing| playing.play.stage() == Stage::Ended && playing.play.is_world(world);
        if !self.playing.as_ref().is_some_and(is_it) {
            return;
        }
        match reply {
            Reply::PlayVerdict(verdict) if verdict.end == PlayEnd::Down => {
                self.waits_for_world();
                // A handler that has come meanwhile knows of nobody.
                self.tell_where_it_plays();
            }
            // It has restarted once more before he was in: he cannot have quit.
            _ if self.playing.as_mut().is_some_and(|playing| playing.play.tries_again()) => self.ask_for_world(),
            _ => self.leave_play(),
        }
    }

    /// The client has done with its world, or the world with it.
    fn leave_play(&mut self) {
        let Some(mut playing) = self.playing.take() else { return };
        let stack = self.client.stack();
        stack.play(None);
        playing.close_world(self.poll.registry());
        if playing.play.is_alone() || self.door.world.is_some() && self.door.quit_closes {
            return self.session.end(WorkerEnd::QUIT);
        }
        self.session.is_back(stack, words::left(playing.play.world()));
        self.session.line_of_world_has_ended(self.client.stack());
    }

    /// The client wants to leave its world.
    pub(super) fn leave_world(&mut self) {
        if self.leaves_to_sharers(true) {
            return;
        }
        self.tell_left();
        if let Some(playing) = &mut self.playing {
            playing.play.ended(self.client.stack());
        }
        self.leave_play();
    }

    /// It plays no more; what comes next is another's word.
    fn stop_playing(&mut self) {
        self.tell_left();
        let Some(mut playing) = self.playing.take() else { return };
        playing.play.ended(self.client.stack());
        self.client.stack().play(None);
        playing.close_world(self.poll.registry());
    }

    fn tell_left(&mut self) {
        let Some(world) = self.playing.as_ref().map(|playing| playing.play.world().to_owned()) else { return };
        if self.link.is_some() {
            let number = self.tell(&Request::PlayLeft(PlayLeft { world }));
            self.errands.add(number, Errand::PlayTold);
        }
    }

    /// The world listens, and it is this client's turn.
    pub(super) fn on_play_ready(&mut self, world: &str) {
        let is_it = |playing: &Playing| playing.play.stage() == Stage::Waits && playing.play.is_world(world);
        if self.playing.as_ref().is_some_and(is_it) {
            self.ask_for_world();
        }
    }

    /// The handler says what to do with the connection.
    pub(super) fn on_play_order(&mut self, order: &PlayOrder, fds: Vec<OwnedFd>) {
        if !self.playing.as_ref().is_some_and(|playing| playing.play.is_world(&order.world)) {
            return;
        }
        match (order.what, fds.into_iter().next()) {
            (PlayDo::HandOver, Some(fd)) => self.leave_to(&fd),
            (PlayDo::Renew, _) => self.renew(),
            (PlayDo::Stop, _) => self.leave_play(),
            (PlayDo::Share, Some(fd)) => self.share_with(fd),
            (PlayDo::HandOver | PlayDo::Share, None) => {}
        }
    }

    /// The world is at a better address again.
    fn renew(&mut self) {
        let Some(playing) = &mut self.playing else { return };
        playing.close_world(self.poll.registry());
        playing.play.ended(self.client.stack());
        self.ask_for_world();
    }

    /// A connection of his is kept for the player, who is back.
    pub(super) fn on_play_return(&mut self, world: &str) {
        if self.playing.is_none() {
            self.start_playing(world, None);
        }
    }
}
