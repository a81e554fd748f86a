//! What a world was told: everything, connection by connection, in order.

use super::codes::IS;
use super::codes::option::{GMCP, NAWS, NEW_ENVIRON, TTYPE};
use super::options::End;
use crate::harness::PATIENCE;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Something that a world was told, or that has become of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What stands in front of everything.
    Preamble(Vec<u8>),
    /// A line, without its end.
    Line(Vec<u8>),
    /// An option is on now, or off.
    Agreed(End, u8, bool),
    /// A subnegotiation.
    Sub(u8, Vec<u8>),
    /// A command without an option.
    Command(u8),
    /// Somebody has logged in.
    LoggedIn(String),
    /// The other end has hung up, or the connection is broken.
    Ended,
}

/// All connections that a world has had.
#[derive(Default)]
pub struct Record {
    told: Mutex<Vec<Vec<Told>>>,
    changed: Condvar,
    fault: Mutex<Option<String>>,
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<Told>>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection; gives its place among all.
    pub fn begin(&self) -> usize {
        let mut told = self.lock();
        told.push(Vec::new());
        self.changed.notify_all();
        told.len() - 1
    }

    /// Something was told.
    pub fn note(&self, connection: usize, told: Told) {
        self.lock()[connection].push(told);
        self.changed.notify_all();
    }

    /// Something that no sound client does.
    pub fn blame(&self, connection: usize, fault: &str) {
        let mut first = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| format!("connection {connection} of a world: {fault}"));
        self.changed.notify_all();
    }

    /// The first fault; it is forgotten.
    pub fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How much was told over a connection.
    pub fn told(&self, connection: usize) -> usize {
        self.lock()[connection].len()
    }

    /// How many connections there have been.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Waits until this finds something in what was told so far.
    #[track_caller]
    pub fn wait<T>(&self, what: &str, found: impl Fn(&[Vec<Told>]) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            // Without the lock: who looks for something may look by other ways as well.
            let seen = self.lock().clone();
            if let Some(found) = found(&seen) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} never came; the world was told {seen:?}");
            let told = self.lock();
            if *told == seen {
                drop(self.changed.wait_timeout(told, left).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }
}

/// One of the connections that a world has had.
#[derive(Clone)]
pub struct Connection {
    record: Arc<Record>,
    /// Its place among all, from 0 on.
    pub number: usize,
}

impl Connection {
    /// This one of them.
    pub fn of(record: &Arc<Record>, number: usize) -> Connection {
        Connection { record: record.clone(), number }
    }

    /// All that was told.
    pub fn told(&self) -> Vec<Told> {
        self.record.lock()[self.number].clone()
    }

    /// Waits until this finds something in all that was told.
    #[track_caller]
    pub fn wait<T>(&self, what: &str, found: impl Fn(&[Told]) -> Option<T>) -> T {
        self.record.wait(what, |all| found(&all[self.number]))
    }

    /// Waits for what comes behind the first `mark` things that were told.
    #[track_caller]
    pub fn wait_after(&self, mark: usize, told: &Told) {
        self.wait(&format!("{told:?}"), |all| all[mark..].contains(told).then_some(()));
    }

    /// Waits for this line.
    #[track_caller]
    pub fn hears(&self, line: &str) {
        self.wait_after(0, &Told::Line(line.as_bytes().to_vec()));
    }

    /// Waits until this window is told.
    #[track_caller]
    pub fn sees_window(&self, width: u16, height: u16) {
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        self.wait_after(0, &Told::Sub(NAWS, size));
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ends(&self) {
        self.wait_after(0, &Told::Ended);
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        let line = |told: &Told| match told {
            Told::Line(line) => Some(String::from_utf8_lossy(line).into_owned()),
            _ => None,
        };
        self.told().iter().filter_map(line).collect()
    }

    /// All subnegotiations of an option so far.
    pub fn subs(&self, option: u8) -> Vec<Vec<u8>> {
        let sub = |told: Told| match told {
            Told::Sub(of, body) if of == option => Some(body),
            _ => None,
        };
        self.told().into_iter().filter_map(sub).collect()
    }

    /// The window that was told last.
    pub fn window(&self) -> Option<(u16, u16)> {
        let [a, b, c, d] = self.subs(NAWS).pop()?.try_into().ok()?;
        Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }

    /// The terminals that were named.
    pub fn terminals(&self) -> Vec<String> {
        let names = self.subs(TTYPE).into_iter();
        names.map(|body| String::from_utf8_lossy(body.strip_prefix(&[IS]).unwrap_or_default()).into_owned()).collect()
    }

    /// What was told of the environment; the last word of each name.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for body in self.subs(NEW_ENVIRON) {
            // Behind IS, or INFO: VAR 0 or USERVAR 3, a name, VALUE 1, a value.
            for variable in body[1..].split(|byte| matches!(byte, 0 | 3)).filter(|part| !part.is_empty()) {
                let text = String::from_utf8_lossy(variable);
                let (name, value) = text.split_once('\u{1}').unwrap_or((&text, ""));
                all.insert(name.to_owned(), value.to_owned());
            }
        }
        all
    }

    /// The messages that came over GMCP.
    pub fn messages(&self) -> Vec<String> {
        self.subs(GMCP).iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect()
    }

    /// Waits for what stands in front of everything.
    #[track_caller]
    pub fn preamble(&self) -> Vec<u8> {
        self.wait("a preamble", |told| match told.first() {
            Some(Told::Preamble(bytes)) => Some(bytes.clone()),
            _ => None,
        })
    }

    /// Waits for what stands in front of everything; gives the address of the player that it tells.
    #[track_caller]
    pub fn real_address(&self) -> String {
        let bytes = self.preamble();
        address_in(&bytes).unwrap_or_else(|| panic!("no address in {bytes:?}"))
    }
}

/// The address that a preamble tells: one of the PROXY protocol, or `IP^HOST`.
fn address_in(bytes: &[u8]) -> Option<String> {
    if let Some(header) = bytes.strip_prefix(PROXY2) {
        return match *header {
            [0x21, 0x11, _, _, a, b, c, d, ..] => Some(Ipv4Addr::new(a, b, c, d).to_string()),
            [0x21, 0x21, ..] => {
                let address: [u8; 16] = header.get(4..20)?.try_into().ok()?;
                Some(Ipv6Addr::from(address).to_string())
            }
            _ => None,
        };
    }
    let line = std::str::from_utf8(bytes).ok()?;
    match line.split_once('^') {
        Some((address, _)) => Some(address.to_owned()),
        None => line.strip_prefix("PROXY TCP")?.split(' ').nth(1).map(str::to_owned),
    }
}

/// How a header of the PROXY protocol's second version begins.
pub const PROXY2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// How a preamble is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preamble {
    /// There is none.
    None,
    /// The first version of the PROXY protocol.
    Proxy1,
    /// Its second version.
    Proxy2,
    /// The first line, whatever it is.
    Line,
}

impl Preamble {
    /// How many of these bytes it is; `None` when its end has not come.
    pub fn length(self, bytes: &[u8]) -> Result<Option<usize>, String> {
        let line = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        match self {
            Preamble::None => Ok(Some(0)),
            Preamble::Line => Ok(line),
            Preamble::Proxy1 if bytes.len() >= 6 && !bytes.starts_with(b"PROXY ") => Err(wrong(bytes)),
            Preamble::Proxy1 if line.unwrap_or(bytes.len()) > 107 => Err(wrong(bytes)),
            Preamble::Proxy1 => Ok(line),
            Preamble::Proxy2 if bytes.len() < 16 => Ok(None),
            Preamble::Proxy2 if !bytes.starts_with(PROXY2) => Err(wrong(bytes)),
            Preamble::Proxy2 => {
                let length = 16 + usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
                Ok((bytes.len() >= length).then_some(length))
            }
        }
    }
}

fn wrong(bytes: &[u8]) -> String {
    format!("it begins with {:?}", String::from_utf8_lossy(bytes))
}
