// What somebody can fill in wrongly: each is said clearly beside its field, with
// scripts while it is typed and without them when the form comes back, and
// nothing that was typed is lost.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { go, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { containersOf, docker, fixture, until } from './support/portal.mjs';
import { bringOnline, makePool, remove } from './support/steps.mjs';

const REGISTRY = 'http://127.0.0.1:5000/v2';
/// What is right in the form unless a case says otherwise.
const FINE = { name: 'mistakes', pool: 'sf-dev', size: 'S', cpu: '', mem: '', instances: '1' };
/// Typed by hand and never wrong: has to survive everything.
const TYPED = { title: 'A form with mistakes', health_path: '/health?deep=1', health_expect: 'good “text” & more' };
const CASES = [
  ['a name that is taken', { name: 'first' }, 'name', /The name “first” is taken\. Choose another one\./],
  ['a name with capital letters', { name: 'Mistakes' }, 'name', /“M” is not allowed here/],
  ['a name that starts with a digit', { name: '4mistakes' }, 'name', /starts with a letter/],
  ['a name that ends with a hyphen', { name: 'mistakes-' }, 'name', /does not end with a hyphen/],
  ['a name that is too long', { name: 'm'.repeat(64) }, 'name', /at most \d+ characters/],
  ['more instances than the quota', { instances: '101' }, 'pool', /Over the quota of team default in sf-dev\./],
  ['more instances than ever', { instances: '201' }, 'instances', /from 1 to 200/],
  ['no instance at all', { instances: '0' }, 'instances', /from 1 to 200/],
  ['a size over the quota', { size: 'exact', cpu: '63', mem: '1 GiB' }, 'pool', /Over the quota of team default in sf-dev\. CPU: 63/],
  ['a size that cannot be read', { size: 'exact', cpu: 'half', mem: '1 GiB' }, 'cpu', /does not have the right form/],
  ['a size without end', { size: 'exact', cpu: '1000', mem: '1 GiB' }, 'cpu', /must be from/],
  ['a size that no host has', { pool: 'narrow', size: 'exact', cpu: '40', mem: '1 GiB' }, 'pool',
    /No host of narrow is large enough for one instance; the best has .+ free/],
  ['more instances than addresses', { pool: 'narrow', instances: '2' }, 'pool', /narrow has too few free addresses: 1 left/],
];

journey('mistakes in the form', ({ step, window }) => {
  let page, plain, sha;
  const chosen = (p, name) => p.locator(`input[name=${name}]:checked`).inputValue();
  const fill = async (p, values) => {
    // The radio itself is invisible: its card is what is pressed.
    const pick = async (name, value) => p.locator(`label.pick:has(input[name=${name}][value="${value}"])`).click();
    await pick('pool', values.pool);
    await pick('size', values.size);
    for (const f of ['name', 'instances', ...(values.size === 'exact' ? ['cpu', 'mem'] : [])]) await p.locator(`#${f}`).fill(values[f]);
  };
  const typedStill = async (p, values) => {
    for (const [f, value] of Object.entries({ ...TYPED, name: values.name, instances: values.instances })) {
      assert.equal(await p.locator(`#${f}`).inputValue(), value, f);
    }
    for (const f of ['pool', 'size']) assert.equal(await chosen(p, f), values[f], f);
    if (values.size === 'exact') for (const f of ['cpu', 'mem']) assert.equal(await p.locator(`#${f}`).inputValue(), values[f], f);
    assert.equal(await p.locator('#package').inputValue(), sha);
  };

  step('there is an application, a pool with one free address, and a filled-in form', async () => {
    ({ page } = await window('person'));
    ({ page: plain } = await window('without scripts', { script: false }));
    await signIn(page);
    await signIn(plain);
    await bringOnline(page, { file: 'site.zip', name: 'first', title: 'First', expect: 'Swagger' });
    await makePool(page, { name: 'narrow', subnet: '10.210.98.0/29', gateway: '10.210.98.1', domain: 'narrow.padis.localhost', quarantine: 5 });
    await go(page, '/addresses/narrow');
    await page.locator('#from').fill('10.210.98.3');
    await page.locator('#to').fill('10.210.98.6');
    await page.locator('#reason').fill('kept for the printers');
    await page.locator('#reserve-go').click();
    await page.locator('.said', { hasText: 'reserved now' }).waitFor();
    await go(page, '/applications/new');
    await page.locator('#file').setInputFiles(fixture('site.zip'));
    await page.getByText('checked by the server').waitFor();
    sha = await page.locator('#package').inputValue();
    for (const [f, value] of Object.entries(TYPED)) await page.locator(`#${f}`).fill(value);
  });

  for (const [what, wrong, field, says] of CASES) {
    step(`${what}, while it is typed`, async () => {
      const values = { ...FINE, ...wrong };
      await fill(page, values);
      await page.locator(`#${field}-line`).filter({ hasText: says }).waitFor();
      // The button says that something is left to do, and does nothing.
      await page.locator('#go[aria-disabled=true]').waitFor();
      await typedStill(page, values);
      await fill(page, FINE);
      await page.locator('#go:not([aria-disabled=true])').waitFor();
    }, { alone: true });
  }

  for (const [what, wrong, field, says] of CASES) {
    step(`${what}, without scripts`, async () => {
      const values = { ...FINE, ...wrong };
      await plain.goto(`/applications/new?package=${sha}`);
      for (const [f, value] of Object.entries(TYPED)) await plain.locator(`#${f}`).fill(value);
      await fill(plain, values);
      await plain.locator('#go').click();
      await plain.waitForURL(/failed=create_app/);
      assert.match(await plain.locator(`#${field}-line`).innerText(), says);
      await typedStill(plain, values);
    }, { alone: true });
  }

  step('no package, no middleware, no pool: each is named', async () => {
    await go(page, '/applications/new');
    await page.locator('#go-why', { hasText: 'Waiting for the package.' }).waitFor();
    await plain.goto('/applications/new');
    await plain.locator('#name').fill('mistakes');
    await plain.locator('#go').click();
    await plain.waitForURL(/failed=create_app/);
    for (const [line, says] of [['package', /There is no package yet/], ['stack', /No middleware is chosen/], ['pool', /No pool is chosen/]]) {
      assert.match(await plain.locator(`#${line}-line`).innerText(), says);
    }
    assert.equal(await plain.locator('#name').inputValue(), 'mistakes');
  });

  step('a package that the middleware does not take', async () => {
    for (const p of [page, plain]) {
      await p.goto(`/applications/new?package=${sha}`);
      if (p === page) await p.locator('html[data-live=on]').waitFor({ state: 'attached' });
      await p.locator('label.pick:has(input[name=stack][value^="tomcat"])').click();
      await fill(p, FINE);
      if (p === plain) await p.locator('#go').click();
      await p.locator('#package-line', { hasText: /tomcat:\S+ does not take a \.zip package/ }).waitFor();
      assert.match(await chosen(p, 'stack'), /^tomcat/);
      assert.equal(await p.locator('#name').inputValue(), FINE.name);
    }
  });

  step('the image of the middleware vanishes while the form is filled in', async () => {
    await go(page, `/applications/new?package=${sha}`);
    await fill(page, FINE);
    const stack = await chosen(page, 'stack');
    const late = (await window('late, without scripts', { script: false })).page;
    await signIn(late);
    await late.goto(`/applications/new?package=${sha}`);
    await fill(late, FINE);
    const tags = await (await fetch(`${REGISTRY}/stacks/nginx/tags/list`)).json();
    const head = await fetch(`${REGISTRY}/stacks/nginx/manifests/${tags.tags[0]}`, {
      method: 'HEAD', headers: { Accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' },
    });
    const gone = await fetch(`${REGISTRY}/stacks/nginx/manifests/${head.headers.get('docker-content-digest')}`, { method: 'DELETE' });
    assert.equal(gone.status, 202);
    await until('nobody is offered it any more', async () => {
      await plain.goto('/applications/new');
      return (await plain.locator(`input[name=stack][value="${stack}"]`).count()) === 0;
    }, { every: 500 });
    // Those whose form still offers it: one goes on typing, the other sends it.
    await page.locator('#title').fill('Typed on');
    await late.locator('#go').click();
    for (const p of [page, late]) {
      await p.locator('#stack-line', { hasText: `The image of ${stack} is no longer in the registry. Choose another version` }).waitFor();
      assert.equal(await p.locator('#name').inputValue(), FINE.name);
    }
    assert.equal(await chosen(page, 'stack'), stack);
    execFileSync(new URL('../../server/stacks/push', import.meta.url).pathname, ['127.0.0.1:5000']);
    await until('it is offered again', async () => {
      await plain.goto('/applications/new');
      return (await plain.locator(`input[name=stack][value="${stack}"]`).count()) === 1;
    }, { every: 500 });
  });

  step('no address for a replacement: the page says what it waits for, then it goes on by itself', async () => {
    await bringOnline(page, { file: 'site.zip', name: 'only', title: 'Only', pool: 'narrow', expect: 'Swagger' });
    const [id] = containersOf('only');
    docker('kill', id);
    await page.getByText('No address is free in narrow.').first().waitFor();
    await page.locator('h1 ~ .st', { hasText: 'Online, 1 of 1 well' }).waitFor({ timeout: 60_000 });
    assert.equal(containersOf('only').length, 1);
  });

  step('nothing is left', async () => {
    await remove(page, 'only');
    await remove(page, 'first');
    assert.equal(await page.locator('a[href="/applications/default/mistakes"]').count(), 0);
  });
});
