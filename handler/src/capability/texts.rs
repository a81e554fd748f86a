//! How long a text may be that somebody gives. Runs in the handler; pure.

use ssmglobal_ipc::{Code, Failure};

/// Checks that a text is no longer than it may be. `what` is the text, as a sentence begins with it; `length` and `most` are bytes.
///
/// # Errors
/// `too_long`, with what is too long, by how much, and what to do.
pub fn check_length(what: &str, length: usize, most: usize) -> Result<(), Failure> {
    if length <= most {
        return Ok(());
    }
    let msg = format!("{what} has at most {most} bytes; this one has {length}. Give a shorter one.");
    Err(Failure::new(Code::TooLong, msg))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_as_many_bytes_as_it_may_is_fine_and_one_more_is_told_in_numbers() {
        assert_eq!(check_length("A map", 128, 128), Ok(()));
        let failure = check_length("A map", 129, 128).unwrap_err();
        assert_eq!(failure.code, Code::TooLong);
        assert_eq!(failure.msg, "A map has at most 128 bytes; this one has 129. Give a shorter one.");
    }
}
