//! A login on trial: what is typed, and whether the patterns of success and failure see what the world says to it. Part of the
//! operator's command.

use super::wire::{Patience, Talk};
use serde::Serialize;
use ssmglobal_config::pattern;
use ssmglobal_config::play::Terms;
use ssmglobal_ipc::Secret;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long a world may take for its verdict; as long as a player's login that is done again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A world that says nothing for so long has asked something, or is done.
const QUIET: Patience =
    Patience { first: Duration::from_secs(2), quiet: Duration::from_millis(300), whole: Duration::from_secs(3) };

/// Lines of the world's that are shown, at the most.
const SHOWN: usize = 40;

/// Lines by which people log in to worlds that take one.
pub fn lines_that_log_in(name: &str, password: &str) -> Vec<Zeroizing<String>> {
    let name = if name.contains(' ') { format!("\"{name}\"") } else { name.to_owned() };
    let line = |word: &str| Zeroizing::new(format!("{word}{name} {password}"));
    ["connect ", "login ", "co ", ""].map(line).into()
}

/// Whether a world's `login` takes this line for a login of this name.
pub fn logs_in_with(login: &str, line: &str, name: &str) -> bool {
    let Ok(compiled) = pattern(login) else { return false };
    let found = compiled.captures(line);
    found.and_then(|found| Some(found.name("name")?.as_str().trim_matches('"') == name)).unwrap_or(false)
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// Whose login it was.
    pub name: String,
    /// Whether it has worked, as the patterns say; nothing: none of them has matched.
    pub worked: Option<bool>,
    /// The line that has matched.
    pub line: Option<String>,
    /// The pattern that it was.
    pub pattern: Option<String>,
    /// What the world has said to it, without the password.
    pub lines: Vec<String>,
    /// Why nothing was tried.
    pub why: Option<String>,
}

impl Tried {
    /// None was tried, for this reason.
    pub fn nothing(name: &str, why: &str) -> Tried {
        let (name, why) = (name.to_owned(), Some(why.to_owned()));
        Tried { name, worked: None, line: None, pattern: None, lines: Vec::new(), why }
    }
}

/// Whether a line shows that a login has worked, and by which pattern. Failure goes before success, as when players log in.
fn verdict<'t>(terms: &'t Terms, line: &str) -> Option<(bool, &'t str)> {
    let of = |patterns: &'t [String]| {
        patterns.iter().find(|text| pattern(text).is_ok_and(|compiled| compiled.is_match(line))).map(String::as_str)
    };
    of(&terms.failure).map(|text| (false, text)).or_else(|| of(&terms.success).map(|text| (true, text)))
}

fn asks_for_secret(talk: &Talk, lines: &[String]) -> bool {
    let last = lines.last().map(|line| line.to_lowercase()).unwrap_or_default();
    talk.seen.hides() || last.contains("password") || last.contains("passphrase")
}

/// Logs in on a connection that stands at its login screen.
pub fn try_login(talk: &mut Talk, terms: &Terms, name: &str, password: &Secret) -> Tried {
    let first = match (&terms.login, terms.prompts) {
        (_, true) => Zeroizing::new(name.to_owned()),
        (Some(login), false) => {
            let usual = lines_that_log_in(name, password.expose());
            match usual.into_iter().find(|line| logs_in_with(login, line, name)) {
                Some(line) => line,
                None => return Tried::nothing(name, "None of the usual lines is one that `login` takes for a login."),
            }
        }
        (None, false) => return Tried::nothing(name, "Neither `login` nor `prompts` says what is to be typed."),
    };
    let until = Instant::now() + PATIENCE;
    let mut from = type_line(talk, terms, &first);
    let mut secret_said = !terms.prompts;
    let mut lines = Vec::new();
    while Instant::now() < until {
        talk.listen(QUIET);
        let all = talk.seen.lines(terms.charset);
        lines = all.get(from..).unwrap_or_default().to_vec();
        let found = lines.iter().find_map(|line| Some((line.clone(), verdict(terms, line)?)));
        if let Some((line, (worked, pattern))) = found {
            let (line, pattern) = (hidden(&line, password), pattern.to_owned());
            let lines = shown(&lines, password);
            return Tried {
                name: name.to_owned(),
                worked: Some(worked),
                line: Some(line),
                pattern: Some(pattern),
                lines,
                why: None,
            };
        }
        if talk.ended {
            break;
        }
        if !secret_said && asks_for_secret(talk, &lines) {
            secret_said = true;
            from = type_line(talk, terms, password.expose());
        } else if secret_said && terms.success.is_empty() && !lines.iter().all(|line| line.trim().is_empty()) {
            break;
        }
    }
    let why = (!secret_said).then(|| "It did not ask for a password.".to_owned());
    Tried { lines: shown(&lines, password), why, ..Tried::nothing(name, "") }
}

/// Types a line; gives the number of the line in which the world answers.
fn type_line(talk: &mut Talk, terms: &Terms, line: &str) -> usize {
    // As large as it can become, so that no copy of a password is left where it has grown.
    let mut bytes = Zeroizing::new(Vec::with_capacity(4 * line.len() + 2));
    talk.seen.line(line, terms.charset, &mut bytes);
    // What stands there is its question, which the answer may be added to.
    let from = talk.seen.lines(terms.charset).len().saturating_sub(1);
    talk.say(&bytes);
    from
}

/// A line in which the password is not seen, should the world repeat it.
fn hidden(line: &str, password: &Secret) -> String {
    line.replace(password.expose(), "\u{2026}")
}

fn shown(lines: &[String], password: &Secret) -> Vec<String> {
    let said = lines.iter().filter(|line| !line.trim().is_empty());
    said.take(SHOWN).map(|line| hidden(line, password)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_config::Kind;

    #[test]
    fn a_line_is_found_that_the_pattern_takes_for_a_login() {
        let connect = Kind::TinyMux.terms().login.unwrap();
        let first = |pattern: &str, name: &str| {
            let lines = lines_that_log_in(name, "pw");
            lines.into_iter().find(|line| logs_in_with(pattern, line, name)).map(|line| line.to_string())
        };
        assert_eq!(first(&connect, "bob").as_deref(), Some("connect bob pw"));
        assert_eq!(first(&connect, "Old Bob").as_deref(), Some("connect \"Old Bob\" pw"));
        assert_eq!(first(r"^login (?P<name>\S+) (?P<password>\S+)$", "bob").as_deref(), Some("login bob pw"));
        assert_eq!(first(r"^(?P<name>\S+) (?P<password>\S+)$", "bob").as_deref(), Some("bob pw"));
        assert_eq!(first(r"^log (?P<name>\S+):(?P<password>\S+)$", "bob"), None);
    }

    #[test]
    fn failure_counts_more_than_success() {
        let terms = Terms { success: vec!["^Welcome".into()], failure: vec!["banned".into()], ..Terms::default() };
        assert_eq!(verdict(&terms, "Welcome, bob"), Some((true, "^Welcome")));
        assert_eq!(verdict(&terms, "Welcome; you are banned"), Some((false, "banned")));
        assert_eq!(verdict(&terms, "Hello"), None);
    }

    #[test]
    fn a_password_that_is_repeated_is_not_shown() {
        let lines = ["You typed s3cret".to_owned(), String::new(), "Bye".to_owned()];
        assert_eq!(shown(&lines, &Secret::new("s3cret")), ["You typed \u{2026}", "Bye"]);
    }
}
