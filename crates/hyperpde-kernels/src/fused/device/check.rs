//! Whether a device's arithmetic is what the pair stage takes it for: found by computing.
//!
//! Two float32 per number rest on every operation being rounded as written. A driver that rewrites them would turn 46 bits into 24
//! without a word, so the operations are compared with the host before they are trusted.

use cubecl::prelude::*;

use super::kernels::{THREADS, put};
use super::traced::{Pen, Traced, Value, Var};
use super::{Arithmetic, DevicePairs};
use crate::error::KernelError;
use crate::fused::number::Number;

/// An elementary operation of the pair arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Add,
    Sub,
    Mul,
    Recip,
    Sqrt,
    Exp,
}

impl Operation {
    const ALL: [Self; 6] = [Self::Add, Self::Sub, Self::Mul, Self::Recip, Self::Sqrt, Self::Exp];

    fn apply<N: Number>(self, a: N, b: N) -> N {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Recip => a.recip(),
            Self::Sqrt => a.sqrt(),
            Self::Exp => (-a).exp(),
        }
    }

    fn on_host(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Recip => 1.0 / a,
            Self::Sqrt => a.sqrt(),
            Self::Exp => (-a).exp(),
        }
    }
}

#[cube]
fn at<F: Float>(data: &[F], k: usize) -> F {
    data[k]
}

#[cube]
#[allow(unused_variables)]
fn apply_one<F: Float>(
    a: &[F],
    b: &[F],
    out: &mut [F],
    k: usize,
    low: usize,
    zero: u32,
    #[comptime] operation: Operation,
    #[comptime] arithmetic: Arithmetic,
) {
    intrinsic!(|scope| {
        let pen = Pen { scope, arithmetic, zero };
        let two = arithmetic == Arithmetic::TwoF32;
        let read = |data: &NativeExpand<[F]>| {
            let part = |k| -> Var { at::expand::<F>(scope, data, k).expand.into() };
            Traced::new(pen, if two { Value::Two(part(k), part(low)) } else { Value::One(part(k)) })
        };
        let (hi, lo) = operation.apply(read(a), read(b)).two();
        put::expand::<F>(scope, out, k, hi.expand.into(), false);
        if two {
            put::expand::<F>(scope, out, low, lo.expand.into(), false);
        }
    })
}

#[cube(launch_unchecked)]
fn apply_all<F: Float>(
    a: &[F],
    b: &[F],
    out: &mut [F],
    n: usize,
    zero: u32,
    #[comptime] operation: Operation,
    #[comptime] arithmetic: Arithmetic,
) {
    let k = ABSOLUTE_POS_X as usize;
    if k < n {
        apply_one::<F>(a, b, out, k, k + n, zero, operation, arithmetic);
    }
}

impl DevicePairs {
    /// Worst error of the elementary operations against the host's float64, relative to the size of the operands, with the operation's name.
    ///
    /// # Errors
    /// [`KernelError::Tensor`] if the device fails.
    pub fn worst_operation(&self) -> Result<(String, f64), KernelError> {
        const N: usize = 4096;
        // Quadratic irrationals fill all digits; a from 10^-3 to 10.
        let a: Vec<f64> = (0..N).map(|k| 1e-3 * 1e4_f64.powf((k as f64 * 0.618_033_988_749_895).fract())).collect();
        let b: Vec<f64> = (0..N).map(|k| 0.01 + (k as f64 * 0.414_213_562_373_095).fract()).collect();
        let (da, db) = (self.matrix_from(&a, N, 1), self.matrix_from(&b, N, 1));
        let mut worst = (String::new(), 0.0);
        for operation in Operation::ALL {
            let out = self.matrix(N, 1);
            let count = CubeCount::Static((N as u32).div_ceil(THREADS), 1, 1);
            macro_rules! launch {
                ($f:ty) => {
                    // SAFETY: all buffers hold N numbers, and the kernel checks its index.
                    #[allow(unsafe_code)]
                    unsafe {
                        apply_all::launch_unchecked::<$f>(
                            &self.client,
                            count,
                            CubeDim::new_1d(THREADS),
                            self.argument(&da.data, N),
                            self.argument(&db.data, N),
                            self.argument(&out.data, N),
                            N,
                            0,
                            operation,
                            self.arithmetic,
                        )
                    }
                };
            }
            if self.arithmetic == Arithmetic::F64 {
                launch!(f64)
            } else {
                launch!(f32)
            }
            for ((&a, &b), &got) in a.iter().zip(&b).zip(&self.read(&out)?) {
                let expected = operation.on_host(a, b);
                let scale = match operation {
                    Operation::Add | Operation::Sub => a + b,
                    _ => expected,
                };
                let error = (got - expected).abs() / scale;
                if error.is_nan() || error > worst.1 {
                    worst = (format!("{operation:?}").to_lowercase(), error);
                }
            }
            log::debug!("{:?} {operation:?}: worst so far {worst:?}", self.arithmetic);
        }
        Ok(worst)
    }
}
