//! Why an operator's command was not done, in words, as JSON and as exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use serde::Serialize;
use ssmglobal_ipc::{Code, Failure};

use super::said::Said;
use crate::print;

const CLOSED: &str = "the backend has ended the conversation without an answer, so it is not known whether this was \
                      done; look at `ssmglobal ctl status` and at its log";

/// Why it was not done.
#[derive(Debug)]
pub enum Trouble {
    /// The backend has refused it.
    Refused(Failure),
    /// Nobody listens at these sockets.
    NotRunning(Vec<PathBuf>),
    /// It could not be asked, or gave no answer.
    Link(String),
    /// The conversation has ended before any answer: an older backend does so when it does not know the question.
    Closed,
    /// It was not even asked: something on this side is wrong.
    Here(Code, String),
}

impl Trouble {
    /// A value given here is not allowed.
    pub fn invalid(msg: impl Into<String>) -> Trouble {
        Trouble::Here(Code::Invalid, msg.into())
    }

    /// The command line makes no sense. Nothing of help is in it: that is for people.
    pub fn usage(error: &clap::Error) -> Trouble {
        let msg = match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing: --help lists them".to_owned(),
            _ => {
                let text = error.to_string();
                let said = text.split("\n\n").next().unwrap_or_default().trim();
                let words = said.strip_prefix("error: ").unwrap_or(said).split_whitespace();
                words.collect::<Vec<_>>().join(" ")
            }
        };
        Trouble::Here(Code::Usage, msg)
    }

    /// 3 when the backend does not run, 2 when the command line lacks something, else 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Trouble::NotRunning(_) => ExitCode::from(3),
            Trouble::Here(Code::Usage, _) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }

    /// Says it, for people or for programs.
    pub fn tell(&self, json: bool) {
        if json {
            // Where standard output is broken, the exit code still tells.
            let _ = print::out(&(self.json() + "\n"));
        } else {
            print::note(&format!("ssmglobal: {}", print::clean_lines(&self.to_string())));
        }
    }

    fn code(&self) -> Code {
        match self {
            Trouble::Refused(failure) => failure.code,
            Trouble::NotRunning(_) | Trouble::Link(_) | Trouble::Closed => Code::Unavailable,
            Trouble::Here(code, _) => *code,
        }
    }

    /// One object, as an error is on the wire.
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Retry {
            retry_after: u32,
        }
        match self {
            Trouble::Refused(Failure { msg, retry_after: Some(retry_after), .. }) => {
                Said::error(self.code(), msg.clone()).with(Retry { retry_after: *retry_after }).json()
            }
            _ => Said::error(self.code(), self.to_string()).json(),
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Refused(failure) => {
                f.write_str(&failure.msg)?;
                match failure.retry_after {
                    Some(seconds) => write!(f, " (try again in {seconds} s)"),
                    None => Ok(()),
                }
            }
            Trouble::NotRunning(sockets) => {
                let places: Vec<String> = sockets.iter().map(|socket| socket.display().to_string()).collect();
                let how = "Start it with `ssmglobal`, or name its data directory with --data DIR";
                write!(f, "the backend does not run: nobody listens at {}. {how}", places.join(", nor at "))
            }
            Trouble::Closed => f.write_str(CLOSED),
            Trouble::Link(msg) | Trouble::Here(_, msg) => f.write_str(msg),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_state_code_and_message() {
        let trouble = Trouble::Refused(Failure::new(Code::NotFound, "There is no player \"bob\"."));
        assert_eq!(trouble.json(), r#"{"state": "ERROR", "msg": "There is no player \"bob\".", "code": "not_found"}"#);
    }

    #[test]
    fn where_it_looked_is_told() {
        let trouble = Trouble::NotRunning(vec!["/srv/data/run/ctl.sock".into(), "/run/b".into()]);
        let text = trouble.to_string();
        assert!(text.contains("/srv/data/run/ctl.sock, nor at /run/b.") && text.contains("--data"), "{text}");
        assert!(trouble.json().contains(r#""code": "unavailable""#));
    }
}
