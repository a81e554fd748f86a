//! Reads the file: TOML in, values and problems with their line and column out. Does no I/O.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::draft::Draft;
use crate::key::Key;
use crate::problem::{Lines, Place, Problem, Warning, shown};
use crate::rule::{Fault, Rule, nearest};
use crate::rules;
use crate::settings::{DOOR_KEYS, DoorSettings, KEYS, Settings, TABLES, WORLD_KEYS, WorldSettings};
use crate::value::Value;
use crate::words::DoorMode;

/// Doors besides the main one: each costs the listener a descriptor for ever.
const DOORS_MAX: usize = 16;

/// Lines with errors of syntax that are told; more than that is not a config file at all.
const SYNTAX_ERRORS_MAX: usize = 20;

const DOOR: &str = "door";

/// Worlds that are played through us.
const WORLDS_MAX: usize = 64;

const WORLD: &str = "world";

/// Checks the text of a file on top of the defaults, without environment and options.
///
/// `file_name` is only for the messages. Errors: everything that is wrong, in the order of the file.
pub fn check(text: &str, file_name: &str) -> Result<(Settings, Vec<Warning>), Vec<Problem>> {
    let mut draft = Draft::default();
    lay(&mut draft, text, file_name);
    rules::door_for_people(&mut draft, false);
    rules::judge(&mut draft);
    draft.finish()
}

/// Lays the file's values on the draft.
pub(crate) fn lay(draft: &mut Draft, text: &str, file_name: &str) {
    let lines = Lines::new(file_name, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let before = draft.problems.len();
    let mut reader = Reader { draft, lines: &lines, nests: Vec::new(), valueless: BTreeSet::new() };
    reader.top(table.get_ref());
    reader.syntax(before, errors);
}

struct Reader<'a> {
    draft: &'a mut Draft,
    lines: &'a Lines<'a>,
    /// Where lists and tables stand: in one that is not closed, all that follows is guesswork.
    nests: Vec<Range<usize>>,
    /// Lines with a key and no value, which is told better here than by the parser.
    valueless: BTreeSet<usize>,
}

impl Reader<'_> {
    /// Adds the errors of syntax: the first of each line and of each nest, since the others follow
    /// from it. What was found wrong in the same lines is dropped: the parser could only guess.
    fn syntax(&mut self, before: usize, mut errors: Vec<toml::de::Error>) {
        let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        errors.sort_by_key(start);
        let mut broken = BTreeSet::new();
        let mut syntax_errors = Vec::new();
        for error in errors {
            let at = start(&error);
            let place = self.lines.place(&(at..at));
            let line = line_of(&place);
            if self.valueless.contains(&line) || !broken.insert(line) {
                continue;
            }
            let mut wrong = format!("this is not TOML: {}", error.message().replace('\n', "; "));
            let nest = self.nests.iter().find(|nest| (nest.start..=nest.end).contains(&at));
            if let Some(nest) = nest {
                let first = line_of(&self.lines.place(nest));
                let last = line_of(&self.lines.place(&(nest.end..nest.end)));
                broken.extend(first..=last);
                if first < line {
                    wrong.push_str(&format!(", in what was opened in line {first}"));
                }
            }
            if syntax_errors.len() < SYNTAX_ERRORS_MAX {
                let (key, allowed) = (String::new(), String::new());
                syntax_errors.push(Problem { place, key, wrong, allowed, suggestion: None });
            }
        }
        let mut index = 0;
        self.draft.problems.retain(|problem| {
            index += 1;
            index <= before || !broken.contains(&line_of(&problem.place))
        });
        self.draft.problems.extend(syntax_errors);
    }

    fn top(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            self.nest(value);
            let word = name.get_ref().as_ref();
            if word == DOOR {
                self.doors(value);
            } else if word == WORLD {
                self.worlds(name.span(), value);
            } else if TABLES.contains(&word) {
                match value.get_ref() {
                    DeValue::Table(section) => self.section(word, section),
                    _ => self.wrong(
                        name.span(),
                        word,
                        "is a table, not a value",
                        &format!("write [{word}] and its keys below"),
                    ),
                }
            } else {
                self.one(name, word, value);
            }
        }
    }

    fn nest(&mut self, value: &Spanned<DeValue<'_>>) {
        if matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_)) {
            self.nests.push(value.span());
        }
    }

    fn section(&mut self, table: &str, section: &DeTable<'_>) {
        for (name, value) in section {
            self.nest(value);
            self.one(name, &format!("{table}.{}", name.get_ref()), value);
        }
    }

    fn one(&mut self, name: &Spanned<impl Sized>, path: &str, value: &Spanned<DeValue<'_>>) {
        let Some(key) = KEYS.iter().find(|key| key.path == path) else {
            let is_table = match value.get_ref() {
                DeValue::Table(_) => true,
                DeValue::Array(list) => list.iter().any(|item| item.get_ref().is_table()),
                _ => false,
            };
            return self.unknown(name.span(), path, is_table && !path.contains('.'));
        };
        match self.value(key, value) {
            Some(read) => self.draft.set(key, Ok(read), self.lines.place(&value.span())),
            None => self.draft.fail(key.path),
        }
    }

    /// Reads a value by its key's rule; the problems are noted.
    fn value<T: Default>(&mut self, key: &Key<T>, value: &Spanned<DeValue<'_>>) -> Option<Value> {
        if value.span().is_empty() {
            self.wrong(value.span(), key.path, "has no value", &key.rule.allowed());
            self.valueless.insert(line_of(&self.lines.place(&value.span())));
            return None;
        }
        match key.rule.toml(value) {
            Ok(read) => Some(read),
            Err(faults) => {
                for (span, fault) in faults {
                    let place = self.lines.place(&span);
                    self.draft.fault(key.path, key.rule.allowed(), fault, place);
                }
                None
            }
        }
    }

    fn doors(&mut self, value: &Spanned<DeValue<'_>>) {
        let DeValue::Array(list) = value.get_ref() else {
            let how = "write [[door]] with two brackets";
            return self.wrong(value.span(), DOOR, "is a list of tables", how);
        };
        if list.len() > DOORS_MAX {
            let wrong = format!("there are {}", list.len());
            let allowed = format!("have at most {DOORS_MAX}");
            self.wrong(value.span(), DOOR, &wrong, &allowed);
        }
        for item in list.iter().take(DOORS_MAX) {
            match item.get_ref() {
                DeValue::Table(table) => self.door(item.span(), table),
                _ => {
                    let how = "write [[door]] and its keys below";
                    self.wrong(item.span(), DOOR, "is not a table", how);
                }
            }
        }
    }

    fn door(&mut self, span: Range<usize>, table: &DeTable<'_>) {
        let mut door = DoorSettings::default();
        let index = self.draft.settings.door.len();
        self.keys(DOOR, DOOR_KEYS, &mut door, table, |name| rules::door_path(index, name));
        // What has no "not set" must be said.
        let needed = |key: &&Key<DoorSettings>| key.default_value().is_some();
        if table.contains_key("world") && !table.contains_key("mode") {
            door.mode = DoorMode::Human;
        }
        let implied = |key: &&Key<DoorSettings>| key.name() == "mode" && table.contains_key("world");
        for key in DOOR_KEYS.iter().filter(needed).filter(|key| !implied(key)) {
            if !table.contains_key(key.name()) {
                self.wrong(span.clone(), key.path, "is missing", &key.rule.allowed());
                self.draft.fail(&rules::door_path(index, key.name()));
            }
        }
        self.draft.settings.door.push(door);
    }

    fn worlds(&mut self, span: Range<usize>, value: &Spanned<DeValue<'_>>) {
        let how = "write [world.NAME] and its keys below";
        let DeValue::Table(worlds) = value.get_ref() else {
            return self.wrong(span, WORLD, "is a table of worlds", how);
        };
        if worlds.len() > WORLDS_MAX {
            let (wrong, allowed) = (format!("there are {}", worlds.len()), format!("have at most {WORLDS_MAX}"));
            self.wrong(span, WORLD, &wrong, &allowed);
        }
        for (name, value) in worlds.iter().take(WORLDS_MAX) {
            self.nest(value);
            match value.get_ref() {
                DeValue::Table(table) => self.world(name, table),
                _ => self.wrong(name.span(), WORLD, &format!("{} is no table of a world", shown(name.get_ref())), how),
            }
        }
    }

    fn world(&mut self, name: &Spanned<Cow<'_, str>>, table: &DeTable<'_>) {
        let called = name.get_ref().as_ref();
        let place = self.lines.place(&name.span());
        if let Err(fault) = Rule::World.plain(called) {
            return self.draft.fault(WORLD, Rule::World.allowed(), fault, place);
        }
        if let Some(other) = self.draft.settings.world.keys().find(|other| other.eq_ignore_ascii_case(called)) {
            let wrong = format!("{} is there already, as {}", shown(called), shown(other));
            return self.wrong(name.span(), WORLD, &wrong, "write a world once, in capitals or small letters");
        }
        let mut world = WorldSettings::default();
        self.keys(WORLD, WORLD_KEYS, &mut world, table, |name| rules::world_path(called, name));
        self.draft.came_from(&rules::world_path(called, ""), place);
        self.draft.settings.world.insert(called.to_owned(), world);
    }

    /// Reads the keys of a table of which there are several; `origin` is what one is remembered by.
    fn keys<T: Default>(
        &mut self,
        kind: &str,
        keys: &[Key<T>],
        into: &mut T,
        table: &DeTable<'_>,
        origin: impl Fn(&str) -> String,
    ) {
        for (name, value) in table {
            self.nest(value);
            let path = format!("{kind}.{}", name.get_ref());
            let Some(key) = keys.iter().find(|key| key.path == path) else {
                self.unknown(name.span(), &path, false);
                continue;
            };
            match self.value(key, value) {
                Some(read) => {
                    (key.set)(into, read);
                    let place = self.lines.place(&value.span());
                    self.draft.came_from(&origin(key.name()), place);
                }
                None => self.draft.fail(&origin(key.name())),
            }
        }
    }

    fn unknown(&mut self, span: Range<usize>, path: &str, is_table: bool) {
        let keys = KEYS.iter().map(|key| key.path);
        let door = DOOR_KEYS.iter().map(|key| key.path);
        let world = WORLD_KEYS.iter().map(|key| key.path);
        let meant = if is_table {
            nearest(path, TABLES.iter().copied()).map(|table| match table {
                DOOR => "[[door]]".to_owned(),
                WORLD => "[world.NAME]".to_owned(),
                table => format!("[{table}]"),
            })
        } else if path.starts_with("door.") {
            nearest(path, door.chain(keys)).map(str::to_owned)
        } else if path.starts_with("world.") {
            nearest(path, world.chain(keys)).map(str::to_owned)
        } else {
            nearest(path, keys.chain(door).chain(world)).map(str::to_owned)
        };
        let wrong = if is_table { "no such table" } else { "no such key" };
        let fault = Fault { wrong: wrong.to_owned(), suggestion: meant };
        // The name is the operator's text: made harmless before it is shown.
        let shown = shown(path);
        let name = shown.trim_matches('"');
        let place = self.lines.place(&span);
        self.draft.fault(name, String::new(), fault, place);
    }

    fn wrong(&mut self, span: Range<usize>, path: &str, wrong: &str, allowed: &str) {
        let fault = Fault { wrong: wrong.to_owned(), suggestion: None };
        let place = self.lines.place(&span);
        self.draft.fault(path, allowed.to_owned(), fault, place);
    }
}

fn line_of(place: &Place) -> usize {
    match place {
        Place::File { line, .. } => *line,
        _ => 0,
    }
}
