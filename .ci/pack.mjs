// Packs the browser half: minifies the glue, bundles the style sheet, gives every
// file a name that holds its content's hash, compresses it once and for all, and
// writes manifest.json last, so that a reader never meets a name without a file.
//
// usage: node pack.mjs WORK STYLE.css SITE NPM FRONT
//   WORK: padis.js and padis.wasm in a folder for each language, zh and en; NPM: the folder whose node_modules has esbuild; FRONT: where terminal.mjs is
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** A file that no manifest names any more is kept this long for pages that are open. */
const KEEP_MS = 24 * 3600 * 1000;

const [work, style, site, npm, front] = process.argv.slice(2).map((p) => path.resolve(p));
const esbuild = createRequire(path.join(npm, "package.json"))("esbuild");
const pkg = path.join(site, "pkg");
mkdirSync(pkg, { recursive: true });

const bundle = async (options) => {
  const made = await esbuild.build({ bundle: true, minify: true, write: false, charset: "utf8", logLevel: "warning", target: "es2022", ...options });
  return Buffer.from(made.outputFiles[0].contents);
};
const sizes = {};
const put = (stem, ext, bytes) => {
  const name = `${stem}-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}.${ext}`;
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  for (const [suffix, data] of [["", bytes], [".br", brotli], [".gz", gzipSync(bytes, { level: 9 })]]) {
    writeFileSync(path.join(pkg, name + suffix), data);
  }
  sizes[`${stem}.${ext}`] = { raw: bytes.length, brotli: brotli.length };
  return name;
};

/** What keeps classes of the glue alive that nobody uses: `using` in JavaScript. */
const UNUSED = { "Symbol.dispose": "undefined" };
/** The browser half for the readers of one language: the module, and one script that starts it. */
const half = async (lang) => {
  const from = path.join(work, lang);
  const wasm = put(`padis-${lang}`, "wasm", readFileSync(path.join(from, "padis.wasm")));
  const boot = path.join(from, "boot.js");
  writeFileSync(boot, `import init,{hydrate} from "./padis.js";await init({module_or_path:new URL("./${wasm}",import.meta.url)});hydrate();\n`);
  return { wasm, js: put(`padis-${lang}`, "js", await bundle({ entryPoints: [boot], format: "esm", define: UNUSED })) };
};
const zh = await half("zh"), en = await half("en");
// Style sheets are modern by choice (layers, nesting, light-dark()): nothing is lowered.
const css = put("padis", "css", await bundle({ entryPoints: [style], target: "esnext", loader: { ".svg": "dataurl" } }));

// Only the page of a terminal loads these; they have no part in the weight of the others.
const nodePaths = [path.join(npm, "node_modules")];
const terminal = {
  js: put("terminal", "js", await bundle({ entryPoints: [path.join(front, "terminal.mjs")], format: "esm", nodePaths })),
  css: put("terminal", "css", await bundle({ entryPoints: [path.join(npm, "node_modules/@xterm/xterm/css/xterm.css")] })),
};

const style_bytes = sizes["padis.css"].raw;
if (style_bytes < 1000) throw new Error(`the style sheet is only ${style_bytes} bytes: its imports were not bundled`);

const kb = (n) => (n / 1000).toFixed(1).padStart(8) + " kB";
for (const [name, { raw, brotli }] of Object.entries(sizes)) console.error(`web: ${name.padEnd(14)}${kb(raw)}  brotli${kb(brotli)}`);
/** What the reader of a language loads before the page answers to him. */
const weight = (lang) => [`padis-${lang}.wasm`, `padis-${lang}.js`].reduce((sum, name) => sum + sizes[name].brotli, 0);
const weights = { zh: weight("zh"), en: weight("en") };
console.error(`web: wasm and JavaScript compressed: zh ${kb(weights.zh).trim()}, en ${kb(weights.en).trim()}`);
writeFileSync(path.join(site, "weight"), `${Math.max(weights.zh, weights.en)}\n`);

const next = path.join(site, "manifest.json.new");
writeFileSync(next, JSON.stringify({ css, zh, en, terminal }, null, 2) + "\n");
renameSync(next, path.join(site, "manifest.json"));
const named = new Set([css, ...Object.values(zh), ...Object.values(en), ...Object.values(terminal)]);
for (const file of readdirSync(pkg)) {
  const whole = path.join(pkg, file);
  if (!named.has(file.replace(/\.(br|gz)$/, "")) && Date.now() - statSync(whole).mtimeMs > KEEP_MS) rmSync(whole);
}
