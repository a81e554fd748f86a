//! A steady load on a thread of its own: clients that send when it is their turn, whether or not earlier requests were
//! answered, and check that each request is answered once, in order, with OK. Nothing that goes wrong ends it: it is
//! counted. Runs in the load generator.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::promises::{Ask, BOARD, KEY, Promises, name};
use crate::backend::Backend;
use crate::engine::{Fleet, Link};
use crate::guard::{Result, check_stopped};
use crate::protocol::{find, find_byte, is_ok, number_at};

/// How many clients there are.
pub const CLIENTS: usize = 1_000;
/// Requests of all of them together.
pub const PER_SECOND: u32 = 2_000;
/// How long answers may stay away before they count as missing.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// From sending a request to reading its answer, in microseconds since the load began.
#[derive(Clone, Copy)]
pub struct Pause {
    /// The client that has asked, by its place among all.
    pub client: u32,
    /// When the request was sent.
    pub from: u64,
    /// When it was answered; `None`: never.
    pub to: Option<u64>,
    /// Whether the answer was OK.
    pub ok: bool,
}

/// Everything that was not as it should be.
#[derive(Default)]
pub struct Faults {
    /// Clients whose connection ended.
    pub dropped: u64,
    /// Answers that never came.
    pub missing: u64,
    /// Answers to what was answered already, or never asked.
    pub doubled: u64,
    /// Answers that came before an earlier one.
    pub out_of_order: u64,
    /// Answers that were not OK, by their code.
    pub not_ok: BTreeMap<String, u64>,
}

/// What the load has seen.
pub struct Record {
    /// When it began.
    pub start: Instant,
    /// Every request.
    pub pauses: Vec<Pause>,
    /// What went wrong.
    pub faults: Faults,
    /// The longest time that a request was sent later than it was due: the generator's own delay.
    pub lag: Duration,
    /// What each client was promised.
    pub promises: Vec<Promises>,
}

struct Request {
    id: u64,
    ask: Ask,
    at: Instant,
}

#[derive(Default)]
struct Client {
    next_id: u64,
    /// What is not answered, oldest first.
    open: VecDeque<Request>,
    gone: bool,
}

enum Order {
    /// Tell when everything that was sent up to now is answered.
    Settle(Instant),
    Stop,
}

/// The load while it runs.
pub struct Steady {
    orders: Sender<Order>,
    settled: Receiver<Instant>,
    thread: JoinHandle<Result<Record>>,
}

impl Steady {
    /// Connects and registers all clients, then begins.
    pub fn start(backend: &Backend) -> Result<Self> {
        let define = ["board", "define", BOARD, "--unit", "points", "--better", "higher"];
        backend.ctl(&[&define[..], &["--operator", "sum", "--submit", "players"]].concat())?;
        let mut streams = Vec::with_capacity(CLIENTS);
        let mut load = Load::default();
        for index in 0..CLIENTS {
            check_stopped()?;
            let mut client = backend.client(index)?;
            let name = name(index);
            client.ask(&format!(r#"{{"cmd":"REGISTER","args":["{name}","correct horse battery"]}}"#))?;
            // What is read later has to be there.
            client.ask(&format!(r#"{{"cmd":"RECORD SUBMIT","args":["{BOARD}",1]}}"#))?;
            client.ask(&format!(r#"{{"cmd":"SETTING SET","args":["{KEY}","0"]}}"#))?;
            let mut promises = Promises::default();
            promises.note(Ask::Submit, 0, true);
            promises.note(Ask::Set, 0, true);
            load.promises.push(promises);
            load.clients.push(Client { next_id: 1, ..Client::default() });
            streams.push(client.into_stream()?);
        }
        let mut fleet = Fleet::new(streams)?;
        let (orders, given) = channel();
        let (tell, settled) = channel();
        let thread =
            std::thread::Builder::new().name("steady".to_owned()).spawn(move || load.run(&mut fleet, &given, &tell))?;
        Ok(Self { orders, settled, thread })
    }

    /// Waits until everything that was sent up to now is answered; when that was.
    pub fn settle(&self) -> Result<Instant> {
        self.orders.send(Order::Settle(Instant::now())).map_err(|_| "the load has ended")?;
        self.settled.recv_timeout(PATIENCE).map_err(|e| match e {
            RecvTimeoutError::Timeout => format!("answers do not flow within {} s", PATIENCE.as_secs()).into(),
            RecvTimeoutError::Disconnected => "the load has ended".into(),
        })
    }

    /// Ends it, when what is under way is answered or has been waited for.
    pub fn finish(self) -> Result<Record> {
        let _ = self.orders.send(Order::Stop);
        self.thread.join().map_err(|_| "the load's thread died")?
    }
}

#[derive(Default)]
struct Load {
    start: Option<Instant>,
    clients: Vec<Client>,
    promises: Vec<Promises>,
    pauses: Vec<Pause>,
    faults: Faults,
    lag: Duration,
}

impl Load {
    fn run(mut self, fleet: &mut Fleet, orders: &Receiver<Order>, tell: &Sender<Instant>) -> Result<Record> {
        let start = Instant::now();
        self.start = Some(start);
        let (mut sent, mut settle, mut stop) = (0, None, None);
        loop {
            let now = Instant::now();
            let mut due = start + Duration::from_secs(1) * sent / PER_SECOND;
            while stop.is_none() && due <= now {
                self.lag = self.lag.max(now - due);
                self.send(sent as usize % CLIENTS, fleet)?;
                sent += 1;
                due = start + Duration::from_secs(1) * sent / PER_SECOND;
            }
            match orders.try_recv() {
                Ok(Order::Settle(at)) => settle = Some(at),
                Ok(Order::Stop) => stop = Some(now),
                Err(_) => {}
            }
            if settle.is_some_and(|at| self.answered_up_to(at)) {
                settle = None;
                let _ = tell.send(now);
            }
            if stop.is_some_and(|at| self.answered_up_to(Instant::now()) || now > at + PATIENCE) {
                return Ok(self.record(start));
            }
            let wait = if stop.is_some() { Duration::from_millis(20) } else { due.saturating_duration_since(now) };
            fleet.turn(wait, |index, link, scratch| {
                self.receive(index, link, scratch);
                Ok(())
            })?;
        }
    }

    /// Whether nothing is open that was sent by then, except on connections that are gone.
    fn answered_up_to(&self, at: Instant) -> bool {
        let waits = |client: &Client| !client.gone && client.open.front().is_some_and(|request| request.at <= at);
        !self.clients.iter().any(waits)
    }

    fn send(&mut self, index: usize, fleet: &mut Fleet) -> Result<()> {
        let client = &mut self.clients[index];
        if client.gone {
            return Ok(());
        }
        let id = client.next_id;
        client.next_id += 1;
        let ask = Ask::nth(index, id);
        let link = fleet.link(index);
        ask.write(index, CLIENTS, id, link.output());
        client.open.push_back(Request { id, ask, at: Instant::now() });
        if link.flush().is_err() {
            self.lose(index, link);
        }
        Ok(())
    }

    fn lose(&mut self, index: usize, link: &mut Link) {
        let client = &mut self.clients[index];
        if !client.gone {
            client.gone = true;
            self.faults.dropped += 1;
        }
        link.give_up();
    }

    fn receive(&mut self, index: usize, link: &mut Link, scratch: &mut [u8]) {
        let received = link.receive(scratch, |data| {
            let now = Instant::now();
            let mut at = 0;
            while let Some(end) = find_byte(&data[at..], b'\n') {
                self.line(index, &data[at..at + end], now);
                at += end + 1;
            }
            Ok(at)
        });
        if received.is_err() {
            self.lose(index, link);
        }
    }

    /// Takes one line that a client was told.
    fn line(&mut self, index: usize, line: &[u8], now: Instant) {
        if line.starts_with(b"{\"event\"") {
            return;
        }
        let ok = is_ok(line);
        if !ok {
            *self.faults.not_ok.entry(code(line)).or_default() += 1;
        }
        let id = find(line, b"\"id\"").and_then(|at| number_at(line, at + 4));
        let client = &mut self.clients[index];
        let Some(place) = client.open.iter().position(|request| Some(request.id) == id) else {
            self.faults.doubled += 1;
            return;
        };
        if place > 0 {
            self.faults.out_of_order += 1;
        }
        if let Some(request) = client.open.remove(place) {
            self.pauses.push(pause(self.start, index, &request, Some((now, ok))));
            self.promises[index].note(request.ask, request.id, ok);
        }
    }

    fn record(mut self, start: Instant) -> Record {
        for (index, client) in self.clients.iter().enumerate() {
            for request in &client.open {
                self.faults.missing += 1;
                self.pauses.push(pause(self.start, index, request, None));
                self.promises[index].note(request.ask, request.id, false);
            }
        }
        let Self { pauses, faults, lag, promises, .. } = self;
        Record { start, pauses, faults, lag, promises }
    }
}

fn pause(start: Option<Instant>, index: usize, request: &Request, answered: Option<(Instant, bool)>) -> Pause {
    let micros = |at: Instant| start.map_or(0, |start| (at - start).as_micros() as u64);
    Pause {
        client: index as u32,
        from: micros(request.at),
        to: answered.map(|(at, _)| micros(at)),
        ok: answered.is_some_and(|(_, ok)| ok),
    }
}

/// The code of an error reply.
fn code(line: &[u8]) -> String {
    let rest = find(line, b"\"code\": \"").map(|at| &line[at + 9..]);
    let code = rest.and_then(|rest| rest.split(|byte| *byte == b'"').next());
    code.map_or_else(|| "no code".to_owned(), |code| String::from_utf8_lossy(code).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load() -> Load {
        let open = (1..=4).map(|id| Request { id, ask: Ask::Submit, at: Instant::now() }).collect();
        let client = Client { next_id: 5, open, gone: false };
        Load { clients: vec![client], promises: vec![Promises::default()], ..Load::default() }
    }

    fn told(lines: &[&str]) -> Record {
        let mut load = load();
        lines.iter().for_each(|line| load.line(0, line.as_bytes(), Instant::now()));
        load.record(Instant::now())
    }

    #[test]
    fn what_goes_wrong_is_told_apart() {
        let ok = ["1", "2", "3", "4"].map(|id| format!("{{\"state\": \"OK\", \"msg\": \"\", \"id\": {id}}}"));
        let [one, two, three, four] = ok.each_ref().map(String::as_str);
        let counts = |lines: &[&str]| {
            let faults = told(lines).faults;
            (faults.missing, faults.doubled, faults.out_of_order, faults.not_ok.values().sum::<u64>())
        };
        assert_eq!(counts(&[one, "{\"event\": \"mail\", \"id\": 2}", two, three, four]), (0, 0, 0, 0));
        assert_eq!(counts(&[one, two, four]), (1, 0, 1, 0));
        assert_eq!(counts(&[one, three, two, four]), (0, 0, 1, 0));
        assert_eq!(counts(&[one, two, two, three, four]), (0, 1, 0, 0));
        let refused = "{\"state\": \"ERROR\", \"msg\": \"\", \"id\": 2, \"code\": \"unavailable\"}";
        assert_eq!(counts(&[one, refused, three, four]), (0, 0, 0, 1));
        assert_eq!(told(&[refused]).faults.not_ok.keys().next().unwrap(), "unavailable");
    }
}
