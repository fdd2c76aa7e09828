// The portal as the journeys find it: where it is, who they are, real packages.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

export const PORTAL = process.env.PADIS_TEST_PORTAL ?? 'http://127.0.0.1:3000';
export const ADMIN = { account: 'admin', password: process.env.PADIS_ADMIN_PASSWORD };
export const ARTEFACTS = new URL('../../artefacts/', import.meta.url).pathname;
/// The path of a real package; that of one made by a journey stays as it is.
export const fixture = (name) => resolve(process.env.PADIS_TEST_FIXTURES, name);

/// Waits until `probe` gives something true, and gives it; says what it waited for.
export async function until(what, probe, { ms = 60_000, every = 100 } = {}) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`gave up waiting ${ms} ms for: ${what}`, { cause: last });
    await new Promise((done) => setTimeout(done, every));
  }
}

/// Runs a command of the Docker Engine that the portal uses.
export function docker(...args) {
  return execFileSync('docker', ['-H', process.env.PADIS_TEST_DOCKER, ...args], { encoding: 'utf8' }).trim();
}

/// The ids of the containers of an application, those that run.
export function containersOf(app, team = 'default') {
  const all = docker('ps', '--no-trunc', '--format', '{{.ID}} {{.Label "io.padis.engine.app"}}').split('\n');
  return all.filter((line) => line.includes(` /${team}/${app}/`)).map((line) => line.split(' ')[0]);
}
