//! Records: submitting scores, ranks, watching a board. Ranks come from memory; a submit goes to the writer.

use crate::boards::{Ranking, cursor};
use crate::core::{Answer, Core, Effect, Identity, SessionRef, Submitted, read, refuse};
use crate::dispatch::Plan;
use crate::hub::Hub;
use crate::players::no_such_player;
use crate::server::Server;
use ssmglobal_ipc::*;
use ssmglobal_store::{BoardId, PlayerId, Standing};

/// Boards that one session may watch.
pub const WATCHES: usize = 100;

fn no_such_board(name: &str) -> Failure {
    let name: String = name.chars().take(64).collect();
    Failure::new(Code::NotFound, format!("There is no board {name}. RECORD BOARDS lists them."))
}

/// The player a request is about: the one named, else the one who asks.
fn player_of(server: &Server, slot: usize, named: Option<&str>) -> Result<PlayerId, Failure> {
    if let Some(name) = named {
        return read(&server.core.directory).find(name).ok_or_else(|| no_such_player(name));
    }
    match server.session(slot).map(|session| (session.player(), session.state)) {
        Some((Some(player), _)) => Ok(player),
        Some((None, State::Server)) => Err(Failure::new(Code::Usage, "Say which player: a game server is none.")),
        _ => Err(Failure::new(Code::NotLoggedIn, "Say which player, or LOGIN first.")),
    }
}

/// `RECORD SUBMIT`.
pub fn submit(server: &mut Server, slot: usize, _: u64, request: RecordSubmit) -> Plan {
    let settings = server.core.settings();
    let most = settings.records.note;
    if request.note.as_ref().is_some_and(|note| note.len() > most) {
        return Failure::new(Code::TooLong, format!("A note has at most {most} bytes.")).into();
    }
    let player = match player_of(server, slot, request.player.as_deref()) {
        Ok(player) => player,
        Err(failure) => return failure.into(),
    };
    let Some(session) = server.session(slot) else { return Plan::Silent };
    let by = match &session.identity {
        Some(Identity::Server(id, _)) => Some(*id),
        Some(Identity::Player(id, _)) if *id == player => None,
        _ => {
            return Failure::new(Code::Denied, "You can submit for yourself only; a game server submits for others.")
                .into();
        }
    };
    let boards = read(&server.core.boards);
    let Some(ranking) = boards.find(&request.board) else { return no_such_board(&request.board).into() };
    if by.is_none() && ranking.board.submit == Submitters::Servers {
        return Failure::new(Code::Denied, format!("Only game servers submit to {}.", ranking.board.name)).into();
    }
    let board = ranking.board.id;
    drop(boards);
    let note: Option<Box<str>> = request.note.map(Into::into);
    let score = request.score;
    Plan::Write(Box::new(move |work| {
        let Some(ranking) = work.boards.get(board) else { return refuse(Code::NotFound, "There is no such board.") };
        *work.order += 1;
        let (order, at) = (*work.order, work.now);
        let standing = Standing { player, score, order, at, server: by, note: note.clone() };
        let improved = work.changes.submit(work.tx, ranking, standing)?;
        let Some(now) = work.changes.standing_on(ranking, player) else {
            return refuse(Code::NotFound, "That score was withdrawn.");
        };
        Ok(Answer::Submitted(Submitted { board, player, score: now.score, order: now.order, improved }))
    }))
}

/// What to tell those who watch a board: it has a new first place. `before` was first until now.
pub fn new_first(core: &Core, ranking: &Ranking, before: Option<PlayerId>) -> Option<Effect> {
    let first = ranking.first()?;
    let directory = read(&core.directory);
    let event = RecordArrived {
        board: ranking.board.name.clone(),
        unit: ranking.board.unit.clone(),
        player: directory.name(first.player).to_owned(),
        score: first.score,
        previous: before.map(|id| directory.name(id).to_owned()),
    };
    Some(Effect::First(ranking.board.id, Event::Record(event)))
}

fn row(core: &Core, standing: &Standing, rank: u32) -> RecordRow {
    RecordRow {
        rank,
        player: read(&core.directory).name(standing.player).to_owned(),
        score: standing.score,
        at: standing.at,
        server: core.server_name(standing),
        note: standing.note.as_deref().map(str::to_owned),
    }
}

/// `count` rows from index `from` (0 is the first).
fn page(core: &Core, ranking: &Ranking, from: usize, count: usize) -> Reply {
    let slice = ranking.slice(from, count);
    let end = from + slice.len();
    let rank = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
    let next = slice.last().filter(|_| end < ranking.total() as usize).map(|(place, _)| cursor(place));
    let prev = slice.first().filter(|_| from > 0).map(|(place, _)| cursor(place));
    let records = slice.iter().enumerate().map(|(index, (_, standing))| row(core, standing, rank(from + index)));
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

/// `RECORD TOP`.
pub fn top(server: &mut Server, _: usize, _: u64, request: RecordTop) -> Plan {
    let boards = read(&server.core.boards);
    let Some(ranking) = boards.find(&request.board) else { return no_such_board(&request.board).into() };
    let limit = match request.limit {
        Some(_) => server.page_limit(request.limit),
        None => server.core.settings().records.top_page as usize,
    };
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
    Plan::Now(page(&server.core, ranking, from, count))
}

/// `RECORD AROUND`.
pub fn around(server: &mut Server, slot: usize, _: u64, request: RecordAround) -> Plan {
    let player = match player_of(server, slot, request.player.as_deref()) {
        Ok(player) => player,
        Err(failure) => return failure.into(),
    };
    let boards = read(&server.core.boards);
    let Some(ranking) = boards.find(&request.board) else { return no_such_board(&request.board).into() };
    let Some(standing) = ranking.standing(player) else { return not_on(server, player, ranking).into() };
    let limit = match request.limit {
        Some(_) => server.page_limit(request.limit),
        None => server.core.settings().records.top_page as usize,
    };
    let index = ranking.rank(standing.score, standing.order) as usize - 1;
    let last_start = (ranking.total() as usize).saturating_sub(limit);
    let from = index.saturating_sub(limit / 2).min(last_start);
    Plan::Now(page(&server.core, ranking, from, limit))
}

fn not_on(server: &Server, player: PlayerId, ranking: &Ranking) -> Failure {
    let name = read(&server.core.directory).name(player).to_owned();
    Failure::new(Code::NotFound, format!("{name} has no score on {}.", ranking.board.name))
}

/// `RECORD SHOW`.
pub fn show(server: &mut Server, slot: usize, _: u64, request: RecordShow) -> Plan {
    let player = match player_of(server, slot, request.player.as_deref()) {
        Ok(player) => player,
        Err(failure) => return failure.into(),
    };
    let boards = read(&server.core.boards);
    let Some(ranking) = boards.find(&request.board) else { return no_such_board(&request.board).into() };
    let Some(standing) = ranking.standing(player) else { return not_on(server, player, ranking).into() };
    let RecordRow { rank, player, score, at, server: by, note } =
        row(&server.core, standing, ranking.rank(standing.score, standing.order));
    let (board, unit, total) = (ranking.board.name.clone(), ranking.board.unit.clone(), ranking.total());
    Plan::Now(Reply::RecordShown(RecordShown { board, unit, player, score, rank, total, at, server: by, note }))
}

/// A board as lists show it.
pub fn board_row(ranking: &Ranking) -> BoardRow {
    let board = &ranking.board;
    BoardRow {
        board: board.name.clone(),
        unit: board.unit.clone(),
        better: board.better,
        operator: board.operator,
        submit: board.submit,
        total: ranking.total(),
    }
}

/// `RECORD BOARDS`.
pub fn boards(server: &mut Server, _: usize, _: u64, page: Page) -> Plan {
    let limit = server.page_limit(page.limit);
    let boards = read(&server.core.boards);
    let mut rows: Vec<BoardRow> = boards.iter_after(page.after.as_deref()).take(limit + 1).map(board_row).collect();
    let next = crate::server::next_page(&mut rows, limit, |row| row.board.clone());
    Plan::Now(Reply::Boards(Boards { boards: rows, next }))
}

/// `RECORD WATCH`.
pub fn watch(server: &mut Server, slot: usize, number: u64, request: RecordWatch) -> Plan {
    let Some(board) = read(&server.core.boards).find(&request.board).map(|ranking| ranking.board.id) else {
        return no_such_board(&request.board).into();
    };
    let Some((_, at)) = server.reply_to(slot, number) else { return Plan::Silent };
    if subscribe(server, at, board) {
        return Plan::Now(Reply::Done(Done {}));
    }
    let msg = format!("You watch {WATCHES} boards already. RECORD UNWATCH one of them first.");
    Failure::new(Code::Limit, msg).into()
}

/// Lets a session watch a board; false when it watches too many.
pub fn subscribe(server: &mut Server, at: SessionRef, board: BoardId) -> bool {
    let Some(session) = server.session_mut(at.slot) else { return false };
    if session.watches.contains(&board) {
        return true;
    }
    if session.watches.len() >= WATCHES {
        return false;
    }
    session.watches.push(board);
    server.hub.watchers.entry(board).or_default().push(at);
    true
}

/// `RECORD UNWATCH`.
pub fn unwatch(server: &mut Server, slot: usize, number: u64, request: RecordWatch) -> Plan {
    let Some(board) = read(&server.core.boards).find(&request.board).map(|ranking| ranking.board.id) else {
        return no_such_board(&request.board).into();
    };
    let Some((_, at)) = server.reply_to(slot, number) else { return Plan::Silent };
    let Some(session) = server.session_mut(slot) else { return Plan::Silent };
    session.watches.retain(|other| *other != board);
    Hub::leave(&mut server.hub.watchers, &board, at);
    Plan::Now(Reply::Done(Done {}))
}
