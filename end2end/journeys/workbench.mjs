// The workbench: a middleware is changed in a terminal, kept as a new version, used by an
// application and promoted with somebody else's yes; what a terminal showed can be read.
import assert from 'node:assert/strict';
import { go, live, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { barriers, tooWide } from './support/look.mjs';
import { through } from './support/outside.mjs';
import { ARTEFACTS, until } from './support/portal.mjs';
import { names, registry } from './support/registry.mjs';
import { bringOnline, makePerson, remove } from './support/steps.mjs';

const OWN = 'http://127.0.0.1:5000', PROD = 5100, PASSWORD = 'workbenches, and no hurry';
const VERSION = 'with-header', APP = 'bench-site';

journey('workbench', ({ step, window, atEnd }) => {
  let page, operator, erik, engineer, chinese, prod, tag, at, shell;
  const shot = (w, name) => w.screenshot({ path: `${ARTEFACTS}workbench-${name}.png`, fullPage: true });
  const row = (w, text) => w.getByRole('row').filter({ hasText: text }).first();
  const screen = (w) => w.locator('.xterm-rows').innerText();
  /// Types a line and waits for what it answers; the answer is not what was typed.
  const type = async (w, line, answer) => {
    await w.locator('#terminal').click();
    await w.keyboard.type(line + '\n');
    if (answer) {
      await until(`${line} answers`, async () => (await screen(w)).includes(answer)).catch(async (error) => {
        throw new Error(`the terminal shows:\n${await screen(w)}`, { cause: error });
      });
    }
  };
  const terminal = async (w) => {
    const [opened] = await Promise.all([w.context().waitForEvent('page'), w.locator('#bench-terminal').click()]);
    await live(opened);
    await until('a prompt', async () => /[#$]\s*$/.test((await screen(opened)).trimEnd() + ' '));
    return opened;
  };

  step('an engineer starts a workbench from standard middleware', async () => {
    prod = await registry(PROD);
    atEnd(() => prod.stop());
    operator = await window('operator');
    ({ page } = operator);
    await signIn(page);
    await makePerson(page, { account: 'wanda', name: 'Wanda Workbench', password: PASSWORD, platform: 'engineer' });
    engineer = await window('engineer');
    ({ page: erik } = engineer);
    await signIn(erik, { account: 'wanda', password: PASSWORD });
    ({ page: chinese } = await window('reader of Chinese', { lang: 'zh', theme: 'dark', size: [390, 844] }));
    await signIn(chinese);
    await go(erik, '/images/padis/stacks/nginx');
    tag = (await erik.getByRole('rowheader').first().innerText()).trim();
    await erik.getByRole('link', { name: tag }).click();
    await erik.locator('#bench-pool').selectOption('sf-dev');
    await erik.locator('#bench-start').click();
    await erik.waitForURL(/\/images\/workbenches\//);
    at = new URL(erik.url()).pathname;
    await erik.locator('#bench-terminal').waitFor({ timeout: 60_000 });
    await erik.getByText('Nothing was changed yet').waitFor();
    await shot(erik, 'open');
    // It is hers alone; who oversees the platform looks, and changes nothing.
    await go(page, at);
    await page.getByText('Open', { exact: true }).first().waitFor();
    assert.equal(await page.locator('#bench-terminal').count(), 0);
  });

  step('she changes it in a terminal', async () => {
    shell = await terminal(erik);
    await type(shell, 'echo answer-$((6*7))', 'answer-42');
    // Pasted, as somebody pastes what he has been sent; not only in English.
    await shell.evaluate(() => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', 'echo $((6*7))-工作台\n');
      document.querySelector('.xterm-helper-textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    });
    await until('what was pasted is answered', async () => (await screen(shell)).includes('42-工作台'));
    await type(shell, `sed -i 's|index index.html|add_header X-Workbench yes always; index index.html|' /opt/padis/nginx.conf && grep -c X-Workbench /opt/padis/nginx.conf`, '\n1');
    await type(shell, 'mkdir -p /root/.ssh /var/log && echo private > /root/.ssh/id_ed25519 && echo typed > /root/.bash_history && echo note > /var/log/a.log && echo is-$((1+1))', 'is-2');
    await shot(shell, 'terminal');
    // The window's size is the shell's.
    await shell.setViewportSize({ width: 700, height: 500 });
    await until('the shell knows its size', async () => {
      await type(shell, 'stty size');
      const rows = await shell.evaluate(() => document.querySelectorAll('.xterm-rows > div').length);
      return new RegExp(`^${rows} \\d+$`, 'm').test(await screen(shell));
    }, { every: 500 });
    await shot(shell, 'terminal-narrow');
    await shell.setViewportSize({ width: 1440, height: 900 });
    // A flood is drawn to its end, and the page is alive meanwhile and after.
    await type(shell, 'clear; i=0; while [ $i -lt 60000 ]; do i=$((i+1)); echo "line $i of a flood that says nothing"; done; echo end-$((2+3))', 'end-5');
    assert.match(await screen(shell), /line 60000/);
  });

  step('what was changed stands as a tree, and what should not go in is pointed out', async () => {
    await go(erik, at);
    const line = (name) => erik.locator('.tree li').filter({ hasText: name }).last();
    await line('nginx.conf').getByText('changed').waitFor();
    await line('id_ed25519').getByText('a private key or account').waitFor();
    await line('.bash_history').getByText('what somebody typed').waitFor();
    await line('a.log').getByText('a log').waitFor();
    await shot(erik, 'changed');
    assert.deepEqual(await barriers(erik, 'changed'), []);
    await go(chinese, at);
    await chinese.getByText('私钥或凭据').first().waitFor();
    await shot(chinese, 'changed-zh');
    assert.deepEqual(await barriers(chinese, 'changed, dark'), []);
    assert.equal(await tooWide(chinese), 0);
  });

  step('a wrong word is said beside its field, and nothing is lost', async () => {
    engineer.expect(/409|422/);
    await erik.locator('#tag').fill(tag);
    await erik.locator('#description').fill('Answers with a header of its own');
    await erik.locator('#bench-commit').click();
    await erik.locator('#tag[aria-invalid=true]').waitFor();
    assert.equal(await erik.locator('#description').inputValue(), 'Answers with a header of its own');
    await shot(erik, 'taken');
    assert.deepEqual(await barriers(erik, 'taken'), []);
  });

  step('it is kept as a new version, without what was pointed out', async () => {
    await erik.locator('#tag').fill(VERSION);
    await erik.locator('details.contract summary').click();
    await erik.locator('#contract_title_en').fill('Web site with a header');
    await erik.locator('#contract_title_zh').fill('带标头的网站');
    await erik.locator('#contract_version').fill(VERSION);
    await erik.locator('#bench-commit').click();
    await erik.locator('.kept').getByText('Kept', { exact: true }).waitFor({ timeout: 60_000 });
    await shot(erik, 'kept');
    assert.deepEqual(await barriers(erik, 'kept'), []);
    const digest = await names(OWN, 'stacks/nginx', VERSION);
    assert.ok(digest);
    await erik.locator('.kept').getByRole('link', { name: `stacks/nginx:${VERSION}` }).click();
    await erik.getByText('made in a workbench by Wanda Workbench').waitFor();
    assert.ok((await erik.locator('main').innerText()).includes(digest));
    // What is inside says so, too.
    const inside = async (file) => {
      await go(erik, `/images/padis/stacks/nginx:${VERSION}?file=${file}`);
      return erik.locator('main').innerText();
    };
    await until('it was read', async () => (await inside('nginx.conf')).includes('opt/padis/nginx.conf'), { every: 500 });
    assert.ok(!(await inside('id_ed25519')).includes('root/.ssh/id_ed25519'));
    await shot(erik, 'version');
    assert.deepEqual(await barriers(erik, 'version'), []);
  });

  step('an application uses it', async () => {
    await bringOnline(page, { file: 'site.zip', name: APP, stack: `nginx:${VERSION}` });
    const answer = await through(`${APP}.dev.padis.localhost`);
    assert.equal(answer.headers['x-workbench'], 'yes');
  });

  step('it is promoted with somebody else’s yes', async () => {
    await go(erik, `/images/padis/stacks/nginx:${VERSION}`);
    await erik.locator('#promote-note').fill('Made in the workbench');
    await erik.locator('#promote-prod').click();
    await erik.waitForURL(/\/images\/promotions/);
    await go(page, '/images/promotions?state=asked');
    await row(page, 'Made in the workbench').getByRole('button', { name: 'Agree' }).click();
    await go(page, '/images/promotions');
    await row(page, 'Made in the workbench').getByText('Promoted', { exact: true }).waitFor({ timeout: 60_000 });
    assert.equal(await names(prod.base, 'stacks/nginx', VERSION), await names(OWN, 'stacks/nginx', VERSION));
  });

  step('what the terminal showed can be read, and it ends with the workbench', async () => {
    const auditor = await erik.context().request.get(`/benches/${at.split('/').pop()}/records/1`);
    const lines = (await auditor.text()).trim().split('\n').map((l) => JSON.parse(l));
    assert.equal(lines[0].version, 2);
    assert.ok(lines.slice(1).filter((l) => l[1] === 'o').map((l) => l[2]).join('').includes('42-工作台'));
    await go(page, '/activity?state=bench');
    await page.getByText('Workbench terminal opened').first().waitFor();
    await go(erik, at);
    await erik.locator('details.danger summary').click();
    await erik.locator('#bench-end').click();
    await shell.locator('#again:not([hidden])').waitFor();
    await go(erik, at);
    await erik.getByText('Ended', { exact: true }).first().waitFor();
    await go(erik, '/images/workbenches');
    await row(erik, 'stacks/nginx').getByText('Ended').waitFor();
    await shot(erik, 'list');
    await remove(page, APP);
  });
});
