//! Writes the JavaScript glue of the browser half: what the `wasm-bindgen`
//! command does, from the library it is made of, because that compiles in a
//! quarter of the time and needs no downloaded binary.
//!
//! One could get it wrong by letting the glue guess where its `.wasm` lies: the
//! file names are hashed afterwards, so the boot script passes the address.

mod short;
mod unused;

use anyhow::{Context, bail};
use std::{env, fs, path::PathBuf};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let args: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [input, out_dir] = args.as_slice() else { bail!("usage: padis-bindgen INPUT.wasm OUT_DIR") };
    let mut output = Bindgen::new()
        .input_path(input)
        .out_name("padis")
        .web(true)
        .context("choosing the web target")?
        .omit_default_module_path(true)
        .typescript(false)
        .remove_name_section(false)
        .remove_producers_section(true)
        .generate_output()
        .with_context(|| format!("making the glue for {}", input.display()))?;
    unused::take_out(output.wasm_mut())?;
    let names = short::rename(output.wasm_mut());
    output.emit(out_dir).with_context(|| format!("writing to {}", out_dir.display()))?;
    let script = out_dir.join("padis.js");
    let text = fs::read_to_string(&script).with_context(|| format!("reading {}", script.display()))?;
    fs::write(&script, short::follow(&text, &names)?).with_context(|| format!("writing {}", script.display()))
}
