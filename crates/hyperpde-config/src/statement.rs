//! The statement of a problem, from text: its parts put together.

use std::ops::Range;

use hyperpde_pde::{Problem, Unknown};
use hyperpde_problems as problems;
use toml::Spanned;

use super::catalogue;
use super::document::{Document, EquationsSection};
use super::error::ConfigError;
use super::reader::Reader;
use super::values::Grid;
use hyperpde_expr::{Names, System, nearest, unknown};

impl Reader<'_> {
    /// The problem of a document: built in, or from its statement, then with its equations.
    pub(crate) fn problem(&self, document: &Document) -> Result<(Problem, Option<System>), ConfigError> {
        if let Some(name) = document.name.as_ref().filter(|name| name.contains(char::is_control)) {
            let what = format!("the name of the problem has a control character: '{}'", name.escape_debug());
            return Err(self.source.without_place(what).with_help("a name is one line of text"));
        }
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

    pub(crate) fn no_such_problem(&self, name: &Spanned<String>) -> ConfigError {
        let names: Vec<&str> = catalogue::names().collect();
        let help = match nearest(name.get_ref(), names.iter().copied()) {
            Some(close) => format!("did you mean '{close}'?"),
            None => format!("built in are {}", names.join(", ")),
        };
        self.source
            .error(name.span(), format!("no built-in problem '{}'", name.get_ref().escape_debug()), "not built in")
            .with_help(help)
    }

    fn stated(&self, document: &Document) -> Result<(Problem, Option<System>), ConfigError> {
        let missing = |key: &str| {
            self.source.without_place(format!("the configuration has no {key}")).with_help(
                "it needs fields, [domain], [equations] and [[conditions]]; or `problem` with a built-in one",
            )
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
        let name = document.name.clone().unwrap_or_else(|| self.source.stem());
        let mut builder = Problem::builder(name, domain)
            .fields(names.fields.clone())
            .equations(system.clone())
            .conditions(conditions)
            .test_grid(grid);
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
    pub(crate) fn unknown(&self, text: &str, span: &Range<usize>, names: &Names) -> Result<Unknown, ConfigError> {
        unknown(text, names).map_err(|fault| self.source.in_expression(span, fault))
    }
}
