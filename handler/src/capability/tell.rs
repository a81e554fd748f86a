//! TELL: a word to somebody who is on. Nothing of it is kept.

use super::{Call, Me, Plan};
use crate::state::news::{Audience, News};
use crate::work::change::refuse;
use crate::work::{Seen, Volatile};
use ssmglobal_ipc::{Code, Event, Failure, Reply, Tell, TellArrived, Time, Told};
use ssmglobal_store::{PlayerId, Principal};

/// Bytes of a TELL.
const LONGEST: usize = 2048;

/// `TELL`.
pub fn tell(call: Call<'_>, me: Me<PlayerId>, request: Tell) -> Plan {
    if request.body.len() > LONGEST {
        return Failure::new(Code::TooLong, format!("A tell has at most {LONGEST} bytes. MAIL SEND takes more."))
            .into();
    }
    let (id, to) = match call.memory.player_named(&request.to) {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    let receiver = Principal::from(id);
    if call.memory.is_barred(receiver) {
        return Failure::new(Code::Denied, format!("{to} is disabled, and is not on.")).into();
    }
    if !call.state.online.is_on(receiver) && call.state.reachable(receiver).is_none() {
        return Failure::new(Code::NotFound, format!("{to} is not on. MAIL SEND {to} leaves a letter.")).into();
    }
    Plan::Look(Box::new(move |reader| {
        if reader.blocks(id, me.id.into())? {
            return refuse(Code::Denied, format!("{to} does not listen to you."));
        }
        let event = Event::Tell(TellArrived { from: me.party(), body: request.body, at: Time::now() });
        let news = vec![News::Tell { to: Audience::Principal(receiver), event }];
        Ok(Seen::Volatile(Volatile { reply: Reply::Told(Told { to }), news, entries: Vec::new() }))
    }))
}
