//! What is kept, where, and how much of it.

use super::*;
use proptest::prelude::*;

fn asked() -> LoginTerms {
    LoginTerms { success: texts(&["^Welcome"]), prompts: true, ..LoginTerms::default() }
}

#[test]
fn so_many_lines_and_bytes_are_kept_and_a_longer_login_is_not() {
    let long = "x".repeat(page::MOST_BYTES);
    for (count, line, fits) in
        [(page::MOST_LINES, "x", true), (page::MOST_LINES + 1, "x", false), (1, long.as_str(), true), (2, &long, false)]
    {
        let mut login = login(&asked());
        let script = [vec![Types(line); count], vec![World("Welcome!\r\n")]].concat();
        watched(&mut login, 100, &script);
        assert_eq!(login.is_kept(), fits, "{count} lines of {} bytes", line.len());
        assert!(fits || login.page().unwrap().bytes().iter().all(|byte| *byte != b'x'));
    }
}

#[test]
fn without_a_page_nothing_is_kept_and_all_else_goes_on() {
    let mut login = Login::new(&asked(), None);
    watched(&mut login, 100, &[Types("Bob"), Hide(true), Types("hunter2"), World("Welcome!\r\n")]);
    assert!(!login.is_kept() && Again::begin(&login, None, clock()).is_none());
}

#[test]
fn the_page_takes_the_login_along_also_one_that_is_being_tried() {
    let mut first = login(&asked());
    watched(&mut first, 100, &[Types("Bob"), World("Welcome!\r\n")]);
    let (mut watch, now) = (Watch::default(), clock());
    watch.typed(&mut first, b"Alice", false, now);
    let left = serde_json::to_string(&watch).unwrap();
    assert!(!left.contains("65,108"), "nothing of it is in the state: {left}");
    let descriptor = first.page().unwrap().descriptor().try_clone_to_owned().unwrap();
    let page = LockedPage::from_descriptor(descriptor).unwrap();
    first.take_page().unwrap().leave();
    let mut second = Login::new(&asked(), Some(page));
    assert_eq!(lines_kept(&second), ["Bob"]);
    let mut watch: Watch = serde_json::from_str(&left).unwrap();
    watch.said(&mut second, b"Welcome!\r\n", now);
    assert_eq!(lines_kept(&second), ["Alice"]);
    second.page.iter_mut().for_each(LockedPage::wipe);
    assert!(!second.is_kept() && second.page().unwrap().bytes().is_empty());
}

#[test]
fn what_is_held_meanwhile_has_a_bound() {
    let mut login = login(&asked());
    watched(&mut login, 100, &[Types("Bob"), World("Welcome!\r\n")]);
    let now = clock();
    let mut again = Again::begin(&login, None, now).unwrap();
    let flood = [b'x'; 10_000];
    for _ in 0..100 {
        assert_eq!(again.said(&login, &flood, now), Step::Wait);
    }
    let state = serde_json::to_string(&again).unwrap();
    assert!(state.len() < 160 << 10, "{}", state.len());
    assert_eq!(again.give_up().len(), crate::play::scrollback::MOST);
}

#[test]
fn nothing_that_is_typed_is_shown() {
    let step = Step::Say(Zeroizing::new(b"hunter2".to_vec()));
    let mut login = login(&asked());
    watched(&mut login, 100, &[Types("hunter2"), World("Welcome!\r\n")]);
    assert_eq!(format!("{step:?}"), "Say(…)");
    assert!(!format!("{login:?}").contains("hunter2"));
}

#[test]
fn a_pattern_that_does_not_compile_matches_nothing() {
    let terms = LoginTerms { login: Some("(".to_owned()), success: texts(&["(", "^Yes"]), ..LoginTerms::default() };
    let login = login(&terms);
    assert!(!login.is_login(b"("));
    assert_eq!((login.patterns.verdict("("), login.patterns.verdict("Yes")), (None, Some(Verdict::Success)));
}

#[test]
fn lines_that_look_as_a_login_are_known_in_any_characters() {
    let login = login(&LoginTerms { login: Some("^connect .".to_owned()), ..LoginTerms::default() });
    assert!(
        login.is_login("connect zoë x".as_bytes()) && login.is_login(b"connect zo\xeb x") && !login.is_login(b"look")
    );
}

/// How it ends, and what has been seen then.
fn outcome(login: &Login, texts: &[&[u8]]) -> (String, String) {
    let mut now = clock();
    let mut again = Again::begin(login, None, now).unwrap();
    now += Duration::from_millis(300);
    assert!(matches!(again.quiet(login, now), Step::Say(_)));
    let (mut end, mut shown) = (None, Vec::new());
    let mut over = |step: Step, shown: &mut Vec<u8>| {
        let (how, text) = match step {
            Step::Wait | Step::Say(_) | Step::Show(_) => return false,
            Step::Done { rest } => ("in".to_owned(), rest),
            Step::Failed { reason, text } => (reason, text),
            Step::AsksMore { text } => ("it asks for more".to_owned(), text),
            Step::TimedOut { text } => ("too late".to_owned(), text),
        };
        shown.extend_from_slice(&text);
        end = Some(how);
        true
    };
    let mut is_over = false;
    for text in texts {
        if is_over {
            shown.extend_from_slice(text);
        } else {
            is_over = over(again.said(login, text, now), &mut shown);
        }
    }
    while !is_over {
        now = again.deadline(login).max(now);
        is_over = over(again.quiet(login, now), &mut shown);
    }
    (end.unwrap(), String::from_utf8_lossy(&shown).into_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn split_anywhere_it_comes_to_the_same(
        words in prop::collection::vec(
            prop::sample::select(&["Welcome", "Wrong", "noise", "word", "\r\n", "\n\r", "\x1b[1m", "é", "> "][..]), 0..20,
        ),
        hides: bool, succeeds: bool,
    ) {
        let some = |on: bool, pattern: &str| if on { texts(&[pattern]) } else { Vec::new() };
        let terms = LoginTerms {
            login: Some("^connect".to_owned()),
            success: some(succeeds, "^Welcome"),
            failure: texts(&["^Wrong"]),
            hide: some(hides, "^noise"),
            prompts: false,
        };
        let mut login = login(&LoginTerms { success: texts(&["^Yes"]), ..terms.clone() });
        watched(&mut login, 100, &[Types("connect bob hunter2"), World("Yes\r\n")]);
        login.set_terms(&terms);
        let text = words.concat();
        let whole = outcome(&login, &[text.as_bytes()]);
        for at in 0..=text.len() {
            let (first, second) = text.as_bytes().split_at(at);
            prop_assert_eq!(&outcome(&login, &[first, second]), &whole, "{:?}", at);
        }
    }

    #[test]
    fn whatever_a_page_holds_is_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut page = LockedPage::new().unwrap();
        page.put(&bytes);
        let mut login = Login::new(&asked(), Some(page));
        let mut watch = Watch::default();
        watch.typed(&mut login, b"Bob", false, clock());
        watch.said(&mut login, b"Welcome\r\n", clock());
        prop_assert!(kept(&login).len() <= bytes.len() + 1);
    }

    #[test]
    fn what_was_typed_is_kept_as_it_was(lines in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..100), any::<bool>()), 1..=page::MOST_LINES)) {
        let (mut login, mut watch, now) = (login(&asked()), Watch::default(), clock());
        let mut expected: Vec<(Vec<u8>, bool)> = Vec::new();
        for (line, hidden) in lines {
            watch.typed(&mut login, &line, hidden, now);
            if hidden && expected.last().is_some_and(|last| last.1) {
                expected.pop();
            }
            expected.push((line, hidden));
        }
        watch.said(&mut login, b"Welcome\r\n", now);
        let page = login.page().unwrap();
        let kept: Vec<(Vec<u8>, bool)> = page::kept(page.bytes()).map(|typed| (typed.line.to_vec(), typed.secret)).collect();
        prop_assert_eq!(kept, expected);
    }
}
