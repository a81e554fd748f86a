//! Looking on while a player logs in. Runs in a worker; pure, but for the locked page.

use super::heard::Heard;
use super::page::{Lists, Typed};
use super::{Login, QUIET, Verdict, asks_for_secret};
use crate::moment::Moment;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How long the world has for its word about a line that logs in, and about one who logs in anew after he was in already.
const PATIENCE: Duration = Duration::from_secs(30);

/// A world without words of success has taken a login if it has answered, and is still there after so long.
const TAKEN: Duration = Duration::from_secs(2);

/// What is known of a login that is being tried.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Trying {
    /// Since its last line was typed.
    since: Moment,
    /// The world has said something since.
    answered: bool,
}

/// Looks on. What was typed is in the page of the [`Login`], not here.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    trying: Option<Trying>,
    /// The player has logged in on this connection.
    inside: bool,
    /// What was tried last has failed, and the next answer takes its place.
    failed: bool,
    /// There were more lines than a login can have.
    over: bool,
    /// The world hides what is typed.
    hides: bool,
    heard: Heard,
    /// What there is of the line was not looked at yet, and when it came.
    unread: Option<Moment>,
}

impl Watch {
    /// The connection is a fresh one; he logs in by himself.
    pub fn begin(&mut self, login: &mut Login) {
        *self = Watch::default();
        drop_tried(login);
    }

    /// The connection is a fresh one, on which so many lines of what was kept were typed, and have not logged in: he goes on behind
    /// them, where the world asks for one thing after the other. It may have `refused` the last of them.
    pub fn begin_behind(&mut self, login: &mut Login, lines: usize, refused: bool) {
        self.begin(login);
        if login.patterns.prompts && lines > 0 {
            login.change(b"", |lists, _| lists.tried = lists.kept.iter().take(lines).copied().collect());
            if refused {
                self.failed(login);
            }
        }
    }

    /// Whether the world asks for something that is not to be seen.
    pub fn asks_for_secret(&self) -> bool {
        self.hides || asks_for_secret(&self.heard.line())
    }

    /// The connection is a fresh one, and what was kept has logged in.
    pub fn begin_inside(&mut self, login: &mut Login) {
        self.begin(login);
        self.inside = true;
    }

    /// The player has typed a line, which goes to the world.
    pub fn typed(&mut self, login: &mut Login, line: &[u8], hidden: bool, now: Instant) {
        let secret = hidden || self.asks_for_secret();
        // His return key has ended the world's line.
        self.heard.clear();
        self.unread = None;
        let tries = if !login.patterns.prompts {
            login.is_login(line) && login.change(line, |lists, line| lists.tried = vec![Typed { line, secret }])
        } else if self.inside {
            self.typed_inside(login, line, secret)
        } else {
            self.typed_outside(login, line, secret)
        };
        if tries {
            self.trying = Some(Trying { since: now.into(), answered: false });
        }
    }

    /// An answer to one of the questions of a world that asks.
    fn typed_outside(&mut self, login: &mut Login, line: &[u8], secret: bool) -> bool {
        if self.over {
            return false;
        }
        let again = std::mem::take(&mut self.failed);
        let fits = login.change(line, |lists, line| {
            // After a failure the name is asked for once more; a second password takes the place of the first.
            let replaces = lists.tried.last().is_some_and(|last| last.secret == secret && (secret || again));
            if replaces {
                lists.tried.pop();
            }
            lists.tried.push(Typed { line, secret });
        });
        if !fits {
            self.over = true;
            drop_tried(login);
        }
        fits
    }

    /// He is in: only a password that is asked for begins another login, with the line before it as the name.
    fn typed_inside(&mut self, login: &mut Login, line: &[u8], secret: bool) -> bool {
        // Without words of success nothing would tell a login from a password that is changed.
        if login.patterns.success.is_empty() {
            return false;
        }
        let goes_on = self.trying.is_some();
        let fits = login.change(line, |lists, line| {
            let replaces = match lists.tried.last() {
                Some(last) if goes_on => last.secret && secret,
                Some(_) => !secret,
                None => false,
            };
            if replaces {
                lists.tried.pop();
            }
            lists.tried.push(Typed { line, secret });
        });
        if !fits {
            self.trying = None;
            drop_tried(login);
        }
        fits && (secret || goes_on)
    }

    /// The world has said this; split anywhere.
    pub fn said(&mut self, login: &mut Login, mut text: &[u8], now: Instant) {
        match &mut self.trying {
            Some(trying) => trying.answered |= !text.is_empty(),
            None if !login.patterns.prompts => return,
            // Nothing is told by what was said: of all that a world says, only a prompt matters, should he answer it.
            None => {
                if let Some(end) = memchr::memrchr(b'\n', text) {
                    self.heard = Heard::default();
                    text = text.get(end + 1..).unwrap_or_default();
                }
            }
        }
        while !text.is_empty() {
            let (_, ended) = self.heard.take(&mut text);
            if ended {
                self.judge(login);
                self.heard.clear();
                self.unread = None;
            } else {
                self.unread = Some(now.into());
            }
        }
    }

    /// The world hides what is typed, or no longer.
    pub fn hides(&mut self, hides: bool) {
        self.hides = hides;
    }

    /// The world's prompt has ended.
    pub fn prompt_end(&mut self, login: &mut Login) {
        self.unread = None;
        self.judge(login);
    }

    /// Whether the player has logged in on this connection.
    pub fn is_inside(&self) -> bool {
        self.inside
    }

    /// When [`Watch::tick`] is to be called at the latest; none if there is nothing to wait for.
    pub fn deadline(&self, login: &Login) -> Option<Instant> {
        let trying = self.trying?;
        let quiet = self.unread.map(|at| *at + QUIET);
        let taken = self.may_be_taken(login).then(|| *trying.since + TAKEN);
        let patience = self.has_patience(login).then(|| *trying.since + PATIENCE);
        [quiet, taken, patience].into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn tick(&mut self, login: &mut Login, now: Instant) {
        if self.unread.is_some_and(|at| now >= *at + QUIET) {
            self.unread = None;
            self.judge(login);
        }
        let Some(trying) = self.trying else { return };
        if self.may_be_taken(login) && now >= *trying.since + TAKEN {
            self.worked(login);
        } else if self.has_patience(login) && now >= *trying.since + PATIENCE {
            self.trying = None;
            drop_tried(login);
        }
    }

    /// Whether time alone can show that it has worked.
    fn may_be_taken(&self, login: &Login) -> bool {
        let asks = self.asks_for_secret();
        let whole = !login.patterns.prompts || (!self.failed && !asks && login.has_tried_secret());
        login.patterns.success.is_empty() && whole && self.trying.is_some_and(|trying| trying.answered)
    }

    /// Whether what is tried is given up after a while: who reads a long text before he presses return is not.
    fn has_patience(&self, login: &Login) -> bool {
        !login.patterns.success.is_empty() && (self.inside || !login.patterns.prompts)
    }

    fn judge(&mut self, login: &mut Login) {
        if self.trying.is_none() || self.heard.is_empty() {
            return;
        }
        match login.patterns.verdict(&self.heard.line()) {
            Some(Verdict::Success) => self.worked(login),
            Some(Verdict::Failure) => self.failed(login),
            None => {}
        }
    }

    fn worked(&mut self, login: &mut Login) {
        let is_login = login.last_tried().is_some();
        if is_login {
            login.change(b"", |lists, _| lists.kept = std::mem::take(&mut lists.tried));
        }
        (self.trying, self.failed, self.over, self.inside) = (None, false, false, true);
    }

    fn failed(&mut self, login: &mut Login) {
        if self.inside || !login.patterns.prompts {
            self.trying = None;
            return drop_tried(login);
        }
        // What was answered before stays so: the world goes on asking where it stands.
        self.failed = true;
        login.change(b"", |lists, _| {
            if lists.tried.last().is_some_and(|last| last.secret) {
                lists.tried.pop();
            }
        });
    }
}

fn drop_tried(login: &mut Login) {
    if login.last_tried().is_some() {
        login.change(b"", |lists: &mut Lists<'_>, _| lists.tried.clear());
    }
}
