// What operators do, and what members of other teams and auditors can't.
import assert from 'node:assert/strict';
import { go, live, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { until } from './support/portal.mjs';

const PASSWORD = 'a-word-of-their-own';

journey('operators, members, auditors', ({ step, window }) => {
  let page, member, auditor;
  const said = (w, text) => w.locator('.said', { hasText: text }).first().waitFor();

  step('a team and its people are made', async () => {
    ({ page } = await window('operator'));
    await signIn(page);
    await go(page, '/admin/teams?edit=%2B');
    await page.locator('#slug').fill('claims');
    await page.locator('#title').fill('Claims');
    await page.getByRole('button', { name: 'Create the team' }).click();
    await said(page, 'The team is saved');
    for (const [account, name, platform] of [['mia', 'Mia Member', ''], ['ada', 'Ada Auditor', 'auditor']]) {
      await go(page, '/admin/people?edit=%2B');
      await page.locator('#account').fill(account);
      await page.locator('#name').fill(name);
      await page.locator('#password').fill(PASSWORD);
      if (platform) await page.locator('#platform').selectOption(platform);
      else await page.locator('#team-claims').selectOption('member');
      await page.getByRole('button', { name: 'Create the account' }).click();
      await said(page, 'The account is saved');
    }
  });

  step('a pool is made, and the team gets a quota in it', async () => {
    await go(page, '/pools/new');
    await page.locator('#name').fill('mf-test');
    await page.locator('#stage').selectOption('test');
    await page.locator('#subnet').fill('10.210.99.0/24');
    await page.locator('#gateway').fill('10.210.99.1');
    await page.locator('#domain').fill('trial.padis.localhost');
    await page.locator('#pool-save').click();
    await page.waitForURL((url) => url.pathname !== '/pools/new');
    await go(page, '/pools/mf-test?quota=%2B');
    await page.locator('#q-team').selectOption('claims');
    await page.locator('#q-cpu').fill('1');
    await page.locator('#q-mem').fill('1 GiB');
    await page.locator('#q-instances').fill('4');
    await page.locator('#q-addresses').fill('4');
    await page.locator('form:has(#q-team)').getByRole('button', { name: 'Save' }).click();
    await until('the quota on the page', async () => {
      await go(page, '/pools/mf-test');
      return (await page.getByRole('rowheader', { name: 'Claims' }).count()) === 1;
    }, { every: 500 });
  });

  step('a range is reserved with its reason, and freed', async () => {
    await go(page, '/addresses/mf-test');
    await page.locator('#from').fill('10.210.99.10');
    await page.locator('#to').fill('10.210.99.19');
    await page.locator('#reason').fill('printers on the second floor');
    await page.locator('#reserve-go').click();
    await said(page, 'reserved now');
    await page.locator('.rsv', { hasText: 'printers on the second floor' }).getByRole('button').click();
    await said(page, 'free again');
    await page.locator('.rsv').waitFor({ state: 'detached' });
  });

  step('a member sees nothing of another team, not by guessing either', async () => {
    const w = await window('member');
    member = w.page;
    await signIn(member, { account: 'mia', password: PASSWORD });
    await go(member, '/pools');
    const seen = await member.locator('main').innerText();
    assert.ok(seen.includes('mf-test') && !seen.includes('sf-dev'), seen);
    w.expect(/status of 404|answered 404/);
    assert.equal(await member.locator('#to-cluster').count(), 0);
    w.expect(/status of 403|answered 403/);
    assert.equal((await member.goto('/cluster')).status(), 403);
    for (const guess of ['/pools/sf-dev', '/addresses/sf-dev', '/applications/default/docs']) {
      assert.equal((await member.goto(guess)).status(), 404, guess);
    }
  });

  step('an auditor sees all and may change nothing', async () => {
    ({ page: auditor } = await window('auditor'));
    await signIn(auditor, { account: 'ada', password: PASSWORD });
    await go(auditor, '/pools/sf-dev');
    assert.equal(await auditor.locator('#pool-edit').getAttribute('aria-disabled'), 'true');
    await go(auditor, '/pools');
    await auditor.locator('#to-cluster').click();
    const host = auditor.locator('.tbl tbody tr', { hasText: 'Takes work' }).first().getByRole('link');
    await host.waitFor();
    const name = await host.innerText();
    await host.click();
    // A host that is named is shown with all that it has.
    await auditor.getByRole('rowheader', { name: 'Reserved for nobody' }).waitFor();
    await go(auditor, `/search?q=${encodeURIComponent(name)}`);
    await auditor.locator('.hits a[href^="/cluster?q="]', { hasText: name }).click();
    await auditor.getByRole('rowheader', { name: 'Reserved for nobody' }).waitFor();
    await go(auditor, '/addresses/sf-dev');
    assert.equal(await auditor.locator('#reserve-go').getAttribute('aria-disabled'), 'true');
  });

  step('a revoked session is signed out', async () => {
    await go(page, '/admin/sessions');
    await page.locator('tr', { hasText: 'mia' }).getByRole('button').first().click();
    await said(page, 'The session has ended');
    await until('the member at the door', async () => {
      await member.goto('/pools');
      return new URL(member.url()).pathname === '/sign-in';
    });
  });

  step('the journal knows of all of it', async () => {
    await go(page, '/activity');
    await live(page);
    const text = await page.locator('main').innerText();
    assert.match(text, /mf-test/);
    assert.match(text, /claims/i);
  });
});
