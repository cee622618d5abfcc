//! Domains and samplers: placement, stratification, determinism, refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use hyperpde_geometry::{Axis, Domain, Face, Geometry, GeometryError, Patch, Sampler, seeded};
use hyperpde_kernels::Points;
use rand::Rng;

const ALL: [Sampler; 4] = [Sampler::Uniform, Sampler::LatinHypercube, Sampler::Halton, Sampler::Sobol];

fn box3() -> Domain {
    Domain::space_time(("t", 0.0, 2.0), [("x", -1.0, 1.0), ("y", 3.0, 3.5)]).unwrap()
}

fn cube(d: usize) -> Domain {
    Domain::space((0..d).map(|i| (format!("x{i}"), 0.0, 1.0))).unwrap()
}

#[test]
fn malformed_domains_are_refused() {
    let refused = |r: Result<Domain, GeometryError>, why: &str| {
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
    assert!(matches!(domain.coordinate(Face::lower(3)), Err(GeometryError::Domain(_))));
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
            let on = domain.face(face).unwrap().sample(17, sampler, &mut seeded(1, 2)).unwrap();
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
        let end = line.face(Face::upper(0)).unwrap().sample(5, sampler, &mut seeded(0, 0)).unwrap();
        assert_eq!(end.as_slice(), [1.0]);
    }
}

#[test]
fn impossible_requests_are_refused() {
    for sampler in ALL {
        assert!(matches!(sampler.interior(&cube(2), 0, &mut seeded(0, 0)), Err(GeometryError::Sampling(_))));
        for d in [1, 2] {
            let face = cube(d).face(Face::lower(0)).unwrap();
            assert!(matches!(face.sample(0, sampler, &mut seeded(0, 0)), Err(GeometryError::Sampling(_))));
        }
    }
    assert!(matches!(Sampler::Halton.interior(&cube(11), 3, &mut seeded(0, 0)), Err(GeometryError::Sampling(_))));
    assert!(matches!(Sampler::Sobol.interior(&cube(11), 3, &mut seeded(0, 0)), Err(GeometryError::Sampling(_))));
    assert!(Sampler::LatinHypercube.interior(&cube(11), 3, &mut seeded(0, 0)).is_ok());
}

#[test]
fn faces_exist_for_coordinates_only() {
    assert!(matches!(cube(2).face(Face::lower(2)), Err(GeometryError::Domain(_))));
}

#[test]
fn samplers_have_one_name_that_is_read_in_both_spellings() {
    for (&sampler, &name) in Sampler::all().iter().zip(Sampler::names()) {
        assert_eq!((sampler.name(), sampler.to_string()), (name, name.to_owned()));
        assert_eq!(name.parse::<Sampler>().unwrap(), sampler);
        let json = format!("\"{name}\"");
        assert_eq!(serde_json::to_string(&sampler).unwrap(), json);
        assert_eq!(serde_json::from_str::<Sampler>(&json).unwrap(), sampler);
        assert_eq!(serde_json::from_str::<Sampler>(&json.replace('-', "_")).unwrap(), sampler);
    }
    assert_eq!(Sampler::all(), ALL);
    assert_eq!("latin_hypercube".parse::<Sampler>().unwrap(), Sampler::LatinHypercube);
    let unknown = serde_json::from_str::<Sampler>("\"grid\"").unwrap_err().to_string();
    assert!(unknown.contains("grid") && unknown.contains("latin-hypercube"), "{unknown}");
    let refused = "Sobol".parse::<Sampler>().unwrap_err().to_string();
    assert!(refused.contains("'Sobol'") && refused.contains("sobol"), "{refused}");
}

/// Two points in a box and two on its upper face across the second coordinate.
const PUBLISHED: [(Sampler, [f64; 4], [f64; 4]); 4] = [
    (
        Sampler::Uniform,
        [0.6229674639432577, -0.8373966055740854, 0.32280566285267387, -0.8327244758608534],
        [0.3448083306245494, 1.0, 0.7238668084920178, 1.0],
    ),
    (
        Sampler::LatinHypercube,
        [0.3194730762186189, 0.7804253299449657, 0.9579182476831253, -0.7014827605811901],
        [0.06655575199341496, 1.0, 0.5944926385679127, 1.0],
    ),
    (
        Sampler::Halton,
        [0.12296746394325764, -0.17072993890741872, 0.8729674639432577, 0.4959367277592479],
        [0.8448083306245494, 1.0, 0.5948083306245494, 1.0],
    ),
    (
        Sampler::Sobol,
        [0.10835131199564785, 0.24593492806889117, 0.6083513119956478, -0.7540650719311088],
        [0.42079531063791364, 1.0, 0.9207953106379136, 1.0],
    ),
];

/// The coordinates that one seed gave when published runs were made; changed, they would not be reproduced.
#[test]
fn seeds_give_the_points_they_gave() {
    let domain = Domain::space_time(("t", 0.0, 1.0), [("x", -1.0, 1.0)]).unwrap();
    for (sampler, inside, on) in PUBLISHED {
        let points = sampler.interior(&domain, 2, &mut seeded(3, 0)).unwrap();
        assert_eq!(points.as_slice(), inside, "{sampler}");
        let face = domain.face(Face::upper(1)).unwrap().sample(2, sampler, &mut seeded(3, 2)).unwrap();
        assert_eq!(face.as_slice(), on, "{sampler}");
    }
}

#[test]
fn faces_are_patches_with_outward_normals() {
    let domain = box3();
    let geometry: &dyn Geometry = &domain;
    let names: Vec<String> = geometry.boundary().iter().map(|p| p.name().to_owned()).collect();
    assert_eq!(names, ["t = 0", "x = 1", "x = -1", "y = 3.5", "y = 3"]);
    for (name, normal, measure) in
        [("x = -1", [0.0, -1.0, 0.0], 1.0), ("y = 3.5", [0.0, 0.0, 1.0], 4.0), ("t = 2", [1.0, 0.0, 0.0], 1.0)]
    {
        let patch = geometry.patch(name).unwrap();
        assert_eq!((patch.constant_normal().unwrap(), patch.measure(), patch.dim()), (normal.to_vec(), measure, 3));
        for x in patch.sample(20, Sampler::Halton, &mut seeded(1, 0)).unwrap().rows() {
            assert!(patch.contains(x) && domain.contains(x));
            assert_eq!(patch.normal(x), normal);
            // Outward: a step along the normal leaves the box, one against it stays.
            let step = |h: f64| x.iter().zip(normal).map(|(v, n)| v + h * n).collect::<Vec<f64>>();
            assert!(!domain.contains(&step(1e-3)) && domain.contains(&step(-1e-3)));
        }
    }
    let message = geometry.patch("z = 0").unwrap_err().to_string();
    assert!(message.contains("'z = 0'") && message.contains("x = -1"), "{message}");
    assert_eq!(geometry.allot(&geometry.boundary(), 11), [2, 2, 2, 2, 3], "equal shares, the last takes the rest");
    assert_eq!(geometry.as_box(), Some(&domain));
}

/// The part of a square with corners `(±1, ±1)` that lies within `radius` of its centre, with boundary parts of given measures.
#[derive(Debug)]
struct Spot {
    axes: [Axis; 2],
    radius: f64,
    measures: Vec<f64>,
}

impl Geometry for Spot {
    fn axes(&self) -> &[Axis] {
        &self.axes
    }

    fn contains(&self, x: &[f64]) -> bool {
        x.len() == 2 && x[0].hypot(x[1]) <= self.radius
    }

    fn boundary(&self) -> Vec<Arc<dyn Patch>> {
        self.measures.iter().map(|&m| Arc::new(Arc1(m)) as Arc<dyn Patch>).collect()
    }
}

#[derive(Debug)]
struct Arc1(f64);

impl Patch for Arc1 {
    fn name(&self) -> &str {
        "arc"
    }

    fn dim(&self) -> usize {
        2
    }

    fn measure(&self) -> f64 {
        self.0
    }

    fn contains(&self, _x: &[f64]) -> bool {
        false
    }

    fn normal(&self, x: &[f64]) -> Vec<f64> {
        x.to_vec()
    }

    fn sample(&self, n: usize, sampler: Sampler, rng: &mut dyn Rng) -> Result<Points, GeometryError> {
        sampler.place(n, 1, rng, |s| vec![s[0], 0.0])
    }
}

fn spot(radius: f64, measures: &[f64]) -> Spot {
    Spot { axes: ["x", "y"].map(|name| Axis::new(name, -1.0, 1.0)), radius, measures: measures.to_vec() }
}

#[test]
fn other_domains_keep_the_points_that_fall_inside() {
    for sampler in ALL {
        for radius in [1.0, 0.1] {
            let draw = |seed| spot(radius, &[]).interior(500, sampler, &mut seeded(seed, 0)).unwrap();
            let points = draw(1);
            assert_eq!((points.len(), points.dim()), (500, 2));
            assert!(points.rows().all(|x| x[0].hypot(x[1]) <= radius));
            // Uniform in area: a quarter lies within half of the radius. Four standard deviations of a binomial.
            let near = points.rows().filter(|x| x[0].hypot(x[1]) <= 0.5 * radius).count() as f64;
            assert!((near - 125.0).abs() < 4.0 * (500.0_f64 * 0.25 * 0.75).sqrt(), "{sampler}: {near}");
            assert_eq!(points, draw(1));
            assert_ne!(points, draw(2));
        }
    }
    let hopeless = spot(1e-4, &[]).interior(5, Sampler::Halton, &mut seeded(1, 0)).unwrap_err();
    assert!(matches!(hopeless, GeometryError::Sampling(_)), "{hopeless}");
    assert!(hopeless.to_string().contains("bounding box"), "{hopeless}");
    let none = spot(1.0, &[]).interior(0, Sampler::Uniform, &mut seeded(1, 0));
    assert!(matches!(none, Err(GeometryError::Sampling(_))));
}

#[test]
fn points_are_allotted_by_measure() {
    for (measures, n, shares) in [
        (vec![1.0, 3.0], 10, vec![3, 7]),
        (vec![1.0, 1.0, 1.0], 10, vec![4, 3, 3]),
        (vec![1e-9, 5.0], 6, vec![1, 5]),
        (vec![2.0, 1.0], 2, vec![1, 1]),
    ] {
        let geometry = spot(1.0, &measures);
        assert_eq!(geometry.allot(&geometry.boundary(), n), shares, "{measures:?}");
    }
}
