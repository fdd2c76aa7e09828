// Real Java: Debian's Tomcat examples as a war.
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

  step('it is deleted', async () => {
    await remove(page, 'examples');
    assert.equal(containersOf('examples').length, 0);
  });
});
