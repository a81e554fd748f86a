//! A case for every kind of row, and for all that it may say.

use super::*;

fn letter_refused(from: impl Into<Principal>) -> Row {
    Row::LetterRefused { player: BOB, from: from.into(), mailbox: 100, at: Time(4), before: Time(3) }
}

fn refused(from: Party) -> News {
    tell(BOB, Event::MailRefused(MailRefused { from, limit: 100 }))
}

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

fn with_email(row: Row, email: &str) -> Row {
    let Row::Player(player) = row else { panic!("another row") };
    Row::Player(NewPlayer { email: Some(email.to_owned()), ..player })
}

/// Whether every kind of row is in a table; the match has no wildcard, so that a new one does not compile without a
/// place here.
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
        Row::BoardCleared { .. } => 36,
        Row::BoardGone { .. } => 37,
        Row::ServerNamed { .. } => 38,
        Row::ServerGone { .. } => 39,
        Row::Preference { .. } => 40,
        Row::WorldPlayed { .. } => 41,
    }
}

const EVERY: usize = 42;

/// A row, what memory is with it, and what others are told.
type Case = (Row, fn(&mut Seen), Vec<News>);

fn nothing(_: &mut Seen) {}

/// Of players: who they are, from where they come, and how they may be on.
fn players() -> Vec<Case> {
    let at = Time(9);
    vec![
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
        (Row::PlayerSeen { player: ALICE, network: from(2) }, |seen| seen.networks.insert(0, (1, from(2))), vec![]),
        (Row::PlayerUnseen { player: BOB, network: from(1).network }, |seen| seen.networks.clear(), vec![]),
        (
            Row::PlayerRating { player: BOB, rating: Some(Rating::G) },
            |seen| seen.ratings = vec![(2, Rating::G)],
            vec![],
        ),
        (Row::PlayerRating { player: BOB, rating: None }, |seen| seen.ratings.clear(), vec![]),
        (Row::Preference { player: ALICE, name: "WIDTH".into(), value: Some("60".into()) }, nothing, vec![]),
        (Row::Preference { player: ALICE, name: "WIDTH".into(), value: None }, nothing, vec![]),
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
    ]
}

/// Of game servers, and what is proved by a password or a key.
fn servers() -> Vec<Case> {
    let at = Time(9);
    vec![
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
            Row::Epoch { who: ARENA.into(), epoch: 4, reason: "another key".into() },
            |seen| seen.epochs.push((ARENA.into(), 4)),
            vec![out(ARENA, "another key")],
        ),
        (
            Row::ServerNamed { server: ARENA, name: "forum".into() },
            |seen| seen.servers[0].1 = "forum".into(),
            vec![News::Renamed { who: ARENA.into() }],
        ),
        (
            Row::ServerGone { server: CASTLE },
            |seen| {
                seen.servers.retain(|(id, _)| *id != CASTLE.0);
                seen.barred.retain(|who| *who != CASTLE.into());
                seen.epochs.retain(|(who, _)| *who != CASTLE.into());
                seen.checkers.retain(|id| *id != CASTLE);
            },
            vec![],
        ),
        (Row::ServerAllowed { server: ARENA, login_check: false }, nothing, vec![]),
        (Row::ServerAllowed { server: CASTLE, login_check: true }, |seen| seen.checkers.push(CASTLE), vec![]),
    ]
}

/// Of boards and what stands on them.
fn boards() -> Vec<Case> {
    let put = |player, score| Row::Standing { board: RACE, standing: standing(player, score, 3) };
    let withdrawn = |player, score, order| {
        let was = standing(player, score, order);
        Row::Withdrawn { board: RACE, was, order: 3, at: Time(9), reason: "cheated".into() }
    };
    let unwatched = |msg: &str| News::Unwatched { topic: Topic::Board(RACE), msg: msg.into() };
    let cleared = Event::Notice(Notice { msg: "All scores were taken off the board Race.".into() });
    let turned = Board { unit: "s".into(), ..board(1, "Race", Operator::Sum, Better::Lower) };
    vec![
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
        (
            Row::Board(board(1, "Lap", Operator::Best, Better::Lower)),
            |seen| seen.boards[0].0 = board(1, "Lap", Operator::Best, Better::Lower),
            vec![unwatched("The board Race is called Lap from now on. RECORD WATCH Lap watches it again.")],
        ),
        (
            Row::BoardCleared { board: RACE },
            |seen| seen.boards[0].1.clear(),
            vec![News::Tell { to: Audience::Topic(Topic::Board(RACE)), event: cleared }],
        ),
        (
            Row::BoardGone { board: RACE },
            |seen| seen.boards.clear(),
            vec![unwatched("The board Race was deleted by the operator.")],
        ),
        (put(2, 4), |seen| seen.boards[0].1 = vec![(2, 4), (1, 5)], vec![record("bob", 4, Some("alice"))]),
        (put(2, 6), |seen| seen.boards[0].1 = vec![(1, 5), (2, 6)], vec![]),
        (put(1, 9), |seen| seen.boards[0].1 = vec![(2, 7), (1, 9)], vec![record("bob", 7, Some("alice"))]),
        (put(1, 2), |seen| seen.boards[0].1 = vec![(1, 2), (2, 7)], vec![record("alice", 2, Some("alice"))]),
        (withdrawn(1, 5, 1), |seen| seen.boards[0].1 = vec![(2, 7)], vec![]),
        (withdrawn(2, 7, 2), |seen| seen.boards[0].1 = vec![(1, 5)], vec![]),
    ]
}

/// Of letters, and of whom one takes none.
fn letters() -> Vec<Case> {
    let (owner, at) = (Principal::from(ALICE), Time(9));
    vec![
        (letter(ALICE), nothing, vec![mail(Party::Player("alice".into()))]),
        (letter(ARENA), nothing, vec![mail(Party::Server("arena".into()))]),
        (letter(Principal::BACKEND), nothing, vec![mail(Party::Backend)]),
        (Row::LetterRead { player: ALICE, number: 1, at }, nothing, vec![]),
        (Row::LetterGone { player: ALICE, number: 1 }, nothing, vec![]),
        (Row::Blocked { player: ALICE, from: owner }, nothing, vec![]),
        (Row::Unblocked { player: ALICE, from: owner }, nothing, vec![]),
        (letter_refused(ALICE), nothing, vec![refused(Party::Player("alice".into()))]),
        (letter_refused(ARENA), nothing, vec![refused(Party::Server("arena".into()))]),
    ]
}

/// Of worlds and their licences.
fn licences() -> Vec<Case> {
    let at = Time(9);
    vec![
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
        (
            Row::WorldPurged { world: ZOO },
            |seen| {
                seen.while_on.retain(|(holder, _)| *holder != ZOO.into());
                seen.played.clear();
            },
            vec![],
        ),
        (Row::WorldStopped { world: ZOO, at }, |seen| seen.licences[0].stopped = Some(Time(9)), vec![]),
    ]
}

/// Of rights.
fn rights() -> Vec<Case> {
    vec![
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
    ]
}

/// Of what neither memory nor anybody else has to do with.
fn what_nobody_sees() -> Vec<Case> {
    let (owner, key, at) = (Principal::from(ALICE), || "k".to_owned(), Time(9));
    let setting = KeptSetting { value: Some("v".into()), version: 1, public: true, at };
    let kept = Keyed { digest: [1; 32], at, answer: vec![1] };
    vec![
        (Row::Setting { owner, key: key(), setting }, nothing, vec![]),
        (Row::Keyed { owner, key: key(), kept }, nothing, vec![]),
        (Row::RelayMark { upto: 7 }, nothing, vec![]),
    ]
}

/// Of the settings of the universe.
fn universes() -> Vec<Case> {
    vec![
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
    ]
}

/// Of how worlds are played.
fn played() -> Vec<Case> {
    let row = |key: &str, value: Option<&str>| Row::WorldPlayed {
        world: ZOO,
        key: key.into(),
        value: value.map(Secret::new),
    };
    vec![
        (row("rate", Some("7")), |seen| seen.played[0].1.put("rate".into(), Some(Secret::new("7"))), vec![]),
        (row("kind", Some("moo")), |seen| seen.played[0].1.put("kind".into(), Some(Secret::new("moo"))), vec![]),
        // What was the last of a world leaves nothing.
        (row("kind", None), |seen| seen.played.clear(), vec![]),
    ]
}

/// Of properties.
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
    let groups = [
        players(),
        servers(),
        boards(),
        letters(),
        licences(),
        rights(),
        what_nobody_sees(),
        universes(),
        played(),
        properties(),
    ];
    let cases = groups.concat();
    let mut kinds: Vec<usize> = cases.iter().map(|(row, ..)| kind(row)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, (0..EVERY).collect::<Vec<_>>());
    for (row, change, news) in cases {
        let mut expected = seen(&memory());
        change(&mut expected);
        assert_eq!(after(std::slice::from_ref(&row)), (expected, news), "{row:?}");
    }
}
