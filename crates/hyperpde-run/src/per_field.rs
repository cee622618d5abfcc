//! One number per field, as reports write it.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One number per field, in the fields' order.
///
/// In JSON a plain number when there is one field, an object by field name when there are several, `null` when there is
/// none (no reference solution); a number that is not finite becomes `null`. Read back, the only field has no name until
/// [`PerField::name_single`] gives it one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PerField(pub Vec<(String, f64)>);

impl PerField {
    /// The value of a problem with a single field.
    #[must_use]
    pub fn single(field: &str, value: f64) -> Self {
        Self(vec![(field.to_owned(), value)])
    }

    /// Names the only field, if there is only one and it has no name.
    pub fn name_single(&mut self, field: &str) {
        if let [(name, _)] = self.0.as_mut_slice()
            && name.is_empty()
        {
            field.clone_into(name);
        }
    }
}

impl Serialize for PerField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let finite = |value: f64| value.is_finite().then_some(value);
        match self.0.as_slice() {
            [] => return serializer.serialize_none(),
            [(_, value)] => return finite(*value).serialize(serializer),
            _ => {}
        }
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, value) in &self.0 {
            map.serialize_entry(field, &finite(*value))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for PerField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = PerField;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, numbers by field, or null")
            }

            fn visit_unit<E: Error>(self) -> Result<PerField, E> {
                Ok(PerField::default())
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<PerField, E> {
                Ok(PerField::single("", value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<PerField, E> {
                Ok(PerField::single("", value as f64))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<PerField, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = entries.next_entry::<String, Option<f64>>()? {
                    fields.push((name, value.unwrap_or(f64::NAN)));
                }
                Ok(PerField(fields))
            }
        }
        deserializer.deserialize_any(Read)
    }
}
