//! What is in the locked page: the lines of the login that has worked, and those of one that is being tried. Runs in a worker.
//!
//! Layout: the length of the first list in two bytes, then the lines of both. A line is a byte that says whether it is a
//! secret, its length in two bytes, and its bytes.

use ssmglobal_sys::LockedPage;
use zeroize::Zeroizing;

/// The most lines of one list.
pub const MOST_LINES: usize = 8;

/// The most bytes of all lines of one list.
pub const MOST_BYTES: usize = 1024;

/// A line that was typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Typed<'a> {
    pub line: &'a [u8],
    /// It answers the question for a password.
    pub secret: bool,
}

/// Both lists, to be changed.
pub struct Lists<'a> {
    pub kept: Vec<Typed<'a>>,
    pub tried: Vec<Typed<'a>>,
}

/// The lines of a list.
pub struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = Typed<'a>;

    fn next(&mut self) -> Option<Typed<'a>> {
        let (secret, rest) = self.0.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (line, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        self.0 = rest;
        Some(Typed { line, secret: *secret != 0 })
    }
}

fn split(page: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = page.split_first_chunk() else { return (&[], &[]) };
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).unwrap_or_default()
}

/// The lines of the login that has worked.
pub fn kept(page: &[u8]) -> Lines<'_> {
    Lines(split(page).0)
}

/// The lines of the one that is being tried.
pub fn tried(page: &[u8]) -> Lines<'_> {
    Lines(split(page).1)
}

/// Changes the lists, with a line that may become a part of them. False, and nothing is changed, when that is too much.
pub fn change(page: &mut LockedPage, line: &[u8], change: impl for<'a> FnOnce(&mut Lists<'a>, &'a [u8])) -> bool {
    // As large as it can become, so that it never moves and leaves something behind.
    let mut whole = Zeroizing::new(Vec::with_capacity(LockedPage::MOST));
    {
        let mut lists = Lists { kept: kept(page.bytes()).collect(), tried: tried(page.bytes()).collect() };
        change(&mut lists, line);
        if !fits(&lists.kept) || !fits(&lists.tried) {
            return false;
        }
        let Ok(length) = u16::try_from(lists.kept.iter().map(|typed| 3 + typed.line.len()).sum::<usize>()) else {
            return false;
        };
        whole.extend_from_slice(&length.to_be_bytes());
        for typed in lists.kept.iter().chain(&lists.tried) {
            let Ok(length) = u16::try_from(typed.line.len()) else { return false };
            whole.push(u8::from(typed.secret));
            whole.extend_from_slice(&length.to_be_bytes());
            whole.extend_from_slice(typed.line);
        }
    }
    page.put(&whole)
}

fn fits(list: &[Typed<'_>]) -> bool {
    list.len() <= MOST_LINES && list.iter().map(|typed| typed.line.len()).sum::<usize>() <= MOST_BYTES
}
