//! Tells the linker how large the browser half's stack is.
//!
//! The stack lies below all data. With 768 KiB instead of Rust's 1024 every address
//! of a text or table is less than 2^20, which takes three bytes in the code where it
//! would take four. One could get it wrong by saving more: views nest deeply.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|f| f == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=786432");
    }
}
