//! What is asked of each kind: the sample that was recorded, or what is made of it so that it can succeed in the scene.

use super::scene::{Asker, RUNNING, WORLD};
use ssmglobal_ipc::*;

/// A request that can succeed.
pub struct Fitting {
    /// It.
    pub request: Request,
    /// How many mails, tells, records and messages others get of it.
    pub heard: usize,
}

/// What `asker` asks of a sample's kind, once or in several ways. No wildcard: a kind that is added is decided here, and what
/// its sample needs is made in the scene.
pub fn fitting(sample: Request, asker: &Asker) -> Vec<Fitting> {
    let one = |request: Request, heard: usize| vec![Fitting { request, heard }];
    match sample {
        // As it is, and nobody hears of it …
        Request::SetMode(_)
        | Request::Log(_)
        | Request::Logout
        | Request::Password(_)
        | Request::Whoami
        | Request::Who(_)
        | Request::Finger(_)
        | Request::RecordAround(_)
        | Request::RecordShow(_)
        | Request::RecordBoards(_)
        | Request::RecordWatch(_)
        | Request::RecordUnwatch(_)
        | Request::SettingGet(_)
        | Request::SettingSet(_)
        | Request::SettingList(_)
        | Request::SettingDelete(_)
        | Request::MailBlock(_)
        | Request::MailUnblock(_)
        | Request::MailBlocks
        | Request::RelayJoin(_)
        | Request::RelayLeave(_)
        | Request::RelayChannels(_)
        | Request::StatusSet(_)
        | Request::StatusClear
        | Request::Worlds(_)
        | Request::ListWatch(_)
        | Request::ListUnwatch(_)
        | Request::ListRing(_)
        | Request::Pass(_)
        | Request::Enter(_)
        | Request::Leave(_)
        | Request::RatingLimit(_)
        | Request::PreferenceSet(_)
        | Request::PlayEnded(_)
        | Request::PlayLeft(_)
        | Request::Mssp(_)
        | Request::MsspOf(_)
        | Request::PlayerLimit(_)
        | Request::UniverseShow
        | Request::UniverseWatch
        | Request::UniverseUnwatch
        | Request::RightList(_) => one(sample, 0),
        // Bob is the only one of them who is there.
        Request::Present(_) => one(Request::Present(Present { players: vec!["bob".into()], world: None }), 0),
        // Each is good once.
        Request::PassRedeem(_) => {
            one(Request::PassRedeem(PassRedeem { pass: asker.pass.clone(), address: None, world: None }), 0)
        }
        // … or bob does.
        Request::MailSend(_) | Request::Tell(_) | Request::RightGrant(_) => one(sample, 1),
        Request::UniverseSet(_) | Request::UniverseReset(_) => one(sample, 1),
        // As everybody does.
        Request::Broadcast(_) => one(sample, 1),
        // Its session is the asker's.
        Request::Open(_) => one(Request::Open(asker.open.clone()), 0),
        // Its name is taken in the scene; so is it by those who ask before.
        Request::Visitor(_) => one(Request::Visitor(VisitorName { name: asker.unused.clone() }), 0),
        Request::Register(it) => one(Request::Register(Register { name: asker.unused.clone(), ..it }), 0),
        // Whoever logs in as bob would hear what bob hears.
        Request::Login(it) => one(Request::Login(Login { name: "quinn".into(), ..it }), 0),
        Request::LoginCheck(it) => one(Request::LoginCheck(LoginCheck { name: "quinn".into(), ..it }), 0),
        Request::Auth(_) => one(Request::Auth(Auth { name: asker.name.clone(), key: asker.key.clone() }), 0),
        // A player submits for himself only.
        Request::RecordSubmit(it) => {
            let player = it.player.filter(|_| asker.state == State::Server);
            one(Request::RecordSubmit(RecordSubmit { player, ..it }), 1)
        }
        // It is refused to give both.
        Request::RecordTop(it) => one(Request::RecordTop(RecordTop { before: None, ..it }), 0),
        // These lists go on behind a number; the first page tells more.
        Request::MailList(it) => one(Request::MailList(Page { after: None, ..it }), 0),
        Request::MailListSent(it) => one(Request::MailListSent(Page { after: None, ..it }), 0),
        // A box does not hold so many letters; there is one.
        Request::MailRead(_) => one(Request::MailRead(MailId { id: 1 }), 0),
        Request::MailDelete(_) => one(Request::MailDelete(MailId { id: 1 }), 0),
        Request::MailReply(it) => one(Request::MailReply(MailReply { id: 1, ..it }), 1),
        Request::MailForward(it) => one(Request::MailForward(MailForward { id: 1, ..it }), 1),
        // Either, not both.
        Request::RelaySend(it) => vec![
            Fitting { request: Request::RelaySend(RelaySend { to: None, ..it.clone() }), heard: 1 },
            Fitting { request: Request::RelaySend(RelaySend { channel: None, ..it }), heard: 1 },
        ],
        // It runs: its host is there.
        Request::WorldEnter(it) => one(Request::WorldEnter(WorldEnter { world: RUNNING.into(), ..it }), 0),
        // Its end is over since the samples were made.
        Request::WorldAdd(it) => {
            let terms = WorldTerms { expires: Some(Expires::Never), ..it.terms };
            one(Request::WorldAdd(WorldAdd { name: asker.unused.clone(), owner: "bob".into(), terms }), 0)
        }
        Request::WorldChange(it) => {
            let terms = WorldTerms { expires: Some(Expires::Never), ..it.terms };
            one(Request::WorldChange(WorldChange { name: asker.world.clone(), owner: None, terms }), 0)
        }
        Request::WorldShow(_) => one(Request::WorldShow(WorldName { name: world(asker) }), 0),
        // From the first one.
        Request::WorldList(_) => one(Request::WorldList(Page::default()), 0),
        Request::WorldDisable(it) => one(Request::WorldDisable(WorldDisable { name: asker.world.clone(), ..it }), 0),
        Request::WorldEnable(_) => one(Request::WorldEnable(WorldName { name: asker.world.clone() }), 0),
        Request::WorldDelete(it) => one(Request::WorldDelete(WorldDelete { name: asker.world.clone(), ..it }), 0),
        Request::WorldPlay(it) => one(Request::WorldPlay(WorldPlay { name: asker.world.clone(), ..it }), 0),
        Request::WorldPassword(_) => one(Request::WorldPassword(WorldName { name: asker.world.clone() }), 0),
        Request::RightRevoke(it) => one(Request::RightRevoke(RightOf { player: asker.name.clone(), ..it }), 0),
        // The same host, which goes on with what it has.
        Request::HostStart(it) => {
            let (world, password) = (asker.world.clone(), asker.hosting.clone());
            one(Request::HostStart(HostStart { world, password, instance: None, ..it }), 0)
        }
        Request::HostSay(it) => one(Request::HostSay(HostSay { world: asker.world.clone(), ..it }), 0),
        Request::HostStop(_) => one(Request::HostStop(HostStop { world: asker.world.clone() }), 0),
        Request::HostList(_) => one(Request::HostList(Page::default()), 0),
        // Of a world that is there, as its owner or its host.
        Request::PropertyGet(_) => {
            one(Request::PropertyGet(PropertyGet { of: holder(asker), names: Vec::new(), limit: None, after: None }), 0)
        }
        Request::PropertySet(it) => {
            one(Request::PropertySet(PropertySet { of: holder(asker), version: None, ..it }), 0)
        }
        Request::PropertyDelete(it) => {
            one(Request::PropertyDelete(PropertyDelete { of: holder(asker), version: None, ..it }), 0)
        }
        Request::PropertyWatch(_) => one(Request::PropertyWatch(PropertyWatch { of: holder(asker) }), 0),
        Request::PropertyUnwatch(_) => one(Request::PropertyUnwatch(PropertyWatch { of: holder(asker) }), 0),
        // From the beginning, and all of it.
        Request::ListWorlds(_) => one(Request::ListWorlds(ListRead { after: None, limit: Some(1000) }), 0),
        Request::ListUsers(_) => one(Request::ListUsers(ListRead { after: None, limit: Some(1000) }), 0),
        // Where nobody answers: he waits there.
        Request::PlayStart(it) => one(Request::PlayStart(PlayStart { word: None, ..it }), 0),
        Request::PlayAt(it) => one(Request::PlayAt(PlayAt { word: asker.word.clone(), ..it }), 0),
        // From the beginning.
        Request::RelayFetch(it) => one(Request::RelayFetch(RelayFetch { after: 0, epoch: 0, ..it }), 0),
    }
}

/// A world that is there, for whoever has none.
fn world(asker: &Asker) -> String {
    if asker.world.is_empty() { WORLD.to_owned() } else { asker.world.clone() }
}

/// The same, as a holder of properties.
fn holder(asker: &Asker) -> Party {
    Party::World(world(asker))
}
