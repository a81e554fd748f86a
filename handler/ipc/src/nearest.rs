//! The nearest of several words, for "Did you mean …?". Pure; used by workers for what is typed, and by the handler for names
//! that are not there.

/// Bytes; longer than any name, and what is longer is no slip.
const LONGEST: usize = 64;

/// How many slips a word of this length may have: short words are too near to each other.
fn slips(word: &str) -> usize {
    match word.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    }
}

/// The nearest of several words, in any case, if one is near: a letter too many, too few, another one, or two in the wrong order
/// are one slip, of which a short word may have one and one of six letters two. Of equally near ones the first.
pub fn nearest<'w>(typed: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if typed.len() > LONGEST {
        return None;
    }
    let (typed, most) = (typed.to_lowercase(), slips(typed));
    // What is longer or shorter by more than that need not be looked at.
    let near = words.filter(|word| word.len().abs_diff(typed.len()) <= 4 * most);
    let distances = near.map(|word| (strsim::osa_distance(&typed, &word.to_lowercase()), word));
    distances.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_word_is_found_where_one_is_near() {
        let words = ["sprint", "marathon", "zoo", "Алиса"];
        for (typed, meant) in [
            ("sprnit", Some("sprint")),
            ("SPRINTS", Some("sprint")),
            ("marthn", Some("marathon")),
            ("zop", Some("zoo")),
            ("алис", Some("Алиса")),
            ("z", None),
            ("zp", None),
            ("zap", None),
            ("spr", None),
            ("", None),
            ("x".repeat(65).as_str(), None),
        ] {
            assert_eq!(nearest(typed, words.into_iter()), meant, "{typed}");
        }
    }
}
