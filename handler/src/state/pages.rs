//! Lists in pages. Pure; used by the event loop and by readers.

use std::ops::Bound;

/// Cuts a list that was read one row too far, and gives the key to go on with.
pub fn next_page<T>(rows: &mut Vec<T>, limit: usize, key: impl FnOnce(&T) -> String) -> Option<String> {
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(key)
}

/// The range of an ordered list that lies behind a key; all of it without one.
pub fn behind(after: Option<&str>) -> (Bound<&str>, Bound<&str>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

/// One row more than a page has, for the store.
pub fn one_more(limit: usize) -> u32 {
    u32::try_from(limit + 1).unwrap_or(u32::MAX)
}
