//! The plain model of everything: what each change comes to, one after the other, and what others are told. Scores are
//! counted apart, in the simplest words.

use super::*;
use crate::state::news::{Audience, News};
use crate::state::session::Proof;
use crate::state::topic::Topic;
use crate::testing::{Firsts, Scores, now};
use ssmglobal_ipc::{Event, MailArrived, MailRefused, Notice, Party, RecordArrived};
use ssmglobal_store::{Board, PrincipalKind};

/// A change that is asked for, and by whom.
#[derive(Clone, Debug)]
pub struct Job {
    /// The session.
    pub session: u64,
    /// It has all its answers.
    pub acknowledges: bool,
    /// This session ends before.
    pub ends: Option<u64>,
    /// What is asked.
    pub change: Change,
    /// Who waits.
    pub by: By,
    /// The client's key.
    pub key: Option<ClientKey>,
}

/// What it comes to.
#[derive(Clone, Debug)]
pub struct Came {
    /// The answer.
    pub reply: Reply,
    /// Who the session is from then on.
    pub proves: Option<Proof>,
    /// What was written, but for keys.
    pub rows: Vec<Row>,
}

/// A board in the simplest words.
#[derive(Clone, Debug)]
struct Plain {
    board: Board,
    scores: Scores<PlayerId>,
}

/// All that there is.
#[derive(Clone)]
pub struct World {
    /// What is kept.
    pub model: Model,
    /// Answers under clients' keys.
    pub keyed: BTreeMap<(Principal, String), ([u8; 32], Reply)>,
    boards: BTreeMap<BoardId, Plain>,
}

impl World {
    /// Nothing is there.
    pub fn new() -> World {
        World { model: Model::default(), keyed: BTreeMap::new(), boards: BTreeMap::new() }
    }

    /// A change is done, or refused.
    pub fn ask(&mut self, job: &Job) -> Came {
        let of_key = |key: &ClientKey| (key.owner, key.key.clone());
        let known = job.key.as_ref().and_then(|key| Some((key.digest, self.keyed.get(&of_key(key))?)));
        if let Some((digest, (before, reply))) = known {
            let same = digest == *before;
            let reply = if same { reply.clone() } else { crate::work::conflict().into() };
            return Came { reply, proves: None, rows: Vec::new() };
        }
        let gone = |key: &&ClientKey| key.owner.as_server().is_some_and(|server| !self.model.server_exists(server));
        if job.key.as_ref().filter(gone).is_some() {
            let failure = Failure::new(Code::Denied, "This game server was deleted.");
            return Came { reply: failure.into(), proves: None, rows: Vec::new() };
        }
        let decided = match job.change.decide(&mut self.model, Stamp { now: now() }) {
            Ok(decided) => decided,
            Err(Refusal::Failure(failure)) => {
                return Came { reply: failure.into(), proves: None, rows: Vec::new() };
            }
            Err(Refusal::Store(error)) => panic!("{error}"),
        };
        let Decided { rows, reply, proves } = decided;
        if let Change::Records(RecordChange::Submit(submit)) = &job.change {
            self.submitted(submit, &reply);
        }
        for row in &rows {
            self.model.put(row);
            self.row(row, &mut BTreeMap::new());
            if let Row::ServerGone { server } = row {
                self.keyed.retain(|(owner, _), _| *owner != Principal::from(*server));
            }
        }
        // What was refused may be tried again.
        if let Some(key) = job.key.as_ref().filter(|_| !matches!(reply, Reply::Failed(_))) {
            self.keyed.insert(of_key(key), (key.digest, reply.clone()));
        }
        Came { reply, proves, rows }
    }

    /// A submit is answered as a map of scores and a sort say right after it.
    fn submitted(&self, submit: &Submit, reply: &Reply) {
        let plain = &self.boards[&submit.board];
        let mut scores = plain.scores.clone();
        // It comes behind all others.
        let improved = scores.submit(submit.player, submit.score, u64::MAX);
        let player = self.model.players[&submit.player].player.name.clone();
        let (board, score) = (plain.board.name.clone(), scores.standings[&submit.player].0);
        let (rank, total) = (scores.rank(submit.player).unwrap(), scores.standings.len() as u32);
        let expected = RecordSubmitted { board, player, score, rank, total, improved };
        assert_eq!(*reply, Reply::RecordSubmitted(expected));
    }

    /// What a row means to boards and their first places.
    fn row(&mut self, row: &Row, firsts: &mut BTreeMap<BoardId, Firsts<PlayerId>>) {
        match row {
            Row::Board(board) => {
                let new = || Plain { board: board.clone(), scores: Scores::new((board.operator, board.better)) };
                let plain = self.boards.entry(board.id).or_insert_with(new);
                plain.board = board.clone();
                (plain.scores.operator, plain.scores.better) = (board.operator, board.better);
            }
            Row::Standing { board, standing } => {
                let scores = &mut self.boards.get_mut(board).unwrap().scores;
                let before = scores.first();
                scores.standings.insert(standing.player, (standing.score, standing.order));
                firsts.entry(*board).or_default().submitted(before, scores.first());
            }
            Row::Withdrawn { board, was, .. } => {
                self.boards.get_mut(board).unwrap().scores.standings.remove(&was.player);
            }
            Row::BoardCleared { board } => {
                self.boards.get_mut(board).unwrap().scores.standings.clear();
                firsts.remove(board);
            }
            Row::BoardGone { board } => {
                self.boards.remove(board).unwrap();
                firsts.remove(board);
            }
            _ => {}
        }
    }

    fn name(&self, who: impl Into<Principal>) -> String {
        self.model.name(who.into())
    }

    /// What others are told of the rows of one batch that begins here. They are told by the names that hold here.
    pub fn news(&self, rows: &[Row]) -> Vec<News> {
        let (mut then, mut firsts, mut news) = (self.clone(), BTreeMap::new(), Vec::new());
        for row in rows {
            then.row(row, &mut firsts);
            match row {
                Row::Letter(letter) => {
                    let from = match letter.from.kind {
                        PrincipalKind::Server => Party::Server(self.name(letter.from)),
                        PrincipalKind::Backend => Party::Backend,
                        _ => Party::Player(self.name(letter.from)),
                    };
                    let NewLetter { to_number: id, subject, unread, .. } = letter.clone();
                    let event = Event::Mail(MailArrived { id, from, subject, unread });
                    news.push(News::Tell { to: Audience::Principal(letter.to.into()), event });
                }
                Row::LetterRefused { player, from, mailbox, .. } => {
                    let from = match from.kind {
                        PrincipalKind::Server => Party::Server(self.name(*from)),
                        _ => Party::Player(self.name(*from)),
                    };
                    let event = Event::MailRefused(MailRefused { from, limit: *mailbox });
                    news.push(News::Tell { to: Audience::Principal((*player).into()), event });
                }
                Row::Board(board) => {
                    let was =
                        self.boards.get(&board.id).map(|plain| &*plain.board.name).filter(|was| *was != board.name);
                    let new = &board.name;
                    news.extend(was.map(|was| News::Unwatched {
                        topic: Topic::Board(board.id),
                        msg: format!(
                            "The board {was} is called {new} from now on. RECORD WATCH {new} watches it again."
                        ),
                    }));
                }
                Row::BoardCleared { board } => {
                    let was = self.boards.get(board).map(|plain| &plain.board.name);
                    let event =
                        |was| Event::Notice(Notice { msg: format!("All scores were taken off the board {was}.") });
                    let to = Audience::Topic(Topic::Board(*board));
                    news.extend(was.map(|was| News::Tell { to, event: event(was) }));
                }
                Row::BoardGone { board } => {
                    let was = self.boards.get(board).map(|plain| &plain.board.name);
                    news.extend(was.map(|was| News::Unwatched {
                        topic: Topic::Board(*board),
                        msg: format!("The board {was} was deleted by the operator."),
                    }));
                }
                Row::ServerNamed { server, .. } => news.push(News::Renamed { who: (*server).into() }),
                Row::Epoch { who, reason, .. } => news.push(News::Out { who: *who, reason: reason.clone() }),
                _ => {}
            }
        }
        for (id, firsts) in firsts {
            let Plain { board, scores } = &then.boards[&id];
            let Some(before) = firsts.new_first(scores.first()) else { continue };
            let (player, score, _) = scores.table()[0];
            let event = RecordArrived {
                board: board.name.clone(),
                unit: board.unit.clone(),
                player: self.name(player),
                score,
                previous: before.map(|player| self.name(player)),
            };
            news.push(News::Tell { to: Audience::Topic(Topic::Board(id)), event: Event::Record(event) });
        }
        news
    }

    /// A batch is over.
    pub fn take(&mut self, rows: &[Row]) {
        rows.iter().for_each(|row| self.model.put(row));
        rows.iter().for_each(|row| self.row(row, &mut BTreeMap::new()));
    }
}
