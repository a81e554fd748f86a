//! Answers for people and for programs. Pure: an answer in, text out.

use serde::Serialize;
use ssmglobal_ipc::Code;
use ssmglobal_ipc::ctl::{Answer, Ask, PlayerDetail, PlayerLogins, PlayerTimes};

use super::said::Said;
use super::table::number;
use super::trouble::Trouble;
use super::{board, database, log, penalty, player, reload, requests, server, sessions, status, world};
use crate::print;

/// An answer for people; several lines, the last one ended.
pub fn text(answer: &Answer) -> String {
    match answer {
        Answer::Done => "Done.\n".to_owned(),
        // These two are dealt with before; written out so that no answer can be forgotten here.
        Answer::Failed(failure) => format!("{}\n", print::clean_lines(&failure.msg)),
        Answer::Progress { done, total } => format!("{done} of {total}\n"),
        Answer::Key(key) => server::key_text(key),
        Answer::Servers(rows) => server::list_text(rows),
        Answer::Players(page) => player::page_text(page),
        Answer::Player(player) => player::detail_text(player, None, None),
        Answer::PlayerShown { player, times } => player::detail_text(player, Some(times), None),
        Answer::PlayerLoginsShown { player, times, logins } => player::detail_text(player, Some(times), Some(logins)),
        Answer::Penalties(rows) => penalty::list_text(rows),
        Answer::PenaltiesCleared(count) => penalty::cleared_text(*count),
        Answer::Boards(rows) => board::list_text(rows),
        Answer::Sessions(rows) => sessions::list_text(rows),
        Answer::Status(status) => status::short(status),
        Answer::Numbers(numbers) => status::text(numbers),
        Answer::Verified(verified) => database::verified_text(verified),
        Answer::BackedUp { file, bytes } => database::backed_up_text(file, *bytes),
        Answer::Copied { bytes } => database::copied_text(*bytes),
        Answer::Upgraded { from, to } => upgraded(from, to) + "\n",
        Answer::Reloaded(reloaded) => reload::text(reloaded),
        Answer::Stopping { .. } => format!("{STOPPED}\n"),
        Answer::Logged(logged) if logged.lines.is_empty() => "Nothing like that was logged of late.\n".to_owned(),
        Answer::Logged(logged) => log::text(logged),
        Answer::PlayerAdded { player } => added(player) + "\n",
        Answer::BoardCleared { board, scores } => cleared(&Ask::BoardList, board, *scores) + "\n",
        Answer::Ended(rows) => sessions::ended_text(rows),
        Answer::Played(rows) => world::played_text(rows),
        // Never asked for here, or dealt with before.
        Answer::Adopted { .. } | Answer::Reply { .. } | Answer::PlayedTerms(_) => String::new(),
    }
}

const STOPPED: &str = "Everything has ended.";

fn added(player: &str) -> String {
    format!("The player {} is registered.", print::clean(player))
}

fn upgraded(from: &str, to: &str) -> String {
    let what = match from == to {
        true => format!("Version {to} was started anew; nobody has lost his connection."),
        false => format!("Upgraded from version {from} to {to}; nobody has lost his connection."),
    };
    print::clean(&what).into_owned()
}

/// As [`text`], but a bare "done" says what was done.
pub fn text_for(ask: &Ask, answer: &Answer) -> String {
    match (answer, done(ask)) {
        (Answer::Reply { kind, payload }, _) => requests::text(ask, *kind, payload),
        (Answer::Done, Some(done)) => format!("{}\n", print::clean(&done)),
        (Answer::BoardCleared { board, scores }, _) => cleared(ask, board, *scores) + "\n",
        _ => text(answer),
    }
}

fn cleared(ask: &Ask, board: &str, scores: u32) -> String {
    let what = match ask {
        Ask::BoardDelete { .. } => "is gone",
        _ => "is empty",
    };
    let scores = number(scores.into());
    format!(
        "The board {} {what}; {scores} {} on it.",
        print::clean(board),
        if scores == "1" { "score was" } else { "scores were" }
    )
}

fn done(ask: &Ask) -> Option<String> {
    Some(match ask {
        Ask::ServerDisable { name, disabled: true } => {
            format!(
                "The game server {name} is refused from now on. `ssmglobal ctl server enable {name}` takes it again."
            )
        }
        Ask::ServerDisable { name, disabled: false } => format!("The game server {name} may connect again."),
        Ask::ServerAllow { name, login_check: true } => {
            format!(
                "The game server {name} may check passwords from now on (LOGIN CHECK). \
                 `ssmglobal ctl server forbid {name} login-check` undoes it."
            )
        }
        Ask::ServerAllow { name, login_check: false } => format!("The game server {name} may not check passwords."),
        Ask::PlayerDisable { name, disabled: true, .. } => {
            format!("The player {name} cannot log in from now on. `ssmglobal ctl player enable {name}` undoes it.")
        }
        Ask::PlayerDisable { name, disabled: false, .. } => format!("The player {name} may log in again."),
        Ask::PlayerSetPassword { name, .. } => {
            format!("The player {name} has the new password. Whoever was on by the old one is logged out.")
        }
        Ask::BoardDefine { name, .. } => format!("The board {name} is defined."),
        Ask::BoardWithdraw { board, player, .. } => format!("The score of {player} is off the board {board}."),
        Ask::BoardRename { name, new } => format!("The board {name} is called {new} from now on."),
        Ask::ServerRename { name, new } => {
            format!("The game server {name} is called {new} from now on; its key is the same.")
        }
        Ask::ServerDelete { name } => format!("The game server {name} is gone."),
        Ask::SessionsKick { pid, .. } => format!("The connection of process {pid} is ended."),
        _ => return None,
    })
}

/// A list under its name; it has one page.
macro_rules! list {
    ($rows:expr => $name:ident, $one:literal) => {{
        #[derive(Serialize)]
        struct List<'a, T> {
            $name: &'a [T],
            next: Option<&'a str>,
        }
        let rows = $rows;
        Said::ok(counted(rows.len(), $one)).with(List { $name: rows, next: None }).json()
    }};
}

/// `1 board.`, `3 boards.`
fn counted(count: usize, one: &str) -> String {
    format!("{} {one}{}.", number(count as u64), if count == 1 { "" } else { "s" })
}

/// An answer for programs: one line with one object, in the shape that answers have on the wire. Shows the key of
/// [`Answer::Key`], which is made to be read once.
pub fn json(ask: &Ask, answer: &Answer) -> String {
    #[derive(Serialize)]
    struct Progress {
        done: u64,
        total: u64,
    }
    #[derive(Serialize)]
    struct BackedUp<'a> {
        file: &'a str,
        bytes: u64,
    }
    #[derive(Serialize)]
    struct Upgraded<'a> {
        from: &'a str,
        to: &'a str,
    }
    #[derive(Serialize)]
    struct PlayerShown<'a> {
        #[serde(flatten)]
        player: &'a PlayerDetail,
        #[serde(flatten)]
        times: &'a PlayerTimes,
        #[serde(flatten)]
        logins: Option<&'a PlayerLogins>,
    }
    #[derive(Serialize)]
    struct PenaltiesCleared {
        cleared: u32,
    }
    #[derive(Serialize)]
    struct Added<'a> {
        player: &'a str,
    }
    #[derive(Serialize)]
    struct Cleared<'a> {
        board: &'a str,
        scores: u32,
    }
    match answer {
        Answer::Done => Said::ok(done(ask).unwrap_or_else(|| "Done.".to_owned())).json(),
        Answer::Failed(failure) => Trouble::Refused(failure.clone()).json(),
        Answer::Progress { done, total } => {
            Said::ok(format!("{done} of {total}")).with(Progress { done: *done, total: *total }).json()
        }
        Answer::Key(key) => Said::ok("The key is shown this once.").with(key).json(),
        Answer::Servers(rows) => list!(&rows[..] => servers, "game server"),
        Answer::Players(page) => Said::ok(counted(page.players.len(), "player")).with(page).json(),
        Answer::Player(player) => Said::ok(format!("This is {}.", player.player)).with(player).json(),
        Answer::PlayerShown { player, times } => {
            Said::ok(format!("This is {}.", player.player)).with(PlayerShown { player, times, logins: None }).json()
        }
        Answer::PlayerLoginsShown { player, times, logins } => {
            let shown = PlayerShown { player, times, logins: Some(logins) };
            Said::ok(format!("This is {}.", player.player)).with(shown).json()
        }
        Answer::Penalties(rows) => list!(&rows[..] => penalties, "waiting time"),
        Answer::PenaltiesCleared(cleared) => {
            Said::ok(penalty::cleared_text(*cleared).trim_end()).with(PenaltiesCleared { cleared: *cleared }).json()
        }
        Answer::Boards(rows) => list!(&rows[..] => boards, "board"),
        Answer::Sessions(rows) => list!(&rows[..] => sessions, "session"),
        Answer::Status(status) => Said::ok("The backend runs.").with(status).json(),
        Answer::Numbers(numbers) => Said::ok("The backend runs.").with(status::Flat::from(&**numbers)).json(),
        Answer::Copied { bytes } => {
            Said::ok("The backup is written.").with(BackedUp { file: "-", bytes: *bytes }).json()
        }
        Answer::Verified(verified) if verified.ok => Said::ok("Nothing is wrong with it.").with(verified).json(),
        Answer::Verified(verified) => Said::error(Code::Invalid, "Something is wrong with it.").with(verified).json(),
        Answer::BackedUp { file, bytes } => {
            Said::ok("The backup is written.").with(BackedUp { file, bytes: *bytes }).json()
        }
        Answer::Upgraded { from, to } => Said::ok(upgraded(from, to)).with(Upgraded { from, to }).json(),
        Answer::Reply { kind, payload } => requests::json(ask, *kind, payload),
        Answer::Adopted { .. } | Answer::PlayedTerms(_) => Said::ok("Done.").json(),
        Answer::Reloaded(reloaded) => Said::ok(reload::said(reloaded)).with(reloaded).json(),
        Answer::Stopping { .. } => Said::ok(STOPPED).json(),
        Answer::Logged(logged) => log::json(logged),
        Answer::PlayerAdded { player } => Said::ok(added(player)).with(Added { player }).json(),
        Answer::BoardCleared { board, scores } => {
            Said::ok(cleared(ask, board, *scores)).with(Cleared { board, scores: *scores }).json()
        }
        Answer::Ended(rows) => list!(&rows[..] => sessions, "session"),
        Answer::Played(rows) => list!(&rows[..] => worlds, "world"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_ipc::ctl::{Key, PenaltyRow, PlayerPage, PlayerRow, ServerRow, SessionRow, Status, Stops, Verified};
    use ssmglobal_ipc::{Better, BoardRow, Mode, Operator, Secret, Submitters, Time};

    fn key() -> Answer {
        Answer::Key(Key { server: "arena".into(), key: Secret::new("k3y") })
    }

    fn servers() -> Answer {
        let row = |server: &str, last_auth| ServerRow {
            server: server.into(),
            added: Time(0),
            last_auth,
            disabled: false,
            sessions: 1,
        };
        Answer::Servers(vec![row("zoo", None), row("Arena", Some(Time(86_400_000)))])
    }

    fn detail() -> Answer {
        let times = PlayerTimes { session_minutes: Some(90), times_on: 1234, minutes_on: 0 };
        let player = PlayerDetail {
            player: "alice".into(),
            email: Some("a\x1b[31m@example.org".into()),
            registered: Time(0),
            last_login: None,
            disabled: Some("\u{9b}2Jspam".into()),
            mails: 3,
            unread: 1,
            settings: 0,
            sessions: 0,
        };
        Answer::PlayerShown { player, times }
    }

    fn status() -> Answer {
        Answer::Status(Box::new(Status {
            version: "0.1.0".into(),
            handler: 12,
            listener: 11,
            since: Time(0),
            clients: 5,
            clients_max: 4096,
            linked: 4,
            players_on: 2,
            servers_on: 1,
            players: 1234,
            boards: 2,
            requests: 10,
            commits: 4,
            database: "/srv/data/x.db".into(),
            database_bytes: 4096,
            writable: false,
        }))
    }

    fn board() -> BoardRow {
        BoardRow {
            board: "race".into(),
            unit: "ms".into(),
            better: Better::Lower,
            operator: Operator::Best,
            submit: Submitters::Servers,
            total: 9,
        }
    }

    fn session() -> SessionRow {
        SessionRow {
            pid: 77,
            session: Some(1),
            address: "192.0.2.7:4711".into(),
            mode: Some(Mode::Human),
            who: Some("alice".into()),
            since: Time(0),
            idle: Some(61),
            version: "1.2.3".into(),
        }
    }

    #[test]
    fn json_is_the_plain_form() {
        let cases = [
            (Answer::Done, r#"{"state": "OK", "msg": "Done."}"#),
            (
                key(),
                r#"{"state": "OK", "msg": "The key is shown this once.", "data": {"server": "arena", "key": "k3y"}}"#,
            ),
            (
                Answer::Servers(Vec::new()),
                r#"{"state": "OK", "msg": "0 game servers.", "data": {"servers": [], "next": null}}"#,
            ),
            (
                Answer::BackedUp { file: "/b".into(), bytes: 7 },
                r#"{"state": "OK", "msg": "The backup is written.", "data": {"file": "/b", "bytes": 7}}"#,
            ),
            (
                Answer::Boards(vec![board()]),
                r#"{"state": "OK", "msg": "1 board.", "data": {"boards": [{"board": "race", "unit": "ms", "better": "lower", "operator": "best", "submit": "servers", "total": 9}], "next": null}}"#,
            ),
            (
                Answer::Sessions(vec![session()]),
                r#"{"state": "OK", "msg": "1 session.", "data": {"sessions": [{"pid": 77, "session": 1, "address": "192.0.2.7:4711", "mode": "HUMAN", "who": "alice", "since": "1970-01-01T00:00:00Z", "idle": 61, "version": "1.2.3"}], "next": null}}"#,
            ),
        ];
        for (answer, expected) in cases {
            assert_eq!(json(&Ask::Status, &answer), expected);
        }
    }

    #[test]
    fn every_json_answer_is_one_line_that_parses() {
        let page = PlayerPage { players: Vec::new(), next: Some("bob".into()) };
        for answer in [servers(), detail(), status(), Answer::Players(page)] {
            let line = json(&Ask::Status, &answer);
            assert!(!line.contains(char::is_control), "{line}");
            serde_json::from_str::<serde_json::Value>(&line).unwrap();
        }
    }

    #[test]
    fn a_key_is_shown_with_what_to_do() {
        let text = text(&key());
        assert!(text.contains(r#"{"cmd": "AUTH", "args": {"name": "arena", "key": "k3y"}}"#), "{text}");
    }

    #[test]
    fn servers_are_sorted_and_aligned() {
        let text = text(&servers());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("SERVER"));
        assert!(lines[1].starts_with("Arena   1970-01-01T00:00:00Z  1970-01-02T00:00:00Z"), "{text}");
        assert!(lines[2].starts_with("zoo     1970-01-01T00:00:00Z  never"), "{text}");
    }

    #[test]
    fn foreign_text_is_cleaned() {
        let text = text(&detail());
        assert!(!text.contains(['\x1b', '\u{9b}']), "{text}");
        assert!(text.contains("spam"));
    }

    #[test]
    fn a_players_times_stand_beside_all_else() {
        let (text, json) = (text(&detail()), json(&Ask::Status, &detail()));
        assert!(text.contains("login limit:  90 min") && text.contains("times on:     1,234"), "{text}");
        assert!(json.contains(r#""data": {"player": "alice", "#), "{json}");
        assert!(
            json.ends_with(r#""sessions": 0, "session_minutes": 90, "times_on": 1234, "minutes_on": 0}}"#),
            "{json}"
        );
        // From an older backend.
        let Answer::PlayerShown { player, .. } = detail() else { panic!("another answer") };
        assert!(!super::text(&Answer::Player(player)).contains("times on"));
    }

    #[test]
    fn how_a_players_logins_went_stands_there_too() {
        let Answer::PlayerShown { player, times } = detail() else { panic!("another answer") };
        let with = |logins| Answer::PlayerLoginsShown { player: player.clone(), times, logins };
        let quiet = text(&with(PlayerLogins { last_address: Some("192.0.2.1".into()), ..PlayerLogins::default() }));
        for line in
            ["last address:   192.0.2.1\n", "failed logins:  none since the last login\n", "slowed down:    no\n"]
        {
            assert!(quiet.contains(line), "{quiet}");
        }
        let slowed = with(PlayerLogins {
            failures: 1234,
            last_failure: Some(Time(0)),
            failed_from: Some("192.0.2.\x1b7".into()),
            slowed_until: Some(Time(1000)),
            ..PlayerLogins::default()
        });
        let (told, json) = (text(&slowed), json(&Ask::PlayerShow { name: String::new() }, &slowed));
        assert!(told.contains("1,234 since the last login, at 1970-01-01T00:00:00Z from 192.0.2.\\x1b7\n"), "{told}");
        assert!(told.contains("until 1970-01-01T00:00:01Z from addresses that are new to him\n"), "{told}");
        assert!(told.contains("last address:   unknown\n"), "{told}");
        assert!(json.contains(r#""failures": 1234, "last_failure": "1970-01-01T00:00:00Z", "#), "{json}");
    }

    #[test]
    fn who_has_to_wait_is_shown_by_address() {
        let row = PenaltyRow {
            address: "192.0.2.1".into(),
            stops: Stops::Logins,
            player: Some("alice".into()),
            why: "10 failed logins".into(),
            until: Time(0),
        };
        let answer =
            Answer::Penalties(vec![row.clone(), PenaltyRow { stops: Stops::Connections, player: None, ..row }]);
        let told = text(&answer);
        let lines: Vec<&str> = told.lines().skip(1).collect();
        let expected = ["192.0.2.1  logins       alice   1970", "192.0.2.1  connections  -       1970"];
        assert!(lines.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{told}");
        let said = json(&Ask::PenaltyList, &answer);
        assert!(
            said.contains(r#""data": {"penalties": [{"address": "192.0.2.1", "stops": "logins", "player": "alice", "#),
            "{said}"
        );
        let said = json(&Ask::PenaltyClear { address: None }, &Answer::PenaltiesCleared(2));
        assert!(said.ends_with(r#""data": {"cleared": 2}}"#), "{said}");
        assert_eq!(text(&Answer::Penalties(Vec::new())), "Nobody has to wait.\n");
    }

    #[test]
    fn a_full_disk_shows_in_the_status() {
        let text = text(&status());
        assert!(text.contains("1,234") && text.contains("cannot be written"), "{text}");
    }

    #[test]
    fn empty_lists_say_what_to_do_next() {
        assert!(text(&Answer::Servers(Vec::new())).contains("server add"));
        assert!(text(&Answer::Boards(Vec::new())).contains("board define"));
    }

    #[test]
    fn a_page_tells_how_to_go_on() {
        let row = PlayerRow { player: "al".into(), registered: Time(0), last_login: None, disabled: true };
        let text = text(&Answer::Players(PlayerPage { players: vec![row], next: Some("al".into()) }));
        assert!(text.contains("--after al"), "{text}");
        assert!(text.contains("disabled"));
    }

    #[test]
    fn done_says_what_was_done() {
        let ask = Ask::ServerDisable { name: "arena".into(), disabled: true };
        assert!(text_for(&ask, &Answer::Done).starts_with("The game server arena is refused"));
        assert_eq!(text_for(&Ask::Status, &Answer::Done), "Done.\n");
    }

    #[test]
    fn damage_is_listed() {
        let verified = Verified {
            file: "/b".into(),
            ok: false,
            problems: vec!["page 3 is \x1b lost".into()],
            schema: 1,
            players: 0,
            mails: 0,
            records: 0,
            settings: 0,
        };
        let text = text(&Answer::Verified(verified));
        assert!(text.contains("page 3 is \\x1b lost"), "{text}");
    }
}
