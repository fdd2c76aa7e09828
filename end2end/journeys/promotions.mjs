// Promotion: one person asks, another agrees, and production has exactly what was seen;
// it is rolled back; a portal that is killed in the middle goes on with it.
import assert from 'node:assert/strict';
import { go, signIn } from './support/browser.mjs';
import { portal, slowly } from './support/another.mjs';
import { journey } from './support/journey.mjs';
import { ARTEFACTS, until } from './support/portal.mjs';
import { makePerson } from './support/steps.mjs';
import { names, put, registry } from './support/registry.mjs';

const OWN = 'http://127.0.0.1:5000', PROD = 5100, PASSWORD = 'promotes well, quietly';
const WHAT = 'tools/moved', TAG = '1.0', AT = `/images/padis/${WHAT}:${TAG}`;

journey('promotion', ({ step, window, atEnd }) => {
  let page, operator, erik, engineer, chinese, prod, digest;
  const shot = (w, name) => w.screenshot({ path: `${ARTEFACTS}promotions-${name}.png`, fullPage: true });
  const row = (w, text) => w.getByRole('row').filter({ hasText: text }).first();
  const ask = async (why) => {
    await go(page, AT);
    await page.locator('#promote-note').fill(why);
    await page.locator('#promote-prod').click();
    await page.waitForURL(/\/images\/promotions/);
    await row(page, why).getByText('Waits for a yes').waitFor();
  };

  step('an engineer is made, and an image is there', async () => {
    prod = await registry(PROD);
    atEnd(() => prod.stop());
    digest = await put(OWN, WHAT, TAG, { labels: { 'org.opencontainers.image.title': 'To be promoted' } });
    operator = await window('operator');
    ({ page } = operator);
    await signIn(page);
    await makePerson(page, { account: 'erik', name: 'Erik Engineer', password: PASSWORD, platform: 'engineer' });
    engineer = await window('engineer');
    ({ page: erik } = engineer);
    await signIn(erik, { account: 'erik', password: PASSWORD });
    ({ page: chinese } = await window('reader of Chinese', { lang: 'zh', theme: 'dark', size: [390, 844] }));
    await signIn(chinese);
    // He decides about images, and sees nothing of the platform's inside.
    await go(erik, '/images');
    await erik.locator('#look').or(erik.getByRole('button', { name: 'Look now' })).first().waitFor();
    assert.equal(await erik.getByRole('link', { name: 'Administration' }).count(), 0);
  });

  step('what has to hold is shown, and it is asked for', async () => {
    await go(page, AT);
    await page.getByRole('heading', { name: 'Promote to the next stage' }).waitFor();
    await page.getByText('Hosts here can run it').waitFor();
    await page.getByText('There is no such version there yet.').waitFor();
    await shot(page, 'offer');
    await go(chinese, AT);
    await chinese.getByText('这里的主机可以运行').waitFor();
    await shot(chinese, 'offer-zh');
    await ask('It ran for a week.');
    assert.equal(await row(page, WHAT).getByRole('button', { name: 'Agree' }).count(), 0, 'not by whoever asked');
    assert.equal(await names(prod.base, WHAT, TAG), null, 'nothing goes before somebody agrees');
    // A second time is not offered.
    await go(page, AT);
    await page.getByText('Administrator has asked for the same version').waitFor();
    assert.equal(await page.locator('#promote-prod').count(), 0);
  });

  step('somebody else refuses with a reason, then agrees, and production has it', async () => {
    engineer.expect(/422/);
    await go(erik, '/images');
    await erik.getByRole('link', { name: /Promotions\s*1/ }).click();
    await shot(erik, 'waits');
    await row(erik, WHAT).getByRole('button', { name: 'Refuse' }).click();
    await erik.locator('.said .note, .note').first().waitFor();
    await row(erik, WHAT).getByText('Waits for a yes').waitFor();
    await row(erik, WHAT).getByRole('textbox').fill('Not on a Friday.');
    await row(erik, WHAT).getByRole('button', { name: 'Refuse' }).click();
    await row(erik, WHAT).getByText('Refused').waitFor();
    await ask('It is Monday.');
    await go(erik, '/images/promotions?state=asked');
    await row(erik, 'It is Monday.').getByRole('button', { name: 'Agree' }).click();
    await go(erik, '/images/promotions');
    await row(erik, 'It is Monday.').getByText('Promoted', { exact: true }).waitFor();
    assert.equal(await names(prod.base, WHAT, TAG), digest);
    await row(page, 'It is Monday.').getByText('Promoted', { exact: true }).waitFor();
    await shot(page, 'done');
    await go(chinese, '/images/promotions');
    await row(chinese, WHAT).getByText('已晋级').waitFor();
    await shot(chinese, 'done-zh');
    await go(page, AT);
    await page.getByText('It is there already, byte for byte.').waitFor();
  });

  step('it is rolled back, and what is refused says so', async () => {
    await go(erik, '/images/promotions');
    await row(erik, 'It is Monday.').getByRole('button', { name: 'Roll back' }).click();
    await row(erik, 'It is Monday.').getByText('Rolled back').first().waitFor();
    await until('it is gone', async () => (await names(prod.base, WHAT, TAG)) === null);
    // With something there before: that is back.
    const other = await put(prod.base, WHAT, TAG);
    await ask('A newer one.');
    await go(erik, '/images/promotions');
    await row(erik, 'A newer one.').getByRole('button', { name: 'Agree' }).click();
    await row(erik, 'A newer one.').getByText('Promoted', { exact: true }).waitFor();
    assert.equal(await names(prod.base, WHAT, TAG), digest);
    await row(erik, 'A newer one.').getByRole('button', { name: 'Roll back' }).click();
    await until('what was there is back', async () => (await names(prod.base, WHAT, TAG)) === other);
    await go(page, '/activity?q=moved');
    await page.getByText('promotion agreed to').first().waitFor();
  });

  step('a portal that is killed in the middle of a promotion goes on with it', async () => {
    const slow = await slowly(PROD);
    atEnd(() => slow.close());
    const want = await put(OWN, 'large/moved', '1', { layers: 4, bytes: 16 << 20 });
    const toml = `[registry]\nchild = false\nurl = "${OWN}"\nstage = "dev"\n\n[[registries]]\nname = "slow"\nurl = "${slow.url}"\nwritable = true\nstage = "prod"\napprove = false\n`;
    const second = await portal('promotions', toml);
    atEnd(() => second.stop());
    await second.start();
    const w = await window('second portal', { at: second.url });
    await signIn(w.page);
    await go(w.page, '/images/padis/large/moved:1');
    await w.page.locator('#promote-slow').click();
    await w.page.waitForURL(/\/images\/promotions/);
    await until('a third is there', async () => slow.passed() > 24 << 20);
    assert.equal(await names(prod.base, 'large/moved', '1'), null, 'nothing is visible before all of it is there');
    w.expect(/net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)|Failed to load resource/);
    await second.stop('SIGKILL');
    await second.start();
    await until('it is whole', async () => (await names(prod.base, 'large/moved', '1')) === want);
    assert.ok(slow.passed() < 2 * (64 << 20), `${slow.passed()} bytes`);
    await go(w.page, '/images/promotions');
    await row(w.page, 'large/moved').getByText('Promoted', { exact: true }).waitFor();
  });
});
