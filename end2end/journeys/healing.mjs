// Healing: what happens to an application when something happens to its
// instances, and what people are told about it while they look.
import assert from 'node:assert/strict';
import { go, signIn } from './support/browser.mjs';
import { withFiles } from './support/archives.mjs';
import { journey } from './support/journey.mjs';
import { addressesOf, members, through } from './support/outside.mjs';
import { containersOf, docker, until } from './support/portal.mjs';
import { bringOnline, remove } from './support/steps.mjs';

const APP = 'steady';
const AT = `/applications/default/${APP}`;
// Added to Tomcat's examples: a health page that tells the truth about a fault
// which only the application itself can know of.
const HEALTH = `<%@ page contentType="text/plain" session="false" %><%
  if (request.getParameter("fill") != null) application.setAttribute("full", true);
%><%= application.getAttribute("full") == null ? "all is well" : "the disk is full" %>`;

journey('healing', ({ step, window }) => {
  let page, chinese;
  const both = [];
  /// An entry of the timeline, in a window that was open before it happened.
  const told = (w, what) => w.locator('.tl li', { hasText: what }).first();
  /// Keeps asking HAProxy in the background; gives what it saw, with the moments.
  const watch = () => {
    const seen = [];
    let on = true;
    const done = (async () => {
      while (on) {
        seen.push({ up: (await members(APP)).filter((m) => m.up).map((m) => m.address), at: Date.now() });
        await new Promise((next) => setTimeout(next, 20));
      }
    })();
    return async () => {
      on = false;
      await done;
      return seen;
    };
  };
  const allWell = async () => {
    await until('two members take requests', async () => (await members(APP)).filter((m) => m.up).length === 2);
    for (const w of both) await w.locator('h1 ~ .st', { hasText: /2 of 2 well|2\/2 正常/ }).waitFor({ timeout: 60_000 });
  };

  step('an application with two instances, watched in two languages', async () => {
    ({ page } = await window('person'));
    ({ page: chinese } = await window('reader of Chinese', { lang: 'zh' }));
    both.push(page, chinese);
    for (const w of both) await signIn(w);
    const file = withFiles('examples.war', 'steady.war', { 'health.jsp': HEALTH });
    await bringOnline(page, {
      file, name: APP, title: 'Steady', size: 'M', instances: 2, path: '/health.jsp', expect: 'all is well',
    });
    for (const w of both) await go(w, `${AT}/events`);
    await allWell();
  });

  step('a container killed behind the portal is replaced, and the timeline says why', async () => {
    const before = containersOf(APP);
    docker('kill', before[0]);
    await until('another container in its place', () => {
      const now = containersOf(APP);
      return now.length === 2 && !now.includes(before[0]) && now.includes(before[1]);
    });
    const en = told(page, 'An instance of r1');
    await en.waitFor();
    assert.match(await en.innerText(), /in slot \d ended unexpectedly/);
    assert.match(await en.locator('.cause').innerText(), /^On padis-dev its process was killed from outside \(SIGKILL\)\. A replacement is started by itself\.$/);
    const zh = told(chinese, '意外结束');
    await zh.waitFor();
    assert.match(await zh.locator('.cause').innerText(), /^padis-dev 上，进程被外部强制结束（SIGKILL）。已自动补上新实例。$/);
    await allWell();
  });

  step('an instance whose health page says otherwise leaves the balancer, is killed and replaced', async () => {
    const before = containersOf(APP);
    const sick = before[0];
    const known = (await members(APP)).map((m) => m.address);
    const address = addressesOf(sick).find((a) => known.includes(a));
    const began = Date.now();
    const stop = watch();
    const answer = await fetch(`http://${address}:8080/health.jsp?fill`);
    assert.match(await answer.text(), /the disk is full/);
    await until('another container in its place', () => {
      const now = containersOf(APP);
      return now.length === 2 && !now.includes(sick) && now.includes(before[1]);
    });
    const seen = await stop();
    const out = seen.find((s) => !s.up.includes(address))?.at;
    const events = docker('events', '--since', `${began / 1000}`, '--until', `${Date.now() / 1000}`,
      '--filter', `container=${sick}`, '--filter', 'event=kill', '--format', '{{.TimeNano}}');
    const killed = Number(events.split('\n')[0]) / 1e6;
    assert.ok(out <= killed, `out of the balancer at ${out}, killed at ${killed}`);
    // The other one was never taken away meanwhile.
    assert.ok(seen.every((s) => s.up.length >= 1), 'at every moment somebody took requests');
    await allWell();
  });

  step('the timeline says so, in either language', async () => {
    const en = told(page, /Slot \d of r1 was replaced/);
    await en.waitFor();
    assert.match(await en.locator('.cause').innerText(),
      /answered “the disk is full” instead of “all is well”, three times\. It left the balancer first/);
    const zh = told(chinese, /席位 \d 的 r1 被替换/);
    await zh.waitFor();
    assert.match(await zh.locator('.cause').innerText(), /3 次应答“the disk is full”而不是“all is well”。已先退出负载均衡/);
    assert.equal((await through(`${APP}.dev.padis.localhost`, '/health.jsp')).text, 'all is well');
  });

  step('it is deleted', async () => {
    await go(chinese, '/');
    await remove(page, APP);
    assert.equal(containersOf(APP).length, 0);
  });
});
