//! What a worker does, or will have to: all of it must pass.

use crate::{Attempt, Ends, World};
use mio::{Events, Interest, Poll, Token, unix::SourceFd};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::Signal;
use nix::sys::socket::{MsgFlags, recv};
use ssmglobal_sys::LockedPage;
use std::collections::HashMap;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

pub const ALL: &[(&str, Ends, Attempt)] = &[
    ("nothing at all", Ends::Well, |_| true),
    ("talk to the client", Ends::Well, talk),
    ("wait in poll and in an event loop", Ends::Well, wait),
    ("make a link and hand it over", Ends::Well, link),
    ("look at a header, say whose it is, hear the answer", Ends::Well, name),
    ("read a relay ring", Ends::Well, ring),
    ("leave a session in sealed memory", Ends::Well, sealed_memory),
    ("lock a page, wipe it and lock another one", Ends::Well, locked_page),
    ("lock more than one page", Ends::Well, more_than_a_page),
    ("take and give back memory", Ends::Well, memory),
    ("ask for the time, make a table", Ends::Well, table),
    ("panic and catch it", Ends::Well, caught),
    ("take more descriptors than it may", Ends::Well, too_many_descriptors),
    ("overflow the stack", Ends::By(Signal::SIGSEGV), |_| deeper(0) == 0),
];

/// What ends a worker that gives up: by SIGABRT where it may send that to itself, by SIGSEGV where it has its lock of a zygote.
pub const GIVES_UP: &[(&str, Attempt)] =
    &[("abort", |_| std::process::abort()), ("take more memory than it may", too_much_memory)];

fn talk(world: &World) -> bool {
    let (ours, theirs) = (&world.client.0, &world.client.1);
    let (mut ours, mut theirs) =
        (UnixStream::from(ours.try_clone().unwrap()), UnixStream::from(theirs.try_clone().unwrap()));
    let mut buffer = [0; 16];
    ours.write_all(b"hello").is_ok() && theirs.read(&mut buffer).is_ok_and(|count| &buffer[..count] == b"hello")
}

fn wait(world: &World) -> bool {
    let mut waits = [PollFd::new(world.client.0.as_fd(), PollFlags::POLLOUT)];
    let polled = nix::poll::poll(&mut waits, PollTimeout::from(1000_u16)) == Ok(1);
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let mut source = SourceFd(&world.client.0.as_raw_fd());
    poll.registry().register(&mut source, Token(1), Interest::WRITABLE).unwrap();
    poll.poll(&mut events, Some(Duration::from_secs(1))).unwrap();
    poll.registry().reregister(&mut source, Token(1), Interest::READABLE).unwrap();
    poll.registry().deregister(&mut source).unwrap();
    polled && !events.is_empty()
}

fn link(world: &World) -> bool {
    let (_ours, theirs) = ssmglobal_sys::link_pair().unwrap();
    ssmglobal_sys::send_with(&world.rendezvous.0, b"L", &[theirs.as_fd()]).unwrap();
    let mut buffer = [0; 8];
    // It comes from this process, and from no other that it might name.
    let (received, pid) = ssmglobal_sys::receive_with_peer(&world.rendezvous.1, &mut buffer).unwrap();
    received.fds.len() == 1 && pid == nix::unistd::getpid().as_raw()
}

fn name(world: &World) -> bool {
    let (client, proxy) = (&world.client.0, &world.client.1);
    nix::sys::socket::send(proxy.as_raw_fd(), b"PROXY", MsgFlags::empty()).unwrap();
    let mut bytes = [0; 5];
    let seen = recv(client.as_raw_fd(), &mut bytes, MsgFlags::MSG_PEEK).unwrap();
    let taken = ssmglobal_sys::read_now(client, &mut bytes).unwrap();
    let (ours, theirs) = ssmglobal_sys::seqpacket_pair().unwrap();
    ssmglobal_sys::send_with(&world.rendezvous.0, b"N", &[theirs.as_fd()]).unwrap();
    let asked = ssmglobal_sys::receive(&world.rendezvous.1, &mut [0; 8]).unwrap();
    ssmglobal_sys::write_now(&asked.fds[0], b"in").unwrap();
    let mut waits = [PollFd::new(ours.as_fd(), PollFlags::POLLIN)];
    nix::poll::poll(&mut waits, PollTimeout::from(1000_u16)).unwrap();
    (seen, taken, ssmglobal_sys::read_now(&ours, &mut [0; 8]).unwrap()) == (5, 5, 2)
}

fn ring(_: &World) -> bool {
    use ssmglobal_sys::ring::{Reader, Writer};
    let mut writer = Writer::new().unwrap();
    let mut reader = Reader::new(writer.fd(), writer.position()).unwrap();
    let (mut seen, mut buffer) = (Vec::new(), Vec::new());
    writer.push(1, 1, b"text");
    reader.read(&mut buffer, |entry| seen = entry.text.to_vec());
    seen == b"text"
}

fn sealed_memory(_: &World) -> bool {
    let fd = memfd_create("session", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).unwrap();
    nix::unistd::ftruncate(&fd, 1 << 20).unwrap();
    let mut file = std::fs::File::from(fd);
    file.write_all(b"state").unwrap();
    let seals = SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).unwrap();
    let mut text = [0; 5];
    file.rewind().unwrap();
    file.read_exact(&mut text).unwrap();
    file.write_all(b"more").is_err() && &text == b"state"
}

fn locked_page(_: &World) -> bool {
    let keeps = || LockedPage::new().is_ok_and(|mut page| page.put(b"connect bob") && page.bytes() == b"connect bob");
    keeps() && keeps()
}

/// It cannot, and lives.
fn more_than_a_page(_: &World) -> bool {
    let first = LockedPage::new();
    first.is_ok() && LockedPage::new().is_err_and(|error| error.kind() == std::io::ErrorKind::OutOfMemory)
}

fn memory(_: &World) -> bool {
    let mut blocks: Vec<Vec<u8>> = (4..26).map(|size| vec![1; 1 << size]).collect();
    blocks.iter_mut().for_each(|block| block.extend_from_within(..));
    blocks.iter().all(|block| block.last() == Some(&1))
}

fn table(_: &World) -> bool {
    let table: HashMap<u32, Instant> = (0..100).map(|key| (key, Instant::now())).collect();
    table.len() == 100
}

fn caught(_: &World) -> bool {
    std::panic::set_hook(Box::new(|_| {}));
    std::panic::catch_unwind(|| panic!("calmly")).is_err()
}

fn too_much_memory(_: &World) -> bool {
    ssmglobal_sys::no_backtraces();
    let block = std::hint::black_box(vec![1_u8; 3 << 30]);
    block.len() == 3
}

fn too_many_descriptors(world: &World) -> bool {
    let mut copies = Vec::new();
    while let Ok(copy) = world.client.0.try_clone() {
        copies.push(copy);
    }
    (100..5000).contains(&copies.len())
}

#[allow(unconditional_recursion)]
fn deeper(depth: u64) -> u64 {
    let room = [depth; 512];
    std::hint::black_box(&room);
    deeper(depth + 1) + room[0]
}
