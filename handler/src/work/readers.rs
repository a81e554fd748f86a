//! The reading threads: they answer what only reads.

use super::change::Refusal;
use super::jobs::{Asker, Read, ReadOutcome, ToLoop};
use super::shared::Shared;
use crate::link::Batch;
use crossbeam_channel::Receiver;
use ssmglobal_ipc::{Code, Failure, Reply, ctl};
use ssmglobal_store::Reader;

/// A thread that answers what only reads.
pub fn read_jobs<C>(shared: &Shared<C>, jobs: &Receiver<Read>, reader: &dyn Reader) {
    let (mut batch, mut to_loop) = (Batch::new(shared.tally.clone()), Vec::new());
    while let Ok(job) = jobs.recv() {
        let mut next = Some(job);
        while let Some(job) = next {
            do_one(job, reader, &mut batch, &mut to_loop);
            next = jobs.try_recv().ok();
        }
        shared.send_to_loop(&mut to_loop, Vec::new());
        shared.send_to_loop(&mut to_loop, batch.flush());
    }
}

fn do_one(job: Read, reader: &dyn Reader, batch: &mut Batch, to_loop: &mut Vec<ToLoop>) {
    let Read { asker, look, key } = job;
    let seen = look(reader).unwrap_or_else(|refusal| {
        ReadOutcome::Reply(Reply::Failed(match refusal {
            Refusal::Failure(failure) => failure,
            Refusal::Store(error) => {
                log::error!("the database cannot be read: {error}");
                Failure::new(Code::Unavailable, "This cannot be read at the moment. Try again later.")
            }
        }))
    });
    match (asker, seen) {
        (Asker::Session(_, to), ReadOutcome::Reply(reply)) => batch.finish(&to, &reply),
        (Asker::Session(at, to), ReadOutcome::Volatile(volatile)) => {
            to_loop.push(ToLoop::Volatile(at, to, volatile, key))
        }
        (Asker::Session(at, to), ReadOutcome::UnknownKey(request)) => {
            to_loop.extend(key.map(|key| ToLoop::UnknownKey(at, to, request, key)));
        }
        (Asker::Operator(number, _), ReadOutcome::Answer(answer)) => to_loop.push(ToLoop::Operator(number, answer)),
        (Asker::Operator(number, _), ReadOutcome::Reply(Reply::Failed(failure))) => {
            to_loop.push(ToLoop::Operator(number, ctl::Answer::Failed(failure)));
        }
        (Asker::Console(number), ReadOutcome::Reply(reply)) => {
            to_loop.push(ToLoop::Operator(number, ctl::Answer::from(&reply)))
        }
        // Nobody asks like that.
        (Asker::Session(_, to), ReadOutcome::Answer(_)) => batch.finish(&to, &Reply::Done(ssmglobal_ipc::Done {})),
        (Asker::Operator(..) | Asker::Console(_) | Asker::Keyed(..) | Asker::Relay(_), _) => {}
        (Asker::Login(..) | Asker::Absent(_) | Asker::Stopped, _) => {}
    }
}
