//! Kernels of a configuration, held against what the problem asks of them.

use std::collections::BTreeMap;
use std::ops::Range;

use hyperpde_kernels::{Backend, Kernel, KernelConfig, NetworkConfig};
use hyperpde_pde::Problem;

use super::document::Document;
use super::error::ConfigError;
use super::reader::Reader;

/// Most units of a layer, and most layers: a network is evaluated once per point, with its derivatives.
const MAX_WIDTH: usize = 4096;
const MAX_LAYERS: usize = 16;
/// Most kernels in one composition.
const MAX_PARTS: usize = 64;

impl Reader<'_> {
    /// One configuration per field; each was built once to see that it can be.
    pub(crate) fn kernels(
        &self,
        document: &Document,
        problem: &Problem,
    ) -> Result<BTreeMap<String, KernelConfig>, ConfigError> {
        let device = Backend::default().device().map_err(|e| ConfigError::without_place(e.to_string()))?;
        let dim = problem.domain().dim();
        let mut configs = BTreeMap::new();
        for (f, field) in problem.fields().iter().enumerate() {
            let Some(config) = document.kernel.get(field.as_str()) else { continue };
            let fail = |why: String| self.kernel_fault(config.span(), field, why);
            check_sizes(config.get_ref(), dim).map_err(fail)?;
            let kernel = config.get_ref().init(0, &device).map_err(|e| fail(e.to_string()))?;
            kernel.check_dim(dim).map_err(|e| fail(format!("{e}; the domain has {dim} coordinates")))?;
            let order = highest_order(problem, f);
            if let Some(have) = kernel.smoothness().filter(|&have| have < order) {
                let why = format!(
                    "a {} kernel has {have} derivatives, the problem takes {order} of '{field}'",
                    kernel.name()
                );
                return Err(
                    fail(why).with_help("choose a smoother kernel, such as gaussian or a matern of higher order")
                );
            }
            configs.insert(field.clone(), config.get_ref().clone());
        }
        Ok(configs)
    }

    fn kernel_fault(&self, span: Range<usize>, field: &str, why: String) -> ConfigError {
        let message = format!("the kernel of '{field}': {why}");
        if span.is_empty() {
            self.source.without_place(message)
        } else {
            self.source.error(span, message, "this kernel")
        }
    }
}

/// The highest order of a derivative of a field in equations, conditions and observations.
fn highest_order(problem: &Problem, field: usize) -> usize {
    let unknowns = problem.equations().unknowns();
    let equations = unknowns.iter().filter(|q| q.field == field).map(|q| q.operator.order());
    let terms = problem.conditions().iter().flat_map(|c| c.terms());
    let conditions = terms.filter(|t| t.field == field).map(|t| t.operator.order());
    let observations = problem.observations().iter().filter(|o| o.field() == field).map(|o| o.operator().order());
    equations.chain(conditions).chain(observations).max().unwrap_or(0)
}

/// Refuses networks and compositions that no machine builds, before they are built.
fn check_sizes(config: &KernelConfig, dim: usize) -> Result<(), String> {
    let mut parts = 0;
    let mut stack = vec![config];
    while let Some(config) = stack.pop() {
        parts += 1;
        if let Some(own) = config.dim().filter(|own| *own != dim) {
            return Err(format!("dim = {own}, the domain has {dim} coordinates"));
        }
        config.network().as_ref().map_or(Ok(()), check_network)?;
        stack.extend(config.parts());
    }
    if parts > MAX_PARTS {
        Err(format!("it is composed of {parts} kernels, at most {MAX_PARTS} are built"))
    } else {
        Ok(())
    }
}

fn check_network(network: &NetworkConfig) -> Result<(), String> {
    let wide = network.hidden.iter().chain([&network.inputs, &network.outputs]).find(|&&width| width > MAX_WIDTH);
    match wide {
        Some(width) => Err(format!("a layer has {width} units, at most {MAX_WIDTH} are built")),
        None if network.hidden.len() > MAX_LAYERS => {
            Err(format!("the network has {} hidden layers, at most {MAX_LAYERS} are built", network.hidden.len()))
        }
        None => Ok(()),
    }
}
