//! A scene as SVG. Ink, paper and grid carry classes, so that a page which embeds the drawing can recolour them; fields
//! are embedded PNG images under vector axes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::FigureError;
use super::palette::{Palette, palette};
use super::scene::{Anchor, Field, Item, Paint, Scene, Shape};
use super::text;

/// Fonts to try. The text is fitted to the width it has in the first one.
const FONTS: &str = "Ubuntu Light, Ubuntu, Open Sans, Segoe UI, Helvetica Neue, Arial, sans-serif";

/// The scene as an SVG element, which is also a complete file; `label` says what it shows to those who can't see it.
pub(crate) fn svg(scene: &Scene, label: &str) -> Result<String, FigureError> {
    let (width, height) = scene.size;
    let label = escape(label);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-label=\"{label}\" font-family=\"{FONTS}\">\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for item in &scene.items {
        write_item(&mut out, item)?;
    }
    out.push_str("</svg>\n");
    Ok(out)
}

fn write_item(out: &mut String, item: &Item) -> Result<(), FigureError> {
    // Writing to a String cannot fail.
    let _ = match item {
        Item::Box { rect, paint } => {
            let (x, y, width, height) = (rect.x0, rect.y0, rect.width(), rect.height());
            writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {}/>", fill(*paint))
        }
        Item::Line { points, width, paint, dash } => {
            let dash = dash.map(|[on, off]| format!(" stroke-dasharray=\"{} {}\"", short(on), short(off)));
            let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", short(*x), short(*y))).collect();
            writeln!(
                out,
                "<polyline points=\"{}\" {} stroke-width=\"{}\" stroke-linejoin=\"round\"{}/>",
                points.join(" "),
                stroke(*paint, "round"),
                short(*width),
                dash.unwrap_or_default()
            )
        }
        Item::Band { points, paint, opacity } => {
            let one = points.iter().map(|p| (p.0, p.1));
            let other = points.iter().rev().map(|p| (p.0, p.2));
            let corners: Vec<String> = one.chain(other).map(|(x, y)| format!("{},{}", short(x), short(y))).collect();
            let (corners, opacity) = (corners.join(" "), short(*opacity));
            writeln!(out, "<polygon points=\"{corners}\" {} fill-opacity=\"{opacity}\"/>", fill(*paint))
        }
        Item::Marks { at, shape, size, paint } => {
            // Lines without length: their caps are the marks.
            let cap = match shape {
                Shape::Round => "round",
                Shape::Square => "square",
            };
            let path: String = at.iter().map(|(x, y)| format!("M{} {}h0", short(*x), short(*y))).collect();
            writeln!(out, "<path d=\"{path}\" {} stroke-width=\"{}\"/>", stroke(*paint, cap), short(*size))
        }
        Item::Field { rect, field } => {
            let (x, y, width, height) = (rect.x0, rect.y0, rect.width(), rect.height());
            let image = STANDARD.encode(image(field)?);
            writeln!(
                out,
                "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
                 href=\"data:image/png;base64,{image}\"/>"
            )
        }
        Item::Text { text, .. } if text.is_empty() => Ok(()),
        Item::Text { text, size, at, anchor, upwards } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let below = text::baseline(*size);
            let (x, y) = if *upwards { (at.0 + below, at.1) } else { (at.0, at.1 + below) };
            let (x, y) = (short(x), short(y));
            let turn = if *upwards { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
            // Another font than the one measured must not run into its neighbours; a single letter does not.
            let length = if text.chars().nth(1).is_some() {
                let length = short(text::width(text, *size)?);
                format!(" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\"")
            } else {
                String::new()
            };
            writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" text-anchor=\"{anchor}\"{length} {}{turn}>{}</text>",
                short(text::em(*size)),
                fill(Paint::Ink),
                escape(text)
            )
        }
    };
    Ok(())
}

/// The field as a PNG file with the palette's colours.
fn image(field: &Field) -> Result<Vec<u8>, FigureError> {
    let [width, height] = field.resolution;
    let indices: Vec<u8> = field.sample(width, height).into_iter().map(Palette::index).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette().bytes());
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&indices)?;
    writer.finish()?;
    Ok(bytes)
}

fn fill(paint: Paint) -> String {
    format!("{}fill=\"{}\"", class(paint, ""), hex(paint))
}

fn stroke(paint: Paint, cap: &str) -> String {
    format!("fill=\"none\" {}stroke=\"{}\" stroke-linecap=\"{cap}\"", class(paint, "-line"), hex(paint))
}

fn class(paint: Paint, suffix: &str) -> String {
    match paint {
        Paint::Ink => format!("class=\"ink{suffix}\" "),
        Paint::Paper => format!("class=\"paper{suffix}\" "),
        Paint::Grid => format!("class=\"grid{suffix}\" "),
        Paint::Data(_) => String::new(),
    }
}

fn hex(paint: Paint) -> String {
    let [r, g, b] = paint.rgb();
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A number with at most two decimals.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// `text` as content or attribute value of XML and HTML. Characters that XML does not allow become U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(c),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in
            [(1.0, "1"), (0.5, "0.5"), (-0.001, "0"), (100.0, "100"), (12.346, "12.35"), (-3.1, "-3.1")]
        {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn markup_and_control_characters_are_escaped() {
        assert_eq!(escape("<a href=\"x\">&'\u{1}é</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\u{fffd}é&lt;/a&gt;");
    }
}
