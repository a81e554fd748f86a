//! The way from an example to the backend, which a test can cut.

use crate::harness::own_address;
use std::io::{BufRead, BufReader, Write, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// The way from a host to the backend, which can be cut when an answer is about to arrive.
pub struct Way {
    /// Where the host connects to.
    pub at: SocketAddr,
    /// The answer that does not arrive any more.
    lost: Arc<Mutex<Option<String>>>,
    ended: Arc<Mutex<bool>>,
}

impl Way {
    /// To this backend.
    pub fn to(backend: SocketAddr) -> Way {
        let door = TcpListener::bind((own_address(), 0)).expect("a free port");
        let at = door.local_addr().expect("an address");
        let way = Way { at, lost: Arc::default(), ended: Arc::default() };
        let (lost, ended) = (way.lost.clone(), way.ended.clone());
        std::thread::spawn(move || {
            for host in door.incoming().flatten() {
                if *ended.lock().unwrap_or_else(PoisonError::into_inner) {
                    return;
                }
                // Where the backend is not there, the host is turned away as well.
                if let Ok(there) = TcpStream::connect(backend) {
                    Way::carry(host, there, lost.clone());
                }
            }
        });
        way
    }

    fn carry(host: TcpStream, there: TcpStream, lost: Arc<Mutex<Option<String>>>) {
        let (mut asks, mut asked) = (host.try_clone().expect("a socket"), there.try_clone().expect("a socket"));
        std::thread::spawn(move || {
            let _ = copy(&mut asks, &mut asked);
            let _ = asked.shutdown(Shutdown::Both);
        });
        std::thread::spawn(move || {
            let mut answers = BufReader::new(&there);
            let mut line = String::new();
            while answers.read_line(&mut line).is_ok_and(|count| count > 0) {
                let mut lost = lost.lock().unwrap_or_else(PoisonError::into_inner);
                if lost.as_ref().is_some_and(|text| line.contains(text)) {
                    *lost = None;
                    break;
                }
                drop(lost);
                if (&host).write_all(line.as_bytes()).is_err() {
                    break;
                }
                line.clear();
            }
            let _ = (host.shutdown(Shutdown::Both), there.shutdown(Shutdown::Both));
        });
    }

    /// The next answer with this text is given, and never arrives.
    pub fn lose(&self, text: &str) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.to_owned());
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        // So that it looks.
        let _ = TcpStream::connect(self.at);
    }
}
