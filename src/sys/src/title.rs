//! What `ps` shows: the memory that the kernel reads a process's command line from is written over.

use std::fmt::{self, Write};
use std::sync::OnceLock;

/// The place of the title in this process (and, after a fork, in its children).
#[derive(Clone, Copy, Debug)]
pub struct Title {
    start: usize,
    length: usize,
}

static TITLE: OnceLock<Option<Title>> = OnceLock::new();

/// The longest title, bytes.
const LONGEST: usize = 256;

impl Title {
    /// Finds the memory of command line and environment. Call it once, at the start of `main`, when nothing will
    /// look at the environment in its old place again; later calls do nothing.
    pub fn capture() {
        TITLE.get_or_init(find);
    }

    /// Shows this in `ps`, cut to the room there is (at most 255 bytes). Does nothing where the place is not known.
    /// Allocates nothing.
    pub fn set(text: fmt::Arguments<'_>) {
        Prepared::new(text).show();
    }

    /// Wipes the whole block, once, before the first title.
    pub fn wipe() {
        let Some(Some(place)) = TITLE.get() else { return };
        // SAFETY: as in `set`.
        unsafe { std::ptr::write_bytes(place.start as *mut u8, 0, place.length) };
    }
}

/// A title that is written already: showing it touches one page, and no code but this.
pub struct Prepared {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Prepared {
    /// Cut to 255 bytes.
    pub fn new(text: fmt::Arguments<'_>) -> Prepared {
        let mut prepared = Prepared { bytes: [0; LONGEST], length: 0 };
        // Cut where it is full.
        let _ = prepared.write_fmt(text);
        prepared
    }

    /// Shows it in `ps`, cut to the room there is.
    #[inline(always)]
    pub fn show(&self) {
        let Some(Some(place)) = TITLE.get() else { return };
        // The last byte stays zero.
        let length = place.length.min(LONGEST).saturating_sub(1);
        // SAFETY: `start..start + length` is the block that the kernel put on this process's stack for command line
        // and environment (read from /proc/self/stat, and it stays mapped as long as the process lives); nothing
        // else refers to it: `capture` has moved the environment away, and `main` has copied the arguments.
        unsafe {
            let (place, mut from, mut to) = (place.start as *mut u8, 0, length);
            // Only what is to change is written: it may reach into a page that is not this process's own yet.
            while from < to && place.add(to - 1).read() == self.bytes.as_ptr().add(to - 1).read() {
                to -= 1;
            }
            while from < to && place.add(from).read() == self.bytes.as_ptr().add(from).read() {
                from += 1;
            }
            std::ptr::copy_nonoverlapping(self.bytes.as_ptr().add(from), place.add(from), to - from);
        }
    }
}

impl Write for Prepared {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        let count = text.len().min(room.len());
        room.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        self.length += count;
        Ok(())
    }
}

/// All processes whose title begins like this, with the rest of it.
pub fn titled(front: &str) -> impl Iterator<Item = (i32, String)> {
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(move |pid| Some((pid, title_of(pid)?.strip_prefix(front)?.to_owned())))
}

/// The title of the process that a process is a child of.
pub fn title_of_parent(pid: i32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    title_of(fields.split(' ').nth(1)?.parse().ok()?)
}

/// What `ps` shows of a process; nothing when there is none.
pub fn title_of(pid: i32) -> Option<String> {
    let title = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    Some(String::from_utf8_lossy(&title).trim_end_matches('\0').to_owned())
}

/// Numbers of fields in /proc/PID/stat, counted from the one after the command's name.
const ARG_START: usize = 45;
const ARG_END: usize = 46;
const ENV_START: usize = 47;
const ENV_END: usize = 48;

fn find() -> Option<Title> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<usize> = fields.split_ascii_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    let field = |index: usize| fields.get(index).copied().filter(|&value| value > 0);
    let (start, arg_end) = (field(ARG_START)?, field(ARG_END)?);
    let env = field(ENV_START).zip(field(ENV_END)).filter(|&(from, _)| from == arg_end);
    let length = env.map_or(arg_end, |(_, to)| to).checked_sub(start)?;
    // The kernel reads on into the environment when the last byte of the old command line is not zero.
    move_environment();
    Some(Title { start, length })
}

/// Sets every variable again, so that its text lies on the heap and not in the block that is written over.
fn move_environment() {
    for (name, value) in std::env::vars_os() {
        // SAFETY: called from `capture` at the start of `main`, while there is one thread.
        unsafe { std::env::set_var(name, value) };
    }
}
