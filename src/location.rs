//! Where config and data are, as the command line says it: in front of every command, and once more behind `ctl`. Used
//! where the command line is read, and in the operator's commands.

use std::path::PathBuf;

use clap::Args;

/// Where config and data are.
#[derive(Clone, Debug, Default, Args)]
pub struct Location {
    /// The config file [default: $SSMGLOBAL_CONFIG, else config/ssmglobal.toml if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The directory of the database and the run files [default: from the config, else data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Location {
    /// This one, and `other` for what this one leaves open.
    pub fn or(self, other: Location) -> Location {
        Location { config: self.config.or(other.config), data: self.data.or(other.data) }
    }
}
