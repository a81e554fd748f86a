//! How players come to game servers and worlds, and how those say who is there. A player gets a pass, shows it there, and the game
//! server learns who he is; it never sees a password.

use super::call::try_again_in;
use super::{Call, Me, Plan, check_length, visitors};
use crate::state::hosting::Hosting;
use crate::state::journal::Entry;
use crate::state::names::fold;
use crate::state::online::{Seat, Stay};
use crate::state::passes::{FRONT, GOOD, HeldPass, PassError, ShownTo, Wanted, random};
use crate::state::session::Proof;
use crate::state::visitors::principal;
use crate::work::Volatile;
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use ssmglobal_ipc::{
    Code, Failure, HolderKind, Party, Pass, PassGiven, PassRedeem, PassRedeemed, Present, Rating, RatingLimit, Reply,
    Secret, Time, Visit, WorldEnter, WorldEntered,
};
use ssmglobal_store::{KeptLicence, PlayerId, Principal, PrincipalKind, Row, ServerId, WorldId};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Players on one game server, as one of its connections says, or in one world.
const GUESTS: usize = 10_000;

/// Bytes of a language, of a charset.
const TAG: usize = 35;

/// With it somebody is let in where there is no room.
pub(super) const VIP: &str = "vip";

changes! {
    /// Changes of what players want of worlds.
    EntryChange: Limit
}

/// For whom the worlds may be that a player is let into.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Whose limit.
    pub player: PlayerId,
    /// At the most; nothing: any.
    pub rating: Option<Rating>,
}

impl Decide for Limit {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        if facts.player(self.player)?.is_none() {
            return refuse(Code::NotFound, "There is no such player.");
        }
        Ok(Decided::done(Row::PlayerRating { player: self.player, rating: self.rating }))
    }
}

/// `RATING`: a player sets for whom the worlds may be, at the most, that he is let into.
pub fn rating(_: Call<'_>, me: Me<PlayerId>, request: RatingLimit) -> Plan<EntryChange> {
    Plan::change(Limit { player: me.id, rating: request.rating })
}

/// Gives a pass for a place.
fn given(call: &mut Call<'_>, wanted: Wanted, reply: impl FnOnce(Secret, u32) -> Reply) -> Plan {
    let Some(random) = random() else {
        return Failure::new(Code::Unavailable, "No pass can be made at the moment. Try again later.").into();
    };
    let Some((word, pass)) = call.state.passes.give(wanted, Time::now(), random) else {
        return Failure::new(Code::Busy, "Too many passes are waiting to be used. Try again in a minute.").into();
    };
    let reply = reply(word, u32::try_from(GOOD / 1000).unwrap_or_default());
    Plan::Volatile(Volatile { reply, news: Vec::new(), entries: vec![Entry::Held((&pass).into())] })
}

/// `PASS`: a player gets a word by which a game server knows who he is.
pub fn pass(mut call: Call<'_>, me: Me<PlayerId>, request: Pass) -> Plan {
    let (server, name) = match call.memory.server_named(&request.server) {
        Ok(found) => found,
        Err(failure) => {
            // Of those that show themselves.
            let shown = |_, name: &str| call.state.worlds.named(name).is_some();
            return call.memory.or_server_meant(failure, &request.server, shown).into();
        }
    };
    if call.memory.is_barred(server.into()) {
        return Failure::new(Code::Denied, format!("The game server {name} is closed.")).into();
    }
    let wanted = Wanted::by(call.session, me.id.into(), server.into());
    given(&mut call, wanted, |pass, seconds| Reply::PassGiven(PassGiven { pass, server: name, seconds }))
}

/// Whether somebody is let into a world, in the order in which he is told why not.
fn is_let_in(
    call: &Call<'_>,
    player: Option<PlayerId>,
    licence: &KeptLicence,
    request: &WorldEnter,
) -> Result<Hosting, Failure> {
    let name = &licence.name;
    let Some(hosting) = call.state.hosted.get(licence.id) else {
        return Err(Failure::new(Code::NotRunning, format!("{name} is not running at the moment. Try again later.")));
    };
    let universe = call.memory.universe();
    if player.is_none() && !universe.visitors {
        return Err(visitors::not_let_in(&universe));
    }
    if player.is_none() && !licence.visitors {
        let msg = format!("{name} lets no visitors in. {}", visitors::way_out(&universe));
        return Err(Failure::new(Code::NoVisitors, msg));
    }
    // The licence may ask for more than the universe.
    let least = licence.client.max(universe.client);
    if request.version.unwrap_or_default() < least {
        let msg = format!("{name} lets clients in from version {least} on. Update yours, or let it say its version.");
        return Err(Failure::new(Code::TooOld, msg));
    }
    let is_vip = player.is_some_and(|player| call.memory.has_right(player, VIP));
    if hosting.users >= licence.users && !is_vip {
        return Err(Failure::new(Code::Full, format!("{name} is full: {} are there. Try again later.", hosting.users)));
    }
    let limit = player.and_then(|player| call.memory.rating_of(player));
    if let Some(limit) = limit.filter(|limit| hosting.rating > *limit) {
        let (rating, limit) = (hosting.rating.as_str(), limit.as_str());
        let msg = format!("{name} is rated {rating}, and you want worlds up to {limit}: RATING changes that.");
        return Err(Failure::new(Code::Rated, msg));
    }
    Ok(hosting.clone())
}

/// The world of this name; without one the start world.
fn world_meant(call: &Call<'_>, name: &str) -> Result<Arc<KeptLicence>, Failure> {
    if !name.is_empty() {
        return call.memory.licence_named(name);
    }
    let none = || Failure::new(Code::NotFound, "There is no start world here. Say which you mean; WORLDS lists them.");
    let universe = call.memory.universe();
    let start = universe.start.as_deref().ok_or_else(none)?;
    call.memory.licence_named(start).map_err(|_| {
        let msg = format!("The start world {start} is not there any more. Say which you mean; WORLDS lists them.");
        Failure::new(Code::NotFound, msg)
    })
}

/// `WORLD ENTER`.
pub fn enter_world(mut call: Call<'_>, request: WorldEnter) -> Plan {
    let me = match call.somebody() {
        Ok(me) => me,
        Err(failure) => return failure.into(),
    };
    let tags = [("A language", &request.language), ("A charset", &request.charset)];
    for (what, tag) in tags.into_iter().filter_map(|(what, tag)| Some((what, tag.as_ref()?))) {
        if let Err(failure) = check_length(what, tag.len(), TAG) {
            return failure.into();
        }
        if tag.chars().any(char::is_control) {
            return Failure::new(Code::Invalid, format!("{what} holds no control characters.")).into();
        }
    }
    let found = world_meant(&call, &request.world);
    let found = found.and_then(|licence| Ok((is_let_in(&call, me.id.as_player(), &licence, &request)?, licence)));
    let (hosting, licence) = match found {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    let mut wanted = Wanted::by(call.session, me.id, licence.id.into());
    wanted.checked = licence.check_address;
    wanted.address = wanted.address.filter(|_| licence.check_address);
    (wanted.language, wanted.charset) = (request.language, request.charset);
    given(&mut call, wanted, |pass, seconds| {
        let (world, number) = (licence.name.clone(), licence.id.0);
        Reply::WorldEntered(WorldEntered { world, number, address: hosting.address, port: hosting.port, pass, seconds })
    })
}

/// What a game server speaks of: itself, or one of the worlds that it hosts on this connection.
#[derive(Clone, Debug)]
enum HostedPlace {
    Server(ServerId),
    World(Arc<KeptLicence>),
}

impl HostedPlace {
    /// The world of this name, which this connection must host; without a name the game server itself.
    fn of(call: &Call<'_>, me: &Me<ServerId>, world: Option<&str>) -> Result<HostedPlace, Failure> {
        let Some(world) = world else { return Ok(HostedPlace::Server(me.id)) };
        let licence = call.memory.licence_named(world)?;
        if !hosts(call, licence.id) {
            let msg = format!("This connection does not host {}. HOST START begins.", licence.name);
            return Err(Failure::new(Code::Denied, msg));
        }
        Ok(HostedPlace::World(licence))
    }

    fn place(&self) -> Principal {
        match self {
            HostedPlace::Server(server) => (*server).into(),
            HostedPlace::World(licence) => licence.id.into(),
        }
    }

    fn seat(&self, call: &Call<'_>) -> Seat {
        match self {
            HostedPlace::Server(_) => Seat::Session(call.session.number),
            HostedPlace::World(licence) => Seat::World(licence.id),
        }
    }
}

/// Whether this connection hosts a world.
fn hosts(call: &Call<'_>, world: WorldId) -> bool {
    call.state.hosted.get(world).is_some_and(|hosting| hosting.host.session == call.session.number)
}

/// Whether a pass for this place may be shown on this connection.
fn is_here(call: &Call<'_>, me: ServerId, place: Principal) -> bool {
    match place.kind {
        PrincipalKind::Server => place == me.into(),
        PrincipalKind::World => hosts(call, WorldId(place.id)),
        PrincipalKind::Player
        | PrincipalKind::Visitor
        | PrincipalKind::Bot
        | PrincipalKind::Channel
        | PrincipalKind::Backend => false,
    }
}

/// `PASS REDEEM`.
pub fn redeem(call: Call<'_>, me: Me<ServerId>, request: PassRedeem) -> Plan {
    let address = match request.address.as_deref().map(str::parse::<IpAddr>).transpose() {
        Ok(address) => address.map(|address| address.to_canonical()),
        Err(_) => {
            return Failure::new(Code::Invalid, "That is no address: give it as 192.0.2.7 or 2001:db8::7.").into();
        }
    };
    let wanted = match request.world.as_deref().map(|world| HostedPlace::of(&call, &me, Some(world))).transpose() {
        Ok(wanted) => wanted.map(|here| here.place()),
        Err(failure) => return failure.into(),
    };
    let mut passes = std::mem::take(&mut call.state.passes);
    let here = |place: Principal| is_here(&call, me.id, place) && wanted.is_none_or(|wanted| wanted == place);
    let redeemed =
        passes.redeem(&request.pass, &ShownTo { server: me.id, is_here: &here, address }, Time::now(), Instant::now());
    call.state.passes = passes;
    let pass = match redeemed {
        Ok(pass) => pass,
        Err(why) => {
            // That it has ended is no reason where there is a better one.
            let found = call.state.passes.find(&request.pass).filter(|_| why == PassError::Ended);
            let other = found.filter(|pass| is_here(&call, me.id, pass.of.place) && !still_is(&call, pass));
            return other.map_or_else(|| refused(why), |pass| is_not(pass.of.holder)).into();
        }
    };
    if !still_is(&call, &pass) {
        return is_not(pass.of.holder).into();
    }
    let entries = vec![Entry::Held((&pass).into())];
    Plan::Volatile(Volatile { reply: Reply::PassRedeemed(redeemed_pass(&call, &pass)), news: Vec::new(), entries })
}

/// Whether the holder of a pass is who he was.
fn still_is(call: &Call<'_>, pass: &HeldPass) -> bool {
    let holder = pass.of.holder;
    let is_here = holder.kind != PrincipalKind::Visitor || call.state.visitors.get(holder.id).is_some();
    is_here && call.memory.holds(Proof { who: holder, epoch: pass.of.epoch })
}

/// Why he is not.
fn is_not(holder: Principal) -> Failure {
    let msg = match holder.kind {
        PrincipalKind::Visitor => "This visitor has gone.",
        _ => "This player was disabled, or has another password since.",
    };
    Failure::new(Code::Denied, msg)
}

/// What a place is told of whose pass it was shown.
fn redeemed_pass(call: &Call<'_>, pass: &HeldPass) -> PassRedeemed {
    let Wanted { holder, place, since, language, charset, .. } = pass.of.clone();
    PassRedeemed {
        player: call.state.party(call.memory, holder).to_string(),
        number: holder.id,
        kind: if holder.kind == PrincipalKind::Visitor { HolderKind::Visitor } else { HolderKind::Player },
        rights: holder.as_player().map_or_else(Vec::new, |player| call.memory.rights_of(player)),
        world: (place.kind == PrincipalKind::World).then(|| call.memory.name(place)).flatten(),
        language,
        charset,
        since: Some(since),
    }
}

fn refused(why: PassError) -> Failure {
    let (code, msg) = match why {
        PassError::Unknown => {
            (Code::NotFound, "There is no such pass. The player can get another: PASS and your name.")
        }
        PassError::Elsewhere => (Code::OtherPlace, "This pass is for another game server or world."),
        PassError::Used => (Code::Used, "This pass was used already."),
        PassError::Ended => {
            (Code::Expired, "This pass has ended: it is good for a minute, and until its player logs out.")
        }
        PassError::OtherAddress => (Code::OtherAddress, "This pass was given to somebody at another address."),
        PassError::NoAddress => {
            (Code::Invalid, "The licence of this world wants to know where its guest comes from: give the address.")
        }
        PassError::Slow { seconds } => return try_again_in("Too many wrong passes.", seconds),
    };
    Failure::new(code, msg)
}

/// Somebody who is to be somewhere.
#[derive(Clone, Debug)]
struct Guest {
    who: Principal,
    name: Arc<str>,
    identified: bool,
}

/// Whoever is meant by a name, or by a pass that was shown here. In a world that has a licence nobody is who has not shown one: else
/// its host could have what is meant for somebody who never came.
fn guest(call: &Call<'_>, me: &Me<ServerId>, here: &HostedPlace, text: &str) -> Result<Guest, Failure> {
    let is_pass = text.get(..FRONT.len()).is_some_and(|front| front.eq_ignore_ascii_case(FRONT));
    if is_pass {
        let shown = call.state.passes.shown_here(&Secret::new(text), |place| place == here.place());
        let shown = shown.filter(|pass| still_is(call, pass));
        let unknown = || Failure::new(Code::NotFound, "That pass was not shown here. PASS REDEEM comes first.");
        let who = shown.map(|pass| pass.of.holder).ok_or_else(unknown)?;
        let name = call.state.name(call.memory, who).unwrap_or_default().into();
        return Ok(Guest { who, name, identified: true });
    }
    let (player, name) = match Party::parse(text) {
        Party::Visitor(name) => match registered(call, &name) {
            Some(player) => (player, call.memory.name(player.into()).unwrap_or_default()),
            None => return visitor(call, here, &name),
        },
        _ => call.memory.player_named(text)?,
    };
    let who = Principal::from(player);
    if call.memory.is_barred(who) {
        return Err(Failure::new(Code::Denied, format!("{name} was disabled by the operator.")));
    }
    let (epoch, now) = (call.memory.epoch(who), Time::now());
    let places = [here.place(), me.id.into()];
    let identified = places.iter().any(|place| call.state.passes.is_identified(who, epoch, *place, now));
    match (here, identified) {
        (HostedPlace::World(licence), false) => {
            let msg = format!("{name} has shown no pass for {}. PASS REDEEM comes first.", licence.name);
            Err(Failure::new(Code::Denied, msg))
        }
        _ => Ok(Guest { who, name: name.into(), identified }),
    }
}

/// The player that somebody has just become who was a visitor of this name, and whom his host may still know by that.
fn registered(call: &Call<'_>, name: &str) -> Option<PlayerId> {
    let folded = fold(name);
    if call.state.visitors.named(&folded).is_some() {
        return None;
    }
    call.state.visitors.now_player(&folded, Time::now()).map(PlayerId)
}

/// A visitor who has shown a pass here.
fn visitor(call: &Call<'_>, here: &HostedPlace, name: &str) -> Result<Guest, Failure> {
    let unknown = || Failure::new(Code::NotFound, "There is no such visitor.");
    let id = call.state.visitors.named(&fold(name)).ok_or_else(unknown)?;
    let visitor = call.state.visitors.get(id).ok_or_else(unknown)?;
    if !call.state.passes.is_identified(principal(id), 0, here.place(), Time::now()) {
        let msg = format!("\"{}\" has shown no pass here. PASS REDEEM comes first.", visitor.name);
        return Err(Failure::new(Code::Denied, msg));
    }
    Ok(Guest { who: principal(id), name: visitor.name.as_str().into(), identified: true })
}

fn too_many() -> Failure {
    Failure::new(Code::Limit, format!("More than {GUESTS} players in one place are not shown."))
}

/// `ENTER`: a game server says that somebody is there.
pub fn enter(call: Call<'_>, me: Me<ServerId>, request: Visit) -> Plan {
    let found = HostedPlace::of(&call, &me, request.world.as_deref());
    let found = found.and_then(|here| Ok((guest(&call, &me, &here, &request.player)?, here)));
    let (guest, here) = match found {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    let (seat, place) = (here.seat(&call), here.place());
    if !call.state.online.is_guest(guest.who, seat) && call.state.online.guests(seat).len() >= GUESTS {
        return too_many().into();
    }
    let Guest { who, name, identified } = guest;
    call.state.arrive(who, &name, Stay { seat, place, since: Time::now(), identified });
    Plan::done()
}

/// `LEAVE`: a game server says that somebody is there no longer.
pub fn leave(call: Call<'_>, me: Me<ServerId>, request: Visit) -> Plan {
    let here = match HostedPlace::of(&call, &me, request.world.as_deref()) {
        Ok(here) => here,
        Err(failure) => return failure.into(),
    };
    let shown = call.state.passes.shown_here(&Secret::new(&*request.player), |place| place == here.place());
    let who = match (shown.map(|pass| pass.of.holder), Party::parse(&request.player)) {
        (Some(who), _) => Ok(who),
        // One who is known no more is there no more.
        (None, Party::Visitor(name)) => match call.state.visitors.named(&fold(&name)) {
            Some(id) => Ok(principal(id)),
            None => match registered(&call, &name) {
                Some(player) => Ok(player.into()),
                None => return Plan::done(),
            },
        },
        (None, _) => call.memory.player_id(&request.player).map(Principal::from),
    };
    match who {
        Ok(who) => call.state.depart(who, here.seat(&call)),
        Err(failure) => return failure.into(),
    }
    Plan::done()
}

/// `PRESENT`: who is not named is not there.
pub fn present(call: Call<'_>, me: Me<ServerId>, request: Present) -> Plan {
    if request.players.len() > GUESTS {
        return too_many().into();
    }
    let found = HostedPlace::of(&call, &me, request.world.as_deref()).and_then(|here| {
        let guests: Result<Vec<Guest>, Failure> =
            request.players.iter().map(|name| guest(&call, &me, &here, name)).collect();
        Ok((here, guests?))
    });
    let (here, mut there) = match found {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    there.sort_unstable_by_key(|guest| guest.who);
    let (seat, place, since) = (here.seat(&call), here.place(), Time::now());
    let is_there = |who: &Principal| there.binary_search_by_key(who, |guest| guest.who).is_ok();
    let gone: Vec<Principal> = call.state.online.guests(seat).filter(|who| !is_there(who)).collect();
    gone.into_iter().for_each(|who| call.state.depart(who, seat));
    for Guest { who, name, identified } in &there {
        call.state.arrive(*who, name, Stay { seat, place, since, identified: *identified });
    }
    Plan::done()
}
