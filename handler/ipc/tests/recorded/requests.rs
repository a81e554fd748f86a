//! A sample of each request, and what some have gained since they were first released.

use super::values::*;
use ssmglobal_ipc::*;

pub fn open() -> Open {
    Open {
        session: 300,
        mode: Mode::Client,
        next: 7,
        ticket: Some(Ticket::new(vec![1, 2, 255])),
        last_push: 5,
        idle: 61,
        subscriptions: vec![
            Subscription { topic: Topic::Board(text("race")), cursor: Position { epoch: 0, number: 0 } },
            Subscription { topic: Topic::Channel(text("chat")), cursor: Position { epoch: 9, number: 300 } },
        ],
    }
}

samples! { requests Request {
    SetMode: Request::SetMode(SetMode { mode: Mode::Server });
    Log: Request::Log(LogLine { level: 3, text: text("Zoë — a line") });
    Open: Request::Open(open());
    Register: Request::Register(Register {
        name: text("bob"), password: Secret::new("pw"), email: some("b@example.org"),
    });
    Login: Request::Login(Login { name: text("bob"), password: Secret::new("pw") });
    Logout: Request::Logout;
    Password: Request::Password(Password { old: Secret::new("pw"), new: Secret::new("better") });
    Whoami: Request::Whoami;
    Who: Request::Who(page());
    Finger: Request::Finger(Finger { player: text("bob") });
    Visitor: Request::Visitor(VisitorName { name: text("bob") });
    RecordSubmit: Request::RecordSubmit(RecordSubmit {
        board: text("race"), score: -83_250, player: some("bob"), note: some("rain"),
    });
    RecordTop: Request::RecordTop(RecordTop {
        board: text("race"), limit: Some(10), after: some("-5:7"), before: some("9:8"),
    });
    RecordAround: Request::RecordAround(RecordAround { board: text("race"), player: some("bob"), limit: Some(5) });
    RecordShow: Request::RecordShow(RecordShow { board: text("race"), player: some("bob") });
    RecordBoards: Request::RecordBoards(page());
    RecordWatch: Request::RecordWatch(RecordWatch { board: text("race") });
    RecordUnwatch: Request::RecordUnwatch(RecordWatch { board: text("race") });
    SettingGet: Request::SettingGet(SettingGet { key: text("color"), of: Some(server()) });
    SettingSet: Request::SettingSet(SettingSet {
        key: text("color"), value: text("blue"), version: Some(7), public: Some(true),
    });
    SettingList: Request::SettingList(page());
    SettingDelete: Request::SettingDelete(SettingDelete { key: text("color"), version: Some(7) });
    MailSend: Request::MailSend(MailSend { to: text("bob"), body: text("one\ntwo"), subject: some("hi") });
    MailList: Request::MailList(page());
    MailRead: Request::MailRead(MailId { id: 300 });
    MailDelete: Request::MailDelete(MailId { id: 300 });
    MailReply: Request::MailReply(MailReply { id: 300, body: text("thanks") });
    MailListSent: Request::MailListSent(page());
    MailBlock: Request::MailBlock(MailBlock { player: player() });
    MailUnblock: Request::MailUnblock(MailBlock { player: server() });
    MailBlocks: Request::MailBlocks;
    MailForward: Request::MailForward(MailForward { id: 300, to: text("bob") });
    Tell: Request::Tell(Tell { to: text("bob"), body: text("hello") });
    Broadcast: Request::Broadcast(Broadcast { body: text("hello") });
    Auth: Request::Auth(Auth { name: text("arena"), key: Secret::new("key") });
    RelayJoin: Request::RelayJoin(RelayJoin { channel: text("chat"), since: Some(41), epoch: None });
    RelayLeave: Request::RelayLeave(RelayLeave { channel: text("chat") });
    RelaySend: Request::RelaySend(RelaySend { body: text("hello"), channel: some("chat"), to: some("arena") });
    RelayFetch: Request::RelayFetch(RelayFetch { channel: text("chat"), after: 41, upto: u64::MAX, epoch: 0 });
    RelayChannels: Request::RelayChannels(page());
    StatusSet: Request::StatusSet(StatusSet {
        map: text("castle"), players: 3, max: 16, text: some("join us"), address: some("[2001:db8::1]:4000"),
    });
    StatusClear: Request::StatusClear;
    Worlds: Request::Worlds(page());
    Pass: Request::Pass(Pass { server: text("arena") });
    PassRedeem: Request::PassRedeem(PassRedeem {
        pass: Secret::new("pass-k7m2-9qxf-3dpa"), address: some("192.0.2.7"), world: None,
    });
    LoginCheck: Request::LoginCheck(LoginCheck {
        name: text("bob"), password: Secret::new("pw"), address: text("192.0.2.7"),
    });
    Enter: Request::Enter(Visit { player: text("bob"), world: None });
    Leave: Request::Leave(Visit { player: text("bob"), world: None });
    Present: Request::Present(Present { players: vec![text("bob"), text("alice")], world: None });
    WorldAdd: Request::WorldAdd(WorldAdd { name: text("Atlantis"), owner: text("bob"), terms: terms() });
    WorldShow: Request::WorldShow(WorldName { name: text("atlantis") });
    WorldList: Request::WorldList(page());
    WorldChange: Request::WorldChange(WorldChange { name: text("atlantis"), owner: some("alice"), terms: terms() });
    WorldDisable: Request::WorldDisable(WorldDisable { name: text("atlantis"), reason: some("Not paid.") });
    WorldEnable: Request::WorldEnable(WorldName { name: text("atlantis") });
    WorldDelete: Request::WorldDelete(WorldDelete { name: text("atlantis"), purge: true });
    WorldPassword: Request::WorldPassword(WorldName { name: text("atlantis") });
    WorldEnter: Request::WorldEnter(WorldEnter {
        world: text("atlantis"), version: Some(Version(1 << 48)), language: some("en"), charset: some("utf-8"),
    });
    RatingLimit: Request::RatingLimit(RatingLimit { rating: Some(Rating::Pg13) });
    RightGrant: Request::RightGrant(RightOf { player: text("bob"), right: text("vip") });
    RightRevoke: Request::RightRevoke(RightOf { player: text("bob"), right: text("vip") });
    RightList: Request::RightList(RightsOf { player: some("bob") });
    HostStart: Request::HostStart(HostStart {
        world: text("atlantis"), password: Secret::new("pw"), instance: some("two"), address: some("play.example.org"),
        port: 7777, version: Some(Version(1 << 48)),
    });
    HostSay: Request::HostSay(HostSay {
        world: text("atlantis"), users: Some(17), restricted: Some(true), rating: Some(Rating::Pg13),
        map: some("castle"), text: some("join us"), closings: Some(true),
    });
    HostStop: Request::HostStop(HostStop { world: text("atlantis") });
    HostList: Request::HostList(page());
    PlayerLimit: Request::PlayerLimit(PlayerLimit { player: text("bob"), minutes: Some(90) });
    UniverseShow: Request::UniverseShow;
    UniverseSet: Request::UniverseSet(UniverseSet { key: text("name"), value: text("Zoë's worlds") });
    UniverseReset: Request::UniverseReset(UniverseReset { key: text("name") });
    UniverseWatch: Request::UniverseWatch;
    UniverseUnwatch: Request::UniverseUnwatch;
    PropertyGet: Request::PropertyGet(PropertyGet {
        of: player(), names: vec![text("12"), text("motto")], limit: Some(20), after: some("7"),
    });
    PropertySet: Request::PropertySet(PropertySet {
        of: world(), name: text("gate"), value: PropertyValue::Text(text("open")), version: Some(7),
        terms: PropertyTerms {
            finger: Some(true), push: Some(false), kept: Some(true), write: Some(PropertyAccess::World),
            read: Some(PropertyAccess::Everyone),
        },
    });
    PropertyDelete: Request::PropertyDelete(PropertyDelete { of: player(), name: text("motto"), version: Some(7) });
    PropertyWatch: Request::PropertyWatch(PropertyWatch { of: world() });
    PropertyUnwatch: Request::PropertyUnwatch(PropertyWatch { of: world() });
    ListWorlds: Request::ListWorlds(ListRead { after: Some(list_at()), limit: Some(20) });
    ListUsers: Request::ListUsers(ListRead { after: Some(list_at()), limit: Some(20) });
    ListWatch: Request::ListWatch(ListWatch { list: List::Users, after: Some(list_at()) });
    ListUnwatch: Request::ListUnwatch(ListUnwatch { list: List::Worlds });
    ListRing: Request::ListRing(ListRing { list: List::Users, after: list_at() });
    PreferenceSet: Request::PreferenceSet(PreferenceSet { name: text("WIDTH"), value: some("60") });
    WorldPlay: Request::WorldPlay(WorldPlay {
        name: text("atlantis"), key: some("play"), value: Some(Secret::new("127.0.0.1:2860")),
    });
    PlayStart: Request::PlayStart(PlayStart {
        world: text("zoo"), since: AT, word: Some(Secret::new("k7qm-3xtr")), again: true,
    });
    PlayEnded: Request::PlayEnded(PlayEnded { world: text("zoo") });
    PlayAt: Request::PlayAt(PlayAt {
        world: text("zoo"), state: PlayState::Waits, word: Secret::new("k7qm-3xtr"), idle: 300,
    });
    PlayLeft: Request::PlayLeft(PlayLeft { world: text("zoo") });
    Mssp: Request::Mssp(Mssp { plain: true });
    MsspOf: Request::MsspOf(MsspOf { world: text("zoo"), variables: mssp_variables() });
} }

/// Requests with what they have gained since they were first released; above they are as they were then.
pub fn grown_requests() -> Vec<(&'static str, Request)> {
    vec![
        (
            "Request::RelayJoin",
            Request::RelayJoin(RelayJoin { channel: text("chat"), since: Some(41), epoch: Some(1_769_890_500_000) }),
        ),
        (
            "Request::RelayFetch",
            Request::RelayFetch(RelayFetch {
                channel: text("chat"),
                after: 41,
                upto: u64::MAX,
                epoch: 1_769_890_500_000,
            }),
        ),
        (
            "Request::PassRedeem",
            Request::PassRedeem(PassRedeem {
                pass: Secret::new("pass-k7m2-9qxf-3dpa"),
                address: some("192.0.2.7"),
                world: some("atlantis"),
            }),
        ),
        ("Request::Enter", Request::Enter(Visit { player: text("bob"), world: some("atlantis") })),
        ("Request::Leave", Request::Leave(Visit { player: text("bob"), world: some("atlantis") })),
        (
            "Request::Present",
            Request::Present(Present { players: vec![text("bob"), text("alice")], world: some("atlantis") }),
        ),
    ]
}
