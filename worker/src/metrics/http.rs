//! The little of HTTP that the metrics' door speaks: a head in, an answer out, and the connection ends. Pure. Used in a worker.

/// Bytes of a head: of a request's first line and its fields.
pub const LONGEST: usize = 8 << 10;

/// Fields of a head that are told apart.
const FIELDS: usize = 64;

/// Fields that say that a body follows.
const BODY: [&str; 2] = ["content-length", "transfer-encoding"];

/// OpenMetrics: what Prometheus prefers, and the newer form of its own text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const PLAIN: &str = "text/plain; charset=utf-8";

/// What there is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// `/metrics`: all numbers.
    Metrics,
    /// `/healthz`: whether all is well.
    Health,
}

/// What a client has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// It wants a page; of an answer to HEAD only the head.
    Asks {
        /// Which one.
        page: Page,
        /// Not only the head.
        with_body: bool,
    },
    /// Something that is not done.
    Wrong(Answer),
    /// Nothing.
    Nothing,
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: &'static str,
    kind: &'static str,
    /// Further fields, each ended.
    fields: &'static str,
    body: String,
}

impl Answer {
    fn plain(status: &'static str, body: &str) -> Answer {
        Answer { status, kind: PLAIN, fields: "", body: format!("{body}\n") }
    }

    /// All is well.
    pub fn healthy() -> Answer {
        Answer::plain("200 OK", "ok")
    }

    /// The numbers.
    pub fn metrics(text: String) -> Answer {
        Answer { status: "200 OK", kind: OPEN_METRICS, fields: "", body: text }
    }

    /// Something is not well.
    pub fn unavailable(why: &str) -> Answer {
        Answer::plain("503 Service Unavailable", why)
    }

    /// Its head has not come in time.
    pub fn too_slow() -> Answer {
        Answer::plain("408 Request Timeout", "what you want has not come in time")
    }

    fn bad(why: &str) -> Answer {
        Answer::plain("400 Bad Request", why)
    }

    /// As it goes over the wire; the body is left out where only the head is wanted.
    pub fn bytes(&self, with_body: bool) -> Vec<u8> {
        let Answer { status, kind, fields, body } = self;
        let mut text = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             {fields}Connection: close\r\n\r\n",
            body.len()
        );
        if with_body {
            text.push_str(body);
        }
        text.into_bytes()
    }
}

/// Reads a head, and says whether there is more than that, or will be. Nothing when it is not whole yet.
pub fn read(bytes: &[u8]) -> Option<(Head, bool)> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let wrong = |answer| Some((Head::Wrong(answer), true));
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(used)) => {
            let has_body =
                request.headers.iter().any(|field| BODY.iter().any(|name| field.name.eq_ignore_ascii_case(name)));
            Some((asked(&request), has_body || used < bytes.len()))
        }
        Ok(httparse::Status::Partial) if bytes.len() < LONGEST => None,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            wrong(Answer::plain("431 Request Header Fields Too Large", "the head of your request is too long"))
        }
        Err(httparse::Error::Version) => {
            wrong(Answer::plain("505 HTTP Version Not Supported", "HTTP/1.0 and HTTP/1.1 are spoken here"))
        }
        Err(_) => wrong(Answer::bad("this is no HTTP")),
    }
}

/// The client has ended what it says; `bytes` are not whole.
pub fn ended(bytes: &[u8]) -> Head {
    if bytes.is_empty() { Head::Nothing } else { Head::Wrong(Answer::bad("your request is not whole")) }
}

fn asked(request: &httparse::Request<'_, '_>) -> Head {
    let (method, target) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
    // RFC 9112: exactly one, from whoever speaks HTTP/1.1.
    let hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host")).count();
    if hosts > 1 || hosts == 0 && request.version == Some(1) {
        return Head::Wrong(Answer::bad("one field Host is wanted"));
    }
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    // What proxies ask for.
    let path = match path.strip_prefix("http://") {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => path,
    };
    let page = match path {
        "/metrics" => Page::Metrics,
        "/healthz" => Page::Health,
        _ => return Head::Wrong(Answer::plain("404 Not Found", "there are /metrics and /healthz")),
    };
    match method {
        "GET" | "HEAD" => Head::Asks { page, with_body: method == "GET" },
        _ => {
            let answer = Answer::plain("405 Method Not Allowed", "only GET and HEAD are done here");
            Head::Wrong(Answer { fields: "Allow: GET, HEAD\r\n", ..answer })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GET: Head = Head::Asks { page: Page::Metrics, with_body: true };

    fn status(text: &str) -> String {
        match read(text.as_bytes()) {
            Some((Head::Wrong(answer), _)) => answer.status[..3].to_owned(),
            Some((Head::Asks { page, with_body }, false)) => format!("{page:?} {with_body}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_programs_ask_for_is_understood() {
        for (text, expected) in [
            ("GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n", "Metrics true"),
            ("HEAD /healthz HTTP/1.1\r\nhOST: a\r\n\r\n", "Health false"),
            ("GET /metrics HTTP/1.0\r\n\r\n", "Metrics true"),
            ("GET /metrics?name[]=up HTTP/1.0\r\n\r\n", "Metrics true"),
            ("GET http://a:9464/healthz HTTP/1.1\r\nHost: a\r\n\r\n", "Health true"),
            // By hand, with nc.
            ("GET /metrics HTTP/1.0\n\n", "Metrics true"),
            ("\r\nGET /metrics HTTP/1.0\r\n\r\n", "Metrics true"),
        ] {
            assert_eq!(status(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_done_is_refused_with_the_status_that_says_why() {
        let long = format!("GET /metrics HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(LONGEST));
        let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(FIELDS + 1));
        for (text, expected) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
            ("GET /metrics/ HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
            ("GET /../metrics HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
            ("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
            ("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n", "405"),
            ("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
            ("GET /metrics HTTP/1.1\r\n\r\n", "400"),
            ("GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
            ("GET /metrics\r\n\r\n", "400"),
            ("MODE HUMAN\r\n\r\n", "400"),
            ("\x16\x03\x01\x02\0\x01\0\x01\u{fc}", "400"),
            ("GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n", "505"),
            (&long, "431"),
            (&many, "431"),
        ] {
            assert_eq!(status(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_answer_tells_its_length_and_that_it_is_the_last() {
        let answer = Answer::unavailable("the handler does not answer");
        let text = String::from_utf8(answer.bytes(true)).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("\r\nConnection: close"), "{head}");
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
        assert_eq!(String::from_utf8(answer.bytes(false)).unwrap(), format!("{head}\r\n\r\n"));
    }

    #[test]
    fn that_there_is_more_than_a_head_is_noticed() {
        for (rest, more) in [("\r\n", false), ("\r\nGET", true), ("Content-Length: 9\r\n\r\n", true)] {
            let text = format!("GET /metrics HTTP/1.1\r\nHost: a\r\n{rest}");
            assert_eq!(read(text.as_bytes()), Some((GET, more)), "{text:?}");
        }
    }

    #[test]
    fn who_says_nothing_or_half_of_it_is_told_so() {
        assert_eq!(ended(b""), Head::Nothing);
        assert!(matches!(ended(b"GET /met"), Head::Wrong(answer) if answer.status.starts_with("400")));
    }

    proptest! {
        #[test]
        fn a_head_is_whole_when_it_is_and_not_before(cut in 0usize..46) {
            let text = b"GET /metrics HTTP/1.1\r\nHost: localhost:9464\r\n\r\n";
            prop_assert_eq!(read(&text[..cut]), None);
            prop_assert_eq!(read(text), Some((GET, false)));
        }

        #[test]
        fn anything_has_an_answer_or_wants_more(bytes in prop::collection::vec(any::<u8>(), 0..LONGEST + 1)) {
            let head = read(&bytes);
            prop_assert!(head.is_some() || bytes.len() < LONGEST);
        }
    }
}
