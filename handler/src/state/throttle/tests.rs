//! Who guesses is slowed down, and nobody else.

use super::*;

const WINDOW: Duration = Duration::from_secs(300);

/// From an address that is new to the name.
fn who(address: &str, name: &str) -> Tried {
    Tried::password(Some(address.parse().unwrap()), name.to_owned(), false)
}

/// From an address from which this name was in before.
fn at_home(address: &str, name: &str) -> Tried {
    Tried { known: true, ..who(address, name) }
}

fn key(address: &str) -> Tried {
    Tried::key(Some(address.parse().unwrap()))
}

fn fail(throttle: &mut Throttle, tried: &Tried, now: Instant) -> Option<Duration> {
    let wait = throttle.may_try(tried, now, 10, WINDOW);
    if wait.is_none() {
        throttle.tried(tried, false, now);
    }
    wait
}

#[test]
fn ten_failures_then_a_wait_that_grows_and_ends() {
    for bob in [who("192.0.2.1", "bob"), at_home("192.0.2.1", "bob"), key("192.0.2.1")] {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..10 {
            assert_eq!(fail(&mut throttle, &bob, now), None);
        }
        let wait = fail(&mut throttle, &bob, now).unwrap();
        assert_eq!(wait, Duration::from_secs(2));
        assert_eq!(fail(&mut throttle, &bob, now + wait), None);
        assert!(fail(&mut throttle, &bob, now + wait).unwrap() > wait);
        assert_eq!(fail(&mut throttle, &bob, now + wait + WINDOW), None);
    }
}

#[test]
fn an_address_is_held_up_by_its_own_failures_and_no_other_by_them() {
    let (mut throttle, now) = (Throttle::default(), Instant::now());
    for i in 0..10 {
        assert_eq!(fail(&mut throttle, &who("198.51.100.1", &format!("name{i}")), now), None);
    }
    assert!(fail(&mut throttle, &who("198.51.100.1", "carol"), now).is_some());
    assert!(fail(&mut throttle, &key("198.51.100.1"), now).is_some());
    assert_eq!(fail(&mut throttle, &who("192.0.2.99", "carol"), now), None);
    assert_eq!(fail(&mut throttle, &key("192.0.2.99"), now), None);
}

#[test]
fn who_was_in_from_there_is_never_held_up_by_what_others_fail() {
    let (mut throttle, mut now) = (Throttle::default(), Instant::now());
    // An hour of wrong tries: one a minute from one address, some from many others, and some from bob's own under
    // other names.
    for minute in 0..60 {
        for i in 0..30 {
            fail(&mut throttle, &who(&format!("192.0.2.{i}"), "bob"), now);
            fail(&mut throttle, &who("198.51.100.1", &format!("name{i}")), now);
        }
        let home = at_home("198.51.100.1", "bob");
        assert_eq!(throttle.may_try(&home, now, 10, WINDOW), None, "minute {minute}");
        throttle.tried(&home, true, now);
        now += MINUTE;
    }
    // His own failures hold him up there, and nowhere else.
    for _ in 0..10 {
        assert_eq!(fail(&mut throttle, &at_home("198.51.100.1", "bob"), now), None);
    }
    assert!(fail(&mut throttle, &at_home("198.51.100.1", "bob"), now).is_some());
    assert_eq!(fail(&mut throttle, &at_home("198.51.100.2", "bob"), now), None);
    assert_eq!(fail(&mut throttle, &at_home("198.51.100.1", "alice"), now), None);
}

#[test]
fn addresses_that_are_new_to_a_name_share_twenty_tries_a_minute() {
    let (mut throttle, now) = (Throttle::default(), Instant::now());
    for minute in 0..3 {
        let now = now + MINUTE * minute;
        for i in 0..STRANGERS {
            assert_eq!(fail(&mut throttle, &who(&format!("203.0.{minute}.{i}"), "bob"), now), None);
        }
        let late = now + Duration::from_secs(50);
        let wait = throttle.may_try(&who("192.0.2.99", "bob"), late, 10, WINDOW);
        assert_eq!(wait, Some(Duration::from_secs(10)));
        assert_eq!(fail(&mut throttle, &who("192.0.2.99", "alice"), late), None);
        assert_eq!(throttle.may_try(&at_home("192.0.2.98", "bob"), late, 10, WINDOW), None);
    }
}

#[test]
fn who_comes_in_from_a_new_address_takes_no_try_from_others() {
    let (mut throttle, now) = (Throttle::default(), Instant::now());
    for i in 0..50 {
        let bob = who(&format!("192.0.2.{i}"), "bob");
        assert_eq!(throttle.may_try(&bob, now, 10, WINDOW), None);
        throttle.tried(&bob, true, now);
    }
    assert!(throttle.counts.is_empty() && throttle.strangers.is_empty());
}

#[test]
fn an_ipv6_network_is_one_address() {
    let (mut throttle, now) = (Throttle::default(), Instant::now());
    for i in 0..10 {
        assert_eq!(fail(&mut throttle, &key(&format!("2001:db8::{i}")), now), None);
    }
    assert!(fail(&mut throttle, &key("2001:db8::ffff"), now).is_some());
    assert_eq!(fail(&mut throttle, &key("2001:db8:0:1::1"), now), None);
}

#[test]
fn tries_that_run_are_no_failures_but_bounded() {
    let (mut throttle, now) = (Throttle::default(), Instant::now());
    for i in 0..RUNNING_ADDRESS {
        assert_eq!(throttle.may_try(&who("192.0.2.1", &i.to_string()), now, 10, WINDOW), None);
    }
    assert!(throttle.may_try(&who("192.0.2.1", "one more"), now, 10, WINDOW).is_some());
    throttle.tried(&who("192.0.2.1", "0"), true, now);
    assert_eq!(throttle.may_try(&who("192.0.2.1", "one more"), now, 10, WINDOW), None);
    assert_eq!(throttle.may_try(&who("192.0.2.1", "later"), now + LOST, 10, WINDOW), None);
    for _ in 0..RUNNING_NAME {
        assert_eq!(throttle.may_try(&at_home("192.0.2.2", "bob"), now, 10, WINDOW), None);
    }
    assert!(throttle.may_try(&at_home("192.0.2.2", "bob"), now, 10, WINDOW).is_some());
}

#[test]
fn who_succeeds_is_free_again() {
    for bob in [who("192.0.2.1", "bob"), at_home("192.0.2.1", "bob"), key("192.0.2.1")] {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..50 {
            assert_eq!(throttle.may_try(&bob, now, 10, WINDOW), None);
            throttle.tried(&bob, true, now);
        }
        assert!(throttle.counts.is_empty() && throttle.strangers.is_empty());
    }
}

#[test]
fn the_operator_sees_who_is_slowed_down_and_may_forgive_it() {
    let (mut throttle, now) = (Throttle::default(), Instant::now());
    for _ in 0..10 {
        fail(&mut throttle, &who("192.0.2.1", "bob"), now);
        fail(&mut throttle, &key("192.0.2.2"), now);
    }
    for i in 0..STRANGERS {
        fail(&mut throttle, &who(&format!("203.0.113.{i}"), "alice"), now);
    }
    let shown = |throttle: &Throttle, now| -> Vec<String> {
        let words = |slowed: Slowed<'_>| {
            let address = slowed.address.map_or("anywhere".to_owned(), |address| address.to_string());
            format!("{address} {} {} {}", slowed.name.unwrap_or("-"), slowed.failures, slowed.wait.as_secs())
        };
        let mut all: Vec<String> = throttle.slowed(now, 10, WINDOW).map(words).collect();
        all.sort();
        all
    };
    let all = ["192.0.2.1 - 10 2", "192.0.2.1 bob 10 2", "192.0.2.2 - 10 2", "anywhere alice 20 60"];
    assert_eq!(shown(&throttle, now), all);
    assert_eq!(shown(&throttle, now + Duration::from_secs(2)), ["anywhere alice 20 58"]);
    assert_eq!(throttle.forgive(Some("192.0.2.1".parse().unwrap()), now, 10, WINDOW), 2);
    assert_eq!(shown(&throttle, now), all[2..]);
    assert_eq!(throttle.may_try(&at_home("192.0.2.1", "bob"), now, 10, WINDOW), None);
    assert_eq!(throttle.forgive(None, now, 10, WINDOW), 2);
    assert!(shown(&throttle, now).is_empty());
}

#[test]
fn memory_is_bounded() {
    let (mut throttle, now) = (Throttle::default(), Instant::now());
    for i in 0..50_000u32 {
        let tried = Tried::password(Some(IpAddr::V4(i.into())), i.to_string(), false);
        fail(&mut throttle, &tried, now + Duration::from_micros(i.into()));
    }
    assert!(throttle.counts.len() <= MOST + 2 && throttle.strangers.len() <= MOST + 1);
}

#[test]
fn a_game_server_has_a_budget_of_wrong_ones_and_others_have_their_own() {
    let (mut throttle, now) = (Throttle::default(), Instant::now());
    let tried = |n: u32, server| {
        let address = IpAddr::from([10, 0, (n / 250) as u8, (n % 250) as u8]);
        Tried::password(Some(address), format!("name-{n}"), false).by(ServerId(server))
    };
    for n in 0..BUDGET {
        assert_eq!(throttle.may_try(&tried(n, 1), now, 10, WINDOW), None);
        throttle.tried(&tried(n, 1), false, now);
    }
    assert_eq!(throttle.may_try(&tried(9999, 1), now, 10, WINDOW), Some(MINUTE));
    assert_eq!(throttle.may_try(&tried(9999, 2), now, 10, WINDOW), None);
    assert_eq!(throttle.may_try(&tried(9998, 1), now + MINUTE, 10, WINDOW), None);
}
