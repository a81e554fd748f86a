//! The operator's texts may have colour: `{red}closed today{/}`. Here it is read, and taken out where there is none. Runs in a
//! worker.

use super::screen::Style;
use std::borrow::Cow;

/// What may stand between braces; a word more does not compile until it is told what it looks like.
const WORDS: [(&str, Style); 9] = [
    ("/", Style::Plain),
    ("bold", Style::Bold),
    ("dim", Style::Dim),
    ("red", Style::Red),
    ("green", Style::Green),
    ("yellow", Style::Yellow),
    ("blue", Style::Blue),
    ("magenta", Style::Magenta),
    ("cyan", Style::Cyan),
];

/// Up to the first word in braces: what stands before it, what it means, and what follows it.
fn split(text: &str) -> Option<(&str, Style, &str)> {
    let mut from = 0;
    while let Some(brace) = text.get(from..)?.find('{').map(|at| from + at) {
        let (before, rest) = text.split_at_checked(brace)?;
        let inside = rest.strip_prefix('{')?;
        let known = WORDS.iter().find_map(|(word, style)| {
            let behind = inside.strip_prefix(word)?.strip_prefix('}')?;
            Some((*style, behind))
        });
        if let Some((style, behind)) = known {
            return Some((before, style, behind));
        }
        // Of two braces the second is a brace.
        from = brace + if inside.starts_with('{') { 2 } else { 1 };
    }
    None
}

/// One line of a text in pieces, each in its style. `style` is what holds at its beginning, and at its end.
pub(super) fn pieces<'t>(mut line: &'t str, style: &mut Style) -> Vec<(Style, Cow<'t, str>)> {
    let mut pieces = Vec::new();
    while let Some((before, next, behind)) = split(line) {
        pieces.push((*style, unescaped(before)));
        (*style, line) = (next, behind);
    }
    pieces.push((*style, unescaped(line)));
    pieces.retain(|(_, piece)| !piece.is_empty());
    pieces
}

/// `{{red}` is how `{red}` is written.
fn unescaped(text: &str) -> Cow<'_, str> {
    let mut found = Cow::Borrowed(text);
    for (word, _) in WORDS {
        let written = format!("{{{{{word}}}");
        if found.contains(&written) {
            found = Cow::Owned(found.replace(&written, &format!("{{{word}}}")));
        }
    }
    found
}

/// The text without colours.
pub fn unmarked(text: &str) -> String {
    pieces(text, &mut Style::Plain).into_iter().map(|(_, piece)| piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Vec<(Style, String)> {
        pieces(line, &mut Style::Plain).into_iter().map(|(style, piece)| (style, piece.into_owned())).collect()
    }

    fn piece(style: Style, text: &str) -> (Style, String) {
        (style, text.to_owned())
    }

    #[test]
    fn words_in_braces_are_colours_and_all_else_is_as_it_is_written() {
        let red = piece(Style::Red, "closed");
        assert_eq!(
            read("We are {red}closed{/} now"),
            [piece(Style::Plain, "We are "), red, piece(Style::Plain, " now")]
        );
        assert_eq!(read("{bold}{cyan}x"), [piece(Style::Cyan, "x")]);
        for text in ["", "{", "{}", "{name}", "{ red }", "{RED}", "a } b {", "{{", "{日本}"] {
            let plain = if text.is_empty() { vec![] } else { vec![piece(Style::Plain, text)] };
            assert_eq!(read(text), plain, "{text}");
        }
    }

    #[test]
    fn a_second_brace_takes_the_meaning() {
        assert_eq!(unmarked("write {{red}so{{/} for {red}red{/}"), "write {red}so{/} for red");
        assert_eq!(read("{{red}"), [piece(Style::Plain, "{red}")]);
    }

    #[test]
    fn a_colour_goes_on_over_the_end_of_a_line() {
        let mut style = Style::Plain;
        pieces("one {green}two", &mut style);
        assert_eq!(pieces("three{/}", &mut style), [(Style::Green, Cow::Borrowed("three"))]);
        assert_eq!(style, Style::Plain);
    }
}
