//! Our server and our client talk to each other: they agree, tell each other all there is, and fall silent.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use ssmglobal_telnet::{Agreed, Event, Presented, Role, Telnet};

/// One end, what is on its way to it, and what it has heard.
struct End {
    telnet: Telnet,
    coming: Vec<u8>,
    text: Vec<u8>,
    prompts: usize,
}

impl End {
    fn new(role: Role) -> Self {
        Self { telnet: Telnet::new(role), coming: Vec::new(), text: Vec::new(), prompts: 0 }
    }

    /// Reads up to so many bytes. What it answers goes to `other`.
    fn read(&mut self, bytes: usize, other: &mut End) {
        let read: Vec<u8> = self.coming.drain(..bytes.min(self.coming.len())).collect();
        let mut input = read.as_slice();
        while let Some(event) = self.telnet.next(&mut input, &mut other.coming) {
            match event {
                Event::Data(data) => self.text.extend_from_slice(data),
                Event::PromptEnd => self.prompts += 1,
                Event::Terminal | Event::HideInput(_) => {}
                _ => panic!("{event:?}"),
            }
        }
    }

    /// Says a text.
    fn say(&self, text: &[u8], other: &mut End) {
        let from = other.coming.len();
        other.coming.extend_from_slice(text);
        self.telnet.seal(&mut other.coming, from);
    }
}

#[derive(Clone, Debug)]
enum Step {
    ServerReads(usize),
    ClientReads(usize),
    ServerOffers,
    ServerHides(bool),
    ServerSays(Vec<u8>),
    ClientSays(Vec<u8>),
    ClientIsResized(u16, u16),
}

fn step() -> impl Strategy<Value = Step> {
    let text = |letters: &'static [u8]| vec(prop::sample::select(letters), 0..8);
    prop_oneof![
        4 => (1_usize..20).prop_map(Step::ServerReads),
        4 => (1_usize..20).prop_map(Step::ClientReads),
        1 => Just(Step::ServerOffers),
        1 => any::<bool>().prop_map(Step::ServerHides),
        1 => text(b"abc \n").prop_map(Step::ServerSays),
        1 => text(b"abc\xff \n").prop_map(Step::ClientSays),
        1 => (size(), size()).prop_map(|(width, height)| Step::ClientIsResized(width, height)),
    ]
}

/// Lengths of a window that a server takes as they are, with those among them that telnet or a line end could be taken for.
fn size() -> impl Strategy<Value = u16> {
    prop_oneof![20_u16..=500, prop::sample::select(vec![240_u16, 250, 255, 256 + 10, 256 + 13, 256 + 240])]
}

fn presented() -> impl Strategy<Value = Presented> {
    (size(), size(), "C-[A-Z+]{1,30}", "T-[A-Z0-9]{1,30}", any::<u32>(), any::<bool>()).prop_map(
        |(width, height, client, name, mtts, utf8)| Presented {
            width: Some(width),
            height: Some(height),
            client: Some(client.into()),
            name: Some(name.into()),
            mtts: Some(mtts),
            utf8,
            ..Presented::default()
        },
    )
}

/// A connection from both its ends, and what is to come of it.
struct Talk {
    server: End,
    client: End,
    presented: Presented,
    hidden: bool,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
}

impl Talk {
    fn new(presented: Presented) -> Self {
        let (mut server, mut client) = (End::new(Role::Server), End::new(Role::Client));
        client.telnet.present(presented.clone(), &mut server.coming);
        Self { server, client, presented, hidden: false, to_server: Vec::new(), to_client: Vec::new() }
    }

    fn step(&mut self, step: &Step) {
        let (server, client) = (&mut self.server, &mut self.client);
        match step {
            Step::ServerReads(bytes) => server.read(*bytes, client),
            Step::ClientReads(bytes) => client.read(*bytes, server),
            Step::ServerOffers => server.telnet.offer(&mut client.coming),
            Step::ServerHides(hidden) => {
                self.hidden = *hidden;
                server.telnet.hide_input(*hidden, &mut client.coming);
            }
            Step::ServerSays(text) => {
                server.say(text, client);
                self.to_client.extend_from_slice(text);
            }
            Step::ClientSays(text) => {
                client.say(text, server);
                self.to_server.extend_from_slice(text);
            }
            Step::ClientIsResized(width, height) => {
                (self.presented.width, self.presented.height) = (Some(*width), Some(*height));
                client.telnet.present(self.presented.clone(), &mut server.coming);
            }
        }
    }

    /// Lets both read, in these portions, until nothing is under way. Returns how many bytes that took, at most `bound`.
    fn settle(&mut self, portions: &[usize], bound: usize) -> usize {
        let (server, client, mut read) = (&mut self.server, &mut self.client, 0);
        server.telnet.offer(&mut client.coming);
        for portion in portions.iter().cycle() {
            if read > bound || (server.coming.is_empty() && client.coming.is_empty()) {
                break;
            }
            read += portion.min(&client.coming.len());
            client.read(*portion, server);
            read += portion.min(&server.coming.len());
            server.read(*portion, client);
        }
        read
    }
}

/// How every option stands, as the server has it and as the client has it.
fn options(server: &Telnet, client: &Telnet) -> Vec<(&'static str, bool, bool)> {
    const OPTIONS: [(&str, &str, &str); 10] = [
        ("BINARY of the server", "/our_binary", "/their_binary"),
        ("BINARY of the client", "/their_binary", "/our_binary"),
        ("SGA of the server", "/our_sga", "/their_sga"),
        ("SGA of the client", "/their_sga", "/our_sga"),
        ("CHARSET of the server", "/charset/ours", "/charset/theirs"),
        ("CHARSET of the client", "/charset/theirs", "/charset/ours"),
        ("EOR", "/end/Server/our_eor", "/end/Client/their_eor"),
        ("NAWS", "/end/Server/their_naws", "/end/Client/our_naws"),
        ("TTYPE", "/end/Server/their_ttype", "/end/Client/our_ttype"),
        ("ECHO", "/end/Server/echo/announced", "/end/Client/their_echo"),
    ];
    let [server, client] = [server, client].map(|end| serde_json::to_value(end).unwrap());
    let is_on = |state: &Value, path: &str| match state.pointer(path).expect(path) {
        Value::Bool(told) => *told,
        // Nobody waits for an answer any more.
        side => match side.pointer("/q").and_then(Value::as_str) {
            Some("Yes") => true,
            Some("No") => false,
            other => panic!("{path} is {other:?}"),
        },
    };
    OPTIONS.map(|(name, there, here)| (name, is_on(&server, there), is_on(&client, here))).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn our_server_and_our_client_agree_and_fall_silent(
        presented in presented(),
        steps in vec(step(), 0..40),
        portions in vec(1_usize..40, 1..10),
    ) {
        let mut talk = Talk::new(presented);
        steps.iter().for_each(|step| talk.step(step));
        // An opening with everything in it has less than 320 bytes; a step is a text, a size or three bytes and their answer.
        let bound = 320 + 20 * steps.len();
        let read = talk.settle(&portions, bound);
        prop_assert!(read <= bound, "no end");

        let Talk { server, client, presented, hidden, to_server, to_client } = talk;
        prop_assert_eq!((server.text, client.text), (to_server, to_client), "what was said has arrived");
        let terminal = server.telnet.terminal();
        prop_assert_eq!((terminal.width(), terminal.height()), (presented.width, presented.height));
        prop_assert_eq!(terminal.client(), presented.client.as_deref());
        prop_assert_eq!(terminal.name(), presented.name.as_deref());
        prop_assert_eq!(terminal.mtts(), presented.mtts);
        let utf8 = if presented.utf8 { Agreed::Yes } else { Agreed::No };
        prop_assert_eq!((terminal.utf8(), client.telnet.terminal().utf8()), (utf8, utf8));
        prop_assert_eq!(client.telnet.hides_input(), hidden);
        prop_assert!(server.telnet.is_quiet() && client.telnet.is_quiet());
        for (option, there, here) in options(&server.telnet, &client.telnet) {
            let expected = match option {
                "ECHO" => hidden,
                "BINARY of the server" | "BINARY of the client" => true,
                "EOR" | "NAWS" | "TTYPE" | "CHARSET of the server" => true,
                // Nobody has asked for those.
                _ => false,
            };
            prop_assert_eq!((there, here), (expected, expected), "{}", option);
        }
    }

    /// Whoever they are: two of one role too.
    #[test]
    fn any_two_ends_fall_silent(roles in prop::array::uniform2(prop::sample::select(vec![Role::Server, Role::Client])),
                                steps in vec(step(), 0..40), portions in vec(1_usize..40, 1..10)) {
        let mut talk = Talk::new(Presented::default());
        (talk.server, talk.client) = (End::new(roles[0]), End::new(roles[1]));
        talk.client.telnet.offer(&mut talk.server.coming);
        steps.iter().for_each(|step| talk.step(step));
        let bound = 400 + 20 * steps.len();
        prop_assert!(talk.settle(&portions, bound) <= bound, "no end");
    }
}

#[test]
fn a_prompt_of_our_server_is_one_to_our_client() {
    let mut talk = Talk::new(Presented::default());
    talk.settle(&[100], 1000);
    talk.step(&Step::ServerSays(b"Your name? ".to_vec()));
    talk.server.telnet.prompt_end(&mut talk.client.coming);
    talk.settle(&[100], 1000);
    assert_eq!((talk.client.text, talk.client.prompts), (b"Your name? ".to_vec(), 1));
}
