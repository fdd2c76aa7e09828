//! Packages: the list with the upload form, and one package.

mod list;
mod one;

pub use list::Packages;
pub use one::Package;
