//! Records: boards, scores and ranks. Runs in a worker.

use super::{Action, Arg, Command, Group, Kind, Who};
use crate::render::{Column, Row, Screen, minute, plural};
use ssmglobal_ipc::{
    Boards, Code, RecordAround, RecordArrived, RecordPage, RecordShow, RecordShown, RecordSubmit, RecordSubmitted,
    RecordTop, RecordWatch, Request, Submitters,
};
use std::fmt::{Result, Write};

const BOARD: Arg = Arg::word("board", "the board's name");

pub(super) static GROUP: Group = Group {
    title: "Records",
    word: Some("RECORD"),
    commands: &[
        Command {
            name: "RECORD SUBMIT",
            summary: "Put a score on a board",
            args: &[
                BOARD,
                Arg { kind: Kind::Score, ..Arg::word("score", "in the board's unit") },
                Arg::word("player", "for whom; a game server names a player, a player may leave it out").optional(),
                Arg::text("note", "kept with the score, up to 1 KiB").optional(),
            ],
            who: Who::PlayerOrServer,
            example: "RECORD SUBMIT sprint 12345",
            returns: "`board`, `player`, `score` (what counts now), `rank`, `total`, `improved`",
            codes: &[Code::NotFound, Code::Denied, Code::Invalid, Code::TooLong],
            run: |parsed| {
                Ok(Action::Request(Request::RecordSubmit(RecordSubmit {
                    board: parsed.string("board")?,
                    score: parsed.score("score")?,
                    player: parsed.opt_string("player")?,
                    note: parsed.opt_string("note")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "RECORD TOP",
            alias: Some("TOP"),
            summary: "Show a board from the top",
            args: &[
                BOARD,
                Arg::limit(),
                Arg::word("after", "a rank, or a page's `next`: rows behind it").optional().keyword("AFTER"),
                Arg::word("before", "a rank, or a page's `prev`: rows in front of it").optional().keyword("BEFORE"),
            ],
            example: "RECORD TOP sprint 10",
            returns: PAGE,
            codes: &[Code::NotFound, Code::Invalid],
            run: |parsed| {
                Ok(Action::Request(Request::RecordTop(RecordTop {
                    board: parsed.string("board")?,
                    limit: parsed.opt_number("limit")?,
                    after: parsed.opt_string("after")?,
                    before: parsed.opt_string("before")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "RECORD AROUND",
            alias: Some("AROUND"),
            summary: "Show a board around you or another player",
            args: &[
                BOARD,
                Arg::word("player", "around whom; you when left out").optional(),
                Arg::limit().keyword("LIMIT"),
            ],
            example: "RECORD AROUND sprint bob 5",
            returns: PAGE,
            codes: &[Code::NotFound, Code::NotLoggedIn],
            run: |parsed| {
                Ok(Action::Request(Request::RecordAround(RecordAround {
                    board: parsed.string("board")?,
                    player: parsed.opt_string("player")?,
                    limit: parsed.opt_number("limit")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "RECORD SHOW",
            alias: Some("SHOW"),
            summary: "Show one player's score and rank",
            args: &[BOARD, Arg::word("player", "whose; yours when left out").optional()],
            example: "RECORD SHOW sprint bob",
            returns: "`board`, `unit`, `player`, `score`, `rank`, `total`, `at`, `server`, `note`",
            codes: &[Code::NotFound, Code::NotLoggedIn],
            run: |parsed| {
                Ok(Action::Request(Request::RecordShow(RecordShow {
                    board: parsed.string("board")?,
                    player: parsed.opt_string("player")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "RECORD BOARDS",
            alias: Some("BOARDS"),
            summary: "List the boards",
            args: &[Arg::limit(), Arg::word("after", "`next` of the page before").optional()],
            example: "RECORD BOARDS",
            returns: "`boards` (each with `board`, `unit`, `better`, `operator`, `submit`, `total`), `next`",
            run: |parsed| Ok(Action::Request(Request::RecordBoards(parsed.page()?))),
            ..Command::BASE
        },
        Command {
            name: "RECORD WATCH",
            summary: "Be told of every new first place on a board",
            args: &[BOARD],
            done: "You will be told of every new first place there.",
            example: "RECORD WATCH sprint",
            codes: &[Code::NotFound, Code::Limit],
            run: |parsed| Ok(Action::Request(Request::RecordWatch(RecordWatch { board: parsed.string("board")? }))),
            ..Command::BASE
        },
        Command {
            name: "RECORD UNWATCH",
            summary: "Be told no longer",
            args: &[BOARD],
            done: "You will no longer be told.",
            example: "RECORD UNWATCH sprint",
            codes: &[Code::NotFound],
            run: |parsed| Ok(Action::Request(Request::RecordUnwatch(RecordWatch { board: parsed.string("board")? }))),
            ..Command::BASE
        },
    ],
};

const PAGE: &str = "`board`, `unit`, `total`, `records` (each with `rank`, `player`, `score`, `at`, `server`, `note`), \
                    `next`, `prev`";

pub(crate) fn say_submitted(f: &mut dyn Write, reply: &RecordSubmitted) -> Result {
    let RecordSubmitted { board, player, score, rank, total, improved } = reply;
    let how = if *improved { "" } else { "Unchanged: " };
    write!(f, "{how}{player} has {score} on {board}, rank {rank} of {total}.")
}

pub(crate) fn say_page(f: &mut dyn Write, reply: &RecordPage) -> Result {
    match reply.total {
        0 => write!(f, "{}: nobody yet.", reply.board),
        total => write!(f, "{}: {}.", reply.board, plural(total, "player")),
    }
}

pub(crate) fn say_shown(f: &mut dyn Write, reply: &RecordShown) -> Result {
    let RecordShown { board, unit, player, score, rank, total, .. } = reply;
    write!(f, "{player} has {score} {unit} on {board}, rank {rank} of {total}.")
}

pub(crate) fn say_boards(f: &mut dyn Write, reply: &Boards) -> Result {
    match reply.boards.len() {
        0 => f.write_str("There are no boards yet."),
        count => write!(f, "{}.", plural(count, "board")),
    }
}

pub(crate) fn say_arrived(f: &mut dyn Write, event: &RecordArrived) -> Result {
    let RecordArrived { board, unit, player, score, previous } = event;
    write!(f, "{player} leads {board} with {score} {unit}")?;
    match previous {
        Some(previous) if previous != player => write!(f, " (before: {previous})"),
        _ => Ok(()),
    }
}

pub(crate) fn show_page(screen: &mut Screen<'_>, reply: &RecordPage) {
    if reply.total == 0 {
        screen.hint(format!("RECORD SUBMIT {} score may be the first, if the board allows it.", reply.board));
        return;
    }
    let rows = reply.records.iter().map(|row| {
        let note = row.note.clone().unwrap_or_default();
        let server = row.server.clone().unwrap_or_default();
        let at = minute(row.at).to_string();
        Row::new([row.rank.to_string(), row.player.clone(), row.score.to_string(), at, server, note])
    });
    let score = if reply.unit.is_empty() { "Score".to_owned() } else { format!("Score ({})", reply.unit) };
    let columns = [
        Column::right("Rank").fixed(),
        Column::left("Player"),
        Column::right(&score).fixed(),
        Column::left("When"),
        Column::left("Server"),
        Column::left("Note"),
    ];
    screen.table(&columns, rows.collect());
    let count = reply.records.len();
    // Ranks, not the page's own marks: a person can read and change them.
    if let (Some(_), Some(last)) = (&reply.next, reply.records.last()) {
        screen.more(format_args!("TOP {} {count} AFTER {}", reply.board, last.rank));
    }
    if let (Some(_), Some(first)) = (&reply.prev, reply.records.first()) {
        screen.hint(format!("Back: TOP {} {count} BEFORE {}", reply.board, first.rank));
    }
}

pub(crate) fn show_shown(screen: &mut Screen<'_>, reply: &RecordShown) {
    match &reply.server {
        Some(server) => screen.line(format!("Reached {} UTC on {server}.", minute(reply.at))),
        None => screen.line(format!("Reached {} UTC.", minute(reply.at))),
    }
    if let Some(note) = reply.note.as_deref().filter(|note| !note.is_empty()) {
        screen.block(2, note);
    }
}

pub(crate) fn show_boards(screen: &mut Screen<'_>, reply: &Boards) {
    if reply.boards.is_empty() {
        screen.hint("The operator makes them: ssmglobal ctl board define");
        return;
    }
    let rows = reply.boards.iter().map(|row| {
        let submit = match row.submit {
            Submitters::Servers => "servers",
            Submitters::Players => "players too",
        };
        let better = format!("{:?}", row.better).to_lowercase();
        let operator = format!("{:?}", row.operator).to_lowercase();
        Row::new([row.board.clone(), row.unit.clone(), better, operator, submit.to_owned(), row.total.to_string()])
    });
    let columns = [
        Column::left("Board"),
        Column::left("Unit"),
        Column::left("Better").fixed(),
        Column::left("Counts").fixed(),
        Column::left("Submit").fixed(),
        Column::right("Players").fixed(),
    ];
    screen.table(&columns, rows.collect());
    match (&reply.next, reply.boards.first()) {
        (Some(next), _) => screen.more(format_args!("BOARDS {} {next}", reply.boards.len())),
        (None, Some(first)) => screen.hint(format!("TOP {} shows the best.", first.board)),
        (None, None) => {}
    }
}
