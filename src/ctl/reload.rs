//! `ssmglobal ctl reload`: what reading the config again has come to, in words.

use ssmglobal_ipc::ctl::Reloaded;

use crate::print::clean;

/// What was taken, and what was not.
pub fn text(reloaded: &Reloaded) -> String {
    let mut text = said(reloaded) + "\n";
    for warning in &reloaded.warnings {
        text.push_str(&format!("- {}\n", clean(warning)));
    }
    text
}

/// The same in one sentence.
pub fn said(reloaded: &Reloaded) -> String {
    match &reloaded.changed[..] {
        [] => "The settings were read again; nothing has changed.".to_owned(),
        changed => format!("The settings were read again; changed: {}.", clean(&changed.join(", "))),
    }
}
