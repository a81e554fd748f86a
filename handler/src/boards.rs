//! Boards in memory: who stands where. The database keeps scores, ranks are counted here in O(log n). Changed by the
//! writer thread after a commit, read by the event loop.

use hashbrown::HashMap;
use indexset::BTreeSet;
use ssmglobal_ipc::{Better, Operator};
use ssmglobal_store::{Board, BoardId, PlayerId, Reader, Standing, Tx};

/// Where a score stands among others: smaller is better. Ties go to the earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    score: i64,
    order: u64,
    player: PlayerId,
}

impl Place {
    fn new(better: Better, score: i64, order: u64, player: PlayerId) -> Place {
        let score = match better {
            Better::Lower => score,
            // The one mapping that turns the order around without an overflow.
            Better::Higher => !score,
        };
        Place { score, order, player }
    }

    /// As text for `next` and `prev`; stays right while others submit.
    pub fn cursor(self) -> String {
        format!("{}:{}", self.score, self.order)
    }

    /// The place right behind this one: orders are given once.
    pub fn behind(self) -> Place {
        Place { order: self.order.saturating_add(1), player: PlayerId(0), ..self }
    }

    /// Reads a cursor back.
    pub fn from_cursor(text: &str) -> Option<Place> {
        let (score, order) = text.split_once(':')?;
        Some(Place { score: score.parse().ok()?, order: order.parse().ok()?, player: PlayerId(0) })
    }
}

/// One board with all who stand on it.
#[derive(Debug)]
pub struct Ranking {
    /// What it is.
    pub board: Board,
    places: BTreeSet<Place>,
    standings: HashMap<PlayerId, Standing>,
}

impl Ranking {
    fn new(board: Board) -> Ranking {
        Ranking { board, places: BTreeSet::new(), standings: HashMap::new() }
    }

    fn load(board: Board, reader: &dyn Reader) -> ssmglobal_store::Result<Ranking> {
        let mut ranking = Ranking::new(board);
        let mut places = Vec::new();
        reader.standings(ranking.board.id, &mut |standing| {
            places.push(Place::new(ranking.board.better, standing.score, standing.order, standing.player));
            ranking.standings.insert(standing.player, standing);
        })?;
        places.sort_unstable();
        ranking.places = places.into_iter().collect();
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
        Place::new(self.board.better, standing.score, standing.order, standing.player)
    }

    /// A standing's rank; 1 is the best.
    pub fn rank(&self, standing: &Standing) -> u32 {
        u32::try_from(self.places.rank(&self.place_of(standing)) + 1).unwrap_or(u32::MAX)
    }

    /// Who is first.
    pub fn first(&self) -> Option<&Standing> {
        self.places.get_index(0).and_then(|place| self.standings.get(&place.player))
    }

    /// How many places are in front of this one; it need not be on the board.
    pub fn count_before(&self, place: &Place) -> usize {
        self.places.rank(place)
    }

    /// `count` standings from index `from` on (0 is the first), with their places.
    pub fn slice(&self, from: usize, count: usize) -> Vec<(Place, &Standing)> {
        (from..from.saturating_add(count))
            .map_while(|index| self.places.get_index(index))
            .filter_map(|place| Some((*place, self.standings.get(&place.player)?)))
            .collect()
    }

    fn put(&mut self, standing: Standing) {
        self.remove(standing.player);
        self.places.insert(self.place_of(&standing));
        self.standings.insert(standing.player, standing);
    }

    fn remove(&mut self, player: PlayerId) {
        if let Some(old) = self.standings.remove(&player) {
            self.places.remove(&self.place_of(&old));
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
        let from = after.as_deref().map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.by_name.range::<str, _>((from, std::ops::Bound::Unbounded)).filter_map(|(_, id)| self.rankings.get(id))
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
                        let before = ranking.first().map(|first| (first.player, first.score));
                        let now = Some((standing.player, standing.score));
                        ranking.put(standing);
                        if before != now && ranking.first().map(|first| (first.player, first.score)) == now {
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

    fn standing_on<'a>(&'a self, ranking: &'a Ranking, player: PlayerId) -> Option<&'a Standing> {
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
        let before = self.standing_on(ranking, standing.player).map(|old| (old.score, old.order));
        let score = match (board.operator, before) {
            (Operator::Best, Some((old, _))) => {
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
            (Operator::Sum, before) => before.map_or(0, |(old, _)| old).saturating_add(standing.score),
            (Operator::Count, before) => before.map_or(0, |(old, _)| old).saturating_add(1),
        };
        if board.operator == Operator::Last && before.is_some_and(|(old, _)| old == score) {
            // The same score again does not lose its place among equals.
            return Ok(false);
        }
        standing.score = score;
        tx.record_put(board.id, &standing)?;
        self.latest.insert((board.id, standing.player), Some(standing.clone()));
        self.list.push(Change::Put(board.id, standing));
        Ok(true)
    }

    /// Takes a player's score away.
    pub fn remove(&mut self, board: BoardId, player: PlayerId) {
        self.latest.insert((board, player), None);
        self.list.push(Change::Remove(board, player));
    }
}
