//! The worlds that tests play in, and the client that looks at every byte, tried by themselves: what they find in the backend is
//! worth as much as they are.

use crate::harness::worlds::codes::option::{
    CHARSET, ECHO, EOR, GMCP, LINEMODE, MCCP2, MCCP3, MSSP, MXP, NAWS, NEW_ENVIRON, SGA, TTYPE,
};
use crate::harness::worlds::codes::{ACCEPTED, IAC, NOP, Verb, negotiation, subnegotiation};
use crate::harness::worlds::{
    Connection, Cut, End, Kind, Letters, Preamble, Profile, StrictClient, TinyMux, Told, World,
};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use tempfile::TempDir;

/// One who has logged in where that takes one line.
fn connected(world: &World, name: &str, profile: Profile) -> StrictClient {
    let mut client = StrictClient::to(world.at(), profile);
    client.until("<password>");
    client.types(&format!("connect {name} secret-of-{name}"));
    client.until("Limbo\n");
    client
}

/// One who has given his name and password to a Diku.
fn named(world: &World, name: &str, profile: Profile) -> StrictClient {
    let mut client = StrictClient::to(world.at(), profile);
    assert_eq!(client.prompt(), "By what name do you wish to be known? ");
    client.types(name);
    assert_eq!(client.prompt(), "Password: ");
    client.agreed(End::Theirs, ECHO, true);
    client.types(&format!("secret-of-{name}"));
    client
}

/// One who plays in a Diku.
fn inside(world: &World, name: &str, profile: Profile) -> StrictClient {
    let mut client = named(world, name, profile);
    assert_eq!(client.prompt(), "*** PRESS RETURN: ");
    client.agreed(End::Theirs, ECHO, false);
    client.types("");
    assert_eq!(client.prompt(), "   Make your choice: ");
    client.types("1");
    assert_eq!(client.prompt(), "> ");
    client
}

#[test]
fn a_diku_asks_for_the_name_and_hides_the_password() {
    let world = World::start(Kind::Diku);
    let mut client = inside(&world, "Bob", Profile::tintin().sized(100, 30));
    let told = world.player("Bob");
    assert_eq!(told.lines(), ["Bob", "secret-of-Bob", "", "1"]);
    assert_eq!(told.window(), Some((100, 30)));
    told.wait_after(0, &Told::Agreed(End::Ours, MCCP2, true));
    client.types("echo zoë");
    assert_eq!(client.line(), "zoë");
    assert_eq!(client.prompt(), "> ");
    client.resizes(132, 43);
    told.sees_window(132, 43);
    told.wait("all names of the terminal", |_| {
        (told.terminals() == ["TINTIN++", "XTERM-256COLOR", "MTTS 271", "MTTS 271"]).then_some(())
    });
    client.types("quit");
    assert!(client.rest().contains("Goodbye"));
    assert_eq!((world.count(), world.connected()), (1, 0));
}

#[test]
fn a_diku_lets_nobody_in_with_a_wrong_password_or_a_taken_name() {
    let world = World::start(Kind::Diku);
    world.sets_password("Bob", "another");
    let mut client = named(&world, "Bob", Profile::tf5());
    client.until("Wrong password.");
    assert_eq!(client.prompt(), "Password: ");
    client.types("another");
    assert_eq!(client.prompt(), "*** PRESS RETURN: ");
    world.refuses("Ann");
    let mut other = StrictClient::to(world.at(), Profile::telnet());
    other.prompt();
    other.types("Ann");
    other.until("That name is taken.");
    assert_eq!(other.prompt(), "Name: ");
    world.lets_in("Ann");
    other.types("Ann");
    assert_eq!(other.prompt(), "Password: ");
}

#[test]
fn a_diku_gives_a_body_to_the_one_who_comes_after() {
    let world = World::start(Kind::Diku);
    let mut first = inside(&world, "Bob", Profile::tf5());
    let mut second = named(&world, "Bob", Profile::tintin());
    second.until("You take over your own body");
    assert_eq!(second.prompt(), "> ");
    assert!(first.rest().contains("usurped"));
    // A connection that breaks leaves the body where it is.
    let told = world.player_from(1, "Bob");
    second.hangs_up();
    told.ends();
    let mut third = named(&world, "Bob", Profile::telnet());
    third.until("You take over your own body");
    world.boots("Bob", "You are shown the door.\r\n");
    assert!(third.rest().contains("shown the door"));
    inside(&world, "Bob", Profile::telnet());
}

#[test]
fn an_evennia_says_much_beside_the_text() {
    let world = World::start(Kind::Evennia);
    let mut client = connected(&world, "Bob", Profile::screen_reader());
    let told = world.player("Bob");
    let mssp = client.sub(MSSP);
    assert!(mssp.starts_with(b"\x01NAME\x02"), "{mssp:?}");
    assert_eq!(client.sub(MXP), b"");
    client.sends_raw(&subnegotiation(GMCP, b"Core.Hello {\"client\": \"Mudlet\"}"));
    told.wait("a message", |_| (told.messages() == ["Core.Hello {\"client\": \"Mudlet\"}"]).then_some(()));
    world.sends(&told, &subnegotiation(GMCP, b"Char.Vitals {\"hp\": 7}"));
    assert_eq!(client.sub(GMCP), b"Char.Vitals {\"hp\": 7}");
    told.wait_after(0, &Told::Agreed(End::Theirs, LINEMODE, false));
    let mut second = connected(&world, "Bob", Profile::tintin());
    assert!(client.rest().contains("Logged in from elsewhere"));
    second.types("echo here");
    second.until("here\n");
}

#[test]
fn a_mush_negotiates_both_ways() {
    let world = World::start(Kind::Mush);
    let mut client = connected(&world, "Bob", Profile::tintin());
    let told = world.player("Bob");
    told.wait("the environment", |_| (!told.environment().is_empty()).then_some(()));
    assert_eq!(told.environment()["CLIENT_NAME"], "TINTIN++");
    let accepted = [&[ACCEPTED], &b"UTF-8"[..]].concat();
    told.wait_after(0, &Told::Sub(CHARSET, accepted));
    for (end, option) in [(End::Theirs, SGA), (End::Ours, SGA), (End::Ours, EOR), (End::Theirs, NEW_ENVIRON)] {
        told.wait_after(0, &Told::Agreed(end, option, true));
    }
    told.wait_after(0, &Told::Agreed(End::Theirs, EOR, false));
    client.types("prompt");
    assert_eq!(client.prompt(), "> ");
    world.prompts(&told, b"Really? ");
    assert_eq!(client.prompt(), "Really? ");
    // Here somebody may play twice.
    connected(&world, "Bob", Profile::telnet());
    client.types("nonsense");
    client.until("Huh?\n");
    let mut other = StrictClient::to(world.at(), Profile::telnet());
    other.types("connect Bob wrong");
    other.until("has a different password");
    other.types("MSSP-REQUEST");
    other.until("MSSP-REPLY-END\n");
    other.types("QUIT");
    assert!(other.rest().contains("*** Disconnected ***"));
}

#[test]
fn a_silent_world_says_nothing_until_it_is_spoken_to() {
    let world = World::start(Kind::Silent);
    let mut bare = TcpStream::connect(world.at()).unwrap();
    let mut bytes = [0; 64];
    assert_eq!(bare.read(&mut bytes).unwrap(), 3);
    assert_eq!(bytes[..3], negotiation(Verb::Do, LINEMODE));
    // Another one has been greeted meanwhile, and this one has still heard nothing.
    connected(&world, "Ann", Profile::telnet());
    bare.set_nonblocking(true).unwrap();
    assert!(bare.read(&mut bytes).is_err());
    let told = world.player("Ann");
    told.wait_after(0, &Told::Agreed(End::Theirs, NAWS, true));
    told.wait_after(0, &Told::Agreed(End::Theirs, TTYPE, true));
}

#[test]
fn what_is_compressed_both_ways_is_read_both_ways() {
    let world = World::plan(Kind::Diku).offering(MCCP3).start();
    let mut client = inside(&world, "Bob", Profile::tintin().letting_offer_again());
    let told = world.player("Bob");
    told.wait_after(0, &Told::Sub(MCCP3, Vec::new()));
    client.types("echo packed");
    client.until("packed\n");
    client.types("spam 2000");
    client.until("line 1 of 2000\n");
    client.until("line 2000 of 2000\n");
    world.restarts_warmly();
    client.until("The world restarts.");
}

#[test]
fn a_warm_restart_keeps_connections_and_negotiates_again() {
    let world = World::start(Kind::Mush);
    let mut client = connected(&world, "Bob", Profile::telnet().letting_offer_again());
    let told = world.player("Bob");
    let strict = connected(&world, "Ann", Profile::telnet());
    for told in [&told, &world.player("Ann")] {
        told.wait("all names of the terminal", |_| (told.terminals() == ["XTERM", "XTERM"]).then_some(()));
    }
    world.restarts_warmly();
    client.until("The world restarts.\n");
    client.types("echo still here");
    assert_eq!(client.line(), "still here");
    assert_eq!(world.count(), 2);
    assert!(strict.fault().contains("which is so already"));
    told.hears("echo still here");
}

#[test]
fn a_world_dies_and_comes_back() {
    let mut world = World::start(Kind::Mush);
    for cut in [Cut::Fin, Cut::Reset] {
        let mut client = connected(&world, "Bob", Profile::telnet());
        let mut bare = TcpStream::connect(world.at()).unwrap();
        world.connection(world.count() - 1);
        world.crashes(cut);
        assert_eq!(client.rest(), "");
        let end = bare.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
        let expected = if cut == Cut::Fin { None } else { Some(std::io::ErrorKind::ConnectionReset) };
        assert_eq!(end.err(), expected);
        assert!(TcpStream::connect(world.at()).is_err());
        world.starts();
    }
    let mut client = connected(&world, "Ann", Profile::tintin());
    world.shuts_down("GAME: Shutdown by Wizard\r\n");
    assert_eq!(client.rest(), "GAME: Shutdown by Wizard\n");
    assert!(TcpStream::connect(world.at()).is_err());
    let before = world.at();
    world.starts();
    let mut stays = connected(&world, "Bob", Profile::telnet());
    world.moves();
    assert_ne!(world.at(), before);
    assert_eq!(world.address(), world.at().to_string());
    assert!(TcpStream::connect(before).is_err());
    connected(&world, "Ann", Profile::telnet());
    stays.types("echo stays");
    stays.until("stays\n");
}

#[test]
fn a_world_starts_slowly() {
    let mut world = World::plan(Kind::Mush).asleep().make();
    assert!(TcpStream::connect(world.at()).is_err());
    world.starts();
    let mut client = StrictClient::to(world.at(), Profile::telnet());
    client.types("connect Bob secret-of-Bob");
    world.connection(0);
    assert_eq!(client.shown(), "");
    world.wakes();
    client.until("Limbo\n");
}

#[test]
fn a_world_that_hangs_hears_nothing() {
    let world = World::start(Kind::Mush);
    let mut client = connected(&world, "Bob", Profile::telnet());
    let told = world.player("Bob");
    client.types("hang");
    told.hears("hang");
    client.types("echo anybody");
    // Somebody else has his answer, and this one has none.
    connected(&world, "Ann", Profile::telnet());
    assert_eq!(told.lines().last().map(String::as_str), Some("hang"));
    world.crashes(Cut::Fin);
    assert_eq!(client.rest(), "");
}

/// What a world behind this preamble is told when somebody comes with it in two pieces.
fn behind(preamble: Preamble, header: &[u8]) -> (Connection, World) {
    let world = World::plan(Kind::Mush).behind(preamble).start();
    let mut stream = TcpStream::connect(world.at()).unwrap();
    let (first, rest) = header.split_at(header.len() / 2);
    stream.write_all(first).unwrap();
    stream.write_all(rest).unwrap();
    let mut client = StrictClient::over(stream, Profile::telnet());
    client.until("<password>");
    client.types("connect Bob secret-of-Bob");
    client.until("Limbo\n");
    let told = world.connection(0);
    assert_eq!(told.preamble(), header);
    assert_eq!(told.lines(), ["connect Bob secret-of-Bob"]);
    (told, world)
}

#[test]
fn the_real_address_is_read_in_each_way() {
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    let four = [&signature[..], b"\x21\x11\x00\x0c", &[192, 0, 2, 7, 127, 0, 0, 1, 4, 0, 8, 0]].concat();
    let six = [&signature[..], b"\x21\x21\x00\x24", &[0x20, 1, 0x0d, 0xb8], &[0; 11], &[7], &[0; 20]].concat();
    let proxy = b"PROXY TCP6 2001:db8::7 ::1 1024 2048\r\n";
    for (preamble, header, address) in [
        (Preamble::Proxy1, &proxy[..], "2001:db8::7"),
        (Preamble::Proxy2, &four, "192.0.2.7"),
        (Preamble::Proxy2, &six, "2001:db8::7"),
        (Preamble::Line, b"192.0.2.7^player.example\r\n", "192.0.2.7"),
    ] {
        let (told, _world) = behind(preamble, header);
        assert_eq!(told.real_address(), address);
    }
    let world = World::plan(Kind::Mush).behind(Preamble::Proxy1).start();
    let mut stream = TcpStream::connect(world.at()).unwrap();
    stream.write_all(b"connect Bob secret-of-Bob\r\n").unwrap();
    world.connection(0).ends();
    assert!(world.fault().is_some_and(|fault| fault.contains("it begins with")));
}

#[test]
fn a_world_at_a_path_comes_back_there() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("world");
    let mut world = World::plan(Kind::Silent).behind(Preamble::Line).at_path(&path).start();
    for number in 0..2 {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(b"192.0.2.7^player.example\nconnect Bob secret-of-Bob\n").unwrap();
        world.player_from(number, "Bob");
        assert_eq!(world.connection(number).real_address(), "192.0.2.7");
        world.crashes(Cut::Reset);
        assert!(UnixStream::connect(&path).is_err());
        world.starts();
    }
    assert_eq!(world.address(), path.display().to_string());
}

#[test]
fn a_strict_client_catches_what_no_client_should_get() {
    let cases: [(&[u8], Profile, &str); 8] = [
        (b"zo\xeb.", Profile::telnet(), "is not UTF-8"),
        (b"zo\xc3\xab", Profile::telnet().reading(Letters::Ascii), "ASCII"),
        (b"\x1b[1mbold", Profile::screen_reader(), "text alone"),
        (b"bare\nline", Profile::telnet(), "a stray"),
        (&[IAC, 249], Profile::telnet(), "no place here"),
        (&[IAC, 7], Profile::telnet(), "is no command"),
        (&[IAC, 250, GMCP, IAC, 240], Profile::telnet(), "not agreed on"),
        (&[IAC, 252, ECHO], Profile::telnet(), "which is so already"),
    ];
    for (bytes, profile, fault) in cases {
        let world = World::start(Kind::Mush);
        let client = connected(&world, "Bob", profile);
        let told = world.player("Bob");
        told.wait_after(0, &Told::Agreed(End::Ours, SGA, true));
        world.sends(&told, bytes);
        let found = client.fault();
        assert!(found.contains(fault), "{bytes:?}: {found}");
    }
    let world = World::start(Kind::Mush);
    assert!(StrictClient::to(world.at(), Profile::none()).fault().contains("telnet for one"));
    // What it may get: letters of its own, and a sign of life.
    let mut client = connected(&world, "Ann", Profile::telnet().reading(Letters::Latin1));
    let told = world.player("Ann");
    world.says(&told, b"na\xefve \xff\r\n");
    world.sends(&told, &[IAC, NOP]);
    world.hides(&told, true);
    assert_eq!(client.line(), "naïve ÿ");
    client.agreed(End::Theirs, ECHO, true);
}

#[test]
fn a_world_catches_what_no_client_says() {
    for (bytes, fault) in [
        (&[IAC, 7][..], "is no command"),
        (&[IAC, 252, MXP], "which is so already"),
        (&[IAC, 250, GMCP, IAC, 240], "not agreed on"),
    ] {
        let world = World::start(Kind::Mush);
        let mut client = connected(&world, "Bob", Profile::telnet());
        let told = world.player("Bob");
        // It has answered all that was offered.
        told.wait_after(0, &Told::Agreed(End::Theirs, NAWS, true));
        told.wait_after(0, &Told::Agreed(End::Theirs, CHARSET, false));
        client.sends_raw(bytes);
        told.ends();
        let found = world.fault();
        assert!(found.as_ref().is_some_and(|found| found.contains(fault)), "{bytes:?}: {found:?}");
    }
}

#[test]
fn a_command_of_telnet_is_noted_and_bytes_are_doubled() {
    let world = World::start(Kind::Mush);
    let mut client = connected(&world, "Bob", Profile::telnet());
    let told = world.player("Bob");
    client.sends_raw(&[IAC, NOP]);
    told.wait_after(0, &Told::Command(NOP));
    client.sends(b"echo \xff\r\n");
    told.wait_after(0, &Told::Line(b"echo \xff".to_vec()));
    // It is one byte again on the way back, which is no UTF-8.
    assert!(client.fault().contains("is not UTF-8"));
}

#[test]
fn tinymux_is_played_restarted_shut_down_and_killed() {
    let Some(mut mux) = TinyMux::start() else { return };
    mux.has(&["Bob", "Ann"]);
    let mut bob = mux.player("Bob", "secret-of-Bob");
    for profile in [Profile::tintin(), Profile::tf5(), Profile::screen_reader()] {
        let mut client = StrictClient::to(mux.at(), profile);
        client.until("create <name> <password>");
        client.types("connect Ann wrong");
        client.until("Either that player does not exist, or has a different password.\n");
        client.types("connect Ann secret-of-Ann");
        client.until("MAIL: ");
        client.types("think zoë");
        client.until("zoë\n");
    }
    mux.restarts();
    bob.types("think still here");
    bob.until("still here\n");
    mux.shuts_down();
    assert!(bob.rest().contains("*** TinyMUX Disconnected ***"));
    assert!(TcpStream::connect(mux.at()).is_err());
    mux.starts();
    let mut bob = mux.player("Bob", "secret-of-Bob");
    mux.is_killed();
    bob.rest();
    mux.moves();
    mux.starts();
    mux.player("Bob", "secret-of-Bob");
}
