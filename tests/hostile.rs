//! Workers that lie: whatever they send to the handler, their own session ends, the log says why, and all others go on.

use crate::harness::{Hostile, Link, Listener, rendezvous_process, samples};
use ssmglobal_ipc::frame::{
    HEADER, MOST_DESCRIPTORS, put_change, put_control, put_event, put_reply, put_request, put_with_descriptors,
};
use ssmglobal_ipc::*;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};

/// No test: the process of a worker, see [`rendezvous_process`].
#[test]
fn a_process_that_hands_links_over() {
    rendezvous_process();
}

/// A handler with somebody who does nothing wrong, and a worker that will.
struct Scene {
    listener: Listener,
    _other: Hostile,
    bystander: Link,
    worker: Hostile,
}

impl Scene {
    fn new() -> Scene {
        let mut listener = Listener::start();
        let other = listener.worker();
        let bystander = other.registered("bystander");
        let worker = listener.worker();
        Scene { listener, _other: other, bystander, worker }
    }

    /// The worker is another one from now on.
    fn anew(&mut self) {
        self.listener.join(&mut self.worker);
    }

    /// The others go on: memory, disk and boards answer.
    fn goes_on(&mut self) {
        let asked = [Request::Whoami, Request::Who(page()), set("colour", "red"), Request::MailList(page())];
        for request in asked {
            let reply = self.bystander.ask(&request);
            assert!(!matches!(reply, None | Some(Reply::Failed(_))), "{request:?}: {reply:?}");
        }
    }

    /// The worker sends this over its link and loses its session for this reason, and nobody else notices.
    fn lies(&mut self, mut link: Link, bytes: &[u8], why: &str) {
        link.send(bytes);
        self.lost(link, why);
    }

    /// Its link ends, the log says why, it cannot come back, and nobody else notices.
    fn lost(&mut self, mut link: Link, why: &str) {
        while link.reply().is_some() {}
        self.listener.ended(&self.worker, why);
        assert!(link.closed, "it is told: {why}");
        assert_eq!(self.worker.link().end(), 0);
        self.goes_on();
    }
}

fn page() -> Page {
    Page { limit: None, after: None }
}

fn on_board(board: &str) -> Subscription {
    Subscription { topic: Topic::Board(board.into()), cursor: Position::default() }
}

fn set(key: &str, value: &str) -> Request {
    Request::SettingSet(SettingSet { key: key.into(), value: value.into(), version: None, public: None })
}

#[test]
fn what_a_state_does_not_permit_ends_the_session() {
    let mut scene = Scene::new();
    let key = scene.listener.ctl(&["server", "add", "arena"])["key"].as_str().expect("a key").to_owned();
    let (mut tried, mut players) = (0, 0);
    for state in State::ALL {
        for request in samples().iter().filter(|request| !request.kind().describe().states.has(state)) {
            scene.anew();
            let mut link = match state {
                State::New => scene.worker.link(),
                State::Anonymous => scene.worker.opened(Mode::Client),
                State::Player => {
                    players += 1;
                    scene.worker.registered(&format!("player-{players}"))
                }
                State::Unproved | State::Server => scene.worker.opened(Mode::Server),
            };
            if state == State::Server {
                let auth = Auth { name: "arena".into(), key: Secret::new(key.as_str()) };
                assert!(matches!(link.ask(&Request::Auth(auth)), Some(Reply::Authed(_))));
            }
            let bytes = link.frame(request);
            scene.lies(link, &bytes, &format!("{} is not permitted to it", request.kind().name()));
            tried += 1;
        }
    }
    // What each state may is reviewed where the handler has its table; here every other request was tried.
    let permitted = |kind: &Kind| State::ALL.into_iter().filter(|state| kind.describe().states.has(*state)).count();
    assert_eq!(tried, 5 * Kind::ALL.len() - Kind::ALL.iter().map(permitted).sum::<usize>());
}

/// A frame of a sound request that changes nothing, number 2.
fn whoami() -> Vec<u8> {
    let mut bytes = Vec::new();
    put_request(&mut bytes, 2, &Request::Whoami);
    bytes
}

/// That frame, altered.
fn altered(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = whoami();
    change(&mut bytes);
    bytes
}

fn change(number: u64, acked: u64, key: Option<&str>, request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_change(&mut bytes, number, &Carried { acked, key: key.map(str::to_owned) }, request);
    bytes
}

#[test]
fn forged_frames_end_the_session() {
    let mut scene = Scene::new();
    let made = |put: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        put(&mut bytes);
        bytes
    };
    let (setting, long) = (set("colour", "red"), "k".repeat(1 << 19));
    let kind = |bytes: &mut Vec<u8>, kind: Kind| bytes[6..8].copy_from_slice(&(kind as u16).to_le_bytes());
    let payload = |of: Kind, payload: &[u8]| {
        altered(|bytes| {
            kind(bytes, of);
            bytes[0] = payload.len() as u8;
            bytes.extend_from_slice(payload);
        })
    };
    let not_fit = "a payload that does not fit its kind";
    let forged = [
        (altered(|bytes| bytes[..4].fill(0xff)), "a frame of 4294967295 bytes".to_owned()),
        (altered(|bytes| bytes[..4].copy_from_slice(&((1u32 << 20) + 1).to_le_bytes())), "a frame of 1048577".into()),
        (altered(|bytes| bytes[4] = 1), "frame version 1".into()),
        (altered(|bytes| bytes[4] = 3), "frame version 3".into()),
        (altered(|bytes| bytes[4] = 0), "frame version 0".into()),
        (altered(|bytes| bytes[5] = 0), "frame class 0".into()),
        (altered(|bytes| bytes[5] = 6), "frame class 6".into()),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), "frame version 47".into()),
        (made(&|out| put_reply(out, 2, &Reply::Done(Done {}))), "it sent something that is not a request".into()),
        (
            made(&|out| put_event(out, 2, &Event::Notice(Notice { msg: "hi".into() }))),
            "it sent something that is not a request".into(),
        ),
        (
            made(&|out| put_control(out, &ssmglobal_ipc::control::ToHandler::Stop)),
            "it sent something that is not a request".into(),
        ),
        (
            made(&|out| put_with_descriptors(out, 1, |out| put_request(out, 2, &Request::Whoami))),
            "it announced descriptors".into(),
        ),
        (made(&|out| put_with_descriptors(out, MOST_DESCRIPTORS + 1, |_| {})), "a wrong count of descriptors".into()),
        (made(&|out| put_request(out, 2, &setting)), "SettingSet came as what it is not".into()),
        (change(2, 1, None, &Request::Whoami), "Whoami came as what it is not".into()),
        (altered(|bytes| bytes[5] = 5), not_fit.into()),
        (payload(Kind::Whoami, &[0]), format!("Whoami with {not_fit}")),
        (payload(Kind::Finger, &[3, b'b', b'o']), format!("Finger with {not_fit}")),
        (payload(Kind::Finger, &[3, b'b', b'o', b'b', 0]), format!("Finger with {not_fit}")),
        (payload(Kind::Finger, &[2, 0xff, 0xfe]), format!("Finger with {not_fit}")),
        (payload(Kind::Finger, &[0xff; 10]), format!("Finger with {not_fit}")),
        (payload(Kind::Worlds, &[7]), format!("Worlds with {not_fit}")),
        (change(3, 2, Some(&long), &setting), "its client's key is too long".into()),
        (
            [change(3, 2, None, &setting), change(3, 2, None, &setting)].concat(),
            "it asks again what it has asked before".into(),
        ),
        (
            [change(u64::MAX, u64::MAX, None, &setting), change(4, 2, None, &setting)].concat(),
            "it asks again what it has asked before".into(),
        ),
        (change(1 << 40, 1, None, &setting), "it takes no note of its answers".into()),
    ];
    for (bytes, why) in forged {
        scene.anew();
        let link = scene.worker.registered(&format!("player-{}", scene.worker.session));
        scene.lies(link, &bytes, &why);
    }
    let log = scene.listener.handler.stderr.text();
    assert!(!log.contains("long enough") && !log.contains("kkkk"), "{log}");
}

#[test]
fn what_a_newer_worker_may_send_is_answered() {
    let scene = Scene::new();
    let mut link = scene.worker.opened(Mode::Client);
    link.send(&altered(|bytes| bytes[6..8].copy_from_slice(&9999u16.to_le_bytes())));
    assert!(matches!(link.reply(), Some(Reply::Failed(Failure { code: Code::UnknownCommand, .. }))));
}

#[test]
fn half_a_frame_and_silence_holds_up_nobody() {
    let mut scene = Scene::new();
    let mut link = scene.worker.opened(Mode::Client);
    let frame = link.frame(&Request::Finger(Finger { player: "x".repeat(1 << 19) }));
    link.send(&frame[..frame.len() - 1]);
    scene.goes_on();
    // No more to come, and still there to listen.
    link.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(link.end(), 0);
    scene.goes_on();
}

#[test]
fn a_session_that_is_not_its_own_is_not_opened() {
    let mut scene = Scene::new();
    let mut ticket = None;
    let mut theft = |scene: &mut Scene, why: &str, alter: &dyn Fn(&mut Open, &Ticket)| {
        scene.anew();
        let mut link = scene.worker.opened(Mode::Client);
        // Its own one comes behind the welcome.
        link.ask(&Request::Whoami);
        let mine = link.ticket.take().expect("a ticket");
        let other = ticket.replace(mine.clone()).unwrap_or_else(|| mine.clone());
        drop(link);
        let mut open = scene.worker.open(Mode::Client);
        open.ticket = Some(mine);
        alter(&mut open, &other);
        let mut link = scene.worker.link();
        let bytes = link.frame(&Request::Open(open));
        scene.lies(link, &bytes, why);
    };
    theft(&mut scene, "it claims another's session", &|open, _| open.session = 1);
    theft(&mut scene, "it claims another's session", &|open, _| open.session = 0);
    theft(&mut scene, "its ticket is not one of its session", &|open, other| open.ticket = Some(other.clone()));
    theft(&mut scene, "its ticket is not one of its session", &|open, _| open.ticket = Some(Ticket::new(Vec::new())));
    theft(&mut scene, "its ticket is not one of its session", &|open, _| {
        open.ticket = Some(Ticket::new(vec![0; 1 << 19]));
    });
    theft(&mut scene, "its ticket is not one of its session", &|open, mine| {
        let mut bytes = open.ticket.as_ref().unwrap_or(mine).sealed().to_vec();
        bytes[1] ^= 1;
        open.ticket = Some(Ticket::new(bytes));
    });
    // Twice on one link.
    scene.anew();
    let mut link = scene.worker.opened(Mode::Client);
    let bytes = link.frame(&Request::Open(scene.worker.open(Mode::Client)));
    scene.lies(link, &bytes, "Open is not permitted to it");
}

#[test]
fn a_session_that_nobody_has_been_given_is_waited_for_and_serves_nobody() {
    let mut scene = Scene::new();
    let mut link = scene.worker.link();
    let open = Open { session: u64::MAX, ..scene.worker.open(Mode::Client) };
    let bytes = link.frame(&Request::Open(open));
    link.send(&bytes);
    let bytes = link.frame(&Request::Whoami);
    link.send(&bytes);
    scene.goes_on();
    // It ends with its worker, or when that makes another.
    drop(scene.worker.opened(Mode::Client));
    assert_eq!(link.end(), 0);
}

#[test]
fn figures_that_cannot_be_harm_nobody() {
    let mut scene = Scene::new();
    let open = Open {
        next: u64::MAX,
        last_push: u64::MAX,
        idle: u64::MAX,
        subscriptions: vec![on_board(""); 100_000],
        ..scene.worker.open(Mode::Human)
    };
    let mut link = scene.worker.link();
    assert!(matches!(link.ask(&Request::Open(open)), Some(Reply::Welcome(_))));
    let register = Register { name: "alice".into(), password: Secret::new("long enough"), email: None };
    assert!(matches!(link.ask(&Request::Register(register)), Some(Reply::LoggedIn(_))));
    // More than was ever answered.
    let setting = change(10, u64::MAX, None, &set("colour", "blue"));
    link.send(&setting);
    assert!(matches!(link.reply(), Some(Reply::SettingVersion(_))));
    scene.goes_on();
}

#[test]
fn texts_without_end_are_refused_and_kept_nowhere() {
    let mut scene = Scene::new();
    let mut link = scene.worker.registered("alice");
    let long = |c: char| c.to_string().repeat((1 << 20) / c.len_utf8() - 64);
    let text = || long('k');
    let before = scene.listener.process().memory();
    for _ in 0..8 {
        let asked = [
            set(&text(), "red"),
            set("colour", &text()),
            Request::Finger(Finger { player: long('Ä') }),
            Request::Who(Page { limit: Some(u32::MAX), after: Some(long('Ä')) }),
            Request::Worlds(Page { limit: Some(u32::MAX), after: Some(text()) }),
            Request::RecordBoards(Page { limit: Some(0), after: Some(text()) }),
            Request::MailList(Page { limit: None, after: Some(text()) }),
            Request::SettingGet(SettingGet { key: text(), of: None }),
            Request::RecordWatch(RecordWatch { board: text() }),
            Request::Tell(Tell { to: "bystander".into(), body: text() }),
            Request::Tell(Tell { to: long('Ä'), body: "hi".into() }),
            Request::MailSend(MailSend { to: "bystander".into(), body: text(), subject: None }),
            Request::MailSend(MailSend { to: "bystander".into(), body: "hi".into(), subject: Some(text()) }),
            Request::MailBlock(MailBlock { player: Party::Server(text()) }),
            Request::Login(Login { name: long('Ä'), password: Secret::new("long enough") }),
            Request::Login(Login { name: "bystander".into(), password: Secret::new(text()) }),
            Request::Register(Register { name: text(), password: Secret::new("long enough"), email: None }),
        ];
        for request in asked {
            let reply = link.ask(&request);
            let Some(Reply::Failed(failure)) = &reply else {
                assert!(matches!(reply, Some(Reply::Who(_) | Reply::Worlds(_) | Reply::Boards(_))), "{reply:?}");
                continue;
            };
            assert!(failure.msg.len() < 1000, "{}", failure.msg.len());
        }
        let line = link.frame(&Request::Log(LogLine { level: 2, text: format!("7: forged {}", text()) }));
        link.send(&line);
    }
    scene.goes_on();
    let log = scene.listener.handler.stderr.text();
    assert!(
        log.contains(&format!("{} 7: forged kkk", scene.worker.address)),
        "an address and what follows are told apart"
    );
    assert!(log.len() < 1 << 20, "{}", log.len());
    let more = scene.listener.process().memory().saturating_sub(before);
    assert!(more < 64 << 10, "{more} KiB");
}

/// Asks this again and again, and reads nothing, until nobody takes it any more.
fn flood(mut link: Link, request: &Request, stop: &AtomicBool) {
    let mut bytes = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        bytes.clear();
        while bytes.len() < 1 << 16 {
            bytes.extend(link.frame(request));
        }
        if link.stream.write_all(&bytes).is_err() {
            return;
        }
    }
}

#[test]
fn a_flood_is_heard_in_its_turn() {
    let mut scene = Scene::new();
    // What is never answered, what is answered and not read, what waits for the readers and for the writer.
    let floods = [
        (Request::Log(LogLine { level: 5, text: String::new() }), None),
        (Request::Who(page()), Some("its worker does not read what it gets")),
        (Request::Whoami, Some("it asks more than it may")),
        (set("colour", "red"), Some("it asks more than it may")),
    ];
    for (request, why) in floods {
        scene.anew();
        let link = scene.worker.registered(&format!("player-{}", scene.worker.session));
        let (stream, stop) = (link.stream.try_clone().unwrap(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| flood(link, &request, &stop));
            for _ in 0..15 {
                scene.goes_on();
            }
            if let Some(why) = why {
                scene.listener.ended(&scene.worker, why);
            }
            stop.store(true, Ordering::Relaxed);
            stream.shutdown(std::net::Shutdown::Both).unwrap();
        });
        scene.goes_on();
    }
    assert!(scene.listener.process().memory() < 200 << 10, "{} KiB", scene.listener.process().memory());
}

#[test]
fn requests_that_must_wait_are_not_taken_without_end() {
    let mut scene = Scene::new();
    let mut link = scene.worker.registered("alice");
    let before = scene.listener.process().memory();
    let finger = Request::Finger(Finger { player: "k".repeat((1 << 20) - 64) });
    let whoami = Request::Whoami;
    let frames: Vec<Vec<u8>> = (0..64).map(|n| link.frame(if n % 2 == 0 { &whoami } else { &finger })).collect();
    std::thread::scope(|scope| {
        let mut stream = link.stream.try_clone().unwrap();
        let sent = scope.spawn(move || frames.iter().for_each(|frame| stream.write_all(frame).unwrap()));
        for _ in 0..64 {
            assert!(link.reply().is_some());
        }
        sent.join().unwrap();
    });
    let more = scene.listener.process().memory().saturating_sub(before);
    assert!(more < 16 << 10, "{more} KiB");
    scene.goes_on();
}

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
    assert!(matches!(link.ask(&Request::Open(scene.worker.open(Mode::Client))), Some(Reply::Welcome(_))));
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

#[test]
fn a_ticket_from_before_a_logout_says_nothing_any_more() {
    let mut scene = Scene::new();
    let mut mine = scene.worker.registered("mallory");
    let player = |reply: Option<Reply>| match reply {
        Some(Reply::Whoami(whoami)) => whoami.player,
        other => panic!("{other:?}"),
    };
    let old = mine.ticket.clone();
    assert!(matches!(mine.ask(&Request::Logout), Some(Reply::Done(_))));
    let fresh = mine.ticket.clone();
    drop(mine);
    for killed in [false, true] {
        if killed {
            scene.listener.next_handler();
        }
        for ticket in [&old, &fresh] {
            let mut link = scene.worker.link();
            let open = Open { ticket: ticket.clone(), next: 3, ..scene.worker.open(Mode::Client) };
            assert!(matches!(link.ask(&Request::Open(open)), Some(Reply::Welcome(_))));
            assert_eq!(player(link.ask(&Request::Whoami)), None, "after a death: {killed}");
        }
    }
    // Who logs in again gets one that holds.
    let mut link = scene.worker.link();
    let open = Open { ticket: fresh, next: 100, ..scene.worker.open(Mode::Client) };
    link.next = 100;
    link.ask(&Request::Open(open));
    let (name, password) = ("mallory".to_owned(), Secret::new("long enough"));
    assert!(matches!(link.ask(&Request::Login(Login { name, password })), Some(Reply::LoggedIn(_))));
    let ticket = link.ticket.clone();
    drop(link);
    let mut link = scene.worker.link();
    let open = Open { ticket, next: 200, ..scene.worker.open(Mode::Client) };
    link.ask(&Request::Open(open));
    assert_eq!(player(link.ask(&Request::Whoami)).as_deref(), Some("mallory"));
}

#[test]
fn lies_do_not_outlive_the_handler_either() {
    let mut scene = Scene::new();
    let mut mine = scene.worker.opened(Mode::Client);
    mine.ask(&Request::Whoami);
    scene.bystander.ask(&Request::Whoami);
    let (ticket, others) = (mine.ticket.take(), scene.bystander.ticket.take());
    assert!(ticket.is_some() && others.is_some());
    scene.listener.next_handler();
    let mut link = scene.worker.link();
    let bytes = link.frame(&Request::Open(Open { ticket: others, ..scene.worker.open(Mode::Client) }));
    link.send(&bytes);
    while link.reply().is_some() {}
    scene.listener.ended(&scene.worker, "its ticket is not one of its session");
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// `SSMGLOBAL_HOSTILE_ROUNDS` makes it longer, `SSMGLOBAL_HOSTILE_SEED` another.
#[test]
fn frames_changed_at_random_stop_nobody() {
    let figure = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let mut dice = Dice(figure("SSMGLOBAL_HOSTILE_SEED", 0x5353_4d47));
    let mut scene = Scene::new();
    let handler = scene.listener.process();
    let key = scene.listener.ctl(&["server", "add", "arena"])["key"].as_str().expect("a key").to_owned();
    scene.listener.ctl(&["board", "define", "race", "--unit", "ms", "--better", "lower", "--submit", "players"]);
    let mut samples = samples();
    for round in 0..figure("SSMGLOBAL_HOSTILE_ROUNDS", 200) {
        scene.anew();
        let mut link = match round % 4 {
            0 => scene.worker.link(),
            1 => scene.worker.registered(&format!("player-{round}")),
            _ => scene.worker.opened(if round % 4 == 2 { Mode::Server } else { Mode::Human }),
        };
        if round % 4 == 2 {
            let auth = Auth { name: "arena".into(), key: Secret::new(key.as_str()) };
            assert!(link.ask(&Request::Auth(auth)).is_some());
        }
        // One that claims a session that there is not yet would be waited for.
        let mine = scene.worker.open(Mode::Client);
        samples.iter_mut().filter(|it| it.kind() == Kind::Open).for_each(|it| *it = Request::Open(mine.clone()));
        // As a whole they are permitted more often than not; half of them are changed somewhere.
        let mut bytes = Vec::new();
        for _ in 0..1 + dice.roll(40) {
            let mut frame = link.frame(&samples[dice.roll(samples.len())]);
            let opens = frame[6] == Kind::Open as u8;
            if dice.roll(8) == 0 && frame.len() > HEADER && !opens {
                let place = HEADER + dice.roll(frame.len() - HEADER);
                frame[place] = dice.roll(256) as u8;
            } else if dice.roll(32) == 0 && !opens {
                frame[4 + dice.roll(HEADER - 4)] = dice.roll(256) as u8;
            }
            bytes.extend(frame);
        }
        link.send(&bytes);
        // What is asked last is answered last, if the session has come so far.
        link.stream.shutdown(std::net::Shutdown::Write).unwrap();
        link.end();
        if round % 16 == 0 {
            scene.goes_on();
        }
    }
    scene.goes_on();
    assert!(handler == scene.listener.process() && handler.threads() > 1);
    assert!(!scene.listener.handler.stderr.text().contains("panicked"));
}
