// Chromium, and eyes on everything it complains about: a journey fails on any
// message in the console, failed request, exception or breach of the content
// security policy that it did not announce.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { ADMIN, PORTAL } from './portal.mjs';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--no-proxy-server'];

export const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });

/// A browser window of its own (cookies included), in English and on the shared portal unless told.
export async function open(browser, { script = true, lang = 'en', theme = 'light', size = [1440, 900], at = PORTAL } = {}) {
  const context = await browser.newContext({
    baseURL: at, javaScriptEnabled: script, viewport: { width: size[0], height: size[1] },
    locale: lang === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce',
  });
  await context.addCookies([
    { name: 'padis_lang', value: lang, url: at }, { name: 'padis_theme', value: theme, url: at },
  ]);
  context.setDefaultTimeout(20_000);
  const complaints = [];
  // What a page prepares for its scripts is left over where none run.
  // The machine's interfaces come and go with Docker's containers, which Chromium takes for
  // another network: it breaks off what it was reading, and that is nobody's mistake.
  const announced = [/net::ERR_NETWORK_CHANGED/];
  if (!script) announced.push(/was preloaded using link preload/);
  context.on('page', (page) => {
    const say = (what) => complaints.push(`${page.url()}: ${what}`);
    page.on('console', (m) => {
      if (['error', 'warning'].includes(m.type())) say(`console ${m.type()}: ${m.text()} (${m.location().url})`);
    });
    page.on('pageerror', (e) => say(`exception: ${e.stack ?? e}`));
    page.on('requestfailed', (r) => {
      const why = r.failure()?.errorText;
      // Leaving a page ends what it was still reading, and a browser that runs no
      // scripts does not fetch any; nothing else may fail.
      if (why !== 'net::ERR_ABORTED' && !(why === 'csp' && !script)) say(`${r.method()} ${r.url()} failed: ${why}`);
    });
    page.on('response', (r) => {
      if (r.status() >= 400) say(`${r.request().method()} ${r.url()} answered ${r.status()}`);
    });
  });
  return {
    context,
    page: await context.newPage(),
    /// From now on a complaint that matches is part of the journey.
    expect: (pattern) => announced.push(pattern),
    /// What was complained about and nobody announced.
    complaints: () => complaints.filter((c) => !announced.some((p) => p.test(c))),
    /// Fails if there was any of that.
    quiet() {
      assert.deepEqual(this.complaints(), [], 'the browser complained');
    },
    async close() {
      await context.close();
      this.quiet();
    },
  };
}

/// Signs in through the page, and waits for where it leads.
export async function signIn(page, { account, password } = ADMIN, next = '/') {
  await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
  await page.getByLabel(/^(Account|账号)$/).fill(account);
  await page.getByLabel(/^(Password|密码)$/).fill(password);
  await Promise.all([
    page.waitForURL((url) => url.pathname !== '/sign-in' || url.searchParams.has('problem')),
    page.getByRole('button', { name: /^(Sign in|登录)$/ }).click(),
  ]);
}

/// Waits until the browser half has taken the page over.
export const live = (page) => page.locator('html[data-live=on]').waitFor({ state: 'attached' });

/// Goes to a page and waits until it lives.
export async function go(page, path) {
  const answer = await page.goto(path);
  await live(page);
  return answer;
}

/// Types a number into the field and looks at what stands there, as a person does. Once in
/// some hundred times Chromium loses the selection between Playwright's "select all" and its
/// "type" in a number field, and "1" over "2" becomes "12"; nothing of the page's touches the
/// field then (watched with a MutationObserver). What the page did to it would show twice.
export async function number(page, selector, n) {
  const field = page.locator(selector);
  await field.fill(String(n));
  if ((await field.inputValue()) === String(n)) return;
  console.log(`${selector} held ${await field.inputValue()} after ${n} was typed; typed again`);
  await field.fill(String(n));
  if ((await field.inputValue()) !== String(n)) throw new Error(`${selector} does not take ${n}`);
}
