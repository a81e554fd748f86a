//! Settings of the universe: what holds for all worlds together. The config file gives their first values, what the operator has
//! set is kept; both meet here. Changed by the writer, and by the event loop when the config was read again; read by all threads.
//!
//! A setting is one line of the table below, which names the key of the config that gives its first value: type and bounds are
//! that key's. What it does is decided where it is read.

use ssmglobal_config::{KEYS, Key as ConfigKey, Rule, Settings, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

macro_rules! universe {
    ($(#[doc = $doc:literal] $key:ident $name:ident: $type:ty = $section:ident.$field:ident, $take:expr;)*) => {
        /// All of them, as they are in force.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Universe {
            $(#[doc = $doc] pub $name: $type,)*
            /// Which of them were set.
            pub set: BTreeSet<Key>,
        }

        /// One of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Key {
            $(#[doc = $doc] $key,)*
        }

        impl Key {
            /// All of them.
            pub const ALL: &'static [Key] = &[$(Key::$key,)*];

            /// Its name, for people and in the database.
            pub const fn name(self) -> &'static str {
                match self { $(Key::$key => stringify!($name),)* }
            }

            /// The key of the config that gives its first value.
            const fn path(self) -> &'static str {
                match self { $(Key::$key => concat!(stringify!($section), ".", stringify!($field)),)* }
            }
        }

        impl Universe {
            /// As the settings are, into which what was set is written already.
            fn of(settings: &Settings, set: BTreeSet<Key>) -> Universe {
                $(let take: fn(&_) -> $type = $take; let $name = take(&settings.$section.$field);)*
                Universe { $($name,)* set }
            }
        }
    };
}

universe! {
    /// What all worlds together are called.
    Name name: String = worlds.universe, String::clone;
    /// What a person reads first.
    Welcome welcome: String = texts.welcome, String::clone;
    /// Whether people may come who have not registered.
    Visitors visitors: bool = worlds.visitors, bool::clone;
    /// Whether those may talk.
    Talk talk: bool = worlds.visitors_talk, bool::clone;
    /// Whether new players are taken.
    Registration registration: bool = players.registration, bool::clone;
    /// The least version of a program that goes to a world.
    Client client: Version = worlds.client_version, Version::clone;
    /// The least version of a program that hosts worlds.
    Host host: Version = worlds.host_version, Version::clone;
    /// The world that somebody is let into who names none.
    Start start: Option<String> = worlds.start, |start: &String| (!start.is_empty()).then(|| start.clone());
    /// Whether everybody may see who is on and where.
    Users users: bool = worlds.user_list, bool::clone;
    /// Whether players may change their names. Nobody asks for it yet.
    Renames renames: bool = worlds.renames, bool::clone;
    /// Whether only worlds with a licence are shown.
    Licence licence: bool = worlds.licence_required, bool::clone;
}

impl Key {
    /// The one with this name, in any case.
    pub fn named(name: &str) -> Option<Key> {
        Key::ALL.iter().copied().find(|key| key.name().eq_ignore_ascii_case(name))
    }

    /// Sets it in these settings; gives the text that is kept.
    fn set_to(self, settings: &mut Settings, text: &str) -> Result<String, String> {
        let in_config = KEYS.iter().find(|key| key.path == self.path());
        let Some(in_config) = in_config else { return Err("there is no such setting".to_owned()) };
        in_config.set_to(settings, plain(in_config, text))?;
        in_config.text(settings).ok_or_else(|| in_config.rule.allowed())
    }
}

/// What is true or false has more names here than in the config file, where people type.
fn plain<'a>(key: &ConfigKey<Settings>, text: &'a str) -> &'a str {
    let is = |words: [&str; 4]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
    match key.rule {
        Rule::Flag if is(["true", "yes", "on", "open"]) => "true",
        Rule::Flag if is(["false", "no", "off", "closed"]) => "false",
        _ => text,
    }
}

/// What is in memory of them.
#[derive(Debug)]
pub struct UniverseSettings {
    /// As last read.
    config: Arc<Settings>,
    /// What was set, as it is kept. Also what only a newer program knows.
    set: BTreeMap<String, String>,
    now: Arc<Universe>,
}

impl Default for UniverseSettings {
    fn default() -> UniverseSettings {
        UniverseSettings::new(Vec::new())
    }
}

impl UniverseSettings {
    /// With what is kept, and the defaults in place of the config.
    pub fn new(kept: Vec<(String, String)>) -> UniverseSettings {
        let config = Arc::new(Settings::default());
        let now = Arc::new(Universe::of(&config, BTreeSet::new()));
        let mut settings = UniverseSettings { config, set: kept.into_iter().collect(), now };
        settings.resolve();
        settings
    }

    /// As they are in force.
    pub fn now(&self) -> &Arc<Universe> {
        &self.now
    }

    /// What a setting was set to, as it is kept.
    pub fn kept(&self, key: &str) -> Option<&str> {
        self.set.get(key).map(String::as_str)
    }

    /// What a setting would be kept as, were it set to this.
    ///
    /// # Errors
    /// What is wrong with it and what is allowed, as one clause.
    pub fn checked(&self, key: Key, text: &str) -> Result<String, String> {
        key.set_to(&mut Settings::clone(&self.config), text)
    }

    /// A setting was set, or is as the config says.
    pub fn put(&mut self, key: String, value: Option<String>) {
        match value {
            Some(value) => self.set.insert(key, value),
            None => self.set.remove(&key),
        };
        self.resolve();
    }

    /// The config was read again; gives whether that has changed anything.
    pub fn reload(&mut self, config: &Arc<Settings>) -> bool {
        self.config = Arc::clone(config);
        let before = Arc::clone(&self.now);
        self.resolve();
        before != self.now
    }

    fn resolve(&mut self) {
        let (mut settings, mut set) = (Settings::clone(&self.config), BTreeSet::new());
        for (name, text) in &self.set {
            match Key::named(name).map(|key| (key, key.set_to(&mut settings, text))) {
                Some((key, Ok(_))) => _ = set.insert(key),
                Some((_, Err(why))) => log::warn!("the universe's {name} is as the config file says: {why}"),
                None => log::warn!("the universe's {name} was set by a newer program, and says nothing to this one"),
            }
        }
        self.now = Arc::new(Universe::of(&settings, set));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(change: impl FnOnce(&mut Settings)) -> Arc<Settings> {
        let mut settings = Settings::default();
        change(&mut settings);
        Arc::new(settings)
    }

    fn put(settings: &mut UniverseSettings, key: Key, text: &str) {
        let kept = settings.checked(key, text).expect("a good value");
        settings.put(key.name().to_owned(), Some(kept));
    }

    /// For each setting a value that is not the default, as typed and as kept.
    const OTHERS: &[(Key, &str, &str)] = &[
        (Key::Name, "Zoë's worlds", "Zoë's worlds"),
        (Key::Welcome, "one\ntwo", "one\ntwo"),
        (Key::Visitors, "No", "false"),
        (Key::Talk, "off", "false"),
        (Key::Registration, "closed", "false"),
        (Key::Client, "4.0", "4"),
        (Key::Host, "4.2.1", "4.2.1"),
        (Key::Start, "Zoo", "Zoo"),
        (Key::Users, "off", "false"),
        (Key::Renames, "true", "true"),
        (Key::Licence, "ON", "true"),
    ];

    #[test]
    fn each_is_set_and_reset_by_itself() {
        assert_eq!(OTHERS.iter().map(|(key, ..)| *key).collect::<Vec<_>>(), Key::ALL);
        let first = UniverseSettings::default();
        let mut all = UniverseSettings::default();
        for (key, typed, kept) in OTHERS {
            assert_eq!(first.checked(*key, typed).as_deref(), Ok(*kept), "{key:?}");
            assert_eq!((Key::named(key.name()), Key::named(&key.name().to_uppercase())), (Some(*key), Some(*key)));
            let mut one = UniverseSettings::default();
            put(&mut one, *key, typed);
            assert_eq!(one.now().set, BTreeSet::from([*key]));
            let without = Universe { set: BTreeSet::new(), ..Universe::clone(one.now()) };
            assert_ne!(without, **first.now(), "{key:?} changes something");
            one.put(key.name().to_owned(), None);
            assert_eq!(one.now(), first.now());
            put(&mut all, *key, typed);
        }
        let wanted = Universe {
            name: "Zoë's worlds".into(),
            welcome: "one\ntwo".into(),
            visitors: false,
            talk: false,
            registration: false,
            client: "4".parse().unwrap(),
            host: "4.2.1".parse().unwrap(),
            start: Some("Zoo".into()),
            users: false,
            renames: true,
            licence: true,
            set: Key::ALL.iter().copied().collect(),
        };
        assert_eq!(**all.now(), wanted);
    }

    #[test]
    fn what_is_not_allowed_is_refused() {
        let settings = UniverseSettings::default();
        let (long, longest) = ("x".repeat(65), "x".repeat(64));
        for (key, text) in [
            (Key::Name, ""),
            (Key::Name, "one\ntwo"),
            (Key::Name, "\u{1b}[31m"),
            (Key::Name, &long),
            (Key::Welcome, &"é".repeat(4097)),
            (Key::Welcome, "\u{7}"),
            (Key::Visitors, "perhaps"),
            (Key::Registration, ""),
            (Key::Client, "v4"),
            (Key::Host, ""),
            (Key::Start, &long),
            (Key::Users, "1"),
            (Key::Renames, "2"),
            (Key::Licence, "nay"),
        ] {
            assert!(settings.checked(key, text).is_err_and(|why| why.contains("; give ")), "{key:?} {text:?}");
        }
        assert_eq!(settings.checked(Key::Name, &longest), Ok(longest));
        assert_eq!(settings.checked(Key::Welcome, &"é".repeat(4096)).map(|text| text.len()), Ok(8192));
        assert_eq!(settings.checked(Key::Start, ""), Ok(String::new()), "none");
    }

    #[test]
    fn the_config_says_what_was_not_set() {
        let mut settings = UniverseSettings::default();
        put(&mut settings, Key::Name, "mine");
        put(&mut settings, Key::Start, "");
        let read = config(|it| {
            it.worlds.universe = "theirs".into();
            it.worlds.start = "Zoo".into();
            it.players.registration = false;
        });
        assert!(settings.reload(&read) && !settings.reload(&read));
        let now = settings.now();
        assert_eq!((&*now.name, now.start.as_deref(), now.registration), ("mine", None, false));
        settings.put("start".into(), None);
        settings.put("name".into(), None);
        assert_eq!((&*settings.now().name, settings.now().start.as_deref()), ("theirs", Some("Zoo")));
        assert!(settings.reload(&config(|_| {})));
        assert_eq!(settings.now(), UniverseSettings::default().now());
    }

    #[test]
    fn what_another_program_has_kept_does_no_harm() {
        let kept = [("weather", "fine"), ("visitors", "perhaps"), ("name", "mine")];
        let settings = UniverseSettings::new(kept.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        let now = settings.now();
        assert_eq!((&*now.name, now.visitors), ("mine", true));
        assert_eq!(now.set, BTreeSet::from([Key::Name]));
    }
}
