//! Boards in memory: who stands where. The database keeps scores, ranks are counted here in O(log n). Changed by the
//! writer thread after a commit, read by the event loop.

use super::pages::behind;
use super::rank_index::RankIndex;
use hashbrown::HashMap;
use ssmglobal_store::{Better, Board, BoardId, PlayerId, Reader, ServerId, Standing};

/// A place and whose it is.
pub type Place = super::rank_index::Place<PlayerId>;

/// The one mapping that turns the order around without an overflow, where higher is better.
fn turned(better: Better, score: i64) -> i64 {
    match better {
        Better::Lower => score,
        Better::Higher => !score,
    }
}

/// A standing's place among others, where so is better.
pub fn place(better: Better, standing: &Standing) -> Place {
    Place { score: turned(better, standing.score), order: standing.order, who: standing.player }
}

/// A place as text for `next` and `prev`; stays right while others submit.
pub fn cursor(place: &Place) -> String {
    format!("{}:{}", place.score, place.order)
}

/// One board with all who stand on it.
#[derive(Debug)]
pub struct Ranking {
    /// What it is.
    pub board: Board,
    places: RankIndex<PlayerId>,
    standings: HashMap<PlayerId, Standing>,
}

impl Ranking {
    fn new(board: Board) -> Ranking {
        Ranking { board, places: RankIndex::default(), standings: HashMap::new() }
    }

    fn load(board: Board, reader: &dyn Reader) -> ssmglobal_store::Result<Ranking> {
        let mut ranking = Ranking::new(board);
        let mut places = Vec::new();
        reader.standings(ranking.board.id, &mut |standing| {
            places.push(ranking.place_of(&standing));
            ranking.standings.insert(standing.player, standing);
        })?;
        places.sort_unstable();
        ranking.places = RankIndex::from_sorted(&places);
        Ok(ranking)
    }

    /// How many stand on it.
    pub fn total(&self) -> u32 {
        u32::try_from(self.standings.len()).unwrap_or(u32::MAX)
    }

    /// What stands for a player.
    pub fn standing(&self, player: PlayerId) -> Option<&Standing> {
        self.standings.get(&player)
    }

    /// Its place among the others.
    pub fn place_of(&self, standing: &Standing) -> Place {
        place(self.board.better, standing)
    }

    /// The rank of a score with this order; 1 is the best.
    pub fn rank(&self, score: i64, order: u64) -> u32 {
        let before = self.places.count_before(turned(self.board.better, score), order);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    /// All places, the best first.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.iter_from(0)
    }

    /// How many stand in front of a place.
    pub fn in_front(&self, place: &Place) -> usize {
        self.places.count_before(place.score, place.order)
    }

    /// The indexes (0 is the first) of a cursor's place and of the one behind it; it need not be on the board.
    pub fn index_of_cursor(&self, text: &str) -> Option<(usize, usize)> {
        let (score, order) = text.split_once(':')?;
        let (score, order) = (score.parse().ok()?, order.parse::<u64>().ok()?);
        // Orders are given once: what is in front of the next order is the place itself.
        Some((self.places.count_before(score, order), self.places.count_before(score, order.saturating_add(1))))
    }

    /// `count` standings from index `from` on (0 is the first), with their places.
    pub fn slice(&self, from: usize, count: usize) -> Vec<(Place, &Standing)> {
        let places = self.places.iter_from(from).take(count);
        places.filter_map(|place| Some((*place, self.standings.get(&place.who)?))).collect()
    }

    fn put(&mut self, standing: Standing) {
        let place = self.place_of(&standing);
        if let Some(old) = self.standings.insert(standing.player, standing) {
            self.places.remove(turned(self.board.better, old.score), old.order);
        }
        self.places.insert(place);
    }

    fn remove(&mut self, player: PlayerId) {
        if let Some(old) = self.standings.remove(&player) {
            self.places.remove(turned(self.board.better, old.score), old.order);
        }
    }
}

/// All boards.
#[derive(Debug, Default)]
pub struct Boards {
    rankings: HashMap<BoardId, Ranking>,
    by_name: std::collections::BTreeMap<String, BoardId>,
}

impl Boards {
    /// Reads all boards and scores.
    ///
    /// # Errors
    /// The store's.
    pub fn load(reader: &dyn Reader) -> ssmglobal_store::Result<Boards> {
        let mut boards = Boards::default();
        for board in reader.boards()? {
            boards.add(Ranking::load(board, reader)?);
        }
        Ok(boards)
    }

    fn add(&mut self, ranking: Ranking) {
        self.by_name.insert(ranking.board.name.to_ascii_lowercase(), ranking.board.id);
        self.rankings.insert(ranking.board.id, ranking);
    }

    /// By name, in any case.
    pub fn find(&self, name: &str) -> Option<&Ranking> {
        let id = match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => self.by_name.get(&name.to_ascii_lowercase()),
            false => self.by_name.get(name),
        };
        id.and_then(|id| self.rankings.get(id))
    }

    /// A board by its number.
    pub fn get(&self, id: BoardId) -> Option<&Ranking> {
        self.rankings.get(&id)
    }

    /// All, by name, behind `after`.
    pub fn iter_after(&self, after: Option<&str>) -> impl Iterator<Item = &Ranking> {
        let after = after.map(str::to_ascii_lowercase);
        self.by_name.range::<str, _>(behind(after.as_deref())).filter_map(|(_, id)| self.rankings.get(id))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rankings.len()
    }

    /// A board is new, or as it is from now on.
    pub fn define(&mut self, board: Board) {
        let Some(ranking) = self.rankings.get_mut(&board.id) else { return self.add(Ranking::new(board)) };
        self.by_name.remove(&ranking.board.name.to_ascii_lowercase());
        self.by_name.insert(board.name.to_ascii_lowercase(), board.id);
        ranking.board = board;
    }

    /// Nothing stands on a board any more.
    pub fn clear(&mut self, board: BoardId) {
        if let Some(ranking) = self.rankings.get_mut(&board) {
            *ranking = Ranking::new(ranking.board.clone());
        }
    }

    /// A board is gone.
    pub fn remove(&mut self, board: BoardId) {
        if let Some(ranking) = self.rankings.remove(&board) {
            self.by_name.remove(&ranking.board.name.to_ascii_lowercase());
        }
    }

    /// A game server is gone: what it has submitted is nobody's.
    pub fn forget_server(&mut self, server: ServerId) {
        let standings = self.rankings.values_mut().flat_map(|ranking| ranking.standings.values_mut());
        standings.filter(|standing| standing.server == Some(server)).for_each(|standing| standing.server = None);
    }

    /// What stands for a player from now on.
    pub fn put(&mut self, board: BoardId, standing: Standing) {
        if let Some(ranking) = self.rankings.get_mut(&board) {
            ranking.put(standing);
        }
    }

    /// Nothing stands for a player any more.
    pub fn withdraw(&mut self, board: BoardId, player: PlayerId) {
        if let Some(ranking) = self.rankings.get_mut(&board) {
            ranking.remove(player);
        }
    }
}
