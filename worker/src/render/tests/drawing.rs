//! Screens drawn for every kind of terminal.

use super::super::{Charset, Column, Look, Narrow, Prompt, Row, Screen, Style, clean, draw, human};
use super::{USUAL, as_text, board, empty_replies, events, mails, replies, s, text};
use proptest::prelude::*;
use ssmglobal_ipc::Reply;
use unicode_width::UnicodeWidthStr;

const PLAIN: Look = Look { plain: true, ..USUAL };

pub(super) fn drawn(screen: &Screen, look: Look) -> String {
    let mut out = Vec::new();
    draw(&mut out, screen, look);
    text(out)
}

/// One thing on a screen, for random ones.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Parts(Vec<String>),
    Heading(String),
    Hint(String),
    NextPage(String),
    Facts(String, String),
    Entry(String, String, bool),
    Block(usize, String),
    Table(Vec<(String, bool, Narrow)>, Vec<(Vec<String>, bool)>),
    Notice(String),
    Error(String),
}

impl Piece {
    pub(super) fn put(&self, screen: &mut Screen) {
        match self {
            Piece::Parts(parts) => {
                let styles = [Style::Plain, Style::Bold, Style::Red].into_iter().cycle();
                screen.parts(&styles.zip(parts.iter().map(String::as_str)).collect::<Vec<_>>());
            }
            Piece::Heading(text) => screen.heading(text),
            Piece::Hint(text) => screen.hint(text),
            Piece::NextPage(next) => screen.next_page("WHO", 7, next),
            Piece::Facts(name, value) => screen.facts(&[(name, value.clone()), ("Empty", s(""))]),
            Piece::Entry(name, about, false) => screen.entry(name, name.width(), about),
            Piece::Entry(name, about, true) => screen.described(name, name.width(), about),
            Piece::Block(indent, text) => screen.block(*indent, text),
            Piece::Table(columns, rows) => {
                let column = |(head, right, narrow): &(String, bool, Narrow)| {
                    let column = if *right { Column::right(head) } else { Column::left(head) };
                    column.when_narrow(*narrow)
                };
                let rows = rows.iter().map(|(cells, bold)| Row { cells: cells.clone(), bold: *bold });
                screen.table(&columns.iter().map(column).collect::<Vec<_>>(), rows.collect());
            }
            Piece::Notice(text) => screen.notice("mail", text),
            Piece::Error(text) => screen.error(text),
        }
    }

    /// The widest line that it may have on a terminal of this width; none where breaking lines is left to the terminal.
    fn widest(&self, width: usize) -> Option<usize> {
        match self {
            Piece::Entry(name, _, whole) => Some(width.max(8 + name.width() + 2 + if *whole { 10 } else { 1 })),
            Piece::Block(indent, _) => Some(width.max(indent + 10)),
            // Where no column can become narrower.
            Piece::Table(columns, _) => Some(width.max(columns.len() * 6 - 2)),
            _ => None,
        }
    }
}

/// Text with letters of all widths, and some that steer a terminal.
fn foreign() -> impl Strategy<Value = String> {
    "[a-d 日本é\u{301}\u{1b}\t\u{202e}]{0,50}"
}

pub(super) fn piece() -> impl Strategy<Value = Piece> {
    let name = "[a-z]{0,24}";
    let narrow = prop_oneof![Just(Narrow::LeftOut), Just(Narrow::Cut), Just(Narrow::CutLast)];
    let columns = prop::collection::vec(("[A-Za-z日]{0,9}", any::<bool>(), narrow), 7);
    let cell = prop_oneof![Just(String::new()), name, foreign()];
    let rows = prop::collection::vec((prop::collection::vec(cell, 7), any::<bool>()), 0..4);
    prop_oneof![
        prop::collection::vec(foreign(), 0..4).prop_map(Piece::Parts),
        foreign().prop_map(Piece::Heading),
        foreign().prop_map(Piece::Hint),
        name.prop_map(Piece::NextPage),
        (name, foreign()).prop_map(|(name, value)| Piece::Facts(name, value)),
        (name, foreign(), any::<bool>()).prop_map(|(name, about, whole)| Piece::Entry(name, about, whole)),
        (0usize..4, "[a-d 日\n\t\u{1b}]{0,200}").prop_map(|(indent, text)| Piece::Block(indent, text)),
        (columns, rows).prop_map(|(columns, rows)| Piece::Table(columns, rows)),
        foreign().prop_map(Piece::Notice),
        foreign().prop_map(Piece::Error),
    ]
}

#[test]
fn a_screen_is_drawn_for_each_terminal_anew() {
    let mut screen = Screen::new();
    screen.heading("Doors");
    screen.facts(&[("Gate", s("open")), ("Wall", s(""))]);
    screen.next_page("WHO", 20, "bob");
    screen.page_after("PROPERTY GET bob", "motto");
    screen.ask(Prompt::Command);
    assert_eq!(
        drawn(&screen, USUAL),
        "Doors\r\nGate: open\r\nMore: WHO 20 bob\r\nMore: PROPERTY GET bob AFTER motto\r\n> "
    );
    assert_eq!(
        drawn(&screen, Look { shell: true, ..USUAL }),
        "Doors\r\nGate: open\r\nThere are more: add --after bob\r\nThere are more: add --after motto\r\n> "
    );
    assert!(drawn(&screen, Look { colour: true, ..USUAL }).starts_with("\x1b[1mDoors\x1b[0m\r\n\x1b[1mGate\x1b[0m"));
}

#[test]
fn a_prompt_says_what_is_asked_for() {
    let asked = |prompt: Prompt, look| {
        let mut screen = Screen::new();
        screen.ask(prompt);
        drawn(&screen, look)
    };
    assert_eq!(asked(Prompt::Command, USUAL), "> ");
    assert_eq!(asked(Prompt::Secret(s("Password: ")), USUAL), "Password: ");
    assert_eq!(asked(Prompt::Line(3), USUAL), "3: ");
    assert_eq!(asked(Prompt::Page(1), USUAL), "-- 1 line more: return, or q to end --");
    assert_eq!(asked(Prompt::Page(12), PLAIN), "12 lines more: press return, or q to end. ");
    assert!(Prompt::Secret(s("Password: ")).hides() && !Prompt::Command.hides());
}

#[test]
fn a_column_that_may_be_left_out_goes_before_others_are_cut() {
    let mut screen = Screen::new();
    let columns = [
        Column::left("World"),
        Column::left("Map").when_narrow(Narrow::LeftOut),
        Column::right("Users").fixed(),
        Column::left("Text").when_narrow(Narrow::LeftOut),
    ];
    screen.table(&columns, vec![Row::new([s("Atlantis"), s("harbour"), s("17"), s("under water")])]);
    let at = |width| drawn(&screen, Look { width, ..USUAL });
    let whole = "World     Map      Users  Text\r\nAtlantis  harbour     17  under water\r\n";
    assert_eq!(at(37), whole);
    let without_the_last = "World     Map      Users\r\nAtlantis  harbour     17\r\n";
    assert_eq!([at(36), at(24)], [without_the_last, without_the_last]);
    assert_eq!(at(23), "World     Users\r\nAtlantis     17\r\n");
}

#[test]
fn the_first_column_stays_and_a_fixed_one_is_cut_last() {
    let mut screen = Screen::new();
    let columns =
        [Column::left("World").when_narrow(Narrow::LeftOut), Column::left("Text"), Column::right("Key").fixed()];
    screen.table(&columns, vec![Row::new([s("Atlantis"), s("under water"), s("0123456789")])]);
    assert_eq!(drawn(&screen, Look { width: 20, ..USUAL }), "Wor…  Text       Key\r\nAtl…  und…  0123456…\r\n");
}

#[test]
fn what_is_read_aloud_has_a_line_for_each_cell() {
    assert_eq!(
        as_text("RECORD TOP", &board(), PLAIN),
        "sprint: 12 players.\r\n\
         Rank: 9\r\nPlayer: alice\r\nScore (ms): 5\r\nWhen: 2026-01-31 20:15\r\nFrom: server:arena\r\n\r\n\
         Rank: 10\r\nPlayer: 日本語\r\nScore (ms): 123456\r\nWhen: 2026-01-31 20:15\r\nFrom: server:arena\r\n\r\n\
         More: TOP sprint 2 AFTER 10\r\nBack: TOP sprint 2 BEFORE 9\r\n"
    );
    let mails = as_text("MAIL LIST", &Reply::MailPage(mails()), PLAIN);
    assert!(mails.contains("\r\n*\r\nId: 42\r\nFrom: alice\r\n"), "a column without a head has no label: {mails}");
    let mut screen = Screen::new();
    screen.line("  indented");
    screen.entry("MODE", 20, &"long ".repeat(40));
    screen.described("", 20, "no name");
    screen.block(2, &"long ".repeat(40));
    let long = "long ".repeat(40);
    let wanted = format!("indented\r\nMODE: {}\r\nno name\r\n {long}\r\n", long.trim_end());
    assert_eq!(drawn(&screen, Look { colour: true, width: 20, ..PLAIN }), wanted);
}

#[test]
fn nothing_that_is_read_aloud_is_decorated() {
    let look = Look { colour: true, ..PLAIN };
    let answers = replies().into_iter().chain(empty_replies()).map(|(name, reply)| as_text(name, &reply, look));
    let pushed = events().into_iter().map(|(event, ..)| drawn(&human::event(&event), look));
    for shown in answers.chain(pushed) {
        assert!(!shown.contains(['\t', '\x1b', '…']) && !shown.contains("  "), "{shown}");
    }
}

#[test]
fn a_full_screen_says_that_there_is_more_and_keeps_its_prompt() {
    let mut screen = Screen::new();
    screen.line("first");
    screen.line("x".repeat(1 << 23));
    screen.line("behind");
    screen.ask(Prompt::Command);
    let wanted = "first\r\nERROR: There is more than can be shown at once. Ask for less.\r\n> ";
    assert_eq!(drawn(&screen, USUAL), wanted);
}

#[test]
fn a_screen_tells_a_log_nothing_of_what_it_shows() {
    let mut screen = Screen::new();
    screen.line("pass-k7m2-9qxf-3dpa");
    assert_eq!(format!("{screen:?}"), "Screen { blocks: 1, .. }");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_is_wider_than_the_terminal_where_it_can_be_avoided(
        piece in piece(), width in 20u16..500, ascii in any::<bool>()
    ) {
        let mut screen = Screen::new();
        piece.put(&mut screen);
        let shown = drawn(&screen, Look { width, charset: if ascii { Charset::Ascii } else { Charset::Utf8 }, ..USUAL });
        prop_assert!(shown.is_empty() || shown.ends_with("\r\n"));
        for line in shown.split_terminator("\r\n") {
            let line = line.strip_prefix('\t').map_or(line.to_owned(), |rest| format!("        {rest}"));
            let cleaned = clean(&line);
            prop_assert_eq!(&*cleaned, &*line);
            if let Some(widest) = piece.widest(width.into()) {
                prop_assert!(line.width() <= widest, "{} > {}: {:?}", line.width(), widest, line);
            }
        }
    }

    #[test]
    fn what_is_read_aloud_is_whole_and_undecorated(piece in piece(), width in 0u16..500, colour in any::<bool>()) {
        let mut screen = Screen::new();
        piece.put(&mut screen);
        let shown = drawn(&screen, Look { width, colour, ..PLAIN });
        prop_assert!(!shown.contains(['\t', '\x1b', '…']), "{:?}", shown);
        if let Piece::Table(_, rows) = &piece {
            for cell in rows.iter().flat_map(|(cells, _)| cells) {
                let cell = clean(cell);
                prop_assert!(shown.contains(cell.trim_matches(' ')), "{:?} not in {:?}", cell, shown);
            }
        }
    }
}
