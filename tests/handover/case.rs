//! One request, and somebody of his own who asks it: how he asks, what he is answered, what he can read.

use super::fitting::fitting;
use super::scene::Asker;
use crate::harness::{Answer, Session, samples};
use ssmglobal_ipc::*;

/// What somebody asks.
pub struct Case {
    /// His session.
    pub session: Session,
    /// He.
    pub asker: Asker,
    /// What he asks.
    pub request: Request,
    /// How much others hear of it.
    pub heard: usize,
    /// Its number.
    pub number: u64,
    /// What it was answered.
    pub answer: Option<Answer>,
}

impl Case {
    /// For a test that fails.
    pub fn name(&self) -> String {
        format!("{} of {:?}", self.request.kind().name(), self.asker.state)
    }

    /// Asks, and does not wait for the answer.
    pub fn send(&mut self) {
        self.number = self.session.send(&self.request);
    }

    /// Asks again.
    pub fn send_again(&mut self) {
        self.session.send_again(self.number, None, &self.request);
    }

    /// Goes on with the handler that there is now.
    pub fn link_up(&mut self) {
        match self.request {
            // With what is asked.
            Request::Open(_) => self.session.new_link(),
            _ => self.session.link_up(),
        }
    }

    /// The answer, which must be one of those that its kind has.
    pub fn take_answer(&mut self) {
        if self.request.kind().replies().is_empty() {
            return;
        }
        let answer = self.session.answer(self.number, &self.request);
        let kinds = self.request.kind().replies();
        assert!(kinds.contains(&answer.kind), "{}: {:?}", self.name(), answer.reply());
        self.answer = Some(answer);
    }

    /// All that the session can read, [`still`].
    pub fn view(&mut self) -> Vec<Reply> {
        view(&mut self.session, &self.asker)
    }
}

/// What somebody in this state can ask of these kinds.
pub fn requests(state: State, asker: &Asker, which: impl Fn(Kind) -> bool) -> Vec<Request> {
    let samples = samples().into_iter();
    let permitted = samples.filter(|sample| which(sample.kind()) && sample.kind().describe().states.has(state));
    permitted.flat_map(|sample| fitting(sample, asker)).map(|fitting| fitting.request).collect()
}

/// All that a session can read, [`still`].
pub fn view(session: &mut Session, asker: &Asker) -> Vec<Reply> {
    let reads = |kind: Kind| matches!(kind.describe().does, Does::ReadsMemory | Does::ReadsStore);
    let wanted = requests(session.state, asker, reads);
    let numbers: Vec<u64> = wanted.iter().map(|request| session.send(request)).collect();
    let answers = wanted.iter().zip(numbers).map(|(request, number)| session.answer(number, request).reply());
    answers.map(still).collect()
}

/// Without what passes by itself: for how long somebody has been silent, and when he came, which is anew for who proves again
/// who he is.
pub fn still(reply: Reply) -> Reply {
    match reply {
        Reply::Who(mut who) => {
            who.players.iter_mut().for_each(|row| (row.idle, row.since) = (0, Time::default()));
            Reply::Who(who)
        }
        // How often rows have changed is not what is in them.
        Reply::Listed(it) => Reply::Listed(Listed { at: Position::default(), rows: by_name(it.rows), ..it }),
        Reply::Fingered(it) => Reply::Fingered(Fingered { idle: it.idle.map(|_| 0), ..it }),
        reply => reply,
    }
}

/// Rows in an order that does not depend on when they have changed.
fn by_name(rows: ListRows) -> ListRows {
    match rows {
        ListRows::Worlds(mut rows) => {
            rows.sort_by(|one, other| one.name.cmp(&other.name));
            ListRows::Worlds(rows)
        }
        ListRows::Users(mut rows) => {
            rows.sort_by(|one, other| one.name.cmp(&other.name));
            ListRows::Users(rows)
        }
        ListRows::UsersInFull(mut rows) => {
            rows.sort_by(|one, other| one.user.name.cmp(&other.user.name));
            ListRows::UsersInFull(rows)
        }
    }
}
