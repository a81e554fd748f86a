//! Hashing passwords (argon2id) and making keys. The pool's threads run in the handler, behind all others, each with
//! memory of its own that is used again.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use ssmglobal_ipc::Secret;
use ssmglobal_store::{KeptHash, KeyHash, PlayerId};
use subtle::ConstantTimeEq;

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// KiB of memory.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
}

/// Hashing failed for want of memory or of random numbers.
#[derive(Debug)]
pub struct HashError(String);

impl std::fmt::Display for HashError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hashing a password: {}", self.0)
    }
}

impl std::error::Error for HashError {}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError(error.to_string())
}

/// What came of comparing a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// It is another one.
    No,
    /// It is this one.
    Yes,
    /// It is this one, and was hashed at another cost than is asked for now.
    YesButHashAgain,
}

/// A password that is to be compared with what is kept of a player.
#[derive(Debug)]
pub struct Compare {
    /// Whose; nobody's when there is no such player.
    pub player: Option<PlayerId>,
    /// Nothing where it is longer than one may be: it is wrong, and takes the same time.
    pub password: Option<Secret>,
}

/// What is to be done with passwords.
#[derive(Debug, Default)]
pub struct Hashing {
    /// To be compared first.
    pub compare: Option<Compare>,
    /// To be hashed, if what was to be compared is the same.
    pub new: Option<Secret>,
    /// It is a newcomer's: those who have a name go first.
    pub newcomer: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Hashed {
    /// What was to be compared is the same, or nothing was.
    pub good: bool,
    /// Of what was to be hashed; of what was compared, where that was hashed at another cost.
    pub hash: Option<Secret>,
    /// What it was compared with. Whoever decides by it looks whether that is still there.
    pub verified: Option<KeptHash>,
}

/// One thread's hashing, with its memory.
#[derive(Debug)]
pub struct Hasher {
    cost: Cost,
    blocks: Vec<Block>,
}

impl Hasher {
    /// Takes no memory yet.
    pub fn new(cost: Cost) -> Hasher {
        Hasher { cost, blocks: Vec::new() }
    }

    /// From now on hashes cost this.
    pub fn set_cost(&mut self, cost: Cost) {
        if self.cost != cost {
            self.cost = cost;
            self.blocks = Vec::new();
        }
    }

    fn run(&mut self, params: Params, password: &Secret, salt: &[u8], out: &mut [u8]) -> Result<(), HashError> {
        let count = params.block_count();
        if self.blocks.len() < count {
            self.blocks.try_reserve_exact(count - self.blocks.len()).map_err(failed)?;
            self.blocks.resize(count, Block::new());
        }
        let blocks = self.blocks.get_mut(..count).unwrap_or_default();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, out, blocks).map_err(failed)
    }

    fn params(&self) -> Result<Params, HashError> {
        Params::new(self.cost.memory, self.cost.passes, 1, None).map_err(failed)
    }

    /// A new hash in PHC format.
    ///
    /// # Errors
    /// No memory, or no random numbers.
    pub fn hash(&mut self, password: &Secret) -> Result<Secret, HashError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(failed)?;
        let params = self.params()?;
        let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
        self.run(params.clone(), password, &salt, &mut out)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(failed)?,
            salt: Some(Salt::new(&salt).map_err(failed)?),
            hash: Some(Output::new(&out).map_err(failed)?),
        };
        Ok(Secret::new(hash.to_string()))
    }

    /// Compares with a kept hash. Without one (no such player), or without a password that could be one, it takes the same
    /// time and says no: what is hashed then is a text of ours.
    ///
    /// # Errors
    /// No memory, or a kept hash that is none.
    pub fn verify(&mut self, password: Option<&Secret>, kept: Option<&Secret>) -> Result<Match, HashError> {
        let nobodys = Secret::new("nobody's password");
        let given = password.unwrap_or(&nobodys);
        let Some(kept) = kept else {
            let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
            self.run(self.params()?, given, b"nobody's salt...", &mut out)?;
            return Ok(Match::No);
        };
        let kept = PasswordHash::new(kept.expose()).map_err(failed)?;
        let params = Params::try_from(&kept).map_err(failed)?;
        let (Some(salt), Some(expected)) = (kept.salt, kept.hash) else {
            return Err(failed("a kept hash is cut short"));
        };
        let raised = params.m_cost() != self.cost.memory || params.t_cost() != self.cost.passes;
        let mut out = [0; Output::MAX_LENGTH];
        let out = out.get_mut(..expected.len()).unwrap_or_default();
        self.run(params, given, salt.as_ref(), out)?;
        let same = bool::from(expected.as_bytes().ct_eq(out)) && password.is_some();
        Ok(match (same, raised) {
            (false, _) => Match::No,
            (true, false) => Match::Yes,
            (true, true) => Match::YesButHashAgain,
        })
    }
}

/// A new key for a game server: 32 random bytes in hexadecimal.
///
/// # Errors
/// No random numbers.
pub fn new_key() -> Result<Secret, HashError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(failed)?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Secret::new(text))
}

/// What is kept of a key. It is random itself, so a plain digest is as good as a slow one.
pub fn key_hash(key: &Secret) -> KeyHash {
    Blake2b::<U32>::digest(key.expose().trim().as_bytes()).into()
}

/// Bytes of a key, with blanks around it. Ours have 64; what is longer is none, and not looked at.
const LONGEST_KEY: usize = 1024;

/// Compares a key with what is kept, in constant time.
pub fn key_matches(key: &Secret, kept: &KeyHash) -> bool {
    key.expose().len() <= LONGEST_KEY && bool::from(key_hash(key).ct_eq(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory: 64, passes: 1 };

    #[test]
    fn the_right_password_matches_and_no_other() {
        let mut hasher = Hasher::new(CHEAP);
        let kept = hasher.hash(&Secret::new("correct horse")).unwrap();
        assert!(kept.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert_eq!(hasher.verify(Some(&Secret::new("correct horse")), Some(&kept)).unwrap(), Match::Yes);
        assert_eq!(hasher.verify(Some(&Secret::new("correct horsf")), Some(&kept)).unwrap(), Match::No);
        assert_eq!(hasher.verify(Some(&Secret::new("correct horse")), None).unwrap(), Match::No);
    }

    #[test]
    fn what_is_too_long_to_be_a_password_is_wrong_also_where_our_own_text_would_be_right() {
        let mut hasher = Hasher::new(CHEAP);
        let kept = hasher.hash(&Secret::new("nobody's password")).unwrap();
        assert_eq!(hasher.verify(None, Some(&kept)).unwrap(), Match::No);
        assert_eq!(hasher.verify(None, None).unwrap(), Match::No);
        assert_eq!(hasher.verify(Some(&Secret::new("nobody's password")), Some(&kept)).unwrap(), Match::Yes);
    }

    #[test]
    fn a_raised_cost_is_noticed() {
        let kept = Hasher::new(CHEAP).hash(&Secret::new("secret")).unwrap();
        let mut dearer = Hasher::new(Cost { memory: 128, passes: 1 });
        assert_eq!(dearer.verify(Some(&Secret::new("secret")), Some(&kept)).unwrap(), Match::YesButHashAgain);
    }

    #[test]
    fn the_same_password_never_hashes_to_the_same() {
        let mut hasher = Hasher::new(CHEAP);
        let password = Secret::new("secret");
        assert_ne!(hasher.hash(&password).unwrap().expose(), hasher.hash(&password).unwrap().expose());
    }

    #[test]
    fn keys() {
        let key = new_key().unwrap();
        assert_eq!(key.expose().len(), 64);
        assert!(key_matches(&key, &key_hash(&key)));
        assert!(!key_matches(&new_key().unwrap(), &key_hash(&key)));
        let long = Secret::new("k".repeat(LONGEST_KEY + 1));
        assert!(!key_matches(&long, &key_hash(&long)));
    }
}
