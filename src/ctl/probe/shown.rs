//! What a probe has found, for people and for programs. Pure. Part of the operator's command.

use super::judge::{Finding, Is, Looked};
use super::login::Tried;
use serde::Serialize;
use ssmglobal_config::play::WorldAddress;
use ssmglobal_ipc::{Code, PlayedTerms};
use ssmglobal_telnet::Party;

use crate::ctl::said::Said;
use crate::print::clean;

/// Lines of a login screen that programs are told, at the most.
const SCREEN: usize = 100;

/// An address.
#[derive(Debug, Serialize)]
pub struct At {
    address: String,
    /// Whether somebody is there.
    pub answers: bool,
    connect_ms: Option<f64>,
    first_word_ms: Option<f64>,
    /// What it offers to do.
    offers: Vec<String>,
    /// What it wants to be done.
    asks: Vec<String>,
    charset: Option<String>,
    prompt_mark: Option<&'static str>,
    mssp: Vec<Variable>,
    screen: Vec<String>,
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Variable {
    name: String,
    value: String,
}

impl At {
    /// One where nobody is.
    pub fn silent(address: &WorldAddress, why: &str) -> At {
        let says = format!("It does not answer: {why}.");
        At {
            address: address.to_string(),
            answers: false,
            connect_ms: None,
            first_word_ms: None,
            offers: Vec::new(),
            asks: Vec::new(),
            charset: None,
            prompt_mark: None,
            mssp: Vec::new(),
            screen: Vec::new(),
            findings: vec![Finding { is: Is::Bad, about: "answer", says, set: None }],
        }
    }

    /// One where somebody is.
    pub fn found(address: &WorldAddress, looked: &Looked<'_>, findings: Vec<Finding>) -> At {
        let seen = looked.seen;
        let tenths = |time: std::time::Duration| (time.as_secs_f64() * 10_000.0).round() / 10.0;
        let variable = |(name, value): (&str, &str)| Variable { name: name.to_owned(), value: value.to_owned() };
        At {
            address: address.to_string(),
            answers: seen.has_spoken() || !looked.ended,
            connect_ms: Some(tenths(looked.connected)),
            first_word_ms: looked.first.map(tenths),
            offers: seen.options(Party::Them),
            asks: seen.options(Party::Us),
            charset: seen.charset().map(str::to_owned),
            prompt_mark: seen.mark().map(super::seen::Mark::as_str),
            mssp: seen.mssp().iter().map(variable).collect(),
            screen: seen.lines(looked.terms.charset).into_iter().take(SCREEN).collect(),
            findings,
        }
    }
}

/// All of it.
#[derive(Debug, Serialize)]
pub struct Probed {
    world: String,
    kind: String,
    addresses: Vec<At>,
    login: Option<Tried>,
    #[serde(skip)]
    licensed: bool,
    #[serde(skip)]
    in_file: Vec<String>,
}

impl Probed {
    /// A world that is played so, with what was found at each of its addresses.
    pub fn new(told: &PlayedTerms, addresses: Vec<At>, login: Option<Tried>) -> Probed {
        let PlayedTerms { world, kind, terms: _, licensed, in_file } = told.clone();
        Probed { world, kind, addresses, login, licensed, in_file }
    }

    /// At how many of its addresses somebody is.
    pub fn answers(&self) -> usize {
        self.addresses.iter().filter(|at| at.answers).count()
    }

    fn summary(&self) -> String {
        let (answers, all) = (self.answers(), self.addresses.len());
        match (answers, all) {
            (0, 1) => format!("{} does not answer.", self.world),
            (0, _) => format!("{} answers at none of its {all} addresses.", self.world),
            (1, 1) => format!("{} answers.", self.world),
            _ => format!("{} answers at {answers} of its {all} addresses.", self.world),
        }
    }

    /// One line of JSON, without its end.
    pub fn json(&self) -> String {
        match self.answers() {
            0 => Said::error(Code::Unavailable, self.summary()).with(self).json(),
            _ => Said::ok(self.summary()).with(self).json(),
        }
    }

    /// Lines for people, each ended.
    pub fn text(&self) -> String {
        let mut text = format!("{} It is set as {}.\n", clean(&self.summary()), clean(&self.kind));
        for at in &self.addresses {
            text.push_str(&format!("\n{}\n", clean(&at.address)));
            for finding in &at.findings {
                text.push_str(&format!("  {:<5} {}\n", finding.is.as_str(), clean(&finding.says)));
            }
        }
        if let Some(login) = &self.login {
            text.push_str(&login_text(login));
        }
        text + &self.to_set()
    }

    /// What is to be set, each once, as it can be typed or written.
    fn to_set(&self) -> String {
        let mut commands = Vec::new();
        let mut lines = Vec::new();
        for set in self.addresses.iter().flat_map(|at| &at.findings).filter_map(|finding| finding.set.as_ref()) {
            let (key, value) = (set.key, clean(&set.value).into_owned());
            let by_file = !self.licensed || self.in_file.iter().any(|other| other == key);
            let (list, line) = match by_file {
                true => (&mut lines, format!("  {key} = \"{value}\"\n")),
                false => (&mut commands, format!("  ssmglobal ctl world play {} {key} {value}\n", clean(&self.world))),
            };
            if !list.contains(&line) {
                list.push(line);
            }
        }
        let mut text = String::new();
        if !lines.is_empty() {
            let world = clean(&self.world);
            text =
                format!("\nBelow [world.{world}] in the config, and then `ssmglobal ctl reload`:\n{}", lines.concat());
        }
        if !commands.is_empty() {
            text.push_str(&format!("\nTo be typed:\n{}", commands.concat()));
        }
        text
    }
}

fn login_text(login: &Tried) -> String {
    let Tried { name, worked, line, pattern, lines, why } = login;
    let name = clean(name);
    let mut text = format!("\nlogin of {name}\n");
    let (line, pattern) = (line.as_deref().unwrap_or_default(), pattern.as_deref().unwrap_or_default());
    let (is, says) = match (worked, why) {
        (Some(true), _) => (Is::Good, format!("It works: \"{line}\" is matched by success `{pattern}`.")),
        (Some(false), _) => (Is::Bad, format!("It fails: \"{line}\" is matched by failure `{pattern}`.")),
        (None, Some(why)) => (Is::Bad, why.clone()),
        (None, None) => {
            let says = "None of the lines that follow is matched by `success` or `failure`: set them by what shows it.";
            (Is::Set, says.to_owned())
        }
    };
    text.push_str(&format!("  {:<5} {}\n", is.as_str(), clean(&says)));
    if worked.is_none() {
        lines.iter().for_each(|line| text.push_str(&format!("        | {}\n", clean(line))));
    }
    text
}
