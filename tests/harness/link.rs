//! A worker's link to the handler, over which a test sends and reads what it likes.

use super::PATIENCE;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ssmglobal_ipc::frame::{Class, FrameReader, put_change, put_request};
use ssmglobal_ipc::{Carried, Event, Reply, ReplyKind, Request, Ticket, WorldKey};
use std::collections::VecDeque;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Waits until there is something to read.
pub fn wait_readable(of: impl AsFd) {
    wait_for(of.as_fd(), PollFlags::POLLIN);
}

/// Waits for these events, with a deadline.
pub fn wait_for(fd: BorrowedFd<'_>, flags: PollFlags) {
    let mut fds = [PollFd::new(fd, flags)];
    assert_eq!(poll(&mut fds, patience()), Ok(1), "it takes too long");
}

fn patience() -> PollTimeout {
    PollTimeout::from(u16::try_from(PATIENCE.as_millis()).expect("some seconds"))
}

/// An answer, letter for letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request's number.
    pub number: u64,
    /// Its kind.
    pub kind: ReplyKind,
    /// postcard.
    pub payload: Vec<u8>,
}

impl Answer {
    /// As it is given again: without what is shown once.
    fn without_what_is_shown_once(self) -> Answer {
        let Reply::WorldKey(key) = self.reply() else { return self };
        let mut payload = Vec::new();
        Reply::WorldKey(WorldKey { password: None, ..key }).put(&mut payload);
        Answer { payload, ..self }
    }

    /// What it says.
    pub fn reply(&self) -> Reply {
        Reply::decode(self.kind, &self.payload).expect("a reply")
    }
}

/// The worker's end of a link.
pub struct Link {
    /// The socket.
    pub stream: UnixStream,
    reader: FrameReader,
    answers: VecDeque<Answer>,
    /// The number of the next request.
    pub next: u64,
    /// The last ticket that has come.
    pub ticket: Option<Ticket>,
    /// The handler has said that the session ends.
    pub closed: bool,
    /// What was pushed for the client, with the pushes' numbers.
    pub pushes: VecDeque<(u64, Event)>,
    /// Descriptors that frames have brought.
    pub descriptors: VecDeque<OwnedFd>,
    /// Those whose frame is not whole.
    coming: VecDeque<OwnedFd>,
}

impl Link {
    /// Over this socket.
    pub fn over(stream: UnixStream) -> Link {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        let (answers, pushes) = (VecDeque::new(), VecDeque::new());
        let (descriptors, coming) = (VecDeque::new(), VecDeque::new());
        let (reader, next, ticket, closed) = (FrameReader::new(), 1, None, false);
        Link { stream, reader, answers, next, ticket, closed, pushes, descriptors, coming }
    }

    /// Sends bytes, as far as the handler takes them.
    pub fn send(&mut self, bytes: &[u8]) {
        // Whoever has ended the session reads no more.
        let _ = self.stream.write_all(bytes);
    }

    /// A request's frame, with the next number and everything acknowledged.
    pub fn frame(&mut self, request: &Request) -> Vec<u8> {
        let number = self.next;
        self.next += 1;
        request_frame(number, &Carried { acked: number - 1, key: None }, request)
    }

    /// Asks; gives the answer, or nothing when the link has ended.
    pub fn ask(&mut self, request: &Request) -> Option<Reply> {
        let frame = self.frame(request);
        self.send(&frame);
        self.reply()
    }

    /// Asks something that must be done.
    #[track_caller]
    pub fn done(&mut self, request: &Request) -> Reply {
        let reply = self.ask(request).unwrap_or_else(|| panic!("{request:?}: the link ends"));
        assert!(request.kind().replies().contains(&reply.kind()), "{request:?}: {reply:?}");
        reply
    }

    /// The next answer; nothing when the link has ended.
    pub fn reply(&mut self) -> Option<Reply> {
        self.answer().map(|answer| answer.reply())
    }

    /// The next answer as it came; nothing when the link has ended.
    pub fn answer(&mut self) -> Option<Answer> {
        while self.answers.is_empty() && self.read() {}
        self.answers.pop_front()
    }

    /// Reads once, and takes what has come apart; false when the link has ended.
    pub fn read(&mut self) -> bool {
        let (stream, coming) = (&self.stream, &mut self.coming);
        let read = |buffer: &mut [u8]| {
            wait_readable(stream);
            let received = ssmglobal_sys::receive(stream, buffer)?;
            coming.extend(received.fds);
            Ok(received.count)
        };
        match self.reader.fill(read) {
            Ok((0, _)) => return false,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return false,
            Err(error) => panic!("nothing comes, and not the end: {error}"),
        }
        while let Some(frame) = self.reader.next_frame().expect("a frame") {
            assert!(frame.descriptors <= self.coming.len(), "descriptors come with their announcement");
            self.descriptors.extend(self.coming.drain(..frame.descriptors));
            if frame.class == Class::Reply {
                let kind = ReplyKind::from_number(frame.kind).expect("a kind");
                let answer = Answer { number: frame.number, kind, payload: frame.payload.to_vec() };
                self.answers.push_back(answer.without_what_is_shown_once());
                continue;
            }
            match frame.event().expect("an event") {
                Event::Close(_) => self.closed = true,
                Event::Ticket(ticket) => self.ticket = Some(ticket),
                event => self.pushes.push_back((frame.number, event)),
            }
        }
        assert!(self.coming.is_empty() || !self.reader.rest().is_empty(), "what comes is announced");
        true
    }

    /// Waits until something has come that was not read.
    pub fn wait(&self) {
        wait_readable(&self.stream);
    }

    /// As [`Link::wait`], on any of them.
    pub fn wait_for_one(links: &[&Link]) {
        let mut fds: Vec<PollFd<'_>> =
            links.iter().map(|link| PollFd::new(link.stream.as_fd(), PollFlags::POLLIN)).collect();
        assert_ne!(poll(&mut fds, patience()), Ok(0), "it takes too long");
    }

    /// Whether nothing has come that nobody has asked for.
    pub fn is_silent(&self) -> bool {
        let mut fds = [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
        self.answers.is_empty() && self.pushes.is_empty() && poll(&mut fds, PollTimeout::ZERO) == Ok(0)
    }

    /// Reads to the end, which must come; gives how many answers came before.
    pub fn end(mut self) -> usize {
        std::iter::from_fn(|| self.reply()).count()
    }
}

/// The frame of a request, with what is carried in it if it changes something.
pub fn request_frame(number: u64, carried: &Carried, request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    match request.kind().describe().is_kept() {
        true => put_change(&mut bytes, number, carried, request),
        false => put_request(&mut bytes, number, request),
    }
    bytes
}
