//! Who has come to the wrong door: what begins as HTTP, TLS, SSH, SOCKS or PROXY does, where people or programs of ours are
//! expected. Their words must not be taken for commands: the body of a form may be one. Runs in a worker; pure.

use super::proxy::SIGNATURE;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::WorkerEnd;

/// Bytes of a connection that are kept until its first line is known.
const MOST: usize = 64;

/// A protocol that is not spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Any version and method, and what looks alike (RTSP, SIP).
    Http,
    /// A ClientHello, of SSL as well.
    Tls,
    /// A client's first line.
    Ssh,
    /// Versions 4 and 5.
    Socks,
    /// Versions 1 and 2.
    Proxy,
}

impl Protocol {
    /// How a worker ends that has met it.
    pub fn end(self) -> WorkerEnd {
        match self {
            Protocol::Http => WorkerEnd::SPOKE_HTTP,
            Protocol::Tls => WorkerEnd::SPOKE_TLS,
            Protocol::Ssh => WorkerEnd::SPOKE_SSH,
            Protocol::Socks => WorkerEnd::SPOKE_SOCKS,
            Protocol::Proxy => WorkerEnd::SPOKE_PROXY,
        }
    }

    /// What the first bytes of a connection say, where no line is waited for.
    fn of_bytes(bytes: &[u8]) -> Option<Protocol> {
        match bytes {
            // A record with a handshake, or the older hello.
            [0x16, 3, 0..=4, ..] | [0x80..=0x9f, _, 1, 0 | 3, ..] => Some(Protocol::Tls),
            // Of version 4 two bytes have to do: port or address may hold the end of a line, which is judged where it comes.
            [4, 1 | 2, ..] | [5, 1..=8, 0..=9 | 0x80.., ..] => Some(Protocol::Socks),
            _ => bytes.starts_with(SIGNATURE).then_some(Protocol::Proxy),
        }
    }

    /// What a first line says.
    pub fn of_line(line: &str) -> Option<Protocol> {
        let versioned = |word: &str, name: &str| {
            let version = word
                .get(name.len()..)
                .filter(|_| word.get(..name.len()).is_some_and(|is| is.eq_ignore_ascii_case(name)));
            version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        };
        let is_http = |word: &str| ["HTTP/", "RTSP/", "SIP/"].iter().any(|name| versioned(word, name));
        let mut words = line.split_ascii_whitespace();
        let (first, second) = (words.next()?, words.next().unwrap_or_default());
        let last = words.next_back();
        if versioned(first, "SSH-") {
            return Some(Protocol::Ssh);
        }
        if first == "PROXY" && ["TCP4", "TCP6", "UNKNOWN"].contains(&second) {
            return Some(Protocol::Proxy);
        }
        // The first version had no word for itself.
        let request = is_request(first, second) && last.map_or(first.eq_ignore_ascii_case("GET"), is_http);
        (request || is_http(first)).then_some(Protocol::Http)
    }
}

/// Whether these two words begin a request: a method, and a path, `*`, an address with a scheme or a port.
fn is_request(method: &str, target: &str) -> bool {
    method.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
        && (target.starts_with(['/', '*']) || target.trim_end_matches(':').contains(':'))
}

/// The beginning of a connection, until its first line is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Beginning {
    seen: Vec<u8>,
}

impl Beginning {
    /// One of which this was read already.
    pub fn after(mut seen: Vec<u8>) -> Beginning {
        seen.truncate(MOST);
        Beginning { seen }
    }

    /// What was read so far, as much as is kept.
    pub fn seen(&self) -> &[u8] {
        &self.seen
    }

    /// Something was read; gives what it is that needs no line.
    pub fn read(&mut self, bytes: &[u8]) -> Option<Protocol> {
        let room = MOST.saturating_sub(self.seen.len());
        self.seen.extend(bytes.iter().take(room));
        Protocol::of_bytes(&self.seen)
    }

    /// What it is whose first line is too long, or no text: only its beginning is known.
    pub fn of_unread_line(&self) -> Option<Protocol> {
        let text = String::from_utf8_lossy(&self.seen);
        let line = text.trim_start().lines().next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let is_request = words.next().zip(words.next()).is_some_and(|(first, second)| is_request(first, second));
        Protocol::of_line(line).or(is_request.then_some(Protocol::Http))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_known_in_every_version_and_with_every_method() {
        for line in [
            "GET / HTTP/1.1",
            "get /index.html http/1.0",
            "POST /login HTTP/1.1 ",
            "BREW /pot HTTP/1.0",
            "M-SEARCH * HTTP/1.1",
            "CONNECT example.org:443 HTTP/1.1",
            "GET http://example.org/ HTTP/1.1",
            "GET /a b c HTTP/1.1",
            "PRI * HTTP/2.0",
            "GET /",
            "OPTIONS sip:nm SIP/2.0",
            "OPTIONS / RTSP/1.0",
            "HTTP/1.1 200 OK",
        ] {
            assert_eq!(Protocol::of_line(line), Some(Protocol::Http), "{line}");
        }
    }

    #[test]
    fn commands_and_what_people_say_are_nothing_else() {
        for line in [
            "",
            "HELP",
            "GET",
            "HELP /",
            "LOGIN bob HTTP/1.1",
            "REGISTER webbot hunter22",
            "TELL bob GET / HTTP/1.1",
            "TELL bob: HTTP/1.1 is old",
            "SSH-",
            "PROXY",
            "MODE CLIENT",
            r#"{"cmd": "LOGIN", "args": {"name": "HTTP/1.1"}}"#,
            "ĦTTP/1.1 x",
        ] {
            assert_eq!(Protocol::of_line(line), None, "{line}");
        }
        for bytes in [
            &b"\r\n\r\n"[..],
            b"HELP\r\n",
            b"\xff\xfb\x1f\xff\xfd\x01",
            b"\xff\xfb\x01\x03",
            b"\x05HELP",
            b"\x04\r\n",
            b"\x04\x03\r\n",
            b"\xef\xbb\xbf{",
        ] {
            assert_eq!(Beginning::default().read(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn what_has_no_lines_is_known_by_its_first_bytes_however_they_come() {
        let proxy = [&SIGNATURE[..], b"\x21\x11\0\x0c"].concat();
        for (bytes, protocol) in [
            (&b"\x16\x03\x01\x02\x00\x01\x00"[..], Protocol::Tls),
            (b"\x16\x03\x03\x00\x01", Protocol::Tls),
            (b"\x80\x2e\x01\x03\x01", Protocol::Tls),
            (b"\x05\x01\x00", Protocol::Socks),
            (b"\x05\x02\x00\x02", Protocol::Socks),
            (b"\x04\x01\x00\x50\x0a\x00\x00\x01bob\0", Protocol::Socks),
            (b"\x04\x02\x0d\x0a\x0d\x00\x00\x01\0", Protocol::Socks),
            (&proxy, Protocol::Proxy),
        ] {
            assert_eq!(Beginning::default().read(bytes), Some(protocol));
            let mut beginning = Beginning::default();
            assert_eq!(bytes.iter().find_map(|byte| beginning.read(&[*byte])), Some(protocol));
        }
    }

    #[test]
    fn a_line_that_could_not_be_read_is_known_by_its_beginning() {
        for (bytes, protocol) in [
            (&b"GET /caf\xe9 HTTP/1.1\r\n"[..], Some(Protocol::Http)),
            (
                b"\r\nPROPFIND /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                Some(Protocol::Http),
            ),
            (b"SSH-2.0-\xff\r\n", Some(Protocol::Ssh)),
            (b"caf\xe9\r\nGET / HTTP/1.1\r\n", None),
            (b"TELL bob caf\xe9\r\n", None),
        ] {
            let mut beginning = Beginning::default();
            assert_eq!(beginning.read(bytes), None);
            assert_eq!(beginning.of_unread_line(), protocol, "{bytes:?}");
        }
    }

    #[test]
    fn little_of_it_is_kept() {
        let mut beginning = Beginning::default();
        for _ in 0..1000 {
            beginning.read(&[b'x'; 1000]);
        }
        assert_eq!(beginning.seen().len(), MOST);
        assert_eq!(Beginning::after(vec![b'x'; 1000]), beginning);
    }
}
