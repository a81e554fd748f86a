//! The worker's end of its link to the handler. Made when the first command needs it: an idle client costs the
//! handler nothing.

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::errno::Errno;
use ssmglobal_ipc::frame::{Frame, FrameReader, MOST_DESCRIPTORS, put_change, put_request};
use ssmglobal_ipc::{Carried, DecodeError, Request};
use ssmglobal_sys::Writable;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Bytes that may wait for the handler before requests are taken more slowly: what one read of the client gives must
/// fit, so that it goes in one write.
const SLOW: usize = 64 << 10;

/// Descriptors that may wait for their frames: one read can end a frame that has some, and begin the next one.
const WAITING: usize = 2 * MOST_DESCRIPTORS;

/// The link.
#[derive(Debug)]
pub struct Link {
    stream: UnixStream,
    /// What has come and is not whole yet.
    reader: FrameReader,
    /// The descriptors of that.
    fds: VecDeque<OwnedFd>,
    out: Vec<u8>,
    writable: Writable,
    /// The handler's end, while the rendezvous has no room for it.
    theirs: Option<OwnedFd>,
    /// The handler has answered on it: it serves.
    pub welcome: bool,
    /// It has answered something since the oldest question that is open was asked.
    pub answered: bool,
    /// The handler has closed its end: the event loop will not say so again, so it is read to the end.
    pub ended: bool,
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno as i32)
}

/// Whether nobody will ever take a link again: the listener is gone, and its handler.
pub fn is_deserted(error: &io::Error) -> bool {
    [Errno::EPIPE, Errno::ECONNRESET, Errno::ECONNREFUSED, Errno::ENOTCONN].iter().any(|errno| is(error, *errno))
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// Bytes, and there may be more.
    More,
    /// Nothing further for now.
    Nothing,
    /// The handler is gone.
    Gone,
}

impl Link {
    /// Makes a link.
    ///
    /// # Errors
    /// The kernel's, when no socket can be made, or when nobody is left to take the link.
    pub fn open(rendezvous: BorrowedFd<'_>, registry: &Registry, token: Token) -> io::Result<Link> {
        let (ours, theirs) = ssmglobal_sys::link_pair()?;
        let stream = UnixStream::from(ours);
        registry.register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE)?;
        let mut link = Link { theirs: Some(theirs), ..Link::over(stream) };
        link.hand_over(rendezvous)?;
        Ok(link)
    }

    /// Goes on with the link of another worker, which was quiet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn taken(fd: OwnedFd, registry: &Registry, token: Token) -> io::Result<Link> {
        let stream = UnixStream::from(fd);
        registry.register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Link { welcome: true, ..Link::over(stream) })
    }

    fn over(stream: UnixStream) -> Link {
        Link {
            stream,
            reader: FrameReader::new(),
            fds: VecDeque::new(),
            out: Vec::new(),
            writable: Writable::default(),
            theirs: None,
            welcome: false,
            answered: false,
            ended: false,
        }
    }

    /// Whether it serves, and nothing is on its way here that was begun and is not whole. Descriptors
    /// need no look: they come with the first byte of what they belong to.
    pub fn is_quiet(&self) -> bool {
        self.welcome && !self.ended && !self.is_held_back() && self.out.is_empty() && self.reader.rest().is_empty()
    }

    /// Gives the handler its end, if the rendezvous has room now.
    ///
    /// # Errors
    /// The kernel's.
    pub fn hand_over(&mut self, rendezvous: BorrowedFd<'_>) -> io::Result<()> {
        let Some(theirs) = &self.theirs else { return Ok(()) };
        match ssmglobal_sys::send_with(rendezvous, &[ssmglobal_ipc::rendezvous::LINK], &[theirs.as_fd()]) {
            Ok(_) => {
                self.theirs = None;
                Ok(())
            }
            // Too many: the kernel counts what all workers' user has sent and nobody has taken yet.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || is(&error, Errno::ETOOMANYREFS) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the rendezvous had no room yet.
    pub fn is_held_back(&self) -> bool {
        self.theirs.is_some()
    }

    /// Queues a request. `acked` and `key` go along with one that changes something; see [`Carried`].
    pub fn ask(&mut self, number: u64, request: &Request, acked: u64, key: Option<&str>) {
        if request.kind().describe().is_kept() {
            let carried = Carried { acked, key: key.map(str::to_owned) };
            put_change(&mut self.out, number, &carried, request);
        } else {
            put_request(&mut self.out, number, request);
        }
    }

    /// Whether so much waits for the handler that no further request should be taken.
    pub fn is_slow(&self) -> bool {
        self.out.len() > SLOW
    }

    /// Writes what waits, as far as there is room; the rest goes when `registry` tells under `token` that there is more.
    ///
    /// # Errors
    /// The handler is gone.
    pub fn flush(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        ssmglobal_sys::write_out(&mut self.stream, &mut self.out)?;
        self.writable.watch(!self.out.is_empty(), registry, &mut SourceFd(&self.stream.as_raw_fd()), token)
    }

    /// Reads once. What came before and is whole must have been taken.
    pub fn fill(&mut self) -> Came {
        if self.reader.rest().is_empty() {
            // Nobody has counted on them.
            self.fds.clear();
        }
        let waiting = self.fds.len();
        let (stream, fds) = (&self.stream, &mut self.fds);
        let result = self.reader.fill(|buffer| {
            let received = ssmglobal_sys::receive(stream, buffer)?;
            fds.extend(received.fds);
            Ok(received.count)
        });
        match result {
            Ok((0, _)) => Came::Gone,
            Ok(_) if self.fds.len() > WAITING => Came::Gone,
            // With descriptors the kernel ends a read where they stand, however much there is behind.
            Ok((_, more)) if more || self.ended || self.fds.len() > waiting => Came::More,
            Ok(_) => Came::Nothing,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Came::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Came::More,
            Err(_) => Came::Gone,
        }
    }

    /// The next whole frame, if there is one, and the descriptors that it carries. Those that nobody takes are closed.
    ///
    /// # Errors
    /// What has come is no frame, or fewer descriptors came than it counts: the link is of no use any more.
    pub fn next_frame(&mut self) -> Result<Option<(Frame<'_>, Vec<OwnedFd>)>, DecodeError> {
        let Some(frame) = self.reader.next_frame()? else { return Ok(None) };
        if frame.descriptors > self.fds.len() {
            return Err(DecodeError::Descriptors);
        }
        let fds = self.fds.drain(..frame.descriptors).collect();
        Ok(Some((frame, fds)))
    }

    /// Takes the link out of the event loop.
    pub fn close(self, registry: &Registry) {
        // It is closed in the next moment anyway.
        let _ = registry.deregister(&mut SourceFd(&self.stream.as_raw_fd()));
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use ssmglobal_ipc::frame::{Class, put_event, put_reply, put_with_descriptors};
    use ssmglobal_ipc::{Event, Notice, Reply, Welcome};
    use std::io::{Read, Write};

    /// A reply or an event: its number, how long it is, and what can be read from its descriptors.
    #[derive(Clone, Debug, PartialEq)]
    struct Message {
        reply: bool,
        number: u64,
        length: usize,
        texts: Vec<String>,
    }

    /// The worker's end, and the handler's.
    fn pair() -> (Link, UnixStream) {
        let (ours, theirs) = ssmglobal_sys::link_pair().unwrap();
        (Link::over(ours.into()), theirs.into())
    }

    /// The end to read of a pipe that holds this text.
    fn readable(text: &str) -> OwnedFd {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        reader.into()
    }

    fn read(fd: OwnedFd) -> String {
        let mut text = String::new();
        std::fs::File::from(fd).read_to_string(&mut text).unwrap();
        text
    }

    /// Appends it; gives where its descriptors belong, and them.
    fn put(out: &mut Vec<u8>, message: &Message) -> (usize, Vec<OwnedFd>) {
        let place = out.len();
        put_with_descriptors(out, message.texts.len(), |out| match message.reply {
            true => put_reply(out, message.number, &Reply::Welcome(Welcome { session: message.length as u64 })),
            false => put_event(out, message.number, &Event::Notice(Notice { msg: "x".repeat(message.length) })),
        });
        (place, message.texts.iter().map(|text| readable(text)).collect())
    }

    fn send(stream: &UnixStream, bytes: &[u8], fds: &[OwnedFd]) {
        let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        assert_eq!(ssmglobal_sys::send_with(stream, bytes, &fds).unwrap(), bytes.len());
    }

    /// Reads as a session does.
    fn take(link: &mut Link, got: &mut Vec<Message>) -> Result<Came, DecodeError> {
        loop {
            let came = link.fill();
            while let Some((frame, fds)) = link.next_frame()? {
                let texts = fds.into_iter().map(read).collect();
                let reply = frame.class == Class::Reply;
                let length = match reply {
                    true => match frame.reply()? {
                        Reply::Welcome(welcome) => welcome.session as usize,
                        other => panic!("{other:?}"),
                    },
                    false => match frame.event()? {
                        Event::Notice(notice) => notice.msg.len(),
                        other => panic!("{other:?}"),
                    },
                };
                got.push(Message { reply, number: frame.number, length, texts });
            }
            if came != Came::More {
                return Ok(came);
            }
        }
    }

    fn messages() -> impl Strategy<Value = Vec<Message>> {
        let message = (any::<bool>(), any::<u64>(), 0usize..3000, prop_oneof![Just(0), 0..=MOST_DESCRIPTORS]);
        vec(message, 0..12).prop_map(|all| {
            let messages = all.into_iter().enumerate().map(|(index, (reply, number, length, count))| {
                let texts = (0..count).map(|place| format!("{index} {place}")).collect();
                Message { reply, number, length, texts }
            });
            messages.collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn each_reply_and_event_gets_its_own_descriptors(
            messages in messages(),
            cuts in vec((any::<prop::sample::Index>(), any::<bool>()), 0..12),
        ) {
            let (mut link, stream) = pair();
            let mut bytes = Vec::new();
            let fds: Vec<(usize, Vec<OwnedFd>)> = messages.iter().map(|message| put(&mut bytes, message)).collect();
            // What carries some begins a piece, and others begin anywhere; the worker reads before some of them.
            let mut places: Vec<(usize, bool)> =
                cuts.iter().map(|(place, reads)| (place.index(bytes.len() + 1), *reads)).collect();
            places.extend(fds.iter().map(|(place, _)| (*place, false)));
            places.extend([(0, false), (bytes.len(), true)]);
            places.sort_unstable();
            let mut got = Vec::new();
            for piece in places.windows(2) {
                let [(from, reads), (to, _)] = *piece else { continue };
                if reads {
                    prop_assert_eq!(take(&mut link, &mut got).unwrap(), Came::Nothing);
                }
                if from < to {
                    let carried = fds.iter().find(|(place, fds)| *place == from && !fds.is_empty());
                    send(&stream, &bytes[from..to], carried.map_or(&[], |(_, fds)| fds));
                }
            }
            prop_assert_eq!(take(&mut link, &mut got).unwrap(), Came::Nothing);
            prop_assert_eq!(got, messages);
            prop_assert!(link.fds.is_empty());
        }
    }

    #[test]
    fn a_frame_of_which_descriptors_are_missing_ends_the_link() {
        let (mut link, stream) = pair();
        let (mut bytes, mut got) = (Vec::new(), Vec::new());
        let texts = vec!["a".to_owned(), "b".to_owned()];
        let (_, fds) = put(&mut bytes, &Message { reply: true, number: 1, length: 7, texts });
        send(&stream, &bytes, &fds[..1]);
        assert_eq!(take(&mut link, &mut got), Err(DecodeError::Descriptors));
        assert_eq!(got, []);
    }

    /// As an older handler sends them.
    #[test]
    fn descriptors_that_are_not_announced_are_closed() {
        let (mut link, stream) = pair();
        let (mut bytes, mut got) = (Vec::new(), Vec::new());
        let message = Message { reply: true, number: 1, length: 7, texts: Vec::new() };
        put(&mut bytes, &message);
        let (reader, mut writer) = io::pipe().unwrap();
        send(&stream, &bytes, &[reader.into()]);
        assert_eq!(take(&mut link, &mut got), Ok(Came::Nothing));
        assert_eq!(got, [message]);
        assert_eq!(writer.write_all(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn more_descriptors_than_may_wait_end_the_link() {
        let (mut link, stream) = pair();
        let (mut bytes, mut fds) = (Vec::new(), Vec::new());
        put_reply(&mut bytes, 1, &Reply::Welcome(Welcome { session: 7 }));
        fds.resize_with(WAITING, || readable(""));
        send(&stream, &bytes[..1], &fds);
        send(&stream, &bytes[1..2], &fds[..1]);
        assert_eq!((link.fill(), link.fds.len()), (Came::More, WAITING));
        assert_eq!(link.fill(), Came::Gone);
    }

    #[test]
    fn a_link_is_quiet_when_what_was_begun_is_whole() {
        let (mut link, stream) = pair();
        link.welcome = true;
        let (mut bytes, mut got) = (Vec::new(), Vec::new());
        let message = Message { reply: false, number: 1, length: 7, texts: vec!["a".to_owned()] };
        let (_, fds) = put(&mut bytes, &message);
        let (first, rest) = bytes.split_at(bytes.len() - 1);
        assert!(link.is_quiet());
        send(&stream, first, &fds);
        assert_eq!(take(&mut link, &mut got), Ok(Came::Nothing));
        assert!(!link.is_quiet());
        send(&stream, rest, &[]);
        assert_eq!(take(&mut link, &mut got), Ok(Came::Nothing));
        assert!(link.is_quiet() && got == [message]);
    }
}
