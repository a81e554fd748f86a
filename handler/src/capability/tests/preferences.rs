//! Preferences: kept for a player, and told with his login.

use super::*;
use crate::capability::preferences::{Set, kept};
use ssmglobal_ipc::{KeptPreference, Preference, PreferenceIs};

fn set(value: Option<&str>) -> Set {
    Set { player: ALICE, preference: Preference::Width, value: value.map(str::to_owned) }
}

#[test]
fn what_a_player_sets_is_kept_for_him_alone() {
    let mut model = people();
    let row = Row::Preference { player: ALICE, name: "WIDTH".into(), value: Some("60".into()) };
    let reply = Reply::PreferenceIs(PreferenceIs { name: "WIDTH".into(), value: Some("60".into()), kept: true });
    assert_eq!(decided(&mut model, set(Some("60"))), Decided { rows: vec![row], reply, proves: None });
    done(&mut model, set(Some("60")));
    let width = KeptPreference { name: "WIDTH".into(), value: "60".into() };
    assert_eq!((kept(&model, ALICE).unwrap(), kept(&model, BOB).unwrap()), (vec![width], vec![]));
    done(&mut model, set(None));
    assert_eq!(kept(&model, ALICE).unwrap(), vec![]);
}

#[test]
fn nobody_sets_anything_for_who_is_not_there() {
    let mut model = people();
    let change = Set { player: PlayerId(99), ..set(None) };
    assert_eq!(refused(&mut model, change).code, Code::NotFound);
}
