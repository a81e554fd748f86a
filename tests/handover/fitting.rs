//! What is asked of each kind: the sample that was recorded, or what is made of it so that it can succeed in the scene.

use super::scene::Asker;
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
        | Request::Pass(_)
        | Request::Enter(_)
        | Request::Leave(_) => one(sample, 0),
        // Bob is the only one of them who is there.
        Request::Present(_) => one(Request::Present(Present { players: vec!["bob".into()] }), 0),
        // Each is good once.
        Request::PassRedeem(_) => one(Request::PassRedeem(PassRedeem { pass: asker.pass.clone(), address: None }), 0),
        // … or bob does.
        Request::MailSend(_) | Request::Tell(_) => one(sample, 1),
        // Its session is the asker's.
        Request::Open(_) => one(Request::Open(asker.open.clone()), 0),
        // Its name is taken in the scene; so is it by those who ask before.
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
        Request::MailSent(it) => one(Request::MailSent(Page { after: None, ..it }), 0),
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
        // From the beginning.
        Request::RelayFetch(it) => one(Request::RelayFetch(RelayFetch { after: 0, epoch: 0, ..it }), 0),
    }
}
