//! What is said about a wrong file, and where.

use std::fmt::Write as _;

use ssmglobal_config::{DOOR_KEYS, KEYS, Rule, Value, WORLD_KEYS, check};

/// Everything that is wrong with a text, one line each.
fn told(text: &str) -> Vec<String> {
    match check(text, "f") {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

fn warned(text: &str) -> Vec<String> {
    let (_, warnings) = check(text, "f").unwrap();
    warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_file_is_the_defaults() {
    let (settings, warnings) = check("", "f").unwrap();
    assert_eq!(settings, ssmglobal_config::Settings::default());
    assert_eq!(warnings, []);
    assert_eq!(told("\u{feff}# a mark first\r\n[limits]\r\n"), [""; 0]);
}

#[test]
fn it_reads_like_a_compiler() {
    assert_eq!(
        told("[limits]\n# none\nclients = 0\n"),
        ["f:3:11: limits.clients: 0 is not allowed; give a number from 1 to 1000000"]
    );
}

/// A value of the right type that its rule refuses.
fn refused(rule: Rule) -> &'static str {
    match rule {
        Rule::Number { .. } => "-1",
        Rule::Flag => "2",
        Rule::Line { .. } => "\"\"",
        Rule::LineOrNone { .. } => "\"a\\nb\"",
        Rule::Text { .. } => "\"\\u001B[2J\"",
        Rule::Path => "\"\"",
        Rule::Word(_) => "\"x\"",
        Rule::Version => "\"4.x\"",
        Rule::Address | Rule::AddressOrNone => "\"here\"",
        Rule::Addresses => "[]",
        Rule::WorldAddresses | Rule::Networks => "\"here\"",
        Rule::World => "\"-\"",
        Rule::Pattern | Rule::Patterns => "\"(\"",
        Rule::Words(_) => "\"x\"",
        Rule::Escape => "\"abc\"",
        Rule::Variables => "\"GENRE\"",
    }
}

#[test]
fn every_key_wrong_is_that_many_problems() {
    for wrong in [None, Some("1979-05-27")] {
        let mut text = String::new();
        let mut table = "";
        let mut places = Vec::new();
        let mut line = 0;
        let keys = KEYS.iter().map(|key| (key.path, key.rule));
        let keys = keys.chain(DOOR_KEYS.iter().map(|key| (key.path, key.rule)));
        for (path, rule) in keys.chain(WORLD_KEYS.iter().map(|key| (key.path, key.rule))) {
            let (of, name) = path.split_once('.').unwrap_or(("", path));
            if of != table {
                table = of;
                let head = match of {
                    "door" => "[[door]]".to_owned(),
                    "world" => "[world.mymush]".to_owned(),
                    table => format!("[{table}]"),
                };
                writeln!(text, "{head}").unwrap();
                line += 1;
            }
            line += 1;
            writeln!(text, "  {name} = {}", wrong.unwrap_or(refused(rule))).unwrap();
            places.push(format!("f:{line}:{}: {path}: ", name.len() + 6));
        }
        let told = told(&text);
        assert_eq!(told.len(), places.len(), "{told:#?}");
        for (told, place) in told.iter().zip(&places) {
            assert!(told.starts_with(place), "{told} at {place}");
            assert!(told.contains("; give "), "{told}");
        }
    }
}

#[test]
fn misspelt_keys_are_suggested() {
    for (text, meant) in [
        ("[limits]\nclinets = 5", "f:2:1: limits.clinets: no such key; did you mean limits.clients?"),
        ("listem = []", "f:1:1: listem: no such key; did you mean listen?"),
        ("clients = 5", "f:1:1: clients: no such key; did you mean limits.clients?"),
        ("[limit]\nclients = 5", "f:1:2: limit: no such table; did you mean [limits]?"),
        ("[[doors]]\nmode = 5", "f:1:3: doors: no such table; did you mean [[door]]?"),
        ("[log]\nmailbox = 5", "f:2:1: log.mailbox: no such key; did you mean mail.mailbox?"),
        ("[LIMITS]\n", "f:1:2: LIMITS: no such table; did you mean [limits]?"),
        ("[limits]\n'no\\\u{e9}' = 5", "f:2:1: limits.no\\\\é: no such key"),
        (
            "[log]\nlevel = \"inf\"",
            "f:2:9: log.level: \"inf\" is not known; give one of error, warn, info, debug, trace; did you mean \"info\"?",
        ),
        ("xyzzy = 5", "f:1:1: xyzzy: no such key"),
    ] {
        assert_eq!(told(text), [meant]);
    }
    let long = "a".repeat(100_000);
    assert_eq!(told(&format!("{long} = 1")).len(), 1);
}

#[test]
fn a_door_says_what_it_lacks() {
    assert_eq!(
        told("[[door]]\nadress = \"[::]:1\"\nmode = \"human\"\n"),
        [
            "f:1:1: door.address: is missing; give an IP address and a port, as \"[::]:53450\"",
            "f:2:1: door.adress: no such key; did you mean door.address?",
        ]
    );
    assert_eq!(
        told("[door]\nmode = \"human\"\n"),
        ["f:1:1: door: is a list of tables; write [[door]] with two brackets"]
    );
    assert_eq!(told("door = [1]"), ["f:1:9: door: is not a table; write [[door]] and its keys below"]);
    assert_eq!(told("limits = 3"), ["f:1:1: limits: is a table, not a value; write [limits] and its keys below"]);
    let many: String = (1..=17)
        .fold(String::new(), |text, port| text + &format!("[[door]]\nmode = \"ask\"\naddress = \"[::]:{port}\"\n"));
    assert_eq!(told(&many), ["f:1:1: door: there are 17; have at most 16"]);
}

#[test]
fn every_address_of_a_list_is_judged() {
    assert_eq!(
        told("listen = [\"127.0.0.1\", 5, \"localhost:80\", \"[::]:80\"]"),
        [
            "f:1:11: listen: \"127.0.0.1\" has no port; give a list of 1 to 16 addresses, as [\"[::]:53450\"]; did you mean \"127.0.0.1:53450\"?",
            "f:1:24: listen: is a number, not an address in quotes; give a list of 1 to 16 addresses, as [\"[::]:53450\"]",
            "f:1:27: listen: \"localhost:80\" holds no IP address (names are not looked up); give a list of 1 to 16 addresses, as [\"[::]:53450\"]; did you mean \"127.0.0.1:80\"?",
        ]
    );
    assert_eq!(told("listen = \"[::]:80\"").len(), 1);
}

#[test]
fn two_doors_on_one_address_are_refused() {
    let door = "[[door]]\nmode = \"ask\"\naddress = ";
    assert_eq!(
        told(&format!("{door}\"127.0.0.1:53450\"\n")),
        [
            "f:3:11: door.address: 127.0.0.1:53450 is taken by the door at [::]:53450; give every door an address or a port of its own"
        ]
    );
    let text = format!("{door}\"[::1]:80\"\n{door}\"127.0.0.1:80\"\n{door}\"[::1]:80\"\n");
    let told_of = told(&text);
    assert_eq!(told_of.len(), 1);
    assert!(told_of[0].starts_with("f:9:11: door.address: [::1]:80 is taken"));
    assert_eq!(told("listen = [\"[::]:1\", \"[::]:1\"]").len(), 1);
    assert_eq!(told("listen = [\"0.0.0.0:1\", \"[::1]:1\"]"), [""; 0]);
}

#[test]
fn keys_must_go_together() {
    assert_eq!(
        told("[players]\nname_min = 30\n"),
        [
            "f:2:12: players.name_min: 30 does not go with players.name_max = 20; give at most that, or raise players.name_max"
        ]
    );
    assert_eq!(told("[players]\npassword_max = 8\npassword_min = 9").len(), 1);
    assert_eq!(told("[records]\npage_max = 5").len(), 1);
    assert_eq!(told("[limits]\nserver_ping_seconds = 120").len(), 1);
    assert_eq!(told("[limits]\nqueue = 16384\nline = 20000").len(), 1);
    assert_eq!(told("[limits]\nfirst_mode_seconds = 3600\nidle_seconds = 5"), [""; 0]);
    // One that is wrong already is not judged against another.
    assert_eq!(told("[players]\nname_min = 2000\nname_max = 1").len(), 1);
}

#[test]
fn what_cannot_pass_is_warned_of() {
    assert_eq!(
        warned("[mail]\nbody = 10000\n"),
        ["f:2:8: warning: mail.body is 10000, yet limits.line lets only 8192 through; raise limits.line as well"]
    );
    assert_eq!(warned("[limits]\nserver_line = 16384\n[relay]\nmessage = 20000\n").len(), 1);
    assert_eq!(warned("[players]\nhash_memory_kib = 64\n").len(), 1);
    let door = "[[door]]\nmode = \"client\"\naddress = \"[::]:1\"\nwelcome = \"x\"\n";
    assert_eq!(warned(door), ["f:4:11: warning: door.welcome is never shown at a door of mode client"]);
    let door = "[[door]]\nmode = \"client\"\naddress = \"[::]:1\"\nproxy = [\"0.0.0.0/0\"]\n";
    assert_eq!(
        warned(door),
        ["f:4:9: warning: door.proxy trusts everybody: whoever connects there can say that he is somebody else"]
    );
}

#[test]
fn what_is_no_network_is_told_where_it_stands() {
    let door = "[[door]]\nmode = \"client\"\naddress = \"[::]:1\"\n";
    let allowed = "give a list of up to 64 networks, as [\"10.0.0.0/8\", \"::1\"]";
    assert_eq!(
        told(&format!("{door}proxy = [\"10.1.0.0/8\", \"::1\", 7]\n")),
        [
            format!(
                "f:4:10: door.proxy: \"10.1.0.0/8\" has bits behind its end; {allowed}; did you mean \"10.0.0.0/8\"?"
            ),
            format!("f:4:31: door.proxy: is a number, not a text in quotes; {allowed}"),
        ]
    );
    let many = vec!["\"::1\""; 65].join(", ");
    assert_eq!(told(&format!("{door}proxy = [{many}]\n")), [format!("f:4:9: door.proxy: names more; {allowed}")]);
}

#[test]
fn errors_of_syntax_are_told_with_the_rest() {
    let text = "data = \"x\n[limits]\nclients = \nahead = 0\nahead = 5\nline = 5 5\n[log\n";
    let told = told(text);
    let starts = [
        "f:1:10: this is not TOML: ",
        "f:3:11: limits.clients: has no value; give a number from 1 to 1000000",
        "f:4:9: limits.ahead: 0 is not allowed",
        "f:5:1: this is not TOML: duplicate key",
        "f:6:8: this is not TOML: ",
        "f:7:5: this is not TOML: unclosed table",
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for (told, start) in told.iter().zip(starts) {
        assert!(told.starts_with(start), "{told}");
    }
}

#[test]
fn a_list_without_end_is_one_problem() {
    let told = told("data = 1\nlisten = [\"[::]:1\"\n[limits]\nclients = 0\n[log]\nlevel = 3\n");
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].starts_with("f:1:8: data: is a number"), "{told:#?}");
    assert!(told[1].starts_with("f:3:1: this is not TOML: "), "{told:#?}");
    assert!(told[1].ends_with(", in what was opened in line 2"), "{told:#?}");
}

#[test]
fn columns_count_characters() {
    let told_of = told("mail = { \"sübject\" = 1, body = 0 }\r\n");
    assert_eq!(
        told_of,
        [
            "f:1:10: mail.sübject: no such key; did you mean mail.subject?",
            "f:1:32: mail.body: 0 is not allowed; give a number from 64 to 524288",
        ]
    );
    assert!(told("\u{feff}data = 1\n")[0].starts_with("f:1:8: data:"));
}

#[test]
fn a_file_that_is_none_is_survived() {
    let nested = "[".repeat(100_000);
    let nested = format!("listen = {nested}");
    assert!(!told(&nested).is_empty());
    let nested = format!("a = {}", "{a=".repeat(50_000));
    assert!(!told(&nested).is_empty());
    let lines = "\u{1}%$\n".repeat(20_000);
    let told_of = told(&lines);
    assert!((1..100).contains(&told_of.len()), "{}", told_of.len());
    for line in told_of {
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn numbers_of_all_kinds_are_judged() {
    let (settings, _) = check("limits.clients = 0x1_0", "f").unwrap();
    assert_eq!(settings.limits.clients, 16);
    for number in ["1.5", "\"10\"", "-1", "99999999999999999999999999999999999999999999", "inf"] {
        let told_of = told(&format!("limits.clients = {number}"));
        assert_eq!(told_of.len(), 1, "{number}");
        assert!(told_of[0].starts_with("f:1:18: limits.clients: "), "{told_of:?}");
    }
}

#[test]
fn texts_may_have_lines_only_where_they_fit() {
    let (settings, _) = check("texts.welcome = \"\"\"\nHello\n\tthere\"\"\"", "f").unwrap();
    assert_eq!(settings.texts.welcome, "Hello\n\tthere");
    assert_eq!(check("texts.welcome = ''", "f").unwrap().0.texts.welcome, "");
    assert!(told("texts.goodbye = \"a\\nb\"")[0].contains("has several lines"));
    assert!(told("texts.welcome = \"\\u001b[31mred\"")[0].contains("a colour is written as {red}words{/}"));
    let long = format!("texts.welcome = \"{}\"", "é".repeat(4097));
    assert!(told(&long)[0].contains("has 8194 bytes; give a text of at most 8192 bytes"));
}

#[test]
fn values_are_shown_as_they_are_written() {
    for key in KEYS {
        let value = key.default_value().unwrap();
        assert_eq!(told(&format!("{} = {value}", key.path)), [""; 0]);
    }
    assert_eq!(Value::Text("a\"\u{1b}".to_owned()).to_string(), r#""a\"\u{1b}""#);
}
