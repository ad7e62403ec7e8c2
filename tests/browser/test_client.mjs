#!/usr/bin/env node
// A client whose types are generated from openapi.yaml compiles, refuses what is wrong, and works.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { check, equal, finish, require, root, test } from './harness.mjs';

const client = path.join(root, 'build/browser/client');
const compiler = require.resolve('typescript/bin/tsc');

/** What the compiler says; empty when it is content. */
async function compile(...options) {
  try {
    await promisify(execFile)(process.execPath, [compiler, ...options], { cwd: client });
    return '';
  } catch (error) {
    return error.stdout;
  }
}

test('it compiles', async () => {
  equal(await compile('-p', 'tsconfig.json'), '', 'what the compiler says');
}, { pageless: true });

test('a misspelt member does not compile, and the compiler knows the right one', async () => {
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', '--moduleResolution', 'nodenext'];
  const said = await compile(...flags, 'client_misspelt.ts');
  check(/Did you mean to write 'kernel_size'\?/.test(said), said);
}, { pageless: true });

test('it works', async (origin) => {
  const { planStem, refusal, relationshipTitle, decoderKernels } = await import(pathToFileURL(path.join(client, 'client.js')));
  const plan = await planStem(origin);
  equal([plan.valid, plan.output, plan.totals.params], [true, [1, 64, 56, 56], 9536], 'plan');
  equal(await refusal(origin), 'not_found', 'refusal');
  check((await relationshipTitle(origin, 14)).length > 0, 'no title');
  equal(await decoderKernels(origin), 1, 'layers of the decoder');
}, { pageless: true });

await finish();
