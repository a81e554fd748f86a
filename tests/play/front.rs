//! A world that listens before it is there: something stands in front of it that offers telnet, and loses what it hears till then.

use super::played_with;
use crate::harness::worlds::{Cut, Kind};
use crate::harness::{PATIENCE, Wire};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Reads until this has come; gives all of it.
fn reads_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while !all.windows(end.len()).any(|part| part == end) {
        let mut buffer = [0; 512];
        let count = stream.read(&mut buffer).expect("it comes in time");
        assert_ne!(count, 0, "it ends behind {all:?}");
        all.extend_from_slice(&buffer[..count]);
    }
    all
}

#[test]
fn a_login_is_said_when_the_game_is_there_and_not_when_what_is_in_front_of_it_is() {
    let played = played_with(Kind::Evennia, "", "");
    // He answers no telnet.
    let mut bob = Wire::to(played.door);
    bob.until("<password>");
    bob.send("connect bob secret-of-bob\r\n");
    bob.until("Limbo\r\n");
    let at = played.world.address();
    played.world.crashes(Cut::Reset);
    bob.until("zoo is down.");
    let front = TcpListener::bind(&at).expect("its address");
    let (mut stream, _) = front.accept().expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    // What he makes of that is known, and answered, when he has said nothing for a second.
    stream.write_all(b"\xff\xfb\xc9").expect("it is read");
    assert_eq!(reads_until(&mut stream, b"\xff\xfe\xc9"), b"\xff\xfe\xc9");
    // It makes him wait, as Evennia's Portal does who is one too many in a second: that is no word of the game either.
    stream
        .write_all(b"zoo DoS protection is active.You are queued to connect ...\r\n\xff\xfb\x5b")
        .expect("it is read");
    assert_eq!(reads_until(&mut stream, b"\xff\xfe\x5b"), b"\xff\xfe\x5b");
    stream.write_all(b" ... Server restarted.\r\n").expect("it is read");
    assert_eq!(reads_until(&mut stream, b"\n"), b"connect bob secret-of-bob\r\n");
    stream.write_all(b"You become bob.\r\nLimbo\r\n").expect("it is read");
    bob.until("you are in it as before.");
    bob.until("Limbo\r\n");
}
