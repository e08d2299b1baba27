// Writes dist/SOURCE_HASH: SHA-256 over the page's sources and lock file, in the order of their names. The Rust test in
// rs/lib.rs computes the same without Node, so a page that was not rebuilt is noticed by `cargo test`.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const FIXED = ['index.html', 'package-lock.json', 'package.json', 'public/icon.svg', 'tsconfig.json', 'vite.config.ts'];

function walk(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? walk(path) : [path];
  });
}

/** Files that decide what the built page is; tests, fixtures and generated types do not. */
export function sources() {
  const app = walk(join(root, 'app')).map((path) => relative(root, path).replaceAll('\\', '/'));
  const used = app.filter((path) => !/\.test\.ts$|^app\/(fixtures|wire)\//.test(path));
  return [...FIXED, ...used].sort();
}

export function sourceHash() {
  const hash = createHash('sha256');
  for (const path of sources()) {
    const bytes = readFileSync(join(root, path));
    hash.update(`${path}\0${bytes.length}\0`);
    hash.update(bytes);
  }
  return hash.digest('hex');
}

writeFileSync(join(root, 'dist', 'SOURCE_HASH'), `${sourceHash()}\n`);
