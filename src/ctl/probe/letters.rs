//! Which characters a text has, as far as that can be told from its bytes. Pure. Part of the operator's command.

use ssmglobal_config::play::Charset;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// Nothing beyond ASCII: it may be any.
    Ascii,
    /// UTF-8, beyond doubt.
    Utf8,
    /// No UTF-8; this fits best.
    Other(Charset),
}

/// What this text is.
pub fn letters(text: &[u8]) -> Letters {
    if text.is_ascii() {
        return Letters::Ascii;
    }
    match std::str::from_utf8(text) {
        Ok(_) => Letters::Utf8,
        // A letter that lacks its end is at the end of what was heard.
        Err(error) if error.error_len().is_none() && !text.get(..error.valid_up_to()).is_none_or(<[u8]>::is_ascii) => {
            Letters::Utf8
        }
        Err(_) => Letters::Other(best(text)),
    }
}

/// The set of one byte a letter that fits best.
///
/// Frames are of CP437's lines. Words of Cyrillic are all letters beyond ASCII, most of them small: those stand from 224 on in
/// CP1251, and from 192 to 223 in KOI8-R. In all else, such letters stand by themselves between others.
fn best(text: &[u8]) -> Charset {
    let count = |range: std::ops::RangeInclusive<u8>| text.iter().filter(|byte| range.contains(byte)).count();
    let (high, frames) = (count(0x80..=0xff), count(0xb0..=0xdf));
    let is_word = |word: &&[u8]| word.len() >= 3 && word.iter().all(|byte| *byte >= 0xc0);
    let words = text.split(|byte| !byte.is_ascii_alphabetic() && *byte < 0x80).filter(is_word);
    let in_words: usize = words.map(<[u8]>::len).sum();
    // Of a frame the same byte stands many times in a row.
    let in_rows = text.windows(2).filter(|pair| matches!(pair, [one, other] if one == other && *one >= 0x80)).count();
    let (small_1251, small_koi) = (count(0xe0..=0xff), count(0xc0..=0xdf));
    if frames * 2 > high && in_rows * 3 > high {
        Charset::Cp437
    } else if in_words * 2 > high {
        if small_1251 >= small_koi { Charset::Cp1251 } else { Charset::Koi8R }
    } else if count(0x80..=0x9f) * 2 > high {
        // Latin-1 has nothing there that is seen.
        Charset::Cp437
    } else {
        Charset::Latin1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_worker::play::charset::Converter;

    fn written(text: &str, set: Charset) -> Vec<u8> {
        let mut out = Vec::new();
        Converter::new(Charset::Utf8, set).convert(text.as_bytes(), &mut out);
        out
    }

    #[test]
    fn each_set_is_told_by_a_login_screen_in_it() {
        let german = "Willkommen in der Höhle! Für Gäste: verbinde Gast. Schöne Grüße!";
        let russian = "Добро пожаловать в игру! Введите имя вашего персонажа: ";
        let frame = "╔══════════════════╗\r\n║ Welcome stranger ║\r\n╚══════════════════╝\r\n";
        for (text, set) in [
            (german, Charset::Latin1),
            (german, Charset::Cp437),
            (russian, Charset::Cp1251),
            (russian, Charset::Koi8R),
            (frame, Charset::Cp437),
        ] {
            assert_eq!(letters(&written(text, set)), Letters::Other(set), "{set}: {text}");
            assert_eq!(letters(text.as_bytes()), Letters::Utf8, "{text}");
        }
        assert_eq!(letters(b"By what name do you wish to be known? "), Letters::Ascii);
    }

    #[test]
    fn a_letter_that_is_cut_at_the_end_does_not_matter() {
        assert_eq!(letters("h\u{f6}r \u{f6}".as_bytes().split_last().unwrap().1), Letters::Utf8);
        assert_eq!(letters(b"all of it \xe4"), Letters::Other(Charset::Latin1));
    }
}
