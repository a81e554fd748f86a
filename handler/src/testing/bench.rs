//! The writer without its thread, over a real store: batch after batch, and who is told what. Runs in tests.

use crate::link::{Link, ReplyTo};
use crate::lock::{lock, read};
use crate::state::journal::unpacked;
use crate::state::memory::Memory;
use crate::state::networks::Networks;
use crate::state::session::SessionRef;
use crate::work::change::Decide;
use crate::work::{Asker, KeptAnswers, Keys, Shared, ToLoop, Write, WriterThread};
use mio::unix::SourceFd;
use mio::{Interest, Poll, Token, Waker};
use ssmglobal_config::Settings;
use ssmglobal_ipc::frame::{Class, FrameReader};
use ssmglobal_ipc::{Reply, Time};
use ssmglobal_store::{NamesOf, Result, Store, StoreError, Tx, Writer};
use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(1_000) };
}

/// What the writer's clock says in this test.
pub fn now() -> Time {
    NOW.with(|now| Time(now.get()))
}

/// What it says from now on.
pub fn set_now(at: Time) {
    NOW.with(|now| now.set(at.0));
}

/// The writer of a store that fails to commit when it is told to.
struct Faulty {
    writer: Box<dyn Writer>,
    faults: Arc<Mutex<VecDeque<StoreError>>>,
}

impl Writer for Faulty {
    fn begin(&mut self) -> Result<()> {
        self.writer.begin()
    }

    fn tx(&mut self) -> &mut dyn Tx {
        self.writer.tx()
    }

    fn commit(&mut self) -> Result<()> {
        match lock(&self.faults).pop_front() {
            Some(error) => {
                self.writer.rollback();
                Err(error)
            }
            None => self.writer.commit(),
        }
    }

    fn rollback(&mut self) {
        self.writer.rollback();
    }

    fn idle(&mut self) -> Result<bool> {
        self.writer.idle()
    }
}

/// A session, and its worker's end of the link.
struct Client {
    session: u64,
    link: Arc<Link>,
    worker: UnixStream,
    reader: FrameReader,
    /// The number of its last request.
    last: u64,
}

/// A reply as a worker has got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The session.
    pub session: u64,
    /// The request's number.
    pub number: u64,
    /// The reply's kind.
    pub kind: u16,
    /// Its payload.
    pub payload: Vec<u8>,
}

impl Said {
    /// What it says.
    pub fn reply(&self) -> Reply {
        unpacked(self.kind, &self.payload)
    }
}

/// A store, a writer, and sessions that ask.
pub struct Bench<C> {
    /// The store.
    pub store: Arc<dyn Store>,
    /// What the threads share.
    pub shared: Arc<Shared<C>>,
    writer: WriterThread<C>,
    faults: Arc<Mutex<VecDeque<StoreError>>>,
    clients: BTreeMap<u64, Client>,
    poll: Poll,
    _folder: tempfile::TempDir,
}

impl<C: Decide> Bench<C> {
    /// Over a new store.
    pub fn new() -> Bench<C> {
        let folder = tempfile::tempdir().unwrap();
        let store = ssmglobal_store::open(&folder.path().join("test.db"), Duration::ZERO).unwrap();
        let reader = store.reader().unwrap();
        let memory = Arc::new(Memory::load(&*reader).unwrap());
        let (kept, keys) = (KeptAnswers::load(&*reader).unwrap(), Keys::load(&*reader).unwrap());
        let poll = Poll::new().unwrap();
        let waker = Waker::new(poll.registry(), Token(0)).unwrap();
        let (shared, queues) = Shared::new(Arc::new(Settings::default()), memory, kept, waker);
        let (shared, faults) = (Arc::new(shared), Arc::default());
        let writer = Box::new(Faulty { writer: store.writer().unwrap(), faults: Arc::clone(&faults) });
        let writer = WriterThread::new(shared.clone(), queues.writes, writer, now, keys);
        Bench { store, shared, writer, faults, clients: BTreeMap::new(), poll, _folder: folder }
    }

    /// The next transactions fail so at their end.
    pub fn fail(&mut self, faults: impl IntoIterator<Item = StoreError>) {
        lock(&self.faults).extend(faults);
    }

    fn client(&mut self, session: u64) -> &mut Client {
        let registry = self.poll.registry();
        self.clients.entry(session).or_insert_with(|| {
            let (ours, worker) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            worker.set_nonblocking(true).unwrap();
            let (slot, registry) = (session as usize, Arc::new(registry.try_clone().unwrap()));
            registry.register(&mut SourceFd(&ours.as_raw_fd()), Token(slot), Interest::READABLE).unwrap();
            let link = Arc::new(Link::new(ours, registry, Token(slot), slot));
            link.belongs_to(session, Arc::default());
            Client { session, link, worker, reader: FrameReader::new(), last: 0 }
        })
    }

    /// A session asks for something, under its next number.
    pub fn asker(&mut self, session: u64) -> Asker {
        let client = self.client(session);
        client.last += 1;
        client.link.started();
        let to = ReplyTo { link: client.link.clone(), number: client.last, since: Instant::now(), kind: None };
        Asker::Session(SessionRef { slot: session as usize, id: session }, to)
    }

    /// A session asks for a change.
    pub fn ask(&mut self, session: u64, change: C) -> Write<C> {
        Write::Change { asker: self.asker(session), change, key: None, tried: None }
    }

    /// A session has its answers up to this number.
    pub fn acknowledge(&mut self, session: u64, upto: u64) {
        self.client(session).link.acknowledged(upto);
    }

    /// The number of a session's last request.
    pub fn last(&mut self, session: u64) -> u64 {
        self.client(session).last
    }

    /// One batch; gives what workers are answered, by session, and what is left for the event loop.
    pub fn commit(&mut self, group: &[Write<C>]) -> (Vec<Said>, Vec<ToLoop>) {
        self.writer.do_batch(group);
        assert!(lock(&self.faults).is_empty(), "it was to fail more often");
        let said = self.clients.values_mut().flat_map(Client::received).collect();
        (said, self.shared.take_for_loop().0)
    }

    /// What is done while nothing comes in.
    pub fn tidy(&mut self) {
        while self.writer.do_tidy() {}
    }

    /// What is in memory is what a start would find in the store.
    pub fn check_memory(&self) {
        let reader = self.store.reader().unwrap();
        assert_eq!(self.writer.keys().counts(), Keys::load(&*reader).unwrap().counts());
        let (ours, theirs) = (&*self.shared.memory, Memory::load(&*reader).unwrap());
        assert_eq!(*read(&ours.servers), *read(&theirs.servers));
        assert_eq!(*read(&ours.barred), *read(&theirs.barred));
        assert_eq!(*read(&ours.epochs), *read(&theirs.epochs));
        assert_eq!(*read(&ours.limits), *read(&theirs.limits));
        assert_eq!(*read(&ours.emails), *read(&theirs.emails));
        let (networks, loaded) = (read(&ours.networks), read(&theirs.networks));
        let of = |networks: &Networks, id| {
            let mut all = networks.of(id).to_vec();
            all.sort_by_key(|seen| seen.network);
            all
        };
        reader.player_names(&mut |id, _| assert_eq!(of(&networks, id), of(&loaded, id))).unwrap();
        let (names, loaded) = (read(&ours.directory), read(&theirs.directory));
        assert_eq!(names.len(), loaded.len());
        let look = &mut |id, NamesOf { name, folded, .. }: NamesOf<'_>| {
            assert_eq!((names.name(id), names.find(folded)), (name, Some(id)));
            assert_eq!((loaded.name(id), loaded.find(folded)), (name, Some(id)));
        };
        reader.player_names(look).unwrap();
        let (boards, loaded) = (read(&ours.boards), read(&theirs.boards));
        assert_eq!(boards.len(), loaded.len());
        for (ours, theirs) in boards.iter_after(None).zip(loaded.iter_after(None)) {
            assert_eq!(ours.board, theirs.board);
            assert_eq!(ours.total(), theirs.total());
            assert_eq!(ours.slice(0, usize::MAX), theirs.slice(0, usize::MAX));
            assert_eq!(ours.slice(0, usize::MAX).len(), ours.total() as usize);
            for (_, standing) in theirs.slice(0, usize::MAX) {
                assert_eq!(ours.standing(standing.player), Some(standing));
            }
            assert_eq!(boards.find(&theirs.board.name).map(|found| found.board.id), Some(theirs.board.id));
        }
    }
}

impl Client {
    /// All replies that have come.
    fn received(&mut self) -> Vec<Said> {
        assert!(!self.link.is_stuck(), "a test says more than a socket holds");
        let mut said = Vec::new();
        loop {
            while let Some(frame) = self.reader.next_frame().unwrap() {
                assert_eq!((frame.class, frame.descriptors), (Class::Reply, 0));
                let (session, payload) = (self.session, frame.payload.to_vec());
                said.push(Said { session, number: frame.number, kind: frame.kind, payload });
            }
            let worker = &mut self.worker;
            match self.reader.fill(|buffer| worker.read(buffer)) {
                Ok((count, _)) => assert!(count > 0, "the link is closed"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    return said;
                }
            }
        }
    }
}
