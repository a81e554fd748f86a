//! How many keys somebody may have. What keys do is told in the writer's tests.

use super::*;
use crate::testing::{Model, server};
use crate::work::change::refuse;
use ssmglobal_ipc::{Done, Welcome};
use ssmglobal_store::{PlayerId, ServerId};

const STAMP: Stamp = Stamp { now: Time(5) };

/// Is done, or refused.
struct Change(bool);

impl Decide for Change {
    fn decide(&self, _: &mut dyn Facts, _: Stamp) -> std::result::Result<Decided, Refusal> {
        match self.0 {
            true => Ok(Decided::new(Vec::new(), Reply::Done(Done {}))),
            false => refuse(Code::Denied, "No."),
        }
    }
}

fn key(owner: impl Into<Principal>) -> ClientKey {
    ClientKey { owner: owner.into(), key: "k".into(), digest: [1; 32] }
}

/// The code of a refusal.
fn decide(keys: &mut Keys, key: &ClientKey, done: bool) -> Option<Code> {
    match keys.decide(key, None, &Change(done), &mut Model::of([server(1, "arena")]), STAMP) {
        Ok(decided) => {
            let kept = Keyed { digest: key.digest, at: STAMP.now, answer: answer_put(&Reply::Done(Done {})) };
            assert_eq!(decided.rows, [Row::Keyed { owner: key.owner, key: "k".into(), kept }]);
            None
        }
        Err(Refusal::Failure(failure)) => Some(failure.code),
        Err(Refusal::Store(error)) => panic!("{error}"),
    }
}

fn with(owner: impl Into<Principal>, count: u32) -> Keys {
    Keys { counts: [(owner.into(), count)].into_iter().collect(), ..Keys::default() }
}

#[test]
fn somebody_has_so_many_keys_and_no_more() {
    let mine = key(PlayerId(1));
    let mut keys = with(PlayerId(1), KEYS - 2);
    assert_eq!(decide(&mut keys, &mine, true), None);
    assert_eq!(decide(&mut keys, &mine, false), Some(Code::Denied), "what was refused takes none");
    assert_eq!(decide(&mut keys, &mine, true), None);
    assert_eq!(decide(&mut keys, &mine, true), Some(Code::Limit), "those of the running transaction count");
    assert_eq!(decide(&mut keys, &key(ServerId(1)), true), None, "a game server of the same number is another");
    keys.committed();
    assert_eq!((keys.counts[&mine.owner], keys.counts[&Principal::from(ServerId(1))]), (KEYS, 1));
    assert_eq!(decide(&mut keys, &mine, true), Some(Code::Limit));
    // What is known is answered all the same.
    let kept = Keyed { digest: [1; 32], at: Time(1), answer: answer_put(&Reply::Welcome(Welcome { session: 7 })) };
    let known = keys.decide(&mine, Some(kept), &Change(true), &mut Model::default(), STAMP).unwrap();
    assert_eq!(known, Decided::new(Vec::new(), Reply::Welcome(Welcome { session: 7 })));
}

#[test]
fn keys_of_a_game_server_go_with_it() {
    let mut keys = with(ServerId(2), 5);
    assert_eq!(decide(&mut keys, &key(ServerId(2)), true), Some(Code::Denied), "it is not there any more");
    keys.note(&Row::ServerGone { server: ServerId(2) });
    keys.clear();
    keys.committed();
    assert_eq!(keys.counts[&Principal::from(ServerId(2))], 5, "the transaction was given up");
    keys.note(&Row::ServerGone { server: ServerId(2) });
    keys.committed();
    assert_eq!(keys.counts(), []);
}

#[test]
fn a_transaction_that_was_given_up_uses_and_forgets_no_keys() {
    let mine = key(PlayerId(1));
    let mut keys = with(PlayerId(1), KEYS - 1);
    assert_eq!(decide(&mut keys, &mine, true), None);
    keys.less.push(mine.owner);
    keys.clear();
    keys.committed();
    assert_eq!(keys.counts[&mine.owner], KEYS - 1);
    keys.less.push(mine.owner);
    keys.committed();
    assert_eq!(keys.counts[&mine.owner], KEYS - 2);
}
