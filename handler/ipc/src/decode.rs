//! What can be wrong with what another process has sent. Used in every process.

use crate::growing::Unreadable;

/// What is wrong with received bytes. Never holds any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The header announces more than [`MAX_PAYLOAD`](crate::frame::MAX_PAYLOAD).
    TooLong(u32),
    /// The sender speaks another version of the frames.
    Version(u8),
    /// No such class.
    Class(u8),
    /// The payload is not what its kind says.
    Payload,
    /// The descriptors that a frame announces cannot be, or have not come.
    Descriptors,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DecodeError::TooLong(length) => write!(f, "a frame of {length} bytes"),
            DecodeError::Version(version) => write!(f, "frame version {version}"),
            DecodeError::Class(class) => write!(f, "frame class {class}"),
            DecodeError::Payload => f.write_str("a payload that does not fit its kind"),
            DecodeError::Descriptors => f.write_str("a wrong count of descriptors"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<Unreadable> for DecodeError {
    fn from(_: Unreadable) -> DecodeError {
        DecodeError::Payload
    }
}
