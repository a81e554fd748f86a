//! What is kept and in memory as well: names, boards, who is disabled. Read by all threads; changed by one place only, which takes
//! the rows that were committed (`work/follow.rs`).

use super::boards::Boards;
use super::directory::Directory;
use super::licences::Licences;
use super::meant::{Guesses, meant};
use super::networks::Networks;
use super::session::Proof;
use super::terms::PlayKeys;
use super::universe::{Universe, UniverseSettings};
use crate::lock::read;
use hashbrown::{HashMap, HashSet};
use ssmglobal_ipc::{Code, Failure, Party, Rating, Secret, nearest};
use ssmglobal_store::{KeptLicence, NamesOf, PlayerId, Principal, PrincipalKind, Reader, ServerId, WorldId};
use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};

/// All of it.
#[derive(Debug, Default)]
pub struct Memory {
    /// Names and numbers of players.
    pub directory: RwLock<Directory>,
    /// Boards with their ranks.
    pub boards: RwLock<Boards>,
    /// Names of game servers.
    pub servers: RwLock<HashMap<ServerId, String>>,
    /// Game servers that may check players' passwords.
    pub checkers: RwLock<HashSet<ServerId>>,
    /// Who may not be on.
    pub barred: RwLock<HashSet<Principal>>,
    /// Under which epochs what somebody has proved holds; 0 where there is none.
    pub epochs: RwLock<HashMap<Principal, u32>>,
    /// From where players were in.
    pub networks: RwLock<Networks>,
    /// Licences of worlds.
    pub licences: RwLock<Licences>,
    /// How worlds are played, as far as their licences say.
    pub played: RwLock<HashMap<WorldId, PlayKeys>>,
    /// For whom the worlds may be, at the most, that players are let into who have said so.
    pub ratings: RwLock<HashMap<PlayerId, Rating>>,
    /// Rights of players who have any.
    pub rights: RwLock<HashMap<PlayerId, BTreeSet<String>>>,
    /// How many minutes one login may last, of those for whom there is a bound.
    pub limits: RwLock<HashMap<PlayerId, u32>>,
    /// E-mail addresses of players who have given one.
    pub emails: RwLock<HashMap<PlayerId, Box<str>>>,
    /// Settings of the universe.
    pub universe: RwLock<UniverseSettings>,
    /// Names of properties that are there only while their holders are on, or hosted.
    pub temporary_properties: RwLock<HashMap<Principal, HashSet<String>>>,
    /// How often it was looked which name was meant.
    pub guesses: Guesses,
}

impl Memory {
    /// As the database has it.
    ///
    /// # Errors
    /// The database's.
    pub fn load(reader: &dyn Reader) -> ssmglobal_store::Result<Memory> {
        let mut directory = Directory::default();
        let mut emails = HashMap::new();
        reader.player_names(&mut |id, NamesOf { name, folded, skeleton, email }| {
            directory.insert(id, name, folded, skeleton);
            emails.extend(email.map(|email| (id, email.into())));
        })?;
        let servers = reader.servers()?;
        let mut barred: HashSet<Principal> = reader.players_disabled()?.into_iter().map(Principal::from).collect();
        barred.extend(servers.iter().filter(|server| server.disabled).map(|server| Principal::from(server.id)));
        let mut epochs: HashMap<Principal, u32> = HashMap::new();
        epochs.extend(reader.player_epochs()?.into_iter().map(|(id, epoch)| (Principal::from(id), epoch)));
        epochs.extend(servers.iter().map(|server| (server.id.into(), server.epoch)).filter(|(_, epoch)| *epoch > 0));
        let mut networks = Networks::default();
        reader.networks(&mut |player, network| networks.see(player, network))?;
        let checkers = servers.iter().filter(|server| server.login_check).map(|server| server.id).collect();
        let servers = servers.into_iter().map(|server| (server.id, server.name)).collect();
        let boards = RwLock::new(Boards::load(reader)?);
        let mut licences = Licences::default();
        reader.licences(&mut |licence| licences.put(licence))?;
        let mut played: HashMap<WorldId, Vec<(String, Secret)>> = HashMap::new();
        reader.played(&mut |world, key, value| played.entry(world).or_default().push((key, value)))?;
        let mut rights: HashMap<PlayerId, BTreeSet<String>> = HashMap::new();
        for (player, right) in reader.rights()? {
            rights.entry(player).or_default().insert(right);
        }
        let limits = reader.player_limits()?.into_iter().collect();
        let mut temporary_properties: HashMap<Principal, HashSet<String>> = HashMap::new();
        for (holder, name) in reader.properties_while_on()? {
            temporary_properties.entry(holder).or_default().insert(name);
        }
        Ok(Memory {
            directory: RwLock::new(directory),
            boards,
            servers: RwLock::new(servers),
            checkers: RwLock::new(checkers),
            barred: RwLock::new(barred),
            epochs: RwLock::new(epochs),
            networks: RwLock::new(networks),
            licences: RwLock::new(licences),
            played: RwLock::new(played.into_iter().map(|(world, rows)| (world, PlayKeys::of(rows))).collect()),
            ratings: RwLock::new(reader.player_ratings()?.into_iter().collect()),
            rights: RwLock::new(rights),
            limits: RwLock::new(limits),
            emails: RwLock::new(emails),
            universe: RwLock::new(UniverseSettings::new(reader.universe()?)),
            temporary_properties: RwLock::new(temporary_properties),
            guesses: Guesses::default(),
        })
    }

    /// Somebody's name; nothing when there is nobody like that.
    pub fn name(&self, who: Principal) -> Option<String> {
        let name = match who.kind {
            PrincipalKind::Player => read(&self.directory).name(PlayerId(who.id)).to_owned(),
            PrincipalKind::Server => read(&self.servers).get(&ServerId(who.id)).cloned()?,
            PrincipalKind::World => read(&self.licences).get(WorldId(who.id))?.name.clone(),
            // Nobody of these kinds has a name yet.
            PrincipalKind::Visitor | PrincipalKind::Bot | PrincipalKind::Channel => return None,
            PrincipalKind::Backend => Party::Backend.to_string(),
        };
        (!name.is_empty()).then_some(name)
    }

    /// The name of a world or a game server, as everybody may know it: a world that is hidden has none for others.
    pub fn listed_name(&self, place: Principal) -> Option<String> {
        let licence =
            (place.kind == PrincipalKind::World).then(|| read(&self.licences).get(WorldId(place.id)).cloned());
        let is_hidden = licence.flatten().is_some_and(|licence| !licence.listed);
        if is_hidden { None } else { self.name(place) }
    }

    /// Somebody as others see him.
    pub fn party(&self, who: Principal) -> Party {
        party(who, self.name(who).unwrap_or_default())
    }

    /// The player with this name, in any case, and the name as registered.
    ///
    /// # Errors
    /// `not_found` when there is no such player, with the name that was probably meant.
    pub fn player_named(&self, name: &str) -> Result<(PlayerId, String), Failure> {
        let id = self.player_id(name)?;
        Ok((id, read(&self.directory).name(id).to_owned()))
    }

    /// The player with this name, in any case.
    ///
    /// # Errors
    /// `not_found` when there is no such player, with the name that was probably meant.
    pub fn player_id(&self, name: &str) -> Result<PlayerId, Failure> {
        self.find_player(name)
            .ok_or_else(|| self.guesses.guess(no_such_player(name), || meant(name, &*read(&self.directory))))
    }

    /// The player with this name, in any case, for a login: that tells nobody which names there are, nor takes longer for one
    /// that is near to another.
    pub fn find_player(&self, name: &str) -> Option<PlayerId> {
        read(&self.directory).find(name)
    }

    /// None of the boards has this name; says which was probably meant.
    pub fn no_such_board(&self, boards: &Boards, name: &str) -> Failure {
        let shown: String = name.chars().take(64).collect();
        let failure = Failure::new(Code::NotFound, format!("There is no board {shown}."));
        let failure = self.guesses.guess(failure, || meant(name, boards));
        Failure { msg: format!("{} RECORD BOARDS lists them.", failure.msg), ..failure }
    }

    /// The game server with this name, in any case, and its name as added. It may be written `server:NAME` as well.
    ///
    /// # Errors
    /// `not_found` when there is no such game server.
    pub fn server_named(&self, name: &str) -> Result<(ServerId, String), Failure> {
        let name = server_name(name);
        let servers = read(&self.servers);
        let found = servers.iter().find(|(_, other)| other.eq_ignore_ascii_case(&name));
        let found = found.map(|(id, name)| (*id, name.clone()));
        found.ok_or_else(|| Failure::new(Code::NotFound, "There is no such game server."))
    }

    /// Why there is no game server of this name, with the one that was probably meant of those that who asks may know.
    pub fn or_server_meant(&self, failure: Failure, name: &str, may_know: impl Fn(ServerId, &str) -> bool) -> Failure {
        self.guesses.guess(failure, || {
            let servers = read(&self.servers);
            let known = servers.iter().filter(|(id, name)| may_know(**id, name)).map(|(_, name)| name.as_str());
            nearest(&server_name(name), known).map(str::to_owned)
        })
    }

    /// Who is meant.
    ///
    /// # Errors
    /// `not_found` when there is nobody of that name, or nothing is kept of such a one.
    pub fn named(&self, party: &Party) -> Result<Principal, Failure> {
        match party {
            Party::Player(name) => self.player_id(name).map(Principal::from),
            Party::Server(name) => self.server_named(name).map(|(id, _)| id.into()),
            Party::Visitor(_) => Err(Failure::new(
                Code::NotFound,
                "That is a visitor: nothing of his is kept, and he cannot be blocked.",
            )),
            Party::World(name) => self.licence_named(name).map(|licence| licence.id.into()),
            Party::Backend => Err(Failure::new(
                Code::NotFound,
                "That is the backend itself: it has no settings, and cannot be blocked.",
            )),
        }
    }

    /// Whether somebody may not be on, or is a game server that is not there any more.
    pub fn is_barred(&self, who: Principal) -> bool {
        let is_gone = |server| !read(&self.servers).contains_key(&server);
        read(&self.barred).contains(&who) || who.as_server().is_some_and(is_gone)
    }

    /// The licence of the world with this name, in any case.
    ///
    /// # Errors
    /// `not_found` when there is no such world, with the name that was probably meant, unless that one is hidden.
    pub fn licence_named(&self, name: &str) -> Result<Arc<KeptLicence>, Failure> {
        let name = world_name(name);
        let licences = read(&self.licences);
        let none = || self.guesses.guess(no_such_world(&name), || meant(&name, &*licences));
        licences.named(&name).cloned().ok_or_else(none)
    }

    /// What a player has given as his e-mail address.
    pub fn email_of(&self, player: PlayerId) -> Option<String> {
        read(&self.emails).get(&player).map(|email| email.to_string())
    }

    /// A player's rights, by name.
    pub fn rights_of(&self, player: PlayerId) -> Vec<String> {
        read(&self.rights).get(&player).into_iter().flatten().cloned().collect()
    }

    /// Whether a player has a right.
    pub fn has_right(&self, player: PlayerId, right: &str) -> bool {
        read(&self.rights).get(&player).is_some_and(|rights| rights.contains(right))
    }

    /// Settings of the universe, as they are in force.
    pub fn universe(&self) -> Arc<Universe> {
        Arc::clone(read(&self.universe).now())
    }

    /// The epoch that what somebody proves now holds under.
    pub fn epoch(&self, who: Principal) -> u32 {
        read(&self.epochs).get(&who).copied().unwrap_or_default()
    }

    /// How many minutes one login of a player may last; nothing: any number.
    pub fn limit_of(&self, player: PlayerId) -> Option<u32> {
        read(&self.limits).get(&player).copied()
    }

    /// For whom the worlds may be that a player is let into, at the most; nothing: any.
    pub fn rating_of(&self, player: PlayerId) -> Option<Rating> {
        read(&self.ratings).get(&player).copied()
    }

    /// Whether what somebody has proved still holds.
    pub fn holds(&self, proof: Proof) -> bool {
        !self.is_barred(proof.who) && read(&self.epochs).get(&proof.who).is_none_or(|epoch| *epoch <= proof.epoch)
    }
}

/// Somebody with this name, as others see him.
pub fn party(who: Principal, name: String) -> Party {
    match who.kind {
        PrincipalKind::Server => Party::Server(name),
        PrincipalKind::World => Party::World(name),
        PrincipalKind::Backend => Party::Backend,
        PrincipalKind::Visitor => Party::Visitor(name),
        PrincipalKind::Player | PrincipalKind::Bot | PrincipalKind::Channel => Party::Player(name),
    }
}

/// The name of a world, which may be written `world:NAME` as well.
pub fn world_name(text: &str) -> String {
    match Party::parse(text) {
        Party::World(name) => name,
        _ => text.to_owned(),
    }
}

/// The same of a game server: `server:NAME`.
pub fn server_name(text: &str) -> String {
    match Party::parse(text) {
        Party::Server(name) => name,
        _ => text.to_owned(),
    }
}

/// No world has that name.
pub fn no_such_world(name: &str) -> Failure {
    let name: String = name.chars().take(64).collect();
    Failure::new(Code::NotFound, format!("There is no world {name}."))
}

/// Nobody has that name.
pub fn no_such_player(name: &str) -> Failure {
    if let Party::Visitor(_) = Party::parse(name) {
        return Failure::new(Code::NotFound, "That is a visitor: nothing is kept for him.");
    }
    let name: String = name.chars().take(64).collect();
    Failure::new(Code::NotFound, format!("There is no player {name}."))
}
