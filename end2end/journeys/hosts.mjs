// A host is taken out of service while people use what runs on it, is empty, and is put
// back; the message centre; what a container printed. The portal has two hosts of one
// kind (support/two-hosts.toml), so what runs on one can go to the other.
import assert from 'node:assert/strict';
import { go, number, signIn } from './support/browser.mjs';
import { withFiles } from './support/archives.mjs';
import { journey } from './support/journey.mjs';
import { members, through } from './support/outside.mjs';
import { ARTEFACTS, containersOf, until } from './support/portal.mjs';
import { bringOnline, remove } from './support/steps.mjs';

const APP = 'moving';
const AT = `/applications/default/${APP}`;

journey('hosts and the message centre', ({ step, window }) => {
  let page, chinese, operator;
  const said = (w, text) => w.locator('.said', { hasText: text }).first().waitFor();
  const row = (w, host) => w.locator('section:has(#hosts) tr', { has: w.getByRole('rowheader', { name: host }) });
  /// Which host each well instance is on, as its page says.
  const hosts = async () => {
    const tasks = await (await fetch('http://127.0.0.1:8080/v2/tasks', { headers: { accept: 'application/json' } })).json();
    return tasks.tasks.filter((t) => t.appId.startsWith(`/default/${APP}/`) && t.state === 'TASK_RUNNING').map((t) => t.host);
  };

  step('an application runs on both hosts', async () => {
    operator = await window('operator');
    ({ page } = operator);
    ({ page: chinese } = await window('reader of Chinese', { lang: 'zh', theme: 'dark' }));
    for (const w of [page, chinese]) await signIn(w);
    const file = withFiles('examples.war', 'moving.war', { 'health.jsp': '<%@ page session="false" %>all is well' });
    await bringOnline(page, { file, name: APP, title: 'Moving', size: 'S', instances: 4, path: '/health.jsp', expect: 'all is well' });
    await until('both hosts are used', async () => new Set(await hosts()).size === 2);
  });

  step('a host is taken out with a reason, and is emptied while nobody notices', async () => {
    await go(chinese, '/pools/sf-dev');
    await go(page, '/pools/sf-dev');
    await row(page, 'left').getByRole('link', { name: 'Take out' }).click();
    await page.getByRole('heading', { name: /^Take .*left out of service$/ }).waitFor();
    // Without a reason nothing happens, and the page says what is missing.
    operator.expect(/422/);
    await page.locator('#host-out').click();
    await page.locator('#host-reason[aria-invalid=true]').waitFor();
    await page.screenshot({ path: `${ARTEFACTS}host-form.png` });
    const bad = [];
    let on = true, asked = 0;
    const visitor = (async () => {
      while (on) {
        const answer = await through(`${APP}.dev.padis.localhost`, '/health.jsp').catch((e) => ({ status: String(e) }));
        asked += 1;
        if (answer.status !== 200) bad.push(answer.status);
        await new Promise((next) => setTimeout(next, 5));
      }
    })();
    await page.locator('#host-reason').fill('new memory');
    await page.locator('#host-out').click();
    await said(page, 'Recorded. The cluster is at it.');
    await row(page, 'left').getByText('Out of service, empty').waitFor({ timeout: 60_000 });
    // Whoever has the page open sees it too.
    await row(chinese, 'left').getByText('已停用，已腾空').waitFor();
    assert.match(await row(page, 'left').innerText(), /new memory · Administrator/);
    for (const w of [page, chinese]) await w.screenshot({ path: `${ARTEFACTS}host-out-${w === page ? 'en' : 'zh'}.png` });
    await until('everything runs on the other host', async () => {
      const now = await hosts();
      return now.length === 4 && now.every((h) => h.endsWith('right'));
    });
    await until('four members take requests', async () => (await members(APP)).filter((m) => m.up).length === 4);
    on = false;
    await visitor;
    assert.ok(asked > 100, `${asked} requests`);
    assert.deepEqual(bad, [], `of ${asked} requests`);
    assert.equal(containersOf(APP).length, 4);
  });

  step('the cluster shows who holds what, and which framework is ours', async () => {
    await go(page, '/cluster');
    const host = (w, name) => w.locator('.tbl tbody tr', { has: w.getByRole('rowheader', { name }) });
    assert.match(await host(page, 'left').innerText(), /Out of service, empty/);
    assert.match(await host(page, 'right').innerText(), /rack:r[^]*Takes work[^]*\t4\t/);
    assert.match(await page.locator('.head .facts').innerText(), /leader 127\.0\.0\.1:5050[^]*Mesos 1\.11\.0/);
    await page.locator('.filt select').selectOption('empty');
    await page.locator('.filt button').click();
    await page.waitForURL(/state=empty/);
    await host(page, 'right').waitFor({ state: 'detached' });
    // One that is found alone is shown with all that it has.
    await page.getByRole('rowheader', { name: 'Reserved for nobody' }).waitFor();
    await go(page, '/cluster?q=rack:r');
    await page.getByRole('heading', { name: 'All that it has' }).waitFor();
    await page.screenshot({ path: `${ARTEFACTS}cluster-host.png`, fullPage: true });
    await page.getByRole('link', { name: /^Roles/ }).click();
    const role = page.locator('.tbl tbody tr', { has: page.getByRole('rowheader', { name: '*' }) });
    await role.waitFor();
    // Told, and not set; and what four instances hold.
    assert.match(await role.innerText(), /none set[^]*CPU/);
    await page.getByRole('link', { name: /^Frameworks/ }).click();
    const framework = page.locator('.tbl tbody tr', { hasText: "Padis' own" });
    await framework.waitFor();
    assert.match(await framework.innerText(), /marathon[^]*Connected[^]*\t4\t/);
    // A look of the collector reaches who has the page open: the host comes back below.
    await go(chinese, '/cluster');
    await host(chinese, 'left').getByText('已停用，已腾空').waitFor();
  });

  step('nothing new starts there until it is put back', async () => {
    await go(page, `${AT}/settings`);
    await number(page, '#instances', 5);
    await page.locator('#scale-do').click();
    await until('five instances', async () => (await hosts()).length === 5);
    assert.ok((await hosts()).every((h) => h.endsWith('right')));
    await go(page, '/pools/sf-dev');
    await row(page, 'left').getByRole('button', { name: /Put back/ }).click();
    await said(page, 'Recorded. The cluster is at it.');
    await row(page, 'left').getByText('Takes work').waitFor({ timeout: 30_000 });
    await chinese.locator('.tbl tbody tr', { hasText: 'left' }).getByText('接收任务').waitFor();
    await page.locator('#main').getByRole('link', { name: 'Take out' }).nth(1).waitFor();
  });

  step('the application knows why its instances left, and that none failed', async () => {
    await go(page, `${AT}/events`);
    const text = await page.locator('.tl').innerText();
    assert.match(text, /Its host left is taken out of service; another one takes its place elsewhere/);
    assert.doesNotMatch(text, /unexpectedly/);
  });

  step('the journal and the work queue know of it', async () => {
    await go(page, '/activity?q=left');
    const text = await page.locator('main').innerText();
    assert.match(text, /Host taken out of service/);
    assert.match(text, /Host put back/);
    assert.match(text, /new memory/);
  });

  step('the message centre shows the stream, and looks again when asked', async () => {
    await go(page, '/activity/centre');
    await page.getByText('Connected to http://127.0.0.1:8080').waitFor();
    await page.locator('tr', { hasText: 'status_update_event' }).waitFor();
    await page.locator('#look-all').click();
    await said(page, 'Looking.');
    const slow = page.locator('section:has(#slow) tr', { hasText: APP });
    await slow.getByRole('button', { name: /Look now/ }).click();
    await said(page, 'Looking.');
    await page.getByText(/last look at everything: 1 application, 5 instances/).waitFor();
    await go(chinese, '/activity/centre');
    await chinese.getByText('已连接 http://127.0.0.1:8080').waitFor();
    for (const w of [page, chinese]) {
      await w.screenshot({ path: `${ARTEFACTS}centre-${w === page ? 'en' : 'zh'}.png`, fullPage: true });
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await page.screenshot({ path: `${ARTEFACTS}centre-narrow.png`, fullPage: true });
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  step('what a container printed is read from its host, also when it is gone', async () => {
    await go(page, `${AT}/logs`);
    const tasks = await page.locator('#task option').evaluateAll((all) => all.map((o) => [o.value, o.textContent]));
    const gone = tasks.find(([, words]) => /gone|ended/i.test(words));
    assert.ok(gone, JSON.stringify(tasks));
    for (const [task] of [tasks[0], gone]) {
      await go(page, `${AT}/logs?task=${task}&file=stdout`);
      await page.locator('.log pre', { hasText: /Catalina|Server startup|INFO/ }).first().waitFor();
    }
  });

  step('it is removed', async () => {
    await remove(page, APP);
  });
});
