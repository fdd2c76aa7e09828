// What a browser that has never been here loads, and when it has painted the largest
// thing of the page (Largest Contentful Paint): for `make bench`. Prints one line of
// JSON: for each page and language the bytes of wasm and JavaScript as they came over
// the wire, and the milliseconds of each round.
//
// usage: node paint.mjs PORTAL ROUNDS       the administrator's password: PADIS_ADMIN_PASSWORD
import { launch, open, signIn } from './journeys/support/browser.mjs';

const [portal, rounds] = [process.argv[2], Number(process.argv[3])];

const figures = () => new Promise((done, fail) => {
  const late = setTimeout(() => fail(new Error('no largest paint was told within 5 s')), 5000);
  new PerformanceObserver((list) => {
    clearTimeout(late);
    const half = performance.getEntriesByType('resource').filter((r) => /\.(wasm|js)$/.test(new URL(r.name).pathname));
    done({ paint: list.getEntries().at(-1).startTime, bytes: half.reduce((sum, r) => sum + r.encodedBodySize, 0) });
  }).observe({ type: 'largest-contentful-paint', buffered: true });
});

const browser = await launch();
const found = [];
for (const [name, path] of [['sign-in', '/sign-in'], ['overview', '/']]) {
  for (const lang of ['en', 'zh']) {
    const paints = [];
    let bytes = 0;
    for (let round = 0; round < rounds; round++) {
      const w = await open(browser, { lang, at: portal });
      if (path === '/') {
        // Signed in elsewhere: what this browser loads is loaded for the first time.
        const other = await open(browser, { lang, at: portal });
        await signIn(other.page, { account: 'admin', password: process.env.PADIS_ADMIN_PASSWORD });
        await w.context.addCookies((await other.context.cookies()).filter((c) => c.name.includes('session')));
        await other.close();
      }
      await w.page.goto(path);
      await w.page.waitForFunction(() => performance.getEntriesByType('resource')
        .some((r) => r.name.endsWith('.wasm') && r.responseEnd > 0));
      const f = await w.page.evaluate(figures);
      paints.push(f.paint);
      bytes = Math.max(bytes, f.bytes);
      await w.close();
    }
    found.push({ name, lang, bytes, paints });
  }
}
await browser.close();
console.log(JSON.stringify(found));
