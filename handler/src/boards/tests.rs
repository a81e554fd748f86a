//! Boards over a real store, compared with a model in the simplest words.

use super::*;
use proptest::prelude::*;
use ssmglobal_ipc::{Secret, Submitters, Time};
use ssmglobal_store::{NewPlayer, Store, Writer, sqlite::SqliteStore};
use std::collections::BTreeMap;

const KINDS: [(Operator, Better); 8] = [
    (Operator::Best, Better::Lower),
    (Operator::Best, Better::Higher),
    (Operator::Last, Better::Lower),
    (Operator::Last, Better::Higher),
    (Operator::Sum, Better::Lower),
    (Operator::Sum, Better::Higher),
    (Operator::Count, Better::Lower),
    (Operator::Count, Better::Higher),
];

const PLAYERS: u32 = 6;

/// A real store and the boards over it, as the writer thread has them.
struct Place {
    _folder: tempfile::TempDir,
    store: SqliteStore,
    writer: Box<dyn Writer>,
    boards: Boards,
    changes: Changes,
    order: u64,
    ids: Vec<BoardId>,
    players: Vec<PlayerId>,
}

impl Place {
    /// With a board of each kind.
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("test.db")).unwrap();
        let (writer, boards, changes) = (store.writer().unwrap(), Boards::default(), Changes::default());
        let (ids, players) = (Vec::new(), Vec::new());
        let mut place = Place { _folder: folder, store, writer, boards, changes, order: 0, ids, players };
        place.writer.begin().unwrap();
        for (index, (operator, better)) in KINDS.into_iter().enumerate() {
            let (name, unit, submit) = (format!("Board{index}"), "ms".into(), Submitters::Players);
            let mut board = Board { id: BoardId(0), name, unit, better, operator, submit };
            board.id = place.writer.tx().board_add(&board).unwrap();
            place.ids.push(board.id);
            place.changes.board(board);
        }
        for index in 0..PLAYERS {
            let name = format!("player{index}");
            let (folded, skeleton, hash) = (name.clone(), name.clone(), Secret::default());
            let new = NewPlayer { name, folded, skeleton, hash, email: None, registered: Time(0) };
            place.players.push(place.writer.tx().player_add(&new).unwrap());
        }
        assert_eq!(place.commit(), []);
        place
    }

    fn begin(&mut self) {
        self.writer.begin().unwrap();
    }

    fn commit(&mut self) -> Vec<(BoardId, Option<PlayerId>)> {
        self.writer.commit().unwrap();
        let mut firsts = Vec::new();
        self.boards.apply(&mut self.changes, &mut firsts);
        assert!(self.changes.list.is_empty() && self.changes.latest.is_empty());
        firsts
    }

    fn submit(&mut self, board: usize, player: usize, score: i64) -> bool {
        self.order += 1;
        let at = Time(self.order as i64);
        let standing =
            Standing { player: self.players[player], score, order: self.order, at, server: None, note: None };
        let ranking = self.boards.get(self.ids[board]).unwrap();
        self.changes.submit(self.writer.tx(), ranking, standing).unwrap()
    }

    fn withdraw(&mut self, board: usize, player: usize) -> bool {
        let (board, player) = (self.ids[board], self.players[player]);
        let Some(was) = self.changes.standing(&self.boards, board, player) else { return false };
        self.order += 1;
        self.writer.tx().record_withdraw(board, &was, self.order, Time(0), "no").unwrap();
        self.changes.remove(board, player);
        true
    }

    /// Player and score of all on a board, the best first.
    fn table(&self, board: usize) -> Vec<(usize, i64)> {
        let ranking = self.boards.get(self.ids[board]).unwrap();
        let player = |id| self.players.iter().position(|player| *player == id).unwrap();
        ranking.slice(0, usize::MAX).iter().map(|(_, one)| (player(one.player), one.score)).collect()
    }

    /// What one transaction with these submits tells about first places, by player.
    fn one(&mut self, board: usize, submits: &[(usize, i64)]) -> Vec<Option<usize>> {
        self.begin();
        for (player, score) in submits {
            self.submit(board, *player, *score);
        }
        let firsts = self.commit();
        assert!(firsts.iter().all(|(id, _)| *id == self.ids[board]));
        let player = |id| self.players.iter().position(|player| *player == id).unwrap();
        firsts.into_iter().map(|(_, before)| before.map(player)).collect()
    }

    /// What the store gives after a restart is what is in memory.
    fn check_reload(&self) {
        let loaded = Boards::load(&*self.store.reader().unwrap()).unwrap();
        assert_eq!(loaded.len(), self.boards.len());
        for id in &self.ids {
            let (ours, theirs) = (self.boards.get(*id).unwrap(), loaded.get(*id).unwrap());
            assert_eq!(ours.board, theirs.board);
            assert_eq!(ours.slice(0, usize::MAX), theirs.slice(0, usize::MAX));
            assert_eq!(ours.standings, theirs.standings);
        }
    }
}

/// The same in the simplest words.
#[derive(Clone)]
struct Model {
    operator: Operator,
    better: Better,
    /// By player: score, and the submit that reached it.
    standings: BTreeMap<usize, (i64, u64)>,
}

impl Model {
    fn submit(&mut self, player: usize, score: i64, order: u64) -> bool {
        let old = self.standings.get(&player).map(|(score, _)| *score);
        let new = match self.operator {
            Operator::Best => match (self.better, old) {
                (_, None) => score,
                (Better::Lower, Some(old)) => old.min(score),
                (Better::Higher, Some(old)) => old.max(score),
            },
            Operator::Last => score,
            Operator::Sum => old.unwrap_or(0) + score,
            Operator::Count => old.unwrap_or(0) + 1,
        };
        if old == Some(new) {
            return false;
        }
        self.standings.insert(player, (new, order));
        true
    }

    /// Player, score and order, the best first and the earlier of equals first.
    fn table(&self) -> Vec<(usize, i64, u64)> {
        let mut all: Vec<_> = self.standings.iter().map(|(player, (score, order))| (*player, *score, *order)).collect();
        all.sort_by(|a, b| match self.better {
            Better::Lower => (a.1, a.2).cmp(&(b.1, b.2)),
            Better::Higher => (b.1, a.2).cmp(&(a.1, b.2)),
        });
        all
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
    let (board, player) = (0..KINDS.len(), 0..PLAYERS as usize);
    // Few scores, so that many are equal and some sums stay as they are.
    let score = -3i64..=3;
    prop_oneof![
        16 => (board.clone(), player.clone(), score).prop_map(|(board, who, score)| Step::Submit(board, who, score)),
        3 => (board, player).prop_map(|(board, player)| Step::Withdraw(board, player)),
        3 => Just(Step::Commit),
        1 => Just(Step::GiveUp),
    ]
}

fn check(place: &Place, models: &[Model]) {
    for (index, model) in models.iter().enumerate() {
        let ranking = place.boards.get(place.ids[index]).unwrap();
        let table = model.table();
        assert_eq!(ranking.total() as usize, table.len());
        let first = table.first().map(|(player, ..)| place.players[*player]);
        assert_eq!(ranking.first().map(|standing| standing.player), first);
        let slice = ranking.slice(0, usize::MAX);
        assert_eq!(slice.len(), table.len());
        for (at, (player, score, order)) in table.iter().enumerate() {
            let (shown, standing) = &slice[at];
            let player = place.players[*player];
            assert_eq!((standing.player, standing.score, standing.order), (player, *score, *order));
            assert_eq!(ranking.standing(player), Some(*standing));
            assert_eq!(ranking.rank(*score, *order) as usize, at + 1);
            assert_eq!(ranking.index_of_cursor(&cursor(shown)), Some((at, at + 1)));
        }
    }
}

proptest! {
    // Every case has a database of its own, on a disk.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn boards_are_as_the_model_says(steps in proptest::collection::vec(step(), 1..250)) {
        let mut place = Place::new();
        let new = |(operator, better)| Model { operator, better, standings: BTreeMap::new() };
        let mut models = KINDS.map(new);
        let (mut committed, mut firsts) = (models.clone(), Vec::new());
        place.begin();
        for step in steps.into_iter().chain([Step::Commit]) {
            match step {
                Step::Submit(board, player, score) => {
                    let before = models[board].table().first().map(|(player, _, order)| (*player, *order));
                    let improved = place.submit(board, player, score);
                    prop_assert_eq!(improved, models[board].submit(player, score, place.order));
                    let (id, who) = (place.ids[board], place.players[player]);
                    let seen = place.changes.standing(&place.boards, id, who).map(|one| (one.score, one.order));
                    prop_assert_eq!(seen, models[board].standings.get(&player).copied());
                    let told = firsts.iter().any(|(other, _)| *other == id);
                    if !told && models[board].table().first().map(|(player, _, order)| (*player, *order)) != before {
                        firsts.push((id, before.map(|(player, _)| place.players[player])));
                    }
                }
                Step::Withdraw(board, player) => {
                    let was = models[board].standings.remove(&player);
                    prop_assert_eq!(place.withdraw(board, player), was.is_some());
                }
                Step::Commit => {
                    prop_assert_eq!(place.commit(), std::mem::take(&mut firsts));
                    committed = models.clone();
                    check(&place, &committed);
                    place.begin();
                }
                Step::GiveUp => {
                    place.writer.rollback();
                    place.changes.clear();
                    (models, firsts) = (committed.clone(), Vec::new());
                    check(&place, &committed);
                    place.begin();
                }
            }
        }
        place.writer.rollback();
        place.check_reload();
        while place.writer.tidy().unwrap() {}
        place.check_reload();
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
fn a_sum_stays_at_the_edge() {
    let mut place = Place::new();
    place.one(5, &[(0, i64::MAX - 1), (0, 1), (0, 1), (1, i64::MIN), (1, -1), (2, i64::MAX), (2, i64::MIN)]);
    assert_eq!(place.table(5), [(0, i64::MAX), (2, -1), (1, i64::MIN)]);
    place.one(4, &[(0, i64::MIN), (0, i64::MIN), (1, i64::MAX), (1, i64::MAX)]);
    assert_eq!(place.table(4), [(0, i64::MIN), (1, i64::MAX)]);
    // The order turned around has no edge that another falls over.
    place.one(1, &[(0, i64::MIN), (1, i64::MAX), (2, 0), (3, -1)]);
    assert_eq!(place.table(1), [(1, i64::MAX), (2, 0), (3, -1), (0, i64::MIN)]);
    place.check_reload();
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
    place.begin();
    assert!(place.withdraw(2, 1) && place.withdraw(2, 0) && !place.withdraw(2, 0));
    assert_eq!(place.commit(), []);
    assert_eq!(place.table(2), []);
    assert_eq!(place.one(2, &[(4, 9)]), [None]);
}

#[test]
fn a_cursor_keeps_its_place_while_others_submit() {
    let mut place = Place::new();
    place.one(1, &[(0, 50), (1, 40), (2, 30), (3, 20)]);
    let text = |place: &Place, at| cursor(&place.boards.get(place.ids[1]).unwrap().slice(at, 1)[0].0);
    let index = |place: &Place, text: &str| place.boards.get(place.ids[1]).unwrap().index_of_cursor(text);
    let second = text(&place, 1);
    assert_eq!(index(&place, &second), Some((1, 2)));
    place.one(1, &[(4, 60), (5, 40)]);
    assert_eq!(index(&place, &second), Some((2, 3)), "an equal comes behind it");
    place.begin();
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
    assert_eq!(place.boards.find("BOARD3").map(|ranking| ranking.board.id), Some(place.ids[3]));
    assert_eq!(place.boards.find("board3").map(|ranking| ranking.board.id), Some(place.ids[3]));
    assert!(place.boards.find("board33").is_none());
    let behind: Vec<BoardId> = place.boards.iter_after(Some("bOARD5")).map(|ranking| ranking.board.id).collect();
    assert_eq!(behind, place.ids[6..]);
    assert_eq!(place.boards.iter_after(None).count(), place.boards.len());
    // A board that changes keeps who stands on it.
    place.one(0, &[(0, 7)]);
    let changed = Board { unit: "s".into(), ..place.boards.get(place.ids[0]).unwrap().board.clone() };
    place.begin();
    place.writer.tx().board_change(&changed).unwrap();
    place.changes.board(changed.clone());
    assert_eq!(place.commit(), []);
    assert_eq!(place.boards.get(place.ids[0]).unwrap().board, changed);
    assert_eq!(place.table(0), [(0, 7)]);
    place.check_reload();
}
