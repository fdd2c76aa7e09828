// Every page, looked at: no barrier that axe-core knows in either theme, nothing
// wider than a telephone in either language, and a picture of each.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync } from 'node:fs';
import { go, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { barriers, tooWide } from './support/look.mjs';
import { ARTEFACTS } from './support/portal.mjs';
import { bringOnline, remove } from './support/steps.mjs';

const APP = 'handbook';
const AT = `/applications/default/${APP}`;
const PAGES = {
  overview: '/', applications: '/applications', new: '/applications/new', application: AT, instances: `${AT}/instances`,
  releases: `${AT}/releases`, logs: `${AT}/logs`, events: `${AT}/events`, settings: `${AT}/settings`, release: `${AT}/release`,
  middleware: '/middleware', images: '/images', copies: '/images/copies', promotions: '/images/promotions', workbenches: '/images/workbenches', recipes: '/images/recipes', storage: '/images/storage', packages: '/packages', pools: '/pools', cluster: '/cluster',
  'cluster-roles': '/cluster?state=roles', 'cluster-frameworks': '/cluster?state=frameworks', pool: '/pools/sf-dev', 'pool-new': '/pools/new',
  'pool-edit': '/pools/sf-dev/edit', subnets: '/addresses', addresses: '/addresses/sf-dev', names: '/names',
  balancers: '/balancers', journal: '/activity', work: '/activity/work', teams: '/admin/teams', people: '/admin/people',
  person: '/admin/people?edit=%2B', sessions: '/admin/sessions', systems: '/admin/systems', account: '/account',
  search: '/search?q=hand', kit: '/kit',
};
/// Those that README.md and README.zh.md show.
const SHOWN = ['application', 'applications', 'addresses'];
const SCREENSHOTS = new URL('../screenshots/', import.meta.url).pathname;

journey('every page', ({ step, window }) => {
  const shot = async (page, file) => {
    mkdirSync(`${ARTEFACTS}pages`, { recursive: true });
    const picture = () => page.screenshot({ path: `${ARTEFACTS}pages/${file}.png`, fullPage: true });
    // Chromium on a busy machine sometimes has no picture to give at once.
    await picture().catch((error) => {
      if (!/Unable to capture screenshot/.test(error.message)) throw error;
      return picture();
    });
  };
  let first;

  step('there is something to look at', async () => {
    first = await window('person');
    await signIn(first.page);
    await bringOnline(first.page, {
      file: 'site.zip', name: APP, title: 'API handbook', instances: 3, expect: 'Swagger',
    });
  });

  for (const [theme, lang] of [['light', 'en'], ['dark', 'zh']]) {
    step(`no page has a barrier: ${theme}, ${lang}`, async () => {
      const { page, context } = await window(`${theme}-${lang}`, { theme, lang });
      await signIn(page);
      const found = [];
      for (const [name, path] of Object.entries(PAGES)) {
        await go(page, path);
        await page.locator('main h1').first().waitFor();
        await shot(page, `${name}-${lang}-${theme}-1440`);
        found.push(...await barriers(page, name));
      }
      await context.close();
      assert.deepEqual(found, []);
    }, { alone: true });
  }

  for (const [lang, theme] of [['en', 'dark'], ['zh', 'light']]) {
    step(`no page is wider than a telephone: ${lang}`, async () => {
      const { page, context } = await window(`phone-${lang}`, { lang, theme, size: [390, 844] });
      await signIn(page);
      const wide = [];
      for (const [name, path] of Object.entries(PAGES)) {
        await go(page, path);
        await page.locator('main h1').first().waitFor();
        await shot(page, `${name}-${lang}-${theme}-390`);
        const over = await tooWide(page);
        if (over > 0) wide.push(`${name}: ${over} px too wide`);
      }
      await context.close();
      assert.deepEqual(wide, []);
    }, { alone: true });
  }

  step('the pictures of the README', async () => {
    for (const lang of ['en', 'zh']) {
      const { page, context } = await window(`readme-${lang}`, { lang, theme: 'light', size: [1280, 900] });
      await signIn(page);
      for (const name of SHOWN) {
        await go(page, PAGES[name]);
        await page.locator('main h1').first().waitFor();
        const file = `${name}${lang === 'zh' ? '-zh' : ''}.png`;
        await page.screenshot({ path: `${ARTEFACTS}pages/${file}` });
        // Only on request: a test run must leave the clone as it found it.
        if (process.env.PADIS_KEEP_SCREENSHOTS) {
          mkdirSync(SCREENSHOTS, { recursive: true });
          copyFileSync(`${ARTEFACTS}pages/${file}`, SCREENSHOTS + file);
        }
      }
      await context.close();
    }
  });

  step('what was looked at is given back', async () => {
    await remove(first.page, APP);
  });
});
