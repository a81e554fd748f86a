//! Records: submitting scores, ranks, watching a board. Ranks come from memory; a submit goes to the writer.

use super::boards::{ClearBoard, DefineBoard, RenameBoard};
use super::{Call, Me, Plan, check_length};
use crate::lock::read;
use crate::state::boards::{Ranking, cursor};
use crate::state::memory::Memory;
use crate::state::pages::next_page;
use crate::state::topic::Topic;
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse, still_there};
use ssmglobal_ipc::*;
use ssmglobal_store::{Board, BoardId, PlayerId, Principal, Row, Sequence, ServerId, Standing};

changes! {
    /// Changes of boards and scores.
    RecordChange: Submit, Withdraw, DefineBoard, RenameBoard, ClearBoard
}

/// The player a request is about: the one named, else the one who asks.
fn player_of(call: &Call<'_>, named: Option<&str>) -> Result<PlayerId, Failure> {
    if let Some(name) = named {
        return call.memory.player_id(name);
    }
    match (call.player(), call.session.state) {
        (Some(me), _) => Ok(me.id),
        (None, State::Server) => Err(Failure::new(Code::Usage, "Say which player: a game server is none.")),
        _ => Err(Failure::new(Code::NotLoggedIn, "Say which player, or LOGIN first.")),
    }
}

/// A score is submitted.
#[derive(Clone, Debug)]
pub struct Submit {
    /// To which board.
    pub board: BoardId,
    /// The player who has reached it.
    pub player: PlayerId,
    /// The score, in the board's unit.
    pub score: i64,
    /// The game server that submits it; nothing when the player does.
    pub by: Option<ServerId>,
    /// Kept with it, checked.
    pub note: Option<Box<str>>,
}

impl Submit {
    /// What counts from now on; nothing when that is what counts already.
    ///
    /// # Errors
    /// `limit` for a sum that would leave 64 bits: at the edge it would be wrong, and so would all that comes behind it.
    fn counts(&self, board: &Board, before: Option<i64>) -> Result<Option<i64>, Failure> {
        use ssmglobal_store::{Better, Operator};
        let add = |more: i64| {
            let before = before.unwrap_or(0);
            before.checked_add(more).ok_or_else(|| {
                let msg = format!("{before} stands on {}; with {more} more it would leave 64 bits.", board.name);
                Failure::new(Code::Limit, format!("{msg} Nothing was changed."))
            })
        };
        let score = match (board.operator, before) {
            (Operator::Best, Some(old)) => {
                let better = match board.better {
                    Better::Lower => self.score < old,
                    Better::Higher => self.score > old,
                };
                return Ok(better.then_some(self.score));
            }
            (Operator::Best | Operator::Last, _) => self.score,
            (Operator::Sum, _) => add(self.score)?,
            (Operator::Count, _) => add(1)?,
        };
        // The same again does not lose its place among equals.
        Ok((before != Some(score)).then_some(score))
    }
}

impl Decide for Submit {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        still_there(facts, self.by)?;
        let Some(board) = facts.board(self.board) else { return refuse(Code::NotFound, "There is no such board.") };
        if facts.is_disabled(self.player)? {
            let name = facts.name(self.player.into());
            return refuse(
                Code::Denied,
                format!("{name} is disabled: what stands stays, and no new scores are taken."),
            );
        }
        let (before, total) = (facts.standing(self.board, self.player), facts.total(self.board));
        let name = board.name.clone();
        let answer = |facts: &dyn Facts, now: &Standing, total, improved| {
            let (rank, player) = (facts.rank(self.board, now), facts.name(self.player.into()));
            Reply::RecordSubmitted(RecordSubmitted { board: name, player, score: now.score, rank, total, improved })
        };
        let Some(score) = self.counts(board, before.map(|old| old.score))? else {
            let Some(now) = before else { return refuse(Code::NotFound, "That score was withdrawn.") };
            return Ok(Decided::new(Vec::new(), answer(facts, now, total, false)));
        };
        let total = total + u32::from(before.is_none());
        let (order, at, note) = (facts.next_number(Sequence::Order)?, stamp.now, self.note.clone());
        let standing = Standing { player: self.player, score, order, at, server: self.by, note };
        let reply = answer(facts, &standing, total, true);
        Ok(Decided::new(vec![Row::Standing { board: self.board, standing }], reply))
    }
}

/// `RECORD SUBMIT`.
pub fn submit(call: Call<'_>, me: Me<Principal>, request: RecordSubmit) -> Plan<RecordChange> {
    let length = request.note.as_ref().map_or(0, String::len);
    if let Err(failure) = check_length("A note", length, call.settings.records.note) {
        return failure.into();
    }
    let player = match player_of(&call, request.player.as_deref()) {
        Ok(player) => player,
        Err(failure) => return failure.into(),
    };
    let by = match me.id.as_server() {
        Some(server) => Some(server),
        None if me.id == player.into() => None,
        None => {
            return Failure::new(Code::Denied, "You can submit for yourself only; a game server submits for others.")
                .into();
        }
    };
    let boards = read(&call.memory.boards);
    let Some(ranking) = boards.find(&request.board) else {
        return call.memory.no_such_board(&boards, &request.board).into();
    };
    if by.is_none() && ranking.board.submit == ssmglobal_store::Submitters::Servers {
        return Failure::new(Code::Denied, format!("Only game servers submit to {}.", ranking.board.name)).into();
    }
    let (board, note) = (ranking.board.id, request.note.map(Into::into));
    Plan::change(Submit { board, player, score: request.score, by, note })
}

/// A player's score is taken off a board.
#[derive(Clone, Debug)]
pub struct Withdraw {
    /// The board.
    pub board: BoardId,
    /// The player who loses it.
    pub player: PlayerId,
    /// Kept with it.
    pub reason: String,
}

impl Decide for Withdraw {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let Some(mut was) = facts.standing(self.board, self.player).cloned() else {
            let player = facts.name(self.player.into());
            return refuse(Code::NotFound, format!("{player} has no score on this board."));
        };
        // Memory still names it where the game server was deleted since.
        was.server = was.server.filter(|server| facts.server_exists(*server));
        let (board, order, reason) = (self.board, facts.next_number(Sequence::Order)?, self.reason.clone());
        Ok(Decided::done(Row::Withdrawn { board, was, order, at: stamp.now, reason }))
    }
}

fn row(memory: &Memory, standing: &Standing, rank: u32) -> RecordRow {
    RecordRow {
        rank,
        player: memory.name(standing.player.into()).unwrap_or_default(),
        score: standing.score,
        at: standing.at,
        server: standing.server.and_then(|server| memory.name(server.into())),
        note: standing.note.as_deref().map(str::to_owned),
    }
}

/// `count` rows from index `from` (0 is the first).
fn page(memory: &Memory, ranking: &Ranking, from: usize, count: usize) -> Reply {
    let slice = ranking.slice(from, count);
    let end = from + slice.len();
    let rank = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
    let next = slice.last().filter(|_| end < ranking.total() as usize).map(|(place, _)| cursor(place));
    let prev = slice.first().filter(|_| from > 0).map(|(place, _)| cursor(place));
    let records = slice.iter().enumerate().map(|(index, (_, standing))| row(memory, standing, rank(from + index)));
    Reply::RecordPage(RecordPage {
        board: ranking.board.name.clone(),
        unit: ranking.board.unit.clone(),
        total: ranking.total(),
        records: records.collect(),
        next,
        prev,
    })
}

/// The index that a rank or a cursor stands for, and the one behind it.
fn index_of(ranking: &Ranking, text: &str) -> Result<(usize, usize), Failure> {
    if let Ok(rank) = text.parse::<usize>() {
        return Ok((rank.saturating_sub(1), rank));
    }
    ranking.index_of_cursor(text).ok_or_else(|| {
        Failure::new(Code::Invalid, "after and before take a rank, or what a page gave as next or prev.")
    })
}

/// How many rows a page of ranks has.
fn rows_of(call: &Call<'_>, asked: Option<u32>) -> usize {
    match asked {
        Some(_) => call.page_limit(asked),
        None => call.settings.records.top_page as usize,
    }
}

/// `RECORD TOP`.
pub fn top(call: Call<'_>, request: RecordTop) -> Plan<RecordChange> {
    let boards = read(&call.memory.boards);
    let Some(ranking) = boards.find(&request.board) else {
        return call.memory.no_such_board(&boards, &request.board).into();
    };
    let limit = rows_of(&call, request.limit);
    let (from, count) = match (request.after.as_deref(), request.before.as_deref()) {
        (Some(_), Some(_)) => return Failure::new(Code::Usage, "Give after or before, not both.").into(),
        (Some(after), None) => match index_of(ranking, after) {
            Ok((_, behind)) => (behind, limit),
            Err(failure) => return failure.into(),
        },
        (None, Some(before)) => match index_of(ranking, before) {
            Ok((at, _)) => (at.saturating_sub(limit), at.min(limit)),
            Err(failure) => return failure.into(),
        },
        (None, None) => (0, limit),
    };
    Plan::Reply(page(call.memory, ranking, from, count))
}

/// What stands for a player on a board, and the board.
fn standing_of<'a>(
    call: &Call<'_>,
    boards: &'a crate::state::boards::Boards,
    board: &str,
    player: Option<&str>,
) -> Result<(&'a Ranking, &'a Standing), Failure> {
    let player = player_of(call, player)?;
    let ranking = boards.find(board).ok_or_else(|| call.memory.no_such_board(boards, board))?;
    let standing = ranking.standing(player).ok_or_else(|| {
        let name = call.memory.name(player.into()).unwrap_or_default();
        Failure::new(Code::NotFound, format!("{name} has no score on {}.", ranking.board.name))
    })?;
    Ok((ranking, standing))
}

/// `RECORD AROUND`.
pub fn around(call: Call<'_>, request: RecordAround) -> Plan<RecordChange> {
    let boards = read(&call.memory.boards);
    let (ranking, standing) = match standing_of(&call, &boards, &request.board, request.player.as_deref()) {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    let limit = rows_of(&call, request.limit);
    let index = ranking.rank(standing.score, standing.order) as usize - 1;
    let last_start = (ranking.total() as usize).saturating_sub(limit);
    let from = index.saturating_sub(limit / 2).min(last_start);
    Plan::Reply(page(call.memory, ranking, from, limit))
}

/// `RECORD SHOW`.
pub fn show(call: Call<'_>, request: RecordShow) -> Plan<RecordChange> {
    let boards = read(&call.memory.boards);
    let (ranking, standing) = match standing_of(&call, &boards, &request.board, request.player.as_deref()) {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    let RecordRow { rank, player, score, at, server: by, note } =
        row(call.memory, standing, ranking.rank(standing.score, standing.order));
    let (board, unit, total) = (ranking.board.name.clone(), ranking.board.unit.clone(), ranking.total());
    Plan::Reply(Reply::RecordShown(RecordShown { board, unit, player, score, rank, total, at, server: by, note }))
}

/// The two ways to say the same: as the store keeps it, and as it goes over the wire.
macro_rules! same {
    ($($name:ident { $($value:ident),* })*) => {
        $(impl SameOnTheWire for ssmglobal_store::$name {
            type Wire = $name;

            fn to_wire(self) -> $name {
                match self { $(ssmglobal_store::$name::$value => $name::$value,)* }
            }

            fn from_wire(wire: $name) -> ssmglobal_store::$name {
                match wire { $($name::$value => ssmglobal_store::$name::$value,)* }
            }
        })*
    };
}

/// What is kept in one type and sent in another.
trait SameOnTheWire {
    type Wire;
    fn to_wire(self) -> Self::Wire;
    fn from_wire(wire: Self::Wire) -> Self;
}

same! {
    Better { Lower, Higher }
    Operator { Best, Last, Sum, Count }
    Submitters { Servers, Players }
}

/// A board as it is to be kept, from what the operator says.
pub fn board_of(name: String, unit: String, better: Better, operator: Operator, submit: Submitters) -> Board {
    let better = ssmglobal_store::Better::from_wire(better);
    let operator = ssmglobal_store::Operator::from_wire(operator);
    Board { id: BoardId(0), name, unit, better, operator, submit: ssmglobal_store::Submitters::from_wire(submit) }
}

/// A board as lists show it.
pub fn board_row(ranking: &Ranking) -> BoardRow {
    let board = &ranking.board;
    BoardRow {
        board: board.name.clone(),
        unit: board.unit.clone(),
        better: board.better.to_wire(),
        operator: board.operator.to_wire(),
        submit: board.submit.to_wire(),
        total: ranking.total(),
    }
}

/// `RECORD BOARDS`.
pub fn boards(call: Call<'_>, page: Page) -> Plan<RecordChange> {
    let limit = call.page_limit(page.limit);
    let boards = read(&call.memory.boards);
    let mut rows: Vec<BoardRow> = boards.iter_after(page.after.as_deref()).take(limit + 1).map(board_row).collect();
    let next = next_page(&mut rows, limit, |row| row.board.clone());
    let total = u32::try_from(boards.len()).ok();
    Plan::Reply(Reply::Boards(Boards { boards: rows, next, total }))
}

fn board_named(call: &Call<'_>, name: &str) -> Result<Topic, Failure> {
    let boards = read(&call.memory.boards);
    boards
        .find(name)
        .map(|ranking| Topic::Board(ranking.board.id))
        .ok_or_else(|| call.memory.no_such_board(&boards, name))
}

/// `RECORD WATCH`.
pub fn watch(call: Call<'_>, request: RecordWatch) -> Plan<RecordChange> {
    let board = match board_named(&call, &request.board) {
        Ok(board) => board,
        Err(failure) => return failure.into(),
    };
    if let Some(count) = call.session.is_listening_enough(board, call.settings) {
        let msg = format!("You watch {count} boards already. RECORD UNWATCH one of them first.");
        return Failure::new(Code::Limit, msg).into();
    }
    call.state.subscribe(call.session, call.at, board);
    Plan::done()
}

/// `RECORD UNWATCH`.
pub fn unwatch(call: Call<'_>, request: RecordWatch) -> Plan<RecordChange> {
    match board_named(&call, &request.board) {
        Ok(board) => {
            call.state.unsubscribe(call.session, call.at, board);
            Plan::done()
        }
        Err(failure) => failure.into(),
    }
}
