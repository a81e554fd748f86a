//! Defaults, file, environment, options: who beats whom, and where each went wrong.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ssmglobal_config::{Door, KEYS, Level, Listen, Loaded, Overrides, Problem, Settings, Value, load};

type Env<'a> = &'a [(&'a str, &'a str)];

fn loaded(text: &str, env: Env, overrides: &Overrides) -> Result<Loaded, Vec<Problem>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.toml");
    fs::write(&path, text).unwrap();
    load(Some(&path), pairs(env), overrides)
}

fn pairs(env: Env) -> impl Iterator<Item = (String, String)> {
    env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
}

fn told(text: &str, env: Env, overrides: &Overrides) -> Vec<String> {
    let problems = loaded(text, env, overrides).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn later_layers_beat_earlier_ones() {
    let text = "limits.clients = 1\nlimits.line = 1001\nlimits.ahead = 11\n";
    let env = [("SSMGLOBAL_LIMITS_CLIENTS", "2"), ("SSMGLOBAL_LIMITS_LINE", "1002")];
    let overrides = Overrides { clients: Some(3), ..Overrides::default() };
    let limits = loaded(text, &env, &overrides).unwrap().settings.limits;
    assert_eq!((limits.clients, limits.line, limits.ahead), (3, 1002, 11));
    assert_eq!(limits.queue, Settings::default().limits.queue);
}

#[test]
fn every_key_has_a_variable_that_works() {
    for key in KEYS {
        let text = match key.default_value().unwrap() {
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => text,
            other => other.to_string().replace(['[', ']', '"'], "").replace("::", "[::]"),
        };
        let name = key.variable();
        let result = loaded("", &[(&name, &text)], &Overrides::default()).unwrap();
        // Whoever says where to listen, be it the default, has no door that he did not ask for.
        let expected = Settings { door_for_people: key.path != "listen", ..Settings::default() };
        assert_eq!(result.settings, expected, "{name}");
        assert_eq!(result.warnings, [], "{name}");
    }
}

#[test]
fn variables_are_read_by_type() {
    let env = [
        ("SSMGLOBAL_LISTEN", "127.0.0.1:1, [::1]:2"),
        ("SSMGLOBAL_PLAYERS_REGISTRATION", "false"),
        ("SSMGLOBAL_LOG_LEVEL", "trace"),
        ("SSMGLOBAL_DATA", ""),
        ("SSMGLOBAL_TEXTS_WELCOME", "Hello, world"),
        ("HOME", "x"),
    ];
    let result = loaded("data = \"here\"", &env, &Overrides::default()).unwrap();
    let settings = result.settings;
    assert_eq!(settings.listen.len(), 2);
    assert!(!settings.players.registration);
    assert_eq!(settings.log.level, Level::Trace);
    assert_eq!(settings.data, Path::new("here"));
    assert_eq!(settings.texts.welcome, "Hello, world");
    assert_eq!(result.warnings, []);
}

#[test]
fn wrong_layers_are_all_told() {
    let env = [("SSMGLOBAL_LIMITS_CLIENTS", "many"), ("SSMGLOBAL_LISTEN", "nowhere"), ("SSMGLOBAL_DATA", "\u{fffd}")];
    let overrides = Overrides {
        line: Some(100),
        timeout: Some(1_000_000),
        log_level: Some("loud".to_owned()),
        ..Overrides::default()
    };
    let told = told("limits.ahead = 0", &env, &overrides);
    assert_eq!(told.len(), 9, "{told:#?}");
    assert!(told[0].ends_with("f.toml:1:16: limits.ahead: 0 is not allowed; give a number from 1 to 10000"));
    assert!(told[1].starts_with("environment SSMGLOBAL_DATA: data: "));
    assert_eq!(
        told[2],
        "environment SSMGLOBAL_LIMITS_CLIENTS: limits.clients: \"many\" is not a whole number; give a number from 1 to 1000000"
    );
    assert!(told[3].starts_with("environment SSMGLOBAL_LISTEN: listen: "));
    assert_eq!(told[4], "option -b: limits.line: 100 is not allowed; give a number from 256 to 1048576");
    assert!(told[5].starts_with("option -t: limits.first_mode_seconds: "));
    assert!(told[6].starts_with("option -t: limits.idle_seconds: "));
    assert!(told[7].starts_with("option -t: limits.anonymous_seconds: "));
    assert!(told[8].starts_with("option --log-level: log.level: \"loud\""));
}

#[test]
fn keys_from_two_layers_must_go_together() {
    let told = told("players.name_max = 5", &[("SSMGLOBAL_PLAYERS_NAME_MIN", "6")], &Overrides::default());
    assert_eq!(
        told,
        [
            "environment SSMGLOBAL_PLAYERS_NAME_MIN: players.name_min: 6 does not go with players.name_max = 5; give at most that, or raise players.name_max"
        ]
    );
    // What a later layer mends is not held against the earlier one.
    let env = [("SSMGLOBAL_PLAYERS_NAME_MAX", "40")];
    assert!(loaded("players.name_min = 30", &env, &Overrides::default()).is_ok());
}

#[test]
fn unknown_variables_are_a_warning() {
    let env = [("SSMGLOBAL_LIMITS_CLINTS", "5"), ("SSMGLOBAL_WEATHER", "rain")];
    let warnings = loaded("", &env, &Overrides::default()).unwrap().warnings;
    let told: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "environment SSMGLOBAL_LIMITS_CLINTS: warning: no key has this variable; did you mean SSMGLOBAL_LIMITS_CLIENTS?",
            "environment SSMGLOBAL_WEATHER: warning: no key has this variable",
        ]
    );
}

#[test]
fn address_and_port_replace_their_halves() {
    let listen = |address, port| {
        let overrides = Overrides { address, port, ..Overrides::default() };
        let text = "listen = [\"127.0.0.1:1\", \"127.0.0.1:2\", \"[::1]:3\"]";
        loaded(text, &[], &overrides).unwrap().settings.listen
    };
    let at = |text: &str| text.parse::<Listen>().unwrap();
    let v4 = Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));
    assert_eq!(listen(None, None).len(), 3);
    assert_eq!(listen(None, Some(9)), [at("127.0.0.1:9"), at("[::1]:9")]);
    assert_eq!(listen(v4, None), [at("10.0.0.1:1")]);
    assert_eq!(listen(v4, Some(9)), [at("10.0.0.1:9")]);
    let all = Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    assert_eq!(listen(all, Some(9)), [Listen::All { port: 9 }]);
    assert_eq!(
        loaded("", &[], &Overrides { port: Some(9), ..Overrides::default() }).unwrap().settings.listen,
        [Listen::All { port: 9 }]
    );
}

#[test]
fn people_have_a_door_unless_somebody_has_said_where_to_listen() {
    let others = |text: &str, env: Env, overrides: Overrides| -> Vec<String> {
        let doors = loaded(text, env, &overrides).unwrap().settings.doors();
        let of = |door: &Door| format!("{} {} {}", door.listen[0], door.mode, door.optional);
        doors.iter().skip(1).map(of).collect()
    };
    let options = Overrides::default;
    assert_eq!(others("", &[], options()), ["[::]:4201 human true"]);
    assert_eq!(others("limits.clients = 5", &[("SSMGLOBAL_LISTEN", "")], options()), ["[::]:4201 human true"]);
    // At one address there is no other.
    let address = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    assert_eq!(others("", &[], Overrides { address, ..options() }), ["127.0.0.1:4201 human true"]);
    let none: [&str; 0] = [];
    assert_eq!(others("listen = [\"[::]:53450\"]", &[], options()), none);
    assert_eq!(others("listen = [\"[::]:53450\"]", &[], Overrides { address, ..options() }), none);
    assert_eq!(others("", &[("SSMGLOBAL_LISTEN", "[::]:53450")], options()), none);
    assert_eq!(others("", &[], Overrides { port: Some(53450), ..options() }), none);
    assert_eq!(others("", &[], Overrides { address, port: Some(1), ..options() }), none);
    let door = "[[door]]\nmode = \"client\"\naddress = \"[::]:1\"\n";
    assert_eq!(others(door, &[], options()), ["[::]:1 client false"]);
}

#[test]
fn the_originals_options_work() {
    let overrides = Overrides {
        line: Some(1024),
        timeout: Some(0),
        clients: Some(32),
        clients_per_address: Some(4),
        server_delay: Some("0.02".to_owned()),
        auto_save: Some("300".to_owned()),
        data: Some("elsewhere".into()),
        ..Overrides::default()
    };
    let result = loaded("", &[], &overrides).unwrap();
    let limits = &result.settings.limits;
    assert_eq!((limits.line, limits.clients, limits.clients_per_address), (1024, 32, 4));
    assert_eq!((limits.first_mode_seconds, limits.idle_seconds, limits.anonymous_seconds), (0, 0, 0));
    assert_eq!(result.settings.data, Path::new("elsewhere"));
    assert_eq!(result.notes.len(), 2);
    assert!(result.notes[0].contains("-D") && result.notes[1].contains("-A"));
}

#[test]
fn a_named_file_must_be_readable() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.toml");
    let problems = load(Some(&path), pairs(&[]), &Overrides::default()).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].to_string().contains("none.toml: cannot be read: "));

    let problems = load(Some(dir.path()), pairs(&[]), &Overrides::default()).unwrap_err();
    assert_eq!(problems.len(), 1);

    let name = path.to_str().unwrap();
    let env = [("SSMGLOBAL_CONFIG", name)];
    assert!(load(None, pairs(&env), &Overrides::default()).is_err());
    fs::write(&path, "limits.clients = 7").unwrap();
    let result = load(None, pairs(&env), &Overrides::default()).unwrap();
    assert_eq!(result.settings.limits.clients, 7);
    assert_eq!(result.file.as_deref(), Some(path.as_path()));
    assert_eq!(result.warnings, []);
}

#[test]
fn bytes_that_are_no_text_are_placed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.toml");
    fs::write(&path, b"# caf\xc3\xa9\ndata = \"caf\xe9\"\n").unwrap();
    let problems = load(Some(&path), pairs(&[]), &Overrides::default()).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].to_string().contains("f.toml:2:12: this byte is not UTF-8"));

    fs::write(&path, vec![b'#'; 65 * 1024]).unwrap();
    let problems = load(Some(&path), pairs(&[]), &Overrides::default()).unwrap_err();
    assert!(problems[0].wrong.contains("more than 65536 bytes"));
}
