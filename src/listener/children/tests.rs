//! Who counts where.

use super::*;
use ssmglobal_config::{DoorMode, Settings};

fn place(door: usize, address: &str) -> Place {
    Place { door, address: format!("{address}:1000").parse().unwrap() }
}

fn arrival(session: u64, place: Place, at: i64) -> Arrival {
    Arrival { naming: Naming::Named, session, place, at: Time(at) }
}

fn unnamed(place: Place) -> Arrival {
    Arrival { naming: Naming::Unnamed, ..arrival(0, place, 0) }
}

#[test]
fn whoever_has_no_worker_yet_counts_until_he_has_one() {
    let settings = Settings::default();
    let mut door = settings.doors().remove(0);
    door.clients_per_address = 1;
    let (mut children, one) = (Children::default(), place(0, "192.0.2.1"));
    let first = arrival(1, one, 0);
    children.expect(&first);
    assert_eq!((children.count(), children.refusal(&one, &door, 10)), (1, Some(Refusal::Address)));
    assert_eq!(children.refusal(&place(0, "192.0.2.2"), &door, 1), Some(Refusal::Full));
    assert!(children.is_empty() && children.served() == 0 && !children.has(Pid::from_raw(1)));
    children.expects_no_more(&first);
    children.add(Pid::from_raw(1), first);
    assert_eq!((children.count(), children.refusal(&one, &door, 10)), (1, Some(Refusal::Address)));
    let proxy = unnamed(one);
    children.expect(&proxy);
    assert_eq!((children.count(), children.served()), (1, 1));
    children.expects_no_more(&proxy);
    assert_eq!(children.remove(Pid::from_raw(1)), Some((Naming::Named, one)));
    assert_eq!((children.count(), children.refusal(&one, &door, 10)), (0, None));
}

#[test]
fn counts_by_address_door_and_altogether() {
    let settings = Settings::default();
    let mut door = settings.doors().remove(0);
    door.clients = 3;
    door.clients_per_address = 2;
    let mut children = Children::default();
    let one = place(0, "192.0.2.1");
    for pid in 1..=2 {
        assert_eq!(children.refusal(&one, &door, 10), None);
        children.add(Pid::from_raw(pid), arrival(1, one, 0));
    }
    assert_eq!(children.refusal(&one, &door, 10), Some(Refusal::Address));
    assert_eq!(children.refusal(&place(0, "192.0.2.2"), &door, 10), None);
    assert_eq!(children.refusal(&place(0, "192.0.2.2"), &door, 2), Some(Refusal::Full));
    children.add(Pid::from_raw(3), arrival(3, place(0, "192.0.2.2"), 0));
    assert_eq!(children.refusal(&place(0, "192.0.2.3"), &door, 10), Some(Refusal::Full));
    assert_eq!(children.refusal(&place(1, "192.0.2.3"), &door, 10), None);
    assert_eq!(children.remove(Pid::from_raw(1)), Some((Naming::Named, one)));
    assert_eq!(children.remove(Pid::from_raw(1)), None);
    assert_eq!(children.refusal(&one, &door, 10), None);
}

#[test]
fn a_process_that_is_no_worker_gets_no_signal_whoever_has_named_it() {
    use std::os::unix::process::ExitStatusExt;
    let mut victim = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let pid = victim.id().cast_signed();
    let (mut children, one) = (Children::default(), place(0, "192.0.2.1"));
    children.found(client(Pid::from_raw(pid), 1, &one, Time(0)), ssmglobal_sys::started_at(pid).unwrap(), 0);
    children.signal(Pid::from_raw(pid), Signal::SIGKILL);
    nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    assert_eq!(victim.wait().unwrap().signal(), Some(Signal::SIGTERM as i32));
}

#[test]
fn a_client_that_moves_is_one_client_all_the_time() {
    let settings = Settings::default();
    let mut door = settings.doors().remove(0);
    door.clients_per_address = 1;
    let (mut children, one) = (Children::default(), place(0, "192.0.2.1"));
    children.add(Pid::from_raw(1), arrival(7, one, 5));
    let successor = Successor { pid: Pid::from_raw(2), version: 0, forked_before_upgrade: false };
    let moved = children.succeed(Pid::from_raw(1), successor).map(|client| (client.pid, client.session, client.at));
    assert_eq!(moved, Some((2, 7, Time(5))));
    assert!(children.succeed(Pid::from_raw(1), successor).is_none());
    assert_eq!((children.count(), children.refusal(&one, &door, 10)), (1, Some(Refusal::Address)));
    assert_eq!(children.remove(Pid::from_raw(2)), Some((Naming::Named, one)));
    assert_eq!(children.refusal(&one, &door, 10), None);
}

#[test]
fn ipv6_counts_by_network() {
    let settings = Settings::default();
    let mut door = settings.doors().remove(0);
    door.clients_per_address = 1;
    let mut children = Children::default();
    children.add(Pid::from_raw(1), arrival(1, place(0, "[2001:db8::1]"), 0));
    assert_eq!(children.refusal(&place(0, "[2001:db8::2]"), &door, 10), Some(Refusal::Address));
    assert_eq!(children.refusal(&place(0, "[2001:db8:0:1::1]"), &door, 10), None);
}

#[test]
fn who_reads_numbers_takes_no_clients_place_and_has_bounds_of_his_own() {
    let settings = ssmglobal_config::check("metrics.address = \"127.0.0.1:9464\"", "f").unwrap().0;
    let [main, _, metrics] = <[Door; 3]>::try_from(settings.doors()).unwrap();
    let (reader, client) = (place(METRICS, "192.0.2.1"), place(0, "192.0.2.1"));
    let mut children = Children::default();
    children.add(Pid::from_raw(1), arrival(1, reader, 0));
    assert_eq!((children.count(), children.is_empty()), (0, false));
    assert_eq!(children.refusal(&client, &main, 1), None);
    children.add(Pid::from_raw(2), arrival(2, client, 0));
    assert_eq!(children.refusal(&client, &main, 1), Some(Refusal::Full));
    assert_eq!(children.refusal(&reader, &metrics, 1), None);
    for pid in 3..10 {
        children.add(Pid::from_raw(pid), arrival(3, reader, 0));
    }
    assert_eq!(children.refusal(&reader, &metrics, 100), Some(Refusal::Address));
    let refusal = Refusal::Address.line(DoorMode::Metrics);
    let (head, body) = refusal.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{refusal}");
}

#[test]
fn who_has_not_said_who_it_is_counts_apart() {
    let settings = Settings::default();
    let mut door = settings.doors().remove(0);
    (door.clients, door.clients_per_address) = (2, 1);
    let mut children = Children::default();
    let (proxy, client) = (place(1, "10.0.0.1"), place(1, "203.0.113.7"));
    for pid in 1..=3 {
        children.add(Pid::from_raw(pid), unnamed(proxy));
    }
    assert_eq!((children.count(), children.refusal(&proxy, &door, 1)), (0, None));
    assert!(children.snapshot().is_empty() && children.of(Pid::from_raw(1)).is_none());
    assert!(children.workers().all(|worker| worker.client.session == 0));
    let named = children.name(Pid::from_raw(1), 7, client.address).unwrap();
    assert_eq!((named.session, named.address, named.door), (7, client.address, 1));
    assert_eq!((children.count(), children.of(Pid::from_raw(1))), (1, Some((7, client))));
    assert_eq!(children.refusal(&client, &door, 10), Some(Refusal::Address));
    assert_eq!(children.refusal(&proxy, &door, 10), None);
    children.refuse(Pid::from_raw(2));
    assert_eq!(children.naming(Pid::from_raw(2)), Some((Naming::Refused, proxy)));
    // Another program that goes on with them knows them apart as well.
    let (workers, mut next) = (children.workers().collect(), Children::default());
    next.resume(children.numbers(), workers, &[]);
    assert_eq!((next.count(), next.unnamed, next.naming(Pid::from_raw(1))), (1, 2, Some((Naming::Named, client))));
    for pid in 1..=3 {
        assert!(children.remove(Pid::from_raw(pid)).is_some());
    }
    assert_eq!((children.count(), children.unnamed, children.refusal(&client, &door, 10)), (0, 0, None));
}

#[test]
fn only_so_many_may_be_unnamed_at_once() {
    let mut children = Children::default();
    for pid in 1..=i32::try_from(UNNAMED).unwrap() {
        assert!(!children.are_many_unnamed());
        children.add(Pid::from_raw(pid), unnamed(place(1, "10.0.0.1")));
    }
    assert!(children.are_many_unnamed());
    children.name(Pid::from_raw(1), 1, "203.0.113.7:1".parse().unwrap());
    assert!(!children.are_many_unnamed());
}
