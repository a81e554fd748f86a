//! The numbers as Prometheus reads them: the table of all metrics, and the text that follows from it. Pure. Used in the worker of
//! the metrics' door and in the operator's command.
//!
//! Units are base units. A label's values come from this program, or are names of worlds that the operator has let be played; never
//! from who connects. So their number is bounded.

use crate::commands;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use ssmglobal_ipc::Kind;
use ssmglobal_ipc::numbers::{BOUNDS, Histogram, Numbers, WorldNumbers};
use std::borrow::Cow;
use std::fmt;

/// One value of a metric.
enum Value {
    Whole(u64),
    Seconds(f64),
}

/// What a metric is.
enum Shape {
    /// Grows as long as the handler lives.
    Counter(fn(&Numbers) -> Vec<Sample>),
    /// Rises and falls.
    Gauge(fn(&Numbers) -> Vec<Sample>),
    /// Times.
    Histogram(fn(&Numbers) -> &Histogram),
}

/// A value, and that of the label, where the metric has one.
struct Sample {
    label: Option<Cow<'static, str>>,
    value: Value,
}

/// A metric.
pub struct Metric {
    /// Its name, without what belongs to its shape (`_total`, `_bucket` …).
    pub name: &'static str,
    /// The name of its label, where it has one.
    pub label: Option<&'static str>,
    /// What it says.
    pub help: &'static str,
    shape: Shape,
}

impl Metric {
    /// The names of its series.
    pub fn series(&self) -> Vec<String> {
        let with = |end: &str| format!("{}{end}", self.name);
        match self.shape {
            Shape::Counter(_) => vec![with("_total")],
            Shape::Gauge(_) => vec![with("")],
            Shape::Histogram(_) => vec![with("_bucket"), with("_sum"), with("_count")],
        }
    }

    /// What it is called among metrics: `counter`, `gauge` or `histogram`.
    pub fn kind(&self) -> &'static str {
        match self.shape {
            Shape::Counter(_) => "counter",
            Shape::Gauge(_) => "gauge",
            Shape::Histogram(_) => "histogram",
        }
    }
}

fn whole(value: u64) -> Sample {
    Sample { label: None, value: Value::Whole(value) }
}

fn one(value: u64) -> Vec<Sample> {
    vec![whole(value)]
}

fn some(value: Option<u64>) -> Vec<Sample> {
    value.map(whole).into_iter().collect()
}

fn labelled(label: impl Into<Cow<'static, str>>, value: u64) -> Sample {
    Sample { label: Some(label.into()), ..whole(value) }
}

/// Exact enough for what was counted in milli- or microseconds.
fn seconds(value: u64, per_second: f64) -> Sample {
    Sample { label: None, value: Value::Seconds(value as f64 / per_second) }
}

const fn counter(name: &'static str, help: &'static str, of: fn(&Numbers) -> Vec<Sample>) -> Metric {
    Metric { name, label: None, help, shape: Shape::Counter(of) }
}

const fn gauge(name: &'static str, help: &'static str, of: fn(&Numbers) -> Vec<Sample>) -> Metric {
    Metric { name, label: None, help, shape: Shape::Gauge(of) }
}

const fn by(label: &'static str, metric: Metric) -> Metric {
    Metric { label: Some(label), ..metric }
}

/// All metrics, in the order of the page. A name that was released stays.
pub static METRICS: &[Metric] = &[
    by(
        "version",
        gauge("ssmglobal_build_info", "The program's version; always 1.", |numbers| {
            vec![labelled(numbers.status.version.clone(), 1)]
        }),
    ),
    gauge("ssmglobal_writable", "Whether changes can be saved: 1, or 0.", |n| one(n.status.writable.into())),
    gauge("ssmglobal_connections", "Clients that are connected.", |n| one(n.status.clients.into())),
    gauge("ssmglobal_connections_max", "Clients that may be.", |n| one(n.status.clients_max.into())),
    gauge("ssmglobal_connections_linked", "Clients that have asked the handler something.", |n| {
        one(n.status.linked.into())
    }),
    gauge("ssmglobal_players_on", "Players who are logged in.", |n| one(n.status.players_on.into())),
    gauge("ssmglobal_servers_on", "Game servers that are connected.", |n| one(n.status.servers_on.into())),
    gauge("ssmglobal_players", "Players who are registered.", |n| one(n.status.players)),
    gauge("ssmglobal_boards", "Boards that are defined.", |n| one(n.status.boards.into())),
    by("command", counter("ssmglobal_requests", "Requests that were begun.", requests)),
    Metric {
        name: "ssmglobal_request_duration_seconds",
        label: None,
        help: "From a request's arrival at the handler until its answer was ready.",
        shape: Shape::Histogram(|numbers| &numbers.answers),
    },
    counter("ssmglobal_commits", "Transactions that were committed.", |n| one(n.status.commits)),
    by(
        "result",
        counter("ssmglobal_proofs", "Passwords and keys that were tried.", |numbers| {
            vec![labelled("good", numbers.proofs_good), labelled("bad", numbers.proofs_bad)]
        }),
    ),
    by("queue", gauge("ssmglobal_queue_jobs", "What waits in the handler, and for what.", queues)),
    gauge("ssmglobal_outboxes_waiting", "Workers that do not take what they are told as fast as it comes.", |n| {
        one(n.queues.outboxes)
    }),
    gauge("ssmglobal_outbox_bytes", "What waits for them.", |n| one(n.queues.outbox_bytes)),
    by(
        "process",
        gauge("ssmglobal_memory_bytes", "Memory; of workers what each has of its own, all together.", memory),
    ),
    gauge("ssmglobal_database_bytes", "Length of the database.", |n| one(n.status.database_bytes)),
    gauge("ssmglobal_wal_bytes", "Length of the write-ahead log.", |n| one(n.machine.wal_bytes)),
    gauge("ssmglobal_disk_free_bytes", "What the database's file system has left.", |n| {
        some(n.machine.disk_free_bytes)
    }),
    by("level", counter("ssmglobal_log_lines", "Lines of the log.", log_lines)),
    counter("ssmglobal_log_lines_lost", "Lines that were left out of the log.", |n| one(n.log.lost)),
    counter("ssmglobal_handler_deaths", "Handlers that have died since the listener's start.", |n| one(n.deaths)),
    by(
        "world",
        gauge("ssmglobal_world_up", "Whether a world is there that is played from here: 1, or 0.", |numbers| {
            let known = numbers.worlds.iter().filter_map(|world| Some((world, world.up?)));
            known.map(|(world, up)| labelled(world.world.clone(), up.into())).collect()
        }),
    ),
    by("world", gauge("ssmglobal_world_playing", "Players who play it.", |n| of_worlds(n, |world| world.playing))),
    by("world", gauge("ssmglobal_world_waiting", "Players who wait for it.", |n| of_worlds(n, |world| world.waiting))),
    by(
        "world",
        gauge(
            "ssmglobal_world_alone",
            "Games in it that are kept for players whose own connections are broken.",
            |n| of_worlds(n, |world| world.alone),
        ),
    ),
    by("world", counter("ssmglobal_world_downs", "Times that it went down.", |n| of_worlds(n, |world| world.downs))),
    by(
        "world",
        counter("ssmglobal_world_returns", "Times that a player was connected with it again after it was down.", |n| {
            of_worlds(n, |world| world.returns)
        }),
    ),
    gauge("process_start_time_seconds", "When the handler was started, in seconds since 1970.", |numbers| {
        vec![seconds(numbers.status.since.0.unsigned_abs(), 1e3)]
    }),
    counter("process_cpu_seconds", "Processor time of the handler.", |numbers| {
        numbers.machine.handler_cpu_ms.map(|time| seconds(time, 1e3)).into_iter().collect()
    }),
    gauge("process_resident_memory_bytes", "Memory of the handler.", |n| some(n.machine.handler_bytes)),
    gauge("process_open_fds", "Descriptors that the handler has open.", |n| some(n.machine.handler_fds)),
    gauge("process_max_fds", "Descriptors that the handler may have open.", |n| some(n.machine.handler_fds_max)),
];

/// The command that asks so, as it is typed; of what workers ask by themselves the request's name.
pub fn command(kind: Kind) -> &'static str {
    commands::all().find(|command| command.asks_for(kind)).map_or(kind.name(), |command| command.name)
}

/// All of them, also those that nobody has asked: a counter that begins later would hide its first one.
fn requests(numbers: &Numbers) -> Vec<Sample> {
    let count =
        |kind: Kind| numbers.kinds.iter().find(|(number, _)| *number == kind as u16).map_or(0, |(_, count)| *count);
    Kind::ALL.iter().map(|kind| labelled(command(*kind), count(*kind))).collect()
}

fn queues(numbers: &Numbers) -> Vec<Sample> {
    let queues = &numbers.queues;
    let named = [
        ("writer", queues.writer),
        ("readers", queues.readers),
        ("hashing", queues.hashing),
        ("sessions", queues.sessions),
    ];
    named.into_iter().map(|(name, waiting)| labelled(name, waiting)).collect()
}

fn memory(numbers: &Numbers) -> Vec<Sample> {
    let machine = &numbers.machine;
    let named =
        [("handler", machine.handler_bytes), ("listener", machine.listener_bytes), ("workers", machine.workers_bytes)];
    named.into_iter().filter_map(|(name, bytes)| Some(labelled(name, bytes?))).collect()
}

/// One number of each world.
fn of_worlds(numbers: &Numbers, number: fn(&WorldNumbers) -> u64) -> Vec<Sample> {
    numbers.worlds.iter().map(|world| labelled(world.world.clone(), number(world))).collect()
}

fn log_lines(numbers: &Numbers) -> Vec<Sample> {
    let levels = ["error", "warn", "info", "debug", "trace"];
    levels.into_iter().zip(numbers.log.written).map(|(level, lines)| labelled(level, lines)).collect()
}

/// The bounds that are shown, of those that are counted by: three in a decade.
fn shown_buckets(histogram: &Histogram) -> Vec<(f64, u64)> {
    let (mut buckets, mut waiting) = (Vec::new(), 0);
    for (index, count) in histogram.counts.iter().enumerate() {
        waiting += count;
        match BOUNDS.get(index) {
            // Ten in a decade: 1, 2.5 and 5 are the first, the fifth and the eighth.
            Some(bound) if matches!(index % 10, 0 | 4 | 7) => {
                buckets.push((*bound as f64 / 1e6, std::mem::take(&mut waiting)));
            }
            Some(_) => {}
            None => buckets.push((f64::MAX, std::mem::take(&mut waiting))),
        }
    }
    buckets
}

/// Writes all metrics.
#[derive(Debug)]
struct All(Numbers);

impl Collector for All {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        METRICS.iter().try_for_each(|metric| self.put(metric, &mut encoder))
    }
}

impl All {
    fn put(&self, metric: &Metric, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let kind = match metric.shape {
            Shape::Counter(_) => MetricType::Counter,
            Shape::Gauge(_) => MetricType::Gauge,
            Shape::Histogram(_) => MetricType::Histogram,
        };
        let mut encoder = encoder.encode_descriptor(metric.name, metric.help, None, kind)?;
        match metric.shape {
            Shape::Counter(of) => of(&self.0).iter().try_for_each(|sample| {
                put_labelled(metric, sample, &mut encoder, |encoder| match sample.value {
                    Value::Whole(value) => encoder.encode_counter::<NoLabelSet, _, f64>(&value, None),
                    Value::Seconds(value) => encoder.encode_counter::<NoLabelSet, _, f64>(&value, None),
                })
            }),
            Shape::Gauge(of) => of(&self.0).iter().try_for_each(|sample| {
                put_labelled(metric, sample, &mut encoder, |encoder| match sample.value {
                    Value::Whole(value) => encoder.encode_gauge(&value),
                    Value::Seconds(value) => encoder.encode_gauge(&value),
                })
            }),
            Shape::Histogram(of) => {
                let histogram = of(&self.0);
                let (sum, buckets) = (histogram.sum as f64 / 1e6, shown_buckets(histogram));
                encoder.encode_histogram::<NoLabelSet>(sum, histogram.count(), &buckets, None)
            }
        }
    }
}

fn put_labelled(
    metric: &Metric,
    sample: &Sample,
    encoder: &mut MetricEncoder<'_>,
    put: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    match (metric.label, &sample.label) {
        (Some(name), Some(value)) => {
            let labels = [(name, value.as_ref())];
            put(&mut encoder.encode_family(&labels)?)
        }
        _ => put(encoder),
    }
}

/// The page.
///
/// # Errors
/// None that could happen: a text takes whatever is written.
pub fn text(numbers: &Numbers) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(All(numbers.clone())));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ssmglobal_ipc::Time;
    use ssmglobal_ipc::ctl::Status;
    use ssmglobal_ipc::numbers::{BUCKETS, LogLines, Machine, Queues, Recent};
    use std::collections::BTreeSet;

    fn numbers() -> Numbers {
        let status = Status {
            version: "1.2.3".into(),
            handler: 100,
            listener: 99,
            since: Time(1_700_000_000_500),
            clients: 5,
            clients_max: 4096,
            linked: 4,
            players_on: 3,
            servers_on: 1,
            players: 70_000,
            boards: 2,
            requests: 12,
            commits: 900,
            database: "/var/lib/x.db".into(),
            database_bytes: 1 << 33,
            writable: true,
        };
        let mut counts = vec![0; BUCKETS];
        (counts[0], counts[2], counts[10], counts[61]) = (1, 2, 3, 4);
        let machine = Machine { handler_bytes: Some(1 << 25), handler_cpu_ms: Some(1500), ..Machine::default() };
        Numbers {
            status,
            answers: Histogram { counts, sum: 2_500_000 },
            recent: Recent::default(),
            kinds: vec![(Kind::RecordSubmit as u16, 7), (Kind::Open as u16, 5)],
            proofs_good: 1,
            proofs_bad: 2,
            queues: Queues { writer: 6, ..Queues::default() },
            machine,
            log: LogLines { written: [1, 2, 3, 4, 5], lost: 6 },
            deaths: 2,
            worlds: vec![
                WorldNumbers { world: "Moon".into(), ..WorldNumbers::default() },
                WorldNumbers {
                    world: "zoo".into(),
                    up: Some(false),
                    playing: 1,
                    waiting: 300,
                    alone: 2,
                    downs: 4,
                    returns: 7,
                },
            ],
        }
    }

    #[test]
    fn a_page_says_what_each_number_is_and_ends_as_it_should() {
        let text = text(&numbers()).unwrap();
        for line in [
            "# TYPE ssmglobal_requests counter",
            "# HELP ssmglobal_connections Clients that are connected.",
            "ssmglobal_requests_total{command=\"RECORD SUBMIT\"} 7",
            "ssmglobal_requests_total{command=\"MAIL SEND\"} 0",
            "ssmglobal_requests_total{command=\"Open\"} 5",
            "ssmglobal_build_info{version=\"1.2.3\"} 1",
            "ssmglobal_queue_jobs{queue=\"writer\"} 6",
            "ssmglobal_memory_bytes{process=\"handler\"} 33554432",
            "ssmglobal_log_lines_total{level=\"error\"} 1",
            "process_start_time_seconds 1700000000.5",
            "process_cpu_seconds_total 1.5",
            "ssmglobal_writable 1",
            "ssmglobal_world_up{world=\"zoo\"} 0",
            "ssmglobal_world_playing{world=\"Moon\"} 0",
            "ssmglobal_world_waiting{world=\"zoo\"} 300",
            "ssmglobal_world_downs_total{world=\"zoo\"} 4",
            "ssmglobal_world_returns_total{world=\"zoo\"} 7",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
        // What is not known is left out, and not 0.
        assert!(!text.contains("\nssmglobal_disk_free_bytes "), "{text}");
        assert!(!text.contains("process=\"workers\""), "{text}");
        assert!(!text.contains("ssmglobal_world_up{world=\"Moon\"}"), "{text}");
    }

    #[test]
    fn times_are_counted_up_to_each_bound_and_none_is_lost() {
        let text = text(&numbers()).unwrap();
        let name = "ssmglobal_request_duration_seconds";
        let buckets: Vec<(&str, u64)> = text
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix("_bucket{le=\"")?.split_once("\"} "))
            .map(|(bound, count)| (bound, count.parse().unwrap()))
            .collect();
        let bounds: Vec<f64> = buckets[..buckets.len() - 1].iter().map(|(bound, _)| bound.parse().unwrap()).collect();
        assert_eq!(bounds[..4], [0.00001, 0.000025, 0.00005, 0.0001]);
        assert_eq!(bounds.last(), Some(&10.0));
        assert_eq!([0, 1, 3].map(|index| buckets[index].1), [1, 3, 6]);
        assert_eq!(buckets.last(), Some(&("+Inf", 10)));
        for line in [format!("{name}_count 10"), format!("{name}_sum 2.5")] {
            assert!(text.lines().any(|found| found == line), "{line}");
        }
    }

    #[test]
    fn the_page_for_operators_lists_all_of_them() {
        let mut table = String::from("| metric | is | label | says |\n|---|---|---|---|\n");
        for metric in METRICS {
            let end = if metric.kind() == "counter" { "_total" } else { "" };
            let label = metric.label.map_or_else(String::new, |label| format!("`{label}`"));
            table += &format!("| `{}{end}` | {} | {label} | {} |\n", metric.name, metric.kind(), metric.help);
        }
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains(&table), "docs/operating.md is to have this table:\n{table}");
    }

    #[test]
    fn names_are_as_prometheus_wants_them_and_no_two_are_alike() {
        let mut seen = BTreeSet::new();
        for metric in METRICS {
            assert!(metric.name.starts_with("ssmglobal_") || metric.name.starts_with("process_"), "{}", metric.name);
            assert!(metric.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", metric.name);
            assert!(!metric.name.ends_with("_total") && metric.help.ends_with('.'), "{}", metric.name);
            for series in metric.series() {
                assert!(seen.insert(series), "{}", metric.name);
            }
        }
        let commands: BTreeSet<&str> = Kind::ALL.iter().map(|kind| command(*kind)).collect();
        assert_eq!(commands.len(), Kind::ALL.len(), "two requests look like one");
    }
}
