//! Reading the settings again while everything runs: what holds at once, what takes a restart, what is wrong. Runs in the listener.

use super::source::{self, Asked};
use super::{FIRST_DOOR, Listener, at_doors};
use ssmglobal_ipc::ctl::Reloaded;

impl Listener {
    /// Reads the settings again. What cannot be changed while it runs is said; what is wrong, which is given first, changes
    /// nothing.
    #[inline(never)]
    pub(super) fn reload(&mut self) -> (Vec<String>, Reloaded) {
        let found = match source::read(&self.args) {
            Ok(Asked::Run(found)) => *found,
            Ok(Asked::Wrong(wrong)) => return self.not_reloaded(wrong),
            Ok(_) => return self.not_reloaded(vec!["the settings cannot be read; standard error says why".to_owned()]),
            Err(error) => return self.not_reloaded(vec![error.to_string()]),
        };
        let mut said = found.notes;
        let mut settings = found.settings;
        if settings.data != self.inherited.settings.data {
            said.push((2, "data: another directory takes a restart".to_owned()));
            settings.data.clone_from(&self.inherited.settings.data);
        }
        if settings.processes != self.inherited.settings.processes {
            said.push((2, "processes: other users, or another sandbox, take a restart".to_owned()));
            settings.processes.clone_from(&self.inherited.settings.processes);
        }
        if settings.players.hash_threads != self.inherited.settings.players.hash_threads {
            said.push((2, "players.hash_threads: another number takes a restart".to_owned()));
            settings.players.hash_threads = self.inherited.settings.players.hash_threads;
        }
        // Whoever has come has come to what held until now.
        self.renew_zygote();
        let at_doors = at_doors(&settings, self.welcome.as_deref());
        let mut wrong = Vec::new();
        match self.doors.change(&at_doors, self.poll.registry(), FIRST_DOOR) {
            Ok(note) => said.extend(note),
            Err(error) => {
                wrong.push(format!("doors not changed: {error}"));
                said.extend(wrong.iter().map(|wrong| (1, wrong.clone())));
                // As they are: the next time they may be opened.
                settings.listen.clone_from(&self.inherited.settings.listen);
                settings.door.clone_from(&self.inherited.settings.door);
                settings.door_for_people = self.inherited.settings.door_for_people;
                settings.metrics.clone_from(&self.inherited.settings.metrics);
            }
        }
        self.inherited.sandbox.reload(&settings);
        let changed: Vec<String> = self.inherited.settings.changed(&settings).into_iter().map(String::from).collect();
        self.inherited.settings = settings;
        self.handler.reload(&self.inherited.settings);
        let warnings = said.iter().filter(|(level, _)| *level <= 2).map(|(_, text)| text.clone()).collect();
        for (level, text) in said {
            self.handler.log(level, text);
        }
        let what = if changed.is_empty() { "nothing has changed".to_owned() } else { changed.join(", ") };
        self.handler.log(3, format!("settings were read again: {what}"));
        self.show_title();
        (wrong, Reloaded { changed, warnings })
    }

    fn not_reloaded(&mut self, wrong: Vec<String>) -> (Vec<String>, Reloaded) {
        self.handler.log(1, format!("settings not changed: {}", wrong.join("; ")));
        (wrong, Reloaded::default())
    }
}
