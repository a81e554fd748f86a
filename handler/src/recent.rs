//! What was logged of late, kept in memory for the operator, who may also follow what is logged from then on. Written by all
//! threads of the handler, read by its event loop.

use crate::lock::lock;
use ssmglobal_ipc::Time;
use ssmglobal_ipc::ctl::LogEntry;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// Lines that are kept.
const LINES: usize = 5000;

/// Bytes of all of them.
const BYTES: usize = 1 << 20;

/// Bytes of one: what is longer is cut.
const LINE: usize = 2 << 10;

/// Wakes whoever follows.
type Wake = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Kept {
    lines: VecDeque<LogEntry>,
    bytes: usize,
    /// The number of the line behind the last one; the first that was ever logged is 0.
    next: u64,
    wake: Option<Wake>,
}

/// The newest lines of the log, each under a number.
#[derive(Default)]
pub struct Recent(Mutex<Kept>);

impl Recent {
    /// One more line; the oldest go where there is no room.
    pub fn add(&self, level: log::Level, process: &str, mut text: String) {
        if let Some((end, _)) =
            text.char_indices().take_while(|(at, _)| *at <= LINE).last().filter(|_| text.len() > LINE)
        {
            text.truncate(end);
        }
        let mut kept = lock(&self.0);
        kept.bytes += text.len();
        kept.lines.push_back(LogEntry { at: Time::now(), level: level as u8, process: process.to_owned(), text });
        kept.next += 1;
        while kept.lines.len() > LINES || kept.bytes > BYTES {
            let gone = kept.lines.pop_front().map_or(0, |line| line.text.len());
            kept.bytes -= gone;
        }
        let wake = kept.wake.clone();
        drop(kept);
        // Without the lock: who is woken may look at once.
        if let Some(wake) = wake {
            wake();
        }
    }

    /// What is called whenever a line is added, as long as somebody follows.
    pub fn on_line(&self, wake: Option<Wake>) {
        lock(&self.0).wake = wake;
    }

    /// The number of the next line.
    pub fn next(&self) -> u64 {
        lock(&self.0).next
    }

    /// The client that had the session with this number, as far as the lines know.
    pub fn peer_of(&self, session: u64) -> Option<String> {
        let field = format!(" session={session} ");
        let kept = lock(&self.0);
        let line = kept.lines.iter().find(|line| line.text.starts_with("event=") && line.text.contains(&field));
        line.and_then(|line| peer_of(&line.text))
    }

    /// Lines from a number on that fit, `most` bytes of them at the most; how many were there and are gone; and the number to
    /// go on from.
    pub fn from(&self, number: u64, wanted: &mut Wanted, most: usize) -> (Vec<LogEntry>, u64, u64) {
        let kept = lock(&self.0);
        let first = kept.next - kept.lines.len() as u64;
        let (mut lines, mut bytes, mut at) = (Vec::new(), 0, number.max(first));
        let skip = usize::try_from(at - first).unwrap_or(usize::MAX);
        for line in kept.lines.iter().skip(skip) {
            if bytes >= most {
                break;
            }
            at += 1;
            if wanted.fits(line) {
                bytes += line.text.len();
                lines.push(line.clone());
            }
        }
        (lines, first.saturating_sub(number), at)
    }

    /// The newest lines that fit, the oldest of them first, and the number of the line that follows.
    pub fn newest(&self, count: usize, wanted: &mut Wanted, most: usize) -> (Vec<LogEntry>, u64) {
        let (mut lines, _, next) = self.from(0, wanted, usize::MAX);
        let mut bytes = 0;
        let fits = lines.iter().rev().take(count).take_while(|line| {
            bytes += line.text.len();
            bytes <= most
        });
        let fits = fits.count();
        (lines.split_off(lines.len() - fits), next)
    }
}

/// Connections of one player that are remembered, so that his last lines are found as well.
const PEERS: usize = 64;

/// Which lines somebody wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The least severe, 1 error … 5 trace.
    pub level: u8,
    /// Only those about these clients, as the log writes their addresses; nothing: about all and everything.
    pub peers: Option<VecDeque<String>>,
    /// And those that name this player.
    pub player: Option<String>,
}

impl Wanted {
    /// A client is one of those that are meant.
    pub fn add_peer(&mut self, peer: String) {
        let peers = self.peers.get_or_insert_default();
        if !peers.contains(&peer) {
            peers.push_back(peer);
            if peers.len() > PEERS {
                peers.pop_front();
            }
        }
    }

    fn fits(&mut self, line: &LogEntry) -> bool {
        if self.peers.is_none() && self.player.is_none() {
            return line.level <= self.level;
        }
        let peer = peer_of(&line.text);
        let names_him = self.player.as_ref().is_some_and(|player| names(&line.text, player));
        let of_his = peer.as_ref().is_some_and(|peer| self.peers.iter().flatten().any(|other| other == peer));
        if let Some(peer) = peer.filter(|_| names_him) {
            self.add_peer(peer);
        }
        line.level <= self.level && (names_him || of_his)
    }
}

/// The client that a line is about: its address stands in front, or is that of an event.
fn peer_of(text: &str) -> Option<String> {
    let mut words = text.split(' ');
    let first = words.next()?;
    let peer = match first.starts_with("event=") {
        true => {
            let ip = words.next()?.strip_prefix("address=")?.parse().ok()?;
            SocketAddr::new(ip, words.next()?.strip_prefix("port=")?.parse().ok()?)
        }
        false => first.strip_suffix(':').unwrap_or(first).parse().ok()?,
    };
    Some(peer.to_string())
}

/// Whether a word of the line is this name.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let words = text.split(|c| !is_part(c)).map(|word| word.trim_end_matches('.'));
    words.into_iter().any(|word| word.to_lowercase() == name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::Level;

    fn all(level: u8) -> Wanted {
        Wanted { level, peers: None, player: None }
    }

    fn texts(lines: &[LogEntry]) -> Vec<&str> {
        lines.iter().map(|line| &*line.text).collect()
    }

    fn logged(lines: &[(Level, &str)]) -> Recent {
        let recent = Recent::default();
        lines.iter().for_each(|(level, text)| recent.add(*level, "handler", (*text).to_owned()));
        recent
    }

    #[test]
    fn the_newest_lines_are_there_and_what_is_gone_is_counted() {
        let recent = Recent::default();
        for number in 0..LINES + 3 {
            recent.add(Level::Info, "handler", number.to_string());
        }
        assert_eq!(texts(&recent.newest(2, &mut all(5), 100).0), [(LINES + 1).to_string(), (LINES + 2).to_string()]);
        let (lines, missed, next) = recent.from(1, &mut all(5), 1);
        assert_eq!((texts(&lines), missed, next), (vec!["3"], 2, 4));
        recent.add(Level::Info, "handler", "x".repeat(2 * BYTES));
        assert_eq!(recent.newest(1, &mut all(5), BYTES).0[0].text.len(), LINE);
    }

    #[test]
    fn a_level_shows_what_is_as_severe() {
        let recent = logged(&[(Level::Error, "e"), (Level::Info, "i"), (Level::Debug, "d")]);
        for (level, expected) in [(1, vec!["e"]), (3, vec!["e", "i"]), (5, vec!["e", "i", "d"])] {
            assert_eq!(texts(&recent.newest(9, &mut all(level), 100).0), expected);
        }
    }

    #[test]
    fn a_session_is_known_by_its_address_and_a_player_by_his_name_and_connections() {
        let lines = [
            "event=connect address=192.0.2.1 port=50 session=1 door=0 who=- msg=\"Connected (1/9).\"",
            "event=login address=192.0.2.1 port=50 session=1 door=0 who=bob msg=\"bob logged in.\"",
            "192.0.2.1:50 -> WHO",
            "192.0.2.1:501: bobby logged in.",
            "the operator has disabled Bob.",
            "event=disconnect address=192.0.2.1 port=50 session=1 door=0 who=- msg=\"Disconnected (0/9).\"",
        ];
        let recent = logged(&lines.map(|line| (Level::Info, line)));
        let of = |mut wanted: Wanted| recent.newest(9, &mut wanted, 1000).0.into_iter().map(|it| it.text).collect();
        let mut session = all(5);
        session.add_peer("192.0.2.1:50".into());
        let found: Vec<String> = of(session);
        assert_eq!(found, [lines[0], lines[1], lines[2], lines[5]]);
        let found: Vec<String> = of(Wanted { player: Some("bob".into()), ..all(5) });
        assert_eq!(found, [lines[1], lines[2], lines[4], lines[5]]);
    }

    #[test]
    fn who_follows_is_woken() {
        let (recent, woken) = (logged(&[]), Arc::new(Mutex::new(0)));
        let count = woken.clone();
        recent.on_line(Some(Arc::new(move || *lock(&count) += 1)));
        recent.add(Level::Info, "handler", "a".into());
        recent.on_line(None);
        recent.add(Level::Info, "handler", "b".into());
        assert_eq!(*lock(&woken), 1);
    }
}
