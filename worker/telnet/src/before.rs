//! The state of a [`Telnet`] as programs have written it that knew no names of fields: one field behind the other. Runs in the
//! worker that goes on after such a program.
//!
//! The structs here never change: a field more or less, or another order, and what was written is read as something else.
//! What the machine's own structs gain is set to its default on the way from here.

use std::fmt;

use serde::Deserialize;

use crate::charset::{Charset, Request};
use crate::echo::Echo;
use crate::negotiation::{Q, Side};
use crate::options::OptionSet;
use crate::parser::{Parser, State};
use crate::role::End;
use crate::server::Server;
use crate::telnet::Telnet;
use crate::terminal::{Agreed, Terminal, TypeCycle};

/// What an older program has left of a [`Telnet`], in postcard. It becomes one by [`From`], a server between two lines.
#[derive(Deserialize)]
pub struct TelnetBefore {
    parser: ParserBefore,
    offered: bool,
    echo: EchoBefore,
    our_sga: SideBefore,
    our_eor: SideBefore,
    our_charset: SideBefore,
    their_sga: SideBefore,
    their_naws: SideBefore,
    their_ttype: SideBefore,
    their_charset: SideBefore,
    refused: RefusedBefore,
    types: TypeCycleBefore,
    charset: CharsetBefore,
    terminal: TerminalBefore,
}

#[derive(Deserialize)]
struct ParserBefore {
    state: State,
    sub: Vec<u8>,
    sub_too_long: bool,
    seen_command: bool,
}

#[derive(Deserialize)]
struct SideBefore {
    q: Q,
    grants: u8,
    refused: bool,
}

#[derive(Deserialize)]
struct EchoBefore {
    hidden: bool,
    told: bool,
    unanswered: u8,
    refused: bool,
}

#[derive(Deserialize)]
struct RefusedBefore {
    us: [u64; 4],
    them: [u64; 4],
}

#[derive(Deserialize)]
struct TypeCycleBefore {
    asked: u8,
    awaiting: bool,
    second: Option<Box<str>>,
}

#[derive(Deserialize)]
struct CharsetBefore {
    request: Request,
    answered: u8,
}

#[derive(Deserialize)]
struct TerminalBefore {
    width: Option<u16>,
    height: Option<u16>,
    client: Option<Box<str>>,
    name: Option<Box<str>>,
    mtts: Option<u32>,
    /// In the oldest ones a truth value, which as a number is the same: 0 for not agreed on, 1 for agreed on.
    charset_utf8: Agreed,
}

/// Shows nothing: there may be something in it that was typed.
impl fmt::Debug for TelnetBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelnetBefore").finish_non_exhaustive()
    }
}

impl From<TelnetBefore> for Telnet {
    fn from(before: TelnetBefore) -> Self {
        let server = Server {
            offered: before.offered,
            echo: before.echo.into(),
            our_eor: before.our_eor.into(),
            their_naws: before.their_naws.into(),
            their_ttype: before.their_ttype.into(),
            types: before.types.into(),
            ..Server::default()
        };
        Self {
            parser: before.parser.into(),
            our_sga: before.our_sga.into(),
            their_sga: before.their_sga.into(),
            our_binary: Side::default(),
            their_binary: Side::default(),
            charset: Charset {
                ours: before.our_charset.into(),
                theirs: before.their_charset.into(),
                request: before.charset.request,
                answered: before.charset.answered,
            },
            refused: before.refused.into(),
            terminal: before.terminal.into(),
            offering: false,
            end: End::Server(server),
            ..Self::default()
        }
    }
}

impl From<ParserBefore> for Parser {
    fn from(ParserBefore { state, sub, sub_too_long, seen_command }: ParserBefore) -> Self {
        // Those programs went on between two lines only.
        Self { state, sub, sub_too_long, seen_command, ..Self::default() }
    }
}

impl From<SideBefore> for Side {
    fn from(SideBefore { q, grants, refused }: SideBefore) -> Self {
        Self { q, grants, refused }
    }
}

impl From<EchoBefore> for Echo {
    fn from(EchoBefore { hidden, told, unanswered, refused }: EchoBefore) -> Self {
        Self { hidden, announced: told, unanswered, refused }
    }
}

impl From<RefusedBefore> for OptionSet {
    fn from(RefusedBefore { us, them }: RefusedBefore) -> Self {
        Self { us, them }
    }
}

impl From<TypeCycleBefore> for TypeCycle {
    fn from(TypeCycleBefore { asked, awaiting, second }: TypeCycleBefore) -> Self {
        Self { asked, awaiting, second }
    }
}

impl From<TerminalBefore> for Terminal {
    fn from(TerminalBefore { width, height, client, name, mtts, charset_utf8 }: TerminalBefore) -> Self {
        Self { width, height, client, name, mtts, charset_utf8, ..Self::default() }
    }
}
