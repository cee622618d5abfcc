//! Values that a configuration may write in more than one way.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// A number, or a formula of numbers, `pi` and parameters such as `"2*pi"`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Number {
    /// A number.
    Value(f64),
    /// A formula.
    Formula(String),
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a formula such as \"2*pi\"")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number::Value(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number::Value(value as f64))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                Ok(Number::Formula(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// One text, or several in an array.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Texts {
    /// One.
    One(String),
    /// Several, with their places.
    Several(Vec<Spanned<String>>),
}

impl Texts {
    /// Each text with its place; `own` is the place of the whole value.
    pub fn each(&self, own: std::ops::Range<usize>) -> Vec<(&str, std::ops::Range<usize>)> {
        match self {
            Self::One(text) => vec![(text, own)],
            Self::Several(texts) => texts.iter().map(|t| (t.get_ref().as_str(), t.span())).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or an array of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    texts.push(text);
                }
                Ok(Texts::Several(texts))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// The test grid: points per coordinate, ends of the intervals included, or `first, last, count` for each coordinate by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Grid {
    /// Points per coordinate.
    Counts(Vec<usize>),
    /// First point, last point and number of points for each coordinate.
    Axes(BTreeMap<String, (Number, Number, usize)>),
}

impl Grid {
    /// The default: a few thousand points in up to three dimensions, and no more than a hundred thousand in ten.
    pub fn of_dimension(dim: usize) -> Self {
        const COUNTS: [usize; 6] = [200, 60, 20, 10, 8, 6];
        let count = dim.checked_sub(1).and_then(|i| COUNTS.get(i)).copied().unwrap_or(3);
        Self::Counts(vec![count; dim])
    }
}

impl<'de> Deserialize<'de> for Grid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Grid;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("counts such as [60, 60] or a table such as { x = [0, 1, 60] }")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Grid, A::Error> {
                let mut counts = Vec::new();
                while let Some(count) = items.next_element()? {
                    counts.push(count);
                }
                Ok(Grid::Counts(counts))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Grid, A::Error> {
                let mut axes = BTreeMap::new();
                while let Some((name, axis)) = entries.next_entry()? {
                    axes.insert(name, axis);
                }
                Ok(Grid::Axes(axes))
            }
        }
        deserializer.deserialize_any(Read)
    }
}
