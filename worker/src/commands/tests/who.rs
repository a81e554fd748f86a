//! Who may use a command, in words: for every set of states, whether there is a command for it or not.

use super::super::who::{audience, listed, modes};
use super::{Asks, Command, all, command, every};
use crate::commands::{Action, Local, no_mode, permitted};
use ssmglobal_ipc::{AskedBy, Code, Kind, State, States};
use std::collections::HashSet;

use State::{Anonymous, New, Player, Server, Unproved};

/// All sets of states.
fn sets() -> impl Iterator<Item = (Vec<State>, States)> {
    (0u8..32).map(|bits| {
        let states: Vec<State> = State::ALL.into_iter().filter(|state| bits & (1 << *state as u8) != 0).collect();
        let set = States::of(&states);
        (states, set)
    })
}

fn of(states: States) -> Command {
    Command::local(states, |_| Ok(Local::Ping))
}

#[test]
fn every_set_reads_well() {
    for (states, words, in_modes) in [
        (&[Anonymous, Player, Unproved, Server][..], "everyone", "HUMAN, CLIENT, SERVER"),
        (&[Anonymous, Player, Server], "everyone (a game server after AUTH)", "HUMAN, CLIENT, SERVER"),
        (&[Anonymous, Player, Unproved], "everyone (a game server before AUTH)", "HUMAN, CLIENT, SERVER"),
        (&[Anonymous, Player], "people and their programs, logged in or not", "HUMAN, CLIENT"),
        (&[Player], "players who are logged in", "HUMAN, CLIENT"),
        (&[Anonymous], "people and their programs who are not logged in", "HUMAN, CLIENT"),
        (&[Server], "game servers after AUTH", "SERVER"),
        (&[Unproved], "game servers before AUTH", "SERVER"),
        (&[Unproved, Server], "game servers before and after AUTH", "SERVER"),
        (&[Player, Server], "players who are logged in, and game servers after AUTH", "HUMAN, CLIENT, SERVER"),
        (
            &[Player, Unproved, Server],
            "players who are logged in, and game servers before and after AUTH",
            "HUMAN, CLIENT, SERVER",
        ),
        (
            &[Anonymous, Server],
            "people and their programs who are not logged in, and game servers after AUTH",
            "HUMAN, CLIENT, SERVER",
        ),
    ] {
        for before in [&[][..], &[New]] {
            let states = States::of(&[before, states].concat());
            assert_eq!((&*audience(states), modes(states)), (words, in_modes));
        }
    }
    let texts: HashSet<String> = sets().map(|(_, set)| audience(set)).collect();
    assert_eq!(texts.len(), 16, "no two sets are told alike, but for a mode that is still to be chosen");
    assert!(texts.iter().all(|text| !text.is_empty() && text.trim() == text && !text.contains("  ")));
}

#[test]
fn whoever_may_not_is_told_what_to_do() {
    for (states, set) in sets() {
        let command = of(set);
        for state in State::ALL {
            let refused = permitted(&command, state, "bob");
            assert_eq!(refused.is_ok(), states.contains(&state));
            let Err(failure) = refused else { continue };
            // Only where it helps.
            assert!(!failure.msg.contains("LOGIN") || states.contains(&Player), "{states:?} {state:?}: {failure:?}");
            assert!(
                !failure.msg.contains("LOGOUT") || states.contains(&Anonymous),
                "{states:?} {state:?}: {failure:?}"
            );
            assert_eq!(failure.code == Code::NoMode, state == New);
        }
    }
    let refused = |states: &[State], state| permitted(&of(States::of(states)), state, "bob").unwrap_err();
    assert_eq!(refused(&[Anonymous], Player).msg, "You are logged in. LOGOUT first.");
    assert_eq!(refused(&[Anonymous, Unproved], Server).msg, "You have proved who you are already.");
    assert_eq!(refused(&[Unproved], Player).msg, "Only a game server can do that: MODE SERVER first.");
    assert_eq!(refused(&[Unproved, Server], Player).msg, "Only a game server can do that.");
}

#[test]
fn help_lists_what_can_be_used_in_this_mode() {
    for (states, set) in sets() {
        let command = of(set);
        let people = states.contains(&Anonymous) || states.contains(&Player);
        let servers = states.contains(&Unproved) || states.contains(&Server);
        for state in [New, Anonymous, Player] {
            assert_eq!(listed(&command, state), people, "{states:?} {state:?}");
        }
        for state in [Unproved, Server] {
            assert_eq!(listed(&command, state), servers, "{states:?} {state:?}");
        }
    }
}

#[test]
fn every_command_makes_what_the_table_says_it_asks() {
    let every = every::requests();
    let mut asked = HashSet::new();
    for made in all() {
        match made.asks {
            Asks::Request(kind, _) | Asks::Either(kind, _) => {
                assert!(asked.insert(kind), "{kind:?} is asked by two commands");
                let mut of_it = every.iter().filter(|(name, ..)| *name == made.name).peekable();
                assert!(of_it.peek().is_some(), "{} is not in every.rs", made.name);
                assert!(of_it.all(|(.., request)| request.kind() == kind), "{}", made.name);
            }
            Asks::Play(..) => {
                let action = super::words(made.example);
                assert!(matches!(action, Ok(Action::Play(_))), "{}: {action:?}", made.name);
            }
            Asks::Local(..) => {
                let action = super::words(made.example);
                assert!(matches!(action, Ok(Action::Local(_))), "{}: {action:?}", made.name);
            }
        }
    }
    // MODE changes the mode here first.
    asked.insert(Kind::SetMode);
    let wanted = Kind::ALL.iter().copied().filter(|kind| kind.describe().asked_by == AskedBy::Client);
    assert_eq!(asked, wanted.collect::<HashSet<_>>(), "every word of a client's has its command");
    assert_eq!(command("MAIL LIST").states(), Kind::MailList.describe().states);
}

#[test]
fn who_may_what() {
    let states = [State::New, State::Anonymous, State::Player, State::Unproved, State::Server];
    let may = |name: &str| {
        let allowed = |state: &State| permitted(command(name), *state, "bob").is_ok();
        states.iter().map(|state| if allowed(state) { 'x' } else { '-' }).collect::<String>()
    };
    let codes = |name: &str, state| permitted(command(name), state, "bob").unwrap_err();
    for c in all() {
        let wanted = match c.name {
            "MODE" => "xxxxx",
            "QUIT" => "-xxxx",
            "AUTH" => "---x-",
            "REGISTER" | "LOGIN" | "TELL" | "WORLD ENTER" | "SET" | "PLAY" | "RESUME" | "DROP" => "-xx--",
            "VISITOR" => "-x---",
            "LOGOUT" => "-xx--",
            "PASSWORD" | "PASS" | "RATING" | "BROADCAST" => "--x--",
            "HELP" | "HW" | "PING" | "STAY" | "MORE" | "WHOAMI" | "WHO" | "FINGER" | "WORLDS" | "WORLD SHOW" => "-xx-x",
            "UNIVERSE SHOW" | "UNIVERSE WATCH" | "UNIVERSE UNWATCH" => "-xx-x",
            "MAIL SEND" | "RECORD SUBMIT" => "--x-x",
            "SETTING SET" | "SETTING LIST" | "SETTING DELETE" | "PROPERTY SET" | "PROPERTY DELETE" => "--x-x",
            name if name.starts_with("PROPERTY") => "-xx-x",
            name if name.starts_with("RECORD") || name.starts_with("LIST") || name == "SETTING GET" => "-xx-x",
            name if ["MAIL", "WORLD", "RIGHT", "PLAYER", "UNIVERSE"].iter().any(|group| name.starts_with(group)) => {
                "--x--"
            }
            _ => "----x",
        };
        assert_eq!(may(c.name), wanted, "{}", c.name);
        if c.name != "MODE" {
            assert_eq!(codes(c.name, State::New), no_mode());
        }
    }
    let failure = codes("MAIL LIST", State::Anonymous);
    assert_eq!((failure.code, &*failure.msg), (Code::NotLoggedIn, "Log in first: LOGIN name, or REGISTER name."));
    let failure = codes("HW", State::Unproved);
    assert_eq!((failure.code, &*failure.msg), (Code::NotLoggedIn, "Prove who you are first: AUTH name key."));
    assert_eq!(codes("RELAY JOIN", State::Player).msg, "Only a game server can do that.");
    assert_eq!(codes("RELAY JOIN", State::Anonymous).code, Code::Denied);
    assert_eq!(codes("MAIL LIST", State::Server).msg, "Only a player can do that.");
    assert_eq!(codes("AUTH", State::Player).code, Code::Denied);
    assert_eq!(codes("AUTH", State::Server).msg, "You have proved who you are already.");
}
