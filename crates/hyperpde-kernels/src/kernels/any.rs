//! What all kernels and their configurations have in common once they are one of many.

use burn::tensor::Device;

use super::{AnyKernel, KernelConfig};
use crate::error::KernelError;
use crate::network::NetworkConfig;

/// Seeds for networks: each draws its weights from one of its own.
pub(crate) struct Seeds(u64);

impl Seeds {
    pub fn next(&mut self) -> u64 {
        let own = self.0;
        self.0 = own.wrapping_add(1);
        own
    }
}

/// What the configuration of a kind of kernels knows.
pub(crate) trait Recipe {
    /// The kernel.
    fn build(&self, seeds: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError>;

    /// The kernels that it is composed of.
    fn parts(&self) -> Vec<&KernelConfig> {
        Vec::new()
    }

    /// The network inside.
    fn network(&self) -> Option<NetworkConfig> {
        None
    }

    /// The number of coordinates it is made for, where it states one.
    fn dim(&self) -> Option<usize> {
        None
    }
}

impl KernelConfig {
    /// The kernel on a device. Networks draw their weights from `seed`, the second one from `seed + 1`, and so on.
    ///
    /// # Errors
    /// [`KernelError::Setting`] and [`KernelError::Shape`] as the configuration of each kernel; a sum or product of nothing.
    pub fn init(&self, seed: u64, device: &Device) -> Result<AnyKernel, KernelError> {
        self.build(&mut Seeds(seed), device)
    }

    pub(super) fn build(&self, seeds: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        self.recipe().build(seeds, device)
    }

    /// The kernels that it is composed of; none for most.
    pub fn parts(&self) -> Vec<&Self> {
        self.recipe().parts()
    }

    /// The network inside, if there is one.
    pub fn network(&self) -> Option<NetworkConfig> {
        self.recipe().network()
    }

    /// The number of coordinates it is made for, where it states one.
    pub fn dim(&self) -> Option<usize> {
        self.recipe().dim()
    }
}

/// Several kernels joined to one, for sums and products.
pub(super) fn fold(
    parts: &[KernelConfig],
    seeds: &mut Seeds,
    device: &Device,
    join: impl Fn(AnyKernel, AnyKernel) -> AnyKernel,
) -> Result<AnyKernel, KernelError> {
    let mut kernels = parts.iter().map(|c| c.build(seeds, device)).collect::<Result<Vec<_>, _>>()?.into_iter();
    let empty = KernelError::Setting { name: "terms or factors", value: "[]".into(), expected: "at least one kernel" };
    let first = kernels.next().ok_or(empty)?;
    Ok(kernels.fold(first, join))
}
