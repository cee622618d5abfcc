//! The macro behind the one list of kernels, in `mod.rs`.
//!
//! From one line per kernel, `file::Kernel { Config } = "name in configurations", "formula";`, come its module and exports, its variants of
//! [`super::AnyKernel`] and [`super::KernelConfig`], conversion, `+` and `*`, and its entry in [`super::KERNELS`]. A kernel over other
//! kernels names them in brackets: `scaled::Scaled[AnyKernel] { ScaledConfig }`.

/// `+` and `*` of a kernel, whose generic parameters, if any, are kernels too.
macro_rules! algebra {
    ($kernel:ident) => { algebra!(@ $kernel, ); };
    ($kernel:ident $a:ident) => { algebra!(@ $kernel<A>, A); };
    ($kernel:ident $a:ident $b:ident) => { algebra!(@ $kernel<A, B>, A, B); };
    (@ $kernel:ty, $($generic:ident),*) => {
        impl<Other: $crate::Kernel, $($generic: $crate::Kernel),*> std::ops::Add<Other> for $kernel {
            type Output = $crate::Sum<Self, Other>;

            fn add(self, other: Other) -> Self::Output {
                $crate::Sum::new(self, other)
            }
        }

        impl<Other: $crate::Kernel, $($generic: $crate::Kernel),*> std::ops::Mul<Other> for $kernel {
            type Output = $crate::Product<Self, Other>;

            fn mul(self, other: Other) -> Self::Output {
                $crate::Product::new(self, other)
            }
        }
    };
}

macro_rules! kernels {
    ($($file:ident::$kernel:ident $([$($of:ident),+])? { $config:ident } = $name:literal, $formula:literal;)+) => {
        $(mod $file; pub use $file::{$kernel, $config};)+

        /// One of the kernels of this crate: for programs that choose at run time.
        #[derive(burn::module::Module, Debug)]
        pub enum AnyKernel {
            $(
                #[doc = concat!("`", $formula, "`, see [`", stringify!($kernel), "`].")]
                $kernel(Boxed<$kernel $(<$($of),+>)?>),
            )+
        }

        /// Evaluates an expression of the kernel inside.
        macro_rules! each {
            ($any:expr, $inner:ident => $value:expr) => {
                match $any { $(AnyKernel::$kernel($inner) => $value,)+ }
            };
        }

        $(
            impl From<$kernel $(<$($of),+>)?> for AnyKernel {
                fn from(kernel: $kernel $(<$($of),+>)?) -> Self {
                    Self::$kernel(Boxed::new(kernel))
                }
            }

            algebra!($kernel $($($of)+)?);
        )+
        algebra!(AnyKernel);

        /// Configuration of any kernel: `{"kind": "gaussian", "length_scales": [0.3]}`, compositions nested.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "kind", deny_unknown_fields)]
        pub enum KernelConfig {
            $(
                #[doc = concat!("See [`", stringify!($config), "`].")]
                #[serde(rename = $name)]
                $kernel($config),
            )+
        }

        impl KernelConfig {
            /// What the configuration of its kind knows.
            pub(crate) fn recipe(&self) -> &dyn Recipe {
                match self { $(Self::$kernel(config) => config,)+ }
            }
        }

        $(
            impl From<$config> for KernelConfig {
                fn from(config: $config) -> Self {
                    Self::$kernel(config)
                }
            }
        )+

        /// All kinds of kernels by the name that configurations give them, with their formulas.
        ///
        /// | name | kernel | formula |
        /// |---|---|---|
        $(#[doc = concat!("| `", $name, "` | [`", stringify!($kernel), "`] | `", $formula, "` |")])+
        pub const KERNELS: &[(&str, &str)] = &[$(($name, $formula)),+];
    };
}
