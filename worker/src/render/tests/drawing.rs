//! Screens drawn for every kind of terminal.

use super::super::{Charset, Column, Counted, Look, Prompt, Row, Screen, Style, clean, draw, human};
use super::{USUAL, as_text, board, empty_replies, events, mails, replies, s, text};
use proptest::prelude::*;
use ssmglobal_ipc::Reply;
use unicode_width::UnicodeWidthStr;

/// A part of a list.
const MANY: Counted<'_> = Counted { shown: 20, total: Some(53), what: "players" };

const PLAIN: Look = Look { plain: true, ..USUAL };

pub(super) fn drawn(screen: &Screen, look: Look) -> String {
    let mut out = Vec::new();
    draw(&mut out, screen, look);
    text(out)
}

/// What a column holds.
pub(super) type Holds = fn(String) -> Column;

/// One thing on a screen, for random ones.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Parts(Vec<String>),
    Heading(String),
    Hint(String),
    NextPage(String),
    Facts(String, String),
    Entry(String, String),
    Block(usize, String),
    Table(Vec<(String, Holds)>, Vec<(Vec<String>, bool)>),
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
            Piece::NextPage(next) => screen.page(MANY, "WHO 7", Some(next)),
            Piece::Facts(name, value) => screen.facts(&[(name, value.clone()), ("Empty", s(""))]),
            Piece::Entry(name, about) => screen.entry(name, name.width(), about),
            Piece::Block(indent, text) => screen.block(*indent, text),
            Piece::Table(columns, rows) => {
                let column = |(head, holds): &(String, Holds)| holds(head.clone());
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
            Piece::Block(indent, _) => Some(width.max(indent + 10)),
            // A word that is wider than all of it is left to the terminal.
            _ => None,
        }
    }
}

/// Text with letters of all widths, and some that steer a terminal.
fn foreign() -> impl Strategy<Value = String> {
    "[a-d 日本é\u{301}\u{1b}\t\u{202e}]{0,50}"
}

fn holds() -> impl Strategy<Value = Holds> {
    let all: [Holds; 4] = [Column::name, Column::number, Column::text, Column::detail];
    prop::sample::select(all.to_vec())
}

pub(super) fn piece() -> impl Strategy<Value = Piece> {
    let name = "[a-z]{0,24}";
    let columns = prop::collection::vec(("[A-Za-z日]{0,9}", holds()), 7);
    let cell = prop_oneof![Just(String::new()), name, foreign()];
    let rows = prop::collection::vec((prop::collection::vec(cell, 7), any::<bool>()), 0..4);
    prop_oneof![
        prop::collection::vec(foreign(), 0..4).prop_map(Piece::Parts),
        foreign().prop_map(Piece::Heading),
        foreign().prop_map(Piece::Hint),
        name.prop_map(Piece::NextPage),
        (name, foreign()).prop_map(|(name, value)| Piece::Facts(name, value)),
        (name, foreign()).prop_map(|(name, about)| Piece::Entry(name, about)),
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
    screen.page(MANY, "WHO 20", Some("bob"));
    screen.page(MANY, "WHO 20", None);
    screen.page(Counted { total: None, ..MANY }, "PROPERTY GET bob", Some("motto"));
    screen.page(Counted { total: Some(20), ..MANY }, "WHO 20", None);
    screen.ask(Prompt::Command);
    assert_eq!(
        drawn(&screen, USUAL),
        "Doors\r\nGate: open\r\n20 of 53 players; WHO 20 AFTER bob goes on.\r\n20 of 53 players; these are the last.\r\n\
         There are more; PROPERTY GET bob AFTER motto goes on.\r\n> "
    );
    assert_eq!(
        drawn(&screen, Look { shell: true, ..USUAL }),
        "Doors\r\nGate: open\r\n20 of 53 players: add --after bob to go on.\r\n20 of 53 players; these are the last.\r\n\
         There are more: add --after motto to go on.\r\n> "
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
fn details_go_first_then_texts_are_cut_and_go_and_then_there_are_no_columns() {
    let mut screen = Screen::new();
    let columns = [
        Column::name("World"),
        Column::detail("Map"),
        Column::number("Users"),
        Column::text("Text"),
        Column::detail("By"),
    ];
    let cells = [s("Atlantis"), s("harbour"), s("17"), s("under the water"), s("bob")];
    screen.table(&columns, vec![Row::new(cells)]);
    let at = |width| drawn(&screen, Look { width, ..USUAL });
    assert_eq!(
        at(46),
        "World     Map      Users  Text             By\r\nAtlantis  harbour     17  under the water  bob\r\n"
    );
    assert_eq!(at(45), "World     Map      Users  Text\r\nAtlantis  harbour     17  under the water\r\n");
    assert_eq!(at(40), "World     Users  Text\r\nAtlantis     17  under the water\r\n");
    assert_eq!(at(25), "World     Users  Text\r\nAtlantis     17  under t…\r\n");
    assert_eq!(at(24), "World     Users\r\nAtlantis     17\r\n");
    let mut screen = Screen::new();
    screen
        .table(&columns, vec![Row::new([s("The-Seven-Winds"), s("harbour"), s("17"), s("under the water"), s("bob")])]);
    let stacked = "World: The-Seven-Winds\r\nMap: harbour\r\nUsers: 17\r\nText: under the water\r\nBy: bob\r\n\r\n";
    assert_eq!(drawn(&screen, Look { width: 21, ..USUAL }), stacked.replace("World: The", "World:\r\n  The"));
}

#[test]
fn a_sentence_is_broken_at_blanks_and_keeps_its_styles() {
    let mut screen = Screen::new();
    screen.parts(&[(Style::Bold, "one two three"), (Style::Plain, " four "), (Style::Red, "five")]);
    assert_eq!(drawn(&screen, Look { width: 20, ..USUAL }), "one two three four\r\nfive\r\n");
    let coloured = drawn(&screen, Look { width: 20, colour: true, ..USUAL });
    assert_eq!(coloured, "\x1b[1mone two three\x1b[0m four\r\n\x1b[31mfive\x1b[0m\r\n");
}

#[test]
fn the_operators_texts_have_colour_where_the_terminal_has() {
    let screen = human::text("{green}Welcome{/}, {{red}\nand {bold}stay\na while{/}.");
    let plain = "Welcome, {red}\r\nand stay\r\na while.\r\n";
    assert_eq!([drawn(&screen, USUAL), drawn(&screen, Look { colour: true, ..PLAIN })], [plain, plain]);
    let coloured = "\x1b[32mWelcome\x1b[0m, {red}\r\nand \x1b[1mstay\x1b[0m\r\n\x1b[1ma while\x1b[0m.\r\n";
    assert_eq!(drawn(&screen, Look { colour: true, ..USUAL }), coloured);
    let goodbye = human::goodbye("{red}Soon{/} again");
    assert_eq!(drawn(&goodbye, USUAL), "[notice] Soon again\r\n");
    assert_eq!(
        drawn(&goodbye, Look { colour: true, ..USUAL }),
        "\x1b[36m[notice]\x1b[0m \x1b[31mSoon\x1b[0m again\r\n"
    );
    let mut screen = Screen::new();
    screen.marked_block(2, "a {red}b{/}");
    assert_eq!(drawn(&screen, USUAL), "  a b\r\n");
    assert_eq!(drawn(&screen, Look { colour: true, ..USUAL }), "  a \x1b[31mb\x1b[0m\r\n");
    assert_eq!(drawn(&screen, Look { shell: true, ..USUAL }), "  a {red}b{/}\r\n", "whoever sets it has to see it");
}

#[test]
fn what_there_is_to_say_about_a_name_stands_below_it_where_there_is_little_room() {
    let mut screen = Screen::new();
    screen.entry("MAIL SEND", 16, "Send a mail to a player, on or not, anywhere");
    let at = |width| drawn(&screen, Look { width, ..USUAL });
    assert_eq!(at(80), "\tMAIL SEND         Send a mail to a player, on or not, anywhere\r\n");
    assert_eq!(at(60), "\tMAIL SEND         Send a mail to a player, on or\r\n\t                  not, anywhere\r\n");
    assert_eq!(
        at(40),
        "  MAIL SEND         Send a mail to a\r\n                    player, on or not,\r\n                    anywhere\r\n"
    );
    assert_eq!(at(30), "  MAIL SEND\r\n    Send a mail to a player,\r\n    on or not, anywhere\r\n");
}

#[test]
fn what_is_read_aloud_has_a_line_for_each_cell() {
    assert_eq!(
        as_text("RECORD TOP", &board(), PLAIN),
        "sprint: 12 players.\r\n\
         Rank: 9\r\nPlayer: alice\r\nScore (ms): 5\r\nWhen: 2026-01-31 20:15\r\nFrom: server:arena\r\n\r\n\
         Rank: 10\r\nPlayer: 日本語\r\nScore (ms): 123456\r\nWhen: 2026-01-31 20:15\r\nFrom: server:arena\r\n\r\n\
         2 of 12 players; TOP sprint 2 AFTER 10 goes on.\r\nBack: TOP sprint 2 BEFORE 9\r\n"
    );
    let mails = as_text("MAIL LIST", &Reply::MailPage(mails()), PLAIN);
    assert!(mails.contains("\r\nUnread\r\nId: 42\r\nFrom: alice\r\n"), "a mark is what it means: {mails}");
    let mut screen = Screen::new();
    screen.line("  indented");
    screen.entry("MODE", 20, &"long ".repeat(40));
    screen.entry("", 20, "no name");
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
                let blank = cell.replace('\t', " ");
                let cell = clean(&blank);
                prop_assert!(shown.contains(cell.trim_matches(' ')), "{:?} not in {:?}", cell, shown);
            }
        }
    }

    #[test]
    fn names_and_numbers_are_whole_at_any_width(
        columns in prop::collection::vec(("[A-Za-z日]{0,9}", holds()), 1..7),
        cells in prop::collection::vec("[a-z0-9:.日é-]{0,30}", 7),
        width in 20u16..200,
        utf8 in any::<bool>(),
    ) {
        let whole: Vec<bool> = columns.iter().map(|(_, holds)| {
            let whole: [Holds; 2] = [Column::name, Column::number];
            whole.iter().any(|kind| std::ptr::fn_addr_eq(*kind, *holds))
        }).collect();
        let charset = if utf8 { Charset::Utf8 } else { Charset::Ascii };
        let mut screen = Screen::new();
        let row = Row { cells: cells[..columns.len()].to_vec(), bold: false };
        let columns: Vec<Column> = columns.into_iter().map(|(head, holds)| holds(head)).collect();
        screen.table(&columns, vec![row]);
        let shown = drawn(&screen, Look { width, charset, ..USUAL });
        let words: Vec<&str> = shown.split_whitespace().collect();
        for (cell, _) in cells.iter().zip(&whole).filter(|(cell, whole)| **whole && !cell.is_empty() && (utf8 || cell.is_ascii())) {
            prop_assert!(words.contains(&cell.as_str()), "{:?} is not whole in {:?}", cell, shown);
        }
    }
}
