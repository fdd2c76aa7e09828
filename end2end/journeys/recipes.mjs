// A recipe: what an image is made of is typed into a form, what is wrong is said beside its
// field, the build is followed while it runs, and an application uses what came of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { portal } from './support/another.mjs';
import { go, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { barriers, tooWide } from './support/look.mjs';
import { through } from './support/outside.mjs';
import { ARTEFACTS, docker, until } from './support/portal.mjs';
import { names } from './support/registry.mjs';
import { bringOnline, makePerson, remove } from './support/steps.mjs';

const OWN = 'http://127.0.0.1:5000', PASSWORD = 'recipes, and no hurry';
const VERSION = 'by-recipe', APP = 'recipe-site';
const CONF = readFileSync(new URL('../../server/stacks/nginx/nginx.conf', import.meta.url), 'utf8')
  .replace('index index.html', 'add_header X-Recipe yes always; index index.html');
// A package manager that takes its time, as those of large packages do.
const SLOW = '#!/bin/sh\necho it takes long\nexec sleep 600\n';

journey('recipes', ({ step, window, atEnd }) => {
  let page, ruth, engineer, chinese, at, tag;
  const shot = (w, name) => w.screenshot({ path: `${ARTEFACTS}recipes-${name}.png`, fullPage: true });
  const file = (name, text) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
  const said = (w) => w.locator('.output').innerText();
  /// Begins one on a version; its page.
  const begin = async (version) => {
    await go(ruth, `/images/padis/stacks/nginx:${version}`);
    await ruth.locator('#recipe-start').click();
    await ruth.waitForURL(/\/images\/recipes\/[0-9a-f]+/);
    return new URL(ruth.url()).pathname;
  };
  const add = async (target, name, text, executable) => {
    await ruth.locator('#target').fill(target);
    if (executable) await ruth.locator('input[name=executable]').check();
    await ruth.locator('#file').setInputFiles(file(name, text));
    await ruth.locator('#recipe-add').click();
    await ruth.getByRole('rowheader').filter({ hasText: name }).waitFor();
  };
  const build = async () => {
    await ruth.locator('#recipe-build').click();
    await ruth.waitForURL(/\/images\/recipes\/[0-9a-f]+\/\d+$/);
  };

  step('an engineer begins a recipe on standard middleware', async () => {
    ({ page } = await window('operator'));
    await signIn(page);
    await makePerson(page, { account: 'ruth', name: 'Ruth Recipe', password: PASSWORD, platform: 'engineer' });
    engineer = await window('engineer');
    ({ page: ruth } = engineer);
    await signIn(ruth, { account: 'ruth', password: PASSWORD });
    ({ page: chinese } = await window('reader of Chinese', { lang: 'zh', theme: 'dark', size: [390, 844] }));
    await signIn(chinese);
    await go(ruth, '/images/padis/stacks/nginx');
    tag = (await ruth.getByRole('rowheader').last().innerText()).trim();
    at = await begin(tag);
    assert.equal(await ruth.locator('#repository').inputValue(), 'stacks/nginx');
    assert.equal(await ruth.locator('#contract_port').inputValue(), '8080');
    await shot(ruth, 'begun');
  });

  step('what is wrong is said beside its field, and nothing is lost, files included', async () => {
    engineer.expect(/409|422/);
    await ruth.locator('#packages').fill('curl\n--root=/x');
    await ruth.locator('#env').fill('MODE=1\nnonsense');
    await ruth.locator('#start').fill("run 'it");
    await ruth.locator('#tag').fill(tag);
    await ruth.locator('#description').fill('With </textarea><b>more');
    await ruth.locator('#target').fill('/etc/recipe/');
    await ruth.locator('#file').setInputFiles([file('one.conf', 'one'), file('two.conf', 'two')]);
    await ruth.locator('#recipe-build').click();
    await ruth.locator('#packages[aria-invalid=true]').waitFor();
    await ruth.getByText('Line 2:').first().waitFor();
    for (const id of ['env', 'start']) await ruth.locator(`#${id}[aria-invalid=true]`).waitFor();
    assert.equal(await ruth.locator('#packages').inputValue(), 'curl\n--root=/x');
    assert.equal(await ruth.locator('#description').inputValue(), 'With </textarea><b>more');
    for (const name of ['one.conf', 'two.conf']) await ruth.getByRole('rowheader').filter({ hasText: `/etc/recipe/${name}` }).waitFor();
    await shot(ruth, 'wrong');
    assert.deepEqual(await barriers(ruth, 'a form that came back'), []);
    await ruth.setViewportSize({ width: 390, height: 844 });
    assert.equal(await tooWide(ruth), 0);
    await shot(ruth, 'wrong-narrow');
    await ruth.setViewportSize({ width: 1440, height: 900 });
    await go(chinese, at);
    await chinese.getByText('基础镜像').first().waitFor();
    assert.equal(await chinese.locator('#recipe-build').count(), 0, 'who oversees the platform only looks');
    await shot(chinese, 'reading-zh');
    // A file is taken out; what was typed meanwhile stays.
    await ruth.locator('#description').fill('Answers with a header');
    await ruth.getByRole('row').filter({ hasText: 'two.conf' }).getByRole('button', { name: 'Remove' }).click();
    await ruth.getByRole('rowheader').filter({ hasText: 'two.conf' }).waitFor({ state: 'detached' });
    assert.equal(await ruth.locator('#description').inputValue(), 'Answers with a header');
    // A place where no file can go.
    await ruth.locator('#target').fill('etc/../x');
    await ruth.locator('#file').setInputFiles(file('three.conf', 'three'));
    await ruth.locator('#recipe-add').click();
    await ruth.locator('#target[aria-invalid=true]').waitFor();
    assert.equal(await ruth.locator('#target').inputValue(), 'etc/../x');
    // Two files for one place.
    await ruth.locator('#target').fill('/etc/place');
    await ruth.locator('#file').setInputFiles([file('four', '4'), file('five', '5')]);
    await ruth.locator('#recipe-add').click();
    await ruth.waitForURL((url) => url.search.includes('target=%2Fetc%2Fplace'));
    await ruth.locator('#target[aria-invalid=true]').waitFor();
    await ruth.getByRole('row').filter({ hasText: '/etc/place' }).getByRole('button', { name: 'Remove' }).click();
    await ruth.getByRole('rowheader').filter({ hasText: '/etc/place' }).waitFor({ state: 'detached' });
  });

  step('a build that fails says why, and what it said is there', async () => {
    await ruth.locator('#packages').fill('curl');
    await ruth.locator('#env').fill('MODE=1');
    await ruth.locator('#start').fill('');
    await ruth.locator('#tag').fill(VERSION);
    await ruth.locator('#target').fill('');
    await build();
    await ruth.getByText('Not built', { exact: true }).first().waitFor({ timeout: 60_000 });
    assert.match(await said(ruth), /no package manager that Padis knows/);
    await ruth.getByText(/step \d of \d+ ended with code 69/).first().waitFor();
    await shot(ruth, 'failed');
    assert.deepEqual(await barriers(ruth, 'a build that failed'), []);
    assert.equal(await names(OWN, 'stacks/nginx', VERSION), null);
  });

  step('mended, it is built, and the version says where it comes from', async () => {
    await go(ruth, at);
    await ruth.locator('#packages').fill('');
    await ruth.locator('details.contract summary').click();
    await ruth.locator('#contract_title_en').fill('Web site by a recipe');
    await ruth.locator('#contract_title_zh').fill('按配方构建的网站');
    await ruth.locator('#contract_version').fill(VERSION);
    await add('/opt/padis/', 'nginx.conf', CONF);
    await build();
    await ruth.getByText('Built', { exact: true }).first().waitFor({ timeout: 60_000 });
    assert.match(await said(ruth), /COPY .*nginx\.conf/);
    const whole = await ruth.request.get(await ruth.getByRole('link', { name: 'Download all of it' }).getAttribute('href'));
    assert.match(await whole.text(), /^Step 1\//);
    await shot(ruth, 'built');
    assert.ok(await names(OWN, 'stacks/nginx', VERSION));
    await ruth.getByRole('link', { name: `stacks/nginx:${VERSION}` }).first().click();
    await ruth.getByText('built from a recipe by Ruth Recipe').waitFor();
    await shot(ruth, 'version');
    await go(chinese, `${at}/2`);
    await chinese.getByText('已构建').first().waitFor();
    await shot(chinese, 'built-zh');
    assert.deepEqual(await barriers(chinese, 'a build, dark'), []);
    assert.equal(await tooWide(chinese), 0);
  });

  step('an application uses it', async () => {
    await bringOnline(page, { file: 'site.zip', name: APP, stack: `nginx:${VERSION}` });
    assert.equal((await through(`${APP}.dev.padis.localhost`)).headers['x-recipe'], 'yes');
    await remove(page, APP);
  });

  step('a build is followed while it runs, and stopped', async () => {
    await begin(tag);
    await ruth.locator('#tag').fill('slow');
    await ruth.locator('#description').fill('With a package manager');
    await add('/bin/apk', 'apk', SLOW, true);
    await build();
    await ruth.getByText('Built', { exact: true }).first().waitFor({ timeout: 60_000 });
    await begin('slow');
    await ruth.locator('#packages').fill('anything');
    await ruth.locator('#tag').fill('never');
    await ruth.locator('#description').fill('Takes for ever');
    await build();
    // Without being loaded anew.
    await until('what it says is shown', async () => (await ruth.locator('.output').count()) && /it takes long/.test(await said(ruth)), { ms: 60_000 });
    await ruth.getByText(/step \d of \d+/).first().waitFor();
    await shot(ruth, 'running');
    await ruth.locator('#build-stop').click();
    await ruth.getByText('Stopped', { exact: true }).first().waitFor();
    assert.equal(await names(OWN, 'stacks/nginx', 'never'), null);
    await go(ruth, '/images/recipes');
    await ruth.getByRole('row').filter({ hasText: 'never' }).getByText('Stopped').waitFor();
    await shot(ruth, 'list');
    await go(page, '/activity?state=recipe');
    await page.getByText('Recipe build stopped').first().waitFor();
    // The recipe goes, and what was built from it stays.
    await go(ruth, at);
    await ruth.locator('details.danger summary').click();
    await ruth.locator('#recipe-end').click();
    await ruth.waitForURL(/\/images\/recipes\?/);
    assert.ok(await names(OWN, 'stacks/nginx', VERSION));
  });

  step('a portal that is killed in the middle of a build goes on with it', async () => {
    const other = await portal('recipes');
    atEnd(() => other.stop());
    await other.start();
    await other.stock();
    const w = await window('second portal', { at: other.url });
    await signIn(w.page);
    const mine = (path) => go(w.page, path);
    const typed = async (on, version, more) => {
      await mine(`/images/padis/stacks/nginx:${on}`);
      await w.page.locator('#recipe-start').click();
      await w.page.waitForURL(/\/images\/recipes\/[0-9a-f]+/);
      await w.page.locator('#tag').fill(version);
      await w.page.locator('#description').fill('Takes a while');
      await more();
      await w.page.locator('#recipe-build').click();
      await w.page.waitForURL(/\/images\/recipes\/[0-9a-f]+\/\d+$/);
    };
    await until('the middleware is there', async () => (await mine('/images'), await w.page.getByRole('row').filter({ hasText: 'stacks/nginx' }).count()) === 1, { every: 500 });
    await typed(tag, 'slow', async () => {
      await w.page.locator('#target').fill('/bin/apk');
      await w.page.locator('input[name=executable]').check();
      await w.page.locator('#file').setInputFiles(file('apk', SLOW.replace('exec sleep 600', 'sleep 6')));
    });
    await w.page.getByText('Built', { exact: true }).first().waitFor({ timeout: 60_000 });
    await typed('slow', 'whole', () => w.page.locator('#packages').fill('anything'));
    await until('its step runs', async () => (await w.page.locator('.output').count()) && /it takes long/.test(await said(w.page)), { ms: 60_000 });
    w.expect(/net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)|Failed to load resource/);
    await other.stop('SIGKILL');
    const registry = `http://${other.registry}`;
    await other.start();
    await w.page.reload();
    await w.page.getByText('Built', { exact: true }).first().waitFor({ timeout: 90_000 });
    assert.equal((await said(w.page)).match(/it takes long/g).length, 2, 'it began anew, in the same output');
    await shot(w.page, 'after-kill');
    await until('it is there', () => names(registry, 'stacks/nginx', 'whole'));
    // Of no build is anything left on the engine, stopped ones included; what applications or
    // other builds have pulled bears the registry's digest.
    const left = () => docker('images', '-a', '--no-trunc', '--filter', 'label=io.padis.build', '--format', '{{.Digest}} {{.ID}} {{.Repository}}:{{.Tag}}').split('\n').filter((l) => l.startsWith('<none>'));
    await until('nothing is left on the engine', () => left().length === 0 || assert.fail(left().join('\n')), { ms: 10_000 });
    assert.equal(docker('ps', '-aq', '--filter', 'label=io.padis.build', '--filter', 'status=exited'), '');
  });
});
