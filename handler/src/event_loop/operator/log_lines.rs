//! What was logged of late, for the operator, and what is logged from then on for one who follows. Part of the event loop.

use super::super::EventLoop;
use crate::recent::Wanted;
use crate::state::session::Session;
use ssmglobal_config::shown;
use ssmglobal_ipc::ctl::{Answer, LogAsked, Logged};
use ssmglobal_ipc::{Code, Failure};
use ssmglobal_store::Principal;
use std::sync::Arc;

/// Bytes of text in one answer.
const TEXT: usize = 256 << 10;

/// Bytes that may wait for one who follows: then he gets nothing further until he has read.
const WAITING: usize = 512 << 10;

/// What an operator follows.
pub struct Follows {
    wanted: Wanted,
    /// Whose connections are meant.
    who: Option<Principal>,
    /// The number of the line that he gets next.
    next: u64,
}

impl EventLoop {
    pub(super) fn show_log(&mut self, operator: u64, asked: LogAsked) -> Result<Answer, Failure> {
        let LogAsked { lines, level, session, player, follow } = asked;
        let mut wanted = Wanted { level, peers: None, player: None };
        if let Some(number) = session {
            let client = self.workers.children.values().find(|child| child.session == number);
            let peer = client.map(|client| shown(client.address)).or_else(|| self.operators.recent.peer_of(number));
            wanted.add_peer(peer.ok_or_else(|| {
                let msg = format!("Nothing is known of a session {number}. ctl sessions list shows who is connected.");
                Failure::new(Code::NotFound, msg)
            })?);
        }
        let who = player.as_deref().map(|name| self.somebody_named(name)).transpose()?;
        if let Some(who) = who {
            wanted.player = self.state.name(&self.shared.memory, who);
        }
        self.add_peers_of(who, &mut wanted);
        let (lines, next) = self.operators.recent.newest(lines as usize, &mut wanted, TEXT);
        if follow {
            self.follow_log(operator, Follows { wanted, who, next });
        }
        Ok(self.logged(lines, 0))
    }

    fn logged(&self, lines: Vec<ssmglobal_ipc::ctl::LogEntry>, missed: u64) -> Answer {
        Answer::Logged(Logged { lines, missed, level: log::max_level() as u8, listener: self.listener.pid })
    }

    fn add_peers_of(&self, who: Option<Principal>, wanted: &mut Wanted) {
        let sessions = who.into_iter().flat_map(|who| self.state.online.sessions(who));
        sessions.filter_map(|at| self.state.live(*at)).map(Session::peer).for_each(|peer| wanted.add_peer(peer));
    }

    fn follow_log(&mut self, operator: u64, follows: Follows) {
        let operators = &mut self.operators;
        let token = operators.tokens.get(&operator);
        if let Some(operator) = token.and_then(|token| operators.connected.get_mut(token)) {
            operator.follows = Some(follows);
            let shared = self.shared.clone();
            operators.recent.on_line(Some(Arc::new(move || shared.wake())));
        }
    }

    /// Whoever follows the log gets what was logged since.
    pub(crate) fn tell_log(&mut self) {
        let following =
            |(_, operator): (&usize, &super::Operator)| operator.follows.is_some().then_some(operator.number);
        let numbers: Vec<u64> = self.operators.connected.iter().filter_map(following).collect();
        for number in numbers {
            let Some(mut follows) = self.take_follows(number) else { continue };
            self.add_peers_of(follows.who, &mut follows.wanted);
            let (lines, missed, next) = self.operators.recent.from(follows.next, &mut follows.wanted, TEXT);
            follows.next = next;
            let more = next < self.operators.recent.next();
            self.put_follows(number, follows);
            if !lines.is_empty() || missed > 0 {
                let answer = self.logged(lines, missed);
                self.answer_operator(number, &answer);
            }
            if more {
                self.shared.wake();
            }
        }
    }

    /// What an operator follows, if he has read enough of what he was sent before.
    fn take_follows(&mut self, number: u64) -> Option<Follows> {
        let token = self.operators.tokens.get(&number)?;
        let operator = self.operators.connected.get_mut(token)?;
        (operator.out.len() < WAITING).then(|| operator.follows.take()).flatten()
    }

    fn put_follows(&mut self, number: u64, follows: Follows) {
        let token = self.operators.tokens.get(&number);
        if let Some(operator) = token.and_then(|token| self.operators.connected.get_mut(token)) {
            operator.follows = Some(follows);
        }
    }
}
