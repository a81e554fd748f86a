//! `ssmglobal ctl top`: the numbers, live. Asks each second while somebody looks; waits for keys, signals and answers until the
//! next second. The asking is done by a thread, so that the keys work while the backend does not answer.

mod screen;
mod terminal;

use std::io::{IsTerminal, Read, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use ssmglobal_ipc::Code;
use ssmglobal_ipc::ctl::{Answer, Ask};

use super::link::{Link, Patience};
use super::trouble::Trouble;
use super::world;
use crate::ctl::find;
use crate::location::Location;
use screen::{Told, View};
use terminal::Terminal;

/// Time between two looks.
const SECOND: Duration = Duration::from_secs(1);

/// Ctrl-C, which is a key here, and Ctrl-D.
const LEAVING: [u8; 4] = [b'q', b'Q', 3, 4];

/// Shows the numbers until a key ends it.
pub fn run(place: &Location, json: bool) -> ExitCode {
    let refuse = |why: &str| {
        Trouble::Here(Code::Usage, why.to_owned()).tell(json);
        ExitCode::from(2)
    };
    if json {
        return refuse("top is for people; programs ask `ssmglobal ctl --json status`");
    }
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return refuse("top needs a terminal; `ssmglobal ctl status` does not");
    }
    match find::backend(place.clone()).map_err(Trouble::invalid).and_then(|meant| show(&meant.data)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            trouble.tell(json);
            trouble.exit_code()
        }
    }
}

fn broken(error: impl std::fmt::Display) -> Trouble {
    Trouble::Link(format!("the terminal cannot be used: {error}"))
}

fn show(data: &std::path::Path) -> Result<(), Trouble> {
    let keyboard = stdin();
    let terminal = Terminal::take(&keyboard).map_err(broken)?;
    let asking = Asking::start(data.to_owned()).map_err(broken)?;
    let mut view = View::default();
    let (mut next, mut waits) = (Instant::now(), false);
    loop {
        let now = Instant::now();
        if now >= next {
            // One question at a time: an answer that is late is not asked for again.
            waits = waits || asking.ask();
            next = now + SECOND;
        }
        terminal.draw(&view.lines(terminal.size(), now)).map_err(broken)?;
        match wait(&terminal, &asking, next)? {
            Event::Leave => return Ok(()),
            Event::Signal(signal) => {
                terminal.end_by(signal);
                return Ok(());
            }
            Event::Answer => {
                while let Some(answer) = asking.answer() {
                    waits = false;
                    view.take(answer, Instant::now());
                }
            }
            Event::Other => {}
        }
    }
}

enum Event {
    /// A key that ends it.
    Leave,
    /// A signal that ends it.
    Signal(Signal),
    /// The backend has answered, or is not there.
    Answer,
    /// The next second, another size, another key.
    Other,
}

fn wait(terminal: &Terminal<'_>, asking: &Asking, until: Instant) -> Result<Event, Trouble> {
    let left = until.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
    let keyboard = stdin();
    let mut ready = [
        PollFd::new(keyboard.as_fd(), PollFlags::POLLIN),
        PollFd::new(terminal.signals().as_fd(), PollFlags::POLLIN),
        PollFd::new(asking.woken.as_fd(), PollFlags::POLLIN),
    ];
    match poll(&mut ready, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
        Ok(_) | Err(nix::Error::EINTR) => {}
        Err(error) => return Err(broken(error)),
    }
    let [keys, signals, answer] = ready.map(|fd| fd.any().unwrap_or(false));
    if signals {
        while let Some(signal) = terminal.signals().next_signal().map_err(broken)? {
            if terminal::ENDING.contains(&signal) {
                return Ok(Event::Signal(signal));
            }
        }
    }
    if keys {
        let mut typed = [0; 64];
        let count = nix::unistd::read(&keyboard, &mut typed).map_err(broken)?;
        let typed = typed.get(..count).unwrap_or_default();
        // Nothing: the terminal is gone.
        if typed.is_empty() || typed.iter().any(|key| LEAVING.contains(key)) {
            return Ok(Event::Leave);
        }
    }
    if answer {
        let mut bytes = [0; 16];
        // As many as there were answers; they lie in the channel.
        let _ = (&asking.woken).read(&mut bytes);
        return Ok(Event::Answer);
    }
    Ok(Event::Other)
}

/// The thread that asks.
struct Asking {
    questions: Sender<()>,
    answers: Receiver<Result<Told, Trouble>>,
    /// Readable when there is an answer.
    woken: UnixStream,
}

impl Asking {
    fn start(data: PathBuf) -> std::io::Result<Asking> {
        let (questions, asked) = channel::<()>();
        let (answered, answers) = channel();
        let (woken, mut wakes) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        std::thread::Builder::new().name("asking".into()).spawn(move || {
            let mut link = None;
            for () in asked {
                let answer = numbers(&mut link, &data);
                if answered.send(answer).is_err() || wakes.write_all(&[0]).is_err() {
                    return;
                }
            }
        })?;
        Ok(Asking { questions, answers, woken })
    }

    /// Gives whether there will be an answer.
    fn ask(&self) -> bool {
        self.questions.send(()).is_ok()
    }

    fn answer(&self) -> Option<Result<Told, Trouble>> {
        self.answers.try_recv().ok()
    }
}

/// Asks over the link that there is, else over a new one.
fn numbers(link: &mut Option<Link>, data: &std::path::Path) -> Result<Told, Trouble> {
    let mut there = match link.take() {
        Some(there) => there,
        None => Link::open(data)?,
    };
    match there.ask(&Ask::Numbers, Patience::Short, &mut |_, _| {})? {
        Answer::Numbers(numbers) => {
            // An older backend tells of no worlds.
            let worlds = if numbers.worlds.is_empty() { Vec::new() } else { world::played(&mut there) };
            *link = Some(there);
            Ok(Told { numbers: *numbers, worlds })
        }
        _ => Err(Trouble::Link("the running backend tells no numbers".to_owned())),
    }
}
