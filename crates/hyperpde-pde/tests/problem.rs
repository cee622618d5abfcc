//! Problems: what the builder refuses, how points are shared out, and the rows of conditions and observations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::f64::consts::PI;
use std::sync::Arc;

use hyperpde_kernels::{Operator, Points};
use hyperpde_pde::{
    Coefficient, Condition, ConditionTerm, Defaults, Domain, Face, FieldErrors, Location, Number, Observations,
    PdeError, Problem, ProblemBuilder, Residual, SampleSizes, Sampler, Score, TestGrid, Unknown,
};

/// A wave on `(t, x)` in a field of one's choice.
struct Advection(usize);

impl Residual for Advection {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::partial(self.0, 2, 0), Unknown::partial(self.0, 2, 1)]
    }

    fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
        vec![u[0] + u[1]]
    }
}

fn strip() -> Domain {
    Domain::space_time(("t", 0.0, 1.0), [("x", -2.0, 2.0)]).unwrap()
}

fn builder() -> ProblemBuilder {
    let grid = TestGrid::uniform(&strip(), &[3, 4]).unwrap();
    Problem::builder("test", strip()).equations(Advection(0)).test_grid(grid)
}

/// Conditions at the first time and at both ends: `−sin(πx/4)` and zero.
fn three_sided() -> Problem {
    let domain = strip();
    let wave = |x: &[f64]| -(PI * x[1] / 4.0).sin();
    let conditions = [
        Condition::dirichlet(&domain, Face::lower(0), 0, wave).unwrap(),
        Condition::dirichlet(&domain, Face::upper(1), 0, |_| 0.0).unwrap(),
        Condition::dirichlet(&domain, Face::lower(1), 0, |_| 0.0).unwrap(),
    ];
    builder().conditions(conditions).build().unwrap()
}

fn patch_names(problem: &Problem) -> Vec<&str> {
    problem.patches().iter().map(|p| p.name()).collect()
}

fn sizes(interior: usize, boundary: usize, validation: usize) -> SampleSizes {
    SampleSizes { interior, boundary, validation }
}

fn refused(builder: ProblemBuilder, why: &str) {
    match builder.build() {
        Err(PdeError::Problem { why: message, .. }) => assert!(message.contains(why), "{message}"),
        other => panic!("expected a refusal with '{why}', got {other:?}"),
    }
}

#[test]
fn boundary_points_are_shared_equally_and_the_last_face_takes_the_rest() {
    let domain = strip();
    let problem = builder()
        .condition(Condition::dirichlet(&domain, Face::lower(0), 0, |x| x[1]).unwrap())
        .condition(Condition::neumann(&domain, Face::upper(1), 0, |_| 0.0).unwrap())
        .condition(Condition::neumann(&domain, Face::lower(1), 0, |_| 0.0).unwrap())
        .condition(Condition::dirichlet(&domain, Face::lower(0), 0, |_| 2.0).unwrap().clone())
        .build()
        .unwrap();
    assert_eq!(problem.boundary_allotment(400).unwrap(), [133, 133, 134]);
    assert!(matches!(problem.boundary_allotment(2), Err(PdeError::Sampling(_))));
    let c = problem.sample(&sizes(10, 10, 5), Sampler::Uniform, 1).unwrap();
    let lengths: Vec<usize> = c.boundary.iter().map(|b| b.len()).collect();
    assert_eq!(lengths, [3, 3, 4, 3]);
    assert!(c.boundary[0].sites()[0].same(&c.boundary[3].sites()[0]), "two conditions on one face share their points");
    assert!(!c.boundary[0].sites()[0].same(&c.boundary[1].sites()[0]));
    assert_eq!((c.interior.len(), c.pool.len()), (10, 5));
}

#[test]
fn rows_carry_operators_coefficients_and_values() {
    let domain = strip();
    let problem = builder()
        .condition(Condition::dirichlet(&domain, Face::lower(0), 0, |x| x[0] + 10.0 * x[1]).unwrap())
        .condition(Condition::neumann(&domain, Face::lower(1), 0, |x| x[0]).unwrap())
        .condition(Condition::robin(&domain, Face::upper(1), 0, (2.0, -3.0), |_| 7.0).unwrap())
        .build()
        .unwrap();
    let c = problem.sample(&sizes(4, 9, 0), Sampler::Halton, 3).unwrap();
    let [initial, left, right] = &c.boundary[..] else { panic!("three blocks") };

    assert!(initial.terms()[0].operator.is_identity());
    for (x, b) in initial.sites()[0].rows().zip(initial.rhs()) {
        assert_eq!((x[0], *b), (0.0, 10.0 * x[1]));
    }
    // The derivative along the coordinate on the lower face too: no sign for the outward normal.
    assert_eq!(left.terms()[0].operator, Operator::partial(2, 1));
    assert_eq!(left.terms()[0].coefficients, vec![1.0; 3]);
    for (x, b) in left.sites()[0].rows().zip(left.rhs()) {
        assert_eq!((x[1], *b), (-2.0, x[0]));
    }
    let robin: Vec<(Operator, f64)> = right.terms().iter().map(|t| (t.operator.clone(), t.coefficients[0])).collect();
    assert_eq!(robin, [(Operator::identity(2), 2.0), (Operator::partial(2, 1), -3.0)]);
    assert_eq!(right.rhs(), [7.0; 3]);
    assert!(c.pool.is_empty());
    assert!(c.boundary.iter().all(|b| b.noise_variance() == 0.0));
}

#[test]
fn normal_derivatives_on_a_box_are_coordinate_derivatives_with_the_sign_of_the_normal() {
    let domain = strip();
    for face in [Face::lower(1), Face::upper(1), Face::upper(0)] {
        let sign = if face.upper { 1.0 } else { -1.0 };
        let patch = domain.face(face).unwrap();
        let problem = builder()
            .condition(Condition::neumann(&domain, face, 0, |x| x[0]).unwrap())
            .condition(Condition::normal(&patch, 0, move |x| sign * x[0]))
            .condition(Condition::robin(&domain, face, 0, (2.0, -3.0), |x| x[1]).unwrap())
            .condition(Condition::robin_normal(&patch, 0, (2.0, -3.0 * sign), |x| x[1]))
            .condition(Condition::dirichlet(&domain, face, 0, |x| x[1]).unwrap())
            .condition(Condition::value_on(&patch, 0, |x| x[1]))
            .build()
            .unwrap();
        assert_eq!(problem.patches().len(), 1, "a face and the patch of its name are one");
        let c = problem.sample(&sizes(1, 7, 0), Sampler::Sobol, 1).unwrap();
        for (pair, sign) in c.boundary.chunks(2).zip([sign, 1.0, 1.0]) {
            assert!(pair[0].sites()[0].same(&pair[1].sites()[0]));
            let row = |block: usize, sign: f64| -> Vec<(Operator, Vec<f64>)> {
                let scaled = |c: &Vec<f64>| c.iter().map(|v| sign * v).collect();
                pair[block].terms().iter().map(|t| (t.operator.clone(), scaled(&t.coefficients))).collect()
            };
            assert_eq!(row(0, 1.0), row(1, sign), "{face:?}: the same terms, none that vanish");
            let rhs: Vec<f64> = pair[1].rhs().iter().map(|b| sign * b).collect();
            assert_eq!(pair[0].rhs(), rhs);
        }
    }
}

#[test]
fn coefficients_may_depend_on_the_point() {
    let term = ConditionTerm {
        field: 0,
        operator: Operator::identity(2),
        coefficient: Coefficient::Function(Arc::new(|x| 1.0 + x[0])),
    };
    let condition = Condition::new("weighted", Location::Face(Face::upper(1)), vec![term], |_| 1.0);
    let c = builder().condition(condition).build().unwrap().sample(&sizes(1, 5, 0), Sampler::Uniform, 0).unwrap();
    for (x, coefficient) in c.boundary[0].sites()[0].rows().zip(&c.boundary[0].terms()[0].coefficients) {
        assert_eq!(*coefficient, 1.0 + x[0]);
    }
}

#[test]
fn periodic_conditions_tie_opposite_points() {
    let domain = strip();
    let problem = builder()
        .condition(Condition::periodic(&domain, 1, 0, Operator::identity(2)).unwrap())
        .condition(Condition::periodic(&domain, 1, 0, Operator::partial(2, 1)).unwrap())
        .build()
        .unwrap();
    assert_eq!(patch_names(&problem), ["x = -2"]);
    let c = problem.sample(&sizes(2, 6, 0), Sampler::LatinHypercube, 9).unwrap();
    assert_eq!(c.boundary.len(), 2);
    for block in &c.boundary {
        let [lower, upper] = block.sites() else { panic!("two sites") };
        assert_eq!(lower.len(), 6);
        for (a, b) in lower.rows().zip(upper.rows()) {
            assert_eq!((a[0], a[1], b[1]), (b[0], -2.0, 2.0));
        }
        let signs: Vec<(usize, f64)> = block.terms().iter().map(|t| (t.site, t.coefficients[0])).collect();
        assert_eq!(signs, [(0, 1.0), (1, -1.0)]);
        assert_eq!(block.rhs(), [0.0; 6]);
    }
    for site in 0..2 {
        assert!(c.boundary[0].sites()[site].same(&c.boundary[1].sites()[site]));
    }
}

#[test]
fn observations_become_rows_with_their_noise() {
    let points = Points::new(2, vec![0.5, 0.0, 1.0, 1.0]).unwrap();
    let data = Observations::new("gauge", 0, Operator::identity(2), points.clone(), vec![3.0, 4.0], 1e-3).unwrap();
    let problem = builder().observations(data).build().unwrap();
    let c = problem.sample(&sizes(3, 0, 0), Sampler::Sobol, 1).unwrap();
    assert!(c.boundary.is_empty());
    assert_eq!(c.observations.len(), 1);
    assert_eq!(c.observations[0].rhs(), [3.0, 4.0]);
    assert!((c.observations[0].noise_variance() - 1e-6).abs() < 1e-20);
    assert!(c.observations[0].sites()[0].same(&points));
    assert!(matches!(problem.boundary_allotment(5), Err(PdeError::Sampling(_))));

    let bad = |values: Vec<f64>, std: f64| {
        Observations::new("bad", 0, Operator::identity(2), points.clone(), values, std).map(|_| ())
    };
    for result in
        [bad(vec![1.0], 0.1), bad(vec![1.0, f64::NAN], 0.1), bad(vec![1.0, 2.0], -0.1), bad(vec![1.0, 2.0], f64::NAN)]
    {
        assert!(matches!(result, Err(PdeError::Observations { .. })));
    }
    let empty = Points::new(2, vec![]).unwrap();
    assert!(Observations::new("none", 0, Operator::identity(2), empty, vec![], 0.1).is_err());
    assert!(Observations::new("odd", 0, Operator::identity(3), points, vec![0.0; 2], 0.1).is_err());
}

#[test]
fn sampling_is_reproducible_and_parts_are_independent() {
    let problem = three_sided();
    let draw = |s: SampleSizes, seed| problem.sample(&s, Sampler::Uniform, seed).unwrap();
    let (a, b, c) = (draw(sizes(20, 9, 8), 4), draw(sizes(20, 9, 8), 4), draw(sizes(20, 30, 50), 4));
    assert_eq!(a.interior, b.interior);
    assert_eq!(a.pool, b.pool);
    assert_eq!(a.boundary[1].sites()[0], b.boundary[1].sites()[0]);
    assert_eq!(a.interior, c.interior, "more boundary or validation points leave the interior as it was");
    assert_eq!(c.pool.select(&(0..8).collect::<Vec<_>>()).unwrap(), a.pool);
    assert_ne!(a.interior, draw(sizes(20, 9, 8), 5).interior);
    assert_ne!(a.interior.select(&(0..8).collect::<Vec<_>>()).unwrap(), a.pool);
}

#[test]
fn empty_samples_are_refused() {
    let problem = three_sided();
    for bad in [sizes(0, 30, 10), sizes(10, 0, 10), sizes(10, 2, 10)] {
        let result = problem.sample(&bad, Sampler::Uniform, 0);
        assert!(matches!(result, Err(PdeError::Sampling(_))), "{bad:?}: {result:?}");
    }
    let message = problem.sample(&sizes(10, 2, 0), Sampler::Uniform, 0).unwrap_err().to_string();
    assert!(message.contains("at least 3"), "{message}");
}

#[test]
fn given_points_are_checked() {
    let problem = three_sided();
    let p = |data: &[f64]| Points::new(2, data.to_vec()).unwrap();
    let faces = || vec![p(&[0.0, 2.0]), p(&[0.3, 2.0, 0.4, 2.0]), p(&[0.6, -2.0])];
    let (inside, none) = (p(&[0.5, 0.5]), p(&[]));
    let c = problem.collocation_from(inside.clone(), &faces(), none.clone()).unwrap();
    assert_eq!(c.boundary.iter().map(|b| b.len()).collect::<Vec<_>>(), [1, 2, 1]);
    assert!((c.boundary[0].rhs()[0] + 1.0).abs() < 1e-15, "-sin(pi/2)");
    assert!(c.interior.same(&inside));

    let swapped = vec![p(&[0.0, 0.5]), p(&[0.6, -2.0]), p(&[0.3, 2.0])];
    assert!(matches!(problem.collocation_from(inside.clone(), &swapped, none.clone()), Err(PdeError::Domain(_))));
    let hole = vec![p(&[0.0, 0.5]), p(&[]), p(&[0.6, -2.0])];
    assert!(matches!(problem.collocation_from(inside.clone(), &hole, none.clone()), Err(PdeError::Sampling(_))));
    assert!(matches!(
        problem.collocation_from(inside.clone(), &faces()[..2], none.clone()),
        Err(PdeError::Shape { .. })
    ));
    assert!(matches!(problem.collocation_from(none.clone(), &faces(), none.clone()), Err(PdeError::Sampling(_))));
    assert!(matches!(problem.collocation_from(p(&[1.5, 0.0]), &faces(), none), Err(PdeError::Domain(_))));
    let line = Points::new(1, vec![0.5]).unwrap();
    assert!(matches!(problem.collocation_from(inside, &faces(), line), Err(PdeError::Shape { .. })));
}

#[test]
fn boundary_data_that_are_not_finite_are_named() {
    let domain = strip();
    let problem = builder()
        .condition(Condition::dirichlet(&domain, Face::lower(0), 0, |x| (x[1] - 5.0).ln()).unwrap())
        .build()
        .unwrap();
    match problem.sample(&sizes(1, 1, 0), Sampler::Uniform, 0) {
        Err(e @ PdeError::Condition { .. }) => {
            assert!(e.to_string().contains("field 0 on t = 0"), "{e}")
        }
        other => panic!("{other:?}"),
    }
    let term =
        ConditionTerm { field: 0, operator: Operator::identity(2), coefficient: Coefficient::Constant(f64::NAN) };
    let condition = Condition::new("broken", Location::Face(Face::lower(0)), vec![term], |_| 0.0);
    let result = builder().condition(condition).build().unwrap().sample(&sizes(1, 1, 0), Sampler::Uniform, 0);
    assert!(matches!(result, Err(PdeError::Condition { .. })));
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let domain = strip();
    let term = |field, operator| ConditionTerm { field, operator, coefficient: Coefficient::Constant(1.0) };
    let on = |face, terms| Condition::new("c", Location::Face(face), terms, |_| 0.0);
    let grid = || TestGrid::uniform(&strip(), &[3, 3]).unwrap();

    refused(Problem::builder("p", strip()).test_grid(grid()), "no equations");
    refused(Problem::builder("p", strip()).equations(Advection(0)), "no test grid");
    refused(builder().fields(["u", "u"]), "distinct names");
    refused(builder().fields::<&str>([]), "at least one");
    refused(builder().fields(["u", "v"]), "field 'v' is in no equation");
    refused(builder().equations(Advection(1)), "field 1");
    refused(
        Problem::builder("p", Domain::space([("x", 0.0, 1.0)]).unwrap()).equations(Advection(0)).test_grid(grid()),
        "coordinates",
    );
    refused(builder().condition(on(Face::lower(0), vec![])), "no terms");
    refused(builder().condition(on(Face::lower(5), vec![term(0, Operator::identity(2))])), "coordinate 5");
    refused(builder().condition(on(Face::lower(0), vec![term(3, Operator::identity(2))])), "field 3");
    refused(builder().condition(on(Face::lower(0), vec![term(0, Operator::identity(3))])), "3 coordinates");
    let outside = Points::new(2, vec![0.0, 9.0]).unwrap();
    refused(
        builder().observations(Observations::new("o", 0, Operator::identity(2), outside, vec![0.0], 0.0).unwrap()),
        "outside",
    );
    let wide = TestGrid::uniform(&Domain::space([("t", 0.0, 1.0), ("x", -3.0, 3.0)]).unwrap(), &[3, 3]).unwrap();
    refused(builder().test_grid(wide), "test grid");
    refused(builder().score(Score::new("u", |u| u[0])).score(Score::new("u", |u| -u[0])), "two scores");
    refused(builder().defaults(Defaults { nugget: 0.0, ..Defaults::default() }), "nugget");
    refused(builder().defaults(Defaults { learning_rate: f64::NAN, ..Defaults::default() }), "learning rate");

    struct Twice;
    impl Residual for Twice {
        fn unknowns(&self) -> Vec<Unknown> {
            vec![Unknown::value(0, 2), Unknown::value(0, 2)]
        }
        fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
            vec![u[0] * u[1]]
        }
    }
    refused(builder().equations(Twice), "listed twice");
    assert!(matches!(Condition::dirichlet(&domain, Face::lower(2), 0, |_| 0.0), Err(PdeError::Domain(_))));
    assert!(matches!(Condition::periodic(&domain, 2, 0, Operator::identity(2)), Err(PdeError::Domain(_))));
}

#[test]
fn a_problem_may_put_a_condition_at_the_last_time() {
    let domain = strip();
    let problem =
        builder().condition(Condition::dirichlet(&domain, Face::upper(0), 0, |_| 0.0).unwrap()).build().unwrap();
    assert_eq!(patch_names(&problem), ["t = 1"]);
}

#[test]
fn test_grids_are_row_major() {
    let grid = TestGrid::uniform(&strip(), &[2, 3]).unwrap();
    assert_eq!(grid.shape(), [2, 3]);
    assert_eq!(grid.names(), ["t", "x"]);
    assert_eq!(grid.points().as_slice(), [0.0, -2.0, 0.0, 0.0, 0.0, 2.0, 1.0, -2.0, 1.0, 0.0, 1.0, 2.0]);
    for shape in [&[2][..], &[2, 1], &[0, 2]] {
        assert!(matches!(TestGrid::uniform(&strip(), shape), Err(PdeError::Shape { .. })));
    }
    assert!(TestGrid::new(vec![], vec![]).is_err());
    assert!(TestGrid::new(vec!["x".into()], vec![vec![]]).is_err());
    assert!(TestGrid::new(vec!["x".into()], vec![vec![f64::NAN]]).is_err());
}

#[test]
fn error_measures() {
    let e = FieldErrors::between(&[1.0, 2.0, 5.0], &[1.0, 4.0, 4.0]).unwrap();
    assert_eq!(e.linf, 2.0);
    assert!((e.rmse - (5.0_f64 / 3.0).sqrt()).abs() < 1e-15);
    assert!((e.rel_l2 - (5.0_f64 / 33.0).sqrt()).abs() < 1e-15);
    assert_eq!(FieldErrors::between(&[0.0], &[0.0]).unwrap().rel_l2, 0.0);
    assert_eq!(FieldErrors::between(&[1.0], &[0.0]).unwrap().rel_l2, f64::INFINITY);
    for (p, r) in [(&[f64::NAN][..], &[0.0][..]), (&[0.0], &[f64::INFINITY]), (&[], &[]), (&[1.0], &[1.0, 2.0])] {
        assert!(matches!(FieldErrors::between(p, r), Err(PdeError::Metrics(_))));
    }
}

#[test]
fn the_pool_of_the_conditions_is_drawn_apart_from_all_other_points() {
    let problem = three_sided();
    let c = problem.sample(&sizes(10, 9, 20), Sampler::Halton, 4).unwrap();
    let without = problem.sample(&sizes(10, 9, 0), Sampler::Halton, 4).unwrap();
    assert!(without.boundary_pool.is_empty());
    assert_eq!((&c.interior, c.boundary[1].sites()), (&without.interior, without.boundary[1].sites()));
    // Twice as many validation points as interior ones: twice as many points per patch.
    let lengths = |blocks: &[hyperpde_gp::RowBlock]| blocks.iter().map(|b| b.len()).collect::<Vec<_>>();
    assert_eq!((lengths(&c.boundary), lengths(&c.boundary_pool)), (vec![3; 3], vec![6; 3]));
    for (own, new) in c.boundary.iter().zip(&c.boundary_pool) {
        assert_eq!(own.name(), new.name());
        assert!(new.sites()[0].rows().all(|x| own.sites()[0].rows().all(|y| x != y)), "{} shares points", own.name());
    }
    let wave = &c.boundary_pool[0];
    assert!(wave.sites()[0].rows().zip(wave.rhs()).all(|(x, b)| *b == -(PI * x[1] / 4.0).sin()));
    let again = problem.sample(&sizes(10, 9, 20), Sampler::Halton, 4).unwrap();
    assert_eq!(wave.sites(), again.boundary_pool[0].sites());

    let batch = |seed: u64| c.boundary_batch(0.5, &mut hyperpde_pde::seeded(seed, 0)).unwrap();
    assert_eq!(lengths(&batch(1)), [3; 3]);
    let (a, b) = (batch(1), batch(2));
    assert_eq!(a[0].sites(), batch(1)[0].sites());
    assert_ne!(a[0].sites(), b[0].sites());
    assert!(a[0].sites()[0].rows().all(|x| wave.sites()[0].rows().any(|y| x == y)));
    assert_eq!(lengths(&c.boundary_batch(0.0, &mut hyperpde_pde::seeded(1, 0)).unwrap()), [1; 3]);
}
