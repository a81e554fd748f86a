//! Which names players may have, and when two names are the same. Runs in the handler; pure.

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::Profile;
use ssmglobal_ipc::{Code, Failure};
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
    let folded = match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => match UsernameCaseMapped::new().enforce(text) {
            Ok(folded) => folded.into_owned(),
            Err(_) => return refuse("That name has letters that cannot stand together; try another.".into()),
        },
    };
    // What looks like a capital letter looks like its small one as well.
    let seen: String = skeleton(text).collect();
    let skeleton = skeleton(&seen.to_lowercase()).collect();
    Ok(Name { shown: text.to_owned(), folded, skeleton })
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
    fn plain_names() {
        assert!(check_plain("board", "speed.run-1_A", 64).is_ok());
        for name in ["", "a b", "ä", "x\n"] {
            assert!(check_plain("board", name, 64).is_err());
        }
    }
}
