//! The bytes that outlive a handler, as the first release has written them: rows of kept answers and news, answers
//! under clients' keys, entries of the journal. The next handler may be of a newer build, or of an older one. Runs in
//! tests.
//!
//! `3.txt` has one line for each: its name and its bytes in hex; the number is that of the journal's format. Lines are
//! only ever added, by `UPDATE=1 cargo test -p ssmglobal-handler recorded`.

/// One sample of every variant. The match has no wildcard, so that a new variant does not compile without a sample.
macro_rules! samples {
    ($make:ident $enum:ident $type:ty { $($variant:ident: $sample:expr;)* }) => {
        pub fn $make() -> Vec<(&'static str, $type)> {
            let samples: Vec<(_, $type)> =
                vec![$((concat!(stringify!($enum), "::", stringify!($variant)), $sample)),*];
            for (name, sample) in &samples {
                let variant = match sample {
                    $($enum::$variant { .. } => concat!(stringify!($enum), "::", stringify!($variant)),)*
                };
                assert_eq!(*name, variant);
            }
            samples
        }
    };
}

// Behind the macro, which it uses.
mod samples;

use super::kept::{Further, KeptAnswers, KeptItem, items, put};
use super::keys::{answer_put, answer_read};
use crate::state::journal::{Settled, packed};
use crate::state::news::{Audience, News};
use samples::*;
use serde::{Serialize, de::DeserializeOwned};
use ssmglobal_ipc::{Code, Reply, Welcome, growing};
use ssmglobal_store::Principal;
use std::fmt::Write;

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/work/recorded/3.txt");

/// A block of further fields, as a newer program may put behind any value.
const FURTHER: [u8; 5] = [0xe7, 3, 1, b'x', 7];

/// The same behind an item of a row, which has gained a field already: what comes next stands behind that.
const FURTHER_OF_ITEM: [u8; 8] = [0xe7, 6, 0, 0xe7, 3, 1, b'x', 7];

/// Whether bytes say what a sample was meant to say.
type Reads = dyn Fn(&[u8]) -> bool;

/// A sample's bytes, and what reads such bytes.
struct Sample {
    name: String,
    bytes: Vec<u8>,
    reads: Box<Reads>,
}

fn sample<T: Serialize + DeserializeOwned + PartialEq + 'static>(name: &str, value: T) -> Sample {
    let mut bytes = Vec::new();
    growing::put(&mut bytes, &value);
    Sample { name: text(name), bytes, reads: Box::new(move |bytes| growing::get::<T>(bytes).as_ref() == Ok(&value)) }
}

/// An item with its length in front.
fn with_length(item: &[u8]) -> Vec<u8> {
    let mut row = u32::try_from(item.len()).unwrap().to_le_bytes().to_vec();
    row.extend(item);
    row
}

fn all() -> Vec<Sample> {
    let mut all = Vec::new();
    for (name, value) in items_of_a_row() {
        let mut row = Vec::new();
        put(&mut row, &value, Further::default());
        let bytes = row.split_off(4);
        assert_eq!(row, with_length(&bytes)[..4]);
        let reads = move |bytes: &[u8]| items(&with_length(bytes)).eq([(copy(&value), Further::default())]);
        all.push(Sample { name: text(name), bytes, reads: Box::new(reads) });
    }
    let (value, further) = (items_of_a_row().remove(0).1, Further { epoch: 300 });
    let mut row = Vec::new();
    put(&mut row, &value, further);
    let reads = move |bytes: &[u8]| items(&with_length(bytes)).eq([(copy(&value), further)]);
    all.push(Sample { name: text("KeptItem::Answer-of-an-epoch"), bytes: row.split_off(4), reads: Box::new(reads) });
    for (name, value) in news() {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        let reads = move |bytes: &[u8]| News::read(bytes).as_ref() == Some(&value);
        all.push(Sample { name: text(name), bytes, reads: Box::new(reads) });
    }
    macro_rules! values {
        ($($make:ident)*) => { $(all.extend($make().into_iter().map(|(name, value)| sample(name, value)));)* };
    }
    values!(audiences topics kinds entries rows);
    let reply = Reply::Welcome(Welcome { session: 12 });
    let (bytes, reads) = (answer_put(&reply), Box::new(move |bytes: &[u8]| answer_read(bytes) == reply));
    all.push(Sample { name: text("Answer"), bytes, reads });
    all
}

/// The same again.
fn copy<'a>(item: &KeptItem<'a>) -> KeptItem<'a> {
    match *item {
        KeptItem::Answer { session, number, kind, payload, proves } => {
            KeptItem::Answer { session, number, kind, payload, proves }
        }
        KeptItem::News(bytes) => KeptItem::News(bytes),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn from_hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn the_bytes_are_as_recorded() {
    let samples = all();
    let mut recorded = std::fs::read_to_string(RECORDED).unwrap_or_default();
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        let known: Vec<String> = recorded.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect();
        for sample in samples.iter().filter(|sample| !known.contains(&sample.name)) {
            writeln!(recorded, "{} {}", sample.name, hex(&sample.bytes)).unwrap();
        }
        std::fs::write(RECORDED, &recorded).unwrap();
    }
    let mut names = Vec::new();
    for line in recorded.lines() {
        let (name, bytes) = line.split_once(' ').expect("a name and hex");
        let sample = samples.iter().find(|sample| sample.name == name);
        let sample = sample.unwrap_or_else(|| panic!("{name} is gone, and an older handler may have left it"));
        assert!(
            (sample.reads)(&from_hex(bytes)),
            "what an older handler has left as {name} is not understood any more"
        );
        assert_eq!(hex(&sample.bytes), bytes, "an older handler would not understand what is left as {name}");
        assert!(!names.contains(&name), "{name} is recorded twice");
        names.push(name);
    }
    for sample in &samples {
        assert!(names.contains(&sample.name.as_str()), "{} is not recorded; UPDATE=1 adds it", sample.name);
    }
}

#[test]
fn what_has_gained_a_field_is_read_as_before() {
    for sample in all() {
        let newer = match &*sample.name {
            "KeptItem::Answer" | "KeptItem::News" => [&sample.bytes[..], &FURTHER_OF_ITEM].concat(),
            "KeptItem::Answer-of-an-epoch" => {
                let (item, block) = sample.bytes.split_at(sample.bytes.len() - 4);
                assert_eq!(block, [0xe7, 2, 0xac, 2]);
                [item, &[0xe7, 7, 0xac, 2], &FURTHER].concat()
            }
            _ => [&sample.bytes[..], &FURTHER].concat(),
        };
        assert!((sample.reads)(&newer), "{} with a further field", sample.name);
    }
}

#[test]
fn what_is_cut_short_or_followed_by_anything_else_is_not_read() {
    for sample in all() {
        for length in 0..sample.bytes.len() {
            assert!(!(sample.reads)(&sample.bytes[..length]), "{} cut at {length}", sample.name);
        }
        for rest in [0, 1, 255] {
            let longer = [&sample.bytes[..], &[rest]].concat();
            assert!(!(sample.reads)(&longer), "{} with a rest", sample.name);
        }
    }
}

/// Something that only a newer program knows: its variant's number is far behind ours.
fn unknown() -> Vec<u8> {
    vec![120, 1, 2, 3]
}

fn answer(number: u64, proves: Option<Principal>) -> (Vec<u8>, Reply) {
    let reply = Reply::Welcome(Welcome { session: number });
    let (kind, payload) = packed(&reply);
    let mut row = Vec::new();
    put(&mut row, &KeptItem::Answer { session: 300, number, kind, payload: &payload, proves }, Further::default());
    (row, reply)
}

fn item_of_news(bytes: &[u8]) -> Vec<u8> {
    let mut row = Vec::new();
    put(&mut row, &KeptItem::News(bytes), Further::default());
    row
}

/// What the next handler finds in a row.
fn load(row: &[u8]) -> KeptAnswers {
    let folder = tempfile::tempdir().unwrap();
    let store = ssmglobal_store::open(&folder.path().join("test.db"), std::time::Duration::ZERO).unwrap();
    let mut writer = store.writer().unwrap();
    writer.begin().unwrap();
    writer.tx().results_add(1, row).unwrap();
    writer.commit().unwrap();
    KeptAnswers::load(&*store.reader().unwrap()).unwrap()
}

#[test]
fn what_only_a_newer_program_knows_is_passed_over_in_a_row() {
    let ((first, reply), (second, _)) = (answer(1, Some(alice())), answer(2, None));
    let further = with_length(&[&second[4..], &FURTHER_OF_ITEM].concat());
    let out = News::Out { who: alice(), reason: text("spam") };
    let mut bytes = Vec::new();
    out.put(&mut bytes);
    let row = [
        with_length(&unknown()),
        first,
        item_of_news(&unknown()),
        item_of_news(&bytes),
        with_length(&[]),
        with_length(&unknown()),
        further,
    ];
    let kept = load(&row.concat());
    assert_eq!(kept.undelivered(0), [out]);
    let found = kept.find(300, 1).unwrap();
    assert_eq!(((found.kind, found.payload.to_vec()), found.proves), (packed(&reply), Some(proof(0))));
    assert_eq!(kept.find(300, 2).map(|found| found.proves), Some(None));
    // A row that was cut: what stands in front of that is there.
    let whole = row.concat();
    let kept = load(&whole[..whole.len() - 1]);
    assert!(kept.find(300, 1).is_some() && kept.find(300, 2).is_none());
}

#[test]
fn news_with_an_event_of_a_newer_program_are_read_as_far_as_they_are_known() {
    #[derive(Serialize)]
    enum Tell {
        Tell { to: Audience, event: Vec<u8> },
    }
    let to = Audience::Principal(alice());
    let with = |event: Vec<u8>| {
        let mut bytes = Vec::new();
        growing::put(&mut bytes, &Tell::Tell { to, event });
        bytes
    };
    let known = News::Tell { to, event: notice() };
    let mut bytes = Vec::new();
    known.put(&mut bytes);
    assert_eq!(bytes, with(event()), "as the test makes them");
    assert_eq!(News::read(&with([&event()[..], &FURTHER].concat())), Some(known));
    assert_eq!(News::read(&with(unknown())), None);
}

#[test]
fn an_answer_that_only_a_newer_program_knows_is_said_to_be_lost() {
    let lost = Reply::fail(Code::Unavailable, "It was done, but the answer is lost.");
    assert_eq!(answer_read(&unknown()), lost);
    let of_a_kind = |kind: u16| {
        let mut bytes = Vec::new();
        growing::put(&mut bytes, &(kind, &[12u8][..]));
        answer_read(&bytes)
    };
    assert_eq!(of_a_kind(60_000), lost);
    assert_eq!(of_a_kind(packed(&settled().reply()).0), settled().reply(), "as the test makes them");
    assert_eq!(Settled { kind: 60_000, ..settled() }.reply(), lost);
}
