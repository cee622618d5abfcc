//! Burgers' equation `u_t + u u_x = ν u_xx` with a Gibbs kernel whose two length-scale fields are a network learned while solving.
//!
//! `cargo run --release --bin burgers -- --out out/burgers`

use std::process::ExitCode;

use clap::Parser;
use hyperpde::burn::module::Module;
use hyperpde::kernels::{Gibbs, Jet, JetSpace, KernelError, tensor_to_vec};
use hyperpde::prelude::*;
use hyperpde_cli::{CliError, CommonFlags, Experiment, exit_code, init_logging};

/// Solve Burgers' equation and learn its kernel.
#[derive(Parser)]
#[command(name = "burgers", version)]
struct Arguments {
    #[command(flatten)]
    common: CommonFlags,
    /// Viscosity
    #[arg(long, default_value_t = 0.02, value_name = "NU")]
    viscosity: f64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    init_logging(arguments.common.quiet);
    exit_code(run(&arguments))
}

fn run(arguments: &Arguments) -> Result<(), CliError> {
    let problem = problems::Burgers::new(arguments.viscosity)?.problem()?;
    // Published network: 2-50-50-2, tanh, length scales softplus(.)/4.
    let kernel = GibbsConfig::new(2, LengthScales::PerDimension, 4.0);
    let experiment = Experiment::new(problem, move |seed, device| Ok(vec![kernel.init(seed, device)?]))
        .with_kernel_fields(length_scales)
        // The published clouds are uniform (`--sampler uniform`); a low-discrepancy sequence leaves no holes.
        .with_sampler(Sampler::Halton)
        .with_larger_cloud();
    print!("{}", experiment.run(&arguments.common)?.table());
    Ok(())
}

/// The learned length scales in t and x.
fn length_scales(kernels: &[Gibbs], points: &Points) -> Result<Vec<(String, Vec<f64>)>, KernelError> {
    let mut fields = Vec::new();
    for kernel in kernels {
        let device = kernel.devices().into_iter().next().unwrap_or_default();
        let x = Jet::coordinates(&JetSpace::covering(2, []), points, &device);
        let scales = kernel.length_scales(&x);
        for (c, name) in ["length scale in t", "length scale in x"].into_iter().enumerate() {
            fields.push((name.to_owned(), tensor_to_vec(scales.channel(c).value())?));
        }
    }
    Ok(fields)
}
