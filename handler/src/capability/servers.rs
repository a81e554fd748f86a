//! Game servers: how they prove who they are, and how the operator makes them.

use super::{Call, Plan};
use crate::state::memory::server_name;
use crate::state::names::Name;
use crate::state::session::Proof;
use crate::state::throttle::Tried;
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse};
use crate::work::passwords;
use ssmglobal_ipc::{Authed, Code, Done, Failure, Kind, Reply, Secret};
use ssmglobal_store::{KeyHash, NewServer, Row, Sequence, Server, ServerId};
use std::sync::Arc;

changes! {
    /// Changes of game servers.
    ServerChange: Auth, Add, RotateKey, Disable, Allow
}

/// A game server wants to prove who it is.
#[derive(Clone, Debug)]
pub struct Auth {
    /// As it says.
    pub name: String,
    /// As it says.
    pub key: Secret,
}

impl Decide for Auth {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let found = facts.server_by_name(&self.name)?;
        let Some((kept, _)) = found.filter(|(_, hash)| passwords::key_matches(&self.key, hash)) else {
            return refuse(
                Code::BadLogin,
                "Name and key do not belong together. The operator makes keys: ssmglobal ctl server add.",
            );
        };
        if kept.disabled {
            return refuse(Code::Denied, "This game server is disabled. Ask the operator.");
        }
        let rows = vec![Row::ServerAuthed { server: kept.id, at: stamp.now }];
        let reply = Reply::Authed(Authed { server: kept.name });
        Ok(Decided { rows, reply, proves: Some(Proof { who: kept.id.into(), epoch: kept.epoch }) })
    }
}

/// `AUTH`: a game server proves by its key who it is.
pub fn auth(mut call: Call<'_>, request: ssmglobal_ipc::Auth) -> Plan<ServerChange> {
    let server = call.memory.server_named(&request.name).ok().map(|(server, _)| server.into());
    match call.may_try(Tried::key(call.network()), Kind::Auth, server) {
        Ok(tried) => Plan::Change(Auth { name: server_name(&request.name), key: request.key }.into(), Some(tried)),
        Err(failure) => failure.into(),
    }
}

/// What its connections have proved holds no longer.
fn out(server: &Server, reason: &str) -> Row {
    Row::Epoch { who: server.id.into(), epoch: server.epoch.saturating_add(1), reason: reason.to_owned() }
}

fn no_such_server(name: &str) -> Failure {
    Failure::new(Code::NotFound, format!("There is no game server {name}."))
}

/// A new game server.
#[derive(Clone, Debug)]
pub struct Add {
    /// Its name, checked. Visitors do not get it while this is under way.
    pub name: Arc<Name>,
    /// What is kept of its key.
    pub key: KeyHash,
}

impl Decide for Add {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let name = self.name.shown.clone();
        if facts.server_by_name(&name)?.is_some() {
            return refuse(Code::Exists, format!("There is a game server {name} already."));
        }
        if facts.name_taken(&self.name)? {
            return refuse(
                Code::Exists,
                format!("A player or a game server has the name {name}, or one that looks like it. Choose another."),
            );
        }
        let many = |_| Failure::new(Code::Limit, "There are too many game servers.");
        let id = ServerId(u32::try_from(facts.next_number(Sequence::Server)?).map_err(many)?);
        Ok(Decided::done(Row::Server(NewServer { id, name, key: self.key, added: stamp.now })))
    }
}

/// A game server gets another key.
#[derive(Clone, Debug)]
pub struct RotateKey {
    /// Which, in any case.
    pub name: String,
    /// What is kept of the key.
    pub key: KeyHash,
}

impl Decide for RotateKey {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Some((server, _)) = facts.server_by_name(&self.name)? else {
            return Err(no_such_server(&self.name).into());
        };
        let reason = "The key of this game server was changed by the operator. AUTH with the new one.";
        let rows = vec![Row::ServerKey { server: server.id, key: self.key }, out(&server, reason)];
        Ok(Decided::new(rows, Reply::Done(Done {})))
    }
}

/// A game server is refused from now on, or taken again.
#[derive(Clone, Debug)]
pub struct Disable {
    /// Which, in any case.
    pub name: String,
    /// Whether it is refused from now on; else it is taken again.
    pub disabled: bool,
}

impl Decide for Disable {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Some((server, _)) = facts.server_by_name(&self.name)? else {
            return Err(no_such_server(&self.name).into());
        };
        let out = self.disabled.then(|| out(&server, "This game server was disabled by the operator."));
        let rows =
            [Row::ServerDisabled { server: server.id, disabled: self.disabled }].into_iter().chain(out).collect();
        Ok(Decided::new(rows, Reply::Done(Done {})))
    }
}

/// A game server may check players' passwords from now on, or may not any more.
#[derive(Clone, Debug)]
pub struct Allow {
    /// Which, in any case.
    pub name: String,
    /// Whether it may from now on.
    pub login_check: bool,
}

impl Decide for Allow {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Some((server, _)) = facts.server_by_name(&self.name)? else {
            return Err(no_such_server(&self.name).into());
        };
        Ok(Decided::done(Row::ServerAllowed { server: server.id, login_check: self.login_check }))
    }
}
