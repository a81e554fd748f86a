//! Boards over a real store and the writer, compared with a model in the simplest words.

use super::*;
use crate::capability::boards::DefineBoard;
use crate::capability::records::{Submit, Withdraw};
use crate::lock::read;
use crate::state::boards::{Ranking, cursor};
use crate::state::journal::{ClientKey, packed};
use crate::state::news::{Audience, News};
use crate::state::topic::Topic;
use crate::testing::{Bench, Firsts, KINDS, Scores, board};
use crate::work::{ToLoop, Write};
use proptest::prelude::*;
use ssmglobal_ipc::{Event, RecordSubmitted};
use ssmglobal_store::{Board, BoardId, Operator, StoreError};

const PLAYERS: usize = 6;

/// Boards that a batch gave a new first place, and who was first before.
type NewFirsts = Vec<(usize, Option<usize>)>;

/// A writer over a real store with a board of each kind, and its next batch.
struct Place {
    bench: Bench<Change>,
    batch: Vec<Write<Change>>,
}

fn id(board: usize) -> BoardId {
    BoardId(board as u32 + 1)
}

fn who(player: usize) -> PlayerId {
    PlayerId(player as u32 + 1)
}

fn name(player: usize) -> String {
    format!("player{player}")
}

fn named(name: &str) -> usize {
    (0..PLAYERS).position(|player| super::boards::name(player) == name).unwrap()
}

impl Place {
    fn new() -> Place {
        let mut place = Place { bench: Bench::new(), batch: Vec::new() };
        for (index, (operator, better)) in KINDS.into_iter().enumerate() {
            let board = board(0, &format!("Board{index}"), operator, better);
            place.ask(DefineBoard { board, most: KINDS.len() });
        }
        for player in 0..PLAYERS {
            let (shown, folded, skeleton) = (name(player), name(player), name(player));
            let name = crate::state::names::Name { shown, folded, skeleton }.into();
            place.ask(super::super::players::Register {
                name,
                hash: Default::default(),
                email: None,
                from: None,
                is_in: true,
            });
        }
        assert_eq!(place.commit().1, []);
        place
    }

    fn ask(&mut self, change: impl Into<Change>) {
        let job = self.bench.ask(1, change.into());
        self.batch.push(job);
    }

    fn submit(&mut self, board: usize, player: usize, score: i64) {
        self.ask(Submit { board: id(board), player: who(player), score, by: None, note: None });
    }

    fn withdraw(&mut self, board: usize, player: usize) {
        self.ask(Withdraw { board: id(board), player: who(player), reason: "no".into() });
    }

    /// Commits the batch; gives its answers and what is told of first places.
    fn commit(&mut self) -> (Vec<Reply>, NewFirsts) {
        let batch = std::mem::take(&mut self.batch);
        let (said, left) = self.bench.commit(&batch);
        self.bench.check_memory();
        let mut firsts = Vec::new();
        for one in left.iter().flat_map(news) {
            let News::Tell { to: Audience::Topic(Topic::Board(BoardId(board))), event: Event::Record(event) } = one
            else {
                panic!("{one:?}")
            };
            let board = board as usize - 1;
            let ranking = self.table(board);
            assert_eq!((event.board, event.unit), (format!("Board{board}"), "ms".to_owned()));
            assert_eq!((named(&event.player), event.score), ranking[0], "who leads now");
            firsts.push((board, event.previous.map(|name| named(&name))));
        }
        firsts.sort_unstable();
        (said.iter().map(|said| said.reply()).collect(), firsts)
    }

    fn with<T>(&self, board: usize, look: impl FnOnce(&Ranking) -> T) -> T {
        look(read(&self.bench.shared.memory.boards).get(id(board)).unwrap())
    }

    /// Player and score of all on a board, the best first.
    fn table(&self, board: usize) -> Vec<(usize, i64)> {
        let player = |id: PlayerId| id.0 as usize - 1;
        self.with(board, |ranking| {
            ranking.slice(0, usize::MAX).iter().map(|(_, one)| (player(one.player), one.score)).collect()
        })
    }

    /// What one batch with these submits tells about first places, by player.
    fn one(&mut self, board: usize, submits: &[(usize, i64)]) -> Vec<Option<usize>> {
        for (player, score) in submits {
            self.submit(board, *player, *score);
        }
        let (_, firsts) = self.commit();
        assert!(firsts.iter().all(|(other, _)| *other == board));
        firsts.into_iter().map(|(_, before)| before).collect()
    }

    fn check(&self, models: &[Scores<usize>]) {
        for (index, model) in models.iter().enumerate() {
            let table = model.table();
            self.with(index, |ranking| {
                assert_eq!(ranking.total() as usize, table.len());
                let slice = ranking.slice(0, usize::MAX);
                assert_eq!(slice.len(), table.len());
                let mut orders = Vec::new();
                for (at, (player, score, order)) in table.iter().enumerate() {
                    let (shown, standing) = &slice[at];
                    assert_eq!((standing.player, standing.score), (who(*player), *score));
                    assert_eq!(ranking.standing(who(*player)), Some(*standing));
                    assert_eq!(ranking.rank(*score, standing.order) as usize, at + 1);
                    assert_eq!(ranking.index_of_cursor(&cursor(shown)), Some((at, at + 1)));
                    orders.push((*order, standing.order));
                }
                // The model's are as many as there were submits: only which is the earlier says something.
                orders.sort_unstable();
                assert!(orders.is_sorted_by(|a, b| a.1 < b.1), "{orders:?}");
                assert_eq!(ranking.places().next().map(|place| place.who), table.first().map(|first| who(first.0)));
            });
        }
    }
}

fn news(left: &ToLoop) -> Vec<News> {
    match left {
        ToLoop::News(_, news) => news.clone(),
        _ => Vec::new(),
    }
}

#[derive(Clone, Debug)]
enum Step {
    Submit(usize, usize, i64),
    Withdraw(usize, usize),
    Commit,
    GiveUp,
}

fn step() -> impl Strategy<Value = Step> {
    let (board, player) = (0..KINDS.len(), 0..PLAYERS);
    // Few scores, so that many are equal and some sums stay as they are.
    let score = -3i64..=3;
    prop_oneof![
        16 => (board.clone(), player.clone(), score).prop_map(|(board, who, score)| Step::Submit(board, who, score)),
        3 => (board, player).prop_map(|(board, player)| Step::Withdraw(board, player)),
        3 => Just(Step::Commit),
        1 => Just(Step::GiveUp),
    ]
}

/// Models of all boards, and what the running batch is to say.
#[derive(Clone)]
struct Models {
    boards: [Scores<usize>; KINDS.len()],
    firsts: [Firsts<usize>; KINDS.len()],
    order: u64,
    replies: Vec<Result<RecordSubmitted, Code>>,
}

impl Models {
    fn submit(&mut self, board: usize, player: usize, score: i64) {
        self.order += 1;
        let model = &mut self.boards[board];
        let before = model.first();
        let improved = model.submit(player, score, self.order);
        self.firsts[board].submitted(before, model.first());
        let (score, rank, total) =
            (model.standings[&player].0, model.rank(player).unwrap(), model.standings.len() as u32);
        let (board, player) = (format!("Board{board}"), name(player));
        self.replies.push(Ok(RecordSubmitted { board, player, score, rank, total, improved }));
    }

    /// Gives what the batch says and tells.
    fn end(&mut self) -> (Vec<Result<RecordSubmitted, Code>>, NewFirsts) {
        let new_first =
            |(index, firsts): (usize, &Firsts<usize>)| Some((index, firsts.new_first(self.boards[index].first())?));
        let new_firsts = self.firsts.iter().enumerate().filter_map(new_first).collect();
        self.firsts = Default::default();
        (std::mem::take(&mut self.replies), new_firsts)
    }
}

/// What a submit is answered; of all else the code, and `usage` where it was done.
fn short(reply: Reply) -> Result<RecordSubmitted, Code> {
    match reply {
        Reply::RecordSubmitted(submitted) => Ok(submitted),
        Reply::Failed(failure) => Err(failure.code),
        Reply::Done(_) => Err(Code::Usage),
        reply => panic!("{reply:?}"),
    }
}

proptest! {
    // Every case has a database of its own, on a disk.
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn boards_are_as_the_model_says(steps in proptest::collection::vec(step(), 1..250)) {
        let mut place = Place::new();
        let (boards, firsts) = (KINDS.map(Scores::new), Default::default());
        let mut models = Models { boards, firsts, order: 0, replies: Vec::new() };
        let mut committed = models.clone();
        for step in steps.into_iter().chain([Step::Commit]) {
            match step {
                Step::Submit(board, player, score) => {
                    place.submit(board, player, score);
                    models.submit(board, player, score);
                }
                Step::Withdraw(board, player) => {
                    place.withdraw(board, player);
                    let was = models.boards[board].standings.remove(&player);
                    models.replies.push(Err(if was.is_some() { Code::Usage } else { Code::NotFound }));
                }
                Step::Commit => {
                    let (replies, new_firsts) = place.commit();
                    prop_assert_eq!((replies.into_iter().map(short).collect(), new_firsts), models.end());
                    committed = models.clone();
                    place.check(&committed.boards);
                }
                Step::GiveUp => {
                    place.bench.fail([StoreError::Unavailable("no room".into())].into_iter().take(place.batch.len()));
                    let (replies, new_firsts) = place.commit();
                    prop_assert!(replies.into_iter().all(|reply| short(reply) == Err(Code::Unavailable)));
                    prop_assert_eq!(new_firsts, []);
                    models = committed.clone();
                    place.check(&committed.boards);
                }
            }
        }
        place.bench.tidy();
        place.bench.check_memory();
    }
}

#[test]
fn the_earlier_of_equals_is_first() {
    let mut place = Place::new();
    for (board, (operator, _)) in KINDS.into_iter().enumerate() {
        place.one(board, &[(2, 5), (0, 5)]);
        place.one(board, &[(1, 5)]);
        let score = if operator == Operator::Count { 1 } else { 5 };
        assert_eq!(place.table(board), [(2, score), (0, score), (1, score)]);
        if matches!(operator, Operator::Best | Operator::Last) {
            // The same again is no later.
            assert_eq!(place.one(board, &[(2, 5)]), []);
            assert_eq!(place.table(board)[0], (2, 5));
        }
    }
}

#[test]
fn a_sum_comes_to_both_edges_and_not_beyond() {
    let mut place = Place::new();
    place.one(5, &[(0, i64::MAX - 1), (0, 1), (0, 1), (1, i64::MIN), (1, -1), (2, i64::MAX), (2, i64::MIN), (0, -1)]);
    assert_eq!(place.table(5), [(0, i64::MAX - 1), (2, -1), (1, i64::MIN)]);
    place.one(4, &[(0, i64::MIN), (0, i64::MIN), (1, i64::MAX), (1, i64::MAX)]);
    assert_eq!(place.table(4), [(0, i64::MIN), (1, i64::MAX)]);
    // The order turned around has no edge that another falls over.
    place.one(1, &[(0, i64::MIN), (1, i64::MAX), (2, 0), (3, -1)]);
    assert_eq!(place.table(1), [(1, i64::MAX), (2, 0), (3, -1), (0, i64::MIN)]);
}

#[test]
fn a_new_first_place_is_told_with_who_was_there() {
    let mut place = Place::new();
    assert_eq!(place.one(0, &[(0, 100)]), [None]);
    assert_eq!(place.one(0, &[(1, 100), (2, 101), (1, 100)]), []);
    assert_eq!(place.one(0, &[(1, 90)]), [Some(0)]);
    assert_eq!(place.one(0, &[(1, 80)]), [Some(1)], "one's own record, too");
    assert_eq!(place.one(0, &[(3, 70), (3, 75)]), [Some(1)]);
    // Where the last score counts, the leader may fall back.
    assert_eq!(place.one(2, &[(0, 1), (1, 2)]), [None]);
    assert_eq!(place.one(2, &[(0, 3)]), [Some(0)]);
    assert_eq!(place.table(2), [(1, 2), (0, 3)]);
    // What is taken away is not told; who comes next is told of nobody.
    for player in [1, 0, 0] {
        place.withdraw(2, player);
    }
    let (replies, firsts) = place.commit();
    let codes: Vec<_> = replies.into_iter().map(|reply| short(reply).unwrap_err()).collect();
    assert_eq!((codes, firsts), (vec![Code::Usage, Code::Usage, Code::NotFound], Vec::new()));
    assert_eq!(place.table(2), []);
    assert_eq!(place.one(2, &[(4, 9)]), [None]);
}

#[test]
fn a_cursor_keeps_its_place_while_others_submit() {
    let mut place = Place::new();
    place.one(1, &[(0, 50), (1, 40), (2, 30), (3, 20)]);
    let index = |place: &Place, text: &str| place.with(1, |ranking| ranking.index_of_cursor(text));
    let second = place.with(1, |ranking| cursor(&ranking.slice(1, 1)[0].0));
    assert_eq!(index(&place, &second), Some((1, 2)));
    place.one(1, &[(4, 60), (5, 40)]);
    assert_eq!(index(&place, &second), Some((2, 3)), "an equal comes behind it");
    place.withdraw(1, 1);
    place.commit();
    assert_eq!(index(&place, &second), Some((2, 2)), "a gap has no place of its own");
    assert_eq!(place.table(1)[2], (5, 40));
    for strange in ["", "1", ":", "a:1", "1:-1", "1:2:3", "9223372036854775808:1", "1:18446744073709551616"] {
        assert_eq!(index(&place, strange), None, "{strange}");
    }
    let last = format!("{}:{}", i64::MAX, u64::MAX);
    assert_eq!(index(&place, &last), Some((5, 5)));
    assert_eq!(index(&place, &format!("{}:0", i64::MIN)), Some((0, 0)));
}

#[test]
fn boards_are_found_and_listed_in_any_case() {
    let mut place = Place::new();
    {
        let boards = read(&place.bench.shared.memory.boards);
        assert_eq!(boards.find("BOARD3").map(|ranking| ranking.board.id), Some(id(3)));
        assert_eq!(boards.find("board3").map(|ranking| ranking.board.id), Some(id(3)));
        assert!(boards.find("board33").is_none());
        let behind: Vec<BoardId> = boards.iter_after(Some("bOARD5")).map(|ranking| ranking.board.id).collect();
        assert_eq!(behind, [id(6), id(7)]);
        assert_eq!(boards.iter_after(None).count(), boards.len());
    }
    // A board that changes keeps who stands on it.
    place.one(0, &[(0, 7)]);
    let changed = place.with(0, |ranking| Board { unit: "s".into(), ..ranking.board.clone() });
    place.ask(DefineBoard { board: changed.clone(), most: 0 });
    assert_eq!(place.commit().1, []);
    assert_eq!(place.with(0, |ranking| ranking.board.clone()), changed);
    assert_eq!(place.table(0), [(0, 7)]);
}

#[test]
fn a_submit_that_is_repeated_under_its_key_is_answered_as_it_was_first_whatever_the_board_says_by_then() {
    for (board, kind) in KINDS.into_iter().enumerate() {
        let mut place = Place::new();
        let submit = |player| Submit { board: id(board), player: who(player), score: 5, by: None, note: None };
        let keyed = |place: &mut Place, digest| {
            let key = ClientKey { owner: who(0).into(), key: "k".into(), digest: [digest; 32] };
            let asker = place.bench.asker(1);
            let (change, key) = (submit(0).into(), Some(Box::new(key)));
            place.batch.push(Write::Change { asker, change, key, tried: None });
        };
        let withdraw = |place: &mut Place, player| place.withdraw(board, player);
        // In one batch: the same, others that push it down, the same, and when it is not there any more.
        place.submit(board, 1, 5);
        keyed(&mut place, 1);
        place.submit(board, 2, -9);
        place.submit(board, 3, 9);
        keyed(&mut place, 1);
        withdraw(&mut place, 1);
        withdraw(&mut place, 2);
        withdraw(&mut place, 0);
        keyed(&mut place, 1);
        keyed(&mut place, 2);
        let (answers, _) = place.commit();
        let first = answers[1].clone();
        let Reply::RecordSubmitted(submitted) = &first else { panic!("{first:?}") };
        assert_eq!((submitted.rank, submitted.total), (2, 2));
        assert_eq!((&answers[4], &answers[8]), (&first, &first), "{kind:?}");
        assert!(matches!(&answers[9], Reply::Failed(failure) if failure.code == Code::Conflict));
        assert_eq!(place.table(board).len(), 1, "it was done once");
        // In later ones, and letter for letter.
        place.submit(board, 4, 1);
        place.commit();
        keyed(&mut place, 1);
        let batch = std::mem::take(&mut place.batch);
        let (said, _) = place.bench.commit(&batch);
        assert_eq!((said[0].kind, said[0].payload.clone()), packed(&first));
    }
}
