//! Who could change a file: what root executes or believes must be what nobody but root can put there. Runs in the listener,
//! in the child that reads the settings, and in the operator's commands.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{Metadata, symlink_metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Links that a path may lead over, as the kernel has it.
const LINKS: usize = 40;

/// The mode's bits by which group and others may write.
const OTHERS_WRITE: u32 = 0o022;

/// Why somebody else than root could put something else at this place, for the operator; nothing is wrong with what only root
/// can change. It looks at each directory and each link on the way: whoever may change one of these chooses what is found.
///
/// # Errors
/// That, or the kernel's word why it cannot be looked at.
pub fn only_roots(path: &Path) -> Result<(), String> {
    let whole = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut rest: VecDeque<OsString> = parts(&whole);
    let (mut at, mut links) = (PathBuf::from("/"), 0);
    check(&at, rest.is_empty())?;
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            at.pop();
            continue;
        }
        at.push(part);
        let Some(to) = check(&at, rest.is_empty())? else { continue };
        links += 1;
        if links > LINKS {
            return Err(format!("{} leads over too many links", path.display()));
        }
        at.pop();
        if to.is_absolute() {
            at = PathBuf::from("/");
        }
        parts(&to).into_iter().rev().for_each(|part| rest.push_front(part));
    }
    Ok(())
}

/// The names on the way, and the steps back.
fn parts(path: &Path) -> VecDeque<OsString> {
    let named = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(named).collect()
}

/// Looks at one step of the way; gives where it leads, if it is a link.
fn check(at: &Path, last: bool) -> Result<Option<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", at.display());
    let found = symlink_metadata(at).map_err(failed)?;
    if found.uid() != 0 {
        return Err(format!("{} belongs to user {}", at.display(), found.uid()));
    }
    if found.is_symlink() {
        return std::fs::read_link(at).map(Some).map_err(failed);
    }
    // In a directory like /tmp nobody can move what is root's, and the next step is looked at.
    let sticky = found.is_dir() && found.mode() & 0o1000 != 0 && !last;
    match others_write(&found) && !sticky {
        true => Err(format!("{} can be changed by others than root (mode {:o})", at.display(), found.mode() & 0o7777)),
        false => Ok(None),
    }
}

/// Whether others than its owner may write to it.
pub fn others_write(found: &Metadata) -> bool {
    found.mode() & OTHERS_WRITE != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, create_dir, set_permissions, write};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    fn mode(path: &Path, mode: u32) {
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_whole_way_must_be_roots() {
        if !nix::unistd::geteuid().is_root() {
            println!("skipped: only root owns what is root's");
            return;
        }
        let base = std::env::temp_dir().join(format!("ssmglobal-owned-{}", std::process::id()));
        create_dir(&base).unwrap();
        let [dir, file, link] = ["dir", "dir/file", "link"].map(|name| base.join(name));
        create_dir(&dir).unwrap();
        write(&file, "x").unwrap();
        symlink("dir/../dir/./file", &link).unwrap();
        for path in [&file, &link, &base.join("dir/../link")] {
            assert_eq!(only_roots(path), Ok(()), "{}", path.display());
        }
        let refused = |what: &str, wrong: &Path| {
            for path in [&file, &link] {
                let why = only_roots(path).expect_err(what);
                assert!(why.contains(&wrong.display().to_string()), "{what}: {why}");
            }
        };
        mode(&file, 0o775);
        refused("a file that its group can change", &file);
        mode(&file, 0o755);
        mode(&dir, 0o777);
        refused("a directory that all can change", &dir);
        mode(&dir, 0o1777);
        assert_eq!(only_roots(&file), Ok(()), "nobody can move what is root's there");
        assert!(only_roots(&dir).is_err(), "and yet it is no file of root's alone");
        mode(&dir, 0o755);
        for (what, path) in [("a file", &file), ("a directory", &dir), ("the one above it", &base)] {
            chown(path, Some(4242), Some(4242)).unwrap();
            refused(what, path);
            chown(path, Some(0), Some(0)).unwrap();
        }
        std::os::unix::fs::lchown(&link, Some(4242), Some(4242)).unwrap();
        assert_eq!(only_roots(&file), Ok(()));
        assert!(
            only_roots(&link).is_err_and(|why| why.contains("belongs to user 4242")),
            "whoever owns a link can move it"
        );
        assert!(only_roots(&base.join("nothing")).is_err());
        let circle = base.join("circle");
        symlink("circle", &circle).unwrap();
        assert!(only_roots(&circle).is_err());
        std::fs::remove_dir_all(&base).unwrap();
    }
}
