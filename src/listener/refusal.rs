//! Why somebody is not let in, in words and for the log. Runs in the listener; pure.

use ssmglobal_config::DoorMode;
use ssmglobal_ipc::control::NotLetIn;
use std::borrow::Cow;

/// Why one more is too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// From this address.
    Address,
    /// The door, or the server, has as many clients as it may have.
    Full,
    /// From this address, for so many seconds: what came before went wrong.
    Penalty(u64),
}

impl Refusal {
    /// In words.
    fn why(self) -> Cow<'static, str> {
        match self {
            Refusal::Address => "Too many connections.".into(),
            Refusal::Full => "Server full.".into(),
            Refusal::Penalty(1) => "Too many failures from your address. Please try again in a second.".into(),
            Refusal::Penalty(seconds) => {
                format!("Too many failures from your address. Please try again in {seconds} seconds.").into()
            }
        }
    }

    /// As the handler is told.
    pub fn told(self) -> NotLetIn {
        match self {
            Refusal::Address => NotLetIn::Address,
            Refusal::Full => NotLetIn::Full,
            Refusal::Penalty(seconds) => NotLetIn::Blocked(seconds),
        }
    }

    /// What the client is told.
    pub fn line(self, mode: DoorMode) -> String {
        match mode {
            DoorMode::Human => format!("ERROR: {}\r\n", self.why()),
            DoorMode::Metrics => format!(
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{}\n",
                self.why().len() + 1,
                self.why()
            ),
            DoorMode::Ask | DoorMode::Client | DoorMode::Server => {
                format!("{{\"state\": \"ERROR\", \"msg\": \"{}\"}}\r\n", self.why())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_speaks_as_the_door_does() {
        assert_eq!(Refusal::Full.line(DoorMode::Ask), "{\"state\": \"ERROR\", \"msg\": \"Server full.\"}\r\n");
        assert_eq!(Refusal::Address.line(DoorMode::Human), "ERROR: Too many connections.\r\n");
    }
}
