//! The statement of a problem: equations, conditions, exact solution, data and test grid, from text.

use std::ops::Range;
use std::sync::Arc;

use hyperpde_pde::{
    ClosedForm, Coefficient, Condition, ConditionTerm, Domain, Equations, Face, Location, Problem, Reference, Score, TestGrid,
    Unknown, problems,
};
use toml::Spanned;

use super::document::{ConditionSection, Document, DomainSection, EquationsSection};
use super::error::ConfigError;
use super::names::REFERENCE;
use super::settings::MAX_COUNT;
use super::values::{Grid, Number};
use super::{Reader, catalogue};
use crate::expression::{Fields, Formula, Kind, Linear, Names, System, linear, nearest, parse, scalar};

/// What a configuration calls the exact solution and the scores that belong to it.
type Known = (Arc<dyn Reference>, Vec<Score>);

/// Bound on the rounding error of an exact solution from text, relative to values of order one.
const ROUNDING: f64 = 1e-13;

impl Reader<'_> {
    /// The problem of a document: built in, or from its statement, then with its equations.
    pub(super) fn problem(&self, document: &Document) -> Result<(Problem, Option<System>), ConfigError> {
        let Some(name) = &document.problem else { return self.stated(document) };
        let stated = [
            ("fields", document.fields.as_ref().map(Spanned::span)),
            ("[domain]", document.domain.as_ref().map(Spanned::span)),
            ("[parameters]", document.parameters.keys().next().map(Spanned::span)),
            ("[equations]", document.equations.as_ref().map(Spanned::span)),
            ("[[conditions]]", document.conditions.first().map(Spanned::span)),
            ("[[observations]]", document.observations.first().map(Spanned::span)),
            ("[exact]", document.exact.as_ref().map(Spanned::span)),
            ("test_grid", document.sampling.as_ref().and_then(|s| s.get_ref().test_grid.as_ref()).map(Spanned::span)),
        ];
        if let Some((key, Some(span))) = stated.into_iter().find(|(_, span)| span.is_some()) {
            let what = format!("the built-in problem '{name}' has its own {key}");
            let help = format!("remove {key}, or `hyperpde new {name}` writes the problem out to change it");
            return Err(self.source.error(span, what, "not with `problem`").with_help(help));
        }
        let problem = problems::by_name(name.get_ref()).map_err(|_| self.no_such_problem(name))?;
        Ok((problem, None))
    }

    fn no_such_problem(&self, name: &Spanned<String>) -> ConfigError {
        let names: Vec<&str> = catalogue::names().collect();
        let help = match nearest(name.get_ref(), names.iter().copied()) {
            Some(close) => format!("did you mean '{close}'?"),
            None => format!("built in are {}", names.join(", ")),
        };
        self.source.error(name.span(), format!("no built-in problem '{}'", name.get_ref().escape_debug()), "not built in").with_help(help)
    }

    fn stated(&self, document: &Document) -> Result<(Problem, Option<System>), ConfigError> {
        let missing = |key: &str| {
            ConfigError::without_place(format!("the configuration has no {key}"))
                .with_help("it needs fields, [domain], [equations] and [[conditions]]; or `problem` with a built-in one")
        };
        let section = document.domain.as_ref().ok_or_else(|| missing("[domain]"))?;
        let equations = document.equations.as_ref().ok_or_else(|| missing("[equations]"))?;
        let names = self.names(document, section.get_ref())?;
        let domain = self.domain(section.get_ref(), &names)?;
        let system = self.system(equations.get_ref(), &names)?;
        let conditions = self.conditions(document, section, &names, &domain)?;
        let known = self.exact(document, &names, &domain)?;
        let observations = self.observations(document, &names, &domain, known.as_ref().map(|(r, _)| r))?;
        for (f, field) in document.fields.iter().flat_map(|f| f.get_ref()).enumerate() {
            if !system.mentions(f) && observations.iter().all(|o| o.field() != f) {
                let help = "use it in an equation, observe it, or leave it out";
                let what = format!("the field '{field}' is in no equation and no observation");
                return Err(self.source.error(field.span(), what, "unused").with_help(help));
            }
        }
        let grid = match document.sampling.as_ref().and_then(|s| s.get_ref().test_grid.as_ref()) {
            Some(grid) => self.grid(grid, &names, &domain)?,
            None => self.grid(&Spanned::new(section.span(), Grid::of_dimension(domain.dim())), &names, &domain)?,
        };
        let name = document.name.clone().unwrap_or_else(|| "custom".into());
        let mut builder = Problem::builder(name, domain).fields(names.fields.clone()).equations(system.clone()).conditions(conditions).test_grid(grid);
        for set in observations {
            builder = builder.observations(set);
        }
        if let Some((reference, scores)) = known {
            builder = scores.into_iter().fold(builder.reference(reference), |b, s| b.score(s));
        }
        let problem = builder.build().map_err(|e| self.wrap(equations.span(), &e))?;
        Ok((problem, Some(system)))
    }

    fn system(&self, section: &EquationsSection, names: &Names) -> Result<System, ConfigError> {
        let mut listed: Vec<Unknown> = Vec::new();
        if let Some(texts) = &section.unknowns {
            for (text, span) in texts.get_ref().each(texts.span()) {
                let unknown = self.unknown(text, &span, names)?;
                if listed.contains(&unknown) {
                    return Err(self.source.error(span, format!("'{text}' is listed twice"), "again"));
                }
                listed.push(unknown);
            }
        }
        let texts = section.text.get_ref().each(section.text.span());
        if texts.is_empty() {
            return Err(self.source.error(section.text.span(), "there are no equations", "empty"));
        }
        let plain: Vec<&str> = texts.iter().map(|(text, _)| *text).collect();
        System::parse(&plain, names, listed).map_err(|(e, fault)| self.source.in_expression(&texts[e].1, fault))
    }

    /// One field or derivative.
    pub(super) fn unknown(&self, text: &str, span: &Range<usize>, names: &Names) -> Result<Unknown, ConfigError> {
        let mut found = Vec::new();
        let parsed = parse(text, names, Fields::Collected(&mut found)).map_err(|f| self.source.in_expression(span, f))?;
        match (parsed.left.kind, parsed.right, found.pop()) {
            (Kind::Unknown(_), None, Some(unknown)) => Ok(unknown),
            _ => {
                let what = format!("'{text}' is no field and no derivative of one");
                Err(self.source.error(span.clone(), what, "expected for example 'u' or 'u_xx'"))
            }
        }
    }

    fn conditions(
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
                    let place = match location {
                        Location::Face(face) => domain.face_name(face).map_err(|e| self.wrap(span.clone(), &e))?,
                        Location::Periodic { axis } => format!("periodic in {}", domain.axes()[axis].name),
                    };
                    let name = format!("{text}, {place}");
                    if conditions.iter().any(|c| c.name() == name) {
                        return Err(self.source.error(span, format!("the condition '{text}' on {place} is there twice"), "again"));
                    }
                    conditions.push(condition(name, location, parts));
                }
                covered.push(location.face());
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
            let help = format!("add [[conditions]] on = \"{name}\", or list it in [domain] free = [...] if it carries none");
            let what = format!("no condition on the face {name}");
            return Err(self.source.error(section.span(), what, "this domain").with_help(help));
        }
        Ok(conditions)
    }

    fn locations(&self, entry: &Spanned<ConditionSection>, names: &Names, domain: &Domain) -> Result<Vec<Location>, ConfigError> {
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

    /// The exact solution or the reference of a built-in problem, with its scores.
    fn exact(&self, document: &Document, names: &Names, domain: &Domain) -> Result<Option<Known>, ConfigError> {
        let Some(section) = &document.exact else { return Ok(None) };
        let entries = section.get_ref();
        if let Some(name) = entries.get(REFERENCE) {
            if entries.len() > 1 {
                return Err(self.source.error(section.span(), "[exact] has either formulas or `reference`", "both"));
            }
            return self.reference(name, names, domain).map(Some);
        }
        if let Some(extra) = entries.keys().find(|k| !names.fields.contains(k.get_ref())) {
            let help = format!("keys here: {}, {REFERENCE}", names.fields.join(", "));
            let what = format!("'{extra}' is no field");
            return Err(self.source.error(extra.span(), what, "not a field").with_help(help));
        }
        let mut closed = ClosedForm::new("exact solution", domain.dim(), ROUNDING);
        for field in &names.fields {
            let Some(text) = entries.get(field.as_str()) else {
                let what = format!("[exact] has no formula for the field '{field}'");
                return Err(self.source.error(section.span(), what, "here"));
            };
            let formula = scalar(text.get_ref(), names, "an exact solution");
            let (_, formula): (_, Formula) = formula.map_err(|f| self.source.in_expression(&text.span(), f))?;
            closed = closed.field(move |x| formula.at(x));
        }
        Ok(Some((Arc::new(closed), Vec::new())))
    }

    fn reference(&self, name: &Spanned<String>, names: &Names, domain: &Domain) -> Result<Known, ConfigError> {
        let built_in = problems::by_name(name.get_ref()).map_err(|_| self.no_such_problem(name))?;
        if built_in.domain() != domain || built_in.fields() != names.fields {
            let what = format!("the reference of '{name}' is for another domain or other fields");
            let axes: Vec<String> = built_in.domain().axes().iter().map(|a| format!("{} in [{}, {}]", a.name, a.lower, a.upper)).collect();
            let help = format!("it is for fields {} and {}", built_in.fields().join(", "), axes.join(", "));
            return Err(self.source.error(name.span(), what, "does not fit").with_help(help));
        }
        match built_in.reference() {
            Some(reference) => Ok((Arc::clone(reference), built_in.scores().to_vec())),
            None => Err(self.source.error(name.span(), format!("'{name}' has no reference"), "no reference")),
        }
    }

    fn grid(&self, grid: &Spanned<Grid>, names: &Names, domain: &Domain) -> Result<TestGrid, ConfigError> {
        let dim = domain.dim();
        let fail = |why: String| Err(self.source.error(grid.span(), why, "test grid"));
        let counts = match grid.get_ref() {
            Grid::Counts(counts) => counts.clone(),
            Grid::Axes(axes) => axes.values().map(|a| a.2).collect(),
        };
        let total = counts.iter().try_fold(1, |product: usize, &n| product.checked_mul(n));
        if counts.len() != dim || counts.iter().any(|&n| n < 2) || total.is_none_or(|n| n > MAX_COUNT) {
            return fail(format!(
                "the test grid has {counts:?} points: it needs {dim} counts of 2 or more, at most {MAX_COUNT} points together"
            ));
        }
        let built = match grid.get_ref() {
            Grid::Counts(counts) => TestGrid::uniform(domain, counts),
            Grid::Axes(axes) => {
                let mut nodes = Vec::new();
                for axis in domain.axes() {
                    let Some((first, last, count)) = axes.get(&axis.name) else {
                        return fail(format!("the test grid has no entry for '{}'", axis.name));
                    };
                    let end = |number: &Number| {
                        let value = self.number_of(&Spanned::new(grid.span(), number.clone()), names, "an end of the test grid")?;
                        let inside = (axis.lower..=axis.upper).contains(&value);
                        if inside { Ok(value) } else { fail(format!("the test grid has {} = {value}, outside the domain", axis.name)) }
                    };
                    let (first, last) = (end(first)?, end(last)?);
                    let step = (last - first) / (count - 1) as f64;
                    let node = |i: usize| if i + 1 == *count { last } else { first + step * i as f64 };
                    nodes.push((0..*count).map(node).collect());
                }
                TestGrid::new(domain.names(), nodes)
            }
        };
        built.map_err(|e| self.wrap(grid.span(), &e))
    }
}

fn condition(name: String, location: Location, parts: Linear) -> Condition {
    let term = |(unknown, coefficient): (Unknown, crate::expression::Term)| ConditionTerm {
        field: unknown.field,
        operator: unknown.operator,
        coefficient: match coefficient {
            crate::expression::Term::Constant(value) => Coefficient::Constant(value),
            crate::expression::Term::Function(formula) => Coefficient::Function(Arc::new(move |x| formula.at(x))),
        },
    };
    let value = parts.value;
    Condition::new(name, location, parts.terms.into_iter().map(term).collect(), move |x| value.at(x))
}
