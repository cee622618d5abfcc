//! The picture of a solve, from its fields and their spread.

use super::picture::{Picture, Quantity, names};
use super::spread::{Spread, score_deviation};
use crate::error::RunError;

impl Picture<'_> {
    /// Of the fields `[fields][n]`, their spread, and the fields of the kernels.
    pub(super) fn with_fields(
        mut self,
        predictions: &[Vec<f64>],
        spread: &Spread,
        kernel_fields: Vec<(String, Vec<f64>)>,
    ) -> Result<Self, RunError> {
        self.quantities = self.quantities(predictions, spread)?;
        self.kernel_fields = kernel_fields;
        // A file does not keep the order of its arrays; both ways here must show the same.
        self.kernel_fields.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(self)
    }

    /// The fields, then the scores that are not fields.
    fn quantities(&self, predictions: &[Vec<f64>], spread: &Spread) -> Result<Vec<Quantity>, RunError> {
        let truth = spread.truth.as_deref();
        let scoring = |e| RunError::numerical("scoring the solution", e);
        let mut all = Vec::new();
        for (f, (name, file)) in names(self.problem).into_iter().enumerate() {
            let score = self.problem.scores().iter().find(|s| s.name() == name);
            let quantity = match (predictions.get(f), score) {
                (Some(estimate), _) => Quantity {
                    estimate: estimate.clone(),
                    deviation: spread.deviations[f].clone(),
                    truth: truth.map(|t| t[f].clone()),
                    name,
                    file,
                },
                (None, Some(score)) => Quantity {
                    estimate: score.evaluate(predictions).map_err(scoring)?,
                    deviation: score_deviation(score, predictions, &spread.deviations)?,
                    truth: truth.map(|t| score.evaluate(t)).transpose().map_err(scoring)?,
                    name,
                    file,
                },
                (None, None) => continue,
            };
            all.push(quantity);
        }
        Ok(all)
    }
}
