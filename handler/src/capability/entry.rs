//! How a game server lets players in, and says who is there. A player gets a pass, shows it there, and the server learns who he is;
//! it never sees a password.

use super::call::try_again_in;
use super::{Call, Me, Plan};
use crate::state::online::Stay;
use crate::state::passes::{GOOD, HeldPass, NotGood};
use crate::state::session::Proof;
use crate::work::Volatile;
use ssmglobal_ipc::{Code, Failure, Pass, PassGiven, PassRedeem, PassRedeemed, Present, Reply, Time, Visit};
use ssmglobal_store::{PlayerId, ServerId};
use std::net::IpAddr;
use std::sync::Arc;

/// Players on one game server, as one of its connections says.
const GUESTS: usize = 10_000;

/// `PASS`.
pub fn pass(call: Call<'_>, me: Me<PlayerId>, request: Pass) -> Plan {
    let (server, name) = match call.memory.server_named(&request.server) {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    if call.memory.is_barred(server.into()) {
        return Failure::new(Code::Denied, format!("The game server {name} is closed.")).into();
    }
    let mut random = [0; 12];
    if let Err(error) = getrandom::fill(&mut random) {
        log::error!("no pass can be made: {error}");
        return Failure::new(Code::Unavailable, "No pass can be made at the moment. Try again later.").into();
    }
    let address = call.session.address.map(|address| address.ip().to_canonical());
    let epoch = call.session.identity.as_ref().map_or(0, |identity| identity.epoch);
    let Some((pass, entry)) = call.state.passes.give((me.id, epoch), server, address, Time::now(), random) else {
        return Failure::new(Code::Busy, "Too many passes are waiting to be used. Try again in a minute.").into();
    };
    let seconds = u32::try_from(GOOD / 1000).unwrap_or_default();
    let reply = Reply::PassGiven(PassGiven { pass, server: name, seconds });
    Plan::Volatile(Volatile { reply, news: Vec::new(), entries: vec![entry] })
}

/// `PASS REDEEM`.
pub fn redeem(call: Call<'_>, me: Me<ServerId>, request: PassRedeem) -> Plan {
    let address = match request.address.as_deref().map(str::parse::<IpAddr>).transpose() {
        Ok(address) => address.map(|address| address.to_canonical()),
        Err(_) => {
            return Failure::new(Code::Invalid, "That is no address: give it as 192.0.2.7 or 2001:db8::7.").into();
        }
    };
    let (HeldPass { player, epoch, .. }, entry) =
        match call.state.passes.redeem(&request.pass, me.id, address, Time::now()) {
            Ok(redeemed) => redeemed,
            Err(why) => return refused(&call, why).into(),
        };
    if !call.memory.holds(Proof { who: player.into(), epoch }) {
        return Failure::new(Code::Denied, "This player was disabled, or has another password since.").into();
    }
    let name = call.memory.name(player.into()).unwrap_or_default();
    let reply = Reply::PassRedeemed(PassRedeemed { player: name, number: player.0 });
    Plan::Volatile(Volatile { reply, news: Vec::new(), entries: vec![entry] })
}

fn refused(call: &Call<'_>, why: NotGood) -> Failure {
    let (code, msg) = match why {
        NotGood::Unknown => (Code::NotFound, "There is no such pass. The player can get another: PASS and your name."),
        NotGood::Elsewhere => (Code::Denied, "This pass is for another game server."),
        NotGood::Used => (Code::Denied, "This pass was used already, or its player has logged out."),
        NotGood::Ended => (Code::Denied, "This pass has ended: it is good for a minute."),
        NotGood::OtherAddress => (Code::Denied, "This pass was given to somebody at another address."),
        NotGood::Slow { seconds, first } => {
            if first {
                log::warn!("{}: too many wrong passes; it has to wait {seconds} s", call.session.peer());
            }
            return try_again_in("Too many wrong passes.", seconds);
        }
    };
    Failure::new(code, msg)
}

/// A player who may be on a game server.
fn visitor(call: &Call<'_>, name: &str) -> Result<(PlayerId, Arc<str>), Failure> {
    let (player, name) = call.memory.player_named(name)?;
    match call.memory.is_barred(player.into()) {
        true => Err(Failure::new(Code::Denied, format!("{name} was disabled by the operator."))),
        false => Ok((player, name.into())),
    }
}

fn too_many() -> Failure {
    Failure::new(Code::Limit, format!("More than {GUESTS} players on one game server are not shown."))
}

/// `ENTER`.
pub fn enter(call: Call<'_>, me: Me<ServerId>, request: Visit) -> Plan {
    let (player, name) = match visitor(&call, &request.player) {
        Ok(found) => found,
        Err(failure) => return failure.into(),
    };
    let host = call.session.number;
    if !call.state.online.is_guest(player, host) && call.state.online.guests(host).len() >= GUESTS {
        return too_many().into();
    }
    call.state.arrive(player, &name, Stay { host, server: me.id, since: Time::now() });
    Plan::done()
}

/// `LEAVE`.
pub fn leave(call: Call<'_>, _: Me<ServerId>, request: Visit) -> Plan {
    match call.memory.player_id(&request.player) {
        Ok(player) => call.state.depart(player, call.session.number),
        Err(failure) => return failure.into(),
    }
    Plan::done()
}

/// `PRESENT`: who is not named is not there.
pub fn present(call: Call<'_>, me: Me<ServerId>, request: Present) -> Plan {
    if request.players.len() > GUESTS {
        return too_many().into();
    }
    let found: Result<Vec<(PlayerId, Arc<str>)>, Failure> =
        request.players.iter().map(|name| visitor(&call, name)).collect();
    let mut there = match found {
        Ok(there) => there,
        Err(failure) => return failure.into(),
    };
    there.sort_unstable_by_key(|(player, _)| *player);
    let (host, since) = (call.session.number, Time::now());
    let is_there = |player: &PlayerId| there.binary_search_by_key(player, |(other, _)| *other).is_ok();
    let gone: Vec<PlayerId> = call.state.online.guests(host).filter(|player| !is_there(player)).collect();
    gone.into_iter().for_each(|player| call.state.depart(player, host));
    there.iter().for_each(|(player, name)| call.state.arrive(*player, name, Stay { host, server: me.id, since }));
    Plan::done()
}
