//! A sample of each event.

use super::values::*;
use ssmglobal_ipc::*;

samples! { events Event {
    Mail: Event::Mail(MailArrived { id: 300, from: player(), subject: text("hi"), unread: 2 });
    Tell: Event::Tell(TellArrived { from: server(), body: text("hello"), at: AT });
    Relay: Event::Relay(RelayMessage {
        channel: some("chat"), number: 51, from: Party::Player(text("arena")), at: AT, body: text("hello"),
    });
    Record: Event::Record(RecordArrived {
        board: text("race"), unit: text("ms"), player: text("bob"), score: -1, previous: some("alice"),
    });
    Notice: Event::Notice(Notice { msg: text("Soon.") });
    Close: Event::Close(Notice { msg: text("Now.") });
    LoggedOut: Event::LoggedOut(Notice { msg: text("Out.") });
    Ticket: Event::Ticket(Ticket::new(vec![1, 2, 255]));
    MailRefused: Event::MailRefused(MailRefused { from: server(), limit: 100 });
    WorldStopped: Event::WorldStopped(WorldStopped {
        world: text("Atlantis"), reason: Stop::Disabled, msg: text("Not paid."),
    });
    WorldChanged: Event::WorldChanged(host_terms());
    ForGuest: Event::ForGuest(ForGuest {
        world: some("Atlantis"), to: player(), event: Box::new(Event::Notice(Notice { msg: text("Soon.") })),
    });
    GuestClosed: Event::GuestClosed(GuestClosed { world: text("Atlantis"), player: player() });
    ForGuests: Event::ForGuests(ForGuests {
        world: some("Atlantis"), to: vec![player(), Party::Visitor(text("zed"))],
        event: Box::new(Event::Notice(Notice { msg: text("Soon.") })),
    });
    GuestRegistered: Event::GuestRegistered(GuestRegistered {
        world: some("Atlantis"), visitor: Party::Visitor(text("bob")), player: text("bob"), number: 300,
    });
    GuestRights: Event::GuestRights(GuestRights {
        world: some("Atlantis"), player: player(), rights: vec![text("vip")],
    });
    Rights: Event::Rights(Rights { player: text("bob"), rights: vec![text("vip")] });
    TakenOver: Event::TakenOver(Notice { msg: text("Elsewhere.") });
    Broadcast: Event::Broadcast(TellArrived { from: player(), body: text("hello"), at: AT });
    Universe: Event::Universe(universe());
    Property: Event::Property(PropertyChanged {
        of: world(), name: text("gate"), value: some("open"), base64: None, version: 300, deleted: false,
    });
    PlayReady: Event::PlayReady(PlayReady { world: text("zoo") });
    PlayOrder: Event::PlayOrder(PlayOrder { world: text("zoo"), what: PlayDo::Share });
    PlayReturn: Event::PlayReturn(PlayReturn { world: text("zoo") });
    GuestOut: Event::GuestOut(GuestOut { world: some("Atlantis"), player: player(), msg: text("Disabled.") });
    List: Event::List(ListChanged { from: 299, at: list_at(), rows: listed_users(), gone: vec![text("alice")] });
} }
