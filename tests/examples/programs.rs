//! The game server, the bot, the health check and the maker of pages, in Python.

use super::way::Way;
use super::{CONNECTED, interpreter};
use crate::harness::{Backend, GameServer, Output, Program, Running, Wire, has, run};
use nix::sys::signal::Signal;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::process::Stdio;

/// A game server that runs, on a board where each game won counts as many points as it took guesses.
struct Game {
    backend: Backend,
    game: Running,
    way: Way,
    desert: GameServer,
}

const GAME: &str = "gameserver.py";

impl Game {
    fn new() -> Option<Game> {
        interpreter(GAME)?;
        let backend = Backend::start();
        backend.player("Bob");
        backend.sum_board("guesses");
        let key = backend.ctl(&["server", "add", "arena"])["key"].clone();
        let mut desert = backend.game_server("desert");
        desert.ok("RELAY JOIN", json!({"channel": "lobby"}));
        let way = Way::to(backend.at());
        // There is one number, so it is known.
        let config = json!({
            "backend": way.at.to_string(), "server": "arena", "key": key, "listen": "127.0.0.1", "port": 0,
            "board": "guesses", "channel": "lobby", "highest": 1,
        });
        fs::write(backend.file("game.json"), config.to_string()).expect("a file");
        let game = Game::start(&backend);
        Some(Game { backend, game, way, desert })
    }

    fn start(backend: &Backend) -> Running {
        let mut command = interpreter(GAME).expect("it was there");
        let game = Running::start(command.arg(backend.file("game.json")));
        game.stdout.wait(CONNECTED);
        game
    }

    /// Does this, and waits until the game server has written that.
    fn until(&self, said: &str, what: impl FnOnce()) {
        let mark = self.game.stdout.mark();
        what();
        self.game.stdout.wait_after(mark, said);
    }

    /// Bob comes in by a pass, and has no other connection.
    fn bob(&self) -> Wire {
        let mut bob = self.backend.player_again("Bob");
        let pass = bob.ok("PASS", json!({"server": "arena"}))["pass"].clone();
        let port = self.game.stdout.find_after(0, "a port", |text| {
            let line = text.lines().next().filter(|_| text.contains('\n'))?;
            line.rsplit_once(' ')?.1.parse().ok()
        });
        let mut wire = Wire::to(SocketAddr::from(([127, 0, 0, 1], port)));
        wire.send(format!("{}\n", pass.as_str().expect("a pass")));
        wire.expect("Welcome, Bob. Which number is it?\n");
        self.backend.see_off(bob.wire);
        wire
    }

    /// What is kept: bob's points, his letters, and where he is.
    fn kept(&self) -> (i64, u64, String) {
        let mut bob = self.backend.player_again("Bob");
        let points = bob.ok("RECORD SHOW", json!({"board": "guesses"}))["score"].as_i64().expect("points");
        let letters = bob.ok("MAIL LIST", json!({}))["total"].as_u64().expect("a number");
        let at = bob.ok("FINGER", json!({"player": "bob"}))["worlds"].to_string();
        self.backend.see_off(bob.wire);
        (points, letters, at)
    }

    /// The desert hears these, each once, and nothing else of the arena's.
    fn hears(&mut self, bodies: &[&str]) {
        for body in bodies {
            has(&self.desert.expect_event("relay"), json!({"from": "server:arena", "body": body}));
        }
        self.desert.expect_no_event("relay");
    }
}

/// The last of what a game that is won brings about.
const DONE: &str = "outbox: MAIL SEND: ";

#[test]
fn a_game_server_loses_nothing_and_does_nothing_twice_whatever_dies() {
    let Some(mut scene) = Game::new() else { return };
    let mut bob = scene.bob();
    assert_eq!(scene.backend.program().ok("WORLDS", json!({}))["worlds"][0]["players"], 1);
    scene.until(DONE, || bob.send("0\n2\n1\n"));
    bob.expect("No. It is more.\nNo. It is less.\nBob has guessed 1 with 3.\n");
    scene.hears(&["Bob has guessed 1 with 3."]);
    assert_eq!(scene.kept(), (3, 1, "[\"arena\"]".into()));
    // A part of the backend dies while it is asked: the connection stays, and all that was said on it.
    scene.until(DONE, || {
        scene.backend.over_the_death_of_the_handler(|| scene.until("outbox: MAIL SEND waits", || bob.send("1\n")));
    });
    scene.hears(&["Bob has guessed 1 with 1."]);
    assert_eq!(scene.kept(), (4, 2, "[\"arena\"]".into()));
    // It was done, and the answer got lost with the connection.
    scene.way.lose("\"board\": \"guesses\"");
    let mark = scene.game.stdout.mark();
    scene.until("no connection", || bob.send("1\n"));
    scene.desert.ok("RELAY SEND", json!({"channel": "lobby", "body": "Who wins?"}));
    scene.game.stdout.wait_after(mark, CONNECTED);
    scene.game.stdout.wait_after(mark, DONE);
    scene.hears(&["Bob has guessed 1 with 1."]);
    assert_eq!(scene.kept(), (5, 3, "[\"arena\"]".into()));
    // What was said meanwhile has come, once, and nothing of its own.
    scene.desert.ok("RELAY SEND", json!({"channel": "lobby", "body": "And now?"}));
    let heard = bob.until("[server:desert] And now?\n");
    assert_eq!(heard.matches("[server:desert] Who wins?\n").count(), 1, "{heard}");
    assert!(!heard.contains("[server:arena]"), "{heard}");
    // Everything ends, and the game goes on meanwhile.
    let mark = scene.game.stdout.mark();
    scene.backend.stop();
    scene.game.stdout.wait_after(mark, "no connection");
    scene.until("outbox: MAIL SEND waits", || bob.send("7\n1\n"));
    scene.backend.start_again();
    scene.game.stdout.wait_after(mark, CONNECTED);
    scene.game.stdout.wait_after(mark, DONE);
    assert_eq!(scene.kept(), (7, 4, "[\"arena\"]".into()), "who is there was said again");
    assert_eq!(scene.backend.program().ok("WORLDS", json!({}))["worlds"][0]["players"], 1);
    scene.desert = scene.desert.again(&scene.backend);
    scene.desert.ok("RELAY JOIN", json!({"channel": "lobby", "since": 0}));
    scene.hears(&["Bob has guessed 1 with 2."]);
    // The game server is killed with the backend, and what waited is on disk.
    scene.backend.stop();
    scene.until("outbox: MAIL SEND waits", || bob.send("1\n"));
    scene.game.signal(Signal::SIGKILL);
    scene.game.wait();
    scene.backend.start_again();
    scene.game = Game::start(&scene.backend);
    scene.game.stdout.wait(DONE);
    assert_eq!(scene.kept(), (8, 5, "[]".into()));
    // He is told there what is for him.
    let mut bob = scene.bob();
    scene.backend.player("alice").ok("TELL", json!({"to": "bob", "body": "Well done"}));
    bob.expect("[tell] alice: Well done\n");
}

/// A bot that is on.
fn bot(at: SocketAddr) -> Running {
    let mut command = interpreter("bot.py").expect("it was there");
    command.args(["robbie", &at.to_string()]).env("SSMGLOBAL_PASSWORD", "secret-of-robbie");
    let bot = Running::start(&mut command);
    bot.stdout.wait(CONNECTED);
    bot
}

/// The bot was asked something, and the backend has told it that its answer was given.
const TOLD: &str = "outbox: TELL: ";

/// Somebody tells the bot something, and hears this.
fn hears(who: &mut Program, bot: &Running, said: &str, answer: &str) {
    let mark = bot.stdout.mark();
    who.ok("TELL", json!({"to": "robbie", "body": said}));
    has(&who.expect_event("tell"), json!({"from": "robbie", "body": answer}));
    bot.stdout.wait_after(mark, TOLD);
}

#[test]
fn a_bot_answers_once_who_tells_it_something_whatever_dies() {
    if interpreter("bot.py").is_none() {
        return;
    }
    let mut backend = Backend::plan().environment("SSMGLOBAL_PLAYERS_IDENTITY", "takeover").start();
    backend.see_off(backend.player("robbie").wire);
    backend.board("sprint");
    let mut alice = backend.player("alice");
    let way = Way::to(backend.at());
    let mut robbie = bot(way.at);
    hears(&mut alice, &robbie, "Hello there", "Good day, alice.");
    hears(&mut alice, &robbie, "best sprint", "sprint (ms): nobody yet");
    let no_board = "There is no board sprnit. Did you mean sprint? RECORD BOARDS lists them.";
    hears(&mut alice, &robbie, "BEST sprnit", no_board);
    hears(&mut alice, &robbie, "\u{1f600}", "I am a bot. I know: hello, best BOARD.");
    // It explains itself once: else two of its kind would never end.
    let mark = robbie.stdout.mark();
    alice.ok("TELL", json!({"to": "robbie", "body": "What?"}));
    robbie.stdout.wait_after(mark, "nothing for alice");
    // A visitor is answered by the name that he has as a sender.
    let mut zed = backend.visitor("zed");
    hears(&mut zed, &robbie, "hello", "Good day, visitor:zed.");
    // Over the death of the handler.
    let mark = robbie.stdout.mark();
    backend.over_the_death_of_the_handler(|| {
        alice.send_line(json!({"cmd": "TELL", "args": {"to": "robbie", "body": "hello"}}).to_string());
    });
    assert_eq!(alice.reply()["state"], "OK");
    assert_eq!(alice.expect_event("tell")["body"], "Good day, alice.");
    robbie.stdout.wait_after(mark, TOLD);
    // It has answered, and does not know.
    way.lose("\"to\": \"alice\"");
    let mark = robbie.stdout.mark();
    alice.ok("TELL", json!({"to": "robbie", "body": "hello"}));
    assert_eq!(alice.expect_event("tell")["body"], "Good day, alice.");
    robbie.stdout.wait_after(mark, "no connection");
    robbie.stdout.wait_after(mark, TOLD);
    alice.expect_no_event("tell");
    // Over a restart of everything it comes back by itself.
    let mark = robbie.stdout.mark();
    backend.restart();
    robbie.stdout.wait_after(mark, CONNECTED);
    let mut alice = backend.player_again("alice");
    hears(&mut alice, &robbie, "hello", "Good day, alice.");
    assert!(!robbie.stdout.text().contains("secret"), "{}", robbie.stdout.text());
    // Somebody else is robbie now: to come back would throw that one out.
    let _other = backend.player_again("robbie");
    assert_eq!(robbie.wait().and_then(|status| status.code()), Some(1));
    assert!(robbie.stderr.text().contains("does not take us"), "{}", robbie.stderr.text());
}

fn health(words: &[&str]) -> Output {
    run(interpreter("health.py").expect("it was there").args(words), b"")
}

#[test]
fn the_health_check_says_in_one_line_whether_the_backend_is_well_and_never_hangs() {
    if interpreter("health.py").is_none() {
        return;
    }
    let mut backend = Backend::start();
    let at = backend.at().to_string();
    let well = || health(&[&at]).ends_with(0).prints("OK - ").prints(" | time=0.");
    assert_eq!(well().out.lines().count(), 1);
    backend.kill_handler();
    well();
    backend.restart();
    well();
    health(&[&at, "5", "0"]).ends_with(1).prints("WARNING - ");
    // The part that owns the database hangs.
    let hung = backend.while_the_handler_stands_still(|| health(&[&at, "0.5"]));
    hung.ends_with(2).prints("CRITICAL - ");
    let full = Backend::plan().config("limits.clients = 1\n").start();
    let _guest = full.program();
    health(&[&full.at().to_string()]).ends_with(1).prints("lets us not in: Server full.");
    backend.stop();
    health(&[&at]).ends_with(2).prints("Connection refused");
    // Something else is there, which says nothing, or is no backend.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent_at = silent.local_addr().expect("an address").to_string();
    health(&[&silent_at, "0.5"]).ends_with(2).prints("CRITICAL - ");
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let other_at = other.local_addr().expect("an address").to_string();
    let ok = "{\"state\": \"OK\"}\n";
    let nested = "[".repeat(100_000) + "\n";
    for said in ["HTTP/1.1 200 OK\r\n\r\n".to_owned(), "[1]\n".to_owned(), nested, ok.repeat(3)] {
        let answer = std::thread::scope(|scope| {
            let client = scope.spawn(|| health(&[&other_at]));
            let mut wire = other.accept().expect("it comes").0;
            // It may be gone before it has read all of this.
            let _ = wire.write_all(said.as_bytes()).and_then(|()| wire.shutdown(Shutdown::Write));
            client.join().expect("it ends")
        });
        answer.ends_with(2).prints("CRITICAL - ");
    }
    for words in [&[][..], &["localhost"], &[&at, "0"], &[&at, "nan"], &[&at, "5", "1", "x"]] {
        health(words).ends_with(3).prints("UNKNOWN - usage: ");
    }
}

#[test]
fn the_page_of_the_best_is_changed_in_one_step_and_shows_what_others_wrote_as_text() {
    if interpreter("leaderboard.py").is_none() {
        return;
    }
    let mut backend = Backend::start();
    let mut bob = backend.player("Bob");
    for board in ["sprint", "marathon"] {
        backend.board(board);
    }
    backend.ctl(&["universe", "set", "name", "<b>Zo\u{eb}</b>"]);
    let mut arena = backend.game_server("arena");
    let note = "<script>alert(\"&\")</script>";
    arena.ok("RECORD SUBMIT", json!({"board": "sprint", "player": "bob", "score": 12345, "note": note}));
    bob.ok("RECORD SUBMIT", json!({"board": "marathon", "score": 77}));
    let (at, path) = (backend.at().to_string(), backend.file("best.html"));
    let make = |boards: &[&str]| {
        let mut command = interpreter("leaderboard.py").expect("it was there");
        run(command.arg(&at).arg(&path).args(boards).stdin(Stdio::null()), b"")
    };
    let page = || fs::read_to_string(&path).expect("a page");
    make(&[]).ends_with(0);
    let whole = page();
    let row = "<td>1</td><td>Bob</td><td>12345</td>";
    for text in
        [row, "<td>server:arena</td>", "<td>Bob</td>", "&lt;script&gt;alert(&quot;&amp;&quot;)", "<h2>marathon</h2>"]
    {
        assert!(whole.contains(text), "{text}: {whole}");
    }
    assert!(whole.contains("<h1>&lt;b&gt;Zo\u{eb}&lt;/b&gt;</h1>") && !whole.contains("<script>"), "{whole}");
    make(&["sprint"]).ends_with(0);
    assert!(page().contains(row) && !page().contains("marathon"));
    // Over the death of the handler it takes a moment longer.
    let over = std::thread::scope(|scope| {
        let mut made = None;
        backend.over_the_death_of_the_handler(|| made = Some(scope.spawn(|| make(&[]))));
        made.expect("it was begun").join().expect("it ends")
    });
    over.ends_with(0);
    assert!(page().contains("<h2>marathon</h2>"));
    // Where it cannot be made, the one before stays.
    let before = page();
    make(&["sprnit"]).ends_with(1).complains("Did you mean sprint?");
    backend.stop();
    make(&[]).ends_with(1).complains("The page stays as it was: ");
    assert_eq!(page(), before);
    backend.start_again();
    make(&["marathon"]).ends_with(0);
    assert!(page().contains("<td>77</td>") && !page().contains("12345"));
    let files = fs::read_dir(path.parent().expect("a folder")).expect("files").flatten();
    let left = files.filter(|file| file.file_name().to_string_lossy().ends_with(".new")).count();
    assert_eq!(left, 0);
}
