// "Copy the environment": an application goes from development to production with the
// same middleware, package and settings; only what differs is asked for, and the values of
// secret variables, which nobody may read.
import assert from 'node:assert/strict';
import { go, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { ARTEFACTS } from './support/portal.mjs';
import { bringOnline, remove } from './support/steps.mjs';

const FROM = 'moves', TO = 'moves-prod';

journey('copy the environment', ({ step, window }) => {
  let page, plain;
  const tag = (w, text) => w.locator('h1 ~ .st', { hasText: text }).waitFor({ timeout: 60_000 });
  const app = async (name) => (await page.request.get(`/api/app?app%5Bteam%5D=default&app%5Bapp%5D=${name}`)).json();

  step('an application is online in development', async () => {
    ({ page } = await window('person'));
    await signIn(page);
    await bringOnline(page, { file: 'site.zip', name: FROM, title: 'Moves', instances: 2, expect: 'Swagger', env: 'MOOD=calm\n' });
    await go(page, `/applications/default/${FROM}/settings`);
    await page.locator('#secrets').fill('TOKEN=of development\n');
    await page.locator('#save').click();
    await tag(page, 'Online, 2 of 2 well');
  });

  step('the form for another environment is filled in, but for what differs', async () => {
    await go(page, `/applications/default/${FROM}/settings`);
    await page.screenshot({ path: `${ARTEFACTS}environment-from.png`, fullPage: true });
    await page.locator('#elsewhere').click();
    await page.waitForURL(/\/applications\/new/);
    await page.locator('html[data-live=on]').waitFor({ state: 'attached' });
    assert.equal(await page.locator('#name').inputValue(), FROM);
    assert.equal(await page.locator('#title').inputValue(), 'Moves');
    assert.equal(await page.locator('#instances').inputValue(), '2');
    assert.equal(await page.locator('#health_expect').inputValue(), 'Swagger');
    assert.equal(await page.locator('#env').inputValue(), 'MOOD=calm\n');
    assert.equal(await page.locator('#secrets').inputValue(), 'TOKEN=\n');
    await page.getByText('For safety the values of secret variables').waitFor();
    assert.equal(await page.locator('input[name=pool]:checked').count(), 0, 'where it goes is asked for');
    await page.screenshot({ path: `${ARTEFACTS}environment-form.png`, fullPage: true });
  });

  step('it is online in production, with the same package and image', async () => {
    await page.locator('label.pick:has(input[name=pool][value=sf-prod])').click();
    // A name belongs to one application of the team: said before anything is sent.
    await page.locator('#name[aria-invalid=true]').waitFor();
    await page.locator('#name').fill(TO);
    await page.locator('#secrets').fill('TOKEN=of production\n');
    await page.locator('#go:not([aria-disabled=true])').waitFor();
    await page.locator('#go').click();
    await page.waitForURL((url) => url.pathname === `/applications/default/${TO}`);
    await tag(page, 'Online, 2 of 2 well');
    const [from, to] = [await app(FROM), await app(TO)];
    assert.deepEqual([to.stage, to.spec, to.package.sha256], ['prod', from.spec, from.package.sha256]);
  });

  step('without scripts, too, and what does not exist is not found', async () => {
    ({ page: plain } = await window('without scripts', { script: false }));
    await signIn(plain);
    await plain.goto(`/applications/default/${FROM}/settings`);
    await plain.locator('#elsewhere').click();
    await plain.waitForURL(/\/applications\/new/);
    assert.equal(await plain.locator('#title').inputValue(), 'Moves');
    const none = await page.request.post('/api/copy_environment', { form: { team: 'default', app: 'never' }, headers: { origin: new URL(page.url()).origin } });
    assert.equal(none.status(), 404);
  });

  step('both are removed', async () => {
    for (const name of [TO, FROM]) await remove(page, name);
  });
});
