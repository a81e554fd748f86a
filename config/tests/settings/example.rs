//! The commented example file is complete and says the truth.

use ssmglobal_config::{DOOR_KEYS, DoorMode, DoorSettings, EXAMPLE, KEYS, Listen, Settings, check};

/// Whether a table of this text sets this key.
fn sets(text: &str, table: &str, name: &str) -> bool {
    let mut current = String::new();
    text.lines().any(|line| {
        let line = line.trim();
        if line.starts_with('[') {
            current = line.trim_matches(['[', ']']).to_owned();
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        line.contains('=') && current == table && key == name
    })
}

/// The example with its commented lines of TOML put in force: those without a space after `#`.
fn uncommented() -> String {
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn it_is_the_defaults() {
    let (settings, warnings) = check(EXAMPLE, "ssmglobal.toml").unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(warnings, []);
}

#[test]
fn it_holds_every_key() {
    let text = uncommented();
    for key in KEYS {
        assert!(sets(&text, key.table(), key.name()), "{} is missing", key.path);
        // Set, it would take the door for people away.
        assert_eq!(sets(EXAMPLE, key.table(), key.name()), key.path != "listen", "{}", key.path);
    }
    for key in DOOR_KEYS {
        assert!(sets(&text, key.table(), key.name()), "{} is missing", key.path);
    }
}

#[test]
fn its_door_opens_when_uncommented() {
    let (settings, warnings) = check(&uncommented(), "ssmglobal.toml").unwrap();
    assert_eq!(warnings, []);
    assert_eq!(
        settings.door,
        [DoorSettings {
            address: Listen::All { port: 4000 },
            mode: DoorMode::Human,
            welcome: Some("Welcome, traveller. Type HELP to look around.".to_owned()),
            clients: Some(1000),
            clients_per_address: Some(8),
            idle_seconds: Some(3600),
            line: Some(4096),
            proxy: Some(vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]),
        }]
    );
}
