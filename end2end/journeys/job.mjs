// The whole job with a real web site, from signing in to everything given back.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { go, live, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { containersOf, docker, fixture, until } from './support/portal.mjs';

const APP = 'docs';
const PAGE = `/applications/default/${APP}`;
const HOST = `http://${APP}.dev.padis.localhost:8000/`;
const SECRET = 'never-to-be-read-again';

journey('the whole job', ({ step, window }) => {
  let page, visitor;
  const tag = (text) => page.locator('h1 ~ .st', { hasText: text }).waitFor({ timeout: 60_000 });
  const tab = async (name) => {
    await page.getByRole('navigation', { name: 'Parts of this application' }).getByRole('link', { name }).click();
    await page.waitForURL(new RegExp(`${PAGE}/${name.toLowerCase()}`));
  };
  const said = (text) => page.locator('.said', { hasText: text }).first().waitFor();

  step('signing in leads to the overview', async () => {
    ({ page } = await window('person'));
    await signIn(page);
    await live(page);
    await page.getByRole('heading', { level: 1 }).waitFor();
  });

  step('a dropped package is uploaded and looked into, the rest suggested', async () => {
    await page.locator('a[href="/applications/new"]').first().click();
    await page.getByRole('heading', { level: 1, name: 'New application' }).waitFor();
    const bytes = readFileSync(fixture('site.zip')).toString('base64');
    const dropped = await page.evaluateHandle((data) => {
      const blob = new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))]);
      const transfer = new DataTransfer();
      transfer.items.add(new File([blob], 'site.zip'));
      return transfer;
    }, bytes);
    await page.locator('label.drop').dispatchEvent('drop', { dataTransfer: dropped });
    await page.getByText('checked by the server').waitFor();
    await until('the static site middleware suggested', async () =>
      /^nginx/.test(await page.locator('input[name=stack]:checked').inputValue()));
  });

  step('the summary and the checks follow what is typed', async () => {
    await page.locator('label.pick:has(input[name=pool][value=sf-dev])').click();
    await page.locator('label.pick:has(input[name=size][value=S])').click();
    await page.locator('#name').fill(APP);
    await page.locator('#title').fill('API handbook');
    await page.locator('#health_path').fill('/');
    await page.locator('#health_expect').fill('Swagger');
    await page.getByText(`Free: ${APP}.dev.padis.localhost`).waitFor();
    await page.locator('aside.sum').getByText(`http://${APP}.dev.padis.localhost:8000/`).waitFor();
  });

  step('"Go online" shows the rail filling, with a stopwatch, until it is online', async () => {
    await page.locator('#go').click();
    await page.waitForURL(new RegExp(PAGE));
    await page.getByRole('heading', { level: 2, name: 'Delivery of r1' }).waitFor();
    await tag('1 of 1 well');
    await page.locator('.watch', { hasText: 'online after' }).waitFor();
    await page.locator('.stop.arrive[data-s=ok]').waitFor();
    assert.match(await page.locator('.watch').innerText(), /\d\d:\d\d/);
    assert.equal(await page.locator('.stop:not([data-s=ok])').count(), 0);
  });

  step('it opens through the balancer, at its own name', async () => {
    visitor = await window('visitor', { script: false });
    await visitor.page.goto(await page.locator('.facts a[rel=external]').first().getAttribute('href'));
    assert.equal(visitor.page.url(), HOST);
    assert.match(await visitor.page.title(), /Swagger/);
  });
});
