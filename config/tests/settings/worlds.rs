//! Worlds that are played through us: their tables in the file, their kinds, and the doors that lead to them.

use std::fmt::Write as _;

use ssmglobal_config::play::{Charset, Liveness, RealAddress, Terms, WorldAddress};
use ssmglobal_config::{Kind, Settings, WORLD_KEYS, WorldSettings, check, pattern};

fn settings(text: &str) -> Settings {
    check(text, "f").unwrap().0
}

/// Everything that is wrong with a text, one line each.
fn told(text: &str) -> Vec<String> {
    check(text, "f").err().into_iter().flatten().map(|problem| problem.to_string()).collect()
}

fn warned(text: &str) -> Vec<String> {
    check(text, "f").unwrap().1.iter().map(ToString::to_string).collect()
}

/// What is wrong with one line of a world's table.
fn refused(line: &str) -> String {
    let told = told(&format!("[world.zoo]\nplay = \"[::1]:1\"\n{line}\n"));
    assert_eq!(told.len(), 1, "{line}: {told:#?}");
    told[0].clone()
}

#[test]
fn a_world_needs_no_more_than_its_address_and_its_kind() {
    let terms = settings("[world.MyMush]\nplay = [\"127.0.0.1:2860\", \"/run/mush.sock\"]\nkind = \"tinymux\"\n")
        .terms("mymush")
        .unwrap();
    let at = [WorldAddress::At("127.0.0.1:2860".parse().unwrap()), WorldAddress::Unix("/run/mush.sock".into())];
    assert_eq!(terms, Terms { play: at.to_vec(), ..Kind::TinyMux.terms() });
    assert_eq!(settings("").terms("mymush"), None);
    // One alone needs no list, and without a kind nothing is assumed.
    let plain = settings("[world.zoo]\nplay = \"unix:/run/zoo\"\n").terms("ZOO").unwrap();
    assert_eq!(plain, Terms { play: vec![WorldAddress::Unix("/run/zoo".into())], ..Terms::default() });
}

#[test]
fn each_key_beside_the_kind_counts() {
    let text = "[world.zoo]\nplay = \"[fe80::1%2]:1\"\nkind = \"moo\"\nreal_address = \"proxy-v2\"\ncharset = \"koi8-r\"\n\
                login = '^(?P<name>\\w+) (?P<password>\\w+)$'\nprompts = true\nsuccess = \"in\"\nfailure = [\"out\", \"no\"]\n\
                hide = []\nliveness = [\"server\", \"heartbeat\"]\nheartbeat = \"connect Robot s3cret\"\nticket = \"p {pass}\"\nsessions = \"one\"\n\
                grace_seconds = 1\nrate = 2\nfailover_seconds = 3\nfailback = \"all\"\nhealthy_seconds = 4\n";
    let settings = settings(text);
    let terms = settings.terms("zoo").unwrap();
    let set = &settings.world["zoo"];
    for key in WORLD_KEYS {
        let mut other = WorldSettings::default();
        let text = key.text(set).unwrap_or_else(|| panic!("{} is not set", key.path));
        // As text it is the same, which a licence keeps.
        key.set_to(&mut other, &text).unwrap();
        assert_eq!(key.text(&other).as_deref(), Some(text.as_str()), "{}", key.path);
        if key.name() != "kind" {
            assert_ne!(
                key.text(set),
                key.text(&WorldSettings { kind: Some(Kind::Moo), ..WorldSettings::default() }.resolved())
            );
        }
    }
    assert_eq!((terms.real_address, terms.charset, terms.prompts), (RealAddress::ProxyV2, Charset::Koi8R, true));
    assert_eq!(
        (terms.success, terms.failure, terms.hide),
        (vec!["in".to_owned()], vec!["out".into(), "no".into()], vec![])
    );
    assert_eq!(terms.liveness, [Liveness::Server, Liveness::Heartbeat]);
    assert_eq!(terms.heartbeat.as_deref(), Some("connect Robot s3cret"));
    assert_eq!((terms.grace_seconds, terms.rate, terms.failover_seconds, terms.healthy_seconds), (1, 2, 3, 4));
    assert!(!format!("{settings:?} {:?}", settings.terms("zoo")).contains("s3cret"), "a secret in Debug");
    let for_workers = settings.terms("zoo").unwrap().for_workers();
    assert_eq!((for_workers.heartbeat, for_workers.ticket), (None, None));
    // Set to nothing, nothing of the kind's holds.
    let none = "[world.zoo]\nplay = \"[::1]:1\"\nkind = \"moo\"\nlogin = \"\"\nsuccess = []\n";
    let none = self::settings(none).terms("zoo").unwrap();
    assert_eq!((none.login, none.success.len()), (None, 0));
}

#[test]
fn what_a_world_cannot_be_is_refused_in_words_that_help() {
    let addresses =
        "give 1 to 8 addresses with ports, or paths of sockets, as \"127.0.0.1:2860\" or \"unix:/run/game.sock\"";
    for (play, why) in [
        (
            "mush.example.org:2860",
            "\"mush.example.org:2860\" holds a name, and names are not looked up: `getent hosts NAME` shows its address",
        ),
        ("2860", "\"2860\" is only a port"),
        ("127.0.0.1", "\"127.0.0.1\" has no port"),
        ("1:2:3:4:5:6:7:8:90", "\"1:2:3:4:5:6:7:8:90\" lacks the brackets of IPv6"),
        ("0.0.0.0:2860", "\"0.0.0.0:2860\" is no address to connect to"),
        ("127.0.0.1:0", "\"127.0.0.1:0\" has no port from 1 to 65535"),
        (
            "localhost:2860",
            "\"localhost:2860\" holds a name, and names are not looked up: `getent hosts NAME` shows its address",
        ),
        ("unix:run/game", "\"unix:run/game\" names no socket by its whole path"),
        ("game.sock", "\"game.sock\" is neither an IP address with a port nor the path of a socket"),
    ] {
        let told = told(&format!("[world.zoo]\nplay = [\"{play}\"]\n"));
        let expected = format!("f:2:9: world.play: {why}; {addresses}");
        assert!(told[0].starts_with(&expected), "{}\n{expected}", told[0]);
    }
    let meant =
        |play: &str| told(&format!("[world.zoo]\nplay = \"{play}\"\n"))[0].rsplit("; ").next().unwrap_or("").to_owned();
    assert_eq!(meant("localhost:2860"), "did you mean \"127.0.0.1:2860\"?");
    assert_eq!(meant("::1:2860"), "did you mean \"[::1]:2860\"?");
    assert_eq!(meant("[::]:2860"), "did you mean \"127.0.0.1:2860\"?");
    assert_eq!(meant("unix:run/game"), "did you mean \"unix:/run/game\"?");
    let long = format!("/{}", "a".repeat(107));
    assert!(
        told(&format!("[world.zoo]\nplay = \"{long}\"\n"))[0].contains("is too long for the path of a Unix socket")
    );
    for (line, why) in [
        ("kind = \"tinymax\"", "did you mean \"tinymux\"?"),
        ("charset = \"utf8\"", "did you mean \"utf-8\"?"),
        ("liveness = [\"tcp\", \"ping\"]", "\"ping\" is not known; give one or several of server, heartbeat, tcp"),
        ("sucess = []", "world.sucess: no such key; did you mean world.success?"),
        ("success = [\"(\"]", "\"(\" is no regular expression: "),
        ("success = [\"\"]", "is empty, and would be found in every line"),
        ("hide = [3]", "is a number, not a text in quotes"),
        ("rate = 0", "0 is not allowed; give a number from 1 to 100000"),
        (
            "login = \"(?P<name>.*)\"",
            "has no group `password`; give (?P<name>…) and (?P<password>…), or set prompts = true",
        ),
        (
            "real_address = \"ip-host\"",
            "ip-host is taken on a Unix socket alone, and [::1]:1 is none; give none, or play unix:/path",
        ),
        ("heartbeat = \"a\\u0007\"", "holds control characters"),
        (
            "ticket = \"a\\u001b{pass}\"",
            "holds control characters; give one line of at most 256 bytes, or \"\" for none",
        ),
        ("ticket = \"a\\n{pass}\"", "has several lines"),
        (
            "ticket = \"connect {player}\"",
            "has no {pass}; write the line that the world takes, with {pass} where the pass stands, or \"\" for none",
        ),
    ] {
        assert!(refused(line).contains(why), "{}", refused(line));
    }
    assert_eq!(told("[world.zoo]\nprompts = true\nlogin = \"(?P<name>.*)\"\n"), [""; 0]);
    let told_first = |text: &str| told(text)[0].clone();
    assert_eq!(
        told_first("[world]\nplay = 3\n"),
        "f:2:1: world: \"play\" is no table of a world; write [world.NAME] and its keys below"
    );
    assert_eq!(told_first("world = 3\n"), "f:1:1: world: is a table of worlds; write [world.NAME] and its keys below");
    assert!(told_first("[world.\"a b\"]\n").contains("\"a b\" is no name of a world; give 2 to 16 letters"));
    assert!(told_first("[world.zoo]\n[world.ZOO]\n").contains("\"zoo\" is there already, as \"ZOO\""));
}

#[test]
fn the_line_of_a_ticket_holds_pass_and_name_where_they_are_to_stand() {
    let ticket =
        |line: &str| settings(&format!("[world.zoo]\nplay = \"[::1]:1\"\nticket = \"{line}\"\n")).terms("zoo").unwrap();
    let of = |line: &str, player: &str| ticket(line).ticket_of(player, "pass-1");
    assert_eq!(of("pass {pass}", "bob").as_deref(), Some("pass pass-1"));
    assert_eq!(of("{player}/{pass} {player} {who}", "bob").as_deref(), Some("bob/pass-1 bob {who}"));
    assert_eq!(of("{player} {pass}", "{pass}").as_deref(), Some("{pass} pass-1"));
    assert_eq!(of("", "bob"), None);
    assert_eq!(ticket("").ticket, None);
}

#[test]
fn everything_of_worlds_has_a_bound() {
    let worlds =
        |count: usize| (0..count).fold(String::new(), |text, n| text + &format!("[world.w{n}x]\nplay = \"[::1]:1\"\n"));
    assert_eq!(settings(&worlds(64)).world.len(), 64);
    assert_eq!(told(&worlds(65)), ["f:1:2: world: there are 65; have at most 64"]);
    let list = |count: usize, each: &dyn Fn(usize) -> String| {
        (0..count).map(|n| format!("'{}'", each(n))).collect::<Vec<_>>().join(", ")
    };
    let play = |count| format!("[world.zoo]\nplay = [{}]\n", list(count, &|n| format!("[::1]:{}", n + 1)));
    assert_eq!(settings(&play(8)).world["zoo"].play.as_ref().unwrap().len(), 8);
    assert!(told(&play(9))[0].contains("names more"));
    let patterns = |count| format!("hide = [{}]", list(count, &|n| format!("^{n}")));
    assert!(refused(&patterns(17)).contains("names more; give at most 16 regular expressions"));
    assert!(refused(&format!("ticket = '{{pass}}{}'", "a".repeat(251))).contains("has 257 bytes"));
    assert!(refused(&format!("hide = '{}'", "a".repeat(513))).contains("has 513 bytes"));
    // A small pattern can be a large machine.
    assert!(refused("hide = '(?:(?:a{100}){100}){100}'").contains("is no regular expression"));
}

#[test]
fn a_door_to_a_world_is_for_people_and_shows_nothing_of_ours() {
    let world = "[world.zoo]\nplay = \"[::1]:1\"\n";
    let door = |more: &str| format!("{world}[[door]]\naddress = \"[::]:4201\"\nworld = \"Zoo\"\n{more}");
    let read = settings(&door(""));
    let there = &read.doors()[1];
    assert_eq!((there.world.as_deref(), there.mode.as_str(), there.welcome.as_str()), (Some("Zoo"), "human", ""));
    assert_eq!((there.escape.as_str(), there.clean, there.quit_closes, there.idle_seconds), ("//", false, true, 0));
    let set = settings(&door("mode = \"human\"\nescape = \"!\"\nclean = true\nquit = \"prompt\"\nidle_seconds = 9\n"));
    let there = &set.doors()[1];
    assert_eq!((there.escape.as_str(), there.clean, there.quit_closes, there.idle_seconds), ("!", true, false, 9));
    assert_eq!(settings(&door("escape = \"\"\n")).doors()[1].escape, "");
    // The word by which he goes on is shown where that is set.
    let shows =
        ["", "resume = \"asked\"\n", "resume = \"shown\"\n"].map(|key| settings(&door(key)).doors()[1].shows_word);
    assert_eq!(shows, [false, false, true]);
    // At another door nothing has changed.
    let main = &set.doors()[0];
    assert_eq!((main.world.as_deref(), main.escape.as_str(), main.quit_closes), (None, "//", false));
    for escape in ["abc", "////", "/ ", "ü", "/1"] {
        assert!(told(&door(&format!("escape = \"{escape}\"\n")))[0].contains("give 1 to 3 signs that are no letters"));
    }
    assert_eq!(
        told(&door("mode = \"client\"\n")),
        ["f:6:8: door.mode: is client, and who comes to a world is a person; leave it away, or give human"]
    );
    assert_eq!(
        warned("[[door]]\naddress = \"[::]:4201\"\nworld = \"moon\"\n"),
        ["f:3:9: warning: there is no [world.moon] here, so that world has to have a licence that says where it is: \
          ssmglobal ctl world play moon play ADDRESS"]
    );
    assert_eq!(
        warned("[world.zoo]\n"),
        ["f:1:8: warning: world.zoo has no `play`, so its licence has to say where it is"]
    );
}

#[test]
fn what_the_file_says_counts_over_what_the_licence_says_key_by_key() {
    let file = settings("[world.zoo]\nkind = \"moo\"\nrate = 5\n").world["zoo"].clone();
    let licence =
        WorldSettings::of([("play", "[::1]:7 /run/zoo"), ("kind", "diku"), ("rate", "6"), ("sessions", "shared")]);
    let together = file.over(&licence);
    assert_eq!((together.kind, together.rate), (Some(Kind::Moo), Some(5)));
    assert_eq!(together.play.as_ref().map(Vec::len), Some(2));
    assert_eq!(together.terms().sessions.as_str(), "shared");
    // What a newer program has kept is as if it were not set.
    assert_eq!(WorldSettings::of([("colour", "red"), ("kind", "muck"), ("rate", "x")]), WorldSettings::default());
    assert_eq!(together.resolved().terms(), together.terms());
}

/// What a world of each kind says at a login that works and at one that does not, without its colours.
const RECORDED: &[(Kind, &str, &[&str], &[&str])] = &[
    // Of 2.12, as Debian has it: somebody who was there before, and who was not.
    (
        Kind::TinyMux,
        "co wizard potrzebie",
        &["Last connect was from 127.0.0.1 on Thu Nov 26 17:35:46.378006 2026."],
        &["Either that player does not exist, or has a different password."],
    ),
    (
        Kind::TinyMux,
        "connect \"Big Bob\" bobpw1",
        &["", "MAIL: You have no mail.", "", "Limbo"],
        &["Either that player does not exist, or has a different password."],
    ),
    (
        Kind::TinyMux,
        "cd wizard potrzebie",
        &[
            "**** 1 failed connect since your last successful connect. ****",
            "Most recent attempt was from 127.0.0.1 on Thu Nov 26 17:35:57.207283 2026.",
        ],
        &["Either that player does not exist, or has a different password."],
    ),
    (
        Kind::TinyMush,
        "connect bob pw",
        &["Last connect was from 127.0.0.1 on Thu Nov 26 17:35:46 2026."],
        &["Either that player does not exist, or has a different password."],
    ),
    (
        Kind::PennMush,
        "c One pw",
        &["Last connect was from localhost on Thu Nov 26 17:35:46 2026."],
        &["That is not the correct password."],
    ),
    (Kind::PennMush, "ch One pw", &["MAIL: You have no mail."], &["There is no player with that name."]),
    (
        Kind::RhostMush,
        "connect bob pw",
        &["Last connect was from 127.0.0.1 on Thu Nov 26 17:35:46 2026."],
        &["Either that player does not exist, or has a different password."],
    ),
    (
        Kind::RhostMush,
        "connect bob pw",
        &["Mail: You have no mail"],
        &["All guests are tied up, please try again later."],
    ),
    // tbaMUD, ROM, CoffeeMud.
    (Kind::Diku, "", &["Welcome to the zoo!  May your visit here be... Interesting."], &["Wrong password."]),
    (Kind::Diku, "", &["Reconnecting. Type replay to see missed tells."], &["Did I get that right, Bob (Y/N)? "]),
    (Kind::Diku, "", &["You take over your own body, already in use!"], &["Invalid password."]),
    (Kind::Diku, "", &["Welcome to ROM 2.4.  Please do not feed the mobiles."], &["'Bob' is not recognized."]),
    (Kind::Evennia, "connect \"Anna K\" s3cret", &["You become Anna."], &["Username and/or password is incorrect."]),
    (
        Kind::Evennia,
        "con anna s3cret",
        &["Account anna (you are Out-of-Character)"],
        &["Too many login failures; please try again in a few minutes."],
    ),
    (Kind::LpMud, "", &["Reconnected."], &["Wrong password!"]),
    (Kind::LpMud, "", &["Welcome back, Bob."], &["You are already playing."]),
    (
        Kind::Moo,
        "co wizard pw",
        &["*** Connected ***"],
        &["Either that player does not exist, or has a different password."],
    ),
    (
        Kind::Moo,
        "connect Bob pw",
        &["*** Redirecting old connection to this port ***"],
        &["Unknown player or wrong password."],
    ),
];

#[test]
fn what_a_world_of_each_kind_says_is_understood() {
    for (kind, login, success, failure) in RECORDED {
        let terms = kind.terms();
        let found = |patterns: &[String], line: &str| patterns.iter().any(|text| pattern(text).unwrap().is_match(line));
        let any = |patterns: &[String], lines: &[&str]| lines.iter().any(|line| found(patterns, line));
        assert!(any(&terms.success, success), "{kind}: {success:?}");
        assert!(!any(&terms.failure, success), "{kind}: {success:?}");
        assert!(any(&terms.failure, failure), "{kind}: {failure:?}");
        assert!(!any(&terms.success, failure), "{kind}: {failure:?}");
        match &terms.login {
            None => assert!(login.is_empty() && terms.prompts, "{kind}"),
            Some(text) => {
                let compiled = pattern(text).unwrap();
                let groups = compiled.captures(login).unwrap_or_else(|| panic!("{kind}: {login}"));
                assert_eq!(groups["password"], *login.rsplit(' ').next().unwrap());
                assert!(login.contains(&groups["name"]) && !groups["name"].is_empty());
                for other in ["create bob pw", "connect guest", "WHO", "say connect bob pw", "cook bob"] {
                    assert!(!compiled.is_match(other), "{kind}: {other}");
                }
            }
        }
    }
    let kinds = RECORDED.iter().map(|(kind, ..)| kind.as_str()).chain([Kind::Plain.as_str()]);
    assert_eq!(kinds.collect::<std::collections::BTreeSet<_>>(), Kind::WORDS.iter().copied().collect());
}

#[test]
fn every_pattern_of_every_kind_is_taken_as_one_of_an_operator_would_be() {
    for word in Kind::WORDS {
        let world = WorldSettings { kind: word.parse().ok(), ..WorldSettings::default() };
        assert_eq!(world.judge(), Ok(()), "{word}");
        let resolved = world.resolved();
        for key in WORLD_KEYS.iter().filter(|key| key.name() != "play") {
            let text = key.text(&resolved).unwrap();
            let mut other = WorldSettings::default();
            // Several patterns together are longer than one may be.
            if !["success", "failure", "hide"].contains(&key.name()) {
                assert_eq!(key.set_to(&mut other, &text), Ok(()), "{word}: {}", key.path);
            }
        }
        let terms = world.terms();
        for text in terms.success.iter().chain(&terms.failure).chain(&terms.hide) {
            assert!(text.len() <= 512 && pattern(text).is_ok(), "{word}: {text}");
        }
    }
    // PennMUSH takes an address on its Unix socket alone.
    let at = |play: &str| WorldSettings::of([("kind", "pennmush"), ("play", play)]).terms().real_address;
    assert_eq!(
        (at("/run/penn"), at("[::1]:1"), at("/run/penn [::1]:1")),
        (RealAddress::IpHost, RealAddress::None, RealAddress::None)
    );
}

/// A table of docs/operating.md, as it has to be.
fn has_table(table: &str) {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(table), "docs/operating.md is to have this table:\n{table}");
}

#[test]
fn the_page_has_every_key_and_what_every_kind_assumes() {
    let mut keys = "| key | |\n|---|---|\n".to_owned();
    for key in WORLD_KEYS {
        let allowed = key.rule.allowed();
        let allowed = allowed.strip_prefix("give ").unwrap_or(&allowed);
        writeln!(keys, "| `{}` | {} Takes {allowed}. |", key.name(), key.doc()).unwrap();
    }
    has_table(&keys);
    let mut kinds =
        "| kind | address told by | characters | login | lines of success, failure, noise |\n|---|---|---|---|---|\n"
            .to_owned();
    for word in Kind::WORDS {
        let kind: Kind = word.parse().unwrap();
        let terms = kind.terms();
        let login = match (&terms.login, terms.prompts) {
            (Some(_), _) => "`connect NAME PASSWORD`",
            (None, true) => "name, then password",
            (None, false) => "unknown",
        };
        let (success, failure, hide) = (terms.success.len(), terms.failure.len(), terms.hide.len());
        let (address, charset) = (terms.real_address, terms.charset);
        writeln!(kinds, "| `{word}` | {address} | {charset} | {login} | {success}, {failure}, {hide} |").unwrap();
    }
    has_table(&kinds);
}
