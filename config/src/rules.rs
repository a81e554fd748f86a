//! What must be true of several keys together, and advice about the machine.

use crate::draft::Draft;
use crate::kind::Unfit;
use crate::listen::Listen;
use crate::network::Network;
use crate::problem::{Place, Problem, Warning};
use crate::settings::{KEYS, Settings};
use crate::value::Value;
use crate::words::DoorMode;

/// The first may not be above the second.
const AT_MOST: &[(&str, &str)] = &[
    ("players.name_min", "players.name_max"),
    ("players.password_min", "players.password_max"),
    ("records.top_page", "records.page_max"),
    ("limits.line", "limits.queue"),
    ("limits.penalty_seconds", "limits.penalty_max_seconds"),
    ("relay.message", "limits.queue"),
];

/// The first must be below the second.
const BELOW: &[(&str, &str)] = &[("limits.server_ping_seconds", "limits.server_drop_seconds")];

/// The first has to fit into a line whose length is the second.
const FITS: &[(&str, &str)] = &[
    ("players.password_max", "limits.line"),
    ("mail.body", "limits.line"),
    ("settings.value", "limits.server_line"),
    ("relay.message", "limits.server_line"),
];

/// KiB; the least that OWASP advises for argon2id.
const HASH_MEMORY_ADVISED: u32 = 7168;

/// Descriptors that the handler needs besides one per client: database, log, queues, waking.
const HANDLER_DESCRIPTORS: u64 = 64;

/// The path under which a door's key is remembered.
pub(crate) fn door_path(index: usize, name: &str) -> String {
    format!("door[{index}].{name}")
}

/// The path under which a world's key is remembered, or the world itself.
pub(crate) fn world_path(world: &str, name: &str) -> String {
    format!("world.{world}.{name}")
}

/// Decides whether people get a door that nobody has asked for, before the options are laid: `-a` alone says only where.
pub(crate) fn door_for_people(draft: &mut Draft, port_is_given: bool) {
    let said = port_is_given || draft.origin("listen") != Place::Default || draft.failed("listen");
    draft.settings.door_for_people = !said && draft.settings.door.is_empty();
}

/// Checks what the layers made together.
pub(crate) fn judge(draft: &mut Draft) {
    for (low, high) in AT_MOST {
        if let Some((a, b)) = pair(draft, low, high)
            && a > b
        {
            refuse(draft, low, high, a, b, "give at most that, or raise");
        }
    }
    for (low, high) in BELOW {
        if let Some((a, b)) = pair(draft, low, high)
            && a >= b
        {
            refuse(draft, low, high, a, b, "give less, or raise");
        }
    }
    for (content, line) in FITS {
        if let Some((a, b)) = pair(draft, content, line)
            && a > b
        {
            let place = origin(draft, &[content, line]);
            let text = format!("{content} is {a}, yet {line} lets only {b} through; raise {line} as well");
            draft.warnings.push(Warning { place, text });
        }
    }
    if draft.settings.players.hash_memory_kib < HASH_MEMORY_ADVISED {
        let text = format!(
            "players.hash_memory_kib below {HASH_MEMORY_ADVISED} makes stolen hashes cheap to \
             guess; this is for tests only"
        );
        let place = draft.origin("players.hash_memory_kib");
        draft.warnings.push(Warning { place, text });
    }
    addresses(draft);
    doors(draft);
    doors_to_worlds(draft);
    worlds(draft);
}

fn pair(draft: &Draft, low: &str, high: &str) -> Option<(u64, u64)> {
    if draft.failed(low) || draft.failed(high) {
        return None;
    }
    Some((value(&draft.settings, low)?, value(&draft.settings, high)?))
}

fn value(settings: &Settings, path: &str) -> Option<u64> {
    let key = KEYS.iter().find(|key| key.path == path)?;
    match (key.get)(settings)? {
        Value::Number(number) => Some(number),
        _ => None,
    }
}

/// The first place among these keys that somebody wrote.
fn origin(draft: &Draft, paths: &[&str]) -> Place {
    let mut places = paths.iter().map(|path| draft.origin(path));
    places.find(|place| *place != Place::Default).unwrap_or(Place::Default)
}

fn refuse(draft: &mut Draft, low: &str, high: &str, a: u64, b: u64, how: &str) {
    // Said of the key that somebody set; if both are set, of the one that is too large.
    let place = origin(draft, &[low, high]);
    draft.problems.push(Problem {
        place,
        key: low.to_owned(),
        wrong: format!("{a} does not go with {high} = {b}"),
        allowed: format!("{how} {high}"),
        suggestion: None,
    });
}

/// No two doors may stand on one address.
fn addresses(draft: &mut Draft) {
    let mut taken: Vec<(Listen, String)> = Vec::new();
    let mut all: Vec<(Listen, String, String)> = Vec::new();
    if !draft.failed("listen") {
        let main = draft.settings.listen.iter();
        all.extend(main.map(|at| (at.clone(), "listen".to_owned(), "listen".to_owned())));
    }
    for (index, door) in draft.settings.door.iter().enumerate() {
        let path = door_path(index, "address");
        if !draft.failed(&path) {
            all.push((door.address.clone(), path, "door.address".to_owned()));
        }
    }
    if let Some(address) = draft.settings.metrics.address.0.clone()
        && !draft.failed("metrics.address")
    {
        all.push((address, "metrics.address".to_owned(), "metrics.address".to_owned()));
    }
    for (address, path, key) in all {
        if let Some((other, other_path)) = taken.iter().find(|(at, _)| at.clashes(&address)) {
            let place = origin(draft, &[path.as_str(), other_path.as_str()]);
            draft.problems.push(Problem {
                place,
                key,
                wrong: format!("{address} is taken by the door at {other}"),
                allowed: "give every door an address or a port of its own".to_owned(),
                suggestion: None,
            });
        } else {
            taken.push((address, path));
        }
    }
}

fn doors(draft: &mut Draft) {
    let mut found = Vec::new();
    let clients = draft.settings.limits.clients;
    for (index, door) in draft.settings.door.iter().enumerate() {
        if door.clients.is_some_and(|wanted| wanted > clients) {
            let text = format!("door.clients is held down by limits.clients = {clients}");
            found.push((door_path(index, "clients"), text));
        }
        if door.welcome.is_some() && matches!(door.mode, DoorMode::Client | DoorMode::Server | DoorMode::Metrics) {
            let text = format!("door.welcome is never shown at a door of mode {}", door.mode);
            found.push((door_path(index, "welcome"), text));
        }
        if door.proxy.iter().flatten().any(Network::is_everything) {
            let text = "door.proxy trusts everybody: whoever connects there can say that he is somebody else";
            found.push((door_path(index, "proxy"), text.to_owned()));
        }
    }
    for (path, text) in found {
        let place = draft.origin(&path);
        draft.warnings.push(Warning { place, text });
    }
}

/// A door to a world is for people, and its world must be somewhere.
fn doors_to_worlds(draft: &mut Draft) {
    let mut wrong = Vec::new();
    let mut found = Vec::new();
    for (index, door) in draft.settings.door.iter().enumerate() {
        let Some(world) = &door.world else { continue };
        if door.mode != DoorMode::Human && !draft.failed(&door_path(index, "mode")) {
            let wrongly = format!("is {}, and who comes to a world is a person", door.mode);
            wrong.push((door_path(index, "mode"), wrongly));
        }
        if draft.settings.world(world).is_none() {
            let text = format!(
                "there is no [world.{world}] here, so that world has to have a licence that says where it is: ssmglobal \
                 ctl world play {world} play ADDRESS"
            );
            found.push((door_path(index, "world"), text));
        }
    }
    for (path, wrong) in wrong {
        draft.problems.push(Problem {
            place: draft.origin(&path),
            key: "door.mode".to_owned(),
            wrong,
            allowed: "leave it away, or give human".to_owned(),
            suggestion: None,
        });
    }
    for (path, text) in found {
        let place = draft.origin(&path);
        draft.warnings.push(Warning { place, text });
    }
}

/// What the keys of one world say together.
fn worlds(draft: &mut Draft) {
    let mut wrong = Vec::new();
    let mut found = Vec::new();
    for (name, world) in &draft.settings.world {
        if let Err(Unfit { key, wrong: why, allowed }) = world.judge() {
            // Said of the key that is set here, or of the world.
            let places = [draft.origin(&world_path(name, key)), draft.origin(&world_path(name, ""))];
            let place = places.into_iter().find(|place| *place != Place::Default).unwrap_or(Place::Default);
            if !draft.failed(&world_path(name, key)) {
                wrong.push(Problem { place, key: format!("world.{key}"), wrong: why, allowed, suggestion: None });
            }
        }
        if world.play.is_none() && !draft.failed(&world_path(name, "play")) {
            let text = format!("world.{name} has no `play`, so its licence has to say where it is");
            found.push(Warning { place: draft.origin(&world_path(name, "")), text });
        }
    }
    draft.problems.extend(wrong);
    draft.warnings.extend(found);
}

/// What the operator should know about these settings on this machine.
///
/// `hard_fd_limit` is the number of descriptors that a process may be given at the most.
pub fn advice(settings: &Settings, hard_fd_limit: u64) -> Vec<Warning> {
    let clients = u64::from(settings.limits.clients);
    let needed = clients.saturating_add(HANDLER_DESCRIPTORS);
    if needed <= hard_fd_limit {
        return Vec::new();
    }
    let fitting = hard_fd_limit.saturating_sub(HANDLER_DESCRIPTORS);
    let text = format!(
        "limits.clients is {clients}: when all are busy, the handler needs {needed} descriptors, \
         and {hard_fd_limit} are allowed here; raise the hard limit (ulimit -Hn, or LimitNOFILE= \
         under systemd) or set limits.clients to {fitting} or less"
    );
    vec![Warning { place: Place::Default, text }]
}

/// Every key that the lists above name, to be held against the table.
#[cfg(test)]
pub(crate) fn named_paths() -> impl Iterator<Item = &'static str> {
    let pairs = [AT_MOST, BELOW, FITS].concat();
    pairs.into_iter().flat_map(|(a, b)| [a, b])
}
