//! The reverse product of a solve by the coefficients and right-hand sides of its rows, against differences.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Lcg, block, device, term};
use hyperpde_gp::{Assembly, GpError, InnerProblem, RowBlock, SolveSettings, Term};
use hyperpde_kernels::{GaussianConfig, Operator, tensor_to_vec};

const NUGGET: f64 = 1e-3;

/// Two equations of two fields on the same points, a condition, noisy data at points of the equations; rows that are scored, latents among them.
fn case() -> (Vec<RowBlock>, Vec<RowBlock>) {
    let mut rng = Lcg(5);
    let points = rng.points(7, 2);
    let unknowns = [
        (0, Operator::laplacian(2)),
        (0, Operator::identity(2)),
        (1, Operator::partial(2, 0)),
        (1, Operator::identity(2)),
    ];
    let mut equation = |name: &str| {
        let terms = unknowns.iter().map(|(field, operator)| term(&mut rng, *field, operator.clone(), 7)).collect();
        RowBlock::new(name, vec![points.clone()], terms, rng.vec(7), 0.0).unwrap()
    };
    let (first, second) = (equation("first"), equation("second"));
    let condition = block(&mut rng, "condition", &[Operator::identity(2), Operator::partial(2, 1)], 5);
    let seen = points.select(&[0, 3]).unwrap();
    let data = RowBlock::simple("data", 1, Operator::identity(2), seen, rng.vec(2), 1e-2).unwrap();
    let check = block(&mut rng, "check", &[Operator::identity(2), Operator::partial(2, 0)], 4);
    let latents = unknowns.iter().map(|(field, operator)| {
        RowBlock::simple("latents", *field, operator.clone(), points.clone(), vec![0.0; 7], 0.0).unwrap().regularised()
    });
    let scored = std::iter::once(check).chain(latents).collect();
    (vec![first, second, condition, data], scored)
}

/// The same rows with one number moved: of a coefficient, or of a right-hand side.
fn moved(rows: &RowBlock, term: Option<usize>, i: usize, by: f64) -> RowBlock {
    let (mut terms, mut rhs): (Vec<Term>, Vec<f64>) = (rows.terms().to_vec(), rows.rhs().to_vec());
    match term {
        Some(t) => terms[t].coefficients[i] += by,
        None => rhs[i] += by,
    }
    let block = RowBlock::new(rows.name(), rows.sites().to_vec(), terms, rhs, rows.noise_variance()).unwrap();
    if rows.is_regularised() { block.regularised() } else { block }
}

#[test]
fn cotangents_of_rows_are_those_of_differences() {
    let (training, scored) = case();
    let kernels = [0.6, 0.8].map(|l| GaussianConfig::isotropic(l).init(&device()).unwrap());
    for assembly in [Assembly::Auto, Assembly::Tensor] {
        let settings = SolveSettings { assembly, ..SolveSettings::default() };
        let mut rng = Lcg(9);
        let by: Vec<(RowBlock, Vec<f64>)> = scored.iter().map(|rows| (rows.clone(), rng.vec(rows.len()))).collect();
        let value = |training: Vec<RowBlock>, scored: &[RowBlock]| {
            let problem = InnerProblem::new(2, training, scored, NUGGET, settings.clone()).unwrap();
            let p = tensor_to_vec(problem.predict(&kernels).unwrap().values).unwrap();
            p.iter().zip(by.iter().flat_map(|(_, by)| by)).map(|(p, g)| p * g).sum::<f64>()
        };
        let problem = InnerProblem::new(2, training.clone(), &[], NUGGET, settings.clone()).unwrap();
        let pulled = problem.solve(&kernels).unwrap().pull_back(training.len(), &by).unwrap();
        let h = 1e-5;
        let (mut worst, mut size) = (0.0f64, 0.0f64);
        for (b, rows) in training.iter().enumerate() {
            for i in 0..rows.len() {
                for term in (0..rows.terms().len()).map(Some).chain([None]) {
                    let at = |by: f64| {
                        let mut training = training.clone();
                        training[b] = moved(rows, term, i, by);
                        value(training, &scored)
                    };
                    let own = &pulled.training[b];
                    let exact = term.map_or(own.rhs[i], |t| own.coefficients[t][i]);
                    worst = worst.max((exact - (at(h) - at(-h)) / (2.0 * h)).abs());
                    size = size.max(exact.abs());
                }
            }
        }
        for (b, rows) in scored.iter().enumerate() {
            for (i, t) in (0..rows.len()).flat_map(|i| (0..rows.terms().len()).map(move |t| (i, t))) {
                let at = |by: f64| {
                    let mut scored = scored.clone();
                    scored[b] = moved(rows, Some(t), i, by);
                    value(training.clone(), &scored)
                };
                let exact = pulled.scored[b][t][i];
                worst = worst.max((exact - (at(h) - at(-h)) / (2.0 * h)).abs());
                size = size.max(exact.abs());
            }
        }
        println!("{assembly:?}: {worst:e} of {size:e}");
        assert!(worst < 1e-7 * size, "{assembly:?}: {worst:e} of {size:e}");
    }
}

#[test]
fn what_does_not_fit_is_refused_and_a_field_that_nobody_scores_is_allowed() {
    let (training, scored) = case();
    let kernels = [0.6, 0.8].map(|l| GaussianConfig::isotropic(l).init(&device()).unwrap());
    let problem = InnerProblem::new(2, training.clone(), &[], NUGGET, SolveSettings::default()).unwrap();
    let posterior = problem.solve(&kernels).unwrap();
    assert!(matches!(posterior.pull_back(5, &[]), Err(GpError::System(_))));
    assert!(matches!(posterior.pull_back(1, &[(scored[0].clone(), vec![1.0])]), Err(GpError::System(_))));
    let one = posterior.pull_back(1, &[(scored[0].clone(), vec![1.0; 4])]).unwrap();
    assert_eq!((one.training.len(), one.scored.len()), (1, 1));
    let none = posterior.pull_back(1, &[]).unwrap();
    assert!(none.training[0].rhs.iter().all(|l| *l == 0.0));
}
