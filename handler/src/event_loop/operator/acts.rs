//! What the operator does, in words for the log: what it is done to is named, what he writes is not. Part of the event loop.

use super::super::EventLoop;
use crate::state::audit::{Happened, Whose, Words, command};
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_ipc::{Does, Request};

/// Who commands at the operator's own socket.
const OPERATOR: &str = "operator";

/// Something that the operator does.
pub enum Act {
    /// Somebody is refused from now on, or taken again.
    Disable {
        /// A player, a game server or a world.
        kind: &'static str,
        /// Its name.
        name: String,
        /// False: taken again.
        disabled: bool,
    },
    /// Something else, told as what was done.
    Other(String),
}

impl Act {
    /// What is asked at the operator's socket; nothing where that is to look at something, or is told of elsewhere.
    pub fn of(ask: &Ask) -> Option<Act> {
        Some(Act::Other(match ask {
            Ask::ServerList
            | Ask::PlayerList { .. }
            | Ask::PlayerShow { .. }
            | Ask::BoardList
            | Ask::SessionsList
            | Ask::Status
            | Ask::Numbers
            | Ask::PlayerSearch { .. }
            | Ask::Log(_)
            | Ask::PenaltyList
            | Ask::PlayedList
            | Ask::PlayedTerms { .. } => return None,
            // Told of when it is known whom it hits.
            Ask::SessionsKick { .. } | Ask::SessionsEnd { .. } => return None,
            // The listener's word, not the operator's.
            Ask::Adopt => return None,
            Ask::Request { kind, payload } => {
                let kind = ssmglobal_ipc::Kind::from_number(*kind)?;
                return Act::of_request(&Request::decode(kind, payload).ok()?);
            }
            Ask::ServerDisable { name, disabled } => {
                return Some(Act::Disable { kind: "game server", name: name.clone(), disabled: *disabled });
            }
            Ask::PlayerDisable { name, disabled, .. } => {
                return Some(Act::Disable { kind: "player", name: name.clone(), disabled: *disabled });
            }
            Ask::ServerAdd { name } => format!("added the game server {name}"),
            Ask::ServerRotateKey { name } => format!("changed the key of the game server {name}"),
            Ask::ServerAllow { name, login_check: true } => format!("let the game server {name} check passwords"),
            Ask::ServerAllow { name, .. } => format!("forbade the game server {name} to check passwords"),
            Ask::PlayerSetPassword { name, .. } => format!("set another password for the player {name}"),
            Ask::BoardDefine { name, .. } => format!("defined the board {name}"),
            Ask::BoardWithdraw { board, player, .. } => format!("took the score of {player} off the board {board}"),
            Ask::Backup { file } => format!("wrote a backup to {file}"),
            Ask::BackupCopy => "had a backup made".to_owned(),
            Ask::Verify { file: Some(file) } => format!("looked for damage in {file}"),
            Ask::Verify { file: None } => "looked for damage in the database".to_owned(),
            Ask::Upgrade { program: Some(program) } => format!("had the program {program} take over"),
            Ask::Upgrade { program: None } => "had the program that is installed take over".to_owned(),
            Ask::PenaltyClear { address: Some(address) } => format!("cleared the penalties of {address}"),
            Ask::PenaltyClear { address: None } => "cleared all penalties".to_owned(),
            Ask::Reload => "had the settings read again".to_owned(),
            Ask::Stop => "ended everything".to_owned(),
            Ask::PlayerAdd { name, .. } => format!("added the player {name}"),
            Ask::BoardReset { name } => format!("took all scores off the board {name}"),
            Ask::BoardDelete { name } => format!("deleted the board {name}"),
            Ask::BoardRename { name, new } => format!("called the board {name} {new} from now on"),
            Ask::WorldFailover { name, address: Some(address) } => {
                format!("had the world {name} be played at {address}")
            }
            Ask::WorldFailover { name, address: None } => {
                format!("had the world {name} be played at the next of its addresses")
            }
            Ask::ServerDelete { name } => format!("deleted the game server {name}"),
            Ask::ServerRename { name, new } => format!("called the game server {name} {new} from now on"),
        }))
    }

    /// A request of the table. Of one that is not named here the command is told.
    pub fn of_request(request: &Request) -> Option<Act> {
        if matches!(request.kind().describe().does, Does::ReadsMemory | Does::ReadsStore) {
            return None;
        }
        let world = |name: &String, disabled| Act::Disable { kind: "world", name: name.clone(), disabled };
        Some(Act::Other(match request {
            Request::WorldDisable(it) => return Some(world(&it.name, true)),
            Request::WorldEnable(it) => return Some(world(&it.name, false)),
            Request::WorldAdd(it) => format!("added the world {} of {}", it.name, it.owner),
            Request::WorldChange(it) => format!("changed the licence of the world {}", it.name),
            Request::WorldPlay(it) => match &it.key {
                Some(key) => format!("set {key} of how the world {} is played", it.name),
                None => return None,
            },
            Request::WorldDelete(it) => format!("deleted the world {}", it.name),
            Request::WorldPassword(it) => format!("made another hosting password for the world {}", it.name),
            Request::RightGrant(it) => format!("gave {} the right {}", it.player, it.right),
            Request::RightRevoke(it) => format!("took the right {} from {}", it.right, it.player),
            Request::PlayerLimit(it) => match it.minutes {
                Some(minutes) => format!("limited a login of {} to {minutes} minutes", it.player),
                None => format!("took the limit of logins from {}", it.player),
            },
            Request::UniverseSet(it) => format!("set {} of the universe", it.key),
            Request::UniverseReset(it) => format!("set {} of the universe back", it.key),
            Request::PropertySet(it) => format!("set the property {} of {}", it.name, it.of),
            Request::PropertyDelete(it) => format!("deleted the property {} of {}", it.name, it.of),
            Request::Broadcast(_) => "told everybody something".to_owned(),
            _ => format!("did {}", command(request.kind())),
        }))
    }

    /// What he has done.
    fn words(&self) -> String {
        match self {
            Act::Disable { kind, name, disabled: true } => format!("disabled the {kind} {name}"),
            Act::Disable { kind, name, .. } => format!("enabled the {kind} {name}"),
            Act::Other(words) => words.clone(),
        }
    }
}

impl EventLoop {
    /// What the operator has asked has come to this.
    pub(super) fn has_acted(&mut self, act: &Act, answer: Option<&Answer>) {
        let by = OPERATOR.to_owned();
        let result = match answer {
            Some(Answer::Failed(failure)) => failure.code.as_str(),
            Some(_) => "done",
            None => "unknown",
        };
        let (whose, event) = match (act, result) {
            (Act::Disable { kind, name, disabled: true }, "done") => {
                (Whose::named(name), Happened::Disable { by, kind })
            }
            (Act::Disable { kind, name, .. }, "done") => (Whose::named(name), Happened::Enable { by, kind }),
            _ => (Whose::default(), Happened::Operator { by, result: result.to_owned(), act: Words(act.words()) }),
        };
        self.note(&whose, &event);
    }

    /// The operator asks for what another process does, which tells him, and the log, what has come of it.
    pub(super) fn has_asked(&mut self, ask: &Ask) {
        if let Some(act) = Act::of(ask) {
            let (by, result) = (OPERATOR.to_owned(), "asked".to_owned());
            self.note(&Whose::default(), &Happened::Operator { by, result, act: Words(act.words()) });
        }
    }

    /// A player with a right to it asks; what comes of it he hears himself.
    pub(in super::super) fn asked_by_right(&mut self, whose: &Whose, request: &Request) {
        if let Some(act) = Act::of_request(request) {
            let (by, result) = (whose.to_string(), "asked".to_owned());
            self.note(whose, &Happened::Operator { by, result, act: Words(act.words()) });
        }
    }

    /// The operator ends a connection.
    pub(super) fn has_kicked(&mut self, pid: i32, reason: &str) {
        let Some(child) = self.workers.children.get(&pid).cloned() else { return };
        self.workers.told.insert(child.session, "kicked");
        let whose = self.whose(&child);
        self.note(&whose, &Happened::Kick { by: OPERATOR.to_owned(), reason: reason.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_ipc::{Broadcast, Secret};

    fn words(ask: &Ask) -> String {
        Act::of(ask).map_or_else(String::new, |act| act.words())
    }

    #[test]
    fn what_is_done_is_named_and_what_is_written_is_not() {
        let password = Ask::PlayerSetPassword { name: "bob".into(), password: Secret::new("s3cret") };
        assert_eq!(words(&password), "set another password for the player bob");
        let disable = Ask::PlayerDisable { name: "bob".into(), reason: "he has shouted".into(), disabled: true };
        assert_eq!(words(&disable), "disabled the player bob");
        let mut payload = Vec::new();
        let broadcast = Request::Broadcast(Broadcast { body: "Tea is ready.".into() });
        broadcast.put(&mut payload);
        let ask = Ask::Request { kind: broadcast.kind() as u16, payload };
        assert_eq!(words(&ask), "told everybody something");
        assert_eq!(words(&Ask::Status), "");
    }
}
