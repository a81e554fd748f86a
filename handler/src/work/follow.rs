//! The one place that takes committed rows into memory, and that says what they are to others. It takes rows, not what made them:
//! rows that another node has committed could come the same way. Runs in the writer thread, after the commit and before the
//! answers.

use crate::lock::{read, write};
use crate::state::Overlay;
use crate::state::licences::host_terms;
use crate::state::memory::Memory;
use crate::state::news::{Audience, News};
use crate::state::topic::Topic;
use ssmglobal_ipc::{Event, MailArrived, MailRefused, Notice, PropertyChanged, RecordArrived, Stop};
use ssmglobal_store::{KeptLicence, KeptProperty, Principal, PrincipalKind, Row, StartedBy};

/// What others are told of these rows, which the overlay knows and memory does not yet.
pub fn news(memory: &Memory, overlay: &Overlay, rows: &[Row]) -> Vec<News> {
    let mut news: Vec<News> = rows.iter().filter_map(|row| of_row(memory, row)).collect();
    let (boards, directory) = (read(&memory.boards), read(&memory.directory));
    for (board, first, before) in overlay.firsts(&boards) {
        let event = RecordArrived {
            board: board.name.clone(),
            unit: board.unit.clone(),
            player: directory.name(first.player).to_owned(),
            score: first.score,
            previous: before.map(|id| directory.name(id).to_owned()),
        };
        let to = Audience::Topic(Topic::Board(board.id));
        news.push(News::Tell { to, event: Event::Record(event) });
    }
    news
}

fn of_row(memory: &Memory, row: &Row) -> Option<News> {
    match row {
        Row::Letter(letter) => {
            let event = MailArrived {
                id: letter.to_number,
                from: memory.party(letter.from),
                subject: letter.subject.clone(),
                unread: letter.unread,
            };
            Some(News::Tell { to: Audience::Principal(letter.to.into()), event: Event::Mail(event) })
        }
        Row::LetterRefused { player, from, mailbox, .. } => {
            let event = MailRefused { from: memory.party(*from), limit: *mailbox };
            Some(News::Tell { to: Audience::Principal((*player).into()), event: Event::MailRefused(event) })
        }
        Row::Epoch { who, reason, .. } => Some(News::Out { who: *who, reason: reason.clone() }),
        Row::Granted { player, .. } | Row::Revoked { player, .. } => Some(News::Rights { player: *player }),
        Row::Licence(licence) => Some(of_licence(memory, licence)),
        Row::LicenceGone { world, .. } => {
            let (world, name) = (*world, memory.name((*world).into()).unwrap_or_default());
            Some(News::Licence { world, name, stop: Some(Stop::Deleted), terms: false })
        }
        Row::WorldStarted { world, at, by, .. } => {
            Some(News::Started { world: *world, at: *at, by: StartedBy::clone(by) })
        }
        Row::PlayerLimit { player, .. } => Some(News::Limited { player: *player }),
        Row::PlayerLasted { session, since, .. } => Some(News::Counted { session: *session, since: *since }),
        Row::Universe { .. } => Some(News::Universe),
        Row::Property { holder, name, property, by } => of_property(memory, *holder, name, property, *by),
        Row::Board(board) => {
            let was = read(&memory.boards).get(board.id).map(|ranking| ranking.board.name.clone())?;
            let msg = format!(
                "The board {was} is called {new} from now on. RECORD WATCH {new} watches it again.",
                new = board.name
            );
            (was != board.name).then_some(News::Unwatched { topic: Topic::Board(board.id), msg })
        }
        Row::BoardCleared { board } => {
            let name = read(&memory.boards).get(*board).map(|ranking| ranking.board.name.clone())?;
            let event = Event::Notice(Notice { msg: format!("All scores were taken off the board {name}.") });
            Some(News::Tell { to: Audience::Topic(Topic::Board(*board)), event })
        }
        Row::BoardGone { board } => {
            let name = read(&memory.boards).get(*board).map(|ranking| ranking.board.name.clone())?;
            let msg = format!("The board {name} was deleted by the operator.");
            Some(News::Unwatched { topic: Topic::Board(*board), msg })
        }
        Row::ServerNamed { server, .. } => Some(News::Renamed { who: (*server).into() }),
        // First places come from the overlay: only one of a transaction's many is told.
        Row::Standing { .. } | Row::Withdrawn { .. } => None,
        Row::Player(_)
        | Row::PlayerHash { .. }
        | Row::PlayerLogin { .. }
        | Row::PlayerDisabled { .. }
        | Row::PlayerRating { .. }
        | Row::PlayerSeen { .. }
        | Row::PlayerUnseen { .. }
        | Row::Server(_)
        | Row::ServerKey { .. }
        | Row::ServerAuthed { .. }
        | Row::ServerDisabled { .. }
        | Row::ServerAllowed { .. }
        | Row::ServerGone { .. }
        | Row::Setting { .. }
        | Row::LetterRead { .. }
        | Row::LetterGone { .. }
        | Row::Blocked { .. }
        | Row::Unblocked { .. }
        | Row::Keyed { .. }
        | Row::WorldStopped { .. }
        | Row::WorldPurged { .. }
        | Row::WorldPlayed { .. }
        | Row::Preference { .. }
        | Row::RelayMark { .. } => None,
    }
}

/// What a licence means that is another one than memory has.
fn of_licence(memory: &Memory, licence: &KeptLicence) -> News {
    let licences = read(&memory.licences);
    let before = licences.get(licence.id);
    let stop = match before {
        _ if licence.disabled.is_some() => Some(Stop::Disabled),
        Some(before) if before.password != licence.password => Some(Stop::Password),
        _ => None,
    };
    let terms = before.is_some_and(|before| host_terms(before) != host_terms(licence));
    News::Licence { world: licence.id, name: licence.name.clone(), stop, terms }
}

/// Nothing of a property that nobody is told of.
fn of_property(
    memory: &Memory,
    holder: Principal,
    name: &str,
    property: &KeptProperty,
    by: Option<u64>,
) -> Option<News> {
    let KeptProperty { value, version, push, read, kept, .. } = property.clone();
    let deleted = value.is_none();
    // A host hears of its world in any case; and somebody may have left while this was written.
    let of_a_world = holder.kind == PrincipalKind::World;
    if !push && !of_a_world && (kept || deleted) {
        return None;
    }
    // Of a world whose licence is gone nobody is told.
    memory.name(holder)?;
    let (value, base64) = value.map_or((None, None), |value| value.shown());
    let changed = PropertyChanged { of: memory.party(holder), name: name.to_owned(), value, base64, version, deleted };
    Some(News::Property { holder, changed, read, push, by })
}

fn follow_property(memory: &Memory, holder: Principal, name: String, property: &KeptProperty) {
    let mut temporary = write(&memory.temporary_properties);
    if property.value.is_some() && !property.kept {
        temporary.entry(holder).or_default().insert(name);
    } else if let Some(his) = temporary.get_mut(&holder) {
        his.remove(&name);
        if his.is_empty() {
            temporary.remove(&holder);
        }
    }
}

/// Takes rows into memory. `rows` is empty then.
pub fn apply(memory: &Memory, rows: &mut Vec<Row>) {
    // Most rows are scores, and the event loop reads boards all the time: one lock for all of them.
    let mut boards = rows.iter().any(is_of_a_board).then(|| write(&memory.boards));
    for row in rows.drain(..) {
        match row {
            Row::Standing { board, standing } => {
                if let Some(boards) = &mut boards {
                    boards.put(board, standing);
                }
            }
            Row::Withdrawn { board, was, .. } => {
                if let Some(boards) = &mut boards {
                    boards.withdraw(board, was.player);
                }
            }
            Row::Board(board) => {
                if let Some(boards) = &mut boards {
                    boards.define(board);
                }
            }
            Row::BoardCleared { board } => {
                if let Some(boards) = &mut boards {
                    boards.clear(board);
                }
            }
            Row::BoardGone { board } => {
                if let Some(boards) = &mut boards {
                    boards.remove(board);
                }
            }
            Row::Player(player) => {
                write(&memory.directory).insert(player.id, &player.name, &player.folded, &player.skeleton);
                write(&memory.emails).extend(player.email.map(|email| (player.id, email.into())));
            }
            Row::Server(server) => drop(write(&memory.servers).insert(server.id, server.name)),
            Row::ServerNamed { server, name } => drop(write(&memory.servers).insert(server, name)),
            Row::ServerGone { server } => {
                if let Some(boards) = &mut boards {
                    boards.forget_server(server);
                }
                write(&memory.servers).remove(&server);
                write(&memory.checkers).remove(&server);
                write(&memory.epochs).remove(&Principal::from(server));
                bar(memory, server.into(), false);
            }
            Row::PlayerDisabled { player, reason } => bar(memory, player.into(), reason.is_some()),
            Row::ServerDisabled { server, disabled } => bar(memory, server.into(), disabled),
            Row::ServerAllowed { server, login_check } => {
                let mut checkers = write(&memory.checkers);
                match login_check {
                    true => checkers.insert(server),
                    false => checkers.remove(&server),
                };
            }
            Row::PlayerRating { player, rating } => {
                let mut ratings = write(&memory.ratings);
                match rating {
                    Some(rating) => ratings.insert(player, rating),
                    None => ratings.remove(&player),
                };
            }
            Row::PlayerSeen { player, network } => write(&memory.networks).see(player, network),
            Row::PlayerUnseen { player, network } => write(&memory.networks).forget(player, network),
            Row::Epoch { who, epoch, .. } => drop(write(&memory.epochs).insert(who, epoch)),
            Row::Licence(licence) => write(&memory.licences).put(*licence),
            Row::WorldStopped { world, at } => write(&memory.licences).stopped(world, at),
            Row::WorldStarted { world, at, address, .. } => write(&memory.licences).started(world, at, address),
            Row::LicenceGone { world, .. } => write(&memory.licences).remove(world),
            Row::Granted { player, right } => {
                write(&memory.rights).entry(player).or_default().insert(right);
            }
            Row::Revoked { player, right } => {
                let mut rights = write(&memory.rights);
                if let Some(his) = rights.get_mut(&player) {
                    his.remove(&right);
                    if his.is_empty() {
                        rights.remove(&player);
                    }
                }
            }
            Row::PlayerLimit { player, minutes } => {
                let mut limits = write(&memory.limits);
                match minutes {
                    Some(minutes) => limits.insert(player, minutes),
                    None => limits.remove(&player),
                };
            }
            Row::Universe { key, value } => write(&memory.universe).put(key, value),
            Row::Property { holder, name, property, .. } => follow_property(memory, holder, name, &property),
            Row::WorldPurged { world } => {
                write(&memory.temporary_properties).remove(&Principal::from(world));
                write(&memory.played).remove(&world);
            }
            Row::WorldPlayed { world, key, value } => {
                let mut played = write(&memory.played);
                let keys = played.entry(world).or_default();
                keys.put(key, value);
                if keys.is_empty() {
                    played.remove(&world);
                }
            }
            Row::PlayerHash { .. }
            | Row::PlayerLogin { .. }
            | Row::PlayerLasted { .. }
            | Row::ServerKey { .. }
            | Row::ServerAuthed { .. }
            | Row::Setting { .. }
            | Row::Letter(_)
            | Row::LetterRead { .. }
            | Row::LetterGone { .. }
            | Row::LetterRefused { .. }
            | Row::Blocked { .. }
            | Row::Unblocked { .. }
            | Row::Keyed { .. }
            | Row::Preference { .. }
            | Row::RelayMark { .. } => {}
        }
    }
}

fn is_of_a_board(row: &Row) -> bool {
    matches!(
        row,
        Row::Standing { .. }
            | Row::Withdrawn { .. }
            | Row::Board(_)
            | Row::BoardCleared { .. }
            | Row::BoardGone { .. }
            | Row::ServerGone { .. }
    )
}

fn bar(memory: &Memory, who: Principal, out: bool) {
    let mut barred = write(&memory.barred);
    match out {
        true => barred.insert(who),
        false => barred.remove(&who),
    };
}

#[cfg(test)]
mod tests;
