// Middleware gets old: an operator names what takes its place, who runs on it is told on
// his application's page and moves there with one press, and can go back; what is retired
// is chosen by nobody.
import assert from 'node:assert/strict';
import { go, signIn } from './support/browser.mjs';
import { withFiles } from './support/archives.mjs';
import { journey } from './support/journey.mjs';
import { ARTEFACTS, fixture, until } from './support/portal.mjs';
import { names, relabel } from './support/registry.mjs';
import { bringOnline, remove } from './support/steps.mjs';

const OWN = 'http://127.0.0.1:5000', APP = 'ageing', AT = `/applications/default/${APP}`;

journey('middleware gets old', ({ step, window }) => {
  let page, operator, chinese, old, next;
  const card = (w, key) => w.locator('article.stack', { hasText: key });
  const decide = async (key, state, { successor = '', note = '' } = {}) => {
    await go(page, `/middleware/${encodeURIComponent(key)}`);
    await page.locator(`#state-${state}`).check();
    await page.locator('#successor').selectOption(successor);
    await page.locator('#note').fill(note);
    await page.locator('#mark-go').click();
    await page.getByText('Saved').waitFor();
  };

  step('an application runs on it, and a newer one is there', async () => {
    operator = await window('operator');
    ({ page } = operator);
    ({ page: chinese } = await window('reader of Chinese', { lang: 'zh', theme: 'dark', size: [390, 844] }));
    for (const w of [page, chinese]) await signIn(w);
    const file = withFiles('site.zip', 'ageing.zip', { 'health.html': 'all is well' });
    await bringOnline(page, { file, name: APP, title: 'Ageing', size: 'S', instances: 1, path: '/health.html', expect: 'all is well' });
    await go(page, '/middleware');
    old = (await card(page, 'nginx:').first().locator('p.tech').innerText()).trim();
    next = 'nginx:1.99';
    await relabel(OWN, 'stacks/nginx', old.split(':')[1], '1.99', {
      'io.padis.stack.version': '1.99', 'io.padis.stack.title.en': 'Web site · Nginx 1.99', 'io.padis.stack.title.zh': '静态网站 · Nginx 1.99',
    });
    await card(page, next).waitFor();
  });

  step('a decision that tells nobody where to go is refused beside its field', async () => {
    operator.expect(/422/);
    await go(page, `/middleware/${encodeURIComponent(old)}`);
    await page.locator('#state-deprecated').check();
    await page.locator('#mark-go').click();
    await page.locator('#note[aria-invalid=true]').waitFor();
    assert.ok(await page.locator('#state-deprecated').isChecked(), 'what was chosen is still there');
  });

  step('it is deprecated, and nothing new begins with it', async () => {
    await decide(old, 'deprecated', { successor: next, note: 'no more fixes' });
    await page.screenshot({ path: `${ARTEFACTS}standards-decide.png`, fullPage: true });
    await go(page, '/middleware');
    await card(page, old).getByText('Deprecated').waitFor();
    assert.equal(await card(page, old).getByRole('link', { name: 'New application with it' }).count(), 0);
    await page.screenshot({ path: `${ARTEFACTS}standards-list.png`, fullPage: true });
    await go(page, '/applications/new');
    await page.locator('#file').setInputFiles(fixture('site.zip'));
    await page.getByText('checked by the server').waitFor();
    await until('the newer one is suggested', async () => (await page.locator('input[name=stack]:checked').inputValue()) === next);
    assert.equal(await page.locator(`input[name=stack][value="${old}"]`).count(), 0);
  });

  step('who runs on it is told, moves on with one press, and can go back', async () => {
    await go(chinese, AT);
    await chinese.getByText(`${old} 已不推荐使用`).waitFor();
    await chinese.screenshot({ path: `${ARTEFACTS}standards-told-zh.png` });
    await go(page, AT);
    await page.getByText(`${old} is deprecated`).waitFor();
    await page.screenshot({ path: `${ARTEFACTS}standards-told.png` });
    await page.getByRole('button', { name: `Move to ${next}` }).click();
    await page.locator('h1 ~ .st', { hasText: 'Online, 1 of 1 well' }).waitFor({ timeout: 60_000 });
    await until('it runs on the newer one', async () => {
      const apps = await (await fetch('http://127.0.0.1:8080/v2/apps')).json();
      const mine = apps.apps.filter((a) => a.id.startsWith(`/default/${APP}/`));
      const digest = await names(OWN, 'stacks/nginx', '1.99');
      return mine.length === 1 && mine[0].container.docker.image.endsWith(digest);
    });
    await page.getByText(`${old} is deprecated`).waitFor({ state: 'detached' });
    await chinese.getByText(`${old} 已不推荐使用`).waitFor({ state: 'detached' });
  });

  step('what is retired is not even gone back to', async () => {
    await decide(old, 'retired', { successor: next });
    const answer = await page.request.post('/api/roll_back', {
      form: { team: 'default', app: APP, to: '1', seen: await revision(), once: await once() }, headers: { origin: new URL(page.url()).origin },
    });
    assert.equal(answer.status(), 422, await answer.text());
    assert.match(await answer.text(), /stack_not_offered/);
    await decide(old, 'standard');
    await go(chinese, '/middleware');
    await remove(page, APP);
  });
  const once = async () => (await page.request.get('/api/once')).json();
  const revision = async () => String((await (await page.request.get(`/api/app?app%5Bteam%5D=default&app%5Bapp%5D=${APP}`)).json()).revision);
});
