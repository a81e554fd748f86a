//! What every row means to memory, and to others.

use super::*;
use crate::state::session::Proof;
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

fn letter_refused(from: impl Into<Principal>) -> Row {
    Row::LetterRefused { player: BOB, from: from.into(), mailbox: 100, at: Time(4), before: Time(3) }
}

fn refused(from: Party) -> News {
    tell(BOB, Event::MailRefused(MailRefused { from, limit: 100 }))
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

fn zoo(change: impl FnOnce(&mut KeptLicence)) -> KeptLicence {
    let mut zoo = licence(1, "Zoo", BOB);
    change(&mut zoo);
    zoo
}

fn granted(licence: KeptLicence) -> Row {
    Row::Licence(Box::new(licence))
}

fn changed(name: &str, stop: Option<Stop>, terms: bool) -> News {
    News::Licence { world: ZOO, name: name.into(), stop, terms }
}

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

fn said(holder: impl Into<Principal>, of: Party, name: &str, value: Option<&str>, push: bool) -> News {
    let changed = PropertyChanged {
        of,
        name: name.into(),
        value: value.map(str::to_owned),
        base64: None,
        version: 3,
        deleted: value.is_none(),
    };
    News::Property { holder: holder.into(), changed, read: PropertyAccess::World, push, by: Some(7) }
}

fn started_by() -> StartedBy {
    StartedBy { session: 3, server: ARENA, instance: String::new(), address: "192.0.2.1".into(), port: 7 }
}

fn out(who: impl Into<Principal>, reason: &str) -> News {
    News::Out { who: who.into(), reason: reason.into() }
}

/// Whether every kind of row is in a table; the match has no wildcard, so that a new one does not compile without a
/// place here.
fn with_email(row: Row, email: &str) -> Row {
    let Row::Player(player) = row else { panic!("another row") };
    Row::Player(NewPlayer { email: Some(email.to_owned()), ..player })
}

fn kind(row: &Row) -> usize {
    match row {
        Row::Player(_) => 0,
        Row::PlayerHash { .. } => 1,
        Row::PlayerLogin { .. } => 2,
        Row::PlayerDisabled { .. } => 3,
        Row::Server(_) => 4,
        Row::ServerKey { .. } => 5,
        Row::ServerAuthed { .. } => 6,
        Row::ServerDisabled { .. } => 7,
        Row::Board(_) => 8,
        Row::Standing { .. } => 9,
        Row::Withdrawn { .. } => 10,
        Row::Setting { .. } => 11,
        Row::Letter(_) => 12,
        Row::LetterRead { .. } => 13,
        Row::LetterGone { .. } => 14,
        Row::Blocked { .. } => 15,
        Row::Unblocked { .. } => 16,
        Row::Keyed { .. } => 17,
        Row::RelayMark { .. } => 18,
        Row::LetterRefused { .. } => 19,
        Row::PlayerSeen { .. } => 20,
        Row::PlayerUnseen { .. } => 21,
        Row::Epoch { .. } => 22,
        Row::ServerAllowed { .. } => 23,
        Row::Licence(_) => 24,
        Row::WorldStarted { .. } => 25,
        Row::WorldStopped { .. } => 35,
        Row::LicenceGone { .. } => 26,
        Row::WorldPurged { .. } => 27,
        Row::Granted { .. } => 28,
        Row::Revoked { .. } => 29,
        Row::PlayerRating { .. } => 30,
        Row::PlayerLimit { .. } => 31,
        Row::PlayerLasted { .. } => 32,
        Row::Universe { .. } => 33,
        Row::Property { .. } => 34,
    }
}

const EVERY: usize = 36;

/// A row, what memory is with it, and what others are told.
type Case = (Row, fn(&mut Seen), Vec<News>);

fn nothing(_: &mut Seen) {}

fn properties() -> Vec<Case> {
    let (bob, zoo) = (|| Party::Player("bob".into()), || Party::World("Zoo".into()));
    let bytes = property(None, |it| {
        it.value = Some(PropertyValue::Binary(vec![255]));
        it.push = true;
    });
    let mut in_bytes = said(BOB, bob(), "pic", Some("x"), true);
    if let News::Property { changed, .. } = &mut in_bytes {
        (changed.value, changed.base64) = (None, Some(Base64(vec![255])));
    }
    let add = |seen: &mut Seen| seen.while_on.insert(0, (BOB.into(), "mood".into()));
    vec![
        // Nobody hears of a player's that is not pushed, and the host of a world hears of all.
        (set(BOB, "motto", property(Some("hi"), |_| {})), nothing, vec![]),
        (set(BOB, "motto", property(None, |_| {})), nothing, vec![]),
        (
            set(BOB, "motto", property(Some("hi"), |it| it.push = true)),
            nothing,
            vec![said(BOB, bob(), "motto", Some("hi"), true)],
        ),
        (set(BOB, "motto", property(None, |it| it.push = true)), nothing, vec![said(BOB, bob(), "motto", None, true)]),
        (set(BOB, "pic", bytes), nothing, vec![in_bytes]),
        (
            set(ZOO, "door", property(Some("shut"), |_| {})),
            nothing,
            vec![said(ZOO, zoo(), "door", Some("shut"), false)],
        ),
        (
            set(ZOO, "gate", property(None, |it| it.kept = false)),
            |seen| seen.while_on.retain(|(_, name)| name != "gate"),
            vec![said(ZOO, zoo(), "gate", None, false)],
        ),
        // Who has set what he has only while he is on may be gone by then.
        (
            set(BOB, "mood", property(Some("good"), |it| it.kept = false)),
            add,
            vec![said(BOB, bob(), "mood", Some("good"), false)],
        ),
        (
            set(BOB, "seat", property(Some("right"), |_| {})),
            |seen| seen.while_on.retain(|(_, name)| name != "seat"),
            vec![],
        ),
        // Of a world whose licence is gone nobody is told.
        (set(WorldId(7), "door", property(None, |it| it.push = true)), nothing, vec![]),
    ]
}

#[test]
fn every_row_does_what_it_says_and_nothing_else() {
    let (owner, key, at) = (Principal::from(ALICE), || "k".to_owned(), Time(9));
    let setting = KeptSetting { value: Some("v".into()), version: 1, public: true, at };
    let kept = Keyed { digest: [1; 32], at, answer: vec![1] };
    let put = |player, score| Row::Standing { board: RACE, standing: standing(player, score, 3) };
    let withdrawn = |player, score, order| {
        let was = standing(player, score, order);
        Row::Withdrawn { board: RACE, was, order: 3, at, reason: "cheated".into() }
    };
    let turned = Board { unit: "s".into(), ..board(1, "Race", Operator::Sum, Better::Lower) };
    let mut cases: Vec<Case> = vec![
        (player(3, "carol"), |seen| seen.players.push((3, "carol".into())), vec![]),
        (
            with_email(player(3, "carol"), "c@example.org"),
            |seen| {
                seen.players.push((3, "carol".into()));
                seen.emails.push((3, "c@example.org".into()));
            },
            vec![],
        ),
        (Row::PlayerHash { player: ALICE, hash: Secret::new("$new") }, nothing, vec![]),
        (Row::PlayerLogin { player: ALICE, at }, nothing, vec![]),
        (
            Row::PlayerDisabled { player: ALICE, reason: Some("rude".into()) },
            |seen| seen.barred.insert(0, ALICE.into()),
            vec![],
        ),
        (
            Row::PlayerDisabled { player: BOB, reason: None },
            |seen| seen.barred.retain(|who| *who != BOB.into()),
            vec![],
        ),
        (server(3, "tower"), |seen| seen.servers.push((3, "tower".into())), vec![]),
        (Row::ServerKey { server: ARENA, key: [9; 32] }, nothing, vec![]),
        (Row::ServerAuthed { server: ARENA, at }, nothing, vec![]),
        (Row::ServerDisabled { server: ARENA, disabled: true }, |seen| seen.barred.insert(1, ARENA.into()), vec![]),
        (
            Row::ServerDisabled { server: CASTLE, disabled: false },
            |seen| seen.barred.retain(|who| *who != CASTLE.into()),
            vec![],
        ),
        (
            Row::Board(board(2, "Jump", Operator::Best, Better::Higher)),
            |seen| seen.boards.insert(0, (board(2, "Jump", Operator::Best, Better::Higher), Vec::new())),
            vec![],
        ),
        (
            Row::Board(turned),
            |seen| seen.boards[0].0 = Board { unit: "s".into(), ..board(1, "Race", Operator::Sum, Better::Lower) },
            vec![],
        ),
        (put(2, 4), |seen| seen.boards[0].1 = vec![(2, 4), (1, 5)], vec![record("bob", 4, Some("alice"))]),
        (put(2, 6), |seen| seen.boards[0].1 = vec![(1, 5), (2, 6)], vec![]),
        (put(1, 9), |seen| seen.boards[0].1 = vec![(2, 7), (1, 9)], vec![record("bob", 7, Some("alice"))]),
        (put(1, 2), |seen| seen.boards[0].1 = vec![(1, 2), (2, 7)], vec![record("alice", 2, Some("alice"))]),
        (withdrawn(1, 5, 1), |seen| seen.boards[0].1 = vec![(2, 7)], vec![]),
        (withdrawn(2, 7, 2), |seen| seen.boards[0].1 = vec![(1, 5)], vec![]),
        (Row::Setting { owner, key: key(), setting }, nothing, vec![]),
        (letter(ALICE), nothing, vec![mail(Party::Player("alice".into()))]),
        (letter(ARENA), nothing, vec![mail(Party::Server("arena".into()))]),
        (letter(Principal::BACKEND), nothing, vec![mail(Party::Backend)]),
        (Row::LetterRead { player: ALICE, number: 1, at }, nothing, vec![]),
        (Row::LetterGone { player: ALICE, number: 1 }, nothing, vec![]),
        (Row::Blocked { player: ALICE, from: owner }, nothing, vec![]),
        (Row::Unblocked { player: ALICE, from: owner }, nothing, vec![]),
        (Row::Keyed { owner, key: key(), kept }, nothing, vec![]),
        (Row::RelayMark { upto: 7 }, nothing, vec![]),
        (letter_refused(ALICE), nothing, vec![refused(Party::Player("alice".into()))]),
        (letter_refused(ARENA), nothing, vec![refused(Party::Server("arena".into()))]),
        (Row::PlayerSeen { player: ALICE, network: from(2) }, |seen| seen.networks.insert(0, (1, from(2))), vec![]),
        (Row::PlayerUnseen { player: BOB, network: from(1).network }, |seen| seen.networks.clear(), vec![]),
        (
            Row::Epoch { who: ARENA.into(), epoch: 4, reason: "another key".into() },
            |seen| seen.epochs.push((ARENA.into(), 4)),
            vec![out(ARENA, "another key")],
        ),
        (Row::ServerAllowed { server: ARENA, login_check: false }, nothing, vec![]),
        (Row::ServerAllowed { server: CASTLE, login_check: true }, |seen| seen.checkers.push(CASTLE), vec![]),
        (granted(zoo(|_| {})), nothing, vec![changed("Zoo", None, false)]),
        (
            granted(licence(2, "Moon", ALICE)),
            |seen| seen.licences.insert(0, licence(2, "Moon", ALICE)),
            vec![News::Licence { world: WorldId(2), name: "Moon".into(), stop: None, terms: false }],
        ),
        (
            granted(zoo(|it| it.comment = "x".into())),
            |seen| seen.licences[0].comment = "x".into(),
            vec![changed("Zoo", None, false)],
        ),
        (granted(zoo(|it| it.users = 7)), |seen| seen.licences[0].users = 7, vec![changed("Zoo", None, true)]),
        (
            granted(zoo(|it| it.disabled = Some("spam".into()))),
            |seen| seen.licences[0].disabled = Some("spam".into()),
            vec![changed("Zoo", Some(Stop::Disabled), false)],
        ),
        (
            granted(zoo(|it| it.password = [9; 32])),
            |seen| seen.licences[0].password = [9; 32],
            vec![changed("Zoo", Some(Stop::Password), false)],
        ),
        (
            Row::WorldStarted { world: ZOO, at, address: "192.0.2.1".into(), by: Box::new(started_by()) },
            |seen| {
                seen.licences[0].last_started = Some(Time(9));
                seen.licences[0].last_address = Some("192.0.2.1".into());
            },
            vec![News::Started { world: ZOO, at, by: started_by() }],
        ),
        (
            Row::LicenceGone { world: ZOO, at },
            |seen| seen.licences.clear(),
            vec![changed("Zoo", Some(Stop::Deleted), false)],
        ),
        (Row::WorldPurged { world: WorldId(7) }, nothing, vec![]),
        (Row::WorldPurged { world: ZOO }, |seen| seen.while_on.retain(|(holder, _)| *holder != ZOO.into()), vec![]),
        (
            Row::Granted { player: BOB, right: "build".into() },
            |seen| seen.rights.insert(0, (2, "build".into())),
            vec![News::Rights { player: BOB }],
        ),
        (
            Row::Revoked { player: BOB, right: "vip".into() },
            |seen| seen.rights.clear(),
            vec![News::Rights { player: BOB }],
        ),
        (
            Row::PlayerRating { player: BOB, rating: Some(Rating::G) },
            |seen| seen.ratings = vec![(2, Rating::G)],
            vec![],
        ),
        (Row::PlayerRating { player: BOB, rating: None }, |seen| seen.ratings.clear(), vec![]),
        (
            Row::PlayerLimit { player: ALICE, minutes: Some(90) },
            |seen| seen.limits.insert(0, (1, 90)),
            vec![News::Limited { player: ALICE }],
        ),
        (
            Row::PlayerLimit { player: BOB, minutes: None },
            |seen| seen.limits.clear(),
            vec![News::Limited { player: BOB }],
        ),
        (
            Row::PlayerLasted { player: ALICE, lasted: 7, session: 3, since: at },
            nothing,
            vec![News::Counted { session: 3, since: at }],
        ),
        (
            universe("users", Some("false")),
            |seen| {
                let universe = Arc::make_mut(&mut seen.universe);
                universe.users = false;
                universe.set.insert(Key::Users);
            },
            vec![News::Universe],
        ),
        (
            universe("name", None),
            |seen| seen.universe = Arc::clone(UniverseSettings::default().now()),
            vec![News::Universe],
        ),
    ];
    cases.extend(properties());
    cases.push((Row::WorldStopped { world: ZOO, at }, |seen| seen.licences[0].stopped = Some(Time(9)), vec![]));
    let mut kinds: Vec<usize> = cases.iter().map(|(row, ..)| kind(row)).collect();
    kinds.dedup();
    assert_eq!(kinds, (0..EVERY).collect::<Vec<_>>());
    for (row, change, news) in cases {
        let mut expected = seen(&memory());
        change(&mut expected);
        assert_eq!(after(std::slice::from_ref(&row)), (expected, news), "{row:?}");
    }
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
