//! How values become bytes that may gain a field later: in frames, in the handler's journal and in its database. Used in
//! every process; pure.
//!
//! A value is postcard, which knows no names: its fields stand one behind the other, and none can be put between them. What
//! was added since stands behind all of them as a block of its own: [`MARK`], its length, and the further fields, which
//! are a value of the same kind and may be followed by a block again. An older program passes over a block that it does
//! not know, a newer one reads the defaults where there is none. Anything else behind a value is damage.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What a block of further fields begins with.
const MARK: u8 = 0xe7;

/// The bytes are not what they should be. Never holds any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes that are not what they should be")
    }
}

impl std::error::Error for Unreadable {}

/// A borrowed end of a buffer, because postcard wants to own what it extends.
struct Tail<'a>(&'a mut Vec<u8>);

impl Extend<u8> for Tail<'_> {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        self.0.extend(bytes);
    }
}

/// Appends a value.
pub fn put<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if postcard::to_extend(value, Tail(out)).is_err() {
        // Only a `Serialize` that fails by itself can get here, and none of ours does; a value cut short is refused by
        // whoever reads it.
        out.truncate(start);
    }
}

/// Appends a value and the fields that were added to it since.
pub fn put_with<T: Serialize + ?Sized, M: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T, more: &M) {
    put(out, value);
    let mut block = Vec::new();
    put(&mut block, more);
    out.push(MARK);
    put(out, &block);
}

/// A message that has gained fields since it was first released.
pub trait Grown: Sized {
    /// Appends it: as it was first, and in a block behind that what was added, unless all of it is as it is for those who do
    /// not know it.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads it; from an older program, with the defaults.
    ///
    /// # Errors
    /// As [`get`].
    fn get(bytes: &[u8]) -> Result<Self, Unreadable>;
}

/// For [`Grown`]: as [`put_with`], without a block where it would hold the defaults.
pub fn put_grown<T: Serialize, M: Serialize + Default + PartialEq>(out: &mut Vec<u8>, first: &T, more: &M) {
    if *more == M::default() { put(out, first) } else { put_with(out, first, more) }
}

/// Says which fields a message had first, and which it has gained. One that stands in neither does not compile.
macro_rules! grown {
    ($name:ident { $($first:ident),* } then { $($more:ident),* }) => {
        impl $crate::growing::Grown for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let $name { $($first,)* $($more,)* } = self;
                $crate::growing::put_grown(out, &($($first,)*), &($(Clone::clone($more),)*));
            }

            fn get(bytes: &[u8]) -> Result<$name, $crate::growing::Unreadable> {
                let (($($first,)*), ($($more,)*)) = $crate::growing::get_with(bytes)?;
                Ok($name { $($first,)* $($more,)* })
            }
        }
    };
    // One that was gained later than others stands in a block behind theirs.
    ($name:ident { $($first:ident),* } then { $($more:ident),* } then { $($last:ident),* }) => {
        impl $crate::growing::Grown for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let $name { $($first,)* $($more,)* $($last,)* } = self;
                let (more, last) = (($(Clone::clone($more),)*), ($(Clone::clone($last),)*));
                $crate::growing::put_grown_twice(out, &($($first,)*), &more, &last);
            }

            fn get(bytes: &[u8]) -> Result<$name, $crate::growing::Unreadable> {
                let (($($first,)*), ($($more,)*), ($($last,)*)) = $crate::growing::get_with_twice(bytes)?;
                Ok($name { $($first,)* $($more,)* $($last,)* })
            }
        }
    };
}

pub(crate) use grown;

/// As [`put_grown`], of a message that has gained fields twice.
pub fn put_grown_twice<T: Serialize, M: Serialize + Default + PartialEq, L: Serialize + Default + PartialEq>(
    out: &mut Vec<u8>,
    first: &T,
    more: &M,
    last: &L,
) {
    if *last == L::default() {
        return put_grown(out, first, more);
    }
    put(out, first);
    let mut block = Vec::new();
    put_with(&mut block, more, last);
    out.push(MARK);
    put(out, &block);
}

/// As [`get_with`], of a message that has gained fields twice.
///
/// # Errors
/// As [`get`].
pub fn get_with_twice<T: DeserializeOwned, M: DeserializeOwned + Default, L: DeserializeOwned + Default>(
    bytes: &[u8],
) -> Result<(T, M, L), Unreadable> {
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|_| Unreadable)?;
    let (more, last) = block(rest)?.map_or_else(|| Ok((M::default(), L::default())), get_with)?;
    Ok((value, more, last))
}

/// Reads a value; the bytes must be used up but for a block that this program does not know.
///
/// # Errors
/// They are not.
pub fn get<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    borrow(bytes)
}

/// As [`get`], of a value that borrows from the bytes.
///
/// # Errors
/// As [`get`].
pub fn borrow<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Unreadable> {
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|_| Unreadable)?;
    block(rest).map(|_| value)
}

/// Reads a value and what was added to it since; from an older program, the defaults.
///
/// # Errors
/// As [`get`].
pub fn get_with<T: DeserializeOwned, M: DeserializeOwned + Default>(bytes: &[u8]) -> Result<(T, M), Unreadable> {
    borrow_with(bytes)
}

/// As [`get_with`], of a value that borrows from the bytes.
///
/// # Errors
/// As [`get`].
pub fn borrow_with<'a, T: Deserialize<'a>, M: DeserializeOwned + Default>(
    bytes: &'a [u8],
) -> Result<(T, M), Unreadable> {
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|_| Unreadable)?;
    let more = block(rest)?.map_or_else(|| Ok(M::default()), get)?;
    Ok((value, more))
}

/// What stands behind a value: nothing, or one block.
fn block(rest: &[u8]) -> Result<Option<&[u8]>, Unreadable> {
    let Some((mark, rest)) = rest.split_first() else { return Ok(None) };
    match postcard::take_from_bytes::<&[u8]>(rest) {
        Ok((block, [])) if *mark == MARK => Ok(Some(block)),
        _ => Err(Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Old = (u64, String);
    type More = (Option<u32>, Vec<bool>);

    fn old(number: u64, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, &(number, text));
        bytes
    }

    proptest! {
        #[test]
        fn old_reads_new_and_new_reads_old(number in any::<u64>(), text in any::<String>(), more in any::<More>()) {
            let mut bytes = Vec::new();
            put_with(&mut bytes, &(number, &text), &more);
            prop_assert_eq!(get::<Old>(&bytes), Ok((number, text.clone())));
            prop_assert_eq!(get_with::<Old, More>(&bytes), Ok(((number, text.clone()), more)));
            prop_assert_eq!(get_with::<Old, More>(&old(number, &text)), Ok(((number, text), More::default())));
        }

        #[test]
        fn what_was_added_may_be_added_to(number in any::<u64>(), first in any::<u16>(), second in any::<i64>()) {
            let (mut bytes, mut block) = (old(number, ""), Vec::new());
            put_with(&mut block, &first, &second);
            bytes.push(MARK);
            put(&mut bytes, &block);
            prop_assert_eq!(get_with::<Old, u16>(&bytes), Ok(((number, String::new()), first)));
        }

        #[test]
        fn a_block_that_would_hold_the_defaults_is_left_out(number in any::<u64>(), more in any::<u16>()) {
            let mut bytes = Vec::new();
            put_grown(&mut bytes, &(number, ""), &(more,));
            prop_assert_eq!(bytes == old(number, ""), more == 0);
            prop_assert_eq!(get_with::<Old, (u16,)>(&bytes), Ok(((number, String::new()), (more,))));
        }

        #[test]
        fn what_was_gained_twice_is_read_by_everybody(number in any::<u64>(), more in any::<u16>(), last in any::<u32>()) {
            let mut bytes = Vec::new();
            put_grown_twice(&mut bytes, &(number, ""), &(more,), &(last,));
            let first = (number, String::new());
            prop_assert_eq!(get::<Old>(&bytes), Ok(first.clone()));
            prop_assert_eq!(get_with::<Old, (u16,)>(&bytes), Ok((first.clone(), (more,))));
            prop_assert_eq!(get_with_twice::<Old, (u16,), (u32,)>(&bytes), Ok((first.clone(), (more,), (last,))));
            let mut once = Vec::new();
            put_grown(&mut once, &(number, ""), &(more,));
            prop_assert_eq!(get_with_twice::<Old, (u16,), (u32,)>(&once), Ok((first, (more,), (0,))));
        }

        #[test]
        fn what_is_cut_or_followed_by_anything_else_is_refused(text in any::<String>(), rest in 0u8..=255) {
            let mut bytes = old(7, &text);
            for length in 0..bytes.len() {
                prop_assert_eq!(get::<Old>(&bytes[..length]), Err(Unreadable));
            }
            bytes.push(rest);
            prop_assert_eq!(get::<Old>(&bytes), Err(Unreadable));
            bytes.extend([1, 0, 0]);
            prop_assert_eq!(get::<Old>(&bytes), Err(Unreadable));
        }
    }
}
