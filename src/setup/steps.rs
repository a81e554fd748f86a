//! The steps of `ssmglobal setup`. Each looks first, leaves what is there, and says what it did.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::location::for_root;
use crate::print;
use ssmglobal_sys::Account;

/// The user that the backend runs as, and its group.
pub const USER: &str = "ssmglobal";

/// Where the program is put if it does not lie where programs are installed.
const PROGRAM: &str = "/usr/local/bin/ssmglobal";

/// Where they are.
const INSTALLED: [&str; 6] = ["/usr", "/opt", "/bin", "/sbin", "/nix", "/gnu"];

/// What there is of the commands that make a user: with shadow's, and with busybox'.
const MAKERS: [&[&str]; 2] = [
    &["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "--home-dir"],
    &["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", "-G", USER, "-h"],
];

/// Does the steps, or only says what they would do.
pub struct Steps {
    /// Nothing is done.
    pub dry: bool,
}

impl Steps {
    fn say(&self, what: &str, is_there: bool) {
        let did = match (is_there, self.dry) {
            (true, _) => "is there",
            (false, true) => "would make",
            (false, false) => "made",
        };
        // Where nobody reads it, the steps are done all the same.
        let _ = print::out(&format!("{did:<12}{}\n", print::clean(what)));
    }

    /// Where the program is, or is put.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn program(&self) -> Result<String, String> {
        let own = std::env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
        if INSTALLED.iter().any(|at| own.starts_with(at)) {
            for_root(&own).map_err(|why| format!("root starts only what nobody else can change: {why}"))?;
            return quotable(&own);
        }
        let there = Path::new(PROGRAM).exists();
        if !there && !self.dry {
            let bytes = std::fs::read(&own).map_err(|error| format!("{}: {error}", own.display()))?;
            make_file(Path::new(PROGRAM), &bytes, 0o755)?;
        }
        self.say(&format!("the program {PROGRAM}"), there);
        Ok(PROGRAM.to_owned())
    }

    /// The user, without a way to log in.
    ///
    /// # Errors
    /// Why it cannot be made, and what to do.
    pub fn user(&self, home: &str) -> Result<(), String> {
        let there = find_user()?.is_some();
        if !there && !self.dry {
            make_user(home)?;
        }
        self.say(&format!("the user {USER}"), there);
        Ok(())
    }

    /// A directory, for this user, or for root, and for nobody else.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub fn directory(&self, path: &str, of_user: bool, mode: u32) -> Result<(), String> {
        let found = std::fs::metadata(path);
        let there = found.is_ok();
        if !there && !self.dry {
            make_directory(Path::new(path), of_user, mode)?;
        }
        self.say(&format!("the directory {path}"), there);
        let user = find_user()?.filter(|_| of_user);
        if let (Ok(found), Some(user)) = (found, user)
            && found.uid() != user.user
        {
            print::note(&format!(
                "ssmglobal: {path} belongs to user {}, so the backend cannot use it as {USER}; chown -R {USER}:{USER} {path}",
                found.uid()
            ));
        }
        Ok(())
    }

    /// A file, with the directories above it; one that is there stays as it is. Gives whether it has what it should have.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub fn file(&self, path: &str, text: &str, mode: u32) -> Result<bool, String> {
        let there = std::fs::read(path);
        match &there {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if !self.dry {
                    let above = Path::new(path).parent().unwrap_or(Path::new("/"));
                    std::fs::create_dir_all(above).map_err(|error| format!("{}: {error}", above.display()))?;
                    make_file(Path::new(path), text.as_bytes(), mode)?;
                }
                self.say(path, false);
                Ok(true)
            }
            Err(error) => Err(format!("{path}: {error}")),
            Ok(bytes) if bytes == text.as_bytes() => {
                self.say(path, true);
                Ok(true)
            }
            Ok(_) => {
                self.say(&format!("{path}, changed or of another version: it stays as it is"), true);
                Ok(false)
            }
        }
    }
}

fn find_user() -> Result<Option<Account>, String> {
    Account::named(USER).map_err(|error| format!("the user {USER} cannot be looked up: {error}"))
}

/// A path that needs no quotes in any piece.
fn quotable(path: &Path) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    match path.to_str().filter(|text| text.chars().all(plain)) {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!(
            "{} has characters that supervisors take for others: put the program at {PROGRAM}",
            path.display()
        )),
    }
}

fn make_user(home: &str) -> Result<(), String> {
    // Without shadow's command the group is made by itself.
    let _ = Command::new("addgroup").args(["-S", USER]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    for words in MAKERS {
        let Some((program, options)) = words.split_first() else { continue };
        match Command::new(program).args(options).args([home, USER]).stdin(Stdio::null()).output() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{program} cannot be started: {error}")),
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                return Err(format!("{program} does not make the user {USER}: {}", print::clean_lines(said.trim())));
            }
        }
    }
    Err(format!("neither useradd nor adduser is here: make a user {USER} with a group of its own, then do this again"))
}

fn make_directory(path: &Path, of_user: bool, mode: u32) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("the directory {} cannot be made: {error}", path.display());
    if let Some(above) = path.parent() {
        std::fs::create_dir_all(above).map_err(|error| failed(&error))?;
    }
    DirBuilder::new().mode(mode).create(path).map_err(|error| failed(&error))?;
    let made = File::open(path).map_err(|error| failed(&error))?;
    let user = find_user()?.filter(|_| of_user);
    if let Some(user) = user {
        fchown(&made, Some(user.user), Some(user.group)).map_err(|error| failed(&error))?;
    }
    made.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(|error| failed(&error))
}

/// Whole or not there: under another name until it is on disk.
fn make_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), String> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let write = || -> std::io::Result<()> {
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(mode).open(&new)?;
        file.write_all(bytes)?;
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        // What somebody has put there meanwhile stays.
        std::fs::hard_link(&new, path)
    };
    let written = write();
    // It has its name by now, or is of no use.
    let _ = std::fs::remove_file(&new);
    written.map_err(|error| format!("{} cannot be written: {error}", path.display()))
}
