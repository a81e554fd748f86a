//! The overlay, compared with a model in the simplest words; rows by hand.

use super::*;
use crate::testing::{Firsts, KINDS, Scores, board, standing};
use proptest::prelude::*;
use ssmglobal_ipc::Time;
use ssmglobal_store::{Better, Operator};

const RACE: BoardId = BoardId(1);

const PLAYERS: u32 = 5;

/// A board in memory, the running transaction over it, and the same in the simplest words.
struct Place {
    boards: Boards,
    overlay: Overlay,
    /// What the running transaction has written.
    rows: Vec<Row>,
    order: u64,
    scores: Scores<u32>,
    firsts: Firsts<u32>,
    /// As of the last commit.
    committed: Scores<u32>,
}

impl Place {
    fn new((operator, better): (Operator, Better)) -> Place {
        let mut boards = Boards::default();
        boards.define(board(1, "Race", operator, better));
        let scores = Scores::new((operator, better));
        let (overlay, committed, firsts) = (Overlay::default(), scores.clone(), Firsts::default());
        Place { boards, overlay, rows: Vec::new(), order: 0, scores, firsts, committed }
    }

    fn ranking(&self) -> &Ranking {
        self.boards.get(RACE).unwrap()
    }

    fn note(&mut self, row: Row) {
        self.overlay.note(&self.boards, &row);
        self.rows.push(row);
    }

    fn standing(&self, player: u32) -> Option<Standing> {
        self.overlay.standing(self.ranking(), PlayerId(player)).cloned()
    }

    fn rank(&self, standing: &Standing) -> u32 {
        self.overlay.rank(self.ranking(), standing)
    }

    /// A submit, as far as it changes what counts; gives the rank.
    fn submit(&mut self, player: u32, score: i64) -> Option<u32> {
        self.order += 1;
        let before = self.scores.first();
        if !self.scores.submit(player, score, self.order) {
            return None;
        }
        self.firsts.submitted(before, self.scores.first());
        let (score, order) = self.scores.standings[&player];
        let standing = standing(player, score, order);
        let rank = self.rank(&standing);
        self.note(Row::Standing { board: RACE, standing });
        Some(rank)
    }

    fn withdraw(&mut self, player: u32) -> bool {
        self.scores.standings.remove(&player);
        let Some(was) = self.standing(player) else { return false };
        self.order += 1;
        self.note(Row::Withdrawn { board: RACE, was, order: self.order, at: Time(0), reason: String::new() });
        true
    }

    /// All that stands there is taken off.
    fn clear(&mut self) {
        self.scores.standings.clear();
        self.firsts = Firsts::default();
        self.note(Row::BoardCleared { board: RACE });
    }

    /// What is better is turned around, which is possible while nobody stands there.
    fn turn(&mut self) {
        if self.scores.standings.is_empty() {
            let turned = match self.scores.better {
                Better::Lower => Better::Higher,
                Better::Higher => Better::Lower,
            };
            self.scores.better = turned;
            self.note(Row::Board(board(1, "Race", self.scores.operator, turned)));
        }
    }

    fn commit(&mut self) {
        for row in self.rows.drain(..) {
            match row {
                Row::Standing { board, standing } => self.boards.put(board, standing),
                Row::Withdrawn { board, was, .. } => self.boards.withdraw(board, was.player),
                Row::Board(board) => self.boards.define(board),
                Row::BoardCleared { board } => self.boards.clear(board),
                row => panic!("{row:?}"),
            }
        }
        self.committed = self.scores.clone();
        self.end();
    }

    fn give_up(&mut self) {
        self.scores = self.committed.clone();
        self.end();
    }

    fn end(&mut self) {
        self.rows.clear();
        self.overlay.clear();
        self.firsts = Firsts::default();
    }

    /// Who is first since this transaction, with what, and who was before.
    fn new_first(&self) -> Option<(u32, i64, Option<u32>)> {
        let firsts: Vec<_> = self.overlay.firsts(&self.boards).collect();
        assert!(firsts.len() <= 1);
        let (board, first, before) = firsts.first()?;
        assert_eq!(board.better, self.scores.better);
        Some((first.player.0, first.score, before.map(|player| player.0)))
    }

    /// Whether the overlay says what the model says.
    fn check(&self) {
        let table = self.scores.table();
        assert_eq!(self.overlay.total(self.ranking()) as usize, table.len());
        for player in 0..PLAYERS {
            let there = self.scores.standings.get(&player).map(|(score, order)| standing(player, *score, *order));
            assert_eq!(self.standing(player), there);
            assert_eq!(there.map(|there| self.rank(&there)), self.scores.rank(player));
            // What would be, with the next order.
            for score in -4..=4 {
                let mut then = self.scores.clone();
                then.standings.insert(player, (score, self.order + 1));
                assert_eq!(Some(self.rank(&standing(player, score, self.order + 1))), then.rank(player));
            }
        }
        let first = self.firsts.new_first(self.scores.first());
        let first = first.zip(table.first()).map(|(before, (player, score, _))| (*player, *score, before));
        assert_eq!(self.new_first(), first);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Submit(u32, i64),
    Withdraw(u32),
    Turn,
    Clear,
    Commit,
    GiveUp,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        // Few scores, so that many are equal and some sums stay as they are.
        12 => (0..PLAYERS, -3i64..=3).prop_map(|(player, score)| Step::Submit(player, score)),
        5 => (0..PLAYERS).prop_map(Step::Withdraw),
        1 => Just(Step::Turn),
        1 => Just(Step::Clear),
        2 => Just(Step::Commit),
        1 => Just(Step::GiveUp),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn is_as_the_model_says_after_any_row(kind in 0..KINDS.len(), steps in proptest::collection::vec(step(), 1..80)) {
        let mut place = Place::new(KINDS[kind]);
        for step in steps {
            match step {
                Step::Submit(player, score) => {
                    if let Some(rank) = place.submit(player, score) {
                        prop_assert_eq!(Some(rank), place.scores.rank(player), "right after it");
                    }
                }
                Step::Withdraw(player) => {
                    let there = place.scores.standings.contains_key(&player);
                    prop_assert_eq!(place.withdraw(player), there);
                }
                Step::Turn => place.turn(),
                Step::Clear => place.clear(),
                Step::Commit => place.commit(),
                Step::GiveUp => place.give_up(),
            }
            place.check();
        }
    }
}

#[test]
fn a_player_who_submits_often_is_withdrawn_and_comes_again_stands_once() {
    let mut place = Place::new((Operator::Last, Better::Lower));
    place.submit(0, 5);
    place.submit(1, 6);
    place.commit();
    assert_eq!([4, 9, 3].map(|score| place.submit(0, score)), [Some(1), Some(2), Some(1)]);
    assert_eq!(place.overlay.total(place.ranking()), 2);
    assert!(place.withdraw(0) && !place.withdraw(0));
    assert_eq!((place.standing(0), place.overlay.total(place.ranking())), (None, 1));
    assert_eq!([8, 7].map(|score| place.submit(0, score)), [Some(2), Some(2)]);
    assert_eq!(place.overlay.total(place.ranking()), 2);
    place.check();
}

#[test]
fn what_is_better_may_turn_around_once_nothing_stands_there() {
    let mut place = Place::new((Operator::Last, Better::Lower));
    place.submit(0, 5);
    place.submit(1, 6);
    place.commit();
    assert!(place.withdraw(0) && place.withdraw(1));
    place.turn();
    assert_eq!([(2, 1), (3, 2), (4, 3)].map(|(player, score)| place.submit(player, score)), [Some(1); 3]);
    assert_eq!(place.submit(0, 2), Some(3), "behind its equal");
    place.check();
    assert_eq!(place.new_first(), Some((4, 3, None)));
    place.commit();
    let table: Vec<u32> = place.ranking().places().map(|place| place.who.0).collect();
    assert_eq!(table, [4, 3, 0, 2]);
    place.check();
}

#[test]
fn a_first_place_that_is_given_up_again_is_not_told() {
    let mut place = Place::new((Operator::Last, Better::Lower));
    place.submit(0, 5);
    place.submit(1, 6);
    assert_eq!(place.new_first(), Some((0, 5, None)));
    place.commit();
    place.submit(1, 4);
    assert_eq!(place.new_first(), Some((1, 4, Some(0))));
    place.submit(1, 7);
    assert_eq!(place.new_first(), None, "fallen back");
    place.submit(2, 1);
    assert_eq!(place.new_first(), Some((2, 1, Some(0))));
    assert!(place.withdraw(2));
    assert_eq!(place.new_first(), None, "taken away");
    place.submit(0, 4);
    assert_eq!(place.new_first(), Some((0, 4, Some(0))), "one's own record, too");
    assert!(place.withdraw(0) && place.withdraw(1));
    assert_eq!(place.new_first(), None, "nobody is left");
}

#[test]
fn who_was_first_before_is_who_was_there_when_a_score_came() {
    let mut place = Place::new((Operator::Best, Better::Higher));
    for (player, score) in [(0, 9), (1, 8), (2, 7)] {
        place.submit(player, score);
    }
    place.commit();
    assert!(place.withdraw(0));
    assert_eq!(place.new_first(), None, "what is taken away is not told");
    place.submit(2, 10);
    assert_eq!(place.new_first(), Some((2, 10, Some(1))));
    place.submit(3, 11);
    assert_eq!(place.new_first(), Some((3, 11, Some(1))), "once, however often it changes hands");
}

#[test]
fn a_board_is_as_it_was_defined_last() {
    let mut place = Place::new((Operator::Best, Better::Lower));
    assert_eq!(place.overlay.board_of(RACE), None);
    for unit in ["s", "min"] {
        place.note(Row::Board(Board { unit: unit.into(), ..board(1, "Race", Operator::Best, Better::Lower) }));
    }
    for operator in [Operator::Best, Operator::Sum] {
        place.note(Row::Board(board(2, "Jump", operator, Better::Lower)));
    }
    assert_eq!(place.overlay.board_of(RACE).flatten().unwrap().unit, "min");
    assert_eq!(place.overlay.board_named("jump").unwrap().operator, Operator::Sum);
    assert_eq!(place.overlay.new_boards(&place.boards), 1, "two of the same number are one, and a known one is none");
    place.submit(0, 5);
    let units: Vec<&str> = place.overlay.firsts(&place.boards).map(|(board, ..)| &*board.unit).collect();
    assert_eq!(units, ["min"], "as others are told of it");
    place.commit();
    assert_eq!((place.overlay.new_boards(&place.boards), place.boards.len()), (0, 2));
    place.check();
}

#[test]
fn a_board_that_is_gone_is_not_found_and_its_name_is_free() {
    let mut place = Place::new((Operator::Best, Better::Lower));
    place.submit(0, 5);
    place.commit();
    place.note(Row::BoardGone { board: RACE });
    assert_eq!(place.overlay.board_of(RACE), Some(None));
    assert_eq!((place.overlay.board_named("race"), place.overlay.boards_gone(&place.boards)), (None, 1));
    assert_eq!((place.standing(0), place.overlay.total(place.ranking())), (None, 0));
    place.note(Row::Board(board(2, "Race", Operator::Best, Better::Lower)));
    assert_eq!(place.overlay.board_named("race").map(|board| board.id), Some(BoardId(2)));
    assert_eq!(place.overlay.new_boards(&place.boards), 1);
}

#[test]
fn a_game_server_is_called_as_the_transaction_has_it() {
    let mut place = Place::new((Operator::Best, Better::Lower));
    let id = ServerId(1);
    assert_eq!(place.overlay.server(id), None);
    place.note(Row::ServerNamed { server: id, name: "castle".into() });
    assert_eq!(place.overlay.server(id), Some(Some("castle")));
    place.note(Row::ServerGone { server: id });
    assert_eq!(place.overlay.server(id), Some(None));
}
