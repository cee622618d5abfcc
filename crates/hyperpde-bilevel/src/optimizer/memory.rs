//! What an optimizer remembers from one loss function to the next, as plain numbers that files can hold.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Memory that does not belong to the optimizer it is given to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "memory of the optimizer '{expected_name}' has {expected}, got that of '{name}' with {scalars} scalars and {vectors} vectors"
)]
pub struct OptimizerError {
    /// The optimizer that was to take it.
    pub expected_name: String,
    /// What its memory consists of.
    pub expected: String,
    /// The optimizer that the memory is of.
    pub name: String,
    /// Number of its scalars.
    pub scalars: usize,
    /// Number of its vectors.
    pub vectors: usize,
}

/// Memory of an optimizer between two loss functions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OptimizerSnapshot {
    /// [`crate::Optimizer::name`] of the optimizer it is of.
    pub optimizer: String,
    /// Scalars such as step counts and rates, in the optimizer's own order.
    pub scalars: Vec<f64>,
    /// Vectors such as moments, each as long as the hyperparameters.
    pub vectors: Vec<Vec<f64>>,
}

impl OptimizerSnapshot {
    /// Empty memory of an optimizer.
    pub fn of(optimizer: &str) -> Self {
        Self { optimizer: optimizer.to_owned(), ..Self::default() }
    }

    /// Refuses memory of another optimizer, with another number of scalars, or with vectors of different lengths.
    ///
    /// # Errors
    /// [`OptimizerError`] saying what was expected.
    pub fn check(&self, optimizer: &str, scalars: usize) -> Result<(), OptimizerError> {
        let lengths = self.vectors.windows(2).all(|pair| pair[0].len() == pair[1].len());
        let fits = self.optimizer == optimizer && self.scalars.len() == scalars && lengths;
        self.refuse(fits, optimizer, format!("{scalars} scalars and vectors of one length"))
    }

    /// Refuses memory for which `fits` is false; `expected` says what should be so.
    ///
    /// # Errors
    /// [`OptimizerError`] with that text.
    pub fn expect(&self, fits: bool, expected: &str) -> Result<(), OptimizerError> {
        self.refuse(fits, &self.optimizer, expected.to_owned())
    }

    fn refuse(&self, fits: bool, optimizer: &str, expected: String) -> Result<(), OptimizerError> {
        if fits {
            return Ok(());
        }
        Err(OptimizerError {
            expected_name: optimizer.to_owned(),
            expected,
            name: self.optimizer.clone(),
            scalars: self.scalars.len(),
            vectors: self.vectors.len(),
        })
    }
}
