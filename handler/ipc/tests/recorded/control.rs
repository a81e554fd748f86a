//! A sample of each message between listener and handler, and of what a listener leaves to the next.

use super::values::*;
use ssmglobal_ipc::control::{AdoptedWorker, Blocked, Client, NotLetIn, ToHandler, ToListener};
use ssmglobal_ipc::handover::{Item, Worker};

fn blocked() -> Blocked {
    Blocked { network: "2001:db8::".parse().unwrap(), seconds: 60, status: -11 }
}

samples! { to_handler ToHandler {
    Exited: ToHandler::Exited { pid: 4711, status: -9, count: 1, max: 10_000 };
    Log: ToHandler::Log { level: 2, text: text("a line") };
    Reload: ToHandler::Reload { settings: vec![1, 2, 255] };
    Stop: ToHandler::Stop;
    Clients: ToHandler::Clients {
        clients: vec![client(), Client { address: "192.0.2.1:5000".parse().unwrap(), ..client() }], max: 10_000,
    };
    Run: ToHandler::Run { run: 1_769_890_500_000 };
    Joined: ToHandler::Joined { client: client(), count: 2, max: 10_000 };
    Keep: ToHandler::Keep { state: vec![1, 2, 255], descriptors: 5 };
    Versions: ToHandler::Versions { versions: vec![text("1.3.0"), text("1.2.3")], others: vec![(4711, 1)] };
    Moved: ToHandler::Moved {
        from: 4711,
        client: Client { pid: 4712, ..client() },
    };
    Deaths: ToHandler::Deaths { count: 300 };
    Watch: ToHandler::Watch { workers: vec![AdoptedWorker { pid: 4711, started: 300 }] };
    Refused: ToHandler::Refused { address: "192.0.2.1:5000".parse().unwrap(), door: 1, why: NotLetIn::Blocked(9) };
    Blocked: ToHandler::Blocked(blocked());
    AllBlocked: ToHandler::AllBlocked { asker: 3, blocked: vec![blocked()] };
    LetIn: ToHandler::LetIn { asker: 3, count: 2 };
} }

samples! { to_listener ToListener {
    Ready: ToListener::Ready;
    Wake: ToListener::Wake { pid: 4711 };
    Fatal: ToListener::Fatal { msg: text("It is not a database.") };
    Gone: ToListener::Gone { pid: 4711 };
    Found: ToListener::Found { client: client(), started: 300 };
    Upgrade: ToListener::Upgrade { program: some("/usr/local/bin/ssmglobal") };
    Welcome: ToListener::Welcome { text: some("Zoë — welcome") };
    WhoIsBlocked: ToListener::WhoIsBlocked { asker: 3 };
    LetIn: ToListener::LetIn { asker: 3, address: Some("192.0.2.1".parse().unwrap()) };
} }

samples! { items Item {
    Moves: Item::Moves { sends: 5, receives: 6 };
    Successor: Item::Successor { of: 4711, pid: 4712, version: 1 };
    PendingAccept: Item::PendingAccept { puts: 3, takes: 4 };
    Lifeline: Item::Lifeline { holds: 7, ends: 8 };
    Format: Item::Format { format: 1, version: text("1.2.3") };
    Door: Item::Door { number: 1, listen: text("[::]:53450"), socket: 3 };
    NextDoor: Item::NextDoor { number: 2 };
    Rendezvous: Item::Rendezvous { sends: 0, receives: 1 };
    Journal: Item::Journal { memory: 2 };
    Run: Item::Run { run: 1_769_890_500_000, next: 301 };
    Version: Item::Version { version: text("1.2.3") };
    Worker: Item::Worker(Worker { client: client(), version: 1, started: Some(300) });
    Handler: Item::Handler { pid: 4711, started: Some(300), stream: 4, out: vec![1, 2, 255], unread: vec![3] };
    Upgrade: Item::Upgrade { from: text("1.2.3"), program: b"/usr/local/bin/ssmglobal".to_vec(), asker: Some(5) };
} }
