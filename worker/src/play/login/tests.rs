//! Conversations with worlds as they are, watched and had again; each is tried with the world's text in pieces of several
//! lengths, and once with the state put away at every step.

mod asked;
mod bounds;
mod lines;
mod ticket;

use super::*;
use ssmglobal_ipc::Secret;
use std::time::{Duration, Instant};

/// What happens, in its order.
#[derive(Clone, Copy, Debug)]
enum Do<'a> {
    /// The world says this.
    World(&'a str),
    /// It marks the end of a prompt.
    Mark,
    /// It offers telnet.
    Offers,
    /// It hides what is typed, or no longer.
    Hide(bool),
    /// Nothing is said for so many milliseconds.
    Pass(u64),
    /// The player types this.
    Types(&'a str),
    /// This is typed for him.
    Says(&'a str),
    /// This ticket is shown for him.
    Shows(&'a str),
    /// He is in, and has seen this.
    In(&'a str),
    /// It has failed with this reason, and he has seen all that the world has said.
    Failed(&'a str),
    /// It asks for more, and he has seen all that the world has said.
    AsksMore,
    /// It took too long, and he has seen all that the world has said.
    TimedOut,
}
use Do::{AsksMore, Failed, Hide, In, Mark, Offers, Pass, Says, Shows, TimedOut, Types, World};

/// In pieces of this length the state is put away after each step too.
const MOVED: usize = 1;

const PIECES: [usize; 5] = [MOVED, 2, 3, 7, 10_000];

fn page() -> Option<LockedPage> {
    Some(LockedPage::new().unwrap())
}

fn login(terms: &LoginTerms) -> Login {
    Login::new(terms, page())
}

fn texts(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|pattern| (*pattern).to_owned()).collect()
}

fn kept(login: &Login) -> Vec<(String, bool)> {
    let text = |typed: Typed<'_>| (String::from_utf8_lossy(typed.line).into_owned(), typed.secret);
    login.page().map(|page| page::kept(page.bytes()).map(text).collect()).unwrap_or_default()
}

fn lines_kept(login: &Login) -> Vec<String> {
    kept(login).into_iter().map(|(line, _)| line).collect()
}

/// Goes on as another process would.
fn moved<T: Serialize + for<'de> Deserialize<'de>>(state: &T) -> T {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

/// A clock that only goes when it is told to, far behind the real one: what moves is put away as how long ago it was.
fn clock() -> Instant {
    Instant::now().checked_sub(Duration::from_secs(10_000)).expect("such a time")
}

/// How long something lasts; a little longer where the state moves, for in that are only whole milliseconds.
fn lasting(milliseconds: u64, piece: usize) -> Duration {
    Duration::from_millis(milliseconds) + if piece == MOVED { Duration::from_millis(50) } else { Duration::ZERO }
}

/// A player logs in, on a fresh connection.
fn watched(login: &mut Login, piece: usize, script: &[Do]) {
    let (mut watch, mut now) = (Watch::default(), clock());
    watch.begin(login);
    for happens in script {
        match *happens {
            World(text) => text.as_bytes().chunks(piece).for_each(|piece| watch.said(login, piece, now)),
            Mark => watch.prompt_end(login),
            Offers => {}
            Hide(hides) => watch.hides(hides),
            Pass(milliseconds) => {
                let end = now + lasting(milliseconds, piece);
                while let Some(at) = watch.deadline(login).filter(|at| *at <= end) {
                    watch.tick(login, at);
                    assert!(watch.deadline(login).is_none_or(|next| next > at), "it would not wait");
                }
                now = end;
            }
            Types(line) => watch.typed(login, line.as_bytes(), false, now),
            Says(_) | Shows(_) | In(_) | Failed(_) | AsksMore | TimedOut => panic!("{happens:?} is not watched"),
        }
        if piece == MOVED {
            watch = moved(&watch);
        }
    }
}

/// What was kept logs in, on a fresh connection; gives how long it took.
fn again(login: &Login, piece: usize, script: &[Do]) -> Duration {
    again_with(login, None, piece, script)
}

/// The same with a ticket.
fn again_with(login: &Login, ticket: Option<&str>, piece: usize, script: &[Do]) -> Duration {
    let begun = clock();
    let again = Again::begin(login, ticket.map(Secret::new), begun).expect("a login");
    let mut scene = Scene { again, login, now: begun, step: None, shown: Vec::new() };
    let mut said = Vec::new();
    for happens in script {
        match *happens {
            World(text) => {
                said.extend_from_slice(text.as_bytes());
                text.as_bytes().chunks(piece).for_each(|piece| scene.world(piece));
            }
            Mark => scene.with(|again, login, now| again.prompt_end(login, now)),
            Offers => scene.again.has_offered(),
            Hide(hides) => scene.with(|again, login, now| again.hides(login, hides, now)),
            Pass(milliseconds) => scene.pass(lasting(milliseconds, piece)),
            Shows(line) => match scene.step.take() {
                Some(Step::Show(said)) => assert_eq!(said.expose(), line),
                other => panic!("{line:?} was to be shown: {other:?}"),
            },
            Says(line) => match scene.step.take() {
                Some(Step::Say(said)) => assert_eq!(String::from_utf8_lossy(&said), line),
                other => panic!("{line:?} was to be typed: {other:?}"),
            },
            In(shown) => {
                assert!(matches!(scene.step.take(), Some(Step::Done { .. })), "not in, where {shown:?} was to be seen");
                assert_eq!(String::from_utf8_lossy(&scene.shown), shown);
            }
            Failed(why) => {
                match scene.step.take() {
                    Some(Step::Failed { reason, .. }) => assert_eq!(reason, why),
                    other => panic!("not {why:?}: {other:?}"),
                }
                assert_eq!(String::from_utf8_lossy(&scene.shown), String::from_utf8_lossy(&said));
            }
            AsksMore => {
                assert!(matches!(scene.step.take(), Some(Step::AsksMore { .. })));
                assert_eq!(String::from_utf8_lossy(&scene.shown), String::from_utf8_lossy(&said));
            }
            TimedOut => {
                assert!(matches!(scene.step.take(), Some(Step::TimedOut { .. })));
                assert_eq!(String::from_utf8_lossy(&scene.shown), String::from_utf8_lossy(&said));
            }
            Types(_) => panic!("{happens:?} while it is typed for him"),
        }
        if piece == MOVED {
            scene.again = moved(&scene.again);
        }
    }
    assert_eq!(scene.step, None, "at the end");
    scene.now - begun
}

struct Scene<'a> {
    again: Again,
    login: &'a Login,
    now: Instant,
    /// What was to be done and was not looked at.
    step: Option<Step>,
    /// What the player has seen since it was over.
    shown: Vec<u8>,
}

impl Scene<'_> {
    fn is_over(&self) -> bool {
        !self.shown.is_empty()
            || matches!(
                &self.step,
                Some(Step::Done { .. } | Step::Failed { .. } | Step::AsksMore { .. } | Step::TimedOut { .. })
            )
    }

    fn world(&mut self, text: &[u8]) {
        if self.is_over() {
            self.shown.extend_from_slice(text);
        } else {
            self.with(|again, login, now| again.said(login, text, now));
        }
    }

    fn with(&mut self, what: impl FnOnce(&mut Again, &Login, Instant) -> Step) {
        if self.is_over() {
            return;
        }
        let step = what(&mut self.again, self.login, self.now);
        match &step {
            Step::Wait => return,
            Step::Say(_) | Step::Show(_) => {}
            Step::Done { rest: text }
            | Step::Failed { text, .. }
            | Step::AsksMore { text }
            | Step::TimedOut { text } => self.shown.clone_from(text),
        }
        assert_eq!(self.step, None, "before {step:?}");
        self.step = Some(step);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while !self.is_over() && self.again.deadline(self.login) <= end {
            self.now = self.again.deadline(self.login).max(self.now);
            self.with(|again, login, now| again.quiet(login, now));
            assert!(self.is_over() || self.again.deadline(self.login) > self.now, "it would not wait");
        }
        self.now = end;
    }
}

/// The first part is watched, and then the second one happens on a fresh connection.
fn conversation(terms: &LoginTerms, first: &[Do], second: &[Do]) {
    for piece in PIECES {
        let mut login = login(terms);
        watched(&mut login, piece, first);
        again(&login, piece, second);
        // More than once in a row.
        again(&login, piece, second);
    }
}
