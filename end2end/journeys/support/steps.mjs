// What several journeys do on their way to what they are about.
import { go, live, number } from './browser.mjs';
import { fixture, until } from './portal.mjs';

/// Takes an application online through the page, and waits until it is.
export async function bringOnline(page, app) {
  const { file, name, stack, title = '', team = 'default', pool = 'sf-dev', size = 'S', instances = 1, path = '/', expect = '', env = '' } = app;
  await go(page, '/applications/new');
  // Somebody in one team only is not asked which.
  const teams = page.locator('select#team');
  if (await teams.count()) await teams.selectOption(team);
  await page.locator('#file').setInputFiles(fixture(file));
  await page.getByText('checked by the server').waitFor({ timeout: 60_000 });
  if (stack) await page.locator(`label:has(input[name=stack][value="${stack}"])`).click();
  await page.locator(`label.pick:has(input[name=pool][value=${pool}])`).click();
  await page.locator(`label.pick:has(input[name=size][value=${size}])`).click();
  await number(page, '#instances', instances);
  await page.locator('#name').fill(name);
  await page.locator('#title').fill(title);
  await page.locator('#health_path').fill(path);
  await page.locator('#health_expect').fill(expect);
  if (env) {
    await page.locator('details:has(#env) summary').click();
    await page.locator('#env').fill(env);
  }
  await page.locator('#go').click();
  await page.waitForURL((url) => url.pathname.startsWith('/applications/') && !url.pathname.endsWith('/new'));
  await page.locator('h1 ~ .st', { hasText: `Online, ${instances} of ${instances} well` }).waitFor({ timeout: 90_000 });
}

/// Makes an account, as an operator does it.
export async function makePerson(page, { account, name, password, platform }) {
  await go(page, '/admin/people?edit=%2B');
  await page.locator('#account').fill(account);
  await page.locator('#name').fill(name);
  await page.locator('#password').fill(password);
  if (platform) await page.locator('#platform').selectOption(platform);
  await page.getByRole('button', { name: 'Create the account' }).click();
  await page.getByText('The account is saved').waitFor();
}

/// Deletes an application through the page, and waits until it has gone.
export async function remove(page, name, team = 'default') {
  await go(page, `/applications/${team}/${name}/settings`);
  await page.locator('button[popovertarget=delete]').first().click();
  await page.locator('#confirm').fill(name);
  await page.locator('#delete-go').click();
  await until(`${name} gone from the list`, async () => {
    await page.goto('/applications');
    await live(page);
    return (await page.locator(`a[href="/applications/${team}/${name}"]`).count()) === 0;
  }, { every: 500 });
}

/// Makes a pool with a quota of the team, as an operator does it.
export async function makePool(page, { name, subnet, gateway, domain, hosts = 'stage=dev', quarantine = 60, team = 'default', quota = {} }) {
  const { cpu = '64', mem = '64 GiB', instances = '20', addresses = '20' } = quota;
  await go(page, '/pools/new');
  await page.locator('#name').fill(name);
  await page.locator('#hosts').fill(hosts);
  await page.locator('#subnet').fill(subnet);
  await page.locator('#gateway').fill(gateway);
  await page.locator('#quarantine_s').fill(String(quarantine));
  await page.locator('#domain').fill(domain);
  await page.locator('#pool-save').click();
  await page.waitForURL((url) => url.pathname.startsWith('/pools') && url.pathname !== '/pools/new');
  await go(page, `/pools/${name}?quota=%2B`);
  await page.locator('#q-team').selectOption(team);
  for (const [field, value] of Object.entries({ cpu, mem, instances, addresses })) await page.locator(`#q-${field}`).fill(value);
  await page.locator('form:has(#q-team)').getByRole('button', { name: 'Save' }).click();
  await until('the quota stands', async () => {
    await go(page, `/pools/${name}`);
    return (await page.getByRole('rowheader', { name: /Default/ }).count()) === 1;
  }, { every: 500 });
}
