//! How long players and visitors are on: a login is counted once whatever happens, and there is a bound where the operator sets one.

use crate::harness::{Backend, Program, Wire, has};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use ssmglobal_store::Player;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// How long somebody was on, as far as the other end can know it.
struct Meter {
    least: Duration,
    most: Duration,
    /// When he was about to log in, and when he knew that he was.
    on: Option<(Instant, Instant)>,
    times: u64,
}

impl Meter {
    fn new() -> Meter {
        Meter { least: Duration::ZERO, most: Duration::ZERO, on: None, times: 0 }
    }

    fn on<T>(&mut self, log_in: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let done = log_in();
        (self.on, self.times) = (Some((before, Instant::now())), self.times + 1);
        done
    }

    fn off<T>(&mut self, log_out: impl FnOnce() -> T) -> T {
        let (about, known) = self.on.take().expect("he is on");
        self.least += known.elapsed();
        let done = log_out();
        self.most += about.elapsed();
        done
    }

    /// Whether what was kept of the player is right.
    fn check(&self, kept: &[Player], name: &str) {
        let player = kept.iter().find(|player| player.name == name).expect("a player");
        // Moments are cut to milliseconds.
        let slack = Duration::from_millis(2 * self.times);
        let (least, most) = (self.least.saturating_sub(slack), self.most + slack);
        let on = Duration::from_millis(player.milliseconds_on);
        assert!((least..=most).contains(&on), "{name}: {on:?} is not {least:?} to {most:?}");
        assert_eq!(player.times_on, self.times);
    }
}

/// What a backend has kept that has ended. Opened once: a process that another test is just starting may hold the lock a little
/// longer than this one.
fn kept(backend: &Backend) -> Vec<Player> {
    let store = ssmglobal_store::open(&backend.data().join("ssmglobal.db"), Duration::ZERO).expect("a database");
    store.reader().expect("a reader").players(None, 1000).expect("it reads")
}

/// The time itself is what is looked at.
fn stay(program: &mut Program) {
    assert_eq!(program.wire.listen(Duration::from_millis(150)), "");
}

fn shown(backend: &Backend) -> Value {
    backend.ctl(&["player", "show", "alice"])
}

#[test]
fn a_login_counts_once_however_it_ends() {
    let mut backend = Backend::start();
    let mut meter = Meter::new();
    let mut alice = meter.on(|| backend.player("alice"));
    stay(&mut alice);
    meter.off(|| alice.ok("LOGOUT", json!({})));
    meter.on(|| alice.login("alice"));
    // Without a word in between, and as who she is already.
    stay(&mut alice);
    meter.off(|| ());
    meter.on(|| alice.login("alice"));
    stay(&mut alice);
    let worker = backend.worker_of("alice");
    let mark = backend.log().mark();
    meter.off(|| {
        kill(worker, Signal::SIGKILL).expect("it lives");
        backend.log().wait_after(mark, "has ended: ");
    });
    let mut alice = meter.on(|| backend.player_again("alice"));
    stay(&mut alice);
    meter.off(|| backend.ctl(&["player", "disable", "alice"]));
    backend.ctl(&["player", "enable", "alice"]);
    meter.on(|| alice.login("alice"));
    stay(&mut alice);
    meter.off(|| backend.see_off(alice.wire));
    let shown = shown(&backend);
    has(&shown, json!({"times_on": 5, "minutes_on": 0, "session_minutes": null}));
    // Whoever is on when the backend ends is counted too.
    let mut alice = meter.on(|| backend.player_again("alice"));
    stay(&mut alice);
    meter.off(|| backend.stop());
    meter.check(&kept(&backend), "alice");
}

#[test]
fn a_login_goes_on_over_whatever_dies_and_is_counted_then() {
    let mut backend = Backend::start();
    let mut meter = Meter::new();
    let mut alice = meter.on(|| backend.player("alice"));
    stay(&mut alice);
    backend.kill_handler();
    stay(&mut alice);
    backend.ctl(&["upgrade"]);
    stay(&mut alice);
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], "alice");
    meter.off(|| alice.ok("LOGOUT", json!({})));
    meter.on(|| alice.login("alice"));
    stay(&mut alice);
    let worker = backend.worker_of("alice");
    // There is no handler to see it.
    meter.off(|| {
        backend.over_the_death_of_the_handler(|| kill(worker, Signal::SIGKILL).expect("it lives"));
        backend.ctl(&["status"]);
    });
    let mut alice = meter.on(|| backend.player_again("alice"));
    backend.kill_listener();
    backend.next_listener();
    stay(&mut alice);
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], "alice");
    meter.off(|| backend.stop());
    meter.check(&kept(&backend), "alice");
}

#[test]
fn nothing_is_lost_or_doubled_however_often_the_handler_dies_over_it() {
    let mut backend = Backend::start();
    let clients: Vec<Program> = (0..4).map(|_| backend.program()).collect();
    let (tell, answered) = channel();
    let meters = std::thread::scope(|scope| {
        let clients = clients.into_iter().enumerate().map(|(thread, mut client)| {
            let tell = tell.clone();
            scope.spawn(move || {
                let rounds = (0..25).map(|round| {
                    // Each has one login, so that it is seen of each whether it counts once.
                    let (name, mut meter) = (format!("p{thread}-{round}"), Meter::new());
                    let args = json!({"name": name, "password": "first-secret"});
                    meter.on(|| client.ok("REGISTER", args));
                    assert_eq!(client.wire.listen(Duration::from_millis(40)), "");
                    meter.off(|| client.ok("LOGOUT", json!({})));
                    let _ = tell.send(());
                    (name, meter)
                });
                rounds.collect::<Vec<_>>()
            })
        });
        let clients: Vec<_> = clients.collect();
        drop(tell);
        backend.kill_handler_while_they_work(&answered, 15, 6);
        clients.into_iter().flat_map(|client| client.join().expect("it is done")).collect::<Vec<_>>()
    });
    backend.stop();
    let kept = kept(&backend);
    meters.iter().for_each(|(name, meter)| meter.check(&kept, name));
}

#[test]
fn a_minute_before_the_end_a_session_is_told_once() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    backend.ctl(&["player", "limit", "ALICE", "90"]);
    assert_eq!(shown(&backend)["session_minutes"], 90);
    alice.expect_no_event("notice");
    let text = backend.operator(&["player", "show", "alice"]).out;
    assert!(text.contains("login limit:    90 min") && text.contains("times on:       1"), "{text}");
    // For who is on as well, and at once: that leaves her a minute at the most.
    backend.ctl(&["player", "limit", "alice", "1"]);
    let told = alice.expect_event("notice");
    assert!(told["msg"].as_str().is_some_and(|msg| msg.starts_with("Your time here ends in ")), "{told}");
    for _ in 0..2 {
        backend.kill_handler();
        alice.expect_no_event("notice");
    }
    // Each session has its own time.
    let mut another = backend.terminal();
    another.type_line("LOGIN alice secret-of-alice");
    another.expect("Logged in as alice.");
    another.expect("[notice] Your time here ends in one minute.");
    alice.expect_no_event("notice");
    backend.ctl(&["player", "limit", "alice"]);
    assert_eq!(shown(&backend)["session_minutes"], Value::Null);
    let mut third = backend.player_again("alice");
    for program in [&mut alice, &mut third, &mut bob] {
        program.expect_no_event("notice");
    }
}

#[test]
fn operators_set_the_bound_and_nobody_else_sees_it() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    let limit = |minutes: Value| json!({"player": "alice", "minutes": minutes});
    assert_eq!(alice.fails("PLAYER LIMIT", limit(90.into())), "denied");
    backend.ctl(&["right", "grant", "alice", "operator"]);
    alice.ok("PLAYER LIMIT", limit(90.into()));
    assert_eq!(shown(&backend)["session_minutes"], 90);
    for minutes in [0.into(), 10_081.into()] {
        assert_eq!(alice.fails("PLAYER LIMIT", limit(minutes)), "invalid");
    }
    assert_eq!(alice.fails("PLAYER LIMIT", json!({"player": "nobody-like-that"})), "not_found");
    backend.ctl_fails(&["player", "limit", "nobody-like-that", "7"]);
    let finger = alice.ok("FINGER", json!({"player": "alice"}));
    for member in ["session_minutes", "times_on", "minutes_on"] {
        assert_eq!(finger.get(member), None, "{member}");
    }
    drop(alice);
    backend.restart();
    assert_eq!(shown(&backend)["session_minutes"], 90);
    let mut alice = backend.terminal();
    alice.ask("LOGIN alice secret-of-alice");
    alice.says("PLAYER LIMIT alice").sees("Set; it holds at once");
    assert_eq!(shown(&backend)["session_minutes"], Value::Null);
    backend.operator(&["player", "limit", "alice", "7"]).succeeds().prints("Set; it holds at once");
    assert_eq!(backend.ctl(&["verify"])["ok"], true);
}

/// All that comes until the end, which is there when a minute is over, and not before.
fn closed_after_a_minute(wire: &mut Wire, since: Instant) -> String {
    let said = wire.listen(Duration::from_secs(100));
    wire.expect_end();
    assert!(since.elapsed() >= Duration::from_secs(60), "{:?}: {said}", since.elapsed());
    said
}

#[test]
fn when_the_time_is_over_the_session_is_told_and_closed() {
    let backend = Backend::plan().config("worlds.visit_minutes = 1\n").start();
    let since = Instant::now();
    let mut alice = backend.player("alice");
    let mut zed = backend.visitor("zed");
    let mut zoe = backend.visitor("zoe");
    let mut guest = backend.terminal();
    guest.type_line("VISITOR guest");
    guest.expect("You are \"guest\", a visitor");
    guest.expect("[notice] Your time here ends in one minute.");
    backend.ctl(&["player", "limit", "alice", "1"]);
    for program in [&mut alice, &mut zed, &mut zoe] {
        let told = program.expect_event("notice");
        assert!(told["msg"].as_str().is_some_and(|msg| msg.starts_with("Your time here ends in ")), "{told}");
    }
    // A player has a bound of his own.
    zoe.ok("REGISTER", json!({"name": "zoe", "password": "secret-of-zoe"}));
    backend.kill_handler();
    for program in [&mut alice, &mut zed, &mut zoe] {
        program.expect_no_event("notice");
    }
    let said = closed_after_a_minute(&mut alice.wire, since);
    assert!(said.contains("Your time is over for now: a login of yours lasts one minute. Goodbye"), "{said}");
    let said = closed_after_a_minute(&mut zed.wire, since);
    assert!(said.contains("Your time is over for now: a visit lasts one minute. Goodbye"), "{said}");
    let said = closed_after_a_minute(&mut guest.wire, since);
    assert!(said.contains("[notice] Your time is over for now: a visit lasts one minute. Goodbye"), "{said}");
    zoe.expect_no_event("notice");
    let who = zoe.ok("WHO", json!({}));
    let names: Vec<&Value> = who["players"].as_array().expect("a list").iter().map(|row| &row["player"]).collect();
    assert_eq!(names, ["zoe"]);
    // Everybody may come again at once.
    backend.player_again("alice").expect_event("notice");
    backend.visitor("zed").expect_event("notice");
}

#[test]
fn how_long_a_visit_lasts_is_changed_for_those_who_are_on() {
    let backend = Backend::start();
    let mut zed = backend.visitor("zed");
    let mut alice = backend.player("alice");
    let lasts = |minutes: u32| {
        backend.reload(&format!("worlds.visit_minutes = {minutes}\n"));
    };
    zed.expect_no_event("notice");
    lasts(10_080);
    zed.expect_no_event("notice");
    lasts(1);
    zed.expect_event("notice");
    lasts(0);
    for program in [&mut zed, &mut alice] {
        program.expect_no_event("notice");
    }
}
