//! A client that looks at every byte: it fails on whatever no sound server sends. It answers negotiation by itself, on a thread
//! of its own, and tests wait for what it shows.

use super::bytes::{Incoming, Outgoing, Token};
use super::codes::option::{CHARSET, EOR, MCCP2, MCCP3, MXP, NAWS, NEW_ENVIRON, SGA, TTYPE};
use super::codes::{ACCEPTED, EOR_MARK, GA, IAC, IS, NOP, REJECTED, SEND, Verb, doubled, negotiation, subnegotiation};
use super::options::{End, Options, Outcome};
use super::profile::{Letters, Profile};
use super::text::Text;
use crate::harness::{PATIENCE, cut_off};
use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A client; its faults are the test's.
pub struct StrictClient {
    /// The socket, for what goes beyond the functions here.
    pub stream: TcpStream,
    shared: Arc<Shared>,
    /// How much of the text was taken.
    taken: usize,
    /// How many subnegotiations were taken.
    heard: usize,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Default)]
struct Seen {
    text: Text,
    options: Options,
    /// Subnegotiations that are not about negotiation alone.
    subs: Vec<(u8, Vec<u8>)>,
    outgoing: Outgoing,
    /// How many names of its terminal it has told.
    terminals: usize,
    /// Answers about it that wait; nothing where they do not.
    held: Option<Vec<u8>>,
    window: (u16, u16),
    ended: bool,
    fault: Option<String>,
}

impl StrictClient {
    /// Connects.
    pub fn to(at: SocketAddr, profile: Profile) -> StrictClient {
        StrictClient::over(TcpStream::connect_timeout(&at, PATIENCE).expect("a connection"), profile)
    }

    /// Takes a connection over.
    pub fn over(stream: TcpStream, profile: Profile) -> StrictClient {
        stream.set_nodelay(true).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        let shared = Arc::new(Shared::default());
        shared.lock().window = profile.window;
        shared.lock().held = profile.tells_late.then(Vec::new);
        let reader = Reader { stream: stream.try_clone().expect("a descriptor"), profile, shared: shared.clone() };
        std::thread::spawn(move || reader.run());
        StrictClient { stream, shared, taken: 0, heard: 0 }
    }

    /// Sends a line.
    pub fn types(&mut self, line: &str) {
        self.sends(format!("{line}\r\n").as_bytes());
    }

    /// Sends text as it is; 255 is doubled.
    pub fn sends(&mut self, text: &[u8]) {
        self.sends_raw(&doubled(text));
    }

    /// Sends bytes as they are, compressed where that was agreed on.
    pub fn sends_raw(&mut self, bytes: &[u8]) {
        // With the lock, so that what the reader answers is not in the middle of it.
        let mut seen = self.shared.lock();
        let bytes = seen.outgoing.put(bytes);
        (&self.stream).write_all(&bytes).expect("the other end takes it");
    }

    /// Tells what was asked of its terminal, and from now on at once.
    pub fn tells_on(&mut self) {
        let mut seen = self.shared.lock();
        let held = seen.held.take().unwrap_or_default();
        let bytes = seen.outgoing.put(&held);
        (&self.stream).write_all(&bytes).expect("the other end takes it");
    }

    /// Says that its window has another size now.
    pub fn resizes(&mut self, width: u16, height: u16) {
        self.shared.lock().window = (width, height);
        self.sends_raw(&window((width, height)));
    }

    /// Takes everything up to and with this text.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        let from = self.taken;
        let end = self.wait(&format!("{text:?}"), |seen| Some(from + seen.text.shown[from..].find(text)? + text.len()));
        self.take_to(end)
    }

    /// Asks the handler something, and takes everything up to its answer: all that it had to say before is in that. HW would not
    /// do, since a worker answers it by itself.
    #[track_caller]
    pub fn asks_handler(&mut self) -> String {
        self.types("//whoami");
        let before = self.until("You are ");
        before + &self.until("\n")
    }

    /// Types a line, and takes everything up to and with the one of these texts that is answered first; whether it is the second.
    #[track_caller]
    pub fn answers(&mut self, line: &str, one: &str, other: &str) -> bool {
        let from = self.taken;
        self.types(line);
        let (end, is_other) = self.wait(&format!("{one:?} or {other:?}"), |seen| {
            let found = [one, other].map(|text| seen.text.shown[from..].find(text).map(|at| from + at + text.len()));
            match found {
                [Some(end), None] => Some((end, false)),
                [None, Some(end)] => Some((end, true)),
                [Some(one), Some(other)] => Some((one.min(other), other < one)),
                [None, None] => None,
            }
        });
        self.take_to(end);
        is_other
    }

    /// Takes a line, without its end.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let line = self.until("\n");
        line.trim_end_matches('\n').to_owned()
    }

    /// Takes everything up to the end of the next prompt, which is marked; gives the last line of it.
    #[track_caller]
    pub fn prompt(&mut self) -> String {
        let from = self.taken;
        let end = self.wait("a marked prompt", |seen| seen.text.prompts.iter().copied().find(|at| *at > from));
        let text = self.take_to(end);
        text.rsplit('\n').next().unwrap_or_default().to_owned()
    }

    /// Takes everything up to the end of the connection, which must come.
    #[track_caller]
    pub fn rest(&mut self) -> String {
        let end = self.wait("the end", |seen| seen.ended.then_some(seen.text.shown.len()));
        self.take_to(end)
    }

    /// Takes the next subnegotiation that says something.
    #[track_caller]
    pub fn sub(&mut self, option: u8) -> Vec<u8> {
        let from = self.heard;
        let (at, body) = self.wait(&format!("a subnegotiation of {option}"), |seen| {
            let at = from + seen.subs[from..].iter().position(|(of, _)| *of == option)?;
            Some((at, seen.subs[at].1.clone()))
        });
        self.heard = at + 1;
        body
    }

    /// Waits until an option of an end is on, or off.
    #[track_caller]
    pub fn agreed(&self, end: End, option: u8, on: bool) {
        self.wait(&format!("{end:?} {option} {on}"), |seen| (seen.options.is_on(end, option) == on).then_some(()));
    }

    /// All that was shown so far.
    pub fn shown(&self) -> String {
        self.shared.lock().text.shown.clone()
    }

    /// The fault that must come.
    pub fn fault(self) -> String {
        let fault = self.shared.wait("a fault", |seen| seen.fault.clone());
        self.shared.lock().fault = None;
        fault
    }

    /// Where it connects from.
    pub fn from(&self) -> IpAddr {
        self.stream.local_addr().expect("a socket").ip()
    }

    /// Hangs up.
    pub fn hangs_up(&self) {
        self.stream.shutdown(Shutdown::Write).expect("a socket");
    }

    /// As when the network between is gone: nothing arrives here any more, and nothing is answered.
    pub fn cut_off(&self) {
        cut_off(&self.stream);
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, found: impl Fn(&Seen) -> Option<T>) -> T {
        self.shared.wait(what, |seen| {
            if let Some(fault) = &seen.fault {
                panic!("{fault}; shown before:\n{}", seen.text.shown);
            }
            found(seen)
        })
    }

    fn take_to(&mut self, end: usize) -> String {
        let text = self.shared.lock().text.shown[self.taken..end].to_owned();
        self.taken = end;
        text
    }
}

impl Drop for StrictClient {
    fn drop(&mut self) {
        let fault = self.shared.lock().fault.clone();
        // The reader ends with it; the other end may have hung up already.
        let _ = self.stream.shutdown(Shutdown::Both);
        if let (Some(fault), false) = (fault, std::thread::panicking()) {
            panic!("{fault}; shown before:\n{}", self.shown());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, found: impl Fn(&Seen) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        let mut seen = self.lock();
        loop {
            if let Some(found) = found(&seen) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            if seen.ended || left.is_zero() {
                let end = if seen.ended { ", then the end" } else { "" };
                panic!("{what} never came; this was shown:\n{}{end}", seen.text.shown);
            }
            seen = self.changed.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The thread that reads.
struct Reader {
    stream: TcpStream,
    profile: Profile,
    shared: Arc<Shared>,
}

impl Reader {
    fn run(mut self) {
        let mut incoming = Incoming::default();
        let mut buffer = [0; 16 << 10];
        loop {
            // A reset is an end as well.
            let count = self.stream.read(&mut buffer).unwrap_or(0);
            let shared = self.shared.clone();
            let mut seen = shared.lock();
            let done =
                if count == 0 { end(&incoming, &seen) } else { self.take(&buffer[..count], &mut incoming, &mut seen) };
            seen.fault = seen.fault.take().or(done.err());
            seen.ended = count == 0;
            shared.changed.notify_all();
            if seen.ended || seen.fault.is_some() {
                return;
            }
        }
    }

    fn take(&mut self, bytes: &[u8], incoming: &mut Incoming, seen: &mut Seen) -> Result<(), String> {
        if self.profile.no_telnet && bytes.contains(&IAC) {
            return Err(format!("telnet for one who does not speak it: {bytes:?}"));
        }
        incoming.feed(bytes)?;
        while let Some(token) = incoming.next()? {
            match token {
                Token::Text(text) => {
                    let markup = seen.options.is_known(MXP);
                    seen.text.take(&text, &self.profile, markup)?;
                }
                Token::Command(NOP) => {}
                Token::Command(GA) if !seen.options.is_on(End::Theirs, SGA) => seen.text.mark(),
                Token::Command(EOR_MARK) if seen.options.is_on(End::Theirs, EOR) => seen.text.mark(),
                Token::Command(other) => return Err(format!("a command that has no place here: {other}")),
                Token::Negotiation(verb, option) => self.negotiate(verb, option, seen)?,
                Token::Sub(option, _) if !seen.options.is_known(option) => {
                    return Err(format!("a subnegotiation of {option}, which was not agreed on"));
                }
                Token::Sub(MCCP2, _) => incoming.compressed_from_here()?,
                Token::Sub(option, body) => self.subnegotiation(option, &body, seen)?,
            }
        }
        Ok(())
    }

    fn negotiate(&mut self, verb: Verb, option: u8, seen: &mut Seen) -> Result<(), String> {
        if self.profile.lets_offer_again
            && seen.options.is_on(end_of(verb), option) == matches!(verb, Verb::Will | Verb::Do)
        {
            return Ok(());
        }
        let (does, lets) = (self.profile.does, self.profile.lets);
        let takes =
            |end: End, option: u8| if end == End::Ours { does.contains(&option) } else { lets.contains(&option) };
        match seen.options.hear(verb, option, takes) {
            Outcome::Fault(fault) => return Err(fault),
            Outcome::Late => {}
            Outcome::Refused(answer) => self.send(&negotiation(answer, option), seen),
            Outcome::Became(end, on, answer) => {
                if let Some(answer) = answer {
                    self.send(&negotiation(answer, option), seen);
                }
                match (end, option, on) {
                    (End::Ours, NAWS, true) => self.send(&window(seen.window), seen),
                    (End::Theirs, MCCP3, true) => {
                        self.send(&subnegotiation(MCCP3, b""), seen);
                        seen.outgoing.compress();
                    }
                    (End::Theirs, MCCP3, false) => {
                        let end = seen.outgoing.end_compression();
                        self.send(&end, seen);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn subnegotiation(&mut self, option: u8, body: &[u8], seen: &mut Seen) -> Result<(), String> {
        let answer = match (option, body) {
            (TTYPE, [SEND]) => {
                let names = self.profile.terminals;
                // The last one is told twice.
                let name = names.get(seen.terminals).or(names.last()).ok_or("a terminal without a name")?;
                seen.terminals += 1;
                [&[IS], name.as_bytes()].concat()
            }
            (NEW_ENVIRON, [SEND, ..]) => {
                let all = self.profile.environment.iter();
                let all = all.flat_map(|(name, value)| [&[3], name.as_bytes(), &[1], value.as_bytes()].concat());
                std::iter::once(IS).chain(all).collect()
            }
            (CHARSET, [SEND, separator, names @ ..]) => {
                let wanted: &[u8] = if self.profile.letters == Letters::Utf8 { b"UTF-8" } else { b"ISO-8859-1" };
                match names.split(|byte| byte == separator).find(|name| name.eq_ignore_ascii_case(wanted)) {
                    Some(name) => [&[ACCEPTED], name].concat(),
                    None => vec![REJECTED],
                }
            }
            (TTYPE | NEW_ENVIRON | NAWS | MCCP3, _) => return Err(format!("{body:?} about {option}")),
            (_, _) => {
                seen.subs.push((option, body.to_vec()));
                return Ok(());
            }
        };
        let answer = subnegotiation(option, &answer);
        let is_held = option == NEW_ENVIRON || option == TTYPE && seen.terminals > 1;
        match seen.held.as_mut().filter(|_| is_held) {
            Some(held) => held.extend(answer),
            None => self.send(&answer, seen),
        }
        Ok(())
    }

    fn send(&mut self, bytes: &[u8], seen: &mut Seen) {
        let bytes = seen.outgoing.put(bytes);
        // Whoever has hung up does not hear it.
        let _ = self.stream.write_all(&bytes);
    }
}

fn end(incoming: &Incoming, seen: &Seen) -> Result<(), String> {
    if !incoming.is_whole() {
        return Err("the connection ends in the middle of a command".to_owned());
    }
    seen.text.end()
}

fn end_of(verb: Verb) -> End {
    if matches!(verb, Verb::Will | Verb::Wont) { End::Theirs } else { End::Ours }
}

fn window((width, height): (u16, u16)) -> Vec<u8> {
    subnegotiation(NAWS, &[width.to_be_bytes(), height.to_be_bytes()].concat())
}
