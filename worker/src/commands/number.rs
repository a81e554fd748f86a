//! Whole numbers as programs and people write them: `5`, `5.0`, `50e-1`. Exact, or refused: nothing goes through a fraction
//! with gaps. Pure; runs in a worker.

/// Digits of the longest number that is told apart from others; longer ones are out of any argument's range.
const DIGITS: usize = 38;

/// The whole number that a text stands for, in JSON's grammar for numbers (also with a plus); nothing where it is no number or
/// not whole. One with more than [`DIGITS`] digits is the largest or the smallest there is.
pub(super) fn whole(text: &str) -> Option<i128> {
    // As almost all are written.
    text.parse::<i64>().map(i128::from).ok().or_else(|| of_decimal(text))
}

fn of_decimal(text: &str) -> Option<i128> {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
        None => (unsigned, 0),
    };
    let (front, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(front, behind)| (front, Some(behind)));
    if !is_digits(front) || fraction.is_some_and(|fraction| !is_digits(fraction)) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    let all = || front.bytes().chain(fraction.bytes());
    // Zeros in front count for nothing, those at the end are powers of ten.
    let leading = all().take_while(|digit| *digit == b'0').count();
    let length = front.len() + fraction.len() - leading;
    let trailing = all().rev().take(length).take_while(|digit| *digit == b'0').count();
    let significant = length - trailing;
    if significant == 0 {
        return Some(0);
    }
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let power = exponent.saturating_sub(count(fraction.len())).saturating_add(count(trailing));
    let zeros = usize::try_from(power).ok()?;
    if significant.saturating_add(zeros) > DIGITS {
        return Some(if negative { i128::MIN } else { i128::MAX });
    }
    let digits = all().skip(leading).take(significant).chain(std::iter::repeat_n(b'0', zeros));
    let value = digits.fold(0i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    Some(if negative { -value } else { value })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An exponent; one that is too long for a number is the largest or the smallest there is.
fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !is_digits(digits) {
        return None;
    }
    Some(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_whole_is_exact_however_it_is_written() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0", 0),
            ("0e9999999999999999999999", 0),
            ("0.000e-9999999999999999999999", 0),
            ("5", 5),
            ("+5", 5),
            ("005", 5),
            ("5.0", 5),
            ("5.000e0", 5),
            ("50e-1", 5),
            ("0.5e1", 5),
            ("0.0005E+4", 5),
            ("1e18", 1_000_000_000_000_000_000),
            ("-1E18", -1_000_000_000_000_000_000),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("-9007199254740993.00", -9_007_199_254_740_993),
            ("90071992547409930e-1", 9_007_199_254_740_993),
            ("9223372036854775807.0", i128::from(i64::MAX)),
            ("-9223372036854775808e0", i128::from(i64::MIN)),
            ("18446744073709551615.0", i128::from(u64::MAX)),
            ("1844674407370955161.5e1", i128::from(u64::MAX)),
            ("18446744073709551616", i128::from(u64::MAX) + 1),
            ("1e37", 10i128.pow(37)),
            ("1e38", i128::MAX),
            ("-1e38", i128::MIN),
            ("1e400", i128::MAX),
            ("-1e99999999999999999999", i128::MIN),
            ("123456789012345678901234567890123456789012345678901234567890", i128::MAX),
        ] {
            assert_eq!(whole(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_not_whole_or_no_number_is_nothing() {
        for text in [
            "0.99999999999999999999",
            "-0.99999999999999999999",
            "1e-400",
            "1e-1",
            "1e-99999999999999999999",
            "1.5",
            "9007199254740993.5",
            "9223372036854775807.000000000000000000001",
            "15e-1",
            "",
            "-",
            "+",
            "--5",
            "+-5",
            ".5",
            "5.",
            ".",
            "5.e1",
            "e5",
            "5e",
            "5e+",
            "5e--1",
            "5e1.0",
            "1e5e5",
            "1.0.0",
            " 5",
            "5 ",
            "5_0",
            "0x5",
            "٥",
            "1e٥",
            "nan",
            "inf",
            "Infinity",
        ] {
            assert_eq!(whole(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_point_and_an_exponent_move_the_digits(mantissa in any::<i64>(), exponent in -25i32..18, places in 0usize..25) {
            let (sign, digits) = (if mantissa < 0 { "-" } else { "" }, format!("{:030}", mantissa.unsigned_abs()));
            let (front, fraction) = digits.split_at(digits.len() - places);
            let point = if fraction.is_empty() { "" } else { "." };
            let text = format!("{sign}{front}{point}{fraction}e{exponent}");
            let power = exponent - places as i32;
            let ten = 10i128.pow(power.unsigned_abs().min(38));
            let expected = match power {
                0.. => Some(i128::from(mantissa) * ten),
                _ => (i128::from(mantissa) % ten == 0).then(|| i128::from(mantissa) / ten),
            };
            prop_assert_eq!(whole(&text), expected, "{}", text);
        }

        #[test]
        fn nothing_panics(text in "[-+0-9.eE]{0,50}|\\PC{0,20}") {
            let _ = whole(&text);
        }
    }
}
