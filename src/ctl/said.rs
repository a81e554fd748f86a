//! The one shape of all JSON that `ctl` prints: an object with `state` and `msg`, for an error `code`, and what there is besides in
//! `data`, in the order that it has on the wire. Pure.

use serde::Serialize;
use ssmglobal_ipc::Code;

use crate::print;

/// What is said to a program.
#[derive(Serialize)]
pub struct Said<D> {
    state: &'static str,
    msg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<D>,
}

impl Said<()> {
    /// It was done; `msg` is a sentence.
    pub fn ok(msg: impl Into<String>) -> Said<()> {
        Said { state: "OK", msg: msg.into(), code: None, data: None }
    }

    /// It was not.
    pub fn error(code: Code, msg: impl Into<String>) -> Said<()> {
        Said { state: "ERROR", msg: msg.into(), code: Some(code.as_str()), data: None }
    }

    /// With what there is to say besides.
    pub fn with<D: Serialize>(self, data: D) -> Said<D> {
        let Said { state, msg, code, .. } = self;
        Said { state, msg, code, data: Some(data) }
    }
}

impl<D: Serialize> Said<D> {
    /// One line, without its end.
    pub fn json(&self) -> String {
        print::json(self)
    }
}
