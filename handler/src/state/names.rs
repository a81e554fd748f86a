//! Which names players may have, and when two names are the same. Runs in the handler; pure.

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::Profile;
use ssmglobal_ipc::{Code, Failure};
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

/// A name that may be registered, in its three forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As it is shown.
    pub shown: String,
    /// Without case: two names with the same are the same name.
    pub folded: String,
    /// As the eye sees it: two names with the same look alike.
    pub skeleton: String,
}

impl Name {
    /// The name of a game server, as [`check_plain`] lets it through.
    pub fn of_server(name: &str) -> Name {
        Name { shown: name.to_owned(), folded: name.to_ascii_lowercase(), skeleton: look(name) }
    }

    /// Whether nobody may have both.
    pub fn is_like(&self, other: &Name) -> bool {
        self.folded == other.folded || self.skeleton == other.skeleton
    }

    /// Refuses one that is kept from everybody, or looks like one. `reserved` are words with blanks or commas between them.
    ///
    /// # Errors
    /// `invalid` when it is reserved.
    pub fn refuse_reserved(&self, reserved: &str) -> Result<(), Failure> {
        let words = reserved.split([' ', ',', '\t', '\r', '\n']).filter(|word| !word.is_empty());
        match words.into_iter().any(|word| self.is_word(word)) {
            true => Err(Failure::new(Code::Invalid, format!("The name {} is reserved. Choose another.", self.shown))),
            false => Ok(()),
        }
    }

    /// A word looks different in capitals: a small L is an I then.
    fn is_word(&self, word: &str) -> bool {
        let small = word.to_lowercase();
        let first = small.chars().next().map_or(0, char::len_utf8);
        let (first, rest) = small.split_at(first);
        let title = format!("{}{rest}", first.to_uppercase());
        self.folded == fold(word)
            || [&small, &word.to_uppercase(), &title].iter().any(|form| look(form) == self.skeleton)
    }
}

/// Bytes of the longest text that could be a name.
const LONGEST: usize = 1024;

/// The form that names are looked up by. What could never be a name is not found.
pub fn fold(text: &str) -> String {
    if text.len() > LONGEST {
        return String::new();
    }
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    match UsernameCaseMapped::new().enforce(text) {
        Ok(folded) => folded.into_owned(),
        Err(_) => text.to_owned(),
    }
}

/// A name as the eye sees it. What looks like a capital letter looks like its small one as well.
fn look(name: &str) -> String {
    let seen: String = skeleton(name).collect();
    skeleton(&seen.to_lowercase()).collect()
}

/// Bytes of a pattern, and stars in it: what compares may try again behind each.
const PATTERN: usize = 64;
const STARS: usize = 8;

/// A pattern to search names with, as they are looked up: `*` is anything and `?` one character. Without either, it is found
/// anywhere in a name.
///
/// # Errors
/// `invalid` for one that is empty, too long, or has too many stars.
pub fn pattern(text: &str) -> Result<String, Failure> {
    if !(1..=PATTERN).contains(&text.len()) {
        return Err(Failure::new(Code::Invalid, format!("A pattern has 1 to {PATTERN} bytes.")));
    }
    let mut pattern = fold(text);
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    match pattern.matches('*').count() {
        stars if stars > STARS => Err(Failure::new(Code::Invalid, format!("A pattern has {STARS} stars at the most."))),
        0 if !pattern.contains('?') => Ok(format!("*{pattern}*")),
        _ => Ok(pattern),
    }
}

/// Whether the eye takes a letter for punctuation: a name with a colon in it could look like a game server's.
fn looks_like_punctuation(letter: char) -> bool {
    let is_letter = |seen: char| seen.is_alphanumeric() || is_combining_mark(seen);
    !letter.is_ascii() && !look(letter.encode_utf8(&mut [0; 4])).chars().all(is_letter)
}

/// Checks a name that somebody wants to have: `min` to `max` characters, letters of any script, digits, `_-.`, with a
/// letter or digit first.
///
/// # Errors
/// `invalid`, with what is allowed.
pub fn check(text: &str, min: usize, max: usize) -> Result<Name, Failure> {
    let refuse = |why: String| Err(Failure::new(Code::Invalid, why));
    let length = text.chars().count();
    if length < min || length > max {
        return refuse(format!("A name has {min} to {max} characters; this one has {length}."));
    }
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !text.chars().all(allowed) || !text.starts_with(char::is_alphanumeric) {
        return refuse("A name is made of letters, digits, and _ - . behind the first.".into());
    }
    if text.chars().any(looks_like_punctuation) {
        return refuse("That name has a letter that looks like punctuation; try another.".into());
    }
    let folded = match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => match UsernameCaseMapped::new().enforce(text) {
            Ok(folded) => folded.into_owned(),
            Err(_) => return refuse("That name has letters that cannot stand together; try another.".into()),
        },
    };
    Ok(Name { shown: text.to_owned(), folded, skeleton: look(text) })
}

/// Names of boards, channels and game servers: 1 to `max` ASCII letters, digits, `_-.`.
///
/// # Errors
/// `invalid`, with what is allowed.
pub fn check_plain(what: &str, text: &str, max: usize) -> Result<(), Failure> {
    let fine = (1..=max).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    if fine {
        return Ok(());
    }
    Err(Failure::new(
        Code::Invalid,
        format!("The name of a {what} is 1 to {max} letters, digits, _ - . without blanks."),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skeleton_of(name: &str) -> String {
        check(name, 2, 20).unwrap().skeleton
    }

    #[test]
    fn a_pattern_is_folded_and_bounded() {
        for (text, expected) in
            [("Ali", "*ali*"), ("ALI*", "ali*"), ("b?b", "b?b"), ("a***b", "a*b"), ("Zo\u{cb}", "*zo\u{eb}*")]
        {
            assert_eq!(pattern(text).unwrap(), expected, "{text}");
        }
        for text in ["", &"a".repeat(65), "a*b*c*d*e*f*g*h*i*"] {
            assert_eq!(pattern(text).unwrap_err().code, Code::Invalid, "{text}");
        }
    }

    #[test]
    fn ordinary_names_are_fine() {
        for name in ["al", "Alice", "a_b-c.d", "Zoë", "Алиса", "0wner", "alice.in.wonderland"] {
            assert!(check(name, 2, 20).is_ok(), "{name}");
        }
    }

    #[test]
    fn strange_names_are_refused() {
        for name in [
            "a",
            "",
            "has blank",
            "tab\there",
            "semi;colon",
            "server:x",
            ".dot",
            "-dash",
            "a\u{202e}b",
            "x".repeat(21).as_str(),
            "é\u{0}x",
        ] {
            assert_eq!(check(name, 2, 20).unwrap_err().code, Code::Invalid, "{name:?}");
        }
    }

    #[test]
    fn case_makes_no_difference() {
        assert_eq!(fold("ALICE"), fold("alice"));
        assert_eq!(fold("ZOË"), fold("zoë"));
        assert_eq!(check("Zoë", 2, 20).unwrap().folded, fold("ZOË"));
    }

    #[test]
    fn look_alikes_have_one_skeleton() {
        assert_eq!(skeleton_of("alice"), skeleton_of("\u{430}lice"));
        assert_eq!(skeleton_of("paypal"), skeleton_of("paypa1"));
        assert_ne!(skeleton_of("alice"), skeleton_of("alicf"));
    }

    #[test]
    fn a_letter_that_looks_like_punctuation_is_in_no_name() {
        for letter in ['\u{2d0}', '\u{a4fd}', '\u{903}', '\u{a83}', '\u{640}', '\u{660}', '\u{6d4}'] {
            for name in [format!("server{letter}arena"), format!("a{letter}"), format!("Zo\u{eb}{letter}")] {
                assert_eq!(check(&name, 2, 20).unwrap_err().code, Code::Invalid, "{name:?}");
            }
        }
        // Every letter there is: what its skeleton adds to a name is letters, or marks on them.
        let letters = ('\u{80}'..=char::MAX).filter(|letter| letter.is_alphanumeric());
        for letter in letters {
            let Ok(name) = check(&format!("ab{letter}"), 2, 20) else { continue };
            let punctuation = |c: &char| c.is_ascii_punctuation() || c.is_whitespace() || c.is_control();
            assert_eq!(name.skeleton.chars().find(punctuation), None, "{letter:?}");
        }
    }

    #[test]
    fn players_and_game_servers_have_one_list_of_names() {
        let server = Name::of_server("Arena");
        for name in ["arena", "ARENA", "\u{430}rena", "aren\u{430}"] {
            assert!(check(name, 2, 20).unwrap().is_like(&server), "{name}");
        }
        assert!(!check("arenas", 2, 20).unwrap().is_like(&server));
        assert!(Name::of_server("paypal").is_like(&Name::of_server("paypa1")));
        // The I of the one looks like the small L of the other, and the small letters of the one are those of the other.
        assert!(Name::of_server("Ivan").is_like(&Name::of_server("lvan")));
        assert!(Name::of_server("Ivan").is_like(&Name::of_server("ivan")));
    }

    #[test]
    fn a_reserved_word_is_nobodys_name_however_it_is_written() {
        let reserved = "admin, operator null\tSysop";
        for name in
            ["admin", "ADMIN", "ADMlN", "Admin", "adm\u{456}n", "0perator", "nu11", "nuIl", "NULL", "sysop", "SYS0P"]
        {
            let name = check(name, 2, 20).unwrap();
            assert_eq!(name.refuse_reserved(reserved).unwrap_err().code, Code::Invalid, "{name:?}");
            assert_eq!(name.refuse_reserved(""), Ok(()));
        }
        assert!(Name::of_server("Null").refuse_reserved(reserved).is_err());
        for name in ["adminton", "oper", "nullo", "Alice"] {
            assert_eq!(check(name, 2, 20).unwrap().refuse_reserved(reserved), Ok(()), "{name}");
        }
    }

    #[test]
    fn plain_names() {
        assert!(check_plain("board", "speed.run-1_A", 64).is_ok());
        for name in ["", "a b", "ä", "x\n"] {
            assert!(check_plain("board", name, 64).is_err());
        }
    }
}
