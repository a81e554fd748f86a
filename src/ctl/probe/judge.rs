//! What a probe has found at one address, in words, and what is to be set. Pure. Part of the operator's command.

use super::kinds::{Fits, fits, question};
use super::letters::{Letters, letters};
use super::login::{lines_that_log_in, logs_in_with};
use super::seen::Seen;
use serde::Serialize;
use ssmglobal_config::Kind;
use ssmglobal_config::play::{Charset, RealAddress, Terms};
use ssmglobal_telnet::Party;
use ssmglobal_worker::play::names;
use std::time::Duration;

/// Characters of a line of the world's that are repeated.
const QUOTED: usize = 60;

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Is {
    /// As it is set.
    Good,
    /// Worth knowing.
    Note,
    /// Something is to be set.
    Set,
    /// Players cannot play so.
    Bad,
}

impl Is {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Is::Good => "good",
            Is::Note => "note",
            Is::Set => "set",
            Is::Bad => "bad",
        }
    }
}

/// A key of the world, and what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// The value, as the config's words have it.
    pub value: String,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How that is.
    pub is: Is,
    /// What it is about.
    pub about: &'static str,
    /// What was found, in a sentence.
    pub says: String,
    /// What is to be set.
    pub set: Option<Setting>,
}

impl Finding {
    fn new(is: Is, about: &'static str, says: impl Into<String>) -> Finding {
        Finding { is, about, says: says.into(), set: None }
    }

    fn setting(self, key: &'static str, value: impl ToString) -> Finding {
        Finding { set: Some(Setting { key, value: value.to_string() }), ..self }
    }
}

/// A connection on which something else stood in front.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Other {
    /// What the world has said there, by lines.
    pub lines: Vec<String>,
    /// It has said anything, be it telnet.
    pub spoke: bool,
    /// It has ended the connection.
    pub ended: bool,
}

/// An address, and what came of it.
pub struct Looked<'a> {
    /// How the world is set.
    pub kind: Kind,
    /// What follows.
    pub terms: &'a Terms,
    /// How long it took to connect.
    pub connected: Duration,
    /// How long after that it spoke.
    pub first: Option<Duration>,
    /// The conversation as a player's would be.
    pub seen: &'a Seen,
    /// The world has ended that.
    pub ended: bool,
    /// One without anything in front, where something is to stand there.
    pub bare: Option<Other>,
    /// Of a world that says nothing: in front of what it did say something.
    pub speaks_behind: Option<RealAddress>,
}

/// A time as people read it.
pub fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn quoted(line: &str) -> String {
    let line = line.trim();
    let cut: String = line.chars().take(QUOTED).collect();
    if cut.len() < line.len() { format!("\"{cut} \u{2026}\"") } else { format!("\"{cut}\"") }
}

/// All that there is to say.
pub fn judge(looked: &Looked<'_>) -> Vec<Finding> {
    let lines = looked.seen.lines(looked.terms.charset);
    let mut found = vec![answers(looked)];
    if let Some(other) = other_protocol(looked.seen.text()) {
        found.push(Finding::new(
            Is::Bad,
            "protocol",
            format!("That is no game: it speaks {other}. Is the port right?"),
        ));
        return found;
    }
    found.push(preamble(looked, &lines));
    if !looked.seen.has_spoken() {
        return found;
    }
    found.extend([telnet(looked.seen), marks(looked.seen)]);
    found.push(characters(looked));
    found.extend(mssp(looked.seen));
    // What it says to what it took for typed tells nothing of how it is usually.
    if found.iter().any(|finding| finding.is == Is::Bad) {
        return found;
    }
    let kind = kind(looked, &lines);
    // Another kind brings another login.
    let has_other = kind.is == Is::Set;
    found.push(kind);
    if !has_other {
        found.push(login(looked.terms, &lines));
    }
    found
}

fn answers(looked: &Looked<'_>) -> Finding {
    let connected = milliseconds(looked.connected);
    match looked.first {
        Some(first) => {
            let first = milliseconds(first);
            Finding::new(Is::Good, "answer", format!("It answers: connected in {connected}, first word after {first}."))
        }
        None if looked.ended => Finding::new(
            Is::Bad,
            "answer",
            format!("It accepts (in {connected}) and ends the connection without a word."),
        ),
        None => Finding::new(Is::Note, "answer", format!("It accepts (in {connected}) and says nothing.")),
    }
}

/// What a port speaks that is no game's.
fn other_protocol(text: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 4] =
        [(b"HTTP/", "HTTP"), (b"SSH-", "SSH"), (b"\x15\x03", "TLS"), (b"220 ", "SMTP or FTP")];
    known.into_iter().find(|(begins, _)| text.starts_with(begins)).map(|(_, name)| name)
}

/// Whether what stands in front of all else is what the world takes.
fn preamble(looked: &Looked<'_>, lines: &[String]) -> Finding {
    let how = looked.terms.real_address;
    let about = "real_address";
    let Some(bare) = &looked.bare else { return without_preamble(looked, about) };
    let spoke = looked.seen.has_spoken();
    let shown = |lines: &[String]| lines.iter().filter(|line| !line.trim().is_empty()).count();
    // What is typed and makes no sense is answered by a sentence, or by the screen once more.
    let more = shown(lines) > shown(&bare.lines);
    let new = lines.iter().find(|line| !line.trim().is_empty() && !bare.lines.contains(line));
    let answer = new.map_or_else(|| "with its screen once more".to_owned(), |line| quoted(line));
    match (spoke, bare.spoke) {
        (true, false) => {
            Finding::new(Is::Good, about, format!("It waits for {how} before it speaks: players' addresses reach it."))
        }
        (false, true) => Finding::new(
            Is::Bad,
            about,
            format!("Behind {how} it says nothing, and without it, it speaks: {}.", not_believed(how)),
        )
        .setting(about, RealAddress::None),
        (false, false) => {
            Finding::new(Is::Bad, about, format!("It says nothing, neither behind {how} nor without it."))
        }
        (true, true) => match more {
            true => Finding::new(
                Is::Bad,
                about,
                format!("It takes {how} for something typed, and answers {answer}: {}.", not_believed(how)),
            )
            .setting(about, RealAddress::None),
            false if looked.ended && !bare.ended => {
                Finding::new(Is::Bad, about, format!("Behind {how} it ends the connection: {}.", not_believed(how)))
                    .setting(about, RealAddress::None)
            }
            false => Finding::new(
                Is::Good,
                about,
                format!(
                    "Behind {how} it says the same as without: it takes it, or passes over it. Its own list of who is on tells which."
                ),
            ),
        },
    }
}

/// What is to be done where a world does not take what it is told.
fn not_believed(how: RealAddress) -> &'static str {
    match how {
        RealAddress::ProxyV1 | RealAddress::ProxyV2 => "let it believe this machine's PROXY header, or set another way",
        _ => "let it believe this machine, or set another way",
    }
}

fn without_preamble(looked: &Looked<'_>, about: &'static str) -> Finding {
    match looked.speaks_behind {
        Some(how) => Finding::new(Is::Bad, about, format!("It speaks only behind {how}.")).setting(about, how),
        None if looked.terms.real_address == RealAddress::Mnes => {
            let asks = looked.seen.options(Party::Us).iter().any(|name| name == "NEW-ENVIRON");
            match asks || !looked.seen.has_spoken() {
                true => Finding::new(Is::Good, about, "It is told players' addresses by MNES, and asks for it."),
                false => {
                    Finding::new(Is::Note, about, "It does not ask for NEW-ENVIRON, so that MNES tells it no address.")
                }
            }
        }
        None => Finding::new(Is::Note, about, "It is told no addresses: it sees all players come from this machine."),
    }
}

fn telnet(seen: &Seen) -> Finding {
    if !seen.speaks_telnet() {
        return Finding::new(Is::Note, "telnet", "It speaks no telnet, unless it is spoken to first.");
    }
    let list = |party, what: &str| match seen.options(party) {
        names if names.is_empty() => None,
        names => Some(format!("{what} {}", names.join(", "))),
    };
    let both = [list(Party::Them, "offers"), list(Party::Us, "asks for")];
    let both: Vec<String> = both.into_iter().flatten().collect();
    let says = if both.is_empty() { "negotiates nothing".to_owned() } else { both.join(", and ") };
    Finding::new(Is::Good, "telnet", format!("It {says}."))
}

fn marks(seen: &Seen) -> Finding {
    match seen.mark() {
        Some(mark) => Finding::new(Is::Good, "prompts", format!("It marks the end of a prompt ({}).", mark.as_str())),
        None => {
            Finding::new(Is::Note, "prompts", "It has marked no prompt so far: where one ends is told by its silence.")
        }
    }
}

fn characters(looked: &Looked<'_>) -> Finding {
    let (about, set) = ("charset", looked.terms.charset);
    let text = letters(looked.seen.text());
    if let Some(name) = looked.seen.charset() {
        return match (names::charset(name), text) {
            (None, _) => {
                Finding::new(Is::Bad, about, format!("It agrees on {name} (CHARSET), which is not known here."))
            }
            (Some(Charset::Utf8), Letters::Other(found)) => Finding::new(
                Is::Bad,
                about,
                format!("It agrees on {name} (CHARSET), and writes what reads as {found}."),
            ),
            (Some(_), _) => Finding::new(Is::Good, about, format!("It agrees on {name} (CHARSET).")),
        };
    }
    match text {
        Letters::Ascii => Finding::new(
            Is::Note,
            about,
            format!("All that it has said so far is ASCII: {set} was not put to the test."),
        ),
        Letters::Utf8 if set == Charset::Utf8 => Finding::new(Is::Good, about, "Its text is UTF-8."),
        Letters::Utf8 => Finding::new(Is::Set, about, format!("Its text is UTF-8, and is read as {set}."))
            .setting(about, Charset::Utf8),
        Letters::Other(found) if found == set => {
            Finding::new(Is::Good, about, format!("Its text reads well as {set}."))
        }
        Letters::Other(found) if matches!(set, Charset::Utf8 | Charset::Ascii) => {
            let why = if set == Charset::Utf8 { "no UTF-8" } else { "not ASCII alone" };
            Finding::new(Is::Set, about, format!("Its text is {why}; it reads best as {found}.")).setting(about, found)
        }
        Letters::Other(found) => Finding::new(
            Is::Note,
            about,
            format!(
                "Its text is no UTF-8; it is read as {set}, and might be {found}: look whether players can read it."
            ),
        ),
    }
}

fn mssp(seen: &Seen) -> Option<Finding> {
    let count = seen.mssp().iter().count();
    let of = |name: &str| seen.mssp().get(name).map(|value| format!("{name} {}", quoted(value)));
    let some: Vec<String> = ["NAME", "PLAYERS", "CODEBASE"].into_iter().filter_map(of).collect();
    (count > 0).then(|| {
        let values = if count == 1 { "1 value".to_owned() } else { format!("{count} values") };
        Finding::new(Is::Good, "mssp", format!("It tells about itself (MSSP), {values}: {}.", some.join(", ")))
    })
}

fn kind(looked: &Looked<'_>, lines: &[String]) -> Finding {
    let (about, set) = ("kind", looked.kind);
    match fits(set, looked.seen, lines) {
        Fits::Yes => Finding::new(Is::Good, about, format!("It looks like {set}, as it is set.")),
        Fits::Unknown => Finding::new(Is::Note, about, "Its login screen does not show of which kind it is."),
        Fits::Better(kinds) => {
            let names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
            let finding =
                Finding::new(Is::Set, about, format!("It looks like {}, and {set} is set.", names.join(" or ")));
            match kinds.first() {
                Some(first) => finding.setting(about, first),
                None => finding,
            }
        }
    }
}

/// What a player must type.
fn login(terms: &Terms, lines: &[String]) -> Finding {
    let about = "login";
    if terms.prompts {
        return match question(lines) {
            Some(asked) => {
                let says =
                    format!("It asks {}: a player answers with his name, then with his password.", quoted(asked));
                Finding::new(Is::Good, about, says)
            }
            None => Finding::new(Is::Bad, about, "It asks for nothing, and `prompts` says that it asks for a name."),
        };
    }
    let Some(pattern) = &terms.login else {
        let says = "What a login looks like is not set, so that nobody is logged in again after the world was down: \
                    set `kind`, or `login` or `prompts`.";
        return Finding::new(Is::Note, about, says);
    };
    let Some(line) = lines_that_log_in("NAME", "PASSWORD").into_iter().find(|line| logs_in_with(pattern, line, "NAME"))
    else {
        return Finding::new(Is::Note, about, "None of the usual lines is one that `login` takes for a login.");
    };
    let line = line.as_str();
    let word = line.split(' ').next().unwrap_or_default();
    match lines.iter().find(|shown| shown.to_lowercase().contains(word)) {
        Some(shown) => {
            Finding::new(Is::Good, about, format!("A player types `{line}`; its screen says so: {}.", quoted(shown)))
        }
        None => Finding::new(
            Is::Note,
            about,
            format!("A player has to type `{line}`, and its screen does not say so: is `login` right?"),
        ),
    }
}

#[cfg(test)]
mod tests;
