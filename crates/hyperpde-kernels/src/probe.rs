//! What a device can do, found out by computing.
//!
//! What a driver says of a type does not tell whether its results are right: float64 through Vulkan has sums and products but no
//! elementary functions, and gives garbage for them. A [`probe`] computes
//!
//! | operation | numbers | error relative to |
//! |---|---|---|
//! | product of two matrices `[64, 64]` | in (-1, 1), full mantissas | `Σ_k |a_ik b_kj|` |
//! | `exp` | 4096 in [-16, 16) | `e^x` |
//! | `log` | 4096 in (0, 32] | `max(1, |log x|)` |
//! | `tanh` | 4096 in [-16, 16) | 1 |
//! | `sqrt` | 4096 in (0, 32] | `√x` |
//!
//! on the device and in float64 on the host. A type is right if no error exceeds 1e-13 (float64) or 1e-5 (float32). The pair stage on a GPU
//! uses no tensors: its own operations (sums, products, reciprocal, root and exponential) are held to 1e-13 in the same way, in float64 and in
//! two float32 per number.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Mutex, PoisonError};

use burn::backend::{Backend, Dispatch};
use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::{KernelError, Precision, on_host, tensor_to_vec};

/// Largest error of a type that is right.
const TOLERANCE_F64: f64 = 1e-13;
const TOLERANCE_F32: f64 = 1e-5;
/// Side of the matrices, which have as many entries as functions have arguments.
const SIDE: usize = 64;
const COUNT: usize = SIDE * SIDE;

/// What a device is, and in which types it computes rightly.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// What the device calls itself.
    pub name: String,
    /// Bytes of its memory; none if the driver doesn't tell.
    pub memory: Option<u64>,
    /// Whether a program on the CPU plays the GPU, such as Mesa's lavapipe.
    pub software: bool,
    /// Tensors in float32.
    pub f32: Check,
    /// Tensors in float64.
    pub f64: Check,
    /// Pairs in two float32 per number.
    pub two_f32: Check,
    /// Pairs in float64, with an exponential function of our own.
    pub pairs_f64: Check,
}

impl Probe {
    /// What a precision rests on: float32 on tensors, the others on the arithmetic of pairs alone (see [`Precision`]); on the host all on
    /// float64.
    pub fn precision(&self, precision: Precision) -> &Check {
        match precision {
            Precision::F32 => &self.f32,
            Precision::Mixed => &self.two_f32,
            Precision::F64 => &self.pairs_f64,
        }
    }
}

/// How a type did.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// All operations are right, to this relative error.
    Right {
        /// The largest one.
        error: f64,
    },
    /// An operation is wrong.
    Wrong {
        /// The first such one.
        operation: String,
        /// Its largest relative error, NaN if it gave none.
        error: f64,
    },
    /// The device doesn't have the type, or failed to compute in it.
    Missing {
        /// The reason.
        why: String,
    },
}

impl Check {
    /// Whether the type can be used.
    pub fn is_right(&self) -> bool {
        matches!(self, Self::Right { .. })
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right { error } => write!(f, "right to {error:.0e}"),
            Self::Wrong { operation, error } => write!(f, "{operation} is wrong by {error:.0e}"),
            Self::Missing { why } => f.write_str(why),
        }
    }
}

/// Finds out what a device can do (see the module documentation), once per process and device.
///
/// The float type of the device stays to be configured: nothing here counts as its first tensor.
///
/// # Errors
/// A text if the device can't be opened. A type in which it fails to compute is no error but [`Check::Missing`].
pub fn probe(device: &Device) -> Result<Probe, String> {
    static KNOWN: Mutex<Vec<(Device, Probe)>> = Mutex::new(Vec::new());
    let device = device.clone().without_autodiff();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, probe)) = known.iter().find(|(d, _)| *d == device) {
        return Ok(probe.clone());
    }
    let (name, memory) = guarded(|| identity(&device))?;
    let found = Probe {
        name,
        memory,
        software: is_software(&device),
        f32: check(&device, DType::F32),
        f64: check(&device, DType::F64),
        two_f32: check_pairs(&device, false),
        pairs_f64: check_pairs(&device, true),
    };
    known.push((device, found.clone()));
    Ok(found)
}

/// Whether a program on the CPU plays the GPU.
pub fn is_software(device: &Device) -> bool {
    #[cfg(feature = "wgpu")]
    if let Some(cubecl::Device::Wgpu(device)) = crate::gpu_device(device) {
        return device.kind == cubecl::wgpu::WgpuDeviceKind::Cpu;
    }
    let _ = device;
    false
}

/// Name and memory.
fn identity(device: &Device) -> (String, Option<u64>) {
    #[cfg(feature = "gpu")]
    if let Some(gpu) = crate::gpu_device(device) {
        let client = gpu.client();
        let properties = client.properties();
        return (properties.identity.name.clone(), properties.memory.max_memory());
    }
    let _ = device;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let name = line("/proc/cpuinfo", "model name").unwrap_or_else(|| "processor".into());
    let kibibytes = line("/proc/meminfo", "MemTotal").and_then(|v| v.split(' ').next()?.parse::<u64>().ok());
    (format!("{name}, {threads} threads"), kibibytes.map(|k| k << 10))
}

/// The first value of that name in a file of lines `name : value`; none on systems without such a file.
fn line(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))?;
    Some(value.trim().to_owned())
}

/// The operations of the pair stage, in float64 or in two float32 per number.
fn check_pairs(device: &Device, float64: bool) -> Check {
    #[cfg(feature = "gpu")]
    if let Some(gpu) = crate::gpu_device(device) {
        use crate::fused::device::{Arithmetic, DevicePairs};
        let arithmetic = if float64 { Arithmetic::F64 } else { Arithmetic::TwoF32 };
        let outcome = guarded(|| DevicePairs::new(gpu.client(), arithmetic)?.worst_operation());
        return match outcome {
            Ok(Ok((_, error))) if error <= TOLERANCE_F64 => Check::Right { error },
            Ok(Ok((operation, error))) => Check::Wrong { operation, error },
            Ok(Err(KernelError::Tensor(why))) | Err(why) => Check::Missing { why: first_line(&why) },
            Ok(Err(other)) => Check::Missing { why: first_line(&other.to_string()) },
        };
    }
    let _ = (device, float64);
    Check::Right { error: f64::EPSILON }
}

/// Every operation in one type.
fn check(device: &Device, dtype: DType) -> Check {
    let (tolerance, type_name) =
        if dtype == DType::F64 { (TOLERANCE_F64, "float64") } else { (TOLERANCE_F32, "float32") };
    let outcome = guarded(|| {
        // The host has both types, whatever its default.
        if !on_host(device) && !device.supports_dtype(dtype) {
            return Ok(Check::Missing { why: format!("the device has no {type_name}") });
        }
        let mut worst = 0.0;
        for operation in OPERATIONS {
            let error = operation.error(device, dtype)?;
            // Not-a-number is wrong too.
            if error.is_nan() || error > tolerance {
                return Ok(Check::Wrong { operation: operation.name.into(), error });
            }
            worst = f64::max(worst, error);
        }
        Ok(Check::Right { error: worst })
    });
    match outcome {
        Ok(Ok(check)) => check,
        Ok(Err(KernelError::Tensor(why))) | Err(why) => {
            Check::Missing { why: format!("{type_name} fails: {}", first_line(&why)) }
        }
        Ok(Err(other)) => Check::Missing { why: format!("{type_name} fails: {}", first_line(&other.to_string())) },
    }
}

/// An operation on `[64, 64]`, what it should give for the same numbers, and the scale of its error.
struct Operation {
    name: &'static str,
    /// Argument `i` of 4096.
    argument: fn(f64) -> f64,
    compute: fn(Tensor<2>) -> Tensor<2>,
    /// Result and scale for all arguments.
    expected: fn(&[f64]) -> Vec<(f64, f64)>,
}

/// Arguments in [-16, 16) and in (0, 32].
fn both_signs(i: f64) -> f64 {
    (i - 2048.0) / 128.0 + 0.001
}

fn positive(i: f64) -> f64 {
    (i + 0.9) / 128.0
}

const OPERATIONS: [Operation; 5] = [
    Operation {
        name: "the matrix product",
        // Numbers without order, with all bits of their mantissas: a product that drops some would show.
        argument: |i| (i * i * 0.618_033_988_749_895 + i * 0.414_213_562_373_095).fract() * 2.0 - 1.0,
        compute: |a| a.clone().matmul(a.transpose()),
        expected: |a| {
            let entry = |i: usize, j: usize| {
                let products = (0..SIDE).map(|k| a[i * SIDE + k] * a[j * SIDE + k]);
                products.fold((0.0, 0.0), |(sum, size), p| (sum + p, size + p.abs()))
            };
            (0..COUNT).map(|at| entry(at / SIDE, at % SIDE)).collect()
        },
    },
    Operation {
        name: "exp",
        argument: both_signs,
        compute: Tensor::exp,
        expected: |x| x.iter().map(|x| (x.exp(), x.exp())).collect(),
    },
    Operation {
        name: "log",
        argument: positive,
        compute: Tensor::log,
        expected: |x| x.iter().map(|x| (x.ln(), x.ln().abs().max(1.0))).collect(),
    },
    Operation {
        name: "tanh",
        argument: both_signs,
        compute: Tensor::tanh,
        expected: |x| x.iter().map(|x| (x.tanh(), 1.0)).collect(),
    },
    Operation {
        name: "sqrt",
        argument: positive,
        compute: Tensor::sqrt,
        expected: |x| x.iter().map(|x| (x.sqrt(), x.sqrt())).collect(),
    },
];

impl Operation {
    /// The largest relative error on the device.
    fn error(&self, device: &Device, dtype: DType) -> Result<f64, KernelError> {
        let arguments = (0..COUNT).map(|i| (self.argument)(i as f64));
        // The device must start from the same numbers as the host.
        let arguments: Vec<f64> =
            if dtype == DType::F64 { arguments.collect() } else { arguments.map(|x| f64::from(x as f32)).collect() };
        let data = TensorData::new(arguments.clone(), [SIDE, SIDE]).convert_dtype(dtype);
        // Made by the backend itself: any other way fixes the device's default type.
        let tensor = Tensor::from_dispatch(upload::<Dispatch>(data, device.as_dispatch()));
        let found = tensor_to_vec((self.compute)(tensor))?;
        let expected = (self.expected)(&arguments);
        let errors = found.iter().zip(&expected).map(|(x, (value, scale))| (x - value).abs() / scale);
        Ok(errors.fold(0.0, |worst: f64, e| if e > worst || e.is_nan() { e } else { worst }))
    }
}

fn upload<B: Backend>(data: TensorData, device: &B::Device) -> burn::backend::tensor::FloatTensor<B> {
    B::float_from_data(data, device)
}

/// The result of `work`, or the text of its panic, which is printed nowhere: a driver that is missing or refuses ends in one.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // One at a time: the hook belongs to the process.
    static HOOK: Mutex<()> = Mutex::new(());
    let held = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(work));
    set_hook(hook);
    drop(held);
    outcome.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("the driver failed");
        first_line(text)
    })
}

/// Compilers of shaders answer with pages.
fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it gives no reason");
    line.chars().take(200).collect()
}
