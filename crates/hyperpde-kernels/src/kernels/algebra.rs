//! `+` and `*` on kernels.

use std::ops::{Add, Mul};

use super::{AnyKernel, Deep, Gaussian, Gibbs, Matern, Periodic, Polynomial, Product, RationalQuadratic, Scaled, Sum};
use crate::kernel::Kernel;

macro_rules! algebra {
    ($([$($generic:ident),*] $kernel:ty),* $(,)?) => {
        $(
            impl<Other: Kernel, $($generic: Kernel),*> Add<Other> for $kernel {
                type Output = Sum<Self, Other>;

                fn add(self, other: Other) -> Self::Output {
                    Sum::new(self, other)
                }
            }

            impl<Other: Kernel, $($generic: Kernel),*> Mul<Other> for $kernel {
                type Output = Product<Self, Other>;

                fn mul(self, other: Other) -> Self::Output {
                    Product::new(self, other)
                }
            }
        )*
    };
}

algebra! {
    [] Gaussian,
    [] Periodic,
    [] Matern,
    [] RationalQuadratic,
    [] Polynomial,
    [] Gibbs,
    [] AnyKernel,
    [K] Scaled<K>,
    [K] Deep<K>,
    [A, B] Sum<A, B>,
    [A, B] Product<A, B>,
}
