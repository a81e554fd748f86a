//! Records: boards, scores and ranks. Runs in a worker.

use super::{Arg, ArgKind, Command, Group};
use crate::render::{Column, Counted, Json, Pushed, Row, Screen, Shown, plural};
use serde::Serialize;
use ssmglobal_ipc::{
    Boards, Code, Kind, Party, RecordAround, RecordArrived, RecordPage, RecordRow, RecordShow, RecordShown,
    RecordSubmit, RecordSubmitted, RecordTop, RecordWatch, Request, Submitters,
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
                Arg { kind: ArgKind::Score, ..Arg::word("score", "in the board's unit") },
                Arg::word("player", "for whom; a game server names a player, a player may leave it out")
                    .optional()
                    .keyword("PLAYER"),
                Arg::text("note", "kept with the score, up to 1 KiB").optional(),
            ],
            example: "RECORD SUBMIT sprint 12345",
            returns: "`board`, `player`, `score` (what counts now), `rank`, `total`, `improved`",
            codes: &[Code::NotFound, Code::Denied, Code::Invalid, Code::TooLong, Code::Limit],
            ..Command::request(Kind::RecordSubmit, |parsed| {
                Ok(Request::RecordSubmit(RecordSubmit {
                    board: parsed.string("board")?,
                    score: parsed.score("score")?,
                    player: parsed.opt_string("player")?,
                    note: parsed.opt_string("note")?,
                }))
            })
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
            ..Command::request(Kind::RecordTop, |parsed| {
                Ok(Request::RecordTop(RecordTop {
                    board: parsed.string("board")?,
                    limit: parsed.opt_number("limit")?,
                    after: parsed.opt_string("after")?,
                    before: parsed.opt_string("before")?,
                }))
            })
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
            ..Command::request(Kind::RecordAround, |parsed| {
                Ok(Request::RecordAround(RecordAround {
                    board: parsed.string("board")?,
                    player: parsed.opt_string("player")?,
                    limit: parsed.opt_number("limit")?,
                }))
            })
        },
        Command {
            name: "RECORD SHOW",
            alias: Some("SHOW"),
            summary: "Show one player's score and rank",
            args: &[BOARD, Arg::word("player", "whose; yours when left out").optional()],
            example: "RECORD SHOW sprint bob",
            returns: "`board`, `unit`, `player`, `score`, `rank`, `total`, `at`, `server`, `note`, `from`",
            codes: &[Code::NotFound, Code::NotLoggedIn],
            ..Command::request(Kind::RecordShow, |parsed| {
                Ok(Request::RecordShow(RecordShow {
                    board: parsed.string("board")?,
                    player: parsed.opt_string("player")?,
                }))
            })
        },
        Command {
            name: "RECORD BOARDS",
            alias: Some("BOARDS"),
            summary: "List the boards",
            args: Arg::PAGE,
            example: "RECORD BOARDS",
            returns: "`boards` (each with `board`, `unit`, `better`, `operator`, `submit`, `total`), `total`, `next`",
            ..Command::request(Kind::RecordBoards, |parsed| Ok(Request::RecordBoards(parsed.page()?)))
        },
        Command {
            name: "RECORD WATCH",
            summary: "Be told of every new first place on a board",
            args: &[BOARD],
            done: "You will be told of every new first place there.",
            example: "RECORD WATCH sprint",
            codes: &[Code::NotFound, Code::Limit],
            ..Command::request(Kind::RecordWatch, |parsed| {
                Ok(Request::RecordWatch(RecordWatch { board: parsed.string("board")? }))
            })
        },
        Command {
            name: "RECORD UNWATCH",
            summary: "Be told no longer",
            args: &[BOARD],
            done: "You will no longer be told.",
            example: "RECORD UNWATCH sprint",
            codes: &[Code::NotFound],
            ..Command::request(Kind::RecordUnwatch, |parsed| {
                Ok(Request::RecordUnwatch(RecordWatch { board: parsed.string("board")? }))
            })
        },
    ],
};

const PAGE: &str = "`board`, `unit`, `total`, `records` (each with `rank`, `player`, `score`, `at`, `server`, `note`, `from`), \
                    `next`, `prev`";

impl Shown for RecordSubmitted {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        let RecordSubmitted { board, player, score, rank, total, improved } = self;
        let how = if *improved { "" } else { "Unchanged: " };
        write!(f, "{how}{player} has {score} on {board}, rank {rank} of {total}.")
    }
}

/// Who has submitted a score: a game server, or the player himself.
fn sender(server: &Option<String>, player: &str) -> Party {
    server.clone().map_or_else(|| Party::Player(player.to_owned()), Party::Server)
}

/// Something of a score, with who has submitted it.
#[derive(Serialize)]
struct Sent<'a, T> {
    #[serde(flatten)]
    record: &'a T,
    from: Party,
}

impl Shown for RecordPage {
    fn data(&self, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Page<'a> {
            board: &'a str,
            unit: &'a str,
            total: u32,
            records: Vec<Sent<'a, RecordRow>>,
            next: Option<&'a str>,
            prev: Option<&'a str>,
        }

        let RecordPage { board, unit, total, records, next, prev } = self;
        let sent = |record: &'_ RecordRow| sender(&record.server, &record.player);
        let records = records.iter().map(|record| Sent { record, from: sent(record) }).collect();
        Page { board, unit, total: *total, records, next: next.as_deref(), prev: prev.as_deref() }.put(out);
    }

    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match self.total {
            0 => write!(f, "{}: nobody yet.", self.board),
            total => write!(f, "{}: {}.", self.board, plural(total, "player")),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if self.total == 0 {
            screen.hint(format!("RECORD SUBMIT {} score may be the first, if the board allows it.", self.board));
            return;
        }
        let rows = self.records.iter().map(|row| {
            let note = row.note.clone().unwrap_or_default();
            let from = row.server.as_ref().map_or_else(String::new, |_| sender(&row.server, &row.player).to_string());
            let at = screen.minute(row.at);
            Row::new([row.rank.to_string(), row.player.clone(), row.score.to_string(), at, from, note])
        });
        let score = if self.unit.is_empty() { "Score".to_owned() } else { format!("Score ({})", self.unit) };
        let columns = [
            Column::number("Rank"),
            Column::name("Player"),
            Column::number(&score),
            Column::detail("When"),
            Column::detail("From"),
            Column::text("Note"),
        ];
        screen.table(&columns, rows.collect());
        let shown = self.records.len();
        let command = format!("TOP {} {shown}", self.board);
        // Ranks, not the page's own marks: a person can read and change them.
        let next = self.next.as_ref().and(self.records.last()).map(|last| last.rank.to_string());
        screen.page(Counted { shown, total: Some(self.total), what: "players" }, &command, next.as_deref());
        if let (Some(_), Some(first)) = (&self.prev, self.records.first()) {
            screen.hint(format!("Back: {command} BEFORE {}", first.rank));
        }
    }
}

impl Shown for RecordShown {
    fn data(&self, out: &mut Vec<u8>) {
        Sent { record: self, from: sender(&self.server, &self.player) }.put(out);
    }

    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        let RecordShown { board, unit, player, score, rank, total, .. } = self;
        write!(f, "{player} has {score} {unit} on {board}, rank {rank} of {total}.")
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        let at = screen.moment(self.at);
        match &self.server {
            Some(_) => screen.line(format!("Reached {at}, sent by {}.", sender(&self.server, &self.player))),
            None => screen.line(format!("Reached {at}.")),
        }
        if let Some(note) = self.note.as_deref().filter(|note| !note.is_empty()) {
            screen.block(2, note);
        }
    }
}

impl Shown for Boards {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match self.boards.len() {
            0 => f.write_str("There are no boards yet."),
            count => write!(f, "{}.", plural(count, "board")),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if self.boards.is_empty() {
            screen.hint("The operator makes them: ssmglobal ctl board define");
            return;
        }
        let rows = self.boards.iter().map(|row| {
            let submit = match row.submit {
                Submitters::Servers => "servers",
                Submitters::Players => "players too",
            };
            let better = format!("{:?}", row.better).to_lowercase();
            let operator = format!("{:?}", row.operator).to_lowercase();
            Row::new([row.board.clone(), row.unit.clone(), better, operator, submit.to_owned(), row.total.to_string()])
        });
        let columns = [
            Column::name("Board"),
            Column::text("Unit"),
            Column::detail("Better"),
            Column::detail("Counts"),
            Column::detail("Submit"),
            Column::number("Players"),
        ];
        screen.table(&columns, rows.collect());
        let shown = self.boards.len();
        let counted = Counted { shown, total: self.total, what: "boards" };
        screen.page(counted, &format!("BOARDS {shown}"), self.next.as_deref());
        if let (None, Some(first)) = (&self.next, self.boards.first()) {
            screen.hint(format!("TOP {} shows the best.", first.board));
        }
    }
}

impl Pushed for RecordArrived {
    fn say(&self, f: &mut dyn Write) -> Result {
        let RecordArrived { board, unit, player, score, previous } = self;
        write!(f, "{player} leads {board} with {score} {unit}")?;
        match previous {
            Some(previous) if previous != player => write!(f, " (before: {previous})"),
            _ => Ok(()),
        }
    }
}
