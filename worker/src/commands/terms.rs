//! WORLD PLAY: how a world is played through us, for operators and owners. Runs in a worker.

use super::{Arg, Command};
use crate::render::{Screen, Shown};
use ssmglobal_ipc::{Code, Kind, Request, SaidBy, Secret, WorldPlay, WorldPlayed};
use std::fmt::{Result, Write};

pub(super) const WORLD_PLAY: Command = Command {
    name: "WORLD PLAY",
    summary: "Say how a world is played from here, or see it",
    args: &[
        Arg::word("name", "the world, in any case"),
        Arg::word("key", "play (where it is: the operator's alone), kind, login …; all are shown when left out")
            .optional(),
        Arg::text("value", "as in the config's `[world.NAME]`, several with blanks; left out: as its kind says")
            .optional(),
    ],
    example: "WORLD PLAY atlantis kind tinymux",
    returns: "`world`, `terms` (each with `key`, `value`, `said_by`: file, licence or kind), `in_use` (which of its addresses, once \
              somebody has come to it). What the config file says counts over what is set here. Where it is, is shown to operators; what \
              a heartbeat says, to nobody",
    codes: &[Code::NotFound, Code::Denied, Code::Invalid],
    ..Command::request(Kind::WorldPlay, |parsed| {
        let name = parsed.string("name")?;
        let key = parsed.opt_string("key")?;
        let value = parsed.opt_written("value").map(Secret::new);
        Ok(Request::WorldPlay(WorldPlay { name, key, value }))
    })
};

impl Shown for WorldPlayed {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        let is_played = |at: &str| self.terms.iter().any(|term| term.key == at && !term.value.is_empty());
        match self.terms.iter().any(|term| term.key == "play") && !is_played("play") {
            true => write!(f, "{} is not played from here: WORLD PLAY {0} play ADDRESS says where it is.", self.world),
            false => write!(f, "How {} is played:", self.world),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        let said_by = |by: SaidBy| match by {
            SaidBy::Kind => "its kind",
            SaidBy::File => "config file",
            SaidBy::Licence => "WORLD PLAY",
        };
        let width = self.terms.iter().map(|term| term.key.len()).max().unwrap_or_default();
        for term in &self.terms {
            // Whole: who looks at a pattern wants to see all of it.
            let value = if term.value.is_empty() { "none" } else { &term.value };
            screen.entry(&term.key, width, &format!("{value} ({})", said_by(term.said_by)));
        }
        if let Some(address) = &self.in_use {
            screen.line(format!("{address} is used now."));
        }
    }
}
