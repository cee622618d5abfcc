//! The hyperparameters of a module as one flat vector, for optimizers and checkpoints.
//!
//! Parameters are visited in the order of the module's fields; each contributes its entries row-major, in float64.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

use crate::error::KernelError;

/// All float parameters of `module` as one vector.
///
/// # Errors
/// [`KernelError::Tensor`] if a parameter can't be read back.
pub fn parameters<M: Module>(module: &M) -> Result<Vec<f64>, KernelError> {
    struct Read(Vec<f64>, Option<KernelError>);
    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            match crate::tensor_to_vec(param.val()) {
                Ok(values) => self.0.extend(values),
                Err(e) => self.1 = Some(e),
            }
        }
    }
    let mut read = Read(Vec::new(), None);
    module.visit(&mut read);
    read.1.map_or(Ok(read.0), Err)
}

/// The module with its parameters replaced by `values`; devices and gradient tracking stay.
///
/// # Errors
/// [`KernelError::Shape`] if the length is not the number of parameters.
pub fn with_parameters<M: Module>(module: M, values: &[f64]) -> Result<M, KernelError> {
    struct Write<'a>(&'a [f64]);
    impl ModuleMapper for Write<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, old, mapper) = param.consume();
            let shape = old.shape();
            let (head, tail) = self.0.split_at(shape.num_elements());
            self.0 = tail;
            let tracked = old.is_require_grad();
            let data = TensorData::new(head.to_vec(), shape);
            let new = Tensor::<D>::from_data(data, (&old.device(), old.dtype()));
            Param::from_mapped_value(id, new.set_require_grad(tracked), mapper)
        }
    }
    let count = module.num_params();
    if values.len() != count {
        return Err(KernelError::Shape {
            what: "parameter vector",
            expected: format!("{count} numbers"),
            got: values.len().to_string(),
        });
    }
    Ok(module.map(&mut Write(values)))
}

/// The gradient of every parameter as one vector, zero where the loss does not reach.
///
/// # Errors
/// [`KernelError::Tensor`] if a gradient can't be read back.
pub fn gradient<M: Module>(module: &M, gradients: &Gradients) -> Result<Vec<f64>, KernelError> {
    struct Read<'a>(&'a Gradients, Vec<f64>, Option<KernelError>);
    impl ModuleVisitor for Read<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            match param.val().grad(self.0).map(crate::tensor_to_vec) {
                Some(Ok(values)) => self.1.extend(values),
                Some(Err(e)) => self.2 = Some(e),
                None => self.1.extend(vec![0.0; param.lazy_shape().num_elements()]),
            }
        }
    }
    let mut read = Read(gradients, Vec::new(), None);
    module.visit(&mut read);
    read.2.map_or(Ok(read.1), Err)
}
