//! All that is kept, as far as anybody can see it: of a database, and of the model.

use super::*;
use crate::testing::Model;
use ssmglobal_ipc::Time;
use ssmglobal_store::{Board, KeptSetting, KeyHash, Letter, LetterRow, Network, Player, Reader, Server, Standing};

/// A score without its order: a transaction that was given up has used some.
type Score = (PlayerId, i64, Time, Option<ServerId>, Option<Box<str>>);

/// A player's letters: received and sent, the newest first; how many are not read; each one as he reads it.
type Letters = (Vec<LetterRow>, Vec<LetterRow>, u32, Vec<Letter>);

/// All of it.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    players: Vec<(Player, Secret, Vec<Network>)>,
    servers: Vec<(Server, KeyHash)>,
    boards: Vec<(Board, Vec<Score>)>,
    settings: Vec<Option<KeptSetting>>,
    letters: Vec<Letters>,
    blocks: Vec<Vec<Principal>>,
    /// Of how many senders each was told that their letters were refused.
    refused: Vec<u32>,
    keyed: Vec<Option<Reply>>,
}

fn sorted(mut networks: Vec<Network>) -> Vec<Network> {
    networks.sort_by_key(|seen| seen.network);
    networks
}

fn score(standing: &Standing) -> Score {
    let Standing { player, score, at, server, note, .. } = standing.clone();
    (player, score, at, server, note)
}

/// What there is to look for, from a model that has all of it.
pub struct Wanted<'a> {
    /// All that is kept after the changes so far.
    pub model: &'a Model,
    /// Keys that were used.
    pub keys: &'a [ClientKey],
}

impl Wanted<'_> {
    fn players(&self) -> impl Iterator<Item = PlayerId> {
        self.model.players.keys().copied()
    }

    /// As a database has it.
    pub fn in_store(&self, reader: &dyn Reader) -> State {
        assert_eq!(reader.player_count().unwrap() as usize, self.model.players.len());
        let mut players = reader.players(None, 1000).unwrap();
        players.sort_by_key(|player| player.id);
        let mut servers = reader.servers().unwrap();
        servers.sort_by_key(|server| server.id);
        let key = |server: Server| (server.clone(), reader.server_by_name(&server.name).unwrap().unwrap().1);
        let boards = Memory::load(reader).unwrap();
        let boards = read(&boards.boards);
        let mut boards: Vec<_> = boards
            .iter_after(None)
            .map(|ranking| {
                let slice = ranking.slice(0, usize::MAX);
                (ranking.board.clone(), slice.iter().map(|(_, standing)| score(standing)).collect::<Vec<_>>())
            })
            .collect();
        boards.sort_by_key(|(board, _)| board.id);
        let setting = |(owner, key): &(Principal, String)| reader.setting(*owner, key).unwrap();
        let letters = |player: PlayerId| {
            let received = reader.letters(player, None, 1000).unwrap();
            let sent = reader.letters_sent(player, None, 1000).unwrap();
            let (total, unread) = reader.mailbox(player).unwrap();
            assert_eq!((total as usize, reader.sent_count(player).unwrap() as usize), (received.len(), sent.len()));
            let numbers = received.iter().chain(&sent).map(|row| row.number);
            let each = numbers.map(|number| reader.letter(player, number).unwrap().unwrap()).collect();
            (received, sent, unread, each)
        };
        State {
            players: players
                .into_iter()
                .map(|player| {
                    let hash = reader.player_hash(player.id).unwrap().unwrap().hash;
                    let networks = reader.player_networks(player.id).unwrap();
                    (player, hash, sorted(networks))
                })
                .collect(),
            servers: servers.into_iter().map(key).collect(),
            boards,
            settings: self.model.settings.keys().map(setting).collect(),
            letters: self.players().map(letters).collect(),
            blocks: self
                .players()
                .map(|player| {
                    let mut blocked = reader.blocked(player).unwrap();
                    blocked.sort();
                    blocked
                })
                .collect(),
            refused: self.players().map(|player| reader.refused_count(player, Time::default()).unwrap()).collect(),
            keyed: self.keys.iter().map(|key| crate::work::known(reader, key).unwrap()).collect(),
        }
    }

    /// As it is to be.
    pub fn in_model(&self, replies: &BTreeMap<(Principal, String), ([u8; 32], Reply)>) -> State {
        let model = self.model;
        let letters = |player: PlayerId| {
            let me = Principal::from(player);
            let newest_first = model.letters.iter().rev();
            let row = |kept: &crate::testing::KeptLetter, number| {
                let NewLetter { from, to, subject, at, .. } = kept.letter.clone();
                LetterRow { number, from, to, subject, at, read: kept.read.is_some() }
            };
            let received = newest_first.clone().filter(|kept| kept.is_in_box_of(player));
            let received: Vec<_> = received.map(|kept| row(kept, kept.letter.to_number)).collect();
            let sent = newest_first.filter(|kept| kept.is_in_sent_of(me));
            let sent: Vec<_> = sent.map(|kept| row(kept, kept.letter.from_number)).collect();
            let unread = received.iter().filter(|row| !row.read).count() as u32;
            let numbers = received.iter().chain(&sent).map(|row| row.number);
            let each = numbers.map(|number| model.letter(player, number).unwrap().unwrap()).collect();
            (received, sent, unread, each)
        };
        let conflict = || Reply::from(crate::work::conflict());
        let keyed = |key: &ClientKey| {
            let (digest, reply) = replies.get(&(key.owner, key.key.clone()))?;
            Some(if *digest == key.digest { reply.clone() } else { conflict() })
        };
        State {
            players: model
                .players
                .iter()
                .map(|(id, kept)| (kept.player.clone(), kept.hash.clone(), sorted(model.networks(*id).unwrap())))
                .collect(),
            servers: model.servers.values().cloned().collect(),
            boards: model
                .boards
                .values()
                .map(|board| (board.clone(), model.table(board.id).into_iter().map(score).collect()))
                .collect(),
            settings: model.settings.values().cloned().map(Some).collect(),
            letters: self.players().map(letters).collect(),
            blocks: self.players().map(|player| model.blocked(player).unwrap()).collect(),
            refused: self.players().map(|player| model.refused_count(player, Time::default()).unwrap()).collect(),
            keyed: self.keys.iter().map(keyed).collect(),
        }
    }
}
