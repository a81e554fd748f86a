//! The facts of a decision, from the open transaction, from memory, and from what the batch has changed so far. Runs in the writer
//! thread.

use super::change::Facts;
use crate::lock::read;
use crate::state::Overlay;
use crate::state::boards::Boards;
use crate::state::memory::Memory;
use crate::state::names::Name;
use ssmglobal_ipc::{Secret, Time};
use ssmglobal_store::{
    Board, BoardId, KeptHash, KeptLicence, KeptProperty, KeptSetting, KeyHash, Letter, Network, Player, PlayerId,
    Principal, Result, Sequence, Server, ServerId, Standing, Tx, WorldId,
};
use std::net::IpAddr;

/// Facts of one batch.
pub struct OpenFacts<'a> {
    /// The open transaction.
    pub tx: &'a mut dyn Tx,
    /// What is in memory besides boards.
    pub memory: &'a Memory,
    /// Boards as committed.
    pub boards: &'a Boards,
    /// Boards as this transaction has changed them.
    pub overlay: &'a Overlay,
}

impl Facts for OpenFacts<'_> {
    fn player(&self, id: PlayerId) -> Result<Option<Player>> {
        self.tx.player(id)
    }

    fn preferences(&self, player: PlayerId) -> Result<Vec<(String, String)>> {
        self.tx.preferences(player)
    }

    fn name(&self, who: Principal) -> String {
        match who.as_server().and_then(|server| self.overlay.server(server)) {
            Some(changed) => changed.unwrap_or_default().to_owned(),
            None => self.memory.name(who).unwrap_or_default(),
        }
    }

    fn is_disabled(&self, player: PlayerId) -> Result<bool> {
        Ok(self.overlay.disabled(player).unwrap_or_else(|| self.memory.is_barred(player.into())))
    }

    fn has_right(&self, player: PlayerId, right: &str) -> bool {
        self.overlay.right(player, right).unwrap_or_else(|| self.memory.has_right(player, right))
    }

    fn rights(&self, player: PlayerId) -> Vec<String> {
        self.overlay.rights(player, self.memory.rights_of(player))
    }

    fn universe(&self, key: &str) -> Option<String> {
        match self.overlay.universe(key) {
            Some(set) => set.map(str::to_owned),
            None => read(&self.memory.universe).kept(key).map(str::to_owned),
        }
    }

    fn player_hash(&self, id: PlayerId) -> Result<Option<KeptHash>> {
        self.tx.player_hash(id)
    }

    fn name_taken(&self, name: &Name, but: Option<ServerId>) -> Result<bool> {
        if self.tx.player_name_taken(&name.folded, &name.skeleton)? {
            return Ok(true);
        }
        // The operator makes them one by one: they are few.
        let servers = self.tx.servers()?;
        let mut others = servers.iter().filter(|server| Some(server.id) != but);
        Ok(others.any(|server| Name::of_server(&server.name).is_like(name)))
    }

    fn server_exists(&self, server: ServerId) -> bool {
        let changed = self.overlay.server(server).map(|name| name.is_some());
        changed.unwrap_or_else(|| read(&self.memory.servers).contains_key(&server))
    }

    fn networks(&self, player: PlayerId) -> Result<Vec<Network>> {
        self.tx.player_networks(player)
    }

    fn networks_before(&self, before: Time, limit: u32) -> Result<Vec<(PlayerId, IpAddr)>> {
        self.tx.networks_before(before, limit)
    }

    fn server_by_name(&self, name: &str) -> Result<Option<(Server, KeyHash)>> {
        self.tx.server_by_name(name)
    }

    fn board(&self, id: BoardId) -> Option<&Board> {
        match self.overlay.board_of(id) {
            Some(changed) => changed,
            None => self.boards.get(id).map(|ranking| &ranking.board),
        }
    }

    fn board_named(&self, name: &str) -> Option<&Board> {
        let committed = self.boards.find(name).map(|ranking| &ranking.board);
        let unchanged = committed.filter(|board| self.overlay.board_of(board.id).is_none());
        self.overlay.board_named(name).or(unchanged)
    }

    fn boards(&self) -> usize {
        self.boards.len() + self.overlay.new_boards(self.boards) - self.overlay.boards_gone(self.boards)
    }

    fn standing(&self, board: BoardId, player: PlayerId) -> Option<&Standing> {
        self.overlay.standing(self.boards.get(board)?, player)
    }

    fn total(&self, board: BoardId) -> u32 {
        self.boards.get(board).map_or(0, |ranking| self.overlay.total(ranking))
    }

    fn rank(&self, board: BoardId, standing: &Standing) -> u32 {
        self.boards.get(board).map_or(1, |ranking| self.overlay.rank(ranking, standing))
    }

    fn setting(&self, owner: Principal, key: &str) -> Result<Option<KeptSetting>> {
        self.tx.setting(owner, key)
    }

    fn setting_count(&self, owner: Principal) -> Result<u32> {
        self.tx.setting_count(owner)
    }

    fn property(&self, holder: Principal, name: &str) -> Result<Option<KeptProperty>> {
        self.tx.property(holder, name)
    }

    fn properties(&self, holder: Principal) -> Result<Vec<(String, KeptProperty)>> {
        self.tx.properties(holder)
    }

    fn property_count(&self, holder: Principal) -> Result<u32> {
        self.tx.property_count(holder)
    }

    fn mailbox(&self, player: PlayerId) -> Result<(u32, u32)> {
        self.tx.mailbox(player)
    }

    fn sent_count(&self, player: PlayerId) -> Result<u32> {
        self.tx.sent_count(player)
    }

    fn letter(&self, player: PlayerId, number: u64) -> Result<Option<Letter>> {
        self.tx.letter(player, number)
    }

    fn refused(&self, player: PlayerId, from: Principal) -> Result<Option<Time>> {
        self.tx.refused(player, from)
    }

    fn refused_count(&self, player: PlayerId, since: Time) -> Result<u32> {
        self.tx.refused_count(player, since)
    }

    fn blocks(&self, player: PlayerId, from: Principal) -> Result<bool> {
        self.tx.blocks(player, from)
    }

    fn blocked(&self, player: PlayerId) -> Result<Vec<Principal>> {
        self.tx.blocked(player)
    }

    fn licence(&self, id: WorldId) -> Result<Option<KeptLicence>> {
        self.tx.licence(id)
    }

    fn played(&self, world: WorldId) -> Result<Vec<(String, Secret)>> {
        self.tx.played_of(world)
    }

    fn licences_like(&self, name: &Name) -> Result<Vec<KeptLicence>> {
        self.tx.licences_like(&name.folded, &name.skeleton)
    }

    fn licences_gone(&self, before: Time, limit: u32) -> Result<Vec<WorldId>> {
        self.tx.licences_gone(before, limit)
    }

    fn next_number(&mut self, sequence: Sequence) -> Result<u64> {
        self.tx.next_number(sequence)
    }
}
