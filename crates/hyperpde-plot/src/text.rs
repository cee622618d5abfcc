//! Text: the font that is compiled in, its metrics and its glyphs.

use std::sync::OnceLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

use super::error::FigureError;

const FONT: &str = "hyperpde";
/// Metrics of Ubuntu Light. A "size" here is ascent plus descent, 1.121 em.
const EM_PER_SIZE: f64 = 1.0 / 1.121;
/// Half the height of capital letters, in sizes.
const HALF_CAPITAL: f64 = 0.309;
/// Space between words, in spaces of the font.
const WORD_SPACE: f64 = 1.3;
/// Measuring at a large size keeps the library's rounding to whole pixels out of the result.
const MEASURED_AT: i32 = 400;

/// The font at a size in pixels.
fn font(size: i32) -> Result<FontDesc<'static>, FigureError> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let register = || register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT).is_ok();
    if *REGISTERED.get_or_init(register) {
        Ok(FontDesc::new(FontFamily::Name(FONT), f64::from(size), FontStyle::Normal))
    } else {
        Err(FigureError::Draw("the font that is compiled in was not accepted".to_owned()))
    }
}

fn failed(error: impl std::fmt::Display) -> FigureError {
    FigureError::Draw(error.to_string())
}

/// Width of `text` in pixels.
///
/// Words are set one by one with wider spaces: the library leaves out the space before a letter that the font asks for, so
/// that words which begin with a round letter come too close.
pub(crate) fn width(text: &str, size: i32) -> Result<f64, FigureError> {
    let mut end = 0.0;
    for (start, word) in words(text, size)? {
        end = start + piece_width(word, size)?;
    }
    Ok(end)
}

/// The words of `text`, each with where it starts.
fn words(text: &str, size: i32) -> Result<Vec<(f64, &str)>, FigureError> {
    let space = WORD_SPACE * piece_width(" ", size)?;
    let mut start = 0.0;
    let mut words = Vec::new();
    for word in text.split(' ') {
        words.push((start, word));
        start += piece_width(word, size)? + space;
    }
    Ok(words)
}

fn piece_width(piece: &str, size: i32) -> Result<f64, FigureError> {
    let (wide, _) = font(MEASURED_AT)?.box_size(piece).map_err(failed)?;
    Ok(f64::from(wide) * f64::from(size) / f64::from(MEASURED_AT))
}

/// Width of the widest of `texts` in whole pixels, 0 without any.
pub(crate) fn widest<'a>(texts: impl IntoIterator<Item = &'a str>, size: i32) -> Result<i32, FigureError> {
    texts.into_iter().map(|text| width(text, size)).try_fold(0, |most: i32, wide| Ok(most.max(wide?.ceil() as i32)))
}

/// The size in em, as SVG and CSS count.
pub(crate) fn em(size: i32) -> f64 {
    f64::from(size) * EM_PER_SIZE
}

/// How far the baseline lies below the middle of the capital letters.
pub(crate) fn baseline(size: i32) -> f64 {
    f64::from(size) * HALF_CAPITAL
}

/// Calls `ink(x, y, coverage)` for the glyphs' pixels at `size`; x counts from the start, y downwards from the baseline.
pub(crate) fn glyphs(text: &str, size: i32, mut ink: impl FnMut(i32, i32, f64)) -> Result<(), FigureError> {
    for (start, word) in words(text, size)? {
        let draw = |x: i32, y: i32, coverage: f32| {
            ink(x, y, f64::from(coverage));
            Ok::<(), std::convert::Infallible>(())
        };
        // The library puts the baseline half a size below the place it is given.
        match font(size)?.draw(word, (start.round() as i32, -(size / 2)), draw).map_err(failed)? {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }
    Ok(())
}

/// `text` in at most `room` pixels: in a smaller size if needed (down to two thirds), then cut with an ellipsis.
pub(crate) fn fit(text: &str, size: i32, room: i32) -> Result<(String, i32), FigureError> {
    let smallest = 2 * size / 3;
    let room = f64::from(room);
    for size in (smallest..=size).rev() {
        if width(text, size)? <= room {
            return Ok((text.to_owned(), size));
        }
    }
    // Far longer texts than this never fit, and measuring them letter by letter would take quadratic time.
    let mut letters: Vec<char> = text.chars().take(200).collect();
    loop {
        let cut: String = letters.iter().chain(&['…']).collect();
        if letters.is_empty() || width(&cut, smallest)? <= room {
            return Ok((cut, smallest));
        }
        letters.pop();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_long_text_shrinks_then_is_cut() {
        let wide = width("solution", 30).unwrap();
        assert_eq!(fit("solution", 30, wide.ceil() as i32).unwrap(), ("solution".to_owned(), 30));
        let (text, size) = fit("solution", 30, (0.8 * wide) as i32).unwrap();
        assert!(text == "solution" && (20..30).contains(&size), "{text} {size}");
        let (text, size) = fit("solution", 30, (0.4 * wide) as i32).unwrap();
        assert!(text.starts_with("so") && text.ends_with('…') && size == 20, "{text} {size}");
        assert!(width(&text, size).unwrap() <= 0.4 * wide);
        assert_eq!(fit("solution", 30, 0).unwrap().0, "…");
    }

    #[test]
    fn capitals_stand_on_the_baseline() {
        let (mut top, mut bottom) = (i32::MAX, i32::MIN);
        glyphs("H", 400, |_, y, coverage| {
            if coverage > 0.5 {
                (top, bottom) = (top.min(y), bottom.max(y));
            }
        })
        .unwrap();
        assert!((-2..=1).contains(&bottom), "{bottom}");
        assert!((f64::from(bottom - top) / 2.0 - baseline(400)).abs() < 4.0, "{top} {bottom}");
    }
}
