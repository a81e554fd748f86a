//! Many players of one world, of whom each has his own troubles when it goes and comes back.

use super::{played_with, wide};
use crate::harness::worlds::{Cut, Kind, StrictClient};

const PLAYERS: usize = 20;

#[test]
fn twenty_are_back_and_logged_in_whatever_becomes_of_some_of_them() {
    let mut played = played_with(Kind::Mush, "", "");
    let name = |number: usize| format!("player{number}");
    let mut all: Vec<StrictClient> = (0..PLAYERS).map(|number| played.inside(&name(number), wide())).collect();
    assert_eq!(played.world.connected(), PLAYERS);
    played.world.crashes(Cut::Reset);
    for (number, client) in all.iter_mut().enumerate() {
        client.until("zoo is down.");
        client.types(&format!("echo first of {number}"));
        client.until("1 line kept for zoo.");
        client.types(&format!("echo second of {number}"));
        client.until("2 lines kept for zoo.");
    }
    // The first one is refused, the second one has another password, the next have left, and one has gone.
    played.world.refuses(&name(0), "That name is taken.\r\n");
    played.world.sets_password(&name(1), "another");
    for client in &mut all[2..5] {
        client.types("//quit");
        client.rest();
    }
    let mark = played.backend.log().mark();
    all[5].hangs_up();
    all[5].rest();
    played.backend.log().wait_after(mark, "event=disconnect");
    played.world.starts();
    for (number, client) in all.iter_mut().enumerate().skip(6) {
        client.until("you are in it as before. What you typed is sent: 2 lines.");
        client.until(&format!("first of {number}\n"));
        client.until(&format!("second of {number}\n"));
        client.types(&format!("echo third of {number}"));
        client.until(&format!("third of {number}\n"));
        let told = played.world.player_from(PLAYERS, &name(number));
        assert_eq!(told.lines()[1..], ["first", "second", "third"].map(|word| format!("echo {word} of {number}")));
    }
    all[1].until("did not log you in: Either that player does not exist");
    all[1].types("connect player1 another");
    all[1].until("first of 1\n");
    all[0].until("did not log you in: ");
    all[0].until("That name is taken.\n");
    played.world.lets_in(&name(0));
    all[0].types("connect player0 secret-of-player0");
    all[0].until("second of 0\n");
    assert_eq!(played.world.connected(), PLAYERS - 4);
    assert_eq!(played.backend.workers().len(), PLAYERS - 4);
    // One stays: where the last two quit within a second the world has gone, as far as anybody can see.
    let quitting = all.iter_mut().enumerate().take(PLAYERS - 1);
    for (number, client) in quitting.filter(|(number, _)| !(2..6).contains(number)) {
        client.types("quit");
        let last = client.rest();
        assert!(last.contains("*** Disconnected ***"), "{number}: {last}");
    }
}
