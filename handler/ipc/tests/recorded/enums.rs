//! A sample of each variant of what stands inside of messages.

use super::values::*;
use ssmglobal_ipc::*;

samples! { modes Mode {
    Ask: Mode::Ask; Human: Mode::Human; Client: Mode::Client; Server: Mode::Server;
} }
samples! { betters Better { Lower: Better::Lower; Higher: Better::Higher; } }
samples! { operators Operator {
    Best: Operator::Best; Last: Operator::Last; Sum: Operator::Sum; Count: Operator::Count;
} }
samples! { submitters Submitters { Servers: Submitters::Servers; Players: Submitters::Players; } }
samples! { topics Topic {
    Board: Topic::Board(text("race")); Channel: Topic::Channel(text("chat")); Universe: Topic::Universe;
    Properties: Topic::Properties(world()); Worlds: Topic::Worlds; Users: Topic::Users;
} }
samples! { parties Party {
    Player: player(); Server: server(); World: world(); Backend: Party::Backend; Visitor: Party::Visitor(text("zed"));
} }
samples! { lists List { Worlds: List::Worlds; Users: List::Users; } }
samples! { list_rows ListRows {
    Worlds: listed_worlds(); Users: listed_users(); UsersInFull: users_in_full();
} }
samples! { play_hows PlayHow {
    New: PlayHow::New; Waits: PlayHow::Waits; TakenOver: PlayHow::TakenOver; Shared: PlayHow::Shared;
} }
samples! { play_ends PlayEnd { Quit: PlayEnd::Quit; Down: PlayEnd::Down; } }
samples! { play_states PlayState { Plays: PlayState::Plays; Waits: PlayState::Waits; Alone: PlayState::Alone; } }
samples! { play_dos PlayDo {
    HandOver: PlayDo::HandOver; Share: PlayDo::Share; Renew: PlayDo::Renew; Stop: PlayDo::Stop;
} }
samples! { states State {
    New: State::New; Anonymous: State::Anonymous; Player: State::Player; Unproved: State::Unproved; Server: State::Server;
} }
