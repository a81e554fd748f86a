//! What is kept, in plain maps: what becomes of a row without a database. Runs in tests.

use crate::state::networks::Networks;
use crate::work::change::Facts;
use ssmglobal_ipc::{Rating, Secret, Time};
use ssmglobal_store::{
    Better, Board, BoardId, KeptLicence, KeptProperty, KeptSetting, KeyHash, Keyed, NewLetter, NewPlayer, Player,
    PlayerId, Principal, Result, Row, Sequence, Server, ServerId, Standing, StoreError, WorldId,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A player, with what only the store looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPlayer {
    /// As others see it.
    pub player: Player,
    /// The name without case.
    pub folded: String,
    /// The name as the eye sees it.
    pub skeleton: String,
    /// The password's hash.
    pub hash: Secret,
}

/// A letter, and who still has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLetter {
    /// As it was sent.
    pub letter: NewLetter,
    /// The receiver has it.
    pub in_box: bool,
    /// The sender has it.
    pub in_sent: bool,
    /// When it was read.
    pub read: Option<Time>,
}

impl KeptLetter {
    /// It is in this player's box.
    pub fn is_in_box_of(&self, player: PlayerId) -> bool {
        self.in_box && self.letter.to == player
    }

    /// It is among what somebody has sent.
    pub fn is_in_sent_of(&self, who: Principal) -> bool {
        self.in_sent && self.letter.from == who
    }
}

/// All that is kept.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Players, also those that are refused.
    pub players: BTreeMap<PlayerId, KeptPlayer>,
    /// From where they were in.
    pub networks: Networks,
    /// Game servers and their keys.
    pub servers: BTreeMap<ServerId, (Server, KeyHash)>,
    /// Boards by their numbers, as last changed.
    pub boards: BTreeMap<BoardId, Board>,
    /// What stands on them.
    pub standings: BTreeMap<(BoardId, PlayerId), Standing>,
    /// Settings, by whose they are and by name.
    pub settings: BTreeMap<(Principal, String), KeptSetting>,
    /// Properties, by whose they are and by name.
    pub properties: BTreeMap<(Principal, String), KeptProperty>,
    /// Letters, the oldest first.
    pub letters: Vec<KeptLetter>,
    /// Who was told when that a letter of whom was refused.
    pub refused: BTreeMap<(PlayerId, Principal), Time>,
    /// Who refuses whom.
    pub blocks: BTreeSet<(PlayerId, Principal)>,
    /// Answers under clients' keys.
    pub keyed: BTreeMap<(Principal, String), Keyed>,
    /// Up to where numbers of relay messages may be given.
    pub relay_mark: u64,
    /// For whom the worlds may be that players are let into.
    pub ratings: BTreeMap<PlayerId, Rating>,
    /// Licences, also those that are gone.
    pub licences: BTreeMap<WorldId, KeptLicence>,
    /// Who has which right.
    pub rights: BTreeSet<(PlayerId, String)>,
    /// What licences say of how worlds are played.
    pub played: BTreeMap<(WorldId, String), Secret>,
    /// What was set of the universe.
    pub universe: BTreeMap<String, String>,
    /// What players have set of how they are shown things.
    pub preferences: BTreeMap<(PlayerId, String), String>,
    /// The last number of each sequence.
    pub sequences: HashMap<Sequence, u64>,
    /// How many numbers were asked for.
    pub asked: u32,
    /// The store fails.
    pub broken: bool,
}

impl Model {
    /// With these rows.
    pub fn of(rows: impl IntoIterator<Item = Row>) -> Model {
        let mut model = Model::default();
        rows.into_iter().for_each(|row| model.put(&row));
        model
    }

    pub(super) fn store<T>(&self, found: T) -> Result<T> {
        if self.broken { Err(StoreError::Other("broken".to_owned())) } else { Ok(found) }
    }

    /// All that stands on a board, the best first and the earlier of equals first.
    pub fn table(&self, board: BoardId) -> Vec<&Standing> {
        let better = self.boards.get(&board).map_or(Better::Lower, |board| board.better);
        let mut all: Vec<&Standing> =
            self.standings.iter().filter(|((other, _), _)| *other == board).map(|(_, standing)| standing).collect();
        all.sort_by(|a, b| match better {
            Better::Lower => (a.score, a.order).cmp(&(b.score, b.order)),
            Better::Higher => (b.score, a.order).cmp(&(a.score, b.order)),
        });
        all
    }

    /// What becomes of a row.
    pub fn put(&mut self, row: &Row) {
        match row {
            Row::Player(new) => self.add_player(new.clone()),
            Row::PlayerHash { player, hash } => self.player_mut(*player).hash = hash.clone(),
            Row::PlayerLogin { player, at } => {
                let player = &mut self.player_mut(*player).player;
                player.last_login = Some(*at);
                player.times_on += 1;
            }
            Row::PlayerLimit { player, minutes } => self.player_mut(*player).player.session_minutes = *minutes,
            Row::PlayerLasted { player, lasted, .. } => self.player_mut(*player).player.milliseconds_on += lasted,
            Row::PlayerDisabled { player, reason } => self.player_mut(*player).player.disabled = reason.clone(),
            Row::PlayerRating { player, rating } => match rating {
                Some(rating) => drop(self.ratings.insert(*player, *rating)),
                None => drop(self.ratings.remove(player)),
            },
            Row::PlayerSeen { player, network } => self.networks.see(*player, *network),
            Row::PlayerUnseen { player, network } => self.networks.forget(*player, *network),
            Row::Epoch { who, epoch, .. } => match (who.as_player(), who.as_server()) {
                (Some(player), _) => self.player_mut(player).player.epoch = *epoch,
                (_, Some(server)) => self.server_mut(server).0.epoch = *epoch,
                _ => panic!("{who:?} proves nothing"),
            },
            Row::Server(new) => {
                assert!(self.server_by_name(&new.name).unwrap().is_none(), "the name is taken");
                let (id, name, added) = (new.id, new.name.clone(), new.added);
                let kept = Server { id, name, added, last_auth: None, disabled: false, epoch: 0, login_check: false };
                assert!(self.servers.insert(id, (kept, new.key)).is_none(), "the number is taken");
            }
            Row::ServerKey { server, key } => self.server_mut(*server).1 = *key,
            Row::ServerAuthed { server, at } => self.server_mut(*server).0.last_auth = Some(*at),
            Row::ServerDisabled { server, disabled } => self.server_mut(*server).0.disabled = *disabled,
            Row::ServerAllowed { server, login_check } => self.server_mut(*server).0.login_check = *login_check,
            Row::ServerNamed { server, name } => name.clone_into(&mut self.server_mut(*server).0.name),
            Row::ServerGone { server } => self.remove_server(*server),
            Row::BoardCleared { board } => self.standings.retain(|(other, _), _| other != board),
            Row::BoardGone { board } => {
                self.boards.remove(board).expect("a board");
                self.standings.retain(|(other, _), _| other != board);
            }
            Row::Board(board) => drop(self.boards.insert(board.id, board.clone())),
            Row::Standing { board, standing } => {
                self.standings.insert((*board, standing.player), standing.clone());
            }
            Row::Withdrawn { board, was, .. } => {
                assert_eq!(self.standings.remove(&(*board, was.player)).as_ref(), Some(was));
            }
            Row::Setting { owner, key, setting } => {
                self.settings.insert((*owner, key.clone()), setting.clone());
            }
            Row::Property { holder, name, property, .. } => {
                self.properties.insert((*holder, name.clone()), property.clone());
            }
            Row::Letter(letter) => self.add_letter(letter),
            Row::LetterRead { player, number, at } => {
                for kept in &mut self.letters {
                    if kept.is_in_box_of(*player) && kept.letter.to_number == *number {
                        kept.read.get_or_insert(*at);
                    }
                }
            }
            Row::LetterGone { player, number } => {
                for kept in &mut self.letters {
                    let got = kept.letter.to == *player && kept.letter.to_number == *number;
                    let sent = kept.letter.from == (*player).into() && kept.letter.from_number == *number;
                    (kept.in_box, kept.in_sent) = (kept.in_box && !got, kept.in_sent && !sent);
                }
                self.forget_letters();
            }
            Row::LetterRefused { player, from, at, .. } => drop(self.refused.insert((*player, *from), *at)),
            Row::Blocked { player, from } => drop(self.blocks.insert((*player, *from))),
            Row::Unblocked { player, from } => drop(self.blocks.remove(&(*player, *from))),
            Row::Keyed { owner, key, kept } => {
                assert!(self.keyed.insert((*owner, key.clone()), kept.clone()).is_none(), "the key was used");
            }
            Row::Licence(licence) => {
                let new = KeptLicence::clone(licence);
                let others = self.licences.values().filter(|other| other.id != new.id && other.gone.is_none());
                let taken = others.into_iter().any(|it| it.folded == new.folded || it.skeleton == new.skeleton);
                assert!(!taken, "the name is taken");
                self.licences.insert(new.id, new);
            }
            Row::WorldStarted { world, at, address, .. } => {
                let licence = self.licences.get_mut(world).expect("a licence");
                (licence.last_started, licence.last_address, licence.stopped) =
                    (Some(*at), Some(address.clone()), None);
            }
            Row::WorldStopped { world, at } => {
                self.licences.get_mut(world).into_iter().for_each(|licence| licence.stopped = Some(*at));
            }
            Row::LicenceGone { world, at } => self.licences.get_mut(world).expect("a licence").gone = Some(*at),
            Row::WorldPurged { world } => {
                self.licences.remove(world).expect("a licence");
                self.played.retain(|(other, _), _| other != world);
                self.settings.retain(|(owner, _), _| *owner != Principal::from(*world));
                self.properties.retain(|(holder, _), _| *holder != Principal::from(*world));
            }
            Row::Granted { player, right } => drop(self.rights.insert((*player, right.clone()))),
            Row::Revoked { player, right } => drop(self.rights.remove(&(*player, right.clone()))),
            Row::WorldPlayed { world, key, value: Some(value) } => {
                drop(self.played.insert((*world, key.clone()), value.clone()));
            }
            Row::WorldPlayed { world, key, value: None } => drop(self.played.remove(&(*world, key.clone()))),
            Row::Universe { key, value: Some(value) } => drop(self.universe.insert(key.clone(), value.clone())),
            Row::Universe { key, value: None } => drop(self.universe.remove(key)),
            Row::Preference { player, name, value: Some(value) } => {
                drop(self.preferences.insert((*player, name.clone()), value.clone()));
            }
            Row::Preference { player, name, value: None } => drop(self.preferences.remove(&(*player, name.clone()))),
            Row::RelayMark { upto } => self.relay_mark = self.relay_mark.max(*upto),
        }
    }

    fn add_player(&mut self, new: NewPlayer) {
        let NewPlayer { id, name, folded, skeleton, hash, email, registered } = new;
        let taken = self.players.values().any(|kept| kept.folded == folded || kept.skeleton == skeleton);
        assert!(!taken, "the name is taken");
        let player = Player {
            id,
            name,
            email,
            registered,
            last_login: None,
            disabled: None,
            epoch: 0,
            session_minutes: None,
            times_on: 0,
            milliseconds_on: 0,
        };
        let kept = KeptPlayer { player, folded, skeleton, hash };
        assert!(self.players.insert(id, kept).is_none(), "the number is taken");
    }

    fn add_letter(&mut self, letter: &NewLetter) {
        let sent = self.letters.iter_mut().filter(|kept| kept.is_in_sent_of(letter.from));
        sent.take(letter.let_go as usize).for_each(|kept| kept.in_sent = false);
        self.forget_letters();
        let in_sent = letter.in_sent;
        self.letters.push(KeptLetter { letter: letter.clone(), in_box: true, in_sent, read: None });
    }

    fn remove_server(&mut self, id: ServerId) {
        let who = Principal::from(id);
        self.servers.remove(&id).expect("a game server");
        for standing in self.standings.values_mut() {
            standing.server = standing.server.filter(|server| *server != id);
        }
        self.settings.retain(|(owner, _), _| *owner != who);
        self.keyed.retain(|(owner, _), _| *owner != who);
        self.blocks.retain(|(_, from)| *from != who);
        self.refused.retain(|(_, from), _| *from != who);
        self.letters.retain(|kept| kept.letter.from != who);
        self.sequences.remove(&Sequence::Letters(who));
    }

    fn forget_letters(&mut self) {
        self.letters.retain(|kept| kept.in_box || kept.in_sent);
    }

    fn player_mut(&mut self, id: PlayerId) -> &mut KeptPlayer {
        self.players.get_mut(&id).expect("a player")
    }

    fn server_mut(&mut self, id: ServerId) -> &mut (Server, KeyHash) {
        self.servers.get_mut(&id).expect("a game server")
    }
}
