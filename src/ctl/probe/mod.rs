//! `ssmglobal ctl world probe`: looks at a world in the backend's place, as a player's connection would find it, and says what it
//! finds and what to set. Connects from this process; the backend is only asked for the world's terms.

mod judge;
mod kinds;
mod letters;
mod login;
mod seen;
mod shown;
mod wire;

use judge::{Looked, Other, judge};
use login::{Tried, try_login};
use shown::{At, Probed};
use ssmglobal_config::Kind;
use ssmglobal_config::play::{RealAddress, Terms, WorldAddress};
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_ipc::{Code, PlayedTerms, Secret};
use std::io;
use std::process::ExitCode;
use std::time::Duration;
use wire::{Patience, Talk};

use super::find;
use super::link::Patience as Waits;
use super::password;
use super::trouble::Trouble;
use crate::location::Location;
use crate::print;

/// How long a login screen is waited for.
const SCREEN: Patience =
    Patience { first: Duration::from_secs(3), quiet: Duration::from_millis(500), whole: Duration::from_secs(8) };

/// How long it is looked whether a world speaks at all.
const GLANCE: Patience = Patience { first: Duration::from_millis(1500), ..SCREEN };

/// What is probed.
#[derive(Debug, clap::Args)]
pub struct ProbeArgs {
    /// The world
    pub name: String,

    /// Log in as well, with this name there; its password is asked for, or read from standard input
    #[arg(long, value_name = "NAME")]
    pub login: Option<String>,
}

impl ProbeArgs {
    /// The question.
    pub fn ask(&self) -> Ask {
        Ask::PlayedTerms { name: self.name.clone() }
    }
}

/// Probes and prints.
///
/// # Errors
/// The backend does not say how the world is played, or there is no password to log in with.
pub fn run(args: &ProbeArgs, place: Location, wait: Option<u32>, json: bool) -> Result<ExitCode, Trouble> {
    let meant = find::backend(place).map_err(Trouble::invalid)?;
    super::tell(meant.note.as_ref());
    let mut link = super::connect(&meant, wait)?;
    let ask = args.ask();
    let answer = link.ask(&ask, Waits::Short, &mut |_, _| {});
    let told = match answer.map_err(|trouble| super::meant::with_hint(&mut link, &ask, trouble))? {
        Answer::PlayedTerms(told) => told,
        _ => return Err(not_understood()),
    };
    let terms: Terms = serde_json::from_str(&told.terms).map_err(|_| not_understood())?;
    let secret = args.login.as_ref().map(|name| password::known(name)).transpose()?;
    let login = args.login.as_deref().zip(secret.as_ref());
    let probed = probe(&told, &terms, login);
    let text = if json { probed.json() + "\n" } else { probed.text() };
    print::out(&text).map_err(|error| Trouble::Here(Code::Unavailable, format!("the answer is lost: {error}")))?;
    Ok(if probed.answers() > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn not_understood() -> Trouble {
    Trouble::Link(
        "the backend's answer cannot be understood: use the `ssmglobal` of the version that is running".to_owned(),
    )
}

fn probe(told: &PlayedTerms, terms: &Terms, login: Option<(&str, &Secret)>) -> Probed {
    let kind = told.kind.parse::<Kind>().unwrap_or(Kind::Plain);
    let at: Vec<At> = terms.play.iter().map(|address| look(address, kind, terms)).collect();
    let good = terms.play.iter().zip(&at).find(|(_, at)| at.answers).map(|(address, _)| address);
    let login = login.zip(good).map(|((name, secret), address)| log_in(address, terms, name, secret));
    Probed::new(told, at, login)
}

fn look(address: &WorldAddress, kind: Kind, terms: &Terms) -> At {
    let mut talk = match Talk::begin(address, terms.real_address, terms.charset) {
        Ok(talk) => talk,
        Err(error) => return At::silent(address, &why(&error)),
    };
    talk.listen(SCREEN);
    let stands_in_front = !matches!(terms.real_address, RealAddress::None | RealAddress::Mnes);
    let bare = stands_in_front.then(|| other(address, RealAddress::None, terms));
    let is_mute = !stands_in_front && !talk.seen.has_spoken();
    let speaks_behind = if is_mute { speaks_behind(address, terms) } else { None };
    let Talk { seen, connected, first, ended, .. } = &talk;
    let (connected, first, ended) = (*connected, *first, *ended);
    let looked = Looked { kind, terms, connected, first, seen, ended, bare, speaks_behind };
    At::found(address, &looked, judge(&looked))
}

/// The same address with something else in front.
fn other(address: &WorldAddress, how: RealAddress, terms: &Terms) -> Other {
    let Ok(mut talk) = Talk::begin(address, how, terms.charset) else {
        return Other { ended: true, ..Other::default() };
    };
    talk.listen(GLANCE);
    Other { lines: talk.seen.lines(terms.charset), spoke: talk.seen.has_spoken(), ended: talk.ended }
}

/// In front of what a world speaks that is mute without it.
fn speaks_behind(address: &WorldAddress, terms: &Terms) -> Option<RealAddress> {
    let ways = match address {
        WorldAddress::At(_) => [RealAddress::ProxyV1, RealAddress::ProxyV2],
        WorldAddress::Unix(_) => [RealAddress::IpHost, RealAddress::ProxyV1],
    };
    ways.into_iter().find(|how| other(address, *how, terms).spoke)
}

fn log_in(address: &WorldAddress, terms: &Terms, name: &str, secret: &Secret) -> Tried {
    match Talk::begin(address, terms.real_address, terms.charset) {
        Ok(mut talk) => {
            talk.listen(SCREEN);
            try_login(&mut talk, terms, name, secret)
        }
        Err(error) => Tried::nothing(name, &format!("It does not answer: {}.", why(&error))),
    }
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection is refused: nobody listens there".to_owned(),
        io::ErrorKind::TimedOut => "no answer came within 3 s".to_owned(),
        io::ErrorKind::WouldBlock => "too many wait there to be accepted".to_owned(),
        io::ErrorKind::NotFound => "there is no such socket".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not connect to it".to_owned(),
        _ => error.to_string(),
    }
}
