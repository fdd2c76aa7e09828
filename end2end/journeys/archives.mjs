// Images as files: a version is downloaded as an archive, and brought in again under
// another name, with and without scripts; what is no archive is said to be none.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { go, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { ARTEFACTS, docker } from './support/portal.mjs';
import { names } from './support/registry.mjs';

const OWN = 'http://127.0.0.1:5000';

journey('images as files', ({ step, window, atEnd }) => {
  let page, operator, plain, chinese, tag, digest;
  const folder = mkdtempSync(join(tmpdir(), 'padis-archives-'));
  const file = join(folder, 'nginx.tar');
  const shot = (w, name) => w.screenshot({ path: `${ARTEFACTS}archives-${name}.png`, fullPage: true });
  const row = (w, text) => w.getByRole('row').filter({ hasText: text }).first();

  step('a version is downloaded, and Docker takes it', async () => {
    atEnd(() => rmSync(folder, { recursive: true }));
    operator = await window('operator');
    ({ page } = operator);
    await signIn(page);
    await go(page, '/images/padis/stacks/nginx');
    tag = (await page.getByRole('rowheader').first().innerText()).trim();
    digest = await names(OWN, 'stacks/nginx', tag);
    await page.getByRole('link', { name: tag }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#download-archive').click()]);
    await download.saveAs(file);
    const again = await page.request.get(new URL(await page.locator('#download-archive').getAttribute('href'), page.url()).href);
    const sum = (bytes) => createHash('sha256').update(bytes).digest('hex');
    assert.equal(sum(await again.body()), sum(readFileSync(file)), 'the same bytes each time');
    assert.match(docker('load', '-i', file), /stacks\/nginx/);
  });

  step('it is brought in under another name', async () => {
    await go(page, '/images');
    await page.locator('#bring-repository').fill('tools/brought');
    await page.locator('#bring-tag').fill('1');
    await page.locator('#bring-file').setInputFiles(file);
    await shot(page, 'form');
    await page.locator('#bring-go').click();
    await page.waitForURL(/\/images\/archives/);
    await row(page, 'tools/brought').getByText('Is there').waitFor({ timeout: 60_000 });
    await shot(page, 'there');
    assert.equal(await names(OWN, 'tools/brought', '1'), digest, 'to the last byte');
    ({ page: chinese } = await window('reader of Chinese', { lang: 'zh', theme: 'dark', size: [390, 844] }));
    await signIn(chinese);
    await go(chinese, '/images/archives');
    await row(chinese, 'tools/brought').getByText('已导入').waitFor();
    await shot(chinese, 'there-zh');
  });

  step('without scripts it is the same, and what is wrong is said', async () => {
    plain = await window('without scripts', { script: false });
    await signIn(plain.page);
    const bring = async (name, version, what) => {
      await plain.page.goto('/images');
      await plain.page.locator('#bring-repository').fill(name);
      await plain.page.locator('#bring-tag').fill(version);
      await plain.page.locator('#bring-file').setInputFiles(what);
      await plain.page.locator('#bring-go').click();
    };
    const no = join(folder, 'letter.txt');
    writeFileSync(no, 'Dear colleagues, this is a letter and no image at all.\n'.repeat(100));
    await bring('tools/letter', '1', no);
    await plain.page.waitForURL(/\/images\/archives/);
    await row(plain.page, 'letter.txt').getByText('Not brought in').waitFor();
    await shot(plain.page, 'wrong');
    // A tag that is there is left alone, and nothing of the form is lost.
    await bring('tools/brought', '1', file);
    await plain.page.locator('#bring-tag[aria-invalid=true]').waitFor();
    assert.equal(await plain.page.locator('#bring-repository').inputValue(), 'tools/brought');
    assert.equal(await names(OWN, 'tools/letter', '1'), null);
  });
});
