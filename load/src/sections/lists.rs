//! Lists that clients mirror: all of one from its beginning, and one change to many watchers, beside RELAY SEND to as many; and the
//! same with ten times as many worlds.

use std::cell::RefCell;
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::compare::{Beside, Measured, ours};
use super::{grouped, relay};
use crate::Context;
use crate::backend::Backend;
use crate::engine::Fleet;
use crate::guard::{Result, check_stopped};
use crate::net::Client;
use crate::protocol::find_byte;
use crate::report::{Target, Unit};
use crate::stats::median;

const WORLDS: usize = 10_000;
const WATCHERS: usize = 1_000;
/// Rows of one page.
const PAGE: usize = 1_000;
/// Worlds that one connection hosts.
const HOSTED: usize = 10_000;
/// Requests sent ahead.
const AHEAD: usize = 64;
/// Changes that follow each other faster are told together.
const APART: Duration = Duration::from_millis(260);

/// All rows about lists.
pub fn run(context: &mut Context) -> Result<()> {
    let (dir, programs) = (context.options.dir.clone(), context.programs.clone());
    let worlds = if context.options.quick { WORLDS / 10 } else { WORLDS };
    let start = |worlds: usize| {
        programs.clone().each(|program| {
            let backend = Backend::start(program.clone(), &dir)?;
            Scene::new(backend, worlds)
        })
    };
    let (mut small, mut large) = (start(worlds)?, start(10 * worlds)?);
    let (plan, seconds) = (context.plan()?, context.seconds);
    let (few, many) = (grouped(worlds as u32), grouped(10 * worlds as u32));
    let read = |scene: &mut &mut Scene| scene.read();
    let all = plan.measure(
        Unit::Seconds,
        vec![
            ours("small", format!("LIST WORLDS, all of {few}"), small.as_mut(), read),
            ours("large", format!("LIST WORLDS, {few} of {many}"), large.as_mut(), |scene| Ok(scene.read()? / 10.0)),
        ],
    )?;
    all.report(
        &mut context.report,
        &[
            Beside { ours: 0, peer: "of ten times as many", theirs: 1, target: Target::Below(0.1) },
            Beside { ours: 1, peer: "of a tenth as many", theirs: 0, target: Target::AtMost(1.3) },
        ],
    );
    let people = grouped(WATCHERS as u32);
    let relays = context.ours.each(|backend| relay::Relay::ours(backend, WATCHERS).map(RefCell::new))?;
    let work = |worlds: &str| format!("a change in a list of {worlds}, until the last of {people} watchers has it");
    let change = |scene: &mut &mut Scene| now_and_then(seconds, || scene.change());
    let told = plan.measure(
        Unit::Seconds,
        vec![
            ours("small", work(&few), small.as_mut(), change),
            ours("large", work(&many), large.as_mut(), change),
            ours("relay", format!("RELAY SEND to {people}, one in flight"), relays.as_ref(), |relay| {
                let delivered = relay.borrow_mut().run(&mut relay::send(), 1, seconds)?;
                Ok(Measured::rate(WATCHERS as f64 / delivered.value, delivered.answered))
            }),
            ours("relay now and then", format!("RELAY SEND to {people}, as far apart"), relays.as_ref(), |relay| {
                now_and_then(seconds, || relay.borrow_mut().once(&mut relay::send()))
            }),
        ],
    )?;
    told.report(
        &mut context.report,
        &[
            // Workers that have rested are slower, and changes of a list are never told closer together.
            Beside { ours: 0, peer: "RELAY SEND as far apart", theirs: 3, target: Target::AtMost(2.0) },
            Beside { ours: 0, peer: "RELAY SEND without a rest", theirs: 2, target: Target::None },
            Beside { ours: 1, peer: "in a list of a tenth", theirs: 0, target: Target::AtMost(1.3) },
        ],
    );
    Ok(())
}

/// What each of them takes, as far apart as changes of a list are told; the median of as many as there is time for.
fn now_and_then(seconds: f64, mut once: impl FnMut() -> Result<f64>) -> Result<f64> {
    let (end, mut times) = (Instant::now() + Duration::from_secs_f64(seconds), Vec::new());
    while times.is_empty() || Instant::now() < end {
        thread::sleep(APART);
        times.push(once()?);
    }
    median(&times).ok_or_else(|| "nothing was measured".into())
}

/// A backend with worlds that are hosted, and those who watch the list.
struct Scene {
    reader: Client,
    /// Who hosts the first of them, and then the watchers.
    fleet: Fleet,
    /// The hosts of the others.
    _hosts: Vec<Client>,
    worlds: usize,
    users: u32,
    // Ended last.
    _backend: Backend,
}

impl Scene {
    fn new(mut backend: Backend, worlds: usize) -> Result<Self> {
        eprintln!("hosting {worlds} worlds …");
        let passwords = licences(&backend, worlds)?;
        let mut hosts = Vec::new();
        for (chunk, passwords) in passwords.chunks(HOSTED).enumerate() {
            let mut host = backend.server(chunk)?;
            ahead(&mut host, passwords.len(), |n| {
                let (world, password) = (world(chunk * HOSTED + n), &passwords[n]);
                format!(r#"{{"cmd":"HOST START","args":{{"world":"{world}","password":"{password}","port":7777}}}}"#)
            })?;
            hosts.push(host);
        }
        let mut streams = vec![hosts.remove(0).into_stream()?];
        for n in 0..WATCHERS {
            let mut watcher = backend.client(n)?;
            watcher.ask(r#"{"id":1,"cmd":"LIST WATCH","args":{"list":"worlds"}}"#)?;
            streams.push(watcher.into_stream()?);
        }
        let reader = backend.client(0)?;
        Ok(Self { reader, fleet: Fleet::new(streams)?, _hosts: hosts, worlds, users: 0, _backend: backend })
    }

    /// Seconds that it takes a client to get all of the list.
    fn read(&mut self) -> Result<f64> {
        let (start, mut args, mut rows) = (Instant::now(), String::new(), 0);
        loop {
            let line = format!(r#"{{"id":1,"cmd":"LIST WORLDS","args":{{"limit":{PAGE}{args}}}}}"#);
            let reply = self.reader.ask(&line)?;
            rows += reply.matches("\"status\": ").count();
            // What a program would do with the rows is its own business.
            let number = |name: &str| {
                let rest = reply.split_once(name).map_or("", |(_, rest)| rest);
                rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().to_owned()
            };
            if !reply.contains("\"more\": true") {
                break;
            }
            args = format!(r#","epoch":{},"serial":{}"#, number("\"epoch\": "), number("\"serial\": "));
        }
        if rows != self.worlds {
            return Err(format!("{rows} worlds came of {}", self.worlds).into());
        }
        Ok(start.elapsed().as_secs_f64())
    }

    /// Seconds from a host's word to the last watcher who hears it.
    fn change(&mut self) -> Result<f64> {
        self.users = (self.users + 1) % 40;
        let mut told = vec![false; self.fleet.len()];
        let mut left = told.len() - 1;
        let (name, users) = (world(0), self.users);
        let line = format!("{{\"cmd\":\"HOST SAY\",\"args\":{{\"world\":\"{name}\",\"users\":{users}}}}}\n");
        let expected = format!("\"users\": {users},");
        let start = Instant::now();
        self.fleet.link(0).output().extend_from_slice(line.as_bytes());
        self.fleet.link(0).flush()?;
        let mut last = start;
        while left > 0 {
            if start.elapsed() > Duration::from_secs(20) {
                return Err(format!("{left} watchers were never told").into());
            }
            self.fleet.turn(Duration::from_millis(20), |index, link, scratch| {
                link.receive(scratch, |data| {
                    let Some(end) = find_byte(data, b'\n') else { return Ok(0) };
                    let line = String::from_utf8_lossy(&data[..end]);
                    if index > 0 {
                        if !line.contains(&expected) || std::mem::replace(&mut told[index], true) {
                            return Err(format!("a watcher got {}", line.trim()).into());
                        }
                        left -= 1;
                        last = Instant::now();
                    }
                    Ok(end + 1)
                })
            })?;
        }
        Ok((last - start).as_secs_f64())
    }
}

pub(super) fn world(n: usize) -> String {
    format!("w{n:06}")
}

/// A player of this name who may do what the operator may.
pub(super) fn operator(backend: &Backend, name: &str) -> Result<Client> {
    let mut operator = backend.client(0)?;
    operator.ask(&format!(r#"{{"id":1,"cmd":"REGISTER","args":{{"name":"{name}","password":"long-enough"}}}}"#))?;
    backend.ctl(&["right", "grant", name, "operator"])?;
    Ok(operator)
}

/// Licences for so many worlds; gives their passwords.
pub(super) fn licences(backend: &Backend, worlds: usize) -> Result<Vec<String>> {
    // Each gets its licences one by one: the commits are what takes time.
    const OPERATORS: usize = 16;
    let each = worlds.div_ceil(OPERATORS);
    let names = std::iter::once("keeper".to_owned()).chain((1..).map(|n| format!("keeper{n}")));
    let shares = (0..worlds).step_by(each).map(|first| first..(first + each).min(worlds));
    let operators: Vec<(Client, Range<usize>)> =
        names.zip(shares).map(|(name, share)| Ok((operator(backend, &name)?, share))).collect::<Result<_>>()?;
    thread::scope(|scope| {
        let start = |(mut operator, share)| scope.spawn(move || license(&mut operator, share));
        let running: Vec<_> = operators.into_iter().map(start).collect();
        let passwords = running.into_iter().map(|thread| thread.join().map_err(|_| "a thread died")?);
        Ok(passwords.collect::<Result<Vec<_>>>()?.concat())
    })
}

/// Licences for these worlds; gives their passwords.
pub(super) fn license(operator: &mut Client, worlds: Range<usize>) -> Result<Vec<String>> {
    let first = worlds.start;
    let replies = ahead(operator, worlds.len(), |n| {
        let name = world(first + n);
        format!(r#"{{"cmd":"WORLD ADD","args":{{"name":"{name}","owner":"keeper","comment":"a world to be listed"}}}}"#)
    })?;
    let password = |reply: &String| {
        let reply: Value = serde_json::from_str(reply)?;
        let password = reply.pointer("/data/password").and_then(Value::as_str);
        password.map(str::to_owned).ok_or_else(|| "WORLD ADD told no password".into())
    };
    replies.iter().map(password).collect()
}

/// Sends requests ahead of their answers; gives those, which must be OK.
pub(super) fn ahead(client: &mut Client, count: usize, request: impl Fn(usize) -> String) -> Result<Vec<String>> {
    let mut replies = Vec::with_capacity(count);
    for first in (0..count).step_by(AHEAD) {
        check_stopped()?;
        let last = (first + AHEAD).min(count);
        let lines: String = (first..last).map(|n| request(n) + "\n").collect();
        client.send(lines.as_bytes())?;
        for _ in first..last {
            let mut reply = client.line()?;
            // The operator is told of his right.
            while reply.starts_with("{\"event\"") {
                reply = client.line()?;
            }
            if !reply.contains("\"state\": \"OK\"") {
                return Err(format!("a request was answered with {reply}").into());
            }
            replies.push(reply);
        }
    }
    Ok(replies)
}
