//! A sequence of changes of all kinds comes to the same however it is cut into batches, and whatever is done again: the
//! same state, the same answers, letter for letter, and the same as plain models say.

mod run;
mod state;
mod steps;
mod world;

use super::*;
use crate::capability::boards::DefineBoard;
use crate::capability::records::{RecordChange, Submit};
use crate::lock::read;
use crate::state::journal::ClientKey;
use crate::state::memory::Memory;
use crate::state::names;
use crate::testing::{KINDS, board, set_now};
use crate::work::change::Facts;
use blake2::{Blake2s256, Digest};
use proptest::prelude::*;
use run::Run;
use ssmglobal_ipc::{RecordSubmitted, Secret};
use ssmglobal_store::{BoardId, NewLetter};
use state::{State, Wanted};
use std::collections::{BTreeMap, HashSet};
use steps::{Asked, Cut, Known, Luck};
use world::{Came, Job, World};

/// Sessions that ask at a time.
const SESSIONS: u8 = 3;

/// Boards that there are from the beginning: few, so that scores meet.
const FIRST: usize = 3;

/// Names of boards, one more than there may be.
const BOARDS: usize = FIRST + 2;

/// Who waits for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Session,
    Operator,
    Nobody,
}

/// Phases of a sequence, each with the time at which it is done.
struct Sequence {
    phases: Vec<(Time, Vec<(Job, Came)>)>,
    world: World,
    keys: Vec<ClientKey>,
    ended: HashSet<u64>,
}

/// Which session there is in each place: the next one when one has ended.
struct Sessions([u64; SESSIONS as usize]);

impl Sessions {
    fn at(&self, place: u8) -> u64 {
        self.0[usize::from(place)]
    }

    /// Gives the one that has ended.
    fn end(&mut self, place: u8) -> u64 {
        let session = self.at(place);
        self.0[usize::from(place)] += u64::from(SESSIONS);
        session
    }
}

fn digest(change: &Change) -> [u8; 32] {
    Blake2s256::digest(format!("{change:?}")).into()
}

/// Boards of these kinds, and some to ask.
fn first(kinds: [usize; FIRST]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for (index, (operator, better)) in kinds.map(|kind| KINDS[kind]).into_iter().enumerate() {
        changes.push(DefineBoard { board: board(0, &format!("Board{index}"), operator, better), most: BOARDS }.into());
    }
    for name in ["alice", "Bob", "carol", "Zoë"] {
        let (name, hash) = (names::check(name, 2, 20).unwrap().into(), Secret::new("right"));
        changes.push(crate::capability::players::Register { name, hash, email: None, from: None, is_in: true }.into());
    }
    for name in ["Arena", "castle"] {
        let key = crate::work::passwords::key_hash(&Secret::new("right"));
        changes.push(crate::capability::servers::Add { name: names::Name::of_server(name).into(), key }.into());
    }
    changes
}

impl Sequence {
    /// What everything comes to, one after the other, by the models.
    fn of(kinds: [usize; FIRST], phases: &[Vec<Asked>]) -> Sequence {
        let (phases_of, world, ended) = (Vec::new(), World::new(), HashSet::new());
        let mut sequence = Sequence { phases: phases_of, world, keys: Vec::new(), ended };
        let by = By::Operator;
        let of = |change| Job { session: 0, acknowledges: false, ends: None, change, by, key: None };
        sequence.phase(first(kinds).into_iter().map(of));
        let mut sessions = Sessions([1, 2, 3]);
        let mut keyed: Vec<Job> = Vec::new();
        for phase in phases {
            let known = Known::of(&sequence.world.model);
            let jobs: Vec<Job> = phase
                .iter()
                .map(|asked| {
                    let ends = asked.ends.then(|| sessions.end(asked.session));
                    let (session, acknowledges) = (sessions.at(asked.session), asked.acknowledges);
                    let again = asked.repeats.filter(|_| !keyed.is_empty());
                    if let Some(again) = again {
                        let Job { change, by, key, .. } = keyed[usize::from(again) % keyed.len()].clone();
                        return Job { session, acknowledges, ends, change, by, key };
                    }
                    let (change, by, owner) = known.resolve(&asked.step);
                    // Who waits for nothing has a key, or would not be here.
                    let name = asked.key.or((by == By::Nobody).then_some(9)).map(|key| format!("k{key}"));
                    let key = owner.zip(name).map(|(owner, key)| ClientKey { owner, key, digest: digest(&change) });
                    let job = Job { session, acknowledges, ends, change, by, key };
                    keyed.extend(job.key.is_some().then(|| job.clone()));
                    job
                })
                .collect();
            sequence.ended.extend(jobs.iter().filter_map(|job| job.ends));
            sequence.phase(jobs.into_iter());
        }
        sequence.keys = keyed.into_iter().filter_map(|job| job.key).collect();
        sequence
    }

    fn phase(&mut self, jobs: impl Iterator<Item = Job>) {
        let at = Time(1_000 * (self.phases.len() as i64 + 1));
        set_now(at);
        let world = &mut self.world;
        let came = jobs.map(|job| {
            let came = world.ask(&job);
            (job, came)
        });
        let came = came.collect();
        self.phases.push((at, came));
    }

    /// Over a real store, in these batches.
    fn run(&self, cuts: &[Cut]) -> State {
        let (mut run, mut cuts) = (Run::new(&self.world), cuts.iter().copied().cycle());
        for (at, jobs) in &self.phases {
            run.phase(*at, jobs, &mut cuts);
        }
        run.end(&self.keys, &self.ended)
    }
}

proptest! {
    // Every case has two databases of its own, on a disk.
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sequence_comes_to_the_same_however_it_is_cut(
        kinds in [0..KINDS.len(), 0..KINDS.len(), 0..KINDS.len()],
        phases in steps::phases(),
        cuts in steps::cuts(),
    ) {
        let sequence = Sequence::of(kinds, &phases);
        let (model, keys) = (&sequence.world.model, &sequence.keys[..]);
        let expected = Wanted { model, keys }.in_model(&sequence.world.keyed);
        let one_by_one = sequence.run(&[Cut { length: 1, luck: Luck::Good, delivered: true }]);
        prop_assert_eq!(&one_by_one, &expected);
        prop_assert_eq!(&sequence.run(&cuts), &expected);
    }
}
