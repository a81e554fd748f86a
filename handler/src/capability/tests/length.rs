//! How long a login may last, and what it has lasted.

use super::*;
use crate::capability::length::{Lasted, Limit, limit};
use crate::capability::{Access, By, Plan};
use crate::state::State;
use crate::state::logins::Ended;
use crate::state::memory::Memory;
use ssmglobal_config::Settings;
use ssmglobal_ipc::PlayerLimit;
use std::sync::Arc;

#[test]
fn a_bound_is_set_and_taken_away() {
    let mut model = people();
    for minutes in [Some(90), Some(30), None] {
        let change = || Limit { player: ALICE, minutes };
        assert_eq!(decided(&mut model, change()), only(Row::PlayerLimit { player: ALICE, minutes }));
        done(&mut model, change());
        assert_eq!(model.players[&ALICE].player.session_minutes, minutes);
    }
    assert_eq!(model.players[&BOB].player.session_minutes, None);
    assert_eq!(code(&mut model, Limit { player: PlayerId(9), minutes: None }), Code::NotFound);
}

#[test]
fn a_bound_is_a_minute_at_the_least_and_a_week_at_the_most() {
    let memory = Memory::default();
    crate::lock::write(&memory.directory).insert(ALICE, "alice", "alice", "alice");
    let (state, memory, settings) = (State::new(1), Arc::new(memory), Settings::default());
    let asked = |player: &str, minutes| {
        let access = Access { by: By::Operator, session: None, state: &state, memory: &memory, settings: &settings };
        match limit(access, PlayerLimit { player: player.into(), minutes }) {
            Plan::Change(..) => None,
            Plan::Reply(Reply::Failed(failure)) => Some(failure.code),
            _ => panic!("another plan"),
        }
    };
    for minutes in [None, Some(1), Some(10_080)] {
        assert_eq!(asked("ALICE", minutes), None, "{minutes:?}");
    }
    for minutes in [0, 10_081, u32::MAX] {
        assert_eq!(asked("alice", Some(minutes)), Some(Code::Invalid), "{minutes}");
    }
    assert_eq!(asked("nobody", Some(1)), Some(Code::NotFound));
}

#[test]
fn what_logins_have_lasted_adds_up() {
    let mut model = people();
    let since = Time(5);
    let lasted = |lasted| Lasted(Ended { session: 7, player: ALICE, since, lasted });
    let row = Row::PlayerLasted { player: ALICE, lasted: 400, session: 7, since };
    assert_eq!(decided(&mut model, lasted(400)), only(row));
    for _ in 0..150 {
        done(&mut model, lasted(400));
    }
    assert_eq!(model.players[&ALICE].player.milliseconds_on, 60_000, "a minute of many short ones");
}
