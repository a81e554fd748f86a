//! Which backend of this machine the operator means, where he has not said so: that of the place where he is, that of the
//! machine's config file, or that at the standard place. The one that runs is asked.

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use ssmglobal_config::{DATABASE, DEFAULT_FILE, SYSTEM_FILE, Settings};

use crate::location::{Location, for_root};

/// Where the data of a service is, unless its config says otherwise.
pub const STANDARD_DATA: &str = "/var/lib/ssmglobal";

/// The backend that is meant.
#[derive(Debug, PartialEq, Eq)]
pub struct Meant {
    /// Its data directory.
    pub data: PathBuf,
    /// Where else it was looked for in vain.
    pub others: Vec<PathBuf>,
    /// What to say of the choice.
    pub note: Option<Note>,
}

impl Meant {
    /// The sockets at the other places.
    pub fn sockets(&self) -> impl Iterator<Item = PathBuf> {
        self.others.iter().map(|data| data.join(ssmglobal_handler::CTL_SOCKET))
    }
}

/// What to say of the choice.
#[derive(Debug, PartialEq, Eq)]
pub enum Note {
    /// Something that a person may like to know.
    Aside(String),
    /// Something that matters: another one might have been meant.
    Said(String),
}

/// A place where one may be, or why that one is not believed.
type Place = Result<PathBuf, String>;

/// Finds it.
///
/// # Errors
/// What is wrong with what was named, or with the only one that there might be.
pub fn backend(place: Location) -> Result<Meant, String> {
    if place.is_named() {
        return place.data().map(|data| Meant { data, others: Vec::new(), note: None });
    }
    choose(candidates(place)?, &runs)
}

/// The places in their order, without those that are nowhere. What is wrong here counts only if there is no other.
fn candidates(place: Location) -> Result<Vec<Place>, String> {
    // A directory that is only called so is none.
    let here = Path::new(DEFAULT_FILE).exists() || Settings::default().data.join(DATABASE).exists();
    let machine = Path::new(SYSTEM_FILE);
    let of_machine = Location { config: Some(machine.to_owned()), data: None };
    let mut places: Vec<Place> = Vec::new();
    if here {
        let data = place.clone().data();
        // A config that is wrong now does not end what was started by it: where its data usually is, one may run.
        let usual = data.is_err().then(|| Settings::default().data).filter(|usual| is_ours(usual));
        places.push(data);
        places.extend(usual.map(Ok));
    }
    if machine.exists() {
        let data = for_root(machine).and_then(|()| of_machine.data());
        // What its service sees from where it starts cannot be told here.
        places.extend([data].into_iter().filter(|data| data.as_ref().map_or(true, |at| at.is_absolute())));
    }
    if Path::new(STANDARD_DATA).exists() {
        places.push(Ok(PathBuf::from(STANDARD_DATA)));
    }
    let mut seen = Vec::new();
    places.retain(|place| {
        let real = place.as_ref().ok().and_then(|data| data.canonicalize().ok());
        let new = real.is_none() || !seen.contains(&real);
        seen.push(real);
        new
    });
    if places.is_empty() {
        places.push(place.data());
    }
    Ok(places)
}

/// Whether this is a database's directory that whoever asks may believe: root only its own.
fn is_ours(data: &Path) -> bool {
    let owner = std::fs::metadata(data.join(DATABASE)).map(|found| found.uid());
    owner.is_ok_and(|owner| !geteuid().is_root() || owner == 0)
}

fn choose(places: Vec<Place>, runs: &dyn Fn(&Path) -> bool) -> Result<Meant, String> {
    let running: Vec<&PathBuf> = places.iter().flatten().filter(|data| runs(data)).collect();
    let Some(data) = running.first().map(|data| (*data).clone()) else {
        let mut places = places.into_iter();
        // Where several are wrong or do not run, the first is the nearest.
        let data = places.next().unwrap_or_else(|| Ok(Settings::default().data))?;
        return Ok(Meant { data, others: places.flatten().collect(), note: None });
    };
    let at = data.display();
    let nearest = places.first().is_some_and(|first| first.as_ref() == Ok(&data));
    let note = match running.get(1) {
        Some(other) => Some(Note::Said(format!(
            "a backend runs in {at} and another in {}: the first is asked; --data DIR names the other",
            other.display()
        ))),
        None if !nearest => Some(Note::Said(format!("the backend in {at} is asked, which is the one that runs"))),
        None if data.is_absolute() => Some(Note::Aside(format!("the backend in {at} is asked"))),
        None => None,
    };
    Ok(Meant { data, others: Vec::new(), note })
}

/// Whether somebody listens there. Who it is, is looked at when he is asked something.
fn runs(data: &Path) -> bool {
    UnixStream::connect(data.join(ssmglobal_handler::CTL_SOCKET)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(places: &[Result<&str, &str>], running: &[&str]) -> Result<Meant, String> {
        let places = places.iter().map(|place| place.map(PathBuf::from).map_err(str::to_owned)).collect();
        choose(places, &|data| running.iter().any(|other| data == Path::new(other)))
    }

    #[test]
    fn the_one_that_runs_is_asked() {
        let places = [Ok("data"), Ok("/srv/a"), Ok("/var/lib/ssmglobal")];
        let meant = chosen(&places, &["/srv/a"]).unwrap();
        assert_eq!(meant.data, Path::new("/srv/a"));
        assert!(matches!(meant.note, Some(Note::Said(text)) if text.contains("/srv/a is asked")));
        // The one of this place needs no word.
        assert_eq!(chosen(&places, &["data"]).unwrap().note, None);
        let alone = chosen(&places[1..2], &["/srv/a"]).unwrap();
        assert!(matches!(alone.note, Some(Note::Aside(text)) if text.contains("/srv/a")));
    }

    #[test]
    fn of_several_that_run_the_nearest_is_asked_and_the_other_is_named() {
        let meant = chosen(&[Ok("data"), Ok("/srv/a"), Ok("/srv/b")], &["/srv/b", "/srv/a"]).unwrap();
        assert_eq!(meant.data, Path::new("/srv/a"));
        assert!(matches!(meant.note, Some(Note::Said(text)) if text.contains("/srv/a") && text.contains("/srv/b")));
    }

    #[test]
    fn where_none_runs_all_places_are_told() {
        let meant = chosen(&[Ok("data"), Err("strange"), Ok("/srv/b")], &[]).unwrap();
        assert_eq!((meant.data, meant.others), (PathBuf::from("data"), vec![PathBuf::from("/srv/b")]));
        assert_eq!(chosen(&[Err("belongs to another"), Ok("/srv/b")], &[]).unwrap_err(), "belongs to another");
        // One that is not believed keeps nobody from the one that runs.
        assert_eq!(chosen(&[Err("belongs to another"), Ok("/srv/b")], &["/srv/b"]).unwrap().data, Path::new("/srv/b"));
    }
}
