//! Boundary and initial conditions from text, and whether every face has one.

use std::sync::Arc;

use hyperpde_pde::{Coefficient, Condition, ConditionTerm, Domain, Face, Location, Unknown};
use toml::Spanned;

use super::document::{ConditionSection, Document, DomainSection};
use super::error::ConfigError;
use super::reader::Reader;
use hyperpde_expr::{Linear, Names, Term, linear};

impl Reader<'_> {
    /// The conditions in the order of the file, face by face.
    pub(crate) fn conditions(
        &self,
        document: &Document,
        section: &Spanned<DomainSection>,
        names: &Names,
        domain: &Domain,
    ) -> Result<Vec<Condition>, ConfigError> {
        let mut conditions: Vec<Condition> = Vec::new();
        let mut covered: Vec<Face> = Vec::new();
        for entry in &document.conditions {
            for location in self.locations(entry, names, domain)? {
                let text = &entry.get_ref().text;
                for (text, span) in text.get_ref().each(text.span()) {
                    let periodic = matches!(location, Location::Periodic { .. });
                    let parts = linear(text, names, periodic).map_err(|f| self.source.in_expression(&span, f))?;
                    let place = match &location {
                        Location::Patch(name) => name.clone(),
                        Location::Face(face) => domain.face_name(*face).map_err(|e| self.wrap(span.clone(), &e))?,
                        Location::Periodic { axis } => format!("periodic in {}", domain.axes()[*axis].name),
                    };
                    let name = format!("{text}, {place}");
                    if conditions.iter().any(|c| c.name() == name) {
                        return Err(self.source.error(
                            span,
                            format!("the condition '{text}' on {place} is there twice"),
                            "again",
                        ));
                    }
                    conditions.push(condition(name, location.clone(), parts));
                }
                covered.extend(location.face());
                if let Location::Periodic { axis } = location {
                    covered.push(Face::upper(axis));
                }
            }
        }
        if let Some(free) = &section.get_ref().free {
            for (text, span) in free.get_ref().each(free.span()) {
                covered.push(self.face(text, &span, names, domain)?);
            }
        }
        if let Some(face) = domain.boundary().into_iter().find(|face| !covered.contains(face)) {
            let name = domain.face_name(face).map_err(|e| self.wrap(section.span(), &e))?;
            let help =
                format!("add [[conditions]] on = \"{name}\", or list it in [domain] free = [...] if it carries none");
            let what = format!("no condition on the face {name}");
            return Err(self.source.error(section.span(), what, "this domain").with_help(help));
        }
        Ok(conditions)
    }

    fn locations(
        &self,
        entry: &Spanned<ConditionSection>,
        names: &Names,
        domain: &Domain,
    ) -> Result<Vec<Location>, ConfigError> {
        match (&entry.get_ref().on, &entry.get_ref().periodic) {
            (Some(on), None) => {
                let mut faces = Vec::new();
                for (text, span) in on.get_ref().each(on.span()) {
                    if text == "boundary" {
                        faces.extend(domain.boundary());
                    } else {
                        faces.push(self.face(text, &span, names, domain)?);
                    }
                }
                if faces.is_empty() {
                    return Err(self.source.error(on.span(), "this condition is on no face", "empty"));
                }
                Ok(faces.into_iter().map(Location::Face).collect())
            }
            (None, Some(coordinate)) => match names.coordinates.iter().position(|c| c == coordinate.get_ref()) {
                Some(axis) => Ok(vec![Location::Periodic { axis }]),
                None => {
                    let what = format!("'{coordinate}' is no coordinate");
                    let help = format!("coordinates: {}", names.coordinates.join(", "));
                    Err(self.source.error(coordinate.span(), what, "not a coordinate").with_help(help))
                }
            },
            _ => {
                let help = "write on = \"x = 0\" or periodic = \"x\"";
                let what = "a condition has either `on` or `periodic`";
                Err(self.source.error(entry.span(), what, "this condition").with_help(help))
            }
        }
    }
}

fn condition(name: String, location: Location, parts: Linear) -> Condition {
    let term = |(unknown, coefficient): (Unknown, Term)| ConditionTerm {
        field: unknown.field,
        operator: unknown.operator,
        coefficient: match coefficient {
            Term::Constant(value) => Coefficient::Constant(value),
            Term::Function(formula) => Coefficient::Function(Arc::new(move |x| formula.at(x))),
        },
    };
    let value = parts.value;
    Condition::new(name, location, parts.terms.into_iter().map(term).collect(), move |x| value.at(x))
}
