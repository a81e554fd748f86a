//! What the operator wants of the listener: that it reads the settings again, becomes another program, or ends everything. Part of
//! the event loop.

use super::super::EventLoop;
use ssmglobal_ipc::control::ToListener;
use ssmglobal_ipc::ctl::{Answer, Ask, Reloaded};
use ssmglobal_ipc::frame::put_control;
use ssmglobal_ipc::{Code, Failure};
use std::io::Write as _;

impl EventLoop {
    /// Nothing of this can be done without a listener.
    fn has_listener(&self, then: &str) -> Result<(), Failure> {
        if self.listener.pid != 0 {
            return Ok(());
        }
        let msg = format!("The listener has died and was not started again yet; start it, then {then}.");
        Err(Failure::new(Code::Unavailable, msg))
    }

    /// Leaves it to the listener, which also answers: this process will have ended by then.
    pub(super) fn upgrade(&mut self, operator: u64, program: Option<String>) -> Result<(), Failure> {
        self.has_listener("upgrade")?;
        self.has_asked(&Ask::Upgrade { program: program.clone() });
        let Some((stream, _)) = self.operators.release(operator, self.poll.registry()) else { return Ok(()) };
        if let Err(error) = self.listener.tell_with(&ToListener::Upgrade { program }, &stream) {
            let failure = Failure::new(Code::Unavailable, format!("The listener cannot be told: {error}."));
            let mut out = Vec::new();
            put_control(&mut out, &Answer::Failed(failure));
            let _ = (&stream).write_all(&out);
        }
        Ok(())
    }

    /// The answer comes from the listener, behind the settings.
    pub(super) fn ask_to_reload(&mut self, operator: u64) -> Result<(), Failure> {
        self.has_listener("reload")?;
        self.listener.tell(&ToListener::Reload { operator });
        Ok(())
    }

    /// The listener has read the settings again, or says what is wrong with them.
    pub(crate) fn reload_is_done(&mut self, operator: u64, wrong: &[String], reloaded: Reloaded) {
        let answer = match wrong.is_empty() {
            true => Answer::Reloaded(reloaded),
            false => {
                let changed = reloaded.changed.join(", ");
                let what = if changed.is_empty() { "Nothing was" } else { "Not all was" };
                let rest = if changed.is_empty() { String::new() } else { format!("\nChanged: {changed}.") };
                let msg = format!("{what} changed, since something is wrong:\n{}{rest}", wrong.join("\n"));
                Answer::Failed(Failure::new(Code::Invalid, msg))
            }
        };
        self.answer_operator(operator, &answer);
    }

    /// Whoever asks waits for the end of the listener, which is the last to go.
    pub(super) fn ask_to_stop(&mut self) -> Result<Answer, Failure> {
        if self.listener.pid == 0 {
            let msg = "The listener has died, and nobody is left to end all of it in order: start it again, or send SIGTERM \
                       to the handler and to the workers.";
            return Err(Failure::new(Code::Unavailable, msg));
        }
        self.listener.tell(&ToListener::Stop);
        Ok(Answer::Stopping { listener: self.listener.pid })
    }
}
