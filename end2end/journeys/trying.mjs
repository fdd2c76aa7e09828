// A health rule is tried on the running instance before it is saved, with scripts
// and without; a delivery that fails is tried again from where it stands.
import assert from 'node:assert/strict';
import { go, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { bringOnline, remove } from './support/steps.mjs';

const APP = 'tried';
const PAGE = `/applications/default/${APP}`;

journey('trying', ({ step, window }) => {
  let w, page;
  const answer = (where, text) => where.locator('#try_health', { hasText: text }).waitFor();
  const fill = async (where, path, expect) => {
    await where.locator('#health_path').fill(path);
    await where.locator('#health_expect').fill(expect);
  };

  step('something runs', async () => {
    w = await window('person');
    ({ page } = w);
    await signIn(page);
    await bringOnline(page, { file: 'site.zip', name: APP, expect: 'Swagger' });
  });

  step('the button asks the page by the rule as it is typed, and says what came back', async () => {
    await go(page, `${PAGE}/settings`);
    await fill(page, '/', 'Swagger');
    await page.locator('#try').click();
    await answer(page, 'and “Swagger” is in it');
    assert.match(await page.locator('#try_health pre').innerText(), /<!DOCTYPE html>/i);
    await fill(page, '/', 'no such words');
    await page.locator('#try').click();
    await answer(page, 'but “no such words” is not in it');
    await fill(page, '/nowhere.html', '');
    await page.locator('#try').click();
    await answer(page, 'answered 404');
    w.expect(/try_health answered 422|status of 422 .*try_health/);
    await fill(page, 'nowhere', '');
    await page.locator('#try').click();
    await answer(page, 'Health page: This does not have the right form.');
    assert.equal(await page.locator('#health_path').inputValue(), 'nowhere', 'what was typed stays');
  });

  step('a browser without scripts is told the same, and loses nothing that was typed', async () => {
    const plain = (await window('plain', { script: false })).page;
    await signIn(plain);
    await plain.goto(`${PAGE}/settings`);
    await fill(plain, '/nowhere.html', '');
    await plain.locator('#cpu').fill('0.3');
    await plain.locator('#try').click();
    await plain.waitForURL(/asked=try_health/);
    await answer(plain, 'answered 404');
    assert.equal(await plain.locator('#health_path').inputValue(), '/nowhere.html');
    assert.equal(await plain.locator('#cpu').inputValue(), '0.3');
  });

  step('nothing was changed by trying', async () => {
    await go(page, `${PAGE}/releases`);
    assert.equal(await page.locator('tbody tr').count(), 1);
  });

  step('a delivery that fails opens in place: why, whom to ask, and the button', async () => {
    await go(page, `${PAGE}/settings`);
    await page.locator('#health_expect').fill('no such words');
    await page.locator('details:has(#grace_s) summary').click();
    await page.locator('#grace_s').fill('5');
    await page.locator('#save').click();
    await page.waitForURL((url) => url.pathname === PAGE);
    const open = page.locator('.stop.failed .note').first();
    await open.waitFor({ timeout: 60_000 });
    assert.match(await open.innerText(), /instead of “no such words”/);
    assert.match(await open.innerText(), /Whom to ask: /);
    await open.getByRole('button', { name: 'Try again now' }).click();
    await page.getByText('Recorded; it is being tried again now.').waitFor();
    await go(page, `${PAGE}/events`);
    await page.locator('ol.tl li', { hasText: 'Try again now' }).first().waitFor();
  });

  step('it goes', () => remove(page, APP));
});
