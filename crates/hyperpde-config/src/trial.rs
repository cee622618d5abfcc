//! Whether what a configuration describes has values: points drawn, conditions and equations evaluated once.

use hyperpde_pde::{Collocation, Equations as _, PdeError};

use super::config::Config;
use super::error::ConfigError;
use hyperpde_expr::ExpressionError;

impl Config {
    /// Draws the points and forms the rows of conditions and observations.
    ///
    /// # Errors
    /// [`ConfigError`] for a condition without a finite value at one of the points, and whatever else does not fit together.
    pub fn sample(&self) -> Result<Collocation, ConfigError> {
        let sampled = self.problem.sample(&self.spec.settings.sizes(), self.spec.sampler, self.spec.settings.seed);
        sampled.map_err(|error| {
            if let PdeError::Condition { condition, why } = &error {
                let sections = self.document.conditions.iter().map(|c| &c.get_ref().text);
                let mut texts = sections.flat_map(|t| t.get_ref().each(t.span()));
                if let Some((text, span)) = texts.find(|(text, _)| condition.starts_with(text)) {
                    let help = "check it for divisions, roots and logarithms outside their domain";
                    return self
                        .source
                        .error(span, format!("the condition '{text}': {why}"), "no finite value")
                        .with_help(help);
                }
            }
            self.source.without_place(error.to_string())
        })
    }

    /// Linearises the equations about zero fields, where Gauss-Newton starts.
    ///
    /// # Errors
    /// [`ConfigError`] at the part of an equation that has no finite value, with the point.
    pub fn try_equations(&self, collocation: &Collocation) -> Result<(), ConfigError> {
        let (Some(system), Some(section)) = (&self.system, &self.document.equations) else { return Ok(()) };
        let x = &collocation.interior;
        let zero = vec![vec![0.0; x.len()]; system.unknowns().len()];
        let Err(fault) = system.try_out(x, &zero) else { return Ok(()) };
        let text = &section.get_ref().text;
        let texts = text.get_ref().each(text.span());
        let Some((text, span)) = texts.get(fault.equation) else { return Ok(()) };
        let names = self.problem.domain().names();
        let point: Vec<String> = names.iter().zip(x.row(fault.point)).map(|(n, v)| format!("{n} = {v:.6}")).collect();
        let what = if fault.of_derivative { "the derivative of " } else { "" };
        let part = &text[fault.span.clone()];
        let number = fault.equation + 1;
        let message = format!(
            "equation {number}: {what}'{part}' is {} at {} with all fields zero",
            fault.value,
            point.join(", ")
        );
        let fault = ExpressionError::new(fault.span, message, "no finite value");
        let help =
            "Gauss-Newton starts from zero fields; check for divisions, roots and logarithms outside their domain";
        Err(self.source.in_expression(span, fault.with_help(help)))
    }
}
