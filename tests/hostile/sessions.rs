//! Workers that claim what is not theirs: sessions, tickets, figures that cannot be.

use super::{Scene, change, set};
use ssmglobal_ipc::*;

fn on_board(board: &str) -> Subscription {
    Subscription { topic: Topic::Board(board.into()), cursor: Position::default() }
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
    link.done(&Request::Open(open));
    let register = Register { name: "alice".into(), password: Secret::new("long enough"), email: None };
    link.done(&Request::Register(register));
    // More than was ever answered.
    let setting = change(10, u64::MAX, None, &set("colour", "blue"));
    link.send(&setting);
    assert!(matches!(link.reply(), Some(Reply::SettingVersion(_))));
    scene.goes_on();
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
    mine.done(&Request::Logout);
    let fresh = mine.ticket.clone();
    drop(mine);
    for killed in [false, true] {
        if killed {
            scene.listener.next_handler();
        }
        for ticket in [&old, &fresh] {
            let open = Open { ticket: ticket.clone(), next: 3, ..scene.worker.open(Mode::Client) };
            let mut link = scene.worker.opened_with(open);
            assert_eq!(player(link.ask(&Request::Whoami)), None, "after a death: {killed}");
        }
    }
    // Who logs in again gets one that holds.
    let mut link = scene.worker.link();
    let open = Open { ticket: fresh, next: 100, ..scene.worker.open(Mode::Client) };
    link.next = 100;
    link.ask(&Request::Open(open));
    let (name, password) = ("mallory".to_owned(), Secret::new("long enough"));
    link.done(&Request::Login(Login { name, password }));
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
