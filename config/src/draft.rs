//! Settings while they are being put together: what holds so far, who said it, and what was wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::key::Key;
use crate::problem::{Place, Problem, Warning};
use crate::rule::Fault;
use crate::settings::Settings;
use crate::value::Value;

/// Settings in the making. Layers are laid on one after the other; nothing stops at a problem, so
/// that the operator hears of all of them at once.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) settings: Settings,
    /// Who set a key, by its path; `door[0].address` for the first door.
    origins: BTreeMap<String, Place>,
    /// Keys of which the last word was wrong: judging them further would only mislead.
    failed: BTreeSet<String>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Warning>,
}

impl Draft {
    /// Takes a value for a key from any layer, or notes why not.
    pub(crate) fn set(&mut self, key: &Key<Settings>, read: Result<Value, Fault>, place: Place) {
        match read {
            Ok(value) => {
                (key.set)(&mut self.settings, value);
                self.came_from(key.path, place);
            }
            Err(fault) => {
                self.fault(key.path, key.rule.allowed(), fault, place);
                self.failed.insert(key.path.to_owned());
            }
        }
    }

    pub(crate) fn fault(&mut self, path: &str, allowed: String, fault: Fault, place: Place) {
        self.problems.push(Problem {
            place,
            key: path.to_owned(),
            wrong: fault.wrong,
            allowed,
            suggestion: fault.suggestion,
        });
    }

    pub(crate) fn came_from(&mut self, path: &str, place: Place) {
        // A later layer heals what an earlier one had wrong only for the cross-checks: the
        // problem itself stays, since the file is still wrong.
        self.failed.remove(path);
        self.origins.insert(path.to_owned(), place);
    }

    pub(crate) fn fail(&mut self, path: &str) {
        self.failed.insert(path.to_owned());
    }

    pub(crate) fn failed(&self, path: &str) -> bool {
        self.failed.contains(path)
    }

    /// Who set this key.
    pub(crate) fn origin(&self, path: &str) -> Place {
        self.origins.get(path).cloned().unwrap_or(Place::Default)
    }

    /// The settings with the warnings, or all that is wrong with them.
    pub(crate) fn finish(mut self) -> Result<(Settings, Vec<Warning>), Vec<Problem>> {
        if self.problems.is_empty() {
            return Ok((self.settings, self.warnings));
        }
        // In the order of the file; stable, so that other places keep theirs, behind it.
        self.problems.sort_by_key(|problem| match problem.place {
            Place::File { line, column, .. } => (line, column),
            _ => (usize::MAX, 0),
        });
        Err(self.problems)
    }
}
