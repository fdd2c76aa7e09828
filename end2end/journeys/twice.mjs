// Two at once: the same form sent twice has one effect, and of two people who
// change one application the second sees what the first did, and loses nothing.
import assert from 'node:assert/strict';
import { go, number, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { containersOf, fixture, until } from './support/portal.mjs';
import { remove } from './support/steps.mjs';

const APP = 'once';
const AT = `/applications/default/${APP}`;

journey('two at once', ({ step, window }) => {
  let page, plain, other;
  const tag = (p, text) => p.locator('h1 ~ .st', { hasText: text }).waitFor({ timeout: 60_000 });
  /// Rows of the journal about the application, those with this word.
  const journal = async (word) => {
    const answer = await page.request.get('/api/journal?q%5Bper_page%5D=200');
    return (await answer.json()).rows.filter((r) => r.what === word && r.subject === `app:default/${APP}`).length;
  };
  const releases = async () =>
    (await (await page.request.get(`/api/releases?app%5Bteam%5D=default&app%5Bapp%5D=${APP}`)).json()).map((r) => r.release);

  step('"Go online" pressed twice makes one application', async () => {
    ({ page } = await window('person'));
    await signIn(page);
    await go(page, '/applications/new');
    await page.locator('#file').setInputFiles(fixture('site.zip'));
    await page.getByText('checked by the server').waitFor();
    await page.locator('label.pick:has(input[name=pool][value=sf-dev])').click();
    await page.locator('label.pick:has(input[name=size][value=S])').click();
    await page.locator('#name').fill(APP);
    await page.locator('#health_expect').fill('Swagger');
    await page.locator('#go:not([aria-disabled=true])').waitFor();
    await page.locator('#go').dblclick();
    await page.waitForURL((url) => url.pathname === AT);
    await tag(page, 'Online, 1 of 1 well');
    assert.equal(await journal('app.create'), 1);
    assert.deepEqual(await releases(), [1]);
  });

  step('a form that the browser sends again has no second effect', async () => {
    // As after "back" and "send again": the same fields, the same token.
    ({ page: plain } = await window('without scripts', { script: false }));
    await signIn(plain);
    await plain.goto(`${AT}/settings`);
    await number(plain, '#instances', 2);
    const [request] = await Promise.all([plain.waitForRequest((r) => r.method() === 'POST'), plain.locator('#scale-do').click()]);
    await plain.waitForURL(/done=scale/);
    for (let n = 0; n < 3; n++) {
      const again = await plain.request.post(request.url(), {
        data: request.postData(), headers: await request.allHeaders(), maxRedirects: 0,
      });
      assert.equal(again.status(), 302);
      assert.match(again.headers().location, /done=scale/);
    }
    await tag(page, 'Online, 2 of 2 well');
    assert.equal(await journal('app.scale'), 1);
    assert.equal(containersOf(APP).length, 2);
  });

  for (const script of [true, false]) {
    step(`the second of two people sees what the first changed, ${script ? 'with' : 'without'} scripts`, async () => {
      const colleague = await window(`colleague ${script}`, { script });
      other = colleague.page;
      colleague.expect(/POST \S+\/api\/release_app answered 409|status of 409 .*\/api\/release_app/);
      await signIn(other);
      if (script) await go(other, `${AT}/settings`);
      else await other.goto(`${AT}/settings`);
      const mine = `MOOD=${script ? 'calm' : 'brave'}\n`;
      await other.locator('#env').fill(mine);
      await other.locator('#cpu').fill('0.2');
      // Meanwhile the first one scales.
      const n = script ? 1 : 2;
      await go(page, `${AT}/settings`);
      await number(page, '#instances', n);
      await page.locator('#scale-do').click();
      await tag(page, `Online, ${n} of ${n} well`);
      const before = (await releases()).length;
      await other.locator('#save').click();
      const said = other.locator('.note, .said', { hasText: 'Administrator changed this at' }).first();
      await said.waitFor();
      await other.getByText(`instances: ${3 - n} → ${n}`).first().waitFor();
      await other.getByText('What you typed is still here. Submit again to apply it.').first().waitFor();
      assert.equal((await other.locator('#env').inputValue()).trim(), mine.trim());
      assert.equal(await other.locator('#cpu').inputValue(), '0.2');
      assert.equal((await releases()).length, before, 'nothing was changed');
      await other.locator('#save').click();
      await other.waitForURL((url) => url.pathname === AT);
      await until('a release more', async () => (await releases()).length === before + 1);
      await go(page, AT);
      await page.locator('.stop.arrive[data-s=ok]').waitFor({ timeout: 60_000 });
      await tag(page, `Online, ${n} of ${n} well`);
      await go(page, `${AT}/settings`);
      assert.equal((await page.locator('#env').inputValue()).trim(), mine.trim());
      await other.goto('/');
    });
  }

  step('it is deleted', async () => {
    await remove(page, APP);
    assert.equal(containersOf(APP).length, 0);
  });
});
