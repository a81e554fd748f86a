//! Worlds as they were recorded: what they say is taken the same however it is cut, and answered as it was.

use crate::program::Program;
use crate::recording::{all_of, negotiated, recording};
use crate::talk::Talk;
use crate::words::Said;
use ssmglobal_telnet::Terms;

fn sorted(bytes: &[u8]) -> Vec<Said> {
    let mut all = negotiated(bytes);
    all.sort_unstable();
    all
}

/// The world has said all of this in two reads, or in many.
fn told(name: &str, charsets: &[&str], cut: Option<usize>) -> (Talk, Vec<u8>) {
    let says = all_of(&recording(name), false);
    let mut talk = Talk::with(Program::recorded(), if cut.is_some() { usize::MAX } else { 1 }, false);
    let charsets = charsets.iter().map(|name| (*name).into()).collect();
    talk.connect_with(Terms { charsets, mssp: true, ..Terms::default() });
    let (one, other) = says.split_at(cut.unwrap_or(0));
    let mut heard = talk.world_says(one);
    heard.extend(talk.world_says(other));
    (talk, heard)
}

#[track_caller]
fn is(name: &str, charsets: &[&str], what_is_told: &[&str], state: impl Fn(&Talk)) {
    let reads = recording(name);
    let was_heard = sorted(&all_of(&reads, true));
    let length = all_of(&reads, false).len();
    for cut in std::iter::once(None).chain((1..length).map(Some)) {
        let (mut talk, heard) = told(name, charsets, cut);
        assert_eq!(sorted(&heard), was_heard, "{name}, cut {cut:?}: {}", crate::words::words(&heard));
        assert_eq!(talk.told(), what_is_told, "{name}, cut {cut:?}");
        assert!(!talk.is_waiting() && talk.bridge.world_offers());
        state(&talk);
    }
}

#[test]
fn tinymux() {
    is("tinymux", &["UTF-8", "ISO-8859-1", "US-ASCII"], &["Charset"], |talk| {
        assert_eq!(talk.bridge.charset(), Some("UTF-8"));
        assert!(["SGA", "EOR"].iter().all(|name| talk.player_has(name)));
    });
}

#[test]
fn evennia() {
    is("evennia", &["UTF-8", "ISO-8859-1", "US-ASCII"], &["Mssp"], |talk| {
        assert_eq!(talk.bridge.charset(), None);
        assert!(talk.player_has("SGA") && !talk.player_has("GMCP"));
    });
}

#[test]
fn tbamud() {
    is("tbamud", &["US-ASCII"], &["Mssp", "HideInput(true)", "HideInput(false)"], |talk| {
        assert_eq!(talk.bridge.charset(), None);
        assert!(!talk.player_has("MXP") && !talk.player_has("ECHO"));
    });
}
