//! Relay between game servers: proving who one is, channels with numbered messages, messages to one server.
//!
//! A channel's messages go through a ring in shared memory that its members' workers read: sending costs the handler
//! the same for one member as for a thousand.

use crate::core::{Answer, Effect, Identity, refuse};
use crate::dispatch::Plan;
use crate::journal::{Entry, done_with};
use crate::players::throttled;
use crate::server::{Server, next_page};
use crate::{names, passwords};
use ssmglobal_ipc::*;
use std::os::fd::AsFd;

/// Bytes of lines in one answer to a fetch.
const FETCH: usize = 128 << 10;

/// Bytes of a channel's name.
const NAME: usize = 64;

/// `AUTH`.
pub fn auth(server: &mut Server, slot: usize, number: u64, request: Auth) -> Plan {
    let tried = format!("server:{}", request.name.to_ascii_lowercase());
    let tried = match throttled(server, slot, tried) {
        Ok(tried) => tried,
        Err(failure) => return failure.into(),
    };
    let Some((_, session)) = server.reply_to(slot, number) else { return Plan::Silent };
    Plan::Write(Box::new(move |work| {
        let found = work.tx.server_by_name(&request.name)?;
        let found = found.filter(|(_, hash)| passwords::key_matches(&request.key, hash));
        work.effects.push(Effect::Tried(tried.clone(), found.is_some()));
        let Some((kept, _)) = found else {
            return refuse(
                Code::BadLogin,
                "Name and key do not belong together. The operator makes keys: ssmglobal ctl server add.",
            );
        };
        if kept.disabled {
            return refuse(Code::Denied, "This game server is disabled. Ask the operator.");
        }
        work.tx.server_authed(kept.id, work.now)?;
        let reply = Reply::Authed(Authed { server: kept.name.clone() });
        Ok(Answer::Proved { session, identity: Identity::Server(kept.id, kept.name), reply })
    }))
}

fn not_joined(name: &str) -> Failure {
    let name: String = name.chars().take(NAME).collect();
    Failure::new(Code::NotFound, format!("You are not on the channel {name}. RELAY JOIN it first."))
}

/// The channel with this name, made now if there was none.
fn channel_named(server: &mut Server, name: &str) -> Result<usize, Failure> {
    names::check_plain("channel", name, NAME)?;
    if let Some((index, _)) = server.hub.channel(name) {
        return Ok(index);
    }
    let most = server.core.settings().relay.channels;
    let mut entries = Vec::new();
    let added = server.hub.add_channel(name, most, &mut entries);
    for entry in &entries {
        server.journal.append(entry);
    }
    match added {
        Ok(Some(index)) => Ok(index),
        Ok(None) => Err(Failure::new(Code::Limit, format!("There are {most} channels already."))),
        Err(error) => {
            log::error!("no new relay channel: {error}");
            Err(Failure::new(Code::Unavailable, "The channel cannot be made at the moment."))
        }
    }
}

/// `RELAY JOIN`.
pub fn join(server: &mut Server, slot: usize, _: u64, request: RelayJoin) -> Plan {
    let settings = server.core.settings();
    if let Err(failure) = names::check_plain("channel", &request.channel, NAME) {
        return failure.into();
    }
    let Some(session) = server.session(slot) else { return Plan::Silent };
    let me = session.name().unwrap_or_default().to_owned();
    let (count, most) = (session.channels.len(), settings.relay.joined_per_server);
    // Before the channel is made: one that nobody may join is not to be there.
    if count >= most && joined(server, slot, &request.channel).is_none() {
        let msg = format!("You are on {count} channels already. RELAY LEAVE one first.");
        return Failure::new(Code::Limit, msg).into();
    }
    let index = match channel_named(server, &request.channel) {
        Ok(index) => index,
        Err(failure) => return failure.into(),
    };
    server.hub.touch(index);
    let Some(session) = server.session_mut(slot) else { return Plan::Silent };
    if !session.channels.contains(&index) {
        session.channels.push(index);
        if let Some(channel) = server.hub.channel_at(index) {
            channel.members += 1;
        }
    }
    let Some(channel) = server.hub.channel_at(index) else { return Plan::Silent };
    let fds = channel
        .ring
        .fd()
        .try_clone_to_owned()
        .and_then(|ring| Ok(vec![ring, channel.wake.as_fd().try_clone_to_owned()?]));
    let fds = match fds {
        Ok(fds) => fds,
        Err(error) => {
            log::error!("a relay channel cannot be handed over: {error}");
            return Failure::new(Code::Unavailable, "The channel cannot be joined at the moment.").into();
        }
    };
    // A number from before a restart is larger than any there is now; nothing can be said of what came between.
    let since = request.since.filter(|since| *since <= channel.number);
    let missed = since.map_or(0, |since| channel.missed(since, channel.number));
    let waiting = since.map_or(0, |since| channel.kept_for(&me, since, channel.number).count() as u64);
    let (name, number, position) = (channel.name.clone(), channel.number, channel.ring.position());
    Plan::WithDescriptors(Reply::RelayJoined(RelayJoined { channel: name, number, missed, waiting, position }), fds)
}

/// `RELAY LEAVE`.
pub fn leave(server: &mut Server, slot: usize, _: u64, request: RelayLeave) -> Plan {
    let Some(index) = joined(server, slot, &request.channel) else { return not_joined(&request.channel).into() };
    if let Some(session) = server.session_mut(slot) {
        session.channels.retain(|other| *other != index);
    }
    if let Some(channel) = server.hub.channel_at(index) {
        channel.members = channel.members.saturating_sub(1);
    }
    Plan::Now(Reply::Done(Done {}))
}

/// The channel with this name, if the session is on it.
fn joined(server: &Server, slot: usize, name: &str) -> Option<usize> {
    let (index, _) = server.hub.channel(name)?;
    server.session(slot)?.channels.contains(&index).then_some(index)
}

/// `RELAY SEND`.
pub fn send(server: &mut Server, slot: usize, asked: u64, request: RelaySend) -> Plan {
    let settings = server.core.settings();
    let most = settings.relay.message;
    if request.body.len() > most {
        return Failure::new(Code::TooLong, format!("A relay message has at most {most} bytes.")).into();
    }
    let Some(session) = server.session(slot) else { return Plan::Silent };
    let Some(from) = session.name().map(str::to_owned) else { return Plan::Silent };
    let id = session.number;
    match (request.channel, request.to) {
        (Some(channel), None) => {
            let index = match channel_named(server, &channel) {
                Ok(index) => index,
                Err(failure) => return failure.into(),
            };
            let member = server.session(slot).is_some_and(|session| session.channels.contains(&index));
            let Some(channel) = server.hub.channel_at(index) else { return Plan::Silent };
            let (kept_as, name, number) = (channel.id, channel.name.clone(), channel.number + 1);
            let receivers = channel.members - u32::from(member);
            let message =
                RelayMessage { channel: Some(name.clone()), number, from, at: Time::now(), body: request.body };
            let mut line = Vec::with_capacity(message.body.len() + 128);
            json::put_relay(&mut line, &message);
            // JSON of text is text.
            let line = String::from_utf8(line).unwrap_or_default();
            let from = message.from.clone();
            let entry = Entry::Message { id: kept_as, number, from, line, receivers, session: id, request: asked };
            // First: who has seen the number must not see it again on another message.
            server.journal.append(&entry);
            let Entry::Message { line, .. } = entry else { return Plan::Silent };
            server.hub.publish(index, id, message.from, line, settings.relay.backlog);
            Plan::Now(Reply::RelaySent(RelaySent { channel: Some(name), to: None, number, receivers }))
        }
        (None, Some(to)) => {
            let Some(sessions) = server.hub.servers.get(&to.to_ascii_lowercase()).cloned() else {
                let to: String = to.chars().take(NAME).collect();
                return Failure::new(Code::NotFound, format!("The game server {to} is not connected.")).into();
            };
            let message = RelayMessage { channel: None, number: 0, from, at: Time::now(), body: request.body };
            server.journal.hold();
            for session in &sessions {
                server.push(*session, &Event::Relay(message.clone()));
            }
            let receivers = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
            let reply = Reply::RelaySent(RelaySent { channel: None, to: Some(to), number: 0, receivers });
            server.journal.append(&done_with(id, asked, &reply));
            server.journal.publish();
            Plan::Now(reply)
        }
        _ => Failure::new(Code::Usage, "Say where to: a channel, or one server as \"to\", not both.").into(),
    }
}

/// A worker asks for kept messages, before it goes on with the ring.
pub fn fetch(server: &mut Server, slot: usize, _: u64, request: RelayFetch) -> Plan {
    let Some(index) = joined(server, slot, &request.channel) else { return not_joined(&request.channel).into() };
    let me = server.session(slot).and_then(|session| session.name()).unwrap_or_default().to_owned();
    let Some(channel) = server.hub.channel_at(index) else { return Plan::Silent };
    let upto = request.upto.min(channel.number);
    let missed = channel.missed(request.after, upto);
    let mut bytes = 0;
    let wanted = channel.kept_for(&me, request.after, upto).take_while(|kept| {
        let first = bytes == 0;
        bytes += kept.line.len();
        first || bytes <= FETCH
    });
    let lines = wanted.map(|kept| (kept.number, kept.line.clone())).collect();
    Plan::Now(Reply::RelayFetched(RelayFetched { lines, missed }))
}

/// `RELAY CHANNELS`.
pub fn channels(server: &mut Server, _: usize, _: u64, page: Page) -> Plan {
    let limit = server.page_limit(page.limit);
    let rows = server.hub.channels_after(page.after.as_deref()).take(limit + 1);
    let mut channels: Vec<ChannelRow> = rows
        .map(|channel| ChannelRow { channel: channel.name.clone(), number: channel.number, servers: channel.members })
        .collect();
    let next = next_page(&mut channels, limit, |row| row.channel.clone());
    Plan::Now(Reply::Channels(Channels { channels, next }))
}
