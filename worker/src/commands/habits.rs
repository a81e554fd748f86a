//! What people type out of habit who come from other places: a command of here is meant, or they are told what there is instead.
//! Runs in a worker.

use super::lookup::{Match, in_words_for, is_blank, split_word};
use super::{Parsed, State, parse_words};
use ssmglobal_ipc::{Code, Failure};
use zeroize::Zeroizing;

/// What a word of elsewhere comes to.
enum Habit {
    /// It is the name of this command, and what follows it stays.
    Means(&'static str),
    /// The same, where a name and a text may stand on both sides of a `=`.
    Sends(&'static str),
    /// There is no such thing here.
    Says(&'static str),
}

const NO_ROOMS: &str =
    "There are no rooms here. WORLDS lists the worlds that are open, WHO tells who is on, HELP lists the commands.";

const NO_TALK: &str = "Nobody hears you here. TELL and a name reach one player, MAIL SEND also one who is not on.";

const NO_MAILER: &str =
    "MAIL LIST lists your mails, MAIL READ and a number shows one, MAIL SEND and a name writes one.";

/// The words, without regard to case.
const HABITS: &[(&[&str], Habit)] = &[
    (&["H", "COMMANDS", "MAN"], Habit::Means("HELP")),
    (&["EXIT", "BYE", "LOGOFF", "DISCONNECT"], Habit::Means("QUIT")),
    (&["CONNECT", "CON", "SIGNIN"], Habit::Means("LOGIN")),
    (&["CREATE", "SIGNUP"], Habit::Means("REGISTER")),
    (&["USERS", "ONLINE"], Habit::Means("WHO")),
    (&["PAGE", "WHISPER", "MSG", "T", "W"], Habit::Sends("TELL")),
    (&["INBOX"], Habit::Means("MAIL LIST")),
    (&["PASSWD", "CHPASS"], Habit::Means("PASSWORD")),
    (
        &["LOOK", "L", "GO", "N", "E", "S", "NORTH", "EAST", "SOUTH", "WEST", "UP", "DOWN", "INVENTORY", "INV", "I"],
        Habit::Says(NO_ROOMS),
    ),
    (&["SAY", "POSE", "EMOTE", "ME", "SHOUT", "CHAT", "OOC"], Habit::Says(NO_TALK)),
    (&["@MAIL", "+MAIL"], Habit::Says(NO_MAILER)),
    // Once too often behind the last page.
    (&["Q"], Habit::Says("QUIT ends the connection.")),
];

/// Signs that stand in front of a command elsewhere.
const MARKS: [char; 5] = ['@', '+', '/', '.', '\\'];

/// What was meant by a line that names no command of here, if it is a known habit.
pub(super) fn meant(line: &str, state: State) -> Option<Result<Parsed<'static>, Failure>> {
    let line = line.trim_start_matches(is_blank);
    if line.starts_with(['"', '\'', ':', ';']) {
        return Some(Err(no_such(NO_TALK)));
    }
    if let Some(topic) = line.strip_prefix('?') {
        return Some(read(&["HELP", topic.trim_start_matches('?')], state));
    }
    let (word, rest) = split_word(line);
    if let Some((_, habit)) =
        HABITS.iter().find(|(words, _)| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
    {
        return Some(match habit {
            Habit::Means(command) => read(&[command, rest], state),
            Habit::Sends(command) => match rest.split_once('=').filter(|(name, _)| !name.trim().contains(is_blank)) {
                Some((name, text)) => read(&[command, name.trim(), text], state),
                None => read(&[command, rest], state),
            },
            Habit::Says(what) => Err(no_such(what)),
        });
    }
    let unmarked = line.strip_prefix(MARKS)?;
    match in_words_for(unmarked, state) {
        Match::Command(..) | Match::Group(..) => Some(read(&[unmarked], state)),
        Match::Nothing if unmarked.starts_with(MARKS) => None,
        Match::Nothing => meant(unmarked, state),
    }
}

fn no_such(what: &str) -> Failure {
    Failure::new(Code::UnknownCommand, what)
}

/// A line of here with these parts.
fn read(parts: &[&str], state: State) -> Result<Parsed<'static>, Failure> {
    // There may be a password among them.
    let line = Zeroizing::new(parts.join(" "));
    parse_words(&line, state).map(Parsed::into_owned)
}

#[cfg(test)]
mod tests {
    use super::super::tests::words;
    use super::super::{Action, all};
    use super::*;

    #[test]
    fn a_habit_leads_to_the_command_that_is_meant() {
        for (typed, meant) in [
            ("?", "HELP"),
            ("? mail send", "HELP mail send"),
            ("?mail", "HELP mail"),
            ("h", "HELP"),
            ("exit", "QUIT"),
            ("/quit", "QUIT"),
            ("@who", "WHO"),
            ("page bob=hi there, you", "TELL bob hi there, you"),
            ("page bob = hi there", "TELL bob hi there"),
            ("page bob a = b", "TELL bob a = b"),
            ("/msg bob hi", "TELL bob hi"),
            ("passwd", "PASSWORD"),
        ] {
            let parsed = |line: &str| parse_words(line, State::Player).unwrap().into_owned();
            let (typed, meant) = (parsed(typed), parsed(meant));
            assert_eq!(typed.command.name, meant.command.name);
            assert!(typed.typed().eq(meant.typed()), "{typed:?}");
        }
        let login = parse_words("connect bob hunter22", State::Anonymous).unwrap();
        assert_eq!((login.command.name, login.typed().count()), ("LOGIN", 2));
        assert_eq!(parse_words("create bob", State::Anonymous).unwrap().command.name, "REGISTER");
    }

    #[test]
    fn what_there_is_not_is_told_with_what_there_is() {
        for line in ["look", "say hello", "\"hello", ":waves", "north", "@mail", "@mail bob=Hello", "l"] {
            let failure = words(line).unwrap_err();
            assert_eq!(failure.code, Code::UnknownCommand);
            let named = all().any(|command| failure.msg.contains(command.name));
            assert!(named && !failure.msg.contains("not found"), "{line}: {}", failure.msg);
        }
        for line in ["@xyzzy", "@@@@who", "//", "@", "x\"y"] {
            assert!(words(line).unwrap_err().msg.starts_with("Command not found."), "{line}");
        }
    }

    #[test]
    fn no_habit_is_a_command_of_here_or_there_twice() {
        let mut seen = std::collections::HashSet::new();
        for (known, habit) in HABITS {
            for word in *known {
                let is_command = all().any(|command| command.name == *word || command.alias == Some(word));
                assert!(!is_command && seen.insert(word), "{word}");
            }
            let meant = match habit {
                Habit::Means(command) | Habit::Sends(command) => command,
                Habit::Says(_) => continue,
            };
            assert!(all().any(|command| command.name == *meant));
        }
        assert!(matches!(words("h"), Ok(Action::Local(_))));
    }
}
