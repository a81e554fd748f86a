//! Telnet and line reading as pure state machines: bytes go in, events and bytes come out. No sockets, no clock,
//! no threads. Runs in the worker, whose owner reads the socket and writes what is due.
//!
//! The two machines are usable apart and together:
//!
//! - [`Telnet`] separates data from commands and negotiates options. It speaks only when asked to or spoken to, so that
//!   a program that knows nothing of telnet never sees a byte of it.
//! - [`LineReader`] makes lines of valid UTF-8 within a limit. Programs need only this one.
//!
//! Both give the same results however the bytes were split into reads, take memory only as needed and within a
//! bound, and can be stopped after any line: what was not used stays in the input. Both can be put away with serde
//! at any byte and gone on with, by a later version too: what that one has more has a default.
//!
//! # Roles
//! [`Role::Server`] is the end that people connect to. It asks for all eight bits (BINARY), window size (NAWS) and terminal type (TTYPE with
//! MTTS), offers UTF-8 (CHARSET) and marked prompts (EOR), and hides a password (ECHO).
//!
//! [`Role::Client`] is the end that has connected to a game server. It offers nothing, agrees to the same options, and
//! tells what it was given to [present](Telnet::present). It hears from the server when to hide what is typed and
//! where a prompt ends.
//!
//! Both know BINARY and SGA, and refuse every other option once, unless they [relay](Telnet::set_relaying) options. A server asks for BINARY both ways: there are clients that take
//! letters beyond ASCII for keys without it.
//!
//! ```
//! use ssmglobal_telnet::{Event, Line, LineReader, Role, Telnet};
//!
//! let mut telnet = Telnet::new(Role::Server);
//! let mut lines = LineReader::new();
//! lines.set_return_ends_line(true);
//! lines.set_editing(true);
//!
//! let mut out = Vec::new(); // goes to the client
//! telnet.offer(&mut out);
//! assert!(out.starts_with(b"\xff\xfd\x00\xff\xfb\x00\xff\xfd\x1f")); // IAC DO BINARY, IAC WILL BINARY, IAC DO NAWS
//!
//! // The client tells its window size, mistypes, and sends the line.
//! let mut input: &[u8] = b"\xff\xfb\x1f\xff\xfa\x1f\x00\x64\x00\x1e\xff\xf0hek\x08lp\r\n";
//! let mut heard = Vec::new();
//! while let Some(event) = telnet.next(&mut input, &mut out) {
//!     match event {
//!         Event::Data(mut data) => {
//!             // At most one line per event, so nothing of `data` is left when the owner stops here.
//!             while let Some(line) = lines.next(&mut data) {
//!                 match line {
//!                     Line::Text(text) => heard.push(text.to_owned()),
//!                     Line::TooLong | Line::NotUtf8(_) | Line::Cut => out.extend_from_slice(b"Please say that again.\r\n"),
//!                 }
//!             }
//!         }
//!         Event::Interrupt => lines.interrupt(),
//!         Event::EraseCharacter => lines.erase_character(),
//!         Event::EraseLine => lines.erase_line(),
//!         Event::Terminal | Event::Alive => {}
//!         _ => {} // for clients, and where options are relayed
//!     }
//! }
//! assert_eq!(heard, ["help"]);
//! assert_eq!(telnet.terminal().width(), Some(100));
//!
//! // What is said goes out as telnet wants it: with the byte 255 doubled.
//! out.clear();
//! out.extend_from_slice(b"\xff is a byte\r\n");
//! telnet.seal(&mut out, 0);
//! assert_eq!(out, b"\xff\xff is a byte\r\n");
//! ```
//!
//! The other end, of a connection to a game:
//!
//! ```
//! use ssmglobal_telnet::{Event, Presented, Role, Telnet};
//!
//! let mut telnet = Telnet::new(Role::Client);
//! let mut out = Vec::new(); // goes to the game
//! telnet.present(Presented { width: Some(80), height: Some(24), ..Presented::default() }, &mut out);
//! assert_eq!(out, b"");
//!
//! // The game wants the window's size, and asks for a password that is not to be seen.
//! let mut input: &[u8] = b"\xff\xfd\x1f\xff\xfb\x01Password: \xff\xf9";
//! assert_eq!(telnet.next(&mut input, &mut out), Some(Event::HideInput(true)));
//! assert_eq!(telnet.next(&mut input, &mut out), Some(Event::Data(b"Password: ")));
//! assert_eq!(telnet.next(&mut input, &mut out), Some(Event::PromptEnd));
//! assert!(out.starts_with(b"\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0")); // IAC WILL NAWS, and the size
//! ```
//!
//! # Between a player and a world
//! Who stands between two others has a server towards the one and a client towards the other, and a [`Bridge`] that connects
//! the two: what they agree on they agree on through it, and each connection has its own telnet. [`Deflater`] and [`Inflater`]
//! are the streams of MCCP2 and MCCP3, for whoever has agreed on those.
//!
//! # Layers
//! Each knows only the ones below it:
//!
//! | Layer | Modules | Its matter |
//! |---|---|---|
//! | bridge | `bridge` | a player's machine and a world's, and what each has that the other wants |
//! | machine | `telnet`, `role` | which end this is, and the way of an event through the layers |
//! | relaying | `relay`, `relaying` | options that the owner decides about |
//! | ends | `server`, `client` | what each end wants of the other, offers, asks and tells |
//! | subnegotiations | `charset`, `terminal`, `environ`, `mssp` | what is said about an option that is in use |
//! | negotiation | `negotiation`, `echo` | options are switched on and off, without loops |
//! | grammar | `parser`, `codes` | where data ends and a command begins |
//!
//! # Standards
//! RFC 854, 855 (telnet), 856 (BINARY), 857 (ECHO), 858 (SGA), 860 (TIMING-MARK), 885 (EOR), 1073 (NAWS), 1091 (TTYPE),
//! 1143 (negotiation without loops), 1572 (NEW-ENVIRON), 2066 (CHARSET), 1950 and 1951 (for MCCP2 and MCCP3), and the
//! standards of muds: MTTS, MNES, MSSP.

mod before;
mod bridge;
mod buffer;
mod charset;
mod client;
mod codes;
mod compress;
mod echo;
mod environ;
mod event;
mod inflate;
mod keys;
mod lines;
mod mssp;
mod negotiation;
mod options;
pub mod packed;
mod parser;
mod relay;
mod relaying;
mod role;
mod server;
mod telnet;
mod terminal;

pub use before::TelnetBefore;
pub use bridge::{Bridge, FromWorld, Terms};
pub use client::Presented;
pub use codes::option;
pub use compress::Deflater;
pub use event::Event;
pub use inflate::{Damaged, Inflated, Inflater};
pub use lines::{Line, LineReader};
pub use mssp::Mssp;
pub use negotiation::Party;
pub use relay::Standing;
pub use role::Role;
pub use telnet::Telnet;
pub use terminal::{Agreed, Terminal};
