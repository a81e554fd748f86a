//! The operator's questions, on a Unix socket that only the same user and root may use. Runs in the event loop; what
//! takes long (backup, verify) has a thread of its own.

use crate::core::{Act, Answer as Done, Asker, Effect, Hash, Write, read, refuse, write};
use crate::records::board_row;
use crate::server::{FIRST_OPERATOR, OPERATOR, Server};
use crate::session::{Session, shown};
use crate::{names, passwords};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use ssmglobal_ipc::control::ToListener;
use ssmglobal_ipc::ctl::{
    Answer, Ask, Key, PlayerDetail, PlayerPage, PlayerRow, ServerRow, SessionRow, Status, Verified,
};
use ssmglobal_ipc::frame::{FrameReader, put_control};
use ssmglobal_ipc::{Code, Event, Failure, Notice, Reply, Secret, Time};
use ssmglobal_store::{Board, BoardId, Reader, Store, StoreError, Verify, sqlite::SqliteStore};
use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Operators' connections at once.
const MOST: usize = 64;

/// Bytes that may wait for one of them.
const OUTBOX: usize = 16 << 20;

/// Rows of one answer.
const ROWS: u32 = 1000;

/// Sessions of one answer; a frame holds them with their addresses.
const SESSIONS: usize = 8000;

struct Operator {
    number: u64,
    stream: UnixStream,
    reader: FrameReader,
    out: Vec<u8>,
}

/// The operator's socket and who is connected to it.
pub struct Operators {
    socket: UnixListener,
    store: Arc<dyn Store>,
    reader: Box<dyn Reader>,
    connected: HashMap<usize, Operator>,
    tokens: HashMap<u64, usize>,
    next: u64,
    since: Time,
}

impl Operators {
    /// Makes the socket, in place of one that a dead process has left.
    ///
    /// # Errors
    /// The kernel's; also for a path that is too long for a socket (107 bytes).
    pub fn new(path: &Path, store: Arc<dyn Store>, registry: &Registry) -> io::Result<Operators> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        socket.set_nonblocking(true)?;
        registry.register(&mut SourceFd(&socket.as_raw_fd()), OPERATOR, Interest::READABLE)?;
        let reader = store.reader().map_err(io::Error::other)?;
        let (connected, tokens) = (HashMap::new(), HashMap::new());
        Ok(Operators { socket, store, reader, connected, tokens, next: 1, since: Time::now() })
    }
}

/// Whether this user may command the backend: the one it runs as, or root.
fn permitted(stream: &UnixStream) -> bool {
    let me = nix::unistd::geteuid().as_raw();
    ssmglobal_sys::peer_of(stream).is_ok_and(|(_, uid, _)| uid == me || uid == 0)
}

fn unavailable(error: &StoreError) -> Failure {
    Failure::new(Code::Unavailable, format!("The database says: {error}."))
}

impl Server {
    pub(crate) fn accept_operators(&mut self) {
        loop {
            let stream = match self.operators.socket.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            if !permitted(&stream) {
                log::warn!("another user tried to command the backend and was refused");
                let failure =
                    Failure::new(Code::Denied, "Only the user that the backend runs as, and root, may do this.");
                let mut out = Vec::new();
                put_control(&mut out, &Answer::Failed(failure));
                let _ = (&stream).write_all(&out);
                continue;
            }
            let Some(token) =
                (FIRST_OPERATOR..FIRST_OPERATOR + MOST).find(|token| !self.operators.connected.contains_key(token))
            else {
                continue;
            };
            let both = Interest::READABLE | Interest::WRITABLE;
            let registered = stream
                .set_nonblocking(true)
                .and_then(|()| self.poll.registry().register(&mut SourceFd(&stream.as_raw_fd()), Token(token), both));
            if let Err(error) = registered {
                log::error!("the operator's connection cannot be taken: {error}");
                continue;
            }
            let number = self.operators.next;
            self.operators.next += 1;
            self.operators.tokens.insert(number, token);
            let operator = Operator { number, stream, reader: FrameReader::new(), out: Vec::new() };
            self.operators.connected.insert(token, operator);
        }
    }

    pub(crate) fn read_operator(&mut self, token: usize) {
        let Some(mut operator) = self.operators.connected.remove(&token) else { return };
        let mut open = true;
        let mut asked = Vec::new();
        loop {
            match operator.reader.fill(|buffer| operator.stream.read(buffer)) {
                Ok((0, _)) => open = false,
                Ok(_) => {
                    while let Ok(Some(frame)) = operator.reader.next_frame() {
                        match frame.control::<Ask>() {
                            Ok(ask) => asked.push(ask),
                            Err(_) => open = false,
                        }
                    }
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => open = false,
            }
            break;
        }
        let number = operator.number;
        if flush(&mut operator).is_err() || !open {
            self.operators.tokens.remove(&number);
            let _ = self.poll.registry().deregister(&mut SourceFd(&operator.stream.as_raw_fd()));
            return;
        }
        self.operators.connected.insert(token, operator);
        for ask in asked {
            if let Some(answer) = self.ask(number, ask).unwrap_or_else(|failure| Some(Answer::Failed(failure))) {
                self.answer_operator(number, &answer);
            }
        }
    }

    pub(crate) fn answer_operator(&mut self, number: u64, answer: &Answer) {
        let token = self.operators.tokens.get(&number);
        let Some(operator) = token.and_then(|token| self.operators.connected.get_mut(token)) else { return };
        if operator.out.len() < OUTBOX {
            put_control(&mut operator.out, answer);
        }
        // A connection that fails is noticed when it is read from.
        let _ = flush(operator);
    }

    /// Does what is asked; nothing when the answer comes later.
    fn ask(&mut self, operator: u64, ask: Ask) -> Result<Option<Answer>, Failure> {
        match ask {
            Ask::ServerAdd { name } => self.server_key(operator, name, true),
            Ask::ServerRotateKey { name } => self.server_key(operator, name, false),
            Ask::ServerList => self.server_list().map(Some),
            Ask::ServerDisable { name, disabled } => self.server_disable(operator, name, disabled),
            Ask::PlayerList { limit, after } => self.player_list(limit, after.as_deref()).map(Some),
            Ask::PlayerShow { name } => self.player_show(&name).map(Some),
            Ask::PlayerDisable { name, reason, disabled } => self.player_disable(operator, &name, reason, disabled),
            Ask::PlayerSetPassword { name, password } => self.player_set_password(operator, &name, password),
            Ask::BoardDefine { name, unit, better, operator: op, submit } => {
                self.board_define(operator, Board { id: BoardId(0), name, unit, better, operator: op, submit })
            }
            Ask::BoardList => {
                Ok(Some(Answer::Boards(read(&self.core.boards).iter_after(None).map(board_row).collect())))
            }
            Ask::BoardWithdraw { board, player, reason } => self.board_withdraw(operator, &board, &player, reason),
            Ask::SessionsList => Ok(Some(self.sessions_list())),
            Ask::SessionsKick { pid, reason } => self.sessions_kick(pid, reason).map(Some),
            Ask::Status => Ok(Some(self.status())),
            Ask::Backup { file } => self.long_job(operator, move |server, tell| backup(server, &file, tell)),
            Ask::Verify { file } => self.long_job(operator, move |store, _| verify(store, file.as_deref())),
        }
    }

    fn change(&self, operator: u64, act: Act) -> Result<Option<Answer>, Failure> {
        log::info!("operator {operator} changes something");
        self.core.write(&mut vec![Write { asker: Asker::Operator(operator), act }])?;
        Ok(None)
    }

    fn server_key(&mut self, operator: u64, name: String, new: bool) -> Result<Option<Answer>, Failure> {
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

    fn server_list(&self) -> Result<Answer, Failure> {
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

    fn server_disable(&mut self, operator: u64, name: String, disabled: bool) -> Result<Option<Answer>, Failure> {
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
                }
                Ok(done())
            }),
        )
    }

    fn player_list(&self, limit: u32, after: Option<&str>) -> Result<Answer, Failure> {
        let limit = limit.clamp(1, ROWS);
        let after = after.map(names::fold);
        let found = self.operators.reader.players(after.as_deref(), limit + 1);
        let mut players = found.map_err(|error| unavailable(&error))?;
        let next = crate::server::next_page(&mut players, limit as usize, |player| player.name.clone());
        let rows = players.into_iter().map(|player| PlayerRow {
            player: player.name,
            registered: player.registered,
            last_login: player.last_login,
            disabled: player.disabled.is_some(),
        });
        Ok(Answer::Players(PlayerPage { players: rows.collect(), next }))
    }

    fn player_id(&self, name: &str) -> Result<ssmglobal_store::PlayerId, Failure> {
        read(&self.core.directory).find(name).ok_or_else(|| crate::players::no_such_player(name))
    }

    fn player_show(&self, name: &str) -> Result<Answer, Failure> {
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

    fn player_disable(
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
                }
                Ok(done())
            }),
        )
    }

    fn player_set_password(&mut self, operator: u64, name: &str, password: Secret) -> Result<Option<Answer>, Failure> {
        let player = self.player_id(name)?;
        let settings = self.core.settings();
        crate::players::check_password(&password, &settings)?;
        self.core.hash(Hash::Set { operator, player, password })?;
        Ok(None)
    }

    fn board_define(&mut self, operator: u64, board: Board) -> Result<Option<Answer>, Failure> {
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
                        if ranking.total() > 0 && (old.better, old.operator) != (board.better, board.operator) {
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

    fn board_withdraw(
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

    fn sessions_list(&self) -> Answer {
        let now = Instant::now();
        let mut rows: Vec<SessionRow> = self
            .children
            .values()
            .map(|child| {
                let session = self.by_pid.get(&child.pid).and_then(|slot| self.session(*slot));
                SessionRow {
                    pid: child.pid,
                    session: session.map(|session| session.id),
                    address: shown(child.address),
                    mode: session.map(|session| session.mode),
                    who: session.and_then(Session::name).map(str::to_owned),
                    since: child.at,
                    idle: session.map(|session| now.saturating_duration_since(session.last).as_secs()),
                }
            })
            .collect();
        rows.sort_by_key(|row| (row.since, row.pid));
        rows.truncate(SESSIONS);
        Answer::Sessions(rows)
    }

    fn sessions_kick(&mut self, pid: i32, reason: String) -> Result<Answer, Failure> {
        if !self.children.contains_key(&pid) {
            return Err(Failure::new(
                Code::NotFound,
                format!("There is no worker {pid}. ctl sessions list shows them."),
            ));
        }
        log::info!("worker {pid} is ended by the operator: {}", crate::logging::visible(&reason));
        match self.by_pid.get(&pid).and_then(|slot| Some((*slot, self.session(*slot)?.id))) {
            Some((slot, id)) => self.push(crate::core::SessionRef { slot, id }, &Event::Close(Notice { msg: reason })),
            None => self.listener.tell(&ToListener::End { pid }),
        }
        Ok(Answer::Done)
    }

    fn status(&self) -> Answer {
        let path = self.operators.store.path();
        let players = read(&self.core.directory).len() as u64;
        Answer::Status(Box::new(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            handler: nix::unistd::getpid().as_raw(),
            listener: nix::unistd::getppid().as_raw(),
            since: self.operators.since,
            clients: self.children.len() as u32,
            clients_max: self.clients_max,
            linked: self.by_pid.len() as u32,
            players_on: self.hub.players.len() as u32,
            servers_on: self.hub.servers.len() as u32,
            players,
            boards: read(&self.core.boards).len() as u32,
            requests: self.requests,
            commits: self.core.commits.load(Ordering::Relaxed),
            database: path.display().to_string(),
            database_bytes: std::fs::metadata(path).map_or(0, |meta| meta.len()),
            writable: self.core.writable.load(Ordering::Relaxed),
        }))
    }

    /// Runs something that takes long in a thread of its own; its answers come back as effects.
    fn long_job(
        &self,
        operator: u64,
        job: impl FnOnce(&dyn Store, &mut dyn FnMut(Answer)) -> Result<Answer, Failure> + Send + 'static,
    ) -> Result<Option<Answer>, Failure> {
        let (core, store) = (self.core.clone(), self.operators.store.clone());
        let thread = std::thread::Builder::new().name("operator".into()).spawn(move || {
            let mut tell = |answer| core.wake(&mut vec![Effect::Operator(operator, answer)], Vec::new());
            let answer = job(&*store, &mut tell).unwrap_or_else(Answer::Failed);
            tell(answer);
        });
        match thread {
            Ok(_) => Ok(None),
            Err(error) => Err(Failure::new(Code::Unavailable, format!("No thread for this: {error}."))),
        }
    }
}

fn done() -> Done {
    Done::Reply(Reply::Done(ssmglobal_ipc::Done {}))
}

fn flush(operator: &mut Operator) -> io::Result<()> {
    while !operator.out.is_empty() {
        match operator.stream.write(&operator.out) {
            Ok(count) => drop(operator.out.drain(..count)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn backup(store: &dyn Store, file: &str, tell: &mut dyn FnMut(Answer)) -> Result<Answer, Failure> {
    let mut last = Instant::now();
    let written = store.backup(Path::new(file), &mut |done, total| {
        let now = Instant::now();
        if done == total || now.saturating_duration_since(last).as_millis() >= 100 {
            last = now;
            tell(Answer::Progress { done, total });
        }
    });
    match written {
        Ok(bytes) => {
            log::info!("a backup of {bytes} bytes was written");
            Ok(Answer::BackedUp { file: file.to_owned(), bytes })
        }
        Err(StoreError::Exists) => {
            Err(Failure::new(Code::Exists, format!("{file} exists already; it was left as it is.")))
        }
        Err(error) => Err(Failure::new(Code::Unavailable, format!("No backup was written: {error}."))),
    }
}

fn verify(store: &dyn Store, file: Option<&str>) -> Result<Answer, Failure> {
    let path = file.map_or(store.path(), Path::new);
    let found = SqliteStore::verify(path).map_err(|error| unavailable(&error))?;
    Ok(Answer::Verified(Verified {
        file: path.display().to_string(),
        ok: found.problems.is_empty(),
        problems: found.problems,
        schema: found.schema,
        players: found.players,
        mails: found.mails,
        records: found.records,
        settings: found.settings,
    }))
}
