//! Of which kind a world is, by what its login screen says and what it offers. Pure. Part of the operator's command.

use super::seen::Seen;
use ssmglobal_config::Kind;
use ssmglobal_telnet::{Party, option};

/// What speaks for a kind.
enum Sign {
    /// A text of its login screen, in small letters; or of what it tells about its program by MSSP.
    Says(&'static str),
    /// An option that it offers.
    Does(u8),
    /// An option that it asks for.
    Wants(u8),
    /// The last line has no end, and is a question.
    Asks,
}

/// The name of a program, by itself.
const NAMED: u32 = 10;

/// From here on a kind is worth a word.
const ENOUGH: u32 = 3;

/// What speaks for each, and how much.
const SIGNS: [(Kind, &[(Sign, u32)]); 8] = [
    (Kind::TinyMux, &[(Sign::Says("tinymux"), NAMED), (CONNECTS, 4), (Sign::Wants(option::EOR), 1)]),
    (Kind::TinyMush, &[(Sign::Says("tinymush"), NAMED), (CONNECTS, 4)]),
    (Kind::PennMush, &[(Sign::Says("pennmush"), NAMED), (CONNECTS, 4)]),
    (Kind::RhostMush, &[(Sign::Says("rhost"), NAMED), (CONNECTS, 4)]),
    (
        Kind::Diku,
        &[
            (Sign::Says("dikumud"), NAMED),
            (Sign::Says("circlemud"), NAMED),
            (Sign::Says("tbamud"), NAMED),
            (Sign::Says("coffeemud"), NAMED),
            (Sign::Says("by what name"), 4),
            (Sign::Says("what is your name"), 3),
            (Sign::Asks, 3),
        ],
    ),
    (
        Kind::Evennia,
        &[
            (Sign::Says("evennia"), NAMED),
            (CONNECTS, 4),
            (Sign::Says("connect <username> <password>"), 2),
            (Sign::Does(option::MSDP), 1),
            (Sign::Does(option::GMCP), 1),
        ],
    ),
    (
        Kind::LpMud,
        &[
            (Sign::Says("lpmud"), NAMED),
            (Sign::Says("fluffos"), NAMED),
            (Sign::Says("ldmud"), NAMED),
            (Sign::Says("mudos"), NAMED),
            (Sign::Says("mudlib"), NAMED),
            (Sign::Asks, 3),
        ],
    ),
    (
        Kind::Moo,
        &[
            (Sign::Says("lambdamoo"), NAMED),
            (Sign::Says("lambdacore"), NAMED),
            (Sign::Says("toaststunt"), NAMED),
            (CONNECTS, 4),
        ],
    ),
];

/// It tells that one logs in with one line.
const CONNECTS: Sign = Sign::Says("connect ");

/// What is found about a kind that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fits {
    /// Nothing fits better.
    Yes,
    /// The screen says too little of it.
    Unknown,
    /// One of these fits better.
    Better(Vec<Kind>),
}

fn points(kind: Kind, seen: &Seen, screen: &str, asks: bool) -> u32 {
    let signs = SIGNS.iter().find(|(other, _)| *other == kind).map_or(&[][..], |(_, signs)| signs);
    let holds = |sign: &Sign| match sign {
        Sign::Says(text) => screen.contains(text),
        Sign::Does(option) => seen.proposes(Party::Them, *option),
        Sign::Wants(option) => seen.proposes(Party::Us, *option),
        Sign::Asks => asks,
    };
    signs.iter().filter(|(sign, _)| holds(sign)).map(|(_, points)| points).sum()
}

/// Whether the last line of a screen is one that is to be answered.
pub fn question(lines: &[String]) -> Option<&str> {
    lines.last().map(|line| line.trim()).filter(|line| !line.is_empty())
}

/// Whether a world whose screen has these lines is of this kind.
pub fn fits(set: Kind, seen: &Seen, lines: &[String]) -> Fits {
    let mut screen = lines.join("\n").to_lowercase();
    for name in ["CODEBASE", "FAMILY"] {
        screen.push('\n');
        screen.push_str(&seen.mssp().get(name).unwrap_or_default().to_lowercase());
    }
    let asks = question(lines).is_some();
    let own = points(set, seen, &screen, asks);
    let all: Vec<(Kind, u32)> = SIGNS.iter().map(|(kind, _)| (*kind, points(*kind, seen, &screen, asks))).collect();
    let most = all.iter().map(|(_, points)| *points).max().unwrap_or(0);
    match most {
        _ if own > 0 && own + 1 >= most => Fits::Yes,
        ENOUGH.. => Fits::Better(all.into_iter().filter(|(_, points)| *points == most).map(|(kind, _)| kind).collect()),
        _ => Fits::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_config::play::Charset;

    fn found(set: Kind, said: &[u8]) -> Fits {
        let mut seen = Seen::new(Charset::Utf8, None);
        seen.take(said, &mut Vec::new());
        let lines = seen.lines(Charset::Utf8);
        fits(set, &seen, &lines)
    }

    const DIKU: &[u8] = b"\r\nThe Zoo, a CircleMUD.\r\nBy what name do you wish to be known? ";
    const MUSH: &[u8] = b"\xff\xfd\x19Welcome.\r\nUse connect <name> <password>\r\n";
    const EVENNIA: &[u8] = b"\xff\xfb\x45\xff\xfb\xc9 connect <username> <password>\r\n";
    const MOO: &[u8] = b"Welcome to the LambdaCore database.\r\nType 'connect wizard' to log in.\r\n";

    #[test]
    fn a_kind_that_is_set_right_fits() {
        let right = [(Kind::Diku, DIKU), (Kind::TinyMux, MUSH), (Kind::PennMush, MUSH), (Kind::Evennia, EVENNIA)];
        for (kind, said) in right.into_iter().chain([(Kind::Moo, MOO)]) {
            assert_eq!(found(kind, said), Fits::Yes, "{kind}");
        }
    }

    #[test]
    fn one_that_fits_better_is_named() {
        for (set, said, better) in [
            (Kind::TinyMux, DIKU, Kind::Diku),
            (Kind::Plain, DIKU, Kind::Diku),
            (Kind::Diku, MUSH, Kind::TinyMux),
            (Kind::Diku, EVENNIA, Kind::Evennia),
            (Kind::TinyMux, MOO, Kind::Moo),
            (Kind::LpMud, b"Evennia\r\n".as_slice(), Kind::Evennia),
        ] {
            assert_eq!(found(set, said), Fits::Better(vec![better]), "{set}");
        }
    }

    #[test]
    fn a_screen_that_says_nothing_speaks_for_nothing() {
        assert_eq!(found(Kind::Moo, b"Hello.\r\n"), Fits::Unknown);
        assert_eq!(found(Kind::Plain, b""), Fits::Unknown);
    }
}
