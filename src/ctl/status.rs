//! `ssmglobal ctl status`: how the running backend is, and how it does.

use serde::Serialize;
use ssmglobal_ipc::ctl::Status;
use ssmglobal_ipc::numbers::{Numbers, Recent, WorldNumbers};

use super::table::{bytes, facts, number};

/// What is shown of some time: of the last minute, or of the second between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    /// Requests that were begun, a second.
    pub requests: f64,
    /// Transactions that were committed, a second.
    pub commits: f64,
    /// Half of the answers took no longer, microseconds; nothing where there were none.
    pub p50: Option<u64>,
    /// 99 of 100 took no longer, microseconds.
    pub p99: Option<u64>,
}

impl Pace {
    /// What it was like then.
    pub fn of(recent: &Recent) -> Pace {
        let seconds = recent.milliseconds.max(1) as f64 / 1000.0;
        Pace {
            requests: recent.requests as f64 / seconds,
            commits: recent.commits as f64 / seconds,
            p50: recent.answers.quantile(500),
            p99: recent.answers.quantile(990),
        }
    }
}

/// How many a second: whole numbers where there are many, tenths where there are few.
pub fn rate(a_second: f64) -> String {
    if a_second >= 100.0 { number(a_second.round() as u64) } else { format!("{a_second:.1}") }
}

/// A time in milliseconds; `-` where there is none.
pub fn milliseconds(microseconds: Option<u64>) -> String {
    match microseconds {
        None => "-".to_owned(),
        Some(time) if time < 10_000 => format!("{:.2} ms", time as f64 / 1000.0),
        Some(time) => format!("{} ms", number(time.div_ceil(1000))),
    }
}

/// A length in bytes; `?` where nobody knows.
pub fn size(length: Option<u64>) -> String {
    length.map_or_else(|| "?".to_owned(), bytes)
}

/// How it all is.
pub fn text(numbers: &Numbers) -> String {
    let Numbers { recent, queues, machine, .. } = numbers;
    let pace = Pace::of(recent);
    let [who, mut counts, mut disk] = groups(&numbers.status);
    for (name, a_second) in [("requests", pace.requests), ("commits", pace.commits)] {
        if let Some((_, value)) = counts.iter_mut().find(|(fact, _)| *fact == name) {
            value.push_str(&format!(", {} a second", rate(a_second)));
        }
    }
    let answers = format!("p50 {}, p99 {} in the last minute", milliseconds(pace.p50), milliseconds(pace.p99));
    let [writer, readers, hashing, sessions] =
        [queues.writer, queues.readers, queues.hashing, queues.sessions].map(number);
    let waiting = format!("writer {writer}, readers {readers}, hashing {hashing}");
    let held = format!("{sessions} requests wait for others of their own session");
    let outboxes = format!("{} for {} workers", bytes(queues.outbox_bytes), number(queues.outboxes));
    let memory = [machine.handler_bytes, machine.listener_bytes, machine.workers_bytes].map(size);
    let memory = format!("handler {}, listener {}, workers {}", memory[0], memory[1], memory[2]);
    counts.extend([
        ("answers", answers),
        ("queues", waiting),
        ("in sessions", held),
        ("outboxes", outboxes),
        ("memory", memory),
    ]);
    disk.insert(1, ("write-ahead log", bytes(machine.wal_bytes)));
    disk.insert(2, ("disk free", size(machine.disk_free_bytes)));
    facts(&[who, counts, disk].concat())
}

/// As an older backend tells it.
pub fn short(status: &Status) -> String {
    facts(&groups(status).concat())
}

/// Who there is; what was done; where it is kept.
fn groups(status: &Status) -> [Vec<(&'static str, String)>; 3] {
    let database = format!("{} ({})", status.database, bytes(status.database_bytes));
    let writes = match status.writable {
        true => "yes",
        false => "no: the database cannot be written (is the disk full?); reading goes on",
    };
    let who = vec![
        ("version", status.version.clone()),
        ("listener", format!("process {}", status.listener)),
        ("handler", format!("process {}, since {}", status.handler, status.since)),
        ("clients", format!("{} of {}", number(status.clients.into()), number(status.clients_max.into()))),
        ("of them at work", number(status.linked.into())),
        ("players on", number(status.players_on.into())),
        ("servers on", number(status.servers_on.into())),
        ("players", number(status.players)),
        ("boards", number(status.boards.into())),
    ];
    let counts = vec![
        ("requests", format!("{} since the handler's start", number(status.requests))),
        ("commits", format!("{} since the handler's start", number(status.commits))),
    ];
    [who, counts, vec![("database", database), ("writable", writes.to_owned())]]
}

/// The same for programs: what it was before there were numbers, and what has come since.
#[derive(Serialize)]
pub struct Flat<'a> {
    #[serde(flatten)]
    status: &'a Status,
    recent_ms: u64,
    requests_per_second: f64,
    commits_per_second: f64,
    answer_p50_us: Option<u64>,
    answer_p99_us: Option<u64>,
    writer_queue_jobs: u64,
    reader_queue_jobs: u64,
    hash_queue_jobs: u64,
    session_queue_requests: u64,
    outboxes_waiting: u64,
    outbox_bytes: u64,
    handler_memory_bytes: Option<u64>,
    listener_memory_bytes: Option<u64>,
    workers_memory_bytes: Option<u64>,
    handler_cpu_ms: Option<u64>,
    handler_fds: Option<u64>,
    handler_fds_max: Option<u64>,
    wal_bytes: u64,
    disk_free_bytes: Option<u64>,
    handler_deaths: u64,
    proofs_good: u64,
    proofs_bad: u64,
    log_errors: u64,
    log_warnings: u64,
    log_lines_lost: u64,
    worlds_up: u64,
    worlds_down: u64,
    playing: u64,
    waiting: u64,
    alone: u64,
}

impl<'a> From<&'a Numbers> for Flat<'a> {
    fn from(numbers: &'a Numbers) -> Flat<'a> {
        let Numbers { status, recent, queues, machine, log, worlds, .. } = numbers;
        let pace = Pace::of(recent);
        let are = |up: bool| worlds.iter().filter(|world| world.up == Some(up)).count() as u64;
        let all = |of: fn(&WorldNumbers) -> u64| worlds.iter().map(of).sum();
        let tenths = |rate: f64| (rate * 10.0).round() / 10.0;
        Flat {
            status,
            recent_ms: recent.milliseconds,
            requests_per_second: tenths(pace.requests),
            commits_per_second: tenths(pace.commits),
            answer_p50_us: pace.p50,
            answer_p99_us: pace.p99,
            writer_queue_jobs: queues.writer,
            reader_queue_jobs: queues.readers,
            hash_queue_jobs: queues.hashing,
            session_queue_requests: queues.sessions,
            outboxes_waiting: queues.outboxes,
            outbox_bytes: queues.outbox_bytes,
            handler_memory_bytes: machine.handler_bytes,
            listener_memory_bytes: machine.listener_bytes,
            workers_memory_bytes: machine.workers_bytes,
            handler_cpu_ms: machine.handler_cpu_ms,
            handler_fds: machine.handler_fds,
            handler_fds_max: machine.handler_fds_max,
            wal_bytes: machine.wal_bytes,
            disk_free_bytes: machine.disk_free_bytes,
            handler_deaths: numbers.deaths,
            proofs_good: numbers.proofs_good,
            proofs_bad: numbers.proofs_bad,
            log_errors: log.written[0],
            log_warnings: log.written[1],
            log_lines_lost: log.lost,
            worlds_up: are(true),
            worlds_down: are(false),
            playing: all(|world| world.playing),
            waiting: all(|world| world.waiting),
            alone: all(|world| world.alone),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use ssmglobal_ipc::Time;
    use ssmglobal_ipc::numbers::{BUCKETS, Histogram, LogLines, Machine, Queues};
    use unicode_width::UnicodeWidthStr;

    /// A busy backend on a large machine.
    pub fn busy() -> Numbers {
        let status = Status {
            version: "0.1.0".into(),
            handler: 1_234_567,
            listener: 1_234_566,
            since: Time(0),
            clients: 999_999,
            clients_max: 1_000_000,
            linked: 999_999,
            players_on: 888_888,
            servers_on: 7777,
            players: 1_234_567,
            boards: 100_000,
            requests: 1_234_567_890,
            commits: 12_345_678,
            database: "/var/lib/ssmglobal/ssmglobal.db".into(),
            database_bytes: 1 << 38,
            writable: true,
        };
        let mut counts = vec![0; BUCKETS];
        (counts[8], counts[30]) = (990_000, 10_001);
        let answers = Histogram { counts, sum: 71_000_000 };
        let recent = Recent { milliseconds: 60_000, requests: 60_000_000, commits: 300_000, answers: answers.clone() };
        let large = Some(123 << 30);
        Numbers {
            status,
            answers,
            recent,
            kinds: vec![(20, 1_234_567_890), (15, 3)],
            proofs_good: 1,
            proofs_bad: 2,
            queues: Queues {
                writer: 200_000,
                readers: 50_000,
                hashing: 10_000,
                sessions: 999_999,
                outboxes: 4_096,
                outbox_bytes: 8 << 30,
            },
            machine: Machine {
                handler_bytes: large,
                listener_bytes: large,
                workers_bytes: large,
                handler_cpu_ms: Some(1),
                handler_fds: Some(2),
                handler_fds_max: Some(3),
                wal_bytes: 64 << 20,
                disk_free_bytes: Some(999 << 30),
            },
            log: LogLines { written: [1, 2, 3, 0, 0], lost: 0 },
            deaths: 1,
            worlds: Vec::new(),
        }
    }

    #[test]
    fn a_busy_backends_numbers_fit_80_columns() {
        let text = text(&busy());
        for line in text.lines() {
            assert!(line.width() <= 80, "{line}");
        }
        for line in [
            "clients:          999,999 of 1,000,000",
            "requests:         1,234,567,890 since the handler's start, 1,000,000 a second",
            "answers:          p50 0.06 ms, p99 8.00 ms in the last minute",
            "queues:           writer 200,000, readers 50,000, hashing 10,000",
            "in sessions:      999,999 requests wait for others of their own session",
            "write-ahead log:  64.0 MiB",
            "writable:         yes",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn what_nobody_knows_is_not_shown_as_nothing() {
        let numbers = Numbers { recent: Recent::default(), machine: Machine::default(), ..busy() };
        let text = text(&numbers);
        assert!(text.contains("p50 -, p99 -") && text.contains("handler ?, listener ?, workers ?"), "{text}");
        let json = serde_json::to_value(Flat::from(&numbers)).unwrap();
        assert!(json["answer_p50_us"].is_null() && json["handler_memory_bytes"].is_null(), "{json}");
    }

    #[test]
    fn programs_find_flat_fields_with_their_units() {
        let json = serde_json::to_value(Flat::from(&busy())).unwrap();
        assert_eq!(json["requests_per_second"], 1_000_000.0);
        assert_eq!(json["commits_per_second"], 5000.0);
        assert_eq!((json["version"].as_str(), json["clients"].as_u64()), (Some("0.1.0"), Some(999_999)));
        assert!(json.as_object().unwrap().values().all(|value| !value.is_object() && !value.is_array()), "{json}");
    }

    #[test]
    fn few_and_many_are_told_as_people_read_them() {
        assert_eq!([0.0, 0.04, 99.96, 123.4, 12345.6].map(rate), ["0.0", "0.0", "100.0", "123", "12,346"]);
        let times = [None, Some(0), Some(57), Some(9_999), Some(12_300), Some(2_500_000)].map(milliseconds);
        assert_eq!(times, ["-", "0.00 ms", "0.06 ms", "10.00 ms", "13 ms", "2,500 ms"]);
    }
}
