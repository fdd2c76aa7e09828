// Registries and images: found, looked into, copied from one registry to another, by
// somebody who may; a registry that does not answer, and a portal that is killed in the
// middle of a copy.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { go, signIn } from './support/browser.mjs';
import { portal, slowly } from './support/another.mjs';
import { journey } from './support/journey.mjs';
import { barriers, tooWide } from './support/look.mjs';
import { ARTEFACTS, until } from './support/portal.mjs';
import { names, put, registry, retag } from './support/registry.mjs';

const OWN = 'http://127.0.0.1:5000', PROD = 5100;

journey('images and registries', ({ step, window, atEnd }) => {
  let page, chinese, prod, operator, tag, digest;
  const shot = (w, name) => w.screenshot({ path: `${ARTEFACTS}images-${name}.png`, fullPage: true });
  const row = (w, text) => w.getByRole('row').filter({ hasText: text });

  step('what the registries hold is listed, and one that is silent is named', async () => {
    operator = await window('operator');
    ({ page } = operator);
    ({ page: chinese } = await window('reader of Chinese', { lang: 'zh', theme: 'dark', size: [390, 844] }));
    for (const w of [page, chinese]) await signIn(w);
    await go(page, '/images');
    await page.getByText('prod does not answer').waitFor();
    await row(page, 'stacks/tomcat').waitFor();
    assert.equal(await page.getByRole('navigation').first().getByRole('link', { name: 'Images' }).getAttribute('aria-current'), 'page');
    await shot(page, 'list');
  });

  step('it is found by name, by label, and in Chinese', async () => {
    await page.getByRole('searchbox', { name: 'Name, version or label' }).fill('NGINX zip');
    await page.getByRole('searchbox', { name: 'Name, version or label' }).press('Enter');
    await row(page, 'stacks/nginx').waitFor();
    await row(page, 'stacks/tomcat').waitFor({ state: 'detached' });
    assert.match(page.url(), /q=NGINX/);
    await go(chinese, '/images?q=jar');
    await row(chinese, 'stacks/java').getByText('Java 应用').waitFor();
    await shot(chinese, 'found-zh');
    await go(chinese, '/images?q=nothing-is-called-so');
    await chinese.getByText('没有符合条件的镜像').waitFor();
  });

  step('a version tells what it is', async () => {
    await row(page, 'stacks/nginx').getByRole('link', { name: 'stacks/nginx' }).click();
    await page.getByRole('heading', { name: 'stacks/nginx', level: 1 }).waitFor();
    tag = (await page.getByRole('rowheader').first().innerText()).trim();
    digest = await names(OWN, 'stacks/nginx', tag);
    await shot(page, 'repository');
    assert.deepEqual(await barriers(page, 'repository'), []);
    await page.getByRole('link', { name: tag }).click();
    await page.getByRole('heading', { name: `stacks/nginx:${tag}` }).waitFor();
    const text = await page.locator('main').innerText();
    assert.ok(text.includes(digest), 'its digest');
    for (const said of ['linux/amd64', '8080/tcp', 'io.padis.stack.name=nginx']) assert.ok(text.includes(said), said);
    await shot(page, 'version');
    assert.deepEqual(await barriers(page, 'version'), []);
  });

  step('it is copied to production, and is there to the last byte', async () => {
    // Nobody answers there yet: said in plain words, and nothing is lost of the form.
    operator.expect(/503/);
    await page.locator('#to_registry').selectOption('prod');
    await page.locator('#to_tag').fill('approved');
    await page.locator('#copy-go').click();
    await page.getByText('No answer from the image registry.').waitFor();
    assert.equal(await page.locator('#to_tag').inputValue(), 'approved', 'what was typed is still there');
    await shot(page, 'refused');
    prod = await registry(PROD);
    atEnd(() => prod.stop());
    await page.locator('#copy-go').click();
    await page.waitForURL(/\/images\/copies/);
    await page.getByText('It is on its way').first().waitFor();
    await row(page, 'stacks/nginx:approved').getByText('Done').waitFor();
    assert.equal(await names(prod.base, 'stacks/nginx', 'approved'), digest);
    await shot(page, 'copies');
    // The catalogue knows it at once, and that both are the same.
    await go(page, '/images/prod/stacks/nginx:approved');
    await row(page, 'padis').getByRole('link', { name: 'stacks/nginx' }).waitFor();
    await go(page, `/images/padis/stacks/nginx`);
    await row(page, tag).getByText('Production').or(row(page, tag).getByText('prod')).first().waitFor();
  });

  step('what is there is not sent again, and a wrong word is said to be wrong', async () => {
    await go(page, `/images/padis/stacks/nginx:${tag}`);
    await page.locator('#to_registry').selectOption('prod');
    await page.locator('#to_tag').fill('again');
    await page.locator('#copy-go').click();
    await page.waitForURL(/\/images\/copies/);
    await row(page, 'stacks/nginx:again').getByText('of them there already').waitFor();
    operator.expect(/422/);
    await go(page, `/images/padis/stacks/nginx:${tag}`);
    await page.locator('#to_repository').fill('Not A Name');
    await page.locator('#copy-go').click();
    await page.locator('#to_repository[aria-invalid=true]').waitFor();
    assert.equal(await page.locator('#to_repository').inputValue(), 'Not A Name');
    assert.notEqual(await page.locator('#to_repository-line').innerText(), '');
  });

  step('what is pushed into our own registry is listed at once', async () => {
    await go(page, '/images?q=pushed');
    await page.getByText('No image matches').waitFor();
    await put(OWN, 'tools/pushed', '1', { labels: { 'org.opencontainers.image.title': 'Pushed <just> now' } });
    await row(page, 'Pushed <just> now').waitFor({ timeout: 5000 });
  });

  step('a link that is followed while the list is read anew leads on', async () => {
    await go(page, '/images?q=tomcat');
    await row(page, 'stacks/tomcat').waitFor();
    let release, held;
    const gate = new Promise((done) => (release = done)), asked = new Promise((done) => (held = done));
    await page.route(/\/api\/written\?/, async (route) => (held(), await gate, await route.continue()), { times: 1 });
    await put(OWN, 'tools/noise', '1');
    await asked;
    // What is read anew is not shown to somebody who stands on a link; what he follows is.
    await row(page, 'stacks/tomcat').getByRole('link', { name: 'stacks/tomcat' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/images\/padis\/stacks\/tomcat/);
    release();
    await page.getByRole('heading', { name: 'stacks/tomcat', level: 1 }).waitFor();
  });

  step('what nothing needs is shown, then taken away', async () => {
    const all = [];
    for (const n of [1, 2, 3]) all.push(await put(OWN, 'tools/old', String(n)));
    await go(page, '/images/padis/tools/old');
    await row(page, '3').first().waitFor();
    await page.locator('#newest').fill('1');
    await page.locator('#days').fill('0');
    // What changes elsewhere meanwhile takes nothing away that was typed.
    const seen = page.waitForResponse((r) => r.url().includes('/api/') && r.request().method() === 'GET', { timeout: 3000 }).catch(() => null);
    await put(OWN, 'tools/other', '1');
    await seen;
    assert.deepEqual([await page.locator('#newest').inputValue(), await page.locator('#days').inputValue()], ['1', '0']);
    await page.locator('#tidy-show').click();
    await page.getByText('2 would go').waitFor();
    await shot(page, 'tidy');
    assert.deepEqual(await barriers(page, 'tidy'), []);
    await go(chinese, '/images/padis/tools/old?newest=1&days=0');
    await chinese.getByText('会删除 2 个').waitFor();
    await shot(chinese, 'tidy-zh');
    await page.locator('#tidy-go').click();
    await page.getByText('2 deleted').waitFor();
    await shot(page, 'tidied');
    const left = await Promise.all([1, 2, 3].map((n) => names(OWN, 'tools/old', String(n))));
    assert.equal(left.filter(Boolean).length, 1);
    assert.ok(all.includes(left.find(Boolean)));
    // What may be chosen stays, whatever the numbers say.
    await go(page, '/images/padis/stacks/nginx?newest=0&days=0');
    await page.getByText('it is standard middleware').first().waitFor();
    await page.getByText('Nothing would go').waitFor();
  });

  step('a rule is kept day by day, from now on', async () => {
    for (const n of [1, 2, 3]) await put(OWN, 'tools/daily', String(n));
    await go(page, '/images/padis/tools/daily');
    for (const n of ['1', '2', '3']) await page.getByRole('rowheader', { name: n, exact: true }).waitFor();
    assert.equal(await page.locator('#rule-keep').count(), 0, 'not before it was seen what would go');
    await page.locator('#newest').fill('1');
    await page.locator('#days').fill('0');
    await page.locator('#tidy-show').click();
    await page.getByText('2 would go').waitFor();
    await page.locator('#rule-keep').click();
    await page.getByText('From now on it is kept tidy every day').waitFor();
    await page.getByText('2 deleted').waitFor();
    await page.getByText('by the rule').waitFor();
    await page.getByText(/Every day: the newest 1 stay.*Administrator · .* · last looked at/).waitFor();
    assert.equal(await page.locator('#rule-keep').count(), 0, 'it is kept already');
    await shot(page, 'rule');
    assert.deepEqual(await barriers(page, 'rule'), []);
    const left = await Promise.all([1, 2, 3].map((n) => names(OWN, 'tools/daily', String(n))));
    assert.equal(left.filter(Boolean).length, 1);
    await go(chinese, '/images/padis/tools/daily');
    await chinese.getByText('每天清理：保留最新 1 个').waitFor();
    assert.equal(await chinese.locator('#newest').inputValue(), '1', 'the form begins with the rule');
    await shot(chinese, 'rule-zh');
    assert.deepEqual(await barriers(chinese, 'rule, dark'), []);
    assert.equal(await tooWide(chinese), 0);
    await chinese.locator('#rule-end').click();
    await chinese.getByText('不再按规则清理').first().waitFor();
    await page.locator('#rule-end').waitFor({ state: 'detached' });
    await go(page, '/activity?q=tools/daily');
    for (const said of ['Image kept tidy by a rule', 'Image no longer kept tidy by a rule', 'Image deleted']) await page.getByText(said).first().waitFor();
  });

  step('a version is deleted by hand, with what has the same digest, and what is needed is not', async () => {
    const digest = await put(OWN, 'tools/byhand', '1');
    assert.equal(await retag(OWN, 'tools/byhand', '1', '1-too'), digest);
    await put(OWN, 'tools/byhand', '2');
    // Where it leads depends on what is left: whoever has not seen the other one yet is led to the list.
    await go(page, '/images/padis/tools/byhand');
    for (const each of ['1', '1-too', '2']) await page.getByRole('rowheader', { name: each, exact: true }).waitFor();
    await go(page, '/images/padis/tools/byhand:1');
    await page.getByText('go with it: 1-too').waitFor();
    await shot(page, 'delete');
    assert.deepEqual(await barriers(page, 'delete'), []);
    // The wrong word is said to be wrong, and nothing goes.
    operator.expect(/422/);
    await page.locator('#confirm').fill('2');
    await page.locator('#delete-go').click();
    await page.locator('#confirm[aria-invalid=true]').waitFor();
    assert.equal(await names(OWN, 'tools/byhand', '1'), digest);
    await page.locator('#confirm').fill('1');
    await page.locator('#delete-go').click();
    await page.waitForURL(/\/images\/padis\/tools\/byhand(\?|$)/);
    await page.getByText('It is being deleted').first().waitFor();
    await page.getByRole('rowheader', { name: '1-too', exact: true }).waitFor({ state: 'detached' });
    await until('both names are gone', async () => !(await names(OWN, 'tools/byhand', '1')) && !(await names(OWN, 'tools/byhand', '1-too')));
    assert.ok(await names(OWN, 'tools/byhand', '2'), 'another version stays');
    await go(page, `/images/padis/stacks/nginx:${tag}`);
    await page.getByText('Retire it on the page Middleware first.').waitFor();
    assert.equal(await page.locator('#delete-go').getAttribute('aria-disabled'), 'true');
    await shot(page, 'delete-refused');
    assert.deepEqual(await barriers(page, 'delete-refused'), []);
  });

  step('space is freed, and what is young is kept and said', async () => {
    await go(page, '/images/storage');
    await page.getByText('Padis does not reach the files of this registry').first().waitFor();
    assert.equal(await page.locator('#collect-prod').getAttribute('aria-disabled'), 'true');
    await page.locator('#collect-padis').click();
    // All of this is younger than two hours: nothing goes, and the page says why.
    await page.getByText('kept: young, their image may be on its way').first().waitFor({ timeout: 30_000 });
    await page.getByText('Done', { exact: true }).first().waitFor();
    await shot(page, 'storage');
    assert.deepEqual(await barriers(page, 'storage'), []);
    await go(chinese, '/images/storage');
    await chinese.getByText('太新，其镜像可能正在上传').first().waitFor();
    await shot(chinese, 'storage-zh');
    assert.deepEqual(await barriers(chinese, 'storage-zh'), []);
    await go(page, '/activity');
    await page.getByText('Registry space freed').first().waitFor();
  });

  step('a registry that goes away leaves what is known of it', async () => {
    await prod.stop();
    await go(page, '/images/prod/stacks/nginx');
    await page.getByText('did not answer in time').waitFor();
    await row(page, 'approved').waitFor();
    await prod.start();
    await page.reload();
    await page.getByText('did not answer in time').waitFor({ state: 'detached' });
  });

  step('a portal that is killed in the middle of a copy goes on with it', async () => {
    // Before the target stands something slow, so that there is a middle.
    const slow = await slowly(PROD);
    atEnd(() => slow.close());
    const want = await put(OWN, 'large/noise', '1', { layers: 4, bytes: 16 << 20 });
    const toml = `[registry]\nchild = false\nurl = "${OWN}"\ncollect_young_s = 0\n\n[[registries]]\nname = "slow"\nurl = "${slow.url}"\nwritable = true\nstorage = "${prod.data}"\n`;
    const other = await portal('copies', toml);
    atEnd(() => other.stop());
    await other.start();
    const w = await window('second portal', { at: other.url });
    await signIn(w.page);
    await go(w.page, '/images/padis/large/noise:1');
    await w.page.locator('#copy-go').click();
    await w.page.waitForURL(/\/images\/copies/);
    await until('a third is there', async () => slow.passed() > 24 << 20);
    assert.equal(await names(prod.base, 'large/noise', '1'), null, 'nothing is visible before all of it is there');
    w.expect(/net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)|Failed to load resource/);
    await other.stop('SIGKILL');
    await other.start();
    await until('it is whole', async () => (await names(prod.base, 'large/noise', '1')) === want);
    // What was there was not sent again: at most what was on its way came twice.
    assert.ok(slow.passed() < 2 * (64 << 20), `${slow.passed()} bytes`);
    await go(w.page, '/images/copies');
    await row(w.page, 'large/noise:1').getByText('Done').waitFor();
    await shot(w.page, 'after-kill');

    // It is deleted there, and its bytes are freed; the portal is killed while they are aside.
    await go(w.page, '/images/slow/large/noise:1');
    await w.page.locator('#confirm').fill('1');
    await w.page.locator('#delete-go').click();
    await until('it is deleted', async () => !(await names(prod.base, 'large/noise', '1')));
    await go(w.page, '/images/storage');
    await w.page.locator('#collect-slow').click();
    await w.page.getByText('Puts it aside').waitFor({ timeout: 20_000 });
    await shot(w.page, 'storage-aside');
    await other.stop('SIGKILL');
    await other.start();
    await go(w.page, '/images/storage');
    await w.page.getByText(/MB freed, 6 layers/).waitFor({ timeout: 60_000 });
    await shot(w.page, 'storage-after-kill');
    assert.equal(await names(prod.base, 'stacks/nginx', 'approved'), digest, 'what is named stays');
    // What the killed portal had sent of a layer that was not whole is an upload, and the registry's to sweep.
    const left = readdirSync(prod.data, { recursive: true, withFileTypes: true })
      .filter((f) => f.name === 'data' && f.isFile() && !f.parentPath.includes('/_uploads/')).map((f) => join(f.parentPath, f.name));
    assert.ok(left.length > 0, 'other images have theirs');
    assert.deepEqual(left.filter((f) => statSync(f).size >= 16 << 20), [], 'no layer of it is left');
  });
});
