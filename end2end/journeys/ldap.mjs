// Signing in with a staff account: a portal with a real slapd behind it, reached
// by StartTLS, that goes away and comes back.
import assert from 'node:assert/strict';
import { portal } from './support/another.mjs';
import { go, live, signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { slapd } from './support/slapd.mjs';
import { until } from './support/portal.mjs';

const GROUPS = 'ou=groups,dc=insurer';
const SETTINGS = (directory) => `[ldap]
enabled = true
urls = ["ldap://localhost:${directory.port}"]
start_tls = true
ca = "${directory.ca}"
bind_dn = "cn=portal,dc=insurer"
bind_password = "portal-reads"
base = "ou=people,dc=insurer"
groups = "search"
group_base = "${GROUPS}"
timeout_ms = 2000
retry_after_s = 1

[[ldap.roles]]
group = "cn=Platform,${GROUPS}"
role = "operator"

[[ldap.roles]]
group = "cn=Middleware,${GROUPS}"
role = "engineer"
`;
const person = (account) => ({ account, password: `of-${account}` });

journey('signing in with a staff account', ({ step, window, atEnd }) => {
  let directory, second, admin;
  const open = async (who, options) => (await window(who, { at: second.url, ...options })).page;
  const alert = async (page) => (await page.getByRole('alert').innerText()).replaceAll(/\s+/g, ' ');

  step('a portal with a directory; a team is given to one of its groups', async () => {
    directory = await slapd();
    atEnd(() => directory.stop());
    await directory.start();
    second = await portal('ldap', SETTINGS(directory));
    atEnd(() => second.stop());
    await second.start();
    admin = await open('operator');
    await signIn(admin);
    await go(admin, '/admin/teams?edit=%2B');
    await admin.locator('#slug').fill('motor');
    await admin.locator('#title').fill('Motor');
    await admin.locator('#lead_groups').fill(`cn=motor,${GROUPS}`);
    await admin.getByRole('button', { name: 'Create the team' }).click();
    await admin.locator('.said', { hasText: 'The team is saved' }).waitFor();
  });

  step('somebody whose group is in that group is a lead of the team', async () => {
    const li = await open('li');
    await signIn(li, person('li'));
    assert.equal(new URL(li.url()).pathname, '/');
    await go(li, '/account');
    const who = li.locator('section:has(#whh)');
    assert.match(await who.innerText(), /Li Na/);
    assert.match(await who.innerText(), /motor \(lead\)/i);
    assert.match(await who.innerText(), /Platform role\s+none/);
    // What is the team's own is offered, what belongs to the platform is not.
    assert.equal(await li.locator('a[href="/admin/teams"]').count(), 0);
    // The accounts of the directory have no password here.
    await go(admin, '/admin/people');
    await admin.locator('tr', { hasText: 'Li Na' }).waitFor();
  });

  step('a group gives the role of an operator, no group gives nothing', async () => {
    const wang = await open('wang');
    await signIn(wang, person('wang'));
    await go(wang, '/admin/systems');
    assert.match(await wang.locator('tr', { hasText: 'Staff directory (LDAP)' }).innerText(), /Answers/);
    const nobody = await open('nobody');
    await signIn(nobody, person('nobody'));
    await go(nobody, '/account');
    await nobody.getByText('You belong to no team yet.').waitFor();
  });

  step('a group gives the role of an engineer: images are hers to decide about, the platform is not', async () => {
    const sun = await open('sun');
    await signIn(sun, person('sun'));
    await go(sun, '/account');
    assert.match(await sun.locator('section:has(#whh)').innerText(), /Platform role\s+middleware engineer/i);
    await go(sun, '/images');
    await sun.getByRole('button', { name: 'Look now' }).waitFor();
    assert.equal(await sun.getByRole('link', { name: 'Administration' }).count(), 0);
    const asked = await sun.request.post('/api/look_at_registries', {
      form: { once: await (await sun.request.get('/api/once')).json() }, headers: { origin: new URL(sun.url()).origin },
    });
    assert.equal(asked.status(), 200, await asked.text());
    const refused = await sun.request.get('/api/systems');
    assert.ok(refused.status() >= 403, String(refused.status()));
  });

  step('whatever is wrong with a sign-in, one message says it', async () => {
    for (const lang of ['en', 'zh']) {
      const door = await open(`door-${lang}`, { lang, script: lang === 'en' });
      const said = new Set();
      for (const wrong of [
        { account: 'li', password: 'of-wang' }, { account: 'not-there', password: 'of-li' },
        { account: 'admin', password: 'of-admin' }, { account: 'li*', password: 'of-li' },
      ]) {
        await signIn(door, wrong);
        assert.equal(new URL(door.url()).pathname, '/sign-in');
        said.add(await alert(door));
      }
      assert.equal(said.size, 1, [...said].join(' | '));
      assert.match([...said][0], lang === 'en' ? /Account or password is wrong\./ : /账号或密码错误。/);
    }
  });

  step('the directory goes: its people are told so, built-in accounts still sign in', async () => {
    await directory.stop();
    await go(admin, '/admin/systems');
    await admin.locator('tr', { hasText: 'Staff directory (LDAP)' }).filter({ hasText: 'Does not answer' }).waitFor();
    for (const [lang, words] of [['en', /The staff directory does not answer at the moment\. Built-in accounts still work\./],
      ['zh', /员工目录暂时没有应答，内置账号仍可登录。/]]) {
      const door = await open(`out-${lang}`, { lang });
      await signIn(door, person('wang'));
      assert.match(await alert(door), words);
      // The message is the same for those that exist here: it must not tell who does.
      await signIn(door, { account: 'admin', password: 'of-admin' });
      assert.match(await alert(door), words);
      await signIn(door);
      assert.equal(new URL(door.url()).pathname, '/');
      await live(door);
    }
  });

  step('it comes back: so do its people, without a restart', async () => {
    await directory.start();
    await admin.locator('tr', { hasText: 'Staff directory (LDAP)' }).filter({ hasText: 'Answers' }).waitFor();
    const li = await open('li again', { script: false });
    await until('signed in', async () => {
      await signIn(li, person('li'));
      return new URL(li.url()).pathname === '/';
    }, { ms: 20_000, every: 500 });
  });
});
