// Packages that are no good are refused in plain words, and a good one arrives
// whole although the connection breaks in the middle.
import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { bomb, cutOff, scratch, siteWith, withFiles, zip } from './support/archives.mjs';
import { go, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { PORTAL } from './support/portal.mjs';

const MIB = 1 << 20;
const text = (name, what) => {
  const file = join(scratch(), name);
  writeFileSync(file, what);
  return file;
};
const BAD = [
  ['cut off in the middle', () => cutOff('site.zip', 'half.zip'), /The file ends before its end: it was cut off\.\s*Build it again/],
  ['with a path that climbs out', () => siteWith('climbs.zip', '../../etc/cron.d/job'), /The entry “\.\.\/\.\.\/etc\/cron\.d\/job” leads out of the archive, so it is refused/],
  ['that would unpack to far too much', () => bomb('bomb.zip'), /It would unpack to .+ or more; the limit is .+\.\s*Take out large files/],
  ['that is no archive', () => text('notes.zip', 'these are notes about the release\n'), /This is no application package; it looks like a text file/],
  ['that is empty', () => text('nothing.zip', ''), /The file is empty/],
  ['without a start page', () => zip('pages.zip', [['about.html', '<h1>about</h1>']]), /The site has no index\.html\.\s*Put the start page at the top/],
];

journey('uploads', ({ step, window, atEnd }) => {
  let w, page, plain;
  /// Between the browser and the portal: can cut the connections that carry an upload.
  const line = {
    cutAfter: Infinity, closed: false, heads: [], sockets: new Set(),
    async open() {
      const server = createServer((browser) => {
        if (line.closed) return browser.destroy();
        const portal = connect(new URL(PORTAL).port, '127.0.0.1');
        const both = [browser, portal];
        const cut = () => both.forEach((s) => s.destroy());
        let uploading = false;
        let passed = 0;
        both.forEach((s) => { line.sockets.add(s); s.on('error', cut).on('close', () => { line.sockets.delete(s); cut(); }); });
        browser.on('data', (piece) => {
          const head = piece.toString('latin1').match(/^(PATCH|HEAD) \/uploads\/\S+ [\s\S]*?\r\n\r\n/);
          if (head) {
            uploading = head[1] === 'PATCH';
            line.heads.push(head[0]);
          }
          if (uploading && (passed += piece.length) > line.cutAfter) {
            line.closed = true;
            return cut();
          }
          if (!portal.write(piece)) {
            browser.pause();
            portal.once('drain', () => browser.resume());
          }
        });
        portal.pipe(browser);
      });
      await new Promise((done) => server.listen(0, '127.0.0.1', done));
      atEnd(() => {
        line.sockets.forEach((s) => s.destroy());
        server.close();
      });
      return `http://127.0.0.1:${server.address().port}`;
    },
  };

  step('people with and without scripts', async () => {
    w = await window('person');
    page = w.page;
    plain = (await window('without scripts', { script: false })).page;
    await signIn(page);
    await signIn(plain);
    await go(page, '/applications/new');
    await page.locator('#title').fill('Typed before');
    // The server's answer to a package that it refuses is 422.
    w.expect(/(PATCH|POST) \S+\/uploads(\/\w+)? answered 422|status of 422 .*\/uploads/);
  });

  for (const [what, make, says] of BAD) {
    step(`a package ${what}`, async () => {
      const file = make();
      await page.locator('#file').setInputFiles(file);
      await page.locator('.notice, .note, [role=alert]', { hasText: says }).first().waitFor();
      assert.equal(await page.locator('#title').inputValue(), 'Typed before');
      assert.equal(await page.locator('#package').inputValue(), '');
      await plain.goto('/applications/new');
      await plain.locator('#file').setInputFiles(file);
      await plain.getByRole('button', { name: 'Upload', exact: true }).click();
      await plain.waitForURL(/problem=/);
      assert.match((await plain.locator('main').innerText()).replaceAll(/\s+/g, ' '), says);
    }, { alone: true });
  }

  step('an upload that breaks in the middle goes on where it stopped', async () => {
    const film = Buffer.alloc(48 * MIB);
    randomFillSync(film);
    const file = withFiles('site.zip', 'film.zip', { 'film.bin': film });
    const there = await window('on a bad line', { at: await line.open() });
    there.expect(/net::ERR_(CONNECTION_RESET|CONNECTION_CLOSED|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|SOCKET_NOT_CONNECTED)/);
    // The server may still be writing down what had arrived when it was asked how much that is.
    there.expect(/PATCH \S+\/uploads\/\w+ answered 409|status of 409 .*\/uploads\//);
    await signIn(there.page);
    await go(there.page, '/applications/new');
    await there.page.locator('#title').fill('Typed on a bad line');
    line.cutAfter = 12 * MIB;
    await there.page.locator('#file').setInputFiles(file);
    await there.page.getByText('The connection broke; going on where it stopped').waitFor();
    line.cutAfter = Infinity;
    line.closed = false;
    await there.page.getByText('checked by the server').waitFor({ timeout: 60_000 });
    assert.equal(await there.page.locator('#title').inputValue(), 'Typed on a bad line');
    const whole = createHash('sha256').update(readFileSync(file)).digest('hex');
    assert.equal(await there.page.locator('#package').inputValue(), whole);
    const went = line.heads.filter((h) => h.startsWith('PATCH')).map((h) => Number(h.match(/upload-offset: (\d+)/i)[1]));
    assert.equal(went[0], 0);
    assert.ok(went.at(-1) >= MIB, `went on at ${went}`);
  });
});
