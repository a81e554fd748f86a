//! What worlds have told of themselves by MSSP, as workers that play there have said: a crawler is told it also while the world is
//! down. Lives in the event loop; pure, the clock comes from outside.

use super::plays::WorldKey;
use hashbrown::HashMap;
use ssmglobal_ipc::{MSSP_BYTES, MSSP_VARIABLES, MsspVariable, Time, clean};
use std::time::{Duration, Instant};

/// Worlds of which a table is kept; one more takes the place of the one that was told first.
const WORLDS: usize = 256;

/// For so long a world's own number of players is taken for true, corrected by those who have come and gone by us since.
const FRESH: Duration = Duration::from_secs(3600);

/// The name by which a world tells how many are there.
pub const PLAYERS: &str = "PLAYERS";

/// A world's table.
#[derive(Clone, Debug)]
struct Told {
    variables: Vec<MsspVariable>,
    /// How many have played it by us when it was told.
    ours: usize,
    at: Instant,
}

/// All that is known.
#[derive(Debug, Default)]
pub struct Mssp {
    /// When this run of the backend has begun, whatever has died since.
    pub began: Time,
    worlds: HashMap<WorldKey, Told>,
}

impl Mssp {
    /// A world has told this of itself, while so many have played it by us.
    pub fn tell(&mut self, world: WorldKey, variables: Vec<MsspVariable>, ours: usize, now: Instant) {
        if self.worlds.len() >= WORLDS
            && !self.worlds.contains_key(&world)
            && let Some(first) = self.worlds.iter().min_by_key(|(_, told)| told.at).map(|(key, _)| key.clone())
        {
            self.worlds.remove(&first);
        }
        self.worlds.insert(world, Told { variables: bounded(variables), ours, at: now });
    }

    /// What a world has told of itself; nothing if it has told nothing.
    pub fn of(&self, world: &str) -> &[MsspVariable] {
        self.worlds.get(world).map_or(&[], |told| &told.variables)
    }

    /// How many are in a world by its own word, of which so many play it by us now. Nothing if its word is too old, or there is none.
    pub fn players(&self, world: &str, ours: usize, now: Instant) -> Option<usize> {
        let told = self.worlds.get(world).filter(|told| now.saturating_duration_since(told.at) < FRESH)?;
        let said = told.variables.iter().find(|variable| variable.name == PLAYERS)?;
        let said: usize = said.values.first()?.trim().parse().ok()?;
        Some(said.saturating_add(ours).saturating_sub(told.ours))
    }
}

/// As much of a table as is kept, with names in capitals, each once, and without signs that a terminal might act on.
fn bounded(variables: Vec<MsspVariable>) -> Vec<MsspVariable> {
    let mut kept: Vec<MsspVariable> = Vec::new();
    let mut left = MSSP_BYTES;
    let mut takes = |text: &str| match left.checked_sub(text.len() + 1) {
        Some(less) => {
            left = less;
            true
        }
        None => false,
    };
    for MsspVariable { name, values } in variables.into_iter().take(MSSP_VARIABLES) {
        let name = clean(&name).to_ascii_uppercase();
        if name.is_empty() || kept.iter().any(|other| other.name == name) || !takes(&name) {
            continue;
        }
        let values = values.iter().map(|value| clean(value).into_owned());
        let values: Vec<String> = values.take_while(|value| takes(value)).collect();
        if !values.is_empty() {
            kept.push(MsspVariable { name, values });
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, values: &[&str]) -> MsspVariable {
        MsspVariable { name: name.into(), values: values.iter().map(|value| (*value).to_owned()).collect() }
    }

    fn key(name: &str) -> WorldKey {
        name.into()
    }

    #[test]
    fn a_table_is_kept_until_there_is_another() {
        let (mut mssp, now) = (Mssp::default(), Instant::now());
        assert_eq!(mssp.of("zoo"), []);
        mssp.tell(key("zoo"), vec![variable("Genre", &["Fantasy"]), variable("GENRE", &["Horror"])], 0, now);
        assert_eq!(mssp.of("zoo"), [variable("GENRE", &["Fantasy"])]);
        mssp.tell(key("zoo"), vec![variable("GENRE", &["Hor\u{1b}[1mror"])], 0, now);
        assert_eq!(mssp.of("zoo").len(), 1);
        assert!(!mssp.of("zoo")[0].values[0].contains('\u{1b}'));
        assert_eq!(mssp.of("castle"), []);
    }

    #[test]
    fn a_world_s_own_number_follows_those_who_come_and_go_by_us_and_gets_old() {
        let (mut mssp, now) = (Mssp::default(), Instant::now());
        mssp.tell(key("zoo"), vec![variable("players", &[" 10 "])], 3, now);
        assert_eq!(mssp.players("zoo", 3, now), Some(10));
        assert_eq!(mssp.players("zoo", 5, now), Some(12));
        assert_eq!(mssp.players("zoo", 0, now), Some(7));
        assert_eq!(mssp.players("zoo", 3, now + FRESH), None);
        mssp.tell(key("zoo"), vec![variable("PLAYERS", &["1"])], 3, now);
        assert_eq!(mssp.players("zoo", 0, now), Some(0));
        for none in ["many", "-1", ""] {
            mssp.tell(key("zoo"), vec![variable("PLAYERS", &[none])], 0, now);
            assert_eq!(mssp.players("zoo", 0, now), None, "{none}");
        }
        assert_eq!(mssp.players("castle", 0, now), None);
    }

    #[test]
    fn a_table_without_an_end_takes_little() {
        let (mut mssp, now) = (Mssp::default(), Instant::now());
        let size = |mssp: &Mssp| -> usize {
            let words = |variable: &MsspVariable| variable.values.iter().map(|value| value.len() + 1).sum::<usize>();
            mssp.of("zoo").iter().map(|variable| variable.name.len() + 1 + words(variable)).sum()
        };
        mssp.tell(key("zoo"), (0..1000).map(|at| variable(&format!("N{at}"), &["x"])).collect(), 0, now);
        assert_eq!(mssp.of("zoo").len(), MSSP_VARIABLES);
        let long = "x".repeat(1000);
        let long = &[long.as_str(); 3];
        mssp.tell(key("zoo"), (0..1000).map(|at| variable(&format!("N{at}"), long)).collect(), 0, now);
        assert!((7000..=MSSP_BYTES).contains(&size(&mssp)), "{}", size(&mssp));
        mssp.tell(key("zoo"), vec![variable("N", &[""; 20_000])], 0, now);
        assert!(size(&mssp) <= MSSP_BYTES);
        for at in 0..2 * WORLDS {
            mssp.tell(key(&format!("w{at}")), vec![variable("A", &["b"])], 0, now + Duration::from_secs(1));
        }
        assert_eq!(mssp.worlds.len(), WORLDS);
    }
}
