//! A ring of messages in shared memory: one writer (the handler), any number of readers (workers), who cannot
//! write to it and whom the writer does not know. A reader that is too slow loses the oldest messages and
//! learns how many.
//!
//! Layout: one page with two counters of bytes, then the data. Positions only grow; a place in the data is a
//! position modulo its length. An entry is 24 bytes (length, sender, number), then the text, filled up to a
//! multiple of 8; a length of [`SKIP`] means that the rest up to the end of the data is unused.

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::unistd::{Whence, ftruncate, lseek};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Bytes of data in a ring.
pub const CAPACITY: usize = 1 << 20;

const PAGE: usize = 4096;
const ENTRY: usize = 24;
const SKIP: u64 = u64::MAX;

/// Bytes that a reader copies at once.
const PORTION: usize = 64 << 10;

/// The longest text of one entry, bytes: many of them must fit, or one message would wipe out all others.
pub const MAX_TEXT: usize = CAPACITY / 8;

/// A mapping of the whole ring, given back when dropped.
#[derive(Debug)]
struct Map {
    start: NonNull<u8>,
}

// SAFETY: the memory is shared between processes anyway; all access goes through the methods below, which use
// atomics for the counters and volatile copies for the data.
unsafe impl Send for Map {}

impl Map {
    fn new(fd: impl AsFd, protection: ProtFlags) -> io::Result<Map> {
        let length = NonZeroUsize::MIN.saturating_add(PAGE + CAPACITY - 1);
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists. The file cannot
        // shrink under it: it is sealed before anyone else gets it, and `Reader::new` checks the seals.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, fd, 0) }?;
        Ok(Map { start: start.cast() })
    }

    /// Bytes written so far: where the next entry begins.
    fn head(&self) -> &AtomicU64 {
        // SAFETY: the page of counters is mapped as long as `self`, aligned, and only used as atomics.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().cast()) }
    }

    /// Where the oldest whole entry begins.
    fn tail(&self) -> &AtomicU64 {
        // SAFETY: as for `head`; 8 bytes further in the same page.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(8).cast()) }
    }

    /// The place of a position and how many bytes there are up to the end.
    fn place(&self, position: u64) -> (*mut u8, usize) {
        let offset = (position % CAPACITY as u64) as usize;
        // SAFETY: `offset` is smaller than the data's length, and the data begins one page behind `start`.
        (unsafe { self.start.as_ptr().add(PAGE + offset) }, CAPACITY - offset)
    }

    fn word(&self, position: u64) -> u64 {
        let (place, _) = self.place(position);
        // SAFETY: positions are multiples of 8 and so is the data's length: 8 bytes are there and aligned.
        unsafe { AtomicU64::from_ptr(place.cast()) }.load(Ordering::Relaxed)
    }

    fn set_word(&self, position: u64, value: u64) {
        let (place, _) = self.place(position);
        // SAFETY: as in `word`; only the writer's mapping, which may be written to, gets here.
        unsafe { AtomicU64::from_ptr(place.cast()) }.store(value, Ordering::Relaxed);
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, and nothing that points into it outlives `self`. An error
        // would mean that it is not mapped any more.
        let _ = unsafe { munmap(self.start.cast(), PAGE + CAPACITY) };
    }
}

fn padded(length: usize) -> u64 {
    ((ENTRY + length).next_multiple_of(8)) as u64
}

/// The one end that writes.
#[derive(Debug)]
pub struct Writer {
    map: Map,
    fd: OwnedFd,
}

impl Writer {
    /// A new empty ring in memory of its own ([`CAPACITY`] and a page; only what is used is really taken).
    ///
    /// # Errors
    /// The kernel's, when there is no memory or no descriptor left.
    pub fn new() -> io::Result<Writer> {
        let fd = memfd_create("relay", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        ftruncate(&fd, (PAGE + CAPACITY) as libc::off_t)?;
        let map = Map::new(&fd, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE)?;
        // From here on nobody else can map it for writing or change its length.
        let seals =
            SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::from_bits_retain(libc::F_SEAL_FUTURE_WRITE);
        fcntl(&fd, FcntlArg::F_ADD_SEALS(seals | SealFlag::F_SEAL_SEAL))?;
        Ok(Writer { map, fd })
    }

    /// For sending to a reader.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Where the next entry will be.
    pub fn position(&self) -> u64 {
        self.map.head().load(Ordering::Relaxed)
    }

    /// Appends an entry; the oldest ones make room. A text longer than [`MAX_TEXT`] is refused with `false`.
    pub fn push(&mut self, sender: u64, number: u64, text: &[u8]) -> bool {
        if text.len() > MAX_TEXT {
            return false;
        }
        let mut position = self.position();
        let need = padded(text.len());
        let rest = self.map.place(position).1 as u64;
        let skip = if rest < need { rest } else { 0 };
        self.make_room(position + skip + need);
        if skip > 0 {
            self.map.set_word(position, SKIP);
            position += skip;
        }
        self.map.set_word(position, text.len() as u64);
        self.map.set_word(position + 8, sender);
        self.map.set_word(position + 16, number);
        let (place, _) = self.map.place(position + ENTRY as u64);
        // SAFETY: `need` bytes from `position` on lie before the end of the data (else they were skipped).
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), place, text.len()) };
        self.map.head().store(position + need, Ordering::Release);
        true
    }

    /// Moves the oldest entry's mark, so that everything up to `end` may be written over.
    fn make_room(&self, end: u64) {
        let mut tail = self.map.tail().load(Ordering::Relaxed);
        while end.saturating_sub(tail) > CAPACITY as u64 {
            let length = self.map.word(tail);
            tail += if length == SKIP { self.map.place(tail).1 as u64 } else { padded(length as usize) };
        }
        self.map.tail().store(tail, Ordering::Relaxed);
        // A reader that sees any byte written after this also sees the new mark.
        fence(Ordering::SeqCst);
    }
}

/// One end that reads.
#[derive(Debug)]
pub struct Reader {
    map: Map,
    position: u64,
}

/// An entry as a reader sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Who sent it.
    pub sender: u64,
    /// The number that the writer has given it.
    pub number: u64,
    /// The text.
    pub text: &'a [u8],
}

impl Reader {
    /// Reads from `position` on, as the writer gave it.
    ///
    /// # Errors
    /// The kernel's; `InvalidData` for memory that is not a sealed ring, which could vanish under the reader.
    pub fn new(fd: impl AsFd, position: u64) -> io::Result<Reader> {
        let seals = fcntl(&fd, FcntlArg::F_GET_SEALS)?;
        let needed = SealFlag::F_SEAL_SHRINK.bits();
        // Not `fstat`: some C libraries make a call of it that takes paths as well, which no worker may make.
        let length = lseek(&fd, 0, Whence::SeekEnd)?;
        if seals & needed != needed || length != (PAGE + CAPACITY) as libc::off_t {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a relay ring"));
        }
        Ok(Reader { map: Map::new(fd, ProtFlags::PROT_READ)?, position })
    }

    /// Gives everything that is new to `each`, by way of `buffer`. Entries that were written over before they could be
    /// read are left out: the numbers tell how many.
    pub fn read(&mut self, buffer: &mut Vec<u8>, mut each: impl FnMut(Entry<'_>)) {
        let mut most = PORTION;
        loop {
            let head = self.map.head().load(Ordering::Acquire);
            if self.position >= head {
                return;
            }
            let (place, rest) = self.map.place(self.position);
            let new = usize::try_from(head - self.position).unwrap_or(rest);
            let length = new.min(rest).min(most);
            buffer.clear();
            buffer.reserve(length);
            // SAFETY: the `length` bytes lie before the end of the data, `buffer` has room for them, and bytes may have any
            // value. They may be written over meanwhile; then the check below throws them away.
            unsafe {
                std::ptr::copy_nonoverlapping(place, buffer.as_mut_ptr(), length);
                buffer.set_len(length);
            }
            // One for many entries: it costs more than copying one.
            fence(Ordering::SeqCst);
            let tail = self.map.tail().load(Ordering::Relaxed);
            if tail > self.position {
                self.position = tail;
                continue;
            }
            let used = entries(buffer, &mut each);
            most = PORTION;
            self.position += match used {
                Used::Entries(used) => used as u64,
                Used::Skip(used) => {
                    debug_assert!(used <= rest);
                    rest as u64
                }
                // An entry that is longer than a portion; the longest fits into this.
                Used::Nothing if length < new.min(rest) => {
                    most = ENTRY + MAX_TEXT + 8;
                    0
                }
                // Cannot be with a writer of ours; going on at the end is the only safe place.
                Used::Nothing => head - self.position,
            };
        }
    }
}

/// How many bytes of a portion were whole entries.
enum Used {
    Entries(usize),
    /// … up to a mark that nothing follows before the end of the data.
    Skip(usize),
    Nothing,
}

fn entries(bytes: &[u8], each: &mut impl FnMut(Entry<'_>)) -> Used {
    let mut used = 0;
    loop {
        let rest = bytes.get(used..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk::<8>() else { break };
        let length = u64::from_ne_bytes(*length);
        if length == SKIP {
            return Used::Skip(used);
        }
        let Some((sender, rest)) = rest.split_first_chunk::<8>() else { break };
        let Some((number, rest)) = rest.split_first_chunk::<8>() else { break };
        let Some(text) = usize::try_from(length).ok().and_then(|length| rest.get(..length)) else { break };
        each(Entry { sender: u64::from_ne_bytes(*sender), number: u64::from_ne_bytes(*number), text });
        used += padded(text.len()) as usize;
    }
    if used == 0 { Used::Nothing } else { Used::Entries(used) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(reader: &mut Reader) -> Vec<(u64, u64, Vec<u8>)> {
        let mut entries = Vec::new();
        reader.read(&mut Vec::new(), |entry| entries.push((entry.sender, entry.number, entry.text.to_vec())));
        entries
    }

    #[test]
    fn what_is_pushed_is_read_in_order() {
        let mut writer = Writer::new().unwrap();
        let mut reader = Reader::new(writer.fd(), writer.position()).unwrap();
        assert!(all(&mut reader).is_empty());
        assert!(writer.push(7, 1, b"one"));
        assert!(writer.push(8, 2, b""));
        assert_eq!(all(&mut reader), [(7, 1, b"one".to_vec()), (8, 2, Vec::new())]);
        assert!(all(&mut reader).is_empty());
        let long = vec![b'x'; MAX_TEXT];
        for number in 3..100 {
            assert!(writer.push(7, number, &long));
            assert_eq!(all(&mut reader), [(7, number, long.clone())]);
        }
    }

    #[test]
    fn a_slow_reader_goes_on_at_the_oldest_that_is_whole() {
        let mut writer = Writer::new().unwrap();
        let mut reader = Reader::new(writer.fd(), writer.position()).unwrap();
        let text = vec![b'x'; 1000];
        for number in 1..=5000 {
            assert!(writer.push(0, number, &text));
        }
        let mut last = 0;
        let mut count = 0;
        for (_, number, got) in all(&mut reader) {
            assert!(last == 0 || number == last + 1);
            assert_eq!(got, text);
            last = number;
            count += 1;
        }
        assert_eq!(last, 5000);
        assert_eq!(count, CAPACITY / 1024);
    }

    #[test]
    fn readers_beside_a_writer_never_see_a_torn_entry() {
        let mut writer = Writer::new().unwrap();
        let mut reader = Reader::new(writer.fd(), writer.position()).unwrap();
        let reading = std::thread::spawn(move || {
            let mut buffer = Vec::new();
            let mut last = 0;
            while last < 200_000 {
                reader.read(&mut buffer, |entry| {
                    assert!(entry.number > last);
                    last = entry.number;
                    assert!(entry.text.iter().all(|&byte| byte == last as u8));
                });
                std::hint::spin_loop();
            }
        });
        for number in 1..=200_000u64 {
            writer.push(0, number, &vec![number as u8; (number % 700) as usize]);
        }
        reading.join().unwrap();
    }

    #[test]
    fn a_reader_cannot_write_and_strange_memory_is_refused() {
        let writer = Writer::new().unwrap();
        assert!(Map::new(writer.fd(), ProtFlags::PROT_READ | ProtFlags::PROT_WRITE).is_err());
        let strange = memfd_create("strange", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).unwrap();
        assert!(Reader::new(&strange, 0).is_err());
    }

    #[test]
    fn too_long_a_text_is_refused() {
        assert!(!Writer::new().unwrap().push(0, 1, &vec![0; MAX_TEXT + 1]));
    }
}
