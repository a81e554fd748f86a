//! Patterns of what a world says: regular expressions, compiled where they are set and where they are used. Pure; used by all
//! processes.

use regex_lite::{Error, Regex, RegexBuilder};

/// Bytes of one.
pub(crate) const LENGTH_MAX: usize = 512;

/// Of one kind for one world.
pub(crate) const PATTERNS_MAX: usize = 16;

/// Bytes of one that is compiled: what it costs to look at a line grows with it.
const COMPILED_MAX: usize = 64 * 1024;

/// Groups inside each other.
const NESTED_MAX: u32 = 32;

/// The groups of a line that logs somebody in.
const LOGIN_GROUPS: [&str; 2] = ["name", "password"];

/// Compiles a pattern. The time that one takes grows with the line, never faster.
///
/// # Errors
/// For one that is no regular expression, or a very large one.
pub fn pattern(text: &str) -> Result<Regex, Error> {
    RegexBuilder::new(text).size_limit(COMPILED_MAX).nest_limit(NESTED_MAX).build()
}

/// Several patterns as one that finds what any of them does.
pub(crate) fn joined(list: &[String]) -> String {
    match list {
        [one] => one.clone(),
        list => list.iter().map(|one| format!("(?:{one})")).collect::<Vec<_>>().join("|"),
    }
}

/// The group that a login's pattern lacks; none for what is no pattern.
pub(crate) fn lacks_group(text: &str) -> Option<&'static str> {
    let compiled = pattern(text).ok()?;
    LOGIN_GROUPS.into_iter().find(|group| !compiled.capture_names().flatten().any(|name| name == *group))
}
