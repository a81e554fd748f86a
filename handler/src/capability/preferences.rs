//! Preferences: how a player wants what he is shown. They are kept here and understood by his worker, which gets them with the
//! answer to his login.

use super::{Call, Plan};
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use ssmglobal_ipc::{Code, Failure, KeptPreference, PREFERENCE_VALUE, Preference, PreferenceIs, PreferenceSet, Reply};
use ssmglobal_store::{PlayerId, Row};

changes! {
    /// Changes of preferences.
    PreferenceChange: Set
}

/// A player prefers something else from now on.
#[derive(Clone, Debug)]
pub struct Set {
    /// The player who has set it.
    pub player: PlayerId,
    /// What he has set.
    pub preference: Preference,
    /// To what, checked; nothing: it is as usual.
    pub value: Option<String>,
}

impl Decide for Set {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Set { player, preference, value } = self;
        if facts.player(*player)?.is_none() {
            return refuse(Code::NotFound, "There is no such player.");
        }
        let row = Row::Preference { player: *player, name: preference.name().to_owned(), value: value.clone() };
        Ok(Decided::new(vec![row], is(*preference, value.clone(), true)))
    }
}

fn is(preference: Preference, value: Option<String>, kept: bool) -> Reply {
    Reply::PreferenceIs(PreferenceIs { name: preference.name().to_owned(), value, kept })
}

/// What a player has set, for the answer to his login.
///
/// # Errors
/// The database's.
pub fn kept(facts: &dyn Facts, player: PlayerId) -> Result<Vec<KeptPreference>, Refusal> {
    let kept = facts.preferences(player)?.into_iter();
    Ok(kept.map(|(name, value)| KeptPreference { name, value }).collect())
}

/// `SET`. A worker has looked at the value; one that has not harms its own player alone.
pub fn set(call: Call<'_>, request: PreferenceSet) -> Plan<PreferenceChange> {
    let PreferenceSet { name, value } = request;
    let is_value =
        |value: &String| (1..=PREFERENCE_VALUE).contains(&value.len()) && !value.chars().any(char::is_control);
    let Some(preference) = Preference::named(&name).filter(|_| value.as_ref().is_none_or(is_value)) else {
        return Failure::new(Code::Invalid, "There is no such preference, or it takes no such value.").into();
    };
    match call.player() {
        Some(me) => Plan::change(Set { player: me.id, preference, value }),
        None => Plan::Reply(is(preference, value, false)),
    }
}
