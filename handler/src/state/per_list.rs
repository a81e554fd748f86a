//! Values that there is one of for each list that clients mirror. Pure; lives in the event loop.

use ssmglobal_ipc::List;

/// One of something for each list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerList<T> {
    worlds: T,
    users: T,
}

impl<T> PerList<T> {
    /// That of a list.
    pub fn of(&self, list: List) -> &T {
        match list {
            List::Worlds => &self.worlds,
            List::Users => &self.users,
        }
    }

    /// That of a list.
    pub fn of_mut(&mut self, list: List) -> &mut T {
        match list {
            List::Worlds => &mut self.worlds,
            List::Users => &mut self.users,
        }
    }
}
