//! The flags that say where to compute and in which precision.

use hyperpde_config::Target;
use hyperpde_kernels::{Backend, Precision};

/// The flags that choose a [`Target`].
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct TargetFlags {
    /// Backend that computes: ndarray, flex, wgpu, vulkan, metal, cuda or rocm, as far as compiled in [default: the configuration's, else
    /// the first compiled in]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<Backend>,
    /// Number of the backend's device, as `hyperpde list` shows it [default: the configuration's, else 0]
    #[arg(long, value_name = "N", value_parser = parse_device, allow_negative_numbers = true)]
    pub device: Option<usize>,
    /// Floating-point precision: f64; mixed: learns with pairs in two float32 each on the device, all else in float64 on the host; f32
    /// [default: the configuration's, else f64 where the device computes rightly in it, else mixed]
    #[arg(long, value_name = "NAME")]
    pub precision: Option<Precision>,
}

fn parse_device(text: &str) -> Result<usize, String> {
    text.parse::<u16>().map(usize::from).map_err(|_| format!("must be a whole number from 0 to {}", u16::MAX))
}

impl TargetFlags {
    /// The target of a configuration, or none, with what the flags say in its place. Device and precision belong to a backend: another
    /// backend leaves them.
    #[must_use]
    pub fn over(&self, own: Target) -> Target {
        let own = match self.backend {
            Some(backend) if backend != own.backend => Target { backend, ..Target::default() },
            _ => own,
        };
        Target {
            backend: own.backend,
            device: self.device.unwrap_or(own.device),
            precision: self.precision.or(own.precision),
        }
    }

    /// The flags as words of a command line.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let named = [
            ("--backend", self.backend.map(|b| b.to_string())),
            ("--device", self.device.map(|n| n.to_string())),
            ("--precision", self.precision.map(|p| p.to_string())),
        ];
        named.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?])).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(backend: Option<Backend>, device: Option<usize>, precision: Option<Precision>) -> TargetFlags {
        TargetFlags { backend, device, precision }
    }

    #[test]
    fn flags_go_over_the_configuration_and_another_backend_leaves_its_device() {
        let own = Target { backend: Backend::Wgpu, device: 1, precision: Some(Precision::Mixed) };
        assert_eq!(flags(None, None, None).over(own), own);
        assert_eq!(flags(Some(Backend::Wgpu), Some(2), None).over(own), Target { device: 2, ..own });
        assert_eq!(
            flags(None, None, Some(Precision::F32)).over(own),
            Target { precision: Some(Precision::F32), ..own }
        );
        let moved = Target { backend: Backend::Flex, device: 0, precision: None };
        assert_eq!(flags(Some(Backend::Flex), None, None).over(own), moved);
    }

    #[test]
    fn words_say_what_the_flags_say() {
        assert!(flags(None, None, None).words().is_empty());
        let all = flags(Some(Backend::Cuda), Some(3), Some(Precision::F64));
        assert_eq!(all.words(), ["--backend", "cuda", "--device", "3", "--precision", "f64"]);
    }
}
