//! What a worker leaves to one of another program that goes on with its client, and how the two settle whose the client is.
//!
//! The old one, when it is idle, sends the listener its client's socket, this state in sealed memory, one end of a socket
//! pair between the two, and its link if it has one. The new one says over the pair that it [could](COULD), the old one that
//! the client [is the other's](YOURS) from then on, which is its last act, or that it [keeps](MINE) it. Until then the new
//! one neither reads from the client nor writes to it. An old one that ends without a word has died: nobody else is left.
//!
//! A state is a sequence of control frames with one [`Item`] each, the first of which is [`Item::Format`]. Items are only ever
//! appended, since it is mostly an older program that has written them. One gains a field as all messages do (see
//! [`ssmglobal_ipc::growing`]): [`Since`] is what [`Item::Manners`] has gained.

use serde::{Deserialize, Serialize};
use ssmglobal_ipc::frame::{Frame, FrameReader, put_control, put_control_with};
use ssmglobal_ipc::{DecodeError, Mode, State, Subscription, Ticket};
use ssmglobal_sys::sealed::{read_sealed, sealed};
use ssmglobal_telnet::Telnet;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// Raised when a state changes in a way that appending an item cannot express.
const FORMAT: u32 = 2;

/// The longest state that is read, bytes.
const MOST: usize = 1 << 20;

/// The new one could go on.
pub const COULD: u8 = b'C';

/// The client is the new one's.
pub const YOURS: u8 = b'Y';

/// The old one keeps the client.
pub const MINE: u8 = b'M';

/// What the listener passes on without a look at it.
#[derive(Debug)]
pub struct Moved {
    /// The state.
    pub memory: OwnedFd,
    /// The way to the old worker.
    pub other: OwnedFd,
    /// Its link to the handler, which goes on with the new one.
    pub link: Option<OwnedFd>,
}

impl Moved {
    /// The descriptors; -1 for one that is not there.
    pub fn descriptors(&self) -> [RawFd; 3] {
        let link = self.link.as_ref().map_or(-1, AsRawFd::as_raw_fd);
        [self.memory.as_raw_fd(), self.other.as_raw_fd(), link]
    }
}

/// One thing that the new worker has to know.
#[derive(Debug, Serialize, Deserialize)]
pub enum Item<Machine = Box<Telnet>> {
    /// What wrote this.
    Format {
        /// [`FORMAT`] there.
        format: u32,
    },
    /// Who the client is.
    Session {
        /// The session's number.
        session: u64,
        /// How the client speaks.
        mode: Mode,
        /// How it speaks as far as the handler knows.
        mode_there: Mode,
        /// What it is.
        state: State,
        /// Its name.
        who: String,
    },
    /// Where the conversation with the handler is.
    Numbers {
        /// The number of the next request.
        next: u64,
        /// The number of the last push.
        heard: u64,
    },
    /// Proves the session to the next handler.
    Ticket(Ticket),
    /// Something that the client listens to, and how far it has heard.
    Subscription(Subscription),
    /// Since when the client has said no line, and since when it has shown no life and was not asked to; milliseconds.
    Silence(u64, u64),
    /// What else there is to it.
    Manners {
        /// A CR has ended the last line: what follows may belong to it.
        after_return: bool,
        /// The last thing that went out is a prompt.
        prompted: bool,
        /// Logins that have failed on this connection.
        failures: u32,
        /// Stands in a block behind the others.
        #[serde(skip)]
        since: Since,
    },
    /// Telnet, where it was spoken.
    Telnet(Machine),
    /// What the client began with, at a door with a mode, where it has said no line yet.
    Beginning(Vec<u8>),
}

/// What [`Item::Manners`] has gained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The client has said STAY.
    pub stays: bool,
    /// How long ago it was told that its silence is about to end the connection, milliseconds.
    pub told: Option<u64>,
}

/// Appends an item.
pub fn put<Machine: Serialize>(out: &mut Vec<u8>, item: &Item<Machine>) {
    match item {
        Item::Manners { since, .. } => put_control_with(out, item, since),
        _ => put_control(out, item),
    }
}

fn item(frame: &Frame<'_>) -> Result<Item, DecodeError> {
    let mut item = frame.control()?;
    if let Item::Manners { since, .. } = &mut item {
        (_, *since) = frame.control_with::<Item, Since>()?;
    }
    Ok(item)
}

/// Puts a state away.
///
/// # Errors
/// The kernel's, without a free descriptor or memory; one that is too long to be read.
pub fn put_away(items: &[Item<&Telnet>]) -> io::Result<OwnedFd> {
    let mut bytes = Vec::new();
    put(&mut bytes, &Item::<&Telnet>::Format { format: FORMAT });
    items.iter().for_each(|item| put(&mut bytes, item));
    if bytes.len() > MOST {
        return Err(wrong("it is too long"));
    }
    sealed("session", &bytes)
}

/// Reads a state.
///
/// # Errors
/// `InvalidData` for one that this program does not know, that could still be changed, or is no state at all.
pub fn read(memory: impl AsFd) -> io::Result<Vec<Item>> {
    items(&read_sealed(memory, MOST)?)
}

/// What is in a state.
///
/// # Errors
/// As of [`read`].
pub fn items(bytes: &[u8]) -> io::Result<Vec<Item>> {
    let (mut reader, mut items, mut known, mut left) = (FrameReader::new(), Vec::new(), false, bytes);
    while !left.is_empty() {
        reader.fill(|buffer| io::Read::read(&mut left, buffer))?;
        while let Some(frame) = reader.next_frame().map_err(|_| wrong("it is damaged"))? {
            match item(&frame).map_err(|_| wrong("it is damaged"))? {
                Item::Format { format } if format == FORMAT => known = true,
                Item::Format { .. } => return Err(wrong("it is of another format")),
                item if known => items.push(item),
                _ => return Err(wrong("it begins with something else")),
            }
        }
    }
    if reader.rest().is_empty() { Ok(items) } else { Err(wrong("it is not whole")) }
}

/// What is wrong with a state.
pub fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_ipc::frame::HEADER;
    use ssmglobal_ipc::{Position, Topic, growing};
    use ssmglobal_telnet::Agreed;

    /// All items, as the first program that had them wrote them.
    const RECORDED: &str = "0200000002040000000000000000000000020b00000002040000000000000000000001ac02010002045a6f\
        c3ab030000000204000000000000000000000207050500000002040000000000000000000003030102ff0900000002040000\
        00000000000000000400047261636500000b0000000204000000000000000000000401056c6f626279039003060000000204\
        0000000000000000000005c8dc03f40304000000020400000000000000000000060101023b00000002040000000000000000\
        00000704071800787465726d0001010000000000000002000001000000000002000002000000000000000000000000000101\
        0000000164012800000000";

    fn board(name: String) -> Subscription {
        Subscription { topic: Topic::Board(name), cursor: Position::default() }
    }

    fn all(telnet: &Telnet) -> Vec<Item<&Telnet>> {
        vec![
            Item::Session {
                session: 300,
                mode: Mode::Human,
                mode_there: Mode::Ask,
                state: State::Player,
                who: "Zoë".into(),
            },
            Item::Numbers { next: 7, heard: 5 },
            Item::Ticket(Ticket::new(vec![1, 2, 255])),
            Item::Subscription(board("race".into())),
            Item::Subscription(Subscription {
                topic: Topic::Channel("lobby".into()),
                cursor: Position { epoch: 3, number: 400 },
            }),
            Item::Silence(61_000, 500),
            Item::Manners { after_return: true, prompted: true, failures: 2, since: Since::default() },
            Item::Telnet(telnet),
        ]
    }

    /// One with whom everything was agreed, in the middle of a subnegotiation.
    fn telnet() -> Telnet {
        let (mut telnet, mut out) = (Telnet::new(), Vec::new());
        telnet.offer(&mut out);
        let mut said: &[u8] =
            b"\xff\xfb\x1f\xff\xfa\x1f\x00\x64\x00\x28\xff\xf0\xff\xfd\x19\xff\xfb\x18\xff\xfa\x18\x00xterm";
        while telnet.next(&mut said, &mut out).is_some() {}
        telnet
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_state_is_read_as_it_was_written_by_any_program_before() {
        let telnet = telnet();
        let memory = put_away(&all(&telnet)).unwrap();
        let bytes = read_sealed(&memory, MOST).unwrap();
        assert_eq!(hex(&bytes), RECORDED, "items are only ever appended");
        let read = read(memory).unwrap();
        let Some(Item::Telnet(machine)) = read.last() else { panic!("{read:?}") };
        assert_eq!(machine.terminal().width(), Some(100));
        let again: Vec<u8> = read.iter().fold(Vec::new(), |mut bytes, item| {
            put(&mut bytes, item);
            bytes
        });
        assert!(bytes.ends_with(&again));
    }

    /// What was added since: a client that takes no UTF-8, and one that has said nothing yet.
    const RECORDED_SINCE: &str = "020000000204000000000000000000000002340000000204000000000000000000000700022a03000101000000\
        000000000100000200000000000100000100000000000000000000000000000000020000000000000204000000\
        02040000000000000000000008020d0a";

    #[test]
    fn what_was_added_to_a_state_is_read_as_it_was_written() {
        let (mut telnet, mut out) = (Telnet::new(), Vec::new());
        telnet.offer(&mut out);
        let mut said: &[u8] = b"\xff\xfd\x2a\xff\xfa\x2a\x03\xff\xf0";
        while telnet.next(&mut said, &mut out).is_some() {}
        let memory = put_away(&[Item::Telnet(&telnet), Item::Beginning(b"\r\n".to_vec())]).unwrap();
        assert_eq!(hex(&read_sealed(&memory, MOST).unwrap()), RECORDED_SINCE, "items are only ever appended");
        let read = read(memory).unwrap();
        let [Item::Telnet(machine), Item::Beginning(seen)] = &read[..] else { panic!("{read:?}") };
        assert_eq!(machine.terminal().utf8(), Agreed::No);
        assert_eq!(seen, b"\r\n");
    }

    /// Manners with what they have gained.
    const RECORDED_MANNERS: &str =
        "0200000002040000000000000000000000020a00000002040000000000000000000006000100e7040101ac02";

    #[test]
    fn what_manners_have_gained_is_read_and_an_older_program_passes_over_it() {
        let since = Since { stays: true, told: Some(300) };
        let manners = Item::Manners { after_return: false, prompted: true, failures: 0, since };
        let memory = put_away(&[manners]).unwrap();
        let bytes = read_sealed(&memory, MOST).unwrap();
        assert_eq!(hex(&bytes), RECORDED_MANNERS, "fields are only ever appended");
        let read = read(memory).unwrap();
        assert!(matches!(read[..], [Item::Manners { prompted: true, since: again, .. }] if again == since), "{read:?}");
        let (mut reader, mut left) = (FrameReader::new(), &bytes[..]);
        reader.fill(|buffer| io::Read::read(&mut left, buffer)).unwrap();
        reader.next_frame().unwrap().unwrap();
        let older = reader.next_frame().unwrap().unwrap().control::<Item>().unwrap();
        assert!(matches!(older, Item::Manners { prompted: true, since: Since { stays: false, told: None }, .. }));
    }

    #[test]
    fn the_machine_goes_on_in_the_middle_of_a_word() {
        let (telnet, mut out) = (telnet(), Vec::new());
        let memory = put_away(&[Item::Telnet(&telnet)]).unwrap();
        let mut read = read(memory).unwrap();
        let Some(Item::Telnet(mut telnet)) = read.pop() else { panic!() };
        telnet.offer(&mut out);
        assert!(out.is_empty(), "what was offered once is not offered again");
        let mut rest: &[u8] = b"-256color\xff\xf0";
        while telnet.next(&mut rest, &mut out).is_some() {}
        assert_eq!(telnet.terminal().name(), Some("xterm-256color"));
        out.clear();
        telnet.prompt_end(&mut out);
        assert_eq!(out, b"\xff\xef");
    }

    #[test]
    fn an_item_that_has_gained_fields_is_read() {
        let item = Item::<&Telnet>::Numbers { next: 7, heard: 5 };
        let (mut frames, mut grown) = (Vec::new(), Vec::new());
        put_control(&mut frames, &Item::<&Telnet>::Format { format: FORMAT });
        let start = frames.len();
        put_control(&mut frames, &item);
        // The same header, with another length.
        frames.truncate(start + HEADER);
        growing::put_with(&mut grown, &item, &(true, "what a newer program knows"));
        frames[start] = u8::try_from(grown.len()).unwrap();
        frames.extend(grown);
        let read = read(sealed("test", &frames).unwrap()).unwrap();
        assert!(matches!(read[..], [Item::Numbers { next: 7, heard: 5 }]), "{read:?}");
    }

    #[test]
    fn damage_another_format_and_what_could_be_changed_are_refused() {
        let telnet = telnet();
        let bytes = read_sealed(put_away(&all(&telnet)).unwrap(), MOST).unwrap();
        for cut in 1..bytes.len() {
            // Cut between two items it is a shorter one, in which something is missing.
            let _ = read(sealed("test", &bytes[..cut]).unwrap());
            let mut flipped = bytes.clone();
            flipped[cut] ^= 0xff;
            let _ = read(sealed("test", &flipped).unwrap());
        }
        let mut other = Vec::new();
        put_control(&mut other, &Item::<&Telnet>::Format { format: FORMAT + 1 });
        assert!(read(sealed("test", &other).unwrap()).is_err());
        assert!(read(sealed("test", &vec![0; MOST + 1]).unwrap()).is_err());
        assert!(read(std::fs::File::open("/dev/null").unwrap()).is_err());
        let long = Item::Subscription(board("x".repeat(MOST)));
        assert!(put_away(&[long]).is_err());
    }
}
