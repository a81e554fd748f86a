//! Who hosts which world, and what is said of it. In memory; the journal takes it to the next handler. Lives in the event loop.
//!
//! A host whose connection has ended may come back within a grace, and meanwhile everything is as it was. So a world is here
//! until its host says that it stops, its licence does, or the grace is over.

use super::mirror::Scope;
use super::pages::behind;
use super::takeovers::Takeovers;
use hashbrown::{HashMap, HashSet};
use ssmglobal_ipc::{Rating, Time, WorldStatus};
use ssmglobal_store::{KeptLicence, PlayerId, ServerId, StartedBy, WorldId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// So long somebody who has asked for a world is waited for. Nothing is heard of one whose write has failed.
const CLAIM: Duration = Duration::from_secs(10);

/// Who hosts a world. Of one game server and instance there is one program, whatever becomes of its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The number of its session.
    pub session: u64,
    /// The game server.
    pub server: ServerId,
    /// Which of its programs.
    pub instance: String,
}

impl Host {
    /// Whether it is the same program, perhaps on another connection.
    pub fn is(&self, server: ServerId, instance: &str) -> bool {
        self.server == server && self.instance == instance
    }
}

/// A world that is hosted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosting {
    /// The program that hosts it.
    pub host: Host,
    /// Where clients connect to, without the port.
    pub address: String,
    /// The port.
    pub port: u16,
    /// Since when it runs.
    pub since: Time,
    /// How many are there, as its host says.
    pub users: u32,
    /// Not everybody may enter.
    pub restricted: bool,
    /// For whom it is.
    pub rating: Rating,
    /// What is played there.
    pub map: String,
    /// Free text, may be empty.
    pub text: String,
    /// When this was last told.
    pub at: Time,
    /// Whether its host wants to hear when somebody in it closes his last connection.
    pub closings: bool,
    /// Until when its host may come back, when its connection has ended.
    pub away: Option<Time>,
}

impl Hosting {
    /// One that has just begun.
    pub fn new(by: StartedBy, at: Time) -> Hosting {
        let StartedBy { session, server, instance, address, port } = by;
        Hosting {
            host: Host { session, server, instance },
            address,
            port,
            since: at,
            users: 0,
            restricted: false,
            rating: Rating::default(),
            map: String::new(),
            text: String::new(),
            at,
            closings: false,
            away: None,
        }
    }

    /// How the world is.
    pub fn status(&self) -> WorldStatus {
        if self.restricted { WorldStatus::Restricted } else { WorldStatus::Public }
    }

    /// Where clients connect to.
    pub fn place(&self) -> String {
        // An address of IPv6 has colons of its own.
        let brackets = self.address.contains(':') && !self.address.starts_with('[');
        match brackets {
            true => format!("[{}]:{}", self.address, self.port),
            false => format!("{}:{}", self.address, self.port),
        }
    }
}

/// What there is to know of a licence as long as its world is hosted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The name without case.
    folded: String,
    /// Whether it is in lists.
    listed: bool,
    /// When it ends.
    ends: Option<Time>,
    /// What lists say.
    listing: Listing,
}

impl Known {
    /// What lists say.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }
}

impl From<&KeptLicence> for Known {
    fn from(licence: &KeptLicence) -> Known {
        let (folded, listing) = (licence.folded.clone(), licence.into());
        Known { folded, listed: licence.listed, ends: licence.expires, listing }
    }
}

/// What lists say of a world that has a licence, whoever hosts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// As it is written.
    pub name: String,
    /// How many fit.
    pub max: u32,
    /// What it is about.
    pub comment: String,
    /// Who sees it besides operators; nothing: everybody does.
    only: Option<PlayerId>,
}

impl Listing {
    /// Who sees it.
    pub fn scope(&self) -> Scope {
        self.only.map_or(Scope::All, Scope::Of)
    }
}

impl From<&KeptLicence> for Listing {
    fn from(licence: &KeptLicence) -> Listing {
        let only = (!licence.listed).then_some(licence.owner);
        Listing { name: licence.name.clone(), max: licence.users, comment: licence.comment.clone(), only }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Hostings {
    worlds: HashMap<WorldId, (Hosting, Known)>,
    of: HashMap<u64, HashSet<WorldId>>,
    /// Those that are in lists, by folded name.
    listed: BTreeMap<String, WorldId>,
    /// When something is due, at the latest.
    due: BTreeSet<(Time, WorldId)>,
    /// Who has asked to host what, and waits for the disk.
    claims: HashMap<WorldId, (Host, Instant)>,
    /// How often worlds were taken over.
    pub takeovers: Takeovers<WorldId>,
}

/// When something is to be done about a world by itself.
fn due(hosting: &Hosting, known: &Known) -> Option<Time> {
    hosting.away.into_iter().chain(known.ends).min()
}

impl Hostings {
    /// What is said of a world from now on.
    pub fn put(&mut self, id: WorldId, hosting: Hosting, known: Known) {
        self.remove(id);
        self.of.entry(hosting.host.session).or_default().insert(id);
        if known.listed {
            self.listed.insert(known.folded.clone(), id);
        }
        self.due.extend(due(&hosting, &known).map(|at| (at, id)));
        self.worlds.insert(id, (hosting, known));
    }

    /// Nobody hosts it any more.
    pub fn remove(&mut self, id: WorldId) {
        let Some((hosting, known)) = self.worlds.remove(&id) else { return };
        if let Some(his) = self.of.get_mut(&hosting.host.session) {
            his.remove(&id);
            if his.is_empty() {
                self.of.remove(&hosting.host.session);
            }
        }
        self.listed.remove(&known.folded);
        if let Some(at) = due(&hosting, &known) {
            self.due.remove(&(at, id));
        }
    }

    /// A world as its host says it; nothing where it is not hosted.
    pub fn get(&self, id: WorldId) -> Option<&Hosting> {
        self.worlds.get(&id).map(|(hosting, _)| hosting)
    }

    /// What lists say of one that is hosted.
    pub fn listing(&self, id: WorldId) -> Option<&Listing> {
        self.worlds.get(&id).map(|(_, known)| &known.listing)
    }

    /// All worlds that are hosted, with what lists say of them.
    pub fn iter(&self) -> impl Iterator<Item = (WorldId, &Hosting, &Listing)> {
        self.worlds.iter().map(|(id, (hosting, known))| (*id, hosting, &known.listing))
    }

    /// Those that a session hosts, in the order of their numbers.
    pub fn of(&self, session: u64) -> Vec<WorldId> {
        let mut his: Vec<WorldId> = self.of.get(&session).into_iter().flatten().copied().collect();
        his.sort_unstable();
        his
    }

    /// How many a session hosts.
    pub fn count_of(&self, session: u64) -> usize {
        self.of.get(&session).map_or(0, HashSet::len)
    }

    /// Those that are in lists, by name, behind `after`.
    pub fn listed_after(&self, after: Option<&str>) -> impl Iterator<Item = (&str, WorldId, &Hosting)> {
        let range = self.listed.range::<str, _>(behind(after));
        range.filter_map(|(folded, id)| Some((folded.as_str(), *id, self.get(*id)?)))
    }

    /// How many of them are in lists.
    pub fn listed(&self) -> usize {
        self.listed.len()
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The first that something is due for.
    pub fn due(&self, now: Time) -> Option<WorldId> {
        self.due.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    /// A session has asked to host a world, and waits.
    pub fn claim(&mut self, id: WorldId, host: Host, now: Instant) {
        self.claims.insert(id, (host, now));
    }

    /// Who waits to host a world.
    pub fn claimed(&self, id: WorldId, now: Instant) -> Option<&Host> {
        let (host, since) = self.claims.get(&id)?;
        (now.saturating_duration_since(*since) < CLAIM).then_some(host)
    }

    /// It is settled.
    pub fn forget_claim(&mut self, id: WorldId) {
        self.claims.remove(&id);
    }

    /// A session has ended: it waits for nothing.
    pub fn forget_claims_of(&mut self, session: u64) {
        self.claims.retain(|_, (host, _)| host.session != session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::licence;

    const ZOO: WorldId = WorldId(1);
    const MOON: WorldId = WorldId(2);

    fn hosting(session: u64) -> Hosting {
        let by = StartedBy { session, server: ServerId(1), instance: "a".into(), address: "10.0.0.1".into(), port: 7 };
        Hosting::new(by, Time(5))
    }

    fn known(id: u32, name: &str, ends: Option<i64>) -> Known {
        let mut licence = licence(id, name, PlayerId(1));
        licence.expires = ends.map(Time);
        Known::from(&licence)
    }

    #[test]
    fn a_world_is_its_hosts_until_it_is_somebody_elses() {
        let mut all = Hostings::default();
        all.put(ZOO, hosting(3), known(1, "Zoo", None));
        all.put(MOON, hosting(3), known(2, "Moon", None));
        assert_eq!((all.of(3), all.count_of(3), all.listed()), (vec![ZOO, MOON], 2, 2));
        let names: Vec<&str> = all.listed_after(None).map(|(name, ..)| name).collect();
        assert_eq!(names, ["moon", "zoo"]);
        assert_eq!(all.listed_after(Some("moon")).count(), 1);
        all.put(ZOO, hosting(4), Known { listed: false, ..known(1, "Zoo", None) });
        assert_eq!((all.of(3), all.of(4), all.listed()), (vec![MOON], vec![ZOO], 1));
        assert!(hosting(3).host.is(ServerId(1), "a") && !hosting(3).host.is(ServerId(1), "b"));
        for id in [ZOO, MOON, MOON] {
            all.remove(id);
        }
        assert!(all.worlds.is_empty() && all.of.is_empty() && all.listed.is_empty() && all.due.is_empty());
    }

    #[test]
    fn what_is_due_first_is_known() {
        let mut all = Hostings::default();
        all.put(ZOO, hosting(3), known(1, "Zoo", Some(50)));
        assert_eq!((all.next_due(), all.due(Time(49)), all.due(Time(50))), (Some(Time(50)), None, Some(ZOO)));
        all.put(MOON, Hosting { away: Some(Time(30)), ..hosting(3) }, known(2, "Moon", None));
        assert_eq!((all.next_due(), all.due(Time(50))), (Some(Time(30)), Some(MOON)));
        all.put(ZOO, Hosting { away: Some(Time(20)), ..hosting(3) }, known(1, "Zoo", Some(50)));
        assert_eq!(all.next_due(), Some(Time(20)));
        all.put(ZOO, hosting(3), known(1, "Zoo", None));
        all.remove(MOON);
        assert_eq!(all.next_due(), None);
    }

    #[test]
    fn claims_end_with_their_session_and_with_time() {
        let mut all = Hostings::default();
        let now = Instant::now();
        all.claim(ZOO, hosting(3).host, now);
        all.claim(MOON, hosting(4).host, now);
        all.forget_claims_of(3);
        assert_eq!((all.claimed(ZOO, now), all.claimed(MOON, now)), (None, Some(&hosting(4).host)));
        assert_eq!(all.claimed(MOON, now + CLAIM), None, "nothing was heard of it");
        all.forget_claim(MOON);
        assert!(all.claims.is_empty());
    }

    #[test]
    fn a_place_is_written_as_clients_take_it() {
        for (address, place) in
            [("10.0.0.1", "10.0.0.1:7"), ("2001:db8::7", "[2001:db8::7]:7"), ("mud.example", "mud.example:7")]
        {
            assert_eq!(Hosting { address: address.into(), ..hosting(3) }.place(), place);
        }
    }
}
