//! Writes down what real programs say to us and we to them, for the tests of telnet (`worker/telnet/tests/recorded`): left out unless
//! asked for by name. It needs the programs on the path; words that are neither ours nor typed by us become x.
//!
//! `cargo test --test tests -- --ignored recorded`

use crate::harness::worlds::{Circle, Evennia, Profile, StrictClient, TinyMux};
use crate::harness::{Backend, Client, Recorder, Side, run};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

const SIZE: &[u8] = b"\xff\xfa\x1f";

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("worker/telnet/tests/recorded/{name}.txt"))
}

/// The version of the package that a program comes from, as far as that is one of Debian's.
fn package(name: &str) -> String {
    let said = run(Command::new("dpkg-query").args(["-W", "-f", "${Package} ${Version}", name]), b"");
    if said.code == 0 { said.out } else { name.to_owned() }
}

/// Logs in, has its window made another size, and leaves.
fn plays_as(program: &'static str, name: &str, what: &str) {
    let plan = Backend::plan();
    // What is compressed could not be read here.
    let config =
        format!("limits.telnet_compression = false\n[[door]]\naddress = \"{}:0\"\nmode = \"human\"\n", plan.address());
    let backend = plan.config(&config).start();
    backend.player("alice");
    let recorder = Recorder::before(backend.doors()[1]);
    let Some(mut client) = Client::at(program, recorder.at()) else { return };
    client.sees("Welcome");
    client.types("LOGIN alice");
    client.sees("Password: ");
    client.types("secret-of-alice");
    client.sees("Logged in as alice.");
    client.types("HW");
    client.sees("Hello, world!");
    let sizes = |said: &[u8]| said.windows(SIZE.len()).filter(|part| *part == SIZE).count();
    if program != "busybox" {
        client.terminal.resizes(100, 30);
        recorder.wait(Side::Client, "two sizes", |said| sizes(said) > 1);
    }
    client.types("QUIT");
    recorder.writes(&file(name), what, &[Side::Client, Side::Server]);
}

#[test]
#[ignore = "writes files"]
fn recorded_clients() {
    for (program, name, from) in [
        ("tt++", "tintin", "tintin++"),
        ("tf5", "tinyfugue", "tf"),
        ("KBtin", "kbtin", "kbtin"),
        ("telnet", "inetutils", "inetutils-telnet"),
        ("busybox", "busybox", "busybox"),
        ("plink", "plink", "putty-tools"),
        ("telnetlib3-client", "telnetlib3", "telnetlib3"),
    ] {
        plays_as(program, name, &format!("{}, TERM=xterm, 80x24, then 100x30", package(from)));
    }
}

/// A client that is played to a world through a recorder.
fn through(at: SocketAddr, kind: &str) -> (Backend, Recorder, StrictClient) {
    let recorder = Recorder::before(at);
    let plan = Backend::plan();
    let config = format!(
        "[world.zoo]\nplay = [\"{}\"]\nkind = \"{kind}\"\n[[door]]\naddress = \"{}:4201\"\nworld = \"zoo\"\n",
        recorder.at(),
        plan.address()
    );
    let backend = plan.config(&config).start();
    let client = StrictClient::to(backend.doors()[1], Profile::tintin().sized(100, 40).letting_offer_again());
    (backend, recorder, client)
}

fn follows(client: &mut StrictClient, script: &[(&str, &str)]) {
    for (seen, types) in script {
        client.until(seen);
        client.types(types);
    }
    client.rest();
}

#[test]
#[ignore = "writes files"]
fn recorded_tinymux() {
    let Some(mux) = TinyMux::start() else { return };
    mux.has(&["Bob"]);
    let (_backend, recorder, mut client) = through(mux.at(), "tinymux");
    follows(&mut client, &[("connect", "connect Bob secret-of-Bob"), ("Limbo", "say hello"), ("hello", "QUIT")]);
    recorder.writes(&file("tinymux"), &package("tinymux"), &[Side::Client]);
}

#[test]
#[ignore = "writes files"]
fn recorded_evennia() {
    let Some(evennia) = Evennia::start() else { return };
    evennia.has(&["Bob"]);
    let (_backend, recorder, mut client) = through(evennia.at(), "evennia");
    follows(&mut client, &[("re-show", "connect Bob secret-of-Bob"), ("become", "say hello"), ("You say", "quit")]);
    recorder.writes(&file("evennia"), &evennia.version(), &[Side::Client]);
}

#[test]
#[ignore = "writes files"]
fn recorded_tbamud() {
    let Some(circle) = Circle::start() else { return };
    circle.has(&["God", "Bob"]);
    let (_backend, recorder, mut client) = through(circle.at(), "diku");
    let (name, password) = (("known? ", "Bob"), ("Password: ", "of-Bob"));
    let inside = [("RETURN: ", ""), ("choice: ", "1"), ("> ", "say hello"), ("You say", "quit"), ("choice: ", "0")];
    follows(&mut client, &[&[name, password][..], &inside].concat());
    recorder.writes(&file("tbamud"), "tbaMUD", &[Side::Client]);
}
