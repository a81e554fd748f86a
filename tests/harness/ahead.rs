//! What a program sends ahead: many requests, without waiting for the answer to each.

use super::Program;
use serde_json::{Value, json};
use std::sync::mpsc::Sender;

/// How many requests are under way at once.
const AHEAD: usize = 16;

impl Program {
    /// Asks so many times, ahead of the answers; gives the replies, which must come in the order of the requests. Of each reply
    /// somebody is told.
    pub fn drive(
        &mut self,
        count: usize,
        told: &Sender<()>,
        request: impl Fn(usize) -> (&'static str, Value),
    ) -> Vec<Value> {
        let (mut replies, mut sent) = (Vec::new(), 0);
        while replies.len() < count {
            while sent < count && sent - replies.len() < AHEAD {
                let (cmd, args) = request(sent);
                self.send_line(json!({"id": sent, "cmd": cmd, "args": args}).to_string());
                sent += 1;
            }
            let reply = self.reply();
            assert_eq!(reply["id"], replies.len(), "{reply}");
            replies.push(reply);
            // Whoever counts them has enough when it hears no more.
            let _ = told.send(());
        }
        replies
    }

    /// As [`Program::drive`], and everything is done; gives `data` of each.
    pub fn drive_well(
        &mut self,
        count: usize,
        told: &Sender<()>,
        request: impl Fn(usize) -> (&'static str, Value),
    ) -> Vec<Value> {
        let replies = self.drive(count, told, request);
        let refused = replies.iter().find(|reply| reply["state"] != "OK");
        assert_eq!(refused, None);
        replies.into_iter().map(|mut reply| reply["data"].take()).collect()
    }

    /// All pages of a list, each where the one before it has ended.
    pub fn pages(&mut self, cmd: &str, mut args: Value) -> Vec<Value> {
        let mut pages = Vec::new();
        loop {
            let page = self.ok(cmd, args.clone());
            args["after"] = page["next"].clone();
            pages.push(page);
            if args["after"].is_null() {
                return pages;
            }
        }
    }
}
