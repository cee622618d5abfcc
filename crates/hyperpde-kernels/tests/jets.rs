//! Functions of jets against closed forms of their derivatives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde_kernels::*;

/// `∂^k` of `function(x)` at `x` for `k = 0..=5`, by jets.
fn jets(x: f64, function: impl Fn(&Jet) -> Jet) -> Vec<f64> {
    let space = JetSpace::covering(1, [&vec![5u8]]);
    let device = Backend::available()[0].device().unwrap();
    let jet = function(&Jet::coordinates(&space, &Points::new(1, vec![x]).unwrap(), &device));
    let one = |k: u8| jet.derivative(&[k]).map_or(0.0, |t| tensor_to_vec(t).unwrap()[0]);
    (0..=5).map(one).collect()
}

fn near(got: &[f64], expected: &[f64]) {
    for (k, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).abs() <= 1e-12 * e.abs().max(1.0), "derivative {k}: {g} for {e}");
    }
    assert_eq!(got.len(), expected.len());
}

#[test]
fn elementary_functions() {
    let x: f64 = 0.7;
    near(&jets(x, Jet::exp), &[x.exp(); 6]);
    let recip: Vec<f64> =
        [1.0, -1.0, 2.0, -6.0, 24.0, -120.0].iter().enumerate().map(|(k, c)| c * x.powi(-1 - k as i32)).collect();
    near(&jets(x, Jet::recip), &recip);
    near(&jets(x, Jet::ln), &[x.ln(), recip[0], recip[1], recip[2], recip[3], recip[4]]);
    let sqrt = [1.0, 0.5, -0.25, 0.375, -0.9375, 3.28125];
    near(&jets(x, Jet::sqrt), &std::array::from_fn::<f64, 6, _>(|k| sqrt[k] * x.powf(0.5 - k as f64)));
    let (s, c) = x.sin_cos();
    near(&jets(x, |f| f.sin_cos().0), &[s, c, -s, -c, s, c]);
    near(&jets(x, |f| f.sin_cos().1), &[c, -s, -c, s, c, -s]);
    near(&jets(x, |f| f.power(4)), &[x.powi(4), 4.0 * x.powi(3), 12.0 * x * x, 24.0 * x, 24.0, 0.0]);
    near(&jets(x, |f| f.power(0)), &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn sigmoidal_functions() {
    for x in [-3.0f64, -0.4, 0.0, 1.1, 6.0] {
        let t = x.tanh();
        let u = 1.0 - t * t;
        let tanh = [
            t,
            u,
            -2.0 * t * u,
            u * (6.0 * t * t - 2.0),
            u * t * (16.0 - 24.0 * t * t),
            u * (16.0 - 120.0 * t * t + 120.0 * t.powi(4)),
        ];
        near(&jets(x, Jet::tanh), &tanh);
        let p = 1.0 / (1.0 + (-x).exp());
        let q = p * (1.0 - p);
        let softplus = [
            x.exp().ln_1p(),
            p,
            q,
            q * (1.0 - 2.0 * p),
            q * (1.0 - 6.0 * p + 6.0 * p * p),
            q * (1.0 - 2.0 * p) * (1.0 - 12.0 * p + 12.0 * p * p),
        ];
        near(&jets(x, Jet::softplus), &softplus);
    }
}

#[test]
fn gelu() {
    // Φ(1.1) from tables.
    let x = 1.1f64;
    let cumulative = 0.864_333_939_053_617_3;
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let expected = [
        x * cumulative,
        cumulative + x * density,
        density * (2.0 - x * x),
        density * (x.powi(3) - 4.0 * x),
        density * (-x.powi(4) + 7.0 * x * x - 4.0),
        density * (x.powi(5) - 11.0 * x.powi(3) + 18.0 * x),
    ];
    near(&jets(x, Jet::gelu), &expected);
}

/// A composition in two variables with a closed form: `f = exp(x y)/(1 + x²)`.
#[test]
fn mixed_derivatives() {
    let space = JetSpace::covering(2, [&vec![1u8, 2]]);
    let device = Backend::available()[0].device().unwrap();
    let (x, y) = (0.6f64, -0.8f64);
    let at = Jet::coordinates(&space, &Points::new(2, vec![x, y]).unwrap(), &device);
    let (jx, jy) = (at.channel(0), at.channel(1));
    let f = jx.mul(&jy).exp().mul(&jx.square().shift(1.0).recip());
    let w = 1.0 / (1.0 + x * x);
    let e = (x * y).exp();
    let value = |alpha: [u8; 2]| tensor_to_vec(f.derivative(&alpha).unwrap()).unwrap()[0];
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-13, "{a} {b}");
    close(value([0, 0]), e * w);
    close(value([1, 0]), e * w * (y - 2.0 * x * w));
    close(value([0, 1]), e * w * x);
    close(value([0, 2]), e * w * x * x);
    // ∂_x of x² e^{xy} w
    close(value([1, 2]), e * w * (2.0 * x + x * x * y - 2.0 * x.powi(3) * w));
    assert!(f.derivative(&[2, 0]).is_none());
}

#[test]
fn index_sets_are_downward_closed() {
    let space = JetSpace::covering(2, [&vec![2u8, 1]]);
    let mut indices = space.indices().to_vec();
    indices.sort();
    assert_eq!(indices, [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]].map(|a| a.to_vec()));
    assert_eq!((space.order(), space.vars()), (3, 2));
    let laplacian = JetSpace::of_operators(2, [&Operator::laplacian(2)]);
    assert_eq!(laplacian.indices().len(), 5);
    assert!(laplacian.position(&[1, 1]).is_none());
}
