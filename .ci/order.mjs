// Decides the order of a module's functions, so that it compresses well: each is
// followed by the one most like it, and like those before it, that is still free. The
// order is written as names ("000000" and up, in place of the real ones), by which
// wasm-opt sorts.
//
// Likeness is the share of common four-byte pieces, looked for among functions that
// agree in one of a few minima of hashes over these pieces (minhash), because a
// comparison of each with each would take minutes. Without any alike, the next in the
// order of names and contents follows. Saves about 5 % of what travels.
//
// usage: node order.mjs IN.wasm OUT.wasm
import { readFileSync, writeFileSync } from "node:fs";

/** Bytes of a piece; minima to look under; how many to look at there and to compare; the least likeness that counts. */
const PIECE = 4, HASHES = 128, LOOK = 300, CANDIDATES = 60, LEAST = 0.05;
/** What likeness to the functions before the last one counts, found by trying. */
const BEFORE = [0.5, 0.3];
const [from, to] = process.argv.slice(2);
const wasm = readFileSync(from);

let at = 8;
const number = () => {
  let n = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = wasm[at++];
    n += (byte & 127) * 2 ** shift;
    if (byte < 128) return n;
  }
};
const skip = (n) => (at += n);
const limits = () => { const flags = number(); number(); if (flags & 1) number(); };
const each = (f) => { for (let n = number(), i = 0; i < n; i++) f(i); };

let imported = 0;
const kept = [], bodies = [], names = new Map();
while (at < wasm.length) {
  const begin = at, id = wasm[at++], length = number(), end = at + length;
  let keep = true;
  if (id === 2) {
    each(() => {
      skip(number()); skip(number());
      const kind = wasm[at++];
      if (kind === 0) { number(); imported++; }
      else if (kind === 1) { at++; limits(); }
      else if (kind === 2) limits();
      else if (kind === 3) at += 2;
      else throw new Error(`an import of kind ${kind}`);
    });
  } else if (id === 10) {
    each(() => { const n = number(); bodies.push(wasm.subarray(at, at + n)); skip(n); });
  } else if (id === 0) {
    const n = number(), name = wasm.toString("latin1", at, skip(n));
    if (name === "name") {
      keep = false;
      while (at < end) {
        const kind = wasm[at++], n = number(), next = at + n;
        if (kind === 1) each(() => { const i = number(), n = number(); names.set(i, wasm.toString("utf8", at, skip(n))); });
        at = next;
      }
    }
  }
  if (keep) kept.push(wasm.subarray(begin, end));
  at = end;
}
if (bodies.length === 0 || names.size === 0) throw new Error(`${from}: ${bodies.length} functions, ${names.size} names`);

const mix = (x) => {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
};
const pieces = bodies.map((b) => {
  const set = new Set();
  for (let i = 0; i + PIECE <= b.length || i === 0; i++) {
    let h = 0;
    for (let k = 0; k < PIECE; k++) h = Math.imul(h, 0x01000193) ^ (b[i + k] ?? 0);
    set.add(mix(h));
  }
  return set;
});
const minima = pieces.map((set) => {
  const least = new Uint32Array(HASHES).fill(0xffffffff);
  for (const p of set) for (let k = 0; k < HASHES; k++) least[k] = Math.min(least[k], mix(p ^ Math.imul(k + 1, 0x9e3779b1)));
  return least;
});
const sharing = Array.from({ length: HASHES }, () => new Map());
minima.forEach((m, f) => m.forEach((h, k) => (sharing[k].get(h)?.push(f) ?? sharing[k].set(h, [f]))));

/** The real name without the hash that tells instances of one function apart. */
const family = (f) => (names.get(imported + f) ?? "").split("[")[0].replace(/::h[0-9a-f]{16}$/, "");
const families = bodies.map((_, f) => family(f));
const less = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const usual = bodies.map((_, f) => f).sort((a, b) => less(families[a], families[b]) || Buffer.compare(bodies[a], bodies[b]) || a - b);

const taken = new Uint8Array(bodies.length), order = [];
const likeness = (a, b) => {
  const [few, many] = pieces[a].size < pieces[b].size ? [pieces[a], pieces[b]] : [pieces[b], pieces[a]];
  let common = 0;
  for (const p of few) if (many.has(p)) common++;
  return common / (few.size + many.size - common);
};
let next = 0;
while (order.length < bodies.length) {
  let best = -1;
  if (order.length > 0) {
    const now = order.at(-1), votes = new Map();
    const before = BEFORE.map((weight, i) => [weight, order.at(-2 - i) ?? now]);
    minima[now].forEach((h, k) => {
      const free = sharing[k].get(h).filter((f) => !taken[f]);
      sharing[k].set(h, free);
      for (const f of free.slice(0, LOOK)) votes.set(f, (votes.get(f) ?? 0) + 1);
    });
    let most = LEAST;
    for (const [f] of [...votes].sort((a, b) => b[1] - a[1]).slice(0, CANDIDATES)) {
      const like = before.reduce((sum, [weight, g]) => sum + weight * likeness(g, f), likeness(now, f));
      if (like > most) [most, best] = [like, f];
    }
  }
  if (best < 0) {
    while (taken[usual[next]]) next++;
    best = usual[next];
  }
  taken[best] = 1;
  order.push(best);
}

const leb = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n >>>= 7; } while (n); return out; };
const rank = [];
order.forEach((f, i) => (rank[f] = i));
const named = [...leb(bodies.length)];
rank.forEach((r, f) => named.push(...leb(imported + f), 6, ...Buffer.from(String(r).padStart(6, "0"))));
const section = [4, ...Buffer.from("name"), 1, ...leb(named.length), ...named];
writeFileSync(to, Buffer.concat([wasm.subarray(0, 8), ...kept, Buffer.from([0, ...leb(section.length)]), Buffer.from(section)]));
