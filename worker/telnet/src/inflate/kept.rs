//! How an [`Inflater`] is put away: what RFC 1950 and 1951 speak of, and nothing of the library, which may be another one in the
//! program that goes on. Runs in the worker.

use miniz_oxide::inflate::core::{BlockBoundaryState, DecompressorOxide};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::since::{INPUT, OUTPUT};
use super::{Inflated, Inflater, Place, WINDOW};

/// Bytes that are made again at once.
const AGAIN: usize = 16 * 1024;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    place: KeptPlace,
    /// The last bytes that were read up to there, at most 32 KiB.
    window: Vec<u8>,
}

#[derive(Default, Serialize, Deserialize)]
enum KeptPlace {
    #[default]
    Begin,
    Between(Boundary),
    Ended,
    Damaged,
    /// A program that does not know it must not read on as if nothing had come: a name that is new is refused.
    Within {
        /// Where the block begins. None at the beginning of the stream.
        boundary: Option<Boundary>,
        /// What has come of it.
        #[serde(with = "crate::packed")]
        input: Vec<u8>,
        /// How many bytes of what becomes of that were handed out.
        passed: usize,
    },
}

/// Where one block ends and the next begins.
#[derive(Serialize, Deserialize)]
struct Boundary {
    /// Bits of the last byte that belong to the next block.
    bits: u8,
    buffer: u8,
    /// The two bytes that the stream has begun with.
    header: [u32; 2],
    /// The check sum so far.
    sum: u32,
}

impl From<&BlockBoundaryState> for Boundary {
    fn from(state: &BlockBoundaryState) -> Self {
        let header = [state.z_header0, state.z_header1];
        Self { bits: state.num_bits, buffer: state.bit_buf, header, sum: state.check_adler32 }
    }
}

impl Boundary {
    fn state(&self) -> BlockBoundaryState {
        let [z_header0, z_header1] = self.header;
        BlockBoundaryState { num_bits: self.bits, bit_buf: self.buffer, z_header0, z_header1, check_adler32: self.sum }
    }
}

impl Inflater {
    fn put_away(&self) -> Kept {
        let nothing_open = self.place == Place::Between && self.again.is_empty();
        let boundary = self.since.boundary.as_ref().map(Boundary::from);
        let place = match (self.place, boundary) {
            (Place::Ended, _) => KeptPlace::Ended,
            (Place::Damaged, _) => KeptPlace::Damaged,
            (Place::Between | Place::Within, _) if !self.since.is_kept() => KeptPlace::Damaged,
            (_, None) if nothing_open => KeptPlace::Begin,
            (_, Some(boundary)) if nothing_open => KeptPlace::Between(boundary),
            (_, boundary) => {
                let input = [&self.since.input[..], &self.again].concat();
                KeptPlace::Within { boundary, input, passed: self.since.passed }
            }
        };
        let window = match place {
            KeptPlace::Between(_) | KeptPlace::Within { boundary: Some(_), .. } => {
                self.since.window_before(&self.window, self.at)
            }
            _ => Vec::new(),
        };
        Kept { place, window }
    }

    /// One that is where a block begins.
    fn at_boundary(boundary: &Boundary, mut window: Vec<u8>) -> Self {
        let mut inflater = Self { begun: true, ..Self::new() };
        if boundary.bits >= 8 || window.len() > WINDOW {
            inflater.place = Place::Damaged;
            return inflater;
        }
        let state = boundary.state();
        *inflater.machine = DecompressorOxide::from_block_boundary_state(&state);
        inflater.full = window.len() == WINDOW;
        inflater.at = window.len() % WINDOW;
        window.resize(WINDOW, 0);
        inflater.window = window;
        inflater.since.begins_at(Some(state), inflater.full);
        inflater
    }

    /// Reads what was read before, and passes over what was made of it.
    fn read_again(&mut self, input: Vec<u8>, passed: usize) {
        if input.len() > INPUT || passed > OUTPUT {
            self.place = Place::Damaged;
            return;
        }
        let (mut left, mut out, mut to_pass) = (input.as_slice(), Vec::new(), passed);
        while to_pass > 0 {
            out.clear();
            let inflated = self.inflate(&mut left, &mut out, to_pass.min(AGAIN));
            to_pass -= out.len();
            if inflated != Ok(Inflated::More) && to_pass > 0 {
                // So much has never come of it.
                self.place = Place::Damaged;
                return;
            }
        }
        self.again = left.to_vec();
    }
}

impl From<Kept> for Inflater {
    fn from(Kept { place, window }: Kept) -> Self {
        let at = |place| Self { place, begun: true, ..Self::new() };
        match place {
            KeptPlace::Begin => Self::new(),
            KeptPlace::Between(boundary) => Self::at_boundary(&boundary, window),
            KeptPlace::Ended => at(Place::Ended),
            KeptPlace::Damaged => at(Place::Damaged),
            KeptPlace::Within { boundary, input, passed } => {
                let mut inflater = match boundary {
                    Some(boundary) => Self::at_boundary(&boundary, window),
                    None => Self::new(),
                };
                inflater.read_again(input, passed);
                inflater
            }
        }
    }
}

impl Serialize for Inflater {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.put_away().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Inflater {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Kept::deserialize(deserializer)?.into())
    }
}
