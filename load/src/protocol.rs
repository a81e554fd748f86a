//! The two languages that the engine speaks, JSON lines and RESP: requests written, replies recognised as cheaply as
//! possible, since the client shares the machine with what it measures. Runs in the load generator.

/// What stands at the beginning of the bytes received.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Not a whole line or value yet.
    More,
    /// A reply of this many bytes.
    Reply(usize),
    /// Something unasked for, of this many bytes.
    Push(usize),
}

/// A language of requests and replies, one reply to each request, in order.
pub trait Protocol {
    /// Appends the request with the number `id` of connection `conn`; numbers start at 1 on every connection.
    fn request(&mut self, conn: usize, id: u64, out: &mut Vec<u8>);

    /// Looks for the reply to request `id`. The error is the text of an error reply, or says what is out of order.
    fn reply(&mut self, data: &[u8], id: u64) -> Result<Taken, String>;
}

/// JSON lines; `ask` appends one request without its `{"id":N,` and without the line's end.
pub struct Json<F> {
    ask: F,
    /// Where the number stood in the last reply: replies of one kind look alike.
    id_at: usize,
}

impl<F: FnMut(usize, u64, &mut Vec<u8>)> Json<F> {
    /// Requests as `ask(connection, id, out)` writes them, for example `"cmd":"HW"}`.
    pub fn new(ask: F) -> Self {
        Self { ask, id_at: 0 }
    }
}

impl<F: FnMut(usize, u64, &mut Vec<u8>)> Protocol for Json<F> {
    fn request(&mut self, conn: usize, id: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        push_number(out, id);
        out.push(b',');
        (self.ask)(conn, id, out);
        out.push(b'\n');
    }

    fn reply(&mut self, data: &[u8], id: u64) -> Result<Taken, String> {
        let Some(end) = find_byte(data, b'\n') else {
            return Ok(Taken::More);
        };
        let line = &data[..end];
        if !is_ok(line) {
            if find(line, b"\"event\"").is_some() {
                return Ok(Taken::Push(end + 1));
            }
            return Err(text(line));
        }
        if number_at(line, self.id_at) != Some(id) {
            self.id_at = find(line, b"\"id\"").map_or(0, |at| at + 4);
            if number_at(line, self.id_at) != Some(id) {
                return Err(format!("the reply to request {id} is {}", text(line)));
            }
        }
        Ok(Taken::Reply(end + 1))
    }
}

/// RESP, as Redis speaks it; `ask` appends one whole request. Only simple replies are understood.
pub struct Resp<F> {
    ask: F,
}

impl<F: FnMut(usize, u64, &mut Vec<u8>)> Resp<F> {
    /// Requests as `ask(connection, id, out)` writes them.
    pub fn new(ask: F) -> Self {
        Self { ask }
    }
}

impl<F: FnMut(usize, u64, &mut Vec<u8>)> Protocol for Resp<F> {
    fn request(&mut self, conn: usize, id: u64, out: &mut Vec<u8>) {
        (self.ask)(conn, id, out);
    }

    fn reply(&mut self, data: &[u8], id: u64) -> Result<Taken, String> {
        let Some(end) = find_byte(data, b'\n') else {
            return Ok(Taken::More);
        };
        match data[0] {
            b'+' | b':' => Ok(Taken::Reply(end + 1)),
            _ => Err(format!("the reply to request {id} is {}", text(&data[..end]))),
        }
    }
}

/// One RESP command: its words as bulk strings.
pub fn push_resp(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.push(b'*');
    push_number(out, words.len() as u64);
    out.extend_from_slice(b"\r\n");
    for word in words {
        out.push(b'$');
        push_number(out, word.len() as u64);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends a number in decimal.
pub fn push_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The name of the `n`-th seeded player.
pub fn player(n: u32) -> [u8; 7] {
    let mut name = *b"p000000";
    let mut rest = n;
    for digit in name[1..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    name
}

/// The place of a byte, eight bytes at a time.
pub fn find_byte(data: &[u8], byte: u8) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let pattern = u64::from(byte) * ONES;
    let (chunks, rest) = data.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        let zeroed = u64::from_le_bytes(*chunk) ^ pattern;
        let found = zeroed.wrapping_sub(ONES) & !zeroed & TOPS;
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|b| *b == byte)?;
    Some(chunks.len() * 8 + at)
}

/// The place of a short text.
pub fn find(data: &[u8], text: &[u8]) -> Option<usize> {
    data.windows(text.len()).position(|window| window == text)
}

/// Whether a reply says OK.
pub fn is_ok(line: &[u8]) -> bool {
    if line.starts_with(b"{\"state\": \"OK\"") || line.starts_with(b"{\"state\":\"OK\"") {
        return true;
    }
    // Another order of the keys; rare, so it may cost more.
    find(line, b"\"state\": \"OK\"").is_some() || find(line, b"\"state\":\"OK\"").is_some()
}

/// The number behind a colon and spaces at `at`.
pub fn number_at(line: &[u8], at: usize) -> Option<u64> {
    let rest = line.get(at..)?.strip_prefix(b":")?;
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let digits = rest.iter().take_while(|b| b.is_ascii_digit());
    digits.fold(None, |number, digit| Some(number.unwrap_or(0) * 10 + u64::from(digit - b'0')))
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(300)]).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_replies() {
        let mut json = Json::new(|_, _, out: &mut Vec<u8>| out.extend_from_slice(b"\"cmd\":\"HW\"}"));
        let mut out = Vec::new();
        json.request(0, 7, &mut out);
        assert_eq!(out, b"{\"id\":7,\"cmd\":\"HW\"}\n");

        let reply = b"{\"state\": \"OK\", \"msg\": \"hi\", \"id\": 7}\r\n";
        assert_eq!(json.reply(&reply[..20], 7), Ok(Taken::More));
        assert_eq!(json.reply(reply, 7), Ok(Taken::Reply(reply.len())));
        assert!(json.reply(reply, 8).is_err());
        assert_eq!(json.reply(b"{\"id\":7,\"state\":\"OK\"}\n", 7), Ok(Taken::Reply(22)));
        assert_eq!(json.reply(b"{\"event\": \"notice\"}\n", 7), Ok(Taken::Push(20)));
        assert!(json.reply(b"{\"state\": \"ERROR\", \"id\": 7}\n", 7).is_err());
    }

    #[test]
    fn resp_replies() {
        let mut resp = Resp::new(|_, _, out: &mut Vec<u8>| push_resp(out, &[b"PING"]));
        let mut out = Vec::new();
        resp.request(0, 1, &mut out);
        assert_eq!(out, b"*1\r\n$4\r\nPING\r\n");
        assert_eq!(resp.reply(b"+PON", 1), Ok(Taken::More));
        assert_eq!(resp.reply(b"+PONG\r\n", 1), Ok(Taken::Reply(7)));
        assert!(resp.reply(b"-ERR no\r\n", 1).is_err());
    }

    #[test]
    fn bytes_are_found_everywhere() {
        for length in 0..40 {
            for at in 0..length {
                let mut data = vec![b'a'; length];
                data[at] = b'\n';
                assert_eq!(find_byte(&data, b'\n'), Some(at));
            }
            assert_eq!(find_byte(&vec![0x8a; length], b'\n'), None);
        }
        assert_eq!(&player(42), b"p000042");
    }
}
