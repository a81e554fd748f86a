//! Text on its way between a player and a world that have not the same characters. Runs in a worker; pure.
//!
//! What the other side lacks is written with what it has, as `render` does for terminals; what has no such form becomes `?`.
//! The characters of ASCII, with all that steers a terminal, are the same everywhere and always pass. Where both sides have
//! the same characters no byte is looked at: what is no UTF-8 goes through as it came.

use crate::render;
use serde::{Deserialize, Serialize};
pub use ssmglobal_config::play::Charset;
use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// What the bytes of one-byte characters mean.
trait Letters: Sized {
    /// What the bytes from 128 on mean, where a byte is a character and not that of its number.
    fn table(self) -> Option<&'static Table>;

    /// The character of a byte from 128 on; none where a byte is no character.
    fn char_of(self, byte: u8) -> Option<char>;

    /// Appends the byte of a character beyond ASCII, where there is one; gives whether there is.
    fn put(self, c: char, out: &mut Vec<u8>) -> bool;
}

impl Letters for Charset {
    fn table(self) -> Option<&'static Table> {
        match self {
            Charset::Cp437 => Some(&CP437_TABLE),
            Charset::Cp1251 => Some(&CP1251_TABLE),
            Charset::Koi8R => Some(&KOI8_R_TABLE),
            Charset::Utf8 | Charset::Latin1 | Charset::Ascii => None,
        }
    }

    fn char_of(self, byte: u8) -> Option<char> {
        match self {
            Charset::Latin1 => Some(char::from(byte)),
            Charset::Utf8 | Charset::Ascii => None,
            _ => self.table().and_then(|table| table.chars.get(usize::from(byte & 0x7f)).copied()),
        }
    }

    fn put(self, c: char, out: &mut Vec<u8>) -> bool {
        let byte = match self {
            Charset::Utf8 => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return true;
            }
            Charset::Ascii => None,
            Charset::Latin1 => u8::try_from(c).ok(),
            _ => self.table().and_then(|table| table.byte_of(c)),
        };
        out.extend(byte);
        byte.is_some()
    }
}

/// What the upper half of a set of 256 characters means, both ways.
struct Table {
    chars: &'static [char; 128],
    /// The same, in the order of the characters.
    bytes: [(char, u8); 128],
}

impl Table {
    const fn new(chars: &'static [char; 128]) -> Table {
        let mut bytes = [('\0', 0_u8); 128];
        let mut at = 0;
        while at < 128 {
            // Put in where it belongs.
            let mut place = at;
            while place > 0 && bytes[place - 1].0 as u32 > chars[at] as u32 {
                bytes[place] = bytes[place - 1];
                place -= 1;
            }
            bytes[place] = (chars[at], at as u8 | 0x80);
            at += 1;
        }
        Table { chars, bytes }
    }

    fn byte_of(&self, c: char) -> Option<u8> {
        let at = self.bytes.binary_search_by_key(&c, |(c, _)| *c).ok()?;
        self.bytes.get(at).map(|(_, byte)| *byte)
    }
}

static CP437_TABLE: Table = Table::new(&CP437);
static CP1251_TABLE: Table = Table::new(&CP1251);
static KOI8_R_TABLE: Table = Table::new(&KOI8_R);

#[rustfmt::skip]
const CP437: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å',
    'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', '¢', '£', '¥', '₧', 'ƒ',
    'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '⌐', '¬', '½', '¼', '¡', '«', '»',
    '░', '▒', '▓', '│', '┤', '╡', '╢', '╖', '╕', '╣', '║', '╗', '╝', '╜', '╛', '┐',
    '└', '┴', '┬', '├', '─', '┼', '╞', '╟', '╚', '╔', '╩', '╦', '╠', '═', '╬', '╧',
    '╨', '╤', '╥', '╙', '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█', '▄', '▌', '▐', '▀',
    'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ', 'Θ', 'Ω', 'δ', '∞', 'φ', 'ε', '∩',
    '≡', '±', '≥', '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²', '■', '\u{a0}',
];

/// The one byte without a meaning is the control character of its number.
#[rustfmt::skip]
const CP1251: [char; 128] = [
    'Ђ', 'Ѓ', '‚', 'ѓ', '„', '…', '†', '‡', '€', '‰', 'Љ', '‹', 'Њ', 'Ќ', 'Ћ', 'Џ',
    'ђ', '‘', '’', '“', '”', '•', '–', '—', '\u{98}', '™', 'љ', '›', 'њ', 'ќ', 'ћ', 'џ',
    '\u{a0}', 'Ў', 'ў', 'Ј', '¤', 'Ґ', '¦', '§', 'Ё', '©', 'Є', '«', '¬', '\u{ad}', '®', 'Ї',
    '°', '±', 'І', 'і', 'ґ', 'µ', '¶', '·', 'ё', '№', 'є', '»', 'ј', 'Ѕ', 'ѕ', 'ї',
    'А', 'Б', 'В', 'Г', 'Д', 'Е', 'Ж', 'З', 'И', 'Й', 'К', 'Л', 'М', 'Н', 'О', 'П',
    'Р', 'С', 'Т', 'У', 'Ф', 'Х', 'Ц', 'Ч', 'Ш', 'Щ', 'Ъ', 'Ы', 'Ь', 'Э', 'Ю', 'Я',
    'а', 'б', 'в', 'г', 'д', 'е', 'ж', 'з', 'и', 'й', 'к', 'л', 'м', 'н', 'о', 'п',
    'р', 'с', 'т', 'у', 'ф', 'х', 'ц', 'ч', 'ш', 'щ', 'ъ', 'ы', 'ь', 'э', 'ю', 'я',
];

#[rustfmt::skip]
const KOI8_R: [char; 128] = [
    '─', '│', '┌', '┐', '└', '┘', '├', '┤', '┬', '┴', '┼', '▀', '▄', '█', '▌', '▐',
    '░', '▒', '▓', '⌠', '■', '∙', '√', '≈', '≤', '≥', '\u{a0}', '⌡', '°', '²', '·', '÷',
    '═', '║', '╒', 'ё', '╓', '╔', '╕', '╖', '╗', '╘', '╙', '╚', '╛', '╜', '╝', '╞',
    '╟', '╠', '╡', 'Ё', '╢', '╣', '╤', '╥', '╦', '╧', '╨', '╩', '╪', '╫', '╬', '©',
    'ю', 'а', 'б', 'ц', 'д', 'е', 'ф', 'г', 'х', 'и', 'й', 'к', 'л', 'м', 'н', 'о',
    'п', 'я', 'р', 'с', 'т', 'у', 'ж', 'в', 'ь', 'ы', 'з', 'ш', 'э', 'щ', 'ч', 'ъ',
    'Ю', 'А', 'Б', 'Ц', 'Д', 'Е', 'Ф', 'Г', 'Х', 'И', 'Й', 'К', 'Л', 'М', 'Н', 'О',
    'П', 'Я', 'Р', 'С', 'Т', 'У', 'Ж', 'В', 'Ь', 'Ы', 'З', 'Ш', 'Э', 'Щ', 'Ч', 'Ъ',
];

/// The most bytes of a letter of UTF-8 that the next piece can complete.
const HELD: usize = 3;

/// What stands for a character that cannot be said.
const UNKNOWN: u8 = b'?';

/// Converts a stream, split anywhere. What it holds between two pieces is less than one letter.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Converter {
    from: Charset,
    to: Charset,
    /// The bytes of a letter of UTF-8 that has begun; zero behind those there are, which none of them is.
    held: [u8; HELD],
}

/// Shows nothing of what it holds: it may be of a password.
impl std::fmt::Debug for Converter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Converter").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}

impl Converter {
    /// From what is said on one side to what is understood on the other.
    pub fn new(from: Charset, to: Charset) -> Converter {
        Converter { from, to, held: [0; HELD] }
    }

    /// Whether nothing is changed, and so not looked at: the caller may pass its bytes on by itself.
    pub fn is_identity(&self) -> bool {
        self.from == self.to
    }

    /// What comes in.
    pub fn from(&self) -> Charset {
        self.from
    }

    /// What goes out.
    pub fn to(&self) -> Charset {
        self.to
    }

    /// Appends to `out` what `input` means. Half a letter at its end waits for the rest. A byte becomes some few at the most.
    pub fn convert(&mut self, input: &[u8], out: &mut Vec<u8>) {
        if self.is_identity() {
            return out.extend_from_slice(input);
        }
        match self.from {
            Charset::Utf8 => self.read_utf8(input, out),
            _ => self.read_bytes(input, out),
        }
    }

    /// Nothing follows: half a letter is none.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.held_count() > 0 {
            self.held = [0; HELD];
            out.push(UNKNOWN);
        }
    }

    fn held_count(&self) -> usize {
        self.held.iter().take_while(|byte| **byte != 0).count()
    }

    fn read_bytes(&self, input: &[u8], out: &mut Vec<u8>) {
        let mut rest = input;
        loop {
            let (ascii, other) = rest.split_at(ascii_run(rest));
            out.extend_from_slice(ascii);
            let Some((byte, behind)) = other.split_first() else { return };
            match self.from.char_of(*byte) {
                Some(c) => self.say(c, out),
                None => out.push(UNKNOWN),
            }
            rest = behind;
        }
    }

    fn read_utf8(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let mut rest = self.complete(input, out);
        loop {
            let (ascii, other) = rest.split_at(ascii_run(rest));
            out.extend_from_slice(ascii);
            let Some(letter) = other.utf8_chunks().next() else { return };
            letter.valid().chars().for_each(|c| self.say_any(c, out));
            let invalid = letter.invalid();
            rest = other.get(letter.valid().len() + invalid.len()..).unwrap_or_default();
            if rest.is_empty() && may_go_on(invalid) {
                self.hold(invalid);
            } else if !invalid.is_empty() {
                out.push(UNKNOWN);
            }
        }
    }

    /// Goes on with a letter that has begun; gives what is behind it.
    fn complete<'i>(&mut self, input: &'i [u8], out: &mut Vec<u8>) -> &'i [u8] {
        let mut rest = input;
        loop {
            let count = self.held_count();
            let (true, Some((byte, behind))) = (count > 0, rest.split_first()) else { return rest };
            let mut letter = [0; HELD + 1];
            let letters = letter.iter_mut().zip(self.held.iter().take(count).chain([byte]));
            letters.for_each(|(to, from)| *to = *from);
            let letter = letter.get(..=count).unwrap_or_default();
            match std::str::from_utf8(letter) {
                Ok(letter) => letter.chars().for_each(|c| self.say_any(c, out)),
                Err(_) if may_go_on(letter) => {
                    self.hold(letter);
                    rest = behind;
                    continue;
                }
                // It was none, and the byte belongs to what follows.
                Err(_) => {
                    self.held = [0; HELD];
                    out.push(UNKNOWN);
                    return rest;
                }
            }
            self.held = [0; HELD];
            return behind;
        }
    }

    fn hold(&mut self, begun: &[u8]) {
        self.held = [0; HELD];
        self.held.iter_mut().zip(begun).for_each(|(to, from)| *to = *from);
    }

    fn say_any(&self, c: char, out: &mut Vec<u8>) {
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii() => out.push(byte),
            _ => self.say(c, out),
        }
    }

    /// Says a character beyond ASCII with what there is.
    fn say(&self, c: char, out: &mut Vec<u8>) {
        if self.to.put(c, out) {
            return;
        }
        if c.is_control() {
            return out.push(UNKNOWN);
        }
        // Each by itself, though in some scripts a letter depends on its neighbours: the same however it is split.
        let look_alike = render::Charset::Ascii.written(Cow::Borrowed(c.encode_utf8(&mut [0; 4]))).into_owned();
        out.extend_from_slice(look_alike.as_bytes());
    }
}

/// How many bytes of ASCII it begins with.
fn ascii_run(bytes: &[u8]) -> usize {
    const WHOLE: usize = 32;
    let whole = bytes.chunks_exact(WHOLE).take_while(|chunk| chunk.is_ascii()).count() * WHOLE;
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|byte| byte.is_ascii()).count()
}

/// Whether these bytes could begin a letter of UTF-8, of which more has to follow.
fn may_go_on(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}
