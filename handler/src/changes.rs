//! All changes of what is kept, over the changes of each capability.

use crate::capability::rights::Asking;
use crate::capability::{
    entry, hosting, length, licences, mail, players, preferences, properties, records, relay, rights, servers,
    settings, terms, universe,
};
use crate::work::change::{Decide, Decided, Facts, OneOf, Refusal, Stamp, still_there};
use ssmglobal_ipc::{Failure, Reply, Secret};
use ssmglobal_store::Row;
use std::convert::Infallible;

/// What all threads of the handler share.
pub type Shared = crate::work::Shared<Change>;

macro_rules! groups {
    ($($group:ident($changes:ty),)*) => {
        /// A change of what is kept.
        #[derive(Clone, Debug)]
        #[allow(missing_docs)]
        pub enum Change {
            $($group($changes),)*
            /// It was done already, outside of the database, and came to this.
            Known(Reply),
            /// It is not done, unless its key says that it was.
            Refused(Failure),
            /// It is done only if the player who asks has the right when it is decided.
            ByRight(Asking, Box<Change>),
        }

        impl Decide for Change {
            fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
                let decided = match self {
                    $(Change::$group(changes) => changes.decide(facts, stamp),)*
                    Change::Known(reply) => Ok(Decided::new(Vec::new(), reply.clone())),
                    Change::Refused(failure) => Err(failure.clone().into()),
                    Change::ByRight(asking, change) => {
                        asking.check(facts)?;
                        change.decide(facts, stamp)
                    }
                }?;
                // What it had asked before it was deleted may be decided after that.
                let servers = decided.rows.iter().filter_map(Row::server);
                servers.into_iter().try_for_each(|server| still_there(facts, Some(server)))?;
                Ok(decided)
            }

            fn shown_once(&self) -> Option<Secret> {
                match self {
                    $(Change::$group(changes) => changes.shown_once(),)*
                    Change::Known(_) | Change::Refused(_) => None,
                    Change::ByRight(_, change) => change.shown_once(),
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
    Relay(relay::RelayChange),
    Licences(licences::LicenceChange),
    Hosting(hosting::HostingChange),
    Rights(rights::RightChange),
    Entry(entry::EntryChange),
    Length(length::LengthChange),
    Universe(universe::UniverseChange),
    Properties(properties::PropertyChange),
    Preferences(preferences::PreferenceChange),
    Terms(terms::TermsChange),
}

impl<C: OneOf> From<C> for Change
where
    Change: From<C::Changes>,
{
    fn from(change: C) -> Change {
        C::Changes::from(change).into()
    }
}

impl From<Infallible> for Change {
    /// Of a capability that changes nothing of what is kept.
    fn from(never: Infallible) -> Change {
        match never {}
    }
}
