//! What a player is told of his world, beside what the world says. Whole sentences, without decoration: they are read aloud too.
//! Runs in a worker; pure.

use crate::render::plural;

/// RESUME alone, from one who plays nothing.
pub const NOT_PLAYING: &str = "You play nothing at the moment. PLAY and the name of a world begins.";

/// RESUME alone, before the handler has given a word.
pub const NO_WORD: &str = "There is no word yet: you are not connected with the world. Try again in a moment.";

/// DROP, where nothing was typed.
pub const NOTHING_KEPT: &str = "Nothing that you typed is waiting for a world.";

/// A command of ours that is too long.
pub const TOO_LONG: &str = "That line was too long.";

/// Another worker did not leave its connection in time.
pub const NOT_TAKEN_OVER: &str = "Your other connection could not be taken over. Try again.";

/// Why a login has not worked: the world has said nothing that shows it.
pub const NO_ANSWER: &str = "it has not answered in time";

/// Why a login has not worked: all that was typed before is typed.
pub const ASKS_MORE: &str = "it asks for more than before";

/// What was typed without being seen may be a password.
pub const NOT_KEPT_SECRET: &str = "That was not kept, since it may be a password.";

/// A world that is down when somebody comes.
pub fn not_there(world: &str, escape: &str) -> String {
    format!("{world} is not there at the moment. You are let in as soon as it is.{}", meanwhile(escape))
}

/// A world that goes down while somebody plays.
pub fn down(world: &str, escape: &str) -> String {
    format!(
        "{world} is down. You stay connected, and are back in it as soon as it is; what you type is kept.{}",
        meanwhile(escape)
    )
}

fn meanwhile(escape: &str) -> String {
    match escape {
        "" => String::new(),
        _ => format!(" {escape}help lists what you can do meanwhile, {escape}quit leaves."),
    }
}

/// A line is kept for the world; so many there are now.
pub fn kept(lines: usize, world: &str) -> String {
    format!("{} kept for {world}.", plural(lines as u64, "line"))
}

/// A line is not kept: there are as many as may be.
pub fn not_kept(world: &str, escape: &str) -> String {
    let drop = if escape.is_empty() { String::new() } else { format!(" {escape}drop forgets them all.") };
    format!("That line was not kept: as much waits for {world} already as may.{drop}")
}

/// What was kept is forgotten.
pub fn dropped(lines: usize) -> String {
    format!("{} forgotten.", plural(lines as u64, "line"))
}

/// The world is back, and the player has to log in himself.
pub fn back(world: &str) -> String {
    format!("{world} is back.")
}

/// The world is back, and so is he; `as_before`: by the login that he has typed.
pub fn back_in(world: &str, as_before: bool, kept: usize) -> String {
    let before = if as_before { " as before" } else { "" };
    match kept {
        0 => format!("{world} is back, and you are in it{before}."),
        _ => format!(
            "{world} is back, and you are in it{before}. What you typed is sent: {}.",
            plural(kept as u64, "line")
        ),
    }
}

/// The world did not take his login or his ticket; `returns`: he was there before.
pub fn not_in(world: &str, returns: bool, why: &str, kept: usize) -> String {
    let kept = match kept {
        0 => String::new(),
        _ => format!(" What you typed ({}) is sent when you have logged in.", plural(kept as u64, "line")),
    };
    // The world's own words may end as ours do.
    let why = why.trim_end_matches('.');
    let did = if returns { "is back, but did not log you in" } else { "did not log you in by itself" };
    format!("{world} {did}: {why}. Log in as usual.{kept}")
}

/// He wants to play something else, and other connections of his are in the game by this one.
pub const IS_SHARED: &str = "Other connections of yours are in this game by this one. Leave it by those first, or by QUIT, which leaves it to \
                             them and ends this connection.";

/// He has left it to his other connections, and his own ends.
pub fn left_to_others(world: &str) -> String {
    format!("You have left {world} to your other connections, which go on in it. This one ends.")
}

/// For the log: it compresses what nobody can read.
pub fn damaged(world: &str) -> String {
    format!(
        "What {world} has sent compressed could not be read: its connection is closed, and the next one is not compressed."
    )
}

/// He has left it.
pub fn left(world: &str) -> String {
    format!("You have left {world}.")
}

/// By what he goes on from another connection.
pub fn word(word: &str, seconds: u64, escape: &str) -> String {
    let within = if seconds < 60 { plural(seconds, "second") } else { plural(seconds / 60, "minute") };
    // One line of 80 columns.
    match escape {
        "" => format!("Should you be cut off, type within {within}: RESUME {word}"),
        _ => format!("Should you be cut off, type within {within}: {escape}resume {word}"),
    }
}

/// Another connection of his goes on.
pub fn gone_on(world: &str) -> String {
    format!("You go on in {world} from another connection.")
}

/// He goes on where another connection of his was.
pub fn goes_on(world: &str) -> String {
    format!("You go on in {world} here.")
}

/// What he has missed is shown now.
pub fn missed(world: &str, lost: u64) -> String {
    match lost {
        0 => format!("You are back in {world}. This is what you have missed:"),
        _ => format!(
            "You are back in {world}. This is the end of what you have missed; {lost} bytes before it are gone:"
        ),
    }
}
