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
