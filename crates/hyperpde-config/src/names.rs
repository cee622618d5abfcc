//! Names and intervals: coordinates, fields and parameters that do not collide.

use std::ops::Range;

use hyperpde_pde::{Domain, Face};
use toml::Spanned;

use super::document::{Document, DomainSection, Interval};
use super::error::ConfigError;
use super::reader::Reader;
use super::values::Number;
use hyperpde_expr::{Fields, Kind, Names, constant, parse};

/// Name under which a solution is saved beside its points; no field may have it.
pub const POINTS: &str = "points";
/// Most coordinates: samplers of low discrepancy reach as far.
const MAX_DIMENSION: usize = 10;
/// Most fields.
const MAX_FIELDS: usize = 20;

impl Reader<'_> {
    /// All names of a document: coordinates first, then fields, then parameters.
    pub(crate) fn names(&self, document: &Document, domain: &DomainSection) -> Result<Names, ConfigError> {
        let mut names = Names { time: domain.time.is_some(), ..Names::default() };
        for interval in intervals(domain) {
            let name = &interval.get_ref().0;
            let clash = names.collision(name.get_ref()).or_else(|| names.ambiguous_coordinate(name.get_ref()));
            self.refuse(name, "coordinate", clash)?;
            names.coordinates.push(name.get_ref().clone());
        }
        let space = &domain.space;
        if space.get_ref().is_empty() || names.coordinates.len() > MAX_DIMENSION {
            let what = format!("the domain has {} coordinates of space", space.get_ref().len());
            let help = format!("it needs 1 or more, at most {MAX_DIMENSION} with time");
            return Err(self.source.error(space.span(), what, "coordinates").with_help(help));
        }
        let Some(fields) = &document.fields else {
            return Err(self
                .source
                .without_place("there are no fields")
                .with_help("write for example fields = [\"u\"]"));
        };
        let count = fields.get_ref().len();
        if count == 0 || count > MAX_FIELDS {
            let what = format!("there are {count} fields; there must be 1 to {MAX_FIELDS}");
            return Err(self.source.error(fields.span(), what, "here"));
        }
        for name in fields.get_ref() {
            let clash = names.collision(name.get_ref());
            let reserved = match name.get_ref().as_str() {
                REFERENCE => Some(format!("'{REFERENCE}' has a meaning of its own in [exact]")),
                POINTS => Some(format!("the solution is saved beside its points, as '{POINTS}'")),
                _ => None,
            };
            self.refuse(name, "field", clash.or(reserved))?;
            names.fields.push(name.get_ref().clone());
        }
        // Parameters may use each other, in the order of the file.
        let mut parameters: Vec<_> = document.parameters.iter().collect();
        parameters.sort_by_key(|(name, _)| name.span().start);
        for (name, number) in parameters {
            self.refuse(name, "parameter", names.collision(name.get_ref()))?;
            let value = self.number_of(number, &names, "a parameter")?;
            names.parameters.push((name.get_ref().clone(), value));
        }
        Ok(names)
    }

    fn refuse(&self, name: &Spanned<String>, kind: &str, clash: Option<String>) -> Result<(), ConfigError> {
        match clash {
            Some(why) => {
                let message = format!("the {kind} '{}' can't have this name: {why}", name.get_ref().escape_debug());
                Err(self.source.error(name.span(), message, "take another name"))
            }
            None => Ok(()),
        }
    }

    /// The value of a number that may be a formula.
    pub(crate) fn number_of(
        &self,
        number: &Spanned<Number>,
        names: &Names,
        what: &'static str,
    ) -> Result<f64, ConfigError> {
        match number.get_ref() {
            Number::Value(value) if value.is_finite() => Ok(*value),
            Number::Value(value) => {
                Err(self.source.error(number.span(), format!("{what} is {value}; it must be finite"), "not finite"))
            }
            Number::Formula(text) => {
                constant(text, names, what).map_err(|fault| self.source.in_expression(&number.span(), fault))
            }
        }
    }

    /// The box.
    pub(crate) fn domain(&self, section: &DomainSection, names: &Names) -> Result<Domain, ConfigError> {
        let axis = |interval: &Spanned<Interval>| {
            let (name, lower, upper) = interval.get_ref();
            let ends = (
                self.number_of(lower, names, "an end of an interval")?,
                self.number_of(upper, names, "an end of an interval")?,
            );
            // An interval that is too wide has no width as a float.
            if ends.0 < ends.1 && (ends.1 - ends.0).is_finite() {
                return Ok((name.get_ref().clone(), ends.0, ends.1));
            }
            let what = format!("the interval of '{name}' is [{}, {}]", ends.0, ends.1);
            let (label, help) = if ends.0 < ends.1 {
                ("too wide", "the difference of the ends must be a finite number too")
            } else {
                ("reversed or empty", "the lower end comes first, and the ends differ")
            };
            Err(self.source.error(lower.span().start..upper.span().end, what, label).with_help(help))
        };
        let space = section.space.get_ref().iter().map(axis).collect::<Result<Vec<_>, _>>()?;
        let domain = match &section.time {
            Some(time) => Domain::space_time(axis(time)?, space),
            None => Domain::space(space),
        };
        domain.map_err(|e| self.source.error(section.space.span(), e.to_string(), "here"))
    }

    /// The face that a text like `x = 1` names.
    pub(crate) fn face(
        &self,
        text: &str,
        span: &Range<usize>,
        names: &Names,
        domain: &Domain,
    ) -> Result<Face, ConfigError> {
        let fault = |fault| self.source.in_expression(span, fault);
        let parsed = parse(text, names, Fields::Refused("a face")).map_err(fault)?;
        let (Kind::Coordinate(axis), Some(right)) = (parsed.left().kind, parsed.right()) else {
            let what = format!("'{text}' is no face");
            let help = "a face is written 'x = 1': a coordinate, '=', and an end of its interval";
            return Err(self.source.error(span.clone(), what, "not a face").with_help(help));
        };
        let value = constant(&text[right.span.clone()], names, "an end of an interval").map_err(|e| {
            let at = right.span.start + e.span.start..right.span.start + e.span.end;
            fault(hyperpde_expr::ExpressionError { span: at, ..e })
        })?;
        let interval = &domain.axes()[axis];
        let near = |end: f64| (value - end).abs() <= 1e-9 * interval.width();
        match (near(interval.lower), near(interval.upper)) {
            (true, _) => Ok(Face::lower(axis)),
            (_, true) => Ok(Face::upper(axis)),
            _ => {
                let what = format!("'{text}' is no face of the domain");
                let help = format!("'{}' ends at {} and {}", interval.name, interval.lower, interval.upper);
                Err(self.source.error(span.clone(), what, "inside or outside").with_help(help))
            }
        }
    }

    /// A fault of the library at a place.
    pub(crate) fn wrap(&self, span: Range<usize>, error: &dyn std::fmt::Display) -> ConfigError {
        self.source.error(span, error.to_string(), "here")
    }
}

/// The key of `[exact]` that is no field.
pub(crate) const REFERENCE: &str = "reference";

/// Time first, then space.
fn intervals(domain: &DomainSection) -> impl Iterator<Item = &Spanned<Interval>> {
    domain.time.iter().chain(domain.space.get_ref())
}
