// A second portal beside the one that all journeys share: with settings of its
// own, or to be killed. It has its own ports and data folder, and ends with the
// journey that started it.
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, openSync, closeSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { ADMIN, ARTEFACTS, until } from './portal.mjs';

/// Ports that are free now: held together, so that they differ, released together.
export async function freePorts(n) {
  const held = await Promise.all(Array.from({ length: n }, () => new Promise((done, no) => {
    const server = createServer().once('error', no).listen(0, '127.0.0.1', () => done(server));
  })));
  const ports = held.map((s) => s.address().port);
  await Promise.all(held.map((s) => new Promise((done) => s.close(done))));
  return ports;
}

/// Something slow before a port of loopback (20 MB/s): its address, and how many bytes were sent through it.
export async function slowly(port) {
  const [at] = await freePorts(1);
  let passed = 0;
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.on('data', (piece) => {
      passed += piece.length;
      near.pause();
      far.write(piece);
      setTimeout(() => near.resume(), piece.length / 20_000);
    });
    far.pipe(near);
    for (const [a, b] of [[near, far], [far, near]]) a.on('close', () => b.destroy()).on('error', () => b.destroy());
    near.on('end', () => far.end());
  });
  await new Promise((done) => proxy.listen(at, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${at}`, passed: () => passed, close: () => proxy.close() };
}

/// Ends a child in order, and waits until it has ended.
export async function end(child, signal = 'SIGTERM') {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill(signal);
  await gone;
}

/// All processes below `pid` with their names.
export function below(pid) {
  const found = [];
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    for (const child of readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean)) {
      found.push({ pid: Number(child), name: readFileSync(`/proc/${child}/comm`, 'utf8').trim() }, ...below(child));
    }
  }
  return found;
}

/// Prepares a portal called `name` with the settings `toml`; `start` starts it.
export async function portal(name, toml = '') {
  const [web, marathon, mesos, registry, dns, balancer] = await freePorts(6);
  const data = join(process.env.PADIS_LAB, name);
  mkdirSync(data, { recursive: true });
  const config = join(data, 'padis.toml');
  const at = (port) => `127.0.0.1:${port}`;
  writeFileSync(config, toml);
  const log = `${ARTEFACTS}portal-${name}.log`;
  writeFileSync(log, '');
  const env = {
    ...process.env, PADIS_CONFIG: config, PADIS_DATA: data, PADIS_ADMIN_PASSWORD: ADMIN.password, PADIS_LISTEN: at(web),
    PADIS_ENGINE_MARATHON_LISTEN: at(marathon), PADIS_ENGINE_MESOS_LISTEN: at(mesos), PADIS_REGISTRY_LISTEN: at(registry),
    PADIS_DNS_LISTEN: at(dns), PADIS_BALANCER_LISTEN: at(balancer),
  };
  const answers = async (url) => (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
  const it = {
    url: `http://${at(web)}`, registry: at(registry), balancer, child: undefined,
    async start() {
      const out = openSync(log, 'a');
      it.child = spawn(process.env.PADIS_TEST_SERVER, ['serve'], { env, stdio: ['ignore', out, out] });
      closeSync(out);
      await until(`the portal ${name} answers`, () => answers(`${it.url}/health`));
    },
    /// Puts the standard middleware into its registry.
    async stock() {
      await until(`the registry of ${name} answers`, () => answers(`http://${it.registry}/v2/`));
      const push = new URL('../../../server/stacks/push', import.meta.url).pathname;
      appendFileSync(log, execFileSync(push, [it.registry], { encoding: 'utf8' }));
    },
    stop: (signal) => end(it.child, signal),
  };
  return it;
}
