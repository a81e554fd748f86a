//! What follows when settings of the universe are others: whoever watches is told all of them, and the listener what people read
//! first. Part of the event loop.

use super::EventLoop;
use crate::capability::universe::shown;
use crate::state::news::Audience;
use crate::state::topic::Topic;
use crate::state::universe::Key;
use ssmglobal_config::Settings;
use ssmglobal_ipc::Event;
use ssmglobal_ipc::control::ToListener;
use std::sync::Arc;

impl EventLoop {
    /// The settings were read again.
    pub(super) fn reload(&mut self, settings: Settings) {
        log::set_max_level(crate::logging::filter(settings.log.level));
        let lasted = self.shared.settings().worlds.visit_minutes;
        let universe_changed = self.shared.reload(Arc::new(settings));
        if self.shared.settings().worlds.visit_minutes != lasted {
            self.visits_changed();
        }
        if universe_changed {
            self.universe_changed();
        }
        self.plays_changed();
    }

    /// Tells how they are now, which may be later than what has brought it up.
    pub(super) fn universe_changed(&mut self) {
        let universe = self.shared.memory.universe();
        self.tell_audience(Audience::Topic(Topic::Universe), Event::Universe(shown(&universe)));
        self.tell_welcome();
        self.lists_follow_universe();
    }

    /// Tells the listener, whose workers greet without asking.
    pub(super) fn tell_welcome(&mut self) {
        let universe = self.shared.memory.universe();
        let text = universe.set.contains(&Key::Welcome).then(|| universe.welcome.clone());
        self.listener.tell(&ToListener::Welcome { text });
    }
}
