//! `ssmglobal check`: everything that is wrong with a config file, before the backend is (re)started with it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use ssmglobal_config::{DEFAULT_FILE, Loaded, Overrides, Place, Problem, Warning, environment, load};

use crate::location::for_root;
use crate::print;

const EXAMPLES: &str = "\
Examples:
  ssmglobal check                    the file that the backend would read
  ssmglobal check new.toml           another one, before it replaces the old
  ssmglobal check --json | jq .ok

The environment (SSMGLOBAL_…) is checked along with it. Exit status: 0 fine, 1 something is wrong.";

/// Tell everything that is wrong with a config file, with line and column
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// The config file [default: the one that the backend would read]
    file: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was found, as `--json` shows it.
#[derive(Serialize)]
struct Report {
    file: Option<String>,
    ok: bool,
    problems: Vec<Finding>,
    warnings: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    place: String,
    line: Option<usize>,
    column: Option<usize>,
    key: Option<String>,
    msg: String,
    allowed: Option<String>,
    suggestion: Option<String>,
    #[serde(skip)]
    text: String,
}

/// Checks the file that is named here, or else by `config`, or else the one that the backend would read.
pub fn run(args: CheckArgs, config: Option<PathBuf>) -> ExitCode {
    let named = args.file.or(config);
    let result = load(named.as_deref(), environment(), &Overrides::default());
    let report = Report::new(named, result);
    let text = if args.json { report.json() } else { report.text() };
    match print::out(&text) {
        Ok(()) if report.ok => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            print::note(&format!("ssmglobal: cannot write the result: {error}"));
            ExitCode::FAILURE
        }
    }
}

impl Report {
    fn new(named: Option<PathBuf>, result: Result<Loaded, Vec<Problem>>) -> Report {
        let shown = |path: PathBuf| path.display().to_string();
        match result {
            Ok(loaded) => {
                let doubt = loaded.file.as_deref().and_then(doubt);
                Report {
                    file: loaded.file.map(shown),
                    ok: true,
                    problems: Vec::new(),
                    warnings: loaded.warnings.into_iter().chain(doubt).map(Finding::from).collect(),
                }
            }
            Err(problems) => Report {
                file: named.map(shown),
                ok: false,
                problems: problems.into_iter().map(Finding::from).collect(),
                warnings: Vec::new(),
            },
        }
    }

    fn text(&self) -> String {
        let mut lines: Vec<String> =
            self.problems.iter().chain(&self.warnings).map(|found| print::clean(&found.text).into_owned()).collect();
        match (&self.file, self.ok) {
            (_, false) => lines.push(match self.problems.len() {
                1 => "1 thing is wrong.".to_owned(),
                count => format!("{count} things are wrong."),
            }),
            (Some(file), true) => lines.push(format!("{}: fine", print::clean(file))),
            (None, true) => lines.push(format!("There is no {DEFAULT_FILE}, so the defaults hold: fine")),
        }
        lines.join("\n") + "\n"
    }

    fn json(&self) -> String {
        print::json(self) + "\n"
    }
}

/// What a backend says of the file that is started by root, as this is.
fn doubt(file: &Path) -> Option<Warning> {
    let why = for_root(file).err()?;
    let text = format!("a backend that is started by root does not believe it: {why}");
    Some(Warning { place: Place::WholeFile(file.display().to_string().into()), text })
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn line_and_column(place: &Place) -> (Option<usize>, Option<usize>) {
    match place {
        Place::File { line, column, .. } => (Some(*line), Some(*column)),
        _ => (None, None),
    }
}

impl From<Problem> for Finding {
    fn from(problem: Problem) -> Finding {
        let text = problem.to_string();
        let (line, column) = line_and_column(&problem.place);
        Finding {
            place: problem.place.to_string(),
            line,
            column,
            key: filled(problem.key),
            msg: problem.wrong,
            allowed: filled(problem.allowed),
            suggestion: problem.suggestion,
            text,
        }
    }
}

impl From<Warning> for Finding {
    fn from(warning: Warning) -> Finding {
        let text = warning.to_string();
        let (line, column) = line_and_column(&warning.place);
        Finding {
            place: warning.place.to_string(),
            line,
            column,
            key: None,
            msg: warning.text,
            allowed: None,
            suggestion: None,
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> Report {
        let result = ssmglobal_config::check(text, "a.toml").map(|(settings, warnings)| Loaded {
            settings,
            file: Some("a.toml".into()),
            warnings,
            notes: Vec::new(),
        });
        Report::new(Some("a.toml".into()), result)
    }

    #[test]
    fn a_good_file_is_fine() {
        let report = report("[limits]\nclients = 10\n");
        assert!(report.text().ends_with("a.toml: fine\n"), "{}", report.text());
        assert!(report.json().starts_with(r#"{"file": "a.toml", "ok": true, "problems": []"#));
    }

    #[test]
    fn everything_wrong_is_told_with_its_place() {
        let report = report("[limits]\nclints = 1\nclients = 0\n");
        let text = report.text();
        assert!(text.contains("a.toml:2:1: ") && text.contains("a.toml:3:11: "), "{text}");
        assert!(text.ends_with("2 things are wrong.\n"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["ok"], false);
        assert_eq!(json["problems"][0]["line"], 2);
        assert_eq!(json["problems"][0]["suggestion"], "limits.clients");
        assert_eq!(json["problems"][1]["column"], 11);
    }

    #[test]
    fn without_a_file_the_defaults_are_fine() {
        let loaded = Loaded { settings: Default::default(), file: None, warnings: Vec::new(), notes: Vec::new() };
        assert!(Report::new(None, Ok(loaded)).text().contains("defaults"));
    }
}
