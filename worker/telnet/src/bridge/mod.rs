//! The bridge: connects a player's telnet and a world's, each of which ends here. Runs in the worker of a player who plays.
//!
//! What the one wants the other is asked for, and the answer waits for his. A world that is left, or lost, leaves nothing of
//! its own behind at the player.
//!
//! | option | what becomes of it |
//! |---|---|
//! | BINARY | ended on each side |
//! | ECHO of the world | obeyed at once, and told the player at once |
//! | NAWS, TTYPE, NEW-ENVIRON, EOR, SGA | the world has them if the player has; their facts are the player's |
//! | CHARSET | ended on each side: the owner converts between the two |
//! | MCCP2, MCCP3 | ended on each side: the owner has the streams |
//! | MSSP | ended on each side: the owner has what the world tells, and tells the player |
//! | GMCP, MSDP, MXP, MSP, ATCP, LINEMODE, unknown ones | both agree or neither, and what is said passes through |
//!
//! At the end of a world all of the last line is switched off at the player, as far as it was switched on for that world, and
//! so is SGA: a program begins these anew when a world offers them again. But GMCP stays in use, and quiet, since what the
//! player's program has said of itself in it is known here, and is said to the next world.

mod gmcp;
mod settle;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::client::Presented;
use crate::codes::{self, option};
use crate::event::Event;
use crate::mssp::Mssp;
use crate::negotiation::Party;
use crate::options::OptionSet;
use crate::relay::Standing;
use crate::role::Role;
use crate::server::HERE;
use crate::telnet::Telnet;
use gmcp::Gmcp;

/// Colours and all that as at the beginning.
const RESET_COLOURS: &[u8] = b"\x1b[0m";

/// MXP, "lock locked": nothing that follows is read as MXP.
const LOCK_MXP: &[u8] = b"\x1b[7z";

/// What the owner tells a world besides the player's facts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// The character sets in which the owner can speak with the world, the best one first, as `UTF-8`, `ISO-8859-1`. Where there
    /// is none, none is agreed on.
    pub charsets: Box<[Box<str>]>,
    /// The player's address, where the world is to know it (IPADDRESS of MNES).
    pub address: Option<Box<str>>,
    /// Whether the world may compress what it sends (MCCP2). Then [`FromWorld::Compressed`] is to be obeyed.
    pub compression: bool,
    /// Whether the world is asked to tell about itself (MSSP), also where the player has not asked.
    pub mssp: bool,
}

/// What came from the world.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FromWorld<'i> {
    /// Data without any telnet in it, for the player: the owner converts it and writes it with [`Telnet::seal`], before he asks
    /// for what follows.
    Data(&'i [u8]),
    /// What is typed from here on is to be hidden, or shown again. The player was told.
    HideInput(bool),
    /// The data before this is a prompt: the owner writes [`Telnet::prompt_end`] behind it.
    PromptEnd,
    /// [`Bridge::charset`] has news.
    Charset,
    /// [`Bridge::mssp`] has news.
    Mssp,
    /// The world lives, and wants nothing else.
    Alive,
    /// What is left of the input is compressed: it is to go through an [`Inflater`](crate::Inflater) until that ends.
    Compressed,
}

/// Shows how long data is, not what.
impl fmt::Debug for FromWorld<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(bytes) => write!(f, "Data({} bytes)", bytes.len()),
            Self::HideInput(hidden) => write!(f, "HideInput({hidden})"),
            Self::PromptEnd => f.write_str("PromptEnd"),
            Self::Charset => f.write_str("Charset"),
            Self::Mssp => f.write_str("Mssp"),
            Self::Alive => f.write_str("Alive"),
            Self::Compressed => f.write_str("Compressed"),
        }
    }
}

/// The world's telnet machine, and what connects it with the player's, which the owner has and gives along with every call.
///
/// `to_player` and `to_world` are what goes to each of them: the bridge writes behind what stands there, so that the order is
/// kept if the owner writes to the same. The bridge has no clock: as long as it [waits](Self::is_waiting) the owner counts the
/// time, and [gives up](Self::give_up_waiting) after a second or so.
///
/// A player who has never sent a telnet command never sees a byte of telnet.
///
/// Serialized, it is all that another program needs to go on from here, at any byte.
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub struct Bridge {
    world: Telnet,
    connected: bool,
    terms: Terms,
    /// What the world wants to be in use, whoever does not: in the words of the world's machine.
    wanted: OptionSet,
    /// What was switched on at the player for a world: in the words of the player's machine.
    switched_on: OptionSet,
    /// The owner has given up waiting for a player who says nothing in telnet.
    gave_up: bool,
    /// How often one of them was asked for something since the connection has begun.
    asked: u16,
    /// The world has sent an escape sequence: the player's terminal may have any colour.
    coloured: bool,
    /// What was last sent to the world ends with a CR, of which it is not known yet what follows.
    after_return: bool,
    gmcp: Gmcp,
    mssp: Mssp,
}

impl Default for Bridge {
    fn default() -> Self {
        Self {
            world: Telnet::new(Role::Client),
            connected: false,
            terms: Terms::default(),
            wanted: OptionSet::default(),
            switched_on: OptionSet::default(),
            gave_up: false,
            asked: 0,
            coloured: false,
            after_return: false,
            gmcp: Gmcp::default(),
            mssp: Mssp::default(),
        }
    }
}

impl Bridge {
    /// A bridge that leads nowhere yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection to a world begins. One that was left open is [left](Self::leave) first. Options of the player are relayed
    /// from now on.
    pub fn connect(&mut self, player: &mut Telnet, to_player: &mut Vec<u8>) {
        if self.connected {
            self.leave(player, to_player);
        }
        player.set_relaying(true, to_player);
        self.world = Telnet::new(Role::Client);
        // The machine is new: nothing is open in it that could be answered.
        self.world.set_relaying(true, &mut Vec::new());
        self.connected = true;
        self.asked = 0;
        self.present_player(player, &mut Vec::new());
    }

    /// The connection to the world goes on for another player's telnet: what is in use with the world is offered to him, and
    /// the world has what he has.
    pub fn change_player(&mut self, player: &mut Telnet, to_player: &mut Vec<u8>, to_world: &mut Vec<u8>) {
        player.set_relaying(true, to_player);
        (self.switched_on, self.gave_up) = (OptionSet::default(), false);
        self.settle(player, to_player, to_world);
    }

    /// What the world is told besides the player's facts, from now on. News are told at once where the world has asked.
    pub fn present(&mut self, terms: Terms, player: &mut Telnet, to_player: &mut Vec<u8>, to_world: &mut Vec<u8>) {
        self.terms = terms;
        self.settle(player, to_player, to_world);
    }

    /// What the world is told besides the player's facts.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether there is a connection to a world.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// The next that came from the world in `input`, from which it takes what it used; `None` when that is used up.
    pub fn from_world<'i>(
        &mut self,
        player: &mut Telnet,
        input: &mut &'i [u8],
        to_player: &mut Vec<u8>,
        to_world: &mut Vec<u8>,
    ) -> Option<FromWorld<'i>> {
        loop {
            match self.world.next(input, to_world)? {
                Event::Data(data) => {
                    self.coloured |= !self.coloured && memchr::memchr(b'\x1b', data).is_some();
                    return Some(FromWorld::Data(data));
                }
                Event::HideInput(hidden) => {
                    self.settle(player, to_player, to_world);
                    return Some(FromWorld::HideInput(hidden));
                }
                Event::PromptEnd => return Some(FromWorld::PromptEnd),
                Event::Alive => return Some(FromWorld::Alive),
                Event::Terminal => return Some(FromWorld::Charset),
                Event::Compressed => return Some(FromWorld::Compressed),
                Event::Wants { party, option } => {
                    self.wanted.insert(party, option);
                    self.settle(player, to_player, to_world);
                }
                Event::Agreed { party, option, on } => {
                    self.world_agreed(party, option, on, to_world);
                    self.settle(player, to_player, to_world);
                }
                Event::Subnegotiation { option: option::MSSP } => {
                    self.mssp = Mssp::read(self.world.subnegotiation());
                    return Some(FromWorld::Mssp);
                }
                Event::Subnegotiation { option } => {
                    if is_on(player, option) {
                        Telnet::subnegotiate(option, self.world.subnegotiation(), to_player);
                    }
                }
                Event::Command(codes::AYT) => {
                    // A game would take words for something that was typed.
                    codes::write_command(to_world, codes::NOP);
                    return Some(FromWorld::Alive);
                }
                Event::Command(byte) => {
                    if player.speaks_telnet() {
                        Telnet::command(byte, to_player);
                    }
                }
                // What only a server hears.
                Event::Interrupt | Event::EraseCharacter | Event::EraseLine | Event::WantsMssp => {}
            }
        }
    }

    /// Takes over an event of the player that may matter to the world. It is given all of them but data and those that the owner
    /// himself has an answer to: the interrupt, for one, if that is not for the world. [`Event::WantsMssp`] and MCCP are the
    /// owner's to answer.
    pub fn from_player(
        &mut self,
        player: &mut Telnet,
        event: Event<'_>,
        to_player: &mut Vec<u8>,
        to_world: &mut Vec<u8>,
    ) {
        match event {
            Event::Subnegotiation { option } => {
                if option == option::GMCP {
                    self.gmcp.hear(player.subnegotiation());
                }
                if self.connected && is_on(&self.world, option) {
                    Telnet::subnegotiate(option, player.subnegotiation(), to_world);
                }
            }
            Event::Interrupt => self.pass_on(codes::IP, to_world),
            Event::EraseCharacter => self.pass_on(codes::EC, to_world),
            Event::EraseLine => self.pass_on(codes::EL, to_world),
            Event::Command(codes::AYT) if !self.hears_commands() => to_player.extend_from_slice(HERE),
            Event::Command(byte) => self.pass_on(byte, to_world),
            Event::Wants { .. } | Event::Agreed { .. } | Event::Terminal | Event::WantsMssp => {}
            Event::Data(_) | Event::Alive | Event::HideInput(_) | Event::PromptEnd | Event::Compressed => {}
        }
        self.settle(player, to_player, to_world);
    }

    /// Makes of the text that stands in `out` from `from` on what goes to the world: with IAC doubled, and with a NUL behind each
    /// CR that no LF follows, unless all is taken as it is (BINARY). The NUL of a CR at the end comes with the next text.
    pub fn seal_to_world(&mut self, out: &mut Vec<u8>, from: usize) {
        if !self.world.sends_binary() {
            self.mark_returns(out, from);
        }
        codes::escape(out, from);
    }

    /// The world has gone, or is left: what it has set at the player is as before. What is written belongs behind all that the
    /// world has said.
    pub fn leave(&mut self, player: &mut Telnet, to_player: &mut Vec<u8>) {
        if !std::mem::take(&mut self.connected) {
            return;
        }
        player.hide_input(false, to_player);
        if is_on(player, option::MXP) {
            to_player.extend_from_slice(LOCK_MXP);
        }
        let terminal = player.terminal();
        let told = terminal.mtts().is_some() || terminal.name().is_some();
        if std::mem::take(&mut self.coloured) && (terminal.colour() || !told) {
            to_player.extend_from_slice(RESET_COLOURS);
        }
        self.world = Telnet::new(Role::Client);
        (self.wanted, self.mssp) = (OptionSet::default(), Mssp::default());
        (self.after_return, self.gave_up) = (false, false);
        self.switch_off(player, to_player);
    }

    /// Whether an answer to the world, or to the player, waits for what the other one says.
    #[must_use]
    pub fn is_waiting(&self, player: &Telnet) -> bool {
        self.connected && !(self.world.proposed().is_empty() && self.for_the_world(player).is_empty())
    }

    /// What is waited for will not come: it is answered by what is known now. If it comes later, the world is asked then.
    pub fn give_up_waiting(&mut self, player: &mut Telnet, to_player: &mut Vec<u8>, to_world: &mut Vec<u8>) {
        self.gave_up = true;
        self.settle(player, to_player, to_world);
        for (party, option) in self.world.proposed() {
            let yes = player.standing(other(party), option) == Standing::On;
            self.answer_world(party, option, yes, to_world);
        }
        for (party, option) in self.for_the_world(player) {
            player.answer(party, option, false, to_player);
        }
    }

    /// The character set that was agreed on with the world, by its name. None if there was no talk of it, or no agreement.
    #[must_use]
    pub fn charset(&self) -> Option<&str> {
        self.world.terminal().charset()
    }

    /// What the world has told about itself.
    #[must_use]
    pub fn mssp(&self) -> &Mssp {
        &self.mssp
    }

    /// Whether what is typed is to be hidden, as the world has said last.
    #[must_use]
    pub fn hides_input(&self) -> bool {
        self.world.hides_input()
    }

    /// Whether the world wants each key at once: it shows what is typed (ECHO), and goes ahead by itself (SGA).
    #[must_use]
    pub fn wants_keys(&self) -> bool {
        self.world.hides_input() && self.world.standing(Party::Them, option::SGA) == Standing::On
    }

    /// Whether the world has sent any telnet command.
    #[must_use]
    pub fn world_speaks_telnet(&self) -> bool {
        self.world.speaks_telnet()
    }

    /// Whether the world offers anything beside the text.
    #[must_use]
    pub fn world_offers(&self) -> bool {
        self.wanted.list().iter().any(|(party, _)| *party == Party::Them)
    }

    /// Bytes allocated for what the world has sent, and that is not handed out yet: at most 64 KiB.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.world.capacity()
    }

    /// Whether the world would understand a command: it has sent one.
    fn hears_commands(&self) -> bool {
        self.connected && self.world.speaks_telnet()
    }

    fn pass_on(&self, command: u8, to_world: &mut Vec<u8>) {
        if self.hears_commands() {
            Telnet::command(command, to_world);
        }
    }

    fn mark_returns(&mut self, out: &mut Vec<u8>, from: usize) {
        const CR: u8 = b'\r';
        let belongs = |byte: &u8| matches!(*byte, b'\n' | 0);
        let Some(text) = out.get(from..).filter(|text| !text.is_empty()) else { return };
        let first = std::mem::take(&mut self.after_return) && !text.first().is_some_and(belongs);
        self.after_return = text.last() == Some(&CR);
        let lone = |at: &usize| text.get(at + 1).is_some_and(|byte| !belongs(byte));
        let returns: Vec<usize> = memchr::memchr_iter(CR, text).filter(lone).collect();
        if !first && returns.is_empty() {
            return;
        }
        let text = out.split_off(from);
        if first {
            out.push(0);
        }
        let mut done = 0;
        for at in returns {
            out.extend_from_slice(text.get(done..=at).unwrap_or_default());
            out.push(0);
            done = at + 1;
        }
        out.extend_from_slice(text.get(done..).unwrap_or_default());
    }
}

/// The same party, as the other machine sees it.
fn other(party: Party) -> Party {
    match party {
        Party::Us => Party::Them,
        Party::Them => Party::Us,
    }
}

/// Whether an option is in use, whoever performs it.
fn is_on(telnet: &Telnet, option: u8) -> bool {
    [Party::Us, Party::Them].iter().any(|party| telnet.standing(*party, option) == Standing::On)
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").field("connected", &self.connected).field("world", &self.world).finish_non_exhaustive()
    }
}

/// What the world is told of the player, in the words of his facts and of the owner's terms.
fn presented(player: &Telnet, terms: &Terms) -> Presented {
    use crate::terminal::{MTTS_PROXY, MTTS_UTF8, is_utf8};
    let terminal = player.terminal();
    let utf8 = terms.charsets.iter().any(|name| is_utf8(name.as_bytes()));
    let mtts = terminal.mtts().map(|bits| {
        let bits = if utf8 { bits | MTTS_UTF8 } else { bits & !MTTS_UTF8 };
        bits | MTTS_PROXY
    });
    Presented {
        width: terminal.width(),
        height: terminal.height(),
        client: terminal.client().map(Into::into),
        name: terminal.name().map(Into::into),
        mtts,
        utf8,
        charsets: terms.charsets.clone(),
        version: terminal.version().map(Into::into),
        charset: terms.charsets.first().cloned(),
        address: terms.address.clone(),
    }
}
