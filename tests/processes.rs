//! Three kinds of process, and what each may hold.

use crate::harness::{Backend, GREETING, Process, Program, Wire, is_root, processes_of};
use serde_json::json;
use std::time::Duration;

fn workers(backend: &Backend) -> Vec<Process> {
    let all = processes_of(backend.pid());
    all.into_iter().filter(|process| process.title().starts_with("ssmglobal: worker")).collect()
}

fn worker_called(backend: &Backend, title: &str) -> Process {
    let workers = workers(backend);
    let titles: Vec<String> = workers.iter().map(|worker| worker.title()).collect();
    let found = workers.into_iter().find(|worker| worker.title() == title);
    found.unwrap_or_else(|| panic!("no {title:?} among {titles:?}"))
}

#[test]
fn ps_tells_what_each_process_is_and_for_whom() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    let _bob = backend.player("bob");
    let _arena = backend.game_server("arena");
    let _stranger = backend.program();
    assert_eq!(Process(backend.pid()).title(), format!("ssmglobal: listener {}", backend.at()));
    assert_eq!(Process(backend.handler()).title(), "ssmglobal: handler");
    for who in ["HUMAN alice", "CLIENT bob", "SERVER arena", "CLIENT"] {
        worker_called(&backend, &format!("ssmglobal: worker 127.0.0.1 {who}"));
    }
    alice.ask("LOGOUT");
    worker_called(&backend, "ssmglobal: worker 127.0.0.1 HUMAN");
}

#[test]
fn the_listener_is_one_thread_with_a_fixed_number_of_descriptors() {
    let backend = Backend::start();
    let listener = Process(backend.pid());
    assert_eq!(listener.threads(), 1);
    // With the first client comes the zygote.
    let _first = backend.program();
    let before = listener.descriptors().len();
    let clients: Vec<Program> = (0..20).map(|_| backend.program()).collect();
    // A worker may answer before the listener has closed its own end; once it has told the log, it has.
    backend.log().wait("Connected (21/");
    assert_eq!(listener.descriptors().len(), before, "{:?}", listener.descriptors());
    assert_eq!(listener.threads(), 1);
    drop(clients);
}

#[test]
fn a_worker_holds_its_client_and_its_links_and_nothing_else() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    let _other = backend.player("bob");
    let mut alice = backend.program();
    let worker = worker_called(&backend, "ssmglobal: worker 127.0.0.1 CLIENT");
    let counted = |what: &str| worker.descriptors().iter().filter(|link| link.contains(what)).count();
    // 0, 1 and 2; the client; the rendezvous; where clients move; where it is seen that nobody is left; epoll; signals.
    let idle = worker.descriptors();
    let all = (counted("socket:"), counted("pipe:"), counted("eventpoll"), counted("signalfd"));
    assert_eq!(all, (3, 1, 1, 1), "{idle:?}");
    assert_eq!(idle.len(), 9, "{idle:?}");
    alice.ok("REGISTER", json!({"name": "alice", "password": "secret-of-alice"}));
    let linked = worker.descriptors();
    assert_eq!((counted("socket:"), linked.len()), (4, 10), "{linked:?}");
    assert!(!linked.iter().any(|link| link.contains("ssmglobal.db")), "{linked:?}");
    assert_eq!(worker.threads(), 1);
}

#[test]
fn only_the_handler_has_the_database_open() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    let _alice = backend.player("alice");
    let handler = Process(backend.handler());
    for process in processes_of(backend.pid()) {
        let open = process.descriptors().iter().any(|link| link.contains("ssmglobal.db"));
        assert_eq!(open, process == handler, "{}: {:?}", process.title(), process.descriptors());
    }
}

#[test]
fn workers_end_with_their_clients_and_leave_no_zombie() {
    let backend = Backend::start();
    let mark = backend.log().mark();
    let clients: Vec<Wire> = (0..5).map(|_| Wire::to(backend.at())).collect();
    assert_eq!(clients.len(), 5);
    drop(clients);
    backend.log().wait_after(mark, "Disconnected (0/");
    let left: Vec<String> = processes_of(backend.pid()).into_iter().map(Process::title).collect();
    // The listener, the handler and the zygote.
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn idle_nothing_runs() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    let mut arena = backend.game_server("arena");
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    // What the last commands have left to do (the log, a checkpoint) is done within the first second.
    assert_eq!(bob.wire.listen(Duration::from_secs(1)), "");
    let used = || -> Vec<(String, u64, u64)> {
        let all = processes_of(backend.pid());
        all.into_iter().map(|process| (process.title(), process.ticks(), process.switches())).collect()
    };
    let before = used();
    assert_eq!(alice.wire.listen(Duration::from_secs(2)), "");
    let after = used();
    assert_eq!(before, after, "(title, ticks of CPU, times on a CPU) changed while nothing happened");
}
