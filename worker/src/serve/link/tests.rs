//! Frames with descriptors, in any order and cut anywhere: each gets its own.

use super::*;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
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
fn a_frame_of_which_some_descriptors_are_missing_has_none_and_the_next_one_has_its_own() {
    let (mut link, stream) = pair();
    let message = |number: u64, texts: &[&str]| {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Message { reply: true, number, length: 7, texts }
    };
    let mut got = Vec::new();
    for (message, missing) in [(message(1, &["a", "b"]), 1), (message(2, &["c", "d"]), 0)] {
        let mut bytes = Vec::new();
        let (_, fds) = put(&mut bytes, &message);
        send(&stream, &bytes, &fds[missing..]);
    }
    assert_eq!(take(&mut link, &mut got), Ok(Came::Nothing));
    assert_eq!(got, [message(1, &[]), message(2, &["c", "d"])]);
}

/// A process of its own takes its room away: other tests have descriptors too.
#[test]
fn a_frame_for_whose_descriptors_there_is_no_room_has_none_and_the_next_one_has_its_own() {
    const NAME: &str = "serve::link::tests::\
        a_frame_for_whose_descriptors_there_is_no_room_has_none_and_the_next_one_has_its_own";
    if std::env::var_os("WITHOUT_ROOM").is_none() {
        let program = std::env::current_exe().unwrap();
        let child = std::process::Command::new(program).args(["--exact", NAME]).env("WITHOUT_ROOM", "1").output();
        let child = child.unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
        return;
    }
    let (mut link, stream) = pair();
    let mut got = Vec::new();
    let message = |number, texts| Message { reply: false, number, length: 7, texts };
    let texts = || vec!["a".to_owned(), "b".to_owned()];
    let (usual, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let sent = |number| {
        let mut bytes = Vec::new();
        let (_, fds) = put(&mut bytes, &message(number, texts()));
        send(&stream, &bytes, &fds);
    };
    // None is free, or one, and two come.
    for room in [0, 1] {
        sent(room);
        let free = std::fs::File::open("/dev/null").unwrap().as_raw_fd();
        setrlimit(Resource::RLIMIT_NOFILE, u64::try_from(free).unwrap() + room, most).unwrap();
        assert_eq!(take(&mut link, &mut got), Ok(Came::Nothing));
        setrlimit(Resource::RLIMIT_NOFILE, usual, most).unwrap();
    }
    sent(2);
    assert_eq!(take(&mut link, &mut got), Ok(Came::Nothing));
    assert_eq!(got, [message(0, Vec::new()), message(1, Vec::new()), message(2, texts())]);
}

#[test]
fn a_frame_whose_descriptors_never_came_ends_the_link() {
    let (mut link, stream) = pair();
    let (mut bytes, mut got) = (Vec::new(), Vec::new());
    put(&mut bytes, &Message { reply: true, number: 1, length: 7, texts: vec!["a".to_owned()] });
    send(&stream, &bytes, &[]);
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
    assert_eq!((link.fill(), link.fds.iter().map(Vec::len).sum()), (Came::More, WAITING));
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
