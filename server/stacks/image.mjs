// Assembles an image from layers, and puts an image into a registry: both without
// a container engine, so that no engine has to reach the registry.
//
//   node image.mjs assemble IMAGE.json VERSION OUT LAYER.tar...
//   node image.mjs push REGISTRY STACKS_FOLDER      (e.g. 127.0.0.1:5000)
//
// An image on disk is a folder: manifest.json, config.json, the layers by digest
// (blobs/), and `name` with repository:tag. Equal inputs give equal digests: the
// configuration holds no date of today, the layers were packed sorted.
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";

const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG = "application/vnd.docker.container.image.v1+json";
const LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const CREATED = "2020-01-01T00:00:00Z";
const UID = 10001;
const sha256 = (bytes) => "sha256:" + createHash("sha256").update(bytes).digest("hex");

function assemble(recipePath, version, out, layers) {
  const filled = readFileSync(recipePath, "utf8")
    .replaceAll("${VERSION}", tagOf(version))
    .replaceAll("${MINOR}", version.split(".").slice(0, 2).join("."))
    .replaceAll("${MAJOR}", version.split(".")[0]);
  const recipe = JSON.parse(filled);
  const blobs = path.join(out, "..", "blobs");
  mkdirSync(out, { recursive: true });
  mkdirSync(blobs, { recursive: true });
  const diffs = [], descriptors = [];
  const store = (bytes) => {
    const digest = sha256(bytes);
    writeFileSync(path.join(blobs, digest.slice(7)), bytes);
    return { digest, size: bytes.length };
  };
  for (const layer of layers) {
    const tar = readFileSync(layer);
    diffs.push(sha256(tar));
    descriptors.push({ mediaType: LAYER, ...store(gzipSync(tar, { level: 6 })) });
  }
  const config = {
    architecture: { x64: "amd64", arm64: "arm64" }[process.arch] ?? process.arch,
    os: "linux",
    created: CREATED,
    config: {
      User: `${UID}:${UID}`,
      ExposedPorts: { [`${recipe.port}/tcp`]: {} },
      Env: Object.entries(recipe.env).map(([k, v]) => `${k}=${v}`),
      Entrypoint: recipe.entrypoint,
      WorkingDir: "/tmp",
      StopSignal: "SIGTERM",
      Labels: recipe.labels,
    },
    rootfs: { type: "layers", diff_ids: diffs },
    history: layers.map((l) => ({ created: CREATED, created_by: `padis ${path.basename(l, ".tar")}` })),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: CONFIG, ...store(Buffer.from(JSON.stringify(config))) },
    layers: descriptors,
  };
  writeFileSync(path.join(out, "manifest.json"), JSON.stringify(manifest));
  writeFileSync(path.join(out, "name"), `${recipe.repository}:${tagOf(version)}\n`);
  const size = descriptors.reduce((n, d) => n + d.size, 0);
  const raw = layers.reduce((n, l) => n + statSync(l).size, 0);
  console.error(`stacks: ${recipe.repository}:${tagOf(version)}  ${(size / 1e6).toFixed(1)} MB packed, ${(raw / 1e6).toFixed(1)} MB unpacked`);
}

/** Debian's version as a tag: `1:1.22.1-9+deb12u11` → `1.22.1-9-deb12u11`. */
const tagOf = (version) => version.replace(/^\d+:/, "").replace(/[^A-Za-z0-9_.-]/g, "-");

const headers = {};
const { PADIS_REGISTRY_USER: user, PADIS_REGISTRY_PASSWORD: password } = process.env;
if (user) headers.authorization = "Basic " + Buffer.from(`${user}:${password ?? ""}`).toString("base64");

async function call(url, init = {}, deadlineMs = 10_000) {
  try {
    return await fetch(url, { ...init, headers: { ...headers, ...init.headers }, signal: AbortSignal.timeout(deadlineMs) });
  } catch (e) {
    throw new Error(`${init.method ?? "GET"} ${url}: ${e.cause?.message ?? e.message}`);
  }
}
async function expect(answer, ...codes) {
  if (codes.includes(answer.status)) return answer;
  throw new Error(`${answer.url} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
}

/** Sends a blob unless it is there; one that another image brought is linked instead. Returns the bytes sent. */
async function pushBlob(base, { digest, size }, file, from) {
  if ((await call(`${base}/blobs/${digest}`, { method: "HEAD" })).ok) return 0;
  const link = from ? `?mount=${digest}&from=${encodeURIComponent(from)}` : "";
  const begun = await expect(await call(`${base}/blobs/uploads/${link}`, { method: "POST" }), 201, 202);
  if (begun.status === 201) return 0;
  const where = new URL(begun.headers.get("location"), base);
  where.searchParams.set("digest", digest);
  await expect(await call(where, {
    method: "PUT", body: createReadStream(file), duplex: "half",
    headers: { "content-type": "application/octet-stream", "content-length": String(size) },
  }, 120_000), 201);
  return size;
}

async function push(registry, stacks) {
  const images = readdirSync(stacks).filter((d) => existsSync(path.join(stacks, d, "manifest.json"))).sort();
  if (images.length === 0) throw new Error(`no images in ${stacks}: run server/stacks/build`);
  const root = (/^https?:/.test(registry) ? registry : `http://${registry}`).replace(/\/$/, "");
  const home = new Map(); // digest → the repository of this registry that has it
  for (const image of images) {
    const [repository, tag] = readFileSync(path.join(stacks, image, "name"), "utf8").trim().split(":");
    const bytes = readFileSync(path.join(stacks, image, "manifest.json"));
    const manifest = JSON.parse(bytes), base = `${root}/v2/${repository}`;
    const there = await call(`${base}/manifests/${tag}`, { method: "HEAD", headers: { accept: MANIFEST } });
    if (there.ok && there.headers.get("docker-content-digest") === sha256(bytes)) {
      console.error(`stacks: ${registry}/${repository}:${tag} is there`);
      continue;
    }
    let sent = 0;
    for (const blob of [manifest.config, ...manifest.layers]) {
      sent += await pushBlob(base, blob, path.join(stacks, "blobs", blob.digest.slice(7)), home.get(blob.digest));
      home.set(blob.digest, repository);
    }
    await expect(await call(`${base}/manifests/${tag}`, { method: "PUT", body: bytes, headers: { "content-type": MANIFEST } }), 201);
    console.error(`stacks: ${registry}/${repository}:${tag} pushed (${(sent / 1e6).toFixed(1)} MB sent)`);
  }
}

/** Blobs that no image names any more. */
function sweep(stacks) {
  const named = new Set();
  for (const d of readdirSync(stacks)) {
    const file = path.join(stacks, d, "manifest.json");
    if (!existsSync(file)) continue;
    const m = JSON.parse(readFileSync(file));
    for (const b of [m.config, ...m.layers]) named.add(b.digest.slice(7));
  }
  for (const b of readdirSync(path.join(stacks, "blobs"))) if (!named.has(b)) rmSync(path.join(stacks, "blobs", b));
}

const [verb, ...args] = process.argv.slice(2);
try {
  if (verb === "assemble" && args.length > 3) assemble(args[0], args[1], args[2], args.slice(3));
  else if (verb === "push" && args.length === 2) await push(...args);
  else if (verb === "sweep" && args.length === 1) sweep(args[0]);
  else { console.error("usage: image.mjs assemble IMAGE.json VERSION OUT LAYER.tar... | push REGISTRY STACKS | sweep STACKS"); process.exit(2); }
} catch (e) {
  console.error(`stacks: ${e.message}`);
  process.exit(1);
}
