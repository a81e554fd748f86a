//! How each kind of world speaks: what it offers, and how one logs in and out. Pure.

use super::codes::option::{CHARSET, EOR, GMCP, LINEMODE, MCCP2, MSDP, MSSP, MXP, NAWS, NEW_ENVIRON, SGA, TTYPE};
use super::options::End;

/// What a small world is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As tbaMUD and its kin: a name, a password that is not echoed, a page, a menu, and a prompt after everything.
    Diku,
    /// As Evennia: `connect NAME PASSWORD`, and all that is sent beside the text.
    Evennia,
    /// As TinyMUX: `connect NAME PASSWORD`, options both ways.
    Mush,
    /// As PennMUSH: as a MUSH, and says nothing but DO LINEMODE until it is spoken to.
    Silent,
}

/// What happens in answer to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Text.
    Say(Vec<u8>),
    /// Text whose end is marked.
    Prompt(&'static str),
    /// The world echoes from now on, which it does not do, or no more.
    Hide(bool),
    /// This one plays from now on.
    Enter(String),
    /// So many lines, one after the other.
    Spam(u64),
    /// The connection is closed.
    Close,
}

/// Where somebody is on the way into the world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was said yet.
    #[default]
    New,
    /// Who is it?
    Name,
    /// Which password does this one have?
    Password(String),
    /// This one may play, and has not read the page.
    Page(String),
    /// This one may play, and has a choice.
    Menu(String),
    /// This one plays.
    Playing(String),
}

/// What is known about one who logs in.
pub struct Known {
    /// His password.
    pub password: String,
    /// What one hears whose name the world does not take now.
    pub refused: Option<&'static str>,
    /// Whether he is in the world already.
    pub inside: bool,
}

impl Kind {
    /// What is offered when somebody connects.
    pub fn offers(self) -> &'static [(End, u8)] {
        match self {
            Kind::Diku => &[
                (End::Theirs, TTYPE),
                (End::Theirs, NAWS),
                (End::Ours, EOR),
                (End::Ours, MSSP),
                (End::Ours, GMCP),
                (End::Ours, MCCP2),
            ],
            Kind::Evennia => &[
                (End::Theirs, LINEMODE),
                (End::Ours, SGA),
                (End::Theirs, NAWS),
                (End::Theirs, TTYPE),
                (End::Ours, MCCP2),
                (End::Ours, MSSP),
                (End::Ours, MSDP),
                (End::Ours, GMCP),
                (End::Ours, MXP),
            ],
            Kind::Mush => &[
                (End::Ours, EOR),
                (End::Theirs, EOR),
                (End::Theirs, SGA),
                (End::Theirs, TTYPE),
                (End::Theirs, NAWS),
                (End::Theirs, NEW_ENVIRON),
                (End::Ours, CHARSET),
                (End::Theirs, CHARSET),
            ],
            Kind::Silent => &[(End::Theirs, LINEMODE)],
        }
    }

    /// What is offered to one who has said something.
    pub fn offers_later(self) -> &'static [(End, u8)] {
        match self {
            Kind::Silent => &[(End::Ours, SGA), (End::Theirs, NAWS), (End::Theirs, TTYPE), (End::Ours, CHARSET)],
            Kind::Diku | Kind::Evennia | Kind::Mush => &[],
        }
    }

    /// What is read first.
    pub fn greeting(self) -> Vec<Act> {
        match self {
            Kind::Diku => {
                vec![say("\r\nA world of the tests.\r\n\r\n"), Act::Prompt("By what name do you wish to be known? ")]
            }
            Kind::Evennia => vec![say("A world of the tests.\r\n\r\n connect <username> <password>\r\n")],
            Kind::Mush | Kind::Silent => vec![say("A world of the tests.\r\n\r\nconnect <name> <password>\r\n")],
        }
    }

    fn farewell(self) -> &'static str {
        match self {
            Kind::Diku => "Goodbye, friend.. Come back soon!\r\n",
            Kind::Evennia => "Disconnecting.\r\n",
            Kind::Mush | Kind::Silent => "*** Disconnected ***\r\n",
        }
    }

    /// Whether somebody can be in the world only once, and what the connection before is told.
    pub fn takes_over(self) -> Option<&'static str> {
        match self {
            Kind::Diku => Some("This body has been usurped!\r\n"),
            Kind::Evennia => Some("Logged in from elsewhere. Disconnecting.\r\n"),
            Kind::Mush | Kind::Silent => None,
        }
    }

    /// Whether one whose connection broke stays in the world.
    pub fn keeps_bodies(self) -> bool {
        self == Kind::Diku
    }

    /// Answers a line; `known` tells about a name.
    pub fn answer(self, stage: &mut Stage, line: &[u8], known: impl Fn(&str) -> Known) -> Vec<Act> {
        let text = String::from_utf8_lossy(line).into_owned();
        match (self, &*stage) {
            (_, Stage::Playing(_)) => self.play(line),
            (_, Stage::New | Stage::Name) if text == "MSSP-REQUEST" => {
                vec![say("\r\nMSSP-REPLY-START\r\nNAME\tA world of the tests\r\nMSSP-REPLY-END\r\n")]
            }
            (_, Stage::New | Stage::Name) if text.eq_ignore_ascii_case("quit") => {
                vec![say(self.farewell()), Act::Close]
            }
            (Kind::Diku, _) => diku(stage, &text, known),
            (Kind::Evennia | Kind::Mush | Kind::Silent, _) => self.connect(stage, &text, known),
        }
    }

    /// What a player has typed.
    fn play(self, line: &[u8]) -> Vec<Act> {
        let text = String::from_utf8_lossy(line);
        let mut acts = match text.split_once(' ').unwrap_or((&text, "")) {
            ("echo", _) => vec![Act::Say([&line[5..], b"\r\n"].concat())],
            ("spam", count) => vec![Act::Spam(count.parse().unwrap_or(0))],
            ("prompt", _) => return vec![Act::Prompt("> ")],
            ("quit" | "QUIT", _) => return vec![say(self.farewell()), Act::Close],
            _ => vec![say("Huh?\r\n")],
        };
        if self == Kind::Diku {
            acts.push(Act::Prompt("> "));
        }
        acts
    }

    /// What one hears whose pass is not good.
    pub fn takes_no_pass() -> Vec<Act> {
        vec![say("That pass is not good.\r\n")]
    }

    /// The way in of those who are told all in one line.
    fn connect(self, stage: &mut Stage, text: &str, known: impl Fn(&str) -> Known) -> Vec<Act> {
        let words: Vec<&str> = text.split(' ').collect();
        let ["connect", name, password] = words[..] else {
            return vec![say("Type \"connect <name> <password>\".\r\n")];
        };
        let Known { password: right, refused, .. } = known(name);
        if let Some(text) = refused {
            return vec![say(text)];
        }
        if password != right {
            return vec![say(match self {
                Kind::Evennia => "Username and/or password is incorrect.\r\n",
                _ => "Either that player does not exist, or has a different password.\r\n",
            })];
        }
        self.lets_in(stage, name)
    }

    /// One is in without a word of the way there.
    pub fn lets_in(self, stage: &mut Stage, name: &str) -> Vec<Act> {
        *stage = Stage::Playing(name.to_owned());
        let welcome = match self {
            Kind::Evennia => format!("You become {name}.\r\n\r\nLimbo\r\n"),
            _ => "Last connect was from 192.0.2.1 on Mon Jan 05 10:00:00 2026.\r\n\r\nLimbo\r\n".to_owned(),
        };
        vec![Act::Enter(name.to_owned()), Act::Say(welcome.into_bytes())]
    }
}

/// The way into a Diku.
fn diku(stage: &mut Stage, text: &str, known: impl Fn(&str) -> Known) -> Vec<Act> {
    match std::mem::take(stage) {
        Stage::Password(name) => {
            let Known { password, inside, .. } = known(&name);
            if text != password {
                *stage = Stage::Password(name);
                return vec![
                    Act::Hide(false),
                    say("\r\nWrong password.\r\n"),
                    Act::Hide(true),
                    Act::Prompt("Password: "),
                ];
            }
            let shown = [Act::Hide(false), say("\r\n")];
            if inside {
                *stage = Stage::Playing(name.clone());
                let text = say("You take over your own body, already in use!\r\n");
                return shown.into_iter().chain([Act::Enter(name), text, Act::Prompt("> ")]).collect();
            }
            *stage = Stage::Page(name);
            shown.into_iter().chain([say("The news of today.\r\n\r\n"), Act::Prompt("*** PRESS RETURN: ")]).collect()
        }
        Stage::Page(name) => {
            *stage = Stage::Menu(name);
            vec![say("\r\n0) Exit from the game.\r\n1) Enter the game.\r\n\r\n"), Act::Prompt("   Make your choice: ")]
        }
        Stage::Menu(name) if text == "1" => {
            *stage = Stage::Playing(name.clone());
            vec![
                Act::Enter(name),
                say("\r\nWelcome to the tests! May your visit here be short.\r\n\r\nThe Temple\r\n"),
                Act::Prompt("> "),
            ]
        }
        Stage::Menu(_) if text == "0" => vec![say(Kind::Diku.farewell()), Act::Close],
        Stage::Menu(name) => {
            *stage = Stage::Menu(name);
            vec![say("That is no choice!\r\n"), Act::Prompt("   Make your choice: ")]
        }
        _ if text.is_empty() || text.contains(' ') || known(text).refused.is_some() => {
            *stage = Stage::Name;
            let complaint = known(text).refused.unwrap_or("Invalid name, please try another.\r\n");
            vec![say(complaint), Act::Prompt("Name: ")]
        }
        _ => {
            *stage = Stage::Password(text.to_owned());
            vec![Act::Hide(true), Act::Prompt("Password: ")]
        }
    }
}

fn say(text: &str) -> Act {
    Act::Say(text.as_bytes().to_vec())
}
