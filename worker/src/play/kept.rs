//! What a player types while his world is down: it goes there when the world is back. Runs in a worker; pure.

use super::login::Login;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The most lines.
pub const MOST_LINES: usize = 50;

/// The most bytes of all of them together, without their ends.
pub const MOST_BYTES: usize = 8 << 10;

/// What has become of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It is kept.
    Kept,
    /// It is not: no more can be.
    Full,
    /// It is not: it was typed hidden, or looks as one that logs in.
    Secret,
}

/// Lines, in the order in which they were typed. Wiped when dropped.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    lines: Vec<Zeroizing<Vec<u8>>>,
}

/// Shows how many there are, not what they say.
impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({} lines)", self.lines.len())
    }
}

impl Kept {
    /// Keeps a line, without its end, if it may be kept.
    pub fn keep(&mut self, line: &[u8], hidden: bool, login: &Login) -> Became {
        if hidden || login.is_login(line) {
            return Became::Secret;
        }
        let bytes: usize = self.lines.iter().map(|line| line.len()).sum();
        if self.lines.len() >= MOST_LINES || bytes + line.len() > MOST_BYTES {
            return Became::Full;
        }
        self.lines.push(Zeroizing::new(line.to_vec()));
        Became::Kept
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// All of them; none stay.
    pub fn take(&mut self) -> Vec<Zeroizing<Vec<u8>>> {
        std::mem::take(&mut self.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::login::LoginTerms;
    use proptest::prelude::*;

    fn login() -> Login {
        Login::new(&LoginTerms { login: Some("^connect ".to_owned()), ..LoginTerms::default() }, None)
    }

    fn taken(kept: &mut Kept) -> Vec<Vec<u8>> {
        kept.take().into_iter().map(|line| line.to_vec()).collect()
    }

    #[test]
    fn lines_wait_in_their_order_and_go_once() {
        let mut kept = Kept::default();
        for line in [&b"look"[..], b"", b"say hi"] {
            assert_eq!(kept.keep(line, false, &login()), Became::Kept);
        }
        assert_eq!(kept.count(), 3);
        let moved = serde_json::to_string(&kept).unwrap();
        kept = serde_json::from_str(&moved).unwrap();
        assert_eq!(taken(&mut kept), [&b"look"[..], b"", b"say hi"]);
        assert_eq!((kept.count(), kept.take().len()), (0, 0));
    }

    #[test]
    fn secrets_are_not_kept() {
        let mut kept = Kept::default();
        assert_eq!(kept.keep(b"hunter2", true, &login()), Became::Secret);
        assert_eq!(kept.keep(b"connect bob hunter2", false, &login()), Became::Secret);
        assert_eq!(kept.keep(b"connect zo\xeb hunter2", false, &login()), Became::Secret);
        assert_eq!(kept.count(), 0);
        kept.keep(b"look", false, &login());
        assert_eq!(format!("{kept:?}"), "Kept(1 lines)");
    }

    #[test]
    fn so_many_lines_and_so_many_bytes_are_kept() {
        let mut kept = Kept::default();
        for number in 0..MOST_LINES {
            assert_eq!(kept.keep(number.to_string().as_bytes(), false, &login()), Became::Kept);
        }
        assert_eq!(kept.keep(b"one more", false, &login()), Became::Full);
        assert_eq!((kept.count(), taken(&mut kept).last().map(Vec::as_slice)), (MOST_LINES, Some(&b"49"[..])));
        let long = vec![b'x'; MOST_BYTES];
        assert_eq!(kept.keep(&long, false, &login()), Became::Kept);
        assert_eq!(kept.keep(b"y", false, &login()), Became::Full);
        assert_eq!(kept.keep(b"", false, &login()), Became::Kept);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn each_line_is_kept_in_its_place_or_said_not_to_be(
            lines in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..600), any::<bool>()), 0..80),
        ) {
            let (mut kept, login) = (Kept::default(), login());
            let mut expected = Vec::new();
            for (line, hidden) in lines {
                match kept.keep(&line, hidden, &login) {
                    Became::Kept => expected.push(line),
                    Became::Full => prop_assert!(
                        kept.count() == MOST_LINES || expected.concat().len() + line.len() > MOST_BYTES
                    ),
                    Became::Secret => prop_assert!(hidden || line.starts_with(b"connect ")),
                }
            }
            prop_assert_eq!(taken(&mut kept), expected);
        }
    }
}
