//! Starting, reloading and ending, as a person and as a supervisor do it.

use crate::harness::{Backend, GREETING, Log, PATIENCE, Person, Program, Running, Wire, processes_of, program, run};
use nix::sys::signal::{Signal, kill};
use serde_json::json;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const GOODBYE: &str = "The backend is going down. Everything is saved; please come back soon.";

#[test]
fn it_says_where_it_listens_where_the_data_is_and_what_to_type() {
    let backend = Backend::start();
    let text = backend.log().text();
    let port = backend.at().port().to_string();
    for part in [&*backend.at().to_string(), &*backend.data().display().to_string(), &port, "MODE HUMAN", "Ctrl-C"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert!(backend.data().join("ssmglobal.db").exists());
    let ways = text.lines().find(|line| line.contains("telnet")).unwrap_or_default();
    // What it says to type has to work: where it listens at one address only, that address.
    assert!(ways.contains(&backend.at().ip().to_string()), "{ways}");
}

/// Clients of every kind, and what each is told at the end.
fn everybody_is_told(mut backend: Backend, end: impl Fn(&Backend)) {
    let mut alice = Person::at(&backend).register("alice");
    let mut stranger = Person::at(&backend);
    let mut bob = Program::registered(&backend, "bob");
    let mut server = Program::in_mode(backend.at(), "SERVER");
    let all = processes_of(backend.pid());
    assert_eq!(all.len(), 6);
    end(&backend);
    assert_eq!(backend.wait(), Some(0), "{}", backend.log().text());

    let line = json!({"event": "notice", "msg": GOODBYE});
    for program in [&mut bob.wire, &mut server.wire] {
        let said = program.rest();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&said).unwrap(), line);
    }
    for person in [&mut alice.wire, &mut stranger.wire] {
        let said = person.rest();
        let words: Vec<&str> = said.lines().filter(|line| !line.is_empty() && *line != "> ").collect();
        assert_eq!(words, [format!("[notice] {GOODBYE}")], "{said:?}");
    }
    for process in all {
        assert_eq!(process.title(), "", "it is still there");
    }
    assert!(!backend.log().text().contains("ERROR"), "{}", backend.log().text());
}

#[test]
fn a_supervisor_ends_it() {
    everybody_is_told(Backend::start(), |backend| backend.signal(Signal::SIGTERM));
}

#[test]
fn a_supervisor_that_tells_every_process_ends_it() {
    everybody_is_told(Backend::start(), |backend| backend.signal_all(Signal::SIGTERM));
}

#[test]
fn ctrl_c_ends_it() {
    // A terminal sends the signal to every process there is.
    everybody_is_told(Backend::start(), |backend| backend.signal_all(Signal::SIGINT));
}

#[test]
fn who_has_only_just_come_is_told_as_well() {
    for _ in 0..5 {
        let mut backend = Backend::start();
        let mut clients: Vec<Wire> = (0..4).map(|_| Wire::to(backend.at())).collect();
        clients.iter_mut().for_each(|client| client.expect(GREETING));
        backend.stop();
        for mut client in clients {
            assert!(client.rest().contains(GOODBYE), "a client was not told that it is the end");
        }
    }
}

#[test]
fn ended_twice_it_ends_once() {
    let mut backend = Backend::start();
    let mut alice = Person::at(&backend).register("alice");
    // As long as the handler does nothing, it cannot come to its end.
    let handler = backend.handler();
    kill(handler, Signal::SIGSTOP).unwrap();
    backend.signal(Signal::SIGTERM);
    assert!(alice.wire.rest().contains(GOODBYE));
    backend.signal(Signal::SIGTERM);
    kill(handler, Signal::SIGCONT).unwrap();
    assert_eq!(backend.wait(), Some(0));
}

#[test]
fn clients_that_leave_at_the_same_moment_do_not_hold_up_its_end() {
    for _ in 0..5 {
        let mut backend = Backend::start();
        let mut clients: Vec<Program> = (0..4).map(|_| Program::at(&backend)).collect();
        // One more comes and goes: by then it has let go of the others' sockets, which it could not while it is stopped.
        drop(Program::at(&backend));
        backend.log().wait("Disconnected (4/");
        // The listener learns of their ends and of its own in one turn.
        backend.signal(Signal::SIGSTOP);
        for client in &mut clients {
            client.send_line("{\"cmd\": \"QUIT\"}");
            client.wire.expect_end();
        }
        backend.signal(Signal::SIGTERM);
        // Takes long enough for the workers to be gone, and shows that the handler works.
        assert_eq!(backend.ctl(&["status"])["clients"], 4);
        let begun = Instant::now();
        backend.signal(Signal::SIGCONT);
        assert_eq!(backend.wait(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(4), "it waited for workers that were gone");
    }
}

#[test]
fn it_ends_also_while_the_handler_is_being_started_again() {
    let mut backend = Backend::start();
    let mut alice = Program::registered(&backend, "alice");
    kill(backend.handler(), Signal::SIGKILL).unwrap();
    backend.signal(Signal::SIGTERM);
    assert_eq!(backend.wait(), Some(0), "{}", backend.log().text());
    assert!(alice.wire.rest().contains(GOODBYE));
}

#[test]
fn it_starts_again_at_once_where_it_was() {
    let mut backend = Backend::start();
    let mut alice = Program::registered(&backend, "alice");
    for _ in 0..3 {
        backend.restart();
        assert!(alice.wire.rest().contains("notice"));
        alice = Program::logged_in(&backend, "alice");
    }
}

#[test]
fn after_a_crash_of_everything_it_starts_again() {
    let mut backend = Backend::start();
    let mut alice = Program::registered(&backend, "alice");
    alice.ok("SETTING SET", json!({"key": "k", "value": "v"}));
    backend.signal_all(Signal::SIGKILL);
    backend.wait();
    backend.start_again();
    let mut alice = Program::logged_in(&backend, "alice");
    assert_eq!(alice.ok("SETTING GET", json!({"key": "k"}))["value"], "v");
}

#[test]
fn a_reload_changes_limits_and_doors() {
    let backend = Backend::plan().config("limits.clients_per_address = 1\n").start();
    let _first = Program::at(&backend);
    assert!(Wire::to(backend.at()).rest().contains("Too many connections."));

    let wire = Wire::from("127.0.0.9", backend.at());
    let door = wire.stream.local_addr().unwrap();
    // A worker that has not run yet would still hold the doors of the moment it was forked at.
    backend.see_off(wire);
    let address = format!("{}:{}", backend.at().ip(), door.port());
    let lines = format!("limits.clients_per_address = 8\n[[door]]\naddress = \"{address}\"\nmode = \"human\"\n");
    reload(&backend, &lines);
    Program::at(&backend);
    let mut person = Wire::to(address.parse().unwrap());
    person.until("Welcome to serversquared");

    reload(&backend, "limits.clients_per_address = 8\n");
    assert!(std::net::TcpStream::connect(&address).is_err(), "the door is still open");
    // Who came in by it stays.
    person.send("HW\r\n");
    person.until("Hello, world!");
}

fn reload(backend: &Backend, lines: &str) {
    let mark = backend.log().mark();
    backend.write_config(lines);
    backend.signal(Signal::SIGHUP);
    backend.log().wait_after(mark, "settings were read again");
}

#[test]
fn options_stay_above_the_file_when_it_is_read_again() {
    let backend = Backend::plan().options(&["-c", "1"]).start();
    let _first = Program::at(&backend);
    reload(&backend, "limits.clients_per_address = 8\n");
    assert!(Wire::to(backend.at()).rest().contains("Too many connections."));
}

#[test]
fn a_broken_file_changes_nothing_and_is_told() {
    let backend = Backend::plan().config("limits.clients_per_address = 2\n").start();
    let mut first = Program::at(&backend);
    let mark = backend.log().mark();
    backend.write_config("limits.clients_per_address = 1\nlimits.clints = 3\n");
    backend.signal(Signal::SIGHUP);
    backend.log().wait_after(mark, "settings not changed");
    backend.log().wait_after(mark, "limits.clints");
    backend.see_off(Program::at(&backend).wire);
    first.ok("PING", json!({}));
    // A door that cannot be opened changes nothing either.
    let mark = backend.log().mark();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    backend.write_config(&format!(
        "limits.clients = 5\nlimits.clients_per_address = 1\n[[door]]\naddress = \"{address}\"\nmode = \"human\"\n"
    ));
    backend.signal(Signal::SIGHUP);
    backend.log().wait_after(mark, "not changed");
    assert_eq!(backend.ctl(&["status"])["clients_max"], 4096);
    backend.see_off(first.wire);
    let _second = Program::at(&backend);
    Program::at(&backend);
}

#[test]
fn who_came_in_by_a_door_that_is_gone_does_not_count_at_another() {
    let plan = Backend::plan();
    let host = plan.address().to_owned();
    // Ports that are free now, and to be taken again: no other test has this address.
    let free = || std::net::TcpListener::bind((&*host, 0)).unwrap().local_addr().unwrap().to_string();
    let (one, two) = (free(), free());
    let door = |address: &str| format!("[[door]]\naddress = \"{address}\"\nmode = \"ask\"\nclients_per_address = 1\n");
    let backend = plan.config(&(door(&one) + &door(&two))).start();
    let _stays = Program::over(Wire::to(one.parse().unwrap()), "CLIENT");
    reload(&backend, &door(&two));
    let _first = Program::over(Wire::to(two.parse().unwrap()), "CLIENT");
    assert!(Wire::to(two.parse().unwrap()).rest().contains("Too many connections."));
}

#[test]
fn the_environment_stands_between_the_file_and_the_options() {
    let plan = || Backend::plan().config("limits.clients = 5\n").environment("SSMGLOBAL_LIMITS_CLIENTS", "6");
    assert_eq!(plan().start().ctl(&["status"])["clients_max"], 6);
    assert_eq!(plan().options(&["-m", "7"]).start().ctl(&["status"])["clients_max"], 7);
}

#[test]
fn a_port_that_is_taken() {
    let backend = Backend::start();
    let output = backend.another(backend.at().port(), &backend.file("other"));
    assert_ne!(output.code, 0);
    assert!(output.err.contains(&backend.at().to_string()) && output.err.contains("-p"), "{}", output.err);
    assert!(!output.err.contains("panicked"), "{}", output.err);
}

#[test]
fn two_of_them_on_the_same_data() {
    let backend = Backend::start();
    let mut alice = Program::registered(&backend, "alice");
    let output = backend.another(0, &backend.data());
    assert_ne!(output.code, 0, "{output:?}");
    // The first one serves on, the operator's socket included.
    alice.ok("SETTING SET", json!({"key": "k", "value": "v"}));
    assert_eq!(backend.ctl(&["status"])["listener"], backend.pid().as_raw());
}

#[test]
fn readiness_is_told_to_a_supervisor_that_asks() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(crate::harness::PATIENCE)).unwrap();
    let mut backend = Backend::plan().environment("NOTIFY_SOCKET", &path.display().to_string()).start();
    let mut buffer = [0; 256];
    let mut heard = || {
        let count = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    };
    assert!(heard().contains("READY=1"));
    backend.stop();
    assert!(heard().contains("STOPPING=1"));
}

/// What a supervisor hears, each with the time.
fn heard_by_a_supervisor(dir: &Path) -> (PathBuf, Receiver<(Instant, String)>) {
    let path = dir.join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let (says, heard) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(count) = socket.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if says.send((Instant::now(), text)).is_err() {
                return;
            }
        }
    });
    (path, heard)
}

#[test]
fn a_watchdog_is_told_that_the_listener_lives_and_nothing_when_it_hangs() {
    let dir = tempfile::TempDir::new().unwrap();
    let (path, heard) = heard_by_a_supervisor(dir.path());
    let backend = Backend::plan()
        .environment("NOTIFY_SOCKET", &path.display().to_string())
        .environment("WATCHDOG_USEC", "400000")
        .start();
    let next = |text: &str| while !heard.recv_timeout(PATIENCE).unwrap().1.contains(text) {};
    next("READY=1");
    (0..3).for_each(|_| next("WATCHDOG=1"));
    // While the listener cannot answer for anything, nothing is told.
    backend.signal(Signal::SIGSTOP);
    while heard.recv_timeout(Duration::from_millis(600)).is_ok() {}
    backend.signal(Signal::SIGCONT);
    next("WATCHDOG=1");
}

#[test]
fn a_watchdog_never_waits_for_more_than_half_of_its_time() {
    let dir = tempfile::TempDir::new().unwrap();
    let (path, heard) = heard_by_a_supervisor(dir.path());
    let time = Duration::from_secs(4);
    let mut backend = Backend::plan()
        .environment("NOTIFY_SOCKET", &path.display().to_string())
        .environment("WATCHDOG_USEC", &time.as_micros().to_string())
        .start();
    let start = Instant::now();
    // Programs that follow each other, and handlers that are gone when it is time.
    for _ in 0..4 {
        let mark = backend.log().mark();
        backend.ctl(&["upgrade"]);
        backend.log().wait_after(mark, "ready: ");
        backend.kill_handler();
    }
    while start.elapsed() < 2 * time {
        backend.kill_handler();
    }
    backend.stop();
    let told: Vec<Instant> =
        heard.try_iter().filter(|(_, text)| text.contains("WATCHDOG=1")).map(|(at, _)| at).collect();
    assert!(told.first().is_some_and(|first| *first < start), "the first word comes with the start");
    let longest = told.windows(2).map(|two| two[1] - two[0]).max().unwrap();
    assert!(longest <= time / 2, "{longest:?} of {time:?}");
    assert!(told.last().unwrap().duration_since(start) > time, "until the end");
}

#[test]
fn a_database_that_is_none_is_left_alone() {
    let mut backend = Backend::start();
    backend.stop();
    let file = backend.data().join("ssmglobal.db");
    let journals = ["ssmglobal.db-wal", "ssmglobal.db-shm", "ssmglobal.db-journal"];
    let no_journals = |backend: &Backend| journals.iter().all(|name| !backend.data().join(name).exists());
    assert!(no_journals(&backend), "after an orderly end there are none");
    let foreign = "This is a shopping list and no database at all.\n".repeat(100);
    std::fs::write(&file, &foreign).unwrap();
    // The listener hears of it by the handler's last words or by its end, whichever is first.
    for _ in 0..10 {
        let output = backend.another(0, &backend.data());
        assert_eq!(output.code, 1, "{output:?}");
        assert!(!output.err.contains("it is killed"), "{}", output.err);
    }
    let output = backend.another(0, &backend.data());
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.err.contains("ssmglobal.db") && !output.err.contains("panicked"), "{}", output.err);
    assert!(!output.err.contains("is ready"), "{}", output.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), foreign);
    assert!(no_journals(&backend), "it was written beside the file");
}

#[test]
fn a_data_directory_that_cannot_be_made() {
    let backend = Backend::start();
    std::fs::write(backend.file("plain"), "").unwrap();
    let output = backend.another(0, &backend.file("plain").join("data"));
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.err.contains("--data"), "{}", output.err);
}

#[test]
fn the_options_of_the_original_are_taken() {
    let backend =
        Backend::plan().options(&["-b", "2048", "-t", "60", "-m", "7", "-c", "3", "-D", "0.02", "-A", "300"]).start();
    assert_eq!(backend.ctl(&["status"])["clients_max"], 7);
    let mut program = Program::at(&backend);
    assert_eq!(program.say("x".repeat(2049))["code"], "too_long");
    let log = backend.log();
    for option in ["-D", "-A"] {
        log.find_after(0, option, |text| text.lines().any(|line| line.contains(option)).then_some(()));
    }
}

#[test]
fn nonsense_on_the_command_line_or_in_the_file() {
    let dir = tempfile::TempDir::new().unwrap();
    for words in [&["-p", "70000"][..], &["--portt", "1"], &["-a", "nowhere"], &["-m", "many"]] {
        let output = run(program().args(words).arg("--data").arg(dir.path()), b"");
        assert_eq!(output.code, 2, "{words:?}: {output:?}");
    }
    let file = dir.path().join("config.toml");
    std::fs::write(&file, "[limits]\nclints = 5\n").unwrap();
    let output = run(program().arg("--config").arg(&file).arg("--data").arg(dir.path().join("data")), b"");
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.err.contains("config.toml:2:1") && output.err.contains("clients"), "{}", output.err);
    assert!(!dir.path().join("data").exists(), "it made a data directory all the same");
}

#[test]
fn secrets_reach_no_log() {
    let backend = Backend::plan().config("log.level = \"trace\"\n").start();
    let mut alice = Person::at(&backend);
    alice.ask("REGISTER alice Plain-Secret-1 alice@example.org");
    alice.type_line("LOGIN alice");
    alice.expect("assword");
    alice.type_line("Plain-Secret-1");
    alice.expect("> ");
    alice.ask("PASSWORD Plain-Secret-1 Plain-Secret-2");
    alice.ask("register bob Plain-Secret-3");
    alice.ask("LOGIM alice Plain-Secret-4");
    alice.ask("LOGOUT");
    // A word alone where a command belongs, and a name where a password does.
    alice.ask("LOGIN alice wrong-guess");
    for line in
        ["Plain-Secret-7", "\u{feff}Plain-Secret-7", "LOGIN Plain-Secret-7 alice", "LOGIN(alice,Plain-Secret-7)"]
    {
        assert!(alice.ask(line).contains("ERROR: "), "{line}");
    }
    for line in
        ["FINGER Plain-Secret-7", "HELP Plain-Secret-7", "MODE Plain-Secret-7", "HELP LOGIN alice Plain-Secret-7"]
    {
        assert!(alice.ask(line).contains("ERROR: "), "{line}");
    }
    let mut program = Program::at(&backend);
    program.say(r#"{"cmd": "LOGIN", "args": {"name": "alice", "password": "Plain-Secret-2"}}"#);
    program.say(r#"{"cmd": "LOGIN", "args": "alice Plain-Secret-2"}"#);
    program.say(r#"{"cmd": "LOGIN", "args": ["alice", "Plain-Secret-2"]}"#);
    program.say(r#"{"cmd": "LOGIN", "args": {"name": "alice", "pasword": "Plain-Secret-5"}}"#);
    program.say(r#"{"cmd": "LOGIN", "args": {"name": "alice", "password": "Plain-Secret-6"}"#);
    program.say(r#"["LOGIN","alice","Plain-Secret-8"]"#);
    program.say("\u{feff}{\"cmd\":\"LOGIN\",\"args\":[\"alice\",\"Plain-Secret-8\"]}");
    program.say("LOGIN alice Plain-Secret-8");
    program.say(r#"{"cmd": "Plain-Secret-8"}"#);
    program.say(r#"{"cmd": "PING", "id": "Plain-Secret-8"}"#);
    let key = backend.ctl(&["server", "add", "arena"])["key"].as_str().unwrap().to_owned();
    let mut server = Program::in_mode(backend.at(), "SERVER");
    for args in [json!([key]), json!([key, "arena"]), json!({"name": key}), json!({"name": "arena", "keys": key})] {
        server.fails("AUTH", args);
    }
    server.ok("AUTH", json!({"name": "arena", "key": key}));
    // Everything before it is in the log when the next line is.
    backend.see_off(server.wire);
    let log = backend.log().text();
    assert!(!log.contains("Plain-Secret"), "{log}");
    assert!(!log.contains(&key), "{log}");
    // What was said of them is there.
    for shown in ["-> REGISTER ***(5) ***(14) ***(17)", "-> ***(14)", "-> LOGIN ***(22)", "<- ERROR: ***("] {
        assert!(log.contains(shown), "{shown}: {log}");
    }
    assert!(log.contains(r#"-> {"id": 5, "cmd": "AUTH", "args": {"name": "***(5)", "key": "***("#), "{log}");
}

#[test]
fn what_somebody_typed_is_harmless_in_the_log() {
    let backend = Backend::plan().config("log.level = \"debug\"\n").start();
    let mut person = Person::at(&backend);
    person.ask("HW \x1b[31mred\x07\u{9b}2J \u{202e}backwards");
    person.ask("HW 1");
    backend.log().wait("-> HW 1");
    let log = backend.log().text();
    let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!log.contains(bad), "{log:?}");
}

#[test]
fn under_journald_a_line_has_a_priority_and_no_time() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("journal");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Open for both, so that neither end waits for the other.
    let journal = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let about = journal.metadata().unwrap();
    let mut command = program();
    command.args(["-a", "127.0.0.1", "-p", "0"]).arg("--data").arg(dir.path().join("data"));
    command.env("JOURNAL_STREAM", format!("{}:{}", about.dev(), about.ino()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(journal.try_clone().unwrap());
    let backend = Running::on_terminal(&mut command);
    drop(command);
    let log = Log::collect(journal);
    log.wait("is ready");
    log.find_after(0, "a line with a priority", |text| {
        text.lines().any(|line| line.starts_with("<6>handler: ")).then_some(())
    });
    backend.signal(Signal::SIGTERM);
    log.wait("<6>handler: everything is saved");
}

#[test]
fn the_log_tells_who_came_what_was_said_and_who_went() {
    let backend = Backend::plan().config("log.level = \"debug\"\n").start();
    let mut program = Program::at(&backend);
    let address = program.wire.stream.local_addr().unwrap();
    program.send_line(r#"{"cmd": "HW"}"#);
    program.reply();
    drop(program);
    for text in [
        format!("{address}: Connected (1/4096)."),
        format!("{address} -> {{\"cmd\": \"HW\"}}"),
        format!("{address} <- {{\"state\": \"OK\", \"msg\": \"Hello, world!\"}}"),
        format!("{address}: Disconnected (0/4096)."),
    ] {
        backend.log().wait(&text);
    }
}
