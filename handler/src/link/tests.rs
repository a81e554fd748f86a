//! Links: the order of what is put, sockets that are full, workers that do not read, who waits for quiet.

use super::*;
use mio::{Events, Interest, Poll};
use ssmglobal_ipc::frame::{Class, FrameReader, MOST_DESCRIPTORS};
use ssmglobal_ipc::{Code, Failure, Notice, RelayJoined, Welcome};
use std::io::{Read, Write};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(20);

struct Pair {
    poll: Poll,
    link: Arc<Link>,
    worker: UnixStream,
    reader: FrameReader,
    fds: VecDeque<OwnedFd>,
}

/// What the worker got: a reply's number or the length of an event's text, and what can be read from the descriptors that
/// belong to it.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Reply(u64, Vec<String>),
    Event(usize, Vec<String>),
}

impl Pair {
    fn new() -> Pair {
        let (ours, worker) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        worker.set_nonblocking(true).unwrap();
        let poll = Poll::new().unwrap();
        let registry = Arc::new(poll.registry().try_clone().unwrap());
        registry.register(&mut SourceFd(&ours.as_raw_fd()), Token(5), Interest::READABLE).unwrap();
        let link = Arc::new(Link::new(ours, registry, Token(5), 3));
        Pair { poll, link, worker, reader: FrameReader::new(), fds: VecDeque::new() }
    }

    /// Reads once as a worker does; false when there is nothing.
    fn receive(&mut self, got: &mut Vec<Got>) -> bool {
        let (worker, fds) = (&self.worker, &mut self.fds);
        let result = self.reader.fill(|buffer| {
            let received = ssmglobal_sys::receive(worker, buffer)?;
            fds.extend(received.fds);
            Ok(received.count)
        });
        match result {
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                return false;
            }
            Ok((count, _)) => assert!(count > 0),
        }
        while let Some(frame) = self.reader.next_frame().unwrap() {
            let mut texts = Vec::new();
            for _ in 0..frame.descriptors {
                let mut text = String::new();
                let fd = self.fds.pop_front().expect("descriptors come with the first byte of their announcement");
                std::fs::File::from(fd).read_to_string(&mut text).unwrap();
                texts.push(text);
            }
            if frame.class == Class::Event {
                let Event::Notice(notice) = frame.event().unwrap() else { panic!("another event") };
                got.push(Got::Event(notice.msg.len(), texts));
            } else {
                frame.reply().unwrap();
                got.push(Got::Reply(frame.number, texts));
            }
        }
        true
    }

    /// Waits until the socket can be written to.
    fn wait_writable(&mut self) {
        let mut events = Events::with_capacity(4);
        self.poll.poll(&mut events, Some(DEADLINE)).unwrap();
        assert!(events.iter().any(|event| event.token() == Token(5) && event.is_writable()));
    }

    fn watched(&self) -> bool {
        format!("{:?}", lock(&self.link.out).writable).contains("true")
    }
}

/// The end to read of a pipe that holds this text.
fn readable(text: &str) -> OwnedFd {
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    reader.into()
}

fn readable_all(texts: &[String]) -> Vec<OwnedFd> {
    texts.iter().map(|text| readable(text)).collect()
}

fn joined() -> Reply {
    Reply::RelayJoined(RelayJoined {
        channel: "chat".into(),
        number: 1,
        missed: 2,
        waiting: 3,
        position: 4,
        epoch: 5,
        behind: 6,
        unknown: true,
    })
}

fn notice(length: usize) -> Event {
    Event::Notice(Notice { msg: "x".repeat(length) })
}

#[test]
fn replies_events_and_descriptors_keep_their_order_on_a_full_socket() {
    let mut pair = Pair::new();
    let (mut batch, mut expected, mut got) = (Batch::default(), Vec::new(), Vec::new());
    for number in 0..600u64 {
        let to = ReplyTo { link: pair.link.clone(), number, since: Instant::now(), kind: None };
        let length = (number as usize * 37) % 9000;
        match number % 8 {
            1 | 5 => {
                batch.reply(&to, &Reply::Welcome(Welcome { session: number }));
                expected.push(Got::Reply(number, Vec::new()));
            }
            2 | 6 => {
                batch.event(&pair.link, 0, &notice(length));
                expected.push(Got::Event(length, Vec::new()));
            }
            // The next one has descriptors as well: one right behind the other.
            3 => {
                let texts: Vec<String> = (0..MOST_DESCRIPTORS).map(|place| format!("{number} {place}")).collect();
                pair.link.put_with_fds(|out| put_event(out, 0, &notice(length)), readable_all(&texts));
                batch.mark(&pair.link);
                expected.push(Got::Event(length, texts));
            }
            _ => {
                let texts = [format!("{number}a"), format!("{number}b")];
                pair.link.put_with_fds(|out| put_reply(out, number, &joined()), readable_all(&texts));
                batch.mark(&pair.link);
                expected.push(Got::Reply(number, texts.into()));
            }
        }
        if number % 50 == 49 {
            assert_eq!(batch.flush(), [0; 0]);
        }
    }
    assert!(pair.watched(), "the socket is full");
    while got.len() < expected.len() {
        while pair.receive(&mut got) {}
        if pair.watched() {
            pair.wait_writable();
            pair.link.flush().unwrap();
        }
    }
    assert_eq!(got, expected);
    assert!(pair.fds.is_empty() && !pair.receive(&mut got));
    let out = lock(&pair.link.out);
    assert!(out.bytes.is_empty() && out.fds.is_empty() && out.sent == 0);
    assert!(out.bytes.capacity() <= 64 << 10);
}

#[test]
fn a_worker_that_does_not_read_loses_its_link() {
    let mut pair = Pair::new();
    let mut batch = Batch::default();
    for _ in 0..=(OUTBOX >> 20) {
        batch.event(&pair.link, 0, &notice(1 << 20));
    }
    assert_eq!(batch.flush(), [0; 0]);
    let mut bytes = [0; 1 << 10];
    assert_eq!(pair.worker.read(&mut bytes).unwrap(), 0, "nothing of it is sent, and the link is closed");
    let length = lock(&pair.link.out).bytes.len();
    batch.event(&pair.link, 0, &notice(1));
    assert_eq!(lock(&pair.link.out).bytes.len(), length);
    assert!(pair.link.flush().is_err());
}

#[test]
fn a_worker_that_does_not_take_its_descriptors_loses_its_link() {
    let pair = Pair::new();
    let fd = readable("");
    for _ in 0..DESCRIPTORS {
        pair.link.put_with_fds(|out| put_event(out, 0, &notice(1)), vec![fd.try_clone().unwrap()]);
    }
    assert!(!pair.link.is_overrun());
    pair.link.put_with_fds(|out| put_event(out, 0, &notice(1)), vec![fd]);
    assert!(pair.link.is_overrun() && pair.link.flush().is_err());
}

#[test]
fn a_worker_that_is_gone_is_an_error() {
    let pair = Pair::new();
    drop(pair.worker);
    pair.link.put(|out| put_event(out, 0, &notice(1)));
    assert!(pair.link.flush().is_err());
    assert!(pair.link.flush().is_err());
}

#[test]
fn the_last_answer_wakes_who_waits_for_quiet() {
    let mut pair = Pair::new();
    let mut batch = Batch::default();
    let to = ReplyTo { link: pair.link.clone(), number: 1, since: Instant::now(), kind: None };
    let reply = Reply::Failed(Failure::new(Code::Busy, "Again."));
    assert!(!pair.link.wait_for_quiet(), "nothing is in flight");
    pair.link.started();
    batch.finish(&to, &reply);
    assert_eq!(batch.flush(), [0; 0], "nobody has asked");
    pair.link.started();
    pair.link.started();
    assert!(pair.link.wait_for_quiet());
    batch.finish(&to, &reply);
    assert_eq!((batch.flush(), pair.link.in_flight()), (Vec::new(), 1));
    batch.reply(&to, &reply);
    batch.finish(&to, &reply);
    assert_eq!((batch.flush(), pair.link.in_flight()), (vec![3], 0));
    assert_eq!(batch.flush(), [0; 0]);
    let mut got = Vec::new();
    while pair.receive(&mut got) {}
    assert_eq!(got.len(), 4);
}
