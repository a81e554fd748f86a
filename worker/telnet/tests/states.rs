//! The states that are put away: one of an older version lacks fields, one of a newer version has more.

#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, from_str, from_value, to_value};
use ssmglobal_telnet::{Bridge, LineReader, Party, Presented, Role, Telnet, Terms, option};

/// Lets the peer say something.
fn say(telnet: &mut Telnet, mut bytes: &[u8]) {
    while telnet.next(&mut bytes, &mut Vec::new()).is_some() {}
}

fn server() -> Telnet {
    let mut telnet = Telnet::new(Role::Server);
    telnet.offer(&mut Vec::new());
    say(&mut telnet, b"\xff\xfb\x1f\xff\xfa\x1f\x00\x64\x00\x28\xff\xf0\xff\xfb\x18\xff\xfd\x05\xff\xfa\x18\x00xterm");
    telnet
}

fn client() -> Telnet {
    let mut telnet = Telnet::new(Role::Client);
    let presented = Presented { client: Some("C".into()), mtts: Some(5), utf8: true, ..Presented::default() };
    telnet.present(presented, &mut Vec::new());
    say(
        &mut telnet,
        b"\xff\xfb\x01\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0\xff\xfb\x2a\xff\xfa\x2a\x01;UTF-8\xff\xf0\xff\xfb",
    );
    telnet
}

/// A server that relays, with a message that has begun.
fn relaying() -> Telnet {
    let (mut telnet, mut out) = (Telnet::new(Role::Server), Vec::new());
    telnet.offer_all(&mut out);
    telnet.ask(Party::Us, option::GMCP, true, &mut out);
    say(&mut telnet, b"\xff\xfd\xc9\xff\xfb\x27\xff\xfb\x96\xff\xfe\x2a\xff\xfa\xc9Core");
    telnet
}

/// A bridge to a world that waits for an answer.
fn bridge() -> Bridge {
    let (mut player, mut bridge) = (relaying(), Bridge::new());
    let (mut to_player, mut to_world) = (Vec::new(), Vec::new());
    let terms = Terms { charsets: ["UTF-8".into()].into(), address: Some("192.0.2.1".into()), ..Terms::default() };
    bridge.connect(&mut player, &mut to_player);
    bridge.present(terms, &mut player, &mut to_player, &mut to_world);
    let mut input: &[u8] = b"\xff\xfb\xc9\xff\xfb\x5b\xff\xfd\x18\x1b[1m";
    while bridge.from_world(&mut player, &mut input, &mut to_player, &mut to_world).is_some() {}
    let mut input: &[u8] = b".Hello {}\xff\xf0\xff\xfa\xc9Core.Supports.Set [\"A 1\"]\xff\xf0";
    while let Some(event) = player.next(&mut input, &mut to_player) {
        bridge.from_player(&mut player, event, &mut to_player, &mut to_world);
    }
    bridge
}

fn lines() -> LineReader {
    let mut lines = LineReader::new();
    lines.set_limit(50);
    assert!(lines.next(&mut &b"begun"[..]).is_none());
    lines
}

/// The state without each of its fields in turn, at every depth.
fn without_each_field(state: &Value) -> Vec<Value> {
    let Value::Object(fields) = state else { return Vec::new() };
    let with = |name: &String, value: Option<Value>| {
        let mut fields = fields.clone();
        match value {
            Some(value) => fields.insert(name.clone(), value),
            None => fields.remove(name),
        };
        Value::Object(fields)
    };
    let inside = |(name, value): (&String, &Value)| -> Vec<Value> {
        without_each_field(value).into_iter().map(|less| with(name, Some(less))).collect()
    };
    // A variant stands as the only field, with its name for a key in capitals: that is none that an older version lacks.
    let is_field = |name: &&String| name.starts_with(char::is_lowercase);
    fields.keys().filter(is_field).map(|name| with(name, None)).chain(fields.iter().flat_map(inside)).collect()
}

/// The state with one more field in each of its structs.
fn with_more(state: &Value) -> Value {
    let Value::Object(fields) = state else { return state.clone() };
    let mut more: Map<String, Value> = fields.iter().map(|(name, value)| (name.clone(), with_more(value))).collect();
    if fields.keys().all(|name| name.starts_with(char::is_lowercase)) {
        more.insert("of_a_newer_version".into(), Value::from(vec![1, 2]));
    }
    Value::Object(more)
}

fn check<T: Serialize + DeserializeOwned>(machine: &T) {
    let state = to_value(machine).unwrap();
    let less = without_each_field(&state);
    assert!(less.len() > 5);
    for less in less {
        assert!(from_value::<T>(less.clone()).is_ok(), "{less}");
    }
    let more = with_more(&state);
    assert_ne!(more, state);
    assert_eq!(to_value(from_value::<T>(more).unwrap()).unwrap(), state);
}

#[test]
fn a_state_with_a_field_less_or_more_is_read() {
    check(&server());
    check(&client());
    check(&lines());
    check(&relaying());
    check(&bridge());
}

#[test]
fn a_state_without_anything_is_that_of_a_new_one() {
    assert_eq!(to_value(from_str::<Telnet>("{}").unwrap()).unwrap(), to_value(Telnet::default()).unwrap());
    assert_eq!(to_value(Telnet::default()).unwrap(), to_value(Telnet::new(Role::Server)).unwrap());
    assert_eq!(to_value(from_str::<LineReader>("{}").unwrap()).unwrap(), to_value(LineReader::new()).unwrap());
}

#[test]
fn nothing_that_was_said_is_shown_by_debug() {
    let mut telnet = Telnet::new(Role::Server);
    say(&mut telnet, b"\xff\xfa\x20secret");
    assert_eq!(format!("{telnet:?}"), format!("{:?}", Telnet::new(Role::Server)));
    assert!(!format!("{:?}", lines()).contains("begun"));
}

/// What the first version with names has written: a name that changes is a fact that is lost.
const SERVER: &str = r#"{"charset":{"answered":0,"ours":{"grants":0,"q":"WantYes","refused":false},"request":"NotSent",
    "theirs":{"grants":0,"q":"No","refused":false}},"end":{"Server":{"echo":{"hidden":false,"refused":false,
    "announced":false,"unanswered":0},"offered":true,"our_eor":{"grants":0,"q":"WantYes","refused":false},
    "their_naws":{"grants":0,"q":"Yes","refused":false},"their_ttype":{"grants":0,"q":"Yes","refused":false},
    "types":{"asked":1,"awaiting":true,"second":null}}},"our_sga":{"grants":0,"q":"No","refused":false},
    "parser":{"in_line":false,"seen_command":true,"state":"Sub","sub":[24,0,120,116,101,114,109],
    "sub_too_long":false},"refused":{"them":[0,0,0,0],"us":[32,0,0,0]},"terminal":{"charset_utf8":"Unknown",
    "client":null,"height":40,"mtts":null,"name":null,"width":100},"their_sga":{"grants":0,"q":"No",
    "refused":false}}"#;

/// As [`SERVER`], by a client.
const CLIENT: &str = r#"{"charset":{"answered":1,"ours":{"grants":0,"q":"No","refused":false},"request":"Settled","theirs":{"grants":1,
    "q":"Yes","refused":false}},"end":{"Client":{"hidden":true,"next_type":1,"our_naws":{"grants":0,"q":"No",
    "refused":false},"our_ttype":{"grants":1,"q":"Yes","refused":false},"presented":{"client":"C","height":null,
    "mtts":5,"name":null,"utf8":true,"width":null},"their_echo":{"grants":1,"q":"Yes","refused":false},
    "their_eor":{"grants":0,"q":"No","refused":false},"types_told":1}},"our_sga":{"grants":0,"q":"No",
    "refused":false},"parser":{"in_line":false,"seen_command":true,"state":{"Verb":"Will"},"sub":[],
    "sub_too_long":false},"refused":{"them":[0,0,0,0],"us":[0,0,0,0]},"terminal":{"charset_utf8":"Yes",
    "client":null,"height":null,"mtts":null,"name":null,"width":null},"their_sga":{"grants":0,"q":"No",
    "refused":false}}"#;

/// As [`SERVER`], by a reader of lines.
const LINES: &str = r#"{"after_return":false,"buf":[98,101,103,117,110],"editing":false,"limit":50,"return_ends_line":false,
    "skipping":false}"#;

/// As [`SERVER`], by one that relays options.
const RELAYING: &str = r#"{"charset":{"answered":0,"ours":{"grants":0,"q":"No","refused":false},"request":"NotSent",
    "theirs":{"grants":0,"q":"No","refused":false}},"end":{"Server":{"awaits_environ":true,
    "echo":{"announced":false,"hidden":false,"refused":false,"unanswered":0},"offered":true,"our_eor":{"grants":0,
    "q":"WantYes","refused":false},"our_mssp":{"grants":0,"q":"WantYes","refused":false},"their_environ":{"grants":0,"q":"Yes","refused":false},
    "their_naws":{"grants":0,"q":"WantYes","refused":false},"their_ttype":{"grants":0,"q":"WantYes",
    "refused":false},"types":{"asked":0,"awaiting":false,"second":null}}},"offering":false,
    "our_binary":{"grants":0,"q":"WantYes","refused":false},"our_sga":{"grants":0,"q":"No","refused":false},
    "parser":{"binary":false,"in_line":false,"relaying":true,"seen_command":true,"state":"Sub","streaming":false,
    "sub":[201,67,111,114,101],"sub_too_long":false},"refused":{"them":[0,0,0,0],"us":[0,0,0,0]},
    "relay":{"on":true,"proposed":{"them":[0,0,4194304,0],"us":[0,0,0,0]},"them":[[150,{"grants":0,"q":"No",
    "refused":false}]],"us":[[201,{"grants":0,"q":"Yes",
    "refused":false}]]},"terminal":{"charset_name":null,"charset_told":null,"charset_utf8":"Unknown",
    "client":null,"height":null,"mtts":null,"name":null,"version":null,"width":null},"their_binary":{"grants":0,
    "q":"WantYes","refused":false},"their_sga":{"grants":0,"q":"No","refused":false},"turned_down":{"them":[0,0,0,
    0],"us":[4398046511104,0,0,0]}}"#;

/// As [`SERVER`], by a bridge.
const BRIDGE: &str = r#"{"after_return":false,"asked":2,"coloured":true,"connected":true,"gave_up":false,"gmcp":{"hello":[67,111,114,
    101,46,72,101,108,108,111,32,123,125],"modules":[[65,32,49]]},"mssp":{"variables":[]},
    "switched_on":{"them":[0,0,0,0],"us":[0,134217728,0,0]},"terms":{"address":"192.0.2.1","charsets":["UTF-8"],
    "compression":false,"mssp":false},"wanted":{"them":[0,134217728,0,512],"us":[16777216,0,0,0]},
    "world":{"charset":{"answered":0,"ours":{"grants":0,"q":"No","refused":false},"request":"NotSent",
    "theirs":{"grants":0,"q":"No","refused":false}},"end":{"Client":{"environ_told":0,"hidden":false,
    "next_type":0,"our_environ":{"grants":0,"q":"No","refused":false},"our_naws":{"grants":0,"q":"No",
    "refused":false},"our_ttype":{"grants":0,"q":"No","refused":false},"presented":{"address":"192.0.2.1",
    "charset":"UTF-8","charsets":["UTF-8"],"client":null,"height":null,"mtts":null,"name":null,"utf8":true,
    "version":null,"width":null},"their_echo":{"grants":0,"q":"No","refused":false},"their_eor":{"grants":0,
    "q":"No","refused":false},"types_told":0}},"offering":false,"our_binary":{"grants":0,"q":"No",
    "refused":false},"our_sga":{"grants":0,"q":"No","refused":false},"parser":{"binary":false,"in_line":false,
    "relaying":true,"seen_command":true,"state":"Data","streaming":true,"sub":[],"sub_too_long":false},
    "refused":{"them":[0,0,0,0],"us":[0,0,0,0]},"relay":{"on":true,"proposed":{"them":[0,134217728,0,0],
    "us":[16777216,0,0,0]},"them":[[201,{"grants":1,"q":"Yes","refused":false}],[91,{"grants":0,"q":"No",
    "refused":false}]],"us":[[150,{"grants":0,"q":"WantYes","refused":false}]]},"terminal":{"charset_name":null,
    "charset_told":null,"charset_utf8":"Unknown","client":null,"height":null,"mtts":null,"name":null,
    "version":null,"width":null},"their_binary":{"grants":0,"q":"No","refused":false},"their_sga":{"grants":0,
    "q":"No","refused":false},"turned_down":{"them":[0,0,0,0],"us":[0,0,0,0]}}}"#;

/// Whether everything in `part` is in `whole`, by the same names.
fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|other| is_within(value, other)))
        }
        (part, whole) => part == whole,
    }
}

fn check_recorded<T: Serialize + DeserializeOwned>(recorded: &str, machine: &T) {
    let recorded: Value = from_str(recorded).unwrap();
    let read: T = from_value(recorded.clone()).unwrap();
    assert!(is_within(&recorded, &to_value(read).unwrap()), "{recorded}");
    assert!(is_within(&recorded, &to_value(machine).unwrap()), "it is still written so: {recorded}");
}

#[test]
fn states_are_read_and_written_as_they_were_first() {
    check_recorded(SERVER, &server());
    check_recorded(CLIENT, &client());
    check_recorded(LINES, &lines());
    check_recorded(RELAYING, &relaying());
    check_recorded(BRIDGE, &bridge());
}
