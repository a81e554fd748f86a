//! A session on what clients say and the handler answers: whatever process it is in, and however often that changes.

mod writing;

use super::{Around, Ask, Session};
use crate::peer::layer::Opened;
use crate::peer::speech::Speech;
use crate::peer::transport::Transport;
use crate::peer::{Input, Stack};
use proptest::collection::vec;
use proptest::prelude::*;
use ssmglobal_config::{Door, Settings};
use ssmglobal_ipc::{
    Code, Done, Event, Failure, Kind, LoggedIn, Mode, Mssp, Notice, Party, Reply, Request, SetMode, State, TellArrived,
    Ticket, Time, WorkerEnd,
};
use std::time::{Duration, Instant};

/// A session and its client, with a handler that answers when it is told to.
struct Scene {
    session: Session,
    client: Stack,
    settings: Settings,
    door: Door,
    begun: Instant,
    /// What was asked and not answered.
    open: Vec<(u64, Request)>,
    said: Vec<u8>,
    pushes: u64,
    moves: usize,
}

impl Scene {
    fn new(mode: Mode) -> Scene {
        let settings = Settings::default();
        let door = settings.doors().remove(0);
        let begun = Instant::now();
        let mut scene = Scene {
            session: Session::new(7, mode, begun),
            client: Stack::new(Transport::Plain, Speech::new(mode, door.line, false)),
            settings,
            door,
            begun,
            open: Vec::new(),
            said: Vec::new(),
            pushes: 0,
            moves: 0,
        };
        scene.hear();
        scene
    }

    fn says(&mut self, said: impl AsRef<[u8]>) {
        let mut bytes = said.as_ref();
        let mut buffer = String::new();
        while self.session.may_take(&self.settings)
            && let Opened::Data(input) = self.client.open(&mut bytes, &mut buffer)
        {
            self.input(input, &buffer);
        }
        self.hear();
    }

    fn input(&mut self, input: Input, line: &str) {
        let around = around(&self.door, &self.settings, self.begun);
        let Some(ask) = self.session.on_input(input, line, &mut self.client, around) else { return };
        let number = self.session.asked().number();
        let request = match ask {
            Ask::Command { command, request, id, .. } => {
                self.session.waits_for(number, command, &request, id);
                request
            }
            Ask::Mode(mode) => {
                self.session.waits_for_mode(number);
                Request::SetMode(SetMode { mode })
            }
            Ask::Mssp { plain } => Request::Mssp(Mssp { plain }),
            Ask::Play(_) | Ask::Leave => panic!("nothing is played here"),
        };
        self.session.asked().add(number, request.clone(), None, self.begun);
        self.open.push((number, request));
    }

    /// The handler answers one of its questions.
    fn answers(&mut self, which: usize) {
        if self.open.is_empty() {
            return;
        }
        let (number, request) = self.open.remove(which % self.open.len());
        let reply = match request.kind() {
            Kind::Login => {
                let player = "bob".to_owned();
                Reply::LoggedIn(LoggedIn {
                    player,
                    unread: 2,
                    last_login: None,
                    mailbox_full: false,
                    preferences: Vec::new(),
                })
            }
            Kind::Logout | Kind::SetMode => Reply::Done(Done {}),
            kind => Reply::Failed(Failure::new(Code::Unavailable, format!("no {kind:?} today"))),
        };
        let around = around(&self.door, &self.settings, self.begun);
        self.session.on_reply(number, &reply, &mut self.client, around);
        self.hear();
    }

    fn pushed(&mut self, event: Event) {
        self.pushes += 1;
        assert!(self.session.on_event(self.pushes, event, &mut self.client).is_none());
        self.hear();
    }

    /// The client reads what was said to it; what the worker had to do is done.
    fn hear(&mut self) {
        self.said.extend_from_slice(self.client.out().rest());
        self.client.out().clear();
        self.session.take_effects();
        let (mode, limit) = (self.session.mode(), self.session.line_limit(&self.door));
        self.client.speech().listen(mode, limit);
    }

    /// Another process goes on with it, if it may.
    fn moves(&mut self) {
        if self.session.is_quiet() && self.client.is_quiet() {
            let written = serde_json::to_vec(&(&self.session, &self.client)).unwrap();
            (self.session, self.client) = serde_json::from_slice(&written).unwrap();
            self.moves += 1;
            self.hear();
        }
    }
}

fn around<'a>(door: &'a Door, settings: &'a Settings, at: Instant) -> Around<'a> {
    Around { door, settings, linked: true, lost: None, listens: false, plays: false, last_line: at, last_input: at }
}

#[derive(Clone, Debug)]
enum Step {
    Says(&'static str),
    /// The terminal tells its size.
    Window(u8),
    Answers(usize),
    Told,
    LoggedOut,
    Ticket,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lines = vec![
        "HELP TELL\r\n",
        "WHOAMI\r\n",
        "LOGIN bob\r\n",
        "hunter22\r\n",
        "LOGIN bob hunter22\r\n",
        "{\"cmd\": \"LOGIN\", \"id\": 3, \"args\": {\"name\": \"bob\", \"password\": \"hunter22\"}}\r\n",
        "{\"cmd\": \"PING\", \"id\": \"x\"}\r\n",
        "{\"cmd\": \"WHO\"}\r\n",
        "MODE CLIENT\r\n",
        "MODE HUMAN\r\n",
        "{\"cmd\": \"MODE\", \"args\": {\"mode\": \"HUMAN\"}}\r\n",
        "LOGOUT\r\n",
        "STAY\r\n",
        "MAIL SEND\r\n",
        "TELL bob\r\n",
        "SETTING SET k PUBLIC\r\n",
        "dear bob\r\n",
        "~e 1 dear ann\r\n",
        "~q\r\n",
        ".\r\n",
        "HELP MAIL\r\n",
        "MORE\r\n",
        "q\r\n",
        "\r\n",
        "half a li",
        "\u{fffd}ne\r\n",
        "\r",
    ];
    let step = prop_oneof![
        6 => proptest::sample::select(lines).prop_map(Step::Says),
        6 => (0..4_usize).prop_map(Step::Answers),
        1 => (3..12_u8).prop_map(Step::Window),
        1 => Just(Step::Told),
        1 => Just(Step::LoggedOut),
        1 => Just(Step::Ticket),
    ];
    vec(step, 0..40)
}

fn play(mode: Mode, steps: &[Step], moves: impl Fn(usize) -> bool) -> (Vec<u8>, Session, usize) {
    let mut scene = Scene::new(mode);
    for (index, step) in steps.iter().enumerate() {
        if moves(index) {
            scene.moves();
        }
        match step {
            Step::Says(line) => scene.says(line),
            Step::Window(height) => {
                scene.says([&b"\xff\xfb\x1f\xff\xfa\x1f\0\x50\0"[..], &[*height], b"\xff\xf0"].concat())
            }
            Step::Answers(which) => scene.answers(*which),
            Step::Told => {
                let told = TellArrived { from: Party::parse("ann"), body: "hi".into(), at: Time(0) };
                scene.pushed(Event::Tell(told));
            }
            Step::LoggedOut => scene.pushed(Event::LoggedOut(Notice { msg: "You were logged out.".into() })),
            Step::Ticket => scene.pushed(Event::Ticket(Ticket::new(vec![1, 2, 3]))),
        }
    }
    (scene.said, scene.session, scene.moves)
}

proptest! {
    #[test]
    fn a_client_notices_nothing_of_the_processes_that_its_session_is_in(
        steps in steps(), human: bool, at in vec(any::<bool>(), 40),
    ) {
        let mode = if human { Mode::Human } else { Mode::Client };
        let (said, stayed, _) = play(mode, &steps, |_| false);
        for moves in [at, vec![true; 40]] {
            let (other, moved, _) = play(mode, &steps, |index| moves[index]);
            prop_assert_eq!(String::from_utf8_lossy(&other), String::from_utf8_lossy(&said));
            prop_assert_eq!((moved.state, moved.who(), moved.mode()), (stayed.state, stayed.who(), stayed.mode()));
            prop_assert_eq!(moved.last_push(), stayed.last_push());
            prop_assert_eq!(moved.ticket(), stayed.ticket());
        }
    }
}

#[test]
fn quiet_is_who_owes_nothing_and_asks_for_nothing() {
    let mut scene = Scene::new(Mode::Human);
    assert!(scene.session.is_quiet());
    scene.says("WHO\r\n");
    assert!(!scene.session.is_quiet(), "an answer is owed");
    scene.answers(0);
    assert!(scene.session.is_quiet());
    scene.says("LOGIN bob\r\n");
    assert!(!scene.session.is_quiet(), "a password is asked for");
    scene.says("hunter22\r\n");
    scene.answers(0);
    assert!(scene.session.is_quiet());
    scene.says("TELL\r\nann\r\nhello\r\n");
    assert!(scene.session.is_quiet(), "a text can be gone on with anywhere");
    scene.says("~q\r\nREGISTER\r\n");
    assert!(scene.session.is_quiet(), "so can a name");
    scene.says("zed\r\n");
    assert!(!scene.session.is_quiet());
    scene.says("\r\n");
    scene.says("QUIT\r\n");
    assert!(!scene.session.is_quiet() && scene.session.is_over(), "it ends");
}

#[test]
fn a_person_who_quits_is_bidden_farewell_behind_what_is_open_and_a_program_is_not() {
    let json = |cmd: &str, args| format!("{{\"cmd\": \"{cmd}\", \"args\": \"{args}\"}}\r\n");
    for (mode, login, last) in [
        (Mode::Human, Some("LOGIN bob hunter22\r\n".to_owned()), "Goodbye.\r\n"),
        // It could be a program of the first version, which got no word.
        (Mode::Human, None, ""),
        (Mode::Client, Some(json("LOGIN", "bob hunter22")), ""),
    ] {
        let mut scene = Scene::new(mode);
        if let Some(login) = login {
            scene.says(login);
            scene.answers(0);
        }
        let line = |cmd: &str| if mode == Mode::Human { format!("{cmd}\r\n") } else { json(cmd, "") };
        scene.says(line("WHO"));
        scene.said.clear();
        scene.says(line("QUIT"));
        assert!(scene.said.is_empty() && !scene.session.is_over());
        scene.answers(0);
        let said = String::from_utf8_lossy(&scene.said);
        assert!(said.ends_with(last), "{said}");
        assert_eq!(said.contains("Goodbye."), !last.is_empty(), "{said}");
        assert!(scene.session.is_over());
    }
}

#[test]
fn what_is_behind_a_login_waits_until_it_is_known_who_that_is() {
    let mut scene = Scene::new(Mode::Human);
    scene.says("LOGIN bob hunter22\r\nWHOAMI\r\n");
    assert_eq!(scene.open.len(), 1);
    assert_eq!((scene.session.state, scene.session.who()), (State::Anonymous, ""));
    scene.answers(0);
    assert_eq!((scene.session.state, scene.session.who()), (State::Player, "bob"));
    scene.pushed(Event::LoggedOut(Notice { msg: "You were logged out.".into() }));
    assert_eq!((scene.session.state, scene.session.who()), (State::Anonymous, ""));
}

#[test]
fn a_push_that_is_said_again_is_not_told_again() {
    let mut scene = Scene::new(Mode::Client);
    let notice = || Event::Notice(Notice { msg: "once".into() });
    scene.pushed(notice());
    scene.pushes -= 1;
    scene.pushed(notice());
    assert_eq!(String::from_utf8_lossy(&scene.said).matches("once").count(), 1);
}

#[test]
fn too_many_failed_logins_end_a_connection_and_its_worker_says_why() {
    let mut scene = Scene::new(Mode::Client);
    scene.settings.players.failures_per_connection = 2;
    for left in [1, 0] {
        assert_eq!(scene.session.how_ended(&scene.settings), WorkerEnd::GOOD);
        scene.says("{\"cmd\": \"LOGIN\", \"args\": {\"name\": \"bob\", \"password\": \"hunter22\"}}\r\n");
        let (number, _) = scene.open.remove(0);
        let failed = Reply::Failed(Failure::new(Code::BadLogin, "no"));
        let around = around(&scene.door, &scene.settings, scene.begun);
        scene.session.on_reply(number, &failed, &mut scene.client, around);
        assert_eq!(scene.session.is_over(), left == 0);
    }
    assert_eq!(scene.session.how_ended(&scene.settings), WorkerEnd::FAILED_LOGINS);
}

#[test]
fn silence_is_given_its_time_and_said_before_the_end() {
    let mut scene = Scene::new(Mode::Client);
    scene.settings.limits.anonymous_seconds = 40;
    let due = |scene: &Scene| scene.session.due_at(around(&scene.door, &scene.settings, scene.begun));
    let at = |seconds| scene.begun + Duration::from_secs(seconds);
    assert_eq!(due(&scene), Some(at(30)));
    let now = due(&scene).unwrap();
    let surroundings = around(&scene.door, &scene.settings, scene.begun);
    scene.session.on_due(now, &mut scene.client, surroundings);
    assert_eq!(due(&scene), Some(at(40)));
    assert!(!scene.session.is_over());
    let surroundings = around(&scene.door, &scene.settings, scene.begun);
    scene.session.on_due(at(40), &mut scene.client, surroundings);
    scene.hear();
    let said = String::from_utf8_lossy(&scene.said).into_owned();
    assert!(scene.session.is_over() && said.contains("in 10 seconds"), "{said}");
    assert!(said.contains("No whole line came for 40 seconds; the connection is closed."), "{said}");
}

fn ends_with(scene: &Scene, end: &[u8]) {
    assert!(scene.said.ends_with(end), "{:?}", String::from_utf8_lossy(&scene.said));
}

#[test]
fn what_waits_for_its_turn_is_marked_as_the_terminal_wants_it_then() {
    let mut scene = Scene::new(Mode::Human);
    scene.says(b"\xff\xfd\x19WHOAMI\r\nHW\r\n");
    // Prompts are not to be marked by EOR any more.
    scene.says(b"\xff\xfe\x19");
    scene.answers(0);
    ends_with(&scene, b"Hello, world!\r\n> \xff\xf9");
}

#[test]
fn typing_is_shown_again_behind_a_question_that_had_to_wait_also_to_one_who_wanted_no_echo_before() {
    let mut scene = Scene::new(Mode::Human);
    scene.says(b"WHOAMI\r\nLOGIN zoe\r\n");
    scene.says(b"\xff\xfe\x01");
    scene.answers(0);
    ends_with(&scene, b"\xff\xfb\x01Password: \xff\xf9");
    scene.says(b"\xff\xfd\x01\r\n");
    ends_with(&scene, b"\r\n\xff\xfc\x01ERROR: Nothing was typed, nothing was done.\r\n> \xff\xf9");
}
