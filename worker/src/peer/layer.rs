//! What the layers of a connection have in common. Runs in a worker; pure.
//!
//! A layer is a state machine without I/O. What comes from below it [opens](Layer::open), what goes down it
//! [seals](Layer::seal). All that it knows is one value that can be put away and gone on with: by another process, at any
//! byte. What it holds has a bound.

use serde::{Serialize, de::DeserializeOwned};

/// What a layer has made of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened<Found = ()> {
    /// Something for the layer above. There may be more in the input.
    Data(Found),
    /// A message is over, for a layer that has messages: a line may do without its end there.
    End,
    /// The input is used up.
    More,
    /// The other side has said that it is done. Nothing behind it is read.
    Closed,
    /// What came cannot be understood. Nothing behind it is read.
    Broken,
}

/// One layer.
pub trait Layer: Serialize + DeserializeOwned {
    /// Where it puts what it has opened.
    type Up;
    /// What it says of that.
    type Found;

    /// Takes from `input` what it uses, appends what is for the layer above to `up`, and what it has to answer by itself
    /// to `out`.
    fn open(&mut self, input: &mut &[u8], up: &mut Self::Up, out: &mut Vec<u8>) -> Opened<Self::Found>;

    /// What stands in `out` from `from` on is of the layer above, and becomes what goes to the one below; in its place,
    /// so that a layer that changes nothing costs nothing.
    fn seal(&mut self, out: &mut Vec<u8>, from: usize);

    /// Says that nothing more comes from this side, where the layer has words for that.
    fn close(&mut self, out: &mut Vec<u8>);

    /// Whether nothing was begun that only this process can go on with.
    fn is_quiet(&self) -> bool;
}
