//! Where config and data are, as the command line says it: in front of every command, and once more behind some. Used where
//! the command line is read, and in the operator's commands.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use nix::unistd::geteuid;
use ssmglobal_config::{CONFIG_VARIABLE, DATA_VARIABLE, Loaded, Overrides, Problem, Settings, environment, load_if};

/// Where config and data are.
#[derive(Clone, Debug, Default, Args)]
pub struct Location {
    /// The config file [default: $SSMGLOBAL_CONFIG, else config/ssmglobal.toml, else /etc/ssmglobal.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The directory of the database and the run files [default: from the config, else data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// What root says of a file that it is to execute or to believe: nothing, if nobody else can change it. Who is not root has
/// nothing to say.
///
/// # Errors
/// Who could change it.
pub fn for_root(path: &Path) -> Result<(), String> {
    if geteuid().is_root() { ssmglobal_sys::only_roots(path) } else { Ok(()) }
}

impl Location {
    /// This one, and `other` for what this one leaves open.
    pub fn or(self, other: Location) -> Location {
        Location { config: self.config.or(other.config), data: self.data.or(other.data) }
    }

    /// The data directory: as named, or as the backend would find it.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub fn data(self) -> Result<PathBuf, String> {
        match self.data {
            Some(data) => Ok(data),
            None => self.settings().map(|settings| settings.data),
        }
    }

    /// Whether somebody has said which backend is meant: on the command line, or in the environment.
    pub fn is_named(&self) -> bool {
        let set = |name: &str| environment().any(|(other, value)| other == name && !value.is_empty());
        self.config.is_some() || self.data.is_some() || set(CONFIG_VARIABLE) || set(DATA_VARIABLE)
    }

    /// The settings of the backend whose operator asks. Root believes nothing that lies where it happens to be.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub fn settings(self) -> Result<Settings, String> {
        let named = self.is_named();
        let overrides = Overrides { data: self.data, ..Overrides::default() };
        // A file that root has named itself is what it wants to have read.
        let believed = |path: &Path, named: bool| if named { Ok(()) } else { for_root(path) };
        let Loaded { settings, file, .. } = load_if(self.config.as_deref(), environment(), &overrides, &believed)
            .map_err(|problems| where_unknown(&problems))?;
        if named || file.is_some() || !geteuid().is_root() {
            return Ok(settings);
        }
        match std::fs::metadata(&settings.data) {
            Ok(found) if found.uid() != 0 => Err(format!(
                "the directory {} here belongs to user {}, and nobody has named it: if it is meant, name it with --data DIR",
                settings.data.display(),
                found.uid()
            )),
            _ => Ok(settings),
        }
    }
}

fn where_unknown(problems: &[Problem]) -> String {
    let list: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
    format!(
        "cannot tell where the data directory is:\n{}\nPut this right, or name the directory with --data DIR",
        list.join("\n")
    )
}
