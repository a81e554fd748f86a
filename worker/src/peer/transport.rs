//! How bytes travel between socket and speech. Runs in a worker; pure.

use super::layer::{Layer, Opened};
use serde::{Deserialize, Serialize};

/// How they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transport {
    /// As they are, over TCP.
    #[default]
    Plain,
}

impl Layer for Transport {
    type Up = Vec<u8>;
    type Found = ();

    fn open(&mut self, input: &mut &[u8], up: &mut Vec<u8>, _out: &mut Vec<u8>) -> Opened {
        let Transport::Plain = self;
        let all = std::mem::take(input);
        up.extend_from_slice(all);
        if all.is_empty() { Opened::More } else { Opened::Data(()) }
    }

    fn seal(&mut self, _out: &mut Vec<u8>, _from: usize) {
        let Transport::Plain = self;
    }

    fn close(&mut self, _out: &mut Vec<u8>) {
        // The end of a TCP connection is the socket's to say.
        let Transport::Plain = self;
    }

    fn is_quiet(&self) -> bool {
        let Transport::Plain = self;
        true
    }
}
