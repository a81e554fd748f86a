//! What the client listens to, and how each channel goes on by another ring.

use super::*;
use mio::Poll;
use ssmglobal_ipc::List;
use std::os::unix::net::UnixStream;

fn board(name: &str) -> Subscription {
    Subscription { topic: Topic::Board(name.into()), cursor: Position::default() }
}

fn channel(name: &str, number: u64) -> Subscription {
    Subscription { topic: Topic::Channel(name.into()), cursor: Position { epoch: 5, number } }
}

fn of(holder: &str) -> Subscription {
    let topic = Topic::Properties(ssmglobal_ipc::Party::parse(holder));
    Subscription { topic, cursor: Position::default() }
}

fn list(subscriptions: &Subscriptions) -> Vec<Subscription> {
    subscriptions.iter().cloned().collect()
}

/// What a game server has sent, as the handler writes it.
fn message(sender: &str, number: u64) -> String {
    format!(r#"{{"number": {number}, "from": "server:{sender}"}}"#)
}

/// A handler's end of a channel.
struct Channel {
    writer: ring::Writer,
    epoch: u64,
    number: u64,
    _wake: Vec<UnixStream>,
}

impl Channel {
    fn at(epoch: u64, number: u64) -> Channel {
        Channel { writer: ring::Writer::new().unwrap(), epoch, number, _wake: Vec::new() }
    }

    fn send(&mut self, sender: &str) {
        self.number += 1;
        assert!(self.writer.push(7, self.number, message(sender, self.number).as_bytes()));
    }

    /// The answer to whoever is told that so many are missed, behind a number.
    fn joined(&mut self, behind: u64, missed: u64, waiting: u64) -> (RelayJoined, (OwnedFd, OwnedFd)) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        self._wake.push(ours);
        let fds = (self.writer.fd().try_clone_to_owned().unwrap(), theirs.into());
        let (channel, position) = ("Lobby".to_owned(), self.writer.position());
        let Channel { epoch, number, .. } = *self;
        let unknown = false;
        (RelayJoined { channel, number, missed, waiting, position, epoch, behind, unknown }, fds)
    }
}

#[test]
fn everything_is_there_once_in_any_case_and_ends_with_whom_it_belongs_to() {
    let (poll, mut all) = (Poll::new().unwrap(), Subscriptions::default());
    for subscription in [board("Sprint"), channel("sprint", 7), board("SPRINT"), board("other"), of("Zoë"), of("ZOË")]
    {
        all.add(subscription);
    }
    assert_eq!(list(&all), [board("Sprint"), channel("sprint", 7), board("other"), of("Zoë")]);
    assert!(!all.is_quiet(), "a channel without its ring");
    assert!(!all.remove(&Topic::Channel("other".into()), poll.registry()));
    assert!(!all.remove(&of("world:Zoë").topic, poll.registry()));
    assert!(all.remove(&Topic::Board("OTHER".into()), poll.registry()));
    all.lose_identity(poll.registry());
    assert_eq!(list(&all), [board("Sprint"), of("Zoë")]);
    assert!(all.is_quiet() && all.pause().is_empty());
}

#[test]
fn how_far_a_list_has_come_is_known_where_it_is_watched() {
    let (poll, mut all) = (Poll::new().unwrap(), Subscriptions::default());
    let at = |number| Position { epoch: 7, number };
    all.came_to(List::Users, at(3));
    assert!(all.is_empty());
    let subscription = |topic, number| Subscription { topic, cursor: at(number) };
    all.add(subscription(Topic::Worlds, 1));
    all.add(subscription(Topic::Users, 1));
    all.came_to(List::Users, at(3));
    all.lose_identity(poll.registry());
    assert_eq!(list(&all), [subscription(Topic::Worlds, 1), subscription(Topic::Users, 3)]);
    assert!(all.is_quiet() && all.pause().is_empty());
}

#[test]
fn a_channel_goes_on_by_another_ring_behind_what_the_client_has() {
    let (poll, mut all, mut out) = (Poll::new().unwrap(), Subscriptions::default(), Vec::new());
    let registry = poll.registry();
    let said = |out: &mut Vec<u8>| String::from_utf8(std::mem::take(out)).unwrap();
    let mut first = Channel::at(5, 4);
    let (joined, fds) = first.joined(2, 1, 2);
    let fetch = all.join(&joined, Some(1), fds, registry).unwrap().unwrap();
    assert_eq!((&*fetch.channel, fetch.epoch, fetch.after, fetch.upto), ("Lobby", 5, 2, 4));
    first.send("desert");
    all.read_all("arena", &mut out);
    assert_eq!(said(&mut out), "", "what was kept comes first");
    let lines = vec![(3, "three".to_owned()), (4, "four".to_owned())];
    assert!(all.fetched("Lobby", &RelayFetched { lines, missed: 0 }, &mut out).is_none());
    first.send("arena");
    all.read_all("arena", &mut out);
    assert_eq!(said(&mut out), format!("three\r\nfour\r\n{}\r\n", message("desert", 5)));
    assert_eq!(list(&all), [channel("Lobby", 6)]);

    // The next handler goes on with its numbers.
    let asked = all.pause();
    assert_eq!(asked, [RelayJoin { channel: "Lobby".into(), since: Some(6), epoch: Some(5) }]);
    first.send("desert");
    all.read_all("arena", &mut out);
    assert_eq!((said(&mut out).as_str(), all.is_quiet()), ("", false));
    let mut second = Channel::at(5, 9);
    let (joined, fds) = second.joined(9, 3, 0);
    assert!(all.rejoin(&joined, fds, registry, &mut out).unwrap().is_none());
    second.send("desert");
    all.read_all("arena", &mut out);
    let missed = "{\"event\": \"relay\", \"channel\": \"Lobby\", \"epoch\": 5, \"missed\": 3}";
    assert_eq!(said(&mut out), format!("{missed}\r\n{}\r\n", message("desert", 10)));
    assert_eq!((list(&all), all.is_quiet()), (vec![channel("Lobby", 10)], true));

    // So does a worker that has only the list, and one that is asked to leave is on it until then.
    let mut next = Subscriptions::default();
    list(&all).into_iter().for_each(|subscription| next.add(subscription));
    assert_eq!(next.pause(), [RelayJoin { channel: "Lobby".into(), since: Some(10), epoch: Some(5) }]);
    let (joined, fds) = second.joined(10, 0, 0);
    assert!(next.rejoin(&joined, fds, registry, &mut out).unwrap().is_none());
    second.send("desert");
    next.read_all("arena", &mut out);
    assert_eq!(said(&mut out), message("desert", 11) + "\r\n");
    assert!(next.remove(&Topic::Channel("LOBBY".into()), registry));
    let (joined, fds) = second.joined(11, 0, 0);
    assert!(next.rejoin(&joined, fds, registry, &mut out).unwrap().is_none());
    assert!(list(&next).is_empty() && out.is_empty());
}

#[test]
fn a_channel_that_was_made_anew_is_told_from_the_one_before() {
    let (poll, mut all, mut out) = (Poll::new().unwrap(), Subscriptions::default(), Vec::new());
    let registry = poll.registry();
    all.add(channel("Lobby", 1006));
    // The next handler knows nothing of it, and has a longer story of its own already.
    let mut anew = Channel::at(6, 2009);
    let (joined, fds) = anew.joined(2007, 0, 2);
    let joined = RelayJoined { unknown: true, ..joined };
    let fetch = all.rejoin(&joined, fds, registry, &mut out).unwrap().unwrap();
    assert_eq!((fetch.epoch, fetch.after, fetch.upto), (6, 2007, 2009));
    let lines = vec![(2008, "eight".to_owned()), (2009, "nine".to_owned())];
    assert!(all.fetched("Lobby", &RelayFetched { lines, missed: 0 }, &mut out).is_none());
    let missed = "{\"event\": \"relay\", \"channel\": \"Lobby\", \"epoch\": 6, \"missed\": null}";
    assert_eq!(String::from_utf8(out).unwrap(), format!("{missed}\r\neight\r\nnine\r\n"));
    let cursor = Position { epoch: 6, number: 2009 };
    assert_eq!(list(&all), [Subscription { topic: Topic::Channel("Lobby".into()), cursor }]);
    // Where nothing is kept there is nothing to ask for.
    let mut empty = Channel::at(7, 3000);
    let (joined, fds) = empty.joined(3000, 0, 0);
    let joined = RelayJoined { unknown: true, ..joined };
    assert!(all.rejoin(&joined, fds, registry, &mut Vec::new()).unwrap().is_none());
    assert_eq!(list(&all)[0].cursor, Position { epoch: 7, number: 3000 });
}

#[test]
fn an_older_handler_knows_no_epochs() {
    let (poll, mut all) = (Poll::new().unwrap(), Subscriptions::default());
    let mut old = Channel::at(0, 4);
    let (joined, fds) = old.joined(0, 1, 2);
    let fetch = all.join(&joined, Some(1), fds, poll.registry()).unwrap().unwrap();
    assert_eq!((fetch.epoch, fetch.after, fetch.upto), (0, 2, 4));
}
