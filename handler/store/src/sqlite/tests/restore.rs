//! A copy is put in the place of the database.

use super::*;
use crate::sqlite::file::beside;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A folder with a database of bob, crashed, and a copy from before him.
struct Scene {
    folder: TempDir,
    path: PathBuf,
    copy: PathBuf,
}

impl Scene {
    fn new() -> Scene {
        let place = Place::new();
        let mut writer = place.writer();
        add(&mut *writer, 1, "alice");
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("ssm.db"), folder.path().join("copy.db"));
        place.store.backup(&copy, &mut |_, _| {}).unwrap();
        add(&mut *writer, 2, "bob");
        for suffix in ["", "-wal", "-shm"] {
            fs::copy(beside(place.store.path(), suffix), beside(&path, suffix)).unwrap();
        }
        Scene { folder, path, copy }
    }

    fn restore(&self) -> Result<Restored> {
        crate::restore(&Source::open(&self.copy)?, &self.path)
    }

    fn players(&self) -> Vec<String> {
        let store = SqliteStore::open(&self.path).unwrap();
        let players = store.reader().unwrap().players(None, 10).unwrap();
        players.into_iter().map(|player| player.name).collect()
    }

    /// What lies beside the database, without what has a time in its name.
    fn beside(&self) -> Vec<String> {
        names(self.folder.path())
            .into_iter()
            .filter(|name| name.starts_with("ssm.db") && !name.contains(".before-"))
            .collect()
    }
}

fn add(writer: &mut dyn Writer, id: u32, name: &str) {
    commit(writer, |tx| {
        tx.next_number(Sequence::Player).unwrap();
        tx.put(&player(id, name)).unwrap();
    });
}

#[test]
fn what_was_there_is_set_aside_and_can_be_put_back() {
    let scene = Scene::new();
    let old = ["", "-wal"].map(|suffix| fs::read(beside(&scene.path, suffix)).unwrap());
    let restored = scene.restore().unwrap();
    assert_eq!((restored.found.players, &restored.found.problems), (1, &vec![]));
    assert_eq!(scene.beside(), ["ssm.db", "ssm.db.lock"]);
    assert_eq!(fs::metadata(&scene.path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(restored.aside.len(), 3, "{restored:?}");
    assert_eq!([0, 1].map(|at| fs::read(&restored.aside[at]).unwrap()), old);
    assert_eq!(scene.players(), ["alice"]);
    // Once more is no harm, and each time has names of its own.
    let again = scene.restore().unwrap();
    assert!(again.aside.iter().all(|name| !restored.aside.contains(name)), "{again:?}");
    assert_eq!(scene.players(), ["alice"]);
    // The database that was there, with its log.
    let back = crate::restore(&Source::open(&restored.aside[0]).unwrap(), &scene.path).unwrap();
    assert_eq!(back.found.problems, Vec::<String>::new());
    assert_eq!(scene.players(), ["alice", "bob"]);
    assert_eq!([0, 1].map(|at| fs::read(&restored.aside[at]).unwrap()), old, "it was only read");
}

#[test]
fn a_database_in_use_is_left_alone() {
    let scene = Scene::new();
    let store = SqliteStore::open(&scene.path).unwrap();
    assert!(matches!(scene.restore(), Err(StoreError::Locked(path)) if path == scene.path));
    assert_eq!(store.reader().unwrap().player_count().unwrap(), 2);
    drop(store);
    scene.restore().unwrap();
    assert_eq!(scene.players(), ["alice"]);
}

#[test]
fn a_copy_that_is_not_sound_changes_nothing() {
    let scene = Scene::new();
    let unchanged = |why: &str| {
        assert_eq!(scene.beside(), ["ssm.db", "ssm.db-shm", "ssm.db-wal", "ssm.db.lock"], "{why}");
        assert!(!names(scene.folder.path()).iter().any(|name| name.contains(".before-")), "{why}");
    };
    let good = fs::read(&scene.copy).unwrap();
    let mut bad = good.clone();
    let at = good.windows(5).position(|window| window == b"alice").unwrap();
    bad[at] ^= 1;
    fs::write(&scene.copy, bad).unwrap();
    let found = scene.restore().unwrap();
    assert!(
        found.found.problems.iter().any(|problem| problem.contains("checksum")) && found.aside.is_empty(),
        "{found:?}"
    );
    unchanged("a changed byte");
    fs::write(&scene.copy, &good[..good.len() - 4096]).unwrap();
    assert!(!scene.restore().unwrap().found.problems.is_empty());
    unchanged("cut off");
    fs::write(&scene.copy, b"something else").unwrap();
    assert!(matches!(scene.restore(), Err(StoreError::NotADatabase(path)) if path == scene.copy));
    unchanged("no database");
    fs::write(&scene.copy, &good).unwrap();
    fs::copy(beside(&scene.path, "-wal"), beside(&scene.copy, "-wal")).unwrap();
    let error = scene.restore().unwrap_err();
    assert!(matches!(&error, StoreError::Beside { file, .. } if *file == beside(&scene.copy, "-wal")), "{error}");
    unchanged("a log that is not its own");
    let itself = crate::restore(&Source::open(&scene.path).unwrap(), &scene.path).unwrap_err().to_string();
    assert!(itself.contains("is the database itself"), "{itself}");
    unchanged("itself");
    assert_eq!(scene.players(), ["alice", "bob"]);
}

#[test]
fn a_death_in_the_middle_leaves_the_old_or_the_new() {
    // How far it has come: what is to be the database is there under its name, and the rest step by step.
    let steps: [fn(&Path); 4] = [
        |_| {},
        |path| fs::hard_link(path, beside(path, ".before-then")).unwrap(),
        |path| fs::rename(beside(path, "-wal"), beside(path, ".before-then-wal")).unwrap(),
        |path| fs::rename(beside(path, "-shm"), beside(path, ".before-then-shm")).unwrap(),
    ];
    for done in 0..=steps.len() {
        for again in [false, true] {
            let scene = Scene::new();
            let other = Scene::new();
            other.restore().unwrap();
            // Before it is decided: half a file under a name that nobody looks for.
            fs::write(beside(&scene.path, ".0123456789abcdef.new"), b"half").unwrap();
            if done > 0 {
                fs::copy(&other.path, beside(&scene.path, ".restored")).unwrap();
            }
            steps.iter().take(done).for_each(|step| step(&scene.path));
            if again {
                scene.restore().unwrap();
            }
            let expected: &[&str] = if done > 0 || again { &["alice"] } else { &["alice", "bob"] };
            assert_eq!(scene.players(), expected, "after {done} steps, again: {again}");
            assert!(!beside(&scene.path, ".restored").exists());
            if done > 0 {
                let aside = names(scene.folder.path()).into_iter().filter(|name| name.contains(".before-"));
                assert!(aside.count() >= 3, "nothing is lost");
            }
        }
    }
}

#[test]
fn where_there_was_nothing_there_is_the_copy() {
    let scene = Scene::new();
    let path = scene.folder.path().join("new.db");
    let restored = crate::restore(&Source::open(&scene.copy).unwrap(), &path).unwrap();
    assert_eq!(restored.aside, Vec::<PathBuf>::new());
    assert_eq!(SqliteStore::open(&path).unwrap().reader().unwrap().player_count().unwrap(), 1);
}
