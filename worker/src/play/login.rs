//! Logging in to a world once more, as the player did before it went down. Runs in a worker; pure, but for the locked page.
//!
//! [`Watch`] looks on while a player logs in, and finds out what of his typing it was that worked. [`Again`] types that on
//! a fresh connection, and says when the noise of it is over. What was typed is kept in the [`Login`]'s page of locked
//! memory and nowhere else, from the moment it came.
//!
//! There are two kinds of worlds. One takes a whole login in one line (`connect NAME PASSWORD`), which a pattern tells from
//! others. The other one asks: for a name, for a password while it hides the input, then perhaps for a return and the
//! number of a menu; all lines up to the words of success are the login.

mod again;
mod heard;
mod page;
#[cfg(test)]
mod tests;
mod watch;

pub use again::{Again, Step};
pub use heard::Heard;
pub use watch::Watch;

use page::{Lists, Typed};
use regex_lite::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use ssmglobal_sys::LockedPage;
use std::time::Duration;
use zeroize::Zeroizing;

/// What a pattern may take when it is compiled, bytes.
const PATTERN_SIZE: usize = 256 << 10;

/// The world says nothing for so long: what it has said last is taken for a prompt.
const QUIET: Duration = Duration::from_millis(150);

/// How a world is logged in to. Patterns are regular expressions, matched on lines without colours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoginTerms {
    /// What a line looks like that logs in by itself.
    pub login: Option<String>,
    /// What the world says when it has worked.
    pub success: Vec<String>,
    /// What it says when it has not.
    pub failure: Vec<String>,
    /// Lines behind the words of success that nobody needs to see again.
    pub hide: Vec<String>,
    /// The world asks for one thing after the other.
    pub prompts: bool,
}

/// The terms, compiled.
#[derive(Debug, Default)]
struct Patterns {
    login: Option<Regex>,
    success: Vec<Regex>,
    failure: Vec<Regex>,
    hide: Vec<Regex>,
    prompts: bool,
}

impl Patterns {
    /// One that does not compile is refused where it is set, and matches nothing here.
    fn new(terms: &LoginTerms) -> Patterns {
        let compiled = |pattern: &String| RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build().ok();
        let all = |patterns: &[String]| patterns.iter().filter_map(compiled).collect();
        Patterns {
            login: terms.login.as_ref().and_then(compiled),
            success: all(&terms.success),
            failure: all(&terms.failure),
            hide: all(&terms.hide),
            prompts: terms.prompts,
        }
    }

    fn verdict(&self, line: &str) -> Option<Verdict> {
        let any = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(line));
        if any(&self.failure) { Some(Verdict::Failure) } else { any(&self.success).then_some(Verdict::Success) }
    }

    fn hides(&self, line: &str) -> bool {
        self.hide.iter().any(|pattern| pattern.is_match(line))
    }
}

/// What a line of the world says about a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Success,
    Failure,
}

/// Whether a prompt asks for a password, where the world does not hide it.
fn asks_for_secret(prompt: &str) -> bool {
    let prompt = prompt.to_ascii_lowercase();
    prompt.contains("password") || prompt.contains("passphrase")
}

/// How one world is logged in to, and the login that has worked there. Its page moves by its descriptor; all else is made
/// anew of the terms.
#[derive(Debug, Default)]
pub struct Login {
    patterns: Patterns,
    page: Option<LockedPage>,
}

impl Login {
    /// Without a page, where this process may not lock one, nothing is ever kept.
    pub fn new(terms: &LoginTerms, page: Option<LockedPage>) -> Login {
        Login { patterns: Patterns::new(terms), page }
    }

    /// Other terms, as after a reload; what is kept stays.
    pub fn set_terms(&mut self, terms: &LoginTerms) {
        self.patterns = Patterns::new(terms);
    }

    /// Whether there is a login to be typed again.
    pub fn is_kept(&self) -> bool {
        self.kept(0).is_some()
    }

    /// Whether a line looks as one that logs in: it may hold a password.
    pub fn is_login(&self, line: &[u8]) -> bool {
        let Some(pattern) = &self.patterns.login else { return false };
        match std::str::from_utf8(line) {
            Ok(line) => pattern.is_match(line),
            Err(_) => pattern.is_match(&Zeroizing::new(String::from_utf8_lossy(line).into_owned())),
        }
    }

    /// For a move to another process.
    pub fn page(&self) -> Option<&LockedPage> {
        self.page.as_ref()
    }

    /// Takes the page out: to leave it to another process that has it now.
    pub fn take_page(&mut self) -> Option<LockedPage> {
        self.page.take()
    }

    fn kept(&self, at: usize) -> Option<Typed<'_>> {
        self.page.as_ref().and_then(|page| page::kept(page.bytes()).nth(at))
    }

    fn last_tried(&self) -> Option<Typed<'_>> {
        self.page.as_ref().and_then(|page| page::tried(page.bytes()).last())
    }

    fn has_tried_secret(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page::tried(page.bytes()).any(|typed| typed.secret))
    }

    /// Changes what is kept and tried; false when that is over the bounds, or there is no page. Then nothing is changed.
    fn change(&mut self, line: &[u8], change: impl for<'a> FnOnce(&mut Lists<'a>, &'a [u8])) -> bool {
        self.page.as_mut().is_some_and(|page| page::change(page, line, change))
    }
}
