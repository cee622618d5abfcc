//! A kernel on the heap, so that [`super::AnyKernel`] can contain itself.

use std::ops::Deref;

use burn::module::{Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor};
use burn::tensor::Device;

/// A kernel on the heap.
#[derive(Clone, Debug)]
pub struct Boxed<K>(Box<K>);

impl<K> Boxed<K> {
    pub(crate) fn new(kernel: K) -> Self {
        Self(Box::new(kernel))
    }
}

impl<K> Deref for Boxed<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.0
    }
}

impl<K: Module> Module for Boxed<K> {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.0.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        Self::new(self.0.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        Self::new(self.0.to_device(device))
    }

    fn train(self) -> Self {
        Self::new(self.0.train())
    }

    fn valid(&self) -> Self {
        Self::new(self.0.valid())
    }

    fn materialize(self) -> Self {
        Self::new(self.0.materialize())
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.0.visit(visitor);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        Self::new(self.0.map(mapper))
    }
}

impl<K: Module + ModuleDisplay> ModuleDisplayDefault for Boxed<K> {
    fn content(&self, content: Content) -> Option<Content> {
        content.add_single(&*self.0).optional()
    }
}

impl<K: Module + ModuleDisplay> ModuleDisplay for Boxed<K> {}
