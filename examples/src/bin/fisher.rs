//! Fisher's equation `u_t = D u_xx + r u (1 − u)`: a front invades. The guide docs/add-a-pde.md goes through this file.
//!
//! `cargo run --release --bin fisher -- --out out/fisher`

use std::process::ExitCode;

use hyperpde::pde::ClosedForm;
use hyperpde::prelude::*;
use hyperpde_cli::run_example;
use hyperpde_run::{Experiment, RunError};

const D: f64 = 0.01;
const R: f64 = 5.0;

struct Fisher;

impl Residual for Fisher {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::partial(0, 2, 0), Unknown::second(0, 2, 1), Unknown::value(0, 2)]
    }

    fn eval<N: Number>(&self, _x: &[f64], q: &[N]) -> Vec<N> {
        let (u_t, u_xx, u) = (q[0], q[1], q[2]);
        vec![u_t - u_xx * D - u * (-u + 1.0) * R]
    }
}

/// The front of Ablowitz and Zeppetella (Bull. Math. Biol. 41, 1979): an exact solution.
fn front(x: &[f64]) -> f64 {
    let z = (x[1] - 0.2) * (R / (6.0 * D)).sqrt() - 5.0 / 6.0 * R * x[0];
    (1.0 + z.exp()).powi(-2)
}

fn problem() -> Result<Problem, RunError> {
    let domain = Domain::space_time(("t", 0.0, 1.0), [("x", 0.0, 1.0)])?;
    let mut problem = Problem::builder("fisher", domain.clone())
        .equations(Fisher)
        .reference(ClosedForm::new("travelling front", 2, 1e-14).field(front))
        .test_grid(TestGrid::uniform(&domain, &[60, 60])?);
    for face in domain.boundary() {
        problem = problem.condition(Condition::dirichlet(&domain, face, 0, front)?);
    }
    Ok(problem.defaults(Defaults { gauss_newton_steps: 10, ..Defaults::default() }).build()?)
}

fn main() -> ExitCode {
    run_example(|| {
        let kernel = GaussianConfig::ard([0.5, 0.5]);
        Ok(Experiment::new(problem()?, move |_, device| Ok(vec![kernel.init(device)?])).with_sampler(Sampler::Halton))
    })
}
