//! What the operator asks that a session may ask as well: it goes through the same table, without a session. Part of the event
//! loop.

use super::super::EventLoop;
use crate::capability::{Access, By, Plan};
use crate::dispatch;
use crate::lock::read;
use crate::work::{Asker, Read, Write};
use ssmglobal_ipc::ctl::Answer;
use ssmglobal_ipc::{Code, Failure, Kind, Reply, Request};

impl EventLoop {
    /// Does a request of the operator's; nothing when the answer comes later.
    pub(super) fn operators_request(
        &mut self,
        operator: u64,
        kind: u16,
        payload: &[u8],
    ) -> Result<Option<Answer>, Failure> {
        let unknown = || Failure::new(Code::UnknownCommand, "The running backend does not know this command yet.");
        let kind = Kind::from_number(kind).ok_or_else(unknown)?;
        let request = Request::decode(kind, payload).map_err(|_| unknown())?;
        let described = kind.describe();
        if !described.states.has_operator() {
            return Err(Failure::new(Code::Denied, "That is not for the operator to ask."));
        }
        let settings = read(&self.shared.settings).clone();
        let (state, memory) = (&self.state, &self.shared.memory);
        let access = Access { by: By::Operator, session: None, state, memory, settings: &settings };
        match dispatch::run_for_operator(access, request) {
            Some(Plan::Reply(Reply::Failed(failure))) => Err(failure),
            Some(Plan::Reply(reply)) => Ok(Some(Answer::from(&reply))),
            Some(Plan::Volatile(volatile)) => {
                self.tell_all(volatile.news);
                Ok(Some(Answer::from(&volatile.reply)))
            }
            Some(Plan::Change(change, tried)) => {
                let asker = Asker::Console(operator);
                self.shared.write(&mut vec![Write::Change { asker, change, key: None, tried }])?;
                Ok(None)
            }
            Some(Plan::Look(look)) => {
                self.shared.read(Read { asker: Asker::Console(operator), look, key: None })?;
                Ok(None)
            }
            // What is left has to do with a session, and no such request is the operator's.
            Some(_) | None => Err(Failure::new(Code::Denied, "That is not for the operator to ask.")),
        }
    }
}
