// A real slapd with certificates, people, and groups in groups.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { end, freePorts } from './another.mjs';
import { scratch } from './archives.mjs';
import { until } from './portal.mjs';

const SETUP = (at, password) => `dn: cn=config
objectClass: olcGlobal
cn: config
olcTLSCACertificateFile: ${at}/ca.crt
olcTLSCertificateFile: ${at}/server.crt
olcTLSCertificateKeyFile: ${at}/server.key
olcSecurity: simple_bind=128

dn: cn=module{0},cn=config
objectClass: olcModuleList
cn: module{0}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

${['core', 'cosine', 'inetorgperson'].map((s) => `include: file:///etc/ldap/schema/${s}.ldif\n`).join('')}
dn: olcDatabase=mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: mdb
olcDbDirectory: ${at}/db
olcSuffix: dc=insurer
olcRootDN: cn=root,dc=insurer
olcRootPW: ${password}
olcAccess: to attrs=userPassword by anonymous auth by * none
olcAccess: to * by dn.exact="cn=portal,dc=insurer" read by * none
`;

/// li is in `Motor Backend`, and that is in `Motor`: the team's group holds her
/// only through another group. wang is in `Platform`, sun in `Middleware`. nobody is in none.
const PEOPLE = `dn: dc=insurer
objectClass: domain
dc: insurer

dn: cn=portal,dc=insurer
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: portal
userPassword: portal-reads

dn: ou=people,dc=insurer
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=insurer
objectClass: organizationalUnit
ou: groups

${[['li', 'Li Na'], ['wang', 'Wang Wei'], ['sun', 'Sun Li'], ['nobody', 'Zhao No One']].map(([uid, cn]) => `dn: uid=${uid},ou=people,dc=insurer
objectClass: inetOrgPerson
uid: ${uid}
cn: ${cn}
sn: ${cn}
mail: ${uid}@insurer.example
userPassword: of-${uid}
`).join('\n')}
dn: cn=Motor Backend,ou=groups,dc=insurer
objectClass: groupOfNames
cn: Motor Backend
member: uid=li,ou=people,dc=insurer

dn: cn=Motor,ou=groups,dc=insurer
objectClass: groupOfNames
cn: Motor
member: cn=Motor Backend,ou=groups,dc=insurer

dn: cn=Platform,ou=groups,dc=insurer
objectClass: groupOfNames
cn: Platform
member: uid=wang,ou=people,dc=insurer

dn: cn=Middleware,ou=groups,dc=insurer
objectClass: groupOfNames
cn: Middleware
member: uid=sun,ou=people,dc=insurer
`;

/// Makes and starts one that only takes passwords over an encrypted connection.
export async function slapd() {
  const at = scratch();
  const run = (program, ...args) => execFileSync(program, args, { cwd: at, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  run('openssl', 'req', '-x509', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=Test CA', ...key);
  run('openssl', 'req', '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost', ...key);
  writeFileSync(join(at, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  run('openssl', ...'x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out server.crt -extfile names'.split(' '));
  for (const folder of ['config', 'db']) mkdirSync(join(at, folder));
  writeFileSync(join(at, 'setup.ldif'), SETUP(at, run('slappasswd', '-s', 'root-writes').trim()));
  writeFileSync(join(at, 'people.ldif'), PEOPLE);
  run('slapadd', '-n', '0', '-F', 'config', '-l', 'setup.ldif');
  run('slapadd', '-n', '1', '-F', 'config', '-l', 'people.ldif');
  const [port] = await freePorts(1);
  const it = {
    port, ca: join(at, 'ca.crt'), child: undefined,
    async start() {
      // `-d 0` keeps it in the foreground: it is our child, and ends when we end it.
      it.child = spawn('slapd', ['-h', `ldap://127.0.0.1:${port}`, '-F', 'config', '-d', '0'], { cwd: at, stdio: 'ignore' });
      await until('slapd answers', () => new Promise((done) => {
        const socket = connect(port, '127.0.0.1', () => done(socket.destroy())).once('error', () => done(false));
      }));
    },
    stop: () => end(it.child),
  };
  return it;
}
