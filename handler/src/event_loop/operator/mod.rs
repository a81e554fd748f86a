//! The operator's questions, on a Unix socket that only the same user and root may use. Runs in the event loop; what
//! takes long (backup, verify) has a thread of its own.

mod acts;
mod changes;
mod jobs;
mod listener;
mod log_lines;
mod numbers;
mod penalties;
mod requests;
mod sessions;

use super::{EventLoop, FIRST_OPERATOR, OPERATOR};
use crate::capability::records::{board_of, board_row};
use crate::lock::read;
use crate::recent::Recent;
use acts::Act;
pub use jobs::verified;
use jobs::{Copying, backup, verify};
use log_lines::Follows;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use numbers::{Curiosity, Curious};
use penalties::Clearing;
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_ipc::frame::{FrameReader, put_control};
use ssmglobal_ipc::{Code, Failure, Time};
use ssmglobal_store::Store;
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a write may take before the status says that nothing can be written.
const DISK: Duration = Duration::from_secs(3);

/// Operators' connections at once.
const MOST: usize = 64;

/// Bytes that may wait for one of them.
const OUTBOX: usize = 16 << 20;

struct Operator {
    number: u64,
    stream: UnixStream,
    reader: FrameReader,
    out: Vec<u8>,
    /// What he has asked to be done and has no answer to. `ctl` asks one thing.
    acts: VecDeque<Option<Act>>,
    follows: Option<Follows>,
}

/// The operator's socket and who is connected to it.
pub struct Operators {
    socket: UnixListener,
    store: Arc<dyn Store>,
    connected: HashMap<usize, Operator>,
    tokens: HashMap<u64, usize>,
    next: u64,
    since: Time,
    /// Who asks while the sessions come back.
    held: Vec<usize>,
    /// Who waits to hear how it is.
    curiosity: Curiosity,
    /// Who waits for penalties to be cleared, and whose.
    clearing: Clearing,
    /// A copy for an operator is being made: each takes as much room as the database.
    copying: Copying,
    /// What was logged of late.
    recent: Arc<Recent>,
}

impl Operators {
    /// Makes the socket, in place of one that a dead process has left.
    ///
    /// # Errors
    /// The kernel's; also for a path that is too long for a socket (107 bytes).
    pub fn new(path: &Path, store: Arc<dyn Store>, recent: Arc<Recent>, registry: &Registry) -> io::Result<Operators> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        socket.set_nonblocking(true)?;
        registry.register(&mut SourceFd(&socket.as_raw_fd()), OPERATOR, Interest::READABLE)?;
        let (connected, tokens) = (HashMap::new(), HashMap::new());
        Ok(Operators {
            socket,
            store,
            connected,
            tokens,
            next: 1,
            since: Time::now(),
            held: Vec::new(),
            curiosity: Curiosity::default(),
            clearing: Clearing::new(),
            copying: Copying::default(),
            recent,
        })
    }

    /// How long to wait at the most for what the database says.
    pub fn waits(&self) -> Option<Duration> {
        self.curiosity.until().map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Gives away the connection of an operator, and the process id at its other end.
    pub fn release(&mut self, number: u64, registry: &Registry) -> Option<(UnixStream, i32)> {
        let operator = self.connected.remove(&self.tokens.remove(&number)?)?;
        let _ = registry.deregister(&mut SourceFd(&operator.stream.as_raw_fd()));
        let (pid, _, _) = ssmglobal_sys::peer_of(&operator.stream).ok()?;
        Some((operator.stream, pid))
    }
}

/// Whether this user may command the backend: the one it runs as, or root.
fn permitted(stream: &UnixStream) -> bool {
    let me = nix::unistd::geteuid().as_raw();
    ssmglobal_sys::peer_of(stream).is_ok_and(|(_, uid, _)| uid == me || uid == 0)
}

impl EventLoop {
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
            let operator = Operator {
                number,
                stream,
                reader: FrameReader::new(),
                out: Vec::new(),
                acts: VecDeque::new(),
                follows: None,
            };
            self.operators.connected.insert(token, operator);
        }
    }

    pub(crate) fn read_operator(&mut self, token: usize) {
        if self.recovery.is_on() {
            return self.operators.held.push(token);
        }
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
            self.operators.clearing.remove(&number);
            let _ = self.poll.registry().deregister(&mut SourceFd(&operator.stream.as_raw_fd()));
            operator.acts.iter().flatten().for_each(|act| self.has_acted(act, None));
            if operator.follows.is_some() && !self.operators.connected.values().any(|it| it.follows.is_some()) {
                self.operators.recent.on_line(None);
            }
            return;
        }
        self.operators.connected.insert(token, operator);
        for ask in asked {
            self.is_to_act(number, Act::of(&ask));
            if let Some(answer) = self.ask(number, ask).unwrap_or_else(|failure| Some(Answer::Failed(failure))) {
                self.answer_operator(number, &answer);
            }
        }
    }

    /// All sessions are back: who has asked meanwhile is answered.
    pub(crate) fn resume_operators(&mut self) {
        for token in std::mem::take(&mut self.operators.held) {
            self.read_operator(token);
        }
    }

    pub(crate) fn answer_operator(&mut self, number: u64, answer: &Answer) {
        let token = self.operators.tokens.get(&number);
        let Some(operator) = token.and_then(|token| self.operators.connected.get_mut(token)) else { return };
        if operator.out.len() < OUTBOX {
            answer.put(&mut operator.out);
        }
        // A connection that fails is noticed when it is read from.
        let _ = flush(operator);
        let is_last = !matches!(answer, Answer::Progress { .. });
        if let Some(act) = is_last.then(|| operator.acts.pop_front()).flatten().flatten() {
            self.has_acted(&act, Some(answer));
        }
    }

    /// An operator has asked something, which may be to do something: the log tells of it when it is known what comes of it.
    fn is_to_act(&mut self, number: u64, act: Option<Act>) {
        let token = self.operators.tokens.get(&number);
        if let Some(operator) = token.and_then(|token| self.operators.connected.get_mut(token)) {
            operator.acts.push_back(act);
        }
    }

    /// Does what is asked; nothing when the answer comes later.
    fn ask(&mut self, operator: u64, ask: Ask) -> Result<Option<Answer>, Failure> {
        match ask {
            Ask::ServerAdd { name } => self.server_key(operator, name, true),
            Ask::ServerRotateKey { name } => self.server_key(operator, name, false),
            Ask::ServerList => self.server_list(operator),
            Ask::ServerDisable { name, disabled } => self.server_disable(operator, name, disabled),
            Ask::ServerAllow { name, login_check } => self.server_allow(operator, name, login_check),
            Ask::PlayerList { limit, after } => self.player_list(operator, limit, after.as_deref()),
            Ask::PlayerShow { name } => self.player_show(operator, &name),
            Ask::PlayerDisable { name, reason, disabled } => self.player_disable(operator, &name, reason, disabled),
            Ask::PlayerSetPassword { name, password } => self.player_set_password(operator, &name, password),
            Ask::BoardDefine { name, unit, better, operator: op, submit } => {
                self.board_define(operator, board_of(name, unit, better, op, submit))
            }
            Ask::BoardList => {
                Ok(Some(Answer::Boards(read(&self.shared.memory.boards).iter_after(None).map(board_row).collect())))
            }
            Ask::BoardWithdraw { board, player, reason } => self.board_withdraw(operator, &board, &player, reason),
            Ask::SessionsList => Ok(Some(self.sessions_list())),
            Ask::SessionsKick { pid, reason } => self.sessions_kick(pid, reason).map(Some),
            Ask::Status => self.probe(Curious::Status(operator)).map(|()| None),
            Ask::Numbers => self.probe(Curious::Numbers(operator)).map(|()| None),
            Ask::SessionsEnd { target, reason } => self.sessions_end(&target, &reason).map(Some),
            Ask::Backup { file } => self.long_job(operator, move |store, tell| backup(store, &file, tell)),
            Ask::BackupCopy => self.backup_copy(operator).map(|()| None),
            Ask::Verify { file } => self.long_job(operator, move |store, _| verify(store, file.as_deref())),
            Ask::Upgrade { program } => self.upgrade(operator, program).map(|()| None),
            Ask::Adopt => self.adopt(operator).map(|()| None),
            Ask::Reload => self.ask_to_reload(operator).map(|()| None),
            Ask::Stop => self.ask_to_stop().map(Some),
            Ask::Log(asked) => self.show_log(operator, asked).map(Some),
            Ask::PlayerAdd { name, password, email } => self.player_add(operator, &name, password, email),
            Ask::PlayerSearch { pattern, limit, after } => {
                self.player_search(operator, &pattern, limit, after.as_deref())
            }
            Ask::BoardReset { name } => self.board_clear(operator, name, false),
            Ask::BoardDelete { name } => self.board_clear(operator, name, true),
            Ask::BoardRename { name, new } => self.board_rename(operator, name, new),
            Ask::ServerDelete { name } => self.server_delete(operator, &name),
            Ask::ServerRename { name, new } => self.server_rename(operator, &name, new),
            Ask::Request { kind, payload } => self.operators_request(operator, kind, &payload),
            Ask::PlayedList => Ok(Some(Answer::Played(self.played_rows()))),
            Ask::PlayedTerms { name } => self.played_terms(&name).map(Some),
            Ask::WorldFailover { name, address } => self.play_choose(&name, address.as_deref()).map(Some),
            Ask::PenaltyList => self.penalty_list(operator).map(|()| None),
            Ask::PenaltyClear { address } => self.penalty_clear(operator, address).map(|()| None),
        }
    }
}

fn flush(operator: &mut Operator) -> io::Result<()> {
    ssmglobal_sys::write_out(&mut operator.stream, &mut operator.out)
}
