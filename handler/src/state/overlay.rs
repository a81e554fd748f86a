//! What the running transaction has changed of the boards, of who is disabled, of rights and of the universe's settings, and memory does
//! not show yet: decisions see both. Used by the writer; pure.

use super::boards::{self, Boards, Place, Ranking};
use super::rank_index::RankIndex;
use hashbrown::{HashMap, HashSet};
use ssmglobal_store::{Board, BoardId, PlayerId, Row, ServerId, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// All of it.
#[derive(Debug, Default)]
pub struct Overlay {
    standings: HashMap<(BoardId, PlayerId), Option<Standing>>,
    touched: HashMap<BoardId, Touched>,
    /// Boards as they were defined, in that order; nothing for one that is gone.
    defined: Vec<(BoardId, Option<Board>)>,
    /// Boards of which nothing that memory has stands any more.
    cleared: HashSet<BoardId>,
    /// Names of game servers that are new or called otherwise; nothing for one that is gone.
    servers: HashMap<ServerId, Option<String>>,
    /// Players who were disabled, or are not any more.
    disabled: HashMap<PlayerId, bool>,
    /// Rights that players were granted, or that were revoked.
    rights: HashMap<PlayerId, BTreeMap<String, bool>>,
    /// Settings of the universe, and what they were set to.
    universe: HashMap<String, Option<String>>,
}

/// One board with changed places.
#[derive(Debug, Default)]
struct Touched {
    /// Places that are new.
    added: RankIndex<PlayerId>,
    /// Committed places that are gone.
    removed: RankIndex<PlayerId>,
    /// Who is first now.
    leader: Option<Place>,
    /// The first place as it was before a score of this transaction has changed that.
    before: Option<Option<Place>>,
}

fn key(place: &Place) -> (i64, u64) {
    (place.score, place.order)
}

impl Touched {
    /// A place is not there any more.
    fn take(&mut self, ranking: &Ranking, place: Place) {
        if !self.added.remove(place.score, place.order) {
            self.removed.insert(place);
        }
        if self.leader == Some(place) {
            let committed = ranking.places().find(|place| !self.removed.contains(place.score, place.order));
            let added = self.added.iter_from(0).next();
            self.leader = added.into_iter().chain(committed).min_by_key(|place| key(place)).copied();
        }
    }

    fn put(&mut self, ranking: &Ranking, old: Option<Place>, new: Place) {
        let before = self.leader;
        if let Some(old) = old {
            self.take(ranking, old);
        }
        self.added.insert(new);
        if self.leader.is_none_or(|leader| key(&new) < key(&leader)) {
            self.leader = Some(new);
        }
        // Also when the leader has fallen back behind another.
        if self.leader != before {
            // Once for each board, however often it changes hands meanwhile.
            self.before.get_or_insert(before);
        }
    }
}

impl Overlay {
    /// The transaction is over.
    pub fn clear(&mut self) {
        self.standings.clear();
        self.touched.clear();
        self.defined.clear();
        self.cleared.clear();
        self.servers.clear();
        self.disabled.clear();
        self.rights.clear();
        self.universe.clear();
    }

    /// Takes note of a row that was written.
    pub fn note(&mut self, boards: &Boards, row: &Row) {
        match row {
            Row::Board(board) => self.define(board.id, Some(board.clone())),
            Row::BoardCleared { board } => self.clear_board(boards, *board),
            Row::BoardGone { board } => {
                self.clear_board(boards, *board);
                self.define(*board, None);
            }
            Row::Server(server) => drop(self.servers.insert(server.id, Some(server.name.clone()))),
            Row::ServerNamed { server, name } => drop(self.servers.insert(*server, Some(name.clone()))),
            Row::ServerGone { server } => drop(self.servers.insert(*server, None)),
            Row::Standing { board, standing } => {
                let Some(ranking) = boards.get(*board) else { return };
                let old = self.standing(ranking, standing.player).map(|old| self.place_of(ranking, old));
                let new = self.place_of(ranking, standing);
                self.touched(ranking).put(ranking, old, new);
                self.standings.insert((*board, standing.player), Some(standing.clone()));
            }
            Row::Withdrawn { board, was, .. } => {
                let Some(ranking) = boards.get(*board) else { return };
                let place = self.place_of(ranking, was);
                self.touched(ranking).take(ranking, place);
                self.standings.insert((*board, was.player), None);
            }
            Row::PlayerDisabled { player, reason } => drop(self.disabled.insert(*player, reason.is_some())),
            Row::Granted { player, right } => self.note_right(*player, right, true),
            Row::Revoked { player, right } => self.note_right(*player, right, false),
            Row::Universe { key, value } => drop(self.universe.insert(key.clone(), value.clone())),
            Row::Player(_)
            | Row::PlayerHash { .. }
            | Row::PlayerLogin { .. }
            | Row::PlayerRating { .. }
            | Row::Preference { .. }
            | Row::PlayerSeen { .. }
            | Row::PlayerUnseen { .. }
            | Row::Epoch { .. }
            | Row::ServerKey { .. }
            | Row::ServerAuthed { .. }
            | Row::ServerDisabled { .. }
            | Row::ServerAllowed { .. }
            | Row::Setting { .. }
            | Row::Property { .. }
            | Row::Letter(_)
            | Row::LetterRead { .. }
            | Row::LetterGone { .. }
            | Row::LetterRefused { .. }
            | Row::Blocked { .. }
            | Row::Unblocked { .. }
            | Row::Keyed { .. }
            | Row::Licence(_)
            | Row::WorldPlayed { .. }
            | Row::WorldStarted { .. }
            | Row::WorldStopped { .. }
            | Row::LicenceGone { .. }
            | Row::WorldPurged { .. }
            | Row::PlayerLimit { .. }
            | Row::PlayerLasted { .. }
            | Row::RelayMark { .. } => {}
        }
    }

    fn define(&mut self, id: BoardId, board: Option<Board>) {
        self.defined.retain(|(other, _)| *other != id);
        self.defined.push((id, board));
    }

    /// Nothing stands on a board any more, and a new first place follows nobody.
    fn clear_board(&mut self, boards: &Boards, id: BoardId) {
        let Some(ranking) = boards.get(id) else { return };
        self.standings.retain(|(board, _), _| *board != id);
        self.cleared.insert(id);
        let places: Vec<Place> = ranking.places().copied().collect();
        self.touched.insert(id, Touched { removed: RankIndex::from_sorted(&places), ..Touched::default() });
    }

    fn note_right(&mut self, player: PlayerId, right: &str, has: bool) {
        self.rights.entry(player).or_default().insert(right.to_owned(), has);
    }

    fn touched(&mut self, ranking: &Ranking) -> &mut Touched {
        self.touched
            .entry(ranking.board.id)
            .or_insert_with(|| Touched { leader: ranking.places().next().copied(), ..Touched::default() })
    }

    /// A board as this transaction has it.
    fn board<'a>(&'a self, ranking: &'a Ranking) -> &'a Board {
        self.board_of(ranking.board.id).flatten().unwrap_or(&ranking.board)
    }

    /// A standing's place. What is better may have been turned around when nothing stood on the board: then all
    /// committed places are gone, and how they compare with others does not count.
    fn place_of(&self, ranking: &Ranking, standing: &Standing) -> Place {
        boards::place(self.board(ranking).better, standing)
    }

    /// What stands for a player.
    pub fn standing<'a>(&'a self, ranking: &'a Ranking, player: PlayerId) -> Option<&'a Standing> {
        match self.standings.get(&(ranking.board.id, player)) {
            Some(latest) => latest.as_ref(),
            None if self.cleared.contains(&ranking.board.id) => None,
            None => ranking.standing(player),
        }
    }

    /// How many stand on a board.
    pub fn total(&self, ranking: &Ranking) -> u32 {
        let (added, removed) =
            self.touched.get(&ranking.board.id).map_or((0, 0), |it| (it.added.len(), it.removed.len()));
        u32::try_from(ranking.total() as usize + added - removed).unwrap_or(u32::MAX)
    }

    /// The rank that a standing has once it is there, in place of what stands for that player now; 1 is the best.
    pub fn rank(&self, ranking: &Ranking, standing: &Standing) -> u32 {
        let place = self.place_of(ranking, standing);
        let mut before = ranking.in_front(&place);
        if let Some(touched) = self.touched.get(&ranking.board.id) {
            before = before + touched.added.count_before(place.score, place.order)
                - touched.removed.count_before(place.score, place.order);
        }
        let now = self.standing(ranking, standing.player).map(|now| self.place_of(ranking, now));
        let own = now.is_some_and(|now| key(&now) < key(&place));
        u32::try_from(before + 1 - usize::from(own)).unwrap_or(u32::MAX)
    }

    /// A board, where this transaction has changed it; nothing in place of one that is gone.
    pub fn board_of(&self, id: BoardId) -> Option<Option<&Board>> {
        self.defined.iter().find(|(other, _)| *other == id).map(|(_, board)| board.as_ref())
    }

    /// A board that this transaction has defined, by name in any case.
    pub fn board_named(&self, name: &str) -> Option<&Board> {
        let mut boards = self.defined.iter().filter_map(|(_, board)| board.as_ref());
        boards.find(|board| board.name.eq_ignore_ascii_case(name))
    }

    /// The name of a game server, where this transaction has changed it; nothing in place of one that is gone.
    pub fn server(&self, id: ServerId) -> Option<Option<&str>> {
        self.servers.get(&id).map(Option::as_deref)
    }

    /// Whether a player is disabled, where this transaction has changed that.
    pub fn disabled(&self, player: PlayerId) -> Option<bool> {
        self.disabled.get(&player).copied()
    }

    /// Whether a player has a right, where this transaction has changed that.
    pub fn right(&self, player: PlayerId, right: &str) -> Option<bool> {
        self.rights.get(&player)?.get(right).copied()
    }

    /// A player's rights by name, who had these before.
    pub fn rights(&self, player: PlayerId, before: Vec<String>) -> Vec<String> {
        let mut rights: BTreeSet<String> = before.into_iter().collect();
        for (right, has) in self.rights.get(&player).into_iter().flatten() {
            match has {
                true => rights.insert(right.clone()),
                false => rights.remove(right),
            };
        }
        rights.into_iter().collect()
    }

    /// What a setting of the universe is set to, where this transaction has changed that.
    pub fn universe(&self, key: &str) -> Option<Option<&str>> {
        self.universe.get(key).map(Option::as_deref)
    }

    /// How many boards are new.
    pub fn new_boards(&self, boards: &Boards) -> usize {
        self.defined.iter().filter(|(id, board)| board.is_some() && boards.get(*id).is_none()).count()
    }

    /// How many boards that memory has are gone.
    pub fn boards_gone(&self, boards: &Boards) -> usize {
        self.defined.iter().filter(|(id, board)| board.is_none() && boards.get(*id).is_some()).count()
    }

    /// Boards that a score has given a new first place: who is first, and who was before. Not those whose new first
    /// place was given up again.
    pub fn firsts<'a>(
        &'a self,
        boards: &'a Boards,
    ) -> impl Iterator<Item = (&'a Board, &'a Standing, Option<PlayerId>)> {
        self.touched.iter().filter_map(|(board, touched)| {
            let (before, ranking) = (touched.before?, boards.get(*board)?);
            let leader = touched.leader.filter(|leader| before != Some(*leader))?;
            Some((self.board(ranking), self.standing(ranking, leader.who)?, before.map(|place| place.who)))
        })
    }
}

#[cfg(test)]
mod tests;
