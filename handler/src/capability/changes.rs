//! All changes of what is kept. Each is a struct in its capability's file that says what is wanted, with a pure function that
//! decides what becomes of it.

use super::{mail, players, records, servers, settings};
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp};
use ssmglobal_ipc::Reply;

/// The changes of one capability: an enum over structs, each of which can be decided.
macro_rules! changes {
    ($(#[doc = $doc:literal])* $group:ident: $($name:ident),* $(,)?) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        #[allow(missing_docs)]
        pub enum $group { $($name($name),)* }

        impl $crate::work::change::Decide for $group {
            fn decide(
                &self,
                facts: &mut dyn $crate::work::change::Facts,
                stamp: $crate::work::change::Stamp,
            ) -> Result<$crate::work::change::Decided, $crate::work::change::Refusal> {
                match self { $($group::$name(change) => change.decide(facts, stamp),)* }
            }
        }

        $(impl From<$name> for $crate::capability::Change {
            fn from(change: $name) -> $crate::capability::Change {
                $group::$name(change).into()
            }
        })*
    };
}

pub(super) use changes;

macro_rules! groups {
    ($($group:ident($changes:ty),)*) => {
        /// A change of what is kept.
        #[derive(Clone, Debug)]
        #[allow(missing_docs)]
        pub enum Change {
            $($group($changes),)*
            /// It was done already, outside of the database, and came to this.
            Known(Reply),
        }

        impl Decide for Change {
            fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
                match self {
                    $(Change::$group(changes) => changes.decide(facts, stamp),)*
                    Change::Known(reply) => Ok(Decided::new(Vec::new(), reply.clone())),
                }
            }
        }

        $(impl From<$changes> for Change {
            fn from(changes: $changes) -> Change {
                Change::$group(changes)
            }
        })*
    };
}

groups! {
    Players(players::PlayerChange),
    Servers(servers::ServerChange),
    Records(records::RecordChange),
    Settings(settings::SettingChange),
    Mail(mail::MailChange),
}
