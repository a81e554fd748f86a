//! Batches, with changes that do what they are told.

use super::*;
use crate::lock::lock;
use crate::state::journal::ClientKey;
use crate::state::news::News;
use crate::state::session::Proof;
use crate::testing::{Bench, now, player, set_now};
use crate::work::change::{Facts, refuse};
use ssmglobal_ipc::{Done, Time, Welcome};
use ssmglobal_store::{NewLetter, PlayerId, Principal};

const ALICE: PlayerId = PlayerId(1);
const BOB: PlayerId = PlayerId(2);

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Writes these rows and answers with this number, or does not.
#[derive(Clone, Debug)]
enum Change {
    Put(Vec<Row>, u64),
    Proves(PlayerId, Vec<Row>),
    Refuse(Code),
    /// The database fails meanwhile.
    Fail,
}

use Change::{Fail, Proves, Put, Refuse};

fn proof(who: PlayerId) -> Proof {
    Proof { who: who.into(), epoch: 7 }
}

fn reply(number: u64) -> Reply {
    Reply::Welcome(Welcome { session: number })
}

impl Decide for Change {
    fn decide(&self, _: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        match self.clone() {
            Put(rows, number) => Ok(Decided::new(rows, reply(number))),
            Proves(who, rows) => Ok(Decided { rows, reply: Reply::Done(Done {}), proves: Some(proof(who)) }),
            Refuse(code) => refuse(code, "No."),
            Fail => Err(StoreError::Other("broken".into()).into()),
        }
    }
}

fn other() -> StoreError {
    StoreError::Other("no luck".into())
}

fn full() -> StoreError {
    StoreError::Unavailable("no room".into())
}

/// A letter that no database takes: there is no such receiver.
fn misdirected() -> Row {
    Row::Letter(NewLetter {
        from: ALICE.into(),
        from_number: 1,
        in_sent: true,
        let_go: 0,
        to: PlayerId(77),
        to_number: 1,
        unread: 1,
        subject: String::new(),
        body: String::new(),
        at: Time(0),
    })
}

fn disabled(player: PlayerId, reason: Option<&str>) -> Row {
    Row::PlayerDisabled { player, reason: reason.map(str::to_owned) }
}

/// With Alice and Bob.
fn bench() -> Bench<Change> {
    let mut bench = Bench::new();
    assert_eq!(ask(&mut bench, [Put(vec![player(1, "alice"), player(2, "bob")], 0)]), [Ok(0)]);
    bench
}

/// What became of a change: its number, or why it was refused.
fn short(reply: Reply) -> Result<u64, Code> {
    match reply {
        Reply::Welcome(welcome) => Ok(welcome.session),
        Reply::Failed(failure) => Err(failure.code),
        reply => panic!("{reply:?}"),
    }
}

/// One batch of the first session.
fn ask<const N: usize>(bench: &mut Bench<Change>, changes: [Change; N]) -> Vec<Result<u64, Code>> {
    let jobs = changes.map(|change| bench.ask(1, change));
    bench.commit(&jobs).0.iter().map(|said| short(said.reply())).collect()
}

fn players(bench: &Bench<Change>) -> u64 {
    bench.check_memory();
    bench.store.reader().unwrap().player_count().unwrap()
}

fn is_writable(bench: &Bench<Change>) -> bool {
    bench.shared.writable.load(Ordering::Relaxed)
}

fn commits(bench: &Bench<Change>) -> u64 {
    bench.shared.commits.load(Ordering::Relaxed)
}

/// What a session's request came to, as it is kept.
fn kept(bench: &Bench<Change>, session: u64, number: u64) -> Option<Result<u64, Code>> {
    lock(&bench.shared.kept).find(session, number).map(|kept| short(unpacked(kept.kind, &kept.payload)))
}

#[test]
fn a_refusal_hinders_nobody() {
    let mut bench = bench();
    let changes = [Put(vec![player(3, "carol")], 3), Refuse(Code::Limit), Put(vec![player(4, "dave")], 4)];
    assert_eq!(ask(&mut bench, changes), [Ok(3), Err(Code::Limit), Ok(4)]);
    assert_eq!((players(&bench), commits(&bench)), (4, 2));
}

#[test]
fn a_transaction_that_has_failed_is_done_once_more() {
    let mut bench = bench();
    bench.fail([other()]);
    assert_eq!(ask(&mut bench, [Put(vec![player(3, "carol")], 3), Refuse(Code::Denied)]), [Ok(3), Err(Code::Denied)]);
    assert_eq!((players(&bench), commits(&bench)), (3, 2));
    assert_eq!((kept(&bench, 1, 2), kept(&bench, 1, 3)), (Some(Ok(3)), Some(Err(Code::Denied))));
}

#[test]
fn a_transaction_that_has_failed_twice_is_done_piece_by_piece() {
    let mut bench = bench();
    bench.fail([other(), other()]);
    assert_eq!(ask(&mut bench, [Put(vec![player(3, "carol")], 3), Put(vec![player(4, "dave")], 4)]), [Ok(3), Ok(4)]);
    assert_eq!((players(&bench), commits(&bench)), (4, 3));
    // One job alone has no pieces.
    bench.fail([other(), other()]);
    assert_eq!(ask(&mut bench, [Put(vec![player(5, "eve")], 5)]), [Err(Code::Unavailable)]);
    assert_eq!((players(&bench), commits(&bench)), (4, 3));
}

#[test]
fn only_what_cannot_be_written_fails() {
    let mut bench = bench();
    let changes = [Put(vec![player(3, "carol")], 3), Put(vec![player(5, "eve"), misdirected()], 0), Fail];
    assert_eq!(ask(&mut bench, changes), [Ok(3), Err(Code::Unavailable), Err(Code::Unavailable)]);
    assert_eq!(players(&bench), 3, "what could have been written of it was not either");
    assert_eq!(ask(&mut bench, [Put(vec![player(4, "dave")], 4)]), [Ok(4)]);
    assert!(is_writable(&bench));
    // It may be asked again, under the same number.
    assert_eq!((kept(&bench, 1, 2), kept(&bench, 1, 3), kept(&bench, 1, 4)), (Some(Ok(3)), None, None));
}

#[test]
fn on_a_full_disk_nothing_is_changed_and_all_are_told_so_at_once() {
    let mut bench = bench();
    bench.fail([full()]);
    let changes = || [Put(vec![player(3, "carol"), disabled(ALICE, Some("spam"))], 3), Refuse(Code::Denied)];
    let jobs = changes().map(|change| bench.ask(1, change));
    let (said, left) = bench.commit(&jobs);
    assert!(said.iter().all(|said| short(said.reply()) == Err(Code::Unavailable)) && said.len() == 2);
    assert!(left.is_empty(), "{left:?}");
    assert!(!is_writable(&bench));
    assert_eq!((players(&bench), kept(&bench, 1, 2)), (2, None));
    assert_eq!(ask(&mut bench, changes()), [Ok(3), Err(Code::Denied)]);
    assert!(is_writable(&bench));
    assert_eq!(players(&bench), 3);
}

#[test]
fn that_a_login_is_counted_is_news_and_that_it_cannot_be_is_told() {
    let (mut bench, since) = (bench(), Time(9));
    let job = || {
        let change = Put(vec![Row::PlayerLasted { player: ALICE, lasted: 5, session: 7, since }], 0);
        Write::Change { asker: Asker::Login(7, since), change, key: None, tried: None }
    };
    let (said, left) = bench.commit(&[job()]);
    let [ToLoop::News(row, news)] = &left[..] else { panic!("{left:?}") };
    assert_eq!((said.len(), &news[..]), (0, &[News::Counted { session: 7, since }][..]));
    assert_eq!(lock(&bench.shared.kept).undelivered(row - 1), *news, "also for a handler that comes next");
    bench.fail([full()]);
    let (said, left) = bench.commit(&[job()]);
    assert!(said.is_empty() && matches!(&left[..], [ToLoop::NotCounted(7, at)] if *at == since), "{left:?}");
    let on = bench.store.reader().unwrap().player(ALICE).unwrap().map(|alice| alice.milliseconds_on);
    assert_eq!(on, Some(5));
}

#[test]
fn a_damaged_database_is_not_tried_piece_by_piece() {
    let mut bench = bench();
    bench.fail([StoreError::Corrupt("a page".into()), StoreError::Corrupt("a page".into())]);
    assert_eq!(ask(&mut bench, [Put(Vec::new(), 3), Put(Vec::new(), 4)]), [Err(Code::Unavailable); 2]);
    assert!(!is_writable(&bench));
}

#[test]
fn answers_come_in_the_order_of_the_questions_of_each_session() {
    let mut bench = bench();
    let jobs = [2, 3, 2, 2, 3].map(|session| bench.ask(session, Put(Vec::new(), session)));
    let (said, left) = bench.commit(&jobs);
    let said: Vec<_> = said.iter().map(|said| (said.session, said.number, short(said.reply()))).collect();
    assert_eq!(said, [(2, 1, Ok(2)), (2, 2, Ok(2)), (2, 3, Ok(2)), (3, 1, Ok(3)), (3, 2, Ok(3))]);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn who_proves_who_he_is_hears_the_news_of_the_same_transaction() {
    let mut bench = bench();
    let asker = Asker::Operator(7, Box::new(ctl::Answer::Done));
    let out = Row::Epoch { who: ALICE.into(), epoch: 8, reason: "spam".into() };
    let change = Put(vec![disabled(ALICE, Some("spam")), out], 0);
    let jobs = [
        bench.ask(2, Proves(ALICE, Vec::new())),
        Write::Change { asker, change, key: None, tried: None },
        bench.ask(3, Proves(BOB, Vec::new())),
    ];
    let (said, left) = bench.commit(&jobs);
    assert!(said.is_empty(), "the event loop answers when the session is somebody");
    let [
        ToLoop::Proved { at: first, proof: alice, reply: Reply::Done(_), .. },
        ToLoop::Proved { at: second, proof: bob, .. },
        ToLoop::News(row, news),
        ToLoop::Operator(7, ctl::Answer::Done),
    ] = &left[..]
    else {
        panic!("{left:?}")
    };
    assert_eq!((first.slot, *alice, second.slot, *bob), (2, proof(ALICE), 3, proof(BOB)));
    assert_eq!(news.len(), 1);
    assert!(matches!(&news[0], News::Out { who, .. } if *who == ALICE.into()));
    let kept = lock(&bench.shared.kept);
    assert_eq!((kept.newest(), kept.undelivered(row - 1)), (*row, news.clone()));
    assert_eq!(kept.find(2, 1).unwrap().proves, Some(proof(ALICE)), "also for a handler that comes next");
}

#[test]
fn the_operator_has_his_own_answer_or_hears_why_not() {
    let mut bench = bench();
    let jobs = [Put(Vec::new(), 9), Refuse(Code::Exists)].map(|change| {
        let asker = Asker::Operator(7, Box::new(ctl::Answer::Progress { done: 1, total: 2 }));
        Write::Change { asker, change, key: None, tried: None }
    });
    let (said, left) = bench.commit(&jobs);
    assert!(said.is_empty());
    let [ToLoop::Operator(7, ctl::Answer::Progress { .. }), ToLoop::Operator(7, ctl::Answer::Failed(failure))] =
        &left[..]
    else {
        panic!("{left:?}")
    };
    assert_eq!(failure.code, Code::Exists);
}

#[test]
fn a_try_was_good_unless_name_and_secret_do_not_belong_together() {
    let mut bench = bench();
    for (change, expected) in [
        (Put(Vec::new(), 1), true),
        (Proves(ALICE, Vec::new()), true),
        (Refuse(Code::Denied), true),
        (Refuse(Code::BadLogin), false),
    ] {
        let (asker, tried) = (bench.asker(1), Some(Box::new(Tried::password(None, "alice".into(), false))));
        let (_, left) = bench.commit(&[Write::Change { asker, change, key: None, tried }]);
        let tried = left.iter().filter_map(|one| match one {
            ToLoop::Tried(_, good) => Some(*good),
            _ => None,
        });
        assert_eq!(tried.collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn answers_are_kept_until_their_session_has_them_or_is_gone() {
    let mut bench = bench();
    let jobs = [2, 2, 3, 0].map(|session| bench.ask(session, Put(Vec::new(), session)));
    bench.commit(&jobs);
    assert_eq!(
        [(2, 1), (2, 2), (3, 1)].map(|(session, number)| kept(&bench, session, number)),
        [Some(Ok(2)), Some(Ok(2)), Some(Ok(3))]
    );
    assert_eq!(kept(&bench, 0, 1), None, "a session without a number cannot ask again");
    bench.acknowledge(2, 1);
    let asked = bench.ask(2, Refuse(Code::Limit));
    bench.commit(&[asked, Write::Gone(3)]);
    assert_eq!([1, 2, 3].map(|number| kept(&bench, 2, number)), [None, Some(Ok(2)), Some(Err(Code::Limit))]);
    assert_eq!(kept(&bench, 3, 1), None);
    // What is gone stays, when the transaction was given up.
    bench.fail([full()]);
    bench.commit(&[Write::Gone(2)]);
    assert_eq!(kept(&bench, 2, 2), Some(Ok(2)));
}

fn key(owner: impl Into<Principal>, key: &str, of: u8) -> Option<Box<ClientKey>> {
    Some(Box::new(ClientKey { owner: owner.into(), key: key.into(), digest: [of; 32] }))
}

fn keyed(bench: &mut Bench<Change>, change: Change, key: Option<Box<ClientKey>>) -> Write<Change> {
    Write::Change { asker: bench.asker(1), change, key, tried: None }
}

#[test]
fn the_same_key_gives_the_same_answer_and_nothing_is_done_twice() {
    let mut bench = bench();
    let carol = || Put(vec![player(3, "carol")], 3);
    let jobs = [
        keyed(&mut bench, Refuse(Code::Limit), key(ALICE, "k", 1)),
        keyed(&mut bench, carol(), key(ALICE, "k", 1)),
        keyed(&mut bench, carol(), key(ALICE, "k", 1)),
        keyed(&mut bench, Put(Vec::new(), 4), key(ALICE, "k", 2)),
        keyed(&mut bench, Put(Vec::new(), 5), key(BOB, "k", 2)),
        keyed(&mut bench, Put(Vec::new(), 6), key(ALICE, "l", 2)),
    ];
    let expected = [Err(Code::Limit), Ok(3), Ok(3), Err(Code::Conflict), Ok(5), Ok(6)];
    let answers = |said: Vec<crate::testing::Said>| said.iter().map(|said| short(said.reply())).collect::<Vec<_>>();
    assert_eq!(answers(bench.commit(&jobs).0), expected, "what was refused may be tried again");
    // Another batch, given up once: the keys are known.
    bench.fail([other()]);
    let expected = [Ok(3), Ok(3), Ok(3), Err(Code::Conflict), Ok(5), Ok(6)];
    assert_eq!(answers(bench.commit(&jobs).0), expected);
    assert_eq!(players(&bench), 3);
    let counts = bench.store.reader().unwrap().keyed_counts().unwrap();
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u32>(), 3);
}

#[test]
fn a_key_whose_transaction_was_given_up_was_never_used() {
    let mut bench = bench();
    let job = keyed(&mut bench, Put(vec![player(3, "carol")], 3), key(ALICE, "k", 1));
    bench.fail([full()]);
    assert_eq!(short(bench.commit(&[job]).0[0].reply()), Err(Code::Unavailable));
    let job = keyed(&mut bench, Put(Vec::new(), 4), key(ALICE, "k", 2));
    assert_eq!(short(bench.commit(&[job]).0[0].reply()), Ok(4));
    assert_eq!(players(&bench), 2);
}

#[test]
fn keys_are_forgotten_after_a_day_two_for_each_new_one() {
    let mut bench = bench();
    let start = now();
    let known = |bench: &Bench<Change>| -> Vec<String> {
        let reader = bench.store.reader().unwrap();
        let there = |key: &&str| reader.keyed(ALICE.into(), key).unwrap().is_some();
        ["a", "b", "c", "d", "e"].iter().filter(|key| there(key)).map(|key| (*key).to_owned()).collect()
    };
    let use_key = |bench: &mut Bench<Change>, name: &str, at: i64| {
        set_now(Time(start.0 + at));
        let job = keyed(bench, Put(Vec::new(), 1), key(ALICE, name, 1));
        assert_eq!(short(bench.commit(&[job]).0[0].reply()), Ok(1));
    };
    for (at, name) in ["a", "b", "c"].into_iter().enumerate() {
        use_key(&mut bench, name, at as i64);
    }
    use_key(&mut bench, "d", DAY);
    assert_eq!(known(&bench), ["a", "b", "c", "d"], "a day is not over before its end");
    use_key(&mut bench, "d", DAY + 100);
    assert_eq!(known(&bench), ["a", "b", "c", "d"], "what is known is not new");
    use_key(&mut bench, "e", DAY + 100);
    assert_eq!(known(&bench), ["c", "d", "e"]);
    use_key(&mut bench, "a", DAY + 100);
    assert_eq!(known(&bench), ["a", "d", "e"], "and may be used for something else");
    bench.check_memory();
}

#[test]
fn what_was_done_outside_of_the_database_is_kept_under_its_key_once() {
    let mut bench = bench();
    let mut save = |number, of| {
        let asker = Asker::Keyed(ALICE.into(), "k".into());
        let job = Write::Change { asker, change: Put(Vec::new(), number), key: key(ALICE, "k", of), tried: None };
        let (said, left) = bench.commit(&[job]);
        assert!(said.is_empty());
        left.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>()
    };
    let saved = [format!("{:?}", ToLoop::Keyed(ALICE.into(), "k".into()))];
    assert_eq!(save(5, 1), saved);
    assert_eq!(save(6, 1), saved, "it is in the database already");
    assert_eq!(save(7, 2), saved, "another request has this key: nobody waits for what never will be saved");
    let key = key(ALICE, "k", 1).unwrap();
    let reader = bench.store.reader().unwrap();
    assert_eq!(crate::work::known(&*reader, &key).unwrap().map(short), Some(Ok(5)));
    let other = ClientKey { digest: [2; 32], ..*key };
    assert_eq!(crate::work::known(&*reader, &other).unwrap().map(short), Some(Err(Code::Conflict)));
}
