//! What workers hand over in the place of links, and what they do with the links that they have.

use super::{Scene, page};
use crate::harness::Link;
use ssmglobal_ipc::*;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

#[test]
fn what_is_no_link_is_not_taken_for_one() {
    let mut scene = Scene::new();
    let dir = tempfile::TempDir::new().unwrap();
    let file = OwnedFd::from(std::fs::File::create(dir.path().join("file")).unwrap());
    let zero = OwnedFd::from(std::fs::File::open("/dev/zero").unwrap());
    let (seqpacket, _other) = ssmglobal_sys::seqpacket_pair().unwrap();
    let datagram = OwnedFd::from(UnixDatagram::unbound().unwrap());
    let tcp = OwnedFd::from(std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let epoll = nix::sys::epoll::Epoll::new(nix::sys::epoll::EpollCreateFlags::empty()).unwrap().0;
    let (one, two) = UnixStream::pair().unwrap();
    let many = |count: usize| vec![file.as_fd(); count];
    let wrong: Vec<(&[u8], Vec<BorrowedFd<'_>>)> = vec![
        (b"", vec![]),
        (b"", many(1)),
        (b"L", many(1)),
        (b"L", many(2)),
        (b"L", many(5)),
        (b"L", many(253)),
        (b"L", vec![one.as_fd(), two.as_fd()]),
        (b"L", vec![zero.as_fd()]),
        (b"L", vec![seqpacket.as_fd()]),
        (b"L", vec![datagram.as_fd()]),
        (b"L", vec![tcp.as_fd()]),
        (b"L", vec![epoll.as_fd()]),
    ];
    let before = scene.listener.process().descriptors().len();
    for (bytes, fds) in &wrong {
        scene.anew();
        // Whoever comes behind is served all the same.
        scene.worker.hand_over(bytes, fds);
        scene.listener.ended(&scene.worker, "what it hands over is no link");
        assert_eq!(scene.worker.link().end(), 0);
        scene.goes_on();
    }
    // A message without a descriptor: so it looks when the handler has none left.
    scene.anew();
    scene.worker.hand_over(b"L", &[]);
    scene.listener.handler.stderr.wait("did not come along");
    // A listening one is a stream, too.
    let listening = OwnedFd::from(UnixListener::bind(dir.path().join("socket")).unwrap());
    scene.worker.hand_over(b"L", &[listening.as_fd()]);
    drop(scene.worker.opened(Mode::Client));
    scene.goes_on();
    scene.anew();
    let descriptors = scene.listener.process().descriptors();
    assert_eq!(descriptors.len(), before, "{descriptors:?}");
}

#[test]
fn whoever_keeps_a_hand_on_the_handlers_end_stops_nobody() {
    let mut scene = Scene::new();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let hand = theirs.try_clone().unwrap();
    scene.worker.hand_over(b"L", &[theirs.as_fd()]);
    drop(theirs);
    let mut link = Link::over(ours);
    link.done(&Request::Open(scene.worker.open(Mode::Client)));
    hand.set_nonblocking(false).unwrap();
    assert!(link.ask(&Request::Whoami).is_some());
    scene.goes_on();
    // Not even where there is no room to write.
    let bytes: Vec<u8> = (0..20_000).flat_map(|_| link.frame(&Request::Worlds(page()))).collect();
    link.send(&bytes);
    scene.goes_on();
    // Its worker is gone, its link is not.
    scene.listener.end(&scene.worker);
    scene.listener.handler.stderr.wait("its worker has ended, and its link has not");
    scene.goes_on();
}

#[test]
fn thousands_of_links_are_not_taken() {
    let mut scene = Scene::new();
    let before = scene.listener.process().descriptors().len();
    let (_ours, theirs) = UnixStream::pair().unwrap();
    for _ in 0..3000 {
        scene.worker.hand_over(b"L", &[theirs.as_fd()]);
    }
    scene.listener.ended(&scene.worker, "it links up again and again");
    scene.goes_on();
    assert!(scene.listener.process().descriptors().len() <= before + 1);
    assert_eq!(scene.listener.handler.stderr.text().matches("the session ends").count(), 1);
}
