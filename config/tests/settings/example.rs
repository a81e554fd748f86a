//! The commented example file is complete and says the truth.

use ssmglobal_config::{
    DOOR_KEYS, DoorMode, DoorSettings, EXAMPLE, KEYS, Kind, Listen, Settings, WORLD_KEYS, WorldSettings, check,
};

/// Whether a table of this text sets this key.
fn sets(text: &str, table: &str, name: &str) -> bool {
    let mut current = String::new();
    text.lines().any(|line| {
        let line = line.trim();
        if line.starts_with('[') {
            let name = line.trim_matches(['[', ']']);
            // A world's table has its name in it.
            current = name.split('.').next().unwrap_or_default().to_owned();
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
    for key in WORLD_KEYS {
        assert!(sets(&text, key.table(), key.name()), "{} is missing", key.path);
    }
}

#[test]
fn its_world_is_played_as_its_kind_says_when_uncommented() {
    let (settings, warnings) = check(&uncommented(), "ssmglobal.toml").unwrap();
    assert_eq!(warnings, []);
    let world = settings.world("MyMUSH").unwrap();
    let of_kind = WorldSettings { kind: Some(Kind::TinyMux), ..WorldSettings::default() }.terms();
    let terms = settings.terms("mymush").unwrap();
    assert_eq!(terms, world.terms());
    assert_eq!(terms.play.len(), 2);
    // What it shows of numbers and words is what holds anyway.
    assert_eq!(
        (terms.real_address, terms.charset, terms.prompts),
        (of_kind.real_address, of_kind.charset, of_kind.prompts)
    );
    assert_eq!(
        (&terms.liveness, &terms.heartbeat, terms.sessions),
        (&of_kind.liveness, &of_kind.heartbeat, of_kind.sessions)
    );
    assert_eq!((terms.grace_seconds, terms.rate), (of_kind.grace_seconds, of_kind.rate));
    assert_eq!((terms.failover_seconds, terms.failback), (of_kind.failover_seconds, of_kind.failback));
    assert_eq!(terms.healthy_seconds, of_kind.healthy_seconds);
}

#[test]
fn its_door_opens_when_uncommented() {
    let (settings, warnings) = check(&uncommented(), "ssmglobal.toml").unwrap();
    assert_eq!(warnings, []);
    assert_eq!(
        settings.door[0],
        DoorSettings {
            address: Listen::All { port: 4000 },
            mode: DoorMode::Human,
            welcome: Some("Welcome, traveller. Type HELP to look around.".to_owned()),
            clients: Some(1000),
            clients_per_address: Some(8),
            idle_seconds: Some(3600),
            line: Some(4096),
            proxy: Some(vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]),
            mssp: Some("PORT=23".to_owned()),
            ..DoorSettings::default()
        }
    );
    let (doors, to_world) = (settings.doors(), settings.doors()[2].clone());
    assert_eq!(doors.len(), 3);
    assert_eq!((to_world.mode, to_world.world.as_deref()), (DoorMode::Human, Some("mymush")));
    assert_eq!((to_world.escape.as_str(), to_world.clean, to_world.quit_closes), ("//", false, true));
    assert_eq!(to_world.mssp, "GENRE=Fantasy\nWEBSITE=https://mush.example.org");
}
