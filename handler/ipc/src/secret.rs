//! Text that must not be seen: passwords and keys on their way to the handler.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password or key. Wiped when dropped; `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for hashing and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;
    use crate::{Auth, Login, Password, Register, Request, ctl};

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::new("hunter2");
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(format!("{secret:?} {secret:#?} {secret:>40?}"), "Secret(…) Secret(…) Secret(…)");
        let name = || "bob".to_owned();
        let shown = [
            format!("{:?}", Request::Login(Login { name: name(), password: secret.clone() })),
            format!("{:?}", Request::Register(Register { name: name(), password: secret.clone(), email: None })),
            format!("{:#?}", Request::Password(Password { old: secret.clone(), new: secret.clone() })),
            format!("{:?}", Request::Auth(Auth { name: name(), key: secret.clone() })),
            format!("{:?}", ctl::Ask::PlayerSetPassword { name: name(), password: secret.clone() }),
            format!("{:?}", ctl::Answer::Key(ctl::Key { server: name(), key: secret })),
        ];
        for text in shown {
            assert!(text.contains("Secret(…)") && !text.contains("hunter"), "{text}");
        }
    }
}
