//! Boards in memory: who stands where. The database keeps scores, ranks are counted here in O(log n). Changed by the
//! writer thread after a commit, read by the event loop.

use crate::places::Places;
use crate::server::behind;
use hashbrown::HashMap;
use ssmglobal_ipc::{Better, Operator};
use ssmglobal_store::{Board, BoardId, PlayerId, Reader, Standing, Tx};

/// A place and whose it is.
pub type Place = crate::places::Place<PlayerId>;

/// The one mapping that turns the order around without an overflow, where higher is better.
fn turned(better: Better, score: i64) -> i64 {
    match better {
        Better::Lower => score,
        Better::Higher => !score,
    }
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
    places: Places<PlayerId>,
    standings: HashMap<PlayerId, Standing>,
}

impl Ranking {
    fn new(board: Board) -> Ranking {
        Ranking { board, places: Places::default(), standings: HashMap::new() }
    }

    fn load(board: Board, reader: &dyn Reader) -> ssmglobal_store::Result<Ranking> {
        let mut ranking = Ranking::new(board);
        let mut places = Vec::new();
        reader.standings(ranking.board.id, &mut |standing| {
            let (score, order, who) = (turned(ranking.board.better, standing.score), standing.order, standing.player);
            places.push(Place { score, order, who });
            ranking.standings.insert(standing.player, standing);
        })?;
        places.sort_unstable();
        ranking.places = Places::from_sorted(&places);
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

    fn place_of(&self, standing: &Standing) -> Place {
        Place { score: turned(self.board.better, standing.score), order: standing.order, who: standing.player }
    }

    /// The rank of a score with this order; 1 is the best.
    pub fn rank(&self, score: i64, order: u64) -> u32 {
        let before = self.places.count_before(turned(self.board.better, score), order);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    /// Who is first.
    pub fn first(&self) -> Option<&Standing> {
        self.places.first().and_then(|place| self.standings.get(&place.who))
    }

    fn leader(&self) -> Option<(PlayerId, u64)> {
        self.places.first().map(|place| (place.who, place.order))
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

    /// By number.
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

    /// Takes over what a transaction has committed. `firsts` gets each board that a submit gave a new first place,
    /// with who was first before.
    pub fn apply(&mut self, changes: &mut Changes, firsts: &mut Vec<(BoardId, Option<PlayerId>)>) {
        for change in changes.list.drain(..) {
            match change {
                Change::Board(board) => match self.rankings.get_mut(&board.id) {
                    Some(ranking) => ranking.board = board,
                    None => self.add(Ranking::new(board)),
                },
                Change::Put(board, standing) => {
                    if let Some(ranking) = self.rankings.get_mut(&board) {
                        let before = ranking.leader();
                        ranking.put(standing);
                        // Also when the leader has fallen back behind another.
                        // Once for each board, however often it has changed hands meanwhile.
                        if before != ranking.leader() && !firsts.iter().any(|(other, _)| *other == board) {
                            firsts.push((board, before.map(|(player, _)| player)));
                        }
                    }
                }
                Change::Remove(board, player) => {
                    if let Some(ranking) = self.rankings.get_mut(&board) {
                        ranking.remove(player);
                    }
                }
            }
        }
        changes.latest.clear();
    }
}

#[derive(Debug)]
enum Change {
    Board(Board),
    Put(BoardId, Standing),
    Remove(BoardId, PlayerId),
}

/// What the running transaction has changed and memory does not show yet.
#[derive(Debug, Default)]
pub struct Changes {
    list: Vec<Change>,
    latest: HashMap<(BoardId, PlayerId), Option<Standing>>,
}

impl Changes {
    /// The transaction was given up.
    pub fn clear(&mut self) {
        self.list.clear();
        self.latest.clear();
    }

    /// A board was added or changed.
    pub fn board(&mut self, board: Board) {
        self.list.push(Change::Board(board));
    }

    /// What stands for a player as this transaction sees it.
    pub fn standing(&self, boards: &Boards, board: BoardId, player: PlayerId) -> Option<Standing> {
        boards.get(board).and_then(|ranking| self.standing_on(ranking, player)).cloned()
    }

    /// As [`Changes::standing`], where the ranking is at hand.
    pub fn standing_on<'a>(&'a self, ranking: &'a Ranking, player: PlayerId) -> Option<&'a Standing> {
        match self.latest.get(&(ranking.board.id, player)) {
            Some(latest) => latest.as_ref(),
            None => ranking.standing(player),
        }
    }

    /// Submits a score; gives whether it changed what counts. `standing.score` is what was submitted.
    ///
    /// # Errors
    /// The store's. A sum that leaves 64 bits stays at the edge.
    pub fn submit(
        &mut self,
        tx: &mut dyn Tx,
        ranking: &Ranking,
        mut standing: Standing,
    ) -> ssmglobal_store::Result<bool> {
        let board = &ranking.board;
        let before = self.standing_on(ranking, standing.player).map(|old| old.score);
        let score = match (board.operator, before) {
            (Operator::Best, Some(old)) => {
                let better = match board.better {
                    Better::Lower => standing.score < old,
                    Better::Higher => standing.score > old,
                };
                if !better {
                    return Ok(false);
                }
                standing.score
            }
            (Operator::Best | Operator::Last, _) => standing.score,
            (Operator::Sum, before) => before.unwrap_or(0).saturating_add(standing.score),
            (Operator::Count, before) => before.unwrap_or(0).saturating_add(1),
        };
        if before == Some(score) {
            // The same again does not lose its place among equals.
            return Ok(false);
        }
        standing.score = score;
        tx.record_put(board.id, &standing)?;
        self.latest.insert((board.id, standing.player), Some(standing.clone()));
        self.list.push(Change::Put(board.id, standing));
        Ok(true)
    }

    /// Whether this transaction has changed anything on a board.
    pub fn has_touched(&self, board: BoardId) -> bool {
        self.latest.keys().any(|(other, _)| *other == board)
    }

    /// Takes a player's score away.
    pub fn remove(&mut self, board: BoardId, player: PlayerId) {
        self.latest.insert((board, player), None);
        self.list.push(Change::Remove(board, player));
    }
}

#[cfg(test)]
mod tests;
