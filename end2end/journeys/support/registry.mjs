// A registry beside the portal's own, filled and asked over plain HTTP.
import { createHash, randomFillSync } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { end } from './another.mjs';
import { scratch } from './archives.mjs';
import { until } from './portal.mjs';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const sha256 = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/// Debian's docker-registry at a port of loopback; `stop` ends it, `start` begins it again.
export async function registry(port) {
  const at = scratch(), base = `http://127.0.0.1:${port}`;
  mkdirSync(join(at, 'data'));
  const config = join(at, 'config.yml');
  writeFileSync(config, `version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: ${at}/data}, delete: {enabled: true}}
http: {addr: 127.0.0.1:${port}, secret: a}
`);
  let child;
  const start = async () => {
    child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'inherit'] });
    await until('the registry answers', async () => (await fetch(`${base}/v2/`).catch(() => ({}))).ok);
  };
  await start();
  return { base, data: join(at, 'data'), start, stop: () => end(child) };
}

/// The digest that a tag names, or null.
export async function names(base, repository, tag) {
  const answer = await fetch(`${base}/v2/${repository}/manifests/${tag}`, { method: 'HEAD', headers: { accept: MANIFEST + ', application/vnd.docker.distribution.manifest.v2+json' } });
  return answer.ok ? answer.headers.get('docker-content-digest') : null;
}

/// Puts an image of noise into a registry: so many layers of so many bytes; its digest.
export async function put(base, repository, tag, { layers = 1, bytes = 1000, labels = {} } = {}) {
  const blob = async (body) => {
    const begun = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const place = new URL(begun.headers.get('location'), base);
    place.searchParams.set('digest', sha256(body));
    const done = await fetch(place, { method: 'PUT', body, headers: { 'content-type': 'application/octet-stream' } });
    if (!done.ok) throw new Error(`PUT a blob: ${done.status}`);
    return { digest: sha256(body), size: body.length };
  };
  const all = [];
  for (let n = 0; n < layers; n++) {
    const layer = await blob(randomFillSync(Buffer.alloc(bytes)));
    all.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer });
  }
  const config = await blob(Buffer.from(JSON.stringify({
    created: '2026-11-01T08:00:00Z', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux', config: { Labels: labels },
    rootfs: { type: 'layers', diff_ids: all.map((l) => l.digest) }, history: all.map((_, n) => ({ created_by: `COPY part-${n} /` })),
  })));
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config }, layers: all });
  const done = await fetch(`${base}/v2/${repository}/manifests/${tag}`, { method: 'PUT', body: manifest, headers: { 'content-type': MANIFEST } });
  if (!done.ok) throw new Error(`PUT a manifest: ${done.status}`);
  return sha256(manifest);
}

/// Lets another tag name exactly what one names; its digest.
export async function retag(base, repository, tag, to) {
  const got = await fetch(`${base}/v2/${repository}/manifests/${tag}`, { headers: { accept: MANIFEST } });
  const text = await got.text();
  const done = await fetch(`${base}/v2/${repository}/manifests/${to}`, { method: 'PUT', body: text, headers: { 'content-type': MANIFEST } });
  if (!done.ok) throw new Error(`PUT a manifest: ${done.status}`);
  return sha256(text);
}

/// The same image with other labels under another tag, as whoever rebuilds it would push it; its digest.
export async function relabel(base, repository, tag, to, labels) {
  const types = { accept: `${MANIFEST}, application/vnd.docker.distribution.manifest.v2+json` };
  const got = await fetch(`${base}/v2/${repository}/manifests/${tag}`, { headers: types });
  const manifest = await got.json();
  const config = await (await fetch(`${base}/v2/${repository}/blobs/${manifest.config.digest}`)).json();
  Object.assign(config.config.Labels, labels);
  const body = Buffer.from(JSON.stringify(config));
  const begun = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(begun.headers.get('location'), base);
  place.searchParams.set('digest', sha256(body));
  await fetch(place, { method: 'PUT', body, headers: { 'content-type': 'application/octet-stream' } });
  manifest.config = { ...manifest.config, digest: sha256(body), size: body.length };
  const text = JSON.stringify(manifest);
  const done = await fetch(`${base}/v2/${repository}/manifests/${to}`, { method: 'PUT', body: text, headers: { 'content-type': got.headers.get('content-type') } });
  if (!done.ok) throw new Error(`PUT a manifest: ${done.status}`);
  return sha256(text);
}
