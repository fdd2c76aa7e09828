//! Takes out what the browser half never calls but the compiler can't know it:
//! methods that stand in tables of function pointers beside the ones in use.
//!
//! Only the functions that themselves stand in such a table are named (a call of
//! one would trap, and the journeys fail on any error in the browser's console);
//! everything that only they reached goes with them. One could get it wrong by
//! naming what has the same code as something else: the compiler makes one function of
//! the two, under either name. So neither what these functions call is named, nor an
//! attribute's `hydrate_from_template`, which for many is what `build` is; it stood
//! here once, and dialogs that were built later trapped. Or by a name that a new
//! version of a crate no longer has: that stops the build.

use anyhow::ensure;
use walrus::{FunctionBuilder, FunctionKind, Module, passes::gc};

/// What the names of functions end in that hydration never calls.
const NEVER: [(&str, &str); 2] = [
    // Only `hydrate_lazy` awaits views; `hydrate_body` does not.
    ("hydrate_async of every view", "IntoAny>::into_any::hydrate_async"),
    // Only the server lists routes.
    ("generate_routes of every route", "IntoAnyNestedRoute>::into_any_nested_route::generate_routes"),
];

/// Exports that nobody imports: streams for server functions that stream.
const NOBODYS: &str = "intounderlying";

/// Takes them out.
pub fn take_out(module: &mut Module) -> anyhow::Result<()> {
    let exports: Vec<_> = module.exports.iter().filter(|e| e.name.contains(NOBODYS)).map(|e| e.id()).collect();
    ensure!(!exports.is_empty(), "no export's name holds {NOBODYS:?}");
    exports.into_iter().for_each(|e| module.exports.delete(e));
    for (what, name) in NEVER {
        let ids: Vec<_> = module
            .funcs
            .iter()
            .filter(|f| f.name.as_deref().is_some_and(|n| plain(n).ends_with(name)))
            .map(|f| f.id())
            .collect();
        ensure!(!ids.is_empty(), "{what}: no function's name ends in {name:?}");
        for id in ids {
            let FunctionKind::Local(old) = &module.funcs.get(id).kind else { continue };
            let (of, arguments) = (module.types.get(old.ty()), old.args.clone());
            let (params, results) = (of.params().to_vec(), of.results().to_vec());
            let mut body = FunctionBuilder::new(&mut module.types, &params, &results);
            body.func_body().unreachable();
            let new = body.local_func(arguments);
            module.funcs.get_mut(id).kind = FunctionKind::Local(new);
        }
    }
    gc::run(module);
    Ok(())
}

/// A function's name without the hash at its end.
fn plain(name: &str) -> &str {
    let hash = |h: &str| h.len() == 16 && h.bytes().all(|b| b.is_ascii_hexdigit());
    name.rsplit_once("::h").filter(|(_, h)| hash(h)).map_or(name, |(plain, _)| plain)
}
