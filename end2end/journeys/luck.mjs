// Bad luck while somebody looks: what stands behind the portal is killed or stops
// answering, and at last the portal itself is killed. A portal of its own is used.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { below, portal } from './support/another.mjs';
import { go, number, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { through } from './support/outside.mjs';
import { containersOf, docker, until } from './support/portal.mjs';
import { bringOnline, makePool, remove } from './support/steps.mjs';

const APP = 'lucky';
const AT = `/applications/default/${APP}`;
// An agent without a stage: the first start makes no pools, so nothing is shared
// with the portal that the other journeys use but the Docker Engine.
const SETTINGS = `[[engine.agents]]
name = "padis-luck"
attributes = { rack = "luck" }
share = 0.5
`;

journey('bad luck', ({ step, window, atEnd }) => {
  let second, page, systems, w;
  const tag = (text) => page.locator('h1 ~ .st', { hasText: text }).waitFor({ timeout: 60_000 });
  const answers = async () => {
    const { status, text } = await through(`${APP}.luck.padis.localhost`, '/', second.balancer);
    return status === 200 && /Swagger/.test(text);
  };
  const children = (name) => below(second.child.pid).filter((p) => p.name === name).map((p) => p.pid);
  const system = (name, state) => systems.locator('tr', { hasText: name }).filter({ hasText: state }).waitFor({ timeout: 60_000 });

  step('a portal of its own with an application online', async () => {
    second = await portal('luck', SETTINGS);
    atEnd(() => second.stop());
    await second.start();
    await second.stock();
    w = await window('person', { at: second.url });
    page = w.page;
    await signIn(page);
    systems = await w.context.newPage();
    await makePool(page, {
      name: 'luck', subnet: '10.210.77.0/24', gateway: '10.210.77.1', domain: 'luck.padis.localhost', hosts: 'rack=luck',
    });
    await bringOnline(page, { file: 'site.zip', name: APP, title: 'Lucky', pool: 'luck', expect: 'Swagger' });
    assert.ok(await answers());
    await go(systems, '/admin/systems');
  });

  for (const [name, title] of [['haproxy', 'Load balancer'], ['docker-registry', 'Image registry']]) {
    step(`${name} is killed, and comes back by itself`, async () => {
      const before = children(name);
      assert.ok(before.length > 0, `${name} is a child of the portal`);
      before.forEach((pid) => process.kill(pid, 'SIGKILL'));
      await until('another process in its place', () => {
        const now = children(name);
        return now.length > 0 && !now.some((pid) => before.includes(pid));
      });
      await until('the application answers', answers);
      await system(title, 'Answers');
      await tag('Online, 1 of 1 well');
    });

    step(`${name} hangs: the page says so, until it answers again`, async () => {
      const pids = children(name);
      const each = (signal) => pids.forEach((pid) => {
        try {
          process.kill(pid, signal);
        } catch (e) {
          // One that hangs for long is ended and replaced by its supervisor.
          if (e.code !== 'ESRCH') throw e;
        }
      });
      each('SIGSTOP');
      try {
        await system(title, 'Does not answer');
        await systems.getByRole('alert').first().waitFor();
      } finally {
        each('SIGCONT');
      }
      await system(title, 'Answers');
      await until('the application answers', answers);
    });
  }

  step('the Docker Engine hangs: what runs keeps answering, what is asked for goes on afterwards', async () => {
    const dockerd = Number(readFileSync(`${process.env.PADIS_LAB}/dockerd.pid`, 'utf8'));
    process.kill(dockerd, 'SIGSTOP');
    try {
      await system('Container engine (Docker)', 'Does not answer');
      assert.ok(await answers());
      await go(page, `${AT}/settings`);
      await number(page, '#instances', 2);
      await page.locator('#scale-do').click();
      await page.locator('.said', { hasText: 'Recorded; the number of instances is being changed.' }).waitFor();
      assert.ok(await answers());
    } finally {
      process.kill(dockerd, 'SIGCONT');
    }
    await system('Container engine (Docker)', 'Answers');
    await tag('Online, 2 of 2 well');
    assert.equal(containersOf(APP).length, 2);
  });

  step('the portal is killed: the page says that it shows old data, and is right again after the restart', async () => {
    // A stream that breaks is told in the console, nothing else may be.
    w.expect(/events\/stream.*net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET)|net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET).*events\/stream/);
    await go(page, `${AT}/events`);
    await systems.close();
    const count = await page.locator('.tl li', { hasText: 'ended unexpectedly' }).count();
    await second.stop('SIGKILL');
    await page.locator('.lost', { hasText: 'Connection lost, showing data of' }).waitFor();
    // Something happens while nobody watches.
    const [lost] = containersOf(APP);
    docker('kill', lost);
    await second.start();
    await page.locator('.lost').waitFor({ state: 'detached', timeout: 60_000 });
    await tag('Online, 2 of 2 well');
    await page.locator('.tl li', { hasText: 'ended unexpectedly' }).nth(count).waitFor();
    await until('two others run', () => containersOf(APP).length === 2 && !containersOf(APP).includes(lost));
    await until('the application answers', answers);
  });

  step('it is deleted', async () => {
    await remove(page, APP);
    assert.equal(containersOf(APP).length, 0);
  });
});
