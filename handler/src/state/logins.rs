//! Logins of players and visits: since when each session is somebody, when its time is over, and what of the logins that have ended
//! is not on disk yet. In memory; the journal takes it to the next handler. Lives in the event loop.
//!
//! A login is its session's, whatever becomes of links and handlers: it ends once, and a player's is counted then, once.

use hashbrown::{HashMap, HashSet};
use ssmglobal_ipc::Time;
use ssmglobal_store::{PlayerId, Principal, PrincipalKind};
use std::collections::{BTreeMap, BTreeSet};

/// A minute, which is also how long before the end of its time a session is told.
const MINUTE: i64 = 60_000;

/// A player is logged in, or a visitor is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// The player or visitor.
    pub who: Principal,
    /// When the session was logged in, or the visit began.
    pub since: Time,
    /// The end of its time that its session was warned of.
    pub warned_of: Option<Time>,
}

/// The login of a player has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The number of its session.
    pub session: u64,
    /// Who was logged in.
    pub player: PlayerId,
    /// Since when. No other login of its session is of the same moment.
    pub since: Time,
    /// Milliseconds that it has lasted.
    pub lasted: u64,
}

/// What has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// A player's login, which is to be counted.
    Login(Ended),
    /// A visit: nothing is kept of it.
    Visit,
}

/// What is to be done about a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Its session is told that its time ends then.
    Soon(Time),
    /// Its time is over: so many minutes were permitted to somebody of this kind.
    Over(PrincipalKind, u32),
}

/// All of them.
#[derive(Debug, Default)]
pub struct Logins {
    /// By session, with the minutes that are permitted.
    on: HashMap<u64, (Login, Option<u32>)>,
    of: HashMap<Principal, HashSet<u64>>,
    /// When something is to be done about which session.
    due: BTreeSet<(Time, u64)>,
    /// Those that wait for the disk, by session and since when.
    ended: BTreeMap<(u64, Time), Ended>,
}

/// When a login's time is over.
fn ends(login: &Login, minutes: Option<u32>) -> Option<Time> {
    minutes.map(|minutes| Time(login.since.0.saturating_add(i64::from(minutes) * MINUTE)))
}

/// When something is to be done about it.
fn due(login: &Login, minutes: Option<u32>) -> Option<Time> {
    let ends = ends(login, minutes)?;
    Some(if login.warned_of == Some(ends) { ends } else { Time(ends.0.saturating_sub(MINUTE)) })
}

impl Logins {
    /// A session is logged in, and so many minutes are permitted.
    pub fn put(&mut self, session: u64, login: Login, minutes: Option<u32>) {
        self.remove(session);
        self.of.entry(login.who).or_default().insert(session);
        self.due.extend(due(&login, minutes).map(|at| (at, session)));
        self.on.insert(session, (login, minutes));
    }

    fn remove(&mut self, session: u64) -> Option<Login> {
        let (login, minutes) = self.on.remove(&session)?;
        if let Some(his) = self.of.get_mut(&login.who) {
            his.remove(&session);
            if his.is_empty() {
                self.of.remove(&login.who);
            }
        }
        if let Some(at) = due(&login, minutes) {
            self.due.remove(&(at, session));
        }
        Some(login)
    }

    /// That of a session.
    pub fn get(&self, session: u64) -> Option<&Login> {
        self.on.get(&session).map(|(login, _)| login)
    }

    /// Sessions that are logged in.
    pub fn sessions(&self) -> impl Iterator<Item = u64> {
        self.on.keys().copied()
    }

    /// Another number of minutes is permitted to somebody, from this moment on also where he is logged in.
    pub fn limit(&mut self, who: Principal, minutes: Option<u32>) {
        for session in self.of.get(&who).into_iter().flatten().copied().collect::<Vec<_>>() {
            if let Some((login, _)) = self.on.get(&session) {
                self.put(session, *login, minutes);
            }
        }
    }

    /// As [`Logins::limit`], for all visitors.
    pub fn limit_visits(&mut self, minutes: Option<u32>) {
        let visitors = self.of.keys().filter(|who| who.kind == PrincipalKind::Visitor);
        visitors.copied().collect::<Vec<_>>().into_iter().for_each(|who| self.limit(who, minutes));
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The first session that something is due for. Nothing is due for it then until it is told, or put again: who cannot be
    /// reached now comes back by himself.
    pub fn take_due(&mut self, now: Time) -> Option<(u64, Due)> {
        loop {
            let (_, session) = self.due.first().filter(|(at, _)| *at <= now).copied()?;
            self.due.pop_first();
            let Some((login, Some(minutes))) = self.on.get(&session) else { continue };
            return match ends(login, Some(*minutes)) {
                Some(ends) if ends > now => Some((session, Due::Soon(ends))),
                _ => Some((session, Due::Over(login.who.kind, *minutes))),
            };
        }
    }

    /// A session was told when its time ends; gives its login as it is since.
    pub fn was_warned(&mut self, session: u64, ends: Time) -> Option<Login> {
        let (login, minutes) = *self.on.get(&session)?;
        let login = Login { warned_of: Some(ends), ..login };
        self.put(session, login, minutes);
        Some(login)
    }

    /// The login of a session has ended; nothing when it had none.
    pub fn end(&mut self, session: u64, now: Time) -> Option<Gone> {
        let Login { who, since, .. } = self.remove(session)?;
        let Some(player) = who.as_player() else { return Some(Gone::Visit) };
        // The wall clock may have been set back.
        let lasted = u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0);
        let ended = Ended { session, player, since, lasted };
        self.wait(ended);
        Some(Gone::Login(ended))
    }

    /// One that has ended waits for the disk.
    pub fn wait(&mut self, ended: Ended) {
        self.ended.insert((ended.session, ended.since), ended);
    }

    /// One that waits for the disk.
    pub fn waiting(&self, session: u64, since: Time) -> Option<&Ended> {
        self.ended.get(&(session, since))
    }

    /// It waits no longer; gives what was to be counted.
    pub fn settled(&mut self, session: u64, since: Time) -> Option<Ended> {
        self.ended.remove(&(session, since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: PlayerId = PlayerId(1);
    const BOB: PlayerId = PlayerId(2);

    fn login(who: impl Into<Principal>, since: i64) -> Login {
        Login { who: who.into(), since: Time(since), warned_of: None }
    }

    /// So many minutes were permitted to a player.
    fn over(minutes: u32) -> Due {
        Due::Over(PrincipalKind::Player, minutes)
    }

    fn minutes(minutes: i64) -> Time {
        Time(minutes * MINUTE)
    }

    /// What is done about whom, as the event loop does it for those whom it can reach.
    fn next(all: &mut Logins, now: Time) -> Option<(u64, Due)> {
        let (session, due) = all.take_due(now)?;
        if let Due::Soon(ends) = due {
            all.was_warned(session, ends);
        }
        Some((session, due))
    }

    #[test]
    fn a_session_is_told_a_minute_before_its_time_is_over() {
        let mut all = Logins::default();
        all.put(7, login(ALICE, 0), Some(30));
        all.put(8, login(BOB, 0), None);
        assert_eq!((all.next_due(), next(&mut all, Time(29 * MINUTE - 1))), (Some(minutes(29)), None));
        assert_eq!(next(&mut all, minutes(29)), Some((7, Due::Soon(minutes(30)))));
        assert_eq!((all.next_due(), next(&mut all, minutes(29))), (Some(minutes(30)), None));
        assert_eq!(
            all.get(7).and_then(|login| login.warned_of),
            Some(minutes(30)),
            "as the next handler is to know it"
        );
        assert_eq!(next(&mut all, minutes(30)), Some((7, over(30))));
        assert_eq!((all.next_due(), next(&mut all, minutes(99))), (None, None), "once");
    }

    #[test]
    fn a_single_minute_is_told_at_once() {
        let mut all = Logins::default();
        all.put(7, login(ALICE, 5), Some(1));
        assert_eq!(next(&mut all, Time(5)), Some((7, Due::Soon(Time(5 + MINUTE)))));
        assert_eq!(all.next_due(), Some(Time(5 + MINUTE)));
    }

    #[test]
    fn each_session_has_its_own_time() {
        let mut all = Logins::default();
        all.put(7, login(ALICE, 0), Some(30));
        all.put(8, login(ALICE, 10 * MINUTE), Some(30));
        let mut done = Vec::new();
        for minute in 0..60 {
            while let Some((session, due)) = next(&mut all, minutes(minute)) {
                done.push((minute, session, due));
            }
        }
        let soon = |ends| Due::Soon(minutes(ends));
        assert_eq!(done, [(29, 7, soon(30)), (30, 7, over(30)), (39, 8, soon(40)), (40, 8, over(30))]);
    }

    #[test]
    fn another_bound_holds_at_once() {
        let mut all = Logins::default();
        for (session, player) in [(7, ALICE), (8, ALICE), (9, BOB)] {
            all.put(session, login(player, 0), Some(60));
        }
        all.limit(ALICE.into(), Some(20));
        assert_eq!(next(&mut all, minutes(19)), Some((7, Due::Soon(minutes(20)))));
        // The same again is not told again, another one is.
        all.limit(ALICE.into(), Some(20));
        assert_eq!(next(&mut all, minutes(19)), Some((8, Due::Soon(minutes(20)))));
        assert_eq!(next(&mut all, minutes(19)), None);
        all.limit(ALICE.into(), Some(19));
        assert_eq!(next(&mut all, minutes(19)), Some((7, over(19))), "it is over already");
        all.limit(ALICE.into(), None);
        assert_eq!((next(&mut all, minutes(58)), all.next_due()), (None, Some(minutes(59))), "only bob's is left");
        all.limit(ALICE.into(), Some(60));
        assert_eq!(next(&mut all, minutes(59)), Some((7, Due::Soon(minutes(60)))));
    }

    #[test]
    fn the_next_handler_tells_what_was_not_told() {
        let mut all = Logins::default();
        all.put(7, Login { warned_of: Some(minutes(30)), ..login(ALICE, 0) }, Some(30));
        all.put(8, login(BOB, 0), Some(30));
        assert_eq!(next(&mut all, minutes(29)), Some((8, Due::Soon(minutes(30)))));
        assert_eq!((next(&mut all, minutes(29)), all.next_due()), (None, Some(minutes(30))));
    }

    #[test]
    fn a_visit_has_a_bound_of_its_own_and_nothing_is_kept_of_it() {
        let mut all = Logins::default();
        let visitor = |id| Principal { kind: PrincipalKind::Visitor, id };
        // One of the number of a player.
        all.put(7, login(visitor(1), 0), Some(30));
        all.put(8, login(ALICE, 0), None);
        all.put(9, login(visitor(2), 0), Some(30));
        all.limit(ALICE.into(), Some(60));
        all.limit_visits(Some(10));
        assert_eq!(next(&mut all, minutes(9)), Some((7, Due::Soon(minutes(10)))));
        assert_eq!(next(&mut all, minutes(9)), Some((9, Due::Soon(minutes(10)))));
        assert_eq!((all.end(9, minutes(9)), all.ended.len()), (Some(Gone::Visit), 0));
        assert_eq!(next(&mut all, minutes(10)), Some((7, Due::Over(PrincipalKind::Visitor, 10))));
        all.limit_visits(None);
        assert_eq!(all.next_due(), Some(minutes(59)), "only alice's is left");
    }

    #[test]
    fn who_cannot_be_reached_is_told_when_he_is_back() {
        let mut all = Logins::default();
        for now in [29, 29, 30, 31] {
            all.put(7, login(ALICE, 0), Some(30));
            let due = if now < 30 { Due::Soon(minutes(30)) } else { over(30) };
            assert_eq!((all.take_due(minutes(now)), all.take_due(minutes(now))), (Some((7, due)), None));
            assert_eq!(all.next_due(), None);
        }
    }

    #[test]
    fn a_login_ends_once_and_waits_until_it_is_counted() {
        let mut all = Logins::default();
        all.put(7, login(ALICE, 1000), Some(30));
        let ended = Ended { session: 7, player: ALICE, since: Time(1000), lasted: 1500 };
        assert_eq!((all.end(7, Time(2500)), all.end(7, Time(3000))), (Some(Gone::Login(ended)), None));
        assert!(all.on.is_empty() && all.of.is_empty() && all.due.is_empty());
        // The session goes on, logged in anew.
        all.put(7, login(ALICE, 3000), None);
        let Some(Gone::Login(again)) = all.end(7, Time(2000)) else { panic!("it was on") };
        assert_eq!(again.lasted, 0, "the clock was set back");
        assert!(all.ended.keys().eq(&[(7, Time(1000)), (7, Time(3000))]));
        assert_eq!((all.waiting(7, Time(1000)), all.waiting(8, Time(1000))), (Some(&ended), None));
        assert_eq!((all.settled(7, Time(1000)), all.settled(7, Time(1000))), (Some(ended), None));
        assert_eq!(all.sessions().count(), 0);
    }
}
