//! The reading threads: they answer what only reads.

use super::change::Refusal;
use super::jobs::{Asker, Read, Seen, ToLoop};
use super::shared::Shared;
use crate::link::Batch;
use crossbeam_channel::Receiver;
use ssmglobal_ipc::{Code, Failure, Reply, ctl};
use ssmglobal_store::Reader;

/// A thread that answers what only reads.
pub fn read_jobs<C>(shared: &Shared<C>, jobs: &Receiver<Read>, reader: &dyn Reader) {
    let (mut batch, mut left) = (Batch::default(), Vec::new());
    while let Ok(job) = jobs.recv() {
        let mut next = Some(job);
        while let Some(job) = next {
            do_one(job, reader, &mut batch, &mut left);
            next = jobs.try_recv().ok();
        }
        shared.leave(&mut left, Vec::new());
        shared.leave(&mut left, batch.flush());
    }
}

fn do_one(job: Read, reader: &dyn Reader, batch: &mut Batch, left: &mut Vec<ToLoop>) {
    let Read { asker, look, key } = job;
    let seen = look(reader).unwrap_or_else(|refusal| {
        Seen::Reply(Reply::Failed(match refusal {
            Refusal::Failure(failure) => failure,
            Refusal::Store(error) => {
                log::error!("the database cannot be read: {error}");
                Failure::new(Code::Unavailable, "This cannot be read at the moment. Try again later.")
            }
        }))
    });
    match (asker, seen) {
        (Asker::Session(_, to), Seen::Reply(reply)) => batch.finish(&to, &reply),
        (Asker::Session(at, to), Seen::Volatile(volatile)) => left.push(ToLoop::Volatile(at, to, volatile, key)),
        (Asker::Session(at, to), Seen::UnknownKey(request)) => {
            left.extend(key.map(|key| ToLoop::UnknownKey(at, to, request, key)));
        }
        (Asker::Operator(number, _), Seen::Answer(answer)) => left.push(ToLoop::Operator(number, answer)),
        (Asker::Operator(number, _), Seen::Reply(Reply::Failed(failure))) => {
            left.push(ToLoop::Operator(number, ctl::Answer::Failed(failure)));
        }
        (Asker::Console(number), Seen::Reply(reply)) => left.push(ToLoop::Operator(number, ctl::Answer::from(&reply))),
        // Nobody asks like that.
        (Asker::Session(_, to), Seen::Answer(_)) => batch.finish(&to, &Reply::Done(ssmglobal_ipc::Done {})),
        (Asker::Operator(..) | Asker::Console(_) | Asker::Keyed(..) | Asker::Relay(_), _) => {}
        (Asker::Login(..) | Asker::Absent(_) | Asker::Stopped, _) => {}
    }
}
