//! How it all is: for `ctl status` and the like, and for the worker of the metrics' door. Whether changes can be saved is tried,
//! not remembered; what the kernel says is read by a thread of its own. Part of the event loop.

use super::{DISK, EventLoop};
use crate::lock::{lock, read};
use crate::logging;
use crate::machine;
use crate::work::{ToLoop, Write};
use ssmglobal_ipc::Failure;
use ssmglobal_ipc::control::METRICS_DOOR;
use ssmglobal_ipc::ctl::{Answer, Status};
use ssmglobal_ipc::numbers::{Machine, Numbers, Queues};
use ssmglobal_store::{PrincipalKind, Upkeep};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Numbers for the metrics' door are gathered once in this time, however often they are asked for.
const FRESH: Duration = Duration::from_secs(1);

/// Workers whose door is not known yet, or who wait for the database.
const WAITING: usize = 64;

/// Whoever wants to know how it is.
pub enum Curious {
    /// An operator, by his number, as it was asked before there were numbers.
    Status(u64),
    /// An operator, by his number.
    Numbers(u64),
    /// Workers of the metrics' door, each on a stream of its own.
    Workers(Vec<UnixStream>),
}

/// Somebody who waits to hear whether the database can be written.
pub struct Probing {
    number: u64,
    until: Instant,
    who: Curious,
    /// What waited before the probe did: jobs of the writer and of the readers, passwords.
    waiting: [u64; 3],
}

/// What was told, as a frame, and when.
struct Told {
    at: Instant,
    bytes: Vec<u8>,
}

/// Who waits, and what the last one was told.
#[derive(Default)]
pub struct Curiosity {
    probing: Vec<Probing>,
    /// Workers of whom the listener's word is still on its way, by process id and session; the last one first.
    unknown: Vec<(i32, u64, UnixStream)>,
    /// As it was last told to the metrics' door.
    told: Arc<Mutex<Option<Told>>>,
}

impl Curiosity {
    /// Until when the first one waits.
    pub fn until(&self) -> Option<Instant> {
        self.probing.first().map(|probing| probing.until)
    }
}

/// What does not fit into its socket is lost: one that reads nothing has it so.
fn tell(stream: &UnixStream, bytes: &[u8]) {
    // One that is gone has no use for it.
    let _ = ssmglobal_sys::write_now(stream, bytes);
}

impl EventLoop {
    /// A process wants the numbers, to be written on a stream. Only those of the metrics' door get them.
    pub(crate) fn numbers_wanted(&mut self, pid: i32, session: u64, fd: OwnedFd) {
        let stream = UnixStream::from(fd);
        match self.workers.children.get(&pid) {
            Some(client) if client.session == session && client.door == METRICS_DOOR => self.tell_numbers(stream),
            Some(client) if client.session == session => {
                self.evict_worker(pid, "it asks for what is told at another door");
            }
            // It has ended, and another has its process id.
            Some(client) if client.session > session => {}
            // The listener's word of it is on its way.
            _ => {
                let unknown = &mut self.operators.curiosity.unknown;
                unknown.truncate(WAITING - 1);
                unknown.insert(0, (pid, session, stream));
            }
        }
    }

    /// The listener has spoken of workers: those that asked before are answered.
    pub(crate) fn settle_unknown(&mut self) {
        for (pid, session, stream) in std::mem::take(&mut self.operators.curiosity.unknown) {
            self.numbers_wanted(pid, session, stream.into());
        }
    }

    fn tell_numbers(&mut self, stream: UnixStream) {
        let curiosity = &mut self.operators.curiosity;
        if let Some(Told { at, bytes }) = &*lock(&curiosity.told)
            && at.elapsed() < FRESH
        {
            return tell(&stream, bytes);
        }
        let others = curiosity.probing.iter_mut().find_map(|probing| match &mut probing.who {
            Curious::Workers(streams) => Some(streams),
            Curious::Status(_) | Curious::Numbers(_) => None,
        });
        match others {
            Some(streams) if streams.len() < WAITING => streams.push(stream),
            // It sees its stream close.
            Some(_) => {}
            None => drop(self.probe(Curious::Workers(vec![stream]))),
        }
    }

    /// Whether the database can be written is tried: that it could be is long ago, perhaps.
    pub(super) fn probe(&mut self, who: Curious) -> Result<(), Failure> {
        let number = self.operators.next;
        self.operators.next += 1;
        let waiting = self.shared.waiting();
        self.shared.write(&mut vec![Write::Probe(number)])?;
        self.operators.curiosity.probing.push(Probing { number, until: Instant::now() + DISK, who, waiting });
        Ok(())
    }

    /// It was tried.
    pub(crate) fn probed(&mut self, number: u64) {
        let probing = &mut self.operators.curiosity.probing;
        let waits = probing.iter().position(|probing| probing.number == number).map(|at| probing.remove(at));
        if let Some(probing) = waits {
            self.satisfy(probing, self.shared.writable.load(Ordering::Relaxed));
        }
    }

    /// A disk that does not answer takes no changes either.
    pub(crate) fn give_up_probes(&mut self) {
        while self.operators.waits() == Some(Duration::ZERO) {
            let probing = self.operators.curiosity.probing.remove(0);
            self.satisfy(probing, false);
        }
    }

    fn satisfy(&mut self, Probing { who, waiting, .. }: Probing, writable: bool) {
        match who {
            Curious::Status(operator) => {
                let answer = Answer::Status(Box::new(self.status(writable)));
                self.answer_operator(operator, &answer);
            }
            Curious::Numbers(operator) => {
                let (shared, numbers) = (self.shared.clone(), self.numbers(writable, waiting));
                self.with_machine(numbers, move |numbers| {
                    let answer = Answer::Numbers(Box::new(numbers));
                    shared.send_to_loop(&mut vec![ToLoop::Operator(operator, answer)], Vec::new());
                });
            }
            Curious::Workers(streams) => {
                let (told, numbers) = (self.operators.curiosity.told.clone(), self.numbers(writable, waiting));
                self.with_machine(numbers, move |numbers| {
                    let mut bytes = Vec::new();
                    Answer::Numbers(Box::new(numbers)).put(&mut bytes);
                    streams.iter().for_each(|stream| tell(stream, &bytes));
                    *lock(&told) = Some(Told { at: Instant::now(), bytes });
                });
            }
        }
    }

    /// Adds what the kernel says, in a thread of its own: there are thousands of descriptors to count, perhaps, and the disk may
    /// not answer. Where no thread can be had, it is left out: then somebody wants to see the rest all the more.
    fn with_machine(&self, numbers: Numbers, then: impl FnOnce(Numbers) + Send + 'static) {
        let workers = self.workers.clients().map(|client| client.pid).collect();
        let database = self.operators.store.upkeep().map(|file| file.path().to_owned()).unwrap_or_default();
        let asked = machine::Asked { listener: self.listener.pid, workers, database };
        let job = Arc::new(Mutex::new(Some((numbers, then))));
        let theirs = job.clone();
        let work = move || {
            let job = lock(&theirs).take();
            if let Some((numbers, then)) = job {
                then(Numbers { machine: asked.look(), ..numbers });
            }
        };
        if let Err(error) = std::thread::Builder::new().name("numbers".into()).spawn(work) {
            log::warn!("what the kernel says of the processes is not in the numbers: no thread for this: {error}");
            let job = lock(&job).take();
            if let Some((numbers, then)) = job {
                then(numbers);
            }
        }
    }

    fn numbers(&self, writable: bool, waiting: [u64; 3]) -> Numbers {
        let (answers, recent) = self.answers();
        let [proofs_good, proofs_bad] = self.counts.proofs;
        let (status, machine, log) = (self.status(writable), Machine::default(), logging::lines());
        let (kinds, queues, deaths) = (self.counts.by_kind(), self.queues(waiting), self.listener.deaths);
        let worlds = self.world_numbers();
        Numbers { status, answers, recent, kinds, proofs_good, proofs_bad, queues, machine, log, deaths, worlds }
    }

    fn queues(&self, [writer, readers, hashing]: [u64; 3]) -> Queues {
        let mut queues = Queues { writer, readers, hashing, ..Queues::default() };
        for session in self.workers.by_pid.values().filter_map(|slot| self.session(*slot)) {
            queues.sessions += session.waiting.len() as u64;
            let bytes = session.link.waiting() as u64;
            queues.outboxes += u64::from(bytes > 0);
            queues.outbox_bytes += bytes;
        }
        queues
    }

    fn status(&self, writable: bool) -> Status {
        let file = self.operators.store.upkeep().map(Upkeep::path);
        let players = read(&self.shared.memory.directory).len() as u64;
        Status {
            version: ssmglobal_ipc::version().to_owned(),
            handler: nix::unistd::getpid().as_raw(),
            listener: self.listener.pid,
            since: self.operators.since,
            clients: self.workers.clients().count() as u32,
            clients_max: self.workers.clients_max,
            linked: self.workers.by_pid.len() as u32,
            players_on: self.state.online.count(PrincipalKind::Player) as u32,
            servers_on: self.state.online.count(PrincipalKind::Server) as u32,
            players,
            boards: read(&self.shared.memory.boards).len() as u32,
            requests: self.counts.requests,
            commits: self.shared.commits.load(Ordering::Relaxed),
            database: file.map_or_else(String::new, |file| file.display().to_string()),
            database_bytes: file.and_then(|file| std::fs::metadata(file).ok()).map_or(0, |meta| meta.len()),
            writable,
        }
    }
}
