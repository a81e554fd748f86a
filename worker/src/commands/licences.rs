//! Licences of worlds, for those who grant them and those who have one. Runs in a worker.

use super::entry::WORLD_ENTER;
use super::properties::show_properties;
use super::terms::WORLD_PLAY;
use super::{Arg, Command, Group, Parsed};
use crate::render::{Column, Counted, Row, Screen, Shown, plural};
use ssmglobal_ipc::{
    Code, Failure, Kind, Licence, Licences, Request, Time, WorldAdd, WorldChange, WorldDelete, WorldDisable, WorldKey,
    WorldName, WorldShown, WorldStatus, WorldTerms,
};
use std::fmt::{Result, Write};

const NAME: Arg = Arg::word("name", "the world, in any case");

/// What can be said of a licence, behind `name` and `owner`.
const USERS: Arg = Arg::int("users", 1, 1024, "users at the most; 50 at first").optional().keyword("USERS");
const SIZE: Arg = Arg::int("size", 1, 3275, "how large it may be; 100 at first").optional().keyword("SIZE");
const EMAIL: Arg = Arg::word("email", "the owner's, for the operator; \"\" takes it away").optional().keyword("EMAIL");
const EXPIRES: Arg =
    Arg::word("expires", "when it ends: a day as 2027-01-31, a moment as 2027-01-31T20:15:00Z, or never")
        .optional()
        .keyword("EXPIRES");
const CLIENT: Arg =
    Arg::word("client", "the least version of a client, as 4 or 4.2; 0 is any").optional().keyword("CLIENT");
const LISTED: Arg = Arg::flag("listed", "LISTED", "HIDDEN", "whether it is in lists; a hidden one is found by name");
const VISITORS: Arg =
    Arg::flag("visitors", "VISITORS", "NO-VISITORS", "whether visitors are let in; at first they are");
const VOICE: Arg = Arg::flag("voice", "VOICE", "NO-VOICE", "whether there is voice");
const PLUGINS: Arg = Arg::flag("plugins", "PLUGINS", "NO-PLUGINS", "whether there are plugins");
const CHECK_ADDRESS: Arg =
    Arg::flag("check_address", "CHECK-ADDRESS", "ANY-ADDRESS", "whether a ticket counts only where it was given");
const COMMENT: Arg = Arg::text("comment", "what everybody is told of the world").optional().keyword("COMMENT");

macro_rules! licence_members {
    () => {
        "`name`, `number`, `owner`, `users`, `size`, `email`, `comment`, `created`, `expires` (null is never), `disabled` \
         (why, or null), `last_started`, `last_address`, `listed`, `visitors`, `voice`, `plugins`, `client`, \
         `check_address`, `status`, `host`"
    };
}

pub(super) static GROUP: Group = Group {
    title: "Worlds that have a licence",
    word: Some("WORLD"),
    commands: &[
        WORLD_ENTER,
        Command {
            name: "WORLD SHOW",
            summary: "Look a world up",
            args: &[NAME],
            example: "WORLD SHOW atlantis",
            returns: concat!(
                "`name`, `description`, `status` (public, restricted, stopped), `users`, `max`, `rating`, `licence` (for its \
                 owner and operators, else null: ",
                licence_members!(),
                "), `properties` (those that are shown here, as FINGER shows those of players, each with `name` and `value` or `base64`), \
                 `played` (whether PLAY leads to it from here), `play` (where it is, for operators)"
            ),
            codes: &[Code::NotFound],
            ..Command::request(Kind::WorldShow, |parsed| Ok(Request::WorldShow(name(parsed)?)))
        },
        Command {
            name: "WORLD LIST",
            summary: "List the licences of your worlds",
            args: Arg::PAGE,
            example: "WORLD LIST",
            returns: concat!("`licences` (each with ", licence_members!(), "), `total`, `next`. An operator sees all"),
            ..Command::request(Kind::WorldList, |parsed| Ok(Request::WorldList(parsed.page()?)))
        },
        Command {
            name: "WORLD CHANGE",
            summary: "Change a licence; some of it is its owner's",
            args: &[
                NAME,
                Arg::word("owner", "another owner").optional().keyword("OWNER"),
                USERS,
                SIZE,
                EMAIL,
                EXPIRES,
                CLIENT,
                LISTED,
                VISITORS,
                VOICE,
                PLUGINS,
                CHECK_ADDRESS,
                COMMENT,
            ],
            done: "The licence is changed.",
            example: "WORLD CHANGE atlantis HIDDEN COMMENT \"Closed for the winter\"",
            codes: &[Code::NotFound, Code::Denied, Code::Invalid, Code::TooLong],
            ..Command::request(Kind::WorldChange, |parsed| {
                Ok(Request::WorldChange(WorldChange {
                    name: parsed.string("name")?,
                    owner: parsed.opt_string("owner")?,
                    terms: terms(parsed)?,
                }))
            })
        },
        WORLD_PLAY,
        Command {
            name: "WORLD PASSWORD",
            summary: "Make another hosting password; the old one is over",
            args: &[NAME],
            example: "WORLD PASSWORD atlantis",
            returns: "`world`, `password` (shown once: null when it is asked again)",
            codes: &[Code::NotFound, Code::Denied],
            ..Command::request(Kind::WorldPassword, |parsed| Ok(Request::WorldPassword(name(parsed)?)))
        },
        Command {
            name: "WORLD ADD",
            summary: "Grant a licence, and make its hosting password",
            args: &[
                Arg::word("name", "2-16 letters, digits, `_-.`; unlike that of any other world"),
                Arg::word("owner", "the player whose world it is"),
                USERS,
                SIZE,
                EMAIL,
                EXPIRES,
                CLIENT,
                LISTED,
                VISITORS,
                VOICE,
                PLUGINS,
                CHECK_ADDRESS,
                COMMENT,
            ],
            example: "WORLD ADD Atlantis bob USERS 100 EXPIRES 2030-01-31 COMMENT \"Under water\"",
            returns: "`world`, `password` (shown once: null when it is asked again)",
            codes: &[Code::Exists, Code::NotFound, Code::Denied, Code::Invalid, Code::TooLong, Code::Limit],
            ..Command::request(Kind::WorldAdd, |parsed| {
                Ok(Request::WorldAdd(WorldAdd {
                    name: parsed.string("name")?,
                    owner: parsed.string("owner")?,
                    terms: terms(parsed)?,
                }))
            })
        },
        Command {
            name: "WORLD DISABLE",
            summary: "Refuse a licence from now on, and stop its world",
            args: &[
                NAME,
                Arg::text("reason", "what its host is told, and what its owner sees").optional().keyword("REASON"),
            ],
            done: "The licence is refused from now on. WORLD ENABLE takes it again.",
            example: "WORLD DISABLE atlantis Not paid.",
            codes: &[Code::NotFound, Code::Denied, Code::TooLong],
            ..Command::request(Kind::WorldDisable, |parsed| {
                Ok(Request::WorldDisable(WorldDisable {
                    name: parsed.string("name")?,
                    reason: parsed.opt_string("reason")?,
                }))
            })
        },
        Command {
            name: "WORLD ENABLE",
            summary: "Take a licence again",
            args: &[NAME],
            done: "The licence is taken again.",
            example: "WORLD ENABLE atlantis",
            codes: &[Code::NotFound, Code::Denied],
            ..Command::request(Kind::WorldEnable, |parsed| Ok(Request::WorldEnable(name(parsed)?)))
        },
        Command {
            name: "WORLD DELETE",
            summary: "Take a licence away, and stop its world",
            args: &[
                NAME,
                Arg::flag(
                    "purge",
                    "PURGE",
                    "KEEP",
                    "whether what is kept of the world goes too; else the next licence of \
                                                     its name within 60 days finds it",
                ),
            ],
            done: "The licence is gone.",
            done_for: |request| match request {
                Request::WorldDelete(WorldDelete { purge: true, .. }) => {
                    Some("The licence is gone, and all that was kept of the world.")
                }
                _ => None,
            },
            example: "WORLD DELETE atlantis",
            codes: &[Code::NotFound, Code::Denied],
            ..Command::request(Kind::WorldDelete, |parsed| {
                let purge = parsed.opt_flag("purge")?.unwrap_or_default();
                Ok(Request::WorldDelete(WorldDelete { name: parsed.string("name")?, purge }))
            })
        },
    ],
};

fn name(parsed: &mut Parsed<'_>) -> std::result::Result<WorldName, Failure> {
    Ok(WorldName { name: parsed.string("name")? })
}

fn terms(parsed: &mut Parsed<'_>) -> std::result::Result<WorldTerms, Failure> {
    Ok(WorldTerms {
        users: parsed.opt_number("users")?,
        size: parsed.opt_number("size")?,
        email: parsed.opt_text("email")?,
        comment: parsed.opt_text("comment")?,
        expires: parsed.opt_parsed("expires")?,
        listed: parsed.opt_flag("listed")?,
        visitors: parsed.opt_flag("visitors")?,
        voice: parsed.opt_flag("voice")?,
        plugins: parsed.opt_flag("plugins")?,
        client: parsed.opt_parsed("client")?,
        check_address: parsed.opt_flag("check_address")?,
    })
}

impl Shown for WorldKey {
    fn say(&self, f: &mut dyn Write, asked: Kind) -> Result {
        let (world, lost) = (&self.world, self.password.is_none());
        let done = match asked {
            Kind::WorldAdd => format!("{world} has a licence."),
            _ => format!("{world} has another hosting password."),
        };
        match lost {
            true => write!(f, "{done} The password was not kept: WORLD PASSWORD {world} makes another."),
            false => write!(f, "{done} The hosting password is shown this once, and only its digest is kept:"),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if let Some(password) = &self.password {
            screen.line(password.expose());
            screen.hint(format!("The host says: HOST START {} password port", self.world));
        }
    }
}

impl Shown for WorldShown {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        let WorldShown { name, status, users, max, rating, .. } = self;
        match status {
            WorldStatus::Stopped => write!(f, "{name} is stopped."),
            _ => write!(
                f,
                "{name} is {}, rated {}, with {users} of {}.",
                status.as_str(),
                rating.as_str(),
                plural(*max, "user")
            ),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        screen.block(0, &self.description);
        if self.played {
            screen.line(format!("PLAY {} leads there from here.", self.name));
        }
        show_properties(screen, &self.properties);
        if let Some(licence) = &self.licence {
            show_licence(screen, licence);
        }
        if !self.play.is_empty() {
            screen.line(format!("It is at {}.", self.play.join(", ")));
        }
    }
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn show_licence(screen: &mut Screen, licence: &Licence) {
    let time = |time: Option<Time>| time.map_or("never".to_owned(), |time| screen.moment(time));
    let started = match &licence.last_address {
        Some(address) => format!("{} from {address}", time(licence.last_started)),
        None => time(licence.last_started),
    };
    let facts = [
        ("Owner", licence.owner.clone()),
        ("E-mail", licence.email.clone().unwrap_or_default()),
        ("Number", licence.number.to_string()),
        ("Users", licence.users.to_string()),
        ("Size", licence.size.to_string()),
        ("Created", time(Some(licence.created))),
        ("Expires", time(licence.expires)),
        ("Disabled", licence.disabled.clone().unwrap_or_default()),
        ("Last started", started),
        ("Hosted by", licence.host.clone().unwrap_or_default()),
        ("In lists", yes(licence.listed)),
        ("Visitors", yes(licence.visitors)),
        ("Voice", yes(licence.voice)),
        ("Plugins", yes(licence.plugins)),
        ("Client from", if licence.client.0 == 0 { "any version".to_owned() } else { licence.client.to_string() }),
        ("Tickets", if licence.check_address { "where they were given" } else { "anywhere" }.to_owned()),
    ];
    screen.facts(&facts);
}

impl Shown for Licences {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match self.total {
            0 => f.write_str("No licences of worlds."),
            total => write!(f, "{}.", plural(total, "licence")),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if self.licences.is_empty() {
            screen.hint("The operator grants them: WORLD ADD, or ssmglobal ctl world add.");
            return;
        }
        let rows = self.licences.iter().map(|licence| {
            let ends = licence.expires.map_or("never".to_owned(), |end| screen.minute(end));
            let over = licence.expires.is_some_and(|end| end <= Time::now());
            let state = match (&licence.disabled, over) {
                (Some(_), _) => "disabled",
                (None, true) => "expired",
                (None, false) => licence.status.as_str(),
            };
            let name = licence.name.clone();
            Row::new([name, state.to_owned(), licence.users.to_string(), licence.owner.clone(), ends])
        });
        let columns = [
            Column::name("World"),
            Column::detail("State"),
            Column::number("Users"),
            Column::name("Owner"),
            Column::detail("Expires"),
        ];
        screen.table(&columns, rows.collect());
        let shown = self.licences.len();
        let counted = Counted { shown, total: Some(self.total), what: "licences" };
        screen.page(counted, &format!("WORLD LIST {shown}"), self.next.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::ArgKind;

    #[test]
    fn what_is_said_of_a_licence_has_the_same_arguments_everywhere() {
        let args = |name: &str| -> Vec<Arg> {
            let command = GROUP.commands.iter().find(|command| command.name == name).expect("a command");
            command.args.iter().skip_while(|arg| arg.name != "users").copied().collect()
        };
        assert_eq!(args("WORLD ADD"), args("WORLD CHANGE"));
        assert!(args("WORLD ADD").iter().all(|arg| arg.optional));
        assert!(args("WORLD ADD").iter().all(|arg| arg.keyword.is_some() || matches!(arg.kind, ArgKind::Flag { .. })));
    }
}
