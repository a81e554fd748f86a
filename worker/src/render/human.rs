//! Replies and events as text for people. Runs in a worker.

use super::screen::{Look, Screen, Style};
use super::{event_name, sentence};
use crate::commands::{
    self, Command, Group, HELLO, HelpTopic, Local, ModeChoice, State, mail, players, records, relay, settings, status,
};
use ssmglobal_ipc::{Event, Failure, Mode, Reply};

/// What a person is greeted with on choosing the mode.
pub const WELCOME: &str = "Welcome to serversquared Modification Global Backend.";

/// What stands before each command.
pub const PROMPT: &str = "> ";

/// Appends what the handler answered.
pub fn reply(out: &mut Vec<u8>, command: Option<&Command>, reply: &Reply, look: Look) {
    if let Reply::Failed(failed) = reply {
        return failure(out, failed, look);
    }
    let screen = &mut Screen::new(out, look);
    // A mail is shown with its own first line.
    if let Reply::Mail(reply) = reply {
        return mail::show_mail(screen, reply);
    }
    let mut said = String::new();
    if sentence(&mut said, command, reply).is_ok() {
        screen.line(said);
    }
    match reply {
        Reply::LoggedIn(reply) => players::show_logged_in(screen, reply),
        Reply::Whoami(reply) => players::show_whoami(screen, reply),
        Reply::Who(reply) => players::show_who(screen, reply),
        Reply::Fingered(reply) => players::show_fingered(screen, reply),
        Reply::RecordPage(reply) => records::show_page(screen, reply),
        Reply::RecordShown(reply) => records::show_shown(screen, reply),
        Reply::Boards(reply) => records::show_boards(screen, reply),
        Reply::Setting(reply) => settings::show_setting(screen, reply),
        Reply::Settings(reply) => settings::show_settings(screen, reply),
        Reply::MailPage(reply) => mail::show_page(screen, command, reply),
        Reply::Blocks(reply) => mail::show_blocks(screen, reply),
        Reply::Channels(reply) => relay::show_channels(screen, reply),
        Reply::Worlds(reply) => status::show_worlds(screen, reply),
        _ => {}
    }
}

/// Appends `ERROR: …`.
pub fn failure(out: &mut Vec<u8>, failure: &Failure, look: Look) {
    Screen::new(out, look).parts(&[(Style::Red, "ERROR:"), (Style::Plain, " "), (Style::Plain, &failure.msg)]);
}

/// Appends one line about something that was pushed.
pub fn event(out: &mut Vec<u8>, event: &Event, look: Look) {
    let Some(name) = event_name(event) else { return };
    let mut said = String::new();
    let written = match event {
        Event::Mail(event) => mail::say_arrived(&mut said, event),
        Event::Tell(event) => mail::say_tell(&mut said, event),
        Event::Relay(event) => relay::say_message(&mut said, event),
        Event::Record(event) => records::say_arrived(&mut said, event),
        Event::Notice(notice) | Event::Close(notice) | Event::LoggedOut(notice) => {
            said.push_str(&notice.msg);
            Ok(())
        }
        Event::Ticket(_) => Ok(()),
    };
    if written.is_ok() {
        let tag = format!("[{name}]");
        Screen::new(out, look).parts(&[(Style::Cyan, &tag), (Style::Plain, " "), (Style::Plain, &said)]);
    }
}

/// Appends what the worker answers by itself. After a change of mode this is called for the new mode HUMAN.
pub fn local(out: &mut Vec<u8>, local: &Local, state: State, look: Look) {
    let screen = &mut Screen::new(out, look);
    match local {
        Local::Mode(ModeChoice::List) => screen.line("SERVER CLIENT HUMAN"),
        Local::Mode(ModeChoice::Set(Mode::Human)) => screen.line(WELCOME),
        Local::Mode(ModeChoice::Set(mode)) => screen.line(format!("Mode: {}", mode.as_str())),
        Local::Help(topic) => help(screen, *topic, state),
        Local::Hello(times) => (0..*times).for_each(|_| screen.line(HELLO)),
        Local::Ping => screen.line("Pong."),
        Local::Quit => {}
    }
}

fn help(screen: &mut Screen<'_>, topic: HelpTopic, state: State) {
    if let HelpTopic::Command(command) = topic {
        return help_command(screen, command);
    }
    screen.line("Available commands:");
    let names = commands::entries(topic, state).flat_map(|(_, commands)| commands);
    let widest = names.map(|command| command.name.len()).max().unwrap_or(0);
    for (group, commands) in commands::entries(topic, state) {
        screen.heading(group.title);
        for command in commands {
            screen.entry(command.name, widest, command.summary);
        }
    }
    match topic {
        HelpTopic::Group(Group { commands: [first, ..], .. }) => {
            screen.hint(format!("HELP {} explains one.", first.name))
        }
        _ => screen.hint("HELP and a command explains it, with an example."),
    }
}

fn help_command(screen: &mut Screen<'_>, command: &Command) {
    screen.heading(&command.usage());
    screen.line(format!("{}.", command.summary));
    let widest = command.args.iter().map(|arg| arg.name.len()).max().unwrap_or(0);
    for arg in command.args {
        let about = arg.doc.replace('`', "");
        screen.described(arg.name, widest, &if arg.optional { format!("optional; {about}") } else { about });
    }
    screen.line(format!("For: {}", command.who.describe()));
    if let Some(alias) = command.alias {
        screen.line(format!("Short: {alias}"));
    }
    screen.line(format!("Example: {}", command.example));
}

/// Appends text of ours or the operator's, line by line.
pub fn text(out: &mut Vec<u8>, text: &str, look: Look) {
    let screen = &mut Screen::new(out, look);
    text.lines().for_each(|line| screen.line(line));
}
