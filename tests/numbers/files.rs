//! The dashboard and the alert rules name what the program tells, and nothing else; the page for operators lists all of it.

use serde_json::Value;
use ssmglobal_worker::metrics::text::METRICS;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

const FUNCTIONS: &[&str] = &["histogram_quantile", "increase", "label_values", "rate", "sum", "topk"];

/// Labels that Prometheus adds by itself.
const ADDED: &[&str] = &["job", "instance"];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What an expression is made of.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Word(String),
    Text(String),
    Sign(char),
}

fn pieces(expression: &str) -> Vec<Piece> {
    let (mut found, mut rest) = (Vec::new(), expression.chars().peekable());
    while let Some(c) = rest.next() {
        match c {
            '"' => found.push(Piece::Text(rest.by_ref().take_while(|c| *c != '"').collect())),
            // How far back.
            '[' => drop(rest.by_ref().take_while(|c| *c != ']').count()),
            _ if c.is_ascii_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    word.push(c);
                }
                found.push(Piece::Word(word));
            }
            _ if c.is_whitespace() => {}
            _ => found.push(Piece::Sign(c)),
        }
    }
    found
}

/// What may be said of a series: its labels. Nothing when there is no such series.
fn labels(series: &str) -> Option<BTreeSet<&'static str>> {
    if series == "up" {
        return Some(ADDED.iter().copied().collect());
    }
    let metric = METRICS.iter().find(|metric| metric.series().iter().any(|name| name == series))?;
    let le = series.ends_with("_bucket").then_some("le");
    Some(ADDED.iter().copied().chain(metric.label).chain(le).collect())
}

/// Everything that an expression names is there; gives the labels that what it comes to may have.
fn check(expression: &str) -> BTreeSet<&'static str> {
    let (mut known, mut asked) = (BTreeSet::new(), Vec::new());
    let (mut in_braces, mut in_list) = (false, false);
    let pieces = pieces(expression);
    for (at, piece) in pieces.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| pieces.get(at));
        match piece {
            Piece::Sign('{') => in_braces = true,
            Piece::Sign('}') => in_braces = false,
            Piece::Sign('(') => in_list = before == Some(&Piece::Word("by".to_owned())),
            Piece::Sign(')') => in_list = false,
            Piece::Word(word) if in_braces || in_list => asked.push(word.clone()),
            Piece::Word(word) if word == "by" || FUNCTIONS.contains(&word.as_str()) => {}
            Piece::Word(word) if word.starts_with(|c: char| c.is_ascii_digit()) => {}
            // The second argument of label_values.
            Piece::Word(word) if ADDED.contains(&word.as_str()) => {}
            Piece::Word(word) => {
                let labels = labels(word).unwrap_or_else(|| panic!("{word} in {expression} is told by nobody"));
                known.extend(labels);
            }
            Piece::Text(_) | Piece::Sign(_) => {}
        }
    }
    assert!(!known.is_empty(), "{expression} names no metric");
    for label in asked {
        assert!(known.contains(label.as_str()), "{label} in {expression} is no label of what it names");
    }
    known
}

/// All strings under this key, wherever they are.
fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key).and_then(Value::as_str));
            fields.values().for_each(|value| all(value, key, found));
        }
        Value::Array(values) => values.iter().for_each(|value| all(value, key, found)),
        _ => {}
    }
}

/// What stands between double braces.
fn in_double_braces(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()).map(str::trim)
}

#[test]
fn the_dashboard_names_what_the_program_tells() {
    let dashboard: Value = serde_json::from_str(&text("config/grafana/ssmglobal.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut count = 0;
    for target in targets {
        let (expression, legend) = (target["expr"].as_str().unwrap(), target["legendFormat"].as_str().unwrap());
        let known = check(expression);
        for label in in_double_braces(legend) {
            assert!(known.contains(label), "{label} in {legend:?} is no label of {expression}");
        }
        count += 1;
    }
    assert!(count > 20, "{count}");
    let mut queries = Vec::new();
    all(&dashboard["templating"], "query", &mut queries);
    queries.into_iter().filter(|query| query.contains('(')).for_each(|query| drop(check(query)));
}

#[test]
fn everything_that_is_told_but_what_others_show_already_is_on_the_dashboard() {
    let dashboard = text("config/grafana/ssmglobal.json");
    // The start shows in the counters; memory is there by process; those who asked are among the clients.
    let elsewhere = ["process_start_time_seconds", "process_resident_memory_bytes", "ssmglobal_connections_linked"];
    for metric in METRICS.iter().filter(|metric| !elsewhere.contains(&metric.name)) {
        assert!(metric.series().iter().any(|series| dashboard.contains(series)), "{}", metric.name);
    }
}

#[test]
fn the_alert_rules_name_what_the_program_tells() {
    let rules = text("config/prometheus/alerts.yml");
    let (mut alerts, mut expressions, mut known) = (Vec::new(), 0, BTreeSet::new());
    for line in rules.lines() {
        let line = line.trim_start();
        alerts.extend(line.strip_prefix("- alert: "));
        if let Some(expression) = line.strip_prefix("expr: ") {
            expressions += 1;
            known = check(expression);
        }
        for word in in_double_braces(line) {
            assert!(word.strip_prefix("$labels.").is_some_and(|label| known.contains(label)), "{line}");
        }
    }
    assert_eq!(alerts.len(), expressions);
    assert_eq!(alerts.iter().collect::<BTreeSet<_>>().len(), alerts.len());
    for wanted in ["Down", "CannotSave", "Slow", "HandlerDied", "AlmostFull", "WorldDown"] {
        assert!(alerts.iter().any(|alert| alert.ends_with(wanted)), "{wanted}: {alerts:?}");
    }
}

#[test]
fn prometheus_own_tool_takes_the_rules() {
    let output =
        match Command::new("promtool").arg("check").arg("rules").arg(file("config/prometheus/alerts.yml")).output() {
            Ok(output) => output,
            Err(error) => return println!("skipped: promtool: {error}"),
        };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[should_panic(expected = "ssmglobal_reqests_total in rate(ssmglobal_reqests_total[5m]) is told by nobody")]
fn a_misspelt_metric_is_found() {
    check("rate(ssmglobal_reqests_total[5m])");
}

#[test]
#[should_panic(expected = "comand in sum by (comand) (rate(ssmglobal_requests_total[5m])) is no label")]
fn a_misspelt_label_is_found() {
    check("sum by (comand) (rate(ssmglobal_requests_total[5m]))");
}
