//! `ssmglobal restore`: puts a backup in the place of the database. Works on the files, while no backend runs on them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use ssmglobal_ipc::Code;
use ssmglobal_store::{Restored, Source, StoreError};

use crate::ctl::Trouble;
use crate::listener::users::{Users, make_directories};
use crate::location::Location;
use crate::print;

const EXAMPLES: &str = "\
Examples:
  ssmglobal restore /var/backups/ssmglobal-2026-11-20.db
  ssmglobal --data /srv/ssm restore ssmglobal-2026-11-20.db
  ssmglobal restore data/ssmglobal.db.before-2026-11-26T03-11-00Z
                                     go back to what was there

The backend must not run. The file is looked through first: format, schema,
checksum, structure, and what rows say about each other. What was there is
never deleted: it gets names with the time. To do it again is no harm. When it
is interrupted, the old database is there, or the next start goes on to the new
one. Everybody has to log in again.
Exit status: 0 done, 1 refused or failed, 2 the command line makes no sense.";

/// Put a backup in the place of the database
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RestoreArgs {
    /// The backup; it is only read
    file: PathBuf,

    #[command(flatten)]
    place: Location,

    /// Print the answer, or the error, as one line of JSON
    #[arg(long)]
    json: bool,
}

/// What was done, as `--json` shows it.
#[derive(Serialize)]
struct Report<'a> {
    database: String,
    file: String,
    aside: Vec<String>,
    #[serde(flatten)]
    found: &'a Found,
}

#[derive(Serialize)]
struct Found {
    players: u64,
    mails: u64,
    records: u64,
    settings: u64,
}

/// Puts it in place. `place` is what was said about config and data in front of `restore`.
pub fn run(args: RestoreArgs, place: Location) -> ExitCode {
    let json = args.json;
    let result = restore(args, place).and_then(|text| {
        let lost = |error| Trouble::Here(Code::Unavailable, format!("it was done, but the answer is lost: {error}"));
        print::out(&text).map_err(lost)
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            trouble.tell(json);
            trouble.exit_code()
        }
    }
}

fn restore(args: RestoreArgs, place: Location) -> Result<String, Trouble> {
    let settings = args.place.or(place).settings().map_err(Trouble::invalid)?;
    let users = Users::find(&settings).map_err(Trouble::invalid)?;
    let here = |error: std::io::Error| Trouble::Here(Code::Unavailable, error.to_string());
    // Read as whoever asks, written as the user whose the data is.
    let source = Source::open(&args.file).map_err(|error| trouble(&error))?;
    make_directories(&settings, &users).map_err(here)?;
    if let Some(ids) = users.handler() {
        ssmglobal_sys::become_user(ids).map_err(here)?;
    }
    let data = std::path::absolute(&settings.data).map_err(here)?;
    let database = data.join(ssmglobal_handler::DATABASE);
    let Restored { found, aside } = ssmglobal_store::restore(&source, &database).map_err(|error| match error {
        StoreError::Locked(_) => Trouble::Here(
            Code::Busy,
            format!("a backend runs with the data in {}: stop it first. Nothing was changed", data.display()),
        ),
        error => trouble(&error),
    })?;
    let file = args.file.display().to_string();
    if !found.problems.is_empty() {
        let problems: Vec<String> = found.problems.iter().map(|problem| format!("  {problem}")).collect();
        let why = format!("{file} is not sound, so nothing was changed; take another one:\n{}", problems.join("\n"));
        return Err(Trouble::Here(Code::Invalid, why));
    }
    let (players, mails, records, settings) = (found.players, found.mails, found.records, found.settings);
    let found = Found { players, mails, records, settings };
    let aside: Vec<String> = aside.iter().map(|name| name.display().to_string()).collect();
    let database = database.display().to_string();
    Ok(match args.json {
        true => print::json(&Report { database, file, aside, found: &found }) + "\n",
        false => text(&database, &file, &aside, &found),
    })
}

fn text(database: &str, file: &str, aside: &[String], found: &Found) -> String {
    let Found { players, mails, records, settings } = found;
    let mut text = format!(
        "{} is now what {} holds: {players} players, {mails} mails, {records} records, {settings} settings.\n",
        print::clean(database),
        print::clean(file)
    );
    if !aside.is_empty() {
        text.push_str("What was there is set aside; delete it when you do not need it any more:\n");
        aside.iter().for_each(|name| text.push_str(&format!("  {}\n", print::clean(name))));
    }
    text.push_str("Start the backend. Everybody has to log in again.\n");
    text
}

fn trouble(error: &StoreError) -> Trouble {
    match error {
        StoreError::Unavailable(why) => Trouble::Here(Code::Unavailable, format!("{why}. Nothing was changed")),
        error => Trouble::invalid(format!("{error}. Nothing was changed")),
    }
}
