//! Listeners and handlers that die, or do nothing for a while.

use super::Backend;
use crate::harness::{Process, Running, ZYGOTE, processes_of};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::sync::mpsc::Receiver;

impl Backend {
    /// Kills the listener alone, as a crash would, and waits until the handler has noticed.
    pub fn kill_listener(&mut self) {
        self.tells_of_all();
        self.kill_it();
    }

    fn kill_it(&mut self) {
        let mark = self.log().mark();
        self.signal(Signal::SIGKILL);
        self.log().wait_after(mark, "the listener has died");
        self.wait();
    }

    /// Waits until the listener has told the handler of everybody who has a worker: one of whom it has not is found by the handler,
    /// but without all that the listener knew of him.
    fn tells_of_all(&self) {
        let zygote = processes_of(self.pid()).into_iter().find(|process| process.title() == ZYGOTE);
        // First: what the zygote has said by now wakes the listener.
        zygote.into_iter().for_each(Process::comes_to_wait_for_orders);
        Process(self.pid()).comes_to_wait_for_events();
    }

    /// As [`Backend::kill_listener`], but not in the microseconds between the system call that accepts a connection and the
    /// one that puts it where the next listener finds it: what is killed there is lost, as it is in the kernel's queue of a
    /// machine that fails.
    pub fn kill_waiting_listener(&mut self) {
        loop {
            self.signal(Signal::SIGSTOP);
            waitpid(self.pid(), Some(WaitPidFlag::WUNTRACED)).expect("it stops");
            if Process(self.pid()).waits_for_events() {
                return self.kill_it();
            }
            self.signal(Signal::SIGCONT);
        }
    }

    /// Starts the next listener, as a supervisor does, and waits until it serves; what the one before it has started goes
    /// on.
    pub fn next_listener(&mut self) {
        let next = Running::start(&mut self.plan.command(self.dir.path(), self.at.port(), self.disk.as_ref()));
        self.before.push(std::mem::replace(&mut self.running, next));
        assert_eq!(self.announced(), self.at);
    }

    /// Kills the handler as a crash would, and waits until the next one serves.
    pub fn kill_handler(&self) {
        self.kill_and_wait(self.handler());
    }

    /// Kills this handler, and waits until the next one serves: it is ready, and says how the one before has ended. That a
    /// handler is ready may be said late, by the one that is killed.
    fn kill_and_wait(&self, handler: Pid) {
        let mark = self.log().mark();
        kill(handler, Signal::SIGKILL).expect("the handler lives");
        let said = ["the handler before this one has ended", "ready: "];
        let next = |text: &str| said.iter().all(|said| text.contains(said)).then_some(());
        self.log().find_after(mark, "the next handler", next);
    }

    /// The handler's process, also while it does not serve.
    pub fn handler_process(&self) -> Pid {
        let all = processes_of(self.pid());
        let found = all.into_iter().find(|process| process.title() == "ssmglobal: handler");
        found.expect("a handler").0
    }

    /// Kills the handler at once, wherever it is in its work, and waits until the next one is about to serve.
    pub fn kill_handler_at_work(&self) {
        self.kill_and_wait(self.handler_process());
    }

    /// Does this while the handler does nothing.
    pub fn while_the_handler_stands_still<T>(&self, what: impl FnOnce() -> T) -> T {
        let pid = self.handler_process();
        kill(pid, Signal::SIGSTOP).expect("the handler lives");
        let done = what();
        kill(pid, Signal::SIGCONT).expect("the handler lives");
        done
    }

    /// Does `ask` while the handler does nothing, then kills it: what was asked meets the next one.
    pub fn over_the_death_of_the_handler(&self, ask: impl FnOnce()) {
        let pid = self.handler_process();
        kill(pid, Signal::SIGSTOP).expect("the handler lives");
        ask();
        self.kill_and_wait(pid);
    }

    /// Kills the handler so often, each time after `between` further answers of which `answered` tells; then waits for the
    /// rest.
    pub fn kill_handler_while_they_work(&self, answered: &Receiver<()>, times: usize, between: usize) {
        for _ in 0..times {
            if answered.iter().take(between).count() < between {
                return;
            }
            self.kill_handler_at_work();
        }
        answered.iter().for_each(drop);
    }
}
