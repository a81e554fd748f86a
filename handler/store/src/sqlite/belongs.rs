//! Whether the log that lies beside a database belongs to it. SQLite believes whatever has the right name: the log of
//! another day would bring that day back, or leave a file that is of two days. Looked at before anything is opened; touches
//! nothing. Runs in the handler, and where a copy is put in place.
//!
//! A log has no mark of its database, so it is found out by what the two say of each other: how the database says that it
//! is journaled, the length of pages, which pages must be in one of the two, and the counter in the first page.

use super::file::beside;
use super::{error, schema};
use crate::{Result, StoreError};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

/// What a file of SQLite's begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Bytes of the header of a database; its first page is at least 512 long.
pub(super) const HEADER: usize = 100;

/// The two magic numbers of a write-ahead log: the second is for checksums over big-endian words.
const WAL: [u32; 2] = [0x377f_0682, 0x377f_0683];
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What a rollback journal begins with, once it is to be believed.
const JOURNAL: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// The page that SQLite locks and never writes begins here.
const PENDING: u64 = 1 << 30;

/// What the first page of a database says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes of a page.
    page: u64,
    /// It has a write-ahead log, or had one when it was last open; else it is a copy that was finished.
    pub(super) logged: bool,
    /// Changes of the first page.
    counter: u32,
    application: u32,
    /// The version of the schema, as SQLite's `user_version`.
    pub(super) schema: u32,
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map_or(0, u16::from_be_bytes)
}

impl Header {
    /// Of what a file begins with; nothing when it is no database of ours.
    pub(super) fn of(bytes: &[u8]) -> Option<Header> {
        let page = match short(bytes, 16) {
            1 => 65_536,
            length => u64::from(length),
        };
        let ours = bytes.len() >= HEADER && bytes.starts_with(MAGIC) && number(bytes, 68) == schema::APPLICATION_ID;
        let logged = bytes.get(18..20) != Some(&[1, 1]);
        (ours && page >= 512).then(|| Header {
            page,
            logged,
            counter: number(bytes, 24),
            application: number(bytes, 68),
            schema: number(bytes, 60),
        })
    }

    /// Of the file with this name.
    pub(super) fn read(path: &Path) -> Result<Option<Header>> {
        let mut bytes = Vec::with_capacity(HEADER);
        File::open(path)
            .and_then(|file| file.take(HEADER as u64).read_to_end(&mut bytes))
            .map_err(|e| error::io("cannot read", path, &e))?;
        Ok(Header::of(&bytes))
    }
}

/// Looks at what lies beside a database. `thorough`: also at all that is in it, which takes as long as reading it.
///
/// # Errors
/// [`StoreError::Beside`], which names it.
pub(super) fn check(path: &Path, header: &Header, thorough: bool) -> Result<()> {
    let [wal, shm, journal] = ["-wal", "-shm", "-journal"].map(|suffix| beside(path, suffix));
    let refuse = |file: &Path, why: String| Err(StoreError::Beside { file: file.to_owned(), of: path.to_owned(), why });
    if length(&wal)? > 0 {
        if !header.logged {
            let why = "the database is a finished copy, which has none: the log is another database's".to_owned();
            return refuse(&wal, why);
        }
        if let Some(why) = stranger(path, header, &wal, thorough)? {
            return refuse(&wal, why);
        }
    }
    if !header.logged && length(&shm)? > 0 {
        return refuse(&shm, "the database is a finished copy, which has none".to_owned());
    }
    if length(&journal)? > 0 && !undoes(path, &journal)? {
        return refuse(&journal, "it would undo changes that this database does not have".to_owned());
    }
    Ok(())
}

/// What must not be there when there is no database.
///
/// # Errors
/// [`StoreError::Beside`], which names it.
pub(super) fn nothing_without(path: &Path) -> Result<()> {
    for file in ["-wal", "-journal"].map(|suffix| beside(path, suffix)) {
        if length(&file)? > 0 {
            // SQLite would read it into a new database.
            let why = "the database itself is not there".to_owned();
            return Err(StoreError::Beside { file, of: path.to_owned(), why });
        }
    }
    Ok(())
}

/// Bytes of a file; 0 also when there is none.
pub(super) fn length(path: &Path) -> Result<u64> {
    match fs::metadata(path) {
        Ok(meta) => Ok(meta.len()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(0),
        Err(e) => Err(error::io("cannot look at", path, &e)),
    }
}

/// Why a write-ahead log cannot be this database's; nothing when it can, or when SQLite would not believe it anyway.
fn stranger(path: &Path, header: &Header, wal: &Path, thorough: bool) -> Result<Option<String>> {
    let failed = |e| error::io("cannot read", wal, &e);
    let mut log = File::open(wal).map_err(failed)?;
    let mut head = [0; WAL_HEADER];
    if !filled(&mut log, &mut head).map_err(failed)? {
        return Ok(None);
    }
    let Some(order) = WAL.iter().position(|magic| *magic == number(&head, 0)) else { return Ok(None) };
    let mut sum = Sum { big: order == 1, words: (0, 0) };
    sum.add(head.get(..24).unwrap_or_default());
    if sum.words != (number(&head, 24), number(&head, 28)) {
        return Ok(None);
    }
    if u64::from(number(&head, 8)) != header.page {
        let why = format!("its pages have {} bytes, those of the database {}", number(&head, 8), header.page);
        return Ok(Some(why));
    }
    if !thorough {
        return Ok(None);
    }
    let mut log = BufReader::with_capacity(1 << 20, log);
    let Some(said) = committed(&mut log, &head, sum, header.page).map_err(failed)? else { return Ok(None) };
    let pages = length(path)? / header.page;
    let missing = (pages + 1..=u64::from(said.pages)).find(|page| {
        (page - 1) * header.page != PENDING && !u32::try_from(*page).is_ok_and(|page| said.has.contains(&page))
    });
    if let Some(page) = missing {
        return Ok(Some(format!("page {page} of {} is neither in it nor in the database", said.pages)));
    }
    let Some((first, last)) = said.first_pages else { return Ok(None) };
    let Some(last) = last.filter(|last| last.application == header.application) else {
        return Ok(Some("it is the log of another program's database".to_owned()));
    };
    // Each time the first page is written its counter goes up by one at the most, and it never goes down.
    if last.counter < header.counter {
        return Ok(Some("it is older than the database".to_owned()));
    }
    if first > header.counter.saturating_add(1) {
        return Ok(Some("it is of a later time than the database, and what lies between is missing".to_owned()));
    }
    Ok(None)
}

/// What the transactions in a log come to.
#[derive(Default)]
struct Said {
    /// Pages of the database after the last one.
    pages: u32,
    /// Which of them are in the log.
    has: HashSet<u32>,
    /// If the first one is: its counter when it was first written, and what it says in the end.
    first_pages: Option<(u32, Option<Header>)>,
}

/// Reads as SQLite does: up to the last transaction that is whole. Nothing when there is none.
fn committed(log: &mut impl Read, head: &[u8], mut sum: Sum, page: u64) -> std::io::Result<Option<Said>> {
    let (mut whole, mut open) = (None, Said::default());
    let mut frame = vec![0; FRAME_HEADER + usize::try_from(page).unwrap_or(usize::MAX)];
    while filled(log, &mut frame)? {
        let Some((about, content)) = frame.split_at_checked(FRAME_HEADER) else { break };
        sum.add(about.get(..8).unwrap_or_default());
        sum.add(content);
        let goes_on = about.get(8..16) == head.get(16..24) && sum.words == (number(about, 16), number(about, 20));
        if !goes_on {
            break;
        }
        let (at, pages) = (number(about, 0), number(about, 4));
        open.has.insert(at);
        if at == 1 {
            let first = open.first_pages.map_or(number(content, 24), |(first, _)| first);
            open.first_pages = Some((first, Header::of(content)));
        }
        if pages > 0 {
            open.pages = pages;
            whole = Some((pages, open.first_pages));
        }
    }
    Ok(whole.map(|(pages, first_pages)| Said { pages, first_pages, has: open.has }))
}

/// Fills the buffer; gives whether there was so much.
fn filled(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match from.read_exact(buffer) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// The checksum of write-ahead logs, which goes on from frame to frame.
struct Sum {
    big: bool,
    words: (u32, u32),
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let word = |four: [u8; 4]| if self.big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) };
        let (mut one, mut two) = self.words;
        for &[a, b, c, d, e, f, g, h] in bytes.as_chunks().0 {
            one = one.wrapping_add(word([a, b, c, d])).wrapping_add(two);
            two = two.wrapping_add(word([e, f, g, h])).wrapping_add(one);
        }
        self.words = (one, two);
    }
}

/// The most bytes of a rollback journal that are looked through for the first page.
const JOURNAL_READ: u64 = 16 << 20;

/// Whether a rollback journal, which has the pages of before a transaction, is of a transaction of this database. Once the
/// first page was written it has that one, since any change changes its counter; before, that page says how many there were.
fn undoes(path: &Path, journal: &Path) -> Result<bool> {
    let failed = |e| error::io("cannot read", journal, &e);
    let mut bytes = Vec::new();
    File::open(journal).and_then(|file| file.take(JOURNAL_READ).read_to_end(&mut bytes)).map_err(failed)?;
    if !bytes.starts_with(&JOURNAL) {
        // One that SQLite passes over.
        return Ok(true);
    }
    let page = number(&bytes, 24) as usize;
    let mut now = vec![0; page.clamp(HEADER, 65_536)];
    let there = File::open(path).and_then(|mut file| filled(&mut file, &mut now));
    if !there.map_err(|e| error::io("cannot read", path, &e))? {
        return Ok(false);
    }
    let Some(before) = first_page(&bytes, now.len()) else { return Ok(number(&bytes, 16) == number(&now, 28)) };
    let (was, is) = (number(before, 24), number(&now, 24));
    // What a transaction changes in the header: how it is journaled, counters, lengths, lists of free pages.
    let same = |range: std::ops::Range<usize>| before.get(range.clone()) == now.get(range);
    Ok((is == was || is == was.wrapping_add(1)) && same(0..18) && same(20..24) && same(56..72))
}

/// The first page, as a rollback journal has it: parts that begin with a header of one sector, with records of a number, the
/// page, and a checksum.
fn first_page(journal: &[u8], page: usize) -> Option<&[u8]> {
    let (sector, record) = (number(journal, 20).max(32) as usize, page + 8);
    let mut rest = journal;
    while rest.starts_with(&JOURNAL) {
        let records = rest.get(sector..)?;
        // The last part may not say how many it has.
        let count = match number(rest, 8) {
            0 | u32::MAX => usize::MAX,
            count => count as usize,
        };
        if let Some(first) = records.chunks_exact(record).take(count).find(|record| number(record, 0) == 1) {
            return first.get(4..4 + page);
        }
        let length = sector.checked_add(count.checked_mul(record)?)?.checked_next_multiple_of(sector)?;
        rest = rest.get(length..)?;
    }
    None
}
