//! What every row means to memory, and to others.

mod every_row;

use super::*;
use crate::state::session::Proof;
use crate::state::terms::PlayKeys;
use crate::state::universe::{Key, Universe, UniverseSettings};
use crate::testing::{board, licence, player, server, standing};
use ssmglobal_ipc::{Base64, MailRefused, Notice, Party, PropertyAccess, PropertyValue, Rating, Secret, Time};
use ssmglobal_store::{
    Better, Board, BoardId, KeptProperty, KeptSetting, Keyed, Network, NewLetter, NewPlayer, Operator, PlayerId,
    ServerId, WorldId,
};
use std::sync::Arc;

const ALICE: PlayerId = PlayerId(1);
const BOB: PlayerId = PlayerId(2);
const ARENA: ServerId = ServerId(1);
const CASTLE: ServerId = ServerId(2);
const RACE: BoardId = BoardId(1);

/// What is in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    players: Vec<(u32, String)>,
    servers: Vec<(u32, String)>,
    barred: Vec<Principal>,
    checkers: Vec<ServerId>,
    epochs: Vec<(Principal, u32)>,
    networks: Vec<(u32, Network)>,
    licences: Vec<KeptLicence>,
    rights: Vec<(u32, String)>,
    ratings: Vec<(u32, Rating)>,
    limits: Vec<(u32, u32)>,
    emails: Vec<(u32, String)>,
    universe: Arc<Universe>,
    while_on: Vec<(Principal, String)>,
    played: Vec<(u32, PlayKeys)>,
    /// With player and score of all on it, the best first.
    boards: Vec<(Board, Vec<(u32, i64)>)>,
}

fn seen(memory: &Memory) -> Seen {
    let directory = read(&memory.directory);
    let players = (1..10).map(|id| (id, directory.name(PlayerId(id)).to_owned()));
    let players: Vec<_> = players.filter(|(_, name)| !name.is_empty()).collect();
    assert!(players.iter().all(|(id, name)| directory.find(name) == Some(PlayerId(*id))));
    assert_eq!(directory.len(), players.len());
    let mut servers: Vec<_> = read(&memory.servers).iter().map(|(id, name)| (id.0, name.clone())).collect();
    let mut barred: Vec<_> = read(&memory.barred).iter().copied().collect();
    let checkers = read(&memory.checkers).iter().copied().collect();
    let mut epochs: Vec<_> = read(&memory.epochs).iter().map(|(who, epoch)| (*who, *epoch)).collect();
    servers.sort();
    barred.sort();
    epochs.sort();
    let networks = read(&memory.networks);
    let networks = (1..10).flat_map(|id| networks.of(PlayerId(id)).iter().map(move |network| (id, *network)));
    let networks = networks.collect();
    let boards = read(&memory.boards);
    let boards = boards.iter_after(None).map(|ranking| {
        let slice = ranking.slice(0, usize::MAX);
        (ranking.board.clone(), slice.iter().map(|(_, standing)| (standing.player.0, standing.score)).collect())
    });
    let boards = boards.collect();
    let licences = read(&memory.licences).after(None).map(|licence| KeptLicence::clone(licence)).collect();
    let rights = read(&memory.rights);
    let rights = rights.iter().flat_map(|(player, his)| his.iter().map(|right| (player.0, right.clone()))).collect();
    let ratings = read(&memory.ratings).iter().map(|(player, rating)| (player.0, *rating)).collect();
    let limits = read(&memory.limits);
    let mut limits: Vec<_> = limits.iter().map(|(player, minutes)| (player.0, *minutes)).collect();
    limits.sort();
    let mut emails: Vec<_> = read(&memory.emails).iter().map(|(player, email)| (player.0, email.to_string())).collect();
    emails.sort();
    let universe = memory.universe();
    let while_on = read(&memory.temporary_properties);
    let while_on = while_on.iter().flat_map(|(holder, his)| his.iter().map(|name| (*holder, name.clone())));
    let mut while_on: Vec<_> = while_on.collect();
    while_on.sort();
    let played = read(&memory.played).iter().map(|(world, keys)| (world.0, keys.clone())).collect();
    Seen {
        players,
        servers,
        barred,
        checkers,
        epochs,
        networks,
        licences,
        rights,
        ratings,
        limits,
        emails,
        universe,
        while_on,
        played,
        boards,
    }
}

fn from(number: u8) -> Network {
    Network { network: [192, 0, 2, number].into(), at: Time(7) }
}

/// Alice and Bob with scores, Arena, and Castle and Bob who may not be on.
fn memory() -> Memory {
    let memory = Memory::default();
    let mut rows = vec![
        player(1, "alice"),
        player(2, "bob"),
        server(1, "arena"),
        server(2, "castle"),
        Row::Board(board(1, "Race", Operator::Last, Better::Lower)),
        Row::Standing { board: RACE, standing: standing(1, 5, 1) },
        Row::Standing { board: RACE, standing: standing(2, 7, 2) },
        Row::PlayerDisabled { player: BOB, reason: Some("spam".into()) },
        Row::ServerDisabled { server: CASTLE, disabled: true },
        Row::PlayerSeen { player: BOB, network: from(1) },
        Row::Epoch { who: ALICE.into(), epoch: 3, reason: "another password".into() },
        Row::Licence(Box::new(licence(1, "Zoo", BOB))),
        Row::Granted { player: BOB, right: "vip".into() },
        Row::PlayerRating { player: BOB, rating: Some(Rating::R) },
        Row::PlayerLimit { player: BOB, minutes: Some(60) },
        universe("name", Some("Old")),
        Row::WorldPlayed { world: ZOO, key: "kind".into(), value: Some(Secret::new("tinymux")) },
        set(BOB, "seat", property(Some("left"), |it| it.kept = false)),
        set(ZOO, "gate", property(Some("open"), |it| it.kept = false)),
    ];
    apply(&memory, &mut rows);
    assert!(rows.is_empty());
    memory
}

fn universe(key: &str, value: Option<&str>) -> Row {
    Row::Universe { key: key.into(), value: value.map(str::to_owned) }
}

fn letter(from: impl Into<Principal>) -> Row {
    Row::Letter(NewLetter {
        from: from.into(),
        from_number: 8,
        in_sent: true,
        let_go: 0,
        to: BOB,
        to_number: 9,
        unread: 3,
        subject: "hi".into(),
        body: "one".into(),
        at: Time(4),
    })
}

/// What others are told of rows, and what memory is with them.
fn after(rows: &[Row]) -> (Seen, Vec<News>) {
    let memory = memory();
    let mut overlay = Overlay::default();
    rows.iter().for_each(|row| overlay.note(&read(&memory.boards), row));
    let told = news(&memory, &overlay, rows);
    assert_eq!(seen(&memory), seen(&self::memory()), "news change nothing");
    let mut rows = rows.to_vec();
    apply(&memory, &mut rows);
    assert!(rows.is_empty());
    (seen(&memory), told)
}

fn tell(to: impl Into<Principal>, event: Event) -> News {
    News::Tell { to: Audience::Principal(to.into()), event }
}

fn mail(from: Party) -> News {
    tell(BOB, Event::Mail(MailArrived { id: 9, from, subject: "hi".into(), unread: 3 }))
}

fn record(player: &str, score: i64, previous: Option<&str>) -> News {
    let (board, unit, previous) = ("Race".to_owned(), "ms".to_owned(), previous.map(str::to_owned));
    let event = Event::Record(RecordArrived { board, unit, player: player.to_owned(), score, previous });
    News::Tell { to: Audience::Topic(Topic::Board(RACE)), event }
}

const ZOO: WorldId = WorldId(1);

/// A property that is kept, and that nobody is told of.
fn property(value: Option<&str>, change: impl FnOnce(&mut KeptProperty)) -> KeptProperty {
    let mut property = KeptProperty {
        value: value.map(|value| PropertyValue::Text(value.into())),
        version: 3,
        finger: false,
        push: false,
        kept: true,
        write: PropertyAccess::Owner,
        read: PropertyAccess::World,
        at: Time(9),
    };
    change(&mut property);
    property
}

fn set(holder: impl Into<Principal>, name: &str, property: KeptProperty) -> Row {
    Row::Property { holder: holder.into(), name: name.into(), property, by: Some(7) }
}

fn out(who: impl Into<Principal>, reason: &str) -> News {
    News::Out { who: who.into(), reason: reason.into() }
}

#[test]
fn rows_count_in_their_order() {
    let put = |player, score, order| Row::Standing { board: RACE, standing: standing(player, score, order) };
    let gone = |player, score, order| {
        let was = standing(player, score, order);
        Row::Withdrawn { board: RACE, was, order: 9, at: Time(0), reason: String::new() }
    };
    let turned = || Board { unit: "points".into(), ..board(1, "Race", Operator::Last, Better::Higher) };
    let rows = [gone(1, 5, 1), gone(2, 7, 2), Row::Board(turned()), put(1, 3, 3), put(2, 4, 4)];
    let (now, told) = after(&rows);
    assert_eq!(now.boards, [(turned(), vec![(2, 4), (1, 3)])]);
    let [News::Tell { event: Event::Record(event), .. }] = &told[..] else { panic!("{told:?}") };
    let previous = None;
    let (board, unit, player) = ("Race".into(), "points".into(), "bob".into());
    assert_eq!(*event, RecordArrived { board, unit, player, score: 4, previous }, "the board as it is then");
    let out_and_in = |reason: Option<&str>| Row::PlayerDisabled { player: ALICE, reason: reason.map(str::to_owned) };
    assert_eq!(after(&[out_and_in(Some("x")), out_and_in(None)]).0, seen(&memory()));
    assert_eq!(after(&[out_and_in(None), out_and_in(Some("x"))]).0.barred.len(), 3);
}

#[test]
fn of_many_first_places_one_is_told_behind_all_else() {
    let put = |player, score, order| Row::Standing { board: RACE, standing: standing(player, score, order) };
    let rows = [put(2, 4, 3), put(1, 3, 4), letter(ALICE), put(2, 2, 5), letter(ARENA)];
    let (alice, arena) = (Party::Player("alice".into()), Party::Server("arena".into()));
    assert_eq!(after(&rows).1, [mail(alice), mail(arena), record("bob", 2, Some("alice"))]);
    assert_eq!(after(&[put(2, 4, 3), put(2, 8, 4)]).1, [], "given up again");
}

#[test]
fn what_was_proved_holds_until_the_epoch_has_grown_or_somebody_is_barred() {
    let memory = memory();
    let holds = |who: PlayerId, epoch| memory.holds(Proof { who: who.into(), epoch });
    assert_eq!([2, 3, 4].map(|epoch| holds(ALICE, epoch)), [false, true, true]);
    assert!(!holds(BOB, 0) && holds(PlayerId(3), 0));
    apply(&memory, &mut vec![Row::PlayerDisabled { player: BOB, reason: None }]);
    assert!(holds(BOB, 0));
}

#[test]
fn a_board_that_memory_does_not_know_takes_no_scores() {
    let rows = [Row::Standing { board: BoardId(7), standing: standing(1, 5, 3) }];
    assert_eq!(after(&rows), (seen(&memory()), Vec::new()));
}

#[test]
fn what_is_told_is_read_as_it_was_kept() {
    let notice = Event::Notice(Notice { msg: "Soon.".into() });
    for news in [mail(Party::Server("arena".into())), record("bob", -1, None), out(ARENA, "x"), tell(ALICE, notice)] {
        let mut bytes = Vec::new();
        news.put(&mut bytes);
        assert_eq!(News::read(&bytes), Some(news));
    }
}
