//! Sets of characters by the names that telnet has for them (RFC 2066). Runs in a worker; pure.

use ssmglobal_config::play::Charset;

/// Each with its usual name first.
const NAMES: [(Charset, &[&str]); 6] = [
    (Charset::Utf8, &["UTF-8", "UTF8"]),
    (Charset::Latin1, &["ISO-8859-1", "ISO_8859-1", "ISO8859-1", "LATIN1", "LATIN-1"]),
    (Charset::Cp437, &["CP437", "IBM437"]),
    (Charset::Cp1251, &["WINDOWS-1251", "CP1251"]),
    (Charset::Koi8R, &["KOI8-R", "KOI8R"]),
    (Charset::Ascii, &["US-ASCII", "ASCII"]),
];

/// The one of this name, in any case.
pub fn charset(name: &str) -> Option<Charset> {
    let has = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    NAMES.iter().find(|(_, names)| has(names)).map(|(charset, _)| *charset)
}

/// The names that a world of this set is offered: UTF-8 is never claimed for one that lacks it.
pub fn offered(world: Charset) -> Box<[Box<str>]> {
    let more: &[Charset] = if world == Charset::Utf8 { &[Charset::Latin1] } else { &[] };
    let all = std::iter::once(&world).chain(more).chain((world != Charset::Ascii).then_some(&Charset::Ascii));
    let name = |wanted: &Charset| NAMES.iter().find(|(charset, _)| charset == wanted)?.1.first().copied();
    all.filter_map(name).map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_all_its_names() {
        for (set, names) in NAMES {
            for name in names {
                assert_eq!((charset(name), charset(&name.to_lowercase())), (Some(set), Some(set)));
            }
        }
        assert_eq!(charset("BIG5"), None);
    }

    #[test]
    fn a_world_is_offered_its_own_first_and_no_utf8_that_it_lacks() {
        let names = |world| offered(world).iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(Charset::Utf8), ["UTF-8", "ISO-8859-1", "US-ASCII"]);
        assert_eq!(names(Charset::Koi8R), ["KOI8-R", "US-ASCII"]);
        assert_eq!(names(Charset::Ascii), ["US-ASCII"]);
    }
}
