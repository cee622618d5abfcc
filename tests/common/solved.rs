//! A small problem, solved, with its configuration.

use std::path::Path;
use std::sync::Arc;

use hyperpde_bilevel::{Bilevel, Outcome};
use hyperpde_config::Config;
use hyperpde_kernels::AnyKernel;
use hyperpde_run::Model;

/// Two fields over time and space, one of them observed in `data.csv`, kernels of three kinds.
pub const TEXT: &str = r#"
fields = ["u", "v"]
[domain]
time = ["t", 0, 1]
space = [["x", 0, 2]]
[equations]
text = ["u_t - 0.1*u_xx + u*v = sin(x)", "v_t - 0.2*v_xx + v^3 = 0"]
[[conditions]]
on = "t = 0"
text = ["u = sin(x)", "v = cos(x)"]
[[conditions]]
on = ["x = 0", "x = 2"]
text = ["u = 0", "v = 1"]
[[observations]]
of = "u_x"
file = "data.csv"
noise = 0.01
[sampling]
interior = 24
boundary = 15
validation = 10
seed = 7
[kernel.u]
kind = "gibbs"
dim = 2
length_scales = "per-dimension"
hidden = [5]
divisor = 4.0
[kernel.v]
kind = "matern"
order = "7/2"
length_scales = [0.7, 0.8]
[outer]
batch = 10
steps = 2
"#;

/// The configuration, with its data file written into `folder`.
pub fn config(folder: &Path) -> Config {
    std::fs::write(folder.join("data.csv"), "x,t,u_x\n1.0,0.5,0.3\n0.4,0.2,0.8\n1.2,0.9,-0.1\n").unwrap();
    Config::parse("small.toml", TEXT, folder).unwrap()
}

/// The solution with the kernels as they are drawn.
pub fn solve(config: &Config) -> Outcome<AnyKernel> {
    let device = config.backend().device().unwrap();
    let kernels = config.kernels(config.run_settings().seed, &device).unwrap();
    let settings = config.bilevel_settings().frozen(6, 1e-9);
    let run = Bilevel::init(config.problem(), config.sample().unwrap(), kernels, settings).unwrap();
    run.run(&mut ()).unwrap()
}

/// A model in `folder`, and the solution it was saved from.
pub fn saved(folder: &Path) -> Arc<hyperpde_gp::Posterior<AnyKernel>> {
    let config = config(folder);
    let outcome = solve(&config);
    Model::save(&folder.join("model.safetensors"), &config, &outcome.recipe).unwrap();
    outcome.last
}
