//! Numbers and settings as HTML.

use serde_json::Value;

use crate::svg::escape;

/// Longest list that is written out.
const MAX_ENTRIES: usize = 12;

/// Narrow, and no line breaks at it.
const THIN_SPACE: char = '\u{202f}';

/// Three significant digits: plain where that is short, else with a power of ten.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "not finite".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    // What the rounded number begins with decides, so that 0.9996 becomes 1 and not 1.000.
    let scientific = format!("{value:.2e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if (-3..6).contains(&power) {
        let decimals = (2 - power).max(0) as usize;
        let text = format!("{value:.decimals$}");
        return minus(trimmed(&text));
    }
    format!("{}{THIN_SPACE}×{THIN_SPACE}10<sup>{}</sup>", minus(trimmed(digits)), minus(exponent))
}

/// Without zeros at the end of the decimals.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// With the typographic minus sign.
fn minus(text: &str) -> String {
    text.replace('-', "−")
}

/// [`number`], or a dash.
pub(super) fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

/// A value of a report as HTML.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Number(n) if n.is_f64() => optional(n.as_f64()),
        Value::Number(n) => minus(&n.to_string()),
        Value::String(text) => escape(text),
        Value::Array(entries) => {
            let mut shown: Vec<String> = entries.iter().take(MAX_ENTRIES).map(self::value).collect();
            if entries.len() > MAX_ENTRIES {
                shown.push(format!("… ({} in all)", entries.len()));
            }
            shown.join(", ")
        }
        Value::Object(entries) => {
            let entry = |(name, entry): (&String, &Value)| format!("{}: {}", label(name), self::value(entry));
            entries.iter().map(entry).collect::<Vec<_>>().join(", ")
        }
    }
}

/// The name of a setting in words.
pub(super) fn label(name: &str) -> String {
    escape(&name.replace('_', " "))
}

/// A duration in seconds, for people.
pub(super) fn seconds(value: f64) -> String {
    let whole = value.max(0.0).round() as u64;
    match whole {
        0..120 => format!("{}&nbsp;s", number(value)),
        120..7200 => format!("{}&nbsp;min {}&nbsp;s", whole / 60, whole % 60),
        _ => format!("{}&nbsp;h {}&nbsp;min", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-0.5, "−0.5"),
            (0.123456, "0.123"),
            (0.99961, "1"),
            (0.001, "0.001"),
            (123456.0, "123456"),
            (12.96, "13"),
            (1.654e-4, "1.65\u{202f}×\u{202f}10<sup>−4</sup>"),
            (-3.2e7, "−3.2\u{202f}×\u{202f}10<sup>7</sup>"),
            (1e-10, "1\u{202f}×\u{202f}10<sup>−10</sup>"),
            (f64::NAN, "not finite"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn values_are_written_in_words_and_escaped() {
        assert_eq!(value(&json!(["<b>", 2, 0.25, null, true])), "&lt;b&gt;, 2, 0.25, –, yes");
        assert_eq!(value(&json!({"length_scale": 0.5})), "length scale: 0.5");
        assert!(value(&json!(vec![1; 40])).ends_with("… (40 in all)"));
        for (time, text) in [
            (0.25, "0.25&nbsp;s"),
            (35.02, "35&nbsp;s"),
            (125.0, "2&nbsp;min 5&nbsp;s"),
            (9000.0, "2&nbsp;h 30&nbsp;min"),
        ] {
            assert_eq!(seconds(time), text);
        }
    }
}
