//! Clients that people use, as they were recorded at our door: what they say is read the same however it is cut, ends in the same
//! state, and is answered as it was.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails its test")]

#[path = "conversation/recording.rs"]
mod recording;
#[path = "conversation/words.rs"]
#[allow(dead_code, reason = "others write conversations in words")]
mod words;

use recording::{Read, all_of, negotiated, recording};
use ssmglobal_telnet::Agreed::{self, Unknown, Yes};
use ssmglobal_telnet::{Party, Role, Standing, Telnet};
use words::{Said, option};

const WILL: u8 = 251;
const DO: u8 = 253;

/// Where what the client says is cut.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// As it was.
    Nowhere,
    /// Once more, behind so many bytes.
    At(usize),
    /// Behind each byte.
    Everywhere,
}

fn pieces(bytes: &[u8], from: usize, cut: Cut) -> Vec<&[u8]> {
    match cut {
        Cut::At(at) if at > from && at < from + bytes.len() => {
            let (one, other) = bytes.split_at(at - from);
            vec![one, other]
        }
        Cut::Everywhere => bytes.chunks(1).collect(),
        _ => vec![bytes],
    }
}

/// Our machine at the door, and what its owner lets it say where he had said it: offers, and that what is typed is hidden.
fn replayed(reads: &[Read], cut: Cut) -> (Telnet, Vec<u8>) {
    let (mut telnet, mut out, mut heard) = (Telnet::new(Role::Server), Vec::new(), 0);
    telnet.set_offering(true);
    telnet.set_telling(true);
    for read in reads {
        if read.by_client {
            for mut piece in pieces(&read.bytes, heard, cut) {
                while telnet.next(&mut piece, &mut out).is_some() {}
            }
            heard += read.bytes.len();
            continue;
        }
        for said in negotiated(&read.bytes) {
            match said {
                Said::Verb(DO, 31) => telnet.offer(&mut out),
                Said::Verb(verb @ (251 | 252), 1) => telnet.hide_input(verb == WILL, &mut out),
                _ => {}
            }
        }
    }
    (telnet, out)
}

/// The options that a party performs.
fn performs(telnet: &Telnet, party: Party) -> Vec<u8> {
    (0..=255).filter(|option| telnet.standing(party, *option) == Standing::On).collect()
}

/// What is known of a client in the end.
struct Known {
    /// What we perform, what it performs.
    ours: &'static [&'static str],
    theirs: &'static [&'static str],
    size: (u16, u16),
    client: Option<&'static str>,
    name: Option<&'static str>,
    mtts: Option<u32>,
    utf8: Agreed,
}

const PLAIN: Known = Known {
    ours: &[],
    theirs: &["TTYPE", "NAWS"],
    size: (100, 30),
    client: None,
    name: None,
    mtts: None,
    utf8: Unknown,
};

#[track_caller]
fn is(name: &str, known: &Known) {
    let reads = recording(name);
    let (heard, was_said) = (all_of(&reads, true), negotiated(&all_of(&reads, false)));
    let cuts = [Cut::Nowhere, Cut::Everywhere].into_iter().chain((1..heard.len()).map(Cut::At));
    for cut in cuts {
        let (telnet, said) = replayed(&reads, cut);
        assert_eq!(negotiated(&said), was_said, "{name}, cut {cut:?}: {}", words::words(&said));
        let numbers = |names: &[&str]| names.iter().map(|name| option(name)).collect::<Vec<u8>>();
        assert_eq!(performs(&telnet, Party::Us), numbers(known.ours), "{name}, cut {cut:?}");
        assert_eq!(performs(&telnet, Party::Them), numbers(known.theirs), "{name}, cut {cut:?}");
        let terminal = telnet.terminal();
        assert_eq!((terminal.width(), terminal.height()), (Some(known.size.0), Some(known.size.1)), "{name}");
        let facts = (terminal.client(), terminal.name(), terminal.mtts(), terminal.utf8());
        assert_eq!(facts, (known.client, known.name, known.mtts, known.utf8), "{name}, cut {cut:?}");
        assert!(telnet.is_quiet() && telnet.speaks_telnet());
    }
}

#[test]
fn tintin() {
    let facts = Known { client: Some("TINTIN++"), name: Some("xterm"), mtts: Some(271), utf8: Yes, ..PLAIN };
    is("tintin", &Known { ours: &["EOR", "CHARSET"], ..facts });
}

#[test]
fn tinyfugue() {
    // Of its screen the world has what its own lines leave.
    let facts = Known { size: (99, 26), name: Some("TINYFUGUE"), ..PLAIN };
    is("tinyfugue", &Known { ours: &["BINARY", "EOR"], theirs: &["BINARY", "TTYPE", "NAWS"], ..facts });
}

#[test]
fn kbtin() {
    let facts = Known { size: (100, 29), ..PLAIN };
    is("kbtin", &Known { ours: &["EOR"], name: Some("KBtin"), ..facts });
}

#[test]
fn inetutils() {
    let facts = Known { name: Some("XTERM"), ..PLAIN };
    is("inetutils", &Known { ours: &["BINARY"], theirs: &["BINARY", "TTYPE", "NAWS"], ..facts });
}

#[test]
fn busybox() {
    is("busybox", &Known { size: (80, 24), name: Some("xterm"), ..PLAIN });
}

#[test]
fn putty() {
    let facts = Known { name: Some("XTERM"), ..PLAIN };
    is("plink", &Known { ours: &["BINARY", "SGA"], theirs: &["BINARY", "SGA", "TTYPE", "NAWS"], ..facts });
}

#[test]
fn telnetlib3() {
    let facts = Known { name: Some("xterm"), utf8: Yes, ..PLAIN };
    is("telnetlib3", &Known { ours: &["BINARY", "EOR", "CHARSET"], theirs: &["BINARY", "TTYPE", "NAWS"], ..facts });
}
