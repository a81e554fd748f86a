//! Users and groups by their names and numbers, as the machine knows them: its lists in `/etc`, and for what is not there
//! `getent`, which asks whatever else the machine has been told to ask. The C library would load parts of itself for that, which a
//! program that is linked statically must not rely on. Used where settings are read, where a backend is set up, and in messages.

use std::fs;
use std::io;
use std::process::{Command, Stdio};

/// Where a machine has it.
const GETENT: [&str; 2] = ["/usr/bin/getent", "/bin/getent"];

/// What `getent` says where nobody is called so.
const NOBODY_THERE: i32 = 2;

/// The longest name that is asked for.
const LONGEST: usize = 256;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What he is called.
    pub name: String,
    /// His number.
    pub user: u32,
    /// The number of his group.
    pub group: u32,
}

impl Account {
    /// The user of this name.
    ///
    /// # Errors
    /// The machine's lists cannot be read, or `getent` has failed; that there is no such user is none.
    pub fn named(name: &str) -> io::Result<Option<Account>> {
        find("passwd", name, account, |account| account.name == name)
    }

    /// The user of this number.
    ///
    /// # Errors
    /// As [`Account::named`].
    pub fn numbered(user: u32) -> io::Result<Option<Account>> {
        find("passwd", &user.to_string(), account, |account| account.user == user)
    }
}

/// The number of the group of this name.
///
/// # Errors
/// As [`Account::named`].
pub fn group_named(name: &str) -> io::Result<Option<u32>> {
    let group = find("group", name, group, |(found, _)| found == name)?;
    Ok(group.map(|(_, number)| number))
}

/// A line of the list of users: name, password, number, group, and more.
fn account(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let (name, _, user, group) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Some(Account { name: name.to_owned(), user: user.parse().ok()?, group: group.parse().ok()? })
}

/// A line of the list of groups: name, password, number, members.
fn group(line: &str) -> Option<(String, u32)> {
    let mut fields = line.split(':');
    let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
    Some((name.to_owned(), number.parse().ok()?))
}

fn find<T>(list: &str, key: &str, read: fn(&str) -> Option<T>, is_it: impl Fn(&T) -> bool) -> io::Result<Option<T>> {
    let path = format!("/etc/{list}");
    let listed = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(io::Error::new(error.kind(), format!("{path}: {error}"))),
    };
    match listed.lines().filter_map(read).find(&is_it) {
        Some(found) => Ok(Some(found)),
        None => Ok(asked(list, key)?.lines().filter_map(read).find(&is_it)),
    }
}

/// What `getent` says; nothing where there is none.
fn asked(list: &str, key: &str) -> io::Result<String> {
    // A name that would be an option, or several, is nobody's.
    let strange = |c: char| c == ':' || c.is_whitespace() || c.is_control();
    if key.is_empty() || key.len() > LONGEST || key.starts_with('-') || key.contains(strange) {
        return Ok(String::new());
    }
    for program in GETENT {
        let mut command = Command::new(program);
        match command.args([list, key]).env_clear().stdin(Stdio::null()).stderr(Stdio::null()).output() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io::Error::new(error.kind(), format!("{program}: {error}"))),
            Ok(output) => {
                return match output.status.code() {
                    Some(0 | NOBODY_THERE) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
                    _ => Err(io::Error::other(format!("{program} has failed ({})", output.status))),
                };
            }
        }
    }
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_found_by_name_and_number() {
        let root = Account { name: "root".to_owned(), user: 0, group: 0 };
        assert_eq!(Account::named("root").unwrap(), Some(root.clone()));
        assert_eq!(Account::numbered(0).unwrap(), Some(root));
        assert_eq!(group_named("root").unwrap(), Some(0));
    }

    #[test]
    fn nobody_is_found_by_what_is_no_name_or_nobodys() {
        for name in ["", "-s", "--help", "no such user", "root:", "a\nb", "nobody-is-called-so"] {
            assert_eq!(Account::named(name).unwrap(), None, "{name:?}");
            assert_eq!(group_named(name).unwrap(), None, "{name:?}");
        }
        assert_eq!(Account::numbered(u32::MAX - 7).unwrap(), None);
    }

    #[test]
    fn getent_says_what_the_list_does() {
        if !GETENT.iter().any(|program| fs::exists(program).unwrap()) {
            return println!("skipped: no getent here");
        }
        assert_eq!(asked("passwd", "root").unwrap().lines().find_map(account).unwrap().user, 0);
        assert_eq!(asked("passwd", "nobody-is-called-so").unwrap(), "");
    }

    #[test]
    fn a_line_that_is_none_is_passed_over() {
        for line in ["", "root", "root:x", "root:x:0", "root:x:zero:0", "+::::::", "# root:x:0:0"] {
            assert_eq!(account(line).filter(|account| account.name == "root"), None, "{line}");
        }
        assert_eq!(account("a:b:1:2:c:d:e"), Some(Account { name: "a".to_owned(), user: 1, group: 2 }));
        assert_eq!(group("a:b:1:c,d"), Some(("a".to_owned(), 1)));
    }
}
