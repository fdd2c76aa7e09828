// The whole job in a browser that runs no scripts: forms, links and reloading.
import assert from 'node:assert/strict';
import { number, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { ADMIN, containersOf, fixture, until } from './support/portal.mjs';

const APP = 'plain-site';
const HOST = `http://${APP}.dev.padis.localhost:8000/`;

journey('without JavaScript', ({ step, window }) => {
  let w, page;

  /// Loads the page again until it shows what is waited for.
  const shows = (path, locator, what) =>
    until(what, async () => {
      await page.goto(path);
      return (await locator().count()) > 0;
    }, { every: 300 });

  step('a wrong password is told, the right one leads where one wanted to go', async () => {
    w = await window('person', { script: false });
    page = w.page;
    await page.goto('/applications/new');
    assert.equal(new URL(page.url()).pathname, '/sign-in');
    await signIn(page, { account: ADMIN.account, password: 'not the password' }, '/applications/new');
    await page.getByRole('alert').waitFor();
    assert.equal(new URL(page.url()).searchParams.get('next'), '/applications/new');
    await page.getByLabel('Account').fill(ADMIN.account);
    await page.getByLabel('Password').fill(ADMIN.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'New application' }).waitFor();
  });

  step('a package is uploaded by the plain form, and the middleware suggested', async () => {
    await page.goto('/applications/new');
    await page.locator('#title').fill('Typed before the upload');
    await page.locator('#env').evaluate((e) => { e.closest('details').open = true; });
    await page.locator('#env').fill('GREETING=hello');
    await page.locator('#file').setInputFiles(fixture('site.zip'));
    await page.getByRole('button', { name: 'Upload', exact: true }).click();
    await page.waitForURL(/package=[0-9a-f]{64}/);
    assert.equal(await page.locator('#title').inputValue(), 'Typed before the upload');
    assert.equal(await page.locator('#env').inputValue(), 'GREETING=hello');
    assert.match(await page.locator('input[name=stack]:checked').inputValue(), /^nginx/);
  });

  step('what is wrong comes back with what was typed', async () => {
    await page.locator('input[name=pool][value=sf-dev]').check({ force: true });
    await page.locator('input[name=size][value=S]').check({ force: true });
    await page.locator('#name').fill('Not A Name!');
    await page.locator('#title').fill('A plain site');
    await page.locator('#health_path').fill('/');
    await page.locator('#health_expect').fill('Swagger');
    await page.locator('#go').click();
    await page.waitForURL(/\/applications\/new/);
    assert.equal(await page.locator('#name').inputValue(), 'Not A Name!');
    assert.equal(await page.locator('#title').inputValue(), 'A plain site');
    assert.equal(await page.locator('#health_expect').inputValue(), 'Swagger');
    assert.equal(await page.locator('#name').getAttribute('aria-invalid'), 'true');
    assert.match(await page.locator('#name-line').innerText(), /letter/i);
    assert.match(await page.locator('input[name=stack]:checked').inputValue(), /^nginx/);
    assert.equal(await page.locator('input[name=size]:checked').inputValue(), 'S');
  });

  step('it goes online and answers at its own name', async () => {
    await page.locator('#name').fill(APP);
    await page.locator('#go').click();
    await page.waitForURL(new RegExp(`/applications/default/${APP}`));
    await shows(`/applications/default/${APP}`, () => page.locator('h1 ~ .st', { hasText: '1 of 1 well' }), 'online');
    await page.goto(HOST);
    assert.match(await page.title(), /Swagger/);
  });

  step('it is scaled', async () => {
    await page.goto(`/applications/default/${APP}/settings`);
    await number(page, '#instances', 2);
    await page.locator('#scale-do').click();
    await shows(`/applications/default/${APP}`, () => page.locator('h1 ~ .st', { hasText: '2 of 2 well' }), 'two instances');
    assert.equal(containersOf(APP).length, 2);
  });

  step('deleting wants the name, and gives everything back', async () => {
    const remove = async (typed) => {
      await page.goto(`/applications/default/${APP}/settings`);
      await page.locator('button[popovertarget=delete]').first().click();
      await page.locator('#confirm').fill(typed);
      await page.locator('#delete-go').click();
      await page.waitForLoadState();
    };
    await remove('something else');
    await page.goto(`/applications/default/${APP}`);
    assert.equal(await page.locator('h1').innerText(), 'A plain site');
    await remove(APP);
    await until('its containers gone', () => containersOf(APP).length === 0);
    await shows('/applications', () => page.locator('main:not(:has-text("A plain site"))'), 'the list without it');
  });
});
