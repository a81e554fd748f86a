//! Scores and boards.

use super::*;
use crate::capability::boards::{ClearBoard, DefineBoard, RenameBoard};
use crate::capability::players::Disable;
use crate::capability::records::{Submit, Withdraw};
use crate::testing::{KINDS, board, standing};
use ssmglobal_ipc::RecordSubmitted;
use ssmglobal_store::{Better, Board, BoardId, Operator, Sequence, Standing, Submitters};

const RACE: BoardId = BoardId(1);

/// With one board of a kind.
fn with_board(operator: Operator, better: Better) -> Model {
    let mut model = people();
    model.put(&Row::Board(board(1, "Race", operator, better)));
    model.sequences.insert(Sequence::Board, 1);
    model
}

fn submit(player: PlayerId, score: i64) -> Submit {
    Submit { board: RACE, player, score, by: None, note: None }
}

/// What stands, the rank and the total, and whether that is an improvement.
fn submitted(model: &mut Model, player: PlayerId, score: i64) -> (i64, u32, u32, bool) {
    let Reply::RecordSubmitted(reply) = done(model, submit(player, score)) else { panic!("another answer") };
    (reply.score, reply.rank, reply.total, reply.improved)
}

#[test]
fn a_score_is_kept_with_all_that_came_along() {
    let mut model = with_board(Operator::Best, Better::Lower);
    done(&mut model, submit(ALICE, 50));
    let change = Submit { by: Some(ARENA), note: Some("rain".into()), ..submit(BOB, 60) };
    let note = Some("rain".into());
    let kept = Standing { player: BOB, score: 60, order: 2, at: NOW, server: Some(ARENA), note };
    let (board, player) = ("Race".to_owned(), "bob".to_owned());
    let reply = RecordSubmitted { board, player, score: 60, rank: 2, total: 2, improved: true };
    let rows = vec![Row::Standing { board: RACE, standing: kept }];
    let expected = Decided { rows, reply: Reply::RecordSubmitted(reply), proves: None };
    assert_eq!(decided(&mut model, change.clone()), expected);
    assert_eq!(asked(&mut model, change), 1);
}

#[test]
fn every_operator_does_what_it_says() {
    // Submits of alice, while bob stands with 1: what stands for her, her rank, the total, whether that is new.
    type Case = (i64, (i64, u32, u32, bool));
    let cases: [&[Case]; 8] = [
        &[
            (5, (5, 2, 2, true)),
            (3, (3, 2, 2, true)),
            (4, (3, 2, 2, false)),
            (1, (1, 2, 2, true)),
            (0, (0, 1, 2, true)),
        ],
        &[
            (0, (0, 2, 2, true)),
            (-1, (0, 2, 2, false)),
            (1, (1, 2, 2, true)),
            (2, (2, 1, 2, true)),
            (2, (2, 1, 2, false)),
        ],
        &[
            (5, (5, 2, 2, true)),
            (0, (0, 1, 2, true)),
            (0, (0, 1, 2, false)),
            (1, (1, 2, 2, true)),
            (9, (9, 2, 2, true)),
        ],
        &[
            (5, (5, 1, 2, true)),
            (0, (0, 2, 2, true)),
            (0, (0, 2, 2, false)),
            (1, (1, 2, 2, true)),
            (9, (9, 1, 2, true)),
        ],
        &[
            (5, (5, 2, 2, true)),
            (-5, (0, 1, 2, true)),
            (0, (0, 1, 2, false)),
            (1, (1, 2, 2, true)),
            (1, (2, 2, 2, true)),
        ],
        &[
            (5, (5, 1, 2, true)),
            (-5, (0, 2, 2, true)),
            (0, (0, 2, 2, false)),
            (1, (1, 2, 2, true)),
            (1, (2, 1, 2, true)),
        ],
        &[(5, (1, 2, 2, true)), (-5, (2, 2, 2, true)), (0, (3, 2, 2, true))],
        &[(5, (1, 2, 2, true)), (-5, (2, 1, 2, true)), (0, (3, 1, 2, true))],
    ];
    for ((operator, better), cases) in KINDS.into_iter().zip(cases) {
        let mut model = with_board(operator, better);
        assert_eq!(submitted(&mut model, BOB, 1), (1, 1, 1, true));
        for (score, expected) in cases {
            let (before, kind) = (model.asked, format!("{operator:?} {better:?} {score}"));
            assert_eq!(submitted(&mut model, ALICE, *score), *expected, "{kind}");
            assert_eq!(model.asked - before, u32::from(expected.3), "{kind}: what stays as it is has no new order");
        }
    }
}

#[test]
fn the_first_score_counts_whatever_it_is() {
    for ((operator, better), score) in
        KINDS.into_iter().flat_map(|kind| [i64::MIN, 0, i64::MAX].map(|score| (kind, score)))
    {
        let counts = if operator == Operator::Count { 1 } else { score };
        assert_eq!(submitted(&mut with_board(operator, better), ALICE, score), (counts, 1, 1, true));
    }
}

#[test]
fn a_sum_that_would_leave_64_bits_is_refused_and_what_stands_there_stays_right() {
    for better in [Better::Lower, Better::Higher] {
        for (edge, beyond) in [(i64::MAX, 1), (i64::MIN, -1)] {
            let mut model = with_board(Operator::Sum, better);
            assert_eq!(submitted(&mut model, ALICE, edge - beyond).0, edge - beyond);
            for more in [2 * beyond, edge] {
                let failure = refused(&mut model, submit(ALICE, more));
                let before = edge - beyond;
                let msg =
                    format!("{before} stands on Race; with {more} more it would leave 64 bits. Nothing was changed.");
                assert_eq!((failure.code, failure.msg), (Code::Limit, msg));
            }
            // The edge itself can be reached, and left again.
            assert_eq!(submitted(&mut model, ALICE, beyond), (edge, 1, 1, true));
            assert_eq!(code(&mut model, submit(ALICE, beyond)), Code::Limit);
            assert_eq!(submitted(&mut model, ALICE, 0), (edge, 1, 1, false));
            assert_eq!(submitted(&mut model, ALICE, -beyond), (edge - beyond, 1, 1, true));
        }
    }
}

#[test]
fn a_count_at_its_end_is_refused_whatever_is_submitted() {
    for better in [Better::Lower, Better::Higher] {
        let mut model = with_board(Operator::Count, better);
        model.put(&Row::Standing { board: RACE, standing: standing(1, i64::MAX, 70) });
        for score in [i64::MIN, 0, 5] {
            assert_eq!(code(&mut model, submit(ALICE, score)), Code::Limit);
        }
        assert_eq!(model.standings[&(RACE, ALICE)].score, i64::MAX);
    }
}

#[test]
fn a_rank_is_behind_equals_that_were_there_before() {
    let mut model = with_board(Operator::Best, Better::Higher);
    for (player, expected) in [(BOB, (7, 1, 1, true)), (ALICE, (7, 2, 2, true)), (CAROL, (7, 3, 3, true))] {
        assert_eq!(submitted(&mut model, player, 7), expected);
    }
    assert_eq!(submitted(&mut model, BOB, 7), (7, 1, 3, false));
    assert_eq!(submitted(&mut model, BOB, 8), (8, 1, 3, true), "in one's own place");
    assert_eq!(submitted(&mut model, CAROL, 8), (8, 2, 3, true));
}

#[test]
fn a_board_that_is_not_there_takes_no_score() {
    let mut model = with_board(Operator::Best, Better::Lower);
    let failure = refused(&mut model, Submit { board: BoardId(2), ..submit(ALICE, 1) });
    assert_eq!((failure.code, &*failure.msg), (Code::NotFound, "There is no such board."));
}

#[test]
fn a_score_is_withdrawn_with_what_stood_there() {
    let mut model = with_board(Operator::Last, Better::Lower);
    model.put(&Row::Standing { board: RACE, standing: standing(1, 5, 70) });
    model.sequences.insert(Sequence::Order, 70);
    let change = |player| Withdraw { board: RACE, player, reason: "cheated".into() };
    let (was, reason) = (standing(1, 5, 70), "cheated".to_owned());
    let row = Row::Withdrawn { board: RACE, was, order: 71, at: NOW, reason };
    assert_eq!(decided(&mut model, change(ALICE)), only(row));
    assert_eq!(asked(&mut model, change(ALICE)), 1);
    let failure = refused(&mut model, change(BOB));
    assert_eq!((failure.code, &*failure.msg), (Code::NotFound, "bob has no score on this board."));
    assert_eq!(code(&mut model, Withdraw { board: BoardId(2), ..change(ALICE) }), Code::NotFound);
    done(&mut model, change(ALICE));
    assert_eq!(code(&mut model, change(ALICE)), Code::NotFound, "it is gone");
    assert_eq!(submitted(&mut model, ALICE, 9), (9, 1, 1, true), "and may come again");
}

fn define(name: &str, operator: Operator, better: Better) -> DefineBoard {
    // The number that it comes with does not count.
    DefineBoard { board: board(77, name, operator, better), most: 3 }
}

#[test]
fn a_board_is_made_under_a_number_of_its_own() {
    let mut model = with_board(Operator::Best, Better::Lower);
    let change = define("Jump", Operator::Sum, Better::Higher);
    let made = only(Row::Board(board(2, "Jump", Operator::Sum, Better::Higher)));
    assert_eq!(decided(&mut model, change.clone()), made);
    assert_eq!(asked(&mut model, change), 1);
}

#[test]
fn a_board_is_changed_in_any_case_and_keeps_its_name_and_number() {
    let mut model = with_board(Operator::Best, Better::Lower);
    let mut change = define("rACE", Operator::Best, Better::Lower);
    (change.board.unit, change.board.submit) = ("s".into(), Submitters::Servers);
    let changed = Board { id: RACE, name: "Race".into(), ..change.board.clone() };
    done(&mut model, submit(ALICE, 5));
    assert_eq!(decided(&mut model, change.clone()), only(Row::Board(changed)));
    assert_eq!(asked(&mut model, change.clone()), 0);
    change.most = 1;
    decided(&mut model, change);
}

#[test]
fn what_scores_mean_does_not_change_under_them() {
    for (operator, better) in KINDS {
        let mut model = with_board(Operator::Best, Better::Lower);
        let (change, same) = (define("race", operator, better), (operator, better) == (Operator::Best, Better::Lower));
        let changed = only(Row::Board(board(1, "Race", operator, better)));
        assert_eq!(decided(&mut model, change.clone()), changed, "nothing stands on it");
        done(&mut model, submit(ALICE, 5));
        match same {
            true => assert_eq!(decided(&mut model, change.clone()), changed),
            false => assert_eq!(code(&mut model, change.clone()), Code::Denied),
        }
        done(&mut model, Withdraw { board: RACE, player: ALICE, reason: String::new() });
        assert_eq!(decided(&mut model, change), changed, "nothing stands on it any more");
    }
}

#[test]
fn there_are_so_many_boards_and_no_more() {
    let mut model = with_board(Operator::Best, Better::Lower);
    for name in ["a", "b"] {
        done(&mut model, define(name, Operator::Best, Better::Lower));
    }
    let failure = refused(&mut model, define("c", Operator::Best, Better::Lower));
    assert_eq!((failure.code, &*failure.msg), (Code::Limit, "There are 3 boards already."));
    done(&mut model, define("B", Operator::Last, Better::Lower));
}

#[test]
fn a_disabled_player_gets_no_new_scores_and_keeps_what_stands() {
    let mut model = with_board(Operator::Best, Better::Lower);
    done(&mut model, submit(ALICE, 5));
    let submit = |by| Submit { by, ..submit(ALICE, 1) };
    let before = model.standings.clone();
    done(&mut model, Disable { player: ALICE, reason: Some("spam".into()) });
    for by in [Some(ARENA), None] {
        let failure = refused(&mut model, submit(by));
        assert_eq!((failure.code, failure.msg.starts_with("alice is disabled")), (Code::Denied, true));
    }
    assert_eq!((model.standings.len(), &model.standings), (1, &before));
    done(&mut model, Disable { player: ALICE, reason: None });
    done(&mut model, submit(Some(ARENA)));
}

#[test]
fn a_board_is_called_otherwise_cleared_and_deleted_by_name_in_any_case() {
    let mut model = with_board(Operator::Best, Better::Lower);
    model.put(&Row::Board(board(2, "Lap", Operator::Best, Better::Lower)));
    done(&mut model, submit(ALICE, 50));
    let rename = |name: &str, new: &str| RenameBoard { name: name.into(), new: new.into() };
    let renamed = Row::Board(board(1, "Sprint", Operator::Best, Better::Lower));
    assert_eq!(decided(&mut model, rename("RACE", "Sprint")), only(renamed));
    assert_eq!(code(&mut model, rename("race", "LAP")), Code::Exists);
    done(&mut model, rename("race", "RACE"));
    let clear = |name: &str, gone| ClearBoard { name: name.into(), gone };
    assert_eq!(decided(&mut model, clear("race", false)), only(Row::BoardCleared { board: RACE }));
    assert_eq!(decided(&mut model, clear("race", true)), only(Row::BoardGone { board: RACE }));
    let nowhere = [Change::from(rename("nobody", "x")), clear("nobody", false).into(), clear("nobody", true).into()];
    for change in nowhere {
        let failure = refused(&mut model, change);
        assert_eq!(
            (failure.code, &*failure.msg),
            (Code::NotFound, "There is no board nobody. `ctl board list` shows them.")
        );
    }
    done(&mut model, clear("race", true));
    assert_eq!(code(&mut model, submit(ALICE, 5)), Code::NotFound, "what was asked before");
}

#[test]
fn a_score_of_a_game_server_that_is_gone_can_be_withdrawn() {
    let mut model = with_board(Operator::Best, Better::Lower);
    done(&mut model, Submit { by: Some(ARENA), ..submit(ALICE, 50) });
    done(&mut model, crate::capability::servers::Delete { name: "arena".into() });
    let was = model.standings[&(RACE, ALICE)].clone();
    assert_eq!(was.server, None);
    // As memory has it until it hears of it.
    model.standings.insert((RACE, ALICE), Standing { server: Some(ARENA), ..was.clone() });
    let withdraw = Withdraw { board: RACE, player: ALICE, reason: "cheated".into() };
    let [Row::Withdrawn { was: withdrawn, .. }] = &decided(&mut model, withdraw).rows[..] else { panic!("other rows") };
    assert_eq!(*withdrawn, was);
}
