// A journey: steps that build on one another in one or more browser windows.
// After a step that failed the rest can't mean anything: they fail at once, and
// what every window showed is kept as a picture.
import { mkdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { launch, open } from './browser.mjs';
import { ARTEFACTS } from './portal.mjs';

export function journey(name, tell) {
  describe(name, () => {
    const windows = new Map();
    const started = [];
    let browser, broken;
    before(async () => {
      browser = await launch();
    });
    after(async () => {
      await browser?.close();
      for (const stop of started.reverse()) await stop();
    });

    // `alone`: nothing builds on this step.
    const step = (what, run, { alone = false } = {}) =>
      test(what, { timeout: 180_000 }, async () => {
        if (broken) throw new Error(`not tried: "${broken}" failed`);
        try {
          await run();
          for (const w of windows.values()) w.quiet();
        } catch (error) {
          if (!alone) broken = what;
          mkdirSync(`${ARTEFACTS}failed`, { recursive: true });
          for (const [who, w] of windows) {
            const file = `${ARTEFACTS}failed/${name}-${who}.png`.replaceAll(/[^\w./-]+/g, '-');
            await w.page.screenshot({ path: file, fullPage: true }).catch(() => {});
            console.log(`${who} was at ${w.page.url()}, see ${file}`);
            for (const c of w.complaints()) console.log(`${who}'s browser complained: ${c}`);
          }
          throw error;
        }
      });
    /// Opens a browser window for `who`.
    const window = async (who, options) => {
      const w = await open(browser, options);
      windows.set(who, w);
      return w;
    };
    /// What a journey started ends with it, however it ends.
    const atEnd = (stop) => started.push(stop);
    tell({ step, window, atEnd });
  });
}
