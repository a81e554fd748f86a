//! What is said of worlds as they may be.

use super::*;
use ssmglobal_config::Kind;

/// What is found of a world of this kind that says this, as it is set.
struct Case {
    kind: Kind,
    terms: Terms,
    bare: Option<Other>,
    speaks_behind: Option<RealAddress>,
    ended: bool,
}

fn set(kind: Kind) -> Case {
    let terms = Terms { real_address: RealAddress::None, ..kind.terms() };
    Case { kind, terms, bare: None, speaks_behind: None, ended: false }
}

fn lines(text: &str) -> Vec<String> {
    text.split("\r\n").map(str::to_owned).collect()
}

impl Case {
    fn behind(mut self, how: RealAddress, bare: &str) -> Case {
        self.terms.real_address = how;
        self.bare = Some(Other { lines: lines(bare), spoke: !bare.is_empty(), ended: false });
        self
    }

    fn charset(mut self, charset: Charset) -> Case {
        self.terms.charset = charset;
        self
    }

    fn found(&self, said: &[u8]) -> Vec<Finding> {
        let mut seen = Seen::new(self.terms.charset, None);
        seen.take(said, &mut Vec::new());
        let (connected, first) = (Duration::from_micros(340), Some(Duration::from_millis(12)));
        let first = first.filter(|_| !said.is_empty());
        judge(&Looked {
            kind: self.kind,
            terms: &self.terms,
            connected,
            first,
            seen: &seen,
            ended: self.ended,
            bare: self.bare.clone(),
            speaks_behind: self.speaks_behind,
        })
    }

    /// What is found about this: how it is, and what is to be set.
    #[track_caller]
    fn about(&self, about: &str, said: &[u8]) -> (Is, Option<(&'static str, String)>) {
        let found = self.found(said);
        let finding = found.iter().find(|finding| finding.about == about);
        let finding = finding.unwrap_or_else(|| panic!("nothing about {about}: {found:#?}"));
        (finding.is, finding.set.clone().map(|set| (set.key, set.value)))
    }
}

const MUSH: &[u8] = b"Welcome.\r\nconnect <name> <password>\r\n";
const DIKU: &[u8] = b"The Zoo.\r\nBy what name do you wish to be known? \xff\xf9";

#[test]
fn a_world_that_is_set_right_needs_nothing() {
    for (kind, said) in [(Kind::TinyMux, MUSH), (Kind::Diku, DIKU)] {
        let found = set(kind).found(said);
        assert!(found.iter().all(|finding| finding.set.is_none() && finding.is != Is::Bad), "{found:#?}");
        let login = found.iter().find(|finding| finding.about == "login").unwrap();
        assert_eq!(login.is, Is::Good, "{login:?}");
    }
    assert_eq!(set(Kind::Diku).found(DIKU)[0].says, "It answers: connected in 0.3 ms, first word after 12.0 ms.");
}

#[test]
fn another_kind_that_fits_better_is_to_be_set() {
    assert_eq!(set(Kind::TinyMux).about("kind", DIKU), (Is::Set, Some(("kind", "diku".to_owned()))));
    assert_eq!(set(Kind::Diku).about("kind", MUSH), (Is::Set, Some(("kind", "tinymux".to_owned()))));
    // Of its login nothing is said before.
    assert!(!set(Kind::Diku).found(MUSH).iter().any(|finding| finding.about == "login"));
}

#[test]
fn a_header_that_is_taken_for_something_typed_is_found() {
    let screen = "Welcome.\r\nconnect <name> <password>\r\n";
    let behind = || set(Kind::Moo).behind(RealAddress::ProxyV1, screen);
    let huh = [MUSH, b"I don't understand PROXY.\r\n"].concat();
    assert_eq!(behind().about("real_address", &huh), (Is::Bad, Some(("real_address", "none".to_owned()))));
    assert_eq!(behind().about("real_address", b""), (Is::Bad, Some(("real_address", "none".to_owned()))));
    let twice = [MUSH, MUSH].concat();
    assert_eq!(behind().about("real_address", &twice).0, Is::Bad);
    // It passes over it; or its screen has another number in it.
    let counts = b"Welcome.\r\n17 are on.\r\n";
    assert_eq!(behind().about("real_address", MUSH), (Is::Good, None));
    assert_eq!(
        set(Kind::Moo).behind(RealAddress::ProxyV1, "Welcome.\r\n16 are on.\r\n").about("real_address", counts).0,
        Is::Good
    );
    // It waits for one.
    assert_eq!(set(Kind::Moo).behind(RealAddress::ProxyV1, "").about("real_address", MUSH), (Is::Good, None));
}

#[test]
fn a_header_that_lacks_is_found() {
    let case = Case { speaks_behind: Some(RealAddress::ProxyV2), ..set(Kind::TinyMux) };
    assert_eq!(case.about("real_address", b""), (Is::Bad, Some(("real_address", "proxy-v2".to_owned()))));
    let case = Case { ended: true, ..set(Kind::TinyMux) };
    assert_eq!(case.about("answer", b"").0, Is::Bad);
}

#[test]
fn characters_are_looked_at() {
    let charset = |set: Option<&str>| set.map(|value| ("charset", value.to_owned()));
    let of = |charset: Charset, said: &[u8]| set(Kind::Diku).charset(charset).about("charset", said);
    assert_eq!(of(Charset::Utf8, b"name? "), (Is::Note, None));
    assert_eq!(of(Charset::Utf8, "H\u{f6}hle? ".as_bytes()), (Is::Good, None));
    assert_eq!(of(Charset::Latin1, "H\u{f6}hle? ".as_bytes()), (Is::Set, charset(Some("utf-8"))));
    assert_eq!(of(Charset::Utf8, b"H\xf6hle? "), (Is::Set, charset(Some("latin-1"))));
    assert_eq!(of(Charset::Ascii, b"H\xf6hle? "), (Is::Set, charset(Some("latin-1"))));
    assert_eq!(of(Charset::Latin1, b"H\xf6hle? "), (Is::Good, None));
    assert_eq!(of(Charset::Cp1251, b"H\xf6hle? "), (Is::Note, None));
    // By CHARSET: WILL, and a request of which one is taken.
    let agreed = b"\xff\xfb\x2a\xff\xfa\x2a\x01;UTF-8;ISO-8859-1\xff\xf0name? ";
    assert_eq!(of(Charset::Utf8, agreed), (Is::Good, None));
}

#[test]
fn what_is_no_game_is_told_at_once() {
    for said in [&b"SSH-2.0-x\r\n"[..], b"HTTP/1.1 400 Bad Request\r\n", b"\x15\x03\x01\0\x02\x02\x32"] {
        assert_eq!(set(Kind::TinyMux).about("protocol", said).0, Is::Bad);
    }
}

#[test]
fn a_login_that_the_screen_does_not_speak_of_is_a_note() {
    let mut case = set(Kind::TinyMux);
    case.terms.login = Some(r"^login (?P<name>\S+) (?P<password>\S+)$".into());
    assert_eq!(case.about("login", MUSH).0, Is::Note);
    case.terms.login = None;
    assert_eq!(case.about("login", MUSH).0, Is::Note);
    case.terms.prompts = true;
    assert_eq!(case.about("login", MUSH).0, Is::Bad);
}
