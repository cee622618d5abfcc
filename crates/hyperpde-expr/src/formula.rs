//! Functions of the coordinates.

use std::sync::Arc;

use hyperpde_pde::Dual64;

use crate::program::{Input, Program, Reach, Values};
use crate::tree::Tree;

/// A function of the coordinates, ready to evaluate: a sum of parts of an expression or its derivative by an unknown, with all unknowns
/// zero.
#[derive(Clone, Debug)]
pub struct Formula {
    shared: Arc<Shared>,
    /// Factor of the sum.
    factor: f64,
    /// What reaches the unknown to differentiate by.
    by: Option<Arc<Reach>>,
}

/// What the parts of one condition have in common.
#[derive(Debug)]
struct Shared {
    program: Program,
    /// Signs and operations whose sum this is.
    summands: Vec<(f64, usize)>,
    constants: Values,
}

impl Formula {
    /// The sum of `summands`, signs and nodes of a tree, with the values of `parameters`.
    pub(crate) fn new(tree: &Tree, summands: &[(f64, usize)], parameters: &[(String, f64)]) -> Self {
        let mut program = Program::default();
        let at = program.add(tree);
        let summands = summands.iter().map(|&(sign, node)| (sign, at[node])).collect();
        let constants = program.constants(parameters, 1);
        Self { shared: Arc::new(Shared { program, summands, constants }), factor: 1.0, by: None }
    }

    /// Its derivative by an unknown.
    pub(crate) fn derivative(&self, unknown: usize) -> Self {
        let reach = Reach::of(&self.shared.program, |input| input == Input::Unknown(unknown));
        Self { by: Some(Arc::new(reach)), ..self.clone() }
    }

    /// Its negative.
    pub(crate) fn negative(&self) -> Self {
        Self { factor: -self.factor, ..self.clone() }
    }

    /// The value at a point `[d]`.
    pub fn at(&self, x: &[f64]) -> f64 {
        let Shared { program, summands, constants } = &*self.shared;
        let mut values = constants.clone();
        program.evaluate(
            &mut values,
            1,
            |_| true,
            |input, out| {
                out[0] = match input {
                    Input::Coordinate(i) => x.get(i).copied().unwrap_or(f64::NAN),
                    _ => 0.0,
                };
            },
        );
        let total: f64 = match &self.by {
            None => summands.iter().map(|&(sign, k)| sign * values.of(k)[0]).sum(),
            Some(reach) => {
                let mut work = Vec::new();
                program.differentiate(reach, &values, 1, &mut work, |_, out| out[0] = Dual64::new(0.0, 1.0));
                summands.iter().filter(|(_, k)| reach.reached[*k]).map(|&(sign, k)| sign * work[k].eps).sum()
            }
        };
        self.factor * total
    }
}
