//! Workers that send too much: texts without end, more than is answered, and what must wait.

use super::{Scene, page, set};
use crate::harness::Link;
use ssmglobal_ipc::*;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

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
            let Some(Reply::Failed(failure)) = link.ask(&request) else {
                panic!("{:?} is not refused", request.kind())
            };
            assert!(failure.msg.len() < 1000, "{}", failure.msg.len());
        }
        // Lists begin behind any text, if it were a name or not.
        let behind = |after: String| Page { limit: Some(u32::MAX), after: Some(after) };
        link.done(&Request::Who(behind(long('Ä'))));
        link.done(&Request::Worlds(behind(text())));
        link.done(&Request::RecordBoards(behind(text())));
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
