//! What is ours between the lines of a world, and what goes through as it is.

use super::{Played, played, played_with, wide};
use crate::harness::worlds::{Connection, Cut, Kind, Profile, StrictClient, World};
use crate::harness::{Program, Wire};
use serde_json::json;

/// One who is known to us and plays from our prompt, the world's end of it, and a friend of his who does not play.
fn friends(played: &Played, profile: Profile) -> (StrictClient, Connection, Program) {
    let friend = played.backend.player("al");
    let client = played.known(profile);
    (client, played.world.player("bob"), friend)
}

fn tells(friend: &mut Program, body: &str) {
    friend.ok("TELL", json!({"to": "bob", "body": body}));
}

/// Without what steers a terminal.
fn plain(text: &str) -> String {
    let mut rest = text.chars();
    let mut plain = String::new();
    while let Some(letter) = rest.next() {
        match letter {
            '\u{1b}' => _ = rest.find(char::is_ascii_alphabetic),
            letter => plain.push(letter),
        }
    }
    plain
}

#[test]
fn a_tell_is_never_inside_of_a_line_that_the_world_says_in_two_halves() {
    let played = played_with(Kind::Mush, "", "");
    let (mut client, told, mut friend) = friends(&played, wide());
    for round in 0..10 {
        played.world.says(&told, b"one half and ");
        client.until("one half and ");
        tells(&mut friend, &format!("tell {round}"));
        played.world.says(&told, b"the other\r\n");
        client.until(&format!("tell {round}\n"));
        client.types(&format!("echo round {round}"));
        client.until(&format!("round {round}\n"));
    }
    let shown = plain(&client.shown());
    assert_eq!(shown.matches("one half and the other\n").count(), 10, "{shown}");
    for round in 0..10 {
        assert!(shown.lines().any(|line| line == format!("[tell] al: tell {round}")), "{shown}");
    }
}

#[test]
fn a_prompt_is_shown_again_behind_a_tell_and_a_mail() {
    let played = played_with(Kind::Mush, "", "");
    let (mut client, told, mut friend) = friends(&played, wide());
    played.world.prompts(&told, b"HP:10> ");
    assert_eq!(client.prompt(), "HP:10> ");
    tells(&mut friend, "hi");
    let shown = client.until("hi\n");
    assert_eq!(plain(&shown), "\n[tell] al: hi\n");
    assert_eq!(client.prompt(), "HP:10> ");
    friend.ok("MAIL SEND", json!({"to": "bob", "subject": "Cake", "body": "Eat it."}));
    let shown = client.until("(MAIL READ 1)\n");
    assert!(plain(&shown).starts_with("\n[mail] al: "), "{shown}");
    assert_eq!(client.prompt(), "HP:10> ");
    // One that is not marked is known by the silence behind it.
    played.world.says(&told, b"\r\nWhat now? ");
    client.until("What now? ");
    tells(&mut friend, "ho");
    assert_eq!(plain(&client.until("ho\n")), "\n[tell] al: ho\n");
    client.until("What now? ");
}

#[test]
fn tells_in_a_flood_stand_between_its_lines_and_none_of_both_is_lost() {
    let played = played_with(Kind::Mush, "", "");
    let (mut client, _, mut friend) = friends(&played, wide());
    client.types("spam 5000");
    (0..20).for_each(|number| tells(&mut friend, &format!("tell {number}")));
    client.types("echo the end");
    client.until("the end\n");
    client.asks_handler();
    let shown = plain(&client.shown());
    let (tells, lines): (Vec<&str>, Vec<&str>) = shown
        .lines()
        .filter(|line| line.contains("line ") || line.contains("tell"))
        .partition(|line| line.starts_with('['));
    assert_eq!(tells, (0..20).map(|number| format!("[tell] al: tell {number}")).collect::<Vec<_>>());
    assert_eq!(lines, (1..=5000).map(|number| format!("line {number} of 5000")).collect::<Vec<_>>());
}

#[test]
fn a_clean_door_shows_nothing_before_he_asks() {
    let played = played_with(Kind::Mush, "", "clean = true\nquit = \"prompt\"");
    let mut friend = played.backend.player("al");
    let mut client = played.inside("bob", wide());
    client.types("//register bob secret-of-bob");
    client.until("registered");
    client.until("\n");
    tells(&mut friend, "not now");
    played.world.says(&played.world.player("bob"), b"The sun rises.\r\n");
    client.until("The sun rises.\n");
    client.types("echo quiet");
    client.until("quiet\n");
    assert!(!client.shown().contains("not now"), "{}", client.shown());
    let shown = client.asks_handler();
    assert!(shown.contains("al: not now\n"), "{shown}");
    tells(&mut friend, "nor now");
    client.types("echo still");
    client.until("still\n");
    assert!(!client.shown().contains("nor now"), "{}", client.shown());
    client.types("//quit");
    client.until("al: nor now\n");
}

#[test]
fn a_mail_is_written_line_by_line_while_the_game_goes_on() {
    let played = played_with(Kind::Mush, "", "");
    let (mut client, told, mut friend) = friends(&played, wide());
    client.types("//mail send al SUBJECT Hello");
    client.until(". ends");
    client.types("First line, and quit is no command here:");
    played.world.says(&told, b"A dog barks.\r\n");
    client.until("A dog barks.\n");
    client.types("quit");
    client.types(".");
    client.until("sent to al");
    client.types("echo on");
    client.until("on\n");
    assert_eq!(told.lines()[1..], ["echo on"]);
    let mail = friend.ok("MAIL READ", json!({"id": 1}));
    assert!(mail.to_string().contains("First line, and quit is no command here:\\nquit"), "{mail}");
}

#[test]
fn a_long_text_of_ours_is_shown_page_by_page_and_the_game_has_the_keyboard_behind_it() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", Profile::tintin());
    for ends in [true, false] {
        client.types("//help");
        client.until("lines more: return, or q to end --");
        client.types("");
        client.until("lines more: return, or q to end --");
        if ends {
            client.types("q");
        } else {
            while !client.answers("", "return, or q to end --", "with an example.") {}
        }
        client.types("echo q");
        client.until("q\n");
    }
    assert_eq!(played.world.player("bob").lines()[1..], ["echo q", "echo q"]);
}

#[test]
fn he_goes_to_another_world_and_back_and_to_our_prompt() {
    let other = World::start(Kind::Evennia);
    let more = format!("[world.other]\nplay = [\"{}\"]\nkind = \"evennia\"\n", other.address());
    let played = played(World::start(Kind::Mush), Kind::Mush, &more, "quit = \"prompt\"");
    let (mut client, told, _friend) = friends(&played, wide());
    client.types("//play other");
    client.until("<password>");
    told.ends();
    client.types("connect bob secret-of-bob");
    client.until("You become bob.");
    client.until("Limbo\n");
    client.types("//play zoo");
    other.player("bob").ends();
    client.until("connect <name> <password>");
    client.types("//quit");
    client.until("You have left zoo.");
    client.until("> ");
    client.types("HW");
    client.until("Hello, world!");
}

/// All bytes in all ways, as nobody means them.
fn garbage() -> Vec<Vec<u8>> {
    let all: Vec<u8> = (0..=254).collect();
    let long = vec![b'x'; 200_000];
    let commands = b"\xff\xf1\xff\xf9\xff\xf0\xff\xfa\x63abc\xff\xf0\xff\xfa\x18\xff\xff\xff\xf0\xff\xef\xff\xffy";
    let unended = [b"\xff\xfa\xc9".to_vec(), vec![b'x'; 100_000], b"\xff\xf0".to_vec()].concat();
    vec![
        all,
        long,
        commands.to_vec(),
        unended,
        b"\ra\r\r\nb\n\rc\0\0d\r\0e".to_vec(),
        b"\x1b[31;\x1b]0;title\x07\x1b[".to_vec(),
    ]
}

#[test]
fn whatever_a_world_sends_in_whatever_pieces_the_game_goes_on_behind_it() {
    let played = played_with(Kind::Mush, "", "");
    let mut wire = Wire::to(played.door);
    wire.until("<password>");
    wire.send("connect bob secret-of-bob\r\n");
    wire.until("Limbo");
    let told = played.world.player("bob");
    for (number, bytes) in garbage().iter().enumerate() {
        let cuts: Vec<usize> = if bytes.len() < 300 { (0..=bytes.len()).collect() } else { vec![1, bytes.len() / 2] };
        for at in cuts {
            played.world.sends(&told, &bytes[..at]);
            played.world.sends(&told, &bytes[at..]);
        }
        played.world.says(&told, format!("\r\nbehind {number}\r\n").as_bytes());
        wire.until(&format!("behind {number}\r\n"));
        wire.send(format!("echo back {number}\r\n"));
        wire.until(&format!("back {number}\r\n"));
    }
    wire.send("//hw\r\n");
    wire.until("Hello, world!");
}

#[test]
fn letters_and_line_ends_are_whole_wherever_they_are_split() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    let told = played.world.player("bob");
    let text = "zoë 日本 \u{1b}[1;32mgreen\u{1b}[0m\r\n".as_bytes();
    for at in 0..=text.len() {
        played.world.says(&told, &text[..at]);
        played.world.says(&told, &text[at..]);
        client.until("zoë 日本 \u{1b}[1;32mgreen\u{1b}[0m\n");
    }
}

#[test]
fn lines_arrive_as_they_were_typed_many_at_once_half_or_long() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    let told = played.world.player("bob");
    let many: Vec<String> = (0..200).map(|number| format!("echo line {number}")).collect();
    client.sends((many.join("\r\n") + "\r\n").as_bytes());
    client.until("line 199\n");
    assert_eq!(told.lines()[1..], many);
    client.sends(b"echo ha");
    client.types("//");
    client.until("ha//\n");
    client.sends(b"/");
    client.sends(b"/hw\r\n");
    client.until("Hello, world!\n");
    let long = format!("echo {}", "l".repeat(20_000));
    client.types(&long);
    told.hears(&long);
    client.until(&format!("{}\n", "l".repeat(20_000)));
    client.types(&format!("//{}", "l".repeat(20_000)));
    client.until("too long");
    client.types("echo on");
    client.until("on\n");
    assert_eq!(told.lines().last().unwrap(), "echo on");
}

/// The most that the worker of a player may have who is slow, KiB more than that of one who is not.
const BOUND: u64 = 1024;

#[test]
fn a_world_that_prints_without_end_to_one_who_does_not_read_costs_nothing() {
    let played = played_with(Kind::Mush, "", "");
    let mut slow = Wire::with_room(4096, played.door);
    slow.until("<password>");
    slow.send("connect bob secret-of-bob\r\nspam 1000000\r\n");
    slow.until("line 1 of 1000000\r\n");
    let mut quick = played.inside("al", wide());
    for number in 0..200 {
        quick.types(&format!("echo line {number}"));
        quick.until(&format!("line {number}\n"));
    }
    let memory: Vec<u64> =
        played.backend.workers().iter().map(|worker| crate::harness::Process(worker.pid).memory()).collect();
    assert!(memory[0] < memory[1] + BOUND, "{memory:?} KiB");
    for number in 2..20_000 {
        assert_eq!(slow.line(), format!("line {number} of 1000000"));
    }
    // He is told of the end of it too.
    played.world.crashes(Cut::Reset);
    quick.until("zoo is down.");
}

#[test]
fn a_client_that_types_without_end_to_a_world_that_does_not_read_costs_nothing() {
    let played = played_with(Kind::Mush, "", "");
    let mut wire = Wire::to(played.door);
    wire.until("<password>");
    wire.send("connect bob secret-of-bob\r\n");
    wire.until("Limbo");
    wire.send("hang\r\n");
    played.world.player("bob").hears("hang");
    let mut quick = played.inside("al", wide());
    let sent = wire.send_until_full(64 << 20);
    assert!(sent < 32 << 20, "{sent} bytes");
    let memory: Vec<u64> =
        played.backend.workers().iter().map(|worker| crate::harness::Process(worker.pid).memory()).collect();
    assert!(memory[0] < memory[1] + BOUND, "{memory:?} KiB");
    quick.types("echo on");
    quick.until("on\n");
    // The world dies: nothing is held up by what nobody will ever read.
    played.world.crashes(Cut::Reset);
    wire.until("zoo is down.");
}
