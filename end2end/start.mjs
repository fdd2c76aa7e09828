// `make run` as somebody meets it: the address and the first account are printed,
// the portal can be used, Ctrl-C ends what was started and nothing else, and the
// next start is quick and finds the applications again.
// Run in the laboratory, with the server built: end2end/lab/run node --test end2end/start.mjs
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { after } from 'node:test';
import { journey } from './journeys/support/journey.mjs';
import { live, signIn } from './journeys/support/browser.mjs';
import { ARTEFACTS, PORTAL, containersOf, docker, until } from './journeys/support/portal.mjs';
import { bringOnline } from './journeys/support/steps.mjs';

const ROOT = new URL('..', import.meta.url).pathname;
const SERVER = process.env.PADIS_TEST_SERVER ?? join(process.env.CARGO_TARGET_DIR ?? `${ROOT}target`, 'debug/padis');
const DATA = `${process.env.PADIS_LAB}/start`;
const HOST = 'kept.dev.padis.localhost';

/// Processes that work on our data folder: what a stop must not leave behind.
function ours() {
  return readdirSync('/proc').filter((p) => /^\d+$/.test(p)).flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return line.includes(`${DATA}/`) && Number(pid) !== process.pid ? [`${pid} ${line}`] : [];
    } catch {
      return []; // ended meanwhile
    }
  });
}

/// The status that the balancer answers for the application's name.
const status = () => new Promise((done, failed) => {
  get('http://127.0.0.1:8000/', { headers: { Host: HOST } }, (a) => (a.resume(), done(a.statusCode))).on('error', failed);
});

/// `make run` in a process group of its own, as a terminal starts it.
function start(n) {
  mkdirSync(ARTEFACTS, { recursive: true });
  const log = createWriteStream(`${ARTEFACTS}make-run-${n}.log`);
  const env = { ...process.env, PADIS_DATA: DATA, PADIS_SERVER: SERVER, PADIS_DOCKER_SOCKET: process.env.PADIS_TEST_DOCKER };
  delete env.PADIS_ADMIN_PASSWORD;
  const child = spawn('make', ['-C', ROOT, 'run'], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const run = { child, said: '', began: Date.now(), code: undefined, silent: false };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (d) => (run.said += d, log.write(d)));
  }
  child.on('exit', (code, signal) => (run.code = signal ?? code));
  // What it has said may come after its end.
  child.on('close', () => (run.silent = true));
  run.alive = () => assert.equal(run.code, undefined, `make run ended:\n${run.said.slice(-2000)}`);
  run.answers = async () => (run.alive(), (await fetch(`${PORTAL}/sign-in`)).ok);
  // Ctrl-C reaches the whole foreground group.
  run.interrupt = () => process.kill(-child.pid, 'SIGINT');
  return run;
}

journey('make run', ({ step, window }) => {
  let run, page, password, container;
  after(() => run?.code === undefined && run?.interrupt());

  step('prints the address and the first account', async () => {
    run = start(1);
    await until('the portal answers', run.answers, { ms: 120_000 });
    password = (await until('the account', () => run.said.match(/First administrator: admin {2}password: (\S+)/)))[1];
    assert.match(run.said, /Padis: http:\/\/127\.0\.0\.1:3000/);
  });

  step('an application goes online', async () => {
    ({ page } = await window('person'));
    await signIn(page, { account: 'admin', password });
    await live(page);
    await until('the middleware is there', async () => (run.alive(), await page.goto('/middleware'), await page.getByText('Nginx').count() > 0));
    await bringOnline(page, { file: 'site.zip', name: 'kept', expect: 'Swagger' });
    [container] = containersOf('kept');
    await page.goto('about:blank');
  });

  step('Ctrl-C ends what it started, and nothing else', async () => {
    assert.ok(ours().length >= 2, `registry and balancer run: ${ours()}`);
    run.interrupt();
    await until('make run has ended', () => run.code !== undefined, { ms: 30_000 });
    await until('nothing of it is left', () => ours().length === 0 || assert.fail(ours().join('\n')), { ms: 10_000 });
    assert.match(run.said, /applications run on/);
    assert.deepEqual(containersOf('kept'), [container], 'the application runs on');
    assert.ok(docker('version', '--format', '{{.Server.Version}}'), 'the Docker Engine answers');
  });

  step('the next start takes less than 15 s and finds the application', async () => {
    run = start(2);
    await until('the portal answers', run.answers, { ms: 60_000 });
    const ms = Date.now() - run.began;
    console.log(`the second start: ${ms} ms to the first page`);
    assert.ok(ms < 15_000, `${ms} ms to the first page`);
    assert.doesNotMatch(run.said, /password: \S+/, 'the password was said once');
    await signIn(page, { account: 'admin', password });
    await until('the application answers', async () => (await status()) === 200);
    await page.goto('/applications/default/kept');
    await page.locator('h1 ~ .st', { hasText: 'Online, 1 of 1 well' }).waitFor();
    assert.deepEqual(containersOf('kept'), [container], 'the same container');
  });

  step('started twice, the second says why it does not', async () => {
    // A page would soon ask again for the portal that ends here, and complain.
    await page.goto('about:blank');
    const second = start(3);
    await until('it has ended', () => second.silent, { ms: 60_000 });
    assert.notEqual(second.code, 0);
    assert.match(second.said, /another padis already works on/);
    assert.ok(await run.answers(), 'the first goes on');
    run.interrupt();
    await until('the first has ended', () => run.code !== undefined, { ms: 30_000 });
  });
});
