//! Frames that no sound worker sends: forged ones, halves, and such as were changed at random.

use super::{Scene, change, set};
use crate::harness::{Dice, samples};
use ssmglobal_ipc::frame::{
    HEADER, MOST_DESCRIPTORS, put_control, put_event, put_reply, put_request, put_with_descriptors,
};
use ssmglobal_ipc::*;

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

/// What was forged, and why it ends the session.
type Forged = (Vec<u8>, String);

fn made(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes);
    bytes
}

/// Frames whose heads are wrong, or that a worker may not send.
fn wrong_frames() -> Vec<Forged> {
    let no_request = || "it sent something that is not a request".to_owned();
    let (setting, notice) = (set("colour", "red"), Event::Notice(Notice { msg: "hi".into() }));
    vec![
        (altered(|bytes| bytes[..4].fill(0xff)), "a frame of 4294967295 bytes".into()),
        (altered(|bytes| bytes[..4].copy_from_slice(&((1u32 << 20) + 1).to_le_bytes())), "a frame of 1048577".into()),
        (altered(|bytes| bytes[4] = 1), "frame version 1".into()),
        (altered(|bytes| bytes[4] = 3), "frame version 3".into()),
        (altered(|bytes| bytes[4] = 0), "frame version 0".into()),
        (altered(|bytes| bytes[5] = 0), "frame class 0".into()),
        (altered(|bytes| bytes[5] = 6), "frame class 6".into()),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), "frame version 47".into()),
        (made(|out| put_reply(out, 2, &Reply::Done(Done {}))), no_request()),
        (made(|out| put_event(out, 2, &notice)), no_request()),
        (made(|out| put_control(out, &ssmglobal_ipc::control::ToHandler::Stop)), no_request()),
        (
            made(|out| put_with_descriptors(out, 1, |out| put_request(out, 2, &Request::Whoami))),
            "it announced descriptors".into(),
        ),
        (made(|out| put_with_descriptors(out, MOST_DESCRIPTORS + 1, |_| {})), "a wrong count of descriptors".into()),
        (made(|out| put_request(out, 2, &setting)), "SettingSet came as what it is not".into()),
        (change(2, 1, None, &Request::Whoami), "Whoami came as what it is not".into()),
    ]
}

/// Payloads that are not of the kind that they come as.
fn wrong_payloads() -> Vec<Forged> {
    let not_fit = "a payload that does not fit its kind";
    let payload = |kind: Kind, payload: &[u8]| {
        let bytes = altered(|bytes| {
            bytes[6..8].copy_from_slice(&(kind as u16).to_le_bytes());
            bytes[0] = payload.len() as u8;
            bytes.extend_from_slice(payload);
        });
        (bytes, format!("{} with {not_fit}", kind.name()))
    };
    vec![
        (altered(|bytes| bytes[5] = 5), not_fit.into()),
        payload(Kind::Whoami, &[0]),
        payload(Kind::Finger, &[3, b'b', b'o']),
        payload(Kind::Finger, &[3, b'b', b'o', b'b', 0]),
        payload(Kind::Finger, &[2, 0xff, 0xfe]),
        payload(Kind::Finger, &[0xff; 10]),
        payload(Kind::Worlds, &[7]),
    ]
}

/// Changes under numbers and keys that cannot be.
fn wrong_changes() -> Vec<Forged> {
    let (setting, long) = (set("colour", "red"), "k".repeat(1 << 19));
    let again = || "it asks again what it has asked before".to_owned();
    vec![
        (change(3, 2, Some(&long), &setting), "its client's key is too long".into()),
        ([change(3, 2, None, &setting), change(3, 2, None, &setting)].concat(), again()),
        ([change(u64::MAX, u64::MAX, None, &setting), change(4, 2, None, &setting)].concat(), again()),
        (change(1 << 40, 1, None, &setting), "it takes no note of its answers".into()),
    ]
}

#[test]
fn forged_frames_end_the_session() {
    let mut scene = Scene::new();
    for (bytes, why) in [wrong_frames(), wrong_payloads(), wrong_changes()].concat() {
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
