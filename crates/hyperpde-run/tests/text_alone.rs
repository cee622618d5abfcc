//! Problems that are not built in, from text alone: third and fourth derivatives, a system with a coefficient that varies in space.
//! Errors are against exact or manufactured solutions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde_config::Config;
use hyperpde_run::{Experiment, Plan};

/// Largest relative L2 error of all fields after learning.
fn error(text: &str) -> f64 {
    let config = Config::parse("text.toml", text, ".").unwrap_or_else(|e| panic!("{}", e.render(false)));
    let report = Experiment::from_config(&config).run(&Plan::of(config.spec()), &()).unwrap();
    report.rel_l2.0.iter().map(|(_, e)| *e).fold(0.0, f64::max)
}

const SMALL: &str = "
[outer]
optimizer = \"lbfgs\"
batch = 40
steps = 4
[solver]
gauss_newton_steps = 6
";

/// A soliton of the Korteweg-de Vries equation, `u = 2 sech²(x − 4t)`.
#[test]
fn korteweg_de_vries() {
    let text = r#"
fields = ["u"]
[domain]
time = ["t", 0, 0.2]
space = [["x", -3, 3]]
[equations]
text = "u_t + 6*u*u_x + u_xxx = 0"
[exact]
u = "2/cosh(x - 4*t)^2"
[[conditions]]
on = "t = 0"
text = "u = 2/cosh(x)^2"
[[conditions]]
on = ["x = -3", "x = 3"]
text = "u = 2/cosh(x - 4*t)^2"
[[conditions]]
on = "x = 3"
text = "u_x = -4*sinh(x - 4*t)/cosh(x - 4*t)^3"
[sampling]
interior = 120
boundary = 60
validation = 40
[kernel.u]
kind = "gaussian"
length_scales = [0.2, 0.9]
"#;
    let error = error(&format!("{text}{SMALL}"));
    assert!(error < 3e-2, "{error}");
}

/// A steady state of the Kuramoto-Sivashinsky equation with a source, `u = sin x`.
#[test]
fn steady_kuramoto_sivashinsky() {
    let text = r#"
fields = ["u"]
[domain]
space = [["x", 0, 6.283185307179586]]
[equations]
text = "u_xxxx + u_xx + u*u_x = sin(x)*cos(x)"
[exact]
u = "sin(x)"
[[conditions]]
on = "boundary"
text = ["u = 0", "u_x = 1"]
[sampling]
interior = 40
boundary = 2
validation = 40
[kernel.u]
kind = "gaussian"
length_scales = [1.0]
"#;
    let error = error(&format!("{text}{SMALL}"));
    assert!(error < 1e-6, "{error}");
}

/// Two coupled fields, diffusion that grows along the domain: sources from `u = e^{−t} sin πx`, `v = e^{−2t} cos πx`.
#[test]
fn reaction_diffusion_with_a_varying_coefficient() {
    let text = r#"
fields = ["u", "v"]
[domain]
time = ["t", 0, 1]
space = [["x", 0, 1]]
[equations]
text = [
  "u_t - (1 + x)*u_xx - u_x - u*v + u^2 = -exp(-t)*sin(pi*x) + (1 + x)*pi^2*exp(-t)*sin(pi*x) - pi*exp(-t)*cos(pi*x) - exp(-3*t)*sin(pi*x)*cos(pi*x) + exp(-2*t)*sin(pi*x)^2",
  "v_t - 0.1*v_xx + u*v = -2*exp(-2*t)*cos(pi*x) + 0.1*pi^2*exp(-2*t)*cos(pi*x) + exp(-3*t)*sin(pi*x)*cos(pi*x)",
]
[exact]
u = "exp(-t)*sin(pi*x)"
v = "exp(-2*t)*cos(pi*x)"
[[conditions]]
on = "t = 0"
text = ["u = sin(pi*x)", "v = cos(pi*x)"]
[[conditions]]
on = ["x = 0", "x = 1"]
text = ["u = 0", "v_x = 0"]
[sampling]
interior = 120
boundary = 60
validation = 60
[kernel.u]
kind = "gaussian"
length_scales = [0.5, 0.3]
[kernel.v]
kind = "gaussian"
length_scales = [0.5, 0.3]
"#;
    let error = error(&format!("{text}{SMALL}"));
    assert!(error < 1e-4, "{error}");
}
