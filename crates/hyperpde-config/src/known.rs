//! What is known of the solution: formulas or the reference of a built-in problem, and the grid on which errors are measured.

use std::sync::Arc;

use hyperpde_pde::{ClosedForm, Domain, Reference, Score, TestGrid};
use hyperpde_problems as problems;
use toml::Spanned;

use super::document::Document;
use super::error::ConfigError;
use super::names::REFERENCE;
use super::numbers::MAX_COUNT;
use super::reader::Reader;
use super::values::{Grid, Number};
use hyperpde_expr::{Names, scalar};

/// The exact solution, and the scores that belong to it.
type Known = (Arc<dyn Reference>, Vec<Score>);

/// Bound on the rounding error of an exact solution from text, relative to values of order one.
const ROUNDING: f64 = 1e-13;

impl Reader<'_> {
    /// The exact solution or the reference of a built-in problem, with its scores.
    pub(crate) fn exact(
        &self,
        document: &Document,
        names: &Names,
        domain: &Domain,
    ) -> Result<Option<Known>, ConfigError> {
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
            let formula = formula.map_err(|f| self.source.in_expression(&text.span(), f))?;
            closed = closed.field(move |x| formula.at(x));
        }
        Ok(Some((Arc::new(closed), Vec::new())))
    }

    fn reference(&self, name: &Spanned<String>, names: &Names, domain: &Domain) -> Result<Known, ConfigError> {
        let built_in = problems::by_name(name.get_ref()).map_err(|_| self.no_such_problem(name))?;
        if built_in.domain() != domain || built_in.fields() != names.fields {
            let what = format!("the reference of '{name}' is for another domain or other fields");
            let axes: Vec<String> =
                built_in.domain().axes().iter().map(|a| format!("{} in [{}, {}]", a.name, a.lower, a.upper)).collect();
            let help = format!("it is for fields {} and {}", built_in.fields().join(", "), axes.join(", "));
            return Err(self.source.error(name.span(), what, "does not fit").with_help(help));
        }
        match built_in.reference() {
            Some(reference) => Ok((Arc::clone(reference), built_in.scores().to_vec())),
            None => Err(self.source.error(name.span(), format!("'{name}' has no reference"), "no reference")),
        }
    }

    pub(crate) fn grid(&self, grid: &Spanned<Grid>, names: &Names, domain: &Domain) -> Result<TestGrid, ConfigError> {
        let dim = domain.dim();
        let fault = |why: String| self.source.error(grid.span(), why, "test grid");
        let counts = match grid.get_ref() {
            Grid::Counts(counts) => counts.clone(),
            Grid::Axes(axes) => axes.values().map(|a| a.2).collect(),
        };
        let total = counts.iter().try_fold(1, |product: usize, &n| product.checked_mul(n));
        if counts.len() != dim || counts.iter().any(|&n| n < 2) || total.is_none_or(|n| n > MAX_COUNT) {
            return Err(fault(format!(
                "the test grid has {counts:?} points: it needs {dim} counts of 2 or more, at most {MAX_COUNT} points together"
            )));
        }
        let built = match grid.get_ref() {
            Grid::Counts(counts) => TestGrid::uniform(domain, counts),
            Grid::Axes(axes) => {
                let mut nodes = Vec::new();
                for axis in domain.axes() {
                    let Some((first, last, count)) = axes.get(&axis.name) else {
                        return Err(fault(format!("the test grid has no entry for '{}'", axis.name)));
                    };
                    let end = |number: &Number| {
                        let value = self.number_of(
                            &Spanned::new(grid.span(), number.clone()),
                            names,
                            "an end of the test grid",
                        )?;
                        let inside = (axis.lower..=axis.upper).contains(&value);
                        if inside {
                            Ok(value)
                        } else {
                            Err(fault(format!("the test grid has {} = {value}, outside the domain", axis.name)))
                        }
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
