//! What stands in more than one sample.

use ssmglobal_ipc::control::Client;
use ssmglobal_ipc::*;

pub fn text(text: &str) -> String {
    text.to_owned()
}

pub fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub fn player() -> Party {
    Party::Player(text("bob"))
}

pub fn server() -> Party {
    Party::Server(text("arena"))
}

pub fn world() -> Party {
    Party::World(text("Atlantis"))
}

pub const AT: Time = Time(1_769_890_500_000);

pub fn mssp_variables() -> Vec<MsspVariable> {
    vec![
        MsspVariable { name: text("NAME"), values: vec![text("The Zoo")] },
        MsspVariable { name: text("PORT"), values: vec![text("4201"), text("23")] },
    ]
}

pub fn page() -> Page {
    Page { limit: Some(20), after: some("alice") }
}

pub fn universe() -> Universe {
    Universe {
        name: text("Zoë's worlds"),
        welcome: text("one\ntwo"),
        visitors: true,
        talk: true,
        registration: false,
        client: Version(4 << 48),
        host: Version(5 << 48),
        start: some("Atlantis"),
        users: true,
        renames: false,
        licence: true,
        set: vec![text("name"), text("start")],
    }
}

pub fn list_at() -> Position {
    Position { epoch: 1_812_367_872_000_002, number: 300 }
}

pub fn listed_users() -> ListRows {
    let more = Some(UserMore { address: some("192.0.2.7"), rights: vec![text("vip")] });
    let (name, number, world, state) = (text("bob"), 300, some("Atlantis"), UserState::On);
    ListRows::Users(vec![ListedUser { name, number, world, state, more }])
}

pub fn users_in_full() -> ListRows {
    let more = Some(UserMore { address: some("192.0.2.7"), rights: vec![text("vip")] });
    let (name, number, world, state) = (text("bob"), 300, some("Atlantis"), UserState::On);
    let user = ListedUser { name, number, world, state, more };
    ListRows::UsersInFull(vec![FullUser { user, email: some("bob@example.org") }])
}

pub fn listed_worlds() -> ListRows {
    ListRows::Worlds(vec![ListedWorld {
        name: text("Atlantis"),
        status: WorldStatus::Restricted,
        users: 17,
        max: 100,
        rating: Rating::Pg13,
        description: text("under water"),
        listed: true,
    }])
}

pub fn terms() -> WorldTerms {
    WorldTerms {
        users: Some(100),
        size: Some(3275),
        email: some("b@example.org"),
        comment: some("under water"),
        expires: Some(Expires::At(AT)),
        listed: Some(false),
        visitors: Some(true),
        voice: Some(false),
        plugins: Some(true),
        client: Some(Version(1 << 48)),
        check_address: Some(true),
    }
}

pub fn licence() -> Licence {
    Licence {
        name: text("Atlantis"),
        number: 300,
        owner: text("bob"),
        users: 100,
        size: 3275,
        email: some("b@example.org"),
        comment: text("under water"),
        created: AT,
        expires: Some(AT),
        disabled: some("Not paid."),
        last_started: Some(AT),
        last_address: some("192.0.2.1"),
        listed: true,
        visitors: false,
        voice: true,
        plugins: false,
        client: Version(1 << 48),
        check_address: true,
        status: WorldStatus::Restricted,
        host: some("arena"),
    }
}

pub fn host_terms() -> HostTerms {
    HostTerms {
        world: text("Atlantis"),
        number: 300,
        users: 100,
        size: 3275,
        visitors: true,
        voice: false,
        plugins: true,
        client: Version(1 << 48),
        expires: Some(AT),
    }
}

pub fn client() -> Client {
    Client { pid: 4711, session: 300, door: 1, address: "[2001:db8::1]:5000".parse().unwrap(), at: AT }
}

pub fn board_row() -> BoardRow {
    BoardRow {
        board: text("race"),
        unit: text("ms"),
        better: Better::Lower,
        operator: Operator::Sum,
        submit: Submitters::Players,
        total: 9,
    }
}
