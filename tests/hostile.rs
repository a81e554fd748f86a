//! Workers that lie: whatever they send to the handler, their own session ends, the log says why, and all others go on.

mod floods;
mod frames;
mod links;
mod sessions;

use crate::harness::{Hostile, Link, Listener, rendezvous_process, samples};
use ssmglobal_ipc::frame::put_change;
use ssmglobal_ipc::*;

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
            self.bystander.done(&request);
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
                link.done(&Request::Auth(auth));
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

fn change(number: u64, acked: u64, key: Option<&str>, request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_change(&mut bytes, number, &Carried { acked, key: key.map(str::to_owned) }, request);
    bytes
}
