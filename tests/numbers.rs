//! The numbers: `ctl status`, `ctl metrics`, `ctl top`, and what programs read at the door of `metrics.address`.

mod door;
mod files;
mod top;
mod worlds;

use crate::harness::worlds::{Kind, Profile, StrictClient, World};
use crate::harness::{Backend, Program};
use serde_json::{Value, json};
use ssmglobal_worker::metrics::text::METRICS;
use std::collections::BTreeSet;

/// Two players and what they ask.
fn busy(backend: &Backend) -> [Program; 2] {
    let mut both = ["alice", "bob"].map(|name| backend.player(name));
    for program in &mut both {
        (0..20).for_each(|_| drop(program.ok("WHO", json!({}))));
        program.ok("SETTING SET", json!({"key": "colour", "value": "red"}));
    }
    both
}

fn number(status: &Value, name: &str) -> f64 {
    status[name].as_f64().unwrap_or_else(|| panic!("{name}: {status}"))
}

/// The value of a series on a page.
fn value(page: &str, series: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{series} is not in {page}"))
}

#[test]
fn status_tells_how_much_is_done_and_how_fast() {
    let backend = Backend::start();
    let _both = busy(&backend);
    let status = backend.ctl(&["status"]);
    // Each has said who it is, asked and saved.
    assert!(number(&status, "requests") >= 44.0, "{status}");
    for name in ["requests_per_second", "commits_per_second", "recent_ms", "wal_bytes", "disk_free_bytes"] {
        assert!(number(&status, name) > 0.0, "{name}: {status}");
    }
    assert!(number(&status, "answer_p50_us") > 0.0, "{status}");
    assert!(number(&status, "answer_p50_us") <= number(&status, "answer_p99_us"), "{status}");
    for name in ["handler_memory_bytes", "listener_memory_bytes", "workers_memory_bytes"] {
        assert!(number(&status, name) >= f64::from(1 << 14), "{name}: {status}");
    }
    let all_quiet = ["writer_queue_jobs", "reader_queue_jobs", "hash_queue_jobs", "session_queue_requests"];
    for name in all_quiet.into_iter().chain(["outboxes_waiting", "outbox_bytes", "handler_deaths"]) {
        assert_eq!(status[name], 0, "{name}: {status}");
    }
    let text = backend.operator(&["status"]).succeeds().prints("answers:").prints("write-ahead log:");
    let longest = text.out.lines().filter(|line| !line.starts_with("database:")).map(str::len).max();
    assert!(longest.is_some_and(|longest| longest <= 80), "{}", text.out);
}

#[test]
fn ctl_metrics_prints_what_prometheus_reads() {
    let world = World::start(Kind::Mush);
    let plan = Backend::plan();
    let door = format!("[[door]]\naddress = \"{}:4201\"\nworld = \"zoo\"\n", plan.address());
    let backend =
        plan.config(&format!("[world.zoo]\nplay = \"{}\"\nkind = \"tinymux\"\n{door}", world.address())).start();
    let mut player = StrictClient::to(backend.doors()[1], Profile::tintin());
    player.until("<password>");
    let _both = busy(&backend);
    let page = backend.operator(&["metrics"]).succeeds().out;
    assert!(page.ends_with("# EOF\n"), "{page}");
    let known: BTreeSet<String> = METRICS.iter().flat_map(|metric| metric.series()).collect();
    let series = page.lines().filter(|line| !line.starts_with('#'));
    let printed: BTreeSet<String> =
        series.map(|line| line.split(['{', ' ']).next().unwrap_or_default().to_owned()).collect();
    assert_eq!(printed, known, "all that is known can be had on this machine");
    assert_eq!(value(&page, "ssmglobal_requests_total{command=\"WHO\"}"), 40.0);
    assert_eq!(value(&page, "ssmglobal_connections"), 3.0);
    assert_eq!(value(&page, "ssmglobal_writable"), 1.0);
    // LOGIN and REGISTER are no guesses here; each answer was counted once.
    let begun: f64 = page
        .lines()
        .filter(|line| line.starts_with("ssmglobal_requests_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum();
    let without_answer = value(&page, "ssmglobal_requests_total{command=\"Log\"}");
    assert_eq!(value(&page, "ssmglobal_request_duration_seconds_count"), begun - without_answer, "{page}");
}

#[test]
fn passwords_that_are_tried_are_counted_by_what_came_of_them() {
    let backend = Backend::start();
    drop(backend.player("alice"));
    let mut program = backend.program();
    program.ask("LOGIN", json!({"name": "alice", "password": "a wrong one"}));
    program.ask("LOGIN", json!({"name": "alice", "password": "another one"}));
    let page = backend.operator(&["metrics"]).succeeds().out;
    assert_eq!(value(&page, "ssmglobal_proofs_total{result=\"bad\"}"), 2.0);
}

#[test]
fn the_death_of_a_handler_is_counted_and_its_end_in_an_upgrade_is_not() {
    let backend = Backend::start();
    let deaths = || value(&backend.operator(&["metrics"]).succeeds().out, "ssmglobal_handler_deaths_total");
    assert_eq!(deaths(), 0.0);
    backend.kill_handler();
    backend.kill_handler();
    assert_eq!(deaths(), 2.0);
    backend.ctl(&["upgrade"]);
    // Another program counts anew.
    assert_eq!(deaths(), 0.0);
}
