// Real Java: Debian's Tomcat examples as a war, H2's console as an executable jar.
import assert from 'node:assert/strict';
import { signIn } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { containersOf } from './support/portal.mjs';
import { bringOnline, remove } from './support/steps.mjs';

journey('Java applications', ({ step, window }) => {
  let page, visitor;

  step('a war runs on Tomcat', async () => {
    ({ page } = await window('person'));
    visitor = await window('visitor', { script: false });
    visitor.expect(/favicon.ico/);
    await signIn(page);
    await bringOnline(page, { file: 'examples.war', name: 'examples', title: 'Examples', size: 'M', expect: 'Servlet' });
    assert.equal(containersOf('examples').length, 1);
    await visitor.page.goto('http://examples.dev.padis.localhost:8000/servlets/servlet/HelloWorldExample');
    await visitor.page.getByRole('heading', { name: 'Hello World!' }).waitFor();
  });

  step('an executable jar runs, with arguments for its program', async () => {
    await bringOnline(page, {
      file: 'h2.jar', name: 'h2', title: 'H2 console', size: 'M', expect: 'H2 Console',
      // It answers under the names that it is told only.
      env: 'PADIS_ARGS=-web -webPort 8080 -webAllowOthers -webExternalNames h2.dev.padis.localhost',
    });
    assert.equal(containersOf('h2').length, 1);
    await visitor.page.goto('http://h2.dev.padis.localhost:8000/');
    assert.match(await visitor.page.title(), /H2 Console/);
  });

  step('both are deleted', async () => {
    for (const name of ['examples', 'h2']) {
      await remove(page, name);
      assert.equal(containersOf(name).length, 0);
    }
  });
});
