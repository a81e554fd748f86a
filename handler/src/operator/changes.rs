//! What the operator asks about game servers, players and boards, and changes of them. Part of the event loop; changes
//! go to the writer.

use super::unavailable;
use crate::core::{Act, Answer as Done, Asker, Effect, Hash, Write, read, refuse, write};
use crate::server::{Server, next_page};
use crate::{names, passwords};
use ssmglobal_ipc::ctl::{Answer, Key, PlayerDetail, PlayerPage, PlayerRow, ServerRow};
use ssmglobal_ipc::{Code, Failure, Reply, Secret};
use ssmglobal_store::{Board, Owner, PlayerId};

/// Rows of one answer.
const ROWS: u32 = 1000;

fn done() -> Done {
    Done::Reply(Reply::Done(ssmglobal_ipc::Done {}))
}

impl Server {
    pub(super) fn change(&self, operator: u64, act: Act) -> Result<Option<Answer>, Failure> {
        self.core.write(&mut vec![Write { asker: Asker::Operator(operator), act, key: None }])?;
        Ok(None)
    }

    pub(super) fn server_key(&mut self, operator: u64, name: String, new: bool) -> Result<Option<Answer>, Failure> {
        names::check_plain("game server", &name, 64)?;
        let key = passwords::new_key().map_err(|error| Failure::new(Code::Unavailable, error.to_string()))?;
        let hash = passwords::key_hash(&key);
        let core = self.core.clone();
        self.change(
            operator,
            Box::new(move |work| {
                let found = work.tx.server_by_name(&name)?;
                let shown = match (found, new) {
                    (Some(_), true) => return refuse(Code::Exists, format!("There is a game server {name} already.")),
                    (None, false) => return refuse(Code::NotFound, format!("There is no game server {name}.")),
                    (Some((server, _)), false) => {
                        work.tx.server_set_key(server.id, &hash)?;
                        server.name
                    }
                    (None, true) => {
                        let id = work.tx.server_add(&name, &hash, work.now)?;
                        write(&core.servers).insert(id, name.clone());
                        name.clone()
                    }
                };
                let answer = Answer::Key(Key { server: shown, key: key.clone() });
                work.effects.push(Effect::Operator(operator, answer));
                Ok(Done::Later)
            }),
        )
    }

    pub(super) fn server_list(&self) -> Result<Answer, Failure> {
        let servers = self.operators.reader.servers().map_err(|error| unavailable(&error))?;
        let rows = servers.into_iter().map(|server| ServerRow {
            sessions: self.hub.servers.get(&server.name.to_ascii_lowercase()).map_or(0, |list| list.len() as u32),
            server: server.name,
            added: server.added,
            last_auth: server.last_auth,
            disabled: server.disabled,
        });
        Ok(Answer::Servers(rows.collect()))
    }

    pub(super) fn server_disable(
        &mut self,
        operator: u64,
        name: String,
        disabled: bool,
    ) -> Result<Option<Answer>, Failure> {
        self.change(
            operator,
            Box::new(move |work| {
                let Some((server, _)) = work.tx.server_by_name(&name)? else {
                    return refuse(Code::NotFound, format!("There is no game server {name}."));
                };
                work.tx.server_disable(server.id, disabled)?;
                if disabled {
                    let why = "This game server was disabled by the operator.".to_owned();
                    work.effects.push(Effect::ServerOut(server.id, why));
                } else {
                    work.effects.push(Effect::Allowed(Owner::Server(server.id)));
                }
                Ok(done())
            }),
        )
    }

    pub(super) fn player_list(&self, limit: u32, after: Option<&str>) -> Result<Answer, Failure> {
        let limit = limit.clamp(1, ROWS);
        let after = after.map(names::fold);
        let found = self.operators.reader.players(after.as_deref(), limit + 1);
        let mut players = found.map_err(|error| unavailable(&error))?;
        let next = next_page(&mut players, limit as usize, |player| player.name.clone());
        let rows = players.into_iter().map(|player| PlayerRow {
            player: player.name,
            registered: player.registered,
            last_login: player.last_login,
            disabled: player.disabled.is_some(),
        });
        Ok(Answer::Players(PlayerPage { players: rows.collect(), next }))
    }

    pub(super) fn player_id(&self, name: &str) -> Result<PlayerId, Failure> {
        read(&self.core.directory).find(name).ok_or_else(|| crate::players::no_such_player(name))
    }

    pub(super) fn player_show(&self, name: &str) -> Result<Answer, Failure> {
        let id = self.player_id(name)?;
        let reader = &self.operators.reader;
        let looked = || -> ssmglobal_store::Result<Option<PlayerDetail>> {
            let Some(player) = reader.player(id)? else { return Ok(None) };
            let (mails, unread) = reader.mailbox(id)?;
            let settings = reader.setting_count(ssmglobal_store::Owner::Player(id))?;
            let sessions = self.hub.players.get(&id).map_or(0, |list| list.len() as u32);
            Ok(Some(PlayerDetail {
                player: player.name,
                email: player.email,
                registered: player.registered,
                last_login: player.last_login,
                disabled: player.disabled,
                mails,
                unread,
                settings,
                sessions,
            }))
        };
        let detail = looked().map_err(|error| unavailable(&error))?;
        detail.map(Answer::Player).ok_or_else(|| crate::players::no_such_player(name))
    }

    pub(super) fn player_disable(
        &mut self,
        operator: u64,
        name: &str,
        reason: String,
        disabled: bool,
    ) -> Result<Option<Answer>, Failure> {
        let id = self.player_id(name)?;
        self.change(
            operator,
            Box::new(move |work| {
                work.tx.player_disable(id, disabled.then_some(&*reason))?;
                if disabled {
                    work.effects.push(Effect::PlayerOut(id, format!("You were logged out by the operator: {reason}")));
                } else {
                    work.effects.push(Effect::Allowed(Owner::Player(id)));
                }
                Ok(done())
            }),
        )
    }

    pub(super) fn player_set_password(
        &mut self,
        operator: u64,
        name: &str,
        password: Secret,
    ) -> Result<Option<Answer>, Failure> {
        let player = self.player_id(name)?;
        let settings = self.core.settings();
        crate::players::check_password(&password, &settings)?;
        self.core.hash(Hash::Set { operator, player, password })?;
        Ok(None)
    }

    pub(super) fn board_define(&mut self, operator: u64, board: Board) -> Result<Option<Answer>, Failure> {
        names::check_plain("board", &board.name, 64)?;
        if board.unit.is_empty() || board.unit.len() > 16 || board.unit.chars().any(char::is_control) {
            return Err(Failure::new(Code::Invalid, "A unit is 1 to 16 bytes, like ms or points."));
        }
        let most = self.core.settings().records.boards as usize;
        self.change(
            operator,
            Box::new(move |work| {
                let mut board = board.clone();
                match work.boards.find(&board.name) {
                    Some(ranking) => {
                        let old = &ranking.board;
                        let used = ranking.total() > 0 || work.changes.has_touched(old.id);
                        if used && (old.better, old.operator) != (board.better, board.operator) {
                            let msg =
                                "Scores stand on this board: better and operator stay as they are. Define another.";
                            return refuse(Code::Denied, msg);
                        }
                        board.id = old.id;
                        board.name = old.name.clone();
                        work.tx.board_change(&board)?;
                    }
                    None if work.boards.len() >= most => {
                        return refuse(Code::Limit, format!("There are {most} boards already."));
                    }
                    None => board.id = work.tx.board_add(&board)?,
                }
                work.changes.board(board);
                Ok(done())
            }),
        )
    }

    pub(super) fn board_withdraw(
        &mut self,
        operator: u64,
        board: &str,
        player: &str,
        reason: String,
    ) -> Result<Option<Answer>, Failure> {
        let id = self.player_id(player)?;
        let boards = read(&self.core.boards);
        let Some(ranking) = boards.find(board) else {
            return Err(Failure::new(Code::NotFound, "There is no such board."));
        };
        let board = ranking.board.id;
        drop(boards);
        let player = player.to_owned();
        self.change(
            operator,
            Box::new(move |work| {
                let was = work.changes.standing(work.boards, board, id);
                let Some(was) = was else {
                    return refuse(Code::NotFound, format!("{player} has no score on this board."));
                };
                *work.order += 1;
                work.tx.record_withdraw(board, &was, *work.order, work.now, &reason)?;
                work.changes.remove(board, id);
                Ok(done())
            }),
        )
    }
}
