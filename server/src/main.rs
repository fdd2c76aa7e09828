//! Padis.
fn main() {}
