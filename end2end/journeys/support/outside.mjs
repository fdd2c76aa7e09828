// The systems behind the portal, asked directly: what HAProxy, the name server
// and a container themselves say. A journey that believed the portal's own pages
// would believe them also when they are wrong.
import { Resolver } from 'node:dns/promises';
import { get } from 'node:http';
import { connect } from 'node:net';
import { docker } from './portal.mjs';

/// One answer of HAProxy's running worker.
async function haproxy(command) {
  const socket = connect({ path: `${process.env.PADIS_LAB}/data/balancer/worker.sock` });
  socket.end(`${command}\n`);
  let text = '';
  for await (const piece of socket) text += piece;
  return text;
}

/// The members of an application as HAProxy knows them: address, and whether it
/// sends them requests. `undefined`: it knows no such application.
export async function members(app, team = 'default') {
  const lines = (await haproxy('show stat')).trim().split('\n').map((line) => line.split(','));
  const at = Object.fromEntries(lines[0].map((name, i) => [name.replace(/^# /, ''), i]));
  const mine = lines.filter((l) => l[at.pxname] === `s.${team}.${app}`);
  if (mine.length === 0) return undefined;
  return mine.filter((l) => l[at.svname] !== 'BACKEND').map((l) => ({
    address: l[at.addr].replace(/:\d+$/, ''), up: l[at.status].startsWith('UP') && l[at.weight] !== '0',
  }));
}

/// What the portal's name server answers; empty: there is no such name.
export async function resolve(name) {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers(['127.0.0.1:5353']);
  try {
    return await resolver.resolve4(name);
  } catch (error) {
    if (error.code === 'ENOTFOUND' || error.code === 'ENODATA') return [];
    throw error;
  }
}

/// The addresses of a container.
export function addressesOf(id) {
  return docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}', id).trim().split(/\s+/);
}

/// An application's page through the balancer, as a program reads it: the host name
/// in the request, because only browsers know that `*.localhost` is this machine.
export function through(host, path = '/', port = 8000) {
  return new Promise((done, no) => {
    const request = get({ host: '127.0.0.1', port, path, headers: { Host: `${host}:${port}` }, agent: false, timeout: 5000 }, async (answer) => {
      try {
        let text = '';
        for await (const piece of answer.setEncoding('utf8')) text += piece;
        done({ status: answer.statusCode, headers: answer.headers, text });
      } catch (error) {
        no(error);
      }
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s'))).on('error', no);
  });
}
