//! Properties of players and worlds: who writes and reads them, who hears of a change, and what they outlive.

mod lifetime;
mod rights;
mod shown;
mod told;

use crate::harness::{Backend, Program, Zoo, has};
use serde_json::{Value, json};

const ZOO: &str = "world:zoo";

/// Writes a text; `more` says how it is used.
fn set(asker: &mut Program, of: &str, name: &str, value: &str, more: Value) -> String {
    let mut args = json!({"of": of, "name": name, "value": value});
    let all = args.as_object_mut().expect("an object");
    all.extend(more.as_object().cloned().unwrap_or_default());
    outcome(asker.ask("PROPERTY SET", args))
}

fn delete(asker: &mut Program, of: &str, name: &str) -> String {
    outcome(asker.ask("PROPERTY DELETE", json!({"of": of, "name": name})))
}

fn outcome(reply: Value) -> String {
    reply["code"].as_str().unwrap_or("ok").to_owned()
}

fn got(asker: &mut Program, of: &str, names: Value) -> Vec<Value> {
    asker.ok("PROPERTY GET", json!({"of": of, "names": names}))["properties"].as_array().expect("a list").clone()
}

/// What it says, or why it cannot be read.
fn value(asker: &mut Program, of: &str, name: &str) -> String {
    let reply = asker.ask("PROPERTY GET", json!({"of": of, "names": name}));
    let value = reply["data"]["properties"][0]["value"].as_str().map(str::to_owned);
    value.unwrap_or_else(|| outcome(reply))
}

fn names(properties: &[Value]) -> Vec<&str> {
    properties.iter().map(|property| property["name"].as_str().expect("a name")).collect()
}

/// The name and what it says of the next event.
fn heard(asker: &mut Program) -> (String, String) {
    let event = asker.expect_event("property");
    let text = |name: &str| event[name].as_str().unwrap_or("gone").to_owned();
    (format!("{} {}", text("of"), text("name")), text("value"))
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[test]
fn a_property_is_a_text_or_bytes_with_a_version() {
    let mut scene = Zoo::open();
    let bob = &mut scene.bob;
    let first = bob.ok("PROPERTY SET", json!({"of": "bob", "name": "motto", "value": "Be kind", "version": 0}));
    assert_eq!(first, json!({"of": "Bob", "name": "motto", "version": 1}));
    let again = bob.ask("PROPERTY SET", json!({"of": "bob", "name": "motto", "value": "x", "version": 0}));
    assert_eq!(again["code"], "conflict");
    assert_eq!(again["data"]["version"], 1);
    bob.ok("PROPERTY SET", json!({"of": "bob", "name": 12, "base64": "AAH/gA==", "finger": true, "read": "OWNER"}));
    bob.ok("PROPERTY SET", json!({"of": "BOB", "name": 7, "value": ""}));
    let all = got(bob, "bob", Value::Null);
    assert_eq!(names(&all), ["7", "12", "motto"], "numbers first");
    let mut bytes = all[1].clone();
    bytes.as_object_mut().expect("an object").remove("at");
    let wanted = json!({
        "name": "12", "value": null, "base64": "AAH/gA==", "version": 1, "finger": true, "push": false, "kept": true,
        "write": "owner", "read": "owner",
    });
    assert_eq!(bytes, wanted);
    has(&all[2], json!({"value": "Be kind", "base64": null, "read": "everyone"}));
    // Several at once; those that are not there are not among them.
    assert_eq!(names(&got(bob, "bob", json!([12, "motto", "nothing"]))), ["12", "motto"]);
    assert_eq!(names(&got(bob, "bob", json!("motto 7"))), ["7", "motto"]);
    assert_eq!(value(bob, "bob", "nothing"), "not_found");
    // Another version of it, which goes and comes again.
    let old = json!({"of": "bob", "name": "motto", "version": 7});
    assert_eq!(bob.ask("PROPERTY DELETE", old)["data"]["version"], 1);
    bob.ok("PROPERTY DELETE", json!({"of": "bob", "name": "motto", "version": 1}));
    assert_eq!((value(bob, "bob", "motto"), delete(bob, "bob", "motto")), pair("not_found", "not_found"));
    assert_eq!(bob.ok("PROPERTY SET", json!({"of": "bob", "name": "motto", "value": "x"}))["version"], 3);
}

#[test]
fn what_a_property_may_be_has_bounds() {
    let mut scene = Zoo::open();
    let bob = &mut scene.bob;
    let longest = "x".repeat(64);
    for name in ["1", "255", "a", "7a", "Zoë", &longest] {
        assert_eq!(set(bob, "bob", name, "x", Value::Null), "ok", "{name}");
    }
    let longer = format!("{longest}x");
    for name in ["0", "256", "007", "1000", "two words", "a\tb", &longer] {
        assert_eq!(set(bob, "bob", name, "x", Value::Null), "invalid", "{name}");
    }
    assert_eq!(set(bob, "bob", "1", &"x".repeat(4096), Value::Null), "ok");
    assert_eq!(set(bob, "bob", "1", &"x".repeat(4097), Value::Null), "too_long");
    for (of, code) in
        [("server:arena", "invalid"), ("the backend", "invalid"), ("nobody", "not_found"), ("world:moon", "not_found")]
    {
        assert_eq!(set(bob, of, "1", "x", Value::Null), code, "{of}");
        assert_eq!(bob.fails("PROPERTY GET", json!({"of": of})), code, "{of}");
        assert_eq!(bob.fails("PROPERTY WATCH", json!({"of": of})), code, "{of}");
    }
    assert_eq!(set(bob, "bob", "1", "x", json!({"write": "nobody"})), "invalid");
    // So many, which come in pages where they are long.
    for number in 6..256 {
        assert_eq!(set(bob, "bob", &format!("p{number}"), &"x".repeat(1024), Value::Null), "ok", "{number}");
    }
    assert_eq!(set(bob, "bob", "more", "x", Value::Null), "limit");
    let pages = bob.pages("PROPERTY GET", json!({"of": "bob"}));
    let found = pages.iter().map(|page| page["properties"].as_array().expect("a list").len());
    assert_eq!((pages.len() > 1, found.sum::<usize>()), (true, 256));
    let page = bob.ok("PROPERTY GET", json!({"of": "bob", "limit": 2, "after": "1"}));
    assert_eq!(
        (names(page["properties"].as_array().expect("a list")), &page["next"]),
        (vec!["255", "7a"], &"7a".into())
    );
}

#[test]
fn what_was_never_there_is_not_gone() {
    let Zoo { mut bob, backend: _backend, .. } = Zoo::open();
    fn why(bob: &mut Program, cmd: &str, args: Value) -> String {
        let reply = bob.ask(cmd, args);
        assert_eq!(reply["code"], "conflict", "{reply}");
        assert_eq!(reply["data"]["version"], 0, "{reply}");
        reply["msg"].as_str().expect("a sentence").to_owned()
    }
    for end in [".", " any more."] {
        let (property, setting) = (format!("There is no such property{end}"), format!("There is no such setting{end}"));
        let args = json!({"of": "bob", "name": "a", "value": "x", "version": 3});
        assert_eq!(why(&mut bob, "PROPERTY SET", args), property);
        assert_eq!(why(&mut bob, "PROPERTY DELETE", json!({"of": "bob", "name": "a", "version": 3})), property);
        assert_eq!(why(&mut bob, "SETTING SET", json!({"key": "a", "value": "x", "version": 3})), setting);
        bob.ok("PROPERTY SET", json!({"of": "bob", "name": "a", "value": "x"}));
        bob.ok("PROPERTY DELETE", json!({"of": "bob", "name": "a"}));
        bob.ok("SETTING SET", json!({"key": "a", "value": "x"}));
        bob.ok("SETTING DELETE", json!({"key": "a"}));
    }
}

#[test]
fn a_person_and_the_operator_say_it_in_words() {
    let backend = Backend::start();
    let mut bob = backend.person("bob");
    bob.says("PROPERTY GET bob").sees("There are no properties of bob for you.");
    // What he hears of his own changes may come behind the answer, and in front of the next one.
    let mut says = |line: &str, texts: &[&str]| {
        bob.type_line(line);
        texts.iter().for_each(|text| drop(bob.expect(text)));
    };
    says("property set bob motto FINGER PUSH Be kind", &["motto of bob is now version 1."]);
    let shown = ["motto: Be kind", "version 1, finger, push, write owner, read everyone"];
    says("PROPERTY GET bob motto", &shown);
    says("PROPERTY SET bob 7 all the rest IF VERSION 3", &["7 of bob is now version 1."]);
    says("PROPERTY GET bob 7", &["7: all the rest IF VERSION 3"]);
    says("PROPERTY DELETE bob 7 IF VERSION 1", &["Property deleted."]);
    // All of it is the value.
    says("PROPERTY SET bob motto x WRITE nobody", &["motto of bob is now version 2."]);
    let ctl = |words: &[&str]| backend.operator(words);
    ctl(&["property", "set", "bob", "motto", "Be brave", "--version", "2", "--no-push", "--write", "property"])
        .prints("motto of bob is now version 3.");
    ctl(&["property", "set", "bob", "motto", "x", "--version", "2"]).ends_with(1);
    says("PROPERTY SET bob motto x", &["ERROR: Only who has the right property may write this property."]);
    assert!(ctl(&["property", "set", "bob", "pic", "", "--base64", "AAH/"]).out.contains("version 1"));
    ctl(&["property", "get", "bob", "motto pic"]).prints("motto: Be brave").prints("pic: (3 bytes)");
    assert!(ctl(&["property", "delete", "bob", "motto"]).out.contains("Property deleted."));
    // What was asked is in the log, and not what the values are.
    let log = backend.log().text();
    assert!(log.contains("PROPERTY SET") && !log.contains("Be brave"), "{log}");
}

#[test]
fn elsewhere_a_world_may_be_named_and_has_nothing() {
    let mut scene = Zoo::open();
    assert_eq!(scene.alice.fails("SETTING GET", json!({"key": "k", "of": ZOO})), "not_found");
    assert_eq!(scene.alice.fails("SETTING GET", json!({"key": "k", "of": "world:moon"})), "not_found");
    assert_eq!(scene.alice.fails("MAIL BLOCK", json!({"player": ZOO})), "not_found");
}
