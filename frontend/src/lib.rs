//! Padis.
