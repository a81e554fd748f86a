//! How something is said to a client: at once, or when its turn has come. Runs in a worker; pure.

use crate::peer::Stack;
use crate::render::{Look, Pages, Prompt, Screen, draw};

/// Something that waits for its turn.
pub enum Part {
    /// Text, as it is.
    Text(Vec<u8>),
    /// What is typed is to be hidden, or to be shown again.
    Hide(bool),
    /// Here a prompt ends.
    PromptEnd,
}

/// Shows how long a text is, not what: it is somebody's.
impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Part::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Part::Hide(hidden) => write!(f, "Hide({hidden})"),
            Part::PromptEnd => f.write_str("PromptEnd"),
        }
    }
}

impl Part {
    /// Its turn has come.
    pub fn say(self, to: &mut Stack) {
        match self {
            Part::Text(text) => to.write(|out| out.extend_from_slice(&text)),
            Part::Hide(hidden) => to.signal(|speech, out| speech.hide_input(hidden, out)),
            Part::PromptEnd => to.signal(|speech, out| speech.prompt_end(out)),
        }
    }
}

/// Where something is said.
pub enum Says<'a> {
    /// To the client.
    Now(&'a mut Stack),
    /// To nobody yet; as the terminal is now.
    Later(&'a mut Vec<Part>, Look),
}

impl Says<'_> {
    /// Shows a screen to a person. What answers its prompt is hidden, if nobody is to see it; its end is marked, for clients
    /// that want that.
    pub fn screen(&mut self, screen: &Screen) {
        let prompt = screen.prompt();
        if prompt.is_some_and(Prompt::hides) {
            self.hide_input(true);
        }
        let look = self.look();
        self.text(|out| draw(out, screen, look));
        if prompt.is_some() {
            self.part(Part::PromptEnd);
        }
    }

    /// Shows a person these screens, and then the prompt. Of what is longer than the terminal is high, the first page and what is
    /// left, if it may wait to be read.
    pub fn screens(&mut self, mut screens: impl Iterator<Item = Screen>, may_wait: bool) -> Option<Pages> {
        if let Says::Now(to) = self
            && may_wait
            && to.look().page().is_some()
        {
            let mut pages = Pages::new(screens, to.look());
            return self.page(&mut pages).then_some(pages);
        }
        screens.by_ref().for_each(|screen| self.screen(&screen));
        self.prompt(Prompt::Command);
        None
    }

    /// Shows a person the next page, and the prompt below it; gives whether there is another.
    pub fn page(&mut self, pages: &mut Pages) -> bool {
        let height = self.look().page().unwrap_or(usize::MAX);
        let page = pages.next_page(height);
        self.text(|out| out.extend_from_slice(&page));
        let prompt = pages.prompt();
        let more = prompt.is_some();
        self.prompt(prompt.unwrap_or(Prompt::Command));
        more
    }

    /// Asks a person for something; for a command not between the lines of a world that he plays.
    pub fn prompt(&mut self, prompt: Prompt) {
        if prompt == Prompt::Command && self.look().in_world {
            return;
        }
        let mut screen = Screen::new();
        screen.ask(prompt);
        self.screen(&screen);
    }

    fn look(&self) -> Look {
        match self {
            Says::Now(to) => to.look(),
            Says::Later(_, look) => *look,
        }
    }

    /// Says what `text` appends, as it is.
    pub fn text(&mut self, text: impl FnOnce(&mut Vec<u8>)) {
        match self {
            Says::Now(to) => to.write(text),
            Says::Later(parts, _) => {
                let mut bytes = Vec::new();
                text(&mut bytes);
                parts.push(Part::Text(bytes));
            }
        }
    }

    /// Asks the terminal not to show what is typed, or to show it again.
    pub fn hide_input(&mut self, hidden: bool) {
        self.part(Part::Hide(hidden));
    }

    fn part(&mut self, part: Part) {
        match self {
            Says::Now(to) => part.say(to),
            Says::Later(parts, _) => parts.push(part),
        }
    }
}
