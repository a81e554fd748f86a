//! What the operator asks about game servers, players and boards, and changes of them. Part of the event loop; changes go to the
//! writer, questions to the readers.

use super::super::EventLoop;
use crate::capability::players::{self, SetBy};
use crate::capability::{boards, records, servers, visitors};
use crate::changes::Change;
use crate::lock::read;
use crate::state::memory::{no_such_player, server_name};
use crate::state::names::{self, Name};
use crate::state::pages::{next_page, one_more};
use crate::work::change::Refusal;
use crate::work::passwords::{self, Hashing};
use crate::work::{Asker, Hash, Read, ReadOutcome, Write};
use ssmglobal_ipc::ctl::{Answer, Key, PlayerDetail, PlayerPage, PlayerRow, PlayerTimes, ServerRow};
use ssmglobal_ipc::{Code, Failure, Secret};
use ssmglobal_store::{Board, Player, PlayerId, Principal, Reader};

/// Rows of one answer.
const ROWS: u32 = 1000;

/// The answer comes later.
type Later = Result<Option<Answer>, Failure>;

impl EventLoop {
    fn change(&self, operator: u64, change: impl Into<Change>, answer: Answer) -> Later {
        let asker = Asker::Operator(operator, Box::new(answer));
        self.shared.write(&mut vec![Write::Change { asker, change: change.into(), key: None, tried: None }])?;
        Ok(None)
    }

    fn look(&self, operator: u64, look: impl FnOnce(&dyn Reader) -> Result<Answer, Refusal> + Send + 'static) -> Later {
        let asker = Asker::Operator(operator, Box::new(Answer::Done));
        let look = Box::new(move |reader: &dyn Reader| look(reader).map(ReadOutcome::Answer));
        self.shared.read(Read { asker, look, key: None })?;
        Ok(None)
    }

    pub(super) fn server_key(&mut self, operator: u64, name: String, new: bool) -> Later {
        let name = if new { name } else { server_name(&name) };
        names::check_plain("game server", &name, 64)?;
        let of_new = Name::of_server(&name);
        if new {
            of_new.refuse_reserved(&self.shared.settings().players.reserved_names)?;
            self.refuse_visitors_name(&of_new)?;
        }
        let key = passwords::new_key().map_err(|error| Failure::new(Code::Unavailable, error.to_string()))?;
        let hash = passwords::key_hash(&key);
        // As it was added; one that is not there is refused by the change.
        let shown = self.shared.memory.server_named(&name).map_or_else(|_| name.clone(), |(_, name)| name);
        let answer = Answer::Key(Key { server: shown, key });
        match new {
            true => {
                let name = self.state.visitors.promise(of_new);
                self.change(operator, servers::Add { name, key: hash }, answer)
            }
            false => self.change(operator, servers::RotateKey { name, key: hash }, answer),
        }
    }

    pub(super) fn server_list(&self, operator: u64) -> Later {
        let sessions = |id: Principal| self.state.online.sessions(id).len() as u32;
        let on: Vec<(Principal, u32)> = read(&self.shared.memory.servers)
            .keys()
            .map(|id| Principal::from(*id))
            .map(|id| (id, sessions(id)))
            .filter(|(_, count)| *count > 0)
            .collect();
        self.look(operator, move |reader| {
            let count = |id: Principal| on.iter().find(|(other, _)| *other == id).map_or(0, |(_, count)| *count);
            let rows = reader.servers()?.into_iter().map(|server| ServerRow {
                sessions: count(server.id.into()),
                server: server.name,
                added: server.added,
                last_auth: server.last_auth,
                disabled: server.disabled,
            });
            Ok(Answer::Servers(rows.collect()))
        })
    }

    pub(super) fn server_disable(&mut self, operator: u64, name: String, disabled: bool) -> Later {
        self.change(operator, servers::Disable { name: server_name(&name), disabled }, Answer::Done)
    }

    pub(super) fn server_allow(&mut self, operator: u64, name: String, login_check: bool) -> Later {
        self.change(operator, servers::Allow { name: server_name(&name), login_check }, Answer::Done)
    }

    pub(super) fn player_list(&self, operator: u64, limit: u32, after: Option<&str>) -> Later {
        self.player_page(operator, limit, after, |reader, after, limit| reader.players(after, limit))
    }

    fn player_page(
        &self,
        operator: u64,
        limit: u32,
        after: Option<&str>,
        find: impl FnOnce(&dyn Reader, Option<&str>, u32) -> ssmglobal_store::Result<Vec<Player>> + Send + 'static,
    ) -> Later {
        let limit = limit.clamp(1, ROWS) as usize;
        let after = after.map(names::fold);
        self.look(operator, move |reader| {
            let mut players = find(reader, after.as_deref(), one_more(limit))?;
            let next = next_page(&mut players, limit, |player| player.name.clone());
            let rows = players.into_iter().map(|player| PlayerRow {
                player: player.name,
                registered: player.registered,
                last_login: player.last_login,
                disabled: player.disabled.is_some(),
            });
            Ok(Answer::Players(PlayerPage { players: rows.collect(), next }))
        })
    }

    fn player_id(&self, name: &str) -> Result<PlayerId, Failure> {
        self.shared.memory.player_id(name)
    }

    pub(super) fn player_show(&self, operator: u64, name: &str) -> Later {
        let id = self.player_id(name)?;
        let sessions = self.state.online.sessions(id.into()).len() as u32;
        let (name, logins) = (name.to_owned(), self.logins_of(id));
        self.look(operator, move |reader| {
            let Some(player) = reader.player(id)? else {
                return Err(no_such_player(&name).into());
            };
            let (mails, unread) = reader.mailbox(id)?;
            let times = PlayerTimes {
                session_minutes: player.session_minutes,
                times_on: player.times_on,
                minutes_on: player.milliseconds_on / 60_000,
            };
            let player = PlayerDetail {
                player: player.name,
                email: player.email,
                registered: player.registered,
                last_login: player.last_login,
                disabled: player.disabled,
                mails,
                unread,
                settings: reader.setting_count(id.into())?,
                sessions,
            };
            Ok(Answer::PlayerLoginsShown { player, times, logins })
        })
    }

    pub(super) fn player_disable(&mut self, operator: u64, name: &str, reason: String, disabled: bool) -> Later {
        let (player, reason) = (self.player_id(name)?, disabled.then_some(reason));
        self.change(operator, players::Disable { player, reason }, Answer::Done)
    }

    pub(super) fn player_set_password(&mut self, operator: u64, name: &str, password: Secret) -> Later {
        let player = self.player_id(name)?;
        let settings = self.shared.settings();
        players::check_password(&password, &settings)?;
        let mailbox = settings.mail.mailbox;
        self.shared.hash(Hash {
            asker: Asker::Operator(operator, Box::new(Answer::Done)),
            hashing: Hashing { new: Some(password), ..Hashing::default() },
            tried: None,
            then: Box::new(move |hashed| {
                Ok(players::set_password(player, hashed.hash, SetBy::Operator, mailbox)?.into())
            }),
        })?;
        Ok(None)
    }

    /// A player whom the operator makes: like one who registers, but for how many do so, and whether they may.
    pub(super) fn player_add(&mut self, operator: u64, name: &str, password: Secret, email: Option<String>) -> Later {
        let settings = self.shared.settings();
        let name = names::check(name, settings.players.name_min, settings.players.name_max)?;
        name.refuse_reserved(&settings.players.reserved_names)?;
        players::check_password(&password, &settings)?;
        email.as_deref().map(players::check_email).transpose()?;
        self.refuse_visitors_name(&name)?;
        let answer = Answer::PlayerAdded { player: name.shown.clone() };
        let name = self.state.visitors.promise(name);
        self.shared.hash(Hash {
            asker: Asker::Operator(operator, Box::new(answer)),
            hashing: Hashing { new: Some(password), ..Hashing::default() },
            tried: None,
            then: Box::new(move |hashed| Ok(players::register_by(name, hashed.hash, email, None, false)?.into())),
        })?;
        Ok(None)
    }

    fn refuse_visitors_name(&self, name: &Name) -> Result<(), Failure> {
        if visitors::present(&self.state, name).is_none() {
            return Ok(());
        }
        let msg = format!("A visitor is on by the name {}, or one that looks like it. Choose another.", name.shown);
        Err(Failure::new(Code::Exists, msg))
    }

    pub(super) fn player_search(&self, operator: u64, pattern: &str, limit: u32, after: Option<&str>) -> Later {
        let pattern = names::pattern(pattern)?;
        self.player_page(operator, limit, after, move |reader, after, limit| {
            reader.players_like(&pattern, after, limit)
        })
    }

    pub(super) fn board_clear(&mut self, operator: u64, name: String, gone: bool) -> Later {
        let scores = read(&self.shared.memory.boards).find(&name).map(|it| (it.board.name.clone(), it.total()));
        let (board, scores) = scores.ok_or_else(|| boards::board_unknown(&name))?;
        self.change(operator, boards::ClearBoard { name, gone }, Answer::BoardCleared { board, scores })
    }

    pub(super) fn board_rename(&mut self, operator: u64, name: String, new: String) -> Later {
        names::check_plain("board", &new, 64)?;
        self.change(operator, boards::RenameBoard { name, new }, Answer::Done)
    }

    pub(super) fn server_delete(&mut self, operator: u64, name: &str) -> Later {
        self.change(operator, servers::Delete { name: server_name(name) }, Answer::Done)
    }

    pub(super) fn server_rename(&mut self, operator: u64, name: &str, new: String) -> Later {
        names::check_plain("game server", &new, 64)?;
        let new = Name::of_server(&new);
        new.refuse_reserved(&self.shared.settings().players.reserved_names)?;
        self.refuse_visitors_name(&new)?;
        let new = self.state.visitors.promise(new);
        self.change(operator, servers::Rename { name: server_name(name), new }, Answer::Done)
    }

    pub(super) fn board_define(&mut self, operator: u64, board: Board) -> Later {
        names::check_plain("board", &board.name, 64)?;
        if board.unit.is_empty() || board.unit.len() > 16 || board.unit.chars().any(char::is_control) {
            return Err(Failure::new(Code::Invalid, "A unit is 1 to 16 bytes, like ms or points."));
        }
        let most = self.shared.settings().records.boards as usize;
        self.change(operator, boards::DefineBoard { board, most }, Answer::Done)
    }

    pub(super) fn board_withdraw(&mut self, operator: u64, board_named: &str, player: &str, reason: String) -> Later {
        let player = self.player_id(player)?;
        let memory = &self.shared.memory;
        let board = {
            let boards = read(&memory.boards);
            boards
                .find(board_named)
                .map(|found| found.board.id)
                .ok_or_else(|| memory.no_such_board(&boards, board_named))?
        };
        self.change(operator, records::Withdraw { board, player, reason }, Answer::Done)
    }
}
