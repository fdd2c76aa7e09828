// The life of an application after its first day: stopped and started, its
// settings and secrets changed, its log and its events read, deleted in the end.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { go, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { addressesOf, members, resolve, through } from './support/outside.mjs';
import { ARTEFACTS, containersOf, docker, fixture, until } from './support/portal.mjs';
import { bringOnline } from './support/steps.mjs';

const APP = 'prices';
const AT = `/applications/default/${APP}`;
const NAME = `${APP}.dev.padis.localhost`;
const HOST = `http://${NAME}:8000/`;
const SECRET = 'tangerine-lighthouse-4711';
const PAGES = ['/', '/applications', AT, `${AT}/instances`, `${AT}/releases`, `${AT}/release`, `${AT}/logs`, `${AT}/events`,
  `${AT}/settings`, '/activity', '/activity/work', `/search?q=${SECRET.slice(0, 9)}`];
/// What programs can read, the journal's export among it.
const DATA = ['/api/journal?q%5Bper_page%5D=200', ...['app', 'releases', 'claims', 'log_sources'].map((what) =>
  `/api/${what}?app%5Bteam%5D=default&app%5Bapp%5D=${APP}`),
  `/api/timeline?app%5Bteam%5D=default&app%5Bapp%5D=${APP}&q%5Bper_page%5D=200`];

journey('the life of an application', ({ step, window }) => {
  let first, page, chinese, visitor, lastAddress;
  const tag = (text) => page.locator('h1 ~ .st', { hasText: text }).waitFor({ timeout: 60_000 });
  const said = (text) => page.locator('.said', { hasText: text }).first().waitFor();
  const visit = (path) => visitor.page.goto(new URL(path, HOST).href);
  const inspect = () => {
    const [id, ...more] = containersOf(APP);
    assert.deepEqual(more, []);
    return JSON.parse(docker('inspect', id))[0];
  };
  const one = () => until('one container', () => containersOf(APP).length === 1);
  /// Saves the form, and waits until release `n` is alone.
  const deliver = async (n) => {
    await page.locator('#save').click();
    await page.waitForURL((url) => url.pathname === AT);
    await page.getByRole('heading', { level: 2, name: `Delivery of r${n}` }).waitFor();
    await page.locator('.stop.arrive[data-s=ok]').waitFor({ timeout: 60_000 });
    await tag('Online, 1 of 1 well');
    await until(`only r${n} runs`, () => {
      const ids = containersOf(APP);
      return ids.length === 1 && docker('inspect', '--format', '{{index .Config.Labels "io.padis.engine.app"}}', ids[0]).endsWith(`/r${n}`);
    });
  };

  step('it is online, with a variable', async () => {
    first = await window('person');
    ({ page } = first);
    visitor = await window('visitor', { script: false });
    visitor.expect(/favicon\.ico|status of 404|answered 404/);
    await signIn(page);
    await bringOnline(page, { file: 'site.zip', name: APP, title: 'Price list', expect: 'Swagger', env: 'GREETING=hello' });
    assert.ok(inspect().Config.Env.includes('GREETING=hello'));
    await visit('/first-visit-of-all');
  });

  step('stopped, it answers nobody and holds no address, but keeps its name', async () => {
    await go(page, `${AT}/settings`);
    await page.locator('button[popovertarget=stop]').first().click();
    await page.locator('#stop').getByRole('button', { name: 'Stop', exact: true }).click();
    await said('Recorded; it is being stopped.');
    await tag('Stopped');
    assert.equal(containersOf(APP).length, 0);
    visitor.expect(/503/);
    assert.equal((await visit('/')).status(), 503);
    await page.getByRole('link', { name: /^Instances/ }).click();
    await page.getByText('No instance runs.').waitFor();
    const held = page.locator('section:has(#clh) tbody tr', { hasText: 'held' });
    assert.equal(await held.filter({ hasText: 'address' }).count(), 0);
  });

  step('started, it answers again', async () => {
    await go(page, `${AT}/settings`);
    await page.locator('#start').click();
    await said('Recorded; it is being started.');
    await tag('Online, 1 of 1 well');
    await one();
    assert.equal((await visit('/')).status(), 200);
  });

  step('size, health rule and variables are changed at once, a secret among them', async () => {
    await go(page, `${AT}/settings`);
    await page.locator('#cpu').fill('0.3');
    await page.locator('#mem').fill('96 MiB');
    await page.locator('#health_path').fill('/swagger-ui.css');
    await page.locator('#health_expect').fill('swagger-ui');
    await page.locator('#env').fill('GREETING=good day\nCURRENCY=EUR\n');
    await page.locator('#secrets').fill(`TOKEN=${SECRET}\n`);
    await deliver(3);
    const c = inspect();
    for (const v of ['GREETING=good day', 'CURRENCY=EUR', `TOKEN=${SECRET}`]) assert.ok(c.Config.Env.includes(v), v);
    assert.equal(c.HostConfig.Memory, 96 * 1024 * 1024);
    assert.equal(c.HostConfig.NanoCpus || c.HostConfig.CpuQuota * 1e9 / c.HostConfig.CpuPeriod, 0.3e9);
    assert.match((await visit('/')).headers()['content-type'], /html/);
  });

  step('the secret is shown nowhere', async () => {
    await go(page, `${AT}/settings`);
    assert.equal((await page.locator('#secrets').inputValue()).trim(), 'TOKEN=');
    const seen = async (path, text) => assert.ok(!text.includes(SECRET) && !text.includes(encodeURIComponent(SECRET)), path);
    for (const path of PAGES) {
      // As the server wrote it, and as it stands when the scripts are done with it.
      const answer = await page.request.get(path);
      assert.equal(answer.status(), 200, path);
      await seen(path, await answer.text());
      await go(page, path);
      await page.locator('main h1').first().waitFor();
      // The search page repeats what was searched for; that is a part of the secret only.
      await seen(path, await page.content());
    }
    for (const path of DATA) {
      const answer = await page.request.get(path);
      assert.equal(answer.status(), 200, path);
      await seen(path, await answer.text());
    }
    await seen('the log of the portal', readFileSync(`${ARTEFACTS}portal.log`, 'utf8'));
    await go(page, `${AT}/releases`);
    const changes = page.locator('tbody tr', { hasText: 'r3' }).first();
    assert.match(await changes.innerText(), /TOKEN/);
    assert.match(await changes.innerText(), /CURRENCY/);
  });

  step('its pages answer also when many ask at once', async () => {
    const wanted = PAGES.flatMap((path) => Array(6).fill(path));
    const answers = await Promise.all(wanted.map(async (path) => [path, await page.request.get(path, { timeout: 60_000 })]));
    assert.deepEqual(answers.filter(([, a]) => a.status() !== 200).map(([path, a]) => `${path}: ${a.status()}`), []);
    for (const [path, a] of answers) assert.match(await a.text(), /<title>.+ · Padis<\/title>/, path);
  });

  step('a secret left without a value keeps its own', async () => {
    await go(page, `${AT}/settings`);
    await page.locator('#env').fill('GREETING=good evening\n');
    await deliver(4);
    const env = inspect().Config.Env;
    assert.ok(env.includes(`TOKEN=${SECRET}`) && env.includes('GREETING=good evening'), env.join('\n'));
    assert.ok(!env.some((v) => v.startsWith('CURRENCY=')), 'a variable taken out is gone');
  });

  step('another package goes online from the page, with scripts', async () => {
    await go(page, `${AT}/release`);
    await page.locator('#file').setInputFiles(fixture('site.tar.gz'));
    await page.getByText('checked by the server').waitFor();
    await page.locator('#go').click();
    await page.waitForURL((url) => url.pathname === AT);
    await page.getByRole('heading', { level: 2, name: 'Delivery of r5' }).waitFor();
    await page.locator('.stop.arrive[data-s=ok]').waitFor({ timeout: 60_000 });
    await tag('Online, 1 of 1 well');
    await one();
    const { Env } = inspect().Config;
    assert.ok(Env.includes(`TOKEN=${SECRET}`), 'a new package keeps the secrets');
  });

  step('the log shows new lines by itself while one looks at it', async () => {
    await go(page, `${AT}/logs?file=access.log`);
    const line = (text) => page.locator('.log pre span', { hasText: text }).first();
    await line('padis-probe').waitFor();
    await page.evaluate(() => { globalThis.padisStillHere = true; });
    assert.equal(await line('seen-a-moment-ago').count(), 0);
    await visit('/seen-a-moment-ago');
    await line('seen-a-moment-ago').waitFor();
    assert.equal(await page.evaluate(() => globalThis.padisStillHere), true, 'without loading the page again');
    // The health page that was chosen is the one that is asked.
    assert.ok(await line('GET /swagger-ui.css').count());
  });

  step('the log of an instance that has gone can still be read and searched', async () => {
    const option = page.locator('#task option', { hasText: 'r1 (gone)' }).first();
    await page.locator('#task').selectOption(await option.getAttribute('value'));
    await page.locator('#find').fill('first-visit-of-all');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.waitForURL(/find=first-visit/);
    await page.locator('.log pre span', { hasText: 'first-visit-of-all' }).first().waitFor();
    assert.equal(await page.locator('.log pre mark').first().innerText(), 'first-visit-of-all');
  });

  step('the events tell what happened and why', async () => {
    await go(page, `${AT}/events`);
    const all = page.locator('.tl li');
    const entry = async (what, cause) => {
      const found = all.filter({ hasText: what }).first();
      await found.waitFor();
      assert.match((await found.innerText()).replaceAll(/\s+/g, ' '), cause);
    };
    await entry('Created the application', /^Administrator: Created/);
    await entry('Slot 0 started r1 on padis-dev', /Address \d+\.\d+\.\d+\.\d+/);
    await entry('r1 is online', /after \d\d:\d\d/);
    await entry('Administrator: Stop', /state: running → stopped/);
    await entry('Slot 0 of r1 left', /Out of the balancer first, its requests finished, then stopped/);
    await entry('Administrator: Start', /state: stopped → running/);
    await entry('hello → good day', /Administrator: Change settings .*variable GREETING: hello → good day/);
    await entry('r3 is online', /after \d\d:\d\d/);
  });

  step('deleting gives back everything it held, and shows it', async () => {
    const second = await window('reader of Chinese', { lang: 'zh' });
    chinese = second.page;
    await signIn(chinese);
    // Those who look at it find at last that it is not there any more.
    const absent = /\/api\/app\?app\[team\]=default&app\[app\]=prices&? answered 404|status of 404 .*\/api\/app\?app\[team\]=default&app\[app\]=prices&?/;
    first.expect(absent);
    second.expect(absent);
    const rows = (w) => w.locator('section:has(#clh) tbody tr');
    const [id] = containersOf(APP);
    const known = (await members(APP)).map((m) => m.address);
    lastAddress = addressesOf(id).find((a) => known.includes(a));
    assert.deepEqual(await resolve(NAME), ['127.0.0.1']);
    for (const w of [page, chinese]) {
      await go(w, `${AT}/instances`);
      await rows(w).filter({ hasText: lastAddress }).first().waitFor();
    }
    const third = await window('deleter');
    third.expect(absent);
    const deleter = third.page;
    await signIn(deleter);
    await go(deleter, `${AT}/settings`);
    await deleter.locator('button[popovertarget=delete]').first().click();
    await deleter.locator('#confirm').fill(APP);
    await deleter.locator('#delete-go').click();
    // The two who only look see it go, without doing anything.
    await rows(page).filter({ hasText: lastAddress }).filter({ hasText: 'given back' }).first().waitFor();
    await rows(page).filter({ hasText: /(^|\s)held(\s|$)/ }).first().waitFor({ state: 'detached' });
    await rows(chinese).filter({ hasText: lastAddress }).filter({ hasText: '已归还' }).first().waitFor();
    await rows(chinese).filter({ hasText: '占用中' }).first().waitFor({ state: 'detached' });
    await until('no container', () => containersOf(APP).length === 0);
    await until('no name', async () => (await resolve(NAME)).length === 0);
    await until('no member in the balancer', async () => !(await members(APP))?.length);
    assert.notEqual((await through(NAME)).status, 200);
    await page.locator('h1', { hasText: APP }).waitFor();
    await page.getByText('It was deleted and has given back all that it held.').waitFor();
    await chinese.getByText('该应用已删除，占用的资源均已归还。').waitFor();
    assert.doesNotMatch(await page.locator('section:has(#clh)').innerText(), /days/);
  });

  step('afterwards its address rests, and what it gave back can still be read', async () => {
    await go(page, `/addresses/sf-dev?at=${lastAddress}`);
    const cell = page.locator(`#c-${lastAddress.split('.').at(-1)}`);
    await cell.waitFor();
    assert.match(await cell.getAttribute('class'), /\bq\b/);
    await page.locator('#card', { hasText: 'quarantined' }).waitFor();
    await page.goto(`${AT}/events`);
    await page.locator('.tl li', { hasText: `Gave back the name ${NAME}` }).waitFor();
    await page.goto('/names');
    assert.equal(await page.getByText(NAME).count(), 0);
    await page.goto(`/activity?q=${APP}`);
    await page.locator('tbody tr', { hasText: 'Application is gone' }).first().waitFor();
  });
});
