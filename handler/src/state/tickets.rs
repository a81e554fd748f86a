//! Tickets: by them a worker proves to a further handler whose session it has. Used by the event loop.
//!
//! A ticket is what it says, in postcard, and behind it a MAC under a key that only the handlers of this run have. It holds
//! for one session, and which worker has that session is the listener's word: somebody else's ticket is worth nothing.

use super::plays::word;
use super::session::Proof;
use blake2::Blake2sMac256;
use blake2::digest::{KeyInit, Mac};
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Secret, Ticket, Time, growing};
use ssmglobal_store::{Principal, RunKey};

/// Bytes of a MAC.
const TAG: usize = 32;

/// What a ticket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Who the session is, and under which epoch he has proved it; nobody when it has not proved to be anybody.
    pub who: Option<Proof>,
    /// When that was proved.
    pub proved: Time,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Said {
    session: u64,
    who: Option<Principal>,
    proved: Time,
}

/// What it has gained since.
#[derive(Default, Serialize, Deserialize)]
struct Further {
    epoch: u32,
}

/// Makes and reads tickets.
pub struct Tickets {
    key: RunKey,
}

impl Tickets {
    /// With this run's key.
    pub fn new(key: RunKey) -> Tickets {
        Tickets { key }
    }

    /// A ticket for a session.
    pub fn seal(&self, session: u64, who: Option<Proof>, proved: Time) -> Ticket {
        let mut bytes = Vec::new();
        let epoch = who.map_or(0, |proof| proof.epoch);
        let who = who.map(|proof| proof.who);
        growing::put_with(&mut bytes, &Said { session, who, proved }, &Further { epoch });
        if let Some(mac) = self.mac(&bytes) {
            bytes.extend_from_slice(&mac.finalize().into_bytes());
        }
        Ticket::new(bytes)
    }

    /// What a ticket says, if it is one of this run's and for this session.
    pub fn open(&self, ticket: &Ticket, session: u64) -> Option<Sealed> {
        let sealed = ticket.sealed();
        let (said, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
        self.mac(said)?.verify_slice(tag).ok()?;
        let (said, Further { epoch }) = growing::get_with::<Said, Further>(said).ok()?;
        let who = said.who.map(|who| Proof { who, epoch });
        (said.session == session).then_some(Sealed { who, proved: said.proved })
    }

    /// The word by which the player of a session goes on with what he plays in a world, from another connection. It proves too that
    /// the session has played there: nobody else can know it, and it need not be kept.
    pub fn word(&self, session: u64, world: &str) -> Option<Secret> {
        let said = [b"play\0".as_slice(), &session.to_le_bytes(), world.as_bytes()].concat();
        let mac = self.mac(&said)?.finalize().into_bytes();
        Some(word(mac.first_chunk()?))
    }

    fn mac(&self, bytes: &[u8]) -> Option<Blake2sMac256> {
        // Refused only for another length of key.
        Some(Blake2sMac256::new_from_slice(&self.key.0).ok()?.chain_update(bytes))
    }
}

/// A new run's key.
///
/// # Errors
/// No random numbers.
pub fn new_key() -> Result<RunKey, getrandom::Error> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    Ok(RunKey(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_store::PlayerId;

    #[test]
    fn a_ticket_is_good_for_its_session_and_run_and_as_it_is() {
        let tickets = Tickets::new(RunKey([7; 32]));
        let bob = Some(Proof { who: PlayerId(5).into(), epoch: 300 });
        let ticket = tickets.seal(300, bob, Time(9));
        let sealed = Sealed { who: bob, proved: Time(9) };
        assert_eq!(tickets.open(&ticket, 300), Some(sealed));
        assert_eq!(tickets.open(&ticket, 301), None);
        assert_eq!(Tickets::new(RunKey([8; 32])).open(&ticket, 300), None);
        for place in 0..ticket.sealed().len() {
            let mut bytes = ticket.sealed().to_vec();
            bytes[place] ^= 1;
            assert_eq!(tickets.open(&Ticket::new(bytes), 300), None, "byte {place}");
        }
        for length in 0..ticket.sealed().len() {
            assert_eq!(tickets.open(&Ticket::new(ticket.sealed()[..length].to_vec()), 300), None);
        }
        let nobody = tickets.seal(300, None, Time(0));
        assert_eq!(tickets.open(&nobody, 300).map(|sealed| sealed.who), Some(None));
    }
}
