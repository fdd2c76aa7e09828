// Packages made for one journey: a real one with something added, or something
// that no honest build would produce.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { fixture } from './portal.mjs';

/// A folder that goes with the laboratory.
export const scratch = () => mkdtempSync(join(process.env.PADIS_LAB, 'journey-'));

/// A copy of the real package `from`, called `name`, with `files` added; gives its path.
export function withFiles(from, name, files) {
  const folder = scratch();
  const archive = join(folder, name);
  copyFileSync(fixture(from), archive);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, 'more', dirname(path)), { recursive: true });
    writeFileSync(join(folder, 'more', path), text);
  }
  execFileSync('zip', ['-q', archive, ...Object.keys(files)], { cwd: join(folder, 'more') });
  return archive;
}

/// An archive written by hand, with entries that the program `zip` would not
/// write: `[name, bytes, unpackedSize]`; with the third they are deflated already.
export function zip(name, entries) {
  const parts = [];
  const index = [];
  let at = 0;
  for (const [path, bytes, unpacked] of entries) {
    const method = unpacked === undefined ? 0 : 8;
    const data = Buffer.from(bytes);
    // What a local header and the index have in common.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crcOf(data, unpacked), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(unpacked ?? data.length, 18);
    common.writeUInt16LE(Buffer.byteLength(path), 22);
    const head = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(path), data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    index.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, tail, Buffer.from(path)]));
    parts.push(head);
    at += head.length;
  }
  const central = Buffer.concat(index);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(index.length, 8);
  end.writeUInt16LE(index.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  const file = join(scratch(), name);
  writeFileSync(file, Buffer.concat([...parts, central, end]));
  return file;
}

const crcOf = (data, unpacked) => crc32(unpacked === undefined ? data : inflateRawSync(data));

/// A web site with the file `path` in it.
export const siteWith = (name, path) => zip(name, [['index.html', '<h1>a page</h1>'], [path, 'more']]);

/// A small file that unpacks to hundreds of times its size.
export function bomb(name) {
  const zeros = Buffer.alloc(80 << 20);
  return zip(name, [['index.html', '<h1>a page</h1>'], ['zeros.bin', deflateRawSync(zeros), zeros.length]]);
}

/// The first half of a real package.
export function cutOff(from, name) {
  const whole = readFileSync(fixture(from));
  const file = join(scratch(), name);
  writeFileSync(file, whole.subarray(0, whole.length >> 1));
  return file;
}
