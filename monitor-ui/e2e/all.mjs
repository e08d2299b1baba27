// The end-to-end checks that need no daemon of their own, one after another; the exit code says whether all held.
//   node e2e/all.mjs                                            tour and axe against a mock daemon
//   DARWIND_URL='http://127.0.0.1:7717/#t=…' node e2e/all.mjs   the same against a real one with at least one run
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
let failed = 0;
for (const script of ['tour.mjs', 'axe.mjs']) {
  console.log(`\n${script}`);
  const { status } = spawnSync(process.execPath, [join(here, script)], { stdio: 'inherit' });
  if (status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
