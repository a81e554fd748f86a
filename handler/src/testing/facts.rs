//! What the model knows, as a decision asks for it. Runs in tests.

use super::model::{KeptLetter, KeptPlayer, Model};
use crate::state::names::Name;
use crate::work::change::Facts;
use ssmglobal_ipc::{Secret, Time};
use ssmglobal_store::{
    Board, BoardId, KeptHash, KeptLicence, KeptProperty, KeptSetting, KeyHash, Letter, Network, NewLetter, Player,
    PlayerId, Principal, PrincipalKind, Result, Sequence, Server, ServerId, Standing, WorldId,
};
use std::net::IpAddr;

impl Facts for Model {
    fn player(&self, id: PlayerId) -> Result<Option<Player>> {
        self.store(self.players.get(&id).map(|kept| kept.player.clone()))
    }

    fn preferences(&self, player: PlayerId) -> Result<Vec<(String, String)>> {
        let his = self.preferences.iter().filter(|((other, _), _)| *other == player);
        self.store(his.map(|((_, name), value)| (name.clone(), value.clone())).collect())
    }

    fn name(&self, who: Principal) -> String {
        match who.kind {
            PrincipalKind::Player => self.players.get(&PlayerId(who.id)).map(|kept| kept.player.name.clone()),
            PrincipalKind::Server => self.servers.get(&ServerId(who.id)).map(|(server, _)| server.name.clone()),
            _ => None,
        }
        .unwrap_or_default()
    }

    fn is_disabled(&self, player: PlayerId) -> Result<bool> {
        self.store(self.players.get(&player).is_some_and(|kept| kept.player.disabled.is_some()))
    }

    fn has_right(&self, player: PlayerId, right: &str) -> bool {
        self.rights.contains(&(player, right.to_owned()))
    }

    fn rights(&self, player: PlayerId) -> Vec<String> {
        self.rights.iter().filter(|(other, _)| *other == player).map(|(_, right)| right.clone()).collect()
    }

    fn universe(&self, key: &str) -> Option<String> {
        self.universe.get(key).cloned()
    }

    fn player_hash(&self, id: PlayerId) -> Result<Option<KeptHash>> {
        let of = |kept: &KeptPlayer| KeptHash { hash: kept.hash.clone(), epoch: kept.player.epoch };
        self.store(self.players.get(&id).map(of))
    }

    fn name_taken(&self, name: &Name, but: Option<ServerId>) -> Result<bool> {
        let player = self.players.values().any(|kept| kept.folded == name.folded || kept.skeleton == name.skeleton);
        let mut others = self.servers.values().filter(|(server, _)| Some(server.id) != but);
        let server = others.any(|(server, _)| Name::of_server(&server.name).is_like(name));
        self.store(player || server)
    }

    fn server_exists(&self, server: ServerId) -> bool {
        self.servers.contains_key(&server)
    }

    fn networks(&self, player: PlayerId) -> Result<Vec<Network>> {
        self.store(self.networks.of(player).to_vec())
    }

    fn networks_before(&self, before: Time, limit: u32) -> Result<Vec<(PlayerId, IpAddr)>> {
        let of = |id: &PlayerId| self.networks.of(*id).iter().map(|seen| (*id, *seen)).collect::<Vec<_>>();
        let mut old: Vec<_> = self.players.keys().flat_map(of).filter(|(_, seen)| seen.at < before).collect();
        old.sort_by_key(|(id, seen)| (seen.at, *id, seen.network.to_string()));
        self.store(old.into_iter().take(limit as usize).map(|(id, seen)| (id, seen.network)).collect())
    }

    fn server_by_name(&self, name: &str) -> Result<Option<(Server, KeyHash)>> {
        self.store(self.servers.values().find(|(server, _)| server.name.eq_ignore_ascii_case(name)).cloned())
    }

    fn board(&self, id: BoardId) -> Option<&Board> {
        self.boards.get(&id)
    }

    fn board_named(&self, name: &str) -> Option<&Board> {
        self.boards.values().find(|board| board.name.eq_ignore_ascii_case(name))
    }

    fn boards(&self) -> usize {
        self.boards.len()
    }

    fn standing(&self, board: BoardId, player: PlayerId) -> Option<&Standing> {
        self.standings.get(&(board, player))
    }

    fn total(&self, board: BoardId) -> u32 {
        self.table(board).len() as u32
    }

    fn rank(&self, board: BoardId, standing: &Standing) -> u32 {
        let mut then = self.clone();
        then.standings.insert((board, standing.player), standing.clone());
        let index = then.table(board).iter().position(|other| other.player == standing.player);
        index.expect("it was put there") as u32 + 1
    }

    fn setting(&self, owner: Principal, key: &str) -> Result<Option<KeptSetting>> {
        self.store(self.settings.get(&(owner, key.to_owned())).cloned())
    }

    fn setting_count(&self, owner: Principal) -> Result<u32> {
        let mine = self.settings.iter().filter(|((other, _), setting)| *other == owner && setting.value.is_some());
        self.store(mine.count() as u32)
    }

    fn property(&self, holder: Principal, name: &str) -> Result<Option<KeptProperty>> {
        self.store(self.properties.get(&(holder, name.to_owned())).cloned())
    }

    fn properties(&self, holder: Principal) -> Result<Vec<(String, KeptProperty)>> {
        let his = self.properties.iter().filter(|((other, _), it)| *other == holder && it.value.is_some());
        self.store(his.map(|((_, name), property)| (name.clone(), property.clone())).collect())
    }

    fn property_count(&self, holder: Principal) -> Result<u32> {
        self.properties(holder).map(|his| his.len() as u32)
    }

    fn mailbox(&self, player: PlayerId) -> Result<(u32, u32)> {
        let mine: Vec<_> = self.letters.iter().filter(|kept| kept.is_in_box_of(player)).collect();
        let unread = mine.iter().filter(|kept| kept.read.is_none()).count();
        self.store((mine.len() as u32, unread as u32))
    }

    fn sent_count(&self, player: PlayerId) -> Result<u32> {
        self.store(self.letters.iter().filter(|kept| kept.is_in_sent_of(player.into())).count() as u32)
    }

    fn letter(&self, player: PlayerId, number: u64) -> Result<Option<Letter>> {
        let mine = |kept: &&KeptLetter| {
            kept.is_in_box_of(player) && kept.letter.to_number == number
                || kept.is_in_sent_of(player.into()) && kept.letter.from_number == number
        };
        self.store(self.letters.iter().find(mine).map(|kept| {
            let NewLetter { from, to, subject, body, at, .. } = kept.letter.clone();
            Letter { number, from, to, subject, body, at }
        }))
    }

    fn refused(&self, player: PlayerId, from: Principal) -> Result<Option<Time>> {
        self.store(self.refused.get(&(player, from)).copied())
    }

    fn refused_count(&self, player: PlayerId, since: Time) -> Result<u32> {
        let his = self.refused.iter().filter(|((other, _), at)| *other == player && **at >= since);
        self.store(his.count() as u32)
    }

    fn blocks(&self, player: PlayerId, from: Principal) -> Result<bool> {
        self.store(self.blocks.contains(&(player, from)))
    }

    fn blocked(&self, player: PlayerId) -> Result<Vec<Principal>> {
        self.store(self.blocks.iter().filter(|(other, _)| *other == player).map(|(_, from)| *from).collect())
    }

    fn licence(&self, id: WorldId) -> Result<Option<KeptLicence>> {
        self.store(self.licences.get(&id).cloned())
    }

    fn played(&self, world: WorldId) -> Result<Vec<(String, Secret)>> {
        let his = self.played.iter().filter(|((other, _), _)| *other == world);
        self.store(his.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn licences_like(&self, name: &Name) -> Result<Vec<KeptLicence>> {
        let like = |it: &&KeptLicence| it.folded == name.folded || it.skeleton == name.skeleton;
        self.store(self.licences.values().rev().filter(like).cloned().collect())
    }

    fn licences_gone(&self, before: Time, limit: u32) -> Result<Vec<WorldId>> {
        let mut gone: Vec<(Time, WorldId)> = self
            .licences
            .values()
            .filter_map(|it| it.gone.filter(|gone| *gone < before).map(|at| (at, it.id)))
            .collect();
        gone.sort();
        self.store(gone.into_iter().take(limit as usize).map(|(_, id)| id).collect())
    }

    fn next_number(&mut self, sequence: Sequence) -> Result<u64> {
        self.store(())?;
        self.asked += 1;
        let last = self.sequences.entry(sequence).or_default();
        *last += 1;
        Ok(*last)
    }
}
