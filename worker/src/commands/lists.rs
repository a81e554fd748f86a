//! Lists that clients mirror: all of one, then only what changes. Runs in a worker.

use super::{Arg, Command, Group, Parsed};
use crate::render::{Column, Pushed, Row, Screen, Shown, plural};
use serde::Serialize;
use ssmglobal_ipc::{
    Code, Failure, FullUser, Kind, List, ListChanged, ListRead, ListRows, ListUnwatch, ListWatch, ListWatched, Listed,
    ListedUser, Party, Position, Rating, Request, UserMore, UserState, WorldStatus, json,
};
use std::fmt::{Result, Write};

const EPOCH: Arg = Arg::int("epoch", 0, u64::MAX, "the `epoch` that you have; all of it without one").optional();
const SERIAL: Arg = Arg::int("serial", 0, u64::MAX, "the `serial` that you have").optional();
const LIST: Arg = Arg::word("list", "worlds or users");

const READ: &[Arg] = &[EPOCH, SERIAL, Arg::limit()];

pub(super) static GROUP: Group = Group {
    title: "Lists to mirror",
    word: Some("LIST"),
    commands: &[
        Command {
            name: "LIST WORLDS",
            summary: "Get the worlds, or what has changed of them",
            args: READ,
            example: "LIST WORLDS",
            returns: "`epoch`, `serial` (to go on from), `more` (ask again at once), `whole` (forget what you have), `rows` (by \
                      their last change, the oldest first; each with `name`, `status`, `users`, `max`, `rating`, `description`, \
                      `listed`), `gone` (names that are there no longer)",
            ..Command::request(Kind::ListWorlds, |parsed| Ok(Request::ListWorlds(read(parsed)?)))
        },
        Command {
            name: "LIST USERS",
            summary: "Get who is on, or what has changed of that",
            args: READ,
            example: "LIST USERS",
            returns: "`epoch`, `serial`, `more`, `whole`, `rows` (each with `name`, `number`, `world`, `state`, for operators \
                      `address`, `rights` and `email` as well), `gone`; as of LIST WORLDS",
            codes: &[Code::Denied],
            ..Command::request(Kind::ListUsers, |parsed| Ok(Request::ListUsers(read(parsed)?)))
        },
        Command {
            name: "LIST WATCH",
            summary: "Be told what changes in a list",
            args: &[LIST, EPOCH, SERIAL],
            example: "LIST WATCH worlds",
            returns: "`list`, `epoch` and `serial`: from where on you are told. If you have others, LIST first",
            codes: &[Code::Invalid, Code::Denied],
            ..Command::request(Kind::ListWatch, |parsed| {
                Ok(Request::ListWatch(ListWatch { list: list(parsed)?, after: position(parsed)? }))
            })
        },
        Command {
            name: "LIST UNWATCH",
            summary: "Be told no longer",
            args: &[LIST],
            done: "You will no longer be told.",
            example: "LIST UNWATCH worlds",
            codes: &[Code::Invalid],
            ..Command::request(Kind::ListUnwatch, |parsed| {
                Ok(Request::ListUnwatch(ListUnwatch { list: list(parsed)? }))
            })
        },
    ],
};

fn read(parsed: &mut Parsed<'_>) -> std::result::Result<ListRead, Failure> {
    Ok(ListRead { after: position(parsed)?, limit: parsed.opt_number("limit")? })
}

/// With one of both there is none.
fn position(parsed: &mut Parsed<'_>) -> std::result::Result<Option<Position>, Failure> {
    let (epoch, number) = (parsed.opt_number("epoch")?, parsed.opt_number("serial")?);
    Ok(epoch.zip(number).map(|(epoch, number)| Position { epoch, number }))
}

fn list(parsed: &mut Parsed<'_>) -> std::result::Result<List, Failure> {
    let word = parsed.string("list")?;
    List::parse(&word).ok_or_else(|| Failure::new(Code::Invalid, "There are the lists worlds and users."))
}

/// A user as programs see him.
#[derive(Serialize)]
struct UserRow<'a> {
    name: &'a str,
    number: u32,
    world: Option<&'a str>,
    state: UserState,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    more: Option<&'a UserMore>,
    /// Who may not see it is told of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Option<&'a str>>,
}

impl<'a> From<&'a ListedUser> for UserRow<'a> {
    fn from(user: &'a ListedUser) -> UserRow<'a> {
        let ListedUser { name, number, world, state, more } = user;
        UserRow { name, number: *number, world: world.as_deref(), state: *state, more: more.as_ref(), email: None }
    }
}

impl<'a> From<&'a FullUser> for UserRow<'a> {
    fn from(FullUser { user, email }: &'a FullUser) -> UserRow<'a> {
        UserRow { email: Some(email.as_deref()), ..user.into() }
    }
}

/// Users of either kind of rows.
fn users(rows: &ListRows) -> Vec<UserRow<'_>> {
    match rows {
        ListRows::Worlds(_) => Vec::new(),
        ListRows::Users(rows) => rows.iter().map(UserRow::from).collect(),
        ListRows::UsersInFull(rows) => rows.iter().map(UserRow::from).collect(),
    }
}

/// Rows as programs see them.
struct Rows<'a>(&'a ListRows);

impl Serialize for Rows<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            ListRows::Worlds(rows) => rows.serialize(serializer),
            ListRows::Users(_) | ListRows::UsersInFull(_) => serializer.collect_seq(users(self.0)),
        }
    }
}

#[derive(Serialize)]
struct ListedData<'a> {
    epoch: u64,
    serial: u64,
    more: bool,
    whole: bool,
    rows: Rows<'a>,
    gone: &'a [String],
}

#[derive(Serialize)]
struct Watched {
    list: List,
    epoch: u64,
    serial: u64,
}

#[derive(Serialize)]
struct Changed<'a> {
    list: List,
    epoch: u64,
    from: u64,
    serial: u64,
    rows: Rows<'a>,
    gone: &'a [String],
}

fn count(rows: &ListRows) -> String {
    let one = match rows.list() {
        List::Worlds => "world",
        List::Users => "user",
    };
    plural(rows.len(), one).to_string()
}

impl Shown for Listed {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        let what = if self.whole { "All of it" } else { "What has changed" };
        let end = if self.more { ", and there is more" } else { "" };
        write!(f, "{what}: {}{end}.", count(&self.rows))
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        match &self.rows {
            ListRows::Worlds(worlds) if !worlds.is_empty() => {
                let rows = worlds.iter().map(|world| {
                    let users = format!("{}/{}", world.users, world.max);
                    let status = if world.status == WorldStatus::Public { "" } else { world.status.as_str() };
                    let rating = if world.rating == Rating::G { "" } else { world.rating.as_str() };
                    let (name, about) = (world.name.clone(), world.description.clone());
                    Row::new([name, users, status.to_owned(), rating.to_owned(), about])
                });
                let columns = [
                    Column::name("World"),
                    Column::number("Users"),
                    Column::detail("Status"),
                    Column::detail("Rating"),
                    Column::text("Description"),
                ];
                screen.table(&columns, rows.collect());
            }
            rows @ (ListRows::Users(_) | ListRows::UsersInFull(_)) if !rows.is_empty() => {
                let rows = users(rows).into_iter().map(|user| {
                    let (address, rights) = user.more.map_or_else(Default::default, |more| {
                        (more.address.clone().unwrap_or_default(), more.rights.join(" "))
                    });
                    let email = user.email.flatten().unwrap_or_default().to_owned();
                    let world = user.world.unwrap_or_default().to_owned();
                    Row::new([for_people(user.name), world, address, rights, email])
                });
                let columns = [
                    Column::name("User"),
                    Column::name("World"),
                    Column::name("Address"),
                    Column::text("Rights"),
                    Column::name("E-mail"),
                ];
                screen.table(&columns, rows.collect());
            }
            ListRows::Worlds(_) | ListRows::Users(_) | ListRows::UsersInFull(_) => {}
        }
        if !self.gone.is_empty() {
            let gone: Vec<String> = self.gone.iter().map(|name| gone_for_people(self.rows.list(), name)).collect();
            screen.hint(format!("There no longer: {}.", gone.join(", ")));
        }
        let list = self.rows.list().as_str().to_uppercase();
        screen.hint(format!("To go on: LIST {list} {} {}", self.at.epoch, self.at.number));
    }

    fn data(&self, out: &mut Vec<u8>) {
        let Listed { at: Position { epoch, number: serial }, more, whole, rows, gone } = self;
        let (epoch, serial, more, whole) = (*epoch, *serial, *more, *whole);
        json::put(out, &ListedData { epoch, serial, more, whole, rows: Rows(rows), gone });
    }
}

impl Shown for ListWatched {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "You will be told what changes in the list of {} from here on.", self.list.as_str())
    }

    fn data(&self, out: &mut Vec<u8>) {
        let ListWatched { list, at: Position { epoch, number: serial } } = *self;
        json::put(out, &Watched { list, epoch, serial });
    }
}

impl Pushed for ListChanged {
    fn say(&self, f: &mut dyn Write) -> Result {
        let (list, rows) = (self.rows.list().as_str(), &self.rows);
        let names: Vec<String> = match rows {
            ListRows::Worlds(rows) => rows.iter().map(|row| row.name.clone()).collect(),
            ListRows::Users(_) | ListRows::UsersInFull(_) => {
                users(rows).into_iter().map(|row| for_people(row.name)).collect()
            }
        };
        let gone: Vec<String> = self.gone.iter().map(|name| gone_for_people(rows.list(), name)).collect();
        match (names.is_empty(), self.gone.is_empty()) {
            (true, true) => write!(f, "You see the list of {list} in another way now: LIST {}", list.to_uppercase()),
            (false, true) => write!(f, "{list}: {}", some(&names)),
            (true, false) => write!(f, "{list}: gone: {}", some(&gone)),
            (false, false) => write!(f, "{list}: {}; gone: {}", some(&names), some(&gone)),
        }
    }

    fn line(&self, name: &str, out: &mut Vec<u8>) {
        let ListChanged { from, at: Position { epoch, number: serial }, rows, gone } = self;
        let (list, epoch, from, serial) = (rows.list(), *epoch, *from, *serial);
        json::put_event(out, name, &Changed { list, epoch, from, serial, rows: Rows(rows), gone });
    }
}

/// A user for a person: a visitor stands in quotes.
fn for_people(user: &str) -> String {
    Party::parse(user).for_people()
}

/// The same of what is there no longer.
fn gone_for_people(list: List, name: &str) -> String {
    match list {
        List::Worlds => name.to_owned(),
        List::Users => for_people(name),
    }
}

/// Names for a person, who cannot read many at once.
fn some<T: AsRef<str>>(names: &[T]) -> String {
    const MANY: usize = 10;
    let first: Vec<&str> = names.iter().take(MANY).map(AsRef::as_ref).collect();
    let rest = names.len().saturating_sub(MANY);
    if rest == 0 { first.join(", ") } else { format!("{} and {rest} more", first.join(", ")) }
}
