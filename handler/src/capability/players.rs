//! Players: registering, logging in, who is on.

use super::properties::Reading;
use super::{Call, Me, Plan, check_length, mail, preferences, universe, visitors};
use crate::lock::read;
use crate::state::names::{self, Name};
use crate::state::networks;
use crate::state::online::{Seat, list_key};
use crate::state::session::Proof;
use crate::state::throttle::Tried;
use crate::state::visitors::principal;
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use crate::work::passwords::{Compare, Hashed, Hashing};
use ssmglobal_config::Identity;
use ssmglobal_ipc::*;
use ssmglobal_store::{KeptHash, NewPlayer, Player, PlayerId, Principal, PrincipalKind, Row, Sequence, ServerId};
use std::net::IpAddr;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

/// Boards that FINGER shows.
const FINGER_BOARDS: usize = 10;

/// Bytes of an e-mail address.
const EMAIL: usize = 254;

changes! {
    /// Changes of players.
    PlayerChange: Register, Login, SetPassword, Disable, LoginCheck
}

/// A password that is to be compared with a player's. What is too long to be one is not looked at.
fn compare(player: Option<PlayerId>, password: Secret, settings: &ssmglobal_config::Settings) -> Compare {
    let is_possible = password.expose().chars().count() <= settings.players.password_max;
    Compare { player, password: is_possible.then_some(password) }
}

/// Whether what a password was compared with is still what is kept. That it was hashed anew meanwhile, at another cost, does
/// not count.
fn is_still(kept: &KeptHash, verified: &KeptHash) -> bool {
    kept.hash == verified.hash || kept.epoch == verified.epoch
}

/// The player whose password was right, and what is kept of it: he is there, not disabled, and has no other password since.
fn let_in(facts: &dyn Facts, id: PlayerId, verified: &KeptHash) -> Result<(Player, KeptHash), Refusal> {
    let Some(player) = facts.player(id)? else { return Err(bad_login().into()) };
    if let Some(reason) = &player.disabled {
        return refuse(Code::Denied, format!("This player is disabled: {reason}"));
    }
    match facts.player_hash(id)?.filter(|kept| is_still(kept, verified)) {
        Some(kept) => Ok((player, kept)),
        None => Err(bad_login().into()),
    }
}

/// Whether a password is long enough, and not too long.
pub fn check_password(password: &Secret, settings: &ssmglobal_config::Settings) -> Result<(), Failure> {
    settings.players.check_password(password.expose()).map_err(|msg| Failure::new(Code::Invalid, msg))
}

/// Whether that may be kept as an e-mail address.
pub fn check_email(email: &str) -> Result<(), Failure> {
    check_length("An e-mail address", email.len(), EMAIL)?;
    if email.chars().any(char::is_control) {
        return Err(Failure::new(Code::Invalid, "An e-mail address holds no control characters and no line ends."));
    }
    Ok(())
}

fn bad_login() -> Failure {
    Failure::new(Code::BadLogin, "Name and password do not belong together.")
}

/// Nothing was hashed that was to be hashed.
fn no_hash() -> Failure {
    Failure::new(Code::Unavailable, "This cannot be done at the moment. Try again later.")
}

/// The rows that say from where a player was in; with them goes what is too old, whosever it is.
fn seen(facts: &dyn Facts, player: PlayerId, from: Option<IpAddr>, stamp: Stamp) -> Result<Vec<Row>, Refusal> {
    let Some(network) = from else { return Ok(Vec::new()) };
    let seen = networks::seen(player, &facts.networks(player)?, network, stamp.now);
    if seen.is_empty() {
        return Ok(seen);
    }
    let old = facts.networks_before(networks::oldest(stamp.now), networks::ALONG)?.into_iter();
    let old = old.map(|(player, network)| Row::PlayerUnseen { player, network });
    // In front: what is seen again is not forgotten.
    Ok(old.chain(seen).collect())
}

/// A new player, whose session is his from then on.
#[derive(Clone, Debug)]
pub struct Register {
    /// The name in its forms. Visitors do not get it while this is under way.
    pub name: Arc<Name>,
    /// The password's hash.
    pub hash: Secret,
    /// The e-mail address that he has given.
    pub email: Option<String>,
    /// The network that he comes from; nothing where that is not known.
    pub from: Option<IpAddr>,
    /// He has registered himself, and so is in: that is his first login.
    pub is_in: bool,
}

impl Decide for Register {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let taken = facts.name_taken(&self.name, None)?;
        let Name { shown, folded, skeleton } = Name::clone(&self.name);
        if taken {
            return refuse(
                Code::Exists,
                format!("The name {shown} is taken, or looks like one that is. Choose another."),
            );
        }
        let id = PlayerId(u32::try_from(facts.next_number(Sequence::Player)?).map_err(|_| no_hash())?);
        let reply = Reply::LoggedIn(LoggedIn {
            player: shown.clone(),
            unread: 0,
            last_login: None,
            mailbox_full: false,
            preferences: Vec::new(),
        });
        let (hash, email, registered) = (self.hash.clone(), self.email.clone(), stamp.now);
        let player = NewPlayer { id, name: shown, folded, skeleton, hash, email, registered };
        let login = self.is_in.then_some(Row::PlayerLogin { player: id, at: stamp.now });
        let rows = [Row::Player(player)].into_iter().chain(login).chain(seen(facts, id, self.from, stamp)?).collect();
        Ok(Decided { rows, reply, proves: Some(Proof { who: id.into(), epoch: 0 }) })
    }
}

/// `REGISTER`: its password is hashed first, and then the player is made.
pub fn register(mut call: Call<'_>, request: ssmglobal_ipc::Register) -> Plan<PlayerChange> {
    let settings = call.settings;
    let name = match names::check(&request.name, settings.players.name_min, settings.players.name_max) {
        Ok(name) => name,
        Err(failure) => return failure.into(),
    };
    let allowed = name.refuse_reserved(&settings.players.reserved_names);
    if let Err(failure) = allowed.and_then(|()| check_password(&request.password, settings)) {
        return failure.into();
    }
    if let Some(Err(failure)) = request.email.as_deref().map(check_email) {
        return failure.into();
    }
    if call.memory.find_player(&name.shown).is_some() || call.memory.server_named(&name.shown).is_ok() {
        return Failure::new(Code::Exists, format!("The name {} is taken. Choose another, or LOGIN.", name.shown))
            .into();
    }
    if visitors::is_anothers(&call, &name) {
        let msg = format!("A visitor is on by the name {}, or one that looks like it. Choose another.", name.shown);
        return Failure::new(Code::Exists, msg).into();
    }
    if let Err(failure) = call.may_register() {
        return failure.into();
    }
    let (email, from, name) = (request.email, call.network(), call.state.visitors.promise(name));
    let hashing = Hashing { compare: None, new: Some(request.password), newcomer: true };
    Plan::hash(hashing, None, move |hashed| Ok(register_by(name, hashed.hash, email, from, true)?.into()))
}

/// A player is made whose password was hashed.
///
/// # Errors
/// `unavailable` when it was not.
pub fn register_by(
    name: Arc<Name>,
    hash: Option<Secret>,
    email: Option<String>,
    from: Option<IpAddr>,
    is_in: bool,
) -> Result<Register, Failure> {
    Ok(Register { name, hash: hash.ok_or_else(no_hash)?, email, from, is_in })
}

/// A password was right: a session is that player's.
#[derive(Clone, Debug)]
pub struct Login {
    /// The player who logs in.
    pub player: PlayerId,
    /// What the password was compared with.
    pub verified: KeptHash,
    /// The password hashed anew, where that is due.
    pub again: Option<Secret>,
    /// The network that he comes from; nothing where that is not known.
    pub from: Option<IpAddr>,
    /// How many letters a mailbox holds.
    pub mailbox: u32,
}

impl Decide for Login {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let id = self.player;
        let (player, kept) = let_in(facts, id, &self.verified)?;
        let (total, unread) = facts.mailbox(id)?;
        // Of another password than the one that was compared it would be the old one.
        let again = self.again.clone().filter(|_| kept.hash == self.verified.hash);
        let again = again.map(|hash| Row::PlayerHash { player: id, hash });
        let seen = seen(facts, id, self.from, stamp)?;
        let rows = again.into_iter().chain([Row::PlayerLogin { player: id, at: stamp.now }]).chain(seen).collect();
        let (player, last_login, mailbox_full) = (player.name, player.last_login, total >= self.mailbox);
        let preferences = preferences::kept(facts, id)?;
        let reply = Reply::LoggedIn(LoggedIn { player, unread, last_login, mailbox_full, preferences });
        Ok(Decided { rows, reply, proves: Some(Proof { who: id.into(), epoch: kept.epoch }) })
    }
}

/// `LOGIN`: its password is compared first, whether there is such a player or not.
pub fn login(mut call: Call<'_>, request: ssmglobal_ipc::Login) -> Plan<PlayerChange> {
    let (player, from) = (call.memory.find_player(&request.name), call.network());
    let known = player.is_some_and(|player| call.was_in_from(player, from));
    let tried = match call.may_try(
        Tried::password(from, names::fold(&request.name), known),
        Kind::Login,
        player.map(Into::into),
    ) {
        Ok(tried) => tried,
        Err(failure) => return failure.into(),
    };
    if let Some(failure) = player.and_then(|player| is_on_elsewhere(&call, player)) {
        call.state.throttle.tried(&tried, true, Instant::now());
        return failure.into();
    }
    let mailbox = call.settings.mail.mailbox;
    let hashing = Hashing { compare: Some(compare(player, request.password, call.settings)), ..Hashing::default() };
    Plan::hash(hashing, Some(tried), move |Hashed { good, hash: again, verified }| {
        match player.zip(verified).filter(|_| good) {
            Some((player, verified)) => Ok(Login { player, verified, again, from, mailbox }.into()),
            None => Err(bad_login()),
        }
    })
}

/// Why a player who is on may not log in on this connection as well.
fn is_on_elsewhere(call: &Call<'_>, player: PlayerId) -> Option<Failure> {
    let others = call.state.online.sessions(player.into()).iter().filter(|at| **at != call.at);
    let others = others.filter_map(|at| call.session_in(at.slot));
    // One whose client is gone only keeps a game for him.
    let others = others.filter(|session| !call.state.plays.is_alone(session.number));
    let others: Vec<&crate::state::session::Session> = others.collect();
    if others.is_empty() {
        return None;
    }
    let (settings, now) = (call.settings, Instant::now());
    match settings.players.identity {
        Identity::Many => None,
        Identity::Takeover => {
            let wait = call.state.player_takeovers.wait(player, now);
            let why = "Two programs take this player over from each other.";
            (!wait.is_zero()).then(|| super::call::slow_down(why, wait))
        }
        Identity::Refuse => {
            let lives = others.iter().any(|session| session.lives(settings.limits.vanished_seconds, now));
            let msg = "This player is on already, on another connection. LOGOUT there first.";
            lives.then(|| Failure::new(Code::AlreadyOn, msg))
        }
    }
}

/// A password was right that somebody has typed at a game server.
#[derive(Clone, Debug)]
pub struct LoginCheck {
    /// The player whose password it is.
    pub player: PlayerId,
    /// What it was compared with.
    pub verified: KeptHash,
    /// From where he has come.
    pub from: IpAddr,
}

impl Decide for LoginCheck {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let id = self.player;
        let (player, _) = let_in(facts, id, &self.verified)?;
        let rows = seen(facts, id, Some(self.from), stamp)?;
        let reply = Reply::PassRedeemed(PassRedeemed {
            player: player.name,
            number: id.0,
            kind: HolderKind::Player,
            // As they are now: what was revoked while the password was compared would be good for a whole stay there.
            rights: facts.rights(id),
            world: None,
            language: None,
            charset: None,
            since: None,
        });
        Ok(Decided::new(rows.into_iter().collect(), reply))
    }
}

/// `LOGIN CHECK`: a login in all but that nobody is anybody by it.
pub fn login_check(mut call: Call<'_>, me: Me<ServerId>, request: ssmglobal_ipc::LoginCheck) -> Plan<PlayerChange> {
    if !read(&call.memory.checkers).contains(&me.id) {
        let msg = format!("The operator has not allowed it: ssmglobal ctl server allow {} login-check.", me.name);
        return Failure::new(Code::Denied, msg).into();
    }
    let Ok(address) = request.address.parse::<IpAddr>() else {
        let msg = "That is no address: give the player's, as 192.0.2.7 or 2001:db8::7.";
        return Failure::new(Code::Invalid, msg).into();
    };
    let (player, from) = (call.memory.find_player(&request.name), ssmglobal_config::network(address.to_canonical()));
    let known = player.is_some_and(|player| call.was_in_from(player, Some(from)));
    let tried = Tried::password(Some(from), names::fold(&request.name), known).by(me.id);
    let tried = match call.may_try(tried, Kind::LoginCheck, player.map(Into::into)) {
        Ok(tried) => tried,
        Err(failure) => return failure.into(),
    };
    let hashing = Hashing { compare: Some(compare(player, request.password, call.settings)), ..Hashing::default() };
    Plan::hash(hashing, Some(tried), move |Hashed { good, verified, .. }| match player.zip(verified).filter(|_| good) {
        Some((player, verified)) => Ok(LoginCheck { player, verified, from }.into()),
        None => Err(bad_login()),
    })
}

/// Who gives a player another password.
#[derive(Clone, Debug)]
pub enum SetBy {
    /// He himself, who knows the present one.
    Player {
        /// What that was compared with.
        verified: KeptHash,
        /// The address that he comes from, for the letter that tells him.
        from: String,
    },
    /// The operator.
    Operator,
}

/// A password is another one from now on: whoever is on by the one before is out, but for the session that has set it.
#[derive(Clone, Debug)]
pub struct SetPassword {
    /// The player who gets it.
    pub player: PlayerId,
    /// The password's hash, in PHC format.
    pub hash: Secret,
    /// Who sets it.
    pub by: SetBy,
    /// How many letters a mailbox holds.
    pub mailbox: u32,
}

impl Decide for SetPassword {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let id = self.player;
        let (player, kept) = (facts.player(id)?, facts.player_hash(id)?);
        let Some((player, kept)) = player.zip(kept) else { return refuse(Code::NotFound, "There is no such player.") };
        let epoch = kept.epoch.saturating_add(1);
        let (by, reason, proves) = match &self.by {
            SetBy::Player { verified, .. } if !is_still(&kept, verified) => return Err(not_the_present_one().into()),
            SetBy::Player { .. } if player.disabled.is_some() => {
                return refuse(Code::Denied, "You were logged out by the operator.");
            }
            SetBy::Player { from, .. } => {
                let reason = "Your password was changed on another connection. Log in with the new one.";
                (format!("from {from}"), reason, Some(Proof { who: id.into(), epoch }))
            }
            SetBy::Operator => {
                let reason = "Your password was changed by the operator. Log in with the new one.";
                ("by the operator".to_owned(), reason, None)
            }
        };
        let body = format!(
            "Your password was changed on {} {by}. All other connections of yours were logged out.\n\nIf that was not \
             you, and you did not ask for it, tell the operator.",
            stamp.now
        );
        let hash = Row::PlayerHash { player: id, hash: self.hash.clone() };
        let epoch = Row::Epoch { who: id.into(), epoch, reason: reason.to_owned() };
        let letter = mail::from_backend(facts, stamp, id, self.mailbox, ("Your password was changed", body))?;
        let rows = [hash, epoch].into_iter().chain(letter).collect();
        Ok(Decided { rows, reply: Reply::Done(Done {}), proves })
    }
}

/// `PASSWORD`: the old one is compared and the new one hashed, and then it is set.
pub fn password(mut call: Call<'_>, me: Me<PlayerId>, request: Password) -> Plan<PlayerChange> {
    if let Err(failure) = check_password(&request.new, call.settings) {
        return failure.into();
    }
    // Who has proved who he is was in from there.
    let tried = Tried::password(call.network(), names::fold(&me.name), true);
    let tried = match call.may_try(tried, Kind::Password, Some(me.id.into())) {
        Ok(tried) => tried,
        Err(failure) => return failure.into(),
    };
    let compare = compare(Some(me.id), request.old, call.settings);
    let (mailbox, from) = (call.settings.mail.mailbox, call.session.address);
    let from = from.map_or_else(|| "an unknown address".to_owned(), |address| address.ip().to_canonical().to_string());
    let hashing = Hashing { compare: Some(compare), new: Some(request.new), newcomer: false };
    Plan::hash(hashing, Some(tried), move |Hashed { good, hash, verified }| match verified.filter(|_| good) {
        Some(verified) => set_password(me.id, hash, SetBy::Player { verified, from }, mailbox),
        None => Err(not_the_present_one()),
    })
}

fn not_the_present_one() -> Failure {
    Failure::new(Code::BadLogin, "That is not the present password; it was left as it is.")
}

/// What makes a hash a player's.
///
/// # Errors
/// `unavailable` without one.
pub fn set_password(player: PlayerId, hash: Option<Secret>, by: SetBy, mailbox: u32) -> Result<PlayerChange, Failure> {
    Ok(SetPassword { player, hash: hash.ok_or_else(no_hash)?, by, mailbox }.into())
}

/// A player's login is refused from now on, or taken again.
#[derive(Clone, Debug)]
pub struct Disable {
    /// The player who is refused or taken again.
    pub player: PlayerId,
    /// Why; nothing: it is taken.
    pub reason: Option<String>,
}

impl Decide for Disable {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Disable { player: id, reason } = self.clone();
        let Some(player) = facts.player(id)? else { return refuse(Code::NotFound, "There is no such player.") };
        let out = reason.as_ref().map(|reason| Row::Epoch {
            who: id.into(),
            epoch: player.epoch.saturating_add(1),
            reason: format!("You were logged out by the operator: {reason}"),
        });
        let rows = [Row::PlayerDisabled { player: id, reason }].into_iter().chain(out).collect();
        Ok(Decided::new(rows, Reply::Done(Done {})))
    }
}

/// `WHOAMI`: what a session is to know of itself.
pub fn whoami(call: Call<'_>) -> Plan<PlayerChange> {
    let (player, server) = (call.player(), call.server());
    let visitor = call.principal().filter(|me| me.id.kind == PrincipalKind::Visitor);
    let name = |name: &std::sync::Arc<str>| name.to_string();
    let mut answer = Whoami {
        session: call.session.number,
        player: player.as_ref().map(|me| name(&me.name)).or_else(|| visitor.map(|me| me.party().to_string())),
        server: server.as_ref().map(|me| name(&me.name)),
        address: call.session.peer(),
        mode: call.session.mode,
        since: call.session.since,
        unread: 0,
        mailbox_full: false,
        rating: player.as_ref().and_then(|me| call.memory.rating_of(me.id)),
    };
    let mailbox = call.settings.mail.mailbox;
    let Some(player) = player else { return Plan::Reply(Reply::Whoami(answer)) };
    Plan::read(move |reader| {
        let (total, unread) = reader.mailbox(player.id)?;
        (answer.unread, answer.mailbox_full) = (unread, total >= mailbox);
        Ok(Reply::Whoami(answer))
    })
}

/// A place in WHO: whose rows were there, and, between two of them, the number of the session that was last.
struct Place {
    name: String,
    behind: Option<u64>,
}

impl Place {
    /// What a page gave as `next`, or a name. No name has a colon in it.
    fn of(after: &str) -> Place {
        let visitor = match Party::parse(after) {
            Party::Visitor(rest) => Some(rest),
            _ => None,
        };
        let after = visitor.as_deref().unwrap_or(after);
        let inside = after.rsplit_once(':').and_then(|(name, session)| Some((name, session.parse().ok()?)));
        let (name, behind) = inside.map_or((after, None), |(name, session)| (name, Some(session)));
        let kind = if visitor.is_some() { PrincipalKind::Visitor } else { PrincipalKind::Player };
        Place { name: list_key(Principal { kind, id: 0 }, name).unwrap_or_default(), behind }
    }

    /// Whether a session of somebody lies behind it.
    fn is_before(&self, key: &str, session: u64) -> bool {
        self.name != key || self.behind.is_some_and(|behind| session > behind)
    }
}

/// Where a player is: a row for each session of his, and for each game server that says he is there; with the number of the session
/// that it comes from.
fn rows_of(call: &Call<'_>, who: Principal, now: Instant) -> Vec<(u64, WhoRow)> {
    let online = &call.state.online;
    let shown = call.state.party(call.memory, who).to_string();
    let sessions = online.sessions(who).iter().filter_map(|at| call.session_in(at.slot));
    let mut rows: Vec<(u64, WhoRow)> = sessions
        .map(|session| {
            let place = if session.mode == Mode::Human { "terminal" } else { "client" }.to_owned();
            let player = shown.clone();
            (session.number, WhoRow { player, place, idle: session.idle(now), since: session.proved })
        })
        .collect();
    rows.extend(online.stays(who).iter().map(|stay| {
        let place = universe::place_of(call, who, stay.place);
        let place = place.map_or_else(|| "in a world".to_owned(), |place| format!("on {place}"));
        let player = shown.clone();
        let number = match stay.seat {
            Seat::Session(number) => number,
            // Behind all sessions.
            Seat::World(world) => 1 << 63 | u64::from(world.0),
        };
        (number, WhoRow { player, place, idle: 0, since: stay.since })
    }));
    rows.sort_by_key(|(number, _)| *number);
    rows
}

/// `WHO`, by name and number.
pub fn who(call: Call<'_>, page: Page) -> Plan<PlayerChange> {
    if let Err(failure) = universe::may_see_where(&call) {
        return failure.into();
    }
    let limit = call.page_limit(page.limit);
    let now = Instant::now();
    let after = page.after.as_deref().map(Place::of);
    let online = &call.state.online;
    let from = after.as_ref().map_or(Bound::Unbounded, |after| Bound::Included(after.name.as_str()));
    let rows = online.names.range::<str, _>((from, Bound::Unbounded)).flat_map(|(key, who)| {
        let mut rows = rows_of(&call, *who, now);
        rows.retain(|(number, _)| after.as_ref().is_none_or(|after| after.is_before(key, *number)));
        rows
    });
    let mut rows = rows.take(limit + 1).peekable();
    let (mut players, mut next) = (Vec::new(), None);
    while let Some((number, row)) = rows.next() {
        if players.len() + 1 == limit {
            // Where his next row is on the next page.
            next = rows.peek().map(|(_, other)| match other.player == row.player {
                true => format!("{}:{number}", row.player),
                false => row.player.clone(),
            });
        }
        players.push(row);
        if players.len() == limit {
            break;
        }
    }
    let total = u32::try_from(online.names.len()).unwrap_or(u32::MAX);
    Plan::Reply(Reply::Who(Who { players, total, next }))
}

/// What is to be said of a visitor.
fn finger_visitor(call: &Call<'_>, name: &str) -> Plan<PlayerChange> {
    let id = call.state.visitors.named(&names::fold(name));
    let Some((id, visitor)) = id.and_then(|id| Some((id, call.state.visitors.get(id)?))) else {
        return Failure::new(Code::NotFound, "There is no such visitor.").into();
    };
    let (who, now) = (principal(id), Instant::now());
    let sessions = call.state.online.sessions(who).iter();
    let idle = sessions.filter_map(|at| call.session_in(at.slot)).map(|session| session.idle(now)).min();
    let stays = call.state.online.stays(who).iter();
    let stays = stays.filter(|_| universe::may_see_where(call).is_ok());
    let worlds: Vec<String> = stays.filter_map(|stay| universe::place_of(call, who, stay.place)).collect();
    let player = call.state.party(call.memory, who).to_string();
    let (registered, online) = (visitor.since, call.state.is_there(who));
    let (last_login, records, properties) = (None, Vec::new(), Vec::new());
    let fingered = Fingered { player, registered, last_login, online, idle, records, worlds, properties };
    Plan::Reply(Reply::Fingered(fingered))
}

/// `FINGER`: what everybody may know of a player.
pub fn finger(call: Call<'_>, request: Finger) -> Plan<PlayerChange> {
    if let Party::Visitor(name) = Party::parse(&request.player) {
        return finger_visitor(&call, &name);
    }
    if let Party::World(name) = Party::parse(&request.player) {
        let found = call.memory.licence_named(&name);
        let msg = |world: &str| format!("{world} is a world, no player: WORLD SHOW {world} tells of it.");
        return found.map_or_else(|it| it, |world| Failure::new(Code::NotFound, msg(&world.name))).into();
    }
    let id = match call.memory.player_id(&request.player) {
        Ok(found) => found,
        Err(failure) => return visitors::or_a_visitor(call.state, &request.player, failure).into(),
    };
    let now = Instant::now();
    let sessions = call.state.online.sessions(Principal::from(id)).iter();
    let idle = sessions.filter_map(|at| call.session_in(at.slot)).map(|session| session.idle(now)).min();
    let seen = universe::may_see_where(&call).is_ok();
    let stays = call.state.online.stays(id).iter().filter(|_| seen);
    let worlds: Vec<String> = stays.filter_map(|stay| universe::place_of(&call, id.into(), stay.place)).collect();
    let boards = read(&call.memory.boards);
    let standing = boards.iter_after(None).filter_map(|ranking| Some((ranking, ranking.standing(id)?)));
    let mut records: Vec<FingerRecord> = standing
        .map(|(ranking, standing)| FingerRecord {
            board: ranking.board.name.clone(),
            score: standing.score,
            unit: ranking.board.unit.clone(),
            rank: ranking.rank(standing.score, standing.order),
        })
        .collect();
    records.sort_by_key(|record| record.rank);
    records.truncate(FINGER_BOARDS);
    let online = call.state.is_there(id.into());
    let reading = Reading::of(&call.access(), id.into());
    Plan::read(move |reader| {
        let Some(player) = reader.player(id)? else { return refuse(Code::NotFound, "There is no such player.") };
        let (player, registered, last_login) = (player.name, player.registered, player.last_login);
        let properties = reading.for_finger(reader.properties_for_finger(id.into())?);
        Ok(Reply::Fingered(Fingered { player, registered, last_login, online, idle, records, worlds, properties }))
    })
}
