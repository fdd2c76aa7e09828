//! The browser entry: hydrate, nothing else. Whatever is worth testing lives in
//! `padis-app`, which the server renders too; one could get it wrong by letting
//! state or logic gather here, where only a browser would ever run it.

use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over the page that the server rendered. Called once by the boot script,
/// after the wasm module has been instantiated.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(padis_app::App);
}
