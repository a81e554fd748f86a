//! Evennia measured as we are: clients that say something at a steady rate, while the Server is reloaded, and killed.
//! Runs in the load generator.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use super::steady::Pause;
use super::timeline::{LENGTH, Timeline};
use crate::engine::{Fleet, Link};
use crate::evennia::Evennia;
use crate::guard::Result;
use crate::protocol::{find, find_byte};

const CLIENTS: usize = 8;
/// Of all of them together; each may say more than that before it is slowed down.
const PER_SECOND: u32 = 40;
/// When the Server is reloaded, and when it is killed, in milliseconds.
const RELOAD: u32 = 3_000;
const KILL: u32 = 9_000;
/// How long answers may take at the end.
const PATIENCE: Duration = Duration::from_secs(15);

/// What clients felt; `None`: not installed.
pub fn reloaded(at: &Path) -> Result<Option<Timeline>> {
    let Some(evennia) = Evennia::start(at)? else {
        return Ok(None);
    };
    let mut streams = Vec::new();
    for n in 0..CLIENTS {
        streams.push(evennia.account(&format!("client{n}"))?.into_stream()?);
    }
    let mut admin = evennia.account("admin")?;
    let mut talk = Talk { start: Instant::now(), open: vec![VecDeque::new(); CLIENTS], pauses: Vec::new() };
    let mut fleet = Fleet::new(streams)?;
    let mut events = Vec::new();
    let mut sent = 0;
    let end = talk.start + Duration::from_millis(LENGTH.into());
    while Instant::now() < end + PATIENCE && (Instant::now() < end || talk.waits()) {
        let now = Instant::now();
        let at = |millis: u32| talk.start + Duration::from_millis(millis.into());
        if events.is_empty() && now >= at(RELOAD) {
            events.push((now, "reload"));
            admin.send(b"reload\r\n")?;
        }
        if events.len() == 1 && now >= at(KILL) {
            kill(evennia.server()?, Signal::SIGKILL)?;
            events.push((now, "kill -9 Server"));
        }
        let due = talk.start + Duration::from_secs(1) * sent / PER_SECOND;
        if due <= now && now < end {
            talk.say(sent as usize % CLIENTS, sent, &mut fleet)?;
            sent += 1;
            continue;
        }
        let wait = if now < end { due - now } else { Duration::from_millis(100) };
        fleet.turn(wait, |index, link, scratch| talk.hear(index, link, scratch))?;
    }
    let title = format!("Evennia {}: {CLIENTS} clients, {PER_SECOND} commands/s", evennia.version);
    Ok(Some(Timeline::new(title, LENGTH, talk.start, &events, &talk.finish())))
}

struct Talk {
    start: Instant,
    /// What each client has said and not heard: the number, and when.
    open: Vec<VecDeque<(u32, Instant)>>,
    pauses: Vec<Pause>,
}

impl Talk {
    fn waits(&self) -> bool {
        self.open.iter().any(|open| !open.is_empty())
    }

    fn say(&mut self, index: usize, number: u32, fleet: &mut Fleet) -> Result<()> {
        let link = fleet.link(index);
        link.output().extend_from_slice(format!("say #{number}\r\n").as_bytes());
        link.flush()?;
        self.open[index].push_back((number, Instant::now()));
        Ok(())
    }

    /// Takes lines; `You say, "#7"` answers number 7, with colours in between. All hear each other, which is passed over.
    fn hear(&mut self, index: usize, link: &mut Link, scratch: &mut [u8]) -> Result<()> {
        link.receive(scratch, |data| {
            let now = Instant::now();
            let mut at = 0;
            while let Some(end) = find_byte(&data[at..], b'\n') {
                let line = &data[at..at + end];
                at += end + 1;
                if find(line, b"You say, ").is_none() {
                    continue;
                }
                let said = line.iter().skip_while(|byte| **byte != b'#').skip(1);
                let digits = said.take_while(|byte| byte.is_ascii_digit());
                let number = digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
                let open = &mut self.open[index];
                if let Some(place) = open.iter().position(|(asked, _)| *asked == number)
                    && let Some((_, since)) = open.remove(place)
                {
                    self.pauses.push(self.pause(index, since, Some(now)));
                }
            }
            Ok(at)
        })
    }

    fn pause(&self, index: usize, since: Instant, answered: Option<Instant>) -> Pause {
        let micros = |at: Instant| (at - self.start).as_micros() as u64;
        Pause { client: index as u32, from: micros(since), to: answered.map(micros), ok: answered.is_some() }
    }

    fn finish(mut self) -> Vec<Pause> {
        let never: Vec<Pause> = (0..)
            .zip(&self.open)
            .flat_map(|(index, open)| open.iter().map(move |(_, since)| (index, *since)))
            .map(|(index, since)| self.pause(index, since, None))
            .collect();
        self.pauses.extend(never);
        self.pauses
    }
}
