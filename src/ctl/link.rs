//! The way to the running backend: its Unix socket, one question, its answers. The handler sees by the peer
//! credentials who asks.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use ssmglobal_ipc::Code;
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_ipc::frame::{Class, FrameReader, put_control};
use zeroize::Zeroizing;

use super::trouble::Trouble;
use crate::wait::wait_for;
use nix::poll::PollFlags;

/// How long a question that needs no long work may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Room for the longest question, so that no copy of a password is left where the buffer has grown.
const QUESTION: usize = 16 << 10;

/// How long an answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It should come at once; 30 s at the most.
    Short,
    /// The work takes as long as it takes.
    Endless,
}

impl Patience {
    fn limit(self) -> Option<Duration> {
        match self {
            Patience::Short => Some(PATIENCE),
            Patience::Endless => None,
        }
    }
}

/// Connects, if whoever has made the socket, and whoever answers at it, is the backend: this user, root, or for root the owner
/// of the data. A stranger's would be told what is asked, new passwords too.
fn known_only(data: &Path, socket: &Path) -> Result<io::Result<UnixStream>, Trouble> {
    let me = nix::unistd::geteuid().as_raw();
    let owner = std::fs::metadata(data).ok().filter(|_| me == 0).map(|found| found.uid());
    let stranger = |user: u32| user != me && user != 0 && Some(user) != owner;
    let refuse = |user: u32| {
        let how = "no backend of yours; name its data directory with --data DIR";
        Err(Trouble::Here(Code::Denied, format!("{} is served by user {user}: {how}", socket.display())))
    };
    match std::fs::symlink_metadata(socket) {
        Ok(found) if stranger(found.uid()) => return refuse(found.uid()),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(Trouble::Here(Code::Denied, format!("{} is no socket", socket.display())));
        }
        // What cannot be looked at cannot be connected to, and that says why.
        _ => {}
    }
    let stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        Err(error) => return Ok(Err(error)),
    };
    match ssmglobal_sys::peer_of(&stream) {
        Ok((_, user, _)) if stranger(user) => refuse(user),
        Ok(_) => Ok(Ok(stream)),
        Err(error) => Ok(Err(error)),
    }
}

/// A connection to the running backend.
#[derive(Debug)]
pub struct Link {
    stream: UnixStream,
    reader: FrameReader,
    /// What came along with the last answers: one at the most is ever told of.
    came: Option<OwnedFd>,
    /// When an answer has to be there.
    until: Option<Instant>,
}

impl Link {
    /// Connects to the backend of this data directory.
    ///
    /// # Errors
    /// [`Trouble::NotRunning`] when nobody listens there; [`Trouble::Link`] when it may not be asked.
    pub fn open(data: &Path) -> Result<Link, Trouble> {
        let socket = data.join(ssmglobal_handler::CTL_SOCKET);
        match known_only(data, &socket)? {
            Ok(stream) => Ok(Link::over(stream)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                // The whole path shows whether this is merely the wrong directory to ask from.
                Err(Trouble::NotRunning(vec![std::path::absolute(&socket).unwrap_or(socket)]))
            }
            Err(error) => {
                let how = match error.kind() {
                    ErrorKind::PermissionDenied => "ask as the user that the backend runs as, or as root",
                    ErrorKind::InvalidInput => "a socket's path has at most 107 bytes: use a shorter data directory",
                    _ => "look at this path and at the backend's log",
                };
                Err(Trouble::Link(format!("cannot ask the backend at {}: {error}; {how}", socket.display())))
            }
        }
    }

    fn over(stream: UnixStream) -> Link {
        Link { stream, reader: FrameReader::new(), came: None, until: None }
    }

    /// Asks, and waits for the last answer; `progress` gets (done, total) meanwhile.
    ///
    /// # Errors
    /// [`Trouble::Refused`], and [`Trouble::Link`] when no answer comes.
    pub fn ask(
        &mut self,
        ask: &Ask,
        patience: Patience,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Answer, Trouble> {
        self.send(ask).map_err(|error| lost(&error))?;
        self.until = patience.limit().map(|limit| Instant::now() + limit);
        loop {
            match self.next()? {
                Answer::Progress { done, total } => progress(done, total),
                Answer::Failed(failure) => return Err(Trouble::Refused(failure)),
                answer => return Ok(answer),
            }
        }
    }

    /// Waits for a further answer to what was asked, as long as it takes; nothing when the backend has ended the conversation.
    ///
    /// # Errors
    /// [`Trouble::Link`] for what is no answer.
    pub fn more(&mut self) -> Result<Option<Answer>, Trouble> {
        self.stream.set_read_timeout(None).map_err(|error| lost(&error))?;
        unless_closed(self.next())
    }

    /// As [`Link::ask`]; nothing when the backend has ended the conversation, as a handler does that is dying.
    ///
    /// # Errors
    /// As [`Link::ask`].
    pub fn ask_one_that_may_die(&mut self, ask: &Ask) -> Result<Option<Answer>, Trouble> {
        unless_closed(self.ask(ask, Patience::Short, &mut |_, _| {}))
    }

    fn send(&mut self, ask: &Ask) -> io::Result<()> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(QUESTION));
        put_control(&mut bytes, ask);
        self.stream.set_write_timeout(Some(PATIENCE))?;
        // An early refusal closes the socket: what was said before that is worth more than the failed write.
        match self.stream.write_all(&bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    fn next(&mut self) -> Result<Answer, Trouble> {
        loop {
            let strange = |_| Trouble::Link(STRANGE.to_owned());
            if let Some(frame) = self.reader.next_frame().map_err(strange)? {
                if frame.class != Class::Control {
                    return Err(Trouble::Link(STRANGE.to_owned()));
                }
                return Answer::of_frame(&frame).map_err(strange);
            }
            if !wait_for(&self.stream, PollFlags::POLLIN, self.until).map_err(|error| lost(&error))? {
                return Err(lost(&ErrorKind::TimedOut.into()));
            }
            let (stream, came) = (&self.stream, &mut self.came);
            let filled = self.reader.fill(|buffer| {
                let received = ssmglobal_sys::receive(stream, buffer)?;
                *came = received.fds.into_iter().next().or(came.take());
                Ok(received.count)
            });
            match filled {
                Ok((0, _)) => return Err(Trouble::Closed),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                Err(error) => return Err(lost(&error)),
            }
        }
    }

    /// The file that came along with the last answer.
    ///
    /// # Errors
    /// None came.
    pub fn file(&mut self) -> Result<File, Trouble> {
        self.came.take().map(File::from).ok_or_else(|| Trouble::Link(STRANGE.to_owned()))
    }
}

fn unless_closed(answer: Result<Answer, Trouble>) -> Result<Option<Answer>, Trouble> {
    match answer {
        Err(Trouble::Closed) => Ok(None),
        answer => answer.map(Some),
    }
}

const STRANGE: &str = "the backend's answer cannot be understood: use the `ssmglobal` of the version that is running";

fn lost(error: &io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Trouble::Link(format!(
            "the backend has not answered within {} s, so it is not known whether this was done; look at its log",
            PATIENCE.as_secs()
        )),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Trouble::Closed,
        _ => Trouble::Link(format!("the way to the backend is broken: {error}; try again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_ipc::Failure;
    use std::os::unix::net::UnixListener;
    use std::thread::{self, JoinHandle};

    /// A backend that reads one question and gives these answers; gives back the question.
    fn backend(answers: Vec<Answer>) -> (Link, JoinHandle<Ask>) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let backend = thread::spawn(move || {
            let mut reader = FrameReader::new();
            let ask = loop {
                if let Some(frame) = reader.next_frame().unwrap() {
                    break frame.control().unwrap();
                }
                let (count, _) = reader.fill(|buffer| io::Read::read(&mut theirs, buffer)).unwrap();
                assert!(count > 0);
            };
            let mut bytes = Vec::new();
            answers.iter().for_each(|answer| put_control(&mut bytes, answer));
            theirs.write_all(&bytes).unwrap();
            ask
        });
        (Link::over(ours), backend)
    }

    #[test]
    fn progress_comes_before_the_answer() {
        let done = Answer::BackedUp { file: "/b".into(), bytes: 7 };
        let steps = [1, 2].map(|done| Answer::Progress { done, total: 2 });
        let (mut link, backend) = backend(steps.into_iter().chain([done.clone()]).collect());
        let question = Ask::Backup { file: "/b".into() };
        let mut seen = Vec::new();
        let answer = link.ask(&question, Patience::Endless, &mut |done, total| seen.push((done, total)));
        assert_eq!((answer.unwrap(), seen), (done, vec![(1, 2), (2, 2)]));
        assert_eq!(backend.join().unwrap(), question);
    }

    #[test]
    fn a_refusal_is_an_error() {
        let failure = Failure::new(Code::Exists, "The name is taken.");
        let (mut link, backend) = backend(vec![Answer::Failed(failure.clone())]);
        let answer = link.ask(&Ask::ServerAdd { name: "arena".into() }, Patience::Short, &mut |_, _| {});
        assert!(matches!(answer, Err(Trouble::Refused(told)) if told == failure));
        backend.join().unwrap();
    }

    #[test]
    fn an_end_without_an_answer_is_told() {
        let (mut link, backend) = backend(Vec::new());
        let answer = link.ask(&Ask::Status, Patience::Short, &mut |_, _| {});
        assert!(matches!(answer, Err(Trouble::Closed)));
        backend.join().unwrap();
    }

    #[test]
    fn nobody_there_means_not_running() {
        let data = std::env::temp_dir().join(format!("ssmglobal-link-{}", std::process::id()));
        assert!(matches!(Link::open(&data), Err(Trouble::NotRunning(_))));
        // As it stays behind after a kill -9.
        std::fs::create_dir_all(data.join("run")).unwrap();
        drop(UnixListener::bind(data.join(ssmglobal_handler::CTL_SOCKET)).unwrap());
        let stale = Link::open(&data);
        std::fs::remove_dir_all(&data).unwrap();
        assert!(matches!(stale, Err(Trouble::NotRunning(_))));
    }
}
