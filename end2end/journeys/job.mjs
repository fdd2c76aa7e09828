// The job with a real web site, from signing in to a restart.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { go, live, number, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { containersOf, fixture, until } from './support/portal.mjs';

const APP = 'docs';
const PAGE = `/applications/default/${APP}`;
const HOST = `http://${APP}.dev.padis.localhost:8000/`;

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

  step('scaling 1 to 3 and back to 1', async () => {
    for (const n of [3, 1]) {
      await tab('Settings');
      await number(page, '#instances', n);
      await page.locator('#scale-do').click();
      await said('the number of instances is being changed');
      await tag(`${n} of ${n} well`);
      await until(`${n} containers`, () => containersOf(APP).length === n);
    }
  });

  step('a new release from another archive goes online', async () => {
    // In a second window without scripts: the first one sees it come by itself.
    const plain = await window('plain', { script: false });
    await signIn(plain.page);
    await plain.page.goto(`${PAGE}/release`);
    await plain.page.locator('#file').setInputFiles(fixture('site.tar.gz'));
    await plain.page.getByRole('button', { name: 'Upload', exact: true }).click();
    await plain.page.waitForURL(/package=[0-9a-f]{64}/);
    await page.getByRole('link', { name: 'Now', exact: true }).click();
    await plain.page.locator('#go').click();
    await plain.page.waitForURL((url) => url.pathname === PAGE);
    await page.getByRole('heading', { level: 2, name: 'Delivery of r2' }).waitFor();
    await page.locator('.stop.arrive[data-s=ok]').waitFor({ timeout: 60_000 });
    await tag('Online, 1 of 1 well');
    await visitor.page.reload();
    assert.match(await visitor.page.title(), /Swagger/);
  });

  step('the first release is put back', async () => {
    await until('the release before has left', () => containersOf(APP).length === 1);
    await page.locator('.stop[data-s=run]').waitFor({ state: 'detached' });
    await tab('Releases');
    await page.locator('button[popovertarget=back-1]').first().click();
    await page.getByRole('button', { name: 'Roll back to r1' }).click();
    await page.waitForURL((url) => url.pathname === PAGE);
    await page.getByRole('heading', { level: 2, name: 'Delivery of r3' }).waitFor();
    await page.locator('.stop.arrive[data-s=ok]').waitFor({ timeout: 60_000 });
    await tag('Online, 1 of 1 well');
    await until('only the new instance', () => containersOf(APP).length === 1);
  });

  step('restarting replaces the instance', async () => {
    const [before] = containersOf(APP);
    await page.locator('button[popovertarget=restart]').first().click();
    await page.locator('#restart').getByRole('button', { name: 'Restart' }).click();
    await until('another container alone', () => {
      const now = containersOf(APP);
      return now.length === 1 && now[0] !== before;
    });
    await tag('Online, 1 of 1 well');
  });
});
