//! Domains and samplers: placement, stratification, determinism, refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde_pde::{Domain, Face, PdeError, Sampler, seeded};

const ALL: [Sampler; 4] = [Sampler::Uniform, Sampler::LatinHypercube, Sampler::Halton, Sampler::Sobol];

fn box3() -> Domain {
    Domain::space_time(("t", 0.0, 2.0), [("x", -1.0, 1.0), ("y", 3.0, 3.5)]).unwrap()
}

fn cube(d: usize) -> Domain {
    Domain::space((0..d).map(|i| (format!("x{i}"), 0.0, 1.0))).unwrap()
}

#[test]
fn malformed_domains_are_refused() {
    let refused = |r: Result<Domain, PdeError>, why: &str| {
        let message = r.unwrap_err().to_string();
        assert!(message.contains(why), "{message}");
    };
    refused(Domain::space([("x", 1.0, 0.0)]), "[1, 0]");
    refused(Domain::space([("x", 1.0, 1.0)]), "[1, 1]");
    refused(Domain::space([("x", 0.0, f64::NAN)]), "finite");
    refused(Domain::space([("x", f64::NEG_INFINITY, 0.0)]), "finite");
    refused(Domain::space([("x", 0.0, 1.0), ("x", 0.0, 1.0)]), "named 'x'");
    refused(Domain::space([("", 0.0, 1.0)]), "no name");
    refused(Domain::space::<&str>([]), "at least one coordinate");
    refused(Domain::space_time(("t", 0.0, 1.0), []), "coordinate of space");
}

#[test]
fn the_last_time_carries_no_conditions() {
    let domain = box3();
    let faces = domain.boundary();
    assert_eq!(faces, [Face::lower(0), Face::upper(1), Face::lower(1), Face::upper(2), Face::lower(2)]);
    assert_eq!(domain.face_name(Face::lower(0)).unwrap(), "t = 0");
    assert_eq!(domain.coordinate(Face::upper(2)).unwrap(), 3.5);
    assert!(matches!(domain.coordinate(Face::lower(3)), Err(PdeError::Domain(_))));
    assert_eq!(cube(2).boundary().len(), 4);
}

#[test]
fn membership() {
    let domain = box3();
    assert!(domain.contains(&[0.0, -1.0, 3.5]));
    assert!(!domain.contains(&[0.0, -1.001, 3.2]));
    assert!(!domain.contains(&[0.0, 0.0]));
    assert!(domain.on_face(Face::upper(1), &[0.5, 1.0, 3.2]).unwrap());
    assert!(!domain.on_face(Face::upper(1), &[0.5, 0.999, 3.2]).unwrap());
}

#[test]
fn points_are_placed_inside_and_on_faces() {
    let domain = box3();
    for sampler in ALL {
        let inside = sampler.interior(&domain, 200, &mut seeded(1, 0)).unwrap();
        assert_eq!((inside.len(), inside.dim()), (200, 3));
        for x in inside.rows() {
            for (axis, v) in domain.axes().iter().zip(x) {
                assert!(*v > axis.lower && *v < axis.upper, "{sampler:?}: {x:?}");
            }
        }
        // Every coordinate is filled from end to end.
        for (k, axis) in domain.axes().iter().enumerate() {
            let scaled = inside.rows().map(|x| (x[k] - axis.lower) / axis.width());
            let (low, high) = scaled.fold((1.0_f64, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
            assert!(low < 0.1 && high > 0.9, "{sampler:?} leaves gaps at the ends of {}", axis.name);
        }
        for face in domain.boundary() {
            let on = sampler.face(&domain, face, 17, &mut seeded(1, 2)).unwrap();
            assert_eq!(on.len(), 17);
            let exact = domain.coordinate(face).unwrap();
            assert!(on.rows().all(|x| x[face.axis] == exact && domain.on_face(face, x).unwrap()));
        }
    }
}

#[test]
fn one_seed_fixes_everything() {
    let domain = box3();
    for sampler in ALL {
        let draw = |seed, stream| sampler.interior(&domain, 50, &mut seeded(seed, stream)).unwrap();
        assert_eq!(draw(7, 0), draw(7, 0));
        assert_ne!(draw(7, 0), draw(8, 0));
        assert_ne!(draw(7, 0), draw(7, 1));
    }
}

#[test]
fn latin_hypercube_has_one_point_per_interval() {
    let n = 37;
    let points = Sampler::LatinHypercube.interior(&cube(4), n, &mut seeded(3, 0)).unwrap();
    for k in 0..4 {
        let mut cells: Vec<usize> = points.rows().map(|x| (x[k] * n as f64) as usize).collect();
        cells.sort_unstable();
        assert_eq!(cells, (0..n).collect::<Vec<_>>());
    }
}

#[test]
fn halton_is_the_radical_inverse_up_to_a_shift() {
    let points = Sampler::Halton.interior(&cube(2), 6, &mut seeded(3, 0)).unwrap();
    let expected = [[0.5, 1.0 / 3.0], [0.25, 2.0 / 3.0], [0.75, 1.0 / 9.0], [0.125, 4.0 / 9.0], [0.625, 7.0 / 9.0]];
    for k in 0..2 {
        let shift = points.row(0)[k] - expected[0][k];
        for (i, x) in expected.iter().enumerate() {
            let gap = (points.row(i)[k] - x[k] - shift).rem_euclid(1.0);
            assert!(gap.min(1.0 - gap) < 1e-12);
        }
    }
}

/// Digits of a Sobol coordinate on its grid of 2^-32, and the shift taken out: the plain sequence.
fn plain_sobol(d: usize, n: usize) -> Vec<Vec<u32>> {
    let points = Sampler::Sobol.interior(&cube(d), n, &mut seeded(11, 0)).unwrap();
    let digits = |x: f64| (x * 4_294_967_296.0) as u32;
    let first: Vec<u32> = points.row(0).iter().map(|&x| digits(x)).collect();
    points.rows().map(|p| p.iter().zip(&first).map(|(&x, s)| digits(x) ^ s).collect()).collect()
}

#[test]
fn sobol_starts_like_the_published_sequence() {
    let expected = [
        [0.0, 0.0, 0.0],
        [0.5, 0.5, 0.5],
        [0.75, 0.25, 0.25],
        [0.25, 0.75, 0.75],
        [0.375, 0.375, 0.625],
        [0.875, 0.875, 0.125],
        [0.625, 0.125, 0.875],
        [0.125, 0.625, 0.375],
    ];
    for (got, want) in plain_sobol(3, 8).iter().zip(&expected) {
        for (g, w) in got.iter().zip(want) {
            assert_eq!(f64::from(*g) / 4_294_967_296.0, *w);
        }
    }
}

#[test]
fn sobol_is_a_net_in_every_pair_of_coordinates() {
    // Degrees of the polynomials; two coordinates form a (t, m, 2)-net in base 2 with t = Σ (degree − 1).
    let degree = [1, 1, 2, 3, 3, 4, 4, 5, 5, 5];
    let m = 11;
    let points = plain_sobol(10, 1 << m);
    for j in 0..10 {
        for k in 0..j {
            let t = degree[j] + degree[k] - 2;
            for a in 0..=(m - t) {
                let b = m - t - a;
                let mut count = vec![0_usize; 1 << (m - t)];
                for p in &points {
                    let row = if a == 0 { 0 } else { p[j] >> (32 - a) };
                    let column = if b == 0 { 0 } else { p[k] >> (32 - b) };
                    count[((row << b) + column) as usize] += 1;
                }
                assert!(count.iter().all(|&c| c == 1 << t), "coordinates {k} and {j}, intervals 2^-{b} by 2^-{a}");
            }
        }
    }
}

#[test]
fn low_discrepancy_integrates_better_than_chance() {
    // ∫ Π (1 + (x_i − 1/2)/i) = 1; independent points would leave about 0.3/sqrt(n) = 1e-2.
    for sampler in [Sampler::Halton, Sampler::Sobol] {
        let points = sampler.interior(&cube(3), 1024, &mut seeded(5, 0)).unwrap();
        let mean = points
            .rows()
            .map(|x| x.iter().enumerate().map(|(i, v)| 1.0 + (v - 0.5) / (i + 1) as f64).product::<f64>())
            .sum::<f64>()
            / 1024.0;
        assert!((mean - 1.0).abs() < 2e-3, "{sampler:?}: {mean}");
    }
}

#[test]
fn a_face_of_an_interval_is_one_point() {
    let line = cube(1);
    for sampler in ALL {
        let end = sampler.face(&line, Face::upper(0), 5, &mut seeded(0, 0)).unwrap();
        assert_eq!(end.as_slice(), [1.0]);
    }
}

#[test]
fn impossible_requests_are_refused() {
    for sampler in ALL {
        assert!(matches!(sampler.interior(&cube(2), 0, &mut seeded(0, 0)), Err(PdeError::Sampling(_))));
        assert!(matches!(sampler.face(&cube(2), Face::lower(0), 0, &mut seeded(0, 0)), Err(PdeError::Sampling(_))));
        assert!(matches!(sampler.face(&cube(1), Face::lower(0), 0, &mut seeded(0, 0)), Err(PdeError::Sampling(_))));
        assert!(matches!(sampler.face(&cube(2), Face::lower(2), 3, &mut seeded(0, 0)), Err(PdeError::Domain(_))));
    }
    assert!(matches!(Sampler::Halton.interior(&cube(11), 3, &mut seeded(0, 0)), Err(PdeError::Sampling(_))));
    assert!(matches!(Sampler::Sobol.interior(&cube(11), 3, &mut seeded(0, 0)), Err(PdeError::Sampling(_))));
    assert!(Sampler::LatinHypercube.interior(&cube(11), 3, &mut seeded(0, 0)).is_ok());
}

#[test]
fn samplers_have_names_in_configurations() {
    let name = serde_json::to_string(&Sampler::LatinHypercube).unwrap();
    assert_eq!(name, "\"latin_hypercube\"");
    assert_eq!(serde_json::from_str::<Sampler>("\"sobol\"").unwrap(), Sampler::Sobol);
}
