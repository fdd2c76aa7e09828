//! Placeholder until its driver lands.
