//! Puts the layers together: defaults, file, environment, command line. The only place here that
//! touches the disk. Runs in a short-lived child of the listener and in the operator's commands.

use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::draft::Draft;
use crate::file;
use crate::key::{Key, PREFIX};
use crate::listen::{DEFAULT_PORT, Listen};
use crate::problem::{Lines, Place, Problem, Warning};
use crate::rule::nearest;
use crate::rules;
use crate::settings::{KEYS, Settings};
use crate::value::Value;

/// The file that is read when it exists and no other is named, seen from where the program starts.
pub const DEFAULT_FILE: &str = "config/ssmglobal.toml";

/// The file of this machine's service, which is read when no other is named and nothing of a backend lies where the program
/// starts.
pub const SYSTEM_FILE: &str = "/etc/ssmglobal.toml";

/// Names the file when `--config` does not. An empty value counts as not set.
pub const CONFIG_VARIABLE: &str = "SSMGLOBAL_CONFIG";

/// Names the data directory where `--data` does not.
pub const DATA_VARIABLE: &str = "SSMGLOBAL_DATA";

/// What lies in a data directory that was used.
pub const DATABASE: &str = "ssmglobal.db";

/// Bytes of a config file; far beyond any sensible one.
const FILE_MAX: u64 = 64 * 1024;

/// What the command line says; fields that are `None` leave the other layers in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// `-a IP`: the main door listens only there.
    pub address: Option<IpAddr>,
    /// `-p PORT`: the main door's port, at every address of it.
    pub port: Option<u16>,
    /// `-b BYTES`: limits.line.
    pub line: Option<u64>,
    /// `-t SECONDS`: limits.first_mode_seconds, limits.idle_seconds and limits.anonymous_seconds; 0 = none.
    pub timeout: Option<u64>,
    /// `-m N`: limits.clients.
    pub clients: Option<u64>,
    /// `-c N`: limits.clients_per_address.
    pub clients_per_address: Option<u64>,
    /// `-D SECONDS`: means nothing any more, and is noted.
    pub server_delay: Option<String>,
    /// `-A SECONDS`: means nothing any more, and is noted.
    pub auto_save: Option<String>,
    /// `--data DIR`: the data directory.
    pub data: Option<PathBuf>,
    /// `--log-level LEVEL`: log.level.
    pub log_level: Option<String>,
}

/// Settings, and how they came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What holds.
    pub settings: Settings,
    /// The file that was read; none when there was none.
    pub file: Option<PathBuf>,
    /// What works, though probably not as wished.
    pub warnings: Vec<Warning>,
    /// Remarks for the log.
    pub notes: Vec<String>,
}

/// Our variables in this process's environment, for [`load`]. Bytes that are not UTF-8 become
/// U+FFFD, which paths refuse.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let ours = name.starts_with(PREFIX);
        ours.then(|| (name, value.to_string_lossy().into_owned()))
    })
}

/// Puts the settings together.
///
/// Without `path`, the file is the one that `SSMGLOBAL_CONFIG` names, else [`DEFAULT_FILE`] when it
/// exists, else [`SYSTEM_FILE`] when that exists, nobody has named a data directory, and there is no
/// database where it would be by default; else none. Errors: everything that is wrong in all layers,
/// that of the file first.
pub fn load(
    path: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
    overrides: &Overrides,
) -> Result<Loaded, Vec<Problem>> {
    load_if(path, env, overrides, &|_, _| Ok(()))
}

/// As [`load`], with a file that `believed` has nothing against: it gets the path, and whether somebody has named it, and says
/// why it is not to be believed. It is asked after the file was read, so nobody can put another one there meanwhile.
pub fn load_if(
    path: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
    overrides: &Overrides,
    believed: &Believed<'_>,
) -> Result<Loaded, Vec<Problem>> {
    load_or(path, env, overrides, [Path::new(DEFAULT_FILE), Path::new(SYSTEM_FILE)], believed)
}

/// Why a file is not to be believed, whose path it gets, and whether somebody has named it.
pub type Believed<'a> = dyn Fn(&Path, bool) -> Result<(), String> + 'a;

fn load_or(
    path: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
    overrides: &Overrides,
    [here, system]: [&Path; 2],
    believed: &Believed<'_>,
) -> Result<Loaded, Vec<Problem>> {
    let mut env: Vec<(String, String)> =
        env.filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty()).collect();
    // The environment has no order of its own; messages should not change from run to run.
    env.sort();
    let mut draft = Draft::default();
    // Who says where the data is, or has some here, means another backend than the machine's.
    let named = overrides.data.is_some() || env.iter().any(|(name, _)| name == DATA_VARIABLE);
    let of_machine = !named && !here.exists() && !draft.settings.data.join(DATABASE).exists() && system.exists();
    let default_file = if of_machine { system } else { here };
    let file = lay_file(&mut draft, path, &env, default_file, believed);
    lay_environment(&mut draft, &env);
    rules::door_for_people(&mut draft, overrides.port.is_some());
    lay_options(&mut draft, overrides);
    rules::judge(&mut draft);
    let (settings, warnings) = draft.finish()?;
    Ok(Loaded { settings, file, warnings, notes: notes(overrides) })
}

fn lay_file(
    draft: &mut Draft,
    path: Option<&Path>,
    env: &[(String, String)],
    default_file: &Path,
    believed: &Believed<'_>,
) -> Option<PathBuf> {
    let variable = env.iter().find(|(name, _)| name == CONFIG_VARIABLE);
    let named = path.or(variable.map(|(_, value)| Path::new(value)));
    let path = named.unwrap_or(default_file);
    let name = path.display().to_string();
    let bytes = match read(path, named.is_some()) {
        Ok(bytes) => bytes,
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            let wrong = format!("cannot be read: {error}");
            let how = match named {
                Some(_) => "give --config a file that this user can read",
                None => "let this user read it, or name another with --config",
            };
            whole(draft, Place::WholeFile(Arc::from(name)), wrong, how);
            return None;
        }
    };
    if let Err(why) = believed(path, named.is_some()) {
        let how = "let nobody but root be able to change it, or name another with --config";
        whole(draft, Place::WholeFile(Arc::from(name)), format!("root does not believe it: {why}"), how);
        return None;
    }
    if bytes.len() as u64 > FILE_MAX {
        let how = "name the config file with --config";
        let wrong = format!("has more than {FILE_MAX} bytes");
        whole(draft, Place::WholeFile(Arc::from(name)), wrong, how);
        return None;
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => file::lay(draft, text, &name),
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let good = String::from_utf8_lossy(good);
            let place = Lines::new(&name, &good).place(&(good.len()..good.len()));
            let wrong = "this byte is not UTF-8".to_owned();
            whole(draft, place, wrong, "save the file as UTF-8");
        }
    }
    Some(path.to_path_buf())
}

fn read(path: &Path, named: bool) -> io::Result<Vec<u8>> {
    // What is found where the program was started may be anybody's, and nothing that can be waited for.
    if !named && !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn whole(draft: &mut Draft, place: Place, wrong: String, how: &str) {
    draft.problems.push(Problem { place, key: String::new(), wrong, allowed: how.to_owned(), suggestion: None });
}

fn lay_environment(draft: &mut Draft, env: &[(String, String)]) {
    let names: Vec<String> = KEYS.iter().map(Key::variable).collect();
    for (name, value) in env.iter().filter(|(name, _)| name != CONFIG_VARIABLE) {
        let place = Place::Variable(name.clone());
        match KEYS.iter().zip(&names).find(|(_, known)| *known == name) {
            Some((key, _)) => draft.set(key, key.rule.plain(value), place),
            None => {
                let hint = match likely(name, &names) {
                    Some(meant) => format!("; did you mean {meant}?"),
                    None => String::new(),
                };
                // Other programs may use the prefix too, so this does not stop the start.
                let text = format!("no key has this variable{hint}");
                draft.warnings.push(Warning { place, text });
            }
        }
    }
}

fn likely<'a>(name: &str, names: &'a [String]) -> Option<&'a str> {
    // Without the prefix that all share, or any two would resemble each other.
    let bare = |name: &str| name.trim_start_matches(PREFIX).to_lowercase();
    let known: Vec<String> = names.iter().map(|name| bare(name)).collect();
    let meant = nearest(&bare(name), known.iter().map(String::as_str))?;
    let index = known.iter().position(|word| word == meant)?;
    names.get(index).map(String::as_str)
}

fn lay_options(draft: &mut Draft, overrides: &Overrides) {
    let numbers = [
        ("-b", "limits.line", overrides.line),
        ("-t", "limits.first_mode_seconds", overrides.timeout),
        ("-t", "limits.idle_seconds", overrides.timeout),
        ("-t", "limits.anonymous_seconds", overrides.timeout),
        ("-m", "limits.clients", overrides.clients),
        ("-c", "limits.clients_per_address", overrides.clients_per_address),
    ];
    for (option, path, number) in numbers {
        if let Some(number) = number {
            let text = number.to_string();
            lay_option(draft, option, path, &text);
        }
    }
    if let Some(data) = &overrides.data {
        lay_option(draft, "--data", "data", &data.to_string_lossy());
    }
    if let Some(level) = &overrides.log_level {
        lay_option(draft, "--log-level", "log.level", level);
    }
    lay_address(draft, overrides);
}

fn lay_option(draft: &mut Draft, option: &'static str, path: &str, text: &str) {
    if let Some(key) = KEYS.iter().find(|key| key.path == path) {
        draft.set(key, key.rule.plain(text), Place::Option(option));
    }
}

/// `-a` and `-p`: each replaces its half of the main door's addresses.
fn lay_address(draft: &mut Draft, overrides: &Overrides) {
    let present = &draft.settings.listen;
    let port = present.first().map_or(DEFAULT_PORT, Listen::port);
    let (list, option) = match (overrides.address, overrides.port) {
        (None, None) => return,
        (Some(ip), given) => (vec![Listen::new(ip, given.unwrap_or(port))], "-a"),
        (None, Some(port)) => {
            let mut list: Vec<Listen> = Vec::new();
            for address in present.iter().map(|address| address.with_port(port)) {
                if !list.contains(&address) {
                    list.push(address);
                }
            }
            (list, "-p")
        }
    };
    if let Some(key) = KEYS.iter().find(|key| key.path == "listen") {
        draft.set(key, Ok(Value::Addresses(list)), Place::Option(option));
    }
}

fn notes(overrides: &Overrides) -> Vec<String> {
    let delay = "option -D (server delay) is ignored: nothing here waits between turns";
    let save = "option -A (auto-save) is ignored: whatever was answered with OK is on disk";
    let given = [
        overrides.server_delay.as_ref().map(|_| delay.to_owned()),
        overrides.auto_save.as_ref().map(|_| save.to_owned()),
    ];
    given.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(default_file: &Path) -> Result<Loaded, Vec<Problem>> {
        let nowhere = Path::new("/nowhere/ssmglobal.toml");
        load_or(None, std::iter::empty(), &Overrides::default(), [default_file, nowhere], &|_, _| Ok(()))
    }

    #[test]
    fn the_machines_file_is_for_who_has_named_nothing_and_has_nothing_here() {
        let dir = tempfile::tempdir().unwrap();
        let [here, system] = ["here.toml", "system.toml"].map(|name| dir.path().join(name));
        let read = |env: &[(&str, &str)], data: Option<&str>| {
            let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let overrides = Overrides { data: data.map(Into::into), ..Overrides::default() };
            load_or(None, env, &overrides, [&here, &system], &|_, _| Ok(())).unwrap().file
        };
        assert_eq!(read(&[], None), None);
        std::fs::write(&system, "").unwrap();
        assert_eq!(read(&[], None), Some(system.clone()));
        assert_eq!(read(&[(DATA_VARIABLE, "")], None), Some(system.clone()));
        assert_eq!(read(&[(DATA_VARIABLE, "x")], None), None);
        assert_eq!(read(&[], Some("x")), None);
        std::fs::write(&here, "").unwrap();
        assert_eq!(read(&[], None), Some(here.clone()));
    }

    #[test]
    fn the_default_file_may_be_missing_but_not_unreadable() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ssmglobal.toml");
        let loaded = from(&path).unwrap();
        assert_eq!((loaded.file, loaded.settings), (None, Settings::default()));

        std::fs::write(&path, "data = \"here\"").unwrap();
        let loaded = from(&path).unwrap();
        assert_eq!(loaded.file.as_deref(), Some(path.as_path()));
        assert_eq!(loaded.settings.data, Path::new("here"));

        assert!(from(dir.path()).is_err());
    }

    #[test]
    fn every_named_path_is_a_key() {
        for path in rules::named_paths() {
            assert!(KEYS.iter().any(|key| key.path == path), "{path}");
        }
        let overrides = Overrides {
            line: Some(300),
            timeout: Some(1),
            clients: Some(1),
            clients_per_address: Some(1),
            data: Some("x".into()),
            log_level: Some("warn".to_owned()),
            ..Overrides::default()
        };
        let mut draft = Draft::default();
        lay_options(&mut draft, &overrides);
        assert_eq!(Settings::default().changed(&draft.settings).len(), 8);
    }
}
