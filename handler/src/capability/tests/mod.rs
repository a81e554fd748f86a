//! What every change decides, without a database: the rows, the answer, who has proved what, and each refusal. Runs in
//! tests.

mod batches;
mod boards;
mod length;
mod licences;
mod mail;
mod players;
mod preferences;
mod properties;
mod records;
mod servers;
mod settings;
mod trouble;

use crate::changes::Change;
use crate::testing::{Model, player, server};
use crate::work::change::{Decide, Decided, Refusal, Stamp};
use ssmglobal_ipc::{Code, Done, Failure, Reply, Time};
use ssmglobal_store::{PlayerId, Principal, Row, ServerId};

const NOW: Time = Time(1_769_890_500_000);

const ALICE: PlayerId = PlayerId(1);
const BOB: PlayerId = PlayerId(2);
const CAROL: PlayerId = PlayerId(3);

const ARENA: ServerId = ServerId(1);

/// Alice, Bob and Carol, and two game servers.
fn people() -> Model {
    Model::of([player(1, "alice"), player(2, "bob"), player(3, "carol"), server(1, "Arena"), server(2, "castle")])
}

/// What a change comes to, which is not refused; the model is as it was.
fn decided(model: &mut Model, change: impl Into<Change>) -> Decided {
    change.into().decide(model, Stamp { now: NOW }).unwrap()
}

/// A change is done; gives its answer.
fn done(model: &mut Model, change: impl Into<Change>) -> Reply {
    let Decided { rows, reply, .. } = decided(model, change);
    rows.iter().for_each(|row| model.put(row));
    reply
}

/// Why a change is refused, which has used no number.
fn refused(model: &mut Model, change: impl Into<Change>) -> Failure {
    let before = model.asked;
    let outcome = change.into().decide(model, Stamp { now: NOW });
    assert_eq!(model.asked, before, "a number was asked for");
    match outcome {
        Err(Refusal::Failure(failure)) => failure,
        // Whose mailbox is full is told.
        Ok(Decided { rows, reply: Reply::Failed(failure), proves: None })
            if matches!(&rows[..], [Row::LetterRefused { .. }]) =>
        {
            failure
        }
        outcome => panic!("{outcome:?}"),
    }
}

fn code(model: &mut Model, change: impl Into<Change>) -> Code {
    refused(model, change).code
}

/// One row, and nothing to say.
fn only(row: Row) -> Decided {
    Decided { rows: vec![row], reply: Reply::Done(Done {}), proves: None }
}

/// A number was asked for so often.
fn asked(model: &mut Model, change: impl Into<Change>) -> u32 {
    let before = model.asked;
    decided(model, change);
    model.asked - before
}

#[test]
fn what_was_done_already_is_answered_and_leaves_no_rows() {
    let (mut model, reply) = (people(), Reply::fail(Code::Busy, "Again."));
    let known = decided(&mut model, Change::Known(reply.clone()));
    assert_eq!(known, Decided { rows: Vec::new(), reply, proves: None });
    assert_eq!(code(&mut model, Change::Refused(Failure::new(Code::Denied, "No."))), Code::Denied);
}
