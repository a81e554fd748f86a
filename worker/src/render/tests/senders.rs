//! Who has sent something is said in one way, in every answer and event, to programs and to people.

use super::{USUAL, as_json, as_text, events, replies, text};
use crate::render::{Look, draw, human, json};
use serde_json::Value;
use ssmglobal_ipc::Party;
use std::collections::BTreeSet;

/// Wide enough for every column.
const WIDE: Look = Look { width: 250, ..USUAL };

/// What stands under these names, wherever it is.
fn under<'a>(value: &'a Value, names: &[&str], found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            found.extend(names.contains(&name.as_str()).then_some(value));
            under(value, names, found);
        }),
        Value::Array(list) => list.iter().for_each(|value| under(value, names, found)),
        _ => {}
    }
}

/// The senders in a line of a program, each as it is written and in one of the known forms.
fn senders(line: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(line).unwrap();
    let mut others = Vec::new();
    under(&value, &["by", "sender", "author", "submitter"], &mut others);
    assert!(others.is_empty(), "a sender is called from: {line}");
    let mut found = Vec::new();
    under(&value, &["from"], &mut found);
    // The serial number of a list is no sender.
    let senders: Vec<String> = found.into_iter().filter_map(|from| from.as_str().map(str::to_owned)).collect();
    for sender in &senders {
        assert_eq!(&Party::parse(sender).to_string(), sender, "{line}");
        assert!(sender != "arena" && sender != "zed", "a game server or a visitor without its kind: {line}");
    }
    senders
}

#[test]
fn a_sender_has_one_form_for_programs_and_people_in_every_event_and_answer() {
    let mut where_from = BTreeSet::new();
    for (event, _, _) in events() {
        let (mut line, mut words) = (Vec::new(), Vec::new());
        json::event(&mut line, &event);
        draw(&mut words, &human::event(&event), WIDE);
        let (line, words) = (text(line), text(words));
        for sender in senders(&line) {
            assert!(words.contains(&format!("{sender}: ")), "{words}");
            where_from.insert(words.split(']').next().unwrap_or_default().to_owned());
        }
    }
    // Of what one has sent oneself people are told to whom.
    for (name, reply) in replies().into_iter().filter(|(name, _)| *name != "MAIL SENT") {
        let words = as_text(name, &reply, WIDE);
        for sender in senders(&as_json(None, name, &reply)) {
            assert!(words.contains(&sender), "{name}: {words}");
            where_from.insert(name.to_owned());
        }
    }
    // All that has a sender; what is new here needs a sample above.
    let expected = ["MAIL LIST", "MAIL READ", "RECORD AROUND", "RECORD SHOW", "RECORD TOP"];
    let events = ["[broadcast", "[mail", "[mail_refused", "[relay", "[tell"];
    assert_eq!(where_from, expected.into_iter().chain(events).map(str::to_owned).collect());
}
