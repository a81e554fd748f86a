//! Telnet and line reading as pure state machines: bytes go in, events and bytes come out. No sockets, no clock,
//! no threads. Runs in the worker, whose owner reads the socket and writes what is due.
//!
//! The two machines are usable apart and together:
//!
//! - [`Telnet`] separates data from commands and negotiates options: ECHO (to hide a password), SGA, NAWS, TTYPE
//!   with MTTS, CHARSET and EOR. Everything else is refused. It speaks only when asked to or spoken to, so that a
//!   program that knows nothing of telnet never sees a byte of it.
//! - [`LineReader`] makes lines of valid UTF-8 within a limit. Programs need only this one.
//!
//! Both give the same results however the bytes were split into reads, take memory only as needed and within a
//! bound, and can be stopped after any line: what was not used stays in the input.
//!
//! ```
//! use ssmglobal_telnet::{Event, Line, LineReader, Telnet};
//!
//! let mut telnet = Telnet::new();
//! let mut lines = LineReader::new();
//! lines.set_return_ends_line(true);
//! lines.set_editing(true);
//!
//! let mut out = Vec::new(); // goes to the client
//! telnet.offer(&mut out);
//! assert!(out.starts_with(b"\xff\xfd\x1f")); // IAC DO NAWS
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
//!                     Line::TooLong | Line::NotUtf8 => out.extend_from_slice(b"Please say that again.\r\n"),
//!                 }
//!             }
//!         }
//!         Event::Interrupt => lines.clear(),
//!         Event::EraseCharacter => lines.erase_character(),
//!         Event::EraseLine => lines.erase_line(),
//!         Event::Terminal | Event::Alive => {}
//!     }
//! }
//! assert_eq!(heard, ["help"]);
//! assert_eq!(telnet.terminal().width(), Some(100));
//! ```
//!
//! # Standards
//! RFC 854, 855 (telnet), 857 (ECHO), 858 (SGA), 860 (TIMING-MARK), 885 (EOR), 1073 (NAWS), 1091 (TTYPE),
//! 1143 (negotiation without loops), 2066 (CHARSET), and MTTS, the Mud Terminal Type Standard.

mod buffer;
mod charset;
mod codes;
mod lines;
mod negotiation;
mod parser;
mod telnet;
mod terminal;

pub use lines::{Line, LineReader};
pub use telnet::{Event, Telnet};
pub use terminal::{Agreed, Terminal};
