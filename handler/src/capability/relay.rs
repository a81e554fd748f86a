//! Relay between game servers: channels with numbered messages, messages to one server.
//!
//! A channel's messages go through a ring in shared memory that its members' workers read: sending costs the handler
//! the same for one member as for a thousand.

use super::{Call, Me, Plan, check_length};
use crate::state::bus::Outgoing;
use crate::state::names;
use crate::state::news::{Audience, News};
use crate::state::pages::next_page;
use crate::state::topic::{ChannelId, Topic};
use crate::work::Volatile;
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes};
use ssmglobal_ipc::{
    ChannelRow, Channels, Code, Event, Failure, Page, Position, RelayFetch, RelayFetched, RelayJoin, RelayJoined,
    RelayLeave, RelayMessage, RelaySend, RelaySent, Reply, Time, nearest,
};
use ssmglobal_store::{Principal, Row, ServerId};

changes! {
    /// Changes of what is kept of the relay.
    RelayChange: MoveMark
}

/// The mark ahead of all numbers of messages is moved.
#[derive(Clone, Debug)]
pub struct MoveMark {
    /// Up to here.
    pub upto: u64,
}

impl Decide for MoveMark {
    fn decide(&self, _: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        Ok(Decided::done(Row::RelayMark { upto: self.upto }))
    }
}

/// Bytes of lines in one answer to a fetch.
const FETCH: usize = 128 << 10;

/// Bytes of a channel's name.
const NAME: usize = 64;

fn not_joined(call: &Call<'_>, name: &str) -> Failure {
    let shown: String = name.chars().take(NAME).collect();
    let failure = Failure::new(Code::NotFound, format!("You are not on the channel {shown}. RELAY JOIN it first."));
    call.memory.guesses.guess(failure, || {
        let own = call.session.subscriptions.iter().filter_map(|topic| match topic {
            Topic::Channel(id) => call.state.bus.channel(*id).map(|channel| channel.name.as_str()),
            _ => None,
        });
        nearest(name, own).map(str::to_owned)
    })
}

/// The channel with this name, made now if there was none.
fn channel_named(call: &mut Call<'_>, name: &str) -> Result<ChannelId, Failure> {
    names::check_plain("channel", name, NAME)?;
    if let Some(channel) = call.state.bus.named(name) {
        return Ok(channel.id);
    }
    let most = call.settings.relay.channels;
    match call.state.make_channel(name, most) {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(Failure::new(Code::Limit, format!("There are {most} channels already."))),
        Err(error) => {
            log::error!("no new relay channel: {error}");
            Err(Failure::new(Code::Unavailable, "The channel cannot be made at the moment."))
        }
    }
}

/// The channel with this name, if the session is on it.
fn joined(call: &Call<'_>, name: &str) -> Option<ChannelId> {
    let id = call.state.bus.named(name)?.id;
    call.session.subscriptions.contains(&Topic::Channel(id)).then_some(id)
}

/// `RELAY JOIN`.
pub fn join(mut call: Call<'_>, me: Me<ServerId>, request: RelayJoin) -> Plan {
    if let Err(failure) = names::check_plain("channel", &request.channel, NAME) {
        return failure.into();
    }
    // Before the channel is made: one that nobody may join is not to be there. No channel has the number 0.
    let there = call.state.bus.named(&request.channel).map_or(ChannelId(0), |channel| channel.id);
    if let Some(count) = call.session.is_listening_enough(Topic::Channel(there), call.settings) {
        let msg = format!("You are on {count} channels already. RELAY LEAVE one first.");
        return Failure::new(Code::Limit, msg).into();
    }
    let id = match channel_named(&mut call, &request.channel) {
        Ok(id) => id,
        Err(failure) => return failure.into(),
    };
    call.state.bus.touch(id);
    call.state.subscribe(call.session, call.at, Topic::Channel(id));
    let gone = || Failure::new(Code::Unavailable, "The channel cannot be joined at the moment.");
    let Some(channel) = call.state.bus.channel(id) else { return gone().into() };
    let fds = match channel.ring.descriptors() {
        Ok(fds) => fds,
        Err(error) => {
            log::error!("a relay channel cannot be handed over: {error}");
            return gone().into();
        }
    };
    let (name, now, position) = (channel.name.clone(), channel.position(), channel.ring.position());
    // 0: as an older worker says that it does not know.
    let seen_in = request.epoch.filter(|epoch| *epoch != 0);
    let known = request.since.map(|since| channel.position_of(since, seen_in));
    let after = known.map_or(now, |known| known.unwrap_or(channel.kept_behind()));
    let since = call.state.bus.since(id, &me.name, after, now.number);
    let (missed, waiting) = since.map_or((0, 0), |since| (since.missed, since.kept.count() as u64));
    let (unknown, behind) = (known == Some(None), after.number.saturating_add(missed));
    let (epoch, number) = (now.epoch, now.number);
    let reply = RelayJoined { channel: name, number, missed, waiting, position, epoch, behind, unknown };
    Plan::WithDescriptors(Reply::RelayJoined(reply), fds)
}

/// `RELAY LEAVE`.
pub fn leave(call: Call<'_>, _: Me<ServerId>, request: RelayLeave) -> Plan {
    let Some(id) = joined(&call, &request.channel) else { return not_joined(&call, &request.channel).into() };
    call.state.unsubscribe(call.session, call.at, Topic::Channel(id));
    Plan::done()
}

/// `RELAY SEND`.
pub fn send(mut call: Call<'_>, me: Me<ServerId>, request: RelaySend) -> Plan {
    if let Err(failure) = check_length("A relay message", request.body.len(), call.settings.relay.message) {
        return failure.into();
    }
    let (from, body) = (me.name.to_string(), request.body);
    match (request.channel, request.to) {
        (Some(name), None) => match channel_named(&mut call, &name) {
            Ok(channel) => {
                let topic = Topic::Channel(channel);
                let receivers = call.state.members(topic).saturating_sub(own_members(&call, &me, topic));
                Plan::Publish(Outgoing { channel, from, body, receivers })
            }
            Err(failure) => failure.into(),
        },
        (None, Some(to)) => {
            let from = me.party();
            to_one(&call, RelayMessage { channel: None, number: 0, from, at: Time::now(), body }, to)
        }
        _ => Failure::new(Code::Usage, "Say where to: a channel, or one server as \"to\", not both.").into(),
    }
}

/// How many connections of the sender are on a channel: they get nothing of what it sends there.
fn own_members(call: &Call<'_>, me: &Me<ServerId>, topic: Topic) -> u32 {
    let own = call.state.online.sessions(me.id.into()).iter().filter_map(|at| call.session_in(at.slot));
    u32::try_from(own.filter(|session| session.subscriptions.contains(&topic)).count()).unwrap_or(u32::MAX)
}

fn to_one(call: &Call<'_>, message: RelayMessage, to: String) -> Plan {
    let server = call.memory.server_named(&to).ok().map(|(id, _)| Principal::from(id));
    let Some(server) = server.filter(|server| call.state.online.is_on(*server)) else {
        let shown: String = to.chars().take(NAME).collect();
        let failure = Failure::new(Code::NotFound, format!("The game server {shown} is not connected."));
        return call.memory.or_server_meant(failure, &to, |id, _| call.state.online.is_on(id.into())).into();
    };
    let receivers = u32::try_from(call.state.online.sessions(server).len()).unwrap_or(u32::MAX);
    let reply = Reply::RelaySent(RelaySent { channel: None, to: Some(to), number: 0, receivers });
    let news = vec![News::Tell { to: Audience::Principal(server), event: Event::Relay(message) }];
    Plan::Volatile(Volatile { reply, news, entries: Vec::new() })
}

/// A worker asks for kept messages, before it goes on with the ring.
pub fn fetch(call: Call<'_>, me: Me<ServerId>, request: RelayFetch) -> Plan {
    let Some(id) = joined(&call, &request.channel) else { return not_joined(&call, &request.channel).into() };
    let present = call.state.bus.channel(id).map_or(0, |channel| channel.position().epoch);
    let epoch = if request.epoch == 0 { present } else { request.epoch };
    let Some(since) = call.state.bus.since(id, &me.name, Position { epoch, number: request.after }, request.upto)
    else {
        return not_joined(&call, &request.channel).into();
    };
    let mut bytes = 0;
    let wanted = since.kept.take_while(|(_, kept)| {
        let first = bytes == 0;
        bytes += kept.line.len();
        first || bytes <= FETCH
    });
    let lines = wanted.map(|(number, kept)| (number, kept.line.clone())).collect();
    Plan::Reply(Reply::RelayFetched(RelayFetched { lines, missed: since.missed }))
}

/// `RELAY CHANNELS`.
pub fn channels(call: Call<'_>, _: Me<ServerId>, page: Page) -> Plan {
    let limit = call.page_limit(page.limit);
    let state = &*call.state;
    let rows = state.bus.channels_after(page.after.as_deref()).take(limit + 1);
    let mut channels: Vec<ChannelRow> = rows
        .map(|channel| ChannelRow {
            channel: channel.name.clone(),
            number: channel.position().number,
            servers: state.members(Topic::Channel(channel.id)),
        })
        .collect();
    let next = next_page(&mut channels, limit, |row| row.channel.clone());
    let total = u32::try_from(state.bus.channels()).ok();
    Plan::Reply(Reply::Channels(Channels { channels, next, total }))
}
