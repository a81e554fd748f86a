//! What was probably meant by a name that there is not: the backend is asked for the names that there are. Runs in the operator's
//! command.

use ssmglobal_ipc::ctl::{Answer, Ask, LogAsked};
use ssmglobal_ipc::{Code, nearest};

use super::link::{Link, Patience};
use super::trouble::Trouble;

/// Names that are looked through.
const LIMIT: u32 = 1000;

/// The same trouble; of a name that there is not, with the one that was probably meant.
pub fn with_hint(link: &mut Link, ask: &Ask, mut trouble: Trouble) -> Trouble {
    if let Trouble::Refused(failure) = &mut trouble
        && failure.code == Code::NotFound
        && !failure.msg.contains("Did you mean")
        && let Some(name) = meant(link, ask)
    {
        failure.msg = format!("{} Did you mean {name}?", failure.msg);
    }
    trouble
}

fn meant(link: &mut Link, ask: &Ask) -> Option<String> {
    match ask {
        Ask::ServerRotateKey { name }
        | Ask::ServerDisable { name, .. }
        | Ask::ServerAllow { name, .. }
        | Ask::ServerDelete { name }
        | Ask::ServerRename { name, .. } => server(link, name),
        Ask::BoardReset { name } | Ask::BoardDelete { name } | Ask::BoardRename { name, .. } => board(link, name),
        Ask::BoardWithdraw { board: name, player: who, .. } => board(link, name).or_else(|| player(link, who)),
        Ask::PlayerShow { name }
        | Ask::PlayerDisable { name, .. }
        | Ask::PlayerSetPassword { name, .. }
        | Ask::SessionsEnd { target: name, .. }
        | Ask::Log(LogAsked { player: Some(name), .. }) => player(link, name),
        _ => None,
    }
}

/// Nothing when the backend does not answer that: then there is no hint.
fn asked(link: &mut Link, ask: &Ask) -> Option<Answer> {
    link.ask(ask, Patience::Short, &mut |_, _| {}).ok()
}

/// The nearest, if the name itself is not among them.
fn near(typed: &str, names: &[String]) -> Option<String> {
    let found = nearest(typed, names.iter().map(String::as_str))?;
    (!found.eq_ignore_ascii_case(typed)).then(|| found.to_owned())
}

fn server(link: &mut Link, name: &str) -> Option<String> {
    let Answer::Servers(rows) = asked(link, &Ask::ServerList)? else { return None };
    near(name, &rows.into_iter().map(|row| row.server).collect::<Vec<_>>())
}

fn board(link: &mut Link, name: &str) -> Option<String> {
    let Answer::Boards(rows) = asked(link, &Ask::BoardList)? else { return None };
    near(name, &rows.into_iter().map(|row| row.board).collect::<Vec<_>>())
}

/// Players may be many: those are looked through that begin or end as the name does.
fn player(link: &mut Link, name: &str) -> Option<String> {
    let letters: Vec<char> = name.chars().collect();
    let (first, last) = (letters.get(..2)?, letters.get(letters.len().saturating_sub(2)..)?);
    let patterns = [first.iter().chain(&['*']).collect(), std::iter::once(&'*').chain(last).collect::<String>()];
    patterns.into_iter().find_map(|pattern: String| {
        let ask = Ask::PlayerSearch { pattern, limit: LIMIT, after: None };
        let Answer::Players(page) = asked(link, &ask)? else { return None };
        near(name, &page.players.into_iter().map(|row| row.player).collect::<Vec<_>>())
    })
}
