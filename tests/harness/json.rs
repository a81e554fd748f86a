//! What is looked for in JSON.

use serde_json::Value;

/// Checks that an object has these members with these values, whatever else it has. One that is not there is `null`.
#[track_caller]
pub fn has(object: &Value, members: Value) {
    let Value::Object(members) = members else { panic!("no members: {members}") };
    for (name, value) in members {
        assert_eq!(object[&name], value, "{name} of {object}");
    }
}

/// Checks that a reply says to try again later, in so many seconds at the most.
#[track_caller]
pub fn is_slowed_down(reply: &Value, seconds: u64) {
    assert_eq!(reply["code"], "slow_down", "{reply}");
    let after = reply["data"]["retry_after"].as_u64();
    assert!(after.is_some_and(|after| (1..=seconds).contains(&after)), "{reply}");
}
