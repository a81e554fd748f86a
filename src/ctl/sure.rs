//! Asks back before something is done that cannot be undone. Runs in the operator's command.

use std::io::{self, BufRead, IsTerminal};

use clap::Args;
use ssmglobal_ipc::Code;

use super::trouble::Trouble;
use crate::print;

/// Whether the operator is sure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct Sure {
    /// Do not ask back; needed where nobody is at a terminal
    #[arg(long)]
    yes: bool,
}

impl Sure {
    /// Asks back at a terminal; `what` is a sentence that says what will happen.
    ///
    /// # Errors
    /// [`Trouble::Here`] when it is not to be done, or nobody can be asked: then nothing was.
    pub fn ask(self, what: &str) -> Result<(), Trouble> {
        if self.yes {
            return Ok(());
        }
        let stdin = io::stdin();
        let what = print::clean(what);
        if !stdin.is_terminal() {
            return Err(Trouble::Here(
                Code::Usage,
                format!("nothing was done, since nobody is here to be asked back; add --yes if it is meant: {what}"),
            ));
        }
        print::prompt(&format!("{what} Type yes to do it: "));
        let mut answer = String::new();
        // Without an answer it is not done.
        let _ = stdin.lock().read_line(&mut answer);
        match answer.trim() {
            "yes" => Ok(()),
            _ => Err(Trouble::invalid("nothing was done")),
        }
    }
}
