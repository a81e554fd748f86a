//! The table of keys, the types behind it, and what travels to the handler.

use std::collections::BTreeSet;

use ssmglobal_config::{
    DOOR_KEYS, Door, DoorMode, DoorSettings, KEYS, Kind, Level, Listen, Rule, Settings, TABLES, Value, WORLD_KEYS,
    WorldSettings, advice, check,
};

#[test]
fn every_key_is_described_once() {
    let paths: BTreeSet<_> = KEYS.iter().map(|key| key.path).collect();
    let variables: BTreeSet<_> = KEYS.iter().map(|key| key.variable()).collect();
    assert_eq!(paths.len(), KEYS.len());
    assert_eq!(variables.len(), KEYS.len());
    for key in KEYS {
        assert!(key.doc().ends_with('.'), "{}: {:?}", key.path, key.doc());
        assert!(key.table().is_empty() || TABLES.contains(&key.table()));
        assert!(key.default_value().is_some(), "{}", key.path);
    }
    for key in DOOR_KEYS {
        assert_eq!(key.table(), "door");
        assert!(key.doc().ends_with('.'));
    }
    for key in WORLD_KEYS {
        assert_eq!(key.table(), "world");
        assert!(key.doc().ends_with('.'), "{}: {:?}", key.path, key.doc());
    }
    assert!(variables.contains("SSMGLOBAL_LIMITS_CLIENTS"));
    assert!(variables.contains("SSMGLOBAL_LISTEN"));
}

#[test]
fn both_ends_of_every_range_are_taken() {
    for key in KEYS {
        let Rule::Number { min, max } = key.rule else {
            continue;
        };
        assert!(min <= max);
        for number in [min, max] {
            let text = format!("{} = {number}", key.path);
            // Rules between keys may object; the range may not.
            if let Err(problems) = check(&text, "f") {
                let range = problems.iter().find(|p| p.wrong.ends_with("is not allowed"));
                assert_eq!(range, None);
            }
        }
        let Some(Value::Number(default)) = key.default_value() else {
            panic!("{} has no number", key.path);
        };
        assert!((min..=max).contains(&default), "{}", key.path);
    }
}

#[test]
fn every_key_takes_what_it_is_shown_as_and_says_what_else_it_takes() {
    for key in KEYS {
        let (before, mut after) = (Settings::default(), Settings::default());
        let text = key.text(&before).unwrap();
        assert_eq!(key.set_to(&mut after, &text), Ok(()), "{}", key.path);
        assert_eq!(after, before);
    }
    let key = KEYS.iter().find(|key| key.path == "worlds.host_version").unwrap();
    let mut settings = Settings::default();
    key.set_to(&mut settings, "4.2.0").unwrap();
    assert_eq!(key.text(&settings).as_deref(), Some("4.2"));
    let why = key.set_to(&mut settings, "v4").unwrap_err();
    assert_eq!(why, "\"v4\" is no version; give a version, as 4 or 4.2.1");
}

#[test]
fn defaults_are_those_of_the_wire() {
    let settings = Settings::default();
    assert_eq!(settings.listen, [Listen::All { port: 53450 }]);
    // The main door is as it was; the one for people is another.
    assert_eq!(settings.doors().iter().map(|door| door.mode).collect::<Vec<_>>(), [DoorMode::Ask, DoorMode::Human]);
    assert_eq!(settings.texts.welcome, "Welcome to serversquared Modification Global Backend.");
    assert_eq!(settings.limits.clients, 4096);
    assert_eq!(settings.limits.first_mode_seconds, 10);
    assert_eq!(settings.log.level, Level::Info);
}

#[test]
fn settings_travel_as_bytes() {
    let mut settings = Settings::default();
    settings.listen.push("127.0.0.1:80".parse().unwrap());
    settings.listen.push("[fe80::1%3]:80".parse().unwrap());
    settings.door.push(DoorSettings {
        address: "[::]:4000".parse().unwrap(),
        mode: DoorMode::Human,
        welcome: Some("héllo\nyou".to_owned()),
        clients: None,
        clients_per_address: Some(3),
        idle_seconds: Some(0),
        line: None,
        proxy: Some(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::7".parse().unwrap()]),
        world: Some("mymush".to_owned()),
        escape: None,
        clean: Some(true),
        quit: None,
        resume: None,
        mssp: Some("GENRE=Fantasy".to_owned()),
    });
    let mut world = WorldSettings { kind: Some(Kind::TinyMux), ..WorldSettings::default() };
    world.play = Some(vec!["[fe80::1%3]:2860".parse().unwrap(), "/run/mush".parse().unwrap()]);
    settings.world.insert("MyMush".to_owned(), world);
    let bytes = postcard::to_stdvec(&settings).unwrap();
    let (back, rest) = postcard::take_from_bytes::<Settings>(&bytes).unwrap();
    assert_eq!(back, settings);
    assert!(rest.is_empty());

    let doors = settings.doors();
    let bytes = postcard::to_stdvec(&doors).unwrap();
    assert_eq!(postcard::from_bytes::<Vec<Door>>(&bytes).unwrap(), doors);
    for cut in 0..bytes.len() {
        assert!(postcard::from_bytes::<Vec<Door>>(&bytes[..cut]).is_err());
    }
}

#[test]
fn doors_fall_back_to_the_limits() {
    let text = "limits.clients = 100\nlimits.line = 70000\ntexts.welcome = \"hi\"\n\
                [[door]]\naddress = \"[::]:1\"\nmode = \"human\"\n\
                [[door]]\naddress = \"127.0.0.1:2\"\nmode = \"server\"\n\
                clients = 200\nclients_per_address = 90\nidle_seconds = 0\nline = 300\n";
    let (settings, warnings) = check(text, "f").unwrap();
    let doors = settings.doors();
    assert_eq!(doors.len(), 3);
    assert_eq!(doors[0].mode, DoorMode::Ask);
    assert_eq!(doors[0].listen, settings.listen);
    assert_eq!(doors[0].server_line, 70000);
    let fallen = Door { listen: vec![Listen::All { port: 1 }], mode: DoorMode::Human, ..doors[0].clone() };
    assert_eq!(doors[1], fallen);
    assert_eq!(doors[2].clients, 100);
    assert_eq!(doors[2].clients_per_address, 90);
    assert_eq!(doors[2].idle_seconds, 0);
    assert_eq!((doors[2].line, doors[2].server_line), (300, 65536));
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].to_string(), "f:10:11: warning: door.clients is held down by limits.clients = 100");
}

#[test]
fn addresses_are_read_as_people_write_them() {
    let all = Listen::All { port: 80 };
    assert_eq!("[::]:80".parse(), Ok(all.clone()));
    assert_eq!("*:80".parse(), Ok(all.clone()));
    assert_eq!(all.to_string(), "[::]:80");
    for text in ["0.0.0.0:80", "127.0.0.1:0", "[::1]:65535", "[fe80::1%2]:9"] {
        let listen: Listen = text.parse().unwrap();
        assert!(matches!(listen, Listen::At(_)));
        assert_eq!(listen.to_string(), text);
    }
    let meant = |text: &str| text.parse::<Listen>().unwrap_err().suggestion;
    assert_eq!(meant("127.0.0.1").as_deref(), Some("127.0.0.1:53450"));
    assert_eq!(meant("::1").as_deref(), Some("[::1]:53450"));
    assert_eq!(meant("[::]").as_deref(), Some("[::]:53450"));
    assert_eq!(meant("80").as_deref(), Some("[::]:80"));
    assert_eq!(meant(":80").as_deref(), Some("[::]:80"));
    assert_eq!(meant("localhost:80").as_deref(), Some("127.0.0.1:80"));
    for text in ["", ":", "*:", "*:x", "host:80", "1.2.3.4:65536", "1.2.3.4:-1", "\u{1b}[:1"] {
        assert_eq!(meant(text), None, "{text:?}");
    }
}

#[test]
fn addresses_clash_as_the_kernel_sees_it() {
    let clash = |a: &str, b: &str| {
        let (a, b): (Listen, Listen) = (a.parse().unwrap(), b.parse().unwrap());
        assert_eq!(a.clashes(&b), b.clashes(&a));
        a.clashes(&b)
    };
    assert!(clash("[::]:80", "127.0.0.1:80"));
    assert!(clash("[::]:80", "[::1]:80"));
    assert!(clash("0.0.0.0:80", "127.0.0.1:80"));
    assert!(clash("[::ffff:127.0.0.1]:80", "127.0.0.1:80"));
    assert!(!clash("0.0.0.0:80", "[::1]:80"));
    assert!(!clash("127.0.0.1:80", "127.0.0.2:80"));
    assert!(!clash("127.0.0.1:80", "127.0.0.1:81"));
    assert!(!clash("[fe80::1%1]:80", "[fe80::1%2]:80"));
    assert!(!clash("[::]:0", "[::]:0"));
}

#[test]
fn advice_counts_descriptors() {
    let settings = Settings::default();
    assert_eq!(advice(&settings, 20_000), []);
    assert_eq!(advice(&settings, 4096 + 64), []);
    let told = advice(&settings, 1024);
    assert_eq!(told.len(), 1);
    assert!(told[0].text.contains("to 960 or less"), "{}", told[0]);
}

#[test]
fn changes_are_named() {
    let old = Settings::default();
    let mut new = old.clone();
    assert!(old.changed(&new).is_empty());
    new.limits.clients = 5;
    new.door.push(DoorSettings::default());
    new.world.insert("mymush".to_owned(), WorldSettings::default());
    assert_eq!(old.changed(&new), ["limits.clients", "door", "world"]);
}

#[test]
fn numbers_are_read_at_an_address_of_their_own_or_nowhere() {
    // The main one, and the one for people that nobody has to ask for.
    assert_eq!(Settings::default().doors().len(), 2);
    let (settings, _) = check("metrics.address = \"127.0.0.1:9464\"\nlimits.clients = 5\n", "f").unwrap();
    let doors = settings.doors();
    assert_eq!((doors[2].mode, doors[2].listen.clone()), (DoorMode::Metrics, vec!["127.0.0.1:9464".parse().unwrap()]));
    assert!(doors[2].clients > 5, "clients of other doors do not count there");
    assert!(check("metrics.address = \"\"", "f").is_ok());
    let clash = check("listen = [\"[::]:9464\"]\nmetrics.address = \"127.0.0.1:9464\"\n", "f").unwrap_err();
    assert!(clash[0].wrong.contains("is taken by the door at"), "{}", clash[0].wrong);
    let mode = check("[[door]]\naddress = \"[::]:1\"\nmode = \"metrics\"\n", "f").unwrap_err();
    assert!(mode[0].wrong.contains("is not known"), "{}", mode[0].wrong);
}
